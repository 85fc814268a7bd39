//! Whatever a netlist describes, ready to run: a circuit of rates or of spiking neurons.

use std::path::Path;

use super::event::EventExperiment;
use super::run::{Progress, RunError, RunOptions};
use super::{Experiment, load_netlist};
use crate::circuit::{Circuit, CircuitKind};
use crate::input::DataPaths;
use crate::netlist::{LoadOptions, Netlist};
use crate::record::RunReport;
use crate::source::Problems;

/// A netlist that has been checked and compiled for its engine.
#[derive(Debug, Clone)]
pub enum Runnable {
    /// For the rate engine.
    Rate(Box<Experiment>),
    /// For the event engine.
    Event(Box<EventExperiment>),
}

impl Runnable {
    /// Loads, checks and compiles a netlist, whose files are looked for in `paths`. `seed` replaces the netlist's own.
    ///
    /// # Errors
    /// Everything that is wrong in its texts.
    pub fn load_with(
        path: &Path,
        options: &LoadOptions,
        seed: Option<u64>,
        paths: &DataPaths,
    ) -> Result<Runnable, Problems> {
        Runnable::new(
            load_netlist(path, options, seed)?,
            &path.display().to_string(),
            paths,
        )
    }

    /// Checks and compiles a netlist.
    ///
    /// # Errors
    /// Everything that is wrong in its texts.
    pub fn new(netlist: Netlist, path: &str, paths: &DataPaths) -> Result<Runnable, Problems> {
        let (circuit, problems) = Circuit::build(&netlist, paths);
        match circuit.kind {
            CircuitKind::Rate => Experiment::compile_circuit(netlist, path, circuit, problems)
                .map(|e| Runnable::Rate(Box::new(e))),
            CircuitKind::Event => EventExperiment::compile(netlist, path, circuit, problems)
                .map(|e| Runnable::Event(Box::new(e))),
        }
    }

    /// The netlist.
    pub fn netlist(&self) -> &Netlist {
        match self {
            Runnable::Rate(experiment) => &experiment.netlist,
            Runnable::Event(experiment) => &experiment.netlist,
        }
    }

    /// Runs all stages and writes the run directory, but for the report.
    ///
    /// # Errors
    /// If data are missing, or files cannot be written.
    pub fn run(
        &self,
        options: &RunOptions,
        progress: &mut dyn Progress,
    ) -> Result<RunReport, RunError> {
        match self {
            Runnable::Rate(experiment) => experiment.run(options, progress),
            Runnable::Event(experiment) => experiment.run(options, progress),
        }
    }
}
