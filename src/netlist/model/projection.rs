//! Projections: how they connect, what they learn.

use indexmap::IndexMap;

use super::{Distribution, Duration, Interval, Name};
use crate::source::Spanned;
use crate::units::Quantity;

/// A bundle of synapses.
#[derive(Debug, Clone)]
pub struct Projection {
    /// Its name.
    pub name: Name,
    /// Population, or `population.compartment`, that it reads; the soma if no compartment is named.
    pub from: Name,
    /// `population.compartment` that it drives.
    pub to: Name,
    /// Which neurons are connected.
    pub connect: Spanned<Connect>,
    /// Initial weights.
    pub weight: Distribution,
    /// Steps between a value and its effect; 0 if not given.
    pub delay: Spanned<Duration>,
    /// Hard bounds of the weights.
    pub within: Option<Interval>,
    /// How it learns.
    pub learn: Option<Learn>,
}

/// Connection patterns.
#[derive(Debug, Clone, PartialEq)]
pub enum Connect {
    /// Every neuron to every neuron.
    AllToAll,
    /// Neuron i to neuron i.
    OneToOne,
    /// Each pair with this probability.
    Probability(f64),
    /// Each target gets this many different sources.
    InDegree(u64),
    /// Each source gets this many different targets.
    OutDegree(u64),
    /// Edges from a CSV file with columns `pre`, `post` and, if it likes, `weight`.
    Edges(String),
}

/// A rule put to work.
#[derive(Debug, Clone)]
pub struct Learn {
    /// The rule.
    pub rule: Name,
    /// Its parameters.
    pub parameters: IndexMap<String, Spanned<Quantity>>,
}
