//! The two precisions that operations are in: where their vectors are, and what they do with weights.

use pulp::Simd;

use super::super::kernels::Memory;
use super::super::narrow::Waiting;
use super::super::sources::SourceBlock;
use super::super::step::{NotFinite, Scratch, Step};
use super::Part;
use crate::compile::Weights;
use crate::compile::kernel::{Kernel, VectorRef};
use crate::compile::plan::Plan;
use crate::engine::change::ChangeAndDeliver;
use crate::engine::elementwise::Round;
use crate::engine::lanes::Give;
use crate::engine::{dense, outer};
use crate::lang::vm::{LANES, Machine};
use crate::vector::{Aligned, Singles, Vector};

/// A precision.
pub(in crate::engine::rate) trait Precision:
    Give<Self> + PartialOrd
{
    /// The table of vectors.
    fn table<'s>(step: &'s mut Step<'_>) -> &'s mut [Aligned<Self>];

    /// What expressions read, and scratch memory.
    fn parts<'s>(step: &'s mut Step<'_>) -> (Memory<'s, Self>, Tools<'s, Self>);

    /// As [`Precision::parts`], and beside it the weights, to be changed.
    fn learning<'s>(
        step: &'s mut Step<'_>,
    ) -> (Memory<'s, Self>, &'s mut [Weights], Tools<'s, Self>);

    /// What a source gives.
    fn source(block: &SourceBlock, source: usize, step: usize) -> &[Self];

    /// The weights of a projection with one for each neuron.
    fn each<'m>(memory: &Memory<'m, Self>, projection: usize) -> &'m [Self];

    /// As [`Precision::each`], to be changed.
    fn each_mut<'s>(step: &'s mut Step<'_>, projection: usize) -> &'s mut [Self];

    /// Runs bytecode over whole vectors.
    fn run<S: Simd>(
        simd: S,
        memory: &Memory<'_, Self>,
        machine: &mut Machine,
        kernel: &Kernel,
        out: &mut [Self],
    );

    /// Adds what a projection's matrix gives to a drive, or puts it there unless something has `begun` the drive; `pre` says
    /// from which vector, and from how many neurons.
    fn deliver<S: Simd>(
        simd: S,
        step: &mut Step<'_>,
        projection: (usize, (VectorRef, usize)),
        drive: (&mut [Self], bool),
    );

    /// Adds an outer product that waits for the matrix, if one does.
    fn settle(weights: &mut Weights, waiting: &mut [Waiting], projection: usize);

    /// Lets a matrix grow and adds an outer product, which may wait if nothing else is done to the matrix.
    fn add_outer<S: Simd>(
        simd: S,
        change: Change<'_, Self>,
        rounded: &mut [Singles; 2],
        waiting: &mut [Waiting],
    );

    /// The sum of numbers, in double precision.
    fn total<S: Simd>(simd: S, values: &[Self]) -> f64;

    /// A part of the plan, by the general path.
    fn run_part(step: &mut Step<'_>, plan: &Plan, part: Part) -> Result<(), NotFinite>;
}

/// An outer product that changes a projection's weights, which grow first.
pub(in crate::engine::rate) struct Change<'a, T> {
    pub projection: usize,
    pub weights: &'a mut Weights,
    pub growth: f64,
    pub pre: &'a [T],
    pub post: &'a [T],
    /// Whether it may wait until the weights are read.
    pub may_wait: bool,
}

/// Scratch memory of operations.
pub(in crate::engine::rate) struct Tools<'s, T> {
    pub machine: &'s mut Machine,
    pub first: &'s mut Aligned<T>,
    pub next: &'s mut Aligned<T>,
    pub singles: &'s mut [Singles; 2],
    /// Outer products that wait, by projection; none in double precision.
    pub waiting: &'s mut [Waiting],
}

impl Precision for f64 {
    #[inline(always)]
    fn table<'s>(step: &'s mut Step<'_>) -> &'s mut [Vector] {
        &mut step.state.vectors
    }

    #[inline(always)]
    fn parts<'s>(step: &'s mut Step<'_>) -> (Memory<'s>, Tools<'s, f64>) {
        let (memory, scratch) = step.parts();
        (memory, tools(scratch))
    }

    #[inline(always)]
    fn learning<'s>(step: &'s mut Step<'_>) -> (Memory<'s>, &'s mut [Weights], Tools<'s, f64>) {
        let (memory, weights, _, scratch) = step.learning();
        (memory, weights, tools(scratch))
    }

    #[inline(always)]
    fn source(block: &SourceBlock, source: usize, step: usize) -> &[f64] {
        block.at(source, step)
    }

    #[inline(always)]
    fn each<'m>(memory: &Memory<'m>, projection: usize) -> &'m [f64] {
        match &memory.weights[projection] {
            Weights::OneToOne { values } => values,
            _ => &[],
        }
    }

    #[inline(always)]
    fn each_mut<'s>(step: &'s mut Step<'_>, projection: usize) -> &'s mut [f64] {
        super::super::learn::numbers(&mut step.state.weights[projection])
    }

    #[inline(always)]
    fn run<S: Simd>(
        simd: S,
        memory: &Memory<'_>,
        machine: &mut Machine,
        kernel: &Kernel,
        out: &mut [f64],
    ) {
        memory.run_in(simd, machine, kernel, out);
    }

    #[inline(always)]
    fn deliver<S: Simd>(
        simd: S,
        step: &mut Step<'_>,
        (projection, pre): (usize, (VectorRef, usize)),
        (drive, begun): (&mut [f64], bool),
    ) {
        let (memory, tools) = Self::parts(step);
        let pre = &memory.vector(pre.0)[..pre.1];
        match &memory.weights[projection] {
            Weights::Dense { row, values } => {
                dense::deliver_in(simd, (values, *row), pre, drive, begun);
            }
            Weights::Single { row, values, .. } => {
                let [rounded, _] = tools.singles;
                let pre = round(simd, pre, pre.len(), rounded);
                dense::deliver_in(simd, (values, *row), pre, drive, begun);
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn settle(_: &mut Weights, _: &mut [Waiting], _: usize) {}

    #[inline(always)]
    fn add_outer<S: Simd>(
        simd: S,
        change: Change<'_, f64>,
        [pre_single, post_single]: &mut [Singles; 2],
        _: &mut [Waiting],
    ) {
        let Change {
            growth, pre, post, ..
        } = change;
        match change.weights {
            Weights::Single { row, values, .. } => {
                let pre = round(simd, pre, pre.len(), pre_single);
                let post = round(simd, post, *row, post_single);
                outer::add_outer_in(simd, values, growth as f32, pre, post);
            }
            Weights::Dense { values, .. } => outer::add_outer_in(simd, values, growth, pre, post),
            _ => {}
        }
    }

    #[inline(always)]
    fn total<S: Simd>(simd: S, values: &[f64]) -> f64 {
        Machine::sum_in(simd, values)
    }

    #[inline(always)]
    fn run_part(step: &mut Step<'_>, plan: &Plan, part: Part) -> Result<(), NotFinite> {
        step.run_part(plan, part)
    }
}

#[inline(always)]
fn tools(scratch: &mut Scratch) -> Tools<'_, f64> {
    scratch
        .next
        .resize_with(scratch.next.len().max(1), Vector::default);
    Tools {
        machine: &mut scratch.machine,
        first: &mut scratch.vector,
        next: &mut scratch.next[0],
        singles: &mut scratch.singles,
        waiting: &mut [],
    }
}

/// Vectors in single precision, and the tools beside them.
#[inline(always)]
fn narrow_tools(scratch: &mut Scratch) -> (&[Singles], Tools<'_, f32>) {
    let narrow = &mut scratch.narrow;
    let tools = Tools {
        machine: &mut scratch.machine,
        first: &mut narrow.first,
        next: &mut narrow.next,
        singles: &mut scratch.singles,
        waiting: &mut narrow.waiting,
    };
    (&narrow.vectors, tools)
}

/// A vector in single precision, `length` long.
#[inline(always)]
fn round<'a, S: Simd>(simd: S, x: &[f64], length: usize, into: &'a mut Singles) -> &'a [f32] {
    into.resize(length, 0.0);
    simd.vectorize(Round { x, out: into });
    into
}

impl Precision for f32 {
    #[inline(always)]
    fn table<'s>(step: &'s mut Step<'_>) -> &'s mut [Singles] {
        &mut step.scratch.narrow.vectors
    }

    #[inline(always)]
    fn parts<'s>(step: &'s mut Step<'_>) -> (Memory<'s, f32>, Tools<'s, f32>) {
        let (vectors, tools) = narrow_tools(step.scratch);
        let memory = Memory {
            scalars: &step.state.scalars,
            vectors,
            weights: &step.state.weights,
            block: step.block,
            in_block: step.in_block,
            step: step.state.step,
            replicas: 1,
        };
        (memory, tools)
    }

    #[inline(always)]
    fn learning<'s>(
        step: &'s mut Step<'_>,
    ) -> (Memory<'s, f32>, &'s mut [Weights], Tools<'s, f32>) {
        let (vectors, tools) = narrow_tools(step.scratch);
        let memory = Memory {
            scalars: &step.state.scalars,
            vectors,
            weights: &[],
            block: step.block,
            in_block: step.in_block,
            step: step.state.step,
            replicas: 1,
        };
        (memory, &mut step.state.weights, tools)
    }

    #[inline(always)]
    fn source(block: &SourceBlock, source: usize, step: usize) -> &[f32] {
        block.single(source, step)
    }

    #[inline(always)]
    fn each<'m>(memory: &Memory<'m, f32>, projection: usize) -> &'m [f32] {
        &memory.vectors[memory.vectors.len() - memory.weights.len() + projection]
    }

    #[inline(always)]
    fn each_mut<'s>(step: &'s mut Step<'_>, projection: usize) -> &'s mut [f32] {
        let vectors = &mut step.scratch.narrow.vectors;
        let at = vectors.len() - step.state.weights.len() + projection;
        &mut vectors[at]
    }

    #[inline(always)]
    fn run<S: Simd>(
        simd: S,
        memory: &Memory<'_, f32>,
        machine: &mut Machine,
        kernel: &Kernel,
        out: &mut [f32],
    ) {
        memory.run_single_in(simd, machine, kernel, out);
    }

    /// An outer product that waits is added in the same pass, also where the matrix is packed.
    #[inline(always)]
    fn deliver<S: Simd>(
        simd: S,
        step: &mut Step<'_>,
        (projection, pre): (usize, (VectorRef, usize)),
        (drive, begun): (&mut [f32], bool),
    ) {
        let (memory, weights, tools) = Self::learning(step);
        let pre = &memory.vector(pre.0)[..pre.1];
        let waiting = &mut tools.waiting[projection];
        if waiting.deliver_packed(simd, pre, (drive, begun)) {
            return;
        }
        let Weights::Single { row, values, .. } = &mut weights[projection] else {
            return;
        };
        match waiting.take() {
            Some((changed_by, post)) => simd.vectorize(ChangeAndDeliver {
                weights: values,
                row: *row,
                changed_by,
                post,
                pre,
                drive,
                begun,
            }),
            None => dense::deliver_in(simd, (values, *row), pre, drive, begun),
        }
    }

    fn settle(weights: &mut Weights, waiting: &mut [Waiting], projection: usize) {
        waiting[projection].settle(weights);
    }

    #[inline(always)]
    fn add_outer<S: Simd>(
        simd: S,
        change: Change<'_, f32>,
        _: &mut [Singles; 2],
        waiting: &mut [Waiting],
    ) {
        let waiting = &mut waiting[change.projection];
        waiting.settle(change.weights);
        if change.may_wait {
            waiting.put(simd, change.pre, change.post);
        } else if let Weights::Single { values, .. } = change.weights {
            outer::add_outer_in(simd, values, change.growth as f32, change.pre, change.post);
        }
    }

    /// In the order of [`Machine::sum_in`].
    #[inline(always)]
    fn total<S: Simd>(_: S, values: &[f32]) -> f64 {
        let mut sums = [0.0; LANES];
        for values in values.chunks(LANES) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += f64::from(*value);
            }
        }
        let [a, b, c, d, e, f, g, h] = sums;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }

    /// The general path works on the state: what it reads is brought there, and what it has written rounded.
    fn run_part(step: &mut Step<'_>, plan: &Plan, part: Part) -> Result<(), NotFinite> {
        step.scratch.narrow.store(step.state);
        let result = step.run_part(plan, part);
        if part != Part::Probe {
            step.scratch.narrow.load(step.state);
        }
        result
    }
}
