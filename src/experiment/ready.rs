//! What can be said of an experiment before it runs: whether there is something to run, and how long it is.

use super::Experiment;
use super::run::RunError;
use super::stages::{Length, Stage};
use crate::compile::does_not_fit;
use crate::engine::rate::Simulation;
use crate::input::DataPaths;
use crate::netlist::Netlist;
use crate::record::available_memory_mib;
use crate::source::Problem;

/// Makes sure that a netlist has a stage; `example` is one that might be missing.
pub(super) fn some_stage(netlist: &Netlist, none: bool, example: &str) -> Result<(), RunError> {
    if !none {
        return Ok(());
    }
    let problem = Problem::new(
        "there is nothing to run: the netlist has no stage",
        netlist.circuit.name.span,
        "this circuit",
    );
    let help = format!("add a table, such as {example}");
    Err(RunError::of(netlist, problem.help(help)))
}

/// Makes sure that a circuit that needs so many bytes fits into so much memory (MiB), if that is known.
pub(super) fn fits(
    netlist: &Netlist,
    bytes: usize,
    available: Option<f64>,
    help: &str,
) -> Result<(), RunError> {
    let needed = bytes as f64 / f64::from(1 << 20);
    match available {
        Some(available) if needed > available => {
            let problem = does_not_fit((needed, available), netlist.circuit.name.span);
            Err(RunError::of(netlist, problem.help(help)))
        }
        _ => Ok(()),
    }
}

impl Experiment {
    /// Makes sure that there is something to run, and sets the simulation up, which reads its data.
    ///
    /// # Errors
    /// A netlist without a stage; too little memory; data that are missing or broken.
    pub fn ready(&self, paths: &DataPaths, threads: usize) -> Result<Simulation, RunError> {
        self.has_stages()?;
        // What it begins with is kept beside what becomes of it.
        let bytes = self.program.bytes().saturating_mul(2);
        let help = "fewer neurons, replicas or synapses need less, and weights in single precision half as much";
        fits(&self.netlist, bytes, available_memory_mib(), help)?;
        Ok(Simulation::new(self.program.clone(), paths, threads)?)
    }

    /// Makes sure that there is something to run.
    ///
    /// # Errors
    /// A netlist without a stage.
    pub fn has_stages(&self) -> Result<(), RunError> {
        let example = "[[stage]] name = \"train\" steps = 1000";
        some_stage(&self.netlist, self.stages.is_empty(), example)
    }

    /// The steps of all stages together; none if that depends on the length of a data set.
    pub fn steps(&self) -> Option<u64> {
        fn counts_epochs(stage: &Stage) -> bool {
            match &stage.length {
                Length::Steps(_) => false,
                Length::Epochs { .. } => true,
                Length::Parts(parts) => parts.iter().any(counts_epochs),
            }
        }
        let known = !self.stages.iter().any(counts_epochs);
        let steps = self.stages.iter().map(|s| s.steps(&|_, _| 0));
        known.then(|| steps.fold(0, u64::saturating_add))
    }
}
