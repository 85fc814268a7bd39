use super::*;
use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::TempDir;

/// Ten recordings of different lengths and pitches at 8 kHz, named `0_a_0.wav` to `1_a_4.wav`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for digit in 0..2 {
        for number in 0..5 {
            let pitch = 0.05 + 0.07 * f64::from(digit * 5 + number);
            let count = 1_000 + 300 * number;
            let samples: Vec<i16> = (0..count)
                .map(|n| (8e3 * (pitch * f64::from(n)).sin()) as i16)
                .collect();
            write(&folder, &format!("{digit}_a_{number}.wav"), &samples);
        }
    }
    folder
}

fn write(folder: &TempDir, name: &str, samples: &[i16]) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(folder.path().join(name), spec).unwrap();
    samples
        .iter()
        .for_each(|&sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
}

fn spec(folder: &TempDir) -> RecordingsSpec {
    RecordingsSpec {
        folder: folder.path().to_owned(),
        files: "*.wav".into(),
        splits: vec![SplitRule {
            name: "test".into(),
            patterns: vec!["*_[0-1].wav".into()],
        }],
        otherwise: Some("train".into()),
        log_mel: LogMel::default(),
        classes: vec![],
        groups: vec![],
        by_channel: false,
        normalise_by: Some("train".into()),
        shuffle: Some(7),
        threads: 1,
    }
}

fn message(spec: &RecordingsSpec) -> String {
    Recordings::load(spec).unwrap_err().to_string()
}

#[test]
fn files_go_to_their_splits() {
    let folder = folder();
    let loaded = Recordings::load(&RecordingsSpec {
        shuffle: None,
        ..spec(&folder)
    })
    .unwrap();
    assert_eq!(
        loaded
            .splits
            .iter()
            .map(|split| split.name.as_str())
            .collect::<Vec<_>>(),
        ["test", "train"]
    );
    let test = loaded.split("test").unwrap();
    assert_eq!(
        test.files,
        ["0_a_0.wav", "0_a_1.wav", "1_a_0.wav", "1_a_1.wav"]
    );
    // 1000 samples at 8 kHz are ceil(2756.25) at 22.05 kHz: 1 + floor(2757 / 512) frames; 1300 are 3584: 8 frames
    assert_eq!(test.starts, [0, 6, 14, 20]);
    assert_eq!((test.frames.len(), test.frames.size()), (28, 128));
}

#[test]
fn splits_are_scaled_by_the_training_recordings() {
    let folder = folder();
    let raw = Recordings::load(&RecordingsSpec {
        normalise_by: None,
        ..spec(&folder)
    })
    .unwrap();
    let scaled = Recordings::load(&spec(&folder)).unwrap();
    let values = scaled.split("train").unwrap().frames.values();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / values.len() as f64;
    // rounding of some 10,000 additions
    assert!((variance - 1.0).abs() < 1e-10, "{variance}");
    assert!(values.iter().copied().fold(f64::INFINITY, f64::min).abs() < 1e-15);
    let scaling = scaled.scaling[0];
    for (raw, scaled) in raw.splits.iter().zip(&scaled.splits) {
        for (raw, scaled) in raw.frames.values().iter().zip(scaled.frames.values()) {
            assert!((raw - (scaled * scaling.sd + scaling.zero)).abs() < 1e-10);
        }
    }
    assert_eq!(raw.scaling, vec![]);
}

#[test]
fn channels_can_be_scaled_each_on_its_own() {
    let folder = folder();
    let spec = RecordingsSpec {
        by_channel: true,
        ..spec(&folder)
    };
    let scaled = Recordings::load(&spec).unwrap();
    let train = &scaled.split("train").unwrap().frames;
    assert_eq!(scaled.scaling.len(), train.size());
    for channel in 0..train.size() {
        let values = || (0..train.len()).map(|k| train.frame(k)[channel]);
        let count = train.len() as f64;
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 1e-10 && (variance - 1.0).abs() < 1e-10);
    }
    // The other split by the same numbers.
    let raw = Recordings::load(&RecordingsSpec {
        normalise_by: None,
        ..spec
    });
    let (raw, scaling) = (raw.unwrap(), &scaled.scaling);
    let frames = |loaded: &Recordings| loaded.split("test").unwrap().frames.frame(3).to_vec();
    let expected = frames(&raw).into_iter().zip(scaling);
    let expected: Vec<f64> = expected.map(|(x, s)| (x - s.zero) / s.sd).collect();
    assert_eq!(frames(&scaled), expected);
}

#[test]
fn files_have_the_class_and_group_of_the_first_pattern_that_matches() {
    let folder = folder();
    let spec = RecordingsSpec {
        classes: vec!["1_*".into(), "*".into()],
        groups: vec!["*_[0-2].wav".into(), "*_[3-4].wav".into()],
        ..spec(&folder)
    };
    let loaded = Recordings::load(&spec).unwrap();
    for split in &loaded.splits {
        assert_eq!(split.classes.len(), split.files.len());
        for (k, file) in split.files.iter().enumerate() {
            assert_eq!(
                split.classes[k],
                usize::from(file.starts_with('0')),
                "{file}"
            );
            let late = file.ends_with("3.wav") || file.ends_with("4.wav");
            assert_eq!(split.groups[k], usize::from(late), "{file}");
        }
    }
    let lacking = RecordingsSpec {
        groups: vec!["*_[0-3].wav".into(), "*_9.wav".into()],
        ..spec
    };
    let said = message(&lacking);
    assert!(
        said.contains("_a_4.wav` matches none of `groups`"),
        "{said}"
    );
}

#[test]
fn shuffling_moves_whole_recordings_and_changes_nothing_else() {
    let folder = folder();
    let sorted = Recordings::load(&RecordingsSpec {
        shuffle: None,
        ..spec(&folder)
    })
    .unwrap();
    let shuffled = Recordings::load(&spec(&folder)).unwrap();
    assert_eq!(sorted.scaling, shuffled.scaling);
    let (sorted, shuffled) = (
        sorted.split("train").unwrap(),
        shuffled.split("train").unwrap(),
    );
    assert_ne!(sorted.files, shuffled.files);
    let recording = |split: &RecordedSplit, index: usize| {
        let end = split
            .starts
            .get(index + 1)
            .copied()
            .unwrap_or(split.frames.len());
        split.frames.values()[split.starts[index] * 128..end * 128].to_vec()
    };
    for (index, name) in sorted.files.iter().enumerate() {
        let moved = shuffled
            .files
            .iter()
            .position(|other| other == name)
            .unwrap();
        assert_eq!(
            recording(sorted, index),
            recording(shuffled, moved),
            "{name}"
        );
    }
}

#[test]
fn same_seed_gives_the_same_bits_with_any_number_of_threads() {
    let folder = folder();
    let one = Recordings::load(&spec(&folder)).unwrap();
    for threads in [0, 2, 3, 64] {
        assert_eq!(
            one,
            Recordings::load(&RecordingsSpec {
                threads,
                ..spec(&folder)
            })
            .unwrap()
        );
    }
    let other = Recordings::load(&RecordingsSpec {
        shuffle: Some(8),
        ..spec(&folder)
    })
    .unwrap();
    assert_ne!(
        one.split("train").unwrap().files,
        other.split("train").unwrap().files
    );
}

#[test]
fn first_split_that_matches_takes_the_file() {
    let folder = folder();
    let all = SplitRule {
        name: "rest".into(),
        patterns: vec!["*".into()],
    };
    let mut spec = RecordingsSpec {
        otherwise: None,
        normalise_by: None,
        ..spec(&folder)
    };
    spec.splits.push(all);
    let loaded = Recordings::load(&spec).unwrap();
    assert_eq!(
        (loaded.splits[0].files.len(), loaded.splits[1].files.len()),
        (4, 6)
    );
    spec.splits.reverse();
    assert!(message(&spec).contains("split `test` is empty"));
}

#[test]
fn files_that_match_no_pattern_may_join_a_split_that_has_some() {
    let folder = folder();
    let loaded = Recordings::load(&RecordingsSpec {
        otherwise: Some("test".into()),
        normalise_by: Some("test".into()),
        ..spec(&folder)
    });
    assert_eq!(loaded.unwrap().splits[0].files.len(), 10);
}

#[test]
fn mistakes_in_the_spec_say_what_to_write() {
    let folder = folder();
    let good = spec(&folder);
    let with = |change: fn(&mut RecordingsSpec)| {
        let mut spec = good.clone();
        change(&mut spec);
        message(&spec)
    };
    assert!(with(|spec| spec.folder.push("none")).contains("pass --data DIR"));
    assert!(with(|spec| spec.files = "*.flac".into()).contains("matches `*.flac`"));
    assert!(with(|spec| spec.otherwise = None).contains("name one of test"));
    assert!(
        with(|spec| {
            spec.otherwise = None;
            spec.normalise_by = None
        })
        .contains("0_a_2.wav` belongs to no split")
    );
    assert!(with(|spec| spec.splits[0].patterns.clear()).contains("split `test` is empty"));
    assert!(
        with(|spec| spec.splits[0].patterns = vec!["[".into()]).contains("`[` is not a pattern")
    );
    assert!(with(|spec| spec.splits.push(spec.splits[0].clone())).contains("given twice"));
    assert!(with(|spec| spec.log_mel.hop = 0).contains("`hop` is 0"));
}

#[test]
fn broken_and_silent_files_are_named() {
    let folder = folder();
    std::fs::write(folder.path().join("0_b_0.wav"), "no sound").unwrap();
    write(&folder, "0_c_0.wav", &[0; 500]);
    let both = RecordingsSpec {
        threads: 2,
        ..spec(&folder)
    };
    assert!(message(&both).contains("0_b_0.wav` is not a readable WAV file"));
    std::fs::remove_file(folder.path().join("0_b_0.wav")).unwrap();
    assert!(message(&both).contains("0_c_0.wav` is silent"));
}

#[test]
fn recordings_without_spread_cannot_be_normalised() {
    // 1000 times -80.1 leaves a rounding error in the mean, which is no spread
    let equal = Frames {
        size: 1,
        values: vec![-80.1; 1000],
    };
    assert!(matches!(
        Scaling::all(("train", &[0]), &[equal], (false, 1)),
        Err(DataError::NoSpread { .. })
    ));
}
