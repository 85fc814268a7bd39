//! A rule with one filter at the synapse, in its simplest form: postsynaptic events, times a presynaptic product, feed the filter,
//! and presynaptic events add a postsynaptic trace to it. Reward-modulated STDP (Izhikevich 2007) is such a rule.
//!
//! What a synapse does when something arrives is what [`LazyRule::deliver`] does, to the bit. But nothing has to be looked up, and
//! of an arrival only a cache line is read.

use super::plan::LazyRule;
use super::synapse::Arrival;

/// Numbers that a synapse of such a rule keeps beside its weight: F, M, the filter, and K then (see [`LazyRule`]).
pub const SINGLE_LEN: usize = 4;

/// Where such a rule finds what it needs.
#[derive(Debug, Clone, Copy)]
pub struct Single {
    /// Numbers that a postsynaptic neuron keeps.
    pub post_len: usize,
    /// Its trace that presynaptic events add.
    trace: usize,
    /// Where F and M are among its numbers, one after the other.
    integrals: usize,
    /// The kind of event that adds the trace.
    kind: usize,
    /// Class of the filter's decay.
    class: usize,
    /// K.
    gain: usize,
    within: Option<[f64; 2]>,
}

/// What the synapses of one presynaptic neuron need of an arrival.
#[derive(Debug, Clone, Copy)]
pub struct SingleArrival {
    weight: f64,
    gain: f64,
    /// Factor of the trace; 0 if what arrives adds none.
    jump: f64,
    up: f64,
    /// Whether the filters can still be other than 0.
    remembers: bool,
}

impl LazyRule {
    /// This rule in its simplest form, if it has that.
    pub fn single(&self) -> Option<Single> {
        let ([entry], [jump], [gain]) = (&self.entries[..], &self.jumps[..], &self.gains[..])
        else {
            return None;
        };
        let [trace] = jump.traces[..] else {
            return None;
        };
        let feeds_filter = entry.eligibility.is_some() && jump.eligibility.is_some();
        let is_plain = jump.voltages.is_empty() && jump.filters.is_empty() && jump.weight == 0;
        let has_pair = (entry.first, entry.second, self.accumulators.len()) == (0, 1, 2);
        let reads_voltages = !self.sides.voltages.is_empty();
        if !(feeds_filter && is_plain && has_pair && self.programs.is_empty())
            || self.scales()
            || reads_voltages
            || self.synapse_len() != SINGLE_LEN
        {
            return None;
        }
        Some(Single {
            post_len: self.post_len(),
            trace: usize::from(trace),
            integrals: self.sides.post.len(),
            kind: usize::from(jump.kind),
            class: usize::from(self.sides.eligibilities.first()?.class),
            gain: usize::from(*gain),
            within: self.sides.within,
        })
    }
}

impl Single {
    /// What is needed of an arrival that [`LazyRule::arrive`] has made.
    pub fn arrival(&self, arrival: &Arrival) -> SingleArrival {
        let jumps = arrival.signals.has(self.kind);
        SingleArrival {
            weight: arrival.weight[0],
            gain: arrival.integrals[self.gain],
            jump: if jumps { arrival.jumps[0] } else { 0.0 },
            up: arrival.growth.up[self.class],
            remembers: arrival.remembers,
        }
    }

    /// As [`LazyRule::deliver`]: `post` are the neuron's numbers, `synapse` those of the synapse, `w` is its weight.
    #[inline(always)]
    pub fn deliver(
        &self,
        arrival: &SingleArrival,
        post: &[f64],
        synapse: &mut [f64; SINGLE_LEN],
        w: &mut f64,
    ) {
        let (f, fm) = (post[self.integrals], post[self.integrals + 1]);
        let [f_before, fm_before, filter, gain_before] = *synapse;
        let grown = arrival.weight * (f - f_before);
        let mut change = arrival.gain * grown - arrival.weight * (fm - fm_before);
        let state = if arrival.remembers { filter } else { 0.0 };
        change += state * (arrival.gain - gain_before);
        let added = arrival.jump * post[self.trace] * arrival.up;
        *synapse = [f, fm, (state + grown) + added, arrival.gain];
        *w += change;
        if let Some([low, high]) = self.within {
            *w = w.max(low).min(high);
        }
    }
}
