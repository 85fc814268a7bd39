//! The run directory: one folder a run, and the only place that decides which files may be replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::atomic::write_whole;
use super::error::RecordError;
use super::file_names::FileNames;
use super::manifest::Manifest;
use super::matrix_file::{array_bytes, matrix_bytes};
use super::run_report::{RUN_JSON, RunReport};

/// The folder that a run leaves behind.
///
/// It never replaces or removes a file that Apical did not write: what it writes is listed in `.apical-run`, and only
/// what is listed there is ever touched.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    manifest: Manifest,
    measures: FileNames,
    plots: FileNames,
}

impl RunDirectory {
    /// Makes the folder, or takes an existing one; sub-folders follow when something is written into them.
    ///
    /// With `overwrite` an earlier run in the folder is removed first, and nothing else is.
    ///
    /// # Errors
    ///
    /// [`RecordError::Occupied`] if the folder holds an earlier run and `overwrite` is false,
    /// [`RecordError::Foreign`] if a `run.json` is there that Apical did not write, [`RecordError::Io`] if the
    /// folder cannot be made or cleared.
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self, RecordError> {
        let path = path.as_ref();
        let directory = Self::open_folder(path)?;
        {
            let mut state = directory.state();
            if overwrite {
                state.manifest.clear()?;
            } else if let Some(found) = state.manifest.first_present() {
                return Err(RecordError::Occupied {
                    path: path.to_owned(),
                    found: found.to_owned(),
                });
            }
            state.manifest.claim(RUN_JSON)?;
        }
        Ok(directory)
    }

    /// Opens the folder of an earlier run to add to it, for example its report.
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`] if there is no `run.json` in it, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let run_json = path.as_ref().join(RUN_JSON);
        fs::metadata(&run_json).map_err(RecordError::io("read", &run_json))?;
        Self::open_folder(path.as_ref())
    }

    /// Opens the folder of a sweep, or makes it. With `overwrite` the files that a sweep left at its top are removed first.
    ///
    /// # Errors
    ///
    /// [`RecordError::Occupied`] if the folder holds a run, [`RecordError::Io`] if it cannot be made or cleared.
    pub fn of_sweep(path: impl AsRef<Path>, overwrite: bool) -> Result<Self, RecordError> {
        let directory = Self::open_folder(path.as_ref())?;
        {
            let mut state = directory.state();
            if state.manifest.lists(RUN_JSON) {
                return Err(RecordError::Occupied {
                    path: path.as_ref().to_owned(),
                    found: RUN_JSON.to_owned(),
                });
            }
            if overwrite {
                state.manifest.clear()?;
            }
        }
        Ok(directory)
    }

    /// Removes what Apical wrote into a folder, and the folder too if nothing else is in it.
    ///
    /// # Errors
    ///
    /// If a file cannot be removed. A folder that is not there is no error.
    pub fn remove(path: impl AsRef<Path>) -> Result<(), RecordError> {
        let path = path.as_ref();
        if path.is_dir() {
            Manifest::open(path)?.clear()?;
            // Fails where a user keeps files of their own in it, which is the point.
            let _ = fs::remove_dir(path);
        }
        Ok(())
    }

    fn open_folder(path: &Path) -> Result<Self, RecordError> {
        fs::create_dir_all(path).map_err(RecordError::io("create", path))?;
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                manifest: Manifest::open(path)?,
                measures: FileNames::default(),
                plots: FileNames::default(),
            }),
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `netlist.toml`, the resolved netlist.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or one is there that Apical did not write.
    pub fn write_netlist(&self, text: &str) -> Result<(), RecordError> {
        write_whole(&self.claim("netlist.toml")?, text.as_bytes())
    }

    /// Writes `run.json`; again and again if need be, each time as a whole.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_run_json(&self, report: &RunReport) -> Result<(), RecordError> {
        let path = self.claim(RUN_JSON)?;
        let mut json = serde_json::to_vec_pretty(report).map_err(|cause| RecordError::Json {
            action: "write",
            path: path.clone(),
            cause,
        })?;
        json.push(b'\n');
        write_whole(&path, &json)
    }

    /// Writes `report.html`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or one is there that Apical did not write.
    pub fn write_report(&self, html: &str) -> Result<(), RecordError> {
        write_whole(&self.claim("report.html")?, html.as_bytes())
    }

    /// Writes one of the files at the top of a sweep's folder, as a whole.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or one is there that Apical did not write.
    pub fn write_file(&self, name: &str, contents: &[u8]) -> Result<(), RecordError> {
        write_whole(&self.claim(name)?, contents)
    }

    /// Writes `plots/<name>.<extension>` and returns that path, relative to the folder.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or one is there that Apical did not write.
    pub fn write_plot(
        &self,
        name: &str,
        extension: &str,
        contents: &[u8],
    ) -> Result<String, RecordError> {
        // Without dots in the extension, two different stems cannot meet in one file name.
        let extension = extension.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let stem = self.state().plots.stem(name, &["."]);
        let relative = format!("plots/{stem}.{extension}");
        write_whole(&self.claim(&relative)?, contents)?;
        Ok(relative)
    }

    /// Writes a matrix, row by row, to `measures/<name>.npy` and returns that path, relative to the folder.
    ///
    /// # Shape
    ///
    /// `values` is `rows` × `columns` in C order; so is the file.
    ///
    /// # Errors
    ///
    /// [`RecordError::MatrixShape`] if `values` has another length, or an error that names the file.
    pub fn write_matrix(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
        values: &[f64],
    ) -> Result<String, RecordError> {
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(RecordError::MatrixShape {
                name: name.to_owned(),
                rows,
                columns,
                values: values.len(),
            });
        }
        let stem = self.state().measures.stem(name, &[".npy"]);
        let relative = format!("measures/{stem}.npy");
        write_whole(
            &self.claim(&relative)?,
            &matrix_bytes(rows, columns, values),
        )?;
        Ok(relative)
    }

    /// Writes an array of any number of axes, in C order, into `measures/`; returns its path, relative to the run
    /// directory.
    ///
    /// # Errors
    ///
    /// [`RecordError::MatrixShape`] if `values` has another length, or an error that names the file.
    pub fn write_array(
        &self,
        name: &str,
        shape: &[usize],
        values: &[f64],
    ) -> Result<String, RecordError> {
        if shape.iter().product::<usize>() != values.len() {
            return Err(RecordError::MatrixShape {
                name: name.to_owned(),
                rows: shape.first().copied().unwrap_or(0),
                columns: shape.iter().skip(1).product(),
                values: values.len(),
            });
        }
        let stem = self.state().measures.stem(name, &[".npy"]);
        let relative = format!("measures/{stem}.npy");
        write_whole(&self.claim(&relative)?, &array_bytes(shape, values))?;
        Ok(relative)
    }

    /// Lists `relative` as a file of Apical's and returns where it is.
    pub(super) fn claim(&self, relative: &str) -> Result<PathBuf, RecordError> {
        self.state().manifest.claim(relative)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left at worst a name that is listed and not written, which does no harm.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
