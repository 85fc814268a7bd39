//! Why there can be no report.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::record::RecordError;
use crate::sweep::SweepError;

/// An error of making a report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The folder is not there.
    #[error("there is no folder `{}`", directory.display())]
    Missing {
        /// The folder asked for.
        directory: PathBuf,
    },
    /// The folder is not that of a run.
    #[error("`{}` is not a run directory: it has no `run.json`", directory.display())]
    NotARun {
        /// The folder asked for.
        directory: PathBuf,
    },
    /// A run began in the folder, but has not come to its `run.json`.
    #[error("the run in `{}` has no `run.json` yet", directory.display())]
    Unfinished {
        /// The folder asked for.
        directory: PathBuf,
    },
    /// A reference curve cannot be drawn.
    #[error("the overlay `{argument}` cannot be drawn: {reason}")]
    Overlay {
        /// What was given.
        argument: String,
        /// Why not.
        reason: String,
        /// What to write.
        help: String,
    },
    /// The tables of a sweep cannot be written.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// `run.json` cannot be read, or the report cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl ReportError {
    /// What the user can do about it, where there is something.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => {
                "write the folder that `apical run` named, or run `apical run` first"
            }
            Self::NotARun { .. } => {
                "run `apical run` first and write the folder that it names; a run directory holds `run.json`"
            }
            Self::Unfinished { .. } => {
                "wait for the run to end; if it was killed, run the netlist again"
            }
            Self::Overlay { help, .. } => help,
            Self::Sweep(error) => return error.help(),
            Self::Record(error) => return error.help(),
        };
        Some(text.to_owned())
    }

    /// Why the `run.json` of `directory` is not there.
    pub(super) fn no_run_json(directory: &Path) -> Self {
        let directory = directory.to_owned();
        if !directory.is_dir() {
            Self::Missing { directory }
        } else if directory.join(".apical-run").exists() {
            Self::Unfinished { directory }
        } else {
            Self::NotARun { directory }
        }
    }
}
