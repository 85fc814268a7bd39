//! A step in single precision.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::sources::SourceBlock;
use super::super::state::State;
use super::super::step::{NotFinite, Scratch, Step};
use super::{Flat, Run};
use crate::compile::Program;
use crate::compile::plan::Plan;

/// A step of a circuit in single precision, its noise first.
pub(in crate::engine::rate) struct SingleStep<'r> {
    pub program: &'r Program,
    pub parts: (&'r mut State, &'r mut Scratch),
    pub block: (&'r mut SourceBlock, usize),
    /// Steps of the block whose noise is to be computed.
    pub make: Range<usize>,
    pub plan: &'r Plan,
    pub flat: &'r Flat,
}

impl WithSimd for SingleStep<'_> {
    type Output = Result<(), NotFinite>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let (block, in_block) = self.block;
        block.make(simd, &self.flat.sources, self.make);
        let mut step = Step::of_all(self.program, self.parts, (block, in_block));
        Run {
            step: &mut step,
            plan: self.plan,
            flat: self.flat,
            precision: PhantomData::<f32>,
        }
        .with_simd(simd)?;
        step.state.step += 1;
        Ok(())
    }
}
