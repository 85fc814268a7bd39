//! Passes of most rules: one input, and one outer product or none.

use pulp::Simd;

use super::{Pass, Product};

/// Most SIMD vectors of a row that counts as short.
const SHORT: usize = 8;

/// What a pass has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// No weight changes: only the filters move on.
    Filter,
    /// The weights follow the deviation of one product from its own running average.
    Deviation,
    /// All of it.
    Whole,
}

impl Form {
    #[allow(clippy::float_cmp, reason = "forms that are equal by their algebra")]
    pub fn of(pass: &Pass<'_>, [input, outer]: [Product<'_>; 2]) -> Form {
        if pass.share == 0.0 && pass.growth == 0.0 && outer.scale == 0.0 {
            return Form::Filter;
        }
        let same = |a: &[f64], b: &[f64]| a.as_ptr() == b.as_ptr();
        let alike = same(input.pre, outer.pre) && same(input.post, outer.post);
        let average = pass.decay > 0.0 && input.scale == 1.0 - pass.decay;
        if alike && average && pass.share == -outer.scale {
            return Form::Deviation;
        }
        Form::Whole
    }

    /// Whether [`rows`] are for it.
    #[inline(always)]
    pub fn fits(self, vectors: usize) -> bool {
        vectors <= SHORT || self == Form::Deviation
    }
}

/// Rows that fit, with one input and one outer product. The postsynaptic factors of short ones stay in registers.
#[inline(always)]
pub(super) fn rows<S: Simd>(simd: S, pass: Pass<'_>, products: [Product<'_>; 2], form: Form) {
    match pass.row / S::F64_LANES {
        1 => short_rows::<S, 1>(simd, pass, products, form),
        2 => short_rows::<S, 2>(simd, pass, products, form),
        3 => short_rows::<S, 3>(simd, pass, products, form),
        4 => short_rows::<S, 4>(simd, pass, products, form),
        5 => short_rows::<S, 5>(simd, pass, products, form),
        6 => short_rows::<S, 6>(simd, pass, products, form),
        7 => short_rows::<S, 7>(simd, pass, products, form),
        SHORT => short_rows::<S, SHORT>(simd, pass, products, form),
        _ => deviation_rows::<S>(simd, pass, products),
    }
}

/// Weights that follow a product's deviation from its own running average: with d = E − p, E becomes E − (1 − decay)·d, and
/// p − E is then −decay·d. Products and sums are apart: where a fused multiply–add and a store share a port of the registers
/// (Zen 5) a vector takes 2.2 cycles instead of 3.6.
struct Deviation<S: Simd> {
    gain: S::f64s,
    into_weights: S::f64s,
    kept: S::f64s,
}

impl<S: Simd> Deviation<S> {
    #[inline(always)]
    fn new(simd: S, (decay, growth): (f64, f64), [input, outer]: [Product<'_>; 2]) -> Self {
        Deviation {
            gain: simd.splat_f64s(input.scale),
            into_weights: simd.splat_f64s(decay * outer.scale),
            kept: simd.splat_f64s(1.0 + growth),
        }
    }

    #[inline(always)]
    fn run(&self, simd: S, post: S::f64s, x: S::f64s, state: &mut S::f64s, weight: &mut S::f64s) {
        let d = simd.sub_f64s(*state, simd.mul_f64s(post, x));
        *state = simd.sub_f64s(*state, simd.mul_f64s(self.gain, d));
        let w = simd.mul_f64s(self.kept, *weight);
        *weight = simd.sub_f64s(w, simd.mul_f64s(self.into_weights, d));
    }
}

/// Rows of any length whose weights follow a deviation.
#[inline(always)]
fn deviation_rows<S: Simd>(simd: S, pass: Pass<'_>, products: [Product<'_>; 2]) {
    let [input, _] = products;
    let step = Deviation::<S>::new(simd, (pass.decay, pass.growth), products);
    let post = S::as_simd_f64s(input.post).0;
    let width = (pass.row / S::F64_LANES).max(1);
    let states = S::as_mut_simd_f64s(pass.states).0.chunks_exact_mut(width);
    let weights = S::as_mut_simd_f64s(pass.weights).0.chunks_exact_mut(width);
    for ((states, weights), x) in states.zip(weights).zip(input.pre) {
        let x = simd.splat_f64s(*x);
        for ((state, weight), post) in states.iter_mut().zip(weights).zip(post) {
            step.run(simd, *post, x, state, weight);
        }
    }
}

/// A postsynaptic factor of `N` vectors times a number.
#[inline(always)]
fn scaled<S: Simd, const N: usize>(simd: S, post: &[f64], scale: f64) -> [S::f64s; N] {
    let scale = simd.splat_f64s(scale);
    let mut all = [scale; N];
    // A number of vectors that the compiler knows: they stay in registers.
    if let Some(post) = S::as_simd_f64s(post).0.first_chunk::<N>() {
        for v in 0..N {
            all[v] = simd.mul_f64s(scale, post[v]);
        }
    }
    all
}

/// Rows of `N` vectors, with one input and one outer product.
#[inline(always)]
fn short_rows<S: Simd, const N: usize>(
    simd: S,
    pass: Pass<'_>,
    products: [Product<'_>; 2],
    form: Form,
) {
    let [input, outer] = products;
    let decay = simd.splat_f64s(pass.decay);
    let (share, growth) = (simd.splat_f64s(pass.share), simd.splat_f64s(pass.growth));
    let states = S::as_mut_simd_f64s(pass.states).0.as_chunks_mut::<N>().0;
    let weights = S::as_mut_simd_f64s(pass.weights).0.as_chunks_mut::<N>().0;
    match form {
        Form::Filter => {
            let into_states = scaled::<S, N>(simd, input.post, input.scale);
            for (states, x) in states.iter_mut().zip(input.pre) {
                let x = simd.splat_f64s(*x);
                for v in 0..N {
                    let old = simd.mul_f64s(decay, states[v]);
                    states[v] = simd.mul_add_f64s(into_states[v], x, old);
                }
            }
        }
        Form::Deviation => {
            let post = scaled::<S, N>(simd, input.post, 1.0);
            let step = Deviation::<S>::new(simd, (pass.decay, pass.growth), products);
            for ((states, weights), x) in states.iter_mut().zip(weights).zip(input.pre) {
                let x = simd.splat_f64s(*x);
                for v in 0..N {
                    step.run(simd, post[v], x, &mut states[v], &mut weights[v]);
                }
            }
        }
        Form::Whole => {
            let into_states = scaled::<S, N>(simd, input.post, input.scale);
            let into_weights = scaled::<S, N>(simd, outer.post, outer.scale);
            let sides = input.pre.iter().zip(outer.pre);
            for ((states, weights), (x, y)) in states.iter_mut().zip(weights).zip(sides) {
                let (x, y) = (simd.splat_f64s(*x), simd.splat_f64s(*y));
                for v in 0..N {
                    let e = simd.mul_add_f64s(into_states[v], x, simd.mul_f64s(decay, states[v]));
                    states[v] = e;
                    let w = simd.mul_add_f64s(growth, weights[v], weights[v]);
                    let w = simd.mul_add_f64s(share, e, w);
                    weights[v] = simd.mul_add_f64s(into_weights[v], y, w);
                }
            }
        }
    }
}
