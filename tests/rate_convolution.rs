//! Convolutions, windows and many replicas at work in circuits, against the same connections listed one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::fmt::Write;

use rate_support::{Bench, compile_in, experiment, message, plain, relative_difference};

/// A stack of two convolutions and windows in `replicas`, with noise as its input.
fn stack(replicas: usize, learn: &str) -> String {
    plain(&format!(
        r#"replicas = {replicas}
[neuron.source]
soma = {{ value = "0.3 + noise" }}
[neuron.cell]
basal = {{ value = "f(drive)", f = "max(x, 0)" }}
won = {{ value = "drive" }}
back = {{ value = "drive" }}
soma = {{ value = "basal * won + 0.1 * back" }}
[neuron.sum]
soma = {{ value = "drive" }}
[rule.hebb]
parameter = {{ eta = 1e-3 }}
dw = "eta * ((basal + back) * f'(dend) * pre - prev(basal, 2) * prev(pre, 2)) - 1e-3 * w"
[population.image]
neuron = "source"
shape = [2, 6, 4]
[population.first]
neuron = "cell"
shape = [3, 6, 4]
[population.pooled]
neuron = "sum"
shape = [3, 3, 2]
[population.second]
neuron = "cell"
shape = [4, 2, 2]
[population.code]
neuron = "sum"
size = 4
[projection.W1]
from = "image"
to = "first.basal"
connect = {{ convolution = {{ kernel = 3, padding = 1 }} }}
weight = {{ normal = {{ mean = 0, sd = 0.3 }} }}
{learn}
[projection.inhibition]
from = "first.basal"
to = "first.won"
connect = {{ winner = [2, 2] }}
weight = 1
[projection.pool]
from = "first"
to = "pooled.soma"
connect = {{ pool = 2 }}
weight = 0.5
[projection.W2]
from = "pooled"
to = "second.basal"
connect = {{ convolution = {{ kernel = [2, 1] }} }}
weight = {{ normal = {{ mean = 0, sd = 0.5 }} }}
{learn}
[projection.all]
from = "second"
to = "second.won"
connect = "one-to-one"
weight = 0
delay = 1
[projection.code]
from = "second.basal"
to = "code.soma"
connect = {{ pool = "all" }}
weight = 0.25
[projection.back]
from = "code"
to = "second.back"
connect = {{ spread = "all" }}
weight = 0.1
delay = 1
"#
    ))
}

const LEARN: &str = r#"learn = { rule = "hebb", eta = 1e-2 }"#;

/// The synapses of a convolution: pre, post and number of the weight.
fn edges(
    [channels, height, width]: [usize; 3],
    maps: usize,
    kernel: [usize; 2],
    padding: usize,
) -> Vec<[usize; 3]> {
    let places = [
        height + 2 * padding + 1 - kernel[0],
        width + 2 * padding + 1 - kernel[1],
    ];
    let mut all = Vec::new();
    for (map, y, x) in (0..maps)
        .flat_map(|m| (0..places[0]).flat_map(move |y| (0..places[1]).map(move |x| (m, y, x))))
    {
        for k in 0..channels * kernel[0] * kernel[1] {
            let (c, ky, kx) = (
                k / (kernel[0] * kernel[1]),
                k / kernel[1] % kernel[0],
                k % kernel[1],
            );
            let (sy, sx) = (
                (y + ky).wrapping_sub(padding),
                (x + kx).wrapping_sub(padding),
            );
            if sy < height && sx < width {
                let pre = (c * height + sy) * width + sx;
                all.push([pre, (map * places[0] + y) * places[1] + x, k * maps + map]);
            }
        }
    }
    all
}

/// The stack, with its convolutions written as files of edges.
fn listed(replicas: usize, folder: &std::path::Path, weights: [&[f64]; 2]) -> String {
    let all = [
        edges([2, 6, 4], 3, [3, 3], 1),
        edges([3, 3, 2], 4, [2, 1], 0),
    ];
    for ((edges, weights), name) in all.iter().zip(weights).zip(["W1", "W2"]) {
        let mut text = "pre,post,weight\n".to_owned();
        for [pre, post, w] in edges {
            writeln!(text, "{pre},{post},{}", weights[*w]).unwrap();
        }
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
    stack(replicas, "")
        .replace(
            "{ convolution = { kernel = 3, padding = 1 } }",
            "{ edges = \"W1.csv\" }",
        )
        .replace(
            "{ convolution = { kernel = [2, 1] } }",
            "{ edges = \"W2.csv\" }",
        )
}

#[test]
fn a_convolution_drives_as_its_synapses_one_by_one() {
    for replicas in [1, 3, 9] {
        let mut shared = Bench::new(&stack(replicas, ""));
        let folder = tempfile::tempdir().unwrap();
        let weights = [shared.weights("W1"), shared.weights("W2")];
        assert_eq!((weights[0].len(), weights[1].len()), (2 * 9 * 3, 3 * 2 * 4));
        let text = listed(replicas, folder.path(), [&weights[0], &weights[1]]);
        let mut single = Bench::of(compile_in(&text, folder.path(), None).unwrap(), 1);
        shared.run(1);
        single.run(1);
        for _ in 0..5 {
            shared.run(1);
            single.run(1);
            for name in [
                "first.basal",
                "first.soma",
                "second.basal",
                "code.soma",
                "second.back",
            ] {
                let (a, b) = (shared.value(name), single.value(name));
                assert!(a.iter().any(|x| x.abs() > 0.01), "{name} is silent");
                // The same sums of at most 36 terms, in another order.
                assert!(relative_difference(&a, &b) < 1e-14, "{name}");
            }
        }
    }
}

#[test]
fn shared_weights_change_by_the_sum_over_places() {
    for replicas in [1, 4] {
        let shared = Bench::new(&stack(replicas, LEARN));
        let folder = tempfile::tempdir().unwrap();
        let weights = [shared.weights("W1"), shared.weights("W2")];
        let text = listed(replicas, folder.path(), [&weights[0], &weights[1]]);
        let at = |text: String, name: &str| {
            let place = format!("to = \"{name}.basal\"\n");
            text.replace(&place, &format!("{place}{LEARN}\n"))
        };
        // Without the decay, which a shared weight has once and not at every place.
        let without = |text: String| text.replace(" - 1e-3 * w", "");
        let text = at(at(without(text), "first"), "second");
        let mut single = Bench::of(compile_in(&text, folder.path(), None).unwrap(), 1);
        let mut shared = Bench::new(&without(stack(replicas, LEARN)));
        single.run(1);
        shared.run(1);
        let kernels = [
            edges([2, 6, 4], 3, [3, 3], 1),
            edges([3, 3, 2], 4, [2, 1], 0),
        ];
        for ((name, edges), before) in ["W1", "W2"].iter().zip(kernels).zip(&weights) {
            let mut sorted = edges.clone();
            sorted.sort_unstable_by_key(|[pre, post, _]| (*pre, *post));
            let mut expected = before.clone();
            for (after, [_, _, w]) in single.weights(name).iter().zip(&sorted) {
                expected[*w] += after - before[*w];
            }
            let found = shared.weights(name);
            assert!(
                relative_difference(&found, before) > 1e-3,
                "{name} has learned"
            );
            let difference = relative_difference(&found, &expected);
            // Differences of weights lose three digits.
            assert!(difference < 1e-12, "{name}: {difference}");
        }
    }
}

#[test]
fn a_shared_weight_decays_once_a_step() {
    let text = stack(1, LEARN).replace(
        "eta * ((basal + back) * f'(dend) * pre - prev(basal, 2) * prev(pre, 2)) - 1e-3 * w",
        "-eta * w",
    );
    let mut bench = Bench::new(&text);
    let before = bench.weights("W1");
    bench.run(3);
    for (after, before) in bench.weights("W1").iter().zip(before) {
        assert!((after - before * 0.99f64.powi(3)).abs() < 1e-15);
    }
}

#[test]
fn threads_do_not_change_the_bits() {
    let text = stack(16, LEARN);
    let run = |threads: usize| {
        let mut bench = Bench::of(experiment(&text), threads);
        bench.run(200);
        (
            bench.weights("W1"),
            bench.weights("W2"),
            bench.value("code.soma"),
        )
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}

#[test]
fn check_says_what_is_shared() {
    let bench = Bench::new(&stack(2, LEARN));
    let explained = bench.experiment.program.explain();
    let shared: Vec<_> = explained
        .not_local
        .iter()
        .filter(|n| n.contains("shared"))
        .collect();
    assert_eq!(shared.len(), 2, "{:?}", explained.not_local);
    assert!(
        shared[0]
            .contains("`W1`: 54 weights shared by a convolution of 24 places: not local in space")
    );
    assert_eq!(
        bench.method("W1"),
        "fused: 3 products of matrices, summed over places"
    );
}

#[test]
fn what_cannot_be_summed_over_places_is_refused() {
    let with = |dw: &str| {
        let start = "dw = \"";
        let text = stack(1, LEARN);
        let at = text.find(start).unwrap() + start.len();
        let end = at + text[at..].find('"').unwrap();
        message(&format!("{}{dw}{}", &text[..at], &text[end..]))
    };
    let said = with("eta * post * pre * w");
    assert!(said.contains("multiplies the weight by activity"), "{said}");
    let said = with("eta * trace(post * pre, 5.0)");
    assert!(said.contains("keeps a state at every synapse"), "{said}");
    let said = with("eta * max(post, pre)");
    assert!(said.contains("shares its weights"), "{said}");
    let rule = "[rule.plain]\ndw = \"1e-3 * pre\"\n[projection.pool]";
    let text = stack(1, "").replace("[projection.pool]", rule);
    let learn = "weight = 0.5\nlearn = { rule = \"plain\" }";
    let said = message(&text.replacen("weight = 0.5", learn, 1));
    assert!(said.contains("the weight of `pool` cannot learn"), "{said}");
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let said = |from: &str, to: &str| message(&stack(1, "").replace(from, to));
    let text = said("kernel = 3, padding = 1", "kernel = 3");
    assert!(
        text.contains("this convolution of [2, 6, 4] gives maps of [3, 4, 2]"),
        "{text}"
    );
    let text = said("kernel = 3, padding = 1", "kernel = [3, 3, 3]");
    assert!(text.contains("a kernel of 3 numbers"), "{text}");
    let text = said("kernel = 3, padding = 1", "kernel = 9");
    assert!(
        text.contains("a kernel of 9 does not fit into 6 places"),
        "{text}"
    );
    let text = said("pool = 2 ", "pool = 4 ");
    assert!(
        text.contains("do not cover maps of [3, 6, 4] evenly"),
        "{text}"
    );
    let text = said("size = 4", "size = 5");
    assert!(text.contains("`code` has 5 neurons"), "{text}");
    let text = said("shape = [4, 2, 2]", "size = 16");
    assert!(text.contains("population `second` has no shape"), "{text}");
    let text = said("to = \"first.won\"", "to = \"pooled.soma\"");
    assert!(
        text.contains("neurons of one population inhibit each other"),
        "{text}"
    );
    let text = said("shape = [3, 6, 4]", "shape = [3, 6, 4]\nsize = 72");
    assert!(text.contains("both a size and a shape"), "{text}");
    let text = said("shape = [3, 6, 4]", "shape = [72]");
    assert!(text.contains("channels, then one or two lengths"), "{text}");
}

#[test]
fn products_of_many_replicas_agree_with_the_general_path() {
    let obscured = |dw: &str| format!("if(pre * post > -1e300, {dw}, 0)");
    let dw = "eta * (prev(post, 2) * pre - post * prev(pre)) - eta * decay * w";
    for replicas in [8, 20] {
        let run = |dw: &str| {
            let text = rate_support::learner(dw, "\"all-to-all\"", replicas, 5);
            let mut bench = Bench::new(&text);
            bench.run(500);
            (bench.method("W"), bench.weights("W"))
        };
        let (method, fast) = run(dw);
        let (other, general) = run(&obscured(dw));
        assert!(method.starts_with("fused") && other.starts_with("synapse by synapse"));
        let difference = relative_difference(&fast, &general);
        // The same sums in another order, 500 times.
        assert!(difference < 1e-12, "{difference}");
    }
}
