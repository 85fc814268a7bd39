//! Noise and inputs, produced a block of steps at a time, just before the steps that use them.
//!
//! What a source gives at step t depends on its own stream only. (A thread that makes blocks ahead takes longer to hand them over
//! than it takes to make them.)

mod single;

use pulp::Arch;

use crate::circuit::{InputId, Output};
use crate::compile::Program;
use crate::compile::layout::Source;
use crate::input::process::Process;
use crate::input::{DataError, DataPaths, Pass};
use crate::lang::vm::padded;
use crate::random::Normals;
use crate::vector::Vector;
use single::SingleSource;

/// Most steps in a block: enough to fill SIMD lanes, few enough to stay in the first-level cache until they are used.
const BLOCK_STEPS: usize = 16;

/// Most numbers in a block, 16 MB, where steps are so wide that it would be more: images for many replicas.
const BLOCK_NUMBERS: usize = 1 << 21;

/// Generators of noise and input processes.
#[derive(Debug, Clone)]
pub struct Sources {
    noises: Vec<(usize, Normals)>,
    processes: Vec<Outlet>,
    lengths: Vec<usize>,
    arch: Arch,
    /// Streams that wait while a stage has a seed of its own.
    waiting: Option<Streams>,
    /// Inputs of the first trial, given again in every trial.
    replay: Option<Replay>,
    wanted: Wanted,
}

/// The precision in which blocks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Double,
    Single,
    Both,
}

/// A process, and which sources its outputs are: those that are read.
type Outlet = (Process, Vec<(Output, usize)>);

/// Generators that a stage's own seed replaces: noises and processes.
type Streams = (Vec<(usize, Normals)>, Vec<Outlet>);

/// Inputs over the steps of a trial.
#[derive(Debug, Clone)]
struct Replay {
    /// For each source the values of all steps; empty for noise.
    vectors: Vec<Vector>,
    steps: usize,
    /// The step of the trial that is next.
    at: usize,
}

/// What the sources give over some steps: for each source, step after step.
#[derive(Debug, Clone, Default)]
pub struct SourceBlock {
    pub(super) steps: usize,
    pub(super) vectors: Vec<Vector>,
    pub(super) lengths: Vec<usize>,
    /// The same in single precision, if anybody reads that.
    singles: Vec<SingleSource>,
}

impl SourceBlock {
    /// Steps that it covers.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// What a source gives in the block's `step`-th step.
    #[inline]
    pub fn at(&self, source: usize, step: usize) -> &[f64] {
        let length = self.lengths[source];
        &self.vectors[source][step * length..(step + 1) * length]
    }
}

/// Numbers that a source gives in a step.
fn values_of(program: &Program, source: &Source) -> usize {
    let circuit = &program.circuit;
    let input = |id: &InputId| &circuit.inputs[id.0 as usize];
    match source {
        Source::Noise { length, .. } => *length,
        Source::Input(id, output) => {
            circuit.replicas * padded(input(id).output(*output).unwrap_or(0))
        }
    }
}

impl Sources {
    /// Sets up what a program reads from outside.
    ///
    /// # Errors
    /// If data are missing or broken.
    pub fn new(program: &Program, paths: &DataPaths, threads: usize) -> Result<Sources, DataError> {
        let circuit = &program.circuit;
        let mut sources = Sources {
            noises: vec![],
            processes: vec![],
            lengths: vec![],
            arch: Arch::new(),
            waiting: None,
            replay: None,
            wanted: Wanted::Double,
        };
        for (index, input) in circuit.inputs.iter().enumerate() {
            let read = |(at, source): (usize, &Source)| match source {
                Source::Input(id, output) if id.0 as usize == index => Some((*output, at)),
                _ => None,
            };
            let all = program.layout.sources.iter().enumerate();
            let outputs = all.filter_map(read).collect();
            let process = Process::new(input, circuit.seed, circuit.replicas, paths, threads)?;
            sources.processes.push((process, outputs));
        }
        for (index, source) in program.layout.sources.iter().enumerate() {
            sources.lengths.push(values_of(program, source));
            if let Source::Noise { name, .. } = source {
                let normals = Normals::new(circuit.seed, name, 0);
                sources.noises.push((index, normals));
            }
        }
        Ok(sources)
    }

    /// Says in which precision the next blocks are read.
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.wanted = wanted;
    }

    /// Steps in a block.
    pub fn block_steps(&self) -> u64 {
        let numbers = self.lengths.iter().sum::<usize>().max(1);
        (BLOCK_NUMBERS / numbers).clamp(1, BLOCK_STEPS) as u64
    }

    /// Begins a stage that names no pass: inputs go on where they were, in their own way.
    pub fn go_on(&mut self) {
        self.processes
            .iter_mut()
            .for_each(|(process, _)| process.go_on());
    }

    /// Starts a pass over the split that a stage names for an input.
    pub fn rewind(&mut self, input: InputId, pass: &Pass) {
        if let Some((process, ..)) = self.processes.get_mut(input.0 as usize) {
            process.rewind(pass);
        }
    }

    /// The process behind an input.
    pub fn process(&self, input: InputId) -> Option<&Process> {
        self.processes
            .get(input.0 as usize)
            .map(|(process, ..)| process)
    }

    /// Leaves a stage: the ordinary streams go on where they were.
    pub fn leave(&mut self) {
        self.replay = None;
        if let Some((noises, processes)) = self.waiting.take() {
            (self.noises, self.processes) = (noises, processes);
        }
    }

    /// Starts all noises and processes anew from a stage's own seed; [`Sources::leave`] brings the others back.
    pub fn reseed(&mut self, program: &Program, seed: u64) {
        self.waiting = Some((self.noises.clone(), self.processes.clone()));
        for (index, normals) in &mut self.noises {
            if let Some(Source::Noise { name, .. }) = program.layout.sources.get(*index) {
                *normals = Normals::new(seed, name, 0);
            }
        }
        for ((process, ..), input) in self.processes.iter_mut().zip(&program.circuit.inputs) {
            process.reseed(seed, &input.name);
        }
    }

    /// Takes the inputs of the next `steps` steps, and gives them again and again until the stage is left.
    pub fn replay(&mut self, steps: usize) {
        let mut vectors: Vec<Vector> = vec![Vector::default(); self.lengths.len()];
        for (_, outputs) in &self.processes {
            for (_, at) in outputs {
                vectors[*at] = Vector::zeros(steps * self.lengths[*at]);
            }
        }
        let wanted = std::mem::replace(&mut self.wanted, Wanted::Double);
        self.advance(steps, &mut vectors);
        self.wanted = wanted;
        self.replay = Some(Replay {
            vectors,
            steps,
            at: 0,
        });
    }

    /// Fills a block with the next `steps` steps.
    pub fn produce(&mut self, steps: usize, block: &mut SourceBlock) {
        block.steps = steps;
        block.lengths.clone_from(&self.lengths);
        block
            .vectors
            .resize_with(self.lengths.len(), Vector::default);
        for (vector, length) in block.vectors.iter_mut().zip(&self.lengths) {
            vector.resize(steps * length, 0.0);
        }
        if self.wanted != Wanted::Double {
            block
                .singles
                .resize_with(self.lengths.len(), SingleSource::default);
        }
        for (index, normals) in &mut self.noises {
            if self.wanted == Wanted::Single {
                let n = steps * self.lengths[*index];
                block.singles[*index].draw(normals, self.arch, n);
            } else {
                normals.fill(self.arch, &mut block.vectors[*index]);
                if let Some(single @ SingleSource::Noise(_)) = block.singles.get_mut(*index) {
                    *single = SingleSource::default();
                }
            }
        }
        match &mut self.replay {
            Some(replay) => replay.give(steps, &self.lengths, &mut block.vectors),
            None => self.advance(steps, &mut block.vectors),
        }
        if self.wanted != Wanted::Double {
            self.in_single(block);
        }
    }

    /// Processes move on; what they give goes into the vectors of their sources.
    fn advance(&mut self, steps: usize, vectors: &mut [Vector]) {
        for (process, outputs) in &mut self.processes {
            // A process of which nothing is read moves on all the same. Arrays, since a step allocates nothing.
            let mut taken: [Vector; Output::COUNT] = Default::default();
            for (vector, (_, at)) in taken.iter_mut().zip(&*outputs) {
                *vector = std::mem::take(&mut vectors[*at]);
            }
            let single = self.wanted != Wanted::Double && process.has_single();
            let mut each = taken.iter_mut();
            let mut slices: [(Output, &mut [f64]); Output::COUNT] = std::array::from_fn(|k| {
                let output = outputs.get(k).map_or(Output::Values, |(output, _)| *output);
                let out = each.next().map(|v| &mut v[..]).unwrap_or_default();
                match output {
                    Output::Values if single => (output, &mut out[..0]),
                    _ => (output, out),
                }
            });
            process.advance(self.arch, steps, &mut slices[..outputs.len()]);
            for ((_, at), vector) in outputs.iter().zip(taken) {
                vectors[*at] = vector;
            }
        }
    }
}

impl Replay {
    /// Copies the inputs of the next steps.
    fn give(&mut self, steps: usize, lengths: &[usize], vectors: &mut [Vector]) {
        for step in 0..steps {
            let sources = self.vectors.iter().zip(&mut *vectors).zip(lengths);
            for ((kept, out), length) in sources.filter(|((kept, _), _)| !kept.is_empty()) {
                let kept = &kept[self.at * length..(self.at + 1) * length];
                out[step * length..(step + 1) * length].copy_from_slice(kept);
            }
            self.at = (self.at + 1) % self.steps;
        }
    }
}
