//! What names mean where an expression stands: in an equation, a rule, a modulator or a measure.

use super::ast::Ast;
use super::graph::Shape;
use crate::units::{Dimension, Quantity};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// A number known when the circuit is built: a parameter.
    Constant(Quantity),
    /// A value that changes while the circuit runs.
    Variable {
        /// The scope's number for it.
        symbol: u32,
        /// Over what it varies.
        shape: Shape,
        /// Its dimension.
        dimension: Dimension,
    },
}

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Every spike.
    Spikes,
    /// Isolated spikes, and the first one of each burst.
    Events,
    /// Bursts.
    Bursts,
}

/// Why a name is not available.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// One sentence.
    pub message: String,
    /// Short note under the name.
    pub note: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// The place an expression stands in: what its names mean.
pub trait Scope {
    /// What a dotted name means here.
    ///
    /// # Errors
    /// Why it means nothing here.
    fn name(&mut self, path: &[String]) -> Result<Meaning, Refusal>;

    /// 1 in the steps in which the modulator of that name took another value, else 0.
    ///
    /// # Errors
    /// Why there is no such modulator.
    fn changed(&mut self, path: &[String]) -> Result<Meaning, Refusal>;

    /// What `rate(population)`, `event_rate(population)` and `burst_rate(population)` mean here: how often its neurons do
    /// that, in an exponential window with a time constant (in the unit of the step) or the usual one.
    ///
    /// # Errors
    /// Why it means nothing here.
    fn rate(
        &mut self,
        _path: &[String],
        _counted: Counted,
        _window: Option<f64>,
    ) -> Result<Meaning, Refusal> {
        Err(Refusal {
            message: "`rate` is the firing rate of a population of spiking neurons".to_owned(),
            note: "not here".to_owned(),
            help: Some("it can be read in modulators of circuits of spiking neurons".to_owned()),
        })
    }

    /// What `plateau(compartment)` means here: whether a plateau lasts in it.
    ///
    /// # Errors
    /// Why it means nothing here.
    fn plateau(&mut self, _path: &[String]) -> Result<Meaning, Refusal> {
        Err(Refusal {
            message: "`plateau` is about a compartment of a spiking neuron".to_owned(),
            note: "not here".to_owned(),
            help: Some("it can be read in `spike` and `burst` of a neuron model".to_owned()),
        })
    }

    /// The activation that `f` means here: its tree, an expression in `x`.
    fn activation(&self) -> Option<Ast>;

    /// Whether `sum` and `mean` over a population may be used, and if not, why not.
    ///
    /// # Errors
    /// The refusal.
    fn reductions(&self) -> Result<(), Refusal>;

    /// The length of a step.
    fn step(&self) -> Quantity;

    /// Whether time is continuous here: filters follow differential equations, and there are no earlier steps.
    fn continuous(&self) -> bool {
        false
    }

    /// What `psp(train)` means here: the potential that a train of spikes makes through a synapse of weight 1.
    ///
    /// # Errors
    /// Why it means nothing here.
    fn psp(&mut self, _train: &[String]) -> Result<Meaning, Refusal> {
        Err(Refusal {
            message: "`psp` is the response of a spiking neuron to a presynaptic spike".to_owned(),
            note: "not here".to_owned(),
            help: Some("it can be read in rules of spiking circuits: psp(pre.spike)".to_owned()),
        })
    }
}
