//! Whatever a netlist describes, ready to run: a circuit of rates or of spiking neurons.

use std::path::Path;

use super::event::{EventExperiment, EventRecordings};
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

    /// The kind of its circuit.
    pub fn kind(&self) -> CircuitKind {
        match self {
            Runnable::Rate(_) => CircuitKind::Rate,
            Runnable::Event(_) => CircuitKind::Event,
        }
    }

    /// The netlist.
    pub fn netlist(&self) -> &Netlist {
        match self {
            Runnable::Rate(experiment) => &experiment.netlist,
            Runnable::Event(experiment) => &experiment.netlist,
        }
    }

    /// Makes sure that there is something to run, and that its data can be read.
    ///
    /// # Errors
    /// A netlist without a stage; data that are missing or broken.
    pub fn ready(&self, paths: &DataPaths) -> Result<(), RunError> {
        match self {
            Runnable::Rate(experiment) => experiment.ready(paths, 1).map(|_| ()),
            Runnable::Event(experiment) => experiment.ready(paths),
        }
    }

    /// Makes sure that there is something to run.
    ///
    /// # Errors
    /// A netlist without a stage.
    pub fn has_stages(&self) -> Result<(), RunError> {
        match self {
            Runnable::Rate(experiment) => experiment.has_stages(),
            Runnable::Event(experiment) => experiment.has_stages(),
        }
    }

    /// The steps of all stages together, or their milliseconds among spiking neurons; none if that depends on the length of a
    /// data set.
    pub fn steps(&self) -> Option<u64> {
        match self {
            Runnable::Rate(experiment) => experiment.steps(),
            Runnable::Event(experiment) => experiment.known_milliseconds(),
        }
    }

    /// Whether traces, weights or spikes are recorded.
    pub fn records(&self) -> bool {
        match self {
            Runnable::Rate(e) => !(e.traces.is_empty() && e.weights.is_empty()),
            Runnable::Event(e) => !e.recordings.is_empty(),
        }
    }

    /// Records nothing any more; what is measured stays.
    pub fn record_nothing(&mut self) {
        match self {
            Runnable::Rate(experiment) => {
                experiment.traces.clear();
                experiment.weights.clear();
            }
            Runnable::Event(experiment) => experiment.recordings = EventRecordings::default(),
        }
    }

    /// Names of the measures.
    pub fn measures(&self) -> Vec<String> {
        match self {
            Runnable::Rate(e) => e.measures.iter().map(|m| m.name.clone()).collect(),
            Runnable::Event(e) => e.measures.iter().map(|m| m.name.clone()).collect(),
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
