//! Plasticity through the whole engine, from the netlist to the weights, against scripts that are fed with the spikes
//! that the run emitted and do one thing after the other.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use apical::engine::event::simulation::Simulation;
use apical::engine::event::time::from_ms;
use apical::engine::event::turn::{Emitted, Signals};
use apical::netlist::model::Schedule;
use event_support::{Everything, program, times_of, with_weights};

/// Five sources with a rule onto three neurons that fire by themselves.
fn circuit(rule: &str, more: &str) -> String {
    format!(
        r#"
[population.pre]
neuron = "poisson"
size = 5
parameter.rate = "25 Hz"
[population.post]
neuron = "close"
size = 3
soma.bias = "240 pA"
[population.noise]
neuron = "poisson"
size = 10
parameter.rate = "80 Hz"
[neuron.close]
like = "lif"
burst = {{ within = "12 ms" }}
[neuron.bursty]
spike = {{ rate = "25 Hz" }}
[projection.P]
from = "pre"
to = "post.soma"
receptor = "exc"
weight = {{ uniform = ["90 pA", "110 pA"] }}
delay = "1.3 ms"
learn = {rule}
[projection.N]
from = "noise"
to = "post.soma"
receptor = "exc"
weight = "200 pA"
delay = "0.8 ms"
{more}"#
    )
}

/// What happens at a synapse, in the order of the contract.
#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Release,
    Pre,
    Post(Signals),
}

/// Events of synapse `pre` → `post` (by index) up to a time (ms).
fn events(emitted: &[Emitted], (pre, post): (u32, u32), until: f64) -> Vec<(f64, What)> {
    let mut events = Vec::new();
    for e in emitted {
        let t = e.time as f64 * 1e-9;
        match e.neuron {
            n if n == pre => events.push((t + 1.3, What::Pre)),
            n if n == 5 + post => events.push((t, What::Post(e.signals))),
            // Whoever comes after the noise releases.
            n if n >= 18 => events.push((t + 0.8, What::Release)),
            _ => {}
        }
    }
    events.retain(|(t, _)| *t <= until);
    let rank = |what: &What| match what {
        What::Release => 0,
        What::Pre => 1,
        What::Post(_) => 2,
    };
    events.sort_by(|a, b| a.0.total_cmp(&b.0).then(rank(&a.1).cmp(&rank(&b.1))));
    events
}

/// A synapse of a script: it is moved on from event to event, and sees them.
trait Script {
    fn advance(&mut self, dt: f64);
    fn see(&mut self, what: What);
    fn weight(&self) -> f64;
}

/// Compares the weights of all samples with those of a script that begins with the weight it is given.
fn agrees<S: Script>(text: &str, ms: f64, every: f64, tolerance: f64, make: impl Fn(f64) -> S) {
    let (emitted, samples) = with_weights(&program(text), ms, every, 0);
    assert!(
        emitted
            .iter()
            .filter(|e| (5..8).contains(&e.neuron))
            .count()
            > 30
    );
    let (mut worst, mut moved) = (0.0_f64, 0.0_f64);
    for synapse in 0..15 {
        let start = samples[0].1[synapse];
        let mut script = make(start);
        let place = (synapse as u32 / 3, synapse as u32 % 3);
        let events = events(&emitted, place, ms);
        let (mut next, mut now) = (0, 0.0);
        for (time, weights) in &samples {
            // Samples come after everything of their time.
            while let Some((t, what)) = events.get(next).filter(|(t, _)| *t <= time + 1e-12) {
                script.advance(t - now);
                script.see(*what);
                (now, next) = (*t, next + 1);
            }
            script.advance(time - now);
            now = *time;
            let expected = script.weight();
            worst = worst.max((weights[synapse] - expected).abs() / expected.abs().max(1.0));
            moved = moved.max((expected - start).abs());
        }
    }
    assert!(moved > 1.0, "the weights hardly moved: {moved}");
    assert!(worst < tolerance, "relative difference {worst}");
}

/// Pairs, triplets and soft bounds.
struct Pairs {
    w: f64,
    bounds: [f64; 2],
    tau: [f64; 4],
    /// Traces x1, y1, x2, y2.
    traces: [f64; 4],
    a2: [f64; 2],
    a3: [f64; 2],
    soft: Option<f64>,
}

impl Script for Pairs {
    fn advance(&mut self, dt: f64) {
        for (trace, tau) in self.traces.iter_mut().zip(self.tau) {
            *trace *= (-dt / tau).exp();
        }
    }

    fn see(&mut self, what: What) {
        let [x1, y1, x2, y2] = self.traces;
        match what {
            What::Pre => {
                // Hard bounds apply when a weight is used: to what has come about since, and to the change of now.
                self.w = self.w.clamp(self.bounds[0], self.bounds[1]);
                let scale = if self.soft.is_some() { self.w } else { 1.0 };
                self.w -= scale * y1 * (self.a2[1] + self.a3[1] * x2);
                self.traces[0] += 1.0;
                self.traces[2] += 1.0;
                self.w = self.w.clamp(self.bounds[0], self.bounds[1]);
            }
            What::Post(_) => {
                let scale = self.soft.map_or(1.0, |most| most - self.w);
                self.w += scale * x1 * (self.a2[0] + self.a3[0] * y2);
                self.traces[1] += 1.0;
                self.traces[3] += 1.0;
            }
            What::Release => {}
        }
    }

    fn weight(&self) -> f64 {
        self.w.clamp(self.bounds[0], self.bounds[1])
    }
}

const FREE: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

fn pairs(w: f64, tau: [f64; 2], a: [f64; 2]) -> Pairs {
    Pairs {
        w,
        bounds: FREE,
        tau: [tau[0], tau[1], 1.0, 1.0],
        traces: [0.0; 4],
        a2: a,
        a3: [0.0; 2],
        soft: None,
    }
}

const PAIR: &str = r#"{ rule = "stdp-pair", A_plus = "2 pA", A_minus = "2.1 pA", tau_plus = "17 ms", tau_minus = "34 ms" }"#;

#[test]
fn pairs_of_spikes_change_weights_as_a_script_does() {
    agrees(&circuit(PAIR, ""), 2000.0, 7.3, 1e-10, |w| {
        pairs(w, [17.0, 34.0], [2.0, 2.1])
    });
}

#[test]
fn hard_bounds_apply_where_a_weight_is_used() {
    let text = circuit(PAIR, "").replace("learn =", "within = [\"95 pA\", \"104 pA\"]\nlearn =");
    let text = text.replace("\"90 pA\", \"110 pA\"", "\"96 pA\", \"103 pA\"");
    agrees(&text, 2000.0, 7.3, 1e-10, |w| Pairs {
        bounds: [95.0, 104.0],
        ..pairs(w, [17.0, 34.0], [2.0, 2.1])
    });
}

#[test]
fn references_that_move_again_and_again_lose_nothing() {
    // 20 s are 7,000 time constants: exponentials relative to one reference would overflow.
    let text = circuit(&PAIR.replace("17 ms", "3 ms"), "").replace("\"25 Hz\"", "\"4 Hz\"");
    let text = text
        .replace("\"80 Hz\"", "\"3 Hz\"")
        .replace("240 pA", "370 pA");
    agrees(&text, 20_000.0, 333.3, 1e-9, |w| {
        pairs(w, [3.0, 34.0], [2.0, 2.1])
    });
}

#[test]
fn triplets_of_spikes_change_weights_as_a_script_does() {
    let rule = r#"{ rule = "stdp-triplet", A2_plus = "0.5 pA", A2_minus = "0.7 pA", A3_plus = "0.6 pA", A3_minus = "0.2 pA" }"#;
    agrees(&circuit(rule, ""), 2000.0, 7.3, 1e-10, |w| Pairs {
        tau: [16.8, 33.7, 101.0, 125.0],
        a3: [0.6, 0.2],
        ..pairs(w, [16.8, 33.7], [0.5, 0.7])
    });
}

#[test]
fn a_rule_that_runs_synapse_by_synapse_does_as_a_script_does() {
    let rule = r#"
[rule.soft]
source = "this test"
dw = "(300 pA - w) * 0.01 * trace(pre.spike, 17 ms) * post.spike - 0.02 * w * trace(post.spike, 34 ms) * pre.spike"
"#;
    let text = circuit("{ rule = \"soft\" }", rule);
    let explanation = program(&text).explain();
    let method = explanation.projections[0].method.clone().unwrap();
    assert!(method.contains("synapse by synapse"), "{method}");
    agrees(&text, 1000.0, 7.3, 1e-10, |w| Pairs {
        soft: Some(300.0),
        ..pairs(w, [17.0, 34.0], [0.01, 0.02])
    });
}

/// Eligibility and dopamine, both exponentials between events.
struct Rewarded {
    w: f64,
    x: f64,
    y: f64,
    eligibility: f64,
    dopamine: f64,
}

const TAU_C: f64 = 120.0;
const TAU_D: f64 = 60.0;

impl Script for Rewarded {
    fn advance(&mut self, dt: f64) {
        let rate = 1.0 / TAU_C + 1.0 / TAU_D;
        let eta = 0.02;
        self.w += eta * self.eligibility * self.dopamine * -(-rate * dt).exp_m1() / rate;
        self.eligibility *= (-dt / TAU_C).exp();
        self.dopamine *= (-dt / TAU_D).exp();
        self.x *= (-dt / 20.0).exp();
        self.y *= (-dt / 20.0).exp();
    }

    fn see(&mut self, what: What) {
        match what {
            What::Release => self.dopamine += 1.5 / 2.0,
            What::Pre => {
                self.eligibility -= 1.0 * self.y;
                self.x += 1.0;
            }
            What::Post(_) => {
                self.eligibility += 1.2 * self.x;
                self.y += 1.0;
            }
        }
    }

    fn weight(&self) -> f64 {
        self.w
    }
}

#[test]
fn eligibilities_times_released_dopamine_change_weights_as_a_script_does() {
    let rule = r#"{ rule = "r-stdp", eta = "20 Hz", A_plus = "1.2 pA", A_minus = "1 pA", tau_c = "120 ms" }"#;
    let more = r#"
[population.reward]
neuron = "poisson"
size = 2
parameter.rate = "4 Hz"
[modulator.dopamine]
released = { by = "reward", amount = 1.5, tau = "60 ms" }
"#;
    agrees(&circuit(rule, more), 2000.0, 7.3, 1e-9, |w| Rewarded {
        w,
        x: 0.0,
        y: 0.0,
        eligibility: 0.0,
        dopamine: 0.0,
    });
}

/// Events and bursts of Payeur et al. 2021.
struct Bursts {
    w: f64,
    pre: f64,
    /// Low-pass filtered trains of bursts and events.
    low: [f64; 2],
}

impl Script for Bursts {
    fn advance(&mut self, dt: f64) {
        self.pre *= (-dt / 30.0).exp();
        self.low.iter_mut().for_each(|l| *l *= (-dt / 200.0).exp());
    }

    fn see(&mut self, what: What) {
        match what {
            What::Pre => self.pre += 1.0,
            What::Post(signals) => {
                // The share of bursts before this event; the correction of the averages cancels.
                let share = if self.low[1] > 0.0 {
                    self.low[0] / self.low[1]
                } else {
                    0.0
                };
                if signals.any(Signals::EVENT) {
                    self.w -= 2.0 * share * self.pre;
                    self.low[1] += 1.0 / 200.0;
                }
                if signals.any(Signals::BURST) {
                    self.w += 2.0 * self.pre;
                    self.low[0] += 1.0 / 200.0;
                }
            }
            What::Release => {}
        }
    }

    fn weight(&self) -> f64 {
        self.w
    }
}

#[test]
fn bursts_and_events_change_weights_as_a_script_does() {
    let rule = r#"{ rule = "burst", eta = "2 pA", tau_pre = "30 ms", tau_avg = "200 ms" }"#;
    let text = circuit(rule, "").replace("240 pA", "300 pA");
    agrees(&text, 1500.0, 7.3, 1e-9, |w| Bursts {
        w,
        pre: 0.0,
        low: [0.0; 2],
    });
}

#[test]
fn the_rule_of_urbanczik_and_senn_gives_the_integral_of_its_paper() {
    // The case of the published test: presynaptic spikes at 1 and 98 ms, the soma driven from 10 to 50 ms.
    let text = r#"
[modulator.driven]
schedule = { list = [0, 1, 1, 1, 1, 0], every = "10 ms" }
[neuron.two]
like = "pyramidal-2"
soma = { capacitance = "C", leak = "g_L", rest = "E_L", current = "g_sp * (dend - soma) + driven * (12 nA)" }
[population.source]
neuron = "listed"
size = 1
times = [[0, 97]]
[population.cell]
neuron = "two"
size = 1
parameter.t_ref = "0 ms"
[projection.P]
from = "source"
to = "cell.dend"
receptor = "exc"
weight = "100 pA"
delay = "1 ms"
learn = { rule = "urbanczik-senn", eta = "0.75 pA", g_D = "600 nS", g_L = "30 nS" }
"#;
    let (emitted, samples) = with_weights(&program(text), 300.0, 97.999999999, 0);
    let spikes = times_of(&emitted, 1);
    assert!(spikes.len() > 2, "{spikes:?}");
    let size = 10.0 * 3.0 / (10.0 - 3.0) / 300.0;
    let psp = |t: f64| match t > 0.0 {
        true => size * ((-t / 10.0_f64).exp() - (-t / 3.0_f64).exp()),
        false => 0.0,
    };
    let phi = |v: f64| 0.15 / (1.0 + 0.5 * ((-55.0 - v) / 3.0).exp());
    let h = |v: f64| (phi(v + 1e-4).ln() - phi(v - 1e-4).ln()) / 2e-4;
    // The second spike acts with the weight that it has at 98 ms.
    let second = samples[1].1[0];
    let end = samples[3].0;
    let at = |t: f64| {
        let dend = -70.0 + 100.0 * psp(t - 1.0) + second * psp(t - 98.0);
        let prediction = (600.0 * dend + 30.0 * -70.0) / 630.0;
        (
            phi(prediction),
            h(prediction) * (psp(t - 1.0) + psp(t - 98.0)),
        )
    };
    // What is added at s to the low-pass filter counts with 1 − e^(−(T − s)/τ) until T.
    let until = |end: f64| {
        let counts = |s: f64| -(-(end - s) / 100.0).exp_m1();
        let n = 200_000;
        let dt = end / f64::from(n);
        let smooth: f64 = (0..n)
            .map(|k| (f64::from(k) + 0.5) * dt)
            .map(|s| -at(s).0 * at(s).1 * counts(s) * dt)
            .sum();
        let jumps: f64 = spikes
            .iter()
            .filter(|s| **s < end)
            .map(|s| at(*s).1 * counts(*s))
            .sum();
        0.75 * (smooth + jumps)
    };
    for (time, weights) in &samples[1..] {
        let (change, exact) = (weights[0] - 100.0, until(*time));
        assert!(
            (change / exact - 1.0).abs() < 1e-6,
            "at {time} ms: {change} and not {exact}"
        );
    }
    assert!(end > 293.0);
}

#[test]
fn weights_stand_still_while_learning_is_off_and_start_afresh_after() {
    let program = program(&circuit(PAIR, ""));
    let mut simulation = Simulation::new(program, 2).unwrap();
    let mut all = Everything {
        every: Some(from_ms(10.0)),
        projections: vec![0],
        ..Everything::default()
    };
    simulation.run_until(from_ms(300.0), &mut all).unwrap();
    simulation.set_learning(&[false, false]).unwrap();
    simulation.run_until(from_ms(600.0), &mut all).unwrap();
    simulation.set_learning(&[true, false]).unwrap();
    simulation.run_until(from_ms(900.0) + 1, &mut all).unwrap();
    let at = |ms: i64| &all.weights[(ms / 10) as usize].1[0];
    let bits = |ms: i64| at(ms).iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    assert_ne!(bits(0), bits(290));
    for ms in (310..600).step_by(10) {
        assert_eq!(bits(ms), bits(300), "at {ms} ms");
    }
    // From 600 ms on the script begins with empty traces.
    for synapse in 0..15_u32 {
        let place = (synapse / 3, synapse % 3);
        let mut script = pairs(at(600)[synapse as usize], [17.0, 34.0], [2.0, 2.1]);
        let mut now = 600.0;
        let later = events(&all.emitted, place, 900.0);
        for (t, what) in later.iter().filter(|(t, _)| *t >= 600.0) {
            script.advance(t - now);
            script.see(*what);
            now = *t;
        }
        let (found, expected) = (at(900)[synapse as usize], script.weight());
        assert!(
            (found - expected).abs() < 1e-9,
            "{found} and not {expected}"
        );
    }
}

#[test]
fn learning_that_follows_voltages_starts_afresh_with_the_state_of_then() {
    // No spike before 100 ms; what a rule integrates from 100 ms on must not see the time before.
    let text = r#"
[population.source]
neuron = "listed"
size = 1
times = [[1, 149]]
[neuron.passive]
soma = { capacitance = "100 pF", leak = "1 nS", rest = "-70 mV" }
receptor.r = { on = ["soma"], current = "delta" }
spike = { when = "soma > 0 mV", reset = { soma = "-70 mV" } }
[population.cell]
neuron = "passive"
size = 1
soma.start = "-20 mV"
[rule.follow]
source = "this test"
dw = "(soma + 70 mV) * (1 Hz)"
[projection.P]
from = "source"
to = "cell.soma"
weight = "0 mV"
delay = "1 ms"
learn = { rule = "follow" }
"#;
    let mut simulation = Simulation::new(program(text), 1).unwrap();
    let mut all = Everything {
        every: Some(from_ms(50.0)),
        projections: vec![0],
        ..Everything::default()
    };
    simulation.set_learning(&[false]).unwrap();
    simulation.run_until(from_ms(100.0), &mut all).unwrap();
    simulation.set_learning(&[true]).unwrap();
    simulation.run_until(from_ms(150.0) + 1, &mut all).unwrap();
    // ∫ 50 mV e^(−t/100 ms) dt/s from 100 to 150 ms.
    let exact = 50.0 * 0.1 * ((-1.0_f64).exp() - (-1.5_f64).exp());
    let found = all.weights[3].1[0][0];
    assert!((found - exact).abs() < 1e-9, "{found} and not {exact}");
}

#[test]
fn a_modulators_own_schedule_stands_still_while_another_one_has_its_place() {
    let text = r#"
[modulator.m]
schedule = { alternate = [1, 2, 3], every = "10 ms" }
[population.source]
neuron = "listed"
size = 1
times = [[1]]
"#;
    let mut simulation = Simulation::new(program(text), 1).unwrap();
    let mut all = Everything {
        every: Some(from_ms(5.0)),
        modulators: vec![0],
        ..Everything::default()
    };
    simulation.run_until(from_ms(15.0), &mut all).unwrap();
    simulation
        .set_schedule(0, &Schedule::Constant(7.0))
        .unwrap();
    simulation.run_until(from_ms(40.0), &mut all).unwrap();
    simulation.resume_schedule(0).unwrap();
    simulation.run_until(from_ms(60.0), &mut all).unwrap();
    let levels: Vec<f64> = all.levels.iter().map(|l| l[0]).collect();
    let expected = [1.0, 1.0, 2.0, 7.0, 7.0, 7.0, 7.0, 7.0, 2.0, 3.0, 3.0, 1.0];
    assert_eq!(levels, expected);
}

#[test]
fn a_response_that_is_not_the_same_everywhere_is_refused() {
    let text = circuit(PAIR, "").replace(PAIR, "{ rule = \"follow\" }")
        + "[rule.follow]\nsource = \"this test\"\ndw = \"(1 pA / 1 mV) * psp(pre.spike) * (1 pA) * post.spike / (1 pA)\"\n";
    assert_eq!(event_support::refused(&text), "");
    let drawn = text.replace(
        "neuron = \"close\"\n",
        "neuron = \"close\"\nparameter.C = [\"100 pF\", \"200 pF\", \"300 pF\"]\n",
    );
    let message = event_support::refused(&drawn);
    assert!(message.contains("not the same in all neurons"), "{message}");
}

/// Weights of a run of the whole experiment, from its files.
#[test]
fn stages_that_do_not_learn_freeze_the_weights_that_are_recorded() {
    let text = event_support::head(&circuit(PAIR, ""))
        + r#"
[[stage]]
name = "learn"
duration = "100 ms"
[[stage]]
name = "test"
duration = "100 ms"
learn = false
[[stage]]
name = "again"
duration = "100 ms"
[[record]]
what = "weights"
of = "P"
every = "20 ms"
"#;
    let netlist = apical::netlist::parse("test.toml", &text, &Default::default()).unwrap();
    let experiment =
        apical::experiment::Runnable::new(netlist, "test.toml", &Default::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let options = apical::experiment::RunOptions::into(out.clone());
    experiment
        .run(&options, &mut apical::experiment::Silent)
        .unwrap();
    let weights = apical::record::read_weights(out.join("weights/weights-P.npy")).unwrap();
    let samples: Vec<&[f64]> = weights.values.chunks(15).collect();
    assert_eq!(weights.steps[5], 100_000_000_000);
    // At 0, 20, …, 100 (still learned until then), 120, …
    assert_ne!(samples[0], samples[5]);
    for k in 6..10 {
        assert_eq!(samples[k], samples[5], "sample {k}");
    }
    assert_ne!(samples[10], samples[14]);
}
