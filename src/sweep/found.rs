//! What a sweep has found so far, read back from its folder.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::error::SweepError;
use super::points::seed_of_realization;
use super::store::{SweepReport, finished, point_folder, read_report};
use super::table::tables;
use crate::record::{MeasureNote, MeasureReport, RecordError, RunDirectory, RunReport, StopReason};

/// A sweep and its points, finished or not.
#[derive(Debug)]
pub struct Found {
    /// The sweep's folder.
    pub directory: PathBuf,
    /// What was asked for.
    pub report: SweepReport,
    /// All points, in order.
    pub points: Vec<FoundPoint>,
}

/// A point.
#[derive(Debug)]
pub struct FoundPoint {
    /// The index of its combination.
    pub combination: usize,
    /// Its realization, from 0.
    pub realization: u64,
    /// Its seed.
    pub seed: u64,
    /// Its folder, relative to the sweep's.
    pub folder: String,
    /// What it found, once it is finished.
    pub run: Option<RunReport>,
}

impl FoundPoint {
    /// What it found, if it ran to its end.
    pub fn completed(&self) -> Option<&RunReport> {
        self.run
            .as_ref()
            .filter(|run| run.stop == StopReason::Completed)
    }
}

/// A measure with one number a point: of a series the last value.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarMeasure {
    /// Its name.
    pub name: String,
    /// By combination, the numbers of the points that ran to their end.
    pub values: Vec<Vec<f64>>,
}

/// A measure with a curve a point.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveMeasure {
    /// Its name.
    pub name: String,
    /// What the places are.
    pub x_label: String,
    /// What the values are; empty for a series, which is called by its name.
    pub y_label: String,
    /// By combination, places and values of the points that ran to their end.
    pub curves: Vec<Vec<(Vec<f64>, Vec<f64>)>>,
}

impl Found {
    /// Reads a sweep's folder.
    ///
    /// # Errors
    /// If `sweep.json` cannot be read. Points that are missing or damaged are just not finished.
    pub fn open(directory: &Path) -> Result<Self, RecordError> {
        let report = read_report(directory)?;
        let mut points = Vec::new();
        for (combination, one) in report.combinations.iter().enumerate() {
            for (realization, key) in one.points.iter().enumerate() {
                let realization = realization as u64;
                let seed = seed_of_realization(report.seed, realization).unwrap_or_default();
                points.push(FoundPoint {
                    combination,
                    realization,
                    seed,
                    folder: point_folder(key),
                    run: finished(directory, key, seed),
                });
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            report,
            points,
        })
    }

    /// Writes the tables of what is finished.
    ///
    /// # Errors
    /// If a file cannot be written, or one is there that Apical did not write.
    pub fn write_tables(&self) -> Result<(), SweepError> {
        let directory = RunDirectory::of_sweep(&self.directory, false)?;
        let tables = tables(self);
        for (stem, table) in [("sweep", &tables.points), ("sweep-curves", &tables.curves)] {
            let file = format!("{stem}.csv");
            let csv = table.csv().map_err(|e| failed(&file, &e))?;
            directory.write_file(&file, &csv)?;
            let file = format!("{stem}.parquet");
            let parquet = table.parquet().map_err(|e| failed(&file, &e))?;
            directory.write_file(&file, &parquet)?;
        }
        Ok(())
    }

    /// Points that are not finished.
    pub fn unfinished(&self) -> usize {
        self.points.iter().filter(|p| p.run.is_none()).count()
    }

    /// Points whose values left the finite numbers.
    pub fn not_finite(&self) -> impl Iterator<Item = &FoundPoint> {
        let failed = |r: &RunReport| matches!(r.stop, StopReason::NotFinite { .. });
        self.points
            .iter()
            .filter(move |p| p.run.as_ref().is_some_and(failed))
    }

    /// What the netlist says of its measures.
    pub fn notes(&self) -> IndexMap<String, MeasureNote> {
        let first = self.points.iter().find_map(|p| p.run.as_ref());
        first.map(|r| r.measure_notes.clone()).unwrap_or_default()
    }

    /// All measures with one number a point, in the order of the netlist.
    pub fn scalars(&self) -> Vec<ScalarMeasure> {
        let mut all: IndexMap<&str, Vec<Vec<f64>>> = IndexMap::new();
        self.each_measure(|combination, name, measure| {
            if let Some(value) = measure.headline() {
                let none = || vec![vec![]; self.report.combinations.len()];
                all.entry(name).or_insert_with(none)[combination].push(value);
            }
        });
        let measure = |(name, values): (&str, _)| ScalarMeasure {
            name: name.to_owned(),
            values,
        };
        all.into_iter().map(measure).collect()
    }

    /// All measures with a curve a point, in the order of the netlist.
    pub fn curves(&self) -> Vec<CurveMeasure> {
        let mut all: IndexMap<&str, CurveMeasure> = IndexMap::new();
        self.each_measure(|combination, name, measure| {
            let Some((x, y)) = curve(measure) else { return };
            let (x_label, y_label) = match measure {
                MeasureReport::Curve {
                    x_label, y_label, ..
                } => (x_label.as_str(), y_label.as_str()),
                MeasureReport::Series { x_label, .. } => (x_label.as_str(), ""),
                _ => ("", ""),
            };
            let empty = || CurveMeasure {
                name: name.to_owned(),
                x_label: x_label.to_owned(),
                y_label: y_label.to_owned(),
                curves: vec![vec![]; self.report.combinations.len()],
            };
            all.entry(name).or_insert_with(empty).curves[combination].push((x, y));
        });
        all.into_values().collect()
    }

    fn each_measure<'f>(&'f self, mut look: impl FnMut(usize, &'f str, &'f MeasureReport)) {
        for point in &self.points {
            for (name, measure) in point.completed().iter().flat_map(|r| &r.measures) {
                look(point.combination, name, measure);
            }
        }
    }
}

/// Places and values of a measure that has several.
pub(super) fn curve(measure: &MeasureReport) -> Option<(Vec<f64>, Vec<f64>)> {
    match measure {
        MeasureReport::Series { step, value, .. } => {
            let x = step.iter().map(|step| *step as f64).collect();
            Some((x, value.clone()))
        }
        MeasureReport::Curve { x, y, .. } => Some((x.clone(), y.clone())),
        _ => None,
    }
}

fn failed(file: &str, cause: &dyn std::error::Error) -> SweepError {
    SweepError::Table {
        file: file.to_owned(),
        cause: cause.to_string(),
    }
}
