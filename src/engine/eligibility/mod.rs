//! The dense kernel of rules with an eligibility filter: one pass moves the filter on and changes the weights.
//!
//! A product is scale·post_i·pre_j. For each row j and postsynaptic neuron i, E ← decay·E + Σ products over the inputs.
//! Then W is multiplied by 1 + growth, and by 1 + the shrinking product if there is one; share·E and each use times E
//! are added, then the outer products, in this order. Every product is fused into its sum.

mod simple;

use pulp::{Arch, Simd, WithSimd};

use crate::vector::Vector;

/// `scale`·post_i·pre_j: one presynaptic number a row, and a postsynaptic vector of padded length.
#[derive(Debug, Clone, Copy, Default)]
pub struct Product<'a> {
    /// What both sides share.
    pub scale: f64,
    /// The presynaptic factor.
    pub pre: &'a [f64],
    /// The postsynaptic factor.
    pub post: &'a [f64],
}

/// Most products of each sort.
pub const MOST: usize = 4;

/// One pass over a filter's states and the weights, both row after row of the padded postsynaptic length.
pub struct Pass<'a> {
    /// The filter's states.
    pub states: &'a mut [f64],
    /// What remains of a state.
    pub decay: f64,
    /// What remains of a state besides, where that differs.
    pub kept: Option<Product<'a>>,
    /// The weights.
    pub weights: &'a mut [f64],
    /// What is added to the states.
    pub inputs: &'a [Product<'a>],
    /// Factor of the states in the change of weights that is the same at all synapses.
    pub share: f64,
    /// Further factors of the states in the change of weights.
    pub uses: &'a [Product<'a>],
    /// What the weights are multiplied by first, less 1, where that is the same at all synapses.
    pub growth: f64,
    /// As `growth`, one that differs.
    pub shrink: Option<Product<'a>>,
    /// Changes of weights without the states.
    pub outer: &'a [Product<'a>],
    /// Padded postsynaptic length.
    pub row: usize,
    /// Scratch memory.
    pub scaled: &'a mut Vector,
}

/// Runs a pass. Products of each sort beyond [`MOST`] are left out; the compiler makes no more.
pub fn run(arch: Arch, pass: Pass<'_>) {
    arch.dispatch(pass);
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Most rules have one input, and products without the states that are one or none.
        if let (None, [input], [], None, [] | [_]) =
            (self.kept, self.inputs, self.uses, self.shrink, self.outer)
        {
            let outer = self.outer.first().copied().unwrap_or(Product {
                scale: 0.0,
                ..*input
            });
            let products = [*input, outer];
            let form = simple::Form::of(&self, products);
            if form.fits(self.row / S::F64_LANES) {
                return simple::rows::<S>(simd, self, products, form);
            }
        }
        // Traces of which the neuron says how much is kept (e-prop).
        let plain = self.share.abs() + self.growth.abs() <= 0.0;
        if let (true, Some(kept), [input], [used], None, []) = (
            plain,
            self.kept,
            self.inputs,
            self.uses,
            self.shrink,
            self.outer,
        ) {
            let products = [kept, *input, *used];
            return carried_rows::<S>(simd, self, products);
        }
        // The usual numbers of products are known to the optimiser.
        match (self.inputs.len(), self.uses.len(), self.outer.len()) {
            (0, 0, 0) => rows::<S, 0, 0, 0>(simd, self),
            (0, 0, 1) => rows::<S, 0, 0, 1>(simd, self),
            (0, 1, 0) => rows::<S, 0, 1, 0>(simd, self),
            (1, 0, 0) => rows::<S, 1, 0, 0>(simd, self),
            (1, 0, 1) => rows::<S, 1, 0, 1>(simd, self),
            (1, 1, 0) => rows::<S, 1, 1, 0>(simd, self),
            (1, 1, 1) => rows::<S, 1, 1, 1>(simd, self),
            _ => rows::<S, MOST, MOST, MOST>(simd, self),
        }
    }
}

/// Rows of states with a factor of their own in what remains, one input and one use.
#[inline(always)]
fn carried_rows<S: Simd>(simd: S, pass: Pass<'_>, [kept, input, used]: [Product<'_>; 3]) {
    let width = (pass.row / S::F64_LANES).max(1);
    write_scaled(pass.scaled, 3, [kept, input, used].iter(), pass.row);
    let mut scaled = S::as_simd_f64s(pass.scaled).0;
    let [keeps, adds, uses] = factors::<S, 3>(&mut scaled, width, 3);
    let decay = simd.splat_f64s(pass.decay);
    let states = S::as_mut_simd_f64s(pass.states).0.chunks_exact_mut(width);
    let weights = S::as_mut_simd_f64s(pass.weights).0.chunks_exact_mut(width);
    for (j, (states, weights)) in states.zip(weights).enumerate() {
        let [k, x, y] = [kept.pre[j], input.pre[j], used.pre[j]].map(|p| simd.splat_f64s(p));
        let factors = keeps.iter().zip(adds).zip(uses);
        for ((state, weight), ((keep, add), used)) in states.iter_mut().zip(weights).zip(factors) {
            let remains = simd.mul_add_f64s(*keep, k, decay);
            let e = simd.mul_add_f64s(*add, x, simd.mul_f64s(remains, *state));
            *state = e;
            *weight = simd.mul_add_f64s(simd.mul_f64s(*used, y), e, *weight);
        }
    }
}

/// Writes the scaled postsynaptic factors of so many products one after the other.
#[inline(always)]
fn write_scaled<'a>(
    scaled: &mut Vector,
    count: usize,
    products: impl Iterator<Item = &'a Product<'a>>,
    row: usize,
) {
    scaled.resize(count * row, 0.0);
    for (out, product) in scaled.chunks_exact_mut(row.max(1)).zip(products) {
        for (out, x) in out.iter_mut().zip(product.post) {
            *out = product.scale * x;
        }
    }
}

/// Scaled postsynaptic factors as SIMD vectors, from the scratch memory that they were written to one after the other.
#[inline(always)]
fn factors<'a, S: Simd, const N: usize>(
    scaled: &mut &'a [S::f64s],
    width: usize,
    count: usize,
) -> [&'a [S::f64s]; N] {
    let mut posts: [&[S::f64s]; N] = [&[]; N];
    for post in posts.iter_mut().take(count) {
        (*post, *scaled) = scaled.split_at(width);
    }
    posts
}

/// Presynaptic factors of a row.
#[inline(always)]
fn splat<S: Simd, const N: usize>(simd: S, products: &[Product<'_>], row: usize) -> [S::f64s; N] {
    let mut all = [simd.splat_f64s(0.0); N];
    for (x, product) in all.iter_mut().zip(products) {
        *x = simd.splat_f64s(product.pre[row]);
    }
    all
}

#[inline(always)]
fn rows<S: Simd, const I: usize, const U: usize, const O: usize>(simd: S, pass: Pass<'_>) {
    let (shrink, kept) = (pass.shrink.as_slice(), pass.kept.as_slice());
    let all = [pass.inputs, pass.uses, pass.outer, shrink, kept];
    let length: usize = all.iter().map(|products| products.len()).sum();
    write_scaled(pass.scaled, length, all.iter().copied().flatten(), pass.row);
    let width = pass.row / S::F64_LANES;
    let mut scaled = S::as_simd_f64s(pass.scaled).0;
    let counts = (
        pass.inputs.len().min(I),
        pass.uses.len().min(U),
        pass.outer.len().min(O),
    );
    let inputs = factors::<S, I>(&mut scaled, width, counts.0);
    let uses = factors::<S, U>(&mut scaled, width, counts.1);
    let outer = factors::<S, O>(&mut scaled, width, counts.2);
    let [shrinking] = factors::<S, 1>(&mut scaled, width, shrink.len());
    let [keeps] = factors::<S, 1>(&mut scaled, width, kept.len());
    let decay = simd.splat_f64s(pass.decay);
    let (share, growth) = (simd.splat_f64s(pass.share), simd.splat_f64s(pass.growth));
    let (states, _) = S::as_mut_simd_f64s(pass.states);
    let (weights, _) = S::as_mut_simd_f64s(pass.weights);
    let rows = states
        .chunks_exact_mut(width.max(1))
        .zip(weights.chunks_exact_mut(width.max(1)));
    for (j, (states, weights)) in rows.enumerate() {
        let x = splat::<S, I>(simd, pass.inputs, j);
        let y = splat::<S, U>(simd, pass.uses, j);
        let z = splat::<S, O>(simd, pass.outer, j);
        let [s] = splat::<S, 1>(simd, shrink, j);
        let [kept] = splat::<S, 1>(simd, kept, j);
        for (v, (state, weight)) in states.iter_mut().zip(weights).enumerate() {
            let remains = match keeps.get(v) {
                Some(keep) => simd.mul_add_f64s(*keep, kept, decay),
                None => decay,
            };
            let mut e = simd.mul_f64s(remains, *state);
            for k in 0..counts.0 {
                e = simd.mul_add_f64s(inputs[k][v], x[k], e);
            }
            *state = e;
            let mut w = simd.mul_add_f64s(growth, *weight, *weight);
            if let Some(shrinking) = shrinking.get(v) {
                w = simd.mul_add_f64s(simd.mul_f64s(*shrinking, s), w, w);
            }
            w = simd.mul_add_f64s(share, e, w);
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
mod tests;
