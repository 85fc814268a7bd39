//! Loops over vectors, compiled for the machine's instruction set.

use pulp::{Arch, Simd, WithSimd};

use crate::lang::vm::LANES;

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
pub fn grow(arch: Arch, out: &mut [f64], growth: f64) {
    arch.dispatch(Grow { out, growth });
}

struct Grow<'a> {
    out: &'a mut [f64],
    growth: f64,
}

impl WithSimd for Grow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for o in self.out {
            *o = self.growth.mul_add(*o, *o);
        }
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
pub fn clip(values: &mut [f64], within: Option<[f64; 2]>) {
    if let Some([low, high]) = within {
        for v in values {
            *v = if *v < low { low } else { *v };
            *v = if *v > high { high } else { *v };
        }
    }
}

enum Factor<'a> {
    Same(f64),
    Each(&'a [f64]),
}

struct AddProduct<'a> {
    out: &'a mut [f64],
    a: &'a [f64],
    x: Factor<'a>,
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
    pub diffusion: Option<(&'a [f64], &'a [f64])>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// Takes the step, over whole groups of [`LANES`] neurons; whether all values are finite.
pub fn euler(arch: Arch, step: Euler<'_>) -> bool {
    arch.dispatch(step)
}

impl WithSimd for Euler<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let (dt, root) = (self.dt, self.dt.sqrt());
        let [low, high] = self.within.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        // Sums of 0·x are 0 for finite x, and NaN for all else.
        let mut totals = [0.0; LANES];
        let (out, x) = (
            self.out.as_chunks_mut::<LANES>().0,
            self.x.as_chunks::<LANES>().0,
        );
        if let Some((factor, noise)) = self.diffusion {
            let noise = factor
                .as_chunks::<LANES>()
                .0
                .iter()
                .zip(noise.as_chunks::<LANES>().0);
            for ((out, x), (factor, noise)) in out.iter_mut().zip(x).zip(noise) {
                for k in 0..LANES {
                    let drifted = out[k].mul_add(dt, x[k]);
                    let v = (factor[k] * root).mul_add(noise[k], drifted);
                    let v = if v < low { low } else { v };
                    out[k] = if v > high { high } else { v };
                    totals[k] = out[k].mul_add(0.0, totals[k]);
                }
            }
        } else {
            for (out, x) in out.iter_mut().zip(x) {
                for k in 0..LANES {
                    let v = out[k].mul_add(dt, x[k]);
                    let v = if v < low { low } else { v };
                    out[k] = if v > high { high } else { v };
                    totals[k] = out[k].mul_add(0.0, totals[k]);
                }
            }
        }
        !totals.iter().any(|t| t.is_nan())
    }
}

/// `out` becomes `decay·out + (1 − decay)·x`: one step of an exponential filter.
pub fn smooth(arch: Arch, out: &mut [f64], x: &[f64], decay: f64) {
    arch.dispatch(Smooth { out, x, decay });
}

struct Smooth<'a> {
    out: &'a mut [f64],
    x: &'a [f64],
    decay: f64,
}

impl WithSimd for Smooth<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (o, x) in self.out.iter_mut().zip(self.x) {
            *o = self.decay.mul_add(*o - *x, *x);
        }
    }
}

/// `out` becomes `decay·out + x`: one step of a decaying sum.
pub fn decay_add(arch: Arch, out: &mut [f64], x: &[f64], decay: f64) {
    arch.dispatch(DecayAdd { out, x, decay });
}

struct DecayAdd<'a> {
    out: &'a mut [f64],
    x: &'a [f64],
    decay: f64,
}

impl WithSimd for DecayAdd<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (o, x) in self.out.iter_mut().zip(self.x) {
            *o = self.decay.mul_add(*o, *x);
        }
    }
}

/// Whether all numbers are finite.
pub fn all_finite(arch: Arch, x: &[f64]) -> bool {
    arch.dispatch(AllFinite { x })
}

struct AllFinite<'a> {
    x: &'a [f64],
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
        let mut total = simd.reduce_sum_f64s(simd.add_f64s(even, odd));
        for a in rest {
            total = a.mul_add(0.0, total);
        }
        !total.is_nan()
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
            let diffusion = Some((&factor[..], noise));
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
}
