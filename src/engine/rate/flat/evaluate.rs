//! Computing expressions: the loops of the recognised ones, and bytecode for the others.
//!
//! Each loop does what the bytecode would do, operation by operation and in the same order, so that both give the same
//! bits; it only keeps in registers what lies between. On the way it sees whether all results are finite.

use pulp::{Simd, WithSimd};

use super::super::kernels::Memory;
use super::Precision;
use super::pattern::{Long, Number, Pattern};
use crate::engine::elementwise::AllFinite;
use crate::lang::math;
use crate::lang::vm::{LANES, Machine};

/// Bits of a number that is not finite: all of the exponent.
const EXPONENT: u64 = 0x7ff << 52;

/// What a number is in this step.
#[inline(always)]
pub(super) fn number<T: Precision>(
    memory: &Memory<'_, T>,
    machine: &mut Machine,
    number: &Number,
) -> f64 {
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
        Number::Rest { factor, scalar } => factor * (1.0 - memory.scalars[*scalar]),
        Number::Kernel(kernel) => memory.run_scalar(machine, kernel),
    }
}

/// Computes an expression into `out`; whether all results are finite, if `check` asks for it.
pub(super) struct Evaluate<'a, T> {
    pub memory: &'a Memory<'a, T>,
    pub machine: &'a mut Machine,
    pub pattern: &'a Pattern,
    pub out: &'a mut [T],
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
            $(let $x = $x[i].to_f64();)+
            let result: f64 = $e;
            largest = largest.max(result.to_bits() & EXPONENT);
            $out[i] = T::from_f64(result);
        }
        largest < EXPONENT
    }};
}

/// As `each`, for an expression in SIMD vectors: of a short one the optimiser would do four vectors at a time, and what
/// is left one by one.
macro_rules! each_vector {
    ($simd:ident, $out:ident, $(($x:ident, $values:expr)),+ => $e:expr) => {{
        let n = $out.len();
        let out = T::vectors_mut::<S>($out);
        $(let $x = T::vectors::<S>(&$values[..n]);)+
        let zero = T::splat($simd, T::default());
        // 0·x is 0 for finite x and NaN for all else, and a sum with a NaN in it stays one.
        let mut total = zero;
        for i in 0..out.len() {
            $(let $x = $x[i];)+
            let result = $e;
            total = T::mul_add($simd, result, zero, total);
            out[i] = result;
        }
        T::none_is_nan($simd, total)
    }};
}

/// A number in all lanes.
#[inline(always)]
fn splat<S: Simd, T: Precision>(simd: S, x: f64) -> T::Vector<S> {
    T::splat(simd, T::from_f64(x))
}

impl<T: Precision> Evaluate<'_, T> {
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
                let scale = splat::<S, T>(simd, *scale);
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    T::mul_add(simd, scale, x, y))
            }
            Pattern::Product { x, y } => {
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    T::mul(simd, x, y))
            }
            Pattern::AtLeast { least, x } => {
                let least = splat::<S, T>(simd, *least);
                each_vector!(simd, out, (x, memory.vector(*x)) =>
                    T::at_least(simd, x, least))
            }
            Pattern::Error { scale, x, y } => {
                let scale = splat::<S, T>(simd, *scale);
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    T::mul(simd, scale, T::sub(simd, x, y)))
            }
            Pattern::SquaredError { x, y } => {
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) => {
                    let error = T::sub(simd, x, y);
                    T::mul(simd, error, error)
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
struct EvaluateLong<'a, T> {
    memory: &'a Memory<'a, T>,
    machine: &'a mut Machine,
    long: &'a Long,
    out: &'a mut [T],
    check: bool,
}

impl<T: Precision> WithSimd for EvaluateLong<'_, T> {
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
                let signal = splat::<S, T>(simd, number(memory, machine, signal));
                let [scale, decay] = [splat::<S, T>(simd, *scale), splat::<S, T>(simd, *decay)];
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)), (w, memory.vector(*w)) => {
                    let deviation = T::mul(simd, signal, T::sub(simd, x, y));
                    T::mul(simd, scale, T::negate_mul_add(simd, decay, w, deviation))
                })
            }
            Long::ErrorProduct { signal, x, y, z } => {
                let signal = splat::<S, T>(simd, number(memory, machine, signal));
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)), (z, memory.vector(*z)) =>
                    T::mul(simd, T::mul(simd, signal, T::sub(simd, x, y)), z))
            }
            Long::TanhFma { scale, x, y } => {
                let scale = splat::<S, T>(simd, *scale);
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    T::mul_add(simd, scale, x, T::tanh(simd, y)))
            }
            Long::TanhError { scale, x, y } => {
                let [scale, one] = [splat::<S, T>(simd, *scale), splat::<S, T>(simd, 1.0)];
                each_vector!(simd, out, (x, memory.vector(*x)), (y, memory.vector(*y)) => {
                    let t = T::tanh(simd, y);
                    let slope = T::negate_mul_add(simd, t, t, one);
                    T::mul(simd, scale, T::mul(simd, T::sub(simd, x, t), slope))
                })
            }
            Long::SoftplusLeak { scale, gain, x, y } => {
                each!(out, (x, memory.vector(*x)), (y, memory.vector(*y)) =>
                    -(math::softplus_inverse(x * gain) * scale) + y)
            }
            Long::Code(kernel) => {
                T::run(simd, memory, machine, kernel, out);
                !check || AllFinite { x: out }.with_simd(simd)
            }
        }
    }
}
