//! The observer of an event run: records spikes and samples, counts, reports progress, listens for an end.

use std::sync::atomic::{AtomicBool, Ordering};

use super::EventExperiment;
use super::measuring::Measuring;
use super::plan::Traced;
use crate::engine::event::simulation::{Observer, View};
use crate::engine::event::time::{NEVER, PS_PER_MS};
use crate::engine::event::turn::{Emitted, Signals};
use crate::experiment::run::Progress;
use crate::measure::SpikeTally;
use crate::record::{RecordError, Recorder, Spike, SpikeBlock, SpikeKind, TraceBlock};

/// How many spikes ahead the tally is told.
const AHEAD: usize = 16;

/// What stays from stage to stage.
pub(super) struct Kept {
    pub recorder: Recorder,
    pub traces: Vec<Option<TraceBlock>>,
    pub spikes: Option<SpikeBlock>,
    pub tally: SpikeTally,
    pub measuring: Measuring,
}

/// The observer of one stage.
pub(super) struct Collector<'c> {
    pub experiment: &'c EventExperiment,
    pub kept: &'c mut Kept,
    pub progress: &'c mut dyn Progress,
    pub interrupt: &'c AtomicBool,
    pub stage: u32,
    /// Populations whose spikes are recorded in this stage.
    pub recorded: Vec<bool>,
    /// Active traces and weights, and when each is sampled next (ps).
    pub traces: Vec<(usize, i64)>,
    pub weights: Vec<(usize, i64)>,
    pub failure: Option<RecordError>,
    /// Milliseconds that progress has been told of.
    pub told: u64,
}

impl Collector<'_> {
    /// Ends the stage: what has been gathered is sent.
    pub fn end(&mut self) -> Result<(), RecordError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        match self.kept.spikes.take().filter(|block| !block.is_empty()) {
            Some(block) => self.kept.recorder.send_spikes(block),
            None => Ok(()),
        }
    }

    fn record(&mut self, spike: Spike) {
        let Kept {
            recorder, spikes, ..
        } = &mut *self.kept;
        let block = spikes.get_or_insert_with(|| recorder.spike_block(self.stage));
        block.push(spike);
        if block.is_full()
            && let Some(block) = spikes.take()
        {
            let sent = recorder.send_spikes(block);
            self.failure = self.failure.take().or(sent.err());
        }
    }

    fn sample_trace(&mut self, index: usize, time: i64, view: &View<'_>) {
        let trace = &self.experiment.recordings.traces[index];
        let row: Vec<f64> = match &trace.of {
            Traced::Modulator(modulator) => vec![view.modulator(*modulator)],
            Traced::Input {
                input,
                output,
                elements,
            } => elements
                .iter()
                .map(|e| view.input(*input, *output, *e))
                .collect(),
            Traced::Compartment {
                population,
                variable,
                neurons,
            } => neurons
                .iter()
                .map(|n| view.value(*population, *n, *variable))
                .collect(),
        };
        let mut block = self.kept.traces[index]
            .take()
            .unwrap_or_else(|| self.kept.recorder.trace_block(index));
        block.push_at(self.stage, time, &row);
        if block.is_full() {
            self.failure = self
                .failure
                .take()
                .or(self.kept.recorder.send_trace(block).err());
        } else {
            self.kept.traces[index] = Some(block);
        }
    }

    fn sample_weights(&mut self, index: usize, time: i64, view: &View<'_>) {
        let projection = self.experiment.recordings.weights[index].projection;
        let mut matrix = self.kept.recorder.weight_buffer(index);
        view.weights(projection, &mut matrix);
        let sent = self
            .kept
            .recorder
            .send_weights(index, self.stage, time as u64, matrix);
        self.failure = self.failure.take().or(sent.err());
    }
}

/// What the files call an emission.
fn kind(signals: Signals) -> SpikeKind {
    if signals.any(Signals::PLATEAU) {
        SpikeKind::Plateau
    } else if signals.any(Signals::BURST) {
        SpikeKind::Burst
    } else if signals.any(Signals::IN_BURST) {
        SpikeKind::InBurst
    } else {
        SpikeKind::Spike
    }
}

impl Observer for Collector<'_> {
    fn spikes(&mut self, emitted: &[Emitted]) {
        let prefetch = |kept: &Kept, later: &Emitted| {
            let (population, neuron) = self.experiment.program.place(later.neuron);
            kept.tally.prefetch(population.0 as usize, neuron);
        };
        let soon = emitted.iter().take(AHEAD);
        soon.for_each(|later| prefetch(self.kept, later));
        for (at, one) in emitted.iter().enumerate() {
            if let Some(later) = emitted.get(at + AHEAD) {
                prefetch(self.kept, later);
            }
            let (population, neuron) = self.experiment.program.place(one.neuron);
            let spike = Spike {
                time_ps: one.time,
                population: population.0 as u16,
                neuron: neuron as u32,
                kind: kind(one.signals),
            };
            self.kept.tally.add(spike);
            self.kept.measuring.spike(spike);
            if self.recorded[population.0 as usize] {
                self.record(spike);
            }
        }
    }

    fn modulators(&mut self, time: i64, view: &View<'_>) {
        self.kept
            .measuring
            .change(&self.experiment.measures, time, view);
    }

    fn next_sample(&self) -> i64 {
        self.traces
            .iter()
            .chain(&self.weights)
            .map(|(_, next)| *next)
            .min()
            .unwrap_or(NEVER)
            .min(self.kept.measuring.next_sample())
    }

    fn sample(&mut self, time: i64, view: &View<'_>) {
        self.kept.measuring.sample(time, view);
        for k in 0..self.traces.len() {
            let (index, next) = self.traces[k];
            if next <= time {
                self.sample_trace(index, time, view);
                self.traces[k].1 = next + self.experiment.recordings.traces[index].every;
            }
        }
        for k in 0..self.weights.len() {
            let (index, next) = self.weights[k];
            if next <= time {
                self.sample_weights(index, time, view);
                self.weights[k].1 = next + self.experiment.recordings.weights[index].every;
            }
        }
    }

    fn goes_on(&mut self, time: i64) -> bool {
        let done = (time as f64 / PS_PER_MS) as u64;
        if done > self.told {
            self.progress.steps(done - self.told);
            self.told = done;
        }
        self.failure.is_none() && !self.interrupt.load(Ordering::Relaxed)
    }
}
