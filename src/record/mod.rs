//! What a run leaves behind: a run directory with traces, weights, measures and `run.json`.
//!
//! | file | holds | written |
//! |---|---|---|
//! | `netlist.toml` | the resolved netlist | whole, by [`RunDirectory::write_netlist`] |
//! | `run.json` | versions, seed, timing, machine, figures | whole, by [`RunDirectory::write_run_json`] |
//! | `traces/<name>.parquet` | one row a recorded step (or a sample at a time), one column a recorded value | as it goes, by the [`Recorder`] |
//! | `spikes.parquet` | one row a spike | as it goes, by the [`Recorder`] |
//! | `weights/<name>.npy` | shape (samples, presynaptic, postsynaptic) | as it goes, by the [`Recorder`] |
//! | `measures/<name>.npy` | shape (rows, columns) | whole, by [`RunDirectory::write_matrix`] |
//! | `plots/…`, `report.html` | pictures | whole, by [`RunDirectory::write_plot`] and [`RunDirectory::write_report`] |
//! | `sweep.json`, `sweep.csv`, … | what a sweep of many runs found, see [`crate::sweep`] | whole, by [`RunDirectory::write_file`] |
//! | `.apical-run` | the names of all of the above | as it goes |
//!
//! Whole files, traces and spikes appear under a temporary name (`….partial`) and take their own when they are complete. A
//! growing `.npy` is valid at any time, up to its last complete sample, even after the process was killed.
//!
//! Recording runs on its own thread behind a bounded channel: a simulation that outruns the disk waits for it, so
//! memory stays flat however long the run. This module knows nothing of the engines: they send it blocks.

mod atomic;
mod block;
mod clock;
mod coded_column;
mod directory;
mod error;
mod file_names;
mod gathered;
mod machine;
mod manifest;
mod matrix_file;
mod measure_report;
mod npy;
mod nullable;
mod parquet_sink;
mod recorder;
mod row_group;
mod run_report;
mod spec;
mod spike_block;
mod spike_file;
mod spike_report;
mod spike_sink;
mod table_file;
mod trace_file;
mod trace_sink;
mod weight_file;
mod weight_sink;
mod writer;

#[cfg(test)]
mod recorder_failure_tests;
#[cfg(test)]
mod recorder_tests;
#[cfg(test)]
mod spike_tests;

pub use block::TraceBlock;
pub use clock::rfc3339_utc;
pub use directory::RunDirectory;
pub use error::RecordError;
pub use machine::{Machine, available_memory_mib, peak_memory_mib};
pub use matrix_file::{Matrix, read_matrix};
pub use measure_report::MeasureReport;
pub use recorder::Recorder;
pub use run_report::{
    MeasureNote, NetlistReport, RunReport, StageReport, StopReason, read_run_json,
};
pub use spec::{RecorderSpec, SpikeSpec, TraceOf, TraceSpec, WeightSpec};
pub use spike_block::{Spike, SpikeBlock, SpikeKind, SpikePopulation, milliseconds};
pub use spike_file::SpikeFile;
pub use spike_report::{PopulationSpikes, SpikeReport};
pub use spike_sink::SpikeRecord;
pub use table_file::{Column, Table, Values};
pub use trace_file::{Trace, read_trace, read_trace_thinned};
pub use weight_file::{WeightFile, Weights, read_weights};
pub use writer::{RecordSummary, TraceRecord, WeightRecord};
