//! Postsynaptic events on their way back to the synapses that learn: the dendritic delay.
//!
//! A rule sees things at its synapse: a presynaptic event the axonal delay a after its spike, a postsynaptic one the
//! dendritic delay d after. Arrivals are told to rules when they take effect, which is another d later. So all that a rule
//! sees is put off by d: what the neuron itself emits waits for 2·d.

use std::collections::VecDeque;

use super::time::{after, to_ms};
use super::turn::Signals;

/// What waits for one projection on a partition.
#[derive(Debug, Clone)]
pub struct Dendrite {
    /// How long an event waits (ps): twice the dendritic delay.
    wait: i64,
    /// For each postsynaptic neuron here: when an event is to be told (ms), and what it is.
    waiting: Vec<VecDeque<(f64, Signals)>>,
    /// Nothing is to be told before this (ms).
    earliest: f64,
}

impl Dendrite {
    /// A dendritic delay (ps) of so many neurons; none if it is 0.
    pub fn new(delay: i64, neurons: usize) -> Option<Self> {
        (delay > 0).then(|| Dendrite {
            wait: delay.saturating_mul(2),
            waiting: vec![VecDeque::new(); neurons],
            earliest: f64::INFINITY,
        })
    }

    /// Forgets all that waits.
    pub fn clear(&mut self) {
        self.waiting.iter_mut().for_each(VecDeque::clear);
        self.earliest = f64::INFINITY;
    }

    /// A neuron emits something at a time (ps).
    pub fn send(&mut self, neuron: usize, signals: Signals, time: i64) {
        let due = to_ms(after(time, self.wait));
        self.waiting[neuron].push_back((due, signals));
        self.earliest = self.earliest.min(due);
    }

    /// Takes the next event of a neuron that is to be told before a time (ms).
    pub fn next(&mut self, neuron: usize, at: f64) -> Option<(f64, Signals)> {
        let waiting = &mut self.waiting[neuron];
        let is_due = waiting.front().is_some_and(|(due, _)| *due < at);
        if is_due { waiting.pop_front() } else { None }
    }

    /// What a neuron waits for up to a time (ms).
    pub fn until(&self, neuron: usize, at: f64) -> impl Iterator<Item = (f64, Signals)> + '_ {
        let events = self.waiting[neuron].iter().copied();
        events.take_while(move |(due, _)| *due <= at)
    }

    /// Neurons for which something is due before a time (ms). All of that has to be taken then.
    pub fn due(&mut self, at: f64) -> Vec<usize> {
        if self.earliest >= at {
            return vec![];
        }
        let left = self
            .waiting
            .iter()
            .flat_map(|queue| queue.iter().map(|(due, _)| *due));
        self.earliest = left.filter(|due| *due >= at).fold(f64::INFINITY, f64::min);
        let all = self.waiting.iter().enumerate();
        let due = all.filter(|(_, queue)| queue.front().is_some_and(|(due, _)| *due < at));
        due.map(|(neuron, _)| neuron).collect()
    }
}
