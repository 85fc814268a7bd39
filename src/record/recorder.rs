//! The engine's side of recording: blocks go out through a bounded channel, empty buffers come back.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::block::TraceBlock;
use super::directory::RunDirectory;
use super::error::RecordError;
use super::spec::RecorderSpec;
use super::spike_block::SpikeBlock;
use super::writer::{Message, RecordSummary, Returns, Writer};

/// Messages that may wait for the writer.
const WAITING: usize = 16;
/// How much less than others the writer's thread asks of a processor, as `nice` counts it.
#[cfg(target_os = "linux")]
const NICER: i32 = 10;
/// Weight matrices that may wait for it: they can be large.
const WAITING_MATRICES: usize = 2;

/// Writes traces, weights and spikes on a thread of its own.
///
/// Sending waits while the disk is behind, so memory stays flat however long the run, and buffers come back to be
/// used again. Dropping the recorder without [`Self::finish`] still writes what was sent and closes the files.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    spec: RecorderSpec,
    sender: Option<Sender<Message>>,
    /// Bounds the number of matrices on their way: one token each.
    matrices_on_their_way: Sender<()>,
    blocks_back: Vec<Receiver<TraceBlock>>,
    matrices_back: Vec<Receiver<Vec<f64>>>,
    spikes_back: Receiver<SpikeBlock>,
    thread: Option<JoinHandle<Result<RecordSummary, RecordError>>>,
}

impl Recorder {
    /// Creates all files and starts the thread that writes them.
    ///
    /// # Errors
    ///
    /// If a file or the thread cannot be created.
    pub fn start(directory: &RunDirectory, spec: RecorderSpec) -> Result<Self, RecordError> {
        let (sender, receiver) = bounded(WAITING);
        let (matrices_on_their_way, matrices_written) = bounded(WAITING_MATRICES);
        let (blocks, blocks_back) = channels(spec.traces.len(), WAITING + 2);
        let (matrices, matrices_back) = channels(spec.weights.len(), WAITING_MATRICES + 2);
        let (spikes, spikes_back) = bounded(WAITING + 2);
        let returns = Returns {
            blocks,
            matrices,
            spikes,
            matrices_written,
        };
        let writer = Writer::create(directory, &spec, returns)?;
        let thread = thread::Builder::new()
            .name("apical-recorder".to_owned())
            .spawn(move || {
                give_way();
                writer.run(receiver)
            })
            .map_err(RecordError::io("start the recorder of", directory.path()))?;
        Ok(Self {
            path: directory.path().to_owned(),
            spec,
            sender: Some(sender),
            matrices_on_their_way,
            blocks_back,
            matrices_back,
            spikes_back,
            thread: Some(thread),
        })
    }

    /// An empty block for trace number `trace`, used before if there is one.
    pub fn trace_block(&mut self, trace: usize) -> TraceBlock {
        let back = self.blocks_back.get(trace);
        back.and_then(|back| back.try_recv().ok())
            .unwrap_or_else(|| {
                let spec = self.spec.traces.get(trace);
                let (columns, timed) = spec.map_or((0, false), |t| (t.columns.len(), t.timed));
                TraceBlock::new(trace, columns, timed)
            })
    }

    /// An empty block for spikes of stage number `stage`, used before if there is one.
    pub fn spike_block(&mut self, stage: u32) -> SpikeBlock {
        let back = self.spikes_back.try_recv().ok();
        let mut block = back.unwrap_or_else(SpikeBlock::new);
        block.stage = stage;
        block
    }

    /// An empty buffer for a sample of weights number `weights`, used before if there is one.
    pub fn weight_buffer(&mut self, weights: usize) -> Vec<f64> {
        let back = self.matrices_back.get(weights);
        back.and_then(|back| back.try_recv().ok())
            .unwrap_or_default()
    }

    /// Sends the rows of `block`; waits while the writer is behind.
    ///
    /// # Errors
    ///
    /// If the block does not fit its trace, or the writer has failed since: the error then names the file.
    pub fn send_trace(&mut self, block: TraceBlock) -> Result<(), RecordError> {
        let Some(trace) = self.spec.traces.get(block.trace) else {
            return Err(RecordError::UnknownTrace {
                trace: block.trace,
                declared: self.spec.traces.len(),
            });
        };
        if block.ragged || block.columns != trace.columns.len() {
            return Err(RecordError::Ragged {
                name: trace.name.clone(),
                columns: trace.columns.len(),
            });
        }
        if block.mistimed || block.timed != trace.timed {
            return Err(RecordError::Mistimed {
                name: trace.name.clone(),
                timed: trace.timed,
            });
        }
        if let Some(&stage) = block.stage.iter().max() {
            self.check_stage(&trace.name, stage)?;
        }
        self.send(Message::Trace(block))
    }

    /// Sends the spikes of `block`; waits while the writer is behind.
    ///
    /// # Errors
    ///
    /// If no spikes were declared, or one belongs to an unknown population, neuron or stage, or the writer has failed
    /// since: the error then names the file.
    pub fn send_spikes(&mut self, block: SpikeBlock) -> Result<(), RecordError> {
        let declared = self.spec.spikes.as_ref().ok_or(RecordError::NoSpikes)?;
        for (&population, &neuron) in block.population.iter().zip(&block.neuron) {
            let of = declared.populations.get(usize::from(population));
            if of.is_none_or(|of| neuron >= of.neurons) {
                return Err(RecordError::UnknownNeuron {
                    population,
                    neuron,
                    declared: of.map_or(0, |of| of.neurons),
                });
            }
        }
        self.check_stage("spikes", block.stage)?;
        self.send(Message::Spikes(block))
    }

    /// Sends one sample of weights number `weights`; waits while the writer is behind.
    ///
    /// # Shape
    ///
    /// `matrix` is rows × columns in C order, rows presynaptic; [`Self::weight_buffer`] gives one to fill.
    ///
    /// # Errors
    ///
    /// If the matrix does not fit its shape, or the writer has failed since: the error then names the file.
    pub fn send_weights(
        &mut self,
        weights: usize,
        stage: u32,
        step: u64,
        matrix: Vec<f64>,
    ) -> Result<(), RecordError> {
        let Some(spec) = self.spec.weights.get(weights) else {
            return Err(RecordError::UnknownWeights {
                weights,
                declared: self.spec.weights.len(),
            });
        };
        if spec.rows.checked_mul(spec.columns) != Some(matrix.len()) {
            return Err(RecordError::MatrixShape {
                name: spec.name.clone(),
                rows: spec.rows,
                columns: spec.columns,
                values: matrix.len(),
            });
        }
        self.check_stage(&spec.name, stage)?;
        if self.matrices_on_their_way.send(()).is_err() {
            return Err(self.failure());
        }
        self.send(Message::Weights {
            weights,
            stage,
            step,
            matrix,
        })
    }

    /// Writes what is on its way, closes the files and gives them their names.
    ///
    /// # Errors
    ///
    /// The first error of the writer, naming the file. All other files are closed properly nonetheless.
    pub fn finish(mut self) -> Result<RecordSummary, RecordError> {
        self.join()
    }

    fn check_stage(&self, name: &str, stage: u32) -> Result<(), RecordError> {
        if (stage as usize) < self.spec.stages.len() {
            return Ok(());
        }
        Err(RecordError::UnknownStage {
            name: name.to_owned(),
            stage,
            declared: self.spec.stages.len(),
        })
    }

    fn send(&mut self, message: Message) -> Result<(), RecordError> {
        let sent = self
            .sender
            .as_ref()
            .is_some_and(|sender| sender.send(message).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    /// Why the writer takes no more messages.
    fn failure(&mut self) -> RecordError {
        let stopped = RecordError::Stopped {
            path: self.path.clone(),
        };
        self.join().err().unwrap_or(stopped)
    }

    fn join(&mut self) -> Result<RecordSummary, RecordError> {
        // The writer ends when it sees that nobody can send any more.
        self.sender = None;
        let path = self.path.clone();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(RecordError::Panicked { path }),
            None => Err(RecordError::Stopped { path }),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Whoever drops a recorder has a reason already (an interruption, another error): this one is not the news.
        let _ = self.join();
    }
}

/// Where all processors simulate, the writer takes the time in which they wait for each other. At the same priority it takes
/// a processor for milliseconds, and all others wait for the thread that was there.
fn give_way() {
    // On other systems this is a matter of the whole process.
    #[cfg(target_os = "linux")]
    {
        // Nothing is lost if it is not granted.
        let _ = rustix::process::nice(NICER);
    }
}

fn channels<T>(count: usize, capacity: usize) -> (Vec<Sender<T>>, Vec<Receiver<T>>) {
    (0..count).map(|_| bounded(capacity)).unzip()
}
