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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Recorder, RecorderSpec, TraceSpec, WeightSpec, read_matrix};
    use super::*;

    /// A run that was killed: started, nothing finished.
    fn killed_run(path: &Path) {
        let directory = RunDirectory::create(path, false).unwrap();
        directory.write_netlist("[circuit]").unwrap();
        directory.write_matrix("M", 1, 1, &[1.0]).unwrap();
        directory.write_plot("loss", "svg", b"<svg/>").unwrap();
        directory.write_report("<html>").unwrap();
        let spec = RecorderSpec {
            traces: vec![TraceSpec {
                name: "t".to_owned(),
                columns: vec![],
            }],
            weights: vec![WeightSpec {
                name: "W".to_owned(),
                rows: 1,
                columns: 1,
            }],
            ..RecorderSpec::default()
        };
        drop(Recorder::start(&directory, spec).unwrap());
        let trace = path.join("traces/t.parquet");
        fs::rename(&trace, trace.with_extension("parquet.partial")).unwrap();
    }

    #[test]
    fn earlier_run_is_protected() {
        let folder = tempfile::tempdir().unwrap();
        killed_run(folder.path());
        let error = RunDirectory::create(folder.path(), false).unwrap_err();
        assert!(matches!(error, RecordError::Occupied { .. }), "{error}");
        assert!(folder.path().join("weights/W.npy").exists());
    }

    #[test]
    fn overwriting_removes_the_earlier_run_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        killed_run(folder.path());
        let mine = ["notes.txt", "traces/mine.parquet", "weights/mine.npy"];
        for mine in mine {
            fs::write(folder.path().join(mine), "mine").unwrap();
        }
        RunDirectory::create(folder.path(), true).unwrap();
        let mut left = Vec::new();
        for folder in [
            folder.path().to_owned(),
            folder.path().join("traces"),
            folder.path().join("weights"),
        ] {
            let entries = fs::read_dir(folder).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
        }
        left.sort();
        assert_eq!(
            left,
            [
                ".apical-run",
                "mine.npy",
                "mine.parquet",
                "notes.txt",
                "traces",
                "weights"
            ]
        );
    }

    #[test]
    fn files_of_others_are_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("netlist.toml"), "mine").unwrap();
        for overwrite in [false, true] {
            let directory = RunDirectory::create(folder.path(), overwrite).unwrap();
            let error = directory.write_netlist("[circuit]").unwrap_err();
            assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
        }
        fs::write(folder.path().join("run.json"), "{}").unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("run.json"), "{}").unwrap();
        let error = RunDirectory::create(other.path(), true).unwrap_err();
        assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
        assert_eq!(
            fs::read_to_string(folder.path().join("netlist.toml")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn edited_list_leads_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        killed_run(&path);
        let outside = folder.path().join("outside.txt");
        fs::write(&outside, "mine").unwrap();
        let list = format!(
            "../outside.txt\n{}\ntraces/../../outside.txt\n",
            outside.display()
        );
        fs::write(path.join(".apical-run"), list).unwrap();
        // Nothing on the list is trusted now, so the earlier run is not Apical's any more.
        let directory = RunDirectory::create(&path, true).unwrap();
        assert!(directory.write_netlist("").is_err());
        assert!(outside.exists());
    }

    #[test]
    fn file_in_place_of_the_folder_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        fs::write(&path, "mine").unwrap();
        let error = RunDirectory::create(&path, true).unwrap_err();
        assert!(error.to_string().contains("run"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn matrices_are_read_back_and_can_be_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path(), false).unwrap();
        let values = [1.0, f64::INFINITY, -0.0, 4.0, 5.0, 0.1];
        let file = directory
            .write_matrix("tuning of W/1", 2, 3, &[0.0; 6])
            .unwrap();
        assert_eq!(file, "measures/tuning-of-W-1.npy");
        assert_eq!(
            directory
                .write_matrix("tuning of W/1", 2, 3, &values)
                .unwrap(),
            file
        );
        assert_ne!(
            directory
                .write_matrix("tuning of W-1", 1, 1, &[0.0])
                .unwrap(),
            file
        );
        let read = read_matrix(folder.path().join(&file)).unwrap();
        assert_eq!((read.rows, read.columns), (2, 3));
        let bits = |values: &[f64]| {
            values
                .iter()
                .map(|value| value.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&read.values), bits(&values));
        let other = npyz::NpyFile::new(fs::File::open(folder.path().join(&file)).unwrap()).unwrap();
        assert_eq!(other.shape(), [2, 3]);
        assert_eq!(other.into_vec::<f64>().unwrap(), values);
        let error = directory.write_matrix("M", 2, 2, &values).unwrap_err();
        assert!(
            matches!(error, RecordError::MatrixShape { values: 6, .. }),
            "{error}"
        );
    }

    #[test]
    fn plots_keep_their_endings_and_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(folder.path(), false).unwrap();
        let plots = [("a", "svg"), ("a", "png"), ("a.b", "svg"), ("a", "b.svg")];
        let files =
            plots.map(|(name, extension)| directory.write_plot(name, extension, b"").unwrap());
        assert_eq!(
            files,
            [
                "plots/a.svg",
                "plots/a.png",
                "plots/a.b.svg",
                "plots/a.bsvg"
            ]
        );
    }
}
