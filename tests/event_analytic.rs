//! Spiking neurons against closed forms.

mod event_support;

use event_support::{program, run, sampled, times_of};

#[test]
fn a_constant_current_charges_the_membrane_exactly_and_the_first_spike_is_at_ten_ln_1_6() {
    let text = |threshold: &str| {
        format!(
            r#"
[population.cell]
neuron = "lif"
size = 1
parameter = {{ C = "250 pF", g_L = "25 nS", E_L = "0 mV", V_th = "{threshold}", V_reset = "0 mV" }}
soma.bias = "1000 pA"
"#
        )
    };
    // V(t) = (I τ/C)(1 − e^(−t/τ)) = 40 mV · (1 − e^(−t/10 ms)).
    let all = sampled(&program(&text("1000 mV")), 20.0, 2.5, &[(0, 0, 0)]);
    assert!(all.emitted.is_empty());
    for (time, values) in &all.samples {
        let t = *time as f64 * 1e-9;
        let exact = -40.0 * (-t / 10.0_f64).exp_m1();
        assert!(
            (values[0] - exact).abs() <= 1e-12,
            "V({t}) = {} and not {exact}",
            values[0]
        );
    }
    let spikes = times_of(&run(&program(&text("15 mV")), 5.0), 0);
    let exact = 10.0 * 1.6_f64.ln();
    assert_eq!(spikes.len(), 1);
    assert!(
        (spikes[0] - exact).abs() <= 1e-9,
        "spike at {} and not {exact}",
        spikes[0]
    );
}

#[test]
fn the_period_of_a_driven_cell_is_its_closed_form() {
    // A leak above the threshold drives the cell: period τ ln((E − V_r)/(E − V_th)).
    for (leak, tau, exact) in [
        (-50.0, 30.0, 30.0 * 4.0_f64.ln()),
        (-53.0, 16.0, 16.0 * 8.5_f64.ln()),
    ] {
        let text = format!(
            r#"
[population.cell]
neuron = "lif"
size = 1
parameter = {{ C = "{tau} pF", g_L = "1 nS", E_L = "{leak} mV", V_th = "-55 mV", V_reset = "-70 mV", t_ref = "0 ms" }}
soma.start = "-70 mV"
"#
        );
        let spikes = times_of(&run(&program(&text), 500.0), 0);
        assert!(spikes.len() > 10);
        for (index, time) in spikes.iter().enumerate() {
            let expected = (index + 1) as f64 * exact;
            // Every spike is rounded to a picosecond, and so is the start of the next period.
            let tolerance = 1e-9 * (index + 1) as f64;
            assert!(
                (time - expected).abs() <= tolerance,
                "spike {index} at {time} and not {expected}"
            );
        }
    }
}

#[test]
fn synaptic_potentials_have_their_closed_forms() {
    let text = |receptor: &str, weight: &str| {
        format!(
            r#"
[neuron.passive]
parameter = {{ C = "250 pF" }}
soma = {{ capacitance = "C", leak = "25 nS", rest = "0 mV" }}
receptor.r = {receptor}
spike = {{ when = "soma > 1000 mV", reset = {{ soma = "0 mV" }} }}
[population.source]
neuron = "listed"
size = 1
times = [[1]]
[population.cell]
neuron = "passive"
size = 1
[projection.P]
from = "source"
to = "cell.soma"
weight = "{weight}"
delay = "1.5 ms"
"#
        )
    };
    let tau_m = 10.0_f64;
    let check = |receptor: &str, weight: &str, exact: &dyn Fn(f64) -> f64, tolerance: f64| {
        let all = sampled(&program(&text(receptor, weight)), 60.0, 0.25, &[(1, 0, 0)]);
        for (time, values) in &all.samples {
            let t = *time as f64 * 1e-9 - 2.5;
            let expected = if t < 0.0 { 0.0 } else { exact(t) };
            assert!(
                (values[0] - expected).abs() <= tolerance,
                "{receptor} at {t}: {} and not {expected}",
                values[0]
            );
        }
    };
    check(
        r#"{ on = ["soma"], current = "delta" }"#,
        "3 mV",
        &|t| 3.0 * (-t / tau_m).exp(),
        1e-13,
    );
    let exponential = |tau: f64| {
        move |t: f64| {
            let a = 1.0 / tau - 1.0 / tau_m;
            // w/C · (e^(−t/τm) − e^(−t/τs))/(1/τs − 1/τm), which is t·e^(−t/τm) where the two are the same.
            let shape = if a.abs() < 1e-14 {
                t
            } else {
                -(-a * t).exp_m1() / a
            };
            500.0 / 250.0 * (-t / tau_m).exp() * shape
        }
    };
    // Also where the synaptic time constant is the membrane's, or nearly.
    for tau in [2.0, 10.0, 10.0 + 1e-9, 10.0 + 1e-5, 10.1, 30.0] {
        let receptor = format!(r#"{{ on = ["soma"], current = "exponential", tau = "{tau} ms" }}"#);
        check(&receptor, "500 pA", &exponential(tau), 1e-11);
    }
    let alpha = |t: f64| {
        // ∫ e^(−(t−s)/τm) (s/τ) e^(1−s/τ) ds · w/C.
        let (tau, e) = (2.0_f64, std::f64::consts::E);
        let a = 1.0 / tau - 1.0 / tau_m;
        500.0 / 250.0 * e / tau * (-t / tau_m).exp() * (1.0 - (1.0 + a * t) * (-a * t).exp())
            / (a * a)
    };
    check(
        r#"{ on = ["soma"], current = "alpha", tau = "2 ms" }"#,
        "500 pA",
        &alpha,
        1e-11,
    );
    let double = |t: f64| {
        let (r, d) = (0.5_f64, 4.0_f64);
        let peak = r * d / (d - r) * (d / r).ln();
        let norm = 1.0 / ((-peak / d).exp() - (-peak / r).exp());
        let part = |tau: f64| {
            let a = 1.0 / tau - 1.0 / tau_m;
            (-t / tau_m).exp() * -(-a * t).exp_m1() / a
        };
        500.0 / 250.0 * norm * (part(d) - part(r))
    };
    let receptor =
        r#"{ on = ["soma"], current = "double-exponential", rise = "0.5 ms", decay = "4 ms" }"#;
    check(receptor, "500 pA", &double, 1e-11);
}

#[test]
fn refractoriness_holds_the_soma_and_nothing_else() {
    let text = r#"
[population.source]
neuron = "listed"
size = 1
times = [[0]]
[population.cell]
neuron = "lif"
size = 1
parameter = { E_L = "-70 mV", tau_exc = "50 ms", t_ref = "5 ms" }
[projection.P]
from = "source"
to = "cell.soma"
receptor = "exc"
weight = "1000 pA"
delay = "1 ms"
"#;
    let all = sampled(&program(text), 30.0, 0.1, &[(1, 0, 0)]);
    let spikes = times_of(&all.emitted, 1);
    assert!(
        spikes.len() >= 2,
        "the synaptic current outlasts refractoriness: {spikes:?}"
    );
    for (time, values) in &all.samples {
        let t = *time as f64 * 1e-9;
        if spikes.iter().any(|s| t > *s && t < s + 5.0) {
            assert!((values[0] + 70.0).abs() < 1e-9, "V({t}) = {}", values[0]);
        }
    }
    // While the soma was held the current decayed: dV/dt = I(t)/C just after the end of refractoriness.
    let free = spikes[0] + 5.0;
    let current = 1000.0 * (-(free - 1.0) / 50.0_f64).exp();
    let exact = |t: f64| {
        let a = 1.0 / 50.0 - 1.0 / 10.0;
        -70.0 + current / 250.0 * (-t / 10.0_f64).exp() * -(-a * t).exp_m1() / a
    };
    let (time, values) = all
        .samples
        .iter()
        .find(|(t, _)| *t as f64 * 1e-9 > free)
        .unwrap();
    let expected = exact(*time as f64 * 1e-9 - free);
    assert!(
        (values[0] - expected).abs() < 1e-7,
        "{} and not {expected}",
        values[0]
    );
}
