//! The recorder on a disk that fails: the error names the file, and the other files are whole.
#![allow(clippy::unwrap_used)]

use std::fs;

use super::recorder_tests::{assert_rows, directory, send_rows, spec, trace, weights};
use super::*;

#[test]
fn folder_that_is_a_file_is_an_error_that_names_the_file() {
    let (_folder, directory) = directory();
    fs::write(directory.path().join("traces"), "in the way").unwrap();
    let error = Recorder::start(&directory, spec(vec![trace("a", 1)], vec![])).unwrap_err();
    assert!(error.to_string().contains("traces"), "{error}");
    assert!(error.help().is_some());
}

#[test]
fn folder_replaced_during_the_run_is_an_error_and_the_other_files_are_whole() {
    let (_folder, directory) = directory();
    let spec = spec(vec![trace("a", 1)], vec![weights("W", 1, 1)]);
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    fs::remove_dir_all(directory.path().join("traces")).unwrap();
    fs::write(directory.path().join("traces"), "in the way").unwrap();
    send_rows(&mut recorder, 0, 1, 10);
    recorder.send_weights(0, 0, 3, vec![1.5]).unwrap();
    let error = recorder.finish().unwrap_err();
    assert!(error.to_string().contains("a.parquet"), "{error}");
    assert_eq!(
        read_weights(directory.path().join("weights/W.npy"))
            .unwrap()
            .values,
        [1.5]
    );
}

/// `/dev/full` takes no byte: every write to it fails as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_an_error_that_says_so() {
    let (_folder, directory) = directory();
    directory.claim("traces/full.parquet").unwrap();
    fs::create_dir(directory.path().join("traces")).unwrap();
    let partial = directory.path().join("traces/full.parquet.partial");
    std::os::unix::fs::symlink("/dev/full", partial).unwrap();
    let error = Recorder::start(&directory, spec(vec![trace("full", 1)], vec![])).unwrap_err();
    assert!(error.to_string().contains("full.parquet"), "{error}");
    assert!(error.help().unwrap().contains("disk is full"), "{error}");
}

/// A pipe whose reader leaves after the first bytes stands for a disk that fails in the middle of a run.
#[cfg(unix)]
#[test]
fn failing_disk_surfaces_while_the_run_goes_on_and_the_other_files_are_whole() {
    use std::io::Read;

    let (_folder, directory) = directory();
    directory.claim("traces/bad.parquet").unwrap();
    fs::create_dir(directory.path().join("traces")).unwrap();
    let pipe = directory.path().join("traces/bad.parquet.partial");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let reader = std::thread::spawn(move || {
        let mut magic = [0; 4];
        fs::File::open(pipe)
            .unwrap()
            .read_exact(&mut magic)
            .unwrap();
        magic
    });
    let spec = spec(
        vec![trace("fine", 1), trace("bad", 40)],
        vec![weights("W", 1, 1)],
    );
    let mut recorder = Recorder::start(&directory, spec).unwrap();
    assert_eq!(&reader.join().unwrap(), b"PAR1");
    send_rows(&mut recorder, 0, 1, 5000);
    recorder.send_weights(0, 0, 3, vec![1.5]).unwrap();

    let mut blocks = 0;
    let error = loop {
        let mut block = recorder.trace_block(1);
        while !block.is_full() {
            block.push(0, 0, &[1.0; 40]);
        }
        blocks += 1;
        assert!(blocks < 1000, "no error in {blocks} blocks");
        if let Err(error) = recorder.send_trace(block) {
            break error;
        }
    };
    assert!(error.to_string().contains("bad.parquet"), "{error}");
    let again = recorder.send_weights(0, 0, 4, vec![1.0]).unwrap_err();
    assert!(matches!(again, RecordError::Stopped { .. }), "{again}");
    let again = recorder.finish().unwrap_err();
    assert!(matches!(again, RecordError::Stopped { .. }), "{again}");
    assert_rows(directory.path().join("traces/fine.parquet"), 1, 5000);
    assert_eq!(
        read_weights(directory.path().join("weights/W.npy"))
            .unwrap()
            .values,
        [1.5]
    );
}
