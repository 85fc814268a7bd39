//! The run directory as the report reads it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use indexmap::IndexMap;
use toml::{Table, Value};

use super::error::ReportError;
use super::overlay::Overlay;
use super::words;
use crate::record::{RecordError, RunReport, read_run_json};

/// The largest file, or array, that is loaded as a whole (bytes).
pub(super) const MOST_BYTES: u64 = 50_000_000;

/// A run that ended, or was ended.
#[derive(Debug)]
pub(super) struct Run {
    directory: PathBuf,
    /// `run.json`.
    pub(super) report: RunReport,
    /// What the netlist says in words.
    pub(super) netlist: NetlistWords,
    /// Why it says nothing.
    pub(super) netlist_note: Option<String>,
    /// Reference curves in the plots of measures.
    pub(super) overlays: Vec<Overlay>,
}

/// What `netlist.toml` says of itself, as far as it can be made out.
#[derive(Debug, Default)]
pub(super) struct NetlistWords {
    /// What the circuit is.
    pub(super) about: Option<String>,
    measures: IndexMap<String, MeasureWords>,
}

/// What the netlist says of a measure.
#[derive(Debug, Clone, Default)]
pub(super) struct MeasureWords {
    /// What the measure is, in the netlist's words.
    pub(super) about: Option<String>,
    /// What one should see.
    pub(super) expect: Option<String>,
    /// The kind, such as `mean`.
    pub(super) kind: Option<String>,
    /// The expression measured, where there is one.
    pub(super) of: Option<String>,
    /// The true signal of a comparison.
    pub(super) truth: Option<String>,
    /// The predicted signal of a comparison.
    pub(super) prediction: Option<String>,
}

impl Run {
    /// Reads `run.json` and what else says what the run was.
    pub(super) fn open(directory: &Path) -> Result<Self, ReportError> {
        if !directory.join("run.json").exists() {
            return Err(ReportError::no_run_json(directory));
        }
        let mut run = Self {
            directory: directory.to_owned(),
            report: read_run_json(directory)?,
            netlist: NetlistWords::default(),
            netlist_note: None,
            overlays: Vec::new(),
        };
        match run.text("netlist.toml").map(|text| text.parse::<Table>()) {
            Ok(Ok(table)) => run.netlist = NetlistWords::read(&table),
            // The rest of the message quotes the file, over several lines.
            Ok(Err(_)) => {
                run.netlist_note = Some("`netlist.toml` is damaged: it is not TOML".to_owned());
            }
            Err(note) => run.netlist_note = Some(note),
        }
        Ok(run)
    }

    /// The place of `relative`, a file no larger than `most_bytes`; else a remark.
    pub(super) fn file(&self, relative: &str, most_bytes: u64) -> Result<PathBuf, String> {
        let mut components = Path::new(relative).components();
        let inside = components.all(|component| matches!(component, Component::Normal(_)));
        if relative.is_empty() || !inside {
            return Err(format!(
                "`{relative}` is not a file of the run directory, so it is not read"
            ));
        }
        let path = self.directory.join(relative);
        let Ok(metadata) = fs::metadata(&path) else {
            return Err(self.missing(relative));
        };
        if !metadata.is_file() {
            return Err(format!("`{relative}` is not a file"));
        }
        if metadata.len() > most_bytes {
            let size = words::bytes(metadata.len());
            return Err(format!(
                "`{relative}` is too large to be drawn here ({size})"
            ));
        }
        Ok(path)
    }

    fn missing(&self, relative: &str) -> String {
        let partial = self.directory.join(format!("{relative}.partial"));
        if partial.exists() {
            format!(
                "`{relative}` was never completed: the run was killed while it wrote `{relative}.partial`"
            )
        } else {
            format!("`{relative}` is missing")
        }
    }

    /// The contents of a small text file; else a remark.
    pub(super) fn text(&self, relative: &str) -> Result<String, String> {
        let path = self.file(relative, MOST_BYTES)?;
        fs::read_to_string(path).map_err(|cause| format!("cannot read `{relative}`: {cause}"))
    }

    /// The size of a file (bytes), if it is there.
    pub(super) fn size(&self, relative: &str) -> Option<u64> {
        let path = self.file(relative, u64::MAX).ok()?;
        Some(fs::metadata(path).ok()?.len())
    }

    /// What the netlist says of a measure, here or there.
    pub(super) fn words(&self, measure: &str) -> MeasureWords {
        let mut words = self.netlist.of_measure(measure);
        if let Some(noted) = self.report.measure_notes.get(measure) {
            words.about = noted.about.clone().or(words.about);
            words.expect = noted.expect.clone().or(words.expect);
        }
        words
    }

    /// An error of reading, without the place of the run directory, which says nothing about the run.
    pub(super) fn remark(&self, error: &RecordError) -> String {
        // Joining nothing ends the path as if something followed.
        let place = format!("`{}", self.directory.join("").display());
        error.to_string().replace(&place, "`")
    }
}

impl NetlistWords {
    /// What it says of a measure.
    pub(super) fn of_measure(&self, measure: &str) -> MeasureWords {
        self.measures.get(measure).cloned().unwrap_or_default()
    }

    pub(super) fn read(netlist: &Table) -> Self {
        let circuit = netlist.get("circuit").and_then(Value::as_table);
        let measures = netlist.get("measure").and_then(Value::as_table);
        let measures = measures.into_iter().flatten();
        let tables = measures.filter_map(|(name, value)| Some((name, value.as_table()?)));
        Self {
            about: circuit.and_then(|circuit| text(circuit, "about")),
            measures: tables
                .map(|(name, table)| (name.clone(), MeasureWords::read(table)))
                .collect(),
        }
    }
}

impl MeasureWords {
    fn read(measure: &Table) -> Self {
        Self {
            about: text(measure, "about"),
            expect: text(measure, "expect"),
            kind: text(measure, "kind"),
            of: text(measure, "of"),
            truth: text(measure, "truth"),
            prediction: text(measure, "prediction"),
        }
    }

    /// How the caption of a measure's figure begins: with the name, and what it stands for where the netlist says so.
    pub(super) fn named(&self, name: &str) -> String {
        match self.what().as_str() {
            "" => format!("`{name}`"),
            what => format!("`{name}`: {what}"),
        }
    }

    fn what(&self) -> String {
        let of = self.of.as_deref().unwrap_or("the recorded signal");
        match self.kind.as_deref() {
            Some("mean") => format!("Mean of {of}"),
            Some("autocorrelation") => format!("Autocorrelation of {of}"),
            Some("correlation-matrix") => format!("Correlations between the elements of {of}"),
            Some("r-squared") => {
                let truth = self.truth.as_deref().unwrap_or("the truth");
                let prediction = self.prediction.as_deref().unwrap_or("the prediction");
                format!("{prediction} as a prediction of {truth}")
            }
            _ => String::new(),
        }
    }

    /// `about` and `expect` as sentences.
    pub(super) fn remarks(&self) -> String {
        let expected = self.expect.as_deref();
        let expected = expected.map(|words| format!("Expected: {}", words.trim()));
        let about = words::capital(self.about.as_deref().unwrap_or_default());
        words::sentences([about.as_str(), expected.as_deref().unwrap_or_default()])
    }
}

/// A text in one line.
fn text(table: &Table, key: &str) -> Option<String> {
    let words = table.get(key)?.as_str()?.split_whitespace();
    Some(words.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}
