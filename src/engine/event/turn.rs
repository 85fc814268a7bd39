//! What neurons are given when they run through a window, and what they give.

use super::inbox::{Deliveries, Delivery};
use super::linear::{LinearError, Modes};
use super::plastic::Learning;
use super::regime::Crossing;
use super::synapses::{Synapses, Weights};
use super::time::to_ms;
use crate::compile::event::EventProjection;
use crate::plasticity::Channel;
pub use crate::plasticity::Signals;

/// A window for the neurons of a partition.
#[derive(Debug)]
pub struct Turn<'t> {
    /// Its end (ps); what happens at it belongs to the next one.
    pub end: i64,
    /// How far (ps) it is worth looking for what a neuron does by itself if nothing arrives.
    pub horizon: i64,
    /// What arrives.
    pub inbox: Deliveries<'t>,
    /// The port that each projection's synapses act on.
    pub ports: &'t [Port],
    /// What neurons emit.
    pub emitted: &'t mut Vec<Emitted>,
    /// Synapses that learn.
    pub plastic: Plastic<'t>,
}

/// Where the synapses of a projection act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// The port of the target neuron.
    pub number: u32,
    /// Whether the synapses learn, so that a delivery does not carry its weight.
    pub learns: bool,
}

impl Port {
    /// That of a projection.
    pub fn of(projection: &EventProjection) -> Port {
        Port {
            number: projection.port,
            learns: projection.rule.is_some(),
        }
    }
}

/// The synapses of a partition that learn, as a neuron that runs sees them.
#[derive(Debug)]
pub struct Plastic<'t> {
    /// For each projection, what it keeps if it learns.
    pub learnings: &'t mut [Option<Learning>],
    /// For each projection, its synapses.
    pub tables: &'t mut [Synapses],
    /// Modulators.
    pub channels: &'t [Channel],
    /// Projections onto the population that runs which learn at present.
    pub onto: &'t [u32],
    /// Number in the partition of the neuron that runs.
    pub neuron: u32,
}

impl Plastic<'_> {
    /// The neuron's state moves on from `from` to `to` (ps).
    pub fn advance(&mut self, state: (&Modes, &[f64]), from: i64, to: i64) {
        for number in self.onto {
            let number = *number as usize;
            if let Some(learning) = self.learnings[number]
                .as_mut()
                .filter(|l| l.follows_voltages())
            {
                let span = (to_ms(from), to_ms(to));
                learning.advance(
                    self.neuron,
                    state,
                    span,
                    &mut self.tables[number],
                    self.channels,
                );
            }
        }
    }

    /// The neuron emits signals; its state is that just before.
    pub fn post_event(&mut self, signals: Signals, state: (&Modes, &[f64]), time: i64) {
        for number in self.onto {
            let number = *number as usize;
            if let Some(learning) = &mut self.learnings[number] {
                let table = &mut self.tables[number];
                learning.post_event(self.neuron, signals, state, time, table, self.channels);
            }
        }
    }

    /// The weight with which a delivery acts, after its synapse has learned.
    #[inline(always)]
    pub fn weight(&mut self, delivery: &Delivery, state: (&Modes, &[f64])) -> f64 {
        let number = delivery.projection as usize;
        match &mut self.learnings[number] {
            None => f64::from_bits(delivery.value),
            Some(learning) => {
                let synapse = (delivery.value as u32) as usize;
                let arrival = (delivery.value >> 32) as u32;
                if learning.active {
                    let table = &mut self.tables[number];
                    learning.reach_before(self.neuron, arrival, table, self.channels);
                }
                let Weights::Each(weights) = &mut self.tables[number].weights else {
                    return f64::NAN;
                };
                if !learning.active {
                    return weights[synapse];
                }
                learning.deliver(
                    (self.neuron, synapse, arrival),
                    state,
                    &mut weights[synapse],
                    self.channels,
                )
            }
        }
    }
}

/// What is known of the next crossing of a neuron that nothing reaches meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// When it comes (ps); if there is none, the time before which none comes.
    pub until: i64,
    /// What it is, if there is one.
    pub crossing: Option<Crossing>,
    /// The time (ps) of the state from which this was found: it holds as long as that is the state.
    pub since: i64,
}

impl Outlook {
    /// Nothing is known.
    pub const NONE: Outlook = Outlook {
        until: i64::MIN,
        crossing: None,
        since: i64::MIN,
    };
}

impl Turn<'_> {
    /// A neuron emits something.
    pub fn emit(&mut self, emitted: Emitted) {
        self.emitted.push(emitted);
    }
}

/// Something that a neuron emits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Emitted {
    /// When (ps).
    pub time: i64,
    /// The neuron, among all of the circuit.
    pub neuron: u32,
    /// What.
    pub signals: Signals,
}

/// The highest bound of a rate of random spikes (1/ms): 10 MHz. Candidates would come nearly without end.
pub const MOST_RATE: f64 = 1e4;

/// Why a run of events cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EventError {
    /// Equations without a solution.
    #[error("the equations of a neuron cannot be solved: {0}")]
    Linear(LinearError),
    /// A random neuron whose rate has no bound, or one above [`MOST_RATE`].
    #[error("the rate at which neuron {neuron} spikes has no bound below 10 MHz")]
    Unbounded {
        /// The neuron, among all of the circuit.
        neuron: u32,
    },
    /// A neuron that spikes without end, all at one time or nearly so.
    #[error("neuron {neuron} spikes again and again at {} ms: its reset leaves it above its threshold", super::time::to_ms(*time))]
    Endless {
        /// The neuron, among all of the circuit.
        neuron: u32,
        /// When (ps).
        time: i64,
    },
}
