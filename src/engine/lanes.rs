//! Numbers that fill SIMD vectors, so that a kernel is written once for single and for double precision.

use pulp::{Simd, bytemuck};

use super::matrix::Real;
use crate::lang::math;

/// A number of single or double precision, many of which fill a SIMD vector.
pub trait Lane: Real + bytemuck::Pod {
    /// Rows of matrices are padded to a multiple of this: a cache line of numbers.
    const ROW: usize;

    /// A SIMD vector of these numbers.
    type Vector<S: Simd>: bytemuck::Pod;

    /// Numbers in a vector.
    fn count<S: Simd>() -> usize;
    /// A vector of one number.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// a + b.
    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a − b.
    fn sub<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a·b.
    fn mul<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a·b + c, rounded once.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// c − a·b, rounded once.
    fn negate_mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// The larger of x and a number.
    fn at_least<S: Simd>(simd: S, x: Self::Vector<S>, least: Self::Vector<S>) -> Self::Vector<S>;
    /// x kept between two numbers; NaN stays NaN.
    fn clamp<S: Simd>(
        simd: S,
        x: Self::Vector<S>,
        low: Self::Vector<S>,
        high: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// tanh x.
    fn tanh<S: Simd>(simd: S, x: Self::Vector<S>) -> Self::Vector<S>;
    /// Whether a sum of 0·x, which is 0 for finite x and NaN for all else, has no NaN in it. One comparison of masks takes
    /// less than adding the lanes up.
    fn none_is_nan<S: Simd>(simd: S, total: Self::Vector<S>) -> bool;
    /// a·b + c of single numbers, rounded once.
    fn fused(a: Self, b: Self, c: Self) -> Self;
    /// Numbers as vectors; what is left over is not among them.
    fn vectors<S: Simd>(x: &[Self]) -> &[Self::Vector<S>];
    /// As [`Lane::vectors`], to be written.
    fn vectors_mut<S: Simd>(x: &mut [Self]) -> &mut [Self::Vector<S>];
}

/// Numbers whose sums can be given to numbers of another precision, or of the same.
pub trait Give<O: Lane>: Lane {
    /// Puts vectors into numbers, from the `at`-th vector on, or adds them if `ADD`. Where the precisions differ the last
    /// vectors may be beyond the end of `out`.
    fn give<S: Simd, const N: usize, const ADD: bool>(
        simd: S,
        vectors: [Self::Vector<S>; N],
        out: &mut [O],
        at: usize,
    );
}

/// `n` rounded up to whole cache lines of numbers.
pub fn padded<T: Lane>(n: usize) -> usize {
    n.next_multiple_of(T::ROW)
}

macro_rules! lane {
    ($number:ty, $row:expr, $tanh:path, $vector:ident, $count:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident,
     $mul_add:ident, $negate_mul_add:ident, $select:ident, $less:ident, $at_most:ident, $equal:ident,
     $vectors:ident, $vectors_mut:ident) => {
        impl Lane for $number {
            const ROW: usize = $row;

            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn count<S: Simd>() -> usize {
                S::$count
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }

            #[inline(always)]
            fn add<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn sub<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }

            #[inline(always)]
            fn mul<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$mul(a, b)
            }

            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn negate_mul_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$negate_mul_add(a, b, c)
            }

            #[inline(always)]
            fn at_least<S: Simd>(simd: S, x: S::$vector, least: S::$vector) -> S::$vector {
                simd.$select(simd.$at_most(x, least), least, x)
            }

            #[inline(always)]
            fn clamp<S: Simd>(
                simd: S,
                x: S::$vector,
                low: S::$vector,
                high: S::$vector,
            ) -> S::$vector {
                let x = simd.$select(simd.$less(x, low), low, x);
                simd.$select(simd.$less(high, x), high, x)
            }

            #[inline(always)]
            fn tanh<S: Simd>(simd: S, x: S::$vector) -> S::$vector {
                $tanh(simd, x)
            }

            #[inline(always)]
            fn none_is_nan<S: Simd>(simd: S, total: S::$vector) -> bool {
                let zero = simd.$splat(0.0);
                let all = simd.$equal(zero, zero);
                bytemuck::bytes_of(&simd.$equal(total, zero)) == bytemuck::bytes_of(&all)
            }

            #[inline(always)]
            fn fused(a: Self, b: Self, c: Self) -> Self {
                a.mul_add(b, c)
            }

            #[inline(always)]
            fn vectors<S: Simd>(x: &[Self]) -> &[S::$vector] {
                S::$vectors(x).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(x: &mut [Self]) -> &mut [S::$vector] {
                S::$vectors_mut(x).0
            }
        }

        impl Give<$number> for $number {
            #[inline(always)]
            fn give<S: Simd, const N: usize, const ADD: bool>(
                simd: S,
                vectors: [S::$vector; N],
                out: &mut [$number],
                at: usize,
            ) {
                let out = &mut S::$vectors_mut(out).0[at..at + N];
                for v in 0..N {
                    out[v] = if ADD {
                        simd.$add(out[v], vectors[v])
                    } else {
                        vectors[v]
                    };
                }
            }
        }
    };
}

lane!(
    f64,
    crate::lang::vm::LANES,
    math::tanh_in,
    f64s,
    F64_LANES,
    splat_f64s,
    add_f64s,
    sub_f64s,
    mul_f64s,
    mul_add_f64s,
    negate_mul_add_f64s,
    select_f64s,
    less_than_f64s,
    less_than_or_equal_f64s,
    equal_f64s,
    as_simd_f64s,
    as_mut_simd_f64s
);

lane!(
    f32,
    16,
    math::tanh_single,
    f32s,
    F32_LANES,
    splat_f32s,
    add_f32s,
    sub_f32s,
    mul_f32s,
    mul_add_f32s,
    negate_mul_add_f32s,
    select_f32s,
    less_than_f32s,
    less_than_or_equal_f32s,
    equal_f32s,
    as_simd_f32s,
    as_mut_simd_f32s
);

impl Give<f64> for f32 {
    #[inline(always)]
    fn give<S: Simd, const N: usize, const ADD: bool>(
        _: S,
        vectors: [S::f32s; N],
        out: &mut [f64],
        at: usize,
    ) {
        let x: &[f32] = bytemuck::cast_slice(&vectors);
        let out = out.get_mut(at * S::F32_LANES..).unwrap_or_default();
        for (out, x) in out.iter_mut().zip(x) {
            let x = f64::from(*x);
            *out = if ADD { *out + x } else { x };
        }
    }
}
