//! Dense synapse matrices read the other way: the drive that they give from their targets to their sources.
//!
//! Each sum runs along a row of the matrix (see [`dense`](super::dense)): partial sums side by side, twice as many as rows are
//! padded to, then their halves, quarters, … are added, an order that no vector width changes. Four rows are taken at a time,
//! so that each value that is loaded is used four times.

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lane;

/// Rows that are taken together.
const ROWS: usize = 4;

/// Room for the partial sums of any precision.
const MOST_PARTIAL: usize = 32;

/// Adds `Σ_i weights[j][i]·pre[i]` to each `drive[j]`, or puts it there unless something has `begun` the drive. Rows of the
/// weights have the padded length `row`, of which as many count as there are values in `pre`; what of `drive` is beyond the
/// last row counts as 0.
pub fn deliver<T: Lane>(
    arch: Arch,
    (weights, row): (&[T], usize),
    pre: &[T],
    drive: &mut [f64],
    begun: bool,
) {
    if !begun {
        drive.fill(0.0);
    }
    if row > 0 {
        arch.dispatch(Deliver {
            weights,
            row,
            pre,
            drive,
        });
    }
}

struct Deliver<'a, T> {
    weights: &'a [T],
    row: usize,
    pre: &'a [T],
    drive: &'a mut [f64],
}

impl<T: Lane> WithSimd for Deliver<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (row, pre) = (self.row, self.pre);
        let mut drive = self.drive.chunks_mut(ROWS);
        let mut fours = self.weights.chunks_exact(ROWS * row);
        for (weights, drive) in fours.by_ref().zip(drive.by_ref()) {
            let rows: [&[T]; ROWS] = std::array::from_fn(|r| &weights[r * row..][..pre.len()]);
            let sums = dot(simd, rows, pre);
            drive.iter_mut().zip(sums).for_each(|(d, sum)| *d += sum);
        }
        let rest = fours.remainder().chunks_exact(row);
        let drive = drive.next().unwrap_or_default();
        for (d, weights) in drive.iter_mut().zip(rest) {
            let [sum] = dot(simd, [&weights[..pre.len()]], pre);
            *d += sum;
        }
    }
}

/// The products of `N` rows with `pre`.
#[inline(always)]
fn dot<S: Simd, T: Lane, const N: usize>(simd: S, rows: [&[T]; N], pre: &[T]) -> [f64; N] {
    let partial = 2 * T::ROW;
    let mut sums = [[T::default(); MOST_PARTIAL]; N];
    let whole = pre.len() - pre.len() % partial;
    let width = partial / T::count::<S>();
    let vectors = rows.map(|row| T::vectors::<S>(&row[..whole]));
    let values = T::vectors::<S>(&pre[..whole]);
    for (at, x) in values.chunks_exact(width).enumerate() {
        for (sums, row) in sums.iter_mut().zip(vectors) {
            let row = &row[at * width..(at + 1) * width];
            let sums = T::vectors_mut::<S>(&mut sums[..partial]);
            for ((sum, w), x) in sums.iter_mut().zip(row).zip(x) {
                *sum = T::mul_add(simd, *w, *x, *sum);
            }
        }
    }
    std::array::from_fn(|r| {
        let behind = rows[r][whole..].iter().zip(&pre[whole..]);
        for (sum, (w, x)) in sums[r].iter_mut().zip(behind) {
            *sum = T::fused(*w, *x, *sum);
        }
        let mut half = partial / 2;
        while half > 0 {
            for i in 0..half {
                let other = sums[r][i + half];
                sums[r][i] += other;
            }
            half /= 2;
        }
        sums[r][0].to_f64()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers<T: Lane>(n: usize, seed: u64) -> Vec<T> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "transposed", 0);
        (0..n)
            .map(|_| T::from_f64(stream.random_range(-1.0..1.0)))
            .collect()
    }

    /// Numbers of sources and targets.
    const SIZES: [(usize, usize); 6] = [(1, 3), (4, 8), (5, 16), (7, 33), (20, 100), (103, 20)];

    /// The drive of sources that hold something and of some beyond them; padding of the weights may hold anything.
    fn check<T: Lane>((sources, targets): (usize, usize), begun: bool, tolerance: f64) {
        let row = targets.next_multiple_of(16);
        let (weights, pre) = (numbers::<T>(sources * row, 1), numbers::<T>(targets, 2));
        let before = numbers::<f64>(sources.next_multiple_of(8), 3);
        let (mut wide, mut narrow) = (before.clone(), before.clone());
        deliver(Arch::new(), (&weights, row), &pre, &mut wide, begun);
        deliver(Arch::Scalar, (&weights, row), &pre, &mut narrow, begun);
        assert_eq!(wide, narrow);
        for j in 0..sources {
            let products = (0..targets).map(|i| weights[j * row + i].to_f64() * pre[i].to_f64());
            let held = if begun { before[j] } else { 0.0 };
            let exact = held + products.sum::<f64>();
            assert!(
                (wide[j] - exact).abs() < tolerance,
                "{sources} × {targets}, {j}"
            );
        }
    }

    #[test]
    fn the_drive_is_the_product_with_the_transpose_and_no_instruction_set_changes_its_bits() {
        for size in SIZES {
            for begun in [false, true] {
                // Rounding of at most 101 terms below 1 in size.
                check::<f64>(size, begun, 1e3 * f64::EPSILON);
                check::<f32>(size, begun, 1e2 * f64::from(f32::EPSILON));
            }
        }
    }
}
