//! The stages of a run, and how long each took.

use crate::record::StageReport;

/// What is written down of stages while a run goes through them.
#[derive(Debug)]
pub(super) struct StageLog {
    /// Stages without parts, by name; recordings name them by their places here.
    pub leaves: Vec<String>,
    /// Those that have run, repetitions together.
    pub reports: Vec<StageReport>,
}

impl StageLog {
    pub fn new(leaves: Vec<String>) -> StageLog {
        StageLog {
            leaves,
            reports: vec![],
        }
    }

    /// The number of a stage in recordings.
    pub fn number(&self, name: &str) -> u32 {
        self.leaves.iter().position(|l| l == name).unwrap_or(0) as u32
    }

    /// The number of the last stage.
    pub fn last(&self) -> u32 {
        self.leaves.len().saturating_sub(1) as u32
    }

    /// A stage has run for so many steps (milliseconds for spiking neurons).
    pub fn add(&mut self, name: &str, steps: u64, wall_seconds: f64) {
        match self.reports.iter_mut().find(|r| r.name == name) {
            Some(report) => {
                report.steps += steps;
                report.wall_seconds += wall_seconds;
            }
            None => self.reports.push(StageReport {
                name: name.to_owned(),
                steps,
                wall_seconds,
            }),
        }
    }
}

/// Whether something that looks `during` some stages (during all if it names none) looks at one that is `within` others.
pub(super) fn looks(during: &[String], within: &[String]) -> bool {
    during.is_empty() || during.iter().any(|d| within.contains(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_of_a_stage_are_added() {
        let mut log = StageLog::new(vec!["train".into(), "test".into()]);
        log.add("train", 100, 0.5);
        log.add("test", 10, 0.25);
        log.add("train", 50, 0.25);
        let found: Vec<_> = log.reports.iter().map(|r| (&*r.name, r.steps)).collect();
        assert_eq!(found, [("train", 150), ("test", 10)]);
        assert_eq!((log.number("test"), log.last()), (1, 1));
    }

    #[test]
    fn a_part_is_looked_at_by_those_who_look_at_the_whole() {
        let within = ["learning".to_owned(), "train".to_owned()];
        assert!(looks(&[], &within));
        assert!(looks(&["learning".to_owned()], &within));
        assert!(!looks(&["test".to_owned()], &within));
    }
}
