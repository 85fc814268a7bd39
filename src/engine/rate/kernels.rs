//! Kernels run on the simulation's memory.

use pulp::Simd;

use super::flat::Precision;
use super::sources::SourceBlock;
use crate::compile::Weights;
use crate::compile::kernel::{Kernel, VectorRef};
use crate::lang::code::MOST_VECTORS;
use crate::lang::vm::Machine;
use crate::vector::Aligned;

/// Vectors of a kernel that counts as small.
const FEW: usize = 4;

/// What kernels of one step read. It is handed on by reference: a core that copies it whole just after its parts were written
/// waits until all that was before is done.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a, T = f64> {
    pub scalars: &'a [f64],
    pub vectors: &'a [Aligned<T>],
    pub weights: &'a [Weights],
    pub block: &'a SourceBlock,
    /// The step within the block.
    pub in_block: usize,
    /// The step since the beginning.
    pub step: u64,
    /// Replicas.
    pub replicas: usize,
}

impl<'a, T: Precision> Memory<'a, T> {
    /// The vector at a place; a row's weights and synapse states are not in the table.
    #[inline(always)]
    pub fn vector(&self, place: VectorRef) -> &'a [T] {
        match place {
            VectorRef::Plain(id) => &self.vectors[id.0 as usize],
            VectorRef::Source(index) => T::source(self.block, index as usize, self.in_block),
            place => self.vector_elsewhere(place),
        }
    }

    /// As [`Memory::vector`], for the less frequent places.
    #[cold]
    #[inline(never)]
    fn vector_elsewhere(&self, place: VectorRef) -> &'a [T] {
        match place {
            VectorRef::Plain(id) => &self.vectors[id.0 as usize],
            VectorRef::Oldest { ring, depth } => {
                self.slot(&self.vectors[ring.0 as usize], depth, 0)
            }
            VectorRef::Delayed { ring, depth, delay } => {
                self.slot(&self.vectors[ring.0 as usize], depth, depth - delay)
            }
            VectorRef::Source(index) => T::source(self.block, index as usize, self.in_block),
            VectorRef::Weights | VectorRef::SynapseState(_) => &[],
        }
    }

    /// The slot of a ring that will have been written `later` steps after the one that is next.
    #[inline]
    fn slot(&self, ring: &'a [T], depth: u32, later: u32) -> &'a [T] {
        let length = ring.len() / depth as usize;
        let at = ((self.step + u64::from(later)) % u64::from(depth)) as usize;
        &ring[at * length..(at + 1) * length]
    }

    /// A scalar input of a kernel.
    #[inline(always)]
    pub fn scalar(&self, kernel: &Kernel, input: usize) -> f64 {
        self.scalars[kernel.scalars[input].0 as usize]
    }

    /// Runs a kernel whose value is a scalar; if replicas differ the mean of theirs.
    #[inline]
    pub fn run_scalar(&self, machine: &mut Machine, kernel: &Kernel) -> f64 {
        if kernel.differs() {
            let values = (0..self.replicas).map(|r| self.run_scalar_of(machine, kernel, r));
            return values.sum::<f64>() / self.replicas as f64;
        }
        machine.run_scalar(&kernel.code, |i| self.scalar(kernel, i))
    }

    /// Runs a kernel whose value is a scalar, for one replica.
    pub fn run_scalar_of(&self, machine: &mut Machine, kernel: &Kernel, replica: usize) -> f64 {
        machine.run_scalar(&kernel.code, |i| self.scalars[kernel.scalar(i, replica)])
    }
}

impl Memory<'_> {
    /// Runs a kernel over whole vectors.
    #[inline]
    pub fn run(&self, machine: &mut Machine, kernel: &Kernel, out: &mut [f64]) {
        if kernel.differs() {
            return self.run_replicas(machine, kernel, out);
        }
        if let Some(place) = kernel.copied() {
            return out.copy_from_slice(&self.vector(place)[..out.len()]);
        }
        // Most kernels read few vectors, and a short list is quickly made.
        if kernel.vectors.len() <= FEW {
            self.run_with::<FEW>(machine, kernel, out);
        } else {
            self.run_with::<MOST_VECTORS>(machine, kernel, out);
        }
    }

    #[inline(always)]
    fn run_with<const N: usize>(&self, machine: &mut Machine, kernel: &Kernel, out: &mut [f64]) {
        let mut vectors: [&[f64]; N] = [&[]; N];
        for (slot, place) in vectors.iter_mut().zip(&kernel.vectors) {
            *slot = self.vector(*place);
        }
        machine.run(
            &kernel.code,
            |i| self.scalar(kernel, i),
            &vectors[..kernel.vectors.len()],
            out,
        );
    }

    /// Runs a kernel over one replica's part of vectors after the other, each with its own scalars.
    fn run_replicas(&self, machine: &mut Machine, kernel: &Kernel, out: &mut [f64]) {
        self.run_some(machine, kernel, out, 0..self.replicas);
    }

    /// The same for some replicas; nothing is written for the others.
    pub fn run_some(
        &self,
        machine: &mut Machine,
        kernel: &Kernel,
        out: &mut [f64],
        replicas: impl Iterator<Item = usize>,
    ) {
        let row = out.len() / self.replicas;
        for replica in replicas {
            let out = &mut out[replica * row..(replica + 1) * row];
            let mut vectors: [&[f64]; MOST_VECTORS] = [&[]; MOST_VECTORS];
            for (slot, place) in vectors.iter_mut().zip(&kernel.vectors) {
                let all = self.vector(*place);
                *slot = all.get(replica * row..).unwrap_or(all);
            }
            let scalar = |i: usize| self.scalars[kernel.scalar(i, replica)];
            machine.run(&kernel.code, scalar, &vectors[..kernel.vectors.len()], out);
        }
    }

    /// As [`Memory::run`], called where SIMD is at work already.
    #[inline(always)]
    pub fn run_in<S: Simd>(
        &self,
        simd: S,
        machine: &mut Machine,
        kernel: &Kernel,
        out: &mut [f64],
    ) {
        if kernel.vectors.len() > FEW {
            return self.run_with::<MOST_VECTORS>(machine, kernel, out);
        }
        let mut vectors: [&[f64]; FEW] = [&[]; FEW];
        for (slot, place) in vectors.iter_mut().zip(&kernel.vectors) {
            *slot = self.vector(*place);
        }
        machine.run_in(
            simd,
            &kernel.code,
            |i| self.scalar(kernel, i),
            &vectors[..kernel.vectors.len()],
            out,
        );
    }
}

impl Memory<'_, f32> {
    /// Runs a kernel over whole vectors where SIMD is at work already: in double precision, then rounded.
    #[inline(always)]
    pub fn run_single_in<S: Simd>(
        &self,
        simd: S,
        machine: &mut Machine,
        kernel: &Kernel,
        out: &mut [f32],
    ) {
        let mut vectors: [&[f32]; MOST_VECTORS] = [&[]; MOST_VECTORS];
        for (slot, place) in vectors.iter_mut().zip(&kernel.vectors) {
            *slot = self.vector(*place);
        }
        machine.run_single_in(
            simd,
            &kernel.code,
            |i| self.scalar(kernel, i),
            &vectors[..kernel.vectors.len()],
            out,
        );
    }
}
