//! Tests of `directory.rs`.
#![allow(clippy::unwrap_used)]

use super::super::{Recorder, RecorderSpec, TraceSpec, WeightSpec, read_matrix};
use super::*;

/// A run that was killed: started, nothing finished.
fn killed_run(path: &Path) {
    let directory = RunDirectory::create(path, false).unwrap();
    directory.write_netlist("[circuit]").unwrap();
    directory.write_matrix("M", 1, 1, &[1.0]).unwrap();
    directory.write_plot("loss", "svg", b"<svg/>").unwrap();
    directory.write_report("<html>").unwrap();
    let spec = RecorderSpec {
        traces: vec![TraceSpec {
            name: "t".to_owned(),
            columns: vec![],
            ..TraceSpec::default()
        }],
        weights: vec![WeightSpec {
            name: "W".to_owned(),
            rows: 1,
            columns: 1,
            timed: false,
        }],
        ..RecorderSpec::default()
    };
    drop(Recorder::start(&directory, spec).unwrap());
    let trace = path.join("traces/t.parquet");
    fs::rename(&trace, trace.with_extension("parquet.partial")).unwrap();
}

#[test]
fn earlier_run_is_protected() {
    let folder = tempfile::tempdir().unwrap();
    killed_run(folder.path());
    let error = RunDirectory::create(folder.path(), false).unwrap_err();
    assert!(matches!(error, RecordError::Occupied { .. }), "{error}");
    assert!(folder.path().join("weights/W.npy").exists());
}

#[test]
fn overwriting_removes_the_earlier_run_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    killed_run(folder.path());
    let mine = ["notes.txt", "traces/mine.parquet", "weights/mine.npy"];
    for mine in mine {
        fs::write(folder.path().join(mine), "mine").unwrap();
    }
    RunDirectory::create(folder.path(), true).unwrap();
    let mut left = Vec::new();
    for folder in [
        folder.path().to_owned(),
        folder.path().join("traces"),
        folder.path().join("weights"),
    ] {
        let entries = fs::read_dir(folder).unwrap();
        left.extend(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    }
    left.sort();
    assert_eq!(
        left,
        [
            ".apical-run",
            "mine.npy",
            "mine.parquet",
            "notes.txt",
            "traces",
            "weights"
        ]
    );
}

#[test]
fn files_of_others_are_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("netlist.toml"), "mine").unwrap();
    for overwrite in [false, true] {
        let directory = RunDirectory::create(folder.path(), overwrite).unwrap();
        let error = directory.write_netlist("[circuit]").unwrap_err();
        assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
    }
    fs::write(folder.path().join("run.json"), "{}").unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("run.json"), "{}").unwrap();
    let error = RunDirectory::create(other.path(), true).unwrap_err();
    assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
    assert_eq!(
        fs::read_to_string(folder.path().join("netlist.toml")).unwrap(),
        "mine"
    );
}

#[test]
fn edited_list_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    killed_run(&path);
    let outside = folder.path().join("outside.txt");
    fs::write(&outside, "mine").unwrap();
    let list = format!(
        "../outside.txt\n{}\ntraces/../../outside.txt\n",
        outside.display()
    );
    fs::write(path.join(".apical-run"), list).unwrap();
    // Nothing on the list is trusted now, so the earlier run is not Apical's any more.
    let directory = RunDirectory::create(&path, true).unwrap();
    assert!(directory.write_netlist("").is_err());
    assert!(outside.exists());
}

#[test]
fn file_in_place_of_the_folder_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    fs::write(&path, "mine").unwrap();
    let error = RunDirectory::create(&path, true).unwrap_err();
    assert!(error.to_string().contains("run"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn matrices_are_read_back_and_can_be_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path(), false).unwrap();
    let values = [1.0, f64::INFINITY, -0.0, 4.0, 5.0, 0.1];
    let file = directory
        .write_matrix("tuning of W/1", 2, 3, &[0.0; 6])
        .unwrap();
    assert_eq!(file, "measures/tuning-of-W-1.npy");
    assert_eq!(
        directory
            .write_matrix("tuning of W/1", 2, 3, &values)
            .unwrap(),
        file
    );
    assert_ne!(
        directory
            .write_matrix("tuning of W-1", 1, 1, &[0.0])
            .unwrap(),
        file
    );
    let read = read_matrix(folder.path().join(&file)).unwrap();
    assert_eq!((read.rows, read.columns), (2, 3));
    let bits = |values: &[f64]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&read.values), bits(&values));
    let other = npyz::NpyFile::new(fs::File::open(folder.path().join(&file)).unwrap()).unwrap();
    assert_eq!(other.shape(), [2, 3]);
    assert_eq!(other.into_vec::<f64>().unwrap(), values);
    let error = directory.write_matrix("M", 2, 2, &values).unwrap_err();
    assert!(
        matches!(error, RecordError::MatrixShape { values: 6, .. }),
        "{error}"
    );
}

#[test]
fn plots_keep_their_endings_and_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path(), false).unwrap();
    let plots = [("a", "svg"), ("a", "png"), ("a.b", "svg"), ("a", "b.svg")];
    let files = plots.map(|(name, extension)| directory.write_plot(name, extension, b"").unwrap());
    assert_eq!(
        files,
        [
            "plots/a.svg",
            "plots/a.png",
            "plots/a.b.svg",
            "plots/a.bsvg"
        ]
    );
}
