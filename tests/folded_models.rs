//! The neurons and rules of models/folded.toml against the equations of the poster and against finite differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use apical::compile::plan::Activity;
use apical::engine::rate::Settings;
use rate_support::{Bench, Blind, value, weights};

/// Sizes of the three layers.
const SIZES: [usize; 3] = [12, 7, 4];
/// Share of encoding in the middle layer, and in the top layer.
const LAMBDA: f64 = 0.05;
const SHARE: f64 = 0.3;
const RATE: f64 = 0.02;

/// How errors come back: through transposes, or through synapses of their own that learn.
enum Return {
    Transposes,
    Learned { decay: f64 },
}

/// Neurons of the two upper layers, and the rules of W and G.
struct Kind {
    hidden: &'static str,
    latent: &'static str,
    w: &'static str,
    g: &'static str,
}

const PLAIN: Kind = Kind {
    hidden: "folded",
    latent: "folded-top",
    w: "dendritic-prediction",
    g: "dendritic-prediction",
};

const MATCHED: Kind = Kind {
    hidden: "folded-matched",
    latent: "folded-top-matched",
    w: "matched-w",
    g: "matched-g",
};

/// Three layers, the lowest clamped to `seen`.
fn network(seen: &str, seed: u64, back: &Return) -> String {
    network_of(&PLAIN, LAMBDA, SHARE, seen, seed, back)
}

/// The same of other neurons, with other shares of encoding in the middle and at the top.
fn network_of(
    kind: &Kind,
    lambda: f64,
    share: f64,
    seen: &str,
    seed: u64,
    back: &Return,
) -> String {
    let [visible, hidden, latent] = SIZES;
    let (middle, top) = (kind.hidden, kind.latent);
    let fading = match back {
        Return::Transposes => String::new(),
        Return::Learned { decay } => format!(", decay = {decay}"),
    };
    let learn = |rule: &str| format!("learn = {{ rule = \"{rule}\", eta = {RATE}{fading} }}");
    let (learn_w, learn_g) = (learn(kind.w), learn(kind.g));
    let weight = |sd: f64| format!("weight = {{ normal = {{ mean = 0, sd = {sd} }} }}");
    let returned = |of: &str| match back {
        Return::Transposes => format!("transpose-of = \"{of}\""),
        Return::Learned { decay } => format!(
            "{}\nlearn = {{ rule = \"error-return\", eta = {RATE}, decay = {decay} }}",
            weight(0.4)
        ),
    };
    format!(
        r#"use = ["folded"]
        [circuit]
        name = "test"
        seed = {seed}
        step = "1 ms"
        [modulator.lambda]
        schedule = {lambda}
        [modulator.beta]
        schedule = 1
        [modulator.pace]
        schedule = 1
        [population.visible]
        neuron = "folded-visible"
        size = {visible}
        {seen}
        [population.hidden]
        neuron = "{middle}"
        size = {hidden}
        parameter = {{ tau = "30 ms", tau_s = "10 ms", g_e = 2 }}
        [population.latent]
        neuron = "{top}"
        size = {latent}
        parameter = {{ tau = "30 ms", tau_s = "10 ms", g_e = 2, share = {share} }}
        [projection.W_1]
        from = "visible.rate"
        to = "hidden.basal"
        {}
        {learn_w}
        [projection.W_2]
        from = "hidden.rate"
        to = "latent.basal"
        {}
        {learn_w}
        [projection.G_1]
        from = "latent.rate"
        to = "hidden.apical"
        {}
        {learn_g}
        [projection.G_0]
        from = "hidden.rate"
        to = "visible.apical"
        {}
        {learn_g}
        [projection.from-latent]
        from = "latent.missed_w"
        to = "hidden.error_w"
        {}
        [projection.from-visible]
        from = "visible.missed_g"
        to = "hidden.error_g"
        {}
        [projection.from-hidden]
        from = "hidden.missed_g"
        to = "latent.error_g"
        {}"#,
        weight(0.5),
        weight(0.6),
        weight(0.6),
        weight(0.4),
        returned("W_2"),
        returned("G_0"),
        returned("G_1"),
    )
}

/// An image that stays.
fn still(seed: u64) -> String {
    let pixel = |k: usize| ((k as f64 * 2.3 + seed as f64 * 1.7).sin() * 0.6 * 1e6).round() / 1e6;
    let image: Vec<String> = (0..SIZES[0]).map(|k| pixel(k).to_string()).collect();
    format!("target.bias = [{}]", image.join(", "))
}

/// Runs with learning on or off.
fn run(bench: &mut Bench, steps: u64, learns: bool) {
    let program = bench.experiment.program.clone();
    let activity = Activity {
        learns: vec![learns; program.rules.len()],
        ..Activity::default()
    };
    let settings = Settings {
        activity,
        ..Settings::default()
    };
    bench.simulation.enter(&settings).unwrap();
    assert_eq!(bench.simulation.run(steps, &mut Blind), Ok(()));
}

/// A matrix from so many sources, source by source as the engine has it.
struct Matrix {
    values: Vec<f64>,
    targets: usize,
}

impl Matrix {
    fn of(bench: &Bench, name: &str, targets: usize) -> Matrix {
        let values = weights(&bench.experiment.program, bench.state(), name);
        Matrix { values, targets }
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.values.chunks(self.targets).zip(x);
        rows.fold(vec![0.0; self.targets], |sum, (row, x)| {
            sum.iter().zip(row).map(|(s, w)| s + w * x).collect()
        })
    }

    fn transposed_times(&self, y: &[f64]) -> Vec<f64> {
        let rows = self.values.chunks(self.targets);
        rows.map(|row| row.iter().zip(y).map(|(w, y)| w * y).sum())
            .collect()
    }
}

fn tanh(u: &[f64]) -> Vec<f64> {
    u.iter().map(|u| u.tanh()).collect()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// r' · x, element by element, of rates that are tanh.
fn sloped(rates: &[f64], x: &[f64]) -> Vec<f64> {
    rates
        .iter()
        .zip(x)
        .map(|(r, x)| (1.0 - r * r) * x)
        .collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn at_rest_potentials_and_errors_are_those_of_the_poster() {
    rests_as_the_poster_says(&PLAIN, LAMBDA, SHARE);
}

#[test]
fn neurons_whose_lags_match_rest_where_the_others_do() {
    rests_as_the_poster_says(&MATCHED, 0.9, 0.9);
}

fn rests_as_the_poster_says(kind: &Kind, lambda: f64, share: f64) {
    let text = network_of(kind, lambda, share, &still(1), 3, &Return::Transposes);
    let mut bench = Bench::new(&text);
    run(&mut bench, 4_000, false);
    let program = bench.experiment.program.clone();
    let at = |name: &str| value(&program, bench.state(), name);
    let [visible, hidden, latent] = SIZES;
    let (w1, w2) = (
        Matrix::of(&bench, "W_1", hidden),
        Matrix::of(&bench, "W_2", latent),
    );
    let (g1, g0) = (
        Matrix::of(&bench, "G_1", hidden),
        Matrix::of(&bench, "G_0", visible),
    );
    let (u0, u1, u2) = (at("visible.soma"), at("hidden.soma"), at("latent.soma"));
    let (r1, r2) = (tanh(&u1), tanh(&u2));
    // e_i^W = g_l/g_ε r'_i W_{i+1}ᵀ (u_{i+1} − W_{i+1} r_i), e_i^G = g_l/g_ε r'_i G_{i−1}ᵀ (u_{i−1} − G_{i−1} r_i).
    let half = |x: Vec<f64>| -> Vec<f64> { x.iter().map(|x| x / 2.0).collect() };
    let error_w = half(sloped(
        &r1,
        &w2.transposed_times(&minus(&u2, &w2.times(&r1))),
    ));
    let error_g = half(sloped(
        &r1,
        &g0.transposed_times(&minus(&u0, &g0.times(&r1))),
    ));
    let error_top = half(sloped(
        &r2,
        &g1.transposed_times(&minus(&u1, &g1.times(&r2))),
    ));
    let (up, down) = (w1.times(&u0), g1.times(&r2));
    let expected_1: Vec<f64> = (0..hidden)
        .map(|i| {
            lambda * (up[i] + 2.0 * error_w[i]) + (1.0 - lambda) * (down[i] + 2.0 * error_g[i])
        })
        .collect();
    let up = w2.times(&r1);
    let expected_2: Vec<f64> = (0..latent)
        .map(|i| up[i] + (1.0 - share) / share * 2.0 * error_top[i])
        .collect();
    for (found, expected, name) in [
        (&at("hidden.error_w"), &error_w, "e^W"),
        (&at("hidden.error_g"), &error_g, "e^G"),
        (&at("latent.error_g"), &error_top, "e^G at the top"),
        (&u1, &expected_1, "u_1"),
        (&u2, &expected_2, "u_2"),
    ] {
        let size = expected.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        assert!(size > 1e-3, "{name} says nothing: {size}");
        for (f, e) in found.iter().zip(expected) {
            // 130 time constants of the soma have passed.
            assert!((f - e).abs() < 1e-9, "{name}: {f}, not {e}");
        }
    }
}

#[test]
fn at_rest_both_rules_change_weights_alike() {
    let changes = |kind: &Kind| -> Vec<f64> {
        let text = network_of(kind, 0.9, 0.9, &still(4), 9, &Return::Transposes);
        let mut bench = Bench::new(&text);
        run(&mut bench, 4_000, false);
        let all = |bench: &Bench| -> Vec<f64> {
            let names = ["W_1", "W_2", "G_1", "G_0"];
            names.iter().flat_map(|n| bench.weights(n)).collect()
        };
        let before = all(&bench);
        run(&mut bench, 1, true);
        minus(&all(&bench), &before)
    };
    let (plain, matched) = (changes(&PLAIN), changes(&MATCHED));
    assert!(plain.iter().any(|c| c.abs() > 1e-4), "nothing changes");
    for (p, m) in plain.iter().zip(&matched) {
        assert!((p - m).abs() < 1e-10, "{p} and {m}");
    }
}

/// An image that changes every 20 ms.
const CHANGING: &str = r#"target.input = "world"
        [input.world]
        process = "random"
        size = 12
        draw = { normal = { mean = 0, sd = 0.5 } }
        hold = 20"#;

#[test]
fn what_matched_neurons_miss_follows_the_errors_alone() {
    let text = network_of(&MATCHED, 0.6, 0.8, CHANGING, 11, &Return::Transposes);
    let mut bench = Bench::new(&text);
    // What no synapse reads is not computed: rules are at work.
    run(&mut bench, 0, true);
    let names = ["towards", "basal", "apical", "missed_w", "missed_g"];
    let steps = bench.series(200, |program, state| {
        names.map(|name| value(program, state, &format!("hidden.{name}")))
    });
    // Derivatives take what the step before left: m ← m + step/τ_s (towards − branch − m), τ_s = 10 ms.
    let (mut largest, mut unlike) = (0.0_f64, 0.0_f64);
    for pair in steps.windows(2) {
        let [towards, basal, apical, missed_w, missed_g] = &pair[0];
        for (branch, before, now) in [
            (basal, missed_w, &pair[1][3]),
            (apical, missed_g, &pair[1][4]),
        ] {
            for i in 0..SIZES[1] {
                let expected = before[i] + 0.1 * (towards[i] - branch[i] - before[i]);
                unlike = unlike.max((now[i] - expected).abs());
                largest = largest.max(expected.abs());
            }
        }
    }
    assert!(largest > 0.05, "says nothing: {largest}");
    assert!(unlike < 1e-12, "{unlike}");
}

#[test]
fn a_new_image_is_no_error_where_lags_match() {
    // Encoding alone: no layer has anything but its basal branch to agree with. The rule of W takes this:
    let learned_from = |kind: &Kind, branch: &str| {
        let text = network_of(kind, 1.0, 1.0, CHANGING, 13, &Return::Transposes);
        let mut bench = Bench::new(&text);
        run(&mut bench, 0, true);
        let missed = bench.series(200, |program, state| {
            let at = |name: &str| value(program, state, &format!("hidden.{name}"));
            minus(&at("ahead"), &at(branch))
        });
        missed.concat().iter().fold(0.0, |m: f64, x| m.max(x.abs()))
    };
    assert!(learned_from(&PLAIN, "basal") > 0.1);
    assert!(learned_from(&MATCHED, "before_w") < 1e-12);
}

/// The cost of what G makes of latent rates: half the squared distance from the image.
fn cost(g1: &Matrix, g0: &Matrix, latent: &[f64], image: &[f64]) -> f64 {
    let made = g0.times(&tanh(&g1.times(latent)));
    minus(image, &made).iter().map(|d| d * d).sum::<f64>() / 2.0
}

/// Minus the gradient of the cost in a matrix's weights, by central differences.
fn descent(matrix: &mut Matrix, cost: impl Fn(&Matrix) -> f64) -> Vec<f64> {
    let step = 1e-5;
    (0..matrix.values.len())
        .map(|k| {
            let at = matrix.values[k];
            matrix.values[k] = at + step;
            let above = cost(matrix);
            matrix.values[k] = at - step;
            let below = cost(matrix);
            matrix.values[k] = at;
            (below - above) / (2.0 * step)
        })
        .collect()
}

#[test]
fn with_little_encoding_g_learns_along_the_gradient_of_the_cost() {
    let [visible, hidden, _] = SIZES;
    let (mut angles_1, mut angles_0) = (vec![], vec![]);
    for seed in 0..20 {
        let mut bench = Bench::new(&network(&still(seed), seed, &Return::Transposes));
        run(&mut bench, 3_000, false);
        let program = bench.experiment.program.clone();
        let mut g1 = Matrix::of(&bench, "G_1", hidden);
        let mut g0 = Matrix::of(&bench, "G_0", visible);
        let image = value(&program, bench.state(), "visible.soma");
        let latent = value(&program, bench.state(), "latent.rate");
        let along_0 = descent(&mut g0, |g0| cost(&g1, g0, &latent, &image));
        let along_1 = descent(&mut g1, |g1| cost(g1, &g0, &latent, &image));
        run(&mut bench, 1, true);
        let changed = |name: &str, before: &Matrix| {
            let after = weights(&program, bench.state(), name);
            minus(&after, &before.values)
        };
        let degrees = |a: &[f64], b: &[f64]| cosine(a, b).acos().to_degrees();
        angles_1.push(degrees(&changed("G_1", &g1), &along_1));
        angles_0.push(degrees(&changed("G_0", &g0), &along_0));
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    println!(
        "angles: G_1 {:.1}°, G_0 {:.1}°",
        mean(&angles_1),
        mean(&angles_0)
    );
    assert!(mean(&angles_1) < 45.0, "G_1: {angles_1:?}");
    assert!(mean(&angles_0) < 45.0, "G_0: {angles_0:?}");
}

#[test]
fn errors_vanish_when_the_layers_come_to_agree() {
    let mut bench = Bench::new(&network(&still(2), 5, &Return::Transposes));
    let program = bench.experiment.program.clone();
    let errors = ["hidden.error_w", "hidden.error_g", "latent.error_g"];
    let largest = |bench: &Bench, name: &str| {
        let values = value(&program, bench.state(), name);
        values.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
    };
    run(&mut bench, 2_000, false);
    for name in errors {
        assert!(largest(&bench, name) > 1e-3, "{name} from the beginning");
    }
    run(&mut bench, 30_000, true);
    for name in errors
        .iter()
        .chain(&["visible.missed_g", "hidden.missed_g", "latent.missed_w"])
    {
        let left = largest(&bench, name);
        assert!(left < 1e-6, "{name}: {left}");
    }
}

#[test]
fn synapses_that_return_errors_come_to_be_transposes_by_learning_alone() {
    let world = r#"target.input = "world"
        [input.world]
        process = "latent-ar1"
        size = 12
        latent = 4
        decay = 0.95
        noise = 0.2
        mixing = { normal = { mean = 0, sd = 0.4 } }"#;
    let back = Return::Learned { decay: 2e-4 };
    let mut bench = Bench::new(&network(world, 7, &back));
    assert!(bench.experiment.program.explain().not_local.is_empty());
    let alike = |bench: &Bench, w: &str, back: &str, (pre, post): (usize, usize)| {
        let (w, back) = (Matrix::of(bench, w, post), Matrix::of(bench, back, pre));
        let turned: Vec<f64> = (0..pre)
            .flat_map(|j| (0..post).map(move |i| (i, j)))
            .map(|(i, j)| back.values[i * pre + j])
            .collect();
        cosine(&w.values, &turned)
    };
    let pairs = [
        ("W_2", "from-latent", (SIZES[1], SIZES[2])),
        ("G_0", "from-visible", (SIZES[1], SIZES[0])),
        ("G_1", "from-hidden", (SIZES[2], SIZES[1])),
    ];
    for (w, back, sizes) in pairs {
        let before = alike(&bench, w, back, sizes);
        assert!(
            before < 0.6,
            "{w} and {back} were alike by chance: {before}"
        );
    }
    run(&mut bench, 40_000, true);
    for (w, back, sizes) in pairs {
        let after = alike(&bench, w, back, sizes);
        assert!(after > 0.99, "{w} and {back}: {after}");
    }
}
