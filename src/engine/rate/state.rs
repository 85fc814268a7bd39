//! Everything of a running simulation that changes, as plain data.

use super::optimise::Moments;
use super::updates::Update;
use crate::compile::{Program, Weights};
use crate::vector::Vector;

/// The state of a simulation between two steps, but for its sources.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// Steps done.
    pub step: u64,
    /// Stages entered.
    pub entered: u64,
    /// The table of scalars: modulators first.
    pub scalars: Vec<f64>,
    /// The table of vectors: values, drives, biases, rings, filters.
    pub vectors: Vec<Vector>,
    /// Weights of each projection.
    pub weights: Vec<Weights>,
    /// Per-synapse filters of each rule: state after state, replica after replica, laid out as the weights.
    pub synapses: Vec<Vec<Vector>>,
    /// Which rules have learned before, so that their per-synapse filters hold something.
    pub learned: Vec<bool>,
    /// Which filters have taken their first value.
    pub started: Vec<bool>,
    /// Whether the next step has none before it: the first of a run, and of each trial.
    pub fresh: bool,
    /// Steps done of the trial under way.
    pub in_trial: u64,
    /// What measured rules would have changed.
    pub updates: Vec<Update>,
    /// What optimisers keep, rule by rule.
    pub moments: Vec<Option<Moments>>,
}

impl State {
    /// The state before the first step.
    pub fn new(program: &Program) -> State {
        let weights = program.initial_weights();
        State {
            step: 0,
            entered: 0,
            scalars: program.layout.scalars.clone(),
            vectors: program.layout.vectors.clone(),
            synapses: program
                .all_rules()
                .map(|rule| super::learn::synapse_states(program, rule, &weights))
                .collect(),
            learned: vec![false; program.all_rules().count()],
            started: vec![false; program.filters()],
            fresh: true,
            in_trial: 0,
            moments: program
                .all_rules()
                .map(|rule| Moments::new(program, rule, &weights))
                .collect(),
            updates: program
                .measured
                .iter()
                .map(|rule| Update::new(program, rule, &weights))
                .collect(),
            weights,
        }
    }

    /// Sets a modulator, and whether it has changed.
    #[inline]
    pub(super) fn set_modulator(&mut self, program: &Program, at: usize, value: f64) {
        let modulators = program.circuit.modulators.len();
        let changed = value.to_bits() != self.scalars[at].to_bits();
        self.scalars[modulators + at] = f64::from(u8::from(changed));
        self.scalars[at] = value;
    }
}
