//! Neuron models.

use indexmap::IndexMap;

use super::{
    BurstModel, Distribution, Expression, Interval, Membrane, Name, PlateauModel, ReceptorModel,
    SpikeModel,
};
use crate::source::Spanned;
use crate::units::Quantity;

/// A neuron model: continuous, or spiking if it has a `spike` table.
#[derive(Debug, Clone)]
pub struct NeuronModel {
    /// Its name and where it was defined.
    pub name: Name,
    /// Paper and equations, if stated.
    pub source: Option<String>,
    /// Parameters with their defaults, which also fix their dimensions.
    pub parameters: IndexMap<String, Spanned<Quantity>>,
    /// Compartments and other variables, in order; a source of spikes has none.
    pub compartments: IndexMap<String, CompartmentModel>,
    /// When it spikes; none for a continuous model.
    pub spike: Option<SpikeModel>,
    /// What a burst is, if it has bursts.
    pub burst: Option<BurstModel>,
    /// Plateau potentials, by compartment.
    pub plateaus: IndexMap<String, PlateauModel>,
    /// Receptors, in order.
    pub receptors: IndexMap<String, ReceptorModel>,
}

/// One compartment of a neuron model.
#[derive(Debug, Clone)]
pub struct CompartmentModel {
    /// Its name.
    pub name: Name,
    /// Its equation; that of a membrane is made of its values, and its span is that of all of them.
    pub dynamics: Dynamics,
    /// The membrane that it is, if it was given as one: then its unit is mV, that of its drive pA.
    pub membrane: Option<Membrane>,
    /// The activation that expressions call `f`: a function's name or an expression in `x`.
    pub activation: Option<Expression>,
    /// Hard bounds of the value.
    pub within: Option<Interval>,
    /// Value before the first step; 0 if not given, a membrane's resting potential.
    pub start: Option<Distribution>,
}

/// How a compartment's value comes about.
#[derive(Debug, Clone)]
pub enum Dynamics {
    /// `value = "…"`: an assignment at every step.
    Value(Expression),
    /// `derivative = "…"`: a (stochastic) differential equation.
    Derivative(Expression),
}
