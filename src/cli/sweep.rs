//! `apical sweep`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

use super::Failure;
use super::args;
use super::progress::{Counts, SweepBar};
use super::show;
use crate::report::{self, Overlay, ReportError};
use crate::source::Problems;
use crate::sweep::{Found, Outcome, Summary, Sweep, SweepError, SweepOptions};

/// More combinations than this are not printed one by one.
const MOST_LINES: usize = 40;

/// Runs all points of a sweep that are not finished, and makes its tables and its report.
pub(super) fn sweep(arguments: &args::Sweep) -> Result<(), Failure> {
    let overlays = overlays(&arguments.overlay)?;
    let interrupt = Arc::new(AtomicBool::new(false));
    let sweep = Sweep::plan(options(arguments, interrupt.clone())).map_err(failure)?;
    Overlay::check(&overlays, sweep.measures.iter().map(String::as_str))
        .map_err(|e| report_failure(&e))?;
    // Without a handler Ctrl-C ends the process at once, and what is finished is kept all the same.
    let _ = ctrlc::set_handler(move || interrupt.store(true, Ordering::Relaxed));
    let bar = SweepBar::new(Counts::of(sweep.kind), arguments.quiet || arguments.json);
    let result = sweep.run(&bar);
    bar.finish();
    let outcome = result.map_err(failure)?;
    if outcome.left() > 0 {
        return Err(Failure::Run(format!(
            "interrupted: {} of {} points are finished, in {}\n  help: the same command goes on with the others",
            outcome.points - outcome.left(),
            outcome.points,
            outcome.directory.display()
        )));
    }
    let page =
        report::write_sweep(&outcome.directory, &overlays).map_err(|e| report_failure(&e))?;
    if arguments.quiet && !arguments.json {
        return Ok(());
    }
    let found = Found::open(&outcome.directory)
        .map_err(|e| Failure::Run(show::with_help(&e.to_string(), e.help())))?;
    match arguments.json {
        true => show::out(&json(&found)?),
        false => show::out(&summary(&found, &outcome, &page)),
    }
    Ok(())
}

fn options(arguments: &args::Sweep, interrupt: Arc<AtomicBool>) -> SweepOptions {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    SweepOptions {
        netlist: arguments.netlist.clone(),
        models: arguments.models.clone(),
        set: arguments.set.clone(),
        realizations: arguments.realizations,
        seed: arguments.seed,
        paths: show::data_paths(&arguments.netlist, arguments.data.as_deref()),
        out: arguments.out.clone(),
        overwrite: arguments.overwrite,
        record: arguments.record,
        threads: arguments.threads.map_or_else(all, usize::from),
        interrupt,
    }
}

/// Reads the reference curves that were given.
pub(super) fn overlays(arguments: &args::Overlay) -> Result<Vec<Overlay>, Failure> {
    let read = arguments.overlay.iter().map(|text| Overlay::read(text));
    read.collect::<Result<_, _>>()
        .map_err(|e| report_failure(&e))
}

/// A report that cannot be made.
pub(super) fn report_failure(error: &ReportError) -> Failure {
    let text = show::with_help(&error.to_string(), error.help());
    match error {
        ReportError::Record(_) | ReportError::Sweep(_) => Failure::Run(text),
        _ => Failure::Input(text),
    }
}

fn failure(error: SweepError) -> Failure {
    let text = match &error {
        SweepError::Mistakes(mistakes) => {
            let texts = mistakes
                .iter()
                .map(|m| show::with_help(&m.message, Some(m.help.clone())));
            texts.collect::<Vec<_>>().join("\n\n")
        }
        SweepError::Netlists(refused) => refusals(refused),
        SweepError::Run(crate::experiment::RunError::Netlist(problems)) => show::problems(problems),
        other => show::with_help(&other.to_string(), other.help()),
    };
    match error.is_input() {
        true => Failure::Input(text),
        false => Failure::Run(text),
    }
}

/// The mistakes of all combinations, each once; one that only some combinations have is told with the first of them.
fn refusals(refused: &[(Vec<String>, Problems)]) -> String {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut distinct = Vec::new();
    for (set, problems) in refused {
        for problem in &problems.list {
            let one = Problems::new(problems.sources.clone(), vec![problem.clone()]);
            let count = counts.entry(one.to_string()).or_insert(0);
            *count += 1;
            if *count == 1 {
                distinct.push((set, one));
            }
        }
    }
    let mut text = String::new();
    for (set, problem) in &distinct {
        let of_all = counts.get(&problem.to_string()) == Some(&refused.len());
        text.push_str(&show::shown(problem));
        if !of_all || refused.len() == 1 && !set.is_empty() {
            let _ = writeln!(text, "  with: --set {}", set.join(" --set "));
        }
        text.push('\n');
    }
    let plural = if distinct.len() == 1 { "" } else { "s" };
    let _ = writeln!(text, "{} mistake{plural} found", distinct.len());
    text
}

/// What is printed when a sweep has ended.
fn summary(found: &Found, outcome: &Outcome, page: &Path) -> String {
    let mut text = String::new();
    let earlier = match outcome.earlier {
        0 => String::new(),
        n => format!(", {n} of them finished before"),
    };
    let _ = writeln!(
        text,
        "{}: {} points{earlier}",
        found.report.netlist.name, outcome.points
    );
    match found.not_finite().count() {
        0 => {}
        n => drop(writeln!(text, "  {n} of them left the finite numbers")),
    }
    text.push_str(&means(found));
    let _ = writeln!(
        text,
        "table: {}",
        outcome.directory.join("sweep.csv").display()
    );
    let _ = writeln!(text, "report: {}", page.display());
    text
}

/// Means and standard errors, a line a combination.
fn means(found: &Found) -> String {
    let scalars = found.scalars();
    let parameters = found.report.parameters.iter();
    let mut head: Vec<String> = parameters.map(|p| p.path.clone()).collect();
    head.push("n".to_owned());
    head.extend(scalars.iter().map(|m| m.name.clone()));
    let mut lines = vec![head];
    let combinations = found.report.combinations.iter().enumerate();
    for (combination, one) in combinations.take(MOST_LINES) {
        let points = found.points.iter();
        let n = points.filter(|p| p.combination == combination && p.completed().is_some());
        let mut line = one.values.clone();
        line.push(n.count().to_string());
        line.extend(scalars.iter().map(|measure| {
            let values = measure.values.get(combination).into_iter().flatten();
            let s = Summary::of(values.copied());
            report::with_error(s.mean, s.se)
        }));
        lines.push(line);
    }
    let columns = lines.first().map_or(0, Vec::len);
    let width = |c: usize| lines.iter().map(|line| line[c].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, w)| format!("{cell:<w$}")).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
    match found.report.combinations.len().saturating_sub(MOST_LINES) {
        0 => {}
        more => drop(writeln!(text, "  and {more} more")),
    }
    text
}

/// A sweep as JSON: what was swept, and means and standard errors.
pub(super) fn json(found: &Found) -> Result<String, Failure> {
    let scalars = found.scalars();
    let number = |n: f64| if n.is_finite() { json!(n) } else { Value::Null };
    let combination = |(n, one): (usize, &crate::sweep::CombinationReport)| {
        let parameters = found.report.parameters.iter().zip(&one.values);
        let values: Map<String, Value> = parameters
            .map(|(p, v)| (p.path.clone(), json!(v)))
            .collect();
        let measures: Map<String, Value> = scalars
            .iter()
            .map(|measure| {
                let values = measure.values.get(n).into_iter().flatten();
                let s = Summary::of(values.copied());
                let found = json!({ "n": s.n, "mean": number(s.mean), "sd": number(s.sd), "se": number(s.se) });
                (measure.name.clone(), found)
            })
            .collect();
        json!({ "values": values, "measures": measures })
    };
    let combinations = found.report.combinations.iter().enumerate();
    let value = json!({
        "directory": found.directory,
        "netlist": found.report.netlist,
        "seed": found.report.seed,
        "realizations": found.report.realizations,
        "points": found.points.len(),
        "finished": found.points.len() - found.unfinished(),
        "not_finite": found.not_finite().count(),
        "combinations": combinations.map(combination).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&value).map_err(|e| Failure::Run(e.to_string()))?;
    Ok(format!("{text}\n"))
}
