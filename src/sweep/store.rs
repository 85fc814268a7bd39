//! The sweep's folder: what was asked for, and finished points, which appear under their name when they are whole.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::SweepError;
use super::points::Parameter;
use crate::record::{
    NetlistReport, RecordError, RunDirectory, RunReport, StopReason, read_run_json,
};

const SWEEP_JSON: &str = "sweep.json";
const POINTS: &str = "points";
const PARTIAL: &str = ".partial";
/// Locked while a process works in the folder; the system unlocks it however the process ends.
const LOCK: &str = ".apical-sweep";

/// `sweep.json`: what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReport {
    /// Version of Apical.
    pub apical: String,
    /// What was run.
    pub netlist: NetlistReport,
    /// A hash of the netlist without overrides.
    pub identity: String,
    /// What was swept.
    pub parameters: Vec<Parameter>,
    /// Overrides that hold for all points.
    pub set: Vec<String>,
    /// How often each combination is run.
    pub realizations: u64,
    /// The seed of realization 0; that of realization k is larger by k.
    pub seed: u64,
    /// The combinations, in order.
    pub combinations: Vec<CombinationReport>,
}

/// A combination of values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinationReport {
    /// One value a parameter.
    pub values: Vec<String>,
    /// The keys of its points, one a realization: `points/<key>` is the folder of each.
    pub points: Vec<String>,
}

/// Whether a folder is that of a sweep.
pub fn is_sweep(directory: &Path) -> bool {
    directory.join(SWEEP_JSON).exists()
}

/// Reads `sweep.json`.
pub(super) fn read_report(directory: &Path) -> Result<SweepReport, RecordError> {
    let path = directory.join(SWEEP_JSON);
    let json = fs::read(&path).map_err(|cause| RecordError::Io {
        action: "read",
        path: path.clone(),
        cause,
    })?;
    serde_json::from_slice(&json).map_err(|cause| RecordError::Json {
        action: "read",
        path,
        cause,
    })
}

/// The folder of a point, relative to the sweep's.
pub(super) fn point_folder(key: &str) -> String {
    format!("{POINTS}/{key}")
}

/// What a finished point found, if it is there and whole.
pub(super) fn finished(directory: &Path, key: &str, seed: u64) -> Option<RunReport> {
    let report = read_run_json(directory.join(point_folder(key))).ok()?;
    let ended = !matches!(report.stop, StopReason::Interrupted { .. });
    let same = report.seed == seed && report.apical == env!("CARGO_PKG_VERSION");
    (ended && same).then_some(report)
}

/// The sweep's folder, while this process alone works in it.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Takes the folder for a sweep and writes down what was asked for.
    pub(super) fn open(
        path: &Path,
        report: &SweepReport,
        base: &str,
        overwrite: bool,
    ) -> Result<Self, SweepError> {
        let mut directory = RunDirectory::of_sweep(path, false)?;
        let lock = lock(path)?;
        if overwrite {
            remove_points(path)?;
            directory = RunDirectory::of_sweep(path, true)?;
        } else if is_sweep(path) {
            is_same(path, report, base)?;
        }
        let mut json = serde_json::to_vec_pretty(report).map_err(|cause| RecordError::Json {
            action: "write",
            path: path.join(SWEEP_JSON),
            cause,
        })?;
        json.push(b'\n');
        directory.write_file(SWEEP_JSON, &json)?;
        directory.write_netlist(base)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where a point is run.
    pub(super) fn partial(&self, key: &str) -> PathBuf {
        self.path.join(format!("{}{PARTIAL}", point_folder(key)))
    }

    /// Gives a point that has been run its name.
    pub(super) fn publish(&self, key: &str) -> Result<(), SweepError> {
        let (from, to) = (self.partial(key), self.path.join(point_folder(key)));
        // What was there was not whole, or had no recordings.
        RunDirectory::remove(&to)?;
        fs::rename(from, &to).map_err(|cause| {
            SweepError::Record(RecordError::Io {
                action: "rename",
                path: to,
                cause,
            })
        })
    }

    /// Removes a point that was cut short.
    pub(super) fn discard(&self, key: &str) -> Result<(), SweepError> {
        Ok(RunDirectory::remove(self.partial(key))?)
    }
}

fn lock(path: &Path) -> Result<File, SweepError> {
    let name = path.join(LOCK);
    let io = |cause| RecordError::Io {
        action: "write",
        path: name.clone(),
        cause,
    };
    let file = File::options()
        .create(true)
        .append(true)
        .open(&name)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SweepError::Busy {
            directory: path.to_owned(),
        }),
        // A file system without locks: then it is up to the user.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Removes all points of an earlier sweep.
fn remove_points(path: &Path) -> Result<(), RecordError> {
    let points = path.join(POINTS);
    let Ok(entries) = fs::read_dir(&points) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_key) {
            RunDirectory::remove(entry.path())?;
        }
    }
    // Fails where a user keeps files of their own in it, which is the point.
    let _ = fs::remove_dir(points);
    Ok(())
}

fn is_key(name: &str) -> bool {
    let key = name.strip_suffix(PARTIAL).unwrap_or(name);
    key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Makes sure that the folder holds a sweep of the same netlist.
fn is_same(path: &Path, report: &SweepReport, base: &str) -> Result<(), SweepError> {
    let earlier = read_report(path)?;
    if earlier.apical != report.apical {
        return Err(SweepError::OtherVersion {
            directory: path.to_owned(),
            then: earlier.apical,
        });
    }
    if earlier.identity == report.identity {
        return Ok(());
    }
    let then = fs::read_to_string(path.join("netlist.toml")).unwrap_or_default();
    Err(SweepError::OtherNetlist {
        directory: path.to_owned(),
        difference: first_difference(&then, base),
    })
}

/// The first line in which two texts differ, in both.
fn first_difference(then: &str, now: &str) -> String {
    let differs = |(a, b): &(&str, &str)| a != b;
    let (before, after) = (then.lines().chain([""]), now.lines().chain([""]));
    match before.zip(after).find(differs) {
        Some((before, after)) => format!("\n  then: {before}\n  now:  {after}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_points_are_taken_for_points() {
        assert!(is_key("00ff00ff00ff00ff") && is_key("00ff00ff00ff00ff.partial"));
        assert!(!is_key("notes") && !is_key("00ff") && !is_key("zz00ff00ff00ff00"));
    }

    #[test]
    fn the_first_line_that_differs_is_shown_as_it_was_and_as_it_is() {
        let difference = first_difference("a\nb = 1\nc", "a\nb = 2\nd");
        assert_eq!(difference, "\n  then: b = 1\n  now:  b = 2");
        assert_eq!(first_difference("a", "a\nb"), "\n  then: \n  now:  b");
    }
}
