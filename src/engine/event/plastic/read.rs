//! Moves of reference times, and weights as they are at a time.

use super::Learning;
use super::incoming::presynaptic;
use super::voltages::voltages_at;
use crate::engine::event::linear::Modes;
use crate::engine::event::synapses::{Synapses, Weights};
use crate::plasticity::{Arrival, Channel, Moment, PlasticRule, Presynaptic, Signals};

impl Learning {
    /// Moves the reference time that is due at `at` (ms); all neurons have been advanced to it if the rule follows
    /// their voltages.
    pub fn rebase(&mut self, table: &mut Synapses, channels: &[Channel], at: f64) {
        self.reach_all(at, table, channels);
        self.intervals.clear();
        let rule = self.rule.clone();
        let traces = rule.traces();
        let class = traces.next_rebase(&self.shared).1;
        if let (PlasticRule::Lazy(rule), Weights::Each(weights)) = (&*rule, &mut table.weights) {
            let (pre_len, post_len, len) =
                (traces.pre_len(), traces.post_len(), rule.synapse_len());
            let mut arrival = Arrival::default();
            for source in 0..self.pre_last.len() {
                let elapsed = at - self.pre_last[source];
                let row = table.rows.of(source as u32);
                if row.is_empty() || !rule.needs_flush(class, elapsed) {
                    continue;
                }
                let pre = &self.pre[source * pre_len..(source + 1) * pre_len];
                let now = Moment {
                    shared: &self.shared,
                    channels,
                    at,
                };
                rule.arrive(&mut arrival, pre, elapsed, Signals::NONE, now);
                for synapse in row {
                    let neuron = (table.rows.target(synapse) - self.base) as usize;
                    let post = &self.post[neuron * post_len..(neuron + 1) * post_len];
                    let state = &mut self.synapses[synapse * len..(synapse + 1) * len];
                    rule.flush(class, &arrival, post, state, &mut weights[synapse]);
                }
            }
        }
        let now = Moment {
            shared: &self.shared,
            channels,
            at,
        };
        for post in self.post.chunks_exact_mut(traces.post_len().max(1)) {
            traces.rebase_post(class, post, now);
        }
        traces.rebase_shared(class, &mut self.shared, channels, at);
    }

    /// The weights that a presynaptic neuron's synapses have at a time (ms), were they used. `course` gives the state of a
    /// neuron (by its number in the partition) that has not been advanced: modes, coordinates, and their time (ms).
    pub fn weights_at<'m>(
        &self,
        source: u32,
        table: &Synapses,
        channels: &[Channel],
        at: f64,
        state: impl Fn(u32) -> (&'m Modes, &'m [f64], f64),
        into: &mut Vec<f64>,
    ) {
        let traces = self.rule.traces();
        let (pre_len, post_len, len) =
            (traces.pre_len(), traces.post_len(), self.rule.synapse_len());
        let pre = &self.pre[source as usize * pre_len..(source as usize + 1) * pre_len];
        let since = self.pre_last[source as usize];
        let now = Moment {
            shared: &self.shared,
            channels,
            at,
        };
        let reads = &self.reads;
        let mut arrival = Arrival::default();
        if let PlasticRule::Lazy(rule) = &*self.rule {
            rule.arrive(&mut arrival, pre, at - since, Signals::NONE, now);
        }
        for synapse in table.rows.of(source) {
            let weight = table.weights.of(synapse);
            if !self.active {
                into.push(weight);
                continue;
            }
            let target = table.rows.target(synapse);
            let neuron = (target - self.base) as usize;
            let mut post = self.post[neuron * post_len..(neuron + 1) * post_len].to_vec();
            let mut kept = self.synapses[synapse * len..(synapse + 1) * len].to_vec();
            let mut weight = weight;
            for (due, signals) in self.dendrite.iter().flat_map(|d| d.until(neuron, at)) {
                let told = Moment { at: due, ..now };
                if let PlasticRule::General(rule) = &*self.rule {
                    let sides = presynaptic(
                        (&self.pre, &self.pre_last, pre_len),
                        &self.arrivals[..self.arriving],
                        source,
                        due,
                    );
                    let (traces, since) = sides;
                    let sides = (Presynaptic { traces, since }, &*post);
                    rule.post_event(sides, (&mut kept, &mut weight), signals, &[], told);
                }
                traces.post_event(&mut post, signals, &[], told);
            }
            let (modes, y, from) = state(target);
            let mut course =
                |offset: f64, into: &mut [f64]| voltages_at(modes, y, offset, reads, into);
            match &*self.rule {
                PlasticRule::Lazy(rule) => {
                    rule.advance_post(&mut post, from, now, &mut course);
                    into.push(rule.weight_at(&arrival, &post, &kept, weight));
                }
                PlasticRule::General(rule) => {
                    let sides = (Presynaptic { traces: pre, since }, &*post);
                    rule.advance_synapse(sides, (&mut kept, &mut weight), from, now, &mut course);
                    into.push(weight);
                }
            }
        }
    }
}
