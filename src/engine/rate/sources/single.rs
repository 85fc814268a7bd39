//! Noise and inputs in single precision.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::{Outlet, SourceBlock, Sources, Wanted};
use crate::circuit::Output;
use crate::engine::{elementwise, lanes};
use crate::random::{LazyNormals, Normals};
use crate::vector::Singles;

/// What a source gives over some steps, in single precision.
#[derive(Debug, Clone)]
pub(super) enum SingleSource {
    /// Noise, computed when it is asked for; steps follow each other as in double precision.
    Noise(LazyNormals),
    /// Each step in a row of its own.
    Values(Singles),
}

impl Default for SingleSource {
    fn default() -> Self {
        SingleSource::Values(Singles::default())
    }
}

impl SingleSource {
    /// Takes the next deviates of a source.
    pub fn draw(&mut self, normals: &mut Normals, arch: Arch, n: usize) {
        if !matches!(self, SingleSource::Noise(_)) {
            *self = SingleSource::Noise(LazyNormals::default());
        }
        if let SingleSource::Noise(noise) = self {
            noise.draw(normals, arch, n, BEYOND);
        }
    }
}

/// Numbers that operations in single precision read beyond a noise's last deviates: their vectors are padded to more.
const BEYOND: usize = <f32 as lanes::Lane>::ROW;

impl SourceBlock {
    /// As [`SourceBlock::at`], in single precision, padded to more: what follows the values are other numbers.
    #[inline(always)]
    pub(in crate::engine::rate) fn single(&self, source: usize, step: usize) -> &[f32] {
        let length = self.lengths[source];
        let row = single_row(length);
        match &self.singles[source] {
            SingleSource::Noise(noise) => noise.get(step * length, step * length + row),
            SingleSource::Values(values) => &values[step * row..(step + 1) * row],
        }
    }

    /// Computes the noise of some sources in some steps, in single precision. Nobody else's is computed.
    pub(in crate::engine::rate) fn make(
        &mut self,
        arch: Arch,
        sources: &[usize],
        steps: Range<usize>,
    ) {
        arch.dispatch(Make {
            block: self,
            sources,
            steps,
        });
    }
}

struct Make<'a> {
    block: &'a mut SourceBlock,
    sources: &'a [usize],
    steps: Range<usize>,
}

impl WithSimd for Make<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let SourceBlock {
            lengths, singles, ..
        } = self.block;
        for source in self.sources {
            let length = lengths[*source];
            if let SingleSource::Noise(noise) = &mut singles[*source] {
                noise.ask(simd, self.steps.start * length, self.steps.end * length);
            }
        }
    }
}

/// Numbers in single precision that operations read of a source of `length`.
#[inline(always)]
fn single_row(length: usize) -> usize {
    lanes::padded::<f32>(length)
}

impl Sources {
    /// Inputs in single precision, and noise if it was not drawn so. Processes that can compute their values in that are not
    /// asked for others.
    pub(super) fn in_single(&mut self, block: &mut SourceBlock) {
        let SourceBlock {
            vectors, singles, ..
        } = block;
        for (source, length) in self.lengths.iter().enumerate() {
            if let SingleSource::Values(values) = &mut singles[source]
                && (self.replay.is_some() || !self.is_single(source))
            {
                round_rows(self.arch, (&vectors[source], *length), values);
            }
        }
        if self.replay.is_some() {
            return;
        }
        for (process, outputs) in &mut self.processes {
            let values = outputs.iter().find(|(output, _)| *output == Output::Values);
            if let (Some((_, source)), true) = (values, process.has_single())
                && let SingleSource::Values(values) = &mut singles[*source]
            {
                process.write_single(self.arch, values);
                if self.wanted == Wanted::Both {
                    widen_rows((values, self.lengths[*source]), &mut vectors[*source]);
                }
            }
        }
    }

    /// Whether a source is computed in single precision from the start.
    fn is_single(&self, source: usize) -> bool {
        let computed = |(process, outputs): &Outlet| {
            process.has_single() && outputs.contains(&(Output::Values, source))
        };
        self.processes.iter().any(computed)
    }
}

/// Rounds steps of some length, each into a row of its own.
fn round_rows(arch: Arch, (values, length): (&[f64], usize), out: &mut Singles) {
    let (row, length) = (single_row(length), length.max(1));
    out.resize(values.len() / length * row, 0.0);
    for (out, values) in out.chunks_exact_mut(row).zip(values.chunks_exact(length)) {
        elementwise::round(arch, values, out);
    }
}

/// Undoes [`round_rows`].
fn widen_rows((values, length): (&[f32], usize), out: &mut [f64]) {
    let row = single_row(length);
    for (out, values) in out.chunks_exact_mut(length).zip(values.chunks_exact(row)) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = f64::from(*value);
        }
    }
}
