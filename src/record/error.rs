//! Everything that can go wrong while a run is recorded or read back.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use thiserror::Error;

/// An error of recording or of reading a recording; where a file is concerned, the message names it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The folder holds an earlier run and overwriting was not asked for.
    #[error("`{}` already holds a run (`{found}`)", path.display())]
    Occupied {
        /// The folder asked for.
        path: PathBuf,
        /// A file of the earlier run, relative to the folder.
        found: String,
    },
    /// A file in the way was not written by Apical, so it is neither replaced nor removed.
    #[error("`{}` is in the way, and Apical did not write it", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`: {cause}", path.display())]
    Io {
        /// What was tried: `create`, `write`, `read`, `rename`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A Parquet file could not be written or read.
    #[error("cannot {action} `{}`: {cause}", path.display())]
    Parquet {
        /// What was tried: `write` or `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: ParquetError,
    },
    /// A JSON file could not be written or read.
    #[error("cannot {action} `{}`: {cause}", path.display())]
    Json {
        /// What was tried: `write` or `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        cause: serde_json::Error,
    },
    /// A file does not hold what its name promises.
    #[error("`{}` should hold {expected}, but {found}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected in it.
        expected: &'static str,
        /// What is there instead, as a clause (`its header says …`).
        found: String,
    },
    /// A block was made for a trace that was not declared.
    #[error("trace {trace} was not declared: {declared} traces were")]
    UnknownTrace {
        /// The index used.
        trace: usize,
        /// How many traces the recorder has.
        declared: usize,
    },
    /// A matrix was sent for weights that were not declared.
    #[error("weights {weights} were not declared: {declared} weight recordings were")]
    UnknownWeights {
        /// The index used.
        weights: usize,
        /// How many weight recordings the recorder has.
        declared: usize,
    },
    /// A row or a sample belongs to a stage that was not declared.
    #[error("`{name}`: stage {stage} was not declared: {declared} stages were")]
    UnknownStage {
        /// The trace or weights.
        name: String,
        /// The index used.
        stage: u32,
        /// How many stages the recorder has.
        declared: usize,
    },
    /// Spikes were sent, but none were declared.
    #[error("spikes were sent, but no recording of spikes was declared")]
    NoSpikes,
    /// A spike is of a neuron that was not declared.
    #[error(
        "a spike of neuron {neuron} of population {population} was sent, which was declared with {declared} neurons"
    )]
    UnknownNeuron {
        /// The index of the population.
        population: u16,
        /// The neuron.
        neuron: u32,
        /// How many neurons it has; 0 if there is no such population.
        declared: u32,
    },
    /// A row with a step was pushed where times are expected, or the other way round.
    #[error(
        "trace `{name}` has {}, but a row with {} was pushed",
        if *timed { "times" } else { "steps" },
        if *timed { "a step" } else { "a time" }
    )]
    Mistimed {
        /// The trace.
        name: String,
        /// Whether it has times.
        timed: bool,
    },
    /// A row of a block has another number of values than its trace has columns.
    #[error(
        "trace `{name}` has {columns} columns, but a row with another number of values was pushed"
    )]
    Ragged {
        /// The trace.
        name: String,
        /// Its number of columns.
        columns: usize,
    },
    /// A matrix has another number of values than its shape asks for.
    #[error("`{name}` is {rows} × {columns}, but {values} values were given")]
    MatrixShape {
        /// The weights or the measure.
        name: String,
        /// Rows of the shape.
        rows: usize,
        /// Columns of the shape.
        columns: usize,
        /// Values given.
        values: usize,
    },
    /// Something was sent after the recorder had already reported an error.
    #[error("recording to `{}` has already stopped because of an earlier error", path.display())]
    Stopped {
        /// The run directory.
        path: PathBuf,
    },
    /// The recorder's thread panicked: a bug of Apical.
    #[error("the recorder of `{}` panicked", path.display())]
    Panicked {
        /// The run directory.
        path: PathBuf,
    },
}

impl RecordError {
    /// What the user can do about it, where there is something.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Occupied { .. } => "choose another folder, or replace that run with --overwrite",
            Self::Foreign { .. } => "choose another folder, or move that file out of the way",
            Self::Io { cause, .. } => return io_help(cause).map(str::to_owned),
            Self::Parquet {
                cause: ParquetError::External(cause),
                ..
            } => {
                let cause = cause.downcast_ref::<io::Error>()?;
                return io_help(cause).map(str::to_owned);
            }
            Self::Parquet { action: "read", .. } => {
                "such a file takes its name only when it is whole: this file was changed or cut off later"
            }
            Self::Json { action: "read", .. } | Self::Malformed { .. } => {
                "read a file that Apical wrote, unchanged, or run the netlist again"
            }
            Self::Panicked { .. } => {
                "this is a bug: please report it with the netlist that shows it"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }

    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io {
            action,
            path,
            cause,
        }
    }

    pub(super) fn parquet(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(ParquetError) -> Self + use<> {
        let path = path.to_owned();
        move |cause| Self::Parquet {
            action,
            path,
            cause,
        }
    }

    pub(super) fn malformed(path: &Path, expected: &'static str, found: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            expected,
            found: found.into(),
        }
    }
}

fn io_help(cause: &io::Error) -> Option<&'static str> {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("the disk is full: free some space, or record less often or fewer values")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("choose a folder that you may write to")
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            Some("a file stands where a folder is needed: move it, or choose another folder")
        }
        io::ErrorKind::NotFound => Some("was the run directory moved or removed?"),
        _ => None,
    }
}
