//! Loops over vectors, compiled for the machine's instruction set.

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lane;

/// Adds `x` to `out`.
pub fn add(arch: Arch, out: &mut [f64], x: &[f64]) {
    arch.dispatch(AddProduct {
        out,
        a: x,
        x: Factor::Same(1.0),
    });
}

/// Adds `scale·x` to `out`.
pub fn add_scaled(arch: Arch, out: &mut [f64], x: &[f64], scale: f64) {
    arch.dispatch(AddProduct {
        out,
        a: x,
        x: Factor::Same(scale),
    });
}

/// Multiplies `out` by 1 + `growth`.
pub fn grow<T: Lane>(arch: Arch, out: &mut [T], growth: T) {
    arch.dispatch(Grow { out, growth });
}

struct Grow<'a, T> {
    out: &'a mut [T],
    growth: T,
}

impl<T: Lane> WithSimd for Grow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for o in self.out {
            *o = T::fused(self.growth, *o, *o);
        }
    }
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

/// Adds `a·x` to `out`, element by element.
pub fn add_product(arch: Arch, out: &mut [f64], a: &[f64], x: &[f64]) {
    arch.dispatch(AddProduct {
        out,
        a,
        x: Factor::Each(x),
    });
}

/// Keeps values within hard bounds, if there are any.
#[inline]
pub fn clip<T: Lane + PartialOrd>(values: &mut [T], within: Option<[f64; 2]>) {
    if let Some([low, high]) = within.map(|bounds| bounds.map(T::from_f64)) {
        for v in values {
            *v = if *v < low { low } else { *v };
            *v = if *v > high { high } else { *v };
        }
    }
}

/// A factor of many neurons.
#[derive(Debug, Clone, Copy)]
pub enum Factor<'a, T> {
    /// The same for all.
    Same(T),
    /// One for each.
    Each(&'a [T]),
}

/// Adds a·x, for where SIMD is at work already.
pub struct AddProduct<'a, T> {
    /// What is added to.
    pub out: &'a mut [T],
    /// A vector.
    pub a: &'a [T],
    /// What it is multiplied by.
    pub x: Factor<'a, T>,
}

impl<T: Lane> WithSimd for AddProduct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (out, out_rest) = split_mut::<S, T>(self.out);
        let (a, a_rest) = split::<S, T>(self.a);
        match self.x {
            Factor::Same(x) => {
                let all = T::splat(simd, x);
                for (o, a) in out.iter_mut().zip(a) {
                    *o = T::mul_add(simd, *a, all, *o);
                }
                for (o, a) in out_rest.iter_mut().zip(a_rest) {
                    *o = T::fused(*a, x, *o);
                }
            }
            Factor::Each(x) => {
                let (x, x_rest) = split::<S, T>(x);
                for ((o, a), x) in out.iter_mut().zip(a).zip(x) {
                    *o = T::mul_add(simd, *a, *x, *o);
                }
                for ((o, a), x) in out_rest.iter_mut().zip(a_rest).zip(x_rest) {
                    *o = T::fused(*a, *x, *o);
                }
            }
        }
    }
}

/// Whole SIMD vectors, and the numbers left over.
#[inline(always)]
fn split<S: Simd, T: Lane>(x: &[T]) -> (&[T::Vector<S>], &[T]) {
    let whole = x.len() / T::count::<S>() * T::count::<S>();
    (T::vectors::<S>(&x[..whole]), &x[whole..])
}

/// As [`split`], to be written.
#[inline(always)]
fn split_mut<S: Simd, T: Lane>(x: &mut [T]) -> (&mut [T::Vector<S>], &mut [T]) {
    let (whole, rest) = x.split_at_mut(x.len() / T::count::<S>() * T::count::<S>());
    (T::vectors_mut::<S>(whole), rest)
}

/// One Euler–Maruyama step of many neurons: `x + dt·drift + (√dt·factor)·noise`, kept within bounds.
pub struct Euler<'a, T> {
    /// Values before the step.
    pub x: &'a [T],
    /// In: dx/dt without noise. Out: values after the step.
    pub out: &'a mut [T],
    /// Length of the step.
    pub dt: f64,
    /// Factor of the noise, and unit noise.
    pub diffusion: Option<(Factor<'a, T>, &'a [T])>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// Takes the step, over whole groups of [`LANES`](crate::lang::vm::LANES) neurons; whether all values are finite.
pub fn euler(arch: Arch, step: Euler<'_, f64>) -> bool {
    arch.dispatch(step)
}

impl<T: Lane> WithSimd for Euler<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let splat = |x: f64| T::splat(simd, T::from_f64(x));
        let (root, dt) = (splat(self.dt.sqrt()), splat(self.dt));
        let [low, high] = self.within.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        let (low, high, zero) = (splat(low), splat(high), splat(0.0));
        let (same, each, noise): (T, &[T], &[T]) = match self.diffusion {
            None => (T::default(), &[], &[]),
            Some((Factor::Same(factor), noise)) => (factor, &[], noise),
            Some((Factor::Each(factor), noise)) => (T::default(), factor, noise),
        };
        let same = T::mul(simd, T::splat(simd, same), root);
        let (each, noise) = (T::vectors::<S>(each), T::vectors::<S>(noise));
        let (out, x) = (T::vectors_mut::<S>(self.out), T::vectors::<S>(self.x));
        // Sums of 0·x are 0 for finite x, and NaN for all else.
        let mut total = zero;
        for (i, (out, x)) in out.iter_mut().zip(x).enumerate() {
            let mut v = T::mul_add(simd, *out, dt, *x);
            if let Some(noise) = noise.get(i) {
                let factor = match each.get(i) {
                    Some(factor) => T::mul(simd, *factor, root),
                    None => same,
                };
                v = T::mul_add(simd, factor, *noise, v);
            }
            v = T::clamp(simd, v, low, high);
            total = T::mul_add(simd, v, zero, total);
            *out = v;
        }
        T::none_is_nan(simd, total)
    }
}

/// `out` becomes `decay·out + (1 − decay)·x`: one step of an exponential filter.
pub fn smooth(arch: Arch, out: &mut [f64], x: &[f64], decay: f64) {
    arch.dispatch(Smooth { out, x, decay });
}

/// As [`smooth`], for where SIMD is at work already.
pub struct Smooth<'a, T> {
    /// The filters.
    pub out: &'a mut [T],
    /// What they take.
    pub x: &'a [T],
    /// What remains.
    pub decay: T,
}

impl<T: Lane> WithSimd for Smooth<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let decay = T::splat(simd, self.decay);
        let (out, rest) = split_mut::<S, T>(self.out);
        let (x, x_rest) = split::<S, T>(self.x);
        for (o, x) in out.iter_mut().zip(x) {
            *o = T::mul_add(simd, decay, T::sub(simd, *o, *x), *x);
        }
        for (o, x) in rest.iter_mut().zip(x_rest) {
            let difference = T::fused(T::from_f64(-1.0), *x, *o);
            *o = T::fused(self.decay, difference, *x);
        }
    }
}

/// `out` becomes `decay·out + x`: one step of a decaying sum.
pub fn decay_add(arch: Arch, out: &mut [f64], x: &[f64], decay: f64) {
    arch.dispatch(DecayAdd { out, x, decay });
}

/// As [`decay_add`], for where SIMD is at work already.
pub struct DecayAdd<'a, T> {
    /// The sums.
    pub out: &'a mut [T],
    /// What they take.
    pub x: &'a [T],
    /// What remains.
    pub decay: T,
}

impl<T: Lane> WithSimd for DecayAdd<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let decay = T::splat(simd, self.decay);
        let (out, rest) = split_mut::<S, T>(self.out);
        let (x, x_rest) = split::<S, T>(self.x);
        for (o, x) in out.iter_mut().zip(x) {
            *o = T::mul_add(simd, decay, *o, *x);
        }
        for (o, x) in rest.iter_mut().zip(x_rest) {
            *o = T::fused(self.decay, *o, *x);
        }
    }
}

/// Copies padded vectors, for where SIMD is at work already: a call of the library's copy costs more than the few
/// vectors of most populations.
#[inline(always)]
pub fn copy_in<S: Simd, T: Lane>(_: S, out: &mut [T], x: &[T]) {
    let out = T::vectors_mut::<S>(out);
    for (out, x) in out.iter_mut().zip(T::vectors::<S>(x)) {
        *out = *x;
    }
}

/// As [`copy_in`], also of vectors without padding.
#[inline(always)]
pub fn copy_whole_in<S: Simd, T: Lane>(_: S, out: &mut [T], x: &[T]) {
    let (whole, rest) = split_mut::<S, T>(out);
    let (x, x_rest) = split::<S, T>(x);
    for (out, x) in whole.iter_mut().zip(x) {
        *out = *x;
    }
    for (out, x) in rest.iter_mut().zip(x_rest) {
        *out = *x;
    }
}

/// Sets padded vectors to 0, for where SIMD is at work already, as [`copy_in`] does.
#[inline(always)]
pub fn zero_in<S: Simd, T: Lane>(simd: S, out: &mut [T]) {
    for out in T::vectors_mut::<S>(out) {
        *out = T::splat(simd, T::default());
    }
}

/// Whether all numbers are finite.
pub fn all_finite<T: Lane>(arch: Arch, x: &[T]) -> bool {
    arch.dispatch(AllFinite { x })
}

/// As [`all_finite`], for where SIMD is at work already.
pub struct AllFinite<'a, T> {
    /// The numbers.
    pub x: &'a [T],
}

impl<T: Lane> WithSimd for AllFinite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        // 0·x is 0 for finite x and NaN for all else, and a sum with a NaN in it stays one.
        let (whole, rest) = split::<S, T>(self.x);
        let zero = T::splat(simd, T::default());
        let (pairs, last) = whole.as_chunks::<2>();
        let (mut even, mut odd) = (zero, zero);
        for [a, b] in pairs {
            even = T::mul_add(simd, *a, zero, even);
            odd = T::mul_add(simd, *b, zero, odd);
        }
        for a in last {
            even = T::mul_add(simd, *a, zero, even);
        }
        let mut last = T::default();
        for a in rest {
            last = T::fused(*a, T::default(), last);
        }
        T::none_is_nan(simd, T::add(simd, even, odd)) && !last.to_f64().is_nan()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_do_what_they_say() {
        let mut out = vec![1.0, 2.0, 3.0];
        add(Arch::new(), &mut out, &[1.0, 1.0, 1.0]);
        add_scaled(Arch::new(), &mut out, &[1.0, 2.0, 3.0], 2.0);
        add_product(Arch::new(), &mut out, &[1.0, 0.0, -1.0], &[4.0, 5.0, 6.0]);
        assert_eq!(out, [8.0, 7.0, 4.0]);
        smooth(Arch::new(), &mut out, &[0.0, 7.0, 8.0], 0.75);
        assert_eq!(out, [6.0, 7.0, 5.0]);
        let (drift, x, factor, noise) = ([1.0, -2.0], [0.5, 0.5], [3.0, 3.0], [0.0, -1.0]);
        let [drift, x, factor, noise] = [drift, x, factor, noise].map(|pair| pair.repeat(4));
        let step = |within, noise| {
            let mut out = drift.clone();
            let diffusion = Some((Factor::Each(&factor), noise));
            let (x, dt) = (&x[..], 0.25);
            let finite = euler(
                Arch::new(),
                Euler {
                    x,
                    out: &mut out,
                    dt,
                    diffusion,
                    within,
                },
            );
            (out, finite)
        };
        assert_eq!(step(None, &noise), ([0.75, -1.5].repeat(4), true));
        let within = Some([-1.0, 0.625]);
        assert_eq!(step(within, &noise), ([0.625, -1.0].repeat(4), true));
        assert!(!step(within, &[f64::NAN; 8]).1);
        assert!(all_finite(Arch::new(), &[0.0, -1e308, f64::MIN_POSITIVE]));
        assert!(
            !all_finite(Arch::new(), &[0.0, f64::NAN])
                && !all_finite(Arch::new(), &[f64::NEG_INFINITY])
        );
    }

    #[test]
    fn single_precision() {
        let mut weights = [0.75_f32, -0.5, 0.125];
        clip(&mut weights, Some([-0.25, 0.25]));
        assert_eq!(
            weights.map(f32::to_bits),
            [0.25_f32, -0.25, 0.125].map(f32::to_bits)
        );
        let mut out = [1.0; 4];
        round(Arch::new(), &[0.1, 2.0], &mut out);
        let rounded = [0.1_f32, 2.0, 0.0, 0.0];
        assert_eq!(out.map(f32::to_bits), rounded.map(f32::to_bits));
        grow(Arch::new(), &mut out, 0.5);
        let grown = [0.5_f32.mul_add(0.1, 0.1), 3.0, 0.0, 0.0];
        assert_eq!(out.map(f32::to_bits), grown.map(f32::to_bits));
    }
}
