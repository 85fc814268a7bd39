//! Spikes, timed traces and timed weights through the recorder: what is sent is what is read, whatever happens.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::recorder_tests::{assert_rows, directory, send_rows, trace};
use super::*;

fn spec() -> RecorderSpec {
    let population = |name: &str, neurons| SpikePopulation {
        name: name.to_owned(),
        neurons,
    };
    RecorderSpec {
        spikes: Some(SpikeSpec {
            populations: vec![population("pyramidal \"3\"", 50_000), population("λ", 7)],
        }),
        stages: vec!["train".to_owned(), "test".to_owned()],
        step_ms: Some(0.5),
        ..RecorderSpec::default()
    }
}

/// Some spike, the same for the same `index`; times grow, up to almost a hundred days.
fn spike(index: u64) -> (Spike, u32) {
    let population = index % 3 / 2;
    let neurons = [50_000, 7][population as usize];
    let spike = Spike {
        time_ps: (index * 7_000_000_007_001).cast_signed(),
        population: population as u16,
        neuron: (index * 7919 % neurons) as u32,
        kind: SpikeKind::ALL[(index / 5 % 4) as usize],
    };
    (spike, u32::from(index > 1_000))
}

fn send(recorder: &mut Recorder, indices: std::ops::Range<u64>) {
    let mut block = recorder.spike_block(0);
    for index in indices {
        let (spike, stage) = spike(index);
        if block.is_full() || block.stage() != stage {
            recorder.send_spikes(block).unwrap();
            block = recorder.spike_block(stage);
        }
        block.push(spike);
    }
    recorder.send_spikes(block).unwrap();
}

fn read(path: &Path) -> Result<Vec<(Spike, u32)>, RecordError> {
    let mut spikes = Vec::new();
    SpikeFile::open(path)?.visit(|spike, stage| spikes.push((spike, stage)))?;
    Ok(spikes)
}

#[test]
fn spikes_are_read_back_exactly_across_row_groups() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    let rows = 1_200_000;
    send(&mut recorder, 0..rows);
    let summary = recorder.finish().unwrap();
    let record = summary.spikes.unwrap();
    assert_eq!(
        (record.file.as_str(), record.rows),
        ("spikes.parquet", rows)
    );
    let path = directory.path().join(record.file);
    assert_eq!(fs::metadata(&path).unwrap().len(), summary.bytes);
    assert!(read(&path).unwrap().into_iter().eq((0..rows).map(spike)));

    let file = SpikeFile::open(&path).unwrap();
    assert_eq!(file.rows(), rows);
    assert_eq!(
        Some(file.populations()),
        spec().spikes.map(|s| s.populations).as_deref()
    );
    assert_eq!(file.last_ps(), Some(spike(rows - 1).0.time_ps));
    let (first, last) = (600_000, 600_010);
    let within = spike(first).0.time_ps..=spike(last).0.time_ps;
    let mut found = Vec::new();
    file.visit_within(within, |spike, stage| found.push((spike, stage)))
        .unwrap();
    assert!(found.into_iter().eq((first..=last).map(spike)));
}

#[test]
fn run_without_a_spike_has_a_file_without_rows() {
    let (_folder, directory) = directory();
    let recorder = Recorder::start(&directory, spec()).unwrap();
    assert_eq!(recorder.finish().unwrap().spikes.unwrap().rows, 0);
    let path = directory.path().join("spikes.parquet");
    assert!(read(&path).unwrap().is_empty());
    assert_eq!(SpikeFile::open(&path).unwrap().last_ps(), None);
}

#[test]
fn long_run_goes_round_with_few_blocks() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    let mut blocks = std::collections::HashSet::new();
    for _ in 0..100 {
        let mut block = recorder.spike_block(0);
        blocks.insert(block.time_ps.as_ptr().addr());
        while !block.is_full() {
            block.push(spike(0).0);
        }
        recorder.send_spikes(block).unwrap();
    }
    recorder.finish().unwrap();
    // As many as may wait, the one being written, the one being filled, and one between the two channels.
    assert!(blocks.len() <= 19, "{}", blocks.len());
}

#[test]
fn dropped_recorder_keeps_the_spikes_that_were_sent() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    let elsewhere = catch_unwind(AssertUnwindSafe(|| {
        send(&mut recorder, 0..5000);
        let _dropped_by_the_panic = recorder;
        panic!("elsewhere");
    }));
    assert!(elsewhere.is_err());
    let read = read(&directory.path().join("spikes.parquet")).unwrap();
    assert!(read.into_iter().eq((0..5000).map(spike)));
}

#[test]
fn killed_run_leaves_its_spikes_under_their_temporary_name() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    send(&mut recorder, 0..10);
    // What the directory holds while the run goes on is what it holds after it was killed.
    assert!(directory.path().join("spikes.parquet.partial").exists());
    assert!(!directory.path().join("spikes.parquet").exists());
    recorder.finish().unwrap();
    assert!(!directory.path().join("spikes.parquet.partial").exists());
    // The file is Apical's own: the next run may replace it.
    RunDirectory::create(directory.path(), true).unwrap();
    assert!(!directory.path().join("spikes.parquet").exists());
}

#[test]
fn spikes_that_failed_keep_their_complete_row_groups() {
    let (_folder, directory) = directory();
    let spec = spec().spikes.unwrap();
    let mut sink = spike_sink::SpikeSink::create(&directory, &spec, &["run".to_owned()]).unwrap();
    let mut block = SpikeBlock::new();
    for index in 0..600_000 {
        block.push(spike(index).0);
    }
    sink.append(&block).unwrap();
    sink.fail_within_a_row_group().unwrap();
    let (record, _) = sink.close().unwrap();
    assert_eq!(record.rows, 1 << 19);
    let read = read(&directory.path().join("spikes.parquet")).unwrap();
    assert!(
        read.iter()
            .map(|(spike, _)| *spike)
            .eq((0..record.rows).map(|i| spike(i).0))
    );
}

/// A pipe whose reader leaves after the first bytes stands for a disk that fails in the middle of a run.
#[cfg(unix)]
#[test]
fn failing_disk_is_an_error_that_names_the_file_and_other_files_are_whole() {
    use std::io::Read;

    let (_folder, directory) = directory();
    directory.claim("spikes.parquet").unwrap();
    let pipe = directory.path().join("spikes.parquet.partial");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let reader = std::thread::spawn(move || {
        let mut magic = [0; 4];
        let mut file = fs::File::open(pipe).unwrap();
        file.read_exact(&mut magic).unwrap();
        magic
    });
    let spec = RecorderSpec {
        traces: vec![trace("fine", 1)],
        stages: vec!["train".to_owned(), "generate".to_owned()],
        ..spec()
    };
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    assert_eq!(&reader.join().unwrap(), b"PAR1");
    send_rows(&mut recorder, 0, 1, 500);
    let mut sent = 0;
    let error = loop {
        let mut block = recorder.spike_block(0);
        while !block.is_full() {
            block.push(spike(sent).0);
            sent += 1;
        }
        assert!(sent < 5_000_000, "no error in {sent} spikes");
        if let Err(error) = recorder.send_spikes(block) {
            break error;
        }
    };
    assert!(error.to_string().contains("spikes.parquet"), "{error}");
    assert_rows(directory.path().join("traces/fine.parquet"), 1, 500);
}

#[test]
fn spikes_that_do_not_fit_their_declaration_are_refused() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    let good = spike(0).0;
    let bad = [
        (
            Spike {
                population: 2,
                ..good
            },
            0,
            "population 2",
        ),
        (
            Spike {
                neuron: 50_000,
                ..good
            },
            0,
            "neuron 50000",
        ),
        (good, 2, "stage 2"),
    ];
    for (spike, stage, expected) in bad {
        let mut block = recorder.spike_block(stage);
        block.push(spike);
        let refused = recorder.send_spikes(block).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(recorder.finish().unwrap().spikes.unwrap().rows, 0);

    let none = RecorderSpec {
        spikes: None,
        ..spec()
    };
    let directory = RunDirectory::create(directory.path().join("none"), false).unwrap();
    let mut recorder = Recorder::start(&directory, none).unwrap();
    let block = recorder.spike_block(0);
    let refused = recorder.send_spikes(block).unwrap_err();
    assert!(matches!(refused, RecordError::NoSpikes), "{refused}");
    assert_eq!(recorder.finish().unwrap().spikes, None);
}

#[test]
fn damaged_spikes_are_errors_that_name_the_file() {
    let (_folder, directory) = directory();
    let mut recorder = Recorder::start(&directory, spec()).unwrap();
    send(&mut recorder, 0..60);
    recorder.finish().unwrap();
    let path = directory.path().join("spikes.parquet");
    let whole = fs::read(&path).unwrap();
    assert_eq!(read(&path).unwrap().len(), 60);
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("spikes.parquet"), "{error}");
    }
    for at in 0..whole.len() {
        for byte in [0x00, 0x7f, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            fs::write(&path, &damaged).unwrap();
            if let Err(error) = read(&path) {
                assert!(error.to_string().contains("spikes.parquet"), "{error}");
            }
        }
    }
}

#[test]
fn timed_traces_and_weights_have_times_in_place_of_steps() {
    let (_folder, directory) = directory();
    let of = TraceOf::Membrane {
        population: "pyramidal".to_owned(),
        compartment: "soma".to_owned(),
    };
    let spec = RecorderSpec {
        traces: vec![
            TraceSpec {
                timed: true,
                of: Some(of.clone()),
                ..trace("v", 2)
            },
            trace("steps", 1),
        ],
        weights: vec![WeightSpec {
            name: "W".to_owned(),
            rows: 1,
            columns: 2,
            timed: true,
        }],
        ..spec()
    };
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    let mut block = recorder.trace_block(0);
    for sample in 0..3000 {
        block.push_at(
            u32::from(sample > 9),
            sample * 100_000_000 + 1,
            &[-70.0, sample as f64],
        );
    }
    recorder.send_trace(block).unwrap();
    recorder
        .send_weights(0, 0, 1_500_000_000, vec![0.5, 0.25])
        .unwrap();
    for (trace, timed) in [(0, false), (1, true)] {
        let mut block = recorder.trace_block(trace);
        let row = [1.0; 2];
        match timed {
            true => block.push_at(0, 1, &row[..1]),
            false => block.push(0, 1, &row),
        }
        let refused = recorder.send_trace(block).unwrap_err();
        assert!(matches!(refused, RecordError::Mistimed { .. }), "{refused}");
    }
    let summary = recorder.finish().unwrap();
    assert_eq!(
        (summary.traces[0].timed, &summary.traces[0].of),
        (true, &Some(of))
    );
    let read = read_trace(directory.path().join("traces/v.parquet")).unwrap();
    assert_eq!((read.rows(), read.steps.len()), (3000, 0));
    let times = read.times_ps.as_ref().unwrap();
    assert_eq!((times[0], times[2999]), (1, 299_900_000_001));
    let ms = read.times_ms.as_ref().unwrap();
    assert_eq!(ms[2999].to_bits(), 299.900_000_001_f64.to_bits());
    assert_eq!(
        (read.stage(9), read.stage(10)),
        (Some("train"), Some("test"))
    );
    assert_eq!(read.values[1][2999].to_bits(), 2999.0_f64.to_bits());

    assert!(!directory.path().join("weights/W.steps.npy").exists());
    let weights = WeightFile::open(directory.path().join("weights/W.npy")).unwrap();
    assert!(weights.timed());
    assert_eq!(weights.steps(), [1_500_000_000]);
}
