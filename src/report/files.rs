//! The end of the report: the stages, and the files with how to read them.

use super::overview::row;
use super::page::{Row, Section};
use super::run::Run;
use super::words;
use crate::record::MeasureReport;

/// More stages than this are not listed one by one.
const MOST_STAGES: usize = 100;

/// How to read the files.
const READING: [&str; 2] = [
    "All of these stand in the folder of this page, and Python reads them as shown.",
    "A trace has the columns `stage` and `step`, `time_ms` if steps have a length, and one column a recorded value. \
     Weights are arrays of samples × presynaptic × postsynaptic neurons; beside `W.npy`, `W.steps.npy` and `W.stages.npy` \
     hold the step and the stage of each sample. The sample of a prediction is dimensions × steps.",
];

/// How long each stage took.
pub(super) fn stages_section(run: &Run) -> Section {
    let stages = &run.report.stages;
    let rows = stages.iter().take(MOST_STAGES).map(|stage| {
        let speed = words::speed(stage.steps as f64 / stage.wall_seconds);
        let steps = words::counted(stage.steps, "step", "steps");
        let note = match speed.as_str() {
            "" => words::duration(stage.wall_seconds),
            speed => format!("{}, {speed}", words::duration(stage.wall_seconds)),
        };
        row(&stage.name, &steps, &note)
    });
    let mut rows: Vec<Row> = rows.collect();
    if let Some(rest) = stages.get(MOST_STAGES..).filter(|rest| !rest.is_empty()) {
        let steps = rest
            .iter()
            .fold(0_u64, |sum, s| sum.saturating_add(s.steps));
        let seconds = rest.iter().map(|stage| stage.wall_seconds).sum();
        rows.push(row(
            &format!("{} more", words::count(rest.len() as u64)),
            &words::counted(steps, "step", "steps"),
            &words::duration(seconds),
        ));
    }
    Section {
        heading: "Stages".to_owned(),
        table: Some(rows),
        ..Section::default()
    }
}

/// What the run directory holds.
pub(super) fn files_section(run: &Run) -> Section {
    let mut rows = Vec::new();
    let mut list = |file: &str, what: String, how: &str| {
        let size = run.size(file).map(words::bytes);
        let value = [what, size.unwrap_or_else(|| "missing".to_owned())];
        let value = value.into_iter().filter(|part| !part.is_empty());
        let value = value.collect::<Vec<_>>().join(", ");
        rows.push(row(file, &value, how));
    };
    list(
        "netlist.toml",
        String::new(),
        "the netlist as it was run, with the models that it uses",
    );
    list(
        "run.json",
        String::new(),
        "all that this page says in numbers: `json.load(open(\"run.json\"))`",
    );
    for trace in &run.report.traces {
        let shape = format!("{} × {}", words::count(trace.rows), trace.columns);
        let how = format!("`pandas.read_parquet(\"{}\")`", trace.file);
        list(&trace.file, shape, &how);
    }
    for weights in &run.report.weights {
        let samples = words::counted(weights.samples, "sample", "samples");
        let shape = format!("{samples} of {} × {}", weights.rows, weights.columns);
        let how = format!("`numpy.load(\"{}\")`", weights.file);
        list(&weights.file, shape, &how);
    }
    for measure in run.report.measures.values() {
        match measure {
            MeasureReport::Matrix {
                rows,
                columns,
                file,
                ..
            } => {
                let how = format!("`numpy.load(\"{file}\")`");
                list(file, format!("{rows} × {columns}"), &how);
            }
            MeasureReport::Comparison { sample, .. } if !sample.is_empty() => {
                let how = format!("`truth, prediction = numpy.split(numpy.load(\"{sample}\"), 2)`");
                list(sample, String::new(), &how);
            }
            _ => {}
        }
    }
    rows.push(row("plots/", "", "each figure of this page as an SVG file"));
    Section {
        heading: "Files".to_owned(),
        text: READING.map(str::to_owned).to_vec(),
        table: Some(rows),
        ..Section::default()
    }
}
