//! Dendritic delays of synapses that learn, against a script that goes through the events of one synapse in order.
#![allow(clippy::unwrap_used, clippy::panic)]

mod event_support;

use apical::engine::event::simulation::Simulation;
use apical::engine::event::time::from_ms;
use event_support::{Everything, Random, program, refused, with_weights};

/// Rules: lazy; lazy with a modulator; one that visits synapses.
const RULES: &str = r#"
[modulator.gate]
schedule = { alternate = [1, 0.25, 2], every = ["13 ms", "8.5 ms", "4 ms"] }
[rule.pairs]
dw = "0.011 mV * trace(pre.spike, 17 ms) * post.spike - 0.007 mV * trace(post.spike, 30 ms) * pre.spike"
[rule.gated]
dw = "0.011 mV * gate * trace(pre.spike, 17 ms) * post.spike - 0.007 mV * gate * trace(post.spike, 30 ms) * pre.spike"
[rule.soft]
dw = "0.02 * (1 mV - w) * trace(pre.spike, 17 ms) * post.spike - 0.01 * w * trace(post.spike, 30 ms) * pre.spike"
"#;

/// The circuit: neuron 0 of `cells` spikes when it is told to; one synapse learns.
fn circuit(rule: &str, (delay, dendritic): (f64, f64), (pre, post): (&[f64], &[f64])) -> String {
    format!(
        r#"{RULES}
[population.inputs]
neuron = "listed"
size = 2
times = [{pre:?}, [3, 40, 41.5, 77]]
[population.teacher]
neuron = "listed"
size = 3
times = [{post:?}, [5, 50], []]
[population.cells]
neuron = "lif-delta"
size = 3
[projection.teach]
from = "teacher"
to = "cells.soma"
connect = "one-to-one"
weight = "60 mV"
delay = "1 ms"
[projection.w]
from = "inputs"
to = "cells.soma"
weight = "0.5 mV"
delay = "{delay} ms"
dendritic-delay = "{dendritic} ms"
learn = {{ rule = "{rule}" }}
"#
    )
}

/// The gate as it is at a time (ms), at which it may have just changed.
fn gate(at: f64) -> f64 {
    match at.rem_euclid(25.5) {
        ..13.0 => 1.0,
        ..21.5 => 0.25,
        _ => 2.0,
    }
}

/// The weight that a spike which takes effect at `until` (ms) finds, after what it does itself: from spike to spike.
fn script(
    rule: &str,
    (axonal, dendritic): (f64, f64),
    pre: &[f64],
    post: &[f64],
    until: f64,
) -> f64 {
    // At the synapse; a presynaptic event comes before a postsynaptic one of the same time.
    let mut events: Vec<(f64, u8)> = pre.iter().map(|t| (t + axonal, 0)).collect();
    events.extend(post.iter().map(|t| (t + dendritic, 1)));
    events.retain(|(at, _)| at + dendritic <= until + 1e-9);
    events.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let (mut x, mut y, mut w, mut last) = (0.0, 0.0, 0.5, 0.0);
    for (at, kind) in events {
        let passed: f64 = at - last;
        last = at;
        x *= (-passed / 17.0).exp();
        y *= (-passed / 30.0).exp();
        // Modulators are those of the moment at which a spike that is at the synapse now takes effect.
        let gate = if rule == "gated" {
            gate(at + dendritic)
        } else {
            1.0
        };
        match (rule, kind) {
            ("soft", 0) => w -= 0.01 * w * y,
            ("soft", _) => w += 0.02 * (1.0 - w) * x,
            (_, 0) => w -= 0.007 * gate * y,
            _ => w += 0.011 * gate * x,
        }
        match kind {
            0 => x += 1.0,
            _ => y += 1.0,
        }
    }
    w
}

/// Spikes on a grid of half a millisecond, at least `apart` ms from each other: many meet at the synapse.
fn train(seed: u64, apart: f64) -> Vec<f64> {
    let mut random = Random(seed);
    let mut times = Vec::new();
    let mut at = 1.0;
    while at < 190.0 {
        times.push(at);
        at += apart + 0.5 * (random.unit() * 24.0).floor();
    }
    times
}

const DELAYS: [(f64, f64); 5] = [(5.0, 0.0), (5.0, 1.0), (5.0, 2.5), (5.0, 5.0), (1.5, 1.0)];

#[test]
fn each_side_reaches_the_synapse_after_its_own_delay() {
    let (pre, post) = (train(3, 0.5), train(9, 3.0));
    for (delay, dendritic) in DELAYS {
        for rule in ["pairs", "gated", "soft"] {
            let text = circuit(rule, (delay, dendritic), (&pre, &post));
            let (emitted, weights) = with_weights(&program(&text), 200.0, 4.0, 1);
            let spikes: Vec<f64> = event_support::times_of(&emitted, 5);
            assert!(spikes.len() > 20, "{}", spikes.len());
            for (at, found) in weights {
                let expected = script(rule, (delay - dendritic, dendritic), &pre, &spikes, at);
                assert!(
                    (found[0] - expected).abs() < 1e-9,
                    "{rule}, {dendritic} of {delay} ms at {at} ms: {} and not {expected}",
                    found[0]
                );
            }
        }
    }
}

#[test]
fn weights_act_as_they_are_recorded() {
    // A weight that a rule has raised by then moves the membrane by itself: the jump of the last spike is the weight.
    let pre = [10.0, 11.0, 60.0];
    let post = [12.0, 28.0];
    let text = circuit("pairs", (5.0, 2.0), (&pre, &post));
    let program = program(&text);
    let mut simulation = Simulation::new(program, 1).unwrap();
    let before = from_ms(65.0);
    simulation
        .run_until(before, &mut Everything::default())
        .unwrap();
    let quiet = simulation.view().value(2, 0, 0);
    simulation
        .run_until(before + 1, &mut Everything::default())
        .unwrap();
    let jump = simulation.view().value(2, 0, 0) - quiet;
    let expected = script("pairs", (3.0, 2.0), &pre, &[13.0, 29.0], 65.0);
    assert!((expected - 0.5).abs() > 1e-3);
    assert!((jump - expected).abs() < 1e-9, "{jump} and not {expected}");
}

#[test]
fn threads_and_pieces_give_the_same_bits() {
    let (pre, post) = (train(3, 0.5), train(9, 3.0));
    for rule in ["gated", "soft"] {
        let program = program(&circuit(rule, (5.0, 3.5), (&pre, &post)));
        let run = |threads: usize, piece: f64| {
            let mut simulation = Simulation::new(program.clone(), threads).unwrap();
            let mut at = 0.0;
            while at < 200.0 {
                at = f64::min(at + piece, 200.0);
                let until = from_ms(at);
                simulation
                    .run_until(until, &mut Everything::default())
                    .unwrap();
            }
            let mut weights = Vec::new();
            simulation.view().weights(1, &mut weights);
            weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>()
        };
        let whole = run(1, 200.0);
        for (threads, piece) in [(1, 0.7), (2, 200.0), (3, 1.3)] {
            assert_eq!(run(threads, piece), whole, "{rule}, {threads} threads");
        }
    }
}

#[test]
fn a_rule_of_voltages_with_a_dendritic_delay_is_refused() {
    let rule =
        "[rule.voltage]\ndw = \"0.1 mV * trace(pre.spike, 20 ms) * (soma / 1 mV) * post.spike\"\n";
    let text = circuit("voltage", (5.0, 1.0), (&[1.0], &[2.0]));
    let told = refused(&format!("{rule}{text}"));
    assert!(told.contains("without a dendritic delay"), "{told}");
}
