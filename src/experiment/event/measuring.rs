//! Measures of an event circuit while it runs.

use indexmap::IndexMap;

use super::measures::{Comparing, TimedKind, TimedMeasure};
use crate::compile::{Expr, Reading};
use crate::engine::event::sampler::{Sampler, Source};
use crate::engine::event::simulation::View;
use crate::engine::event::time::{NEVER, PS_PER_MS, after, to_ms};
use crate::experiment::findings::mean_report;
use crate::lang::scope::Counted;
use crate::lang::walk::walk;
use crate::measure::{PairCorrelation, RSquared, SpikeStatistics, TimeMean};
use crate::netlist::model::SpikeStatistic;
use crate::record::{MeasureReport, Spike};

/// All measures, and which of them look at present.
#[derive(Debug)]
pub(super) struct Measuring {
    all: Vec<Accumulator>,
    /// Those that look in the present stage.
    looking: Vec<usize>,
}

#[derive(Debug)]
enum Accumulator {
    Mean(TimeMean),
    Compared(Compared),
    Spikes(Counting),
    /// When a stage ended (ps), and what was found.
    Weights(Vec<(i64, f64)>),
}

/// Two numbers that are sampled.
#[derive(Debug)]
struct Compared {
    how: Comparing,
    samplers: Vec<Sampler>,
    every: i64,
    /// When the next sample is due (ps).
    next: i64,
    correlation: PairCorrelation,
    r_squared: RSquared,
    found: Vec<(i64, f64)>,
}

/// Spikes of a population within a window.
#[derive(Debug)]
struct Counting {
    population: usize,
    neurons: usize,
    statistic: SpikeStatistic,
    window: Option<i64>,
    begun: i64,
    spikes: SpikeStatistics,
    found: Vec<(i64, f64)>,
}

impl Measuring {
    /// Nothing has been measured yet; `sizes` are the sizes of the populations.
    pub fn new(measures: &[TimedMeasure], sizes: &[usize]) -> Measuring {
        Measuring {
            all: measures
                .iter()
                .map(|m| Accumulator::new(m, sizes))
                .collect(),
            looking: vec![],
        }
    }

    /// A stage begins at a time (ps).
    pub fn open(&mut self, looking: Vec<usize>, time: i64) {
        for index in &looking {
            match &mut self.all[*index] {
                Accumulator::Mean(mean) => mean.open(time),
                Accumulator::Compared(compared) => compared.open(time),
                Accumulator::Spikes(counting) => counting.open(time),
                Accumulator::Weights(_) => {}
            }
        }
        self.looking = looking;
    }

    /// Modulators have these values from a time (ps) on.
    pub fn change(&mut self, measures: &[TimedMeasure], time: i64, view: &View<'_>) {
        for index in &self.looking {
            let TimedKind::Mean { of, when, .. } = &measures[*index].kind else {
                continue;
            };
            let counts = when.as_ref().is_none_or(|when| value(when, view) != 0.0);
            if let Accumulator::Mean(mean) = &mut self.all[*index] {
                mean.change(time, counts.then(|| value(of, view)));
            }
        }
    }

    /// A neuron spikes.
    pub fn spike(&mut self, spike: Spike) {
        for index in &self.looking {
            if let Accumulator::Spikes(counting) = &mut self.all[*index] {
                counting.spike(spike);
            }
        }
    }

    /// When the next sample is due (ps).
    pub fn next_sample(&self) -> i64 {
        let next = |index: &usize| match &self.all[*index] {
            Accumulator::Compared(compared) => compared.next,
            _ => NEVER,
        };
        self.looking.iter().map(next).min().unwrap_or(NEVER)
    }

    /// The time (ps) of a sample.
    pub fn sample(&mut self, time: i64, view: &View<'_>) {
        for index in &self.looking {
            if let Accumulator::Compared(compared) = &mut self.all[*index] {
                compared.sample(time, view);
            }
        }
    }

    /// The stage ends at a time (ps).
    pub fn close(&mut self, measures: &[TimedMeasure], time: i64, view: &View<'_>) {
        let mut buffer = Vec::new();
        for index in self.looking.drain(..) {
            match (&mut self.all[index], &measures[index].kind) {
                (Accumulator::Mean(mean), _) => mean.close(time),
                (Accumulator::Compared(compared), _) => compared.close(time),
                (Accumulator::Spikes(counting), _) => counting.close(time),
                (
                    Accumulator::Weights(found),
                    TimedKind::MeanWeight {
                        projection,
                        elements,
                    },
                ) => {
                    view.weights(*projection, &mut buffer);
                    found.push((time, mean_of(&buffer, elements.as_deref())));
                }
                _ => {}
            }
        }
    }

    /// What was found.
    pub fn reports(&self, measures: &[TimedMeasure]) -> IndexMap<String, MeasureReport> {
        let report = |(measure, accumulator): (&TimedMeasure, &Accumulator)| {
            let (found, unit) = accumulator.found();
            let found = found.iter().map(|(t, x)| (to_ms(*t) as u64, *x));
            let found: Vec<(u64, f64)> = found.collect();
            let expect = measure.note.expect.clone();
            let mut report = mean_report(&found, &measure.during, expect).along("time (ms)");
            if let MeasureReport::Number { unit: of, .. } = &mut report {
                *of = unit.map(str::to_owned);
            }
            (measure.name.clone(), report)
        };
        measures.iter().zip(&self.all).map(report).collect()
    }
}

/// A number made of modulators.
fn value(expr: &Expr, view: &View<'_>) -> f64 {
    let read = |symbol| match expr.reading(symbol) {
        Some(reading @ Reading::Modulator(_)) => view.read(reading, 0),
        _ => f64::NAN,
    };
    let formula = &expr.formula;
    walk(&formula.graph, formula.root, &read, &|_| f64::NAN)
}

fn mean_of(weights: &[f64], elements: Option<&[usize]>) -> f64 {
    match elements {
        None => weights.iter().sum::<f64>() / weights.len() as f64,
        Some(some) => {
            let chosen = some.iter().filter_map(|e| weights.get(*e));
            chosen.sum::<f64>() / some.len() as f64
        }
    }
}

impl Accumulator {
    fn new(measure: &TimedMeasure, sizes: &[usize]) -> Self {
        match &measure.kind {
            TimedKind::Mean { window, .. } => Accumulator::Mean(TimeMean::new(*window)),
            TimedKind::Compared { how, of, every } => {
                let sampler = |expr: &Expr| Sampler::new(expr.clone(), to_ms(*every));
                Accumulator::Compared(Compared {
                    how: *how,
                    samplers: of.iter().map(sampler).collect(),
                    every: *every,
                    next: NEVER,
                    correlation: PairCorrelation::default(),
                    r_squared: RSquared::default(),
                    found: vec![],
                })
            }
            TimedKind::Spikes {
                population,
                statistic,
                window,
            } => {
                let neurons = sizes.get(*population).copied().unwrap_or(0);
                Accumulator::Spikes(Counting {
                    population: *population,
                    neurons,
                    statistic: *statistic,
                    window: *window,
                    begun: 0,
                    spikes: SpikeStatistics::new(neurons),
                    found: vec![],
                })
            }
            TimedKind::MeanWeight { .. } => Accumulator::Weights(vec![]),
        }
    }

    /// When each value was found (ps), the values, and their unit.
    fn found(&self) -> (&[(i64, f64)], Option<&str>) {
        match self {
            Accumulator::Mean(mean) => (mean.found(), None),
            Accumulator::Compared(compared) => (&compared.found, None),
            Accumulator::Weights(found) => (found, None),
            Accumulator::Spikes(counting) => {
                let rate = matches!(counting.statistic, SpikeStatistic::Rate(_));
                (&counting.found, rate.then_some("Hz"))
            }
        }
    }
}

impl Compared {
    fn open(&mut self, time: i64) {
        let late = time.rem_euclid(self.every);
        self.next = if late == 0 {
            time
        } else {
            time - late + self.every
        };
        let lag = match self.how {
            Comparing::Correlation(lag) => lag,
            Comparing::RSquared => 0,
        };
        self.correlation = PairCorrelation::new(lag);
        self.r_squared.reset();
    }

    fn sample(&mut self, time: i64, view: &View<'_>) {
        if self.next > time {
            return;
        }
        self.next = after(self.next, self.every);
        let [of, with, when @ ..] = self.samplers.as_mut_slice() else {
            return;
        };
        let (x, y) = (of.sample(view), with.sample(view));
        match self.how {
            Comparing::RSquared => self.r_squared.add(&[x], &[y]),
            Comparing::Correlation(_) => {
                let counts = when.first_mut().is_none_or(|w| w.sample(view) != 0.0);
                self.correlation.add(x, y, counts);
            }
        }
    }

    fn close(&mut self, time: i64) {
        let value = match self.how {
            Comparing::Correlation(_) => self.correlation.correlation(),
            Comparing::RSquared => self.r_squared.pooled(),
        };
        self.found.push((time, value));
        self.next = NEVER;
    }
}

impl Counting {
    fn open(&mut self, time: i64) {
        self.begun = time;
        self.spikes = SpikeStatistics::new(self.neurons);
    }

    fn spike(&mut self, spike: Spike) {
        if usize::from(spike.population) == self.population {
            self.advance(spike.time_ps);
            self.spikes.add(spike.time_ps, spike.neuron, spike.kind);
        }
    }

    /// Ends the windows that are over at a time (ps).
    fn advance(&mut self, time: i64) {
        while let Some(end) = self.window.map(|w| after(self.begun, w)) {
            if end > time {
                return;
            }
            self.end_window(end);
        }
    }

    fn end_window(&mut self, end: i64) {
        let length_ms = (end - self.begun) as f64 / PS_PER_MS;
        let summary = self.spikes.summary(length_ms);
        let count = |counted: Counted| match counted {
            Counted::Spikes => summary.spikes as f64,
            Counted::Events => self.spikes.events() as f64,
            Counted::Bursts => summary.bursts as f64,
        };
        let value = match self.statistic {
            SpikeStatistic::Count(counted) => count(counted),
            SpikeStatistic::Rate(counted) => {
                1000.0 * count(counted) / self.neurons as f64 / length_ms
            }
            SpikeStatistic::IsiCv => summary.mean_isi_cv,
            SpikeStatistic::BurstFraction => summary.burst_fraction,
        };
        self.found.push((end, value));
        self.open(end);
    }

    fn close(&mut self, time: i64) {
        self.advance(time);
        if time > self.begun {
            self.end_window(time);
        }
    }
}
