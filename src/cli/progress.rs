//! The progress bar.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::experiment::Progress;

/// A bar on the terminal; nothing where nobody looks.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar, hidden if it is not wanted.
    pub fn new(quiet: bool) -> Self {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(8)
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let template = "{msg:>14} {wide_bar:.cyan/dim} {percent:>3}% {per_sec:>16} {eta:>5} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━╌"));
        }
        if !hidden {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Bar(bar)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
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
