//! `.apical-run`: the list of the files that Apical wrote into a run directory.
//!
//! It is what makes overwriting safe: only files on the list are ever replaced or removed, whatever else a user keeps
//! in the same folder and whatever it is called.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::atomic::PARTIAL;
use super::error::RecordError;

const NAME: &str = ".apical-run";
/// Folders of a run directory.
const FOLDERS: [&str; 4] = ["traces", "weights", "measures", "plots"];
/// Files at its top, or at that of a sweep.
const FILES: [&str; 9] = [
    "run.json",
    "spikes.parquet",
    "netlist.toml",
    "report.html",
    "sweep.json",
    "sweep.csv",
    "sweep.parquet",
    "sweep-curves.csv",
    "sweep-curves.parquet",
];

/// The list, as it stands on the disk.
#[derive(Debug)]
pub(super) struct Manifest {
    folder: PathBuf,
    listed: BTreeSet<String>,
}

impl Manifest {
    /// Reads the list of `folder`; none is an empty one.
    pub(super) fn open(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(RecordError::io("read", &path)(cause)),
        };
        Ok(Self {
            folder: folder.to_owned(),
            listed: text
                .lines()
                .filter(|line| is_ours(line))
                .map(str::to_owned)
                .collect(),
        })
    }

    /// The first listed file that is there.
    pub(super) fn first_present(&self) -> Option<&str> {
        let present = |relative: &&String| {
            exists(&self.folder.join(relative)) || exists(&partial(&self.folder, relative))
        };
        self.listed.iter().find(present).map(String::as_str)
    }

    /// Whether a file is listed.
    pub(super) fn lists(&self, relative: &str) -> bool {
        self.listed.contains(relative)
    }

    /// Removes every listed file, then the folders that this leaves empty.
    pub(super) fn clear(&mut self) -> Result<(), RecordError> {
        for relative in &self.listed {
            remove(&self.folder.join(relative))?;
            remove(&partial(&self.folder, relative))?;
        }
        for folder in FOLDERS {
            // Fails where a user keeps files of their own in it, which is the point.
            let _ = fs::remove_dir(self.folder.join(folder));
        }
        self.listed.clear();
        remove(&self.folder.join(NAME))
    }

    /// Puts `relative` on the list before it is written.
    ///
    /// # Errors
    ///
    /// If there is a file of that name which is not on the list.
    pub(super) fn claim(&mut self, relative: &str) -> Result<PathBuf, RecordError> {
        let path = self.folder.join(relative);
        if self.listed.contains(relative) {
            return Ok(path);
        }
        for path in [path.clone(), partial(&self.folder, relative)] {
            if exists(&path) {
                return Err(RecordError::Foreign { path });
            }
        }
        let list = self.folder.join(NAME);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&list)
            .and_then(|mut file| writeln!(file, "{relative}"))
            .map_err(RecordError::io("write", &list))?;
        self.listed.insert(relative.to_owned());
        Ok(path)
    }
}

/// A listed name is trusted only if a run could have written it: the list is a text file that anyone can edit.
fn is_ours(relative: &str) -> bool {
    let mut components = Path::new(relative).components();
    match (components.next(), components.next(), components.next()) {
        (Some(Component::Normal(file)), None, None) => FILES.iter().any(|&known| file == known),
        (Some(Component::Normal(folder)), Some(Component::Normal(_)), None) => {
            FOLDERS.iter().any(|&known| folder == known)
        }
        _ => false,
    }
}

fn partial(folder: &Path, relative: &str) -> PathBuf {
    folder.join(format!("{relative}{PARTIAL}"))
}

/// True also for a symbolic link that leads nowhere.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn remove(path: &Path) -> Result<(), RecordError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(RecordError::io("remove", path)(cause))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_run_writes_are_trusted() {
        for ours in [
            "run.json",
            "spikes.parquet",
            "sweep-curves.csv",
            "traces/a.parquet",
            "plots/b.svg",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        let foreign = [
            "",
            "notes.txt",
            "../run.json",
            "/etc/passwd",
            "traces/../../x",
            "traces",
            "traces/a/b",
            "home/x",
        ];
        for foreign in foreign {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
