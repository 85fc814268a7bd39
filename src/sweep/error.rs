//! Why a sweep cannot be made, or not be finished.

use std::path::PathBuf;

use thiserror::Error;

use super::points::Mistake;
use crate::experiment::RunError;
use crate::input::DataError;
use crate::record::RecordError;
use crate::source::Problems;

/// An error of a sweep.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// Overrides that cannot be swept.
    #[error("{} in what is to be swept", many(.0.len()))]
    Mistakes(Vec<Mistake>),
    /// Netlists of some combinations have mistakes: those of each, with its overrides.
    #[error("the netlist has mistakes")]
    Netlists(Vec<(Vec<String>, Problems)>),
    /// The data of a combination are missing or broken.
    #[error(transparent)]
    Data(DataError),
    /// The folder holds a sweep of another netlist.
    #[error("`{}` holds a sweep of another netlist{difference}", directory.display())]
    OtherNetlist {
        /// The folder.
        directory: PathBuf,
        /// Where they differ, as further lines; may be empty.
        difference: String,
    },
    /// The folder holds a sweep made by another version.
    #[error("`{}` holds a sweep made by Apical {then}; this is {}", directory.display(), env!("CARGO_PKG_VERSION"))]
    OtherVersion {
        /// The folder.
        directory: PathBuf,
        /// The version that made it.
        then: String,
    },
    /// Another process is running the same sweep.
    #[error("another process is running the sweep in `{}`", directory.display())]
    Busy {
        /// The folder.
        directory: PathBuf,
    },
    /// The netlist, or a library file it uses, was edited while the sweep ran.
    #[error("`{path}`, or a library file that it uses, was changed while the sweep ran")]
    Edited {
        /// The netlist.
        path: String,
    },
    /// A point could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Something could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A table could not be made.
    #[error("cannot make the table `{file}`: {cause}")]
    Table {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
}

impl SweepError {
    /// What the user can do about it, where there is something.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::OtherNetlist { .. } | Self::OtherVersion { .. } => {
                "give this sweep another folder with --out DIR, or remove the earlier one with --overwrite"
            }
            Self::Busy { .. } => "wait for it, or give this sweep another folder with --out DIR",
            Self::Edited { .. } => {
                "points that were finished before are kept; undo the change to go on with them, or start another sweep with --out DIR"
            }
            Self::Record(error) | Self::Run(RunError::Record(error)) => return error.help(),
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether what was given is at fault, and not the run.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Mistakes(_)
            | Self::Netlists(_)
            | Self::Data(_)
            | Self::OtherNetlist { .. }
            | Self::OtherVersion { .. }
            | Self::Busy { .. } => true,
            Self::Run(error) => !matches!(error, RunError::Record(_)),
            Self::Record(error) => matches!(
                error,
                RecordError::Occupied { .. }
                    | RecordError::Foreign { .. }
                    | RecordError::Json { action: "read", .. }
            ),
            Self::Edited { .. } | Self::Table { .. } => false,
        }
    }
}

fn many(count: usize) -> String {
    match count {
        1 => "one mistake".to_owned(),
        _ => format!("{count} mistakes"),
    }
}
