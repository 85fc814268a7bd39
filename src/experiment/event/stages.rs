//! Stages of an event circuit: as those of a rate circuit, with lengths in picoseconds.

use crate::circuit::{Circuit, InputId};
use crate::engine::event::time::from_ms;
use crate::experiment::stages::{self, Length, Stage};
use crate::input::Pass;
use crate::netlist::model::{self, Duration, Netlist, StageLength};
use crate::source::Problem;

/// A stage that is ready to run.
#[derive(Debug, Clone)]
pub struct EventStage {
    /// Its settings.
    pub settings: Stage,
    /// How long it lasts once.
    pub lasts: Lasts,
    /// Its parts, in a row.
    pub parts: Vec<EventStage>,
}

/// How long a stage lasts, without its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// A time (ps).
    Time(i64),
    /// Passes over the data of an input.
    Passes {
        /// How many.
        count: u64,
        /// The input.
        input: InputId,
    },
}

/// How long a pass over a split of an input takes (ps); over the first if none is named.
pub type PassLength<'p> = &'p dyn Fn(InputId, Option<&str>) -> i64;

impl EventStage {
    /// The length of the stage and its parts, all repetitions included (ps).
    pub fn total(&self, pass: PassLength<'_>) -> i64 {
        let parts = self
            .parts
            .iter()
            .map(|part| part.total(pass))
            .fold(self.once(pass), i64::saturating_add);
        parts.saturating_mul(self.settings.repeat as i64)
    }

    /// The length of the stage once, without its parts (ps).
    pub fn once(&self, pass: PassLength<'_>) -> i64 {
        match self.lasts {
            Lasts::Time(time) => time,
            Lasts::Passes { count, input } => {
                let split = self.settings.split(input.0 as usize);
                pass(input, split).saturating_mul(count as i64)
            }
        }
    }

    /// Whether the length of the stage or of a part depends on data.
    pub fn counts_passes(&self) -> bool {
        matches!(self.lasts, Lasts::Passes { .. })
            || self.parts.iter().any(EventStage::counts_passes)
    }

    /// The passes of inputs that begin with it: those that it names, and one over the input whose passes it counts.
    pub fn passes(&self) -> Vec<(InputId, Pass)> {
        let named = self.settings.splits.iter();
        let mut passes: Vec<(InputId, Pass)> = named
            .map(|(input, pass)| (InputId(*input as u32), pass.clone()))
            .collect();
        if let Lasts::Passes { input, .. } = self.lasts
            && passes.iter().all(|(id, _)| *id != input)
        {
            passes.push((input, Pass::default()));
        }
        passes
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
    let (lasts, parts) = match (&table.length, length) {
        (StageLength::Parts(tables), Length::Parts(parts)) => {
            let parts = tables
                .iter()
                .zip(parts)
                .filter_map(|(t, p)| timed(t, p, circuit, problems));
            (Lasts::Time(0), parts.collect())
        }
        (StageLength::For(duration), _) => (
            Lasts::Time(match duration.value {
                Duration::Time(time) => from_ms(time.value).max(1),
                Duration::Steps(steps) => {
                    from_ms(steps as f64 * circuit.step_length().value).max(1)
                }
            }),
            vec![],
        ),
        (StageLength::Epochs { .. }, Length::Epochs { count, input }) => {
            let input = InputId(input as u32);
            (Lasts::Passes { count, input }, vec![])
        }
        (StageLength::Parts(_) | StageLength::Epochs { .. }, _) => return None,
    };
    Some(EventStage {
        settings,
        lasts,
        parts,
    })
}
