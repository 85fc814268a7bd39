//! Whole recordings as inputs: what is heard at each step, in which order, by which replica; saccades.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "what is heard is what was recorded"
)]

mod rate_support;

use std::collections::BTreeMap;

use hound::{SampleFormat, WavSpec, WavWriter};
use rate_support::{Bench, experiment, message, run_with, value};
use tempfile::TempDir;

const CHANNELS: usize = 6;
const HOP: usize = 128;

/// Recordings `0_a.wav`, `1_a.wav`, …, of so many frames, each a tone of its own that grows: no two frames are alike.
fn tones(frames: &[usize]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, frames) in frames.iter().enumerate() {
        let spec = WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let path = folder.path().join(format!("{number}_a.wav"));
        let mut writer = WavWriter::create(path, spec).unwrap();
        for n in 0..(frames - 1) * HOP {
            let tone = ((0.2 + 0.31 * number as f64) * n as f64).sin();
            let size = 500.0 * (n as f64 / 700.0).exp();
            writer.write_sample((size * tone) as i16).unwrap();
        }
        writer.finalize().unwrap();
    }
    folder
}

/// A circuit whose populations repeat what the input gives; every recording is a class of its own.
fn circuit(folder: &TempDir, recordings: usize, replicas: usize, keys: &str) -> String {
    let folder = folder.path().display();
    let classes: Vec<String> = (0..recordings).map(|k| format!("\"{k}_*\"")).collect();
    format!(
        r#"[circuit]
        name = "test"
        step = 1
        replicas = {replicas}
        [neuron.echo]
        soma = {{ value = "drive" }}
        [input.speech]
        process = "log-mel"
        folder = "{folder}"
        rate = "8 kHz"
        window = 256
        hop = {HOP}
        channels = {CHANNELS}
        whole = true
        classes = [{}]
        {keys}
        [population.frame]
        neuron = "echo"
        size = {CHANNELS}
        soma.input = "speech"
        [population.label]
        neuron = "echo"
        size = {recordings}
        soma.input = "speech.label"
        [population.changed]
        neuron = "echo"
        size = 1
        soma.input = "speech.changed"
        [population.last]
        neuron = "echo"
        size = 1
        soma.input = "speech.last"
        [[stage]]
        name = "train"
        epochs = 1
        "#,
        classes.join(", ")
    )
}

/// What one replica hears in one step.
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    frame: Vec<f64>,
    class: usize,
    changed: bool,
    last: bool,
}

/// Step by step, replica by replica.
fn heard(text: &str, steps: u64, recordings: usize) -> Vec<Vec<Heard>> {
    let mut bench = Bench::of(experiment(text), 1);
    bench.series(steps, |program, state| {
        let of = |name: &str| value(program, state, &format!("{name}.soma"));
        let (frames, labels) = (of("frame"), of("label"));
        let (changed, last) = (of("changed"), of("last"));
        let labels = labels.chunks(recordings);
        let all = frames
            .chunks(CHANNELS)
            .zip(labels)
            .zip(changed.iter().zip(&last));
        all.map(|((frame, label), (changed, last))| {
            assert_eq!(label.iter().sum::<f64>(), 1.0);
            Heard {
                frame: frame.to_vec(),
                class: label.iter().position(|x| *x == 1.0).unwrap(),
                changed: *changed == 1.0,
                last: *last == 1.0,
            }
        })
        .collect()
    })
}

/// Steps of an epoch.
fn epoch(text: &str) -> u64 {
    let (_folder, report) = run_with(text, 1);
    report.steps
}

/// Which recording and which of its frames each frame is.
fn places(folder: &TempDir, frames: &[usize]) -> BTreeMap<Vec<u64>, (usize, usize)> {
    let text = circuit(folder, frames.len(), 1, "shuffle = false");
    let total = frames.iter().sum::<usize>() as u64;
    let mut places = BTreeMap::new();
    let mut at = 0;
    for step in heard(&text, total, frames.len()).concat() {
        at = if step.changed { 0 } else { at + 1 };
        let key = bits(&step.frame);
        assert_eq!(places.insert(key, (step.class, at)), None, "frames differ");
    }
    places
}

fn bits(frame: &[f64]) -> Vec<u64> {
    frame.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn recordings_are_heard_whole_with_their_classes() {
    let lengths = [5, 3, 4];
    let folder = tones(&lengths);
    let text = circuit(&folder, 3, 1, "shuffle = false");
    assert_eq!(epoch(&text), 12);
    let all = heard(&text, 24, 3).concat();
    let classes: Vec<usize> = all.iter().map(|h| h.class).collect();
    let pass = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
    assert_eq!(classes, [pass, pass].concat());
    let steps = |of: fn(&Heard) -> bool| -> Vec<usize> {
        let all = all[..12].iter().enumerate();
        all.filter(|(_, h)| of(h)).map(|(k, _)| k).collect()
    };
    assert_eq!(steps(|h| h.changed), [0, 5, 8]);
    assert_eq!(steps(|h| h.last), [4, 7, 11]);
    assert_eq!(all[..12], all[12..], "the second pass is like the first");
    // The same frames as those of a stream.
    let stream = text
        .replace("whole = true", "")
        .replace("speech.label", "speech");
    let classes_key = stream.find("classes = ").unwrap();
    let end = stream[classes_key..].find('\n').unwrap() + classes_key;
    let mut stream = stream;
    stream.replace_range(classes_key..end, "");
    let stream = stream
        .replace("speech.changed", "one")
        .replace("speech.last", "one");
    let stream = stream.replace("size = 3", &format!("size = {CHANNELS}"))
        + "\n[input.one]\nprocess = \"random\"\nsize = 1\ndraw = 1";
    let mut bench = Bench::of(experiment(&stream), 1);
    let frames = bench.series(12, |program, state| value(program, state, "frame.soma"));
    let whole: Vec<Vec<f64>> = all[..12].iter().map(|h| h.frame.clone()).collect();
    assert_eq!(frames, whole);
}

#[test]
fn each_pass_has_another_order_and_ends_each_recording_once() {
    let lengths = [5, 3, 4, 9, 3, 6, 2];
    let folder = tones(&lengths);
    let places = places(&folder, &lengths);
    for replicas in [1, 3, 4] {
        let text = circuit(&folder, lengths.len(), replicas, "");
        let steps = epoch(&text);
        let total: usize = lengths.iter().sum();
        assert_eq!(
            steps as usize,
            (total + 9 * (replicas - 1)).div_ceil(replicas)
        );
        let all = heard(&text, 2 * steps, lengths.len());
        let mut orders = vec![];
        for pass in all.chunks(steps as usize) {
            assert!(pass[0].iter().all(|h| h.changed));
            let mut ended: Vec<usize> = vec![];
            for step in pass {
                ended.extend(step.iter().filter(|h| h.last).map(|h| h.class));
            }
            orders.push(ended.clone());
            ended.sort_unstable();
            assert_eq!(
                ended,
                (0..lengths.len()).collect::<Vec<_>>(),
                "{replicas} replicas"
            );
            // Each replica hears frame after frame, and nothing but a beginning after an end.
            for replica in 0..replicas {
                let own = pass.iter().map(|step| &step[replica]);
                let at: Vec<_> = own.map(|h| (places[&bits(&h.frame)], h)).collect();
                for pair in at.windows(2) {
                    let [((a, k), _), ((b, l), h)] = [pair[0], pair[1]];
                    if h.changed {
                        assert_eq!((k + 1, l), (lengths[a], 0));
                    } else {
                        assert_eq!((b, l), (a, k + 1));
                    }
                    assert_eq!(h.class, b);
                }
            }
        }
        assert_ne!(orders[0], orders[1]);
        let other = text.replace("step = 1\n", "step = 1\nseed = 2\n");
        assert_ne!(heard(&other, steps, lengths.len()), all[..steps as usize]);
    }
}

#[test]
fn saccades_go_to_the_same_frame_of_another_recording() {
    let lengths = [12, 9, 14, 11, 10];
    let folder = tones(&lengths);
    let places = places(&folder, &lengths);
    let text = circuit(&folder, 5, 3, "saccade = 0.3");
    let quiet = circuit(&folder, 5, 3, "");
    let steps = epoch(&text);
    assert_eq!(
        steps,
        epoch(&quiet),
        "visits are as long as with no saccades"
    );
    let (mut saccades, mut moves) = (0, 0);
    let (all, same) = (heard(&text, 200 * steps, 5), heard(&quiet, 200 * steps, 5));
    let mut ends = [0, 0];
    for replica in 0..3 {
        let own: Vec<_> = all
            .iter()
            .map(|step| (places[&bits(&step[replica].frame)], &step[replica]))
            .collect();
        for pair in own.windows(2) {
            let [((a, k), _), ((b, l), h)] = [pair[0], pair[1]];
            assert_eq!(h.class, b);
            if l == 0 {
                assert!(h.changed);
                continue;
            }
            assert_eq!(l, k + 1, "the next frame number");
            assert_eq!(h.changed, a != b);
            moves += 1;
            saccades += usize::from(a != b);
        }
        ends[0] += own.iter().filter(|(_, h)| h.last).count();
        ends[1] += same.iter().filter(|step| step[replica].last).count();
    }
    assert_eq!(ends[0], ends[1]);
    // And some because the other recording had ended: 0.3 and a little more.
    let share = saccades as f64 / moves as f64;
    assert!((0.29..0.36).contains(&share), "{share}");
    let off = text + "input = { speech = { split = \"train\", saccade = 0 } }";
    assert_eq!(run(&off), run(&quiet), "a stage may do without");
    assert_ne!(run(&off), run(&circuit(&folder, 5, 3, "saccade = 0.3")));
}

/// The frames of the first replica, from a run.
fn run(text: &str) -> Vec<u8> {
    let text = format!("{text}\n[[record]]\nwhat = \"trace\"\nof = \"frame.soma\"\n");
    let (folder, _report) = run_with(&text, 2);
    let trace = folder.path().join("run/traces/trace-frame.soma.parquet");
    std::fs::read(&trace).unwrap()
}

#[test]
fn a_replica_hears_one_group_only() {
    let lengths = [5, 3, 4, 9, 3, 6, 2, 7];
    let folder = tones(&lengths);
    let keys = "saccade = 0.2\ngroups = [\"[0-2]_*\", \"[3-7]_*\"]";
    for replicas in [2, 6] {
        let text = circuit(&folder, lengths.len(), replicas, keys);
        let steps = epoch(&text);
        let share = replicas / 2;
        // The second group is the longer one.
        assert_eq!(steps as usize, (27 + 9 * (share - 1)).div_ceil(share));
        let all = heard(&text, steps, lengths.len());
        let mut ended = 0;
        for step in &all {
            for (replica, h) in step.iter().enumerate() {
                assert_eq!(usize::from(h.class > 2), replica % 2);
                ended += usize::from(h.last);
            }
        }
        assert_eq!(ended, lengths.len(), "each recording ends once");
    }
}

#[test]
fn a_single_recording_has_no_other_to_go_to() {
    let folder = tones(&[4]);
    let text = circuit(&folder, 2, 2, "saccade = 1");
    let text = text.replace(
        "classes = [\"0_*\", \"1_*\"]",
        "classes = [\"0_*\", \"x_*\"]",
    );
    let steps = heard(&text, 8, 2);
    assert!(steps.iter().flatten().all(|h| h.class == 0));
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tones(&[4, 3]);
    let text = circuit(&folder, 2, 1, "");
    let no_class = text.replace("\"1_*\"", "\"7_*\"");
    let failed = experiment(&no_class).run(
        &rate_support::options(&tempfile::tempdir().unwrap(), 1),
        &mut apical::experiment::Silent,
    );
    let said = failed
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        said.contains("1_a.wav` matches none of `classes`"),
        "{said}"
    );
    let shared = circuit(&folder, 2, 3, "groups = [\"0_*\", \"1_*\"]");
    let said = message(&shared);
    assert!(
        said.contains("2 groups of recordings cannot share 3 replicas"),
        "{said}"
    );
    assert!(said.contains("write `replicas = 4`"), "{said}");
    let stream = text.replace("whole = true", "whole = false");
    assert!(message(&stream).contains("`classes` needs whole recordings"));
}
