//! Presynaptic events at synapses that learn: what they leave when they arrive, and what each of their synapses does then.

use super::Learning;
use super::voltages::read_voltages;
use crate::engine::event::linear::Modes;
use crate::plasticity::{Arrival, Channel, Moment, PlasticRule, Presynaptic, SINGLE_LEN, Signals};

/// A presynaptic event that arrives.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    pub(super) arrival: Arrival,
    /// Traces before it, and when the event before it arrived (ms).
    pub(super) before: Vec<f64>,
    pub(super) since: f64,
    pub(super) at: f64,
    pub(super) source: u32,
    pub(super) signals: Signals,
}

impl Learning {
    /// Forgets what arrived in the last window.
    pub fn begin_window(&mut self) {
        self.arriving = 0;
        self.singles.clear();
    }

    /// An event of a presynaptic neuron arrives (ms); events come in order. Gives its number within the window.
    pub fn arrive(&mut self, source: u32, signals: Signals, at: f64, channels: &[Channel]) -> u32 {
        let traces = self.rule.traces();
        let len = traces.pre_len();
        let pre = &mut self.pre[source as usize * len..(source as usize + 1) * len];
        let since = std::mem::replace(&mut self.pre_last[source as usize], at);
        let place = if self.single.is_some() {
            0
        } else {
            self.arriving
        };
        if place == self.arrivals.len() {
            self.arrivals.push(Arriving::default());
        }
        let arriving = &mut self.arrivals[place];
        (
            arriving.since,
            arriving.at,
            arriving.source,
            arriving.signals,
        ) = (since, at, source, signals);
        arriving.before.clear();
        arriving.before.extend_from_slice(pre);
        if let PlasticRule::Lazy(rule) = &*self.rule {
            let now = Moment {
                shared: &self.shared,
                channels,
                at,
            };
            rule.arrive(&mut arriving.arrival, pre, at - since, signals, now);
        }
        if let Some(single) = &self.single {
            self.singles.push(single.arrival(&arriving.arrival));
        }
        traces.pre_event(pre, signals, at - since);
        self.arriving += 1;
        self.arriving as u32 - 1
    }

    /// An arrival acts at a synapse, which learns first; gives the weight.
    #[inline(always)]
    pub fn deliver(
        &mut self,
        (neuron, synapse, arrival): (u32, usize, u32),
        state: (&Modes, &[f64]),
        weight: &mut f64,
        channels: &[Channel],
    ) -> f64 {
        let Some(single) = &self.single else {
            return self.deliver_any((neuron, synapse, arrival), state, weight, channels);
        };
        let post = (neuron - self.base) as usize * single.post_len;
        let post = &self.post[post..post + single.post_len];
        let (kept, _) = self.synapses.as_chunks_mut::<SINGLE_LEN>();
        let arrival = &self.singles[arrival as usize];
        single.deliver(arrival, post, &mut kept[synapse], weight);
        *weight
    }

    /// The same for any rule.
    #[inline(never)]
    fn deliver_any(
        &mut self,
        place: (u32, usize, u32),
        (modes, y): (&Modes, &[f64]),
        weight: &mut f64,
        channels: &[Channel],
    ) -> f64 {
        let traces = self.rule.traces();
        if self.reads.is_empty() {
            return self.deliver_with(place, &[], weight, channels);
        }
        let mut voltages = [0.0; 16];
        let reads = read_voltages(traces, modes, y, &mut voltages);
        self.deliver_with(place, &voltages[..reads], weight, channels)
    }

    /// The same, with the voltages that the rule reads.
    #[inline(always)]
    fn deliver_with(
        &mut self,
        (neuron, synapse, arrival): (u32, usize, u32),
        voltages: &[f64],
        weight: &mut f64,
        channels: &[Channel],
    ) -> f64 {
        let traces = self.rule.traces();
        let at = (neuron - self.base) as usize * traces.post_len();
        let post = &self.post[at..at + traces.post_len()];
        let arriving = &self.arrivals[arrival as usize];
        let len = self.synapse_len;
        let state = &mut self.synapses[synapse * len..(synapse + 1) * len];
        match &*self.rule {
            PlasticRule::Lazy(rule) => {
                rule.deliver(&arriving.arrival, post, voltages, state, weight)
            }
            PlasticRule::General(rule) => {
                let now = Moment {
                    shared: &self.shared,
                    channels,
                    at: arriving.at,
                };
                let pre = Presynaptic {
                    traces: &arriving.before,
                    since: arriving.since,
                };
                rule.deliver(
                    (pre, post),
                    (state, weight),
                    arriving.signals,
                    voltages,
                    now,
                );
            }
        }
        *weight
    }
}
