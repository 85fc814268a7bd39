//! What the tests of the rate engine share: a circuit from a text, run step by step, and a look inside.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;

use apical::circuit::CompartmentId;
use apical::compile::plan::Activity;
use apical::compile::{Program, Weights};
use apical::engine::rate::{Observer, Settings, Simulation, State};
use apical::experiment::{Experiment, RunOptions, Silent};
use apical::input::DataPaths;
use apical::lang::vm::padded;
use apical::netlist::{self, LoadOptions};
use apical::record::{RunReport, StopReason};
use apical::source::Problems;
use tempfile::TempDir;

/// Compiles a netlist; its files would be in `folder`.
pub fn compile_in(text: &str, folder: &Path, seed: Option<u64>) -> Result<Experiment, Problems> {
    let netlist = netlist::parse("test.toml", text, &LoadOptions::default())?;
    Experiment::new(netlist, "test.toml", folder, seed)
}

/// Compiles a netlist that has to be right.
pub fn experiment(text: &str) -> Experiment {
    compile_in(text, Path::new("."), None).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

/// What is said of a netlist that has to be wrong.
pub fn message(text: &str) -> String {
    match compile_in(text, Path::new("."), None) {
        Ok(_) => panic!("compiles:\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

/// Options of a run into `run` in a folder.
pub fn options(folder: &TempDir, threads: usize) -> RunOptions {
    RunOptions {
        threads,
        ..RunOptions::into(folder.path().join("run"))
    }
}

/// Runs a netlist to its end, into `run` in a folder of its own.
pub fn run_with(text: &str, threads: usize) -> (TempDir, RunReport) {
    let folder = tempfile::tempdir().unwrap();
    let report = experiment(text).run(&options(&folder, threads), &mut Silent);
    let report = report.unwrap();
    assert_eq!(report.stop, StopReason::Completed);
    (folder, report)
}

/// A circuit with plain time, a step of 1 and nothing else.
pub fn plain(rest: &str) -> String {
    format!("[circuit]\nname = \"test\"\nstep = 1\n{rest}")
}

/// A simulation with everything switched on: all rules learn, all probes are read.
pub struct Bench {
    pub experiment: Experiment,
    pub simulation: Simulation,
}

impl Bench {
    pub fn new(text: &str) -> Bench {
        Bench::of(experiment(text), 1)
    }

    pub fn of(experiment: Experiment, threads: usize) -> Bench {
        let program = experiment.program.clone();
        let activity = Activity {
            learns: vec![true; program.rules.len()],
            probed: vec![true; program.probes.len()],
            measured: vec![true; program.measured.len()],
        };
        let mut simulation = Simulation::new(program, &DataPaths::default(), threads).unwrap();
        let settings = Settings {
            activity,
            ..Settings::default()
        };
        simulation.enter(&settings).unwrap();
        Bench {
            experiment,
            simulation,
        }
    }

    pub fn state(&self) -> &State {
        self.simulation.state()
    }

    /// Runs, and shows the state after each step.
    pub fn watch(&mut self, steps: u64, look: impl FnMut(&State)) {
        let result = self.simulation.run(steps, &mut Watch(look));
        assert_eq!(result, Ok(()));
    }

    /// Runs without looking.
    pub fn run(&mut self, steps: u64) {
        let result = self.simulation.run(steps, &mut Blind);
        assert_eq!(result, Ok(()));
    }

    /// What `read` finds after each step.
    pub fn series<T>(&mut self, steps: u64, read: impl Fn(&Program, &State) -> T) -> Vec<T> {
        let program = self.experiment.program.clone();
        let mut found = Vec::new();
        self.watch(steps, |state| found.push(read(&program, state)));
        found
    }

    /// Values of a compartment, `p.soma`.
    pub fn value(&self, name: &str) -> Vec<f64> {
        value(&self.experiment.program, self.state(), name)
    }

    /// Weights of a projection, presynaptic neuron by presynaptic neuron.
    pub fn weights(&self, name: &str) -> Vec<f64> {
        weights(&self.experiment.program, self.state(), name)
    }

    /// How `check` says that a projection learns.
    pub fn method(&self, name: &str) -> String {
        let explained = self.experiment.program.explain().projections;
        let found = explained.into_iter().find(|p| p.name == name);
        found.and_then(|p| p.method).unwrap_or_default()
    }
}

struct Watch<F>(F);

impl<F: FnMut(&State)> Observer for Watch<F> {
    fn step(&mut self, state: &State) {
        (self.0)(state);
    }

    fn every_step(&self) -> bool {
        true
    }

    fn progress(&mut self, _: u64) -> bool {
        true
    }
}

/// Somebody who never looks.
pub struct Blind;

impl Observer for Blind {
    fn step(&mut self, _: &State) {}

    fn every_step(&self) -> bool {
        false
    }

    fn progress(&mut self, _: u64) -> bool {
        true
    }
}

fn compartment(program: &Program, name: &str) -> CompartmentId {
    let circuit = &program.circuit;
    let named = |id: &CompartmentId| circuit.compartment_name(*id) == name;
    circuit.compartments().find(named).unwrap()
}

/// A vector of the state without its padding, replica after replica.
fn unpadded(program: &Program, values: &[f64], size: usize) -> Vec<f64> {
    assert_eq!(values.len(), padded(size) * program.layout.replicas);
    let replicas = values.chunks_exact(padded(size));
    replicas.flat_map(|r| r[..size].iter().copied()).collect()
}

/// Values of a compartment, `p.soma`, replica after replica.
pub fn value(program: &Program, state: &State, name: &str) -> Vec<f64> {
    let id = compartment(program, name);
    let size = program.circuit.population(id.population).size;
    let at = program.layout.values[&id].0 as usize;
    unpadded(program, &state.vectors[at], size)
}

/// The drive of a compartment, replica after replica.
pub fn drive(program: &Program, state: &State, name: &str) -> Vec<f64> {
    let id = compartment(program, name);
    let size = program.circuit.population(id.population).size;
    let at = program.layout.drives[&id].0 as usize;
    unpadded(program, &state.vectors[at], size)
}

/// Biases of a compartment.
pub fn bias(program: &Program, state: &State, name: &str) -> Vec<f64> {
    let id = compartment(program, name);
    let size = program.circuit.population(id.population).size;
    state.vectors[program.layout.biases[&id].0 as usize][..size].to_vec()
}

/// A modulator's value.
pub fn modulator(program: &Program, state: &State, name: &str) -> f64 {
    let id = program.circuit.modulator_named(name).unwrap();
    state.scalars[program.layout.modulator(id).0 as usize]
}

/// What the recorded trace of that number has in this step.
pub fn probe<'s>(experiment: &Experiment, state: &'s State, trace: usize) -> &'s [f64] {
    state.vector(experiment.program.probes[experiment.traces[trace].probe].what)
}

/// Weights of a projection without padding, presynaptic neuron by presynaptic neuron.
pub fn weights(program: &Program, state: &State, name: &str) -> Vec<f64> {
    let mut projections = program.circuit.projections.iter();
    let index = projections.position(|p| p.name == name).unwrap();
    let projection = &program.circuit.projections[index];
    let count = projection.connectivity.weights();
    let post = program.circuit.population(projection.to.population).size;
    let values = state.weights[index].values();
    match &state.weights[index] {
        Weights::Dense { .. } | Weights::Single { .. } => {
            let rows = values.chunks_exact(padded(post));
            rows.flat_map(|r| r[..post].iter().copied()).collect()
        }
        _ => values[..count].to_vec(),
    }
}

/// Synapses of a projection: presynaptic and postsynaptic neuron of each weight.
pub fn synapses(program: &Program, name: &str) -> Vec<(usize, usize)> {
    use apical::circuit::connect::Connectivity;
    let mut projections = program.circuit.projections.iter();
    let projection = projections.find(|p| p.name == name).unwrap();
    match &projection.connectivity {
        Connectivity::Dense { pre, post } => (0..*pre)
            .flat_map(|j| (0..*post).map(move |i| (j, i)))
            .collect(),
        Connectivity::OneToOne { size } => (0..*size).map(|i| (i, i)).collect(),
        Connectivity::Sparse(sparse) => (0..sparse.offsets.len() - 1)
            .flat_map(|j| {
                let row = &sparse.targets[sparse.offsets[j]..sparse.offsets[j + 1]];
                row.iter().map(move |i| (j, *i as usize))
            })
            .collect(),
        Connectivity::Convolution(_) | Connectivity::Tiling(_) => {
            panic!("many synapses have the same weight")
        }
    }
}

/// The largest difference of two lists, as a share of the largest number in them.
pub fn relative_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let most = a
        .iter()
        .chain(b)
        .fold(0.0, |most: f64, x| most.max(x.abs()));
    assert!(most > 0.0 && most.is_finite(), "nothing to compare");
    let differences = a.iter().zip(b).map(|(x, y)| (x - y).abs());
    differences.fold(0.0, f64::max) / most
}

/// A circuit in which `a` drives the basal dendrites of `b`, which learn by `dw`; `b` has `size` neurons. Neurons of `b` have noise
/// that their dendrites do not predict, so there is always something to learn.
pub fn learner(dw: &str, connect: &str, replicas: usize, size: usize) -> String {
    plain(&format!(
        r#"replicas = {replicas}
        [modulator.reward]
        schedule = {{ alternate = [1, 0, -0.5], every = [3, 2, 4] }}
        [input.world]
        process = "latent-ar1"
        size = 7
        latent = 3
        decay = 0.8
        noise = 0.5
        mixing = {{ normal = {{ mean = 0, sd = 0.6 }} }}
        [neuron.source]
        soma = {{ value = "drive" }}
        [neuron.learner]
        basal = {{ value = "f(drive)", f = "tanh" }}
        soma = {{ value = "0.5 * basal + 0.3 * noise" }}
        [rule.local]
        parameter = {{ eta = 0.01, decay = 0.2, tau = 6.0 }}
        dw = "{dw}"
        [population.a]
        neuron = "source"
        size = 7
        soma.input = "world"
        [population.b]
        neuron = "learner"
        size = {size}
        [projection.W]
        from = "a"
        to = "b.basal"
        connect = {connect}
        weight = {{ normal = {{ mean = 0, sd = 0.3 }} }}
        learn = {{ rule = "local" }}"#
    ))
}

/// A circuit with a bit of everything: learning of every kind, delays, filters, gates, noise, replicas.
/// The stages are `train` (all learns), `test` (nothing does) and `dream` (one projection does).
pub const MENAGERIE: &str = r#"
use = ["impression"]

[circuit]
name = "menagerie"
seed = 7
step = "1 ms"
replicas = 2

[modulator.lambda]
schedule = { alternate = [1, 0], every = 2 }

[modulator.coin]
schedule = { random = [0, 0.5, 1], every = 3 }

[modulator.surprise]
value = "avg(mean(latent.soma^2), 20 ms)"

[input.world]
process = "latent-ar1"
size = 11
latent = 3
decay = 0.9
noise = 0.4
mixing = { normal = { mean = 0, sd = 0.5 } }

[neuron.leaky]
parameter = { tau = "10 ms", sigma = "0.1 /ms^0.5" }
soma = { derivative = "(tanh(drive) + 0.1 * avg(soma, 5 ms) - soma) / tau + sigma * noise", within = [-5, 5] }

[rule.hebb]
parameter = { eta = 1e-3 }
dw = "eta * (coin * (post * pre - avg(post * pre, 15 ms)) - 0.1 * w)"

[rule.surprised]
dw = "1e-3 * surprise * (prev(post, 2) - w)"

[population.stimulus]
neuron = "impression"
size = 11
basal = { input = "world", activation = "identity" }
apical.activation = "tanh"

[population.latent]
neuron = "impression"
size = 5
parameter = { sigma_gen = 0.2 }
basal.bias = { start = 0.1, learn = { rule = "impression-basal", eta = 1e-3 } }

[population.rest]
neuron = "leaky"
size = 9
parameter = { tau = { uniform = ["5 ms", "20 ms"] } }
soma.start = { uniform = [-1, 1] }

[projection.W]
from = "stimulus"
to = "latent.basal"
weight = { normal = { mean = 0, sd = 0.1 } }
learn = { rule = "impression-basal", eta = 1e-3 }

[projection.D_s]
from = "latent"
to = "stimulus.apical"
weight = { normal = { mean = 0, sd = 0.2 } }
learn = { rule = "impression-apical", eta = 1e-3 }

[projection.D_r]
from = "latent"
to = "latent.apical"
connect = "one-to-one"
delay = 1
weight = 0.6
learn = { rule = "impression-transition", eta = 1e-3 }

[projection.S]
from = "stimulus"
to = "rest.soma"
connect = { in-degree = 4 }
weight = { uniform = [-0.5, 0.5] }
learn = { rule = "hebb" }

[projection.R]
from = "rest"
to = "rest.soma"
delay = "3 ms"
weight = { normal = { mean = 0, sd = 0.3 } }
within = [-1, 1]
learn = { rule = "surprised" }

[[stage]]
name = "train"
steps = 150

[[stage]]
name = "test"
steps = 70
learn = false
set = { lambda = 1 }

[[stage]]
name = "dream"
steps = 80
learn = "S"
"#;

/// What is measured and recorded of it.
pub const RECORDINGS: &str = r#"
[[record]]
what = "trace"
of = "rest.soma"

[[record]]
what = "trace"
of = "prev(latent.basal.drive) * lambda + surprise"
during = ["train", "dream"]
every = 3

[[record]]
what = "weights"
of = "W"
every = 50

[[record]]
what = "weights"
of = "latent.basal"
every = 40

[measure.error]
kind = "mean"
of = "mean((world - stimulus.apical)^2)"
every = 25

[measure.prediction]
kind = "r-squared"
truth = "world"
prediction = "tanh(stimulus.apical.drive)"

[measure.memory]
kind = "autocorrelation"
of = "rest.soma"
lags = 5

[measure.pairs]
kind = "correlation-matrix"
of = "world.latent"
"#;

/// Series are alike, step by step.
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (t, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "{what}, step {t}: {f}, not {e}");
    }
}
