//! A run under way: stages one after the other, with what is measured and recorded.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use super::Experiment;
use super::collect::{Accumulator, Collector, Parts};
use super::findings;
use super::probes::PlannedKind;
use super::run::{Progress, RunError, RunOptions};
use super::stage_log::{StageLog, looks};
use super::stages::{Length, Stage};
use super::weights::{sample_weights, send_weights, until_sample, weight_shape};
use crate::circuit::InputId;
use crate::compile::plan::Activity;
use crate::engine::rate::{NotFinite, Settings, Simulation, Stopped};
use crate::input::Pass;
use crate::record::{
    Machine, MeasureNote, NetlistReport, Recorder, RecorderSpec, RunDirectory, RunReport,
    StopReason, TraceBlock, TraceSpec, WeightSpec, peak_memory_mib, rfc3339_utc,
};

/// A run under way.
pub(super) struct Run<'e> {
    experiment: &'e Experiment,
    simulation: Simulation,
    recorder: Recorder,
    blocks: Vec<Option<TraceBlock>>,
    accumulators: Vec<Accumulator>,
    interrupt: Arc<AtomicBool>,
    log: StageLog,
    /// Steps in which something learned.
    trained: u64,
    started: (SystemTime, Instant),
}

/// What looks at a stage, by number.
struct Active {
    measures: Vec<usize>,
    traces: Vec<usize>,
    weights: Vec<usize>,
}

/// The numbers of those that look at a stage which is `within` others.
fn looking<T>(all: &[T], during: impl Fn(&T) -> &Vec<String>, within: &[String]) -> Vec<usize> {
    (0..all.len())
        .filter(|i| looks(during(&all[*i]), within))
        .collect()
}

impl<'e> Run<'e> {
    pub(super) fn new(
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
            ..TraceSpec::default()
        };
        let weights = |w: &super::WeightPlan| {
            let (rows, columns) = weight_shape(&experiment.program, w.of);
            WeightSpec {
                name: w.name.clone(),
                rows,
                columns,
                ..WeightSpec::default()
            }
        };
        let spec = RecorderSpec {
            traces: experiment.traces.iter().map(trace).collect(),
            weights: experiment.weights.iter().map(weights).collect(),
            stages: leaves.clone(),
            spikes: None,
            step_ms: (!circuit.time().is_none()).then_some(circuit.step_length().value),
        };
        Ok(Run {
            experiment,
            simulation,
            recorder: Recorder::start(directory, spec)?,
            blocks: experiment.traces.iter().map(|_| None).collect(),
            accumulators: experiment
                .measures
                .iter()
                .map(|m| Accumulator::new(&m.kind, circuit.replicas))
                .collect(),
            interrupt: options.interrupt.clone(),
            log: StageLog::new(leaves),
            trained: 0,
            started: (SystemTime::now(), Instant::now()),
        })
    }

    /// Steps of a pass over an input.
    pub(super) fn epoch(&self, input: usize, split: Option<&str>) -> u64 {
        self.simulation
            .sources()
            .process(InputId(input as u32))
            .and_then(|p| p.epoch(split))
            .unwrap_or(0)
    }

    /// Runs stages in a row; `within` names the stages they are part of.
    pub(super) fn stages(
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
        let active = self.enter(stage, within)?;
        progress.stage(&stage.name);
        let begun = Instant::now();
        let first = self.simulation.state().step;
        let result = self.steps((stage, steps), active, progress)?;
        let done = self.simulation.state().step - first;
        self.log
            .add(&stage.name, done, begun.elapsed().as_secs_f64());
        Ok(self.stop_reason(result, &stage.name))
    }

    /// Makes the simulation ready for a stage.
    fn enter(&mut self, stage: &Stage, within: &[String]) -> Result<Active, RunError> {
        let experiment = self.experiment;
        let active = Active {
            measures: looking(&experiment.measures, |m| &m.during, within),
            traces: looking(&experiment.traces, |t| &t.during, within),
            weights: looking(&experiment.weights, |w| &w.during, within),
        };
        let samples = self.updates(&active.measures, stage);
        let settings = Settings {
            activity: Activity {
                learns: stage.learns.clone(),
                probed: self.probed(&active.measures, &active.traces),
                measured: samples.iter().map(Option::is_some).collect(),
            },
            schedules: stage.schedules.clone(),
            splits: self.splits(stage),
            trial: stage.trial.clone(),
            seed: stage.seed,
            samples: samples.iter().map(|s| s.unwrap_or(1)).collect(),
        };
        self.simulation
            .enter(&settings)
            .map_err(|p| RunError::of(&experiment.netlist, p))?;
        Ok(active)
    }

    /// Runs the steps of the stage that was entered, with stops where weights are recorded.
    fn steps(
        &mut self,
        (stage, steps): (&Stage, u64),
        active: Active,
        progress: &mut dyn Progress,
    ) -> Result<Result<(), Stopped>, RunError> {
        let experiment = self.experiment;
        let number = self.log.number(&stage.name);
        let learning = stage.learns.iter().any(|l| *l);
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
            (active.measures, active.traces),
            (number, &stage.name),
            self.trained,
            learning,
        );
        let sampled = active.weights;
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
                    collector.parts.recorder,
                )?;
            }
        }
        collector.end(self.simulation.state());
        self.trained = collector.trained;
        match collector.failure.take() {
            Some(failure) => Err(failure.into()),
            None => Ok(result),
        }
    }

    /// Steps in a sample of each measured rule of the program; `None` for those that nobody looks at.
    fn updates(&self, measures: &[usize], stage: &Stage) -> Vec<Option<u64>> {
        let mut samples = vec![None; self.experiment.program.measured.len()];
        for index in measures {
            if let PlannedKind::Update { rule, sample, .. } = self.experiment.measures[*index].kind
            {
                let trial = stage.trial.as_ref().map(|trial| trial.steps);
                samples[rule] = trial.or(sample);
            }
        }
        samples
    }

    fn probed(&self, measures: &[usize], traces: &[usize]) -> Vec<bool> {
        let mut probed = vec![false; self.experiment.program.probes.len()];
        for index in measures {
            let (used, maybe): (&[usize], Option<usize>) =
                match &self.experiment.measures[*index].kind {
                    PlannedKind::Mean { of, when, .. } => (&[*of], *when),
                    PlannedKind::RSquared {
                        truth, prediction, ..
                    } => (&[*truth, *prediction], None),
                    PlannedKind::Autocorrelation { of, .. }
                    | PlannedKind::CorrelationMatrix { of }
                    | PlannedKind::StageCorrelation { of, .. } => (&[*of], None),
                    PlannedKind::Tuning { of, bins, .. }
                    | PlannedKind::VolumeFraction { of, bins, .. } => (&[*of, bins.by], bins.when),
                    PlannedKind::Ellipses { of, target, bins } => {
                        (&[*of, target.unwrap_or(*of), bins.by], bins.when)
                    }
                    PlannedKind::Sensitivity {
                        of, class, when, ..
                    } => (&[*of, *class], *when),
                    PlannedKind::Accuracy {
                        of, class, when, ..
                    } => (&[*of, *class], *when),
                    PlannedKind::Images { of, when, .. } => (of, *when),
                    PlannedKind::LinearReadout { samples, .. } => {
                        let since = samples.since.unwrap_or(samples.of);
                        (&[samples.of, samples.label, since], samples.when)
                    }
                    PlannedKind::Update { .. }
                    | PlannedKind::Peaks(_)
                    | PlannedKind::Cosine(_)
                    | PlannedKind::MatrixAgreement(_)
                    | PlannedKind::CurveDifference(..) => (&[], None),
                };
            used.iter().chain(&maybe).for_each(|p| probed[*p] = true);
        }
        traces
            .iter()
            .for_each(|t| probed[self.experiment.traces[*t].probe] = true);
        probed
    }

    /// Inputs that the stage names, and the one whose passes it counts, start over.
    fn splits(&self, stage: &Stage) -> Vec<(usize, Pass)> {
        let mut splits = stage.splits.clone();
        if let Length::Epochs { input, .. } = stage.length
            && stage.split(input).is_none()
        {
            splits.push((input, Pass::default()));
        }
        splits
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

    pub(super) fn record_weights(&mut self, stage: u32, first: bool) -> Result<(), RunError> {
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
    pub(super) fn finish(
        mut self,
        stop: StopReason,
        options: &RunOptions,
        directory: &RunDirectory,
    ) -> Result<RunReport, RunError> {
        let last = self.log.last();
        self.record_weights(last, false)?;
        for block in self.blocks.iter_mut().filter_map(Option::take) {
            self.recorder.send_trace(block)?;
        }
        let measures = findings::reports(self.experiment, &self.accumulators, directory)?;
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
            stages: self.log.reports,
            measures,
            measure_notes: experiment.measures.iter().map(note).collect(),
            traces: summary.traces,
            weights: summary.weights,
            spikes: None,
            warnings: vec![],
        };
        directory.write_run_json(&report)?;
        Ok(report)
    }
}
