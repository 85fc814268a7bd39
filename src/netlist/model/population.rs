//! Populations and their compartments.

use indexmap::IndexMap;

use super::{Distribution, Expression, Learn, Name};
use crate::source::{Span, Spanned};
use crate::units::Quantity;

/// A population of neurons.
#[derive(Debug, Clone)]
pub struct Population {
    /// Its name.
    pub name: Name,
    /// The neuron model.
    pub neuron: Name,
    /// Number of neurons.
    pub size: Spanned<u64>,
    /// Channels, then the lengths of their maps, one or two; their product is the size.
    pub shape: Option<Vec<u64>>,
    /// Parameters that differ from the model's defaults.
    pub parameters: IndexMap<String, (Span, Distribution)>,
    /// What is said of its compartments.
    pub compartments: IndexMap<String, CompartmentTable>,
    /// Where its neurons lie.
    pub positions: Option<Spanned<Positions>>,
    /// When its neurons spike, if their model leaves it to the population.
    pub times: Option<Spanned<Times>>,
    /// The times start anew after each of these (ms).
    pub repeat: Option<Spanned<Quantity>>,
    /// The input that the rate of its neurons reads, if they are sources of spikes.
    pub input: Option<Name>,
}

/// Where neurons lie.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// Evenly on a circle of circumference 1.
    Ring,
    /// Evenly in the unit square.
    Grid,
    /// At random in the unit square.
    Random,
    /// A CSV or Parquet file with columns `x` and `y`.
    File(String),
    /// x and y of each.
    Listed(Vec<[f64; 2]>),
}

/// Times of spikes.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// A CSV file with columns `neuron` and `time` (ms).
    File(String),
    /// A list (ms) for each neuron.
    Listed(Vec<Vec<f64>>),
}

/// What a population says of one compartment.
#[derive(Debug, Clone)]
pub struct CompartmentTable {
    /// The compartment's name, as written.
    pub name: Name,
    /// Inputs added to its drive.
    pub inputs: Vec<Name>,
    /// Another activation than the model's.
    pub activation: Option<Expression>,
    /// A bias added to its drive.
    pub bias: Option<Bias>,
    /// Value before the first step.
    pub start: Option<Distribution>,
}

/// A bias per neuron, which may learn.
#[derive(Debug, Clone)]
pub struct Bias {
    /// Value before the first step.
    pub start: Distribution,
    /// How it learns: a rule in which `pre` is 1 and `w` the bias.
    pub learn: Option<Learn>,
}
