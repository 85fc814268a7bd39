//! What neurons are given when they run through a window, and what they give.

use std::ops::{BitAnd, BitOr};

use super::inbox::{Delivery, Inbox};
use super::linear::LinearError;

/// A window for the neurons of a partition.
#[derive(Debug)]
pub struct Turn<'t> {
    /// Its end (ps); what happens at it belongs to the next one.
    pub end: i64,
    /// What arrives.
    pub inbox: &'t Inbox,
    /// The port that each projection's synapses act on.
    pub ports: &'t [u32],
    /// What neurons emit.
    pub emitted: &'t mut Vec<Emitted>,
}

impl Turn<'_> {
    /// The weight with which a delivery acts.
    #[inline(always)]
    pub fn weight(&self, delivery: &Delivery) -> f64 {
        f64::from_bits(delivery.value)
    }

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

/// A set of signals.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Signals(pub u8);

impl Signals {
    /// A spike.
    pub const SPIKE: Signals = Signals(1);
    /// An isolated spike, or the first one of a burst.
    pub const EVENT: Signals = Signals(2);
    /// A burst, told at the spike that shows it.
    pub const BURST: Signals = Signals(4);
    /// A further spike of a burst.
    pub const IN_BURST: Signals = Signals(8);
    /// A plateau begins; no spike.
    pub const PLATEAU: Signals = Signals(16);

    /// Whether it has one of these.
    #[inline(always)]
    pub fn any(self, of: Signals) -> bool {
        (self & of).0 != 0
    }
}

impl BitOr for Signals {
    type Output = Signals;

    fn bitor(self, other: Signals) -> Signals {
        Signals(self.0 | other.0)
    }
}

impl BitAnd for Signals {
    type Output = Signals;

    fn bitand(self, other: Signals) -> Signals {
        Signals(self.0 & other.0)
    }
}

/// Why a run of events cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EventError {
    /// Equations without a solution.
    #[error("the equations of a neuron cannot be solved: {0}")]
    Linear(LinearError),
    /// A neuron that spikes without end at one time.
    #[error("neuron {neuron} spikes again and again at {} ms: its reset leaves it above its threshold", super::time::to_ms(*time))]
    Endless {
        /// The neuron, among all of the circuit.
        neuron: u32,
        /// When (ps).
        time: i64,
    },
}
