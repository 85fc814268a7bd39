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
    arch.dispatch(Deliver {
        weights,
        pre,
        drive,
    });
}

struct Deliver<'a> {
    weights: &'a [f64],
    pre: &'a [f64],
    drive: &'a mut [f64],
}

impl WithSimd for Deliver<'_> {
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
        // Tiles of 4, 3, 2 or 1 vectors: their partial sums fill the registers and nothing spills.
        while at < row {
            let tile = Tile {
                weights,
                pre,
                row,
                at,
            };
            match row - at {
                4.. => at += tile.deliver::<S, 4>(simd, drive),
                3 => at += tile.deliver::<S, 3>(simd, drive),
                2 => at += tile.deliver::<S, 2>(simd, drive),
                _ => at += tile.deliver::<S, 1>(simd, drive),
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
    fn deliver<S: Simd<f64s = V>, const N: usize>(&self, simd: S, drive: &mut [V]) -> usize
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
            out[v] = simd.add_f64s(out[v], simd.add_f64s(even, odd));
        }
        N
    }
}

/// Adds `pre[j]·post[i]` to each `weights[j][i]`; `post.len()` is the padded row length.
pub fn add_outer(arch: Arch, weights: &mut [f64], pre: &[f64], post: &[f64]) {
    arch.dispatch(AddOuter { weights, pre, post });
}

struct AddOuter<'a> {
    weights: &'a mut [f64],
    pre: &'a [f64],
    post: &'a [f64],
}

impl WithSimd for AddOuter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddOuter { weights, pre, post } = self;
        let (post, _) = S::as_simd_f64s(post);
        let (weights, _) = S::as_mut_simd_f64s(weights);
        // Short rows keep the postsynaptic factor in registers.
        match post.len() {
            1 => outer_rows::<S, 1>(simd, weights, pre, post),
            2 => outer_rows::<S, 2>(simd, weights, pre, post),
            3 => outer_rows::<S, 3>(simd, weights, pre, post),
            4 => outer_rows::<S, 4>(simd, weights, pre, post),
            5 => outer_rows::<S, 5>(simd, weights, pre, post),
            6 => outer_rows::<S, 6>(simd, weights, pre, post),
            8 => outer_rows::<S, 8>(simd, weights, pre, post),
            13 => outer_rows::<S, 13>(simd, weights, pre, post),
            _ => {
                for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(pre) {
                    let x = simd.splat_f64s(*x);
                    for (w, p) in row.iter_mut().zip(post) {
                        *w = simd.mul_add_f64s(*p, x, *w);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn outer_rows<S: Simd, const N: usize>(
    simd: S,
    weights: &mut [S::f64s],
    pre: &[f64],
    post: &[S::f64s],
) {
    let mut factor = [simd.splat_f64s(0.0); N];
    factor.copy_from_slice(&post[..N]);
    for (row, x) in weights.as_chunks_mut::<N>().0.iter_mut().zip(pre) {
        let x = simd.splat_f64s(*x);
        for v in 0..N {
            row[v] = simd.mul_add_f64s(factor[v], x, row[v]);
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
            add_outer(Arch::new(), &mut wide, &pre, &post);
            add_outer(Arch::Scalar, &mut narrow, &pre, &post);
            assert_eq!(wide, narrow);
        }
    }

    #[test]
    fn the_outer_product_changes_every_weight() {
        for row in [8, 16, 24, 56, 104, 120] {
            let (mut weights, pre, post) = (numbers(5 * row, 1), numbers(5, 2), numbers(row, 4));
            let before = weights.clone();
            add_outer(Arch::new(), &mut weights, &pre, &post);
            for (at, (w, b)) in weights.iter().zip(&before).enumerate() {
                assert_eq!(
                    w.to_bits(),
                    post[at % row].mul_add(pre[at / row], *b).to_bits()
                );
            }
        }
    }
}
