//! Stages of an event circuit: as those of a rate circuit, with lengths in picoseconds.

use crate::circuit::Circuit;
use crate::engine::event::time::from_ms;
use crate::experiment::stages::{self, Length, Stage};
use crate::netlist::model::{self, Duration, Netlist, StageLength};
use crate::source::Problem;

/// A stage that is ready to run.
#[derive(Debug, Clone)]
pub struct EventStage {
    /// Its settings.
    pub settings: Stage,
    /// How long it lasts once (ps), without its parts.
    pub duration: i64,
    /// Its parts, in a row.
    pub parts: Vec<EventStage>,
}

impl EventStage {
    /// The length of the stage and its parts, all repetitions included (ps).
    pub fn total(&self) -> i64 {
        let parts = self
            .parts
            .iter()
            .map(EventStage::total)
            .fold(self.duration, i64::saturating_add);
        parts.saturating_mul(self.settings.repeat as i64)
    }
}

/// Resolves the stages of a netlist.
pub(super) fn resolve(
    netlist: &Netlist,
    circuit: &Circuit,
    problems: &mut Vec<Problem>,
) -> Vec<EventStage> {
    let before = problems.len();
    let mut resolved = stages::resolve(netlist, circuit, problems);
    let names: Vec<String> = circuit
        .projections
        .iter()
        .filter(|p| p.learn.is_some())
        .map(|p| p.name.clone())
        .collect();
    stages::resolve_learning(&names, &mut resolved, problems);
    if problems.len() > before {
        return vec![];
    }
    netlist
        .stages
        .iter()
        .zip(resolved)
        .filter_map(|(table, stage)| timed(table, stage, circuit, problems))
        .collect()
}

fn timed(
    table: &model::Stage,
    mut settings: Stage,
    circuit: &Circuit,
    problems: &mut Vec<Problem>,
) -> Option<EventStage> {
    if let Some(trial) = &table.trial {
        let problem = Problem::new(
            "trials are for rate circuits",
            trial.steps.span,
            "a circuit of spiking neurons",
        );
        problems.push(problem.help("give the stage a `repeat`"));
    }
    if let Some(seed) = &table.seed {
        let problem = Problem::new(
            "seeds of stages are for rate circuits",
            seed.span,
            "a circuit of spiking neurons",
        );
        problems.push(problem.help("give another seed to the circuit, or with --seed"));
    }
    let length = std::mem::replace(&mut settings.length, Length::Steps(0));
    let (duration, parts) = match (&table.length, length) {
        (StageLength::Parts(tables), Length::Parts(parts)) => {
            let parts = tables
                .iter()
                .zip(parts)
                .filter_map(|(t, p)| timed(t, p, circuit, problems));
            (0, parts.collect())
        }
        (StageLength::For(duration), _) => (
            match duration.value {
                Duration::Time(time) => from_ms(time.value).max(1),
                Duration::Steps(steps) => {
                    from_ms(steps as f64 * circuit.step_length().value).max(1)
                }
            },
            vec![],
        ),
        (StageLength::Epochs { count, .. }, _) => {
            let problem = Problem::new(
                "epochs are for rate circuits",
                count.span,
                "a circuit of spiking neurons",
            );
            problems.push(problem.help("give the stage a length, such as `duration = \"10 s\"`"));
            return None;
        }
        (StageLength::Parts(_), _) => return None,
    };
    Some(EventStage {
        settings,
        duration,
        parts,
    })
}
