//! Dense synapse matrices: the drive they give and the outer products that change them.
//!
//! A matrix is stored by presynaptic neuron: row j holds the weights from neuron j to all (padded)
//! postsynaptic neurons, so that both loops run along contiguous postsynaptic vectors and no sum
//! crosses SIMD lanes. Each postsynaptic sum is taken in one fixed order (four interleaved partial
//! sums over j, then (0+1)+(2+3)), which no vector width changes.

use pulp::{Arch, Simd, WithSimd};

/// Interleaved partial sums per postsynaptic neuron: enough to hide the latency of the multiply–add.
const PARTIAL: usize = 4;

/// Adds `Σ_j weights[j][i]·pre[j]` to each `drive[i]`; `drive.len()` is the padded row length.
pub fn deliver(arch: Arch, weights: &[f64], pre: &[f64], drive: &mut [f64]) {
    arch.dispatch(Deliver::<true> {
        weights,
        pre,
        drive,
    });
}

/// As [`deliver`] onto a drive of 0, whatever it holds.
pub fn deliver_first(arch: Arch, weights: &[f64], pre: &[f64], drive: &mut [f64]) {
    arch.dispatch(Deliver::<false> {
        weights,
        pre,
        drive,
    });
}

/// As [`deliver`] if something has `begun` the drive, else as [`deliver_first`]; called where SIMD is at work already.
#[inline(always)]
pub fn deliver_in<S: Simd>(simd: S, weights: &[f64], pre: &[f64], drive: &mut [f64], begun: bool) {
    if begun {
        simd.vectorize(Deliver::<true> {
            weights,
            pre,
            drive,
        });
    } else {
        simd.vectorize(Deliver::<false> {
            weights,
            pre,
            drive,
        });
    }
}

/// The drive is added to if `ADD`, replaced otherwise.
struct Deliver<'a, const ADD: bool> {
    weights: &'a [f64],
    pre: &'a [f64],
    drive: &'a mut [f64],
}

impl<const ADD: bool> WithSimd for Deliver<'_, ADD> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Deliver {
            weights,
            pre,
            drive,
        } = self;
        let row = drive.len() / S::F64_LANES;
        let (weights, _) = S::as_simd_f64s(weights);
        let (drive, _) = S::as_mut_simd_f64s(drive);
        let mut at = 0;
        // Tiles of as many vectors as leave their partial sums in registers: 4 of 16, 7 of 32.
        while at < row {
            let tile = Tile {
                weights,
                pre,
                row,
                at,
            };
            let left = row - at;
            if S::REGISTER_COUNT >= 32 {
                at += match left {
                    5 => tile.deliver::<S, 5, ADD>(simd, drive),
                    6 | 11 | 12 => tile.deliver::<S, 6, ADD>(simd, drive),
                    7 | 13.. => tile.deliver::<S, 7, ADD>(simd, drive),
                    8.. => tile.deliver::<S, 5, ADD>(simd, drive),
                    4 => tile.deliver::<S, 4, ADD>(simd, drive),
                    3 => tile.deliver::<S, 3, ADD>(simd, drive),
                    2 => tile.deliver::<S, 2, ADD>(simd, drive),
                    _ => tile.deliver::<S, 1, ADD>(simd, drive),
                };
                continue;
            }
            match left {
                4.. => at += tile.deliver::<S, 4, ADD>(simd, drive),
                3 => at += tile.deliver::<S, 3, ADD>(simd, drive),
                2 => at += tile.deliver::<S, 2, ADD>(simd, drive),
                _ => at += tile.deliver::<S, 1, ADD>(simd, drive),
            }
        }
    }
}

/// Some vectors of postsynaptic neurons, starting with the `at`-th of a row.
struct Tile<'a, V> {
    weights: &'a [V],
    pre: &'a [f64],
    row: usize,
    at: usize,
}

impl<V> Tile<'_, V> {
    /// The drive of `N` vectors; returns `N`.
    #[inline(always)]
    fn deliver<S: Simd<f64s = V>, const N: usize, const ADD: bool>(
        &self,
        simd: S,
        drive: &mut [V],
    ) -> usize
    where
        V: Copy,
    {
        let Tile {
            weights,
            pre,
            row,
            at,
        } = *self;
        let mut sums = [[simd.splat_f64s(0.0); N]; PARTIAL];
        let mut rows = weights.chunks_exact(row * PARTIAL);
        let (groups, rest) = pre.as_chunks::<PARTIAL>();
        for (group, block) in groups.iter().zip(&mut rows) {
            for p in 0..PARTIAL {
                let x = simd.splat_f64s(group[p]);
                let weights = &block[p * row + at..p * row + at + N];
                for v in 0..N {
                    sums[p][v] = simd.mul_add_f64s(weights[v], x, sums[p][v]);
                }
            }
        }
        for ((p, x), weights) in rest
            .iter()
            .enumerate()
            .zip(rows.remainder().chunks_exact(row))
        {
            let x = simd.splat_f64s(*x);
            for v in 0..N {
                sums[p][v] = simd.mul_add_f64s(weights[at + v], x, sums[p][v]);
            }
        }
        let out = &mut drive[at..at + N];
        for v in 0..N {
            let even = simd.add_f64s(sums[0][v], sums[1][v]);
            let odd = simd.add_f64s(sums[2][v], sums[3][v]);
            let sum = simd.add_f64s(even, odd);
            out[v] = if ADD { simd.add_f64s(out[v], sum) } else { sum };
        }
        N
    }
}

/// Writes `Σ_j weights[j][i]·pre[r][j]` to each `out[r][i]` for many rows r at once; rows of `out` have the
/// padded length `row`, rows of `pre` the length `stride`, of which `sources` count. Each sum runs over j in order.
pub fn deliver_rows(
    arch: Arch,
    weights: &[f64],
    (pre, stride, sources): (&[f64], usize, usize),
    (out, row): (&mut [f64], usize),
) {
    arch.dispatch(DeliverRows {
        weights,
        pre,
        stride,
        sources,
        out,
        row,
    });
}

struct DeliverRows<'a> {
    weights: &'a [f64],
    pre: &'a [f64],
    stride: usize,
    sources: usize,
    out: &'a mut [f64],
    row: usize,
}

impl WithSimd for DeliverRows<'_> {
    type Output = ();

    /// Four rows and up to three vectors at a time, so that each weight that is loaded is used four times.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.row / S::F64_LANES;
        if width == 0 || self.stride == 0 {
            return;
        }
        let (weights, _) = S::as_simd_f64s(self.weights);
        let (out, _) = S::as_mut_simd_f64s(self.out);
        let fours = out.chunks_mut(4 * width);
        for (out, pre) in fours.zip(self.pre.chunks(4 * self.stride)) {
            // Of fewer than four rows the last is computed again and written once.
            let last = (out.len() / width).saturating_sub(1);
            let rows: [&[f64]; 4] =
                std::array::from_fn(|r| &pre[r.min(last) * self.stride..][..self.sources]);
            let mut at = 0;
            while at < width {
                let done = match width - at {
                    3.. => rows_tile::<S, 3>(simd, weights, rows, out, (width, at)),
                    2 => rows_tile::<S, 2>(simd, weights, rows, out, (width, at)),
                    _ => rows_tile::<S, 1>(simd, weights, rows, out, (width, at)),
                };
                at += done;
            }
        }
    }
}

/// `N` vectors of four rows, starting with the `at`-th of `width`; returns `N`.
#[inline(always)]
fn rows_tile<S: Simd, const N: usize>(
    simd: S,
    weights: &[S::f64s],
    [first, second, third, fourth]: [&[f64]; 4],
    out: &mut [S::f64s],
    (width, at): (usize, usize),
) -> usize {
    let mut sums = [[simd.splat_f64s(0.0); N]; 4];
    let sources = first.iter().zip(second).zip(third).zip(fourth);
    for (weights, (((a, b), c), d)) in weights.chunks_exact(width).zip(sources) {
        let weights = &weights[at..at + N];
        for (sums, x) in sums.iter_mut().zip([a, b, c, d]) {
            let x = simd.splat_f64s(*x);
            for v in 0..N {
                sums[v] = simd.mul_add_f64s(weights[v], x, sums[v]);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(width).zip(sums) {
        out[at..at + N].copy_from_slice(&sums);
    }
    N
}

/// Multiplies each `weights[j][i]` by 1 + `growth`, then adds `pre[j]·post[i]`; `post.len()` is the padded row length.
pub fn add_outer(arch: Arch, weights: &mut [f64], growth: f64, pre: &[f64], post: &[f64]) {
    if growth.abs() > 0.0 {
        arch.dispatch(AddOuter::<true> {
            weights,
            growth,
            pre,
            post,
        });
    } else {
        arch.dispatch(AddOuter::<false> {
            weights,
            growth,
            pre,
            post,
        });
    }
}

/// As [`add_outer`], called where SIMD is at work already.
#[inline(always)]
pub fn add_outer_in<S: Simd>(simd: S, weights: &mut [f64], growth: f64, pre: &[f64], post: &[f64]) {
    if growth.abs() > 0.0 {
        simd.vectorize(AddOuter::<true> {
            weights,
            growth,
            pre,
            post,
        });
    } else {
        simd.vectorize(AddOuter::<false> {
            weights,
            growth,
            pre,
            post,
        });
    }
}

/// Multiplies each `weights[j][i]` by 1 + `pre[j]·post[i]`; `post.len()` is the padded row length.
pub fn multiply_outer(arch: Arch, weights: &mut [f64], pre: &[f64], post: &[f64]) {
    arch.dispatch(MultiplyOuter { weights, pre, post });
}

struct MultiplyOuter<'a> {
    weights: &'a mut [f64],
    pre: &'a [f64],
    post: &'a [f64],
}

impl WithSimd for MultiplyOuter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (post, _) = S::as_simd_f64s(self.post);
        let (weights, _) = S::as_mut_simd_f64s(self.weights);
        for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(self.pre) {
            let x = simd.splat_f64s(*x);
            for (w, p) in row.iter_mut().zip(post) {
                *w = simd.mul_add_f64s(simd.mul_f64s(*p, x), *w, *w);
            }
        }
    }
}

/// The weights grow first if `GROW`.
struct AddOuter<'a, const GROW: bool> {
    weights: &'a mut [f64],
    growth: f64,
    pre: &'a [f64],
    post: &'a [f64],
}

impl<const GROW: bool> WithSimd for AddOuter<'_, GROW> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddOuter {
            weights,
            growth,
            pre,
            post,
        } = self;
        let growth = simd.splat_f64s(growth);
        let (post, _) = S::as_simd_f64s(post);
        let (weights, _) = S::as_mut_simd_f64s(weights);
        // Short rows keep the postsynaptic factor in registers.
        match post.len() {
            1 => outer_rows::<S, 1, GROW>(simd, weights, growth, pre, post),
            2 => outer_rows::<S, 2, GROW>(simd, weights, growth, pre, post),
            3 => outer_rows::<S, 3, GROW>(simd, weights, growth, pre, post),
            4 => outer_rows::<S, 4, GROW>(simd, weights, growth, pre, post),
            5 => outer_rows::<S, 5, GROW>(simd, weights, growth, pre, post),
            6 => outer_rows::<S, 6, GROW>(simd, weights, growth, pre, post),
            8 => outer_rows::<S, 8, GROW>(simd, weights, growth, pre, post),
            13 => outer_rows::<S, 13, GROW>(simd, weights, growth, pre, post),
            _ => {
                for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(pre) {
                    let x = simd.splat_f64s(*x);
                    for (w, p) in row.iter_mut().zip(post) {
                        *w = simd.add_f64s(simd.mul_f64s(*p, x), grown::<S, GROW>(simd, growth, *w));
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn grown<S: Simd, const GROW: bool>(simd: S, growth: S::f64s, w: S::f64s) -> S::f64s {
    if GROW {
        simd.mul_add_f64s(growth, w, w)
    } else {
        w
    }
}

#[inline(always)]
fn outer_rows<S: Simd, const N: usize, const GROW: bool>(
    simd: S,
    weights: &mut [S::f64s],
    growth: S::f64s,
    pre: &[f64],
    post: &[S::f64s],
) {
    let mut factor = [simd.splat_f64s(0.0); N];
    factor.copy_from_slice(&post[..N]);
    for (row, x) in weights.as_chunks_mut::<N>().0.iter_mut().zip(pre) {
        let x = simd.splat_f64s(*x);
        for v in 0..N {
            row[v] = simd.add_f64s(simd.mul_f64s(factor[v], x), grown::<S, GROW>(simd, growth, row[v]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "dense", 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn the_drive_is_the_matrix_product() {
        for (sources, row) in [(1, 8), (3, 16), (4, 24), (100, 24), (20, 104), (7, 40)] {
            let (weights, pre) = (numbers(sources * row, 1), numbers(sources, 2));
            let mut drive = numbers(row, 3);
            let before = drive.clone();
            deliver(Arch::new(), &weights, &pre, &mut drive);
            for i in 0..row {
                let exact: f64 = before[i]
                    + (0..sources)
                        .map(|j| weights[j * row + i] * pre[j])
                        .sum::<f64>();
                // Rounding of at most 101 terms below 1 in size.
                assert!((drive[i] - exact).abs() < 101.0 * f64::EPSILON * 10.0);
            }
        }
    }

    #[test]
    fn many_rows_are_many_products() {
        for (rows, sources, row) in [(1, 3, 8), (4, 20, 104), (7, 5, 40), (64, 2, 16)] {
            let stride = sources + 3;
            let (weights, pre) = (numbers(sources * row, 1), numbers(rows * stride, 2));
            let mut out = numbers(rows * row, 3);
            let of = (&pre[..], stride, sources);
            deliver_rows(Arch::new(), &weights, of, (&mut out, row));
            for (out, pre) in out.chunks(row).zip(pre.chunks(stride)) {
                for (i, found) in out.iter().enumerate() {
                    let product = |sum: f64, j: usize| weights[j * row + i].mul_add(pre[j], sum);
                    let expected = (0..sources).fold(0.0, product);
                    assert_eq!(found.to_bits(), expected.to_bits());
                }
            }
        }
    }

    #[test]
    fn the_instruction_set_does_not_change_the_bits() {
        for (sources, row) in [(100, 24), (20, 104), (5, 72)] {
            let (weights, pre, post) = (
                numbers(sources * row, 1),
                numbers(sources, 2),
                numbers(row, 4),
            );
            let (mut wide, mut narrow) = (vec![0.0; row], vec![0.0; row]);
            deliver(Arch::new(), &weights, &pre, &mut wide);
            deliver(Arch::Scalar, &weights, &pre, &mut narrow);
            assert_eq!(wide, narrow);
            let (mut wide, mut narrow) = (weights.clone(), weights);
            add_outer(Arch::new(), &mut wide, 0.25, &pre, &post);
            add_outer(Arch::Scalar, &mut narrow, 0.25, &pre, &post);
            assert_eq!(wide, narrow);
        }
    }

    #[test]
    fn the_outer_product_changes_every_weight() {
        for row in [8, 16, 24, 56, 104, 120] {
            let (mut weights, pre, post) = (numbers(5 * row, 1), numbers(5, 2), numbers(row, 4));
            for growth in [0.0, -0.25] {
                let before = weights.clone();
                add_outer(Arch::new(), &mut weights, growth, &pre, &post);
                for (at, (w, b)) in weights.iter().zip(&before).enumerate() {
                    let expected = post[at % row].mul_add(pre[at / row], (1.0 + growth) * b);
                    assert_eq!(w.to_bits(), expected.to_bits());
                }
            }
        }
    }
}
