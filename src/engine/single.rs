//! Matrices of synapses in single precision: the drive they give and the outer products that change them.
//!
//! They are laid out as the matrices of [`dense`](super::dense), row after row, rows padded to a multiple of [`LANES`].
//! Presynaptic values are rounded to single precision first; sums over synapses are taken in single precision too, in the
//! fixed order of [`dense`](super::dense), and enter the drive in double precision.

use pulp::{Arch, Simd, WithSimd, bytemuck};

/// Rows of weights are padded to a multiple of this.
pub const LANES: usize = 16;

/// Interleaved partial sums per postsynaptic neuron.
const PARTIAL: usize = 4;

/// Most vectors of a row that are summed at a time.
const TILE: usize = 7;

/// `n` rounded up to a multiple of [`LANES`].
pub fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// Rounds numbers to single precision; as many as `out` holds or `x` has. The rest of `out` becomes 0.
pub fn round(arch: Arch, x: &[f64], out: &mut [f32]) {
    arch.dispatch(Round { x, out });
}

/// As [`round`], for where SIMD is at work already.
pub struct Round<'a> {
    /// What is rounded.
    pub x: &'a [f64],
    /// Where it goes.
    pub out: &'a mut [f32],
}

impl WithSimd for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let n = self.x.len().min(self.out.len());
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = *x as f32;
        }
        self.out[n..].fill(0.0);
    }
}

/// Adds `Σ_j weights[j][i]·pre[j]` to each `drive[i]`, or puts it there unless something has `begun` the drive.
/// Rows have the padded length `row`, of which as many count as `drive` is long.
pub fn deliver(
    arch: Arch,
    (weights, row): (&[f32], usize),
    pre: &[f32],
    drive: &mut [f64],
    begun: bool,
) {
    if begun {
        arch.dispatch(Deliver::<true> {
            weights,
            row,
            pre,
            drive,
        });
    } else {
        arch.dispatch(Deliver::<false> {
            weights,
            row,
            pre,
            drive,
        });
    }
}

/// As [`deliver`], called where SIMD is at work already.
#[inline(always)]
pub fn deliver_in<S: Simd>(
    simd: S,
    (weights, row): (&[f32], usize),
    pre: &[f32],
    drive: &mut [f64],
    begun: bool,
) {
    if begun {
        simd.vectorize(Deliver::<true> {
            weights,
            row,
            pre,
            drive,
        });
    } else {
        simd.vectorize(Deliver::<false> {
            weights,
            row,
            pre,
            drive,
        });
    }
}

/// The drive is added to if `ADD`, replaced otherwise.
struct Deliver<'a, const ADD: bool> {
    weights: &'a [f32],
    row: usize,
    pre: &'a [f32],
    drive: &'a mut [f64],
}

impl<const ADD: bool> WithSimd for Deliver<'_, ADD> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.row / S::F32_LANES;
        let (weights, _) = S::as_simd_f32s(self.weights);
        let mut left = self.drive;
        let mut at = 0;
        while at < width && !left.is_empty() {
            let mut sums = [simd.splat_f32s(0.0); TILE];
            let place = (width, at);
            let n = match width - at {
                7.. if S::REGISTER_COUNT >= 32 => {
                    tile::<S, 7>(simd, weights, place, self.pre, &mut sums)
                }
                4.. => tile::<S, 4>(simd, weights, place, self.pre, &mut sums),
                3 => tile::<S, 3>(simd, weights, place, self.pre, &mut sums),
                2 => tile::<S, 2>(simd, weights, place, self.pre, &mut sums),
                _ => tile::<S, 1>(simd, weights, place, self.pre, &mut sums),
            };
            let sums: &[f32] = bytemuck::cast_slice(&sums[..n]);
            let (out, rest) = left.split_at_mut(sums.len().min(left.len()));
            for (out, sum) in out.iter_mut().zip(sums) {
                let sum = f64::from(*sum);
                *out = if ADD { *out + sum } else { sum };
            }
            left = rest;
            at += n;
        }
    }
}

/// Sums over the synapses of `N` vectors of postsynaptic neurons, of which the `at`-th of `width` is the first; returns `N`.
#[inline(always)]
fn tile<S: Simd, const N: usize>(
    simd: S,
    weights: &[S::f32s],
    (width, at): (usize, usize),
    pre: &[f32],
    out: &mut [S::f32s; TILE],
) -> usize {
    let mut sums = [[simd.splat_f32s(0.0); N]; PARTIAL];
    let mut rows = weights.chunks_exact(width * PARTIAL);
    let (groups, rest) = pre.as_chunks::<PARTIAL>();
    for (group, block) in groups.iter().zip(&mut rows) {
        for p in 0..PARTIAL {
            let x = simd.splat_f32s(group[p]);
            let weights = &block[p * width + at..p * width + at + N];
            for v in 0..N {
                sums[p][v] = simd.mul_add_f32s(weights[v], x, sums[p][v]);
            }
        }
    }
    let last = rows.remainder().chunks_exact(width);
    for ((sums, x), weights) in sums.iter_mut().zip(rest).zip(last) {
        let x = simd.splat_f32s(*x);
        for v in 0..N {
            sums[v] = simd.mul_add_f32s(weights[at + v], x, sums[v]);
        }
    }
    for v in 0..N {
        let even = simd.add_f32s(sums[0][v], sums[1][v]);
        let odd = simd.add_f32s(sums[2][v], sums[3][v]);
        out[v] = simd.add_f32s(even, odd);
    }
    N
}

/// Multiplies each `weights[j][i]` by 1 + `growth`, then adds `pre[j]·post[i]`; `post.len()` is the padded row length.
pub fn add_outer(arch: Arch, weights: &mut [f32], growth: f32, pre: &[f32], post: &[f32]) {
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
pub fn add_outer_in<S: Simd>(simd: S, weights: &mut [f32], growth: f32, pre: &[f32], post: &[f32]) {
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
pub fn multiply_outer(arch: Arch, weights: &mut [f32], pre: &[f32], post: &[f32]) {
    arch.dispatch(MultiplyOuter { weights, pre, post });
}

struct MultiplyOuter<'a> {
    weights: &'a mut [f32],
    pre: &'a [f32],
    post: &'a [f32],
}

impl WithSimd for MultiplyOuter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (post, _) = S::as_simd_f32s(self.post);
        let (weights, _) = S::as_mut_simd_f32s(self.weights);
        for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(self.pre) {
            let x = simd.splat_f32s(*x);
            for (w, p) in row.iter_mut().zip(post) {
                *w = simd.mul_add_f32s(simd.mul_f32s(*p, x), *w, *w);
            }
        }
    }
}

/// The weights grow first if `GROW`.
struct AddOuter<'a, const GROW: bool> {
    weights: &'a mut [f32],
    growth: f32,
    pre: &'a [f32],
    post: &'a [f32],
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
        let growth = simd.splat_f32s(growth);
        let (post, _) = S::as_simd_f32s(post);
        let (weights, _) = S::as_mut_simd_f32s(weights);
        // Short rows keep the postsynaptic factor in registers.
        match post.len() {
            1 => rows::<S, 1, GROW>(simd, weights, growth, pre, post),
            2 => rows::<S, 2, GROW>(simd, weights, growth, pre, post),
            3 => rows::<S, 3, GROW>(simd, weights, growth, pre, post),
            4 => rows::<S, 4, GROW>(simd, weights, growth, pre, post),
            6 => rows::<S, 6, GROW>(simd, weights, growth, pre, post),
            7 => rows::<S, 7, GROW>(simd, weights, growth, pre, post),
            8 => rows::<S, 8, GROW>(simd, weights, growth, pre, post),
            14 => rows::<S, 14, GROW>(simd, weights, growth, pre, post),
            _ => {
                for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(pre) {
                    let x = simd.splat_f32s(*x);
                    for (w, p) in row.iter_mut().zip(post) {
                        *w = simd.add_f32s(simd.mul_f32s(*p, x), grown::<S, GROW>(simd, growth, *w));
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn grown<S: Simd, const GROW: bool>(simd: S, growth: S::f32s, w: S::f32s) -> S::f32s {
    if GROW {
        simd.mul_add_f32s(growth, w, w)
    } else {
        w
    }
}

/// Rows of `N` vectors.
#[inline(always)]
fn rows<S: Simd, const N: usize, const GROW: bool>(
    simd: S,
    weights: &mut [S::f32s],
    growth: S::f32s,
    pre: &[f32],
    post: &[S::f32s],
) {
    let mut factor = [simd.splat_f32s(0.0); N];
    factor.copy_from_slice(&post[..N]);
    for (row, x) in weights.as_chunks_mut::<N>().0.iter_mut().zip(pre) {
        let x = simd.splat_f32s(*x);
        for v in 0..N {
            row[v] = simd.add_f32s(simd.mul_f32s(factor[v], x), grown::<S, GROW>(simd, growth, row[v]));
        }
    }
}

/// Multiplies weights by 1 + `growth`.
pub fn grow(arch: Arch, weights: &mut [f32], growth: f32) {
    arch.dispatch(Grow { weights, growth });
}

struct Grow<'a> {
    weights: &'a mut [f32],
    growth: f32,
}

impl WithSimd for Grow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for w in self.weights {
            *w = self.growth.mul_add(*w, *w);
        }
    }
}

/// Keeps weights within hard bounds, if there are any.
pub fn clip(weights: &mut [f32], within: Option<[f64; 2]>) {
    if let Some([low, high]) = within.map(|bounds| bounds.map(|bound| bound as f32)) {
        for w in weights {
            *w = if *w < low { low } else { *w };
            *w = if *w > high { high } else { *w };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "single", 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn the_drive_is_the_matrix_product() {
        for (sources, post) in [(1, 8), (3, 16), (4, 24), (100, 20), (20, 104), (7, 72)] {
            let row = padded(post);
            let (weights, pre) = (numbers(sources * row, 1), numbers(sources, 2));
            for begun in [false, true] {
                let before = if begun { 0.5 } else { f64::NAN };
                let mut drive = vec![before; post];
                deliver(Arch::new(), (&weights, row), &pre, &mut drive, begun);
                let mut narrow = vec![before; post];
                deliver(Arch::Scalar, (&weights, row), &pre, &mut narrow, begun);
                assert_eq!(drive, narrow, "the instruction set changes no bit");
                for (i, found) in drive.iter().enumerate() {
                    let product = |j: usize| f64::from(weights[j * row + i] * pre[j]);
                    let start = if begun { 0.5 } else { 0.0 };
                    let exact: f64 = start + (0..sources).map(product).sum::<f64>();
                    // Rounding of at most 100 terms below 1 in size.
                    assert!((found - exact).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn the_outer_product_changes_every_weight() {
        for row in [16, 32, 48, 112, 144, 224] {
            let (weights, pre, post) = (numbers(5 * row, 1), numbers(5, 2), numbers(row, 4));
            for growth in [0.0, -0.25] {
                let (mut wide, mut narrow) = (weights.clone(), weights.clone());
                add_outer(Arch::new(), &mut wide, growth, &pre, &post);
                add_outer(Arch::Scalar, &mut narrow, growth, &pre, &post);
                assert_eq!(wide, narrow);
                for (at, (w, b)) in wide.iter().zip(&weights).enumerate() {
                    let expected = post[at % row].mul_add(pre[at / row], (1.0 + growth) * b);
                    assert_eq!(w.to_bits(), expected.to_bits());
                }
            }
            let mut shrunk = weights.clone();
            multiply_outer(Arch::new(), &mut shrunk, &pre, &post);
            for (at, (w, b)) in shrunk.iter().zip(&weights).enumerate() {
                let expected = (post[at % row] * pre[at / row]).mul_add(*b, *b);
                assert_eq!(w.to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn bounds_and_rounding() {
        let mut weights = numbers(16, 1);
        clip(&mut weights, Some([-0.25, 0.25]));
        assert!(weights.iter().all(|w| w.abs() <= 0.25));
        let mut out = [1.0; 4];
        round(Arch::new(), &[0.1, 2.0], &mut out);
        assert_eq!(
            out.map(f32::to_bits),
            [0.1_f32, 2.0, 0.0, 0.0].map(f32::to_bits)
        );
        grow(Arch::new(), &mut out, 0.5);
        let grown = [0.5_f32.mul_add(0.1, 0.1), 3.0, 0.0, 0.0];
        assert_eq!(out.map(f32::to_bits), grown.map(f32::to_bits));
    }
}
