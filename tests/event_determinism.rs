//! The same circuit gives the same events, weights and voltages to the bit, however it is run.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use std::sync::{Arc, LazyLock};

use apical::compile::event::EventProgram;
use apical::engine::event::simulation::{Simulation, Unobserved};
use apical::engine::event::time::from_ms;
use apical::engine::event::turn::{Emitted, Signals};
use event_support::{Everything, Random, program};

/// A bit of everything: neurons of all kinds, sources of all kinds, delays short and long, rules of both paths.
const CIRCUIT: &str = r#"
[modulator.gate]
schedule = { alternate = [0, 1], every = ["7 ms", "3 ms"] }
[modulator.lucky]
schedule = { random = [0, 1, 2], every = "11 ms" }
[modulator.dopamine]
released = { by = "rewarder", amount = 1, tau = "40 ms" }
[modulator.activity]
value = "min(rate(cells) / (100 Hz), 1)"
every = "2.3 ms"
[modulator.depth]
value = "(mean(two.dend) + 70 mV) / (10 mV)"
every = "5 ms"

[neuron.gated]
parameter = { rate = "40 Hz" }
spike = { rate = "rate * (1 + 2 * gate + lucky)" }
[neuron.waves]
parameter = { rate = "60 Hz" }
spike = { rate = "rate * (1 + sin(t / (15 ms))) * (1 + 0.5 * activity)" }
[neuron.taught]
like = "lif"
parameter = { C = "200 pF", g_L = "20 nS", E_L = "-70 mV", V_th = "-55 mV", V_reset = "-70 mV", t_ref = "2 ms", tau_exc = "2 ms", tau_inh = "2 ms", g_T = "10 nS" }
soma = { capacitance = "C", leak = "g_L + gate * g_T", rest = "(g_L * E_L + gate * g_T * 0 mV) / (g_L + gate * g_T)" }
[neuron.close]
like = "alif"
burst = { within = "12 ms" }

[population]
noise = { neuron = "poisson", size = 20, parameter = { rate = { uniform = ["20 Hz", "80 Hz"] } } }
gated = { neuron = "gated", size = 10 }
waves = { neuron = "waves", size = 10 }
rewarder = { neuron = "regular", size = 2, parameter = { interval = ["17 ms", "23 ms"], phase = "1 ms" } }
played = { neuron = "listed", size = 3, times = [[1, 2.5], [], [7, 7.5]], repeat = "20 ms" }
cells = { neuron = "lif", size = 24, soma = { bias = { uniform = ["200 pA", "350 pA"] }, start = { uniform = ["-70 mV", "-60 mV"] } } }
taught = { neuron = "taught", size = 6 }
close = { neuron = "close", size = 5, soma.bias = "500 pA" }
two = { neuron = "pyramidal-2", size = 8 }
three = { neuron = "pyramidal-3", size = 8, soma.bias = "400 pA", apical.bias = "300 pA" }
five = { neuron = "pyramidal-5", size = 3 }

[projection.background]
from = "noise"
to = "cells.soma"
receptor = "exc"
connect = { probability = 0.5 }
weight = { normal = { mean = "200 pA", sd = "50 pA" }, clip = ["0 pA", inf] }
delay = { uniform = ["0.4 ms", "4.5 ms"] }
[projection.recurrent]
from = "cells"
to = "cells.soma"
receptor = "inh"
connect = { probability = 0.3 }
weight = { normal = { mean = "-60 pA", sd = "10 pA" }, clip = [-inf, "0 pA"] }
delay = { lognormal = { mean = "3 ms", sd = "2 ms" }, clip = ["0.5 ms", "30 ms"] }
[projection.pairs]
from = "gated"
to = "cells.soma"
receptor = "exc"
weight = { uniform = ["50 pA", "250 pA"] }
delay = "1 ms"
within = ["0 pA", "300 pA"]
learn = { rule = "stdp-pair", A_plus = "3 pA", A_minus = "3.3 pA" }
[projection.rewarded]
from = "waves"
to = "taught.soma"
receptor = "exc"
weight = "300 pA"
delay = "0.7 ms"
learn = { rule = "r-stdp", A_plus = "3 pA", A_minus = "3 pA", tau_c = "100 ms", eta = "20 Hz" }
[projection.predict]
from = "noise"
to = "two.dend"
receptor = "exc"
weight = "150 pA"
delay = "1.3 ms"
learn = { rule = "urbanczik-senn", eta = "5 pA", g_D = "600 nS", g_L = "30 nS" }
[projection.teach]
from = "played"
to = "two.soma"
receptor = "exc"
weight = "500 pA"
delay = "0.5 ms"
[projection.drive]
from = "cells"
to = "three.basal"
receptor = "exc"
connect = { in-degree = 5 }
weight = "200 pA"
delay = "2 ms"
short-term = { U = 0.5, recovery = "100 ms", facilitation = "20 ms" }
[projection.top]
from = "close"
to = "three.apical"
signal = "event"
receptor = "exc"
weight = "300 pA"
delay = { uniform = ["1 ms", "12 ms"] }
[projection.bursts]
from = "three"
to = "five.branch_2"
signal = "burst"
receptor = "exc"
weight = "400 pA"
delay = "2 ms"
short-term = { U = 0.2, recovery = "50 ms", facilitation = "100 ms" }
[projection.credit]
from = "close"
to = "three.basal"
receptor = "exc"
weight = "100 pA"
delay = "0.9 ms"
learn = { rule = "burst", eta = "2 pA", tau_pre = "20 ms", tau_avg = "200 ms" }
[projection.soft]
from = "close"
to = "cells.soma"
receptor = "exc"
weight = "100 pA"
delay = "1.1 ms"
learn = { rule = "soft" }
[projection.back]
from = "five"
to = "close.soma"
receptor = "inh"
weight = "-50 pA"
delay = "11 ms"

[rule.soft]
source = "this test"
dw = "(400 pA - w) * 0.02 * trace(pre.spike, 20 ms) * post.spike - 0.02 * w * trace(post.spike, 20 ms) * pre.spike"
"#;

/// Model time (ms).
const LENGTH: f64 = 100.0;

static PROGRAM: LazyLock<Arc<EventProgram>> = LazyLock::new(|| program(CIRCUIT));

/// All that a run ends with, bit by bit.
#[derive(PartialEq)]
struct Outcome {
    emitted: Vec<Emitted>,
    weights: Vec<Vec<u64>>,
    voltages: Vec<Vec<u64>>,
    modulators: Vec<u64>,
}

fn outcome(simulation: &Simulation, emitted: Vec<Emitted>) -> Outcome {
    let (view, circuit) = (simulation.view(), &PROGRAM.circuit);
    let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
    let weights = (0..circuit.projections.len()).map(|projection| {
        let mut weights = Vec::new();
        view.weights(projection, &mut weights);
        bits(weights)
    });
    let voltages = circuit.populations.iter().enumerate().map(|(index, p)| {
        let all = (0..p.compartments.len()).flat_map(|v| (0..p.size).map(move |n| (n, v)));
        bits(all.map(|(n, v)| view.value(index, n, v)).collect())
    });
    Outcome {
        emitted,
        weights: weights.collect(),
        voltages: voltages.collect(),
        modulators: bits(
            (0..circuit.modulators.len())
                .map(|m| view.modulator(m))
                .collect(),
        ),
    }
}

/// Runs the circuit in pieces that end at these times (ps), sampling every so often (ps).
fn ran(threads: usize, ends: &[i64], every: Option<i64>) -> Outcome {
    let mut simulation = Simulation::new(PROGRAM.clone(), threads).unwrap();
    let mut all = Everything {
        every,
        sampled: vec![(5, 3, 0), (8, 2, 1), (9, 1, 2)],
        projections: (0..PROGRAM.projections.len()).collect(),
        modulators: (0..PROGRAM.circuit.modulators.len()).collect(),
        ..Everything::default()
    };
    for end in ends {
        simulation.run_until(*end, &mut all).unwrap();
    }
    assert!(
        all.emitted.is_sorted(),
        "events come in order, over windows as within them"
    );
    outcome(&simulation, all.emitted)
}

fn assert_same(a: &Outcome, b: &Outcome) {
    let differs = a.emitted.iter().zip(&b.emitted).find(|(a, b)| a != b);
    assert!(
        differs.is_none(),
        "the first event that differs: {differs:?}"
    );
    assert_eq!(a.emitted.len(), b.emitted.len());
    for (index, (a, b)) in a.weights.iter().zip(&b.weights).enumerate() {
        let name = &PROGRAM.circuit.projections[index].name;
        assert!(a == b, "weights of {name}");
    }
    for (index, (a, b)) in a.voltages.iter().zip(&b.voltages).enumerate() {
        let name = &PROGRAM.circuit.populations[index].name;
        assert!(a == b, "voltages of {name}");
    }
    assert!(a.modulators == b.modulators, "modulators");
}

/// One thread, one run, no samples.
static PLAIN: LazyLock<Outcome> = LazyLock::new(|| ran(1, &[from_ms(LENGTH)], None));

#[test]
fn everything_in_the_circuit_is_active() {
    for (index, population) in PROGRAM.circuit.populations.iter().enumerate() {
        let here = |e: &&Emitted| PROGRAM.place(e.neuron).0.0 as usize == index;
        let count = PLAIN.emitted.iter().filter(here).count();
        assert!(count > 3, "{} emitted {count} events", population.name);
    }
    for signals in [Signals::BURST, Signals::IN_BURST, Signals::PLATEAU] {
        assert!(PLAIN.emitted.iter().any(|e| e.signals.any(signals)));
    }
    let mut fresh = Vec::new();
    for (index, projection) in PROGRAM.projections.iter().enumerate() {
        if projection.rule.is_some() {
            let simulation = Simulation::new(PROGRAM.clone(), 1).unwrap();
            simulation.view().weights(index, &mut fresh);
            let changed = fresh
                .iter()
                .zip(&PLAIN.weights[index])
                .filter(|(a, b)| a.to_bits() != **b);
            let changed = changed.count();
            assert!(
                changed * 2 > fresh.len(),
                "{changed} of {} weights changed",
                fresh.len()
            );
        }
    }
}

#[test]
fn a_second_run_is_the_same() {
    assert_same(&PLAIN, &ran(1, &[from_ms(LENGTH)], None));
}

#[test]
fn two_threads_give_the_same_events_weights_and_voltages() {
    assert_same(&PLAIN, &ran(2, &[from_ms(LENGTH)], None));
}

#[test]
fn four_threads_give_the_same_events_weights_and_voltages() {
    assert_same(&PLAIN, &ran(4, &[from_ms(LENGTH)], None));
}

#[test]
fn eight_threads_give_the_same_events_weights_and_voltages() {
    assert_same(&PLAIN, &ran(8, &[from_ms(LENGTH)], None));
}

/// Times of irregular distances, from a picosecond to some milliseconds.
fn pieces() -> Vec<i64> {
    let mut random = Random(5);
    let (mut ends, mut now) = (vec![], 0);
    while now < from_ms(LENGTH) {
        now += 10_f64.powf(random.between(0.0, 9.5)) as i64;
        ends.push(now.min(from_ms(LENGTH)));
    }
    ends
}

#[test]
fn many_small_steps_are_one_run() {
    let pieces = pieces();
    assert!(pieces.len() > 300);
    assert_same(&PLAIN, &ran(1, &pieces, None));
}

#[test]
fn samples_at_odd_times_change_nothing() {
    assert_same(&PLAIN, &ran(1, &[from_ms(LENGTH)], Some(377_777_777)));
}

#[test]
fn threads_steps_and_samples_together_change_nothing() {
    let pieces: Vec<i64> = pieces().into_iter().step_by(3).collect();
    let pieces = [pieces, vec![from_ms(LENGTH)]].concat();
    assert_same(&PLAIN, &ran(3, &pieces, Some(1_100_000_007)));
}

#[test]
fn a_run_to_the_present_time_does_nothing() {
    let mut simulation = Simulation::new(PROGRAM.clone(), 2).unwrap();
    let mut all = Everything::default();
    for end in [10.0, 10.0, 5.0, 10.0] {
        simulation.run_until(from_ms(end), &mut all).unwrap();
        assert_eq!(simulation.now(), from_ms(10.0));
    }
    let mut whole = Simulation::new(PROGRAM.clone(), 2).unwrap();
    whole.run_until(from_ms(10.0), &mut Unobserved).unwrap();
    assert_same(
        &outcome(&whole, all.emitted.clone()),
        &outcome(&simulation, all.emitted),
    );
}
