//! Loops over vectors, compiled for the machine's instruction set.

use pulp::{Arch, Simd, WithSimd};

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

/// Adds `a·x` to `out`, element by element.
pub fn add_product(arch: Arch, out: &mut [f64], a: &[f64], x: &[f64]) {
    arch.dispatch(AddProduct {
        out,
        a,
        x: Factor::Each(x),
    });
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
    fn with_simd<S: Simd>(self, _: S) {
        match self.x {
            Factor::Same(x) => {
                for (o, a) in self.out.iter_mut().zip(self.a) {
                    *o = a.mul_add(x, *o);
                }
            }
            Factor::Each(x) => {
                for ((o, a), x) in self.out.iter_mut().zip(self.a).zip(x) {
                    *o = a.mul_add(*x, *o);
                }
            }
        }
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
    fn with_simd<S: Simd>(self, _: S) -> bool {
        // The exponent bits of infinities and NaN are all ones.
        const EXPONENT: u64 = 0x7ff << 52;
        let bad = |x: f64| u64::from(x.to_bits() & EXPONENT == EXPONENT);
        let mut any = 0;
        for x in self.x {
            any |= bad(*x);
        }
        any == 0
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
        assert!(all_finite(Arch::new(), &[0.0, -1e308, f64::MIN_POSITIVE]));
        assert!(
            !all_finite(Arch::new(), &[0.0, f64::NAN])
                && !all_finite(Arch::new(), &[f64::NEG_INFINITY])
        );
    }
}
