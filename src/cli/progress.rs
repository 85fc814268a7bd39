//! The progress bar.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::circuit::CircuitKind;
use crate::experiment::Progress;
use crate::sweep::Watch;

/// What a bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// Steps of a rate circuit.
    Steps,
    /// Milliseconds of model time of spiking neurons.
    Milliseconds,
}

impl Counts {
    /// What the runs of a circuit count.
    pub fn of(kind: CircuitKind) -> Counts {
        match kind {
            CircuitKind::Rate => Counts::Steps,
            CircuitKind::Event => Counts::Milliseconds,
        }
    }

    /// How fast a run is, with so many a second.
    fn speed(self, per_second: f64) -> String {
        match self {
            Counts::Steps => format!("{} steps/s", HumanCount(per_second as u64)),
            Counts::Milliseconds => format!("{} of model time/s", model_time(per_second)),
        }
    }
}

/// A length of model time (ms), in a unit that suits it.
fn model_time(ms: f64) -> String {
    let units = [(3_600_000.0, "h"), (60_000.0, "min"), (1_000.0, "s")];
    match units.iter().find(|(length, _)| ms >= *length) {
        Some((length, unit)) => format!("{:.1} {unit}", ms / length),
        None => format!("{ms:.0} ms"),
    }
}

/// A bar on the terminal; nothing where nobody looks.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar, hidden if it is not wanted.
    pub fn new(counts: Counts, quiet: bool) -> Self {
        Bar(bar(counts, quiet))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The bar itself.
fn bar(counts: Counts, quiet: bool) -> ProgressBar {
    let hidden = quiet || !std::io::stderr().is_terminal();
    let target = if hidden {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(8)
    };
    let bar = ProgressBar::with_draw_target(None, target);
    let template = "{msg:>14} {wide_bar:.cyan/dim} {percent:>3}% {rate:>24} {eta:>5} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = move |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&counts.speed(state.per_sec()));
        };
        bar.set_style(style.with_key("rate", rate).progress_chars("━━╌"));
    }
    if !hidden {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

/// A bar over all points of a sweep.
pub(super) struct SweepBar {
    bar: ProgressBar,
    all: AtomicUsize,
    finished: AtomicUsize,
}

impl SweepBar {
    /// A bar, hidden if it is not wanted.
    pub fn new(counts: Counts, quiet: bool) -> Self {
        SweepBar {
            bar: bar(counts, quiet),
            all: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn tell_points(&self) {
        let finished = self.finished.load(Ordering::Relaxed);
        let all = self.all.load(Ordering::Relaxed);
        self.bar.set_message(format!("{finished}/{all} points"));
    }
}

impl Watch for SweepBar {
    fn points(&self, all: usize, finished: usize) {
        self.all.store(all, Ordering::Relaxed);
        self.finished.store(finished, Ordering::Relaxed);
        self.tell_points();
    }

    fn total(&self, steps: u64) {
        self.bar.set_length(steps);
    }

    fn steps(&self, steps: u64) {
        self.bar.inc(steps);
    }

    fn point(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.tell_points();
    }
}

impl Progress for Bar {
    fn total(&mut self, steps: u64) {
        self.0.set_length(steps);
    }

    fn stage(&mut self, name: &str) {
        self.0.set_message(name.to_owned());
    }

    fn steps(&mut self, steps: u64) {
        self.0.inc(steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_in_steps_or_in_model_time() {
        assert_eq!(Counts::Steps.speed(1_234_567.8), "1,234,567 steps/s");
        let speed = |ms: f64| Counts::Milliseconds.speed(ms);
        assert_eq!(speed(0.4), "0 ms of model time/s");
        assert_eq!(speed(999.0), "999 ms of model time/s");
        assert_eq!(speed(35_240.0), "35.2 s of model time/s");
        assert_eq!(speed(90_000.0), "1.5 min of model time/s");
        assert_eq!(speed(7_200_000.0), "2.0 h of model time/s");
    }
}
