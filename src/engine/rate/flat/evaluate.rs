//! Computing expressions: the loops of the recognised ones, and bytecode for the others.
//!
//! Each loop does what the bytecode would do, operation by operation and in the same order, so that both give the same
//! bits; it only keeps in registers what lies between. On the way it sees whether all results are finite.

use pulp::{Simd, WithSimd};

use super::super::kernels::Memory;
use super::pattern::{Long, Number, Pattern};
use crate::engine::elementwise::{AllFinite, none_is_nan};
use crate::lang::math;
use crate::lang::vm::{LANES, Machine};

/// Bits of a number that is not finite: all of the exponent.
const EXPONENT: u64 = 0x7ff << 52;

/// What a number is in this step.
#[inline(always)]
pub(super) fn number(memory: Memory<'_>, machine: &mut Machine, number: &Number) -> f64 {
    match number {
        Number::Constant(value) => *value,
        Number::Product {
            factor,
            scalar,
            negative,
        } => {
            let x = memory.scalars[*scalar];
            factor * if *negative { -x } else { x }
        }
        Number::Kernel(kernel) => memory.run_scalar(machine, kernel),
    }
}

/// Computes an expression into `out`; whether all results are finite, if `check` asks for it.
pub(super) struct Evaluate<'a> {
    pub memory: Memory<'a>,
    pub machine: &'a mut Machine,
    pub pattern: &'a Pattern,
    pub out: &'a mut [f64],
    pub check: bool,
}

/// Writes an expression in `$x`, `$y` … for every element, and looks at the exponents of the results. For long
/// expressions, of which the optimiser makes vector code by itself.
macro_rules! each {
    ($out:ident, $(($x:ident, $values:expr)),+ => $e:expr) => {{
        let n = $out.len() / LANES * LANES;
        let $out = &mut $out[..n];
        $(let $x = &$values[..n];)+
        let mut largest = 0;
        for i in 0..n {
            $(let $x = $x[i];)+
            let result: f64 = $e;
            largest = largest.max(result.to_bits() & EXPONENT);
            $out[i] = result;
        }
        largest < EXPONENT
    }};
}

/// As `each`, for an expression in SIMD vectors: of a short one the optimiser would do four vectors at a time, and what
/// is left one by one.
macro_rules! each_vector {
    ($simd:ident, $out:ident, $(($x:ident, $values:expr)),+ => $e:expr) => {{
        let n = $out.len();
        let out = S::as_mut_simd_f64s($out).0;
        $(let $x = S::as_simd_f64s(&$values[..n]).0;)+
        let zero = $simd.splat_f64s(0.0);
        // 0·x is 0 for finite x and NaN for all else, and a sum with a NaN in it stays one.
        let mut total = zero;
        for i in 0..out.len() {
            $(let $x = $x[i];)+
            let result = $e;
            total = $simd.mul_add_f64s(result, zero, total);
            out[i] = result;
        }
        none_is_nan($simd, total)
    }};
}

impl Evaluate<'_> {
    /// Computes the expression where SIMD is at work already: a short loop stands where this is called, a long one is
    /// called itself.
    #[inline(always)]
    pub fn run<S: Simd>(self, simd: S) -> bool {
        let Evaluate {
            memory,
            machine,
            pattern,
            out,
            check,
        } = self;
        match pattern {
            Pattern::Copy(x) => each_vector!(simd, out, (x, memory.vector(*x)) => x),
            Pattern::Fma { scale, x, y } => {
                let scale = simd.splat_f64s(*scale);
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    simd.mul_add_f64s(scale, x, y))
            }
            Pattern::Product { x, y } => {
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    simd.mul_f64s(x, y))
            }
            Pattern::AtLeast { least, x } => {
                let least = simd.splat_f64s(*least);
                each_vector!(simd, out, (x, memory.vector(*x)) =>
                    simd.select_f64s(simd.less_than_or_equal_f64s(x, least), least, x))
            }
            Pattern::Error { scale, x, y } => {
                let scale = simd.splat_f64s(*scale);
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    simd.mul_f64s(scale, simd.sub_f64s(x, y)))
            }
            Pattern::SquaredError { x, y } => {
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) => {
                    let error = simd.sub_f64s(x, y);
                    simd.mul_f64s(error, error)
                })
            }
            Pattern::Long(long) => simd.vectorize(EvaluateLong {
                memory,
                machine,
                long,
                out,
                check,
            }),
        }
    }
}

/// The long expressions.
struct EvaluateLong<'a> {
    memory: Memory<'a>,
    machine: &'a mut Machine,
    long: &'a Long,
    out: &'a mut [f64],
    check: bool,
}

impl WithSimd for EvaluateLong<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let EvaluateLong {
            memory,
            machine,
            long,
            out,
            check,
        } = self;
        match long {
            Long::Deviation {
                scale,
                signal,
                decay,
                x,
                y,
                w,
            } => {
                let signal = simd.splat_f64s(number(memory, machine, signal));
                let [scale, decay] = [simd.splat_f64s(*scale), simd.splat_f64s(*decay)];
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)), (w, memory.vector(*w)) => {
                    let deviation = simd.mul_f64s(signal, simd.sub_f64s(x, y));
                    simd.mul_f64s(scale, simd.negate_mul_add_f64s(decay, w, deviation))
                })
            }
            Long::TanhFma { scale, x, y } => {
                let scale = simd.splat_f64s(*scale);
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    simd.mul_add_f64s(scale, x, math::tanh_in(simd, y)))
            }
            Long::TanhError { scale, x, y } => {
                let [scale, one] = [simd.splat_f64s(*scale), simd.splat_f64s(1.0)];
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) => {
                    let t = math::tanh_in(simd, y);
                    let slope = simd.negate_mul_add_f64s(t, t, one);
                    simd.mul_f64s(scale, simd.mul_f64s(simd.sub_f64s(x, t), slope))
                })
            }
            Long::SoftplusLeak { scale, gain, x, y } => {
                each!(out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    -(math::softplus_inverse(x * gain) * scale) + y)
            }
            Long::Code(kernel) => {
                memory.run_in(simd, machine, kernel, out);
                !check || AllFinite { x: out }.with_simd(simd)
            }
        }
    }
}
