//! Plasticity: the fused paths against the general one, and both against what the rules say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::fs;

use apical::compile::Weights;

use rate_support::{
    Bench, bias, compile_in, drive, modulator, plain, relative_difference, synapses, value, weights,
};

/// A circuit with five neurons that learn, or seven where the connections need as many as `a` has.
fn learner(dw: &str, connect: &str, replicas: usize) -> String {
    let equal = connect.contains("one-to-one") || connect.contains("edges");
    rate_support::learner(dw, connect, replicas, if equal { 7 } else { 5 })
}

/// Rules that are sums of products. Each is written again in a way that the analysis does not see through:
/// the condition is always true, but it mixes both sides.
const SEPARABLE: [&str; 5] = [
    "eta * (soma - f(dend)) * f'(dend) * pre",
    "eta * reward * soma * pre - eta * decay * w",
    "eta * (post * pre - post^2 * w)",
    "eta * (post - avg(post, tau)) * (pre + lowpass(pre, 2 * tau)) * changed(reward)",
    "eta * (prev(post, 2) * pre - post * prev(pre)) / (1 + abs(reward))",
];

fn obscured(dw: &str) -> String {
    format!("if(pre * post > -1e300, {dw}, 0)")
}

fn learned(dw: &str, connect: &str, replicas: usize, steps: u64) -> (String, Vec<f64>) {
    let mut bench = Bench::new(&learner(dw, connect, replicas));
    let before = bench.weights("W");
    bench.run(steps);
    let after = bench.weights("W");
    assert!(
        relative_difference(&before, &after) > 0.01,
        "{dw} has learned nothing"
    );
    (bench.method("W"), after)
}

#[test]
fn the_fused_path_agrees_with_the_general_one() {
    for dw in SEPARABLE {
        for connect in ["\"all-to-all\"", "{ in-degree = 4 }"] {
            for replicas in [1, 3] {
                let case = format!("{dw}, {connect}, {replicas} replicas");
                let (method, fused) = learned(dw, connect, replicas, 1000);
                let (other, general) = learned(&obscured(dw), connect, replicas, 1000);
                // A weight times activity differs between replicas, which outer products cannot average.
                let refused = replicas > 1 && dw.contains("post^2 * w");
                assert_eq!(method.starts_with("fused"), !refused, "{case}: {method}");
                assert!(other.starts_with("synapse by synapse"), "{case}: {other}");
                // The same sums in another order, 1000 times: rounding grows to some 1e-14.
                let difference = relative_difference(&fused, &general);
                assert!(difference < 1e-12, "{case}: {difference}");
            }
        }
    }
}

/// Weights in single precision follow those in double precision on every path, replicas included.
#[test]
fn single_precision_agrees_with_double_precision() {
    let rules = SEPARABLE
        .map(String::from)
        .into_iter()
        .chain(ELIGIBILITY[1..5].iter().map(|(dw, _)| (*dw).to_owned()))
        .chain([obscured(SEPARABLE[0])]);
    for dw in rules {
        for replicas in [1, 3] {
            if replicas > 1 && dw.contains("post^2 * w") {
                continue;
            }
            let text = learner(&dw, "\"all-to-all\"", replicas);
            let single = text.replace("[projection.W]", "[projection.W]\nprecision = \"single\"");
            assert_ne!(text, single);
            let [double, single] = [text, single].map(|text| {
                let mut bench = Bench::new(&text);
                bench.run(1000);
                let weights = &bench.state().weights;
                let single = weights.iter().any(|w| matches!(w, Weights::Single { .. }));
                (single, bench.weights("W"))
            });
            assert!(!double.0 && single.0, "{dw}");
            let difference = relative_difference(&single.1, &double.1);
            // A thousand roundings to 24 bits, each of half a unit in the last place.
            assert!(
                difference > 0.0 && difference < 1e-5,
                "{dw}, {replicas} replicas: {difference}"
            );
        }
    }
}

/// Rules with eligibility filters: their pass over the weights takes the filters along.
const ELIGIBILITY: [(&str, &str); 9] = [
    (
        "eta * reward * trace(post * pre, tau)",
        "fused: 1 eligibility filter",
    ),
    (
        "eta * (reward * lowpass(post * pre, tau) + (soma - f(dend)) * pre)",
        "fused: 1 outer product and 1 eligibility filter",
    ),
    (
        "eta * (post * pre - avg(post * pre, tau))",
        "fused: 1 outer product and 1 eligibility filter",
    ),
    (
        "eta * step(reward) * trace((1 - step(reward)) * (soma - f(dend)) * f'(dend) * pre, 30.0)",
        "fused: 1 eligibility filter",
    ),
    (
        "eta * post * trace(post * pre + 0.2 * soma^2 * pre, 2.0) * pre - eta * decay * w",
        "fused: 1 outer product and 1 eligibility filter",
    ),
    (
        "eta * (trace(post * pre, tau) - lowpass(basal * pre, 3.0) * post + post * lowpass(pre, tau))",
        "fused: 1 outer product and 2 eligibility filters",
    ),
    (
        "1e-3 * eta * reward * trace(post * pre, endless) + eta * post * pre",
        "fused: 1 outer product and 1 eligibility filter",
    ),
    (
        "eta * (soma - f(dend)) * carry(prev(soma, 2) * prev(pre, 2), sigmoid(prev(post, 2)))",
        "fused: 1 eligibility filter",
    ),
    (
        "eta * reward * carry((post + soma^2) * pre, 0.9 - 0.2 * step(reward)) + eta * post * pre",
        "fused: 1 outer product and 1 eligibility filter",
    ),
];

#[test]
fn eligibility_filters_agree_with_the_general_path() {
    for (dw, method) in ELIGIBILITY {
        for (replicas, size) in [(1, 5), (1, 19), (3, 9)] {
            let case = format!("{dw}, {replicas} replicas, {size} neurons");
            let find = |dw: &str| {
                let text = learner(dw, "\"all-to-all\"", replicas);
                let text = text.replace("size = 5", &format!("size = {size}"));
                let text = text.replace("tau = 6.0", "tau = 6.0, endless = inf");
                let mut bench = Bench::new(&text);
                let before = bench.weights("W");
                bench.run(1000);
                let after = bench.weights("W");
                assert!(
                    relative_difference(&before, &after) > 1e-3,
                    "{dw} has learned nothing"
                );
                (bench.method("W"), after)
            };
            let ((found, fused), (other, general)) = (find(dw), find(&obscured(dw)));
            assert_eq!(found, method, "{case}");
            assert!(other.starts_with("synapse by synapse"), "{case}: {other}");
            // The same sums in another order, 1000 times, and filters that add a·x instead of taking x − y.
            let difference = relative_difference(&fused, &general);
            assert!(difference < 1e-11, "{case}: {difference}");
        }
    }
}

#[test]
fn a_filter_that_follows_no_outer_product_stays_at_the_synapse() {
    for (dw, why) in [
        (
            "eta * trace(tanh(post * pre), tau)",
            "it filters at every synapse",
        ),
        (
            "eta * trace(post * pre * w, tau)",
            "it filters its own weight",
        ),
        ("eta * prev(post * pre) * post", "it keeps earlier values"),
        (
            "eta * trace(post * pre, tau)^2",
            "it multiplies what each synapse keeps",
        ),
        (
            "eta * carry(post * pre, 0.5 * post + 0.25 * pre)",
            "what is kept at every synapse is a sum of several products",
        ),
    ] {
        let explained = Bench::new(&learner(dw, "\"all-to-all\"", 1)).experiment;
        let explained = explained.program.explain().projections;
        let found = explained[0].why.clone().unwrap_or_default();
        assert!(found.starts_with(why), "{dw}: {found}");
    }
    let sparse = Bench::new(&learner(ELIGIBILITY[0].0, "{ in-degree = 4 }", 1)).method("W");
    assert!(sparse.starts_with("synapse by synapse"), "{sparse}");
}

#[test]
fn one_to_one_synapses_agree_with_the_same_synapses_in_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let weights = [0.5, -0.25, 0.125, 0.0, 1.0, -1.0, 0.75];
    let rows: String = (0..7)
        .map(|i| format!("{i},{i},{}\n", weights[i]))
        .collect();
    fs::write(
        folder.path().join("diagonal.csv"),
        format!("pre,post,weight\n{rows}"),
    )
    .unwrap();
    let general = "eta * (post * pre - avg(post * pre, tau)) + 0.01 * prev(w * pre, 2)";
    for dw in SEPARABLE.iter().copied().chain([general]) {
        for replicas in [1, 3] {
            let find = |connect: &str, drawn: &str| {
                let text = learner(dw, connect, replicas);
                let text = text.replace("weight = { normal = { mean = 0, sd = 0.3 } }", drawn);
                let mut bench = Bench::of(compile_in(&text, folder.path(), None).unwrap(), 1);
                assert_eq!(bench.weights("W"), weights);
                bench.run(1000);
                (bench.method("W"), bench.weights("W"))
            };
            let list = format!("weight = {weights:?}");
            let (method, single) = find("\"one-to-one\"", &list);
            let (_, listed) = find("{ edges = \"diagonal.csv\" }", "weight = 0");
            assert_eq!(method, "elementwise");
            assert!(
                relative_difference(&single, &weights) > 0.01,
                "{dw} has learned nothing"
            );
            // As above.
            let difference = relative_difference(&single, &listed);
            assert!(
                difference < 1e-12,
                "{dw}, {replicas} replicas: {difference}"
            );
        }
    }
}

/// Filters of one synapse, as their definitions have them.
#[derive(Clone, Default)]
struct Synapse {
    average: Option<f64>,
    lowpass: f64,
    /// Products of earlier steps, the latest last.
    products: Vec<f64>,
}

impl Synapse {
    /// The change that `REMEMBERING` asks for.
    fn change(&mut self, post: f64, pre: f64, reward: f64, w: f64) -> f64 {
        let (eta, decay, tau) = (0.01, 0.2, 6.0_f64);
        let product = post * pre;
        let kept = (-1.0 / tau).exp();
        let average = self
            .average
            .map_or(product, |a| kept * a + (1.0 - kept) * product);
        let slow = (-1.0 / (2.0 * tau)).exp();
        self.average = Some(average);
        self.lowpass = slow * self.lowpass + (1.0 - slow) * product;
        let ago = |n: usize| {
            self.products
                .len()
                .checked_sub(n)
                .map_or(0.0, |at| self.products[at])
        };
        let change =
            eta * (reward * (product - average) + 0.3 * ago(1) + ago(3) * self.lowpass - decay * w);
        self.products.push(product);
        change
    }
}

const REMEMBERING: &str = "eta * (reward * (post * pre - avg(post * pre, tau)) + 0.3 * prev(post * pre) \
                           + prev(post * pre, 3) * lowpass(post * pre, 2 * tau) - decay * w)";

#[test]
fn a_rule_with_memories_at_every_synapse_does_what_a_loop_over_synapses_does() {
    for connect in ["\"all-to-all\"", "{ in-degree = 4 }", "\"one-to-one\""] {
        for replicas in [1, 3] {
            let mut bench = Bench::new(&learner(REMEMBERING, connect, replicas));
            let program = bench.experiment.program.clone();
            let (_, post_size) = program.rules[0].ends;
            let synapses = synapses(&program, "W");
            let mut memories = vec![vec![Synapse::default(); synapses.len()]; replicas];
            let mut expected = bench.weights("W");
            bench.watch(200, |state| {
                let pre = value(&program, state, "a.soma");
                let post = value(&program, state, "b.soma");
                let reward = modulator(&program, state, "reward");
                let old = expected.clone();
                for (replica, memories) in memories.iter_mut().enumerate() {
                    for (s, (j, i)) in synapses.iter().enumerate() {
                        let (post, pre) = (post[replica * post_size + i], pre[replica * 7 + j]);
                        let change = memories[s].change(post, pre, reward, old[s]);
                        expected[s] += change / replicas as f64;
                    }
                }
                let found = weights(&program, state, "W");
                // Rounding of 200 additions in another order.
                let difference = relative_difference(&found, &expected);
                assert!(
                    difference < 1e-12,
                    "{connect}, {replicas} replicas: {difference}"
                );
            });
        }
    }
}

#[test]
fn a_bias_learns_like_a_synapse_whose_presynaptic_side_is_1() {
    let text = learner(
        "eta * (soma - f(dend)) * f'(dend) * pre",
        "\"all-to-all\"",
        1,
    );
    let text = text.replace(
        "size = 5",
        "size = 5\nbasal.bias = { start = 0.1, learn = { rule = \"local\" } }",
    );
    let mut bench = Bench::new(&text);
    let program = bench.experiment.program.clone();
    let mut expected = vec![0.1; 5];
    bench.watch(300, |state| {
        let soma = value(&program, state, "b.soma");
        let dend = drive(&program, state, "b.basal");
        for ((b, soma), dend) in expected.iter_mut().zip(&soma).zip(&dend) {
            let rate = dend.tanh();
            *b += 0.01 * (soma - rate) * (1.0 - rate * rate);
        }
        // 300 additions; the machine's tanh and its derivative differ from these by some last bits.
        let difference = relative_difference(&bias(&program, state, "b.basal"), &expected);
        assert!(difference < 1e-12, "{difference}");
    });
}

#[test]
fn a_rule_of_shared_parts_nested_deep_compiles_and_learns() {
    // f(x) = x·x forty times over is a graph of forty nodes, and a tree of 2^40 leaves. Its value is 1.
    let square = format!("{}post{}", "f(".repeat(40), ")".repeat(40));
    for (connect, count) in [("\"one-to-one\"", 2), ("\"all-to-all\"", 4)] {
        let text = plain(&format!(
            r#"[modulator.g]
            schedule = {{ alternate = [1, 0], every = 1 }}
            [neuron.one]
            soma = {{ value = "drive", f = "x * x" }}
            [rule.nested]
            dw = "0.5 * g * {square}"
            [population.a]
            neuron = "one"
            size = 2
            soma.bias = 1
            [population.b]
            neuron = "one"
            size = 2
            soma.bias = 1
            [projection.W]
            from = "a"
            to = "b.soma"
            connect = {connect}
            weight = 0
            learn = {{ rule = "nested" }}"#
        ));
        let mut bench = Bench::new(&text);
        bench.run(1);
        assert_eq!(bench.weights("W"), vec![0.5; count], "{connect}");
    }
}

#[test]
fn decay_alone_shrinks_every_weight_by_the_same_factor_a_step() {
    for connect in ["\"all-to-all\"", "{ in-degree = 4 }", "\"one-to-one\""] {
        let mut bench = Bench::new(&learner("-eta * w", connect, 3));
        let start = bench.weights("W");
        bench.run(250);
        let expected: Vec<f64> = start.iter().map(|w| w * 0.99_f64.powi(250)).collect();
        // 250 roundings.
        assert!(
            relative_difference(&bench.weights("W"), &expected) < 1e-13,
            "{connect}"
        );
    }
}

#[test]
fn weights_stay_within_their_bounds_from_the_first_step_on() {
    let bounds = "within = [-0.2, 0.5]\nlearn =";
    for connect in ["\"all-to-all\"", "{ in-degree = 4 }", "\"one-to-one\""] {
        for dw in ["eta * pre", "if(pre * post > -1e300, eta * pre, 0)"] {
            let text = learner(dw, connect, 1).replace("learn =", bounds);
            let mut bench = Bench::new(&text);
            let start = bench.weights("W");
            let inside = |weights: &[f64]| weights.iter().all(|w| (-0.2..=0.5).contains(w));
            assert!(
                inside(&start) && start.contains(&-0.2),
                "drawn weights are clipped: {start:?}"
            );
            let program = bench.experiment.program.clone();
            let mut touched = [false; 2];
            bench.watch(500, |state| {
                let found = weights(&program, state, "W");
                assert!(inside(&found), "{found:?}");
                touched[0] |= found.contains(&-0.2);
                touched[1] |= found.contains(&0.5);
            });
            assert_eq!(
                touched, [true; 2],
                "{connect}, {dw}: a bound that nothing reaches tests nothing"
            );
        }
    }
}

#[test]
fn oja_s_rule_finds_the_first_principal_component() {
    // Two overlapping bumps of equal strength: the covariance is m₀m₀ᵀ + m₁m₁ᵀ, its first eigenvector m₀ + m₁.
    let text = plain(
        r#"[input.world]
        process = "latent-ar1"
        size = 8
        latent = 2
        decay = 0
        noise = 1
        mixing = { bumps = { width = 1.5, height = 0.5 } }
        [neuron.linear]
        soma = { value = "drive" }
        [rule.oja]
        source = "Oja 1982"
        parameter = { eta = "required" }
        dw = "eta * post * (pre - post * w)"
        [population.a]
        neuron = "linear"
        size = 8
        soma.input = "world"
        [population.b]
        neuron = "linear"
        size = 1
        [projection.W]
        from = "a"
        to = "b.soma"
        weight = { normal = { mean = 0, sd = 0.3 } }
        learn = { rule = "oja", eta = 2e-3 }"#,
    );
    let bump = |k: f64| {
        let angle = move |i: usize| std::f64::consts::TAU * (i as f64 / 8.0 - k / 2.0);
        move |i: usize| 0.5 * ((angle(i).cos() - 1.0) / (1.5 * 1.5)).exp()
    };
    let component: Vec<f64> = (0..8).map(|i| bump(0.0)(i) + bump(1.0)(i)).collect();
    let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut bench = Bench::new(&text);
    let cosine = |w: &[f64]| {
        let dot: f64 = w.iter().zip(&component).map(|(a, b)| a * b).sum();
        dot.abs() / (norm(w) * norm(&component))
    };
    assert!(cosine(&bench.weights("W")) < 0.9, "it begins elsewhere");
    bench.run(8000);
    let w = bench.weights("W");
    assert!(bench.method("W").starts_with("fused: 2"));
    // Online learning fluctuates: with a learning rate of 0.002 by less than 1 % in angle and length.
    assert!(cosine(&w) > 0.99, "{}", cosine(&w));
    assert!((norm(&w) - 1.0).abs() < 0.02, "{}", norm(&w));
}
