//! Dense synapse matrices read the other way: the drive that they give from their targets to their sources.
//!
//! Each sum runs along a row of the matrix (see [`dense`](super::dense)): partial sums side by side, as many as a row's padding
//! allows, then their halves, quarters, … are added, an order that no vector width changes. Four rows are taken at a time, so
//! that each value that is loaded is used four times.

use pulp::{Arch, Simd, WithSimd};

/// Rows that are taken together.
const ROWS: usize = 4;

/// A kernel for numbers of one type.
macro_rules! kernel {
    ($name:ident, $float:ty, $partial:literal, $lanes:ident, $as_simd:ident, $as_mut_simd:ident, $mul_add:ident) => {
        /// Adds `Σ_i weights[j][i]·pre[i]` to each `drive[j]`, or puts it there unless something has `begun` the drive. Rows of
        /// the weights have the padded length `row`, of which as many count as there are values in `pre`; what of `drive` is
        /// beyond the last row counts as 0.
        pub fn $name(
            arch: Arch,
            (weights, row): (&[$float], usize),
            pre: &[$float],
            drive: &mut [f64],
            begun: bool,
        ) {
            if !begun {
                drive.fill(0.0);
            }
            if row > 0 {
                arch.dispatch(Kernel {
                    weights,
                    row,
                    pre,
                    drive,
                });
            }

            struct Kernel<'a> {
                weights: &'a [$float],
                row: usize,
                pre: &'a [$float],
                drive: &'a mut [f64],
            }

            impl WithSimd for Kernel<'_> {
                type Output = ();

                #[inline(always)]
                fn with_simd<S: Simd>(self, simd: S) {
                    let (row, pre) = (self.row, self.pre);
                    let mut drive = self.drive.chunks_mut(ROWS);
                    let mut fours = self.weights.chunks_exact(ROWS * row);
                    for (weights, drive) in fours.by_ref().zip(drive.by_ref()) {
                        let rows: [&[$float]; ROWS] =
                            std::array::from_fn(|r| &weights[r * row..][..pre.len()]);
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
            fn dot<S: Simd, const N: usize>(
                simd: S,
                rows: [&[$float]; N],
                pre: &[$float],
            ) -> [f64; N] {
                const PARTIAL: usize = $partial;
                let mut sums = [[0.0; PARTIAL]; N];
                let whole = pre.len() - pre.len() % PARTIAL;
                let width = PARTIAL / S::$lanes;
                let vectors = rows.map(|row| S::$as_simd(&row[..whole]).0);
                let values = S::$as_simd(&pre[..whole]).0;
                for (at, x) in values.chunks_exact(width).enumerate() {
                    for (sums, row) in sums.iter_mut().zip(vectors) {
                        let row = &row[at * width..(at + 1) * width];
                        for ((sum, w), x) in S::$as_mut_simd(sums).0.iter_mut().zip(row).zip(x) {
                            *sum = simd.$mul_add(*w, *x, *sum);
                        }
                    }
                }
                std::array::from_fn(|r| {
                    let behind = rows[r][whole..].iter().zip(&pre[whole..]);
                    for (sum, (w, x)) in sums[r].iter_mut().zip(behind) {
                        *sum = w.mul_add(*x, *sum);
                    }
                    let mut half = PARTIAL / 2;
                    while half > 0 {
                        for i in 0..half {
                            sums[r][i] += sums[r][i + half];
                        }
                        half /= 2;
                    }
                    f64::from(sums[r][0])
                })
            }
        }
    };
}

kernel!(
    deliver,
    f64,
    16,
    F64_LANES,
    as_simd_f64s,
    as_mut_simd_f64s,
    mul_add_f64s
);

kernel!(
    deliver_single,
    f32,
    32,
    F32_LANES,
    as_simd_f32s,
    as_mut_simd_f32s,
    mul_add_f32s
);

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "transposed", 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    fn singles(x: &[f64]) -> Vec<f32> {
        x.iter().map(|x| *x as f32).collect()
    }

    /// Numbers of sources and targets.
    const SIZES: [(usize, usize); 6] = [(1, 3), (4, 8), (5, 16), (7, 33), (20, 100), (103, 20)];

    /// The drive of three sources that hold something and one beyond them; padding of the weights may hold anything.
    fn check(
        (sources, targets): (usize, usize),
        begun: bool,
        tolerance: f64,
        run: impl Fn(Arch, (&[f64], usize), &[f64], &mut [f64]),
    ) {
        let row = targets.next_multiple_of(16);
        let (weights, pre) = (numbers(sources * row, 1), numbers(targets, 2));
        let before = numbers(sources.next_multiple_of(8), 3);
        let (mut wide, mut narrow) = (before.clone(), before.clone());
        run(Arch::new(), (&weights, row), &pre, &mut wide);
        run(Arch::Scalar, (&weights, row), &pre, &mut narrow);
        assert_eq!(wide, narrow);
        for j in 0..sources {
            let products = (0..targets).map(|i| weights[j * row + i] * pre[i]);
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
                check(
                    size,
                    begun,
                    1e3 * f64::EPSILON,
                    |arch, weights, pre, drive| {
                        deliver(arch, weights, pre, drive, begun);
                    },
                );
                let epsilon = f64::from(f32::EPSILON);
                check(size, begun, 1e2 * epsilon, |arch, (w, row), pre, drive| {
                    deliver_single(arch, (&singles(w), row), &singles(pre), drive, begun);
                });
            }
        }
    }
}
