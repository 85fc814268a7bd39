//! Reports of run directories that the recorder wrote.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use indexmap::IndexMap;

use super::fixture::{NETLIST, Signal, run, run_of, signal};
use super::style::{SCRIPT, STYLE};
use super::*;
use crate::drawing::well_formed;
use crate::record::{MeasureNote, MeasureReport, RunReport, StopReason, read_run_json};

fn figures(page: &Page) -> Vec<&page::Figure> {
    page.sections.iter().flat_map(|s| &s.figures).collect()
}

/// The page as text, checked to be whole.
fn html(page: &Page) -> String {
    let html = page.html();
    let markup = html.replace(SCRIPT, "").replace(STYLE, "");
    assert_eq!(well_formed(&markup), Ok(()));
    html
}

#[test]
fn report_shows_everything_and_every_figure_has_a_file() {
    let folder = run();
    let path = write(folder.path()).unwrap();
    let built = build(folder.path()).unwrap();
    assert_eq!(built.notes, [""; 0]);
    let html = html(&built.page);
    assert_eq!(fs::read_to_string(path).unwrap(), html);
    let report = read_run_json(folder.path()).unwrap();
    let recorded = report.traces.iter().map(|trace| &trace.file);
    let recorded = recorded.chain(report.weights.iter().map(|weights| &weights.file));
    for expected in report.measures.keys().chain(recorded) {
        assert!(html.contains(expected.as_str()), "{expected}");
    }
    let words = [
        "Two lines about a circuit.",
        "above 0.5",
        "Expected: falls.",
        "Mean of error^2",
        "the last 400 of 500 rows",
        "all stages were run",
        "seed 42",
    ];
    for expected in words {
        assert!(html.contains(expected), "{expected}");
    }
    for figure in figures(&built.page) {
        let file = folder.path().join(format!("plots/{}.svg", figure.name));
        assert_eq!(
            fs::read_to_string(file).unwrap(),
            figure.svg,
            "{}",
            figure.name
        );
    }
}

#[test]
fn each_kind_of_result_has_its_figures() {
    let built = build(run().path()).unwrap();
    let names: Vec<&str> = figures(&built.page)
        .iter()
        .map(|f| f.name.as_str())
        .collect();
    let expected = [
        "circuit",
        "learning-loss",
        "prediction-reconstruction-trace",
        "prediction-reconstruction-truth",
        "prediction-reconstruction-prediction",
        "prediction-reconstruction-scatter",
        "prediction-reconstruction-dimensions",
        "curve-memory",
        "matrix-correlations",
        "trace-latent-train",
        "trace-latent-test",
        "trace-stimulus-train",
        "trace-stimulus-test",
        "weights-W",
        "weights-W-over-time",
        "weights-W-fields",
        "weights-bias",
        "weights-bias-over-time",
    ];
    assert_eq!(names, expected);
}

#[test]
fn same_run_makes_the_same_bytes_wherever_it_stands() {
    let (here, there) = (run(), tempfile::tempdir().unwrap());
    // A remark about a file is to be the same, too.
    fs::write(here.path().join("traces/latent.parquet"), "damaged").unwrap();
    copy(here.path(), there.path());
    let read = |folder: &tempfile::TempDir| fs::read(write(folder.path()).unwrap()).unwrap();
    let first = read(&here);
    assert_eq!(read(&here), first);
    assert_eq!(read(&there), first);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|e| (e.path(), e.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

#[test]
fn missing_and_damaged_files_become_remarks() {
    let files = [
        "netlist.toml",
        "traces/latent.parquet",
        "traces/stimulus.parquet",
        "weights/W.npy",
        "weights/W.steps.npy",
        "weights/bias.stages.npy",
        "measures/correlations.npy",
        "measures/reconstruction.npy",
        "plots/circuit.svg",
    ];
    let damages: [fn(&Path); 5] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| fs::write(path, b"\xff\xfe not what it was <").unwrap(),
        |path| fs::write(path, &fs::read(path).unwrap()[..30]).unwrap(),
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
    ];
    for file in files {
        for (kind, damage) in damages.iter().enumerate() {
            let folder = run();
            damage(&folder.path().join(file));
            let built = build(folder.path()).unwrap();
            let notes = built.notes.join("\n");
            // An empty netlist is still TOML, and a run need not have drawn its circuit.
            let harmless = (file, kind) == ("netlist.toml", 1)
                || (file == "plots/circuit.svg" && matches!(kind, 0 | 4));
            assert_eq!(notes.contains(file), !harmless, "{file}, {kind}: {notes}");
            assert!(
                !notes.contains(&folder.path().display().to_string()),
                "{notes}"
            );
            html(&built.page);
        }
    }
}

#[test]
fn killed_recording_is_told_from_a_lost_one() {
    let folder = run();
    let trace = folder.path().join("traces/latent.parquet");
    fs::rename(&trace, trace.with_extension("parquet.partial")).unwrap();
    let notes = build(folder.path()).unwrap().notes;
    assert!(notes.concat().contains("the run was killed"), "{notes:?}");
}

#[test]
fn files_elsewhere_are_not_read() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    let absolute = outside.path().display().to_string();
    for file in ["../run.json", &absolute, "", "traces/../run.json"] {
        let folder = run_of(signal, |report| {
            report.traces[0].file = file.to_owned();
            report.weights[0].file = file.to_owned();
        });
        let notes = build(folder.path()).unwrap().notes;
        let refused = |note: &&String| note.contains("is not a file of the run directory");
        assert_eq!(notes.iter().filter(refused).count(), 2, "{notes:?}");
    }
}

#[test]
fn run_that_did_not_end_well_says_so_first() {
    let stops = [
        (
            StopReason::Interrupted {
                stage: "train".to_owned(),
                step: 77,
            },
            "interrupted in stage `train`, after step 77",
        ),
        (
            StopReason::NotFinite {
                population: "stimulus".to_owned(),
                compartment: "soma".to_owned(),
                stage: "test".to_owned(),
                step: 78,
                neuron: 3,
            },
            "`stimulus.soma` of neuron 3 became infinite or undefined in stage `test`, at step 78",
        ),
    ];
    for (stop, expected) in stops {
        let folder = run_of(signal, |report| report.stop = stop);
        let alerts = build(folder.path()).unwrap().page.alerts;
        assert!(alerts.concat().contains(expected), "{alerts:?}");
    }
    assert!(build(run().path()).unwrap().page.alerts.is_empty());
}

#[test]
fn values_that_are_not_finite_are_gaps() {
    for signal in [|_, _| f64::NAN, |_, _| f64::INFINITY] as [Signal; 2] {
        let folder = run_of(signal, |report| report.wall_seconds = f64::NAN);
        let built = build(folder.path()).unwrap();
        let html = html(&built.page);
        assert!(html.contains("undefined") && html.contains("an unknown time"));
        assert!(!html.contains("NaN") && !html.contains("inf\""));
        assert_eq!(built.notes.len(), 1, "only the curve has nothing to show");
    }
}

#[test]
fn run_without_results_still_has_a_report() {
    let folder = run_of(signal, |report| {
        *report = RunReport {
            measures: IndexMap::new(),
            traces: Vec::new(),
            weights: Vec::new(),
            stages: Vec::new(),
            ..report.clone()
        };
    });
    fs::remove_file(folder.path().join("plots/circuit.svg")).unwrap();
    let page = build(folder.path()).unwrap().page;
    let headings: Vec<&str> = page.sections.iter().map(|s| s.heading.as_str()).collect();
    assert_eq!(headings, ["Run", "Files"]);
    html(&page);
}

#[test]
fn stages_that_were_not_reached_are_remarks() {
    let folder = run_of(signal, |report| {
        let empty = |file: &str| MeasureReport::matrix(0, 0, &[], file.to_owned());
        let nothing = [
            (
                "loss",
                MeasureReport::Series {
                    stage: "test".to_owned(),
                    step: Vec::new(),
                    value: Vec::new(),
                    x_label: "step".to_owned(),
                    logarithmic: false,
                },
            ),
            (
                "memory",
                MeasureReport::Curve {
                    x: vec![0.0],
                    y: vec![f64::NAN],
                    x_label: "lag".to_owned(),
                    y_label: "autocorrelation".to_owned(),
                },
            ),
            ("correlations", empty("measures/nothing.npy")),
            (
                "reconstruction",
                MeasureReport::Comparison {
                    r_squared: f64::NAN,
                    pooled: true,
                    per_dimension: Vec::new(),
                    sample: "measures/nothing.npy".to_owned(),
                },
            ),
        ];
        let nothing = nothing.map(|(name, measure)| (name.to_owned(), measure));
        report.measures = IndexMap::from(nothing);
    });
    let directory = RunDirectory::open(folder.path()).unwrap();
    directory.write_matrix("nothing", 0, 0, &[]).unwrap();
    let notes = build(folder.path()).unwrap().notes;
    assert_eq!(notes.len(), 4, "{notes:?}");
    for (note, name) in notes
        .iter()
        .zip(["loss", "reconstruction", "memory", "correlations"])
    {
        assert!(note.starts_with(&format!("`{name}`")), "{note}");
    }
}

#[test]
fn names_cannot_meet_in_one_file() {
    let series = MeasureReport::Series {
        stage: String::new(),
        step: vec![1, 2],
        value: vec![1.0, 2.0],
        x_label: "step".to_owned(),
        logarithmic: false,
    };
    let names = [
        "circuit",
        "../circuit",
        "A",
        "a",
        "a/b",
        "a b",
        "\"<&>`",
        "",
    ];
    let folder = run_of(signal, |report| {
        let measures = names.map(|name| (name.to_owned(), series.clone()));
        report.measures = IndexMap::from(measures);
        report.traces[1].name = "trace-latent".to_owned();
    });
    let before = fs::read(folder.path().join("plots/circuit.svg")).unwrap();
    write(folder.path()).unwrap();
    let built = build(folder.path()).unwrap();
    html(&built.page);
    let files = fs::read_dir(folder.path().join("plots")).unwrap().count();
    assert_eq!(files, figures(&built.page).len());
    assert_eq!(
        fs::read(folder.path().join("plots/circuit.svg")).unwrap(),
        before
    );
}

#[test]
fn words_of_the_run_go_before_those_of_the_netlist() {
    let folder = run_of(signal, |report| {
        let note = MeasureNote {
            about: Some("What it is".to_owned()),
            expect: Some("rises".to_owned()),
        };
        report.measure_notes.insert("loss".to_owned(), note);
    });
    let html = html(&build(folder.path()).unwrap().page);
    assert!(html.contains("What it is. Expected: rises.") && !html.contains("falls"));
}

#[test]
fn folder_without_a_run_is_an_error_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let help = |path: &Path| build(path).unwrap_err().help().unwrap();
    let missing = folder.path().join("nowhere");
    assert!(matches!(build(&missing), Err(ReportError::Missing { .. })));
    assert!(help(&missing).contains("`apical run`"));
    assert!(matches!(
        build(folder.path()),
        Err(ReportError::NotARun { .. })
    ));
    assert!(help(folder.path()).contains("`apical run`"));
    let directory = RunDirectory::create(folder.path(), false).unwrap();
    directory.write_netlist(NETLIST).unwrap();
    assert!(matches!(
        build(folder.path()),
        Err(ReportError::Unfinished { .. })
    ));
    fs::write(folder.path().join("run.json"), "{").unwrap();
    let error = write(folder.path()).unwrap_err();
    assert!(error.to_string().contains("run.json"), "{error}");
    assert!(matches!(error, ReportError::Record(_)) && error.help().is_some());
}
