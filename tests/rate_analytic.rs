//! The rate engine against what its equations say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{
    Bench, assert_close, bias, compile_in, drive, plain, probe, relative_difference, synapses,
    value, weights,
};

/// A signal without symmetries, one number a step; the last one stays.
const SIGNAL: [f64; 12] = [
    1.0, 4.0, -2.0, 8.0, 5.0, -7.0, 3.0, 0.5, 6.0, -1.5, 2.0, 9.0,
];

/// A circuit in plain time whose modulator `x` is the signal and whose population `p`, of one neuron, repeats it.
fn signal(rest: &str) -> String {
    plain(&format!(
        r#"[modulator.x]
        schedule = {{ list = {SIGNAL:?}, every = 1 }}
        [neuron.repeat]
        soma = {{ value = "x" }}
        [neuron.relay]
        soma = {{ value = "drive" }}
        [population.p]
        neuron = "repeat"
        size = 1
        {rest}"#
    ))
}

/// What a trace records in each step of the signal.
fn recorded(text: &str) -> Vec<f64> {
    let mut bench = Bench::new(text);
    let experiment = bench.experiment.clone();
    bench.series(SIGNAL.len() as u64, |_, state| {
        probe(&experiment, state, 0)[0]
    })
}

/// The error of the decay from 1 mV over 20 ms, with a step of that length (ms).
fn decay_error(step: f64) -> f64 {
    let text = format!(
        r#"[circuit]
        name = "decay"
        step = "{step} ms"
        [neuron.leaky]
        parameter = {{ tau = "10 ms" }}
        soma = {{ derivative = "-soma / tau", start = "1 mV" }}
        [population.p]
        neuron = "leaky"
        size = 3"#
    );
    let mut bench = Bench::new(&text);
    let steps = (20.0 / step).round();
    bench.run(steps as u64);
    let found = bench.value("p.soma");
    let euler = (1.0 - step / 10.0).powi(steps as i32);
    assert_close(
        &found,
        &[euler; 3],
        1e-14,
        "Euler's own solution, up to the rounding of 160 steps",
    );
    (found[0] - (-2.0_f64).exp()).abs()
}

#[test]
fn decay_converges_to_the_exponential_at_first_order_in_the_step() {
    let errors = [1.0, 0.5, 0.25, 0.125].map(decay_error);
    for pair in errors.windows(2) {
        // Halving the step halves the error, up to the next order: a share of step / tau, 10 % at most.
        let ratio = pair[0] / pair[1];
        assert!((1.9..2.2).contains(&ratio), "{errors:?}");
    }
}

#[test]
fn an_ornstein_uhlenbeck_process_has_mean_0_and_variance_sigma2_tau_over_2() {
    let text = r#"[circuit]
        name = "noise"
        step = "0.25 ms"
        [neuron.noisy]
        parameter = { tau = "10 ms", sigma = "0.5 mV/ms^0.5" }
        soma = { derivative = "-soma / tau + sigma * noise", start = "0 mV" }
        [population.p]
        neuron = "noisy"
        size = 1000"#;
    let mut bench = Bench::new(text);
    // Ten time constants until it has forgotten its start, then forty.
    bench.run(400);
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for _ in 0..40 {
        bench.run(40);
        let values = bench.value("p.soma");
        sum += values.iter().sum::<f64>();
        squares += values.iter().map(|v| v * v).sum::<f64>();
        count += 1000.0;
    }
    let (mean, variance) = (sum / count, squares / count);
    let expected = 0.5 * 0.5 * 10.0 / 2.0;
    // 1000 neurons over 40 time constants are some 20,000 independent values: the variance's standard deviation is
    // 1 %, and the step adds step / 2 tau = 1.25 %.
    assert!((variance / expected - 1.0).abs() < 0.05, "{variance}");
    // Standard deviation of the mean: 1.12 / √20,000 = 0.008.
    assert!(mean.abs() < 0.035, "{mean}");
}

/// Running mean that begins with the first value: what remains after a step is exp(−1/τ).
fn average(x: &[f64], tau: f64) -> Vec<f64> {
    let kept = (-1.0 / tau).exp();
    (0..x.len())
        .map(|t| {
            let past = |s: usize| kept.powi((t - s) as i32) * if s == 0 { 1.0 } else { 1.0 - kept };
            (0..=t).map(|s| past(s) * x[s]).sum()
        })
        .collect()
}

/// First-order low-pass filter that begins at 0.
fn lowpass(x: &[f64], tau: f64) -> Vec<f64> {
    let kept = (-1.0 / tau).exp();
    let past = |t: usize, s: usize| (1.0 - kept) * kept.powi((t - s) as i32);
    (0..x.len())
        .map(|t| (0..=t).map(|s| past(t, s) * x[s]).sum())
        .collect()
}

/// Decaying sum.
fn decaying_sum(x: &[f64], tau: f64) -> Vec<f64> {
    let kept = (-1.0 / tau).exp();
    let sum = |t: usize| (0..=t).map(|s| kept.powi((t - s) as i32) * x[s]).sum();
    (0..x.len()).map(sum).collect()
}

/// A sum of which each value, through a sigmoid, says how much of the earlier ones is kept.
fn carried(x: &[f64]) -> Vec<f64> {
    let kept = |x: &f64| 1.0 / (1.0 + (-x).exp());
    let past = |t: usize, s: usize| x[s + 1..=t].iter().map(kept).product::<f64>();
    (0..x.len())
        .map(|t| (0..=t).map(|s| past(t, s) * x[s]).sum())
        .collect()
}

/// The value so many steps before, 0 before the first.
fn ago(x: &[f64], n: usize) -> Vec<f64> {
    (0..x.len())
        .map(|t| if t < n { 0.0 } else { x[t - n] })
        .collect()
}

/// Sums of a dozen terms of size 10.
const ROUNDING: f64 = 1e-13;

#[test]
fn filters_are_sums_over_the_past() {
    let cases = [
        ("avg({}, 3.0)", average(&SIGNAL, 3.0)),
        ("lowpass({}, 4.0)", lowpass(&SIGNAL, 4.0)),
        ("trace({}, 4.0)", decaying_sum(&SIGNAL, 4.0)),
        ("carry({}, exp(-0.25))", decaying_sum(&SIGNAL, 4.0)),
        ("carry({}, sigmoid({}))", carried(&SIGNAL)),
        (
            "trace(lowpass({}, 3.0), 2.0)",
            decaying_sum(&lowpass(&SIGNAL, 3.0), 2.0),
        ),
        ("prev({})", ago(&SIGNAL, 1)),
        ("prev({}, 5)", ago(&SIGNAL, 5)),
        (
            "lowpass(avg({}, 3.0), 4.0)",
            lowpass(&average(&SIGNAL, 3.0), 4.0),
        ),
        ("prev(avg({}, 3.0), 2)", ago(&average(&SIGNAL, 3.0), 2)),
        ("avg(prev({}), 3.0)", average(&ago(&SIGNAL, 1), 3.0)),
        ("prev(prev({}, 2))", ago(&SIGNAL, 3)),
        ("avg({}, 3.0) - lowpass({}, 4.0) * prev({}, 5)", {
            let (a, l, p) = (
                average(&SIGNAL, 3.0),
                lowpass(&SIGNAL, 4.0),
                ago(&SIGNAL, 5),
            );
            (0..SIGNAL.len()).map(|t| a[t] - l[t] * p[t]).collect()
        }),
    ];
    for (filter, expected) in cases {
        let of = |what: &str| filter.replace("{}", what);
        let trace = |of: &str| format!("[[record]]\nwhat = \"trace\"\nof = \"{of}\"");
        // Of a scalar, of a vector, and as a modulator.
        assert_close(
            &recorded(&signal(&trace(&of("x")))),
            &expected,
            ROUNDING,
            &of("x"),
        );
        assert_close(
            &recorded(&signal(&trace(&of("p.soma")))),
            &expected,
            ROUNDING,
            &of("p.soma"),
        );
        let through = format!(
            "[modulator.y]\nvalue = \"{}\"\n{}",
            of("sum(p.soma)"),
            trace("y")
        );
        assert_close(
            &recorded(&signal(&through)),
            &expected,
            ROUNDING,
            &of("sum(p.soma)"),
        );
    }
}

#[test]
fn an_equation_sees_its_filters_as_the_step_before_left_them() {
    for (filter, expected) in [
        ("avg(x, 3.0)", ago(&average(&SIGNAL, 3.0), 1)),
        ("lowpass(x, 4.0)", ago(&lowpass(&SIGNAL, 4.0), 1)),
        ("trace(x, 4.0)", ago(&decaying_sum(&SIGNAL, 4.0), 1)),
        ("carry(x, sigmoid(x))", ago(&carried(&SIGNAL), 1)),
        ("prev(x)", ago(&SIGNAL, 1)),
        ("prev(x, 3)", ago(&SIGNAL, 3)),
    ] {
        let text = signal(&format!(
            "[neuron.filter]\nsoma = {{ value = \"{filter}\" }}\n[population.q]\nneuron = \"filter\"\nsize = 2"
        ));
        let read = |program: &apical::compile::Program, state: &apical::engine::rate::State| {
            value(program, state, "q.soma")[1]
        };
        let found = Bench::new(&text).series(SIGNAL.len() as u64, read);
        assert_close(&found, &expected, ROUNDING, filter);
    }
}

/// r = φ(u + τ du/dt) of a leaky cell is what the cell is driven to, without its lag.
#[test]
fn a_prospective_value_undoes_the_lag_of_a_leaky_cell_and_starts_where_the_cell_does() {
    let text = signal(
        r#"[neuron.leaky]
        parameter = { tau = 8 }
        ahead = { value = "prospective(soma, tau)" }
        soma = { derivative = "(drive - soma) / tau", start = 3 }
        [population.q]
        neuron = "leaky"
        size = 1
        [projection.to-q]
        from = "p"
        to = "q.soma"
        weight = 1
        [[record]]
        what = "trace"
        of = "q.ahead""#,
    );
    let found = recorded(&text);
    assert!(
        (found[0] - 3.0).abs() < f64::EPSILON,
        "there is no slope before the first step"
    );
    let (mut soma, mut before) = (3.0, 3.0);
    for (t, found) in found.iter().enumerate() {
        let drive: f64 = if t == 0 { soma } else { SIGNAL[t - 1] };
        // u(t) + τ (u(t) − u(t−1))/Δt = u(t) − u(t−1) + drive(t−1).
        let expected = soma - before + drive;
        assert!(
            (found - expected).abs() < 1e-12,
            "step {t}: {found}, not {expected}"
        );
        before = soma;
        soma += (SIGNAL[t] - soma) / 8.0;
    }
}

#[test]
fn a_modulator_may_read_its_own_past() {
    let text = signal(
        "[modulator.y]\nvalue = \"0.5 * prev(y) + x\"\nstart = 3\n[[record]]\nwhat = \"trace\"\nof = \"y\"",
    );
    let mut expected = Vec::new();
    for x in SIGNAL {
        // Nothing was before the first step.
        expected.push(x + 0.5 * expected.last().copied().unwrap_or(0.0));
    }
    assert_close(&recorded(&text), &expected, ROUNDING, "0.5 * prev(y) + x");
}

#[test]
fn delayed_synapses_deliver_what_was_so_many_steps_before() {
    let projections: String = [0, 1, 3]
        .iter()
        .map(|d| {
            format!(
                "[population.q{d}]\nneuron = \"relay\"\nsize = 1\n\
                 [projection.P{d}]\nfrom = \"p\"\nto = \"q{d}.soma\"\ndelay = {d}\nweight = 2\n"
            )
        })
        .collect();
    let mut bench = Bench::new(&signal(&projections));
    let found = bench.series(SIGNAL.len() as u64, |program, state| {
        [0, 1, 3].map(|d| value(program, state, &format!("q{d}.soma"))[0])
    });
    for (k, d) in [0, 1, 3].into_iter().enumerate() {
        let found: Vec<f64> = found.iter().map(|row| row[k]).collect();
        let expected: Vec<f64> = ago(&SIGNAL, d).iter().map(|x| 2.0 * x).collect();
        assert_close(&found, &expected, 0.0, &format!("delay {d}"));
    }
}

#[test]
fn delays_count_from_the_value_with_which_a_differential_compartment_enters_a_step() {
    let text = plain(
        r#"[neuron.clock]
        soma = { derivative = "1", start = 10 }
        [neuron.relay]
        soma = { value = "drive" }
        [population.p]
        neuron = "clock"
        size = 2
        [population.now]
        neuron = "relay"
        size = 2
        [population.later]
        neuron = "relay"
        size = 2
        [projection.N]
        from = "p"
        to = "now.soma"
        connect = "one-to-one"
        weight = 1
        [projection.L]
        from = "p"
        to = "later.soma"
        connect = "one-to-one"
        delay = 2
        weight = 1"#,
    );
    let mut bench = Bench::new(&text);
    let found = bench.series(6, |program, state| {
        [
            value(program, state, "now.soma")[0],
            value(program, state, "later.soma")[1],
        ]
    });
    for (t, [now, later]) in found.into_iter().enumerate() {
        let t = t as f64;
        // Before the first step the value was what it starts with.
        assert_close(
            &[now, later],
            &[10.0 + t, 10.0 + (t - 2.0).max(0.0)],
            0.0,
            "the clock",
        );
    }
}

/// Seven inputs, and five neurons that they reach through some pattern.
fn reached(connect: &str, extra: &str) -> String {
    let size = if connect.contains("one-to-one") { 7 } else { 5 };
    plain(&format!(
        r#"[input.world]
        process = "latent-ar1"
        size = 7
        latent = 3
        decay = 0.5
        noise = 1
        mixing = {{ normal = {{ mean = 0, sd = 1 }} }}
        [neuron.relay]
        soma = {{ value = "drive" }}
        [population.a]
        neuron = "relay"
        size = 7
        soma.input = "world"
        [population.b]
        neuron = "relay"
        size = {size}
        {extra}
        [projection.W]
        from = "a"
        to = "b.soma"
        connect = {connect}
        weight = {{ normal = {{ mean = 0.1, sd = 1 }} }}"#
    ))
}

#[test]
fn every_pattern_delivers_the_product_of_weights_and_values() {
    let patterns = [
        "\"all-to-all\"",
        "\"one-to-one\"",
        "{ in-degree = 3 }",
        "{ out-degree = 2 }",
        "{ probability = 0.4 }",
    ];
    for connect in patterns {
        let mut bench =
            Bench::new(&reached(connect, "").replace("step = 1", "step = 1\nreplicas = 2"));
        let program = bench.experiment.program.clone();
        let synapses = synapses(&program, "W");
        bench.watch(10, |state| {
            let weights = weights(&program, state, "W");
            let pre = value(&program, state, "a.soma");
            let found = value(&program, state, "b.soma");
            let size = found.len() / 2;
            let mut expected = vec![0.0; found.len()];
            for replica in 0..2 {
                for ((j, i), w) in synapses.iter().zip(&weights) {
                    expected[replica * size + i] += w * pre[replica * 7 + j];
                }
            }
            // Sums of seven terms in another order.
            assert!(relative_difference(&found, &expected) < 1e-14, "{connect}");
        });
    }
}

#[test]
fn a_drive_is_the_sum_of_bias_inputs_and_all_projections() {
    let second =
        "[projection.V]\nfrom = \"a\"\nto = \"b.soma\"\nconnect = { in-degree = 2 }\nweight = 0.5";
    let text = reached(
        "\"one-to-one\"",
        "soma.input = \"world\"\nsoma.bias = [1, 2, 3, 4, 5, 6, 7]",
    );
    let mut bench = Bench::new(&format!("{text}\n{second}"));
    let program = bench.experiment.program.clone();
    let sparse = synapses(&program, "V");
    let one = weights(&program, bench.state(), "W");
    bench.watch(5, |state| {
        let a = value(&program, state, "a.soma");
        let b = bias(&program, state, "b.soma");
        // The population `a` relays the world, and `b` hears it directly as well.
        let mut expected: Vec<f64> = (0..7).map(|i| b[i] + a[i] + one[i] * a[i]).collect();
        sparse.iter().for_each(|(j, i)| expected[*i] += 0.5 * a[*j]);
        let found = drive(&program, state, "b.soma");
        // Sums of a few terms in another order.
        assert!(relative_difference(&found, &expected) < 1e-14);
    });
}

#[test]
fn bounds_clip_values_whether_assigned_or_integrated() {
    let text = signal(
        r#"[neuron.clipped]
        soma = { value = "x", within = [-1, 4.5] }
        [neuron.integrator]
        soma = { derivative = "x", within = [-inf, 5], start = 1 }
        [population.a]
        neuron = "clipped"
        size = 2
        [population.b]
        neuron = "integrator"
        size = 2"#,
    );
    let mut bench = Bench::new(&text);
    let mut integral = 1.0_f64;
    let program = bench.experiment.program.clone();
    let mut t = 0;
    bench.watch(SIGNAL.len() as u64, |state| {
        integral = (integral + SIGNAL[t]).min(5.0);
        assert_close(
            &value(&program, state, "a.soma"),
            &[SIGNAL[t].clamp(-1.0, 4.5); 2],
            0.0,
            "assigned",
        );
        assert_close(
            &value(&program, state, "b.soma"),
            &[integral; 2],
            0.0,
            "integrated",
        );
        t += 1;
    });
}

#[test]
fn lists_of_numbers_go_to_neurons_and_synapses_in_order() {
    let text = plain(
        r#"[neuron.scaled]
        parameter = { gain = 1 }
        soma = { value = "gain * drive" }
        [population.a]
        neuron = "scaled"
        size = 2
        parameter = { gain = [2, 3] }
        soma.bias = 1
        [population.b]
        neuron = "scaled"
        size = 3
        [projection.W]
        from = "a"
        to = "b.soma"
        weight = [1, 10, 100, 1000, 10000, 100000]"#,
    );
    let mut bench = Bench::new(&text);
    bench.run(1);
    assert_close(&bench.value("a.soma"), &[2.0, 3.0], 0.0, "gains");
    // Weights are listed presynaptic neuron by presynaptic neuron.
    assert_close(
        &bench.value("b.soma"),
        &[3002.0, 30_020.0, 300_200.0],
        0.0,
        "drives",
    );
}

#[test]
fn a_netlist_without_a_name_for_a_file_is_looked_up_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("edges.csv"),
        "pre,post,weight\n0,1,5\n1,0,-2\n",
    )
    .unwrap();
    let text = reached("{ edges = \"edges.csv\" }", "");
    let bench = Bench::of(compile_in(&text, folder.path(), None).unwrap(), 1);
    assert_close(
        &bench.weights("W"),
        &[5.0, -2.0],
        0.0,
        "weights of the file",
    );
    assert!(compile_in(&text, std::path::Path::new("nowhere"), None).is_err());
}
