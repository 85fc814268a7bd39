//! The observer of a run: feeds measures and recordings, reports progress, listens for an end.

use std::sync::atomic::{AtomicBool, Ordering};

use super::probes::{MeasurePlan, PlannedKind, PlannedSamples, TracePlan, Weighted};
use super::run::Progress;
use super::weights::{unpadded, weight_shape};
use crate::compile::Program;
use crate::engine::rate::{Observer, State};
use crate::lang::vm::padded;
use crate::measure::{
    Autocorrelation, CorrelationMatrix, Covariance, Images, Mean, RSquared, Readout, Samples,
    Sensitivity, StageCorrelation, Tuning, UpdateBlock, class, share_right,
};
use crate::record::{RecordError, Recorder, TraceBlock};

/// A measure at work.
#[derive(Debug)]
pub(super) enum Accumulator {
    Mean(Mean),
    RSquared(RSquared),
    Autocorrelation(Autocorrelation),
    CorrelationMatrix(CorrelationMatrix),
    StageCorrelation(StageCorrelation),
    Tuning(Tuning),
    /// Means and ellipses, and the means of what should have been.
    Ellipses(Covariance, Option<Tuning>),
    /// Covariances, and the fractions found at the end of a stage.
    VolumeFraction(Covariance, Vec<f64>),
    Sensitivity(Sensitivity),
    Images(Images),
    /// Samples, and the classifiers that read them.
    Readout(Samples, Box<Readout>),
    /// Updates of a rule, one block each time a stage has run.
    Updates(Vec<UpdateBlock>),
    /// Made of other measures when the run has ended.
    Derived,
}

impl Accumulator {
    pub fn new(kind: &PlannedKind, replicas: usize) -> Self {
        match kind {
            PlannedKind::Mean { window, .. } | PlannedKind::Accuracy { window, .. } => {
                Accumulator::Mean(Mean::new(*window))
            }
            PlannedKind::Images { of, count, .. } => {
                Accumulator::Images(Images::new(of.len(), *count))
            }
            PlannedKind::RSquared { .. } => Accumulator::RSquared(RSquared::default()),
            PlannedKind::Autocorrelation { lags, .. } => {
                Accumulator::Autocorrelation(Autocorrelation::new(*lags))
            }
            PlannedKind::CorrelationMatrix { .. } => {
                Accumulator::CorrelationMatrix(CorrelationMatrix::default())
            }
            PlannedKind::StageCorrelation { .. } => {
                Accumulator::StageCorrelation(StageCorrelation::default())
            }
            PlannedKind::Tuning { bins, .. } => Accumulator::Tuning(Tuning::new(bins.bins)),
            PlannedKind::Ellipses { bins, target, .. } => Accumulator::Ellipses(
                Covariance::new(bins.bins, 2),
                target.map(|_| Tuning::new(bins.bins)),
            ),
            PlannedKind::VolumeFraction { bins, size, .. } => {
                Accumulator::VolumeFraction(Covariance::new(bins.bins, *size), vec![])
            }
            PlannedKind::Sensitivity { window, .. } => {
                Accumulator::Sensitivity(Sensitivity::new(*window))
            }
            PlannedKind::LinearReadout {
                samples,
                penalty,
                most,
                ..
            } => {
                let readout = Readout::new(samples.size, samples.classes, *penalty, *most);
                Accumulator::Readout(Samples::new(samples.size, replicas), Box::new(readout))
            }
            PlannedKind::Update { .. } => Accumulator::Updates(vec![]),
            PlannedKind::Peaks(_)
            | PlannedKind::MatrixAgreement(_)
            | PlannedKind::CurveDifference(..)
            | PlannedKind::Cosine(_) => Accumulator::Derived,
        }
    }

    /// A stage begins in which it looks: what is about one stage starts afresh.
    fn begin(&mut self) {
        match self {
            Accumulator::RSquared(m) => m.reset(),
            Accumulator::Autocorrelation(m) => m.reset(),
            Accumulator::CorrelationMatrix(m) => m.reset(),
            Accumulator::Tuning(m) => m.reset(),
            Accumulator::Images(m) => m.reset(),
            Accumulator::VolumeFraction(m, _) => m.reset(),
            Accumulator::Ellipses(m, target) => {
                m.reset();
                target.iter_mut().for_each(Tuning::reset);
            }
            Accumulator::Readout(m, _) => m.reset(),
            Accumulator::Mean(_)
            | Accumulator::Sensitivity(_)
            | Accumulator::StageCorrelation(_)
            | Accumulator::Updates(_)
            | Accumulator::Derived => {}
        }
    }
}

/// What a collector looks at, and what it feeds.
pub(super) struct Parts<'a> {
    pub program: &'a Program,
    pub measures: &'a [MeasurePlan],
    pub traces: &'a [TracePlan],
    pub accumulators: &'a mut [Accumulator],
    pub recorder: &'a mut Recorder,
    pub blocks: &'a mut [Option<TraceBlock>],
    pub progress: &'a mut dyn Progress,
    pub interrupt: &'a AtomicBool,
    /// Whether anything learns in any stage of the run.
    pub learns_at_all: bool,
}

/// Feeds what is active in the stage that runs.
pub(super) struct Collector<'a> {
    pub parts: Parts<'a>,
    /// Measures and traces that look in this stage.
    active: (Vec<usize>, Vec<usize>),
    /// Number of the stage, as recorded.
    stage: u32,
    /// Its name.
    name: String,
    /// Steps of this stage done.
    pub step_in_stage: u64,
    /// Steps in which something learned, before this stage and in it.
    pub trained: u64,
    learning: bool,
    pub failure: Option<RecordError>,
    row: Vec<f64>,
}

impl<'a> Collector<'a> {
    pub fn new(
        parts: Parts<'a>,
        active: (Vec<usize>, Vec<usize>),
        (stage, name): (u32, &str),
        trained: u64,
        learning: bool,
    ) -> Self {
        for index in &active.0 {
            parts.accumulators[*index].begin();
            if let (
                PlannedKind::StageCorrelation { between, .. },
                Accumulator::StageCorrelation(m),
            ) = (
                &parts.measures[*index].kind,
                &mut parts.accumulators[*index],
            ) {
                m.begin(usize::from(between[0] != name));
            }
            if let (PlannedKind::LinearReadout { train, .. }, Accumulator::Readout(_, readout)) = (
                &parts.measures[*index].kind,
                &mut parts.accumulators[*index],
            ) {
                match train == name {
                    true => readout.begin_training(),
                    false => readout.begin_test(),
                }
            }
        }
        Collector {
            parts,
            active,
            stage,
            name: name.to_owned(),
            step_in_stage: 0,
            trained,
            learning,
            failure: None,
            row: Vec::new(),
        }
    }

    /// The stage has ended in a state: windows are closed, updates are taken.
    pub fn end(&mut self, state: &State) {
        let now = self.when(state.step);
        for index in &self.active.0 {
            match (
                &self.parts.measures[*index].kind,
                &mut self.parts.accumulators[*index],
            ) {
                (_, Accumulator::Mean(mean)) => mean.close(now),
                (_, Accumulator::StageCorrelation(m)) => m.close(now),
                (_, Accumulator::Sensitivity(m)) => m.close(now),
                (PlannedKind::LinearReadout { train, .. }, Accumulator::Readout(_, readout)) => {
                    match *train == self.name {
                        true => readout.end_training(),
                        false => readout.end_test(now),
                    }
                }
                (
                    PlannedKind::VolumeFraction { readout, .. },
                    Accumulator::VolumeFraction(m, found),
                ) => {
                    let weights = state.weights[readout.0 as usize].values();
                    let of = Weighted::Projection(*readout);
                    let outputs = weight_shape(self.parts.program, of).1;
                    *found =
                        m.volume_fractions(&unpadded(self.parts.program, of, &weights), outputs);
                }
                (PlannedKind::Update { rule, of, .. }, Accumulator::Updates(blocks)) => {
                    let update = &state.updates[*rule];
                    if update.count() > 0 {
                        blocks.push(UpdateBlock {
                            when: now,
                            samples: update.count(),
                            mean: unpadded(self.parts.program, *of, update.mean()),
                            variance: unpadded(self.parts.program, *of, &update.variance()),
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// Where a series has a value: at the steps of learning, or the steps of the run if nothing has learned.
    fn when(&self, steps: u64) -> u64 {
        if self.parts.learns_at_all {
            self.trained
        } else {
            steps
        }
    }

    fn measure(&mut self, index: usize, state: &State) {
        let program = self.parts.program;
        let vector = |probe: usize| state.vector(program.probes[probe].what);
        let now = self.when(state.step);
        let number = |probe: usize| vector(probe).first().copied().unwrap_or(f64::NAN);
        let counts = |when: Option<usize>| when.is_none_or(|w| number(w).abs() > 0.0);
        match (
            &self.parts.measures[index].kind,
            &mut self.parts.accumulators[index],
        ) {
            (PlannedKind::Mean { of, when, .. }, Accumulator::Mean(mean)) => {
                mean.add(counts(*when).then(|| number(*of)), now);
            }
            (
                PlannedKind::Accuracy {
                    of,
                    class,
                    size,
                    when,
                    ..
                },
                Accumulator::Mean(mean),
            ) => {
                let all = |probe: usize| state.replicas(program.probes[probe].what);
                let right = || share_right(all(*of), all(*class), *size, padded(*size));
                mean.add(counts(*when).then(right).flatten(), now);
            }
            (PlannedKind::Images { of, when, .. }, Accumulator::Images(m)) if counts(*when) => {
                m.add(of.iter().map(|probe| vector(*probe)));
            }
            (
                PlannedKind::RSquared {
                    truth, prediction, ..
                },
                Accumulator::RSquared(m),
            ) => {
                m.add(vector(*truth), vector(*prediction));
            }
            (PlannedKind::Autocorrelation { of, .. }, Accumulator::Autocorrelation(m)) => {
                m.add(vector(*of))
            }
            (PlannedKind::CorrelationMatrix { of }, Accumulator::CorrelationMatrix(m)) => {
                m.add(vector(*of))
            }
            (PlannedKind::Tuning { of, bins, .. }, Accumulator::Tuning(m)) if counts(bins.when) => {
                m.add(number(bins.by), vector(*of));
            }
            (PlannedKind::Ellipses { of, target, bins }, Accumulator::Ellipses(m, means))
                if counts(bins.when) =>
            {
                m.add(number(bins.by), vector(*of));
                if let (Some(target), Some(means)) = (target, means) {
                    means.add(number(bins.by), vector(*target));
                }
            }
            (PlannedKind::VolumeFraction { of, bins, .. }, Accumulator::VolumeFraction(m, _))
                if counts(bins.when) =>
            {
                m.add(number(bins.by), vector(*of));
            }
            (
                PlannedKind::Sensitivity {
                    of, class, when, ..
                },
                Accumulator::Sensitivity(m),
            ) => {
                let value = counts(*when).then(|| number(*of));
                m.add(value, number(*class).abs() > 0.0, now);
            }
            (
                PlannedKind::LinearReadout {
                    samples: plan,
                    train,
                    ..
                },
                Accumulator::Readout(samples, readout),
            ) => {
                let trains = *train == self.name;
                each_sample(program, state, plan, samples, |sample, class| {
                    if trains {
                        readout.train(sample, class);
                    } else {
                        readout.test(sample, class);
                    }
                });
            }
            (PlannedKind::StageCorrelation { of, between }, Accumulator::StageCorrelation(m)) => {
                let which = usize::from(between[0] != self.name);
                m.add(which, vector(*of));
            }
            _ => {}
        }
    }

    fn record(&mut self, index: usize, state: &State) {
        let trace = &self.parts.traces[index];
        if !self.step_in_stage.is_multiple_of(trace.every) || self.failure.is_some() {
            return;
        }
        let values = state.vector(self.parts.program.probes[trace.probe].what);
        self.row.clear();
        self.row
            .extend(trace.elements.iter().filter_map(|e| values.get(*e)));
        let mut block = self.parts.blocks[index]
            .take()
            .unwrap_or_else(|| self.parts.recorder.trace_block(index));
        // The state has moved on to the next step.
        block.push(self.stage, state.step - 1, &self.row);
        if block.is_full() {
            self.failure = self.parts.recorder.send_trace(block).err();
        } else {
            self.parts.blocks[index] = Some(block);
        }
    }
}

/// What is done with a sample and its class.
fn each_sample(
    program: &Program,
    state: &State,
    plan: &PlannedSamples,
    samples: &mut Samples,
    mut take: impl FnMut(&mut dyn Iterator<Item = f64>, usize),
) {
    for replica in 0..program.circuit.replicas {
        let of = |probe: usize| state.replica(program.probes[probe].what, replica);
        let holds = |probe: usize| of(probe).first().is_some_and(|x| x.abs() > 0.0);
        samples.add(replica, of(plan.of), plan.since.is_none_or(holds));
        if plan.when.is_none_or(holds)
            && let Some(class) = class(of(plan.label))
        {
            take(&mut samples.mean(replica), class);
        }
    }
}

impl Observer for Collector<'_> {
    fn step(&mut self, state: &State) {
        self.trained += u64::from(self.learning);
        for k in 0..self.active.0.len() {
            self.measure(self.active.0[k], state);
        }
        for k in 0..self.active.1.len() {
            self.record(self.active.1[k], state);
        }
        self.step_in_stage += 1;
    }

    fn every_step(&self) -> bool {
        let looks = |index: &usize| {
            !matches!(
                self.parts.accumulators[*index],
                Accumulator::Updates(_) | Accumulator::Derived
            )
        };
        self.active.0.iter().any(looks) || !self.active.1.is_empty()
    }

    fn reads_all(&self) -> bool {
        false
    }

    fn progress(&mut self, steps: u64) -> bool {
        if !self.every_step() {
            self.trained += if self.learning { steps } else { 0 };
            self.step_in_stage += steps;
        }
        self.parts.progress.steps(steps);
        self.failure.is_none() && !self.parts.interrupt.load(Ordering::Relaxed)
    }
}
