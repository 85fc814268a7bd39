//! What tests of the event engine share: a circuit from text, run, with all that it emits.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses some of it, and tests panic"
)]

use std::path::Path;
use std::sync::Arc;

use apical::circuit::Circuit;
use apical::compile::event::EventProgram;
use apical::engine::event::simulation::{Observer, Simulation, View};
use apical::engine::event::time::{NEVER, from_ms};
use apical::engine::event::turn::Emitted;
use apical::experiment::{RunOptions, Runnable, Silent};
use apical::input::DataPaths;
use apical::netlist::{LoadOptions, parse};
use apical::record::RunReport;

/// A netlist's text below the usual head.
pub fn head(text: &str) -> String {
    format!(
        "use = [\"lif\", \"sources\", \"pyramidal\", \"stdp\", \"dendritic-prediction\", \"burst\", \"homeostasis\"]\n[circuit]\nname = \"test\"\nseed = 1\n{text}"
    )
}

/// Where files are looked for.
pub fn paths() -> DataPaths {
    DataPaths {
        netlist: Path::new(".").to_owned(),
        data: None,
    }
}

/// Compiles a netlist's text, below the usual head.
pub fn program(text: &str) -> Arc<EventProgram> {
    let text = head(text);
    let netlist =
        parse("test.toml", &text, &LoadOptions::default()).unwrap_or_else(|e| panic!("{e:?}"));
    let (circuit, problems) = Circuit::build(&netlist, &paths());
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(EventProgram::new(&netlist, circuit).unwrap_or_else(|e| panic!("{e:?}")))
}

/// Keeps everything.
#[derive(Default)]
pub struct Everything {
    pub emitted: Vec<Emitted>,
    /// Sampled variables: population, neuron, variable.
    pub sampled: Vec<(usize, usize, usize)>,
    /// Time between samples (ps), and when the next one is due.
    pub every: Option<i64>,
    pub next: i64,
    pub samples: Vec<(i64, Vec<f64>)>,
    /// Projections whose weights are sampled at the same times, and modulators.
    pub projections: Vec<usize>,
    pub weights: Vec<(i64, Vec<Vec<f64>>)>,
    pub modulators: Vec<usize>,
    pub levels: Vec<Vec<f64>>,
}

impl Observer for Everything {
    fn spikes(&mut self, emitted: &[Emitted]) {
        self.emitted.extend_from_slice(emitted);
    }

    fn next_sample(&self) -> i64 {
        self.every.map_or(NEVER, |_| self.next)
    }

    fn sample(&mut self, time: i64, view: &View<'_>) {
        let values = self
            .sampled
            .iter()
            .map(|(p, n, v)| view.value(*p, *n, *v))
            .collect();
        self.samples.push((time, values));
        let weights = |projection: &usize| {
            let mut weights = Vec::new();
            view.weights(*projection, &mut weights);
            weights
        };
        self.weights
            .push((time, self.projections.iter().map(weights).collect()));
        self.levels
            .push(self.modulators.iter().map(|m| view.modulator(*m)).collect());
        self.next = time + self.every.unwrap_or(1);
    }
}

/// Runs a circuit for so long (ms) on so many threads.
pub fn run_on(program: &Arc<EventProgram>, ms: f64, threads: usize) -> Vec<Emitted> {
    let mut simulation = Simulation::new(program.clone(), threads).unwrap();
    let mut all = Everything::default();
    simulation.run_until(from_ms(ms), &mut all).unwrap();
    all.emitted
}

/// Runs a circuit for so long (ms).
pub fn run(program: &Arc<EventProgram>, ms: f64) -> Vec<Emitted> {
    run_on(program, ms, 1)
}

/// Runs a circuit and samples variables (population, neuron, variable) every so often (ms).
pub fn sampled(
    program: &Arc<EventProgram>,
    ms: f64,
    every: f64,
    what: &[(usize, usize, usize)],
) -> Everything {
    let mut simulation = Simulation::new(program.clone(), 1).unwrap();
    let mut all = Everything {
        sampled: what.to_vec(),
        every: Some(from_ms(every)),
        ..Everything::default()
    };
    simulation.run_until(from_ms(ms) + 1, &mut all).unwrap();
    all
}

/// Runs a circuit for so long (ms) and samples the weights of a projection every so often (ms): times (ms) and weights.
pub fn with_weights(
    program: &Arc<EventProgram>,
    ms: f64,
    every: f64,
    projection: usize,
) -> (Vec<Emitted>, Vec<(f64, Vec<f64>)>) {
    let mut simulation = Simulation::new(program.clone(), 1).unwrap();
    let mut all = Everything {
        projections: vec![projection],
        every: Some(from_ms(every)),
        ..Everything::default()
    };
    simulation.run_until(from_ms(ms) + 1, &mut all).unwrap();
    let weights = all
        .weights
        .into_iter()
        .map(|(time, mut weights)| (time as f64 * 1e-9, weights.remove(0)));
    (all.emitted, weights.collect())
}

/// Why a netlist's text, below the usual head, is refused: all problems with their help.
pub fn refused(text: &str) -> String {
    let text = head(text);
    let netlist = match parse("test.toml", &text, &LoadOptions::default()) {
        Ok(netlist) => netlist,
        Err(problems) => return format!("{problems:?}"),
    };
    match Runnable::new(netlist, "test.toml", &DataPaths::default()) {
        Ok(_) => String::new(),
        Err(problems) => format!("{problems:?}"),
    }
}

/// Runs a whole netlist into a folder, `run` below the one that is given back.
pub fn report(text: &str) -> (RunReport, tempfile::TempDir) {
    let netlist = parse("test", text, &LoadOptions::default());
    let netlist = netlist.unwrap_or_else(|problems| panic!("{problems}"));
    let paths = DataPaths::default();
    let experiment = Runnable::new(netlist, "test", &paths);
    let experiment = experiment.unwrap_or_else(|problems| panic!("{problems}"));
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions::into(out.path().join("run"));
    (experiment.run(&options, &mut Silent).unwrap(), out)
}

/// Numbers that look random; the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

/// Times (ms) of the spikes of a neuron, by its number in the circuit.
pub fn times_of(emitted: &[Emitted], neuron: u32) -> Vec<f64> {
    emitted
        .iter()
        .filter(|e| e.neuron == neuron)
        .map(|e| e.time as f64 * 1e-9)
        .collect()
}
