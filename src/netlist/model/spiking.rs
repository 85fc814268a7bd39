//! What makes a neuron model spike: membranes, receptors, spikes, bursts and plateaus.
//!
//! Every value is an expression over the model's parameters and the netlist's constants, still text.

use indexmap::IndexMap;

use super::{Expression, Name};
use crate::source::{Span, Spanned};

/// A passive membrane, C dV/dt = g (E − V) + coupling + current + drive.
#[derive(Debug, Clone)]
pub struct Membrane {
    /// Capacitance C (pF).
    pub capacitance: Expression,
    /// Leak conductance g (nS).
    pub leak: Expression,
    /// Resting potential E (mV); the voltage before the first step, unless `start` says otherwise.
    pub rest: Expression,
    /// A further current (pA).
    pub current: Option<Expression>,
    /// The compartment that it is coupled to; the coupling is part of both equations.
    pub couples: Option<Coupling>,
}

/// A conductance between two compartments.
#[derive(Debug, Clone)]
pub struct Coupling {
    /// The other compartment.
    pub to: Name,
    /// Conductance (nS).
    pub by: Expression,
}

/// When a neuron spikes, and what a spike does to it.
#[derive(Debug, Clone)]
pub struct SpikeModel {
    /// What makes it spike.
    pub trigger: SpikeTrigger,
    /// What variables are set to at a spike.
    pub reset: IndexMap<String, Expression>,
    /// What is added to variables at a spike, after the reset.
    pub add: IndexMap<String, Expression>,
    /// Variables that are held during refractoriness, besides those of `reset`.
    pub hold: Vec<Name>,
    /// How long it cannot spike again (ms).
    pub refractory: Option<Expression>,
    /// Where it was written.
    pub span: Span,
}

/// What makes a neuron spike.
#[derive(Debug, Clone)]
pub enum SpikeTrigger {
    /// `when = "soma > V_th"`: as this becomes true.
    When(Expression),
    /// `rate = "…"`: at random, with this hazard (1/ms).
    Rate(Expression),
    /// `every = "interval"`: regularly.
    Every {
        /// Time between spikes (ms).
        interval: Expression,
        /// Time of the first spike (ms); one interval after the start if not given.
        from: Option<Expression>,
    },
    /// `times = "given"`: at times that the population lists.
    Given,
}

impl SpikeTrigger {
    /// Whether it needs no compartment: the model may then be a bare source of spikes.
    pub fn is_autonomous(&self) -> bool {
        !matches!(self, SpikeTrigger::When(_))
    }
}

/// What a burst is.
#[derive(Debug, Clone)]
pub struct BurstModel {
    /// How bursts come about.
    pub kind: BurstKind,
    /// Where it was written.
    pub span: Span,
}

/// How bursts come about.
#[derive(Debug, Clone)]
pub enum BurstKind {
    /// A spike at which the condition holds is the first of a burst.
    When {
        /// The condition, looked at as the spike happens.
        condition: Expression,
        /// Spikes of a burst, the first included.
        spikes: Spanned<u64>,
        /// Time between them (ms).
        interval: Expression,
    },
    /// Spikes that follow each other within this time (ms) make a burst: its event is the first spike, and
    /// that it is a burst is told at the second.
    Within(Expression),
}

/// A plateau potential: a current for a while, in one compartment.
#[derive(Debug, Clone)]
pub struct PlateauModel {
    /// The compartment.
    pub compartment: Name,
    /// It begins as this becomes true.
    pub when: Expression,
    /// The current (pA).
    pub current: Expression,
    /// How long it lasts (ms).
    pub duration: Expression,
}

/// A kind of synapse on some compartments.
#[derive(Debug, Clone)]
pub struct ReceptorModel {
    /// Its name.
    pub name: Name,
    /// The compartments it is on.
    pub on: Vec<Name>,
    /// What a spike does.
    pub current: ReceptorKind,
}

/// What a spike that arrives at a receptor does.
#[derive(Debug, Clone)]
pub enum ReceptorKind {
    /// The compartment's voltage jumps by the weight (mV).
    Delta,
    /// A current that jumps to the weight (pA) and decays.
    Exponential {
        /// Time constant (ms).
        tau: Expression,
    },
    /// A current (t/τ) exp(1 − t/τ) whose peak is the weight (pA).
    Alpha {
        /// Time constant (ms).
        tau: Expression,
    },
    /// A difference of two exponentials whose peak is the weight (pA).
    DoubleExponential {
        /// The shorter time constant (ms).
        rise: Expression,
        /// The longer time constant (ms).
        decay: Expression,
    },
}
