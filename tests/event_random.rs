//! Random spikes: their rates, and that their times are those of the process that is written.
//!
//! Seeds are fixed, so that a test that passes goes on passing; bounds are five standard errors, or the value of a
//! Kolmogorov–Smirnov distance that one in 10,000 such tests would pass.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use apical::engine::event::simulation::{Observer, Simulation, View};
use apical::engine::event::time::from_ms;
use apical::engine::event::turn::{Emitted, Signals};
use event_support::{program, run, times_of};

/// Distance of a sample from the exponential distribution of mean 1, times the root of its size.
fn distance(mut sample: Vec<f64>) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let cumulative = |x: f64| -(-x).exp_m1();
    let each = sample.iter().enumerate().map(|(k, x)| {
        let (below, above) = (k as f64 / n, (k + 1) as f64 / n);
        (cumulative(*x) - below)
            .abs()
            .max((above - cumulative(*x)).abs())
    });
    each.fold(0.0, f64::max) * n.sqrt()
}

/// What `distance` exceeds once in 10,000 samples.
const FAR: f64 = 2.225;

fn phi(v: f64) -> f64 {
    0.15 / (1.0 + 0.5 * ((-55.0 - v) / 3.0).exp())
}

#[test]
fn the_distance_tells_another_distribution() {
    let exponential: Vec<f64> = (0..2000)
        .map(|k| -(1.0 - (k as f64 + 0.5) / 2000.0).ln())
        .collect();
    assert!(distance(exponential.clone()) < 0.1);
    assert!(distance(exponential.into_iter().map(|x| 1.1 * x).collect()) < FAR);
    let wide: Vec<f64> = (0..2000)
        .map(|k| -1.2 * (1.0 - (k as f64 + 0.5) / 2000.0).ln())
        .collect();
    assert!(distance(wide) > FAR);
}

#[test]
fn escape_neurons_fire_at_the_rate_that_their_potential_gives() {
    // Without refractoriness, and held at V by a current from the start: 40 neurons for 5 s at each V.
    for (v, t_ref) in [(-60.0, 0.0), (-55.0, 0.0), (-50.0, 0.0), (-52.0, 3.0)] {
        let text = format!(
            r#"
[population.cell]
neuron = "lif-escape"
size = 40
parameter.t_ref = "{t_ref} ms"
soma = {{ bias = "{} pA", start = "{v} mV" }}
"#,
            30.0 * (v + 70.0)
        );
        let emitted = run(&program(&text), 5000.0);
        // With refractoriness a mean interval is 1/φ + t_ref.
        let mean = 1.0 / phi(v) + t_ref;
        let expected = 40.0 * 5000.0 / mean;
        let spread = expected.sqrt() / (mean * phi(v));
        let found = emitted.len() as f64;
        assert!(
            (found - expected).abs() < 5.0 * spread + 40.0 * t_ref / mean,
            "{found} spikes at {v} mV, expected {expected}"
        );
        let mut intervals = Vec::new();
        for neuron in 0..40 {
            let times = times_of(&emitted, neuron);
            intervals.extend(times.windows(2).map(|w| (w[1] - w[0] - t_ref) * phi(v)));
        }
        assert!(intervals.iter().all(|i| *i > -1e-9), "refractoriness");
        let far = distance(intervals);
        assert!(far < FAR, "intervals at {v} mV are {far} off");
    }
}

/// Samples a voltage on a fine grid.
struct Fine {
    emitted: Vec<Emitted>,
    every: i64,
    next: i64,
    voltages: Vec<f64>,
}

impl Observer for Fine {
    fn spikes(&mut self, emitted: &[Emitted]) {
        self.emitted.extend_from_slice(emitted);
    }

    fn next_sample(&self) -> i64 {
        self.next
    }

    fn sample(&mut self, _: i64, view: &View<'_>) {
        self.voltages.push(view.value(0, 0, 0));
        self.next += self.every;
    }
}

/// The hazard between spikes, integrated by the trapezoidal rule on a grid of 0.02 ms.
fn rescaled(text: &str, ms: f64, rate: impl Fn(f64, f64) -> f64, refractory: f64) -> Vec<f64> {
    let mut simulation = Simulation::new(program(text), 1).unwrap();
    let mut fine = Fine {
        emitted: vec![],
        every: from_ms(0.02),
        next: 0,
        voltages: vec![],
    };
    simulation.run_until(from_ms(ms), &mut fine).unwrap();
    let spikes: Vec<f64> = times_of(
        &fine
            .emitted
            .iter()
            .filter(|e| e.signals.any(Signals::SPIKE))
            .copied()
            .collect::<Vec<_>>(),
        0,
    );
    let mut hazard = vec![0.0];
    for (k, pair) in fine.voltages.windows(2).enumerate() {
        // What holds for a while is read in the middle of the step.
        let middle = (k as f64 + 0.5) * 0.02;
        let last = hazard[hazard.len() - 1];
        hazard.push(last + 0.01 * (rate(middle, pair[0]) + rate(middle, pair[1])));
    }
    let at = |t: f64| {
        let (k, part) = ((t / 0.02) as usize, t / 0.02 % 1.0);
        let next = hazard[(k + 1).min(hazard.len() - 1)];
        hazard[k] + part * (next - hazard[k])
    };
    spikes
        .windows(2)
        .map(|w| at(w[1]) - at(w[0] + refractory))
        .collect()
}

const INPUT: &str = r#"
[population.noise]
neuron = "poisson"
size = 20
parameter.rate = "30 Hz"
[projection.P]
from = "noise"
to = "cell.soma"
receptor = "exc"
weight = { uniform = ["-100 pA", "700 pA"] }
delay = "1 ms"
"#;

#[test]
fn under_fluctuating_input_the_integrated_hazard_between_spikes_is_exponential() {
    let text = r#"
[population.cell]
neuron = "lif-escape"
size = 1
parameter.t_ref = "2 ms"
"#
    .to_owned()
        + INPUT;
    let sample = rescaled(&text, 6_000.0, |_, v| phi(v), 2.0);
    assert!(sample.len() > 150, "{} spikes", sample.len());
    let far = distance(sample);
    assert!(far < FAR, "{far}");
}

#[test]
fn the_same_holds_with_resets_plateaus_and_a_rate_that_has_no_ceiling() {
    // ρ = ρ₀ exp((V − θ)/ΔV), reset at spikes, plateaus in between, and a modulator in the rate.
    let text = r#"
[modulator.gate]
schedule = { alternate = [1, 3], every = "13 ms" }
[neuron.exponential]
soma = { capacitance = "200 pF", leak = "10 nS", rest = "-70 mV" }
receptor.exc = { on = ["soma"], current = "exponential", tau = "3 ms" }
spike = { rate = "gate * (20 Hz) * exp((soma + 60 mV) / (4 mV))", reset = { soma = "-72 mV" } }
plateau.soma = { when = "soma > -62 mV", current = "60 pA", duration = "8 ms" }
[population.cell]
neuron = "exponential"
size = 1
"#
    .to_owned()
        + &INPUT.replace("700 pA", "300 pA");
    let rate = |t: f64, v: f64| {
        let gate = if ((t / 13.0) as u64).is_multiple_of(2) {
            1.0
        } else {
            3.0
        };
        gate * 0.02 * ((v + 60.0) / 4.0).exp()
    };
    // A reset between two samples spoils the trapezoidal rule there by some 1 % of an interval at most.
    let sample = rescaled(&text, 6_000.0, rate, 0.0);
    assert!(sample.len() > 150, "{} spikes", sample.len());
    let far = distance(sample);
    assert!(far < FAR, "{far}");
}

#[test]
fn poisson_sources_have_their_rates_and_a_coefficient_of_variation_of_one() {
    let text = r#"
[population.noise]
neuron = "poisson"
size = 100
parameter.rate = "50 Hz"
"#;
    let emitted = run(&program(text), 4000.0);
    let expected = 100.0 * 4.0 * 50.0;
    assert!((emitted.len() as f64 - expected).abs() < 5.0 * expected.sqrt());
    let mut intervals = Vec::new();
    for neuron in 0..100 {
        let times = times_of(&emitted, neuron);
        intervals.extend(times.windows(2).map(|w| (w[1] - w[0]) * 0.05));
    }
    let n = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / n;
    let variance = intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / n;
    // The coefficient of variation of n exponential intervals has a standard error of 1/√n.
    assert!((variance.sqrt() / mean - 1.0).abs() < 5.0 / n.sqrt() + 0.01);
    assert!(distance(intervals) < FAR);
    let counts: Vec<usize> = (0..100).map(|k| times_of(&emitted, k).len()).collect();
    let spread = counts
        .iter()
        .map(|c| (*c as f64 - 200.0).powi(2))
        .sum::<f64>()
        / 100.0;
    // Neurons are independent: counts have the variance of their mean.
    assert!(
        (spread / 200.0 - 1.0).abs() < 5.0 * (2.0_f64 / 100.0).sqrt(),
        "{spread}"
    );
}

#[test]
fn an_inhomogeneous_rate_has_its_profile() {
    // λ(t) = 100 Hz · (1 + sin(2πt/50 ms)); its integral rescales the times.
    let text = r#"
[neuron.waves]
spike = { rate = "(100 Hz) * (1 + sin(6.283185307179586 * t / (50 ms)))" }
[population.noise]
neuron = "waves"
size = 20
"#;
    let emitted = run(&program(text), 2000.0);
    let integral = |t: f64| {
        let w = 2.0 * std::f64::consts::PI / 50.0;
        0.1 * (t + (1.0 - (w * t).cos()) / w)
    };
    let mut rescaled = Vec::new();
    for neuron in 0..20 {
        let times = times_of(&emitted, neuron);
        rescaled.extend(times.windows(2).map(|w| integral(w[1]) - integral(w[0])));
    }
    assert!((emitted.len() as f64 - 4000.0).abs() < 5.0 * 4000_f64.sqrt());
    let far = distance(rescaled);
    assert!(far < FAR, "{far}");
}

#[test]
fn a_rate_that_a_modulator_changes_changes_at_once() {
    let text = r#"
[modulator.gate]
schedule = { alternate = [0, 1, 4], every = "20 ms" }
[neuron.gated]
spike = { rate = "gate * (100 Hz)" }
[neuron.wavy]
spike = { rate = "gate * (100 Hz) * (1 + 0 * sin(t / (1 ms)))" }
[population.noise]
neuron = "gated"
size = 50
[population.other]
neuron = "wavy"
size = 50
"#;
    let emitted = run(&program(text), 1200.0);
    for first in [0, 50] {
        let mut counts = [0.0; 3];
        let mut early = 0;
        for e in emitted
            .iter()
            .filter(|e| (first..first + 50).contains(&e.neuron))
        {
            let phase = e.time.rem_euclid(60_000_000_000);
            counts[(phase / 20_000_000_000) as usize] += 1.0;
            // The first 2 ms after the change from 0 to 1, and from 4 to 0.
            early += usize::from((20_000_000_000..22_000_000_000).contains(&phase));
        }
        // 50 neurons, 20 times, 20 ms.
        assert_eq!(counts[0], 0.0);
        for (count, expected) in [
            (counts[1], 2000.0),
            (counts[2], 8000.0),
            (early as f64, 200.0),
        ] {
            let expected: f64 = expected;
            assert!(
                (count - expected).abs() < 5.0 * expected.sqrt(),
                "{counts:?} {early}"
            );
        }
    }
}

#[test]
fn a_rate_without_a_bound_is_an_error_not_a_silence() {
    let text = |rate: &str| {
        format!(
            "[neuron.n]\nspike = {{ rate = \"{rate}\" }}\n[population.p]\nneuron = \"n\"\nsize = 1\n"
        )
    };
    for rate in ["1 / t", "(1 Hz) / (1 - t / (20 ms))"] {
        let program = program(&text(rate));
        let mut simulation = Simulation::new(program, 1).unwrap();
        let result = simulation.run_until(
            from_ms(30.0),
            &mut apical::engine::event::simulation::Unobserved,
        );
        let message = result.unwrap_err().to_string();
        assert!(message.contains("no bound"), "{rate}: {message}");
    }
}
