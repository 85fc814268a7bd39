//! Numbers that fill SIMD vectors, so that a kernel is written once for single and for double precision.

use pulp::{Simd, bytemuck};

use super::matrix::Real;

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
    /// a·b.
    fn mul<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a·b + c, rounded once.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// a·b + c of single numbers, rounded once.
    fn fused(a: Self, b: Self, c: Self) -> Self;
    /// Numbers as vectors; what is left over is not among them.
    fn vectors<S: Simd>(x: &[Self]) -> &[Self::Vector<S>];
    /// As [`Lane::vectors`], to be written.
    fn vectors_mut<S: Simd>(x: &mut [Self]) -> &mut [Self::Vector<S>];
    /// Puts vectors into numbers of double precision, from the `at`-th vector of these numbers on, or adds them if `ADD`. In
    /// single precision the last vectors may be beyond the end of `out`.
    fn give<S: Simd, const N: usize, const ADD: bool>(
        simd: S,
        vectors: [Self::Vector<S>; N],
        out: &mut [f64],
        at: usize,
    );
}

/// `n` rounded up to whole cache lines of numbers.
pub fn padded<T: Lane>(n: usize) -> usize {
    n.next_multiple_of(T::ROW)
}

macro_rules! lane {
    ($number:ty, $row:expr, $vector:ident, $count:ident, $splat:ident, $add:ident, $mul:ident, $mul_add:ident,
     $vectors:ident, $vectors_mut:ident, $give:item) => {
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
            fn mul<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$mul(a, b)
            }

            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
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

            #[inline(always)]
            $give
        }
    };
}

lane!(
    f64,
    crate::lang::vm::LANES,
    f64s,
    F64_LANES,
    splat_f64s,
    add_f64s,
    mul_f64s,
    mul_add_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    fn give<S: Simd, const N: usize, const ADD: bool>(
        simd: S,
        vectors: [S::f64s; N],
        out: &mut [f64],
        at: usize,
    ) {
        let out = &mut S::as_mut_simd_f64s(out).0[at..at + N];
        for v in 0..N {
            out[v] = if ADD {
                simd.add_f64s(out[v], vectors[v])
            } else {
                vectors[v]
            };
        }
    }
);

lane!(
    f32,
    16,
    f32s,
    F32_LANES,
    splat_f32s,
    add_f32s,
    mul_f32s,
    mul_add_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
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
);
