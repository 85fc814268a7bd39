//! The spiking parts of a circuit: what its populations and projections have beyond those of a rate circuit.
//!
//! Values stay expressions in text; the compiler reads them. Variables are meant by their index among the
//! population's compartments.

use super::{InputId, Output};
use crate::netlist::model::{self, Expression, ReceptorKind, SpikeTrigger};
use crate::source::Span;

/// What kind of engine a circuit needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitKind {
    /// Values that are computed once a step.
    Rate,
    /// Spiking neurons: all its populations have [`Spiking`].
    Event,
}

/// How the neurons of a population spike.
#[derive(Debug, Clone)]
pub struct Spiking {
    /// What makes a neuron spike.
    pub trigger: SpikeTrigger,
    /// Variables that a spike sets, and their values; no variable twice.
    pub reset: Vec<(u32, Expression)>,
    /// Variables that a spike adds to, after the reset.
    pub add: Vec<(u32, Expression)>,
    /// Variables held during refractoriness: those of `reset` and `hold`, in the order of the compartments.
    pub held: Vec<u32>,
    /// Length of refractoriness (ms); 0 if there is none.
    pub refractory: Option<Expression>,
    /// What a burst is, if the neurons have bursts.
    pub burst: Option<model::BurstModel>,
    /// Plateau potentials, at most one a compartment.
    pub plateaus: Vec<Plateau>,
    /// Receptors.
    pub receptors: Vec<Receptor>,
    /// Times of spikes, if the trigger is [`SpikeTrigger::Given`].
    pub times: Option<SpikeTimes>,
    /// What the rate of a source reads as `input`.
    pub input: Option<SourceInput>,
    /// Where the model's `spike` was written.
    pub span: Span,
}

/// A plateau potential.
#[derive(Debug, Clone)]
pub struct Plateau {
    /// The compartment.
    pub compartment: u32,
    /// It begins as this becomes true.
    pub when: Expression,
    /// The current (pA).
    pub current: Expression,
    /// How long it lasts (ms).
    pub duration: Expression,
}

/// A receptor, and the compartments that have it.
#[derive(Debug, Clone)]
pub struct Receptor {
    /// Its name.
    pub name: String,
    /// The compartments, in the order of the model.
    pub on: Vec<u32>,
    /// What a spike that arrives does.
    pub kind: ReceptorKind,
}

/// The input that a population of sources names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceInput {
    /// The output of an input, with a number for each neuron; none if the name is wrong, which has been told.
    pub of: Option<(InputId, Output)>,
    /// Where it was written.
    pub span: Span,
}

/// Times of spikes that a netlist gives.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeTimes {
    /// For each neuron its times (ms), from 0, sorted, finite.
    pub of: Vec<Vec<f64>>,
    /// The times start anew after each of these (ms); all times are below it.
    pub repeat_ms: Option<f64>,
}

/// What a projection between spiking neurons has beyond one between rates.
#[derive(Debug, Clone)]
pub struct SpikingEnds {
    /// Which events it carries.
    pub signal: model::Signal,
    /// The receptor of its synapses, among those of the target's [`Spiking::receptors`]; it is on the compartment
    /// that the projection names.
    pub receptor: usize,
    /// Delay of each synapse (ms), from the spike to its effect; always above 0.
    pub delay: model::Distribution,
    /// The part of the delay behind the synapse (ms), at most the shortest delay.
    pub dendritic_delay_ms: f64,
    /// Short-term plasticity.
    pub short_term: Option<model::ShortTerm>,
}
