//! Programs over vectors in single precision.

use pulp::Simd;

use super::Machine;
use crate::engine::elementwise::Round;
use crate::lang::code::{Code, MOST_VECTORS};
use crate::vector::Vector;

impl Machine {
    /// As [`Machine::run_in`], over vectors in single precision: computed in double precision, then rounded.
    #[inline(always)]
    pub fn run_single_in<S: Simd>(
        &mut self,
        simd: S,
        code: &Code,
        input: impl Fn(usize) -> f64,
        vectors: &[&[f32]],
        out: &mut [f32],
    ) {
        let mut widened = std::mem::take(&mut self.widened);
        widened.resize_with(MOST_VECTORS + 1, Vector::default);
        for (wide, x) in widened.iter_mut().zip(vectors) {
            wide.resize(out.len(), 0.0);
            for (wide, x) in wide.iter_mut().zip(*x) {
                *wide = f64::from(*x);
            }
        }
        if let Some((result, inputs)) = widened.split_last_mut() {
            result.resize(out.len(), 0.0);
            let mut all: [&[f64]; MOST_VECTORS] = [&[]; MOST_VECTORS];
            for (slot, wide) in all.iter_mut().zip(inputs) {
                *slot = wide;
            }
            self.run_in(simd, code, input, &all[..vectors.len()], result);
            simd.vectorize(Round { x: result, out });
        }
        self.widened = widened;
    }
}
