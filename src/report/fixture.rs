//! Run directories for the tests, written by the recorder.
#![allow(clippy::unwrap_used)]

use indexmap::IndexMap;

use crate::record::{
    Machine, MeasureReport, NetlistReport, Recorder, RecorderSpec, RunDirectory, RunReport,
    StageReport, StopReason, TraceSpec, WeightSpec,
};

/// Its netlist.
pub(super) const NETLIST: &str = "
[circuit]
name = \"small\"
about = \"\"\"
Two lines about
a circuit.\"\"\"

[measure.loss]
kind = \"mean\"
of = \"error^2\"
expect = \"falls\"
";

/// What is recorded at a step: `value` in all columns, or something that varies.
pub(super) type Signal = fn(u64, usize) -> f64;

/// A sine in each column.
pub(super) fn signal(step: u64, column: usize) -> f64 {
    (step as f64 / 20.0 + column as f64).sin()
}

/// Records 2 traces over 2 stages of 500 steps, and weights of two kinds.
fn record(directory: &RunDirectory, signal: Signal) -> RunReport {
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect();
    let trace = |name: &str, columns| TraceSpec {
        name: name.to_owned(),
        columns: names(columns),
        ..TraceSpec::default()
    };
    let weights = |name: &str, rows, columns| WeightSpec {
        name: name.to_owned(),
        rows,
        columns,
        timed: false,
    };
    let spec = RecorderSpec {
        traces: vec![trace("latent", 3), trace("stimulus", 20)],
        weights: vec![weights("W", 16, 4), weights("bias", 1, 5)],
        spikes: None,
        stages: vec!["train".to_owned(), "test".to_owned()],
        step_ms: Some(1.0),
    };
    let mut recorder = Recorder::start(directory, spec).unwrap();
    for (index, columns) in [(0, 3), (1, 20)] {
        let mut block = recorder.trace_block(index);
        for step in 0..1000 {
            let row: Vec<f64> = (0..columns).map(|column| signal(step, column)).collect();
            block.push(u32::from(step >= 500), step, &row);
        }
        recorder.send_trace(block).unwrap();
    }
    for step in [0, 500, 1000] {
        for (index, values) in [(0, 64), (1, 5)] {
            let sample = (0..values).map(|place| signal(step, place)).collect();
            recorder.send_weights(index, 0, step, sample).unwrap();
        }
    }
    let summary = recorder.finish().unwrap();
    RunReport {
        apical: "0.1.0".to_owned(),
        netlist: NetlistReport {
            name: "small".to_owned(),
            path: "small.toml".to_owned(),
        },
        seed: 42,
        threads: 1,
        replicas: 1,
        started: "2026-07-30T09:05:00Z".to_owned(),
        wall_seconds: 0.5,
        steps: 1000,
        steps_per_second: 2000.0,
        peak_memory_mib: None,
        machine: Machine::here(),
        stop: StopReason::Completed,
        stages: vec![StageReport {
            name: "train".to_owned(),
            steps: 500,
            wall_seconds: 0.25,
        }],
        measures: measures(directory, signal),
        measure_notes: IndexMap::new(),
        traces: summary.traces,
        weights: summary.weights,
        spikes: None,
        warnings: Vec::new(),
    }
}

/// One measure of each kind.
fn measures(directory: &RunDirectory, signal: Signal) -> IndexMap<String, MeasureReport> {
    let values = |n: u64| (0..n).map(|step| signal(step, 0)).collect::<Vec<f64>>();
    let matrix = |name: &str, rows, columns| {
        let values = values((rows * columns) as u64);
        let file = directory
            .write_matrix(name, rows, columns, &values)
            .unwrap();
        (values, file)
    };
    let (correlations, correlations_file) = matrix("correlations", 6, 6);
    let (_, sample) = matrix("reconstruction", 40, 50);
    let measures = [
        (
            "accuracy",
            MeasureReport::Number {
                value: signal(3, 0),
                unit: Some("mV".to_owned()),
                expect: Some("above 0.5".to_owned()),
            },
        ),
        (
            "loss",
            MeasureReport::Series {
                stage: "train".to_owned(),
                step: (0..50).map(|k| k * 10).collect(),
                value: values(50),
                x_label: "steps of learning".to_owned(),
                logarithmic: false,
            },
        ),
        (
            "memory",
            MeasureReport::Curve {
                x: (0..30).map(f64::from).collect(),
                y: values(30),
                x_label: "lag (steps)".to_owned(),
                y_label: "autocorrelation".to_owned(),
            },
        ),
        (
            "correlations",
            MeasureReport::matrix(6, 6, &correlations, correlations_file),
        ),
        (
            "reconstruction",
            MeasureReport::Comparison {
                r_squared: signal(1, 0),
                pooled: false,
                per_dimension: values(20),
                sample,
            },
        ),
    ];
    IndexMap::from(measures.map(|(name, measure)| (name.to_owned(), measure)))
}

/// A complete run in a folder of its own.
pub(super) fn run() -> tempfile::TempDir {
    run_of(signal, |_| {})
}

/// The same with another signal and a changed report.
pub(super) fn run_of(signal: Signal, change: impl FnOnce(&mut RunReport)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path(), false).unwrap();
    directory.write_netlist(NETLIST).unwrap();
    let circuit = b"<svg width=\"9\"><circle r=\"5\"/></svg>";
    directory.write_plot("circuit", "svg", circuit).unwrap();
    let mut report = record(&directory, signal);
    change(&mut report);
    directory.write_run_json(&report).unwrap();
    folder
}
