//! `run.json`: what was run, where, how fast, how it ended and what it found.

use std::fs;
use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::error::RecordError;
use super::machine::Machine;
use super::measure_report::MeasureReport;
use super::nullable;
use super::spike_report::SpikeReport;
use super::writer::{TraceRecord, WeightRecord};

pub(super) const RUN_JSON: &str = "run.json";

/// A run in figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Version of Apical.
    pub apical: String,
    /// What was run.
    pub netlist: NetlistReport,
    /// Seed of all random streams.
    pub seed: u64,
    /// Threads used.
    pub threads: usize,
    /// Copies of the circuit that shared its weights.
    pub replicas: usize,
    /// When the run began: RFC 3339, UTC; see [`rfc3339_utc`](super::rfc3339_utc).
    pub started: String,
    /// How long it took (s).
    #[serde(with = "nullable::number")]
    pub wall_seconds: f64,
    /// Steps taken.
    pub steps: u64,
    /// Steps a second.
    #[serde(with = "nullable::number")]
    pub steps_per_second: f64,
    /// Most memory that the process ever held (MiB), where the system tells;
    /// see [`peak_memory_mib`](super::peak_memory_mib).
    pub peak_memory_mib: Option<f64>,
    /// The computer.
    pub machine: Machine,
    /// How it ended.
    pub stop: StopReason,
    /// Stages, in the order in which they ran.
    pub stages: Vec<StageReport>,
    /// Measures by name, in the order of the netlist.
    pub measures: IndexMap<String, MeasureReport>,
    /// What the netlist says about its measures.
    #[serde(default)]
    pub measure_notes: IndexMap<String, MeasureNote>,
    /// Recorded traces and their files.
    pub traces: Vec<TraceRecord>,
    /// Recorded weights and their files.
    pub weights: Vec<WeightRecord>,
    /// Spikes, of a circuit of spiking neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spikes: Option<SpikeReport>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The netlist of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetlistReport {
    /// Name of the circuit.
    pub name: String,
    /// The file it was read from.
    pub path: String,
}

/// What the netlist says about a measure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureNote {
    /// One line about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What one should see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// Steps taken in it.
    pub steps: u64,
    /// How long it took (s).
    #[serde(with = "nullable::number")]
    pub wall_seconds: f64,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum StopReason {
    /// All stages were run.
    Completed,
    /// The user stopped it.
    Interrupted {
        /// The stage it was in.
        stage: String,
        /// The last step.
        step: u64,
    },
    /// A value became infinite or undefined.
    NotFinite {
        /// The population.
        population: String,
        /// The compartment.
        compartment: String,
        /// The stage it was in.
        stage: String,
        /// The step.
        step: u64,
        /// The neuron, counted from 0 within its population.
        neuron: usize,
    },
}

/// Reads `run.json` of the run directory `directory`.
///
/// # Errors
///
/// [`RecordError::Io`] or [`RecordError::Json`], naming the file.
pub fn read_run_json(directory: impl AsRef<Path>) -> Result<RunReport, RecordError> {
    let path = directory.as_ref().join(RUN_JSON);
    let json = fs::read(&path).map_err(RecordError::io("read", &path))?;
    serde_json::from_slice(&json).map_err(|cause| RecordError::Json {
        action: "read",
        path,
        cause,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::RunDirectory;
    use super::*;

    fn report(stop: StopReason) -> RunReport {
        let number = |value| MeasureReport::Number {
            value,
            unit: None,
            expect: Some("> 0.9".to_owned()),
        };
        RunReport {
            apical: "0.1.0".to_owned(),
            netlist: NetlistReport {
                name: "impression".to_owned(),
                path: "netlists/impression.toml".to_owned(),
            },
            seed: u64::MAX,
            threads: 2,
            replicas: 100,
            started: "2026-07-30T09:05:00Z".to_owned(),
            wall_seconds: 1.5,
            steps: 3,
            steps_per_second: 2.0,
            peak_memory_mib: None,
            machine: Machine::here(),
            stop,
            stages: vec![StageReport {
                name: "train".to_owned(),
                steps: 3,
                wall_seconds: 1.25,
            }],
            measures: IndexMap::from([
                ("z".to_owned(), number(0.5)),
                ("a".to_owned(), number(2.0)),
            ]),
            measure_notes: IndexMap::new(),
            traces: vec![],
            weights: vec![],
            spikes: None,
            warnings: vec!["slow".to_owned()],
        }
    }

    #[test]
    fn report_comes_back_from_the_run_directory() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path(), false).unwrap();
        let stops = [
            StopReason::Completed,
            StopReason::Interrupted {
                stage: "train".to_owned(),
                step: 7,
            },
            StopReason::NotFinite {
                population: "latent".to_owned(),
                compartment: "soma".to_owned(),
                stage: "train".to_owned(),
                step: 7,
                neuron: 3,
            },
        ];
        for stop in stops {
            let written = report(stop);
            directory.write_run_json(&written).unwrap();
            let read = read_run_json(folder.path()).unwrap();
            assert_eq!(read, written);
            assert!(read.measures.keys().eq(["z", "a"]));
        }
        let json = fs::read_to_string(folder.path().join(RUN_JSON)).unwrap();
        assert!(json.contains("\"reason\": \"not-finite\""), "{json}");
        assert!(!json.contains("spikes"), "no neuron spikes here: {json}");
        RunDirectory::open(folder.path())
            .unwrap()
            .write_report("<html>")
            .unwrap();
    }

    #[test]
    fn damaged_report_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for json in ["", "{", "[]", "{\"apical\": 3}"] {
            fs::write(folder.path().join(RUN_JSON), json).unwrap();
            let error = read_run_json(folder.path()).unwrap_err();
            assert!(error.to_string().contains(RUN_JSON), "{error}");
        }
    }
}
