//! The two precisions that operations are in: where their vectors are, and what they do with weights.

use pulp::Simd;

use super::super::kernels::Memory;
use super::super::sources::SourceBlock;
use super::super::step::{NotFinite, Scratch, Step};
use super::Part;
use crate::compile::Weights;
use crate::compile::kernel::Kernel;
use crate::compile::plan::Plan;
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

    /// Adds what a matrix gives to a drive, or puts it there unless something has `begun` the drive.
    fn deliver<S: Simd>(
        simd: S,
        weights: &Weights,
        pre: &[Self],
        drive: (&mut [Self], bool),
        rounded: &mut Singles,
    );

    /// Lets a matrix grow and adds an outer product.
    fn add_outer<S: Simd>(
        simd: S,
        weights: &mut Weights,
        growth: f64,
        sides: (&[Self], &[Self]),
        rounded: &mut [Singles; 2],
    );

    /// The sum of numbers, in double precision.
    fn total<S: Simd>(simd: S, values: &[Self]) -> f64;

    /// A part of the plan, by the general path.
    fn run_part(step: &mut Step<'_>, plan: &Plan, part: Part) -> Result<(), NotFinite>;
}

/// Scratch memory of operations.
pub(in crate::engine::rate) struct Tools<'s, T> {
    pub machine: &'s mut Machine,
    pub first: &'s mut Aligned<T>,
    pub next: &'s mut Aligned<T>,
    pub singles: &'s mut [Singles; 2],
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
        weights: &Weights,
        pre: &[f64],
        (drive, begun): (&mut [f64], bool),
        rounded: &mut Singles,
    ) {
        match weights {
            Weights::Dense { row, values } => {
                dense::deliver_in(simd, (values, *row), pre, drive, begun);
            }
            Weights::Single { row, values, .. } => {
                let pre = round(simd, pre, pre.len(), rounded);
                dense::deliver_in(simd, (values, *row), pre, drive, begun);
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn add_outer<S: Simd>(
        simd: S,
        weights: &mut Weights,
        growth: f64,
        (pre, post): (&[f64], &[f64]),
        [pre_single, post_single]: &mut [Singles; 2],
    ) {
        match weights {
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
        first: &mut scratch.first,
        next: &mut scratch.next[0],
        singles: &mut scratch.singles,
    }
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
        let Scratch {
            machine,
            singles,
            narrow,
            ..
        } = &mut *step.scratch;
        let memory = Memory {
            scalars: &step.state.scalars,
            vectors: &narrow.vectors,
            weights: &step.state.weights,
            block: step.block,
            in_block: step.in_block,
            step: step.state.step,
            replicas: 1,
        };
        let tools = Tools {
            machine,
            first: &mut narrow.first,
            next: &mut narrow.next,
            singles,
        };
        (memory, tools)
    }

    #[inline(always)]
    fn learning<'s>(
        step: &'s mut Step<'_>,
    ) -> (Memory<'s, f32>, &'s mut [Weights], Tools<'s, f32>) {
        let Scratch {
            machine,
            singles,
            narrow,
            ..
        } = &mut *step.scratch;
        let memory = Memory {
            scalars: &step.state.scalars,
            vectors: &narrow.vectors,
            weights: &[],
            block: step.block,
            in_block: step.in_block,
            step: step.state.step,
            replicas: 1,
        };
        let tools = Tools {
            machine,
            first: &mut narrow.first,
            next: &mut narrow.next,
            singles,
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

    #[inline(always)]
    fn deliver<S: Simd>(
        simd: S,
        weights: &Weights,
        pre: &[f32],
        (drive, begun): (&mut [f32], bool),
        _: &mut Singles,
    ) {
        if let Weights::Single { row, values, .. } = weights {
            dense::deliver_in(simd, (values, *row), pre, drive, begun);
        }
    }

    #[inline(always)]
    fn add_outer<S: Simd>(
        simd: S,
        weights: &mut Weights,
        growth: f64,
        (pre, post): (&[f32], &[f32]),
        _: &mut [Singles; 2],
    ) {
        if let Weights::Single { values, .. } = weights {
            outer::add_outer_in(simd, values, growth as f32, pre, post);
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
