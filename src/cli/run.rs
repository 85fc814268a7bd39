//! `apical run`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;
use super::args::Run;
use super::progress::{Bar, Counts};
use super::show;
use crate::circuit::CircuitKind;
use crate::engine::rate::is_worth_a_thread;
use crate::experiment::{RunError, RunOptions, Runnable};
use crate::record::{MeasureReport, RecordError, RunReport, StopReason};
use crate::report;

/// Runs a netlist and makes its report.
pub(super) fn run(arguments: &Run) -> Result<(), Failure> {
    let experiment = show::load(&arguments.source)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_directory(&experiment));
    let interrupt = Arc::new(AtomicBool::new(false));
    let flag = interrupt.clone();
    // Without a handler Ctrl-C ends the process at once, which is what it would do anyway.
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
    let options = RunOptions {
        // A default directory is the run's own: running again replaces it.
        overwrite: arguments.overwrite || arguments.out.is_none(),
        out: out.clone(),
        threads: match arguments.threads {
            Some(threads) => usize::from(threads),
            None => default_threads(&experiment),
        },
        paths: show::paths(&arguments.source),
        interrupt,
        drawn: true,
    };
    let mut bar = Bar::new(
        Counts::of(experiment.kind()),
        arguments.quiet || arguments.json,
    );
    let result = experiment.run(&options, &mut bar);
    bar.finish();
    let found = result.map_err(failure)?;
    let page = report::write(&out).map_err(|e| Failure::Run(format!("error: {e}")))?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&found).map_err(|e| Failure::Run(e.to_string()))?;
        show::out(&format!("{json}\n"));
    } else if !arguments.quiet {
        show::out(&summary(&found, &page));
    }
    match &found.stop {
        StopReason::Completed => Ok(()),
        StopReason::Interrupted { stage, step } => Err(Failure::Run(format!(
            "interrupted in stage `{stage}` after {} {}; what was recorded is in {}",
            show::grouped(*step),
            match experiment.kind() {
                CircuitKind::Rate => "steps",
                CircuitKind::Event => "ms of model time",
            },
            out.display()
        ))),
        StopReason::NotFinite {
            population,
            compartment,
            stage,
            step,
            neuron,
        } => Err(Failure::Run(format!(
            "error: the value of `{population}.{compartment}` is not finite any more (stage `{stage}`, step {step}, \
             neuron {neuron})\n  help: a smaller learning rate or step usually helps; what was recorded until then is in {}",
            out.display()
        ))),
    }
}

/// Two where a second one is a gain.
fn default_threads(experiment: &Runnable) -> usize {
    match experiment {
        Runnable::Rate(experiment) if is_worth_a_thread(&experiment.program) => {}
        _ => return 1,
    }
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(2)
}

fn default_directory(experiment: &Runnable) -> PathBuf {
    let circuit = &experiment.netlist().circuit;
    PathBuf::from("runs").join(format!("{}-{}", circuit.name.value, circuit.seed))
}

fn failure(error: RunError) -> Failure {
    match error {
        RunError::Data(error) => Failure::Input(format!("error: {error}")),
        RunError::Netlist(problems) => Failure::Input(show::problems(&problems)),
        RunError::Record(error @ (RecordError::Occupied { .. } | RecordError::Foreign { .. })) => {
            Failure::Input(show::with_help(&error.to_string(), error.help()))
        }
        RunError::Record(error) => Failure::Run(show::with_help(&error.to_string(), error.help())),
    }
}

/// What is printed when a run has ended.
fn summary(run: &RunReport, page: &Path) -> String {
    let mut text = String::new();
    let seconds = run.wall_seconds;
    let _ = match &run.spikes {
        Some(spikes) => writeln!(
            text,
            "{}: {} ms of model time in {seconds:.2} s, {} spikes, seed {}",
            run.netlist.name,
            show::grouped(run.steps),
            show::grouped(spikes.populations.values().map(|p| p.spikes).sum()),
            run.seed
        ),
        None => writeln!(
            text,
            "{}: {} steps in {seconds:.2} s ({} steps/s, {:.2} µs a step), seed {}",
            run.netlist.name,
            show::grouped(run.steps),
            show::grouped(run.steps_per_second as u64),
            1e6 / run.steps_per_second,
            run.seed
        ),
    };
    for (name, population) in run.spikes.iter().flat_map(|s| &s.populations) {
        let rate = show::number(population.mean_rate_hz);
        let cv = show::number(population.mean_isi_cv);
        let _ = writeln!(
            text,
            "  {name}: {} spikes, {rate} Hz, ISI CV {cv}",
            show::grouped(population.spikes)
        );
    }
    let width = run
        .measures
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    for (name, measure) in &run.measures {
        let value = match measure {
            MeasureReport::Series { value, .. } => {
                let first = value.first().copied().unwrap_or(f64::NAN);
                let last = value.last().copied().unwrap_or(f64::NAN);
                format!("{} → {}", show::number(first), show::number(last))
            }
            other => match other.headline() {
                Some(value) => show::number(value),
                None => continue,
            },
        };
        let expect = run
            .measure_notes
            .get(name)
            .and_then(|n| n.expect.as_deref());
        let expect = expect
            .map(|e| format!("   (expected: {e})"))
            .unwrap_or_default();
        let _ = writeln!(text, "  {name:<width$}  {value}{expect}");
    }
    let _ = writeln!(text, "report: {}", page.display());
    text
}
