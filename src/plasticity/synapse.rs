//! The synaptic side of a lazy rule: what a synapse does when a presynaptic event arrives.
//!
//! Layout: the neuron's integrals when the synapse last looked, the filters (scaled by e^(rate·(t − reference))), the
//! integral K of each filter then, and the scale of its weight then, if weights decay or are scaled.

use super::plan::{LazyRule, MOST_ACCUMULATORS, MOST_ELIGIBILITIES, MOST_INTEGRALS, MOST_JUMPS};
use super::post::Moment;
use super::shared::Growth;
use super::sides::{FORGOTTEN, MOST_VALUES, Values};
use super::signal::Signals;

/// What all synapses have in common at which events of one presynaptic neuron arrive at one time. To be filled by
/// [`LazyRule::arrive`], and used again.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub(super) signals: Signals,
    pub(super) growth: Growth,
    /// For each entry, its presynaptic product as it was at the reference time.
    pub(super) weight: [f64; MOST_ACCUMULATORS],
    pub(super) integrals: [f64; MOST_INTEGRALS],
    /// Common factor of each jump.
    pub(super) jumps: [f64; MOST_JUMPS],
    values: Values,
    /// Whether filters at the synapse can still be other than 0.
    pub(super) remembers: bool,
}

impl Default for Arrival {
    fn default() -> Self {
        Arrival {
            signals: Signals::NONE,
            growth: Growth::NONE,
            weight: [0.0; MOST_ACCUMULATORS],
            integrals: [0.0; MOST_INTEGRALS],
            jumps: [0.0; MOST_JUMPS],
            values: [0.0; MOST_VALUES],
            remembers: false,
        }
    }
}

impl Arrival {
    /// The decay of a class since its reference.
    pub(super) fn down(&self, class: usize) -> f64 {
        self.growth.down[class]
    }
}

impl LazyRule {
    /// Numbers that a synapse keeps beside its weight.
    pub fn synapse_len(&self) -> usize {
        self.accumulators.len() + 2 * self.gains.len() + usize::from(self.scales())
    }

    /// Puts a synapse's numbers to their start; its neuron's are at theirs too.
    pub fn start_synapse(&self, synapse: &mut [f64]) {
        synapse.fill(0.0);
        if self.scales() {
            synapse[self.scale_at()] = 1.0;
        }
    }

    #[inline(always)]
    pub(super) fn scales(&self) -> bool {
        self.decay > 0 || self.shrink.is_some()
    }

    #[inline(always)]
    pub(super) fn scale_at(&self) -> usize {
        self.accumulators.len() + 2 * self.gains.len()
    }

    /// How long after its last event a presynaptic neuron's filters at synapses may be other than 0 (ms).
    pub(super) fn memory(&self) -> f64 {
        let slowest = |rates: &mut dyn Iterator<Item = f64>| {
            rates.map(|rate| FORGOTTEN / rate).fold(0.0, f64::max)
        };
        let filters = slowest(&mut self.sides.eligibilities.iter().map(|e| e.rate));
        let behind = self.accumulators.iter().skip(self.plain);
        filters + slowest(&mut behind.map(|a| a.rate))
    }

    /// Prepares what the synapses of a presynaptic neuron share at `now`. Its traces were `pre` after its last event,
    /// `elapsed` ms ago (infinite if there was none), as seen at these synapses; `signals` arrive now, or none.
    pub fn arrive(
        &self,
        arrival: &mut Arrival,
        pre: &[f64],
        elapsed: f64,
        signals: Signals,
        now: Moment<'_>,
    ) {
        arrival.signals = signals;
        self.growth(now.shared, now.at, &mut arrival.growth);
        self.integrals_at(now.shared, now.channels, now.at, &mut arrival.integrals);
        self.sides.put_pre(&mut arrival.values, pre, elapsed);
        if !self.jumps.is_empty() || !self.programs.is_empty() {
            self.sides
                .put_shared(&mut arrival.values, now.channels, now.at);
        }
        for (k, entry) in self.entries.iter().enumerate() {
            let mut weight = entry.factor;
            for trace in &entry.traces {
                let trace = &self.sides.pre[usize::from(*trace)];
                weight *= arrival.values[usize::from(trace.place)];
                weight *= arrival.growth.up[usize::from(trace.class)];
            }
            arrival.weight[k % MOST_ACCUMULATORS] = weight;
        }
        for (jump, shared) in self.jumps.iter().zip(&mut arrival.jumps) {
            let mut factor = jump.factor;
            for place in &jump.shared {
                factor *= arrival.values[usize::from(*place)];
            }
            for trace in &jump.traces {
                let class = self.sides.post[usize::from(*trace)].class;
                factor *= arrival.growth.down[usize::from(class)];
            }
            *shared = factor;
        }
        arrival.remembers = !self.gains.is_empty() && elapsed <= self.memory();
    }

    /// Brings a synapse up to date, then lets it learn from the events that arrive. Its neuron has been advanced to
    /// this time, if the rule wants that; `voltages` are those just before the event acts.
    #[inline]
    pub fn deliver(
        &self,
        arrival: &Arrival,
        post: &[f64],
        voltages: &[f64],
        synapse: &mut [f64],
        w: &mut f64,
    ) {
        self.settle(arrival, post, synapse, w);
        if arrival.signals == Signals::NONE {
            return;
        }
        let count = self.accumulators.len();
        let before = *w;
        let mut added = [0.0; MOST_ELIGIBILITIES];
        let mut change = 0.0;
        for (jump, shared) in self.jumps.iter().zip(&arrival.jumps) {
            if !arrival.signals.has(usize::from(jump.kind)) {
                continue;
            }
            let mut value = *shared;
            for trace in &jump.traces {
                value *= post[usize::from(*trace)];
            }
            for voltage in &jump.voltages {
                value *= voltages[usize::from(*voltage)];
            }
            for _ in 0..jump.weight {
                value *= before;
            }
            for m in &jump.filters {
                let m = usize::from(*m);
                let class = usize::from(self.sides.eligibilities[m].class);
                value *= synapse[count + m] * arrival.growth.down[class];
            }
            match jump.eligibility {
                None => change += value,
                Some(m) => added[usize::from(m) % MOST_ELIGIBILITIES] += value,
            }
        }
        if !self.programs.is_empty() {
            change += self.run_programs(arrival, post, voltages, synapse, before, &mut added);
        }
        *w = self.sides.bounded(before + change);
        for (m, filter) in self.sides.eligibilities.iter().enumerate() {
            synapse[count + m] += added[m] * arrival.growth.up[usize::from(filter.class)];
        }
    }

    /// Jumps that are no sums of products.
    fn run_programs(
        &self,
        arrival: &Arrival,
        post: &[f64],
        voltages: &[f64],
        synapse: &[f64],
        w: f64,
        added: &mut [f64; MOST_ELIGIBILITIES],
    ) -> f64 {
        let mut values = arrival.values;
        self.sides.put_voltages(&mut values, voltages);
        for (trace, scaled) in self.sides.post.iter().zip(post) {
            let down = arrival.growth.down[usize::from(trace.class)];
            values[usize::from(trace.place)] = scaled * down;
        }
        let count = self.accumulators.len();
        for (m, filter) in self.sides.eligibilities.iter().enumerate() {
            let down = arrival.growth.down[usize::from(filter.class)];
            values[usize::from(filter.place)] = synapse[count + m] * down;
        }
        values[usize::from(self.sides.weight)] = w;
        let mut change = 0.0;
        for program in &self.programs {
            if arrival.signals.has(usize::from(program.kind)) {
                let value = program.value.value(&values);
                match program.eligibility {
                    None => change += value,
                    Some(m) => added[usize::from(m) % MOST_ELIGIBILITIES] += value,
                }
            }
        }
        change
    }

    /// Brings a synapse up to date.
    #[inline(always)]
    fn settle(&self, arrival: &Arrival, post: &[f64], synapse: &mut [f64], w: &mut f64) {
        let traces = self.sides.post.len();
        let count = self.accumulators.len();
        let mut change = 0.0;
        for (entry, weight) in self.entries.iter().zip(&arrival.weight) {
            if entry.eligibility.is_some() {
                break;
            }
            let k = usize::from(entry.first);
            let accumulator = &self.accumulators[k];
            let mut now = post[traces + k];
            if !accumulator.closed.is_empty() {
                now += self.closed(accumulator, post, &arrival.integrals);
            }
            change += weight * (now - synapse[k]);
            synapse[k] = now;
        }
        if !self.gains.is_empty() {
            change += self.settle_filters(arrival, post, synapse);
        }
        if self.scales() {
            let scale = arrival.growth.down[usize::from(self.decay)] * self.shrunk(post);
            let before = synapse[count + 2 * self.gains.len()];
            *w = scale * (*w / before + change);
            synapse[count + 2 * self.gains.len()] = scale;
        } else {
            *w += change;
        }
        *w = self.sides.bounded(*w);
    }

    #[inline(always)]
    fn settle_filters(&self, arrival: &Arrival, post: &[f64], synapse: &mut [f64]) -> f64 {
        let traces = self.sides.post.len();
        let count = self.accumulators.len();
        let filters = self.gains.len();
        let (mut risen, mut change) = ([0.0; MOST_ELIGIBILITIES], 0.0);
        for (entry, weight) in self.entries.iter().zip(&arrival.weight) {
            let Some(m) = entry.eligibility else { continue };
            let m = usize::from(m) % MOST_ELIGIBILITIES;
            let (first, second) = (usize::from(entry.first), usize::from(entry.second));
            let (f, fm) = (post[traces + first], post[traces + second]);
            let grown = weight * (f - synapse[first]);
            risen[m] += grown;
            let gain = arrival.integrals[usize::from(self.gains[m]) % MOST_INTEGRALS];
            change += gain * grown - weight * (fm - synapse[second]);
            (synapse[first], synapse[second]) = (f, fm);
        }
        for m in 0..filters {
            let gain = arrival.integrals[usize::from(self.gains[m]) % MOST_INTEGRALS];
            let state = if arrival.remembers {
                synapse[count + m]
            } else {
                0.0
            };
            change += state * (gain - synapse[count + filters + m]);
            synapse[count + m] = state + risen[m];
            synapse[count + filters + m] = gain;
        }
        change
    }

    /// The weight that a synapse would have at the arrival's time, were it used.
    pub fn weight_at(&self, arrival: &Arrival, post: &[f64], synapse: &[f64], w: f64) -> f64 {
        let mut kept = [0.0; MOST_ACCUMULATORS + 2 * MOST_ELIGIBILITIES + 1];
        let kept = &mut kept[..synapse.len()];
        kept.copy_from_slice(synapse);
        let mut weight = w;
        self.settle(arrival, post, kept, &mut weight);
        weight
    }
}
