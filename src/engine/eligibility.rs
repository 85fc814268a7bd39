//! The dense kernel of rules with an eligibility filter: one pass moves the filter on and changes the weights.
//!
//! A product is scale·post_i·pre_j. For each row j and postsynaptic neuron i, E ← decay·E + Σ products over the inputs.
//! Then W is multiplied by 1 + growth, and by 1 + the shrinking product if there is one; share·E and each use times E
//! are added, then the outer products, in this order. Every product is fused into its sum.

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
        // Most rules have one input, and products without the states that are one or none. Of short rows the
        // postsynaptic factors stay in registers.
        if let (None, [input], [], None, [] | [_]) =
            (self.kept, self.inputs, self.uses, self.shrink, self.outer)
        {
            let outer = self.outer.first().copied().unwrap_or(Product {
                scale: 0.0,
                ..*input
            });
            let products = [*input, outer];
            let form = Form::of(&self, products);
            match self.row / S::F64_LANES {
                1 => return short_rows::<S, 1>(simd, self, products, form),
                2 => return short_rows::<S, 2>(simd, self, products, form),
                3 => return short_rows::<S, 3>(simd, self, products, form),
                4 => return short_rows::<S, 4>(simd, self, products, form),
                5 => return short_rows::<S, 5>(simd, self, products, form),
                6 => return short_rows::<S, 6>(simd, self, products, form),
                7 => return short_rows::<S, 7>(simd, self, products, form),
                8 => return short_rows::<S, 8>(simd, self, products, form),
                _ if form == Form::Deviation => return deviation_rows::<S>(simd, self, products),
                _ => {}
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

/// What a pass over short rows has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// No weight changes: only the filters move on.
    Filter,
    /// The weights follow the deviation of one product from its own running average.
    Deviation,
    /// All of it.
    Whole,
}

impl Form {
    #[allow(clippy::float_cmp, reason = "forms that are equal by their algebra")]
    fn of(pass: &Pass<'_>, [input, outer]: [Product<'_>; 2]) -> Form {
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
mod tests {
    use super::*;

    fn numbers(n: usize, name: &str) -> Vec<f64> {
        use rand::RngExt;
        let mut stream = crate::random::stream(7, name, 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    /// All numbers of products and short and long rows, against the definition; and the instruction set changes no bit.
    #[test]
    fn a_pass_is_its_definition() {
        type Owned = (f64, Vec<f64>, Vec<f64>);
        fn borrowed(all: &[Owned]) -> Vec<Product<'_>> {
            fn one((scale, pre, post): &Owned) -> Product<'_> {
                let scale = *scale;
                Product { scale, pre, post }
            }
            all.iter().map(one).collect()
        }
        let cases = [
            (0, 0, 0),
            (1, 0, 0),
            (1, 0, 1),
            (1, 1, 1),
            (0, 1, 0),
            (2, 1, 3),
            (4, 4, 4),
            (1, 0, 2),
            (1, 1, 0),
        ];
        let pre = 5;
        let forms = [(false, false), (true, false), (false, true), (true, true)];
        for (row, (i, u, o), (shrinks, keeps)) in [16, 40, 72]
            .into_iter()
            .flat_map(|row| cases.map(|case| (row, case)))
            .flat_map(|(row, case)| forms.map(|form| (row, case, form)))
        {
            let make = |name: &str, n: usize| -> Vec<Owned> {
                let one = |k| {
                    (
                        0.5 + k as f64,
                        numbers(pre, &format!("{name}{k}")),
                        numbers(row, &format!("{k}{name}")),
                    )
                };
                (0..n).map(one).collect()
            };
            let (shrink, keep) = (make("s", 1), make("k", 1));
            // The form of traces that a neuron keeps has neither.
            let (share, growth) = if keeps { (0.0, 0.0) } else { (-0.375, 0.125) };
            let (inputs, uses, outer) = (make("i", i), make("u", u), make("o", o));
            let (states, weights) = (numbers(pre * row, "e"), numbers(pre * row, "w"));
            let pass = |arch: Arch| {
                let (mut e, mut w) = (states.clone(), weights.clone());
                let pass = Pass {
                    states: &mut e,
                    decay: 0.75,
                    kept: keeps.then(|| borrowed(&keep)[0]),
                    weights: &mut w,
                    inputs: &borrowed(&inputs),
                    share,
                    uses: &borrowed(&uses),
                    growth,
                    shrink: shrinks.then(|| borrowed(&shrink)[0]),
                    outer: &borrowed(&outer),
                    row,
                    scaled: &mut Vector::default(),
                };
                run(arch, pass);
                (e, w)
            };
            let (e, w) = pass(Arch::new());
            assert_eq!((e.clone(), w.clone()), pass(Arch::Scalar));
            for j in 0..pre {
                for k in 0..row {
                    let at = j * row + k;
                    let sum = |all: &[Owned]| -> f64 {
                        all.iter().map(|(s, a, b)| s * a[j] * b[k]).sum()
                    };
                    let decay = 0.75 + if keeps { sum(&keep) } else { 0.0 };
                    let state = decay * states[at] + sum(&inputs);
                    let kept = (1.0 + growth) * if shrinks { 1.0 + sum(&shrink) } else { 1.0 };
                    let weight = weights[at] * kept + (sum(&uses) + share) * state + sum(&outer);
                    // At most ten products of numbers below 20 in size.
                    assert!((e[at] - state).abs() < 1e-13 && (w[at] - weight).abs() < 1e-12);
                }
            }
        }
    }

    /// The shorter forms of a pass do what the whole one does.
    #[test]
    fn forms_agree() {
        let (pre, row) = (5, 40);
        let (x, y) = (numbers(pre, "x"), numbers(row, "y"));
        let (states, weights) = (numbers(pre * row, "e"), numbers(pre * row, "w"));
        let input = Product {
            scale: 0.25,
            pre: &x,
            post: &y,
        };
        let run = |arch: Arch, share: f64, growth: f64, outer: Product<'_>| {
            let (mut e, mut w) = (states.clone(), weights.clone());
            let pass = Pass {
                states: &mut e,
                decay: 0.75,
                kept: None,
                weights: &mut w,
                inputs: &[input],
                share,
                uses: &[],
                growth,
                shrink: None,
                outer: &[outer],
                row,
                scaled: &mut Vector::default(),
            };
            let form = Form::of(&pass, [input, outer]);
            arch.dispatch(pass);
            (form, e, w)
        };
        let scaled = |scale: f64| Product { scale, ..input };
        let (form, e, w) = run(Arch::new(), 0.0, 0.0, scaled(0.0));
        assert_eq!((form, &w), (Form::Filter, &weights));
        // The same factors elsewhere in memory are not seen to be the same.
        let (x2, y2) = (x.clone(), y.clone());
        let apart = Product {
            scale: 0.5,
            pre: &x2,
            post: &y2,
        };
        let whole = run(Arch::new(), -0.5, -1e-3, apart);
        let short = run(Arch::new(), -0.5, -1e-3, scaled(0.5));
        assert_eq!((whole.0, short.0), (Form::Whole, Form::Deviation));
        assert_eq!(short, run(Arch::Scalar, -0.5, -1e-3, scaled(0.5)));
        assert_eq!(whole.1, e);
        for (a, b) in whole.1.iter().zip(&short.1) {
            assert!((a - b).abs() < 1e-15);
        }
        for (a, b) in whole.2.iter().zip(&short.2) {
            assert!((a - b).abs() < 1e-15);
        }
    }
}
