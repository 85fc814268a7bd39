//! Running an experiment: its stages one after the other, into a run directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use indexmap::IndexMap;

use super::Experiment;
use super::collect::{Accumulator, Collector, Parts};
use super::probes::{PlannedKind, Weighted};
use super::stages::{Length, Stage};
use crate::circuit::{InputId, draw};
use crate::compile::Weights;
use crate::compile::plan::Activity;
use crate::engine::rate::{NotFinite, Settings, Simulation, State, Stopped};
use crate::input::{DataError, DataPaths};
use crate::measure::agreement;
use crate::record::{
    Machine, MeasureNote, MeasureReport, NetlistReport, RecordError, Recorder, RecorderSpec,
    RunDirectory, RunReport, StageReport, StopReason, TraceBlock, TraceSpec, WeightSpec,
    peak_memory_mib, rfc3339_utc,
};
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
        if self.stages.is_empty() {
            let problem = Problem::new(
                "there is nothing to run: the netlist has no stage",
                self.netlist.circuit.name.span,
                "this circuit",
            );
            return Err(self.problem(
                problem.help("add a table, such as [[stage]] name = \"train\" steps = 1000"),
            ));
        }
        let simulation = Simulation::new(self.program.clone(), &options.paths, options.threads)?;
        let directory = RunDirectory::create(&options.out, options.overwrite)?;
        directory.write_netlist(&self.netlist.resolved)?;
        directory.write_plot(
            "circuit",
            "svg",
            draw::svg(&self.program.circuit).as_bytes(),
        )?;
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

    fn problem(&self, problem: Problem) -> RunError {
        RunError::Netlist(Box::new(Problems::new(
            self.netlist.sources.clone(),
            vec![problem],
        )))
    }

    /// Names of all stages that run steps, in order: the numbers that recordings use.
    fn leaves(&self) -> Vec<String> {
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

/// A run under way.
struct Run<'e> {
    experiment: &'e Experiment,
    simulation: Simulation,
    recorder: Recorder,
    blocks: Vec<Option<TraceBlock>>,
    accumulators: Vec<Accumulator>,
    interrupt: Arc<AtomicBool>,
    leaves: Vec<String>,
    reports: Vec<StageReport>,
    /// Steps in which something learned.
    trained: u64,
    started: (SystemTime, Instant),
}

impl<'e> Run<'e> {
    fn new(
        experiment: &'e Experiment,
        options: &RunOptions,
        simulation: Simulation,
        directory: &RunDirectory,
    ) -> Result<Self, RunError> {
        let leaves = experiment.leaves();
        let circuit = &experiment.program.circuit;
        let trace = |t: &super::TracePlan| TraceSpec {
            name: t.name.clone(),
            columns: t.elements.iter().map(usize::to_string).collect(),
        };
        let weights = |w: &super::WeightPlan| {
            let (rows, columns) = weight_shape(experiment, w.of);
            WeightSpec {
                name: w.name.clone(),
                rows,
                columns,
            }
        };
        let spec = RecorderSpec {
            traces: experiment.traces.iter().map(trace).collect(),
            weights: experiment.weights.iter().map(weights).collect(),
            stages: leaves.clone(),
            step_ms: (!circuit.step.dimension.is_none()).then_some(circuit.step.value),
        };
        Ok(Run {
            experiment,
            simulation,
            recorder: Recorder::start(directory, spec)?,
            blocks: experiment.traces.iter().map(|_| None).collect(),
            accumulators: experiment
                .measures
                .iter()
                .map(|m| Accumulator::new(&m.kind))
                .collect(),
            interrupt: options.interrupt.clone(),
            leaves,
            reports: Vec::new(),
            trained: 0,
            started: (SystemTime::now(), Instant::now()),
        })
    }

    /// Steps of a pass over an input.
    fn epoch(&self, input: usize, split: Option<&str>) -> u64 {
        self.simulation
            .sources()
            .process(InputId(input as u32))
            .and_then(|p| p.epoch(split))
            .unwrap_or(0)
    }

    /// Runs stages in a row; `within` names the stages they are part of.
    fn stages(
        &mut self,
        stages: &[Stage],
        within: &mut Vec<String>,
        progress: &mut dyn Progress,
    ) -> Result<StopReason, RunError> {
        for stage in stages {
            within.push(stage.name.clone());
            for _ in 0..stage.repeat {
                let stop = match &stage.length {
                    Length::Parts(parts) => self.stages(parts, within, progress)?,
                    Length::Steps(steps) => self.leaf(stage, *steps, within, progress)?,
                    Length::Epochs { count, input } => {
                        let steps = count * self.epoch(*input, stage.split(*input));
                        self.leaf(stage, steps, within, progress)?
                    }
                };
                if stop != StopReason::Completed {
                    return Ok(stop);
                }
            }
            within.pop();
        }
        Ok(StopReason::Completed)
    }

    /// Runs one stage that has no parts.
    fn leaf(
        &mut self,
        stage: &Stage,
        steps: u64,
        within: &[String],
        progress: &mut dyn Progress,
    ) -> Result<StopReason, RunError> {
        let experiment = self.experiment;
        let looks =
            |during: &[String]| during.is_empty() || during.iter().any(|d| within.contains(d));
        let measures: Vec<usize> = (0..experiment.measures.len())
            .filter(|i| looks(&experiment.measures[*i].during))
            .collect();
        let traces: Vec<usize> = (0..experiment.traces.len())
            .filter(|i| looks(&experiment.traces[*i].during))
            .collect();
        let activity = Activity {
            learns: stage.learns.clone(),
            probed: self.probed(&measures, &traces),
        };
        let settings = Settings {
            activity,
            schedules: stage.schedules.clone(),
            splits: self.splits(stage),
        };
        self.simulation
            .enter(&settings)
            .map_err(|p| experiment.problem(p))?;
        let number = self
            .leaves
            .iter()
            .position(|l| *l == stage.name)
            .unwrap_or(0) as u32;
        let learning = stage.learns.iter().any(|l| *l);
        let sampled: Vec<usize> = (0..experiment.weights.len())
            .filter(|i| looks(&experiment.weights[*i].during))
            .collect();
        progress.stage(&stage.name);
        let begun = Instant::now();
        let first = self.simulation.state().step;
        let mut collector = Collector::new(
            Parts {
                program: &experiment.program,
                measures: &experiment.measures,
                traces: &experiment.traces,
                accumulators: &mut self.accumulators,
                recorder: &mut self.recorder,
                blocks: &mut self.blocks,
                progress,
                interrupt: &self.interrupt,
                learns_at_all: experiment.stages.iter().any(Stage::learns_at_all),
            },
            (measures, traces),
            number,
            self.trained,
            learning,
        );
        let mut left = steps;
        let mut result = Ok(());
        while left > 0 && result.is_ok() {
            let n = until_sample(experiment, &sampled, collector.trained, learning).min(left);
            result = self.simulation.run(n, &mut collector);
            left -= n;
            if learning && result.is_ok() {
                sample_weights(
                    experiment,
                    &sampled,
                    self.simulation.state(),
                    collector.trained,
                    number,
                    collector.recorder,
                )?;
            }
        }
        collector.end(self.simulation.state().step);
        self.trained = collector.trained;
        if let Some(failure) = collector.failure.take() {
            return Err(failure.into());
        }
        let done = self.simulation.state().step - first;
        self.note_stage(&stage.name, done, begun.elapsed().as_secs_f64());
        Ok(self.stop_reason(result, &stage.name))
    }

    fn probed(&self, measures: &[usize], traces: &[usize]) -> Vec<bool> {
        let mut probed = vec![false; self.experiment.program.probes.len()];
        for index in measures {
            let used: &[usize] = match &self.experiment.measures[*index].kind {
                PlannedKind::Mean { of, when, .. } => &[*of, when.unwrap_or(*of)],
                PlannedKind::RSquared {
                    truth, prediction, ..
                } => &[*truth, *prediction],
                PlannedKind::Autocorrelation { of, .. } | PlannedKind::CorrelationMatrix { of } => {
                    &[*of]
                }
                PlannedKind::MatrixAgreement(_) | PlannedKind::CurveDifference(..) => &[],
            };
            used.iter().for_each(|p| probed[*p] = true);
        }
        traces
            .iter()
            .for_each(|t| probed[self.experiment.traces[*t].probe] = true);
        probed
    }

    /// Inputs that the stage names, and the one whose passes it counts, start over.
    fn splits(&self, stage: &Stage) -> Vec<(usize, Option<String>)> {
        let mut splits: Vec<_> = stage
            .splits
            .iter()
            .map(|(i, s)| (*i, Some(s.clone())))
            .collect();
        if let Length::Epochs { input, .. } = stage.length
            && stage.split(input).is_none()
        {
            splits.push((input, None));
        }
        splits
    }

    fn note_stage(&mut self, name: &str, steps: u64, wall_seconds: f64) {
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

    fn stop_reason(&self, result: Result<(), Stopped>, stage: &str) -> StopReason {
        let circuit = &self.experiment.program.circuit;
        match result {
            Ok(()) => StopReason::Completed,
            Err(Stopped::ByObserver) => StopReason::Interrupted {
                stage: stage.to_owned(),
                step: self.simulation.state().step,
            },
            Err(Stopped::NotFinite(NotFinite {
                compartment,
                step,
                neuron,
            })) => StopReason::NotFinite {
                population: circuit.population(compartment.population).name.clone(),
                compartment: circuit.compartment(compartment).name.clone(),
                stage: stage.to_owned(),
                step,
                neuron,
            },
        }
    }

    fn record_weights(&mut self, stage: u32, first: bool) -> Result<(), RunError> {
        for index in 0..self.experiment.weights.len() {
            if !first
                && self
                    .trained
                    .is_multiple_of(self.experiment.weights[index].every)
            {
                continue;
            }
            send_weights(
                self.experiment,
                index,
                self.simulation.state(),
                stage,
                &mut self.recorder,
            )?;
        }
        Ok(())
    }

    /// Writes what is left, and `run.json`.
    fn finish(
        mut self,
        stop: StopReason,
        options: &RunOptions,
        directory: &RunDirectory,
    ) -> Result<RunReport, RunError> {
        let last = self.leaves.len().saturating_sub(1) as u32;
        self.record_weights(last, false)?;
        for block in self.blocks.iter_mut().filter_map(Option::take) {
            self.recorder.send_trace(block)?;
        }
        let measures = self.measures(directory)?;
        let summary = self.recorder.finish()?;
        let experiment = self.experiment;
        let wall_seconds = self.started.1.elapsed().as_secs_f64();
        let steps = self.simulation.state().step;
        let note = |m: &super::MeasurePlan| {
            (
                m.name.clone(),
                MeasureNote {
                    about: m.about.clone(),
                    expect: m.expect.clone(),
                },
            )
        };
        let report = RunReport {
            apical: env!("CARGO_PKG_VERSION").to_owned(),
            netlist: NetlistReport {
                name: experiment.netlist.circuit.name.value.clone(),
                path: experiment.path.clone(),
            },
            seed: experiment.netlist.circuit.seed,
            threads: options.threads,
            replicas: experiment.program.layout.replicas,
            started: rfc3339_utc(self.started.0),
            wall_seconds,
            steps,
            steps_per_second: steps as f64 / wall_seconds,
            peak_memory_mib: peak_memory_mib(),
            machine: Machine::here(),
            stop,
            stages: self.reports,
            measures,
            measure_notes: experiment.measures.iter().map(note).collect(),
            traces: summary.traces,
            weights: summary.weights,
            warnings: vec![],
        };
        directory.write_run_json(&report)?;
        Ok(report)
    }

    fn measures(
        &mut self,
        directory: &RunDirectory,
    ) -> Result<IndexMap<String, MeasureReport>, RunError> {
        let mut found: IndexMap<String, MeasureReport> = IndexMap::new();
        let mut matrices: IndexMap<String, Vec<f64>> = IndexMap::new();
        let plans = &self.experiment.measures;
        for (plan, accumulator) in plans.iter().zip(&self.accumulators) {
            let report = match accumulator {
                Accumulator::Mean(mean) => {
                    mean_report(mean.found(), &plan.during, plan.expect.clone())
                }
                Accumulator::RSquared(m) => {
                    let pooled = matches!(plan.kind, PlannedKind::RSquared { pooled: true, .. });
                    let (rows, columns, values) = m.sample();
                    let sample = directory.write_matrix(&plan.name, rows, columns, &values)?;
                    let r_squared = if pooled {
                        m.pooled()
                    } else {
                        m.mean_of_elements()
                    };
                    MeasureReport::Comparison {
                        r_squared,
                        pooled,
                        per_dimension: m.per_element(),
                        sample,
                    }
                }
                Accumulator::Autocorrelation(m) => {
                    let y = m.curve();
                    let x = (0..y.len()).map(|k| k as f64).collect();
                    MeasureReport::Curve {
                        x,
                        y,
                        x_label: "lag (steps)".to_owned(),
                        y_label: "autocorrelation".to_owned(),
                    }
                }
                Accumulator::CorrelationMatrix(m) => {
                    let (n, values) = m.matrix();
                    let file = directory.write_matrix(&plan.name, n, n, &values)?;
                    let report = MeasureReport::matrix(n, n, &values, file);
                    matrices.insert(plan.name.clone(), values);
                    report
                }
                Accumulator::Derived => continue,
            };
            found.insert(plan.name.clone(), report);
        }
        for plan in plans {
            let value = match &plan.kind {
                PlannedKind::MatrixAgreement([a, b]) => match (matrices.get(a), matrices.get(b)) {
                    (Some(a), Some(b)) => agreement::correlation(a, b),
                    _ => f64::NAN,
                },
                PlannedKind::CurveDifference([a, b], at) => match (found.get(a), found.get(b)) {
                    (
                        Some(MeasureReport::Curve { y: a, .. }),
                        Some(MeasureReport::Curve { y: b, .. }),
                    ) => agreement::largest_difference(a, b, at),
                    _ => f64::NAN,
                },
                _ => continue,
            };
            found.insert(
                plan.name.clone(),
                MeasureReport::Number {
                    value,
                    unit: None,
                    expect: plan.expect.clone(),
                },
            );
        }
        Ok(found)
    }
}

/// One number, or a series of them.
fn mean_report(found: &[(u64, f64)], during: &[String], expect: Option<String>) -> MeasureReport {
    match found {
        [] => MeasureReport::Number {
            value: f64::NAN,
            unit: None,
            expect,
        },
        [(_, value)] => MeasureReport::Number {
            value: *value,
            unit: None,
            expect,
        },
        many => MeasureReport::Series {
            stage: during.join(", "),
            step: many.iter().map(|(step, _)| *step).collect(),
            value: many.iter().map(|(_, value)| *value).collect(),
            x_label: "steps of learning".to_owned(),
        },
    }
}

/// Steps until the next sample of weights is due.
fn until_sample(experiment: &Experiment, sampled: &[usize], trained: u64, learning: bool) -> u64 {
    let next = |index: &usize| {
        let every = experiment.weights[*index].every;
        every - trained % every
    };
    if learning {
        sampled.iter().map(next).min().unwrap_or(u64::MAX)
    } else {
        u64::MAX
    }
}

fn sample_weights(
    experiment: &Experiment,
    sampled: &[usize],
    state: &State,
    trained: u64,
    stage: u32,
    recorder: &mut Recorder,
) -> Result<(), RunError> {
    for index in sampled
        .iter()
        .filter(|i| trained.is_multiple_of(experiment.weights[**i].every))
    {
        send_weights(experiment, *index, state, stage, recorder)?;
    }
    Ok(())
}

/// Presynaptic × postsynaptic neurons; single weights per neuron are one row.
fn weight_shape(experiment: &Experiment, of: Weighted) -> (usize, usize) {
    use crate::circuit::connect::Connectivity;
    let circuit = &experiment.program.circuit;
    match of {
        Weighted::Bias(id) => (1, circuit.population(id.population).size),
        Weighted::Projection(id) => match &circuit.projections[id.0 as usize].connectivity {
            Connectivity::Dense { pre, post } => (*pre, *post),
            Connectivity::OneToOne { size } => (1, *size),
            Connectivity::Sparse(sparse) => (1, sparse.targets.len()),
        },
    }
}

/// Sends a sample of weights without their padding.
fn send_weights(
    experiment: &Experiment,
    index: usize,
    state: &State,
    stage: u32,
    recorder: &mut Recorder,
) -> Result<(), RunError> {
    let of = experiment.weights[index].of;
    let (rows, columns) = weight_shape(experiment, of);
    let mut buffer = recorder.weight_buffer(index);
    let (values, row) = match of {
        Weighted::Bias(id) => {
            let at = experiment.program.layout.biases[&id];
            (&*state.vectors[at.0 as usize], columns)
        }
        Weighted::Projection(id) => {
            let weights = &state.weights[id.0 as usize];
            let row = match weights {
                Weights::Dense { row, .. } => *row,
                _ => columns,
            };
            (weights.values(), row)
        }
    };
    for j in 0..rows {
        buffer.extend_from_slice(&values[j * row..j * row + columns]);
    }
    Ok(recorder.send_weights(index, stage, state.step, buffer)?)
}
