//! What was swept, and what was found, in a table.

use super::View;
use crate::record::StopReason;
use crate::report::clock::Clock;
use crate::report::overview::row;
use crate::report::page::{Grid, Section};
use crate::report::words;
use crate::sweep::{ScalarMeasure, Summary, plain};

/// More combinations than this are not listed one by one.
const MOST_ROWS: usize = 200;
/// More failures than this are not listed one by one.
const MOST_FAILURES: usize = 10;

/// The name of the circuit.
pub(super) fn title(view: &View<'_>) -> String {
    format!("{}: sweep", view.found.report.netlist.name)
}

/// How many points, and of what.
pub(super) fn subtitle(view: &View<'_>) -> String {
    let report = &view.found.report;
    let values = report.parameters.iter().zip(&view.names);
    let mut parts: Vec<String> = values
        .map(|(p, name)| format!("{} values of {name}", p.values.len()))
        .collect();
    parts.push(words::counted(
        report.realizations,
        "realization",
        "realizations",
    ));
    let points = words::counted(view.found.points.len() as u64, "point", "points");
    format!("{} · {points}", parts.join(" × "))
}

/// What the reader must know before anything else.
pub(super) fn alerts(view: &View<'_>) -> Vec<String> {
    let all = view.found.points.len() as u64;
    match view.found.unfinished() as u64 {
        0 => vec![],
        left => vec![format!(
            "{} of {} are not finished and left out. The same `apical sweep` command goes on with them.",
            words::count(left),
            words::counted(all, "point", "points")
        )],
    }
}

/// The facts of the sweep.
pub(super) fn sweep_section(view: &View<'_>) -> Section {
    let report = &view.found.report;
    let mut rows = vec![row("netlist", &report.netlist.name, &report.netlist.path)];
    for (parameter, name) in report.parameters.iter().zip(&view.names) {
        let values: Vec<String> = parameter.values.iter().map(|v| plain(v)).collect();
        let path = match *name == parameter.path {
            true => String::new(),
            false => format!("`{}`", parameter.path),
        };
        rows.push(row(name, &values.join(", "), &path));
    }
    for set in &report.set {
        rows.push(row("set", set, "at all points"));
    }
    let last = report.seed + report.realizations.saturating_sub(1);
    let seeds = match report.realizations {
        1 => format!("seed {last}"),
        _ => format!("seeds {} to {last}", report.seed),
    };
    let seeds = match report.parameters.is_empty() {
        true => seeds,
        false => format!("{seeds}, the same for every combination"),
    };
    rows.push(row(
        "realizations",
        &words::count(report.realizations),
        &seeds,
    ));
    let runs = || view.found.points.iter().filter_map(|p| p.run.as_ref());
    let seconds: f64 = runs().map(|r| r.wall_seconds).sum();
    let clock = runs().next().map_or(Clock::Steps, Clock::of);
    let steps = runs().fold(0_u64, |sum, r| sum.saturating_add(r.steps));
    rows.push(row(
        "points",
        &format!("{} finished", words::count(runs().count() as u64)),
        &format!(
            "{}, {} in all if one ran after the other",
            clock.length(steps),
            words::duration(seconds)
        ),
    ));
    rows.push(row("Apical", &report.apical, ""));
    Section {
        heading: "Sweep".to_owned(),
        text: view.netlist.about.iter().cloned().collect(),
        notes: failures(view),
        table: Some(rows),
        ..Section::default()
    }
}

/// The points whose values left the finite numbers.
fn failures(view: &View<'_>) -> Vec<String> {
    let failed: Vec<String> = view
        .found
        .not_finite()
        .filter_map(|point| {
            let StopReason::NotFinite {
                population,
                compartment,
                stage,
                step,
                ..
            } = &point.run.as_ref()?.stop
            else {
                return None;
            };
            let seed = format!("seed {}", point.seed);
            let label = [view.described(point.combination), seed];
            let label: Vec<String> = label.into_iter().filter(|t| !t.is_empty()).collect();
            let step = words::count(*step);
            Some(format!(
                "{}: `{population}.{compartment}` in stage `{stage}`, step {step}",
                label.join(", ")
            ))
        })
        .collect();
    if failed.is_empty() {
        return vec![];
    }
    let more = failed.len().saturating_sub(MOST_FAILURES);
    let mut text = format!(
        "{} left the finite numbers and {} left out of all means: {}",
        words::counted(failed.len() as u64, "point", "points"),
        if failed.len() == 1 { "is" } else { "are" },
        failed[..failed.len() - more].join("; ")
    );
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    vec![text]
}

/// Means and standard errors, a row a combination.
pub(super) fn summary_section(view: &View<'_>, scalars: &[ScalarMeasure]) -> Section {
    let report = &view.found.report;
    if scalars.is_empty() {
        return Section::default();
    }
    let mut head = view.names.clone();
    head.push("n".to_owned());
    head.extend(scalars.iter().map(|m| m.name.clone()));
    let rows = report.combinations.iter().enumerate().take(MOST_ROWS);
    let rows = rows.map(|(combination, one)| {
        let points = view.found.points.iter();
        let n = points.filter(|p| p.combination == combination && p.completed().is_some());
        let n = n.count();
        let mut cells: Vec<String> = one.values.iter().map(|v| plain(v)).collect();
        cells.push(n.to_string());
        cells.extend(scalars.iter().map(|measure| {
            let values = measure.values.get(combination).into_iter().flatten();
            cell(Summary::of(values.copied()), n)
        }));
        cells
    });
    let more = report.combinations.len() > MOST_ROWS;
    let note = format!(
        "The first {MOST_ROWS} of {} combinations are listed; `sweep.csv` has all.",
        report.combinations.len()
    );
    Section {
        heading: "Summary".to_owned(),
        text: vec![
            "Mean ± standard error of the mean over n realizations. Of a series it is the last value.".to_owned(),
        ],
        notes: more.then_some(note).into_iter().collect(),
        grid: Some(Grid {
            head,
            names: view.names.len(),
            rows: rows.collect(),
        }),
        ..Section::default()
    }
}

fn cell(summary: Summary, n: usize) -> String {
    match summary.n {
        0 => "none".to_owned(),
        found if found == n => words::with_error(summary.mean, summary.se),
        // Some realizations have no such number, which the column n does not show.
        found => format!("{} ({found})", words::with_error(summary.mean, summary.se)),
    }
}

/// How to read the tables.
pub(super) fn files_section(view: &View<'_>) -> Section {
    let report = &view.found.report;
    let keys: Vec<String> = report
        .parameters
        .iter()
        .map(|p| format!("\"{}\"", p.path))
        .collect();
    let by = match keys.as_slice() {
        [] => String::new(),
        keys => format!(".groupby([{}])", keys.join(", ")),
    };
    let wide = format!("`pandas.read_parquet(\"sweep.parquet\"){by}.mean(numeric_only=True)`");
    let rows = vec![
        row("sweep.parquet", "a row a point", &wide),
        row("sweep.csv", "", "the same as text"),
        row(
            "sweep-curves.parquet",
            "a row a value of a series or curve",
            "`pandas.read_parquet(\"sweep-curves.parquet\")`; columns `measure`, `index`, `x`, `value`",
        ),
        row("sweep-curves.csv", "", "the same as text"),
        row(
            "points/",
            "a folder a point",
            "`run.json`, `netlist.toml` and `measures/` of each, named in the column `folder`",
        ),
        row("plots/", "", "each figure of this page as an SVG file"),
    ];
    Section {
        heading: "Files".to_owned(),
        table: Some(rows),
        ..Section::default()
    }
}
