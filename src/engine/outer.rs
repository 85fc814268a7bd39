//! Outer products of a presynaptic and a postsynaptic factor that change [dense](super::dense) matrices of synapses.

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lane;

/// Multiplies each `weights[j][i]` by 1 + `growth`, then adds `pre[j]·post[i]`; `post.len()` is the padded row length.
pub fn add_outer<T: Lane>(arch: Arch, weights: &mut [T], growth: T, pre: &[T], post: &[T]) {
    arch.dispatch(AddOuterAny {
        weights,
        growth,
        pre,
        post,
    });
}

/// As [`add_outer`], called where SIMD is at work already.
#[inline(always)]
pub fn add_outer_in<S: Simd, T: Lane>(
    simd: S,
    weights: &mut [T],
    growth: T,
    pre: &[T],
    post: &[T],
) {
    if growth.to_f64().abs() > 0.0 {
        simd.vectorize(AddOuter::<T, true> {
            weights,
            growth,
            pre,
            post,
        });
    } else {
        simd.vectorize(AddOuter::<T, false> {
            weights,
            growth,
            pre,
            post,
        });
    }
}

struct AddOuterAny<'a, T> {
    weights: &'a mut [T],
    growth: T,
    pre: &'a [T],
    post: &'a [T],
}

impl<T: Lane> WithSimd for AddOuterAny<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        add_outer_in(simd, self.weights, self.growth, self.pre, self.post);
    }
}

/// The weights grow first if `GROW`.
struct AddOuter<'a, T, const GROW: bool> {
    weights: &'a mut [T],
    growth: T,
    pre: &'a [T],
    post: &'a [T],
}

impl<T: Lane, const GROW: bool> WithSimd for AddOuter<'_, T, GROW> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddOuter {
            weights,
            growth,
            pre,
            post,
        } = self;
        let growth = T::splat(simd, growth);
        let post = T::vectors::<S>(post);
        let weights = T::vectors_mut::<S>(weights);
        // Short rows keep the postsynaptic factor in registers.
        match post.len() {
            1 => outer_rows::<S, T, 1, GROW>(simd, weights, growth, pre, post),
            2 => outer_rows::<S, T, 2, GROW>(simd, weights, growth, pre, post),
            3 => outer_rows::<S, T, 3, GROW>(simd, weights, growth, pre, post),
            4 => outer_rows::<S, T, 4, GROW>(simd, weights, growth, pre, post),
            5 => outer_rows::<S, T, 5, GROW>(simd, weights, growth, pre, post),
            6 => outer_rows::<S, T, 6, GROW>(simd, weights, growth, pre, post),
            7 => outer_rows::<S, T, 7, GROW>(simd, weights, growth, pre, post),
            8 => outer_rows::<S, T, 8, GROW>(simd, weights, growth, pre, post),
            13 => outer_rows::<S, T, 13, GROW>(simd, weights, growth, pre, post),
            14 => outer_rows::<S, T, 14, GROW>(simd, weights, growth, pre, post),
            _ => {
                for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(pre) {
                    let x = T::splat(simd, *x);
                    for (w, p) in row.iter_mut().zip(post) {
                        *w = changed::<S, T, GROW>(simd, *w, growth, *p, x);
                    }
                }
            }
        }
    }
}

/// Rows of `N` vectors.
#[inline(always)]
fn outer_rows<S: Simd, T: Lane, const N: usize, const GROW: bool>(
    simd: S,
    weights: &mut [T::Vector<S>],
    growth: T::Vector<S>,
    pre: &[T],
    post: &[T::Vector<S>],
) {
    let mut factor = [T::splat(simd, T::default()); N];
    factor.copy_from_slice(&post[..N]);
    for (row, x) in weights.as_chunks_mut::<N>().0.iter_mut().zip(pre) {
        let x = T::splat(simd, *x);
        for v in 0..N {
            row[v] = changed::<S, T, GROW>(simd, row[v], growth, factor[v], x);
        }
    }
}

/// A weight after its change. The product is rounded before it is added: on cores whose stores and fused multiply–adds
/// share a port the two operations take less time than one.
#[inline(always)]
fn changed<S: Simd, T: Lane, const GROW: bool>(
    simd: S,
    w: T::Vector<S>,
    growth: T::Vector<S>,
    post: T::Vector<S>,
    pre: T::Vector<S>,
) -> T::Vector<S> {
    let grown = if GROW {
        T::mul_add(simd, growth, w, w)
    } else {
        w
    };
    T::add(simd, T::mul(simd, post, pre), grown)
}

/// Multiplies each `weights[j][i]` by 1 + `pre[j]·post[i]`; `post.len()` is the padded row length.
pub fn multiply_outer<T: Lane>(arch: Arch, weights: &mut [T], pre: &[T], post: &[T]) {
    arch.dispatch(MultiplyOuter { weights, pre, post });
}

struct MultiplyOuter<'a, T> {
    weights: &'a mut [T],
    pre: &'a [T],
    post: &'a [T],
}

impl<T: Lane> WithSimd for MultiplyOuter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let post = T::vectors::<S>(self.post);
        let weights = T::vectors_mut::<S>(self.weights);
        for (row, x) in weights.chunks_exact_mut(post.len().max(1)).zip(self.pre) {
            let x = T::splat(simd, *x);
            for (w, p) in row.iter_mut().zip(post) {
                *w = T::mul_add(simd, T::mul(simd, *p, x), *w, *w);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers<T: Lane>(n: usize, seed: u64) -> Vec<T> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "outer", 0);
        (0..n)
            .map(|_| T::from_f64(stream.random_range(-1.0..1.0)))
            .collect()
    }

    fn changes<T: Lane + PartialEq + std::ops::Add<Output = T> + std::ops::Mul<Output = T>>() {
        for row in [16, 32, 48, 112, 144, 224] {
            let weights = numbers::<T>(5 * row, 1);
            let (pre, post) = (numbers::<T>(5, 2), numbers::<T>(row, 4));
            for growth in [0.0, -0.25].map(T::from_f64) {
                let (mut wide, mut narrow) = (weights.clone(), weights.clone());
                add_outer(Arch::new(), &mut wide, growth, &pre, &post);
                add_outer(Arch::Scalar, &mut narrow, growth, &pre, &post);
                assert_eq!(wide, narrow);
                for (at, (w, b)) in wide.iter().zip(&weights).enumerate() {
                    let grown = T::fused(growth, *b, *b);
                    let expected = post[at % row] * pre[at / row] + grown;
                    assert_eq!(w.to_f64().to_bits(), expected.to_f64().to_bits());
                }
            }
            let mut shrunk = weights.clone();
            multiply_outer(Arch::new(), &mut shrunk, &pre, &post);
            for (at, (w, b)) in shrunk.iter().zip(&weights).enumerate() {
                let expected = T::fused(post[at % row] * pre[at / row], *b, *b);
                assert_eq!(w.to_f64().to_bits(), expected.to_f64().to_bits());
            }
        }
    }

    #[test]
    fn the_outer_product_changes_every_weight() {
        changes::<f64>();
        changes::<f32>();
    }
}
