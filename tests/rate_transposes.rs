//! Projections that have the weights of another one, the other way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use rate_support::{Bench, drive, message, plain, synapses, value, weights};

/// Populations of 7 and `size` neurons, `W` that learns between them, and `back`, its transpose.
fn there_and_back(connect: &str, size: usize, replicas: usize) -> String {
    plain(&format!(
        r#"replicas = {replicas}
        [input.world]
        process = "latent-ar1"
        size = 7
        latent = 3
        decay = 0.8
        noise = 0.5
        mixing = {{ normal = {{ mean = 0, sd = 0.6 }} }}
        [neuron.two]
        back = {{ value = "drive" }}
        ahead = {{ value = "drive" }}
        soma = {{ value = "tanh(ahead) + 0.1 * noise" }}
        [rule.hebb]
        dw = "0.1 * post * pre"
        [population.a]
        neuron = "two"
        size = 7
        ahead.input = "world"
        back.bias = 0.25
        [population.b]
        neuron = "two"
        size = {size}
        [projection.back]
        from = "b"
        to = "a.back"
        transpose-of = "W"
        [projection.W]
        from = "a"
        to = "b.ahead"
        connect = {connect}
        weight = {{ normal = {{ mean = 0, sd = 0.3 }} }}
        learn = {{ rule = "hebb" }}
        [[record]]
        what = "trace"
        of = "a.back.drive""#
    ))
}

#[test]
fn a_transpose_carries_values_the_other_way_through_weights_that_learn() {
    let cases = [
        ("\"all-to-all\"", 19, 1),
        ("\"all-to-all\"", 40, 3),
        // From eight replicas on, as products of matrices.
        ("\"all-to-all\"", 40, 9),
        ("\"all-to-all\"\nprecision = \"single\"", 40, 3),
        ("\"all-to-all\"\nprecision = \"single\"", 40, 9),
        ("\"one-to-one\"", 7, 2),
        ("{ in-degree = 3 }", 9, 2),
    ];
    for (connect, size, replicas) in cases {
        let mut bench = Bench::new(&there_and_back(connect, size, replicas));
        let program = bench.experiment.program.clone();
        // Rounding of at most 40 terms of about 1.
        let single = connect.contains("single");
        let tolerance = if single { 1e-5 } else { 1e-13 };
        let pairs = synapses(&program, "W");
        let mut before = weights(&program, bench.state(), "W");
        let start = before.clone();
        bench.watch(5, |state| {
            let (posts, drives) = (
                value(&program, state, "b.soma"),
                drive(&program, state, "a.back"),
            );
            for (post, found) in posts.chunks(size).zip(drives.chunks(7)) {
                let mut expected = vec![0.25; 7];
                for ((j, i), w) in pairs.iter().zip(&before) {
                    expected[*j] += w * post[*i];
                }
                for (f, e) in found.iter().zip(&expected) {
                    assert!((f - e).abs() < tolerance, "{connect}: {f}, not {e}");
                }
            }
            before = weights(&program, state, "W");
        });
        assert_ne!(before, start, "{connect}: nothing was learned");
    }
}

#[test]
fn check_says_that_a_transpose_is_not_local() {
    let bench = Bench::new(&there_and_back("\"all-to-all\"", 5, 1));
    let told = bench.experiment.program.explain();
    assert_eq!(
        told.not_local,
        ["`back` has the weights of `W`, transposed (weight transport): not local in space"]
    );
    assert_eq!(told.projections[0].pattern, "the transpose of W");
    // 35 weights, which both projections multiply.
    assert_eq!(told.synapses, 70);
}

#[test]
fn what_has_no_weights_of_its_own_is_neither_recorded_nor_measured() {
    for rest in [
        "[[record]]\nwhat = \"weights\"\nof = \"back\"\nevery = 1",
        "[measure.u]\nkind = \"update\"\nof = \"back\"\nrule = { rule = \"hebb\" }\nsample = 1",
    ] {
        let text = format!(
            "{}\n[[stage]]\nname = \"s\"\nsteps = 3\n{rest}",
            there_and_back("\"all-to-all\"", 5, 1)
        );
        let told = message(&text);
        assert!(told.contains("`back` has no weights of its own"), "{told}");
        assert!(told.contains("write `W`"), "{told}");
    }
}
