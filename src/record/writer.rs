//! The writer's side of recording: takes messages, passes them to the sinks, and closes these whatever happens.

use crossbeam_channel::{Receiver, Sender};
use serde::{Deserialize, Serialize};

use super::block::TraceBlock;
use super::directory::RunDirectory;
use super::error::RecordError;
use super::file_names::FileNames;
use super::spec::{RecorderSpec, TraceOf};
use super::spike_block::SpikeBlock;
use super::spike_sink::{SpikeRecord, SpikeSink};
use super::trace_sink::{self, TraceSink};
use super::weight_sink::{self, WeightSink};

/// What the engine sends. `trace` and `weights` are indices that the sender has checked.
#[derive(Debug)]
pub(super) enum Message {
    /// Rows of a trace.
    Trace(TraceBlock),
    /// Spikes.
    Spikes(SpikeBlock),
    /// One sample of weights.
    Weights {
        weights: usize,
        stage: u32,
        step: u64,
        matrix: Vec<f64>,
    },
}

/// Where empty buffers go, one channel a trace or weights.
#[derive(Debug)]
pub(super) struct Returns {
    pub(super) blocks: Vec<Sender<TraceBlock>>,
    pub(super) matrices: Vec<Sender<Vec<f64>>>,
    pub(super) spikes: Sender<SpikeBlock>,
    /// Gives a token back for each matrix written.
    pub(super) matrices_written: Receiver<()>,
}

/// What was recorded, file by file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordSummary {
    /// Traces, in the order of their declaration.
    pub traces: Vec<TraceRecord>,
    /// Weights, in the order of their declaration.
    pub weights: Vec<WeightRecord>,
    /// Spikes, if they were declared.
    pub spikes: Option<SpikeRecord>,
    /// Bytes of all these files.
    pub bytes: u64,
}

/// A recorded trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceRecord {
    /// Its name, as given.
    pub name: String,
    /// Its file, relative to the run directory.
    pub file: String,
    /// Number of rows.
    pub rows: u64,
    /// Number of recorded values a row.
    pub columns: usize,
    /// Whether its rows have times of their own, and not steps.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timed: bool,
    /// What it is a trace of, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<TraceOf>,
}

/// Recorded weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightRecord {
    /// Their name, as given.
    pub name: String,
    /// Their file, relative to the run directory.
    pub file: String,
    /// Number of samples.
    pub samples: u64,
    /// Presynaptic neurons.
    pub rows: usize,
    /// Postsynaptic neurons.
    pub columns: usize,
    /// Whether its samples have times, and not steps.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timed: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// The sinks and the way back for their buffers.
#[derive(Debug)]
pub(super) struct Writer {
    traces: Vec<TraceSink>,
    weights: Vec<WeightSink>,
    spikes: Option<SpikeSink>,
    returns: Returns,
}

impl Writer {
    /// Creates all files.
    pub(super) fn create(
        directory: &RunDirectory,
        spec: &RecorderSpec,
        returns: Returns,
    ) -> Result<Self, RecordError> {
        let mut names = FileNames::default();
        let traces = spec.traces.iter().map(|trace| {
            let stem = names.fresh_stem(&trace.name, &[trace_sink::ENDING]);
            TraceSink::create(directory, trace, spec, &stem)
        });
        let traces = traces.collect::<Result<_, _>>()?;
        let mut names = FileNames::default();
        let weights = spec.weights.iter().map(|weights| {
            let stem = names.fresh_stem(&weights.name, &weight_sink::ENDINGS);
            WeightSink::create(directory, weights, &stem)
        });
        let weights = weights.collect::<Result<_, _>>()?;
        let spikes = spec.spikes.as_ref();
        let spikes = spikes.map(|spikes| SpikeSink::create(directory, spikes, &spec.stages));
        Ok(Self {
            traces,
            weights,
            spikes: spikes.transpose()?,
            returns,
        })
    }

    /// Writes until nobody can send any more or a sink fails; then closes all sinks.
    pub(super) fn run(mut self, receiver: Receiver<Message>) -> Result<RecordSummary, RecordError> {
        let mut outcome = Ok(());
        while outcome.is_ok() {
            let Ok(message) = receiver.recv() else { break };
            outcome = self.write(message);
        }
        // Before the sinks are closed, which takes time: a sender may be waiting for room.
        drop(receiver);
        drop(self.returns);
        let closed = close(self.traces, self.weights, self.spikes);
        outcome.and(closed)
    }

    fn write(&mut self, message: Message) -> Result<(), RecordError> {
        match message {
            Message::Trace(block) => self.write_block(block),
            Message::Spikes(block) => self.write_spikes(block),
            Message::Weights {
                weights,
                stage,
                step,
                matrix,
            } => self.write_matrix(weights, stage, step, matrix),
        }
    }

    fn write_block(&mut self, mut block: TraceBlock) -> Result<(), RecordError> {
        let trace = block.trace;
        if let Some(sink) = self.traces.get_mut(trace) {
            sink.append(&block)?;
        }
        block.clear();
        if let Some(back) = self.returns.blocks.get(trace) {
            // More buffers than fit were in use at once: this one is not needed again.
            let _ = back.try_send(block);
        }
        Ok(())
    }

    fn write_spikes(&mut self, mut block: SpikeBlock) -> Result<(), RecordError> {
        if let Some(sink) = &mut self.spikes {
            sink.append(&block)?;
        }
        block.clear();
        let _ = self.returns.spikes.try_send(block);
        Ok(())
    }

    fn write_matrix(
        &mut self,
        weights: usize,
        stage: u32,
        step: u64,
        mut matrix: Vec<f64>,
    ) -> Result<(), RecordError> {
        if let Some(sink) = self.weights.get_mut(weights) {
            sink.append(stage, step, &matrix)?;
        }
        matrix.clear();
        if let Some(back) = self.returns.matrices.get(weights) {
            let _ = back.try_send(matrix);
        }
        // The sender put a token in before the message.
        let _ = self.returns.matrices_written.try_recv();
        Ok(())
    }
}

/// Closes every sink, also behind one that fails; the first error counts.
fn close(
    traces: Vec<TraceSink>,
    weights: Vec<WeightSink>,
    spikes: Option<SpikeSink>,
) -> Result<RecordSummary, RecordError> {
    let mut summary = RecordSummary::default();
    let mut outcome = Ok(());
    for closed in traces.into_iter().map(TraceSink::close) {
        match closed {
            Ok((record, bytes)) => {
                summary.traces.push(record);
                summary.bytes += bytes;
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    for closed in weights.into_iter().map(WeightSink::close) {
        match closed {
            Ok((record, bytes)) => {
                summary.weights.push(record);
                summary.bytes += bytes;
            }
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    match spikes.map(SpikeSink::close) {
        Some(Ok((record, bytes))) => {
            summary.spikes = Some(record);
            summary.bytes += bytes;
        }
        Some(Err(error)) => outcome = outcome.and(Err(error)),
        None => {}
    }
    outcome.map(|()| summary)
}
