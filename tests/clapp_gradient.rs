//! CLAPP's updates are the negative gradient of its loss (Illing et al. 2021, Eqs. 3 to 8): against finite differences of a
//! straightforward forward pass, with the inputs of each layer held.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{Bench, modulator, plain, relative_difference, value};

const REPLICAS: usize = 9;
const DELTA: usize = 2;
/// So small that weights stay what they are, so large that changes are known to nine digits.
const ETA: f64 = 1e-7;

/// What all circuits here have: noise as input, random saccades.
fn start(rest: &str) -> String {
    plain(&format!(
        r#"replicas = {REPLICAS}
[neuron.source]
soma = {{ value = "0.2 + noise" }}
[neuron.coin]
soma = {{ value = "step(noise)" }}
[population.image]
neuron = "source"
shape = [2, 6, 4]
[population.saccade]
neuron = "coin"
size = 1
[modulator.y]
value = "1 - 2 * sum(saccade)"
per-replica = true
{rest}"#
    ))
    .replacen("[circuit]", "use = [\"clapp\"]\n[circuit]", 1)
}

/// A modulator γ of a layer whose code is `code`.
fn gamma(name: &str, code: &str) -> String {
    format!(
        "[modulator.{name}]\nvalue = \"y * (1 - step(y * sum({code} * {code}.apical) - 1))\"\nper-replica = true\n"
    )
}

fn predictions(layer: &str, gamma: &str, pred: &str) -> String {
    format!(
        r#"[projection.pred-{layer}]
from = "{layer}"
to = "{layer}.apical"
delay = {DELTA}
weight = {{ normal = {{ mean = 0, sd = {pred} }} }}
learn = {{ rule = "clapp-prediction", modulator = {{ gamma = "{gamma}" }}, eta = {ETA} }}
[projection.retro-{layer}]
from = "{layer}"
to = "{layer}.retro"
weight = {{ normal = {{ mean = 0, sd = {pred} }} }}
learn = {{ rule = "clapp-retrodiction", modulator = {{ gamma = "{gamma}" }}, eta = {ETA}, delta = {DELTA} }}
"#
    )
}

fn learns(rule: &str, gamma: &str) -> String {
    format!(
        "learn = {{ rule = \"{rule}\", modulator = {{ gamma = \"{gamma}\", gamma_c = \"{gamma}\" }}, eta = {ETA}, delta = {DELTA} }}\n"
    )
}

/// A dense layer.
fn dense() -> String {
    let layer = format!(
        r#"[population.first]
neuron = "clapp"
size = 7
[projection.W]
from = "image"
to = "first.basal"
weight = {{ normal = {{ mean = 0, sd = 0.2 }} }}
{}"#,
        learns("clapp", "gamma")
    );
    start(&(layer + &gamma("gamma", "first") + &predictions("first", "gamma", "0.3")))
}

/// A convolution with max-pooling by inhibition, whose code is the mean over what is left.
fn convolution() -> String {
    let layer = format!(
        r#"[population.first]
neuron = "clapp-inhibited"
shape = [5, 6, 4]
[population.code]
neuron = "clapp-code"
size = 5
[projection.W]
from = "image"
to = "first.basal"
connect = {{ convolution = {{ kernel = [3, 3], padding = 1 }} }}
weight = {{ normal = {{ mean = 0, sd = 0.3 }} }}
{}[projection.inhibition]
from = "first.basal"
to = "first.won"
connect = {{ winner = [2, 2] }}
weight = 1
[projection.mean]
from = "first"
to = "code.soma"
connect = {{ pool = "all" }}
weight = "1 / 6"
[projection.predicted]
from = "code.apical"
to = "first.apical"
connect = {{ spread = "all" }}
weight = "1 / 6"
[projection.retrodicted]
from = "code.retro"
to = "first.retro"
connect = {{ spread = "all" }}
weight = "1 / 6"
"#,
        learns("clapp-inhibited", "gamma")
    );
    start(&(layer + &gamma("gamma", "code") + &predictions("code", "gamma", "0.6")))
}

/// A code from an input, by loops.
type Encoder = fn(&[f64], &[f64]) -> Vec<f64>;

fn dense_code(w: &[f64], x: &[f64]) -> Vec<f64> {
    let a = |i: usize| {
        x.iter()
            .enumerate()
            .map(|(j, x)| x * w[j * 7 + i])
            .sum::<f64>()
    };
    (0..7).map(|i| a(i).max(0.0)).collect()
}

fn convolved_code(w: &[f64], x: &[f64]) -> Vec<f64> {
    let at = |c: usize, y: isize, z: isize| {
        let inside = (0..6).contains(&y) && (0..4).contains(&z);
        if inside {
            x[(c * 6 + y as usize) * 4 + z as usize]
        } else {
            0.0
        }
    };
    let activity = |map: usize, y: isize, z: isize| {
        let mut sum = 0.0;
        for k in 0..18 {
            let (c, ky, kx) = (k / 9, (k / 3 % 3) as isize, (k % 3) as isize);
            sum += w[k * 5 + map] * at(c, y + ky - 1, z + kx - 1);
        }
        sum.max(0.0)
    };
    let pooled = |map: usize| {
        let mut total = 0.0;
        for (y, z) in [(0, 0), (0, 2), (2, 0), (2, 2), (4, 0), (4, 2)] {
            let window = [(0, 0), (0, 1), (1, 0), (1, 1)];
            total += window
                .map(|(dy, dz)| activity(map, y + dy, z + dz))
                .into_iter()
                .fold(0.0, f64::max);
        }
        total / 6.0
    };
    (0..5).map(pooled).collect()
}

/// The CLAPP loss (Eq. 3), its mean over replicas.
fn loss(encode: Encoder, w: &[f64], pred: &[f64], inputs: [&[Vec<f64>]; 2], y: &[f64]) -> f64 {
    let mut total = 0.0;
    for (r, y) in y.iter().enumerate() {
        let (context, z) = (encode(w, &inputs[0][r]), encode(w, &inputs[1][r]));
        let mut u = 0.0;
        for (k, c) in context.iter().enumerate() {
            for (j, z) in z.iter().enumerate() {
                u += z * pred[k * z_len(&context) + j] * c;
            }
        }
        total += (1.0 - y * u).max(0.0);
    }
    total / y.len() as f64
}

fn z_len(code: &[f64]) -> usize {
    code.len()
}

/// −∂loss/∂weights by central differences.
fn descent(weights: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-6;
    let mut moved = weights.to_vec();
    let mut out = Vec::new();
    for i in 0..weights.len() {
        moved[i] = weights[i] + step;
        let up = loss(&moved);
        moved[i] = weights[i] - step;
        let down = loss(&moved);
        moved[i] = weights[i];
        out.push((down - up) / (2.0 * step));
    }
    out
}

fn transposed(matrix: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|at| matrix[at % n * n + at / n]).collect()
}

/// Runs a circuit whose retrodiction is tied to its prediction, and compares the changes of one step with the descent.
fn check(text: &str, code: &str, n: usize, encode: Encoder) {
    let mut bench = Bench::new(text);
    let (pred, retro) = (format!("pred-{code}"), format!("retro-{code}"));
    let tied = transposed(&bench.weights(&pred), n);
    set(&mut bench, &retro, &tied);
    let mut seen = Vec::new();
    let mut surprised = [0, 0];
    for step in 0..12 {
        let before: Vec<_> = ["W", &pred, &retro]
            .map(|name| bench.weights(name))
            .to_vec();
        bench.run(1);
        let program = bench.experiment.program.clone();
        seen.push(images(&bench));
        if step < DELTA {
            continue;
        }
        let after = ["W", &pred, &retro].map(|name| bench.weights(name));
        let change = |k: usize| -> Vec<f64> {
            let changes = after[k].iter().zip(&before[k]);
            changes.map(|(a, b)| (a - b) / ETA).collect()
        };
        let y = saccades(&bench);
        let inputs = [&seen[step - DELTA][..], &seen[step][..]];
        let of_w = descent(&before[0], |w| loss(encode, w, &before[1], inputs, &y));
        let of_pred = descent(&before[1], |p| loss(encode, &before[0], p, inputs, &y));
        // Changes are known to 1e-16 / ETA, differences to 1e-10.
        assert!(relative_difference(&change(0), &of_w) < 1e-6);
        assert!(relative_difference(&change(1), &of_pred) < 1e-6);
        assert!(relative_difference(&change(2), &transposed(&of_pred, n)) < 1e-6);
        // Means over replicas are what everything else reads of such a modulator.
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        assert!((modulator(&program, bench.state(), "y") - mean).abs() < 1e-15);
        let gamma = modulator(&program, bench.state(), "gamma");
        surprised[usize::from(gamma.abs() > 0.0 && gamma.abs() < 1.0)] += 1;
    }
    assert!(
        surprised[1] > 2,
        "replicas differ in their surprise: {surprised:?}"
    );
}

/// Puts numbers in place of a dense projection's weights.
fn set(bench: &mut Bench, name: &str, numbers: &[f64]) {
    let program = bench.experiment.program.clone();
    let index = program
        .circuit
        .projections
        .iter()
        .position(|p| p.name == name)
        .unwrap();
    let projection = &program.circuit.projections[index];
    let post = program.circuit.population(projection.to.population).size;
    let state = bench.simulation.state_mut();
    let values = state.weights[index].values_mut().unwrap();
    let row = values.len() / (numbers.len() / post);
    for (row, numbers) in values.chunks_mut(row).zip(numbers.chunks(post)) {
        row[..post].copy_from_slice(numbers);
    }
}

/// What each replica sees.
fn images(bench: &Bench) -> Vec<Vec<f64>> {
    replicas(bench, "image.soma", 48)
}

fn saccades(bench: &Bench) -> Vec<f64> {
    let coins = replicas(bench, "saccade.soma", 1);
    coins.iter().map(|coin| 1.0 - 2.0 * coin[0]).collect()
}

fn replicas(bench: &Bench, name: &str, size: usize) -> Vec<Vec<f64>> {
    let (population, compartment) = name.split_once('.').unwrap();
    let program = &bench.experiment.program;
    let id = program.circuit.population_named(population).unwrap();
    let id = program.circuit.compartment_named(id, compartment).unwrap();
    let all = &bench.state().vectors[program.layout.values[&id].0 as usize];
    let rows = all.chunks_exact(all.len() / REPLICAS);
    rows.map(|row| row[..size].to_vec()).collect()
}

#[test]
fn updates_of_a_dense_layer_descend_the_loss() {
    check(&dense(), "first", 7, dense_code);
}

#[test]
fn updates_of_a_convolution_with_inhibition_descend_the_loss() {
    check(&convolution(), "code", 5, convolved_code);
}

#[test]
fn single_precision_is_close() {
    let text = convolution().replace("padding = 1 } }", "padding = 1 } }\nprecision = \"single\"");
    let (mut double, mut single) = (Bench::new(&convolution()), Bench::new(&text));
    double.run(6);
    single.run(6);
    let (a, b) = (double.value("code.soma"), single.value("code.soma"));
    let difference = relative_difference(&a, &b);
    assert!(difference > 0.0 && difference < 1e-6, "{difference}");
    let program = &double.experiment.program;
    assert!(
        value(program, double.state(), "code.soma")
            .iter()
            .any(|x| *x > 0.0)
    );
}

/// Adam by loops, fed with the changes that plain learning makes.
#[test]
fn adam_moves_weights_as_the_paper_says() {
    for every in [1, 3] {
        let plain = dense();
        let [rate, beta1, beta2, epsilon] = [1e-3, 0.8, 0.95, 1e-6];
        let adam = format!(
            "optimiser = {{ adam = {{ rate = {rate}, beta1 = {beta1}, beta2 = {beta2}, epsilon = {epsilon}, every = {every} }} }}"
        );
        // The rate is small, so that both see nearly the same activity for some steps.
        let text = plain.replacen(&format!("eta = {ETA}"), &format!("eta = {ETA}, {adam}"), 1);
        let text = text.replace("rate = 0.001", "rate = 1e-9").replacen(
            &format!("eta = {ETA}"),
            "eta = 1",
            1,
        );
        let (mut plainly, mut optimised) = (Bench::new(&plain), Bench::new(&text));
        let start = optimised.weights("W");
        let mut w = start.clone();
        let (mut m, mut v) = (vec![0.0; w.len()], vec![0.0; w.len()]);
        let mut sum = vec![0.0; w.len()];
        let mut updates = 0;
        for step in 1..=12 {
            let before = plainly.weights("W");
            plainly.run(1);
            optimised.run(1);
            for (sum, (a, b)) in sum.iter_mut().zip(plainly.weights("W").iter().zip(&before)) {
                *sum += (a - b) / ETA;
            }
            if step % every == 0 {
                updates += 1;
                for i in 0..w.len() {
                    let g = sum[i] / every as f64;
                    m[i] = beta1 * m[i] + (1.0 - beta1) * g;
                    v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
                    let mean = m[i] / (1.0 - beta1.powi(updates));
                    let square: f64 = v[i] / (1.0 - beta2.powi(updates));
                    w[i] += 1e-9 * mean / (square.sqrt() + epsilon);
                    sum[i] = 0.0;
                }
            }
            let moved = |weights: &[f64]| -> Vec<f64> {
                weights
                    .iter()
                    .zip(&start)
                    .map(|(w, s)| (w - s) / 1e-9)
                    .collect()
            };
            let found = moved(&optimised.weights("W"));
            if updates == 0 || w == start {
                assert_eq!(optimised.weights("W"), start);
                continue;
            }
            // Changes are known to 1e-16 / 1e-9, and the paths drift apart by as much as the weights move.
            let difference = relative_difference(&found, &moved(&w));
            assert!(
                difference < 1e-4,
                "step {step}, every {every}: {difference}"
            );
        }
        let explained = optimised.experiment.program.explain();
        assert!(
            explained
                .not_local
                .iter()
                .any(|n| n.starts_with("`W`: Adam scales"))
        );
    }
}

/// A dense layer with both signs at once: its own activity of some steps ago is the contrast.
fn synchronous() -> String {
    let adds = |sign: &str, with: &str| format!("step(1 {sign} sum(first.{with} * first.apical))");
    let (near, far) = (adds("-", "basal"), adds("+", "past"));
    let layer = format!(
        r#"[modulator.near]
value = "{near}"
per-replica = true
[modulator.far]
value = "-{far}"
per-replica = true
[population.first]
neuron = "clapp-s"
size = 7
[projection.W]
from = "image"
to = "first.basal"
weight = {{ normal = {{ mean = 0, sd = 0.2 }} }}
learn = {{ rule = "clapp-s", {BOTH}, eta = {ETA}, delta = {DELTA}, before = {BEFORE} }}
"#
    );
    start(&(layer + &both_signs("first", 0.3)))
}

/// A population's own past, and its predictions in both directions, whose weights begin with a standard deviation `sd`.
fn both_signs(of: &str, sd: f64) -> String {
    format!(
        r#"
[projection.memory]
from = "{of}"
to = "{of}.past"
connect = "one-to-one"
delay = {BEFORE}
weight = 1
[projection.pred-first]
from = "{of}"
to = "{of}.apical"
delay = {DELTA}
weight = {{ normal = {{ mean = 0, sd = {sd} }} }}
learn = {{ rule = "clapp-s-prediction", {BOTH}, eta = {ETA} }}
[projection.retro]
from = "{of}"
to = "{of}.retro"
transpose-of = "pred-first"
[projection.retro-past]
from = "{of}"
to = "{of}.retro_past"
delay = {BEFORE}
transpose-of = "pred-first"
"#
    )
}

/// A convolution with inhibition and both signs at once: its code's own activity of some steps ago is the contrast.
fn synchronous_convolution() -> String {
    let projection = |name: &str, rest: &str| format!("[projection.{name}]\n{rest}\n");
    let layer = format!(
        r#"[modulator.near]
value = "step(1 - sum(code * code.apical))"
per-replica = true
[modulator.far]
value = "-step(1 + sum(code.past * code.apical))"
per-replica = true
[population.first]
neuron = "clapp-s-inhibited"
shape = [5, 6, 4]
[population.code]
neuron = "clapp-s-code"
size = 5
[projection.W]
from = "image"
to = "first.basal"
connect = {{ convolution = {{ kernel = [3, 3], padding = 1 }} }}
weight = {{ normal = {{ mean = 0, sd = 0.3 }} }}
learn = {{ rule = "clapp-s-inhibited", {BOTH}, eta = {ETA}, delta = {DELTA}, before = {BEFORE} }}
[projection.inhibition]
from = "first.basal"
to = "first.won"
connect = {{ winner = [2, 2] }}
weight = 1
[projection.mean]
from = "first"
to = "code.soma"
connect = {{ pool = "all" }}
weight = "1 / 6"
"#
    );
    let spread = ["apical", "retro", "retro_past"].map(|to| {
        let rest = format!(
            "from = \"code.{to}\"\nto = \"first.{to}\"\nconnect = {{ spread = \"all\" }}\nweight = \"1 / 6\""
        );
        projection(&format!("back-{to}"), &rest)
    });
    start(&(layer + &both_signs("code", 0.6) + &spread.concat()))
}

/// The modulators of the two signs.
const BOTH: &str = "modulator = { gamma = \"near\", gamma_s = \"far\" }";

/// Steps back to what CLAPP-s contrasts with.
const BEFORE: usize = 5;

#[test]
fn updates_of_both_signs_at_once_descend_the_sum_of_their_losses() {
    check_both(&synchronous(), dense_code);
    check_both(&synchronous_convolution(), convolved_code);
}

/// Compares the changes of one step with the descent of the losses of a fixation and of the memory.
fn check_both(text: &str, encode: Encoder) {
    // Smaller than elsewhere: what is remembered from so many steps ago was made with the weights of then.
    let eta = ETA / 10.0;
    let text = text.replace(&format!("eta = {ETA}"), &format!("eta = {eta}"));
    let mut bench = Bench::new(&text);
    let mut seen = Vec::new();
    for step in 0..14 {
        let before = ["W", "pred-first"].map(|name| bench.weights(name));
        bench.run(1);
        seen.push(images(&bench));
        if step < BEFORE {
            continue;
        }
        let after = ["W", "pred-first"].map(|name| bench.weights(name));
        let both = |w: &[f64], pred: &[f64]| {
            let context = &seen[step - DELTA][..];
            let fixation = [context, &seen[step][..]];
            let saccade = [context, &seen[step - BEFORE][..]];
            loss(encode, w, pred, fixation, &[1.0; REPLICAS])
                + loss(encode, w, pred, saccade, &[-1.0; REPLICAS])
        };
        let of_w = descent(&before[0], |w| both(w, &before[1]));
        let of_pred = descent(&before[1], |pred| both(&before[0], pred));
        for (k, expected) in [of_w, of_pred].iter().enumerate() {
            let changes = after[k].iter().zip(&before[k]);
            let found: Vec<f64> = changes.map(|(a, b)| (a - b) / eta).collect();
            let difference = relative_difference(&found, expected);
            assert!(difference < 1e-6, "{k} in step {step}: {difference}");
        }
    }
}
