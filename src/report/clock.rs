//! What the length of a run is counted in.

use super::words;
use crate::record::RunReport;

/// Steps; or milliseconds, where neurons spike and there are no steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Steps,
    Milliseconds,
}

impl Clock {
    pub(super) fn of(report: &RunReport) -> Self {
        match report.spikes {
            Some(_) => Clock::Milliseconds,
            None => Clock::Steps,
        }
    }

    /// What a row of facts calls a length.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Clock::Steps => "steps",
            Clock::Milliseconds => "model time",
        }
    }

    /// `2 000 steps`, or `2 s of model time`.
    pub(super) fn length(self, number: u64) -> String {
        match self {
            Clock::Steps => words::counted(number, "step", "steps"),
            Clock::Milliseconds => format!("{} of model time", words::duration(seconds(number))),
        }
    }

    /// The same below its [`heading`](Self::heading).
    pub(super) fn number(self, number: u64) -> String {
        match self {
            Clock::Steps => words::count(number),
            Clock::Milliseconds => words::duration(seconds(number)),
        }
    }

    /// `step 5`, or `5 ms`: where something happened.
    pub(super) fn place(self, number: u64) -> String {
        match self {
            Clock::Steps => format!("step {}", words::count(number)),
            Clock::Milliseconds => format!("{} ms", words::count(number)),
        }
    }

    /// How fast so many steps or milliseconds a second are; empty if that is no number.
    pub(super) fn speed(self, per_second: f64) -> String {
        match self {
            Clock::Steps => words::speed(per_second),
            Clock::Milliseconds if !per_second.is_finite() || per_second < 0.0 => String::new(),
            Clock::Milliseconds => {
                let faster = words::three_digits(per_second / 1000.0);
                format!("{faster} s of model time a second")
            }
        }
    }
}

fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spiking_runs_are_told_in_time_and_others_in_steps() {
        let steps = Clock::Steps;
        assert_eq!(steps.length(2), "2 steps");
        assert_eq!(steps.place(2), "step 2");
        let ms = Clock::Milliseconds;
        assert_eq!(ms.length(7000), "7 s of model time");
        assert_eq!(ms.number(3_600_000), "1 h 00 min");
        assert_eq!(ms.place(12), "12 ms");
        assert_eq!(ms.speed(31_692.3), "31.7 s of model time a second");
        assert_eq!(ms.speed(f64::NAN), "");
    }
}
