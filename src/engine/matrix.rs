//! Products of matrices, by `matrixmultiply`: single or double precision, packed for the caches, in one fixed order
//! on one kind of machine. (With or without fused multiply–add, which its kernels choose, the last bits differ.)
//!
//! This is the one place that calls its unsafe functions; sizes are checked here. Against loops over
//! [`dense`](super::dense) it is 4 to 10 times as fast where both sides are matrices.

#![allow(unsafe_code)]

/// Where the elements of a matrix are in a slice.
#[derive(Debug, Clone, Copy)]
pub struct Strides {
    /// From row to row.
    pub row: usize,
    /// From column to column.
    pub column: usize,
}

/// Rows one after the other, `length` apart.
pub fn rows(length: usize) -> Strides {
    Strides {
        row: length,
        column: 1,
    }
}

/// Columns one after the other, `length` apart: the transpose of [`rows`].
pub fn columns(length: usize) -> Strides {
    Strides {
        row: 1,
        column: length,
    }
}

/// Numbers that matrices are made of.
pub trait Real:
    Copy + Default + Send + Sync + std::fmt::Debug + std::ops::AddAssign + 'static
{
    /// The nearest number.
    fn from_f64(x: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    /// `matrixmultiply`'s function.
    ///
    /// # Safety
    /// As its own: all elements are within their slices, those of `c` all in different places.
    unsafe fn multiply(size: [usize; 3], a: Raw<Self>, b: Raw<Self>, beta: Self, c: RawMut<Self>);
}

/// A matrix as `matrixmultiply` takes it: where it begins, and its strides.
pub type Raw<T> = (*const T, Strides);
/// The same, to be written.
pub type RawMut<T> = (*mut T, Strides);

macro_rules! real {
    ($number:ty, $function:path) => {
        impl Real for $number {
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $number
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            unsafe fn multiply(
                [m, k, n]: [usize; 3],
                a: Raw<Self>,
                b: Raw<Self>,
                beta: Self,
                c: RawMut<Self>,
            ) {
                let of = |s: Strides| (s.row as isize, s.column as isize);
                let ((ra, ca), (rb, cb), (rc, cc)) = (of(a.1), of(b.1), of(c.1));
                // SAFETY: the caller's.
                unsafe { $function(m, k, n, 1.0, a.0, ra, ca, b.0, rb, cb, beta, c.0, rc, cc) }
            }
        }
    };
}

real!(f32, matrixmultiply::sgemm);
real!(f64, matrixmultiply::dgemm);

/// C ← A·B, or C ← C + A·B if `add`, where A has m × k elements, B k × n and C m × n.
///
/// # Panics
/// If a slice is shorter than its matrix, or elements of C share a place.
pub fn multiply<T: Real>(
    [m, k, n]: [usize; 3],
    (a, of_a): (&[T], Strides),
    (b, of_b): (&[T], Strides),
    (c, of_c): (&mut [T], Strides),
    add: bool,
) {
    assert!(fits(a.len(), [m, k], of_a) && fits(b.len(), [k, n], of_b));
    assert!(fits(c.len(), [m, n], of_c) && apart([m, n], of_c));
    let beta = T::from_f64(f64::from(u8::from(add)));
    let (a, b, c) = (
        (a.as_ptr(), of_a),
        (b.as_ptr(), of_b),
        (c.as_mut_ptr(), of_c),
    );
    // SAFETY: all elements are within their slices, and those of C apart, as was just checked.
    unsafe { T::multiply([m, k, n], a, b, beta, c) }
}

/// Whether all elements are within a slice.
fn fits(length: usize, [rows, columns]: [usize; 2], strides: Strides) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * strides.row + (columns - 1) * strides.column < length
}

/// Whether no two elements share a place.
fn apart([rows, columns]: [usize; 2], strides: Strides) -> bool {
    (strides.column >= 1 && strides.row >= strides.column * columns)
        || (strides.row >= 1 && strides.column >= strides.row * rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    fn numbers<T: Real>(n: usize, seed: u64) -> Vec<T> {
        let mut stream = crate::random::stream(seed, "matrix", 0);
        (0..n)
            .map(|_| T::from_f64(stream.random_range(-1.0..1.0)))
            .collect()
    }

    /// The safe twin: three loops.
    fn slowly<T: Real>(
        [m, k, n]: [usize; 3],
        a: (&[T], Strides),
        b: (&[T], Strides),
        (i, j): (usize, usize),
    ) -> f64 {
        assert!(i < m && j < n);
        let a_of = |p: usize| a.0[i * a.1.row + p * a.1.column].to_f64();
        let b_of = |p: usize| b.0[p * b.1.row + j * b.1.column].to_f64();
        (0..k).map(|p| a_of(p) * b_of(p)).sum()
    }

    fn check<T: Real>(tolerance: f64) {
        for [m, k, n] in [[1, 1, 1], [3, 5, 2], [17, 40, 33], [64, 9, 130]] {
            for (of_a, of_b) in [(rows(k + 1), rows(n)), (columns(m), columns(k + 2))] {
                let (a, b) = (
                    numbers::<T>((m + 1) * (k + 1), 1),
                    numbers::<T>((k + 2) * n, 2),
                );
                let before = numbers::<T>(m * n, 3);
                for add in [false, true] {
                    let mut c = before.clone();
                    let (a, b) = ((&a[..], of_a), (&b[..], of_b));
                    multiply([m, k, n], a, b, (&mut c, rows(n)), add);
                    for at in 0..m * n {
                        let old = if add { before[at].to_f64() } else { 0.0 };
                        let exact = old + slowly([m, k, n], a, b, (at / n, at % n));
                        // Rounding of at most 41 terms below 1 in size.
                        assert!((c[at].to_f64() - exact).abs() < 41.0 * tolerance);
                    }
                }
            }
        }
    }

    #[test]
    fn products_are_those_of_three_loops() {
        check::<f64>(f64::EPSILON);
        check::<f32>(f64::from(f32::EPSILON));
    }

    #[test]
    #[should_panic(expected = "fits")]
    fn a_slice_that_is_too_short_is_refused() {
        let a = [1.0; 5];
        multiply(
            [2, 3, 1],
            (&a, rows(3)),
            (&[1.0; 3], rows(1)),
            (&mut [0.0; 2], rows(1)),
            false,
        );
    }

    #[test]
    #[should_panic(expected = "apart")]
    fn elements_that_share_a_place_are_refused() {
        let shared = Strides { row: 1, column: 1 };
        multiply(
            [2, 1, 2],
            (&[1.0; 2], rows(1)),
            (&[1.0; 2], rows(2)),
            (&mut [0.0; 4], shared),
            false,
        );
    }
}
