//! Microcircuit, predictive coding and least action against closed forms of their states and finite differences of the error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{Bench, value};

/// A circuit with a step of 0.1 ms that uses a library file.
fn circuit(library: &str, rest: &str) -> String {
    format!(
        "use = [\"{library}\"]\n[circuit]\nname = \"test\"\nstep = \"0.1 ms\"\n\
         [neuron.relay]\nsoma = {{ value = \"drive\" }}\n{rest}"
    )
}

/// A population of relays that repeat these numbers.
fn source(name: &str, values: &[f64]) -> String {
    format!(
        "[population.{name}]\nneuron = \"relay\"\nsize = {}\nsoma.bias = {values:?}\n",
        values.len()
    )
}

/// A projection with listed weights, presynaptic neuron by presynaptic neuron.
fn projection(name: &str, from: &str, to: &str, weights: &[f64], more: &str) -> String {
    format!("[projection.{name}]\nfrom = \"{from}\"\nto = \"{to}\"\nweight = {weights:?}\n{more}\n")
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "{what} {k}: {f}, not {e}");
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Wᵀx for a matrix whose rows are presynaptic neurons.
fn product(weights: &[f64], x: &[f64]) -> Vec<f64> {
    let posts = weights.len() / x.len();
    let sum = |i: usize| (0..x.len()).map(|j| weights[j * posts + i] * x[j]).sum();
    (0..posts).map(sum).collect()
}

/// What a layer of errors sends back through the same matrix.
fn back(weights: &[f64], errors: &[f64]) -> Vec<f64> {
    let rows = weights.chunks(errors.len());
    rows.map(|row| row.iter().zip(errors).map(|(w, e)| w * e).sum())
        .collect()
}

/// By conductances 0.1, 1 and 0.8 (1/ms) of leak, basal and apical dendrite; what decays is e^(−1.9 · 60 ms).
#[test]
fn a_pyramidal_soma_settles_at_the_weighted_mean_of_its_dendrites() {
    let text = circuit(
        "microcircuit",
        "[population.p]\nneuron = \"microcircuit-pyramidal\"\nsize = 2\n\
         basal.bias = [0.7, -1.1]\ntopdown.bias = [0.4, 0.9]\nlateral.bias = [-0.1, 0.3]\n\
         [[record]]\nwhat = \"trace\"\nof = \"p.rate - p.predicted\"\n",
    );
    let mut bench = Bench::new(&text);
    bench.run(600);
    let apical = [0.3, 1.2];
    let basal = [0.7, -1.1];
    let soma: Vec<f64> = (0..2).map(|i| (basal[i] + 0.8 * apical[i]) / 1.9).collect();
    let rate: Vec<f64> = soma.iter().map(|u| sigmoid(*u)).collect();
    let predicted: Vec<f64> = basal.iter().map(|v| sigmoid(v / 1.9)).collect();
    // Rounding; sigmoids are precise to a few units in the last place.
    assert_close(&bench.value("p.apical"), &apical, 1e-15, "apical");
    assert_close(&bench.value("p.soma"), &soma, 1e-12, "soma");
    assert_close(&bench.value("p.rate"), &rate, 1e-12, "rate");
    assert_close(&bench.value("p.predicted"), &predicted, 1e-12, "predicted");
}

const INPUT: [f64; 2] = [0.8, -0.5];
const W_HIDDEN: [f64; 6] = [0.9, -0.4, 0.6, 0.3, 1.1, -0.7];
const W_UP: [f64; 6] = [0.5, -1.2, 0.8, 0.4, -0.6, 0.9];
const DOWN: [f64; 6] = [0.7, -0.3, 0.5, -0.8, 0.2, 0.6];

/// Two inputs, three hidden neurons and a layer above of two, with interneurons whose weights are those from the hidden
/// layer to the layer above times `match_by`, and minus those that come down.
fn microcircuit(above: &str, teach: f64, match_by: f64, learn: &str) -> String {
    let mirrored = W_UP.map(|w| w * match_by);
    let cancelling = DOWN.map(|w| -w);
    let learns = |rule: &str| match learn {
        "" => String::new(),
        eta => format!("learn = {{ rule = \"microcircuit-{rule}\", eta = {eta} }}"),
    };
    let nudged = if above == "output" {
        source("target", &[1.5, -0.4])
            + "[projection.target]\nfrom = \"target\"\nto = \"above.nudge\"\nconnect = \"one-to-one\"\nweight = 1\n"
    } else {
        String::new()
    };
    let parts = [
        format!("[modulator.teach]\nschedule = {teach}\n"),
        source("input", &INPUT),
        "[population.hidden]\nneuron = \"microcircuit-pyramidal\"\nsize = 3\n".to_owned(),
        format!("[population.above]\nneuron = \"microcircuit-{above}\"\nsize = 2\n"),
        "[population.inter]\nneuron = \"microcircuit-interneuron\"\nsize = 2\n".to_owned(),
        projection("W", "input", "hidden.basal", &W_HIDDEN, &learns("forward")),
        projection("up", "hidden.rate", "above.basal", &W_UP, ""),
        projection("down", "above.rate", "hidden.topdown", &DOWN, &learns("reconstruct")),
        projection("IP", "hidden.rate", "inter.dendrite", &mirrored, &learns("mirror")),
        projection("PI", "inter.rate", "hidden.lateral", &cancelling, &learns("silence")),
        "[projection.nudge]\nfrom = \"above\"\nto = \"inter.nudge\"\nconnect = \"one-to-one\"\nweight = 1\n".to_owned(),
        nudged,
    ];
    circuit("microcircuit", &parts.concat())
}

/// In the self-predicting state an interneuron's weights are those of the layer above, times the ratio of the two
/// attenuations, (g_B/Σg)/(g_D/(g_lk + g_D)); then apical dendrites are at rest whatever the input is.
#[test]
fn matched_interneurons_bring_apical_dendrites_to_rest_without_a_teacher() {
    for (above, ratio) in [("output", 1.0), ("pyramidal", 1.1 / 1.9)] {
        let mut bench = Bench::new(&microcircuit(above, 0.0, ratio, ""));
        bench.run(3_000);
        let (inter, layer) = (bench.value("inter.soma"), bench.value("above.soma"));
        assert_close(&inter, &layer, 1e-12, above);
        assert_close(&bench.value("hidden.apical"), &[0.0; 3], 1e-12, above);
        let hidden: Vec<f64> = product(&W_HIDDEN, &INPUT).iter().map(|v| v / 1.9).collect();
        assert_close(&bench.value("hidden.soma"), &hidden, 1e-12, above);
        // Without the ratio they are not.
        let mut bench = Bench::new(&microcircuit(above, 0.0, 0.7 * ratio, ""));
        bench.run(3_000);
        assert!(bench.value("hidden.apical").iter().any(|v| v.abs() > 1e-3));
    }
}

/// The weighted difference of what the layer above does under its teacher and what the interneurons expect of it.
#[test]
fn with_a_teacher_apical_dendrites_carry_what_interneurons_do_not_predict() {
    let mut bench = Bench::new(&microcircuit("output", 1.0, 1.0, ""));
    bench.run(3_000);
    let (above, inter) = (bench.value("above.rate"), bench.value("inter.rate"));
    let missed: Vec<f64> = above.iter().zip(&inter).map(|(a, b)| a - b).collect();
    assert!(missed.iter().all(|m| m.abs() > 0.01), "{missed:?}");
    let apical = product(&DOWN, &missed);
    assert_close(&bench.value("hidden.apical"), &apical, 1e-12, "apical");
    // Interneurons are nudged too: u_I = (v_I + 0.8 u)/1.9, u = (v + 0.8 target)/1.9, with v = v_I.
    let v = product(&W_UP, &bench.value("hidden.rate"));
    let taught: Vec<f64> = v
        .iter()
        .zip([1.5, -0.4])
        .map(|(v, t)| (v + 0.8 * t) / 1.9)
        .collect();
    let expected: Vec<f64> = v
        .iter()
        .zip(&taught)
        .map(|(v, u)| (v + 0.8 * u) / 1.9)
        .collect();
    assert_close(&bench.value("above.soma"), &taught, 1e-12, "soma");
    assert_close(&bench.value("inter.soma"), &expected, 1e-12, "interneuron");
}

/// One step of each rule, from the values of that step.
#[test]
fn rules_of_the_microcircuit_change_weights_as_written() {
    for teach in [0.0, 1.0] {
        let mut bench = Bench::new(&microcircuit("output", teach, 0.6, "0.01"));
        bench.run(40);
        let names = ["W", "down", "IP", "PI"];
        let before = names.map(|name| bench.weights(name));
        let program = bench.experiment.program.clone();
        let mut values = Vec::new();
        bench.watch(1, |state| {
            let read = |name: &str| value(&program, state, name);
            let less = |a: &str, b: &str| -> Vec<f64> {
                read(a).iter().zip(read(b)).map(|(a, b)| a - b).collect()
            };
            let rest = read("hidden.apical").iter().map(|v| -v).collect();
            values = vec![
                (
                    read("input.soma"),
                    less("hidden.rate", "hidden.predicted"),
                    1.0,
                ),
                (
                    read("above.rate"),
                    less("hidden.rate", "hidden.topdown"),
                    1.0 - teach,
                ),
                (
                    read("hidden.rate"),
                    less("inter.rate", "inter.predicted"),
                    1.0 - teach,
                ),
                (read("inter.rate"), rest, 1.0 - teach),
            ];
        });
        for ((name, before), (pre, post, gate)) in names.iter().zip(&before).zip(&values) {
            let change = pre
                .iter()
                .flat_map(|r| post.iter().map(move |e| 0.01 * gate * e * r));
            let after: Vec<f64> = before.iter().zip(change).map(|(w, c)| w + c).collect();
            assert!(post.iter().all(|e| e.abs() > 1e-6), "{name}: {post:?}");
            assert_close(&bench.weights(name), &after, 1e-15, name);
        }
    }
}

/// Two inputs, three hidden neurons, two outputs that learn from a target, with the transpose for errors.
fn pair_of_layers(library: &str, hidden: &str, target: &[f64], more: &str) -> String {
    let (below, above) = match library {
        "least-action" => ("basal", "apical"),
        _ => ("prediction", "feedback"),
    };
    let learn = format!("learn = {{ rule = \"{library}\", eta = 1e-3 }}");
    let parts = [
        more.to_owned(),
        source("input", &INPUT),
        source("teacher", target),
        format!("[population.hidden]\nneuron = \"{library}\"\nsize = 3\n{hidden}"),
        projection("W", "input", &format!("hidden.{below}"), &W_HIDDEN, &learn),
        projection("up", "hidden.rate", &format!("output.{below}"), &W_UP, &learn),
        format!("[projection.down]\nfrom = \"output.error\"\nto = \"hidden.{above}\"\ntranspose-of = \"up\"\n"),
        "[projection.target]\nfrom = \"teacher\"\nto = \"output.target\"\nconnect = \"one-to-one\"\nweight = 1\n".to_owned(),
    ];
    circuit(library, &parts.concat())
}

/// Half the squared error of the network tanh in the middle, linear at the end.
fn loss(w_hidden: &[f64], w_up: &[f64], target: &[f64]) -> f64 {
    let rates: Vec<f64> = product(w_hidden, &INPUT).iter().map(|v| v.tanh()).collect();
    let outputs = product(w_up, &rates);
    let errors = outputs.iter().zip(target).map(|(y, t)| (t - y) * (t - y));
    errors.sum::<f64>() / 2.0
}

/// Minus the gradient of the loss by both matrices, by central differences.
fn descent(target: &[f64]) -> [Vec<f64>; 2] {
    let slope = |layer: usize, k: usize| {
        let at = |h: f64| {
            let mut both = [W_HIDDEN, W_UP];
            both[layer][k] += h;
            loss(&both[0], &both[1], target)
        };
        -(at(1e-5) - at(-1e-5)) / 2e-5
    };
    [0, 1].map(|layer| (0..6).map(|k| slope(layer, k)).collect())
}

/// Changes of W and up in one step.
fn changes(bench: &mut Bench) -> [Vec<f64>; 2] {
    let before = ["W", "up"].map(|name| bench.weights(name));
    bench.run(1);
    let after = ["W", "up"].map(|name| bench.weights(name));
    let of = |k: usize| {
        before[k]
            .iter()
            .zip(&after[k])
            .map(|(b, a)| a - b)
            .collect()
    };
    [of(0), of(1)]
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn predictive(clamp: f64, learning: &str, variance: f64, target: &[f64]) -> String {
    let more = format!(
        "[modulator.clamp]\nschedule = {clamp}\n[modulator.learning]\nschedule = {learning}\n\
         [population.output]\nneuron = \"predictive-coding-output\"\nsize = 2\nparameter = {{ variance = {variance} }}\n"
    );
    pair_of_layers("predictive-coding", "", target, &more)
}

/// At rest dF/dx = 0: ε = f'(x)·Wᵀε of the layer above. 400 ms are 40 time constants, e^−40.
#[test]
fn predictive_coding_relaxes_to_balanced_errors_and_to_none_without_its_target() {
    let target = [1.3, -0.2];
    let mut bench = Bench::new(&predictive(1.0, "0", 2.0, &target));
    bench.run(4_000);
    let (soma, output) = (bench.value("hidden.soma"), bench.value("output.error"));
    let rates: Vec<f64> = soma.iter().map(|x| x.tanh()).collect();
    let expected: Vec<f64> = product(&W_UP, &rates)
        .iter()
        .zip(target)
        .map(|(y, t)| (t - y) / 2.0)
        .collect();
    assert_close(&output, &expected, 1e-12, "output");
    let feedback = back(&W_UP, &output);
    let balanced: Vec<f64> = feedback
        .iter()
        .zip(&rates)
        .map(|(b, r)| (1.0 - r * r) * b)
        .collect();
    assert_close(&bench.value("hidden.error"), &balanced, 1e-12, "hidden");

    let mut bench = Bench::new(&predictive(0.0, "0", 2.0, &target));
    bench.run(4_000);
    assert_close(
        &bench.value("hidden.error"),
        &[0.0; 3],
        1e-12,
        "hidden, free",
    );
    assert_close(
        &bench.value("output.error"),
        &[0.0; 2],
        1e-15,
        "output, free",
    );
}

/// With a large variance of the output the errors are those of backpropagation (Whittington and Bogacz 2017, Sec. 3); it
/// learns in the one step in which plasticity is open.
#[test]
fn predictive_coding_descends_the_gradient_once_plasticity_opens() {
    let target = [1.3, -0.2];
    let gradient = descent(&target);
    let schedule = "{ alternate = [0, 1], every = [3000, 1] }";
    let worst = |variance: f64| {
        let mut bench = Bench::new(&predictive(1.0, schedule, variance, &target));
        bench.run(2_999);
        assert!(changes(&mut bench).iter().flatten().all(|c| *c == 0.0));
        let found = changes(&mut bench);
        assert!(changes(&mut bench).iter().flatten().all(|c| *c == 0.0));
        let cosines = found.iter().zip(&gradient).map(|(c, g)| cosine(c, g));
        cosines.fold(1.0, f64::min)
    };
    // The angle is of first order in 1/variance: a tenth of it, a hundredth of 1 − cosine.
    let (near, far) = (1.0 - worst(10.0), 1.0 - worst(100.0));
    assert!(near < 1e-2, "{near}");
    assert!(far < 2e-4 && far < near / 50.0, "{far}, {near}");
}

fn action(beta: f64, look: &str, teach: f64, target: &[f64]) -> String {
    let parameter = format!("parameter = {{ look = \"{look}\" }}\n");
    let more = format!(
        "[modulator.teach]\nschedule = {teach}\n[population.output]\nneuron = \"least-action-output\"\nsize = 2\n\
         parameter = {{ look = \"{look}\", beta = {beta} }}\n"
    );
    pair_of_layers("least-action", &parameter, target, &more)
}

/// With weak nudging both matrices go down the gradient, β times as fast; the deviation is of first order in β.
#[test]
fn least_action_descends_the_gradient() {
    let target = [1.3, -0.2];
    let gradient = descent(&target);
    let deviation = |beta: f64| {
        let mut bench = Bench::new(&action(beta, "10 ms", 1.0, &target));
        // Learning at 1e-3 · β leaves the weights where they are: 1,500 steps change them by about 1.5 β.
        bench.run(1_500);
        let mut worst: f64 = 0.0;
        for (found, g) in changes(&mut bench).iter().zip(&gradient) {
            for (c, g) in found.iter().zip(g) {
                worst = worst.max((c / (1e-3 * beta) - g).abs());
            }
        }
        worst
    };
    let (coarse, fine) = (deviation(1e-2), deviation(1e-3));
    assert!(coarse < 0.1, "{coarse}");
    assert!(fine < coarse / 8.0, "{fine}, {coarse}");
}

/// An input that changes faster than the neurons are slow: what looks ahead follows the network without its lags, by
/// a step a layer; potentials do not.
#[test]
fn least_action_answers_at_once_though_its_neurons_are_slow() {
    let fast = |name: &str| {
        format!(
            "[input.world]\nprocess = \"latent-ar1\"\nsize = 2\nlatent = 2\ndecay = 0.99\n\
             noise = 0.14\nmixing = {{ normal = {{ mean = 0, sd = 0.7 }} }}\n[neuron.{name}]\n\
             soma = {{ derivative = \"(drive - soma) / (5 ms)\" }}\n"
        )
    };
    let text = action(0.1, "10 ms", 0.0, &[0.0, 0.0])
        .replace("eta = 1e-3", "eta = 0")
        .replace(
            "[population.input]\nneuron = \"relay\"\nsize = 2\nsoma.bias = [0.8, -0.5]",
            &format!(
                "{}[population.input]\nneuron = \"smooth\"\nsize = 2\nsoma.input = \"world\"",
                fast("smooth")
            ),
        );
    let mut bench = Bench::new(&text);
    bench.run(1_000);
    let series = bench.series(3_000, |program, state| {
        let rates: Vec<f64> = product(&W_HIDDEN, &value(program, state, "input.soma"))
            .iter()
            .map(|v| v.tanh())
            .collect();
        let instant = product(&W_UP, &rates)[1];
        let ahead = value(program, state, "output.ahead")[1];
        [instant, ahead, value(program, state, "output.soma")[1]]
    });
    let square = |f: &dyn Fn(&[f64; 3]) -> f64| series.iter().map(|s| f(s).powi(2)).sum::<f64>();
    let size = square(&|s| s[0]);
    let (ahead, soma) = (square(&|s| s[0] - s[1]), square(&|s| s[0] - s[2]));
    // Two steps of 0.1 ms against 5 ms; and a low-pass of 10 ms, which loses most of it.
    assert!(ahead < 5e-3 * size, "{}", ahead / size);
    assert!(soma > 0.3 * size, "{}", soma / size);
}
