//! The neuron and the rules of models/reward.toml against their equations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{Bench, modulator, plain, value, weights};

/// Rates without synapses sample p(r) ∝ exp(2/σ²·(b r − ∫₀ʳ f⁻¹)) (Eqs. 2 to 4): mean and standard deviation of
/// 64 neurons over 3,000 time units against the integral.
#[test]
fn langevin_neurons_sample_from_their_energy() {
    let (bias, sigma) = (0.2, 0.3);
    let text = format!(
        "use = [\"reward\"]\n[circuit]\nname = \"test\"\nstep = 0.002\n[population.a]\nneuron = \"langevin\"\n\
         size = 64\nparameter = {{ sigma = {sigma} }}\nsoma.bias = {bias}"
    );
    let mut bench = Bench::new(&text);
    bench.run(10_000);
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    let program = bench.experiment.program.clone();
    bench.watch(500_000, |state| {
        for r in value(&program, state, "a.soma") {
            (sum, squares, n) = (sum + r, squares + r * r, n + 1.0);
        }
    });
    let (mean, sd) = (sum / n, (squares / n - (sum / n) * (sum / n)).sqrt());
    let (mut total, mut first, mut second, mut integral) = (0.0, 0.0, 0.0, 0.0);
    let width = 1e-4;
    for k in 0..30_000 {
        let r = (f64::from(k) + 0.5) * width;
        integral += ((30.0 * r).exp_m1().ln() / 30.0).min(r) * width;
        let p = (2.0 / (sigma * sigma) * (bias * r - integral)).exp();
        (total, first, second) = (total + p, first + p * r, second + p * r * r);
    }
    let (expected, expected_sd) = (
        first / total,
        (second / total - (first / total).powi(2)).sqrt(),
    );
    // 64 neurons × 1,000 units with a correlation time of about 1: the standard error of the mean is below 0.001;
    // Euler steps at the bound of 0.001 cost about as much.
    assert!(
        (mean - expected).abs() < 0.005,
        "mean {mean}, expected {expected}"
    );
    assert!(
        (sd - expected_sd).abs() < 0.005,
        "sd {sd}, expected {expected_sd}"
    );
}

/// A circuit whose synapses learn by a rule of the library while reward and gate change.
fn circuit(learn: &str) -> String {
    let text = plain(&format!(
        r#"
        [modulator.reward]
        schedule = {{ alternate = [-1, -0.25, -2], every = 2 }}
        [modulator.plastic]
        schedule = {{ alternate = [0, 1], every = [5, 20] }}
        [neuron.noisy]
        soma = {{ value = "f(drive) + noise", f = "tanh" }}
        [neuron.judged]
        target = {{ value = "drive + 0.5 * noise" }}
        soma = {{ value = "tanh(drive) + 0.1 * noise", f = "2 * tanh(x)" }}
        [population.a]
        neuron = "noisy"
        size = 3
        [population.b]
        neuron = "judged"
        size = 2
        [projection.W]
        from = "a"
        to = "b.soma"
        weight = [0.1, -0.2, 0.3, 0.4, -0.5, 0.6]
        learn = {learn}"#
    ));
    format!("use = [\"reward\"]\n{text}")
}

/// That each step's change of weights is what `change` makes of reward, gate, pre, post, target and weight; it is
/// called for each synapse in each step, in order.
fn check(learn: &str, mut change: impl FnMut(usize, &Seen) -> f64) {
    let mut bench = Bench::new(&circuit(learn));
    let mut before = bench.weights("W");
    let steps = bench.series(100, |program, state| {
        let read = |name| value(program, state, name);
        let broadcast = ["reward", "plastic"].map(|m| modulator(program, state, m));
        (
            read("a.soma"),
            read("b.soma"),
            read("b.target"),
            broadcast,
            weights(program, state, "W"),
        )
    });
    let mut learned = 0.0_f64;
    for (t, (a, b, target, [reward, plastic], after)) in steps.into_iter().enumerate() {
        for k in 0..6 {
            let (pre, post) = (a[k / 2], b[k % 2]);
            let seen = Seen {
                reward,
                plastic,
                pre,
                post,
                target: target[k % 2],
                w: before[k],
            };
            let expected = before[k] + change(k, &seen);
            assert!(
                (after[k] - expected).abs() < 1e-14,
                "step {t}, synapse {k}: {} and {expected}",
                after[k]
            );
            learned = learned.max((after[k] - before[k]).abs());
        }
        before = after;
    }
    assert!(learned > 1e-4, "nothing was learned");
}

struct Seen {
    reward: f64,
    plastic: f64,
    pre: f64,
    post: f64,
    target: f64,
    w: f64,
}

#[test]
fn reward_hebb_is_equation_10() {
    let share = 1.0 - (-1.0_f64 / 8.0).exp();
    let mut average = [f64::NAN; 6];
    check(
        "{ rule = \"reward-hebb\", eta = 0.01, tau = 8.0, decay = 0.05 }",
        |k, s| {
            let product = s.post * s.pre;
            average[k] = if average[k].is_nan() {
                product
            } else {
                average[k] + share * (product - average[k])
            };
            s.plastic * 0.01 * (s.reward * (product - average[k]) - 2.0 * 0.05 * s.w)
        },
    );
}

#[test]
fn the_readouts_are_equations_11_and_12() {
    check(
        "{ rule = \"reward-readout-squares\", eta = 0.01, decay = 0.05 }",
        |_, s| s.plastic * 0.01 * (2.0 * (s.target - s.post) * s.pre - 2.0 * 0.05 * s.w),
    );
    check(
        "{ rule = \"reward-readout-logistic\", eta = 0.01, gain = 3, decay = 0.05 }",
        |_, s| s.plastic * 0.01 * (3.0 * (s.target - s.post) * s.pre - 2.0 * 0.05 * s.w),
    );
}

#[test]
fn reinforce_sums_deviations_of_the_postsynaptic_rate() {
    let keep = |tau: f64| (-1.0 / tau).exp();
    let (mut average, mut trace) = ([f64::NAN; 6], [0.0; 6]);
    check(
        "{ rule = \"reinforce\", eta = 0.001, tau = 8.0, tau_e = 4.0, decay = 0.05 }",
        |k, s| {
            average[k] = if average[k].is_nan() {
                s.post
            } else {
                s.post + keep(8.0) * (average[k] - s.post)
            };
            // f = 2 tanh: its slope at the current of the rate is 2 − r²/2.
            let slope = 2.0 - s.post * s.post / 2.0;
            trace[k] = keep(4.0) * trace[k] + slope * (s.post - average[k]) * s.pre;
            s.plastic * 0.001 * (s.reward * trace[k] - 2.0 * 0.05 * s.w)
        },
    );
}

/// The running average runs in the fused pass over the weights.
#[test]
fn the_rules_are_fused() {
    for rule in [
        "{ rule = \"reward-hebb\", eta = 0.01, tau = 8.0 }",
        "{ rule = \"reinforce\", eta = 0.01, tau = 8.0 }",
    ] {
        let method = Bench::new(&circuit(rule)).method("W");
        assert!(method.contains("fused"), "{method}");
    }
}
