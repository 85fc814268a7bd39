//! Linear readouts of what a circuit computes, replica by replica.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use apical::record::MeasureReport;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rate_support::{message, run_with};
use tempfile::TempDir;

const CLASSES: u8 = 3;

/// IDX files of images of 2 × 2 pixels: class k is bright at pixel k, on a ground of noise.
fn blobs(images: usize, noise: u8, seed: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut pixels, mut labels) = (vec![], vec![]);
    for image in 0..images {
        let label = (image % usize::from(CLASSES)) as u8;
        let bright = |k: u8| if k == label { 100 } else { 0 };
        pixels.extend((0..4).map(|k| bright(k) + random.random_range(0..=noise)));
        labels.push(label);
    }
    let head = |sizes: &[usize]| -> Vec<u8> {
        let sizes32 = sizes.iter().flat_map(|n| (*n as u32).to_be_bytes());
        [0, 0, 8, sizes.len() as u8]
            .into_iter()
            .chain(sizes32)
            .collect()
    };
    let write =
        |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("images", [head(&[images, 2, 2]), pixels].concat());
    write("labels", [head(&[images]), labels].concat());
    folder
}

/// A circuit that doubles its pixels; `train` and `test` see two sets of images.
fn circuit(train: &TempDir, test: &TempDir, replicas: usize, rest: &str) -> String {
    let files = |folder: &TempDir| {
        let folder = folder.path().display();
        format!("{{ images = \"{folder}/images\", labels = \"{folder}/labels\" }}")
    };
    format!(
        r#"[circuit]
        name = "test"
        step = 1
        replicas = {replicas}
        [neuron.double]
        soma = {{ value = "2 * drive" }}
        [input.digits]
        process = "images"
        format = "idx"
        classes = {CLASSES}
        hold = 2
        file = {}
        split.test = {}
        [population.a]
        neuron = "double"
        size = 4
        soma.input = "digits"
        [[stage]]
        name = "collect"
        epochs = 1
        [[stage]]
        name = "test"
        epochs = 1
        input = {{ digits = "test" }}
        {rest}"#,
        files(train),
        files(test)
    )
}

fn value(report: &MeasureReport) -> f64 {
    report.headline().unwrap()
}

const MEASURES: &str = r#"
    [measure.read]
    kind = "linear-readout"
    of = "a.soma"
    label = "digits.label"
    train = "collect"
    test = "test"
    when = "digits.last"
    since = "digits.changed"
    "#;

#[test]
fn classes_that_are_apart_are_found_by_any_number_of_replicas() {
    let (train, test) = (blobs(60, 40, 1), blobs(30, 40, 2));
    for replicas in [1, 4, 7] {
        let (_folder, report) = run_with(&circuit(&train, &test, replicas, MEASURES), 1);
        assert!(
            value(&report.measures["read"]) >= 1.0,
            "{replicas} replicas"
        );
    }
}

#[test]
fn a_readout_of_noise_is_at_chance_and_one_of_overlapping_classes_between() {
    let read = |train: &TempDir, test: &TempDir, rest: &str| {
        let (_folder, report) = run_with(&circuit(train, test, 2, rest), 1);
        value(&report.measures["read"])
    };
    let (train, test) = (blobs(900, 150, 1), blobs(900, 150, 2));
    let overlapping = read(&train, &test, MEASURES);
    assert!((0.7..0.99).contains(&overlapping), "{overlapping}");
    // Only the fourth pixel, which has nothing to do with the class.
    let blind = MEASURES.replace(
        "of = \"a.soma\"",
        "of = \"prev(digits.changed) * 0 + mean(a.soma) * 0\"",
    );
    let chance = read(&train, &test, &blind);
    assert!((chance - 1.0 / 3.0).abs() < 1e-12, "{chance}");
}

#[test]
fn readouts_in_a_loop_give_a_value_for_each_time() {
    let (train, test) = (blobs(60, 40, 1), blobs(30, 40, 2));
    let text = circuit(&train, &test, 2, MEASURES);
    let (before, stages) = text.split_once("[[stage]]").unwrap();
    let stages = format!("[[stage]]{stages}").replace("[[stage]]", "[[stage.part]]");
    let text = format!("{before}[[stage]]\nname = \"loop\"\nrepeat = 3\n{stages}");
    let (_folder, report) = run_with(&text, 1);
    let MeasureReport::Series { value, .. } = &report.measures["read"] else {
        panic!("{:?}", report.measures["read"]);
    };
    assert_eq!(value.len(), 3);
    assert!(value.iter().all(|v| *v >= 1.0), "{value:?}");
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let (train, test) = (blobs(300, 150, 1), blobs(300, 150, 2));
    let text = circuit(&train, &test, 3, MEASURES);
    let run = |threads| run_with(&text, threads).1.measures["read"].clone();
    assert_eq!(run(1), run(2));
}

#[test]
fn what_does_not_fit_is_told() {
    let (train, test) = (blobs(6, 40, 1), blobs(6, 40, 2));
    let told = |from: &str, to: &str| {
        let text = circuit(&train, &test, 1, MEASURES);
        assert!(text.contains(from), "{from}");
        message(&text.replacen(from, to, 1))
    };
    let cases = [
        (
            "when = \"digits.last\"",
            "when = \"a.soma\"",
            "this takes one number a step, not 4",
        ),
        (
            "test = \"test\"",
            "test = \"collect\"",
            "trained in one stage and tested in another",
        ),
        (
            "train = \"collect\"",
            "train = \"colect\"",
            "there is no stage `colect`",
        ),
        (
            "label = \"digits.label\"",
            "label = \"digits.last\"",
            "a label has at least two classes",
        ),
    ];
    for (from, to, expected) in cases {
        let said = told(from, to);
        assert!(said.contains(expected), "{said}");
    }
}
