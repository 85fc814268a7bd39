//! Exponentials of single numbers.
//!
//! The language's own functions are made for loops over blocks: alone, and without the instruction set that such a loop
//! is compiled for, each of their fused multiply–adds is a call. With the system library's functions an
//! arrival takes a few times less.

/// e^x.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    x.exp()
}

/// e^x − 1, precise for small x.
#[inline(always)]
pub(super) fn exp_minus_one(x: f64) -> f64 {
    x.exp_m1()
}
