//! The end of the report: the stages, and the files with how to read them.

use super::clock::Clock;
use super::overview::row;
use super::page::{Row, Section};
use super::run::Run;
use super::words;
use crate::record::MeasureReport;

/// More stages than this are not listed one by one.
const MOST_STAGES: usize = 100;

/// How to read the files.
const READING: &str =
    "All of these stand in the folder of this page, and Python reads them as shown.";

/// How to read those of a run of steps.
const READING_STEPS: &str = "A trace has the columns `stage` and `step`, `time_ms` if steps have a length, and one column a recorded value. \
     Weights are arrays of samples × presynaptic × postsynaptic neurons; beside `W.npy`, `W.steps.npy` and `W.stages.npy` \
     hold the step and the stage of each sample. The sample of a prediction is dimensions × steps.";

/// How to read those of a run of spiking neurons.
const READING_SPIKES: &str = "Spikes have the columns `time` (ms), `time_ps` (the same, exact), `population`, `neuron`, `kind` (`spike`, `burst` for the \
     first spike of a burst, `in-burst` for a further one, `plateau`) and `stage` (counted from 0). A trace has the columns \
     `stage`, `time_ps`, `time_ms` and one column a recorded value. Weights are arrays of samples × presynaptic × postsynaptic \
     neurons; beside `W.npy`, `W.times_ps.npy` and `W.stages.npy` hold the time (ps) and the stage of each sample.";

/// How long each stage took.
pub(super) fn stages_section(run: &Run) -> Section {
    let stages = &run.report.stages;
    let clock = Clock::of(&run.report);
    let rows = stages.iter().take(MOST_STAGES).map(|stage| {
        let speed = clock.speed(stage.steps as f64 / stage.wall_seconds);
        let steps = clock.length(stage.steps);
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
            &clock.length(steps),
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
    let netlist = "the netlist as it was run, with the models that it uses";
    let run_json = "all that this page says in numbers: `json.load(open(\"run.json\"))`";
    let mut rows = vec![
        file(run, "netlist.toml", "", netlist),
        file(run, "run.json", "", run_json),
    ];
    let spikes = run.report.spikes.as_ref();
    rows.extend(spikes.and_then(|spikes| spikes.file.as_ref()).map(|name| {
        let how = format!("`pandas.read_parquet(\"{name}\")`");
        file(run, name, "", &how)
    }));
    rows.extend(run.report.traces.iter().map(|trace| {
        let shape = format!("{} × {}", words::count(trace.rows), trace.columns);
        let how = format!("`pandas.read_parquet(\"{}\")`", trace.file);
        file(run, &trace.file, &shape, &how)
    }));
    rows.extend(run.report.weights.iter().map(|weights| {
        let samples = words::counted(weights.samples, "sample", "samples");
        let shape = format!("{samples} of {} × {}", weights.rows, weights.columns);
        file(run, &weights.file, &shape, &load(&weights.file))
    }));
    let measures = run.report.measures.values();
    rows.extend(measures.filter_map(|measure| of_measure(run, measure)));
    rows.push(row("plots/", "", "each figure of this page as an SVG file"));
    let reading = [
        READING,
        match Clock::of(&run.report) {
            Clock::Steps => READING_STEPS,
            Clock::Milliseconds => READING_SPIKES,
        },
    ];
    Section {
        heading: "Files".to_owned(),
        text: reading.map(str::to_owned).to_vec(),
        table: Some(rows),
        ..Section::default()
    }
}

fn of_measure(run: &Run, measure: &MeasureReport) -> Option<Row> {
    match measure {
        MeasureReport::Matrix {
            rows,
            columns,
            file: name,
            ..
        } => Some(file(run, name, &format!("{rows} × {columns}"), &load(name))),
        MeasureReport::Comparison { sample, .. } if !sample.is_empty() => {
            let how = format!("`truth, prediction = numpy.split(numpy.load(\"{sample}\"), 2)`");
            Some(file(run, sample, "", &how))
        }
        _ => None,
    }
}

/// How NumPy reads a file.
fn load(name: &str) -> String {
    format!("`numpy.load(\"{name}\")`")
}

fn file(run: &Run, name: &str, shape: &str, how: &str) -> Row {
    let size = run
        .size(name)
        .map_or_else(|| "missing".to_owned(), words::bytes);
    match shape {
        "" => row(name, &size, how),
        shape => row(name, &format!("{shape}, {size}"), how),
    }
}
