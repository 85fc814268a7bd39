//! Moving a reference time before exponentials lose precision.

use super::plan::{LazyRule, MOST_INTEGRALS};
use super::post::Moment;
use super::shared::Growth;
use super::sides::FORGOTTEN;
use super::synapse::Arrival;

impl LazyRule {
    /// When the next reference has to be moved (ms since the start), and which class it is of; infinite if never.
    pub fn next_rebase(&self, shared: &[f64]) -> (f64, usize) {
        let mut next = (f64::INFINITY, 0);
        for (c, class) in self.sides.classes.iter().enumerate().skip(1) {
            let due = shared[1 + c] + class.interval;
            if due < next.0 {
                next = (due, c);
            }
        }
        next
    }

    /// The shortest time (ms) after which a reference has to be moved again; infinite if none ever has to be.
    pub fn shortest_interval(&self) -> f64 {
        let classes = self.sides.classes.iter().skip(1);
        classes.map(|c| c.interval).fold(f64::INFINITY, f64::min)
    }

    /// Number of classes of time constants; class 0 stands for no decay and is never moved.
    pub fn classes(&self) -> usize {
        self.sides.classes.len()
    }

    /// Whether the synapses of a presynaptic neuron, whose last event arrived at them `elapsed` ms ago (infinite if
    /// there was none), have to be flushed when this class's reference moves.
    pub fn needs_flush(&self, class: usize, elapsed: f64) -> bool {
        let bit = 1_u16 << class;
        let within = |rate: f64| elapsed * rate <= FORGOTTEN;
        let weight = self.scales()
            && (class == usize::from(self.decay) || class == usize::from(self.shrink_class));
        weight
            || self.accumulators.iter().any(|a| {
                // A product is nothing once one of its traces is; one without traces is always alive.
                let decays = a
                    .falls
                    .iter()
                    .map(|c| self.sides.classes[usize::from(*c)].rate);
                a.resets & bit != 0 && decays.filter(|r| *r > 0.0).all(within)
            })
            || self
                .sides
                .eligibilities
                .iter()
                .any(|e| usize::from(e.class) == class && elapsed <= self.memory())
    }

    /// Brings a synapse up to date and prepares it for the move of a reference; `arrival` carries no events. Neurons
    /// and the projection itself are moved after all their synapses.
    pub fn flush(
        &self,
        class: usize,
        arrival: &Arrival,
        post: &[f64],
        synapse: &mut [f64],
        w: &mut f64,
    ) {
        self.deliver(arrival, post, &[], synapse, w);
        let bit = 1_u16 << class;
        for (k, accumulator) in self.accumulators.iter().enumerate() {
            if accumulator.resets & bit != 0 {
                synapse[k] = 0.0;
            }
        }
        let (count, filters) = (self.accumulators.len(), self.gains.len());
        for (m, filter) in self.sides.eligibilities.iter().enumerate() {
            if usize::from(filter.class) == class {
                synapse[count + m] *= arrival.down(class);
            }
            if self.resets(usize::from(self.gains[m]), class) {
                synapse[count + filters + m] = 0.0;
            }
        }
        if self.scales() {
            let mut scale = synapse[self.scale_at()];
            if class == usize::from(self.decay) {
                scale /= arrival.down(class);
            }
            if class == usize::from(self.shrink_class) {
                scale /= self.shrunk(post);
            }
            synapse[self.scale_at()] = scale;
        }
    }

    /// Whether the move of a reference sets an integral over modulators to 0.
    fn resets(&self, integral: usize, class: usize) -> bool {
        let integral = &self.integrals[integral];
        integral.falls.iter().any(|c| usize::from(*c) == class)
            || (class > 0 && usize::from(integral.rises) == class)
    }

    /// Moves a neuron's numbers to the new reference, `now.at`; it has been advanced there.
    pub fn rebase_post(&self, class: usize, post: &mut [f64], now: Moment<'_>) {
        let mut growth = Growth::NONE;
        self.growth(now.shared, now.at, &mut growth);
        let mut integrals = [0.0; MOST_INTEGRALS];
        self.integrals_at(now.shared, now.channels, now.at, &mut integrals);
        for (k, integral) in integrals.iter_mut().enumerate().take(self.integrals.len()) {
            *integral = self.moved(k, class, *integral, &growth);
        }
        let traces = self.sides.post.len();
        for (index, trace) in self.sides.post.iter().enumerate() {
            if usize::from(trace.class) == class {
                post[index] *= growth.down[class];
            }
        }
        if self.shrink.is_some() && class == usize::from(self.shrink_class) {
            post[self.shrunk_at()] = 1.0;
        }
        for (k, accumulator) in self.accumulators.iter().enumerate() {
            if accumulator.resets & 1 << class != 0 {
                post[traces + k] = -self.closed(accumulator, post, &integrals);
            }
        }
    }

    /// What an integral over modulators becomes with the new reference.
    fn moved(&self, k: usize, class: usize, value: f64, growth: &Growth) -> f64 {
        if self.resets(k, class) {
            return 0.0;
        }
        let powers = self.integrals[k].traces.iter();
        let power = powers.filter(|c| usize::from(**c) == class).count();
        value * growth.up[class].powi(power as i32)
    }

    /// Moves the projection's own numbers, last of all.
    pub fn rebase_shared(
        &self,
        class: usize,
        shared: &mut [f64],
        channels: &[super::Channel],
        at: f64,
    ) {
        self.before_change(shared, channels, at);
        let mut growth = Growth::NONE;
        self.growth(shared, at, &mut growth);
        let first = 1 + self.sides.classes.len();
        for k in 0..self.integrals.len() {
            shared[first + k] = self.moved(k, class, shared[first + k], &growth);
        }
        shared[1 + class] = at;
    }
}
