//! Stages.

use indexmap::IndexMap;

use super::{Duration, Name, Schedule};
use crate::source::{Span, Spanned};

/// A span of simulated time with its own settings.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// How long it is, or what it is made of.
    pub length: StageLength,
    /// How often it is run in a row.
    pub repeat: Spanned<u64>,
    /// Which projections and biases learn.
    pub learn: LearnSwitch,
    /// Modulators that follow another schedule in this stage.
    pub set: IndexMap<String, Spanned<Schedule>>,
    /// Which split an input gives in this stage.
    pub inputs: IndexMap<String, StageInput>,
    /// The independent trials that it is a row of, if it is one.
    pub trial: Option<Trial>,
    /// Seed of all random streams while it runs, if it has one of its own.
    pub seed: Option<Spanned<u64>>,
    /// Where it was written.
    pub span: Span,
}

/// What an input gives in a stage.
#[derive(Debug, Clone)]
pub struct StageInput {
    /// Which of its splits.
    pub split: Name,
    /// Probability of saccades between its images; the input's own if `None`.
    pub saccade: Option<Spanned<f64>>,
}

/// The trials of a stage.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Steps of each.
    pub steps: Spanned<u64>,
    /// Whether inputs give the same values in every trial as in the first.
    pub replay: bool,
    /// Computed modulators that go on from trial to trial, their filters with them.
    pub keep: Vec<Name>,
}

/// How long a stage is.
#[derive(Debug, Clone)]
pub enum StageLength {
    /// A time or a number of steps.
    For(Spanned<Duration>),
    /// Whole passes over a data set (the one named, or the only one).
    Epochs {
        /// How many.
        count: Spanned<u64>,
        /// Over which input.
        over: Option<Name>,
    },
    /// Stages in a row, `[[stage.part]]`.
    Parts(Vec<Stage>),
}

/// Which projections and biases learn in a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnSwitch {
    /// As the enclosing stage; all at the top.
    Inherit,
    /// All.
    All,
    /// None.
    None,
    /// These projections (or `population.compartment` for a bias).
    Only(Vec<Name>),
}
