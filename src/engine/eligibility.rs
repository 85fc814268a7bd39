//! The dense kernel of rules with an eligibility filter: one pass moves the filter on and changes the weights.
//!
//! For each row j and postsynaptic neuron i, E ← decay·E + Σ post_i·pre_j over the inputs; then W becomes W, times
//! 1 + post_i·pre_j of the shrinking product if there is one, plus the sum of (post_i·pre_j)·E over the uses, plus the sum of post_i·pre_j over the outer products, in their order. Every
//! product is fused into its sum.

use pulp::{Arch, Simd, WithSimd};

/// A presynaptic factor, one number a row, and a postsynaptic one of padded length.
pub type Product<'a> = (&'a [f64], &'a [f64]);

/// Most products of each sort.
pub const MOST: usize = 4;

/// One pass over a filter's states and the weights, both row after row of the padded postsynaptic length.
pub struct Pass<'a> {
    /// The filter's states.
    pub states: &'a mut [f64],
    /// What remains of a state.
    pub decay: f64,
    /// The weights.
    pub weights: &'a mut [f64],
    /// What is added to the states.
    pub inputs: &'a [Product<'a>],
    /// Factors of the states in the change of weights.
    pub uses: &'a [Product<'a>],
    /// What the weights are multiplied by first, less 1.
    pub shrink: Option<Product<'a>>,
    /// Changes of weights without the states.
    pub outer: &'a [Product<'a>],
    /// Padded postsynaptic length.
    pub row: usize,
}

/// Runs a pass. Products of each sort beyond [`MOST`] are left out; the compiler makes no more.
pub fn run(arch: Arch, pass: Pass<'_>) {
    arch.dispatch(pass);
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The usual numbers of products are known to the optimiser.
        if self.shrink.is_some() {
            return match (self.inputs.len(), self.uses.len(), self.outer.len()) {
                (1, 0, 0) => rows::<S, 1, 0, 0, true>(simd, self),
                (1, 1, 0) => rows::<S, 1, 1, 0, true>(simd, self),
                (1, 1, 1) => rows::<S, 1, 1, 1, true>(simd, self),
                _ => rows::<S, MOST, MOST, MOST, true>(simd, self),
            };
        }
        match (self.inputs.len(), self.uses.len(), self.outer.len()) {
            (0, 0, 0) => rows::<S, 0, 0, 0, false>(simd, self),
            (0, 0, 1) => rows::<S, 0, 0, 1, false>(simd, self),
            (0, 1, 0) => rows::<S, 0, 1, 0, false>(simd, self),
            (0, 1, 1) => rows::<S, 0, 1, 1, false>(simd, self),
            (1, 0, 0) => rows::<S, 1, 0, 0, false>(simd, self),
            (1, 0, 1) => rows::<S, 1, 0, 1, false>(simd, self),
            (1, 1, 0) => rows::<S, 1, 1, 0, false>(simd, self),
            (1, 1, 1) => rows::<S, 1, 1, 1, false>(simd, self),
            _ => rows::<S, MOST, MOST, MOST, false>(simd, self),
        }
    }
}

/// Postsynaptic factors as SIMD vectors.
#[inline(always)]
fn factors<'a, S: Simd, const N: usize>(products: &'a [Product<'a>]) -> [&'a [S::f64s]; N] {
    let mut posts: [&[S::f64s]; N] = [&[]; N];
    for (post, product) in posts.iter_mut().zip(products) {
        *post = S::as_simd_f64s(product.1).0;
    }
    posts
}

/// Presynaptic factors of a row.
#[inline(always)]
fn splat<S: Simd, const N: usize>(simd: S, products: &[Product<'_>], row: usize) -> [S::f64s; N] {
    let mut all = [simd.splat_f64s(0.0); N];
    for (x, product) in all.iter_mut().zip(products) {
        *x = simd.splat_f64s(product.0[row]);
    }
    all
}

#[inline(always)]
fn rows<S: Simd, const I: usize, const U: usize, const O: usize, const SHRINK: bool>(
    simd: S,
    pass: Pass<'_>,
) {
    let (inputs, uses, outer) = (
        factors::<S, I>(pass.inputs),
        factors::<S, U>(pass.uses),
        factors::<S, O>(pass.outer),
    );
    let counts = (
        pass.inputs.len().min(I),
        pass.uses.len().min(U),
        pass.outer.len().min(O),
    );
    let shrink = pass.shrink.as_slice();
    let shrinking = factors::<S, 1>(shrink)[0];
    let width = pass.row / S::F64_LANES;
    let decay = simd.splat_f64s(pass.decay);
    let (states, _) = S::as_mut_simd_f64s(pass.states);
    let (weights, _) = S::as_mut_simd_f64s(pass.weights);
    let rows = states
        .chunks_exact_mut(width.max(1))
        .zip(weights.chunks_exact_mut(width.max(1)));
    for (j, (states, weights)) in rows.enumerate() {
        let x = splat::<S, I>(simd, pass.inputs, j);
        let y = splat::<S, U>(simd, pass.uses, j);
        let z = splat::<S, O>(simd, pass.outer, j);
        let s = splat::<S, 1>(simd, shrink, j)[0];
        for (v, (state, weight)) in states.iter_mut().zip(weights).enumerate() {
            let mut e = simd.mul_f64s(decay, *state);
            for k in 0..counts.0 {
                e = simd.mul_add_f64s(inputs[k][v], x[k], e);
            }
            *state = e;
            let mut w = *weight;
            if SHRINK {
                w = simd.mul_add_f64s(simd.mul_f64s(shrinking[v], s), w, w);
            }
            for k in 0..counts.1 {
                w = simd.mul_add_f64s(simd.mul_f64s(uses[k][v], y[k]), e, w);
            }
            for k in 0..counts.2 {
                w = simd.mul_add_f64s(outer[k][v], z[k], w);
            }
            *weight = w;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, name: &str) -> Vec<f64> {
        use rand::RngExt;
        let mut stream = crate::random::stream(7, name, 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    /// All numbers of products, against the definition; and the instruction set changes no bit.
    #[test]
    fn a_pass_is_its_definition() {
        let (pre, row) = (5, 16);
        let make = |name: &str, n: usize| -> Vec<(Vec<f64>, Vec<f64>)> {
            let one = |k| {
                (
                    numbers(pre, &format!("{name}{k}")),
                    numbers(row, &format!("{k}{name}")),
                )
            };
            (0..n).map(one).collect()
        };
        fn borrowed(all: &[(Vec<f64>, Vec<f64>)]) -> Vec<Product<'_>> {
            all.iter()
                .map(|(a, b)| (a.as_slice(), b.as_slice()))
                .collect()
        }
        for (i, u, o, shrinks) in [
            (0, 0, 0),
            (1, 1, 1),
            (0, 1, 0),
            (2, 1, 3),
            (4, 4, 4),
            (1, 0, 2),
        ]
        .into_iter()
        .flat_map(|(i, u, o)| [(i, u, o, false), (i, u, o, true)])
        {
            let shrink = make("s", 1);
            let (inputs, uses, outer) = (make("i", i), make("u", u), make("o", o));
            let (states, weights) = (numbers(pre * row, "e"), numbers(pre * row, "w"));
            let pass = |arch: Arch| {
                let (mut e, mut w) = (states.clone(), weights.clone());
                let pass = Pass {
                    states: &mut e,
                    decay: 0.75,
                    weights: &mut w,
                    inputs: &borrowed(&inputs),
                    uses: &borrowed(&uses),
                    shrink: shrinks.then(|| borrowed(&shrink)[0]),
                    outer: &borrowed(&outer),
                    row,
                };
                run(arch, pass);
                (e, w)
            };
            let (e, w) = pass(Arch::new());
            assert_eq!((e.clone(), w.clone()), pass(Arch::Scalar));
            for j in 0..pre {
                for k in 0..row {
                    let at = j * row + k;
                    let sum = |all: &[(Vec<f64>, Vec<f64>)]| -> f64 {
                        all.iter().map(|(a, b)| a[j] * b[k]).sum()
                    };
                    let state = 0.75 * states[at] + sum(&inputs);
                    let kept = if shrinks { 1.0 + sum(&shrink) } else { 1.0 };
                    let weight = weights[at] * kept + sum(&uses) * state + sum(&outer);
                    // At most ten products of numbers below 5 in size.
                    assert!((e[at] - state).abs() < 1e-14 && (w[at] - weight).abs() < 1e-14);
                }
            }
        }
    }
}
