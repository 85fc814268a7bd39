//! The progress bar.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::experiment::Progress;
use crate::sweep::Watch;

/// A bar on the terminal; nothing where nobody looks.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar, hidden if it is not wanted.
    pub fn new(quiet: bool) -> Self {
        Bar(bar(quiet))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The bar itself.
fn bar(quiet: bool) -> ProgressBar {
    let hidden = quiet || !std::io::stderr().is_terminal();
    let target = if hidden {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(8)
    };
    let bar = ProgressBar::with_draw_target(None, target);
    let template = "{msg:>14} {wide_bar:.cyan/dim} {percent:>3}% {rate:>18} {eta:>5} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(out, "{} steps/s", HumanCount(state.per_sec() as u64));
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
    pub fn new(quiet: bool) -> Self {
        SweepBar {
            bar: bar(quiet),
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
