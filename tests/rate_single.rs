//! Circuits in single precision: as those in double precision up to rounding, and as reproducible.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use apical::compile::Weights;
use apical::engine::rate::State;
use rate_support::{
    Bench, Blind, MENAGERIE, RECORDINGS, bias, experiment, plain, relative_difference, value,
};

/// All sorts of things: those that have operations in single precision, and those that take the general path.
fn menagerie() -> String {
    MENAGERIE.replace("replicas = 2\n", "") + RECORDINGS
}

/// A circuit all of whose operations are in single precision.
fn impression() -> String {
    let text = menagerie();
    let (begin, end) = (text.find("[population.rest]"), text.find("[projection.W]"));
    let text = text[..begin.unwrap()].to_owned() + &text[end.unwrap()..];
    let end = text.find("[projection.S]").unwrap();
    text[..end].to_owned()
}

fn single(text: &str) -> String {
    text.replacen("[circuit]\n", "[circuit]\nprecision = \"single\"\n", 1)
}

/// Values of neurons, weights and biases.
fn numbers(bench: &Bench, latent_only: bool) -> Vec<Vec<f64>> {
    let (program, state) = (&bench.experiment.program, bench.state());
    let mut names = vec![
        "stimulus.soma",
        "stimulus.basal",
        "stimulus.apical",
        "latent.soma",
    ];
    let mut projections = vec!["W", "D_s", "D_r"];
    if !latent_only {
        names.push("rest.soma");
        projections.extend(["S", "R"]);
    }
    let mut found: Vec<_> = names.iter().map(|n| value(program, state, n)).collect();
    found.extend(projections.iter().map(|name| bench.weights(name)));
    found.push(bias(program, state, "latent.basal"));
    found
}

/// The same noise, the same equations: what differs is rounding to 24 bits, some ten operations a step, each of which errs by
/// 6e-8 of a number of the size of the vector's largest.
#[test]
fn a_circuit_in_single_precision_agrees_with_double_precision() {
    for (text, small) in [(menagerie(), false), (impression(), true)] {
        for looks in [false, true] {
            let benches = [text.clone(), single(&text)].map(|text| {
                let mut bench = Bench::new(&text);
                for _ in 0..3 {
                    if looks {
                        bench.watch(17, |_| ());
                    } else {
                        bench.run(17);
                    }
                }
                bench
            });
            let [double, single] = benches.map(|bench| numbers(&bench, small));
            for (k, (double, single)) in double.iter().zip(&single).enumerate() {
                let difference = relative_difference(single, double);
                assert!(difference < 1e-5, "{k}: {difference}");
            }
            assert!(double != single);
        }
    }
}

/// Values, weights and biases are numbers that single precision has.
#[test]
fn all_numbers_are_of_single_precision() {
    let mut bench = Bench::new(&single(&impression()));
    bench.run(50);
    assert!(
        numbers(&bench, true)
            .iter()
            .flatten()
            .all(|x| f64::from(*x as f32).to_bits() == x.to_bits())
    );
    let weights = &bench.state().weights;
    let matrices = weights
        .iter()
        .filter(|w| matches!(w, Weights::Single { .. }));
    assert_eq!(matrices.count(), 2);
}

fn bytes(state: &State) -> Vec<u8> {
    serde_json::to_vec(state).unwrap()
}

/// Also if somebody looks in between, or a run is taken up from what was written.
#[test]
fn pieces_and_threads_change_no_bit() {
    for text in [single(&menagerie()), single(&impression())] {
        let state = |threads: usize, calls: &[u64], looks: bool| {
            let mut bench = Bench::of(experiment(&text), threads);
            for (k, steps) in calls.iter().enumerate() {
                if looks && k % 2 == 1 {
                    bench.watch(*steps, |_| ());
                } else {
                    bench.run(*steps);
                }
                let read: State = serde_json::from_slice(&bytes(bench.state())).unwrap();
                assert!(read == *bench.state());
                *bench.simulation.state_mut() = read;
            }
            bytes(bench.state())
        };
        let whole = state(1, &[400], false);
        for threads in [1, 2] {
            assert!(state(threads, &[400], threads == 1) == whole);
            let pieces = [1, 2, 61, 64, 65, 1, 129, 77];
            for looks in [false, true] {
                assert!(state(threads, &pieces, looks) == whole, "{threads} {looks}");
            }
        }
    }
}

/// In single precision numbers end at 3.4e38: 10^(6·k) after k steps.
#[test]
fn the_neuron_that_leaves_the_finite_numbers_is_named() {
    let text = single(&plain(
        r#"[neuron.linear]
        soma = { value = "1e6 * drive" }
        [population.p]
        neuron = "linear"
        size = 21
        soma.bias = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
        [projection.W]
        from = "p"
        to = "p.soma"
        connect = "one-to-one"
        delay = 1
        weight = 1"#,
    ));
    let mut bench = Bench::new(&text);
    let stopped = bench.simulation.run(50, &mut Blind).unwrap_err();
    let apical::engine::rate::Stopped::NotFinite(found) = stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!((found.neuron, found.step), (17, 6));
}
