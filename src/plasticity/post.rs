//! The postsynaptic side of a lazy rule: traces and integrals of one neuron.
//!
//! Layout: traces (scaled by e^(rate·(t − reference))), integrals, and the product of the factors by which
//! postsynaptic events scale the weights, if they do.

use super::plan::{Accumulator, LazyRule, MOST_INTEGRALS};
use super::shared::Growth;
use super::sides::{MOST_VALUES, Values, jump};
use super::signal::{Channel, Signals};

/// What the engine passes with everything that happens: the projection's numbers, modulators, and the time.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'m> {
    /// The projection's numbers.
    pub shared: &'m [f64],
    /// All modulators of the circuit, by number.
    pub channels: &'m [Channel],
    /// The time (ms since the start).
    pub at: f64,
}

/// The voltages of a neuron between two of its updates: offset (ms) from the earlier, and where to put the voltages of
/// [`LazyRule::post_reads`].
pub type Course<'c> = &'c mut dyn FnMut(f64, &mut [f64]);

/// Smallest factor by which one event may scale a weight.
const LEAST_FACTOR: f64 = 1e-6;

impl LazyRule {
    /// Numbers that a postsynaptic neuron keeps.
    pub fn post_len(&self) -> usize {
        self.sides.post.len() + self.accumulators.len() + usize::from(self.shrink.is_some())
    }

    /// Puts a neuron's numbers to their start.
    pub fn start_post(&self, post: &mut [f64]) {
        post.fill(0.0);
        if self.shrink.is_some() {
            post[self.shrunk_at()] = 1.0;
        }
    }

    #[inline(always)]
    pub(super) fn shrunk_at(&self) -> usize {
        self.sides.post.len() + self.accumulators.len()
    }

    /// The product of the factors of postsynaptic events so far.
    #[inline(always)]
    pub(super) fn shrunk(&self, post: &[f64]) -> f64 {
        match self.shrink {
            Some(_) => post[self.shrunk_at()],
            None => 1.0,
        }
    }

    /// The part of an integral that is known in closed form, with the integrals over modulators.
    #[inline(always)]
    pub(super) fn closed(
        &self,
        accumulator: &Accumulator,
        post: &[f64],
        integrals: &[f64; MOST_INTEGRALS],
    ) -> f64 {
        let mut sum = 0.0;
        for (traces, integral) in &accumulator.closed {
            let mut product = integrals[usize::from(*integral) % MOST_INTEGRALS];
            for trace in traces {
                product *= post[usize::from(*trace)];
            }
            sum += product;
        }
        match self.shrink {
            Some(_) => sum / self.shrunk(post),
            None => sum,
        }
    }

    #[inline]
    fn put_post(&self, values: &mut Values, post: &[f64], growth: &Growth) {
        for (trace, scaled) in self.sides.post.iter().zip(post) {
            values[usize::from(trace.place)] = scaled * growth.down[usize::from(trace.class)];
        }
    }

    /// A postsynaptic event. The neuron has been advanced to it, and `voltages` are those just before.
    pub fn post_event(
        &self,
        post: &mut [f64],
        signals: Signals,
        voltages: &[f64],
        now: Moment<'_>,
    ) {
        let mut growth = Growth::NONE;
        self.growth(now.shared, now.at, &mut growth);
        let mut values = [0.0; MOST_VALUES];
        self.sides.put_shared(&mut values, now.channels, now.at);
        self.sides.put_voltages(&mut values, voltages);
        self.put_post(&mut values, post, &growth);
        let mut integrals = [0.0; MOST_INTEGRALS];
        self.integrals_at(now.shared, now.channels, now.at, &mut integrals);
        let traces = self.sides.post.len();
        let changes = self.accumulators.iter().any(|a| !a.closed.is_empty());
        if changes {
            for (k, accumulator) in self.accumulators.iter().enumerate() {
                post[traces + k] += self.closed(accumulator, post, &integrals);
            }
        }
        if let Some(shrink) = &self.shrink {
            let factor = 1.0 + jump(shrink, signals, &values);
            post[self.shrunk_at()] *= factor.max(LEAST_FACTOR);
        }
        let whole = 1.0 / self.shrunk(post);
        let (mut source, mut gain) = (u16::MAX, 0.0);
        for (k, accumulator) in self.accumulators.iter().enumerate() {
            if accumulator.source != source {
                source = accumulator.source;
                gain = jump(
                    &self.sources[usize::from(source)].impulses,
                    signals,
                    &values,
                );
            }
            let scale = self.scale(accumulator, &growth, &integrals);
            post[traces + k] += gain * scale * whole;
        }
        for (index, trace) in self.sides.post.iter().enumerate() {
            let added = jump(&trace.jumps, signals, &values);
            post[index] += added * growth.up[usize::from(trace.class)];
        }
        if changes {
            for (k, accumulator) in self.accumulators.iter().enumerate() {
                post[traces + k] -= self.closed(accumulator, post, &integrals);
            }
        }
    }

    /// What multiplies the postsynaptic factor in an integral.
    #[inline(always)]
    pub(super) fn scale(
        &self,
        accumulator: &Accumulator,
        growth: &Growth,
        integrals: &[f64; MOST_INTEGRALS],
    ) -> f64 {
        let mut scale = growth.up[usize::from(accumulator.rises)] * growth.fall(&accumulator.falls);
        if let Some(integral) = accumulator.by {
            scale *= integrals[usize::from(integral) % MOST_INTEGRALS];
        }
        scale
    }
}
