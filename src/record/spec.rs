//! What a recorder is to record, declared before the run.

use serde::{Deserialize, Serialize};

use super::spike_block::SpikePopulation;

/// A table of values over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TraceSpec {
    /// Its name: also of its file, as far as file names allow.
    pub name: String,
    /// One name a recorded value. Names that appear twice, or are `stage`, `step` (`time_ps` if it is timed) or
    /// `time_ms`, get a number.
    pub columns: Vec<String>,
    /// Whether its rows are samples at times of their own, and not steps: the file then has the columns `time_ps` (exact)
    /// and `time_ms`, and rows are pushed with [`TraceBlock::push_at`](super::TraceBlock::push_at).
    pub timed: bool,
    /// What it is a trace of, where the report should know.
    pub of: Option<TraceOf>,
}

/// What a trace is a trace of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TraceOf {
    /// Membrane potentials (mV) of one compartment. The columns are called by the numbers of the neurons.
    Membrane {
        /// The population.
        population: String,
        /// The compartment.
        compartment: String,
    },
    /// Modulators, each constant from a sample to the next. The columns are called by the modulators.
    Modulators,
}

/// A weight matrix over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WeightSpec {
    /// Its name: also of its files, as far as file names allow.
    pub name: String,
    /// Presynaptic neurons.
    pub rows: usize,
    /// Postsynaptic neurons.
    pub columns: usize,
    /// Whether samples are taken at times (ps) and not at steps: beside the matrices then stands
    /// `<name>.times_ps.npy` instead of `<name>.steps.npy`.
    pub timed: bool,
}

/// Spikes of some or all populations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpikeSpec {
    /// The populations; spikes name them by index, of which there are at most 65 536.
    pub populations: Vec<SpikePopulation>,
}

/// All that will be recorded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecorderSpec {
    /// Traces; blocks name them by index.
    pub traces: Vec<TraceSpec>,
    /// Weights; samples name them by index.
    pub weights: Vec<WeightSpec>,
    /// Spikes, if there are any to record.
    pub spikes: Option<SpikeSpec>,
    /// Names of the stages; rows and samples name them by index.
    pub stages: Vec<String>,
    /// Length of a step (ms), where steps have one: traces then have a column `time_ms`, step × length.
    pub step_ms: Option<f64>,
}
