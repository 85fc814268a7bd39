//! The recorder as a whole: what is sent is what is read, whatever happens in between.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tempfile::TempDir;

use super::*;

pub(super) fn directory() -> (TempDir, RunDirectory) {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path().join("run"), false).unwrap();
    (folder, directory)
}

pub(super) fn trace(name: &str, columns: usize) -> TraceSpec {
    TraceSpec {
        name: name.to_owned(),
        columns: (0..columns).map(|i| format!("{name}[{i}]")).collect(),
        ..TraceSpec::default()
    }
}

pub(super) fn weights(name: &str, rows: usize, columns: usize) -> WeightSpec {
    WeightSpec {
        name: name.to_owned(),
        rows,
        columns,
        timed: false,
    }
}

pub(super) fn spec(traces: Vec<TraceSpec>, weights: Vec<WeightSpec>) -> RecorderSpec {
    RecorderSpec {
        traces,
        weights,
        spikes: None,
        stages: vec!["train".to_owned(), "generate".to_owned()],
        step_ms: Some(0.5),
    }
}

/// A number from every corner of the format, NaN with a payload included; the same for the same `index`.
fn awkward(index: u64) -> f64 {
    f64::from_bits(index.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (index << 52))
}

/// Sends `rows` rows with `columns` awkward values each, and the rest of the last block.
pub(super) fn send_rows(recorder: &mut Recorder, trace: usize, columns: usize, rows: u64) {
    let mut block = recorder.trace_block(trace);
    for row in 0..rows {
        let values: Vec<f64> = (0..columns as u64).map(|i| awkward(row * 64 + i)).collect();
        block.push(u32::from(row > 100), row * 3, &values);
        if block.is_full() {
            recorder.send_trace(block).unwrap();
            block = recorder.trace_block(trace);
        }
    }
    recorder.send_trace(block).unwrap();
}

pub(super) fn assert_rows(path: impl AsRef<std::path::Path>, columns: usize, rows: u64) {
    let read = read_trace(path).unwrap();
    assert_eq!((read.rows() as u64, read.values.len()), (rows, columns));
    for row in 0..rows {
        let at = row as usize;
        assert_eq!(read.steps[at], row * 3);
        let stage = if row > 100 { "generate" } else { "train" };
        assert_eq!(read.stage(at), Some(stage));
        let time = read.times_ms.as_ref().unwrap()[at];
        assert_eq!(time.to_bits(), (row as f64 * 1.5).to_bits());
        for (i, column) in read.values.iter().enumerate() {
            assert_eq!(column[at].to_bits(), awkward(row * 64 + i as u64).to_bits());
        }
    }
}

#[test]
fn traces_are_read_back_bit_for_bit() {
    let (_folder, directory) = directory();
    let spec = spec(vec![trace("narrow", 0), trace("wide", 40)], vec![]);
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    // More than two row groups of the wide one, and a part of a third.
    send_rows(&mut recorder, 1, 40, 110_000);
    send_rows(&mut recorder, 0, 0, 150);
    let summary = recorder.finish().unwrap();
    assert_eq!(summary.traces[0].rows, 150);
    assert_eq!(summary.traces[1].rows, 110_000);
    assert_eq!(summary.traces[1].file, "traces/wide.parquet");
    assert!(summary.bytes > 110_000 * 40 * 8 / 2, "{}", summary.bytes);
    assert_rows(directory.path().join("traces/wide.parquet"), 40, 110_000);
    assert_rows(directory.path().join("traces/narrow.parquet"), 0, 150);
    let read = read_trace(directory.path().join("traces/wide.parquet")).unwrap();
    assert_eq!(read.columns[7], "wide[7]");
    assert_eq!(read.column("wide[7]").unwrap().len(), 110_000);
}

#[test]
fn steps_without_length_have_no_times_and_any_step_survives() {
    let (_folder, directory) = directory();
    let mut spec = spec(vec![trace("a", 1)], vec![]);
    spec.step_ms = None;
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    let mut block = recorder.trace_block(0);
    block.push(1, u64::MAX, &[1.0]);
    block.push(0, 0, &[2.0]);
    recorder.send_trace(block).unwrap();
    recorder.finish().unwrap();
    let read = read_trace(directory.path().join("traces/a.parquet")).unwrap();
    assert_eq!(read.times_ms, None);
    assert_eq!(read.steps, [u64::MAX, 0]);
    assert_eq!(read.stage_names, ["generate", "train"]);
    assert_eq!(read.values, [[1.0, 2.0]]);
}

#[test]
fn thinned_trace_has_every_nth_row_across_row_groups() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec(vec![trace("a", 40)], vec![])).unwrap();
    send_rows(&mut recorder, 0, 40, 110_000);
    recorder.finish().unwrap();
    let read = read_trace_thinned(directory.path().join("traces/a.parquet"), 16_000).unwrap();
    let expected: Vec<u64> = (0..110_000).step_by(7).map(|row| row * 3).collect();
    assert_eq!(read.steps, expected);
    for (at, row) in (0..110_000).step_by(7).enumerate() {
        assert_eq!(
            read.values[39][at].to_bits(),
            awkward(row * 64 + 39).to_bits()
        );
    }
}

#[test]
fn weights_are_read_back_bit_for_bit() {
    let (_folder, directory) = directory();
    let spec = spec(vec![], vec![weights("W", 3, 2), weights("none", 0, 5)]);
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    for sample in 0..50_u64 {
        let mut matrix = recorder.weight_buffer(0);
        matrix.extend((0..6).map(|i| awkward(sample * 6 + i)));
        recorder
            .send_weights(0, u32::from(sample > 9), sample * 1000, matrix)
            .unwrap();
    }
    recorder.send_weights(1, 0, 7, vec![]).unwrap();
    let summary = recorder.finish().unwrap();
    assert_eq!(summary.weights[0].samples, 50);
    assert_eq!(summary.weights[1].samples, 1);

    let path = directory.path().join("weights/W.npy");
    let read = read_weights(&path).unwrap();
    assert_eq!((read.rows, read.columns, read.values.len()), (3, 2, 300));
    let bits = |values: &[f64]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    let sent: Vec<f64> = (0..300).map(awkward).collect();
    assert_eq!(bits(&read.values), bits(&sent));
    assert_eq!(read.steps[49], 49_000);
    assert_eq!((read.stages[9], read.stages[10]), (0, 1));
    let mut file = WeightFile::open(&path).unwrap();
    assert_eq!(bits(&file.sample(49).unwrap().unwrap()), bits(&sent[294..]));
    assert_eq!(file.sample(50).unwrap(), None);
    assert_eq!(
        read_weights(directory.path().join("weights/none.npy"))
            .unwrap()
            .steps,
        [7]
    );

    let other = npyz::NpyFile::new(fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(other.shape(), [50, 3, 2]);
    assert_eq!(bits(&other.into_vec::<f64>().unwrap()), bits(&sent));
    let steps = fs::File::open(directory.path().join("weights/W.steps.npy")).unwrap();
    let steps = npyz::NpyFile::new(steps)
        .unwrap()
        .into_vec::<i64>()
        .unwrap();
    assert_eq!(
        steps,
        (0..50).map(|sample| sample * 1000).collect::<Vec<i64>>()
    );
}

#[test]
fn file_cut_off_within_a_sample_gives_the_complete_ones() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec(vec![], vec![weights("W", 2, 2)])).unwrap();
    for sample in 0..10_u64 {
        recorder
            .send_weights(0, 0, sample, vec![sample as f64; 4])
            .unwrap();
    }
    recorder.finish().unwrap();
    let path = directory.path().join("weights/W.npy");
    let length = fs::metadata(&path).unwrap().len();
    for (cut, complete) in [(1, 9), (32, 9), (33, 8), (320, 0)] {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(length - cut).unwrap();
        let read = read_weights(&path).unwrap();
        assert_eq!(read.steps.len(), complete);
        assert_eq!(read.values.len(), complete * 4);
        assert!(
            read.values
                .chunks(4)
                .enumerate()
                .all(|(i, values)| values == [i as f64; 4])
        );
    }
}

#[test]
fn dropped_recorder_keeps_what_was_sent() {
    let (_folder, directory) = directory();
    let spec = spec(vec![trace("a", 3)], vec![weights("W", 1, 1)]);
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    let elsewhere = catch_unwind(AssertUnwindSafe(|| {
        send_rows(&mut recorder, 0, 3, 5000);
        recorder.send_weights(0, 0, 1, vec![2.5]).unwrap();
        let _dropped_by_the_panic = recorder;
        panic!("elsewhere");
    }));
    assert!(elsewhere.is_err());
    assert_rows(directory.path().join("traces/a.parquet"), 3, 5000);
    assert_eq!(
        read_weights(directory.path().join("weights/W.npy"))
            .unwrap()
            .values,
        [2.5]
    );
}

#[test]
fn long_run_goes_round_with_few_buffers() {
    let (_folder, directory) = directory();
    let spec = spec(
        vec![trace("a", 16), trace("b", 1)],
        vec![weights("W", 50, 50)],
    );
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    let mut buffers = [HashSet::new(), HashSet::new(), HashSet::new()];
    for step in 0..200 {
        for trace in [0, 1] {
            let mut block = recorder.trace_block(trace);
            buffers[trace].insert(block.values.as_ptr().addr());
            while !block.is_full() {
                block.push(0, step, &[1.0; 16][..if trace == 0 { 16 } else { 1 }]);
            }
            recorder.send_trace(block).unwrap();
        }
        let mut matrix = recorder.weight_buffer(0);
        matrix.resize(2500, 1.0);
        buffers[2].insert(matrix.as_ptr().addr());
        recorder.send_weights(0, 0, step, matrix).unwrap();
    }
    let summary = recorder.finish().unwrap();
    assert_eq!(
        (summary.traces[0].rows, summary.weights[0].samples),
        (102_400, 200)
    );
    // As many as may wait, the one being written, the one being filled, and one between the two channels.
    let used = buffers.map(|buffers| buffers.len());
    assert!(used[0] <= 19 && used[1] <= 19 && used[2] <= 5, "{used:?}");
}

#[test]
fn what_does_not_fit_its_declaration_is_refused() {
    let (_folder, directory) = directory();
    let spec = spec(vec![trace("a", 2)], vec![weights("W", 2, 2)]);
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    let mut block = recorder.trace_block(0);
    block.push(0, 0, &[1.0, 2.0, 3.0]);
    block.push(0, 0, &[1.0]);
    let refused = recorder.send_trace(block).unwrap_err();
    assert!(
        matches!(refused, RecordError::Ragged { columns: 2, .. }),
        "{refused}"
    );
    let mut block = recorder.trace_block(0);
    block.push(2, 0, &[1.0, 2.0]);
    let refused = recorder.send_trace(block).unwrap_err();
    assert!(
        matches!(refused, RecordError::UnknownStage { stage: 2, .. }),
        "{refused}"
    );
    let block = recorder.trace_block(1);
    let refused = recorder.send_trace(block).unwrap_err();
    assert!(
        matches!(refused, RecordError::UnknownTrace { trace: 1, .. }),
        "{refused}"
    );
    let refused = recorder.send_weights(0, 0, 0, vec![1.0; 3]).unwrap_err();
    assert!(
        matches!(refused, RecordError::MatrixShape { values: 3, .. }),
        "{refused}"
    );
    let refused = recorder.send_weights(1, 0, 0, vec![]).unwrap_err();
    assert!(
        matches!(refused, RecordError::UnknownWeights { weights: 1, .. }),
        "{refused}"
    );
    // None of this has stopped the recorder.
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.traces[0].rows, summary.weights[0].samples), (0, 0));
}

#[test]
fn hostile_names_get_files_of_their_own_inside_the_run_directory() {
    let (folder, directory) = directory();
    let names = [
        "../../escape",
        "a/b",
        "a b",
        "",
        "W",
        "W.steps",
        "W",
        "\u{0}",
        "CON",
    ];
    let traces = names.iter().map(|name| trace(name, 1)).collect();
    let matrices = names.iter().map(|name| weights(name, 1, 1)).collect();
    let mut recorder = Recorder::start(&directory, spec(traces, matrices)).unwrap();
    for index in 0..names.len() {
        let mut block = recorder.trace_block(index);
        block.push(0, 0, &[index as f64]);
        recorder.send_trace(block).unwrap();
        recorder
            .send_weights(index, 0, 0, vec![index as f64])
            .unwrap();
    }
    let summary = recorder.finish().unwrap();
    for (index, name) in names.iter().enumerate() {
        let (trace, matrix) = (&summary.traces[index], &summary.weights[index]);
        assert_eq!((&*trace.name, &*matrix.name), (*name, *name));
        let read = read_trace(directory.path().join(&trace.file)).unwrap();
        assert_eq!(read.values, [[index as f64]]);
        let read = read_weights(directory.path().join(&matrix.file)).unwrap();
        assert_eq!(read.values, [index as f64]);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(
        fs::read_dir(directory.path().join("traces"))
            .unwrap()
            .count(),
        names.len()
    );
    assert_eq!(
        fs::read_dir(directory.path().join("weights"))
            .unwrap()
            .count(),
        names.len() * 3
    );
}
