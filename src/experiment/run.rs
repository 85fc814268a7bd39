//! Running an experiment: its stages one after the other, into a run directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Experiment;
use super::stages::{Length, Stage};
use super::under_way::Run;
use crate::circuit::{Circuit, draw};
use crate::input::{DataError, DataPaths};
use crate::netlist::Netlist;
use crate::record::{RecordError, RunDirectory, RunReport};
use crate::source::{Problem, Problems};

/// How to run.
#[derive(Debug)]
pub struct RunOptions {
    /// The run directory.
    pub out: PathBuf,
    /// Whether an earlier run there is replaced.
    pub overwrite: bool,
    /// Threads; the results do not depend on them.
    pub threads: usize,
    /// Where data sets are.
    pub paths: DataPaths,
    /// Set from elsewhere to end the run with what it has.
    pub interrupt: Arc<AtomicBool>,
    /// Whether the circuit is drawn into the directory: not for one of many runs of the same circuit.
    pub drawn: bool,
}

impl RunOptions {
    /// A run into a new directory, on one thread, with files looked for in the working directory.
    pub fn into(out: PathBuf) -> RunOptions {
        RunOptions {
            out,
            overwrite: false,
            threads: 1,
            paths: DataPaths::default(),
            interrupt: Arc::default(),
            drawn: true,
        }
    }

    /// The run directory, with the netlist in it and, if that is wanted, a drawing of the circuit.
    pub(super) fn directory(
        &self,
        netlist: &Netlist,
        circuit: &Circuit,
    ) -> Result<RunDirectory, RunError> {
        let directory = RunDirectory::create(&self.out, self.overwrite)?;
        directory.write_netlist(&netlist.resolved)?;
        if self.drawn {
            let drawing = draw::svg(circuit);
            directory.write_plot("circuit", "svg", drawing.as_bytes())?;
        }
        Ok(directory)
    }
}

/// Somebody who is told how far a run has come.
pub trait Progress {
    /// All steps of the run, told once.
    fn total(&mut self, steps: u64);
    /// A stage begins.
    fn stage(&mut self, name: &str);
    /// So many more steps are done.
    fn steps(&mut self, steps: u64);
}

/// Nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn total(&mut self, _: u64) {}
    fn stage(&mut self, _: &str) {}
    fn steps(&mut self, _: u64) {}
}

/// Why an experiment could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its data are missing or broken.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What it finds cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Something in its texts cannot be run.
    #[error(transparent)]
    Netlist(Box<Problems>),
}

impl RunError {
    /// A mistake of a netlist that only shows when it is to run.
    pub(super) fn of(netlist: &Netlist, problem: Problem) -> RunError {
        let problems = Problems::new(netlist.sources.clone(), vec![problem]);
        RunError::Netlist(Box::new(problems))
    }
}

impl Experiment {
    /// Runs all stages and writes the run directory, but for the report.
    ///
    /// # Errors
    /// If data are missing, or files cannot be written. A run that is interrupted or whose values leave the
    /// finite numbers is no error: it keeps what it has, and says so in its report.
    pub fn run(
        &self,
        options: &RunOptions,
        progress: &mut dyn Progress,
    ) -> Result<RunReport, RunError> {
        let simulation = self.ready(&options.paths, options.threads)?;
        let directory = options.directory(&self.netlist, &self.program.circuit)?;
        let mut run = Run::new(self, options, simulation, &directory)?;
        let epoch = |input: usize, split: Option<&str>| run.epoch(input, split);
        let total = self
            .stages
            .iter()
            .map(|s| s.steps(&epoch))
            .fold(0, u64::saturating_add);
        progress.total(total);
        run.record_weights(0, true)?;
        let stop = run.stages(&self.stages, &mut vec![], progress)?;
        run.finish(stop, options, &directory)
    }

    /// Names of all stages that run steps, in order: the numbers that recordings use.
    pub(super) fn leaves(&self) -> Vec<String> {
        fn collect(stages: &[Stage], names: &mut Vec<String>) {
            for stage in stages {
                match &stage.length {
                    Length::Parts(parts) => collect(parts, names),
                    _ => names.push(stage.name.clone()),
                }
            }
        }
        let mut names = Vec::new();
        collect(&self.stages, &mut names);
        names
    }
}
