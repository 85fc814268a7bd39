//! The head of the report: what was run, how it ended, what it found.

use super::clock::Clock;
use super::page::{Row, Section};
use super::run::Run;
use super::words;
use crate::record::{MeasureReport, RunReport, StopReason};

/// The name of the circuit.
pub(super) fn title(run: &Run) -> String {
    match run.report.netlist.name.trim() {
        "" => "A run without a name".to_owned(),
        name => name.to_owned(),
    }
}

/// When, with what seed, how much and how fast.
pub(super) fn subtitle(run: &Run) -> String {
    let report = &run.report;
    let clock = Clock::of(report);
    let parts = [
        words::date(&report.started),
        format!("seed {}", report.seed),
        format!(
            "{} in {}",
            clock.length(report.steps),
            words::duration(report.wall_seconds)
        ),
        clock.speed(report.steps_per_second),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// What the reader must know before anything else.
pub(super) fn alerts(run: &Run) -> Vec<String> {
    match &run.report.stop {
        StopReason::Completed => Vec::new(),
        StopReason::Interrupted { .. } => vec![format!(
            "The run is not complete: {}. The figures below show what came before.",
            stop(&run.report)
        )],
        StopReason::NotFinite { .. } => vec![format!(
            "The run failed: {}. A learning rate that is too large is a common reason.",
            stop(&run.report)
        )],
    }
}

fn stop(report: &RunReport) -> String {
    let clock = Clock::of(report);
    match &report.stop {
        StopReason::Completed => "all stages were run".to_owned(),
        StopReason::Interrupted { stage, step } => format!(
            "it was interrupted in stage `{stage}`, after {}",
            clock.place(*step)
        ),
        StopReason::NotFinite {
            population,
            compartment,
            stage,
            step,
            neuron,
        } => format!(
            "`{population}.{compartment}` of neuron {neuron} became infinite or undefined in stage `{stage}`, at {}",
            clock.place(*step)
        ),
    }
}

fn end(report: &RunReport) -> Row {
    match &report.stop {
        StopReason::Completed => row("end", "completed", &stop(report)),
        StopReason::Interrupted { .. } => row("end", "interrupted", &stop(report)),
        StopReason::NotFinite { .. } => row("end", "failed", &stop(report)),
    }
}

/// The facts of the run.
pub(super) fn run_section(run: &Run) -> Section {
    let warnings = run.report.warnings.iter().cloned();
    Section {
        heading: "Run".to_owned(),
        text: run.netlist.about.iter().cloned().collect(),
        notes: warnings.chain(run.netlist_note.clone()).collect(),
        table: Some(facts(run)),
        ..Section::default()
    }
}

fn facts(run: &Run) -> Vec<Row> {
    let report = &run.report;
    let clock = Clock::of(report);
    let machine = &report.machine;
    let threads = words::counted(report.threads as u64, "thread", "threads");
    let cores = words::counted(machine.cores as u64, "core", "cores");
    let copies = format!(
        "{} that share weights",
        words::count(report.replicas as u64)
    );
    let mut rows = vec![
        row("netlist", &report.netlist.name, &report.netlist.path),
        row("started", &words::date(&report.started), ""),
        end(report),
        row("seed", &report.seed.to_string(), ""),
        row(
            clock.heading(),
            &clock.number(report.steps),
            &clock.speed(report.steps_per_second),
        ),
        row("wall time", &words::duration(report.wall_seconds), ""),
    ];
    if report.replicas != 1 {
        rows.push(row("copies of the circuit", &copies, ""));
    }
    if let Some(peak) = report.peak_memory_mib.filter(|peak| peak.is_finite()) {
        let peak = format!("{} MiB", words::value(peak.round()));
        rows.push(row("memory", &peak, "the most that was held"));
    }
    let os = format!("{threads} of {cores}; {}", machine.os);
    rows.push(row("machine", &machine.cpu, &os));
    rows.push(row("Apical", &report.apical, ""));
    rows
}

/// One line a measure.
pub(super) fn measures_section(run: &Run) -> Section {
    let measures = run.report.measures.iter();
    let rows = measures.map(|(name, measure)| {
        let mut words = run.words(name);
        if let MeasureReport::Number { expect, .. } = measure {
            words.expect = expect.clone().or(words.expect);
        }
        row(name, &headline(measure), &words.remarks())
    });
    Section {
        heading: "Measures".to_owned(),
        table: Some(rows.collect()),
        ..Section::default()
    }
}

fn headline(measure: &MeasureReport) -> String {
    match measure {
        MeasureReport::Number { value, unit, .. } => {
            let unit = unit.as_deref().map_or(String::new(), |u| format!(" {u}"));
            format!("{}{unit}", words::value(*value))
        }
        MeasureReport::Pair { value, .. } => words::value(*value),
        MeasureReport::Series { value, .. } => match value.as_slice() {
            [] => "no values".to_owned(),
            [only] => words::value(*only),
            [first, .., last] => format!(
                "{} at the end, {} at the start",
                words::value(*last),
                words::value(*first)
            ),
        },
        MeasureReport::Curve { x, y, .. } => {
            let points = x.len().min(y.len()) as u64;
            format!("a curve of {}", words::counted(points, "point", "points"))
        }
        MeasureReport::Ellipses { by, .. } => {
            words::counted(by.len() as u64, "ellipse", "ellipses")
        }
        MeasureReport::Matrix {
            rows,
            columns,
            mean,
            minimum,
            maximum,
            ..
        } => format!(
            "{rows} × {columns} from {} to {}, mean {}",
            words::value(*minimum),
            words::value(*maximum),
            words::value(*mean)
        ),
        MeasureReport::Images { count, shape, .. } => {
            let [_, rows, columns] = shape;
            let count = words::counted(*count as u64, "image", "images");
            format!("{count} of {rows} × {columns}")
        }
        MeasureReport::Comparison {
            r_squared,
            pooled,
            per_dimension,
            ..
        } => {
            let pooled = if *pooled { " pooled" } else { "" };
            let r_squared = words::value(*r_squared);
            format!("R² = {r_squared}{pooled}{}", spread(per_dimension))
        }
    }
}

/// From the worst to the best dimension.
fn spread(per_dimension: &[f64]) -> String {
    let finite = per_dimension.iter().copied().filter(|r| r.is_finite());
    let (low, high) = finite.fold((f64::NAN, f64::NAN), |(low, high), r| {
        (low.min(r), high.max(r))
    });
    if per_dimension.len() < 2 || low.is_nan() {
        return String::new();
    }
    format!(
        "; by dimension {} to {}",
        words::value(low),
        words::value(high)
    )
}

pub(super) fn row(name: &str, value: &str, note: &str) -> Row {
    Row {
        name: name.to_owned(),
        value: value.to_owned(),
        note: note.to_owned(),
    }
}
