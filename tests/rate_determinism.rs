//! A run depends on the netlist and its seed, and on nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use apical::engine::rate::State;
use apical::experiment::Silent;
use rate_support::{
    Bench, MENAGERIE, RECORDINGS, bias, compile_in, experiment, options, plain,
    relative_difference, value,
};

/// Steps that fill several blocks of noise and leave one unfinished.
const STEPS: u64 = 400;

fn bytes(state: &State) -> Vec<u8> {
    serde_json::to_vec(state).unwrap()
}

fn state_with(threads: usize, calls: &[u64]) -> Vec<u8> {
    let mut bench = Bench::of(experiment(&(MENAGERIE.to_owned() + RECORDINGS)), threads);
    calls.iter().for_each(|steps| bench.run(*steps));
    assert_eq!(bench.state().step, calls.iter().sum::<u64>());
    bytes(bench.state())
}

#[test]
fn every_number_of_threads_gives_the_same_state_to_the_last_bit() {
    let one = state_with(1, &[STEPS]);
    for threads in [1, 2, 4] {
        assert!(state_with(threads, &[STEPS]) == one, "{threads} threads");
    }
}

#[test]
fn a_run_in_pieces_is_the_run_in_one_go() {
    let whole = state_with(1, &[STEPS]);
    let pieces = [1, 2, 61, 64, 65, 1, 129, 77];
    for threads in [1, 2] {
        assert!(state_with(threads, &pieces) == whole, "{threads} threads");
    }
}

#[test]
fn a_state_that_is_written_and_read_is_the_same_to_the_last_bit() {
    let mut bench = Bench::new(&(MENAGERIE.to_owned() + RECORDINGS));
    bench.run(100);
    // JSON has no NaN, so that none may hide in the padding of vectors either.
    let read: State = serde_json::from_slice(&bytes(bench.state())).unwrap();
    assert!(read == *bench.state());
}

/// All files that a run leaves but `run.json` and the report, which name times.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for sub in ["traces", "weights", "measures"] {
        for entry in fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found.insert(
        "netlist.toml".to_owned(),
        fs::read(folder.join("netlist.toml")).unwrap(),
    );
    found
}

fn run_files(threads: usize) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder, threads);
    let experiment = experiment(&(MENAGERIE.to_owned() + RECORDINGS));
    experiment.run(&options, &mut Silent).unwrap();
    files(&options.out)
}

#[test]
fn every_recorded_file_is_the_same_for_any_number_of_threads_and_when_run_again() {
    let first = run_files(1);
    // Two traces, two weights of three files each, two matrices, the netlist.
    assert_eq!(first.len(), 2 + 6 + 2 + 1, "{:?}", first.keys());
    assert!(first.values().all(|content| !content.is_empty()));
    for threads in [1, 2, 4] {
        for (name, content) in run_files(threads) {
            assert!(content == first[&name], "{name} with {threads} threads");
        }
    }
}

#[test]
fn looking_changes_nothing() {
    let mut seen = Bench::new(&(MENAGERIE.to_owned() + RECORDINGS));
    let mut unseen = Bench::new(MENAGERIE);
    assert!(!seen.experiment.program.probes.is_empty());
    assert!(unseen.experiment.program.probes.is_empty());
    seen.watch(STEPS, |_| {});
    unseen.run(STEPS);
    for name in ["W", "D_s", "D_r", "S", "R"] {
        assert_eq!(seen.weights(name), unseen.weights(name), "{name}");
    }
    for name in ["stimulus.soma", "latent.soma", "rest.soma"] {
        assert_eq!(seen.value(name), unseen.value(name), "{name}");
    }
    let biases = |b: &Bench| bias(&b.experiment.program, b.state(), "latent.basal");
    assert_eq!(biases(&seen), biases(&unseen));
}

#[test]
fn another_seed_gives_another_run_and_the_same_seed_the_same() {
    let run = |seed: Option<u64>| {
        let experiment = compile_in(MENAGERIE, Path::new("."), seed).unwrap();
        let mut bench = Bench::of(experiment, 1);
        let start = bench.weights("W");
        bench.run(100);
        (start, bench.weights("W"), bench.value("rest.soma"))
    };
    // The netlist's own seed is 7.
    assert_eq!(run(None), run(Some(7)));
    let (one, other) = (run(Some(7)), run(Some(8)));
    assert_ne!(one.0, other.0, "initial weights");
    assert_ne!(one.1, other.1, "learned weights");
    assert_ne!(one.2, other.2, "activity");
}

/// Pre and post are noise, the rule is Hebb's.
fn noisy(replicas: usize) -> String {
    plain(&format!(
        r#"replicas = {replicas}
        [neuron.noisy]
        soma = {{ value = "noise + 0 * drive" }}
        [rule.hebb]
        dw = "post * pre"
        [population.a]
        neuron = "noisy"
        size = 3
        [population.b]
        neuron = "noisy"
        size = 4
        [projection.W]
        from = "a"
        to = "b.soma"
        weight = 0
        learn = {{ rule = "hebb" }}"#
    ))
}

#[test]
fn replicas_differ_in_noise_and_share_the_mean_of_their_changes() {
    let replicas = 5;
    let mut bench = Bench::new(&noisy(replicas));
    let mut expected = vec![0.0; 12];
    let program = bench.experiment.program.clone();
    bench.watch(20, |state| {
        let (a, b) = (
            value(&program, state, "a.soma"),
            value(&program, state, "b.soma"),
        );
        assert!(
            (a[0] - a[3]).abs() > 0.0,
            "two replicas have the same noise"
        );
        for (a, b) in a.chunks(3).zip(b.chunks(4)) {
            for (at, w) in expected.iter_mut().enumerate() {
                *w += a[at / 4] * b[at % 4] / replicas as f64;
            }
        }
    });
    let weights = bench.weights("W");
    assert_eq!(weights.len(), 12, "one matrix for all replicas");
    // Sums of 100 products in another order: rounding is some 1e-15.
    assert!(relative_difference(&weights, &expected) < 1e-13);
}

#[test]
fn one_replica_is_the_circuit_without_replicas() {
    let mut with = Bench::new(&noisy(1));
    let mut without = Bench::new(&noisy(1).replace("replicas = 1", ""));
    with.run(100);
    without.run(100);
    assert_eq!(with.state(), without.state());
}
