//! An experiment: a compiled circuit with its stages, measures and recordings, ready to run.

mod collect;
pub mod event;
mod findings;
mod looks;
mod pictured;
mod probes;
mod ready;
mod run;
mod runnable;
mod stage_log;
mod stages;
mod under_way;
mod weights;

use std::path::Path;
use std::sync::Arc;

use crate::circuit::{Circuit, CircuitKind};
use crate::compile::{Program, check_neurons};
use crate::input::DataPaths;
use crate::netlist::{self, LoadOptions, Netlist};
use crate::source::{Problem, Problems};

pub use probes::{MeasurePlan, PlannedBins, PlannedKind, TracePlan, WeightPlan, Weighted};
pub use run::{Progress, RunError, RunOptions, Silent};
pub use runnable::Runnable;
pub use stages::{Length, Stage};

/// A netlist that has been checked and compiled.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The netlist.
    pub netlist: Netlist,
    /// Where it was read from.
    pub path: String,
    /// The compiled circuit.
    pub program: Arc<Program>,
    /// Stages in order; a stage with parts runs them in a row.
    pub stages: Vec<Stage>,
    /// Measures.
    pub measures: Vec<MeasurePlan>,
    /// Recorded traces.
    pub traces: Vec<TracePlan>,
    /// Recorded weights.
    pub weights: Vec<WeightPlan>,
}

impl Experiment {
    /// Loads, checks and compiles a netlist. `seed` replaces the netlist's own.
    ///
    /// # Errors
    /// Everything that is wrong in its texts.
    pub fn load(
        path: &Path,
        options: &LoadOptions,
        seed: Option<u64>,
    ) -> Result<Experiment, Problems> {
        let paths = DataPaths {
            netlist: path.parent().unwrap_or(Path::new(".")).to_owned(),
            data: None,
        };
        Self::load_with(path, options, seed, &paths)
    }

    /// As [`Experiment::load`], with files looked for in `paths`.
    ///
    /// # Errors
    /// Everything that is wrong in its texts.
    pub fn load_with(
        path: &Path,
        options: &LoadOptions,
        seed: Option<u64>,
        paths: &DataPaths,
    ) -> Result<Experiment, Problems> {
        let netlist = load_netlist(path, options, seed)?;
        Self::compile(netlist, &path.display().to_string(), paths)
    }

    /// Checks and compiles a netlist whose files are beside it in `folder`.
    ///
    /// # Errors
    /// Everything that is wrong in its texts.
    pub fn new(
        mut netlist: Netlist,
        path: &str,
        folder: &Path,
        seed: Option<u64>,
    ) -> Result<Experiment, Problems> {
        if let Some(seed) = seed {
            netlist.circuit.seed = seed;
        }
        Self::compile(
            netlist,
            path,
            &DataPaths {
                netlist: folder.to_owned(),
                data: None,
            },
        )
    }

    fn compile(netlist: Netlist, path: &str, paths: &DataPaths) -> Result<Experiment, Problems> {
        let (circuit, mut problems) = Circuit::build(&netlist, paths);
        if circuit.kind == CircuitKind::Event {
            problems.extend(check_neurons(&circuit));
            if problems.is_empty() {
                problems.push(not_rates(&netlist));
            }
            return Err(Problems::new(netlist.sources, problems));
        }
        Self::compile_circuit(netlist, path, circuit, problems)
    }

    /// Checks and compiles what a netlist says besides its circuit.
    fn compile_circuit(
        netlist: Netlist,
        path: &str,
        circuit: Circuit,
        mut problems: Vec<Problem>,
    ) -> Result<Experiment, Problems> {
        let planned = probes::plan(&netlist, &circuit, &mut problems);
        let mut stages = stages::resolve(&netlist, &circuit, &mut problems);
        match Program::new(&netlist, circuit, planned.exprs) {
            Ok(program) if problems.is_empty() => {
                let names = stages::learning_names(&program);
                stages::resolve_learning(&names, &mut stages, &mut problems);
                looks::check(&netlist, &planned.measures, &stages, &mut problems);
                if problems.is_empty() {
                    return Ok(Experiment {
                        program: Arc::new(program),
                        stages,
                        measures: planned.measures,
                        traces: planned.traces,
                        weights: planned.weights,
                        path: path.to_owned(),
                        netlist,
                    });
                }
            }
            Ok(_) => {}
            Err(more) => problems.extend(more),
        }
        Err(Problems::new(netlist.sources, problems))
    }
}

fn load_netlist(
    path: &Path,
    options: &LoadOptions,
    seed: Option<u64>,
) -> Result<Netlist, Problems> {
    let mut options = options.clone();
    // An override like any other, so that the netlist in the run directory has it too.
    let seed = seed.map(|seed| format!("circuit.seed={seed}"));
    options.set.extend(seed);
    netlist::load(path, &options)
}

/// Loads and checks a netlist for its circuit alone, as for a drawing.
///
/// # Errors
/// Everything that is wrong in its texts.
pub fn load_circuit(
    path: &Path,
    options: &LoadOptions,
    seed: Option<u64>,
    paths: &DataPaths,
) -> Result<Circuit, Problems> {
    let netlist = load_netlist(path, options, seed)?;
    let (circuit, mut problems) = Circuit::build(&netlist, paths);
    if circuit.kind == CircuitKind::Rate {
        let experiment = Experiment::compile(netlist, &path.display().to_string(), paths)?;
        return Ok(experiment.program.circuit.clone());
    }
    problems.extend(check_neurons(&circuit));
    match problems.is_empty() {
        true => Ok(circuit),
        false => Err(Problems::new(netlist.sources, problems)),
    }
}

/// Why a sound circuit of spiking neurons is no experiment for the rate engine.
fn not_rates(netlist: &Netlist) -> Problem {
    let message = "the rate engine needs a circuit of rates: the neurons of this one spike";
    let problem = Problem::new(message, netlist.circuit.name.span, "its neurons spike");
    problem.help("load it as a `Runnable`, which finds the engine")
}
