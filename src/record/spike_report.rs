//! The spikes of a run in figures, as `run.json` has them.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::nullable;

/// The spikes of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SpikeReport {
    /// The file with all of them, relative to the run directory; none if they were only counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The populations whose spikes are in the file, at least in some stage; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded: Vec<String>,
    /// The time that was simulated (ms).
    #[serde(with = "nullable::number")]
    pub duration_ms: f64,
    /// What each population did, by its name.
    pub populations: IndexMap<String, PopulationSpikes>,
}

/// What a population did. Numbers that are not defined (the rate of no neurons) are not a number, and `null` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PopulationSpikes {
    /// Its neurons.
    pub neurons: u64,
    /// Spikes of all of them, those within bursts included.
    pub spikes: u64,
    /// Bursts.
    pub bursts: u64,
    /// Dendritic plateaus.
    pub plateaus: u64,
    /// Spikes a neuron and second (Hz).
    #[serde(with = "nullable::number")]
    pub mean_rate_hz: f64,
    /// The share of neurons without a spike.
    #[serde(with = "nullable::number")]
    pub silent_share: f64,
    /// The coefficient of variation of a neuron's inter-spike intervals (standard deviation, with divisor n, over mean),
    /// averaged over the neurons with at least 3 spikes.
    #[serde(with = "nullable::number")]
    pub mean_isi_cv: f64,
    /// Bursts over events, where an event is a spike outside bursts or the first of a burst.
    #[serde(with = "nullable::number")]
    pub burst_fraction: f64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_defined_is_null_and_comes_back_as_no_number() {
        let silent = PopulationSpikes {
            neurons: 3,
            spikes: 0,
            bursts: 0,
            plateaus: 0,
            mean_rate_hz: 0.0,
            silent_share: 1.0,
            mean_isi_cv: f64::NAN,
            burst_fraction: f64::NAN,
        };
        let report = SpikeReport {
            file: None,
            recorded: vec![],
            duration_ms: 0.1,
            populations: IndexMap::from([("λ".to_owned(), silent)]),
        };
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains("\"mean_isi_cv\":null") && !json.contains("file"));
        let read: SpikeReport = serde_json::from_str(&json).unwrap();
        assert!(read.populations["λ"].burst_fraction.is_nan());
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
