//! A neuron model with numbers for its parameters: what the engine runs.

use super::linear::System;
use crate::lang::scalar::ScalarCode;

/// row·x + constant, of a neuron's variables x.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Affine {
    /// Factors of variables.
    pub row: Vec<(usize, f64)>,
    /// What is added.
    pub constant: f64,
}

impl Affine {
    /// Its value.
    pub fn of(&self, x: &[f64]) -> f64 {
        self.row
            .iter()
            .map(|(variable, factor)| factor * x[*variable])
            .sum::<f64>()
            + self.constant
    }
}

/// A neuron model with all its numbers, for one set of parameters and one value of the modulators that its
/// equations read.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Free dynamics of the variables: compartments first, then states of receptors.
    pub system: System,
    /// Variables that are held while the neuron is refractory.
    pub held: Vec<usize>,
    /// What makes it spike.
    pub trigger: Trigger,
    /// How long it is refractory (ps).
    pub refractory: i64,
    /// What variables are set to at a spike.
    pub reset: Vec<(usize, Affine)>,
    /// What is added to variables at a spike, after the reset.
    pub add: Vec<(usize, Affine)>,
    /// Dendritic plateaus.
    pub plateaus: Vec<Plateau>,
    /// Bursts.
    pub burst: Option<Burst>,
    /// For each port (a receptor on a compartment): what a unit weight adds to variables.
    pub ports: Vec<Vec<(usize, f64)>>,
}

/// What makes a neuron spike.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// It spikes when this reaches 0 from below.
    Threshold(Affine),
    /// It spikes at random, at a rate (1/ms) that is an expression of its variables.
    Escape(ScalarCode),
    /// It spikes at this rate (1/ms), which depends on time.
    Rate(ScalarCode),
    /// It spikes every `interval` from `first` on (ps).
    Every {
        /// Time between spikes (ps).
        interval: i64,
        /// The first one (ps).
        first: i64,
    },
    /// It spikes at given times.
    Given,
}

/// A dendritic plateau: when `when` reaches 0, `slope` is added to a variable's derivative for a while.
#[derive(Debug, Clone)]
pub struct Plateau {
    /// Starts when this reaches 0 from below.
    pub when: Affine,
    /// The variable.
    pub variable: usize,
    /// What is added to its derivative (unit/ms).
    pub slope: f64,
    /// How long (ps).
    pub duration: i64,
}

/// How a neuron bursts.
#[derive(Debug, Clone)]
pub enum Burst {
    /// A spike at which this is at least 0 is followed by others.
    Added {
        /// The condition; of plateaus, the variable after the last one is 1 while plateau k goes on.
        when: BurstCondition,
        /// Spikes in a burst.
        spikes: u32,
        /// Time between them (ps).
        interval: i64,
    },
    /// Spikes closer than this (ps) make a burst.
    Within(i64),
}

/// What makes a spike the first of a burst.
#[derive(Debug, Clone)]
pub enum BurstCondition {
    /// This is at least 0.
    Above(Affine),
    /// A plateau goes on.
    Plateau(usize),
}
