//! The report of a sweep: means and standard errors over realizations, as a table and as plots.

mod axis;
mod curves;
mod overview;
mod scalars;

pub(super) use self::axis::SweptAxis;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use self::axis::short_names;
use super::overlay::Overlay;
use super::page::{Page, Section};
use super::run::{MeasureWords, NetlistWords};
use super::{ReportError, make_names_distinct, shows_something, write_page};
use crate::record::{MeasureNote, RunDirectory};
use crate::sweep::{Found, is_sweep, plain};

/// More curves than this cannot be told apart.
const MOST_CURVES: usize = 8;

/// Makes the tables and the report of the sweep in `directory`, of the points that are finished; returns where the page is.
///
/// # Errors
///
/// If `directory` is not that of a sweep, a curve is over a measure that has no plot, or a file cannot be written.
pub fn write_sweep(directory: &Path, overlays: &[Overlay]) -> Result<PathBuf, ReportError> {
    if !is_sweep(directory) {
        return Err(ReportError::no_run_json(directory));
    }
    let found = Found::open(directory)?;
    let view = View::new(&found, overlays);
    let scalars = found.scalars();
    let curves = found.curves();
    let names = scalars.iter().map(|m| m.name.as_str());
    let plotted = names.chain(curves.iter().map(|m| m.name.as_str()));
    if found.unfinished() < found.points.len() {
        Overlay::check(overlays, plotted)?;
    }
    found.write_tables()?;
    let sections: [Section; 5] = [
        overview::sweep_section(&view),
        overview::summary_section(&view, &scalars),
        scalars::section(&view, &scalars, &curves),
        curves::section(&view, &curves),
        overview::files_section(&view),
    ];
    let mut page = Page {
        title: overview::title(&view),
        subtitle: overview::subtitle(&view),
        alerts: overview::alerts(&view),
        sections: sections.into_iter().filter(shows_something).collect(),
    };
    make_names_distinct(&mut page);
    let target = RunDirectory::of_sweep(directory, false)?;
    write_page(&target, &page)?;
    Ok(directory.join("report.html"))
}

/// A sweep as its sections see it.
struct View<'a> {
    found: &'a Found,
    overlays: &'a [Overlay],
    netlist: NetlistWords,
    notes: IndexMap<String, MeasureNote>,
    /// Names of the parameters, as short as they can be told apart.
    names: Vec<String>,
    /// What the first parameter is as an axis.
    axis: Option<SweptAxis>,
}

impl<'a> View<'a> {
    fn new(found: &'a Found, overlays: &'a [Overlay]) -> Self {
        let text = std::fs::read_to_string(found.directory.join("netlist.toml"));
        let table = text.ok().and_then(|text| text.parse().ok());
        let parameters = &found.report.parameters;
        let names = short_names(parameters.iter().map(|p| p.path.as_str()));
        let first = parameters.first().zip(names.first());
        Self {
            axis: first.map(|(p, name)| SweptAxis::new(name, &p.values)),
            netlist: table.map(|t| NetlistWords::read(&t)).unwrap_or_default(),
            notes: found.notes(),
            found,
            overlays,
            names,
        }
    }

    fn combinations(&self) -> usize {
        self.found.report.combinations.len()
    }

    /// What a combination is called in words: `eta 0.1, size 20`.
    fn described(&self, combination: usize) -> String {
        let values = self.values(combination);
        let pairs = self.names.iter().zip(values);
        let texts: Vec<String> = pairs.map(|(n, v)| format!("{n} {}", plain(v))).collect();
        texts.join(", ")
    }

    /// What a combination is called in a legend, by its values from the parameter `from` on: `eta 0.1`, or of several
    /// parameters `0.1 · 20`.
    fn label(&self, combination: usize, from: usize) -> String {
        let values = self.values(combination).get(from..).unwrap_or_default();
        match (values, self.names.get(from)) {
            ([value], Some(name)) => format!("{name} {}", plain(value)),
            _ => {
                let values: Vec<String> = values.iter().map(|v| plain(v)).collect();
                values.join(" · ")
            }
        }
    }

    /// What the values in a legend are, where it does not say.
    fn legend(&self, from: usize) -> String {
        match self.names.get(from..) {
            Some(names) if names.len() > 1 => format!("Lines are named by {}", names.join(" · ")),
            _ => String::new(),
        }
    }

    fn values(&self, combination: usize) -> &[String] {
        let values = self.found.report.combinations.get(combination);
        values.map(|c| c.values.as_slice()).unwrap_or_default()
    }

    /// What the netlist says of a measure.
    fn words(&self, measure: &str) -> MeasureWords {
        let mut words = self.netlist.of_measure(measure);
        if let Some(noted) = self.notes.get(measure) {
            words.about = noted.about.clone().or(words.about);
            words.expect = noted.expect.clone().or(words.expect);
        }
        words
    }
}
