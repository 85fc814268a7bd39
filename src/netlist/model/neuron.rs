//! Neuron models.

use indexmap::IndexMap;

use super::{Distribution, Expression, Interval, Name};
use crate::source::Spanned;
use crate::units::Quantity;

/// A continuous neuron model.
#[derive(Debug, Clone)]
pub struct NeuronModel {
    /// Its name and where it was defined.
    pub name: Name,
    /// Paper and equations, if stated.
    pub source: Option<String>,
    /// Parameters with their defaults, which also fix their dimensions.
    pub parameters: IndexMap<String, Spanned<Quantity>>,
    /// Compartments, in order.
    pub compartments: IndexMap<String, CompartmentModel>,
}

/// One compartment of a neuron model.
#[derive(Debug, Clone)]
pub struct CompartmentModel {
    /// Its name.
    pub name: Name,
    /// Its equation.
    pub dynamics: Dynamics,
    /// The activation that expressions call `f`: a function's name or an expression in `x`.
    pub activation: Option<Expression>,
    /// Hard bounds of the value.
    pub within: Option<Interval>,
    /// Value before the first step; 0 if not given.
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
