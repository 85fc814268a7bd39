//! The report: what a run left in its run directory, as one page for the browser and as drawings.
//!
//! [`write()`] reads a run directory (see [`crate::record`]) and puts `report.html` into it, and each figure once more as
//! `plots/<name>.svg`. It needs no more than the directory, so that a report can be made of any run, at any time, again:
//! of the same directory it makes the same bytes.
//!
//! # What is shown
//!
//! | section | from | as |
//! |---|---|---|
//! | Run | `run.json`, `netlist.toml` | what the circuit is, how it was run and how that ended |
//! | Measures | `run.json` | one line a measure, with what the netlist expects of it |
//! | Circuit | `plots/circuit.svg` | the drawing that the run left, if it did |
//! | Spikes | `spikes.parquet` | a raster of the last second, a table and histograms by population, rates over time |
//! | Membrane potentials | `traces/…` | a panel a neuron over the same second, its spikes on top |
//! | Modulators | `traces/…` | steps over time |
//! | Learning | `Series` | curves over steps, logarithmic where they span more than a factor of 20 |
//! | Predictions | `Comparison` | truth and prediction over steps, against each other, and R² by dimension |
//! | Curves | `Curve` | all that share a horizontal axis in one plot |
//! | Matrices | `Matrix` | matrices of one shape side by side |
//! | Activity | `traces/…` | the last rows of each stage |
//! | Weights | `weights/…` | the last sample, some weights over time, receptive fields (images, if they look like it) |
//! | Stages, Files | `run.json` | how long each stage took; how to read the files |
//!
//! [`write_sweep`] does the same for the folder of a sweep (see [`crate::sweep`]): means and standard errors of its measures.
//!
//! # The sample of a comparison
//!
//! The file that [`MeasureReport::Comparison`] names as its `sample` is a matrix
//! of shape (2 · dimensions, steps), as [`RunDirectory::write_matrix`](crate::record::RunDirectory::write_matrix) writes
//! it: first a row of true values for each dimension, then a row of predicted values for each, in the same order. It holds
//! the first dimensions, at most 128, over the last steps that were compared, at most 400. A larger one is read too.
//!
//! # What can go wrong
//!
//! A file that is missing, damaged or too large becomes a remark where its figures would be. Only what is not a run
//! directory, or cannot be written to, is a [`ReportError`]. Values that are not finite are gaps. Memory is bounded: of
//! traces only the rows shown are kept, weights are read a sample at a time, and no single array above 50 MB is loaded.

mod activity;
mod clock;
mod comparisons;
mod curves;
mod drawing;
mod ellipses;
mod error;
mod fields;
mod files;
mod html;
mod images;
mod learning;
mod matrices;
mod overlay;
mod overview;
pub mod page;
mod pictures;
pub mod plot;
mod run;
mod spikes;
mod style;
mod sweep;
mod trace_tail;
mod weights;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

pub use error::ReportError;
pub use overlay::Overlay;
pub use sweep::write_sweep;
pub(crate) use words::with_error;

use self::page::{Page, Section};
use self::run::Run;
use crate::record::{MeasureReport, RunDirectory};

/// The stem of the circuit's drawing, which is the run's and not ours to write.
const CIRCUIT: &str = "circuit";

/// A report, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The page. Each of its figures has a name of its own, of which the name of its file is made.
    pub page: Page,
    /// What could not be shown, and why: also in the page, where it is missed. The warnings of the run are not among them.
    pub notes: Vec<String>,
}

/// Makes the report of the run in `directory`; writes nothing.
///
/// # Errors
///
/// [`ReportError`] if `directory` is not that of a run, or its `run.json` cannot be read.
pub fn build(directory: &Path) -> Result<Built, ReportError> {
    build_with(directory, &[])
}

/// As [`build`], with reference curves in the plots of measures.
///
/// # Errors
///
/// As [`build`], and for a curve over a measure that has no plot.
pub fn build_with(directory: &Path, overlays: &[Overlay]) -> Result<Built, ReportError> {
    let mut run = Run::open(directory)?;
    let measures = run.report.measures.iter();
    let plotted = measures.filter(|(_, m)| {
        matches!(
            m,
            MeasureReport::Series { .. } | MeasureReport::Curve { .. }
        )
    });
    Overlay::check(overlays, plotted.map(|(name, _)| name.as_str()))?;
    run.overlays = overlays.to_vec();
    let spikes = spikes::Spikes::of(&run);
    let sections = [
        overview::run_section(&run),
        overview::measures_section(&run),
        drawing::section(&run),
        spikes::section(&run, &spikes),
        spikes::membranes_section(&run, &spikes),
        spikes::modulators_section(&run, &spikes),
        learning::section(&run),
        comparisons::section(&run),
        curves::section(&run),
        ellipses::section(&run),
        images::section(&run),
        matrices::section(&run),
        activity::section(&run),
        weights::section(&run),
        files::stages_section(&run),
        files::files_section(&run),
    ];
    let mut page = Page {
        title: overview::title(&run),
        subtitle: overview::subtitle(&run),
        alerts: overview::alerts(&run),
        sections: sections.into_iter().filter(shows_something).collect(),
    };
    make_names_distinct(&mut page);
    let notes = page.sections.iter().flat_map(|section| &section.notes);
    let is_own = |note: &&String| !run.report.warnings.contains(*note);
    Ok(Built {
        notes: notes.filter(is_own).cloned().collect(),
        page,
    })
}

/// Makes the report of the run in `directory` and writes it there; returns where the page is.
///
/// # Errors
///
/// As [`build`], and if a file cannot be written.
pub fn write(directory: &Path) -> Result<PathBuf, ReportError> {
    write_with(directory, &[])
}

/// As [`write()`], with reference curves in the plots of measures.
///
/// # Errors
///
/// As [`build_with`], and if a file cannot be written.
pub fn write_with(directory: &Path, overlays: &[Overlay]) -> Result<PathBuf, ReportError> {
    let built = build_with(directory, overlays)?;
    let target = RunDirectory::open(directory)?;
    write_page(&target, &built.page)?;
    Ok(directory.join("report.html"))
}

/// Writes a page, and its figures once more as files.
fn write_page(target: &RunDirectory, page: &Page) -> Result<(), ReportError> {
    let figures = page.sections.iter().flat_map(|s| &s.figures);
    for figure in figures.filter(|figure| figure.name != CIRCUIT) {
        target.write_plot(&figure.name, "svg", figure.svg.as_bytes())?;
    }
    Ok(target.write_report(&page.html())?)
}

fn shows_something(section: &Section) -> bool {
    let table = section.table.as_ref().is_some_and(|rows| !rows.is_empty());
    table
        || section.grid.is_some()
        || !(section.text.is_empty() && section.notes.is_empty() && section.figures.is_empty())
}

/// Two figures of one name would share a file.
fn make_names_distinct(page: &mut Page) {
    let mut taken = HashSet::new();
    for figure in page.sections.iter_mut().flat_map(|s| &mut s.figures) {
        let wish = figure.name.clone();
        let mut n = 1;
        while !taken.insert(figure.name.clone()) {
            n += 1;
            figure.name = format!("{wish}-{n}");
        }
    }
}
