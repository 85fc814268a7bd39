//! Measures of an event circuit: means over time of modulators.

use indexmap::IndexMap;

use super::EventExperiment;
use crate::circuit::Circuit;
use crate::compile::expressions::read;
use crate::compile::scope::{Place, PlaceScope};
use crate::compile::{Expr, Reading};
use crate::engine::event::simulation::View;
use crate::engine::event::time::{from_ms, to_ms};
use crate::experiment::findings::mean_report;
use crate::lang::Shape;
use crate::lang::walk::walk;
use crate::measure::TimeMean;
use crate::netlist::model::{Duration, Expression, Measure, MeasureKind, ModulatorDrive};
use crate::record::{MeasureNote, MeasureReport};
use crate::source::Problem;

/// A mean over time.
#[derive(Debug, Clone)]
pub struct TimedMeasure {
    /// Its name.
    pub name: String,
    /// A number made of modulators.
    pub of: Expr,
    /// It counts while this is not 0.
    pub when: Option<Expr>,
    /// Length of a window (ps); the whole stage if `None`.
    pub window: Option<i64>,
    /// Stages in which it looks; all if empty.
    pub during: Vec<String>,
    /// What the netlist says about it.
    pub note: MeasureNote,
}

/// Compiles a measure.
///
/// # Errors
/// If it is of another kind than `mean`, or reads something that is not constant between changes.
pub(super) fn compile(
    measure: &Measure,
    during: Vec<String>,
    circuit: &Circuit,
) -> Result<TimedMeasure, Vec<Problem>> {
    let MeasureKind::Mean { of, when, every } = &measure.kind else {
        let message = "this kind of measure is for rate circuits";
        let problem = Problem::new(message, measure.span, "a circuit of spiking neurons");
        return Err(vec![problem.help("kind = \"mean\" of a modulator goes with both; record spikes, traces or weights: the report has their statistics")]);
    };
    let window = every.as_ref().map(|every| match every.value {
        Duration::Time(time) => from_ms(time.value).max(1),
        Duration::Steps(steps) => from_ms(steps as f64 * circuit.step_length().value).max(1),
    });
    Ok(TimedMeasure {
        name: measure.name.value.clone(),
        of: number(of, circuit)?,
        when: when.as_ref().map(|w| number(w, circuit)).transpose()?,
        window,
        during,
        note: MeasureNote {
            about: measure.about.clone(),
            expect: measure.expect.clone(),
        },
    })
}

/// A number that is constant between changes of modulators.
fn number(text: &Expression, circuit: &Circuit) -> Result<Expr, Vec<Problem>> {
    let (expr, _) = read(text, PlaceScope::new(circuit, Place::Broadcast, None))?;
    let constant = |reading: &Reading| match reading {
        Reading::Modulator(id) => {
            let drive = &circuit.modulators[id.0 as usize].drive;
            !matches!(drive, ModulatorDrive::Released { .. })
        }
        _ => false,
    };
    let problem = if matches!(expr.formula.shape(), Shape::Vector(_)) {
        Problem::new("this takes one number", text.span, "a vector")
            .help("reduce it with sum(…) or mean(…) in a modulator")
    } else if !expr.formula.filters.is_empty() || !expr.readings.iter().all(constant) {
        let message = "a measure of spiking neurons reads modulators that hold between changes";
        Problem::new(message, text.span, "changes all the time").help(
            "sample it: a modulator with value = \"…\" and every = \"1 ms\", which the measure reads",
        )
    } else {
        return Ok(expr);
    };
    Err(vec![problem])
}

/// Measures while a run goes on.
#[derive(Debug)]
pub(super) struct Measuring {
    means: Vec<TimeMean>,
    /// Those that look in the present stage.
    looking: Vec<usize>,
}

impl Measuring {
    pub fn new(measures: &[TimedMeasure]) -> Measuring {
        Measuring {
            means: measures.iter().map(|m| TimeMean::new(m.window)).collect(),
            looking: vec![],
        }
    }

    /// A stage begins at a time (ps).
    pub fn open(&mut self, looking: Vec<usize>, time: i64) {
        for index in &looking {
            self.means[*index].open(time);
        }
        self.looking = looking;
    }

    /// Modulators have these values from a time (ps) on.
    pub fn change(&mut self, experiment: &EventExperiment, time: i64, view: &View<'_>) {
        for index in &self.looking {
            let measure = &experiment.measures[*index];
            let value = |expr: &Expr| {
                let read = |symbol| match expr.reading(symbol) {
                    Some(Reading::Modulator(id)) => view.modulator(id.0 as usize),
                    _ => f64::NAN,
                };
                let formula = &expr.formula;
                walk(&formula.graph, formula.root, &read, &|_| f64::NAN)
            };
            let counts = measure.when.as_ref().is_none_or(|when| value(when) != 0.0);
            self.means[*index].change(time, counts.then(|| value(&measure.of)));
        }
    }

    /// The stage ends at a time (ps).
    pub fn close(&mut self, time: i64) {
        for index in self.looking.drain(..) {
            self.means[index].close(time);
        }
    }

    /// What was found.
    pub fn reports(&self, measures: &[TimedMeasure]) -> IndexMap<String, MeasureReport> {
        let report = |(measure, mean): (&TimedMeasure, &TimeMean)| {
            let found = mean.found().iter();
            let found: Vec<(u64, f64)> = found.map(|(t, x)| (to_ms(*t) as u64, *x)).collect();
            let report = mean_report(&found, &measure.during, measure.note.expect.clone());
            (measure.name.clone(), report.along("time (ms)"))
        };
        measures.iter().zip(&self.means).map(report).collect()
    }
}
