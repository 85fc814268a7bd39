//! The recurrent gated layer of CLAPP learns by e-prop (Illing et al. 2021, App. C, Eqs. 18 to 21): its updates are the
//! negative gradient of the loss of a network in which gradients do not pass from neuron to neuron, by finite differences
//! of a forward pass in loops whose gates read the states that were.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{Bench, plain, relative_difference};

const REPLICAS: usize = 4;
const INPUTS: usize = 6;
const CELLS: usize = 5;
const DELTA: usize = 2;
const BEFORE: usize = 5;
/// So small that weights stay what they are, so large that changes are known to eight digits.
const ETA: f64 = 1e-8;

/// The projections that e-prop changes, in the order of `Cell`.
const LEARNED: [&str; 6] = ["ir", "hr", "iz", "hz", "in", "hn"];

fn circuit() -> String {
    let learn = |rule: &str| {
        format!(
            "learn = {{ rule = \"clapp-gated-{rule}\", modulator = {{ gamma = \"near\", gamma_s = \"far\" }}, eta = {ETA}, delta = {DELTA} }}"
        )
    };
    let projection = |name: &str, on: &str| {
        let from = if name.starts_with('i') {
            "below"
        } else {
            "cells.state"
        };
        format!(
            r#"[projection.{name}]
from = "{from}"
to = "cells.{on}"
weight = {{ normal = {{ mean = 0, sd = 0.8 }} }}
{}
"#,
            learn(on)
        )
    };
    let on = [
        "reset",
        "reset",
        "update",
        "update",
        "candidate",
        "recurrent",
    ];
    let learned: String = LEARNED
        .iter()
        .zip(on)
        .map(|(name, on)| projection(name, on))
        .collect();
    plain(&format!(
        r#"replicas = {REPLICAS}
[neuron.source]
soma = {{ value = "noise" }}
past = {{ value = "drive" }}
above = {{ value = "drive" }}
[neuron.coin]
soma = {{ value = "step(noise - 1)" }}
[population.onset]
neuron = "coin"
size = 1
[projection.restart]
from = "onset"
to = "cells.restart"
weight = 1
[population.below]
neuron = "source"
size = {INPUTS}
[population.cells]
neuron = "clapp-gated"
size = {CELLS}
update.bias = {{ start = 0.5, learn = {{ rule = "clapp-gated-update", modulator = {{ gamma = "near", gamma_s = "far" }}, eta = {ETA}, delta = {DELTA} }} }}
[modulator.near]
value = "step(1 - sum(below * below.above))"
per-replica = true
[modulator.far]
value = "-step(1 + sum(below.past * below.above))"
per-replica = true
{learned}
[projection.memory]
from = "below"
to = "below.past"
connect = "one-to-one"
delay = {BEFORE}
weight = 1
[projection.pred]
from = "cells"
to = "below.above"
delay = {DELTA}
weight = {{ normal = {{ mean = 0, sd = 0.6 }} }}
learn = {{ rule = "clapp-s-prediction", modulator = {{ gamma = "near", gamma_s = "far" }}, eta = {ETA} }}
[projection.retro]
from = "below"
to = "cells.retro"
transpose-of = "pred"
[projection.retro-past]
from = "below"
to = "cells.retro_past"
delay = {BEFORE}
transpose-of = "pred"
"#
    ))
    .replacen("[circuit]", "use = [\"clapp\"]\n[circuit]", 1)
}

/// Weights of the layer, presynaptic neuron by presynaptic neuron, and the biases of `update`.
#[derive(Clone)]
struct Cell {
    weights: Vec<Vec<f64>>,
    bias: Vec<f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Cell {
    fn sum(&self, matrix: usize, x: &[f64], i: usize) -> f64 {
        let terms = x
            .iter()
            .enumerate()
            .map(|(j, x)| x * self.weights[matrix][j * CELLS + i]);
        terms.sum()
    }

    /// Eqs. 18 to 21: the state after `h`, where the gates see `seen` instead of it.
    fn next(&self, x: &[f64], h: &[f64], seen: &[f64]) -> Vec<f64> {
        let state = |i: usize| {
            let r = sigmoid(self.sum(0, x, i) + self.sum(1, seen, i));
            let z = sigmoid(self.sum(2, x, i) + self.sum(3, seen, i) + self.bias[i]);
            let n = (self.sum(4, x, i) + r * self.sum(5, seen, i)).tanh();
            (1.0 - z) * n + z * h[i]
        };
        (0..CELLS).map(state).collect()
    }

    /// The state after all inputs; `seen` has the states that the gates read, the first one before any input.
    fn context(&self, inputs: &[Vec<f64>], seen: &[Vec<f64>], restarts: &[bool]) -> Vec<f64> {
        let mut h = vec![0.0; CELLS];
        for ((x, seen), restarts) in inputs.iter().zip(seen).zip(restarts) {
            h = match restarts {
                true => self.next(x, &[0.0; CELLS], &[0.0; CELLS]),
                false => self.next(x, &h, seen),
            };
        }
        h
    }
}

/// Both hinges of Eq. 3 of one replica.
fn loss(pred: &[f64], context: &[f64], now: &[f64], past: &[f64]) -> f64 {
    let score = |z: &[f64]| -> f64 {
        let of = |(k, c): (usize, &f64)| -> f64 {
            z.iter()
                .enumerate()
                .map(|(j, z)| z * pred[k * INPUTS + j] * c)
                .sum()
        };
        context.iter().enumerate().map(of).sum()
    };
    (1.0 - score(now)).max(0.0) + (1.0 + score(past)).max(0.0)
}

/// −∂loss/∂number by central differences, for each of `numbers`.
fn descent(numbers: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let mut moved = numbers.to_vec();
    let mut out = Vec::new();
    for i in 0..numbers.len() {
        let mut at = |x: f64| {
            moved[i] = x;
            loss(&moved)
        };
        out.push((at(numbers[i] - step) - at(numbers[i] + step)) / (2.0 * step));
        moved[i] = numbers[i];
    }
    out
}

/// What each replica's population does.
fn replicas(bench: &Bench, name: &str, size: usize) -> Vec<Vec<f64>> {
    let all = bench.value(name);
    let rows = all.chunks_exact(all.len() / REPLICAS);
    rows.map(|row| row[..size].to_vec()).collect()
}

/// Everything that learns, by name.
fn numbers(bench: &Bench) -> Vec<Vec<f64>> {
    let program = &bench.experiment.program;
    let mut all: Vec<_> = LEARNED.iter().map(|name| bench.weights(name)).collect();
    all.push(rate_support::bias(program, bench.state(), "cells.update")[..CELLS].to_vec());
    all.push(bench.weights("pred"));
    all
}

#[test]
fn updates_are_the_gradient_with_paths_from_neuron_to_neuron_cut() {
    let mut bench = Bench::new(&circuit());
    // Of each replica: inputs, and states from before the first step on.
    let mut inputs = vec![Vec::new(); REPLICAS];
    let mut states = vec![vec![vec![0.0; CELLS]]; REPLICAS];
    let mut restarts = vec![Vec::new(); REPLICAS];
    for step in 0..30 {
        let before = numbers(&bench);
        bench.run(1);
        for (all, new) in inputs
            .iter_mut()
            .zip(replicas(&bench, "below.soma", INPUTS))
        {
            all.push(new);
        }
        for (all, new) in restarts.iter_mut().zip(replicas(&bench, "onset.soma", 1)) {
            all.push(new[0] > 0.0);
        }
        for (all, new) in states.iter_mut().zip(replicas(&bench, "cells.soma", CELLS)) {
            all.push(new);
        }
        if step < BEFORE {
            continue;
        }
        let after = numbers(&bench);
        let total = |all: &[Vec<f64>]| -> f64 {
            let cell = Cell {
                weights: all[..6].to_vec(),
                bias: all[6].clone(),
            };
            let of = |r: usize| {
                let context = cell.context(&inputs[r][..=step - DELTA], &states[r], &restarts[r]);
                loss(
                    &all[7],
                    &context,
                    &inputs[r][step],
                    &inputs[r][step - BEFORE],
                )
            };
            (0..REPLICAS).map(of).sum::<f64>() / REPLICAS as f64
        };
        for k in 0..before.len() {
            let expected = descent(&before[k], |numbers| {
                let mut all = before.clone();
                all[k] = numbers.to_vec();
                total(&all)
            });
            let changes = after[k].iter().zip(&before[k]);
            let found: Vec<f64> = changes.map(|(a, b)| (a - b) / ETA).collect();
            // Changes are known to 1e-16 / ETA, and traces were made with the weights of then.
            let difference = relative_difference(&found, &expected);
            assert!(difference < 1e-5, "{k} in step {step}: {difference}");
        }
    }
}

#[test]
fn the_states_are_those_of_the_equations_and_the_traces_are_fused() {
    let mut bench = Bench::new(&circuit());
    let cell = |all: &[Vec<f64>]| Cell {
        weights: all[..6].to_vec(),
        bias: all[6].clone(),
    };
    let cell = cell(&numbers(&bench));
    let mut h = vec![vec![0.0; CELLS]; REPLICAS];
    for _ in 0..20 {
        bench.run(1);
        let inputs = replicas(&bench, "below.soma", INPUTS);
        let restarts = replicas(&bench, "onset.soma", 1);
        for ((h, x), restart) in h.iter_mut().zip(&inputs).zip(restarts) {
            if restart[0] > 0.0 {
                h.fill(0.0);
            }
            *h = cell.next(x, h, h);
        }
        let found = replicas(&bench, "cells.soma", CELLS);
        // Weights move by ETA a step.
        assert!(relative_difference(&found.concat(), &h.concat()) < 1e-5);
    }
    for name in LEARNED {
        assert_eq!(bench.method(name), "fused: 1 eligibility filter", "{name}");
    }
}
