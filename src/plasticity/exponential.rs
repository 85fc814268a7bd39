//! Exponentials of single numbers and of a few side by side.
//!
//! The language's own functions are made for loops over blocks: alone, and without the instruction set that such a loop
//! is compiled for, each of their fused multiply–adds is a call. The exponential of the neurons' modes has no branch and
//! no call, so that several overlap; its error is about one unit in the last place.

use crate::engine::event::linear::exp::exp as of_modes;

/// Largest exponent that the fast function takes.
const LARGEST: f64 = 700.0;

/// e^x.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    if x <= LARGEST { of_modes(x) } else { x.exp() }
}

/// e^x of each.
#[inline(always)]
pub(super) fn exp_each<const P: usize>(x: [f64; P]) -> [f64; P] {
    if x.iter().all(|x| *x <= LARGEST) {
        x.map(of_modes)
    } else {
        x.map(f64::exp)
    }
}

/// e^x − 1, precise for small x.
#[inline(always)]
pub(super) fn exp_minus_one(x: f64) -> f64 {
    x.exp_m1()
}
