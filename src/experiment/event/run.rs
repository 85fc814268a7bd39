//! Running an experiment on spiking neurons, into a run directory.

use std::time::{Instant, SystemTime};

use super::EventExperiment;
use super::under_way::Run;
use crate::engine::event::inputs::Inputs;
use crate::engine::event::simulation::Simulation;
use crate::engine::event::time::to_ms;
use crate::engine::event::turn::EventError;
use crate::experiment::ready::{fits, some_stage};
use crate::experiment::run::{Progress, RunError, RunOptions};
use crate::input::DataPaths;
use crate::record::{RunReport, available_memory_mib};
use crate::source::Problem;

/// What to do if there is too little memory.
const NEED_LESS: &str = "`apical check` says what needs how much: fewer synapses, or constant weights and delays, need less";

impl EventExperiment {
    /// Runs all stages and writes the run directory, but for the report.
    ///
    /// # Errors
    /// If files cannot be written, or the neurons' equations cannot be solved. A run that is interrupted keeps what it has.
    pub fn run(
        &self,
        options: &RunOptions,
        progress: &mut dyn Progress,
    ) -> Result<RunReport, RunError> {
        self.has_stages()?;
        let bytes = self.program.explain().bytes;
        fits(&self.netlist, bytes, available_memory_mib(), NEED_LESS)?;
        let started = (SystemTime::now(), Instant::now());
        let inputs = Inputs::new(&self.program, &options.paths, options.threads)?;
        let total = self.milliseconds(&|input, split| inputs.pass(input, split));
        let simulation = Simulation::with_inputs(self.program.clone(), inputs, options.threads)
            .map_err(|e| self.failed(&e))?;
        let directory = options.directory(&self.netlist, &self.program.circuit)?;
        progress.total(total);
        let mut run = Run::new(self, options, simulation, &directory, started)?;
        let stop = run.stages(&self.stages, &mut vec![], progress)?;
        run.finish(stop, &directory)
    }

    /// Makes sure that there is something to run.
    ///
    /// # Errors
    /// A netlist without a stage.
    pub fn has_stages(&self) -> Result<(), RunError> {
        let example = "[[stage]] name = \"run\" duration = \"1 s\"";
        some_stage(&self.netlist, self.stages.is_empty(), example)
    }

    /// Makes sure that there is something to run, and that its data can be read.
    ///
    /// # Errors
    /// A netlist without a stage; data that are missing or broken.
    pub fn ready(&self, paths: &DataPaths) -> Result<(), RunError> {
        self.has_stages()?;
        Inputs::new(&self.program, paths, 1)?;
        Ok(())
    }

    /// What stopped the engine, as a mistake of the netlist.
    pub(super) fn failed(&self, error: &EventError) -> RunError {
        let message = match error {
            EventError::Endless { neuron, time } => {
                let (population, index) = self.program.place(*neuron);
                let name = &self.program.circuit.population(population).name;
                format!(
                    "neuron {index} of `{name}` spikes again and again at {} ms",
                    to_ms(*time)
                )
            }
            EventError::Unbounded { neuron } => {
                let (population, index) = self.program.place(*neuron);
                let name = &self.program.circuit.population(population).name;
                format!(
                    "the rate at which neuron {index} of `{name}` spikes has no bound below 10 MHz"
                )
            }
            EventError::Linear(_) => error.to_string(),
        };
        let problem = Problem::new(message, self.netlist.circuit.name.span, "this circuit");
        RunError::of(&self.netlist, match error {
            EventError::Endless { .. } => problem
                .help("let `reset` bring it below its threshold, or give it a `refractory` time"),
            EventError::Unbounded { .. } => problem.help(
                "spikes at random need a rate that stays below a bound: write it so that no value of its variables \
                 makes it infinite, such as min(…, 1 kHz)",
            ),
            EventError::Linear(_) => {
                problem.help("check the neurons' capacitances, conductances and time constants")
            }
        })
    }
}
