//! Measures of an event circuit, compiled.

use super::plan::unknown;
use crate::circuit::Circuit;
use crate::compile::expressions::read;
use crate::compile::scope::{Place, PlaceScope};
use crate::compile::{Expr, Reading};
use crate::engine::event::time::from_ms;
use crate::lang::Shape;
use crate::netlist::model::{
    Duration, Expression, Measure, MeasureKind, ModulatorDrive, Name, SpikeStatistic,
};
use crate::record::MeasureNote;
use crate::source::{Problem, Span, Spanned};

/// A measure.
#[derive(Debug, Clone)]
pub struct TimedMeasure {
    /// Its name.
    pub name: String,
    /// What it computes.
    pub kind: TimedKind,
    /// Stages in which it looks; all if empty.
    pub during: Vec<String>,
    /// What the netlist says about it.
    pub note: MeasureNote,
}

/// What a measure computes.
#[derive(Debug, Clone)]
pub enum TimedKind {
    /// A mean over time.
    Mean {
        /// A number made of modulators.
        of: Box<Expr>,
        /// It counts while this is not 0.
        when: Option<Box<Expr>>,
        /// Length of a window (ps); the whole stage if `None`.
        window: Option<i64>,
    },
    /// Two numbers that are sampled and compared.
    Compared {
        /// How.
        how: Comparing,
        /// The numbers; then, where only some samples count, what is not 0 there.
        of: Vec<Expr>,
        /// Time between samples (ps).
        every: i64,
    },
    /// Spikes that are counted.
    Spikes {
        /// The population.
        population: usize,
        /// What is made of them.
        statistic: SpikeStatistic,
        /// Length of a window (ps); the whole stage if `None`.
        window: Option<i64>,
    },
    /// The mean of some weights at the end of a stage.
    MeanWeight {
        /// The projection.
        projection: usize,
        /// Which weights, as they are listed; all if `None`.
        elements: Option<Vec<usize>>,
    },
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparing {
    /// Their correlation, the second one taken so many samples earlier.
    Correlation(usize),
    /// What share of the variance of the first one the second explains.
    RSquared,
}

impl TimedMeasure {
    /// The population whose spikes it counts.
    pub fn counts(&self) -> Option<usize> {
        match self.kind {
            TimedKind::Spikes { population, .. } => Some(population),
            _ => None,
        }
    }

    /// What it samples.
    pub fn sampled(&self) -> &[Expr] {
        match &self.kind {
            TimedKind::Compared { of, .. } => of,
            _ => &[],
        }
    }
}

/// Compiles a measure.
///
/// # Errors
/// If it is of a kind that spiking neurons do not have, or reads what it cannot.
pub(super) fn compile(
    measure: &Measure,
    during: Vec<String>,
    circuit: &Circuit,
) -> Result<TimedMeasure, Vec<Problem>> {
    let length = |every: &Spanned<Duration>| match every.value {
        Duration::Time(time) => from_ms(time.value),
        Duration::Steps(steps) => from_ms(steps as f64 * circuit.step_length().value),
    };
    let window = |every: &Option<Spanned<Duration>>| every.as_ref().map(|e| length(e).max(1));
    let kind = match &measure.kind {
        MeasureKind::Mean { of, when, every } => TimedKind::Mean {
            of: held(of, circuit)?.into(),
            when: match when {
                Some(when) => Some(held(when, circuit)?.into()),
                None => None,
            },
            window: window(every),
        },
        MeasureKind::Correlation {
            of,
            with,
            when,
            every,
            lag,
        } => {
            let every = length(every).max(1);
            let lag = match lag {
                None => 0,
                Some(lag) => samples(length(lag), every, lag.span)?,
            };
            let texts = [of, with].into_iter().chain(when);
            let of: Result<_, _> = texts.map(|text| sampled(text, circuit)).collect();
            TimedKind::Compared {
                how: Comparing::Correlation(lag),
                of: of?,
                every,
            }
        }
        MeasureKind::RSquared {
            truth,
            prediction,
            every,
            ..
        } => {
            let Some(every) = every else {
                let message = "an r-squared of spiking neurons needs `every`: how often it looks";
                let problem = Problem::new(message, measure.span, "without `every`");
                return Err(vec![problem.help("add for example every = \"1 ms\"")]);
            };
            let of = [sampled(truth, circuit)?, sampled(prediction, circuit)?];
            same_dimension(&of, prediction.span)?;
            TimedKind::Compared {
                how: Comparing::RSquared,
                of: of.into(),
                every: length(every).max(1),
            }
        }
        MeasureKind::Spikes {
            of,
            statistic,
            every,
        } => TimedKind::Spikes {
            population: population(of, circuit)?,
            statistic: *statistic,
            window: window(every),
        },
        MeasureKind::MeanWeight { of, elements } => mean_weight(of, elements.as_deref(), circuit)?,
        _ => return Err(vec![other_kind(measure)]),
    };
    Ok(TimedMeasure {
        name: measure.name.value.clone(),
        kind,
        during,
        note: MeasureNote {
            about: measure.about.clone(),
            expect: measure.expect.clone(),
        },
    })
}

/// A kind that only rate circuits have.
fn other_kind(measure: &Measure) -> Problem {
    let message = "this kind of measure is for rate circuits";
    let problem = Problem::new(message, measure.span, "a circuit of spiking neurons");
    problem.help(
        "here there are mean, correlation, r-squared, rate, spike-count, isi-cv, burst-fraction and mean-weight; \
         the report has statistics of what is recorded",
    )
}

/// A lag as a number of samples.
fn samples(lag: i64, every: i64, span: Span) -> Result<usize, Vec<Problem>> {
    if lag % every == 0 {
        return Ok((lag / every) as usize);
    }
    let message = "a lag is a whole number of samples";
    let problem = Problem::new(message, span, "lies between two samples");
    Err(vec![problem.help("make it a multiple of `every`")])
}

fn same_dimension(of: &[Expr; 2], span: Span) -> Result<(), Vec<Problem>> {
    let [truth, prediction] = of.each_ref().map(|expr| expr.formula.dimension);
    match (truth, prediction) {
        (Some(a), Some(b)) if a != b => {
            let message = format!(
                "the truth is {}, the prediction {}",
                a.in_words(),
                b.in_words()
            );
            let problem = Problem::new(message, span, "units clash");
            Err(vec![
                problem.help("multiply or divide one of them by a quantity"),
            ])
        }
        _ => Ok(()),
    }
}

fn population(name: &Name, circuit: &Circuit) -> Result<usize, Vec<Problem>> {
    let known = circuit.populations.iter().map(|p| p.name.as_str());
    match circuit.population_named(&name.value) {
        Some(id) => Ok(id.0 as usize),
        None => Err(unknown(circuit, "population", name, known.collect())
            .into_iter()
            .collect()),
    }
}

fn mean_weight(
    name: &Name,
    elements: Option<&[u64]>,
    circuit: &Circuit,
) -> Result<TimedKind, Vec<Problem>> {
    let mut all = circuit.projections.iter();
    let Some(projection) = all.position(|p| p.name == name.value) else {
        let known = circuit.projections.iter().map(|p| p.name.as_str());
        let told = unknown(circuit, "projection", name, known.collect());
        return Err(told.into_iter().collect());
    };
    let count = circuit.projections[projection].connectivity.count();
    let beyond = elements.and_then(|e| e.iter().find(|e| **e >= count as u64));
    if let Some(beyond) = beyond {
        let message = match count {
            0 => format!("there is no weight {beyond}: there are none"),
            _ => format!("there is no weight {beyond}: they are 0 to {}", count - 1),
        };
        return Err(vec![Problem::new(message, name.span, "has fewer")]);
    }
    let elements = elements.map(|list| list.iter().map(|e| *e as usize).collect());
    Ok(TimedKind::MeanWeight {
        projection,
        elements,
    })
}

/// A number that is constant between changes of modulators.
fn held(text: &Expression, circuit: &Circuit) -> Result<Expr, Vec<Problem>> {
    let expr = number(text, circuit)?;
    let constant = |reading: &Reading| match reading {
        Reading::Modulator(id) => {
            let drive = &circuit.modulators[id.0 as usize].drive;
            !matches!(drive, ModulatorDrive::Released { .. })
        }
        _ => false,
    };
    if expr.formula.filters.is_empty() && expr.readings.iter().all(constant) {
        return Ok(expr);
    }
    let message = "a mean over time reads modulators that hold between changes";
    let problem = Problem::new(message, text.span, "changes all the time");
    Err(vec![problem.help(
        "sample it: a modulator with value = \"…\" and every = \"1 ms\", which the measure reads",
    )])
}

/// A number that can be sampled.
fn sampled(text: &Expression, circuit: &Circuit) -> Result<Expr, Vec<Problem>> {
    let expr = number(text, circuit)?;
    if expr.readings.iter().all(Reading::can_be_sampled) {
        return Ok(expr);
    }
    let message = "a measure of spiking neurons reads voltages, rates, inputs, modulators and time";
    let problem = Problem::new(message, text.span, "something else");
    Err(vec![problem.help(
        "read the voltage of a compartment, such as mean(cells.soma), or rate(cells)",
    )])
}

fn number(text: &Expression, circuit: &Circuit) -> Result<Expr, Vec<Problem>> {
    let (expr, _) = read(text, PlaceScope::new(circuit, Place::Broadcast, None))?;
    match expr.formula.shape() {
        Shape::Vector(size) if size > 1 => {
            let problem = Problem::new("this takes one number", text.span, "a vector");
            Err(vec![problem.help("reduce it with sum(…) or mean(…)")])
        }
        _ => Ok(expr),
    }
}
