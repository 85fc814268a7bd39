//! Everything of a running simulation that changes, as plain data.

use super::optimise::Moments;
use super::updates::Update;
use crate::compile::program::Probe;
use crate::compile::{Program, Weights};
use crate::lang::vm::padded;
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

impl State {
    /// A probe's number, if it is one.
    pub fn scalar(&self, probe: Probe) -> Option<f64> {
        match probe {
            Probe::Scalar(id) => self.scalars.get(id.0 as usize).copied(),
            Probe::Vector(..) => None,
        }
    }

    /// A probe's vector in the first replica; a number is a vector of one.
    pub fn vector(&self, probe: Probe) -> &[f64] {
        self.replica(probe, 0)
    }

    /// A probe's vector in a replica; a number is the same in all.
    pub fn replica(&self, probe: Probe, replica: usize) -> &[f64] {
        match probe {
            Probe::Scalar(id) => std::slice::from_ref(&self.scalars[id.0 as usize]),
            Probe::Vector(id, size) => {
                let from = replica * padded(size);
                &self.vectors[id.0 as usize][from..from + size]
            }
        }
    }

    /// A probe's vector in all replicas, each in a row of padded length.
    pub fn replicas(&self, probe: Probe) -> &[f64] {
        match probe {
            Probe::Scalar(_) => self.vector(probe),
            Probe::Vector(id, _) => &self.vectors[id.0 as usize],
        }
    }
}
