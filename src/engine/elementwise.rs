//! Loops over vectors, compiled for the machine's instruction set.

use pulp::{Arch, Simd, WithSimd, bytemuck};

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
pub enum Factor<'a> {
    /// The same for all.
    Same(f64),
    /// One for each.
    Each(&'a [f64]),
}

/// Adds a·x, for where SIMD is at work already.
pub struct AddProduct<'a> {
    /// What is added to.
    pub out: &'a mut [f64],
    /// A vector.
    pub a: &'a [f64],
    /// What it is multiplied by.
    pub x: Factor<'a>,
}

impl WithSimd for AddProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (out, out_rest) = S::as_mut_simd_f64s(self.out);
        let (a, a_rest) = S::as_simd_f64s(self.a);
        match self.x {
            Factor::Same(x) => {
                let all = simd.splat_f64s(x);
                for (o, a) in out.iter_mut().zip(a) {
                    *o = simd.mul_add_f64s(*a, all, *o);
                }
                for (o, a) in out_rest.iter_mut().zip(a_rest) {
                    *o = a.mul_add(x, *o);
                }
            }
            Factor::Each(x) => {
                let (x, x_rest) = S::as_simd_f64s(x);
                for ((o, a), x) in out.iter_mut().zip(a).zip(x) {
                    *o = simd.mul_add_f64s(*a, *x, *o);
                }
                for ((o, a), x) in out_rest.iter_mut().zip(a_rest).zip(x_rest) {
                    *o = a.mul_add(*x, *o);
                }
            }
        }
    }
}

/// One Euler–Maruyama step of many neurons: `x + dt·drift + (√dt·factor)·noise`, kept within bounds.
pub struct Euler<'a> {
    /// Values before the step.
    pub x: &'a [f64],
    /// In: dx/dt without noise. Out: values after the step.
    pub out: &'a mut [f64],
    /// Length of the step.
    pub dt: f64,
    /// Factor of the noise, and unit noise.
    pub diffusion: Option<(Factor<'a>, &'a [f64])>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// Takes the step, over whole groups of [`LANES`](crate::lang::vm::LANES) neurons; whether all values are finite.
pub fn euler(arch: Arch, step: Euler<'_>) -> bool {
    arch.dispatch(step)
}

impl WithSimd for Euler<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let root = simd.splat_f64s(self.dt.sqrt());
        let dt = simd.splat_f64s(self.dt);
        let [low, high] = self.within.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        let (low, high) = (simd.splat_f64s(low), simd.splat_f64s(high));
        let zero = simd.splat_f64s(0.0);
        let (same, each, noise): (f64, &[f64], &[f64]) = match self.diffusion {
            None => (0.0, &[], &[]),
            Some((Factor::Same(factor), noise)) => (factor, &[], noise),
            Some((Factor::Each(factor), noise)) => (0.0, factor, noise),
        };
        let same = simd.mul_f64s(simd.splat_f64s(same), root);
        let (each, noise) = (S::as_simd_f64s(each).0, S::as_simd_f64s(noise).0);
        let (out, x) = (S::as_mut_simd_f64s(self.out).0, S::as_simd_f64s(self.x).0);
        // Sums of 0·x are 0 for finite x, and NaN for all else.
        let mut total = zero;
        for (i, (out, x)) in out.iter_mut().zip(x).enumerate() {
            let mut v = simd.mul_add_f64s(*out, dt, *x);
            if let Some(noise) = noise.get(i) {
                let factor = match each.get(i) {
                    Some(factor) => simd.mul_f64s(*factor, root),
                    None => same,
                };
                v = simd.mul_add_f64s(factor, *noise, v);
            }
            v = simd.select_f64s(simd.less_than_f64s(v, low), low, v);
            v = simd.select_f64s(simd.less_than_f64s(high, v), high, v);
            total = simd.mul_add_f64s(v, zero, total);
            *out = v;
        }
        none_is_nan(simd, total)
    }
}

/// `out` becomes `decay·out + (1 − decay)·x`: one step of an exponential filter.
pub fn smooth(arch: Arch, out: &mut [f64], x: &[f64], decay: f64) {
    arch.dispatch(Smooth { out, x, decay });
}

/// As [`smooth`], for where SIMD is at work already.
pub struct Smooth<'a> {
    /// The filters.
    pub out: &'a mut [f64],
    /// What they take.
    pub x: &'a [f64],
    /// What remains.
    pub decay: f64,
}

impl WithSimd for Smooth<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let decay = simd.splat_f64s(self.decay);
        let (out, rest) = S::as_mut_simd_f64s(self.out);
        let (x, x_rest) = S::as_simd_f64s(self.x);
        for (o, x) in out.iter_mut().zip(x) {
            *o = simd.mul_add_f64s(decay, simd.sub_f64s(*o, *x), *x);
        }
        for (o, x) in rest.iter_mut().zip(x_rest) {
            *o = self.decay.mul_add(*o - *x, *x);
        }
    }
}

/// `out` becomes `decay·out + x`: one step of a decaying sum.
pub fn decay_add(arch: Arch, out: &mut [f64], x: &[f64], decay: f64) {
    arch.dispatch(DecayAdd { out, x, decay });
}

/// As [`decay_add`], for where SIMD is at work already.
pub struct DecayAdd<'a> {
    /// The sums.
    pub out: &'a mut [f64],
    /// What they take.
    pub x: &'a [f64],
    /// What remains.
    pub decay: f64,
}

impl WithSimd for DecayAdd<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let decay = simd.splat_f64s(self.decay);
        let (out, rest) = S::as_mut_simd_f64s(self.out);
        let (x, x_rest) = S::as_simd_f64s(self.x);
        for (o, x) in out.iter_mut().zip(x) {
            *o = simd.mul_add_f64s(decay, *o, *x);
        }
        for (o, x) in rest.iter_mut().zip(x_rest) {
            *o = self.decay.mul_add(*o, *x);
        }
    }
}

/// Copies padded vectors, for where SIMD is at work already: a call of the library's copy costs more than the few
/// vectors of most populations.
#[inline(always)]
pub fn copy_in<S: Simd>(_: S, out: &mut [f64], x: &[f64]) {
    let out = S::as_mut_simd_f64s(out).0;
    for (out, x) in out.iter_mut().zip(S::as_simd_f64s(x).0) {
        *out = *x;
    }
}

/// Whether a sum of 0·x, which is 0 for finite x and NaN for all else, has no NaN in it. One comparison of masks takes less
/// than adding the lanes up.
#[inline(always)]
pub fn none_is_nan<S: Simd>(simd: S, total: S::f64s) -> bool {
    let zero = simd.splat_f64s(0.0);
    let all = simd.equal_f64s(zero, zero);
    bytemuck::bytes_of(&simd.equal_f64s(total, zero)) == bytemuck::bytes_of(&all)
}

/// Whether all numbers are finite.
pub fn all_finite(arch: Arch, x: &[f64]) -> bool {
    arch.dispatch(AllFinite { x })
}

/// As [`all_finite`], for where SIMD is at work already.
pub struct AllFinite<'a> {
    /// The numbers.
    pub x: &'a [f64],
}

impl WithSimd for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        // 0·x is 0 for finite x and NaN for all else, and a sum with a NaN in it stays one.
        let (whole, rest) = S::as_simd_f64s(self.x);
        let zero = simd.splat_f64s(0.0);
        let (pairs, last) = whole.as_chunks::<2>();
        let (mut even, mut odd) = (zero, zero);
        for [a, b] in pairs {
            even = simd.mul_add_f64s(*a, zero, even);
            odd = simd.mul_add_f64s(*b, zero, odd);
        }
        for a in last {
            even = simd.mul_add_f64s(*a, zero, even);
        }
        let mut last = 0.0;
        for a in rest {
            last = a.mul_add(0.0, last);
        }
        none_is_nan(simd, simd.add_f64s(even, odd)) && !f64::is_nan(last)
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
