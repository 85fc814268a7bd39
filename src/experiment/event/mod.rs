//! An experiment on a circuit of spiking neurons: compiled, with its stages and recordings, ready to run.

mod collect;
mod measures;
mod measuring;
mod plan;
mod run;
mod stages;
mod under_way;

use std::sync::Arc;

use crate::circuit::Circuit;
use crate::compile::check_neurons;
use crate::compile::event::EventProgram;
use crate::engine::event::time::PS_PER_MS;
use crate::netlist::Netlist;
use crate::source::{Problem, Problems};

pub use measures::{Comparing, TimedKind, TimedMeasure};
pub use plan::{EventRecordings, TimedTrace, TimedWeights, Traced};
pub use stages::{EventStage, Lasts, PassLength};

/// A netlist of spiking neurons that has been checked and compiled.
#[derive(Debug, Clone)]
pub struct EventExperiment {
    /// The netlist.
    pub netlist: Netlist,
    /// Where it was read from.
    pub path: String,
    /// The compiled circuit.
    pub program: Arc<EventProgram>,
    /// Stages in order.
    pub stages: Vec<EventStage>,
    /// What is measured.
    pub measures: Vec<TimedMeasure>,
    /// What is recorded.
    pub recordings: EventRecordings,
}

impl EventExperiment {
    /// Checks and compiles what a netlist says besides its circuit.
    pub(super) fn compile(
        netlist: Netlist,
        path: &str,
        circuit: Circuit,
        mut problems: Vec<Problem>,
    ) -> Result<EventExperiment, Problems> {
        problems.extend(check_neurons(&circuit));
        let (recordings, measures) = plan::recordings(&netlist, &circuit, &mut problems);
        let replicas = &netlist.circuit.replicas;
        if replicas.value > 1 {
            let message = "replicas are for rate circuits";
            let problem = Problem::new(message, replicas.span, "a circuit of spiking neurons");
            problems.push(problem.help("run it with several seeds instead: --seed 1, --seed 2"));
        }
        let stages = stages::resolve(&netlist, &circuit, &mut problems);
        if problems.is_empty() {
            match EventProgram::new(&netlist, circuit) {
                Ok(mut program) => {
                    let mut seen = vec![false; program.populations.len()];
                    recordings
                        .spikes
                        .iter()
                        .for_each(|(population, _)| seen[*population] = true);
                    let counted = measures.iter().filter_map(TimedMeasure::counts);
                    counted.for_each(|population| seen[population] = true);
                    program.watch(measures.iter().flat_map(TimedMeasure::sampled));
                    program.inputs.extend(recordings.inputs());
                    program.fold(&seen);
                    let program = Arc::new(program);
                    return Ok(EventExperiment {
                        netlist,
                        path: path.to_owned(),
                        program,
                        stages,
                        measures,
                        recordings,
                    });
                }
                Err(more) => problems = more,
            }
        }
        Err(Problems::new(netlist.sources, problems))
    }

    /// Length of all stages together (ms), if passes over inputs take so long.
    pub fn milliseconds(&self, pass: PassLength<'_>) -> u64 {
        let stages = self.stages.iter().map(|stage| stage.total(pass));
        (stages.fold(0, i64::saturating_add) as f64 / PS_PER_MS) as u64
    }

    /// The same where no pass is counted; none if the length depends on data.
    pub fn known_milliseconds(&self) -> Option<u64> {
        let known = !self.stages.iter().any(EventStage::counts_passes);
        known.then(|| self.milliseconds(&|_, _| 0))
    }
}
