//! What one projection keeps once: reference times, and integrals over modulators.
//!
//! Layout: the time up to which the integrals go, the reference time of each class, the integrals.

use super::exponential::{exp, exp_minus_one};
use super::plan::{Integral, LazyRule, MOST_INTEGRALS};
use super::sides::MOST_CLASSES;
use super::signal::Channel;

/// (1 − e^(−x·d))/x, the integral of e^(−x·s) from 0 to d.
#[inline]
pub(super) fn decayed(x: f64, d: f64) -> f64 {
    let exponent = -x * d;
    if exponent.abs() < 1e-14 {
        return d;
    }
    -exp_minus_one(exponent.max(-600.0)) / x
}

/// e^(rate·(t − reference)) of each class at one time, and its inverse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    pub up: [f64; MOST_CLASSES],
    pub down: [f64; MOST_CLASSES],
}

impl Growth {
    pub const NONE: Growth = Growth {
        up: [1.0; MOST_CLASSES],
        down: [1.0; MOST_CLASSES],
    };

    /// Product of decays.
    #[inline(always)]
    pub fn fall(&self, classes: &[u16]) -> f64 {
        let mut product = 1.0;
        for class in classes {
            product *= self.down[usize::from(*class)];
        }
        product
    }
}

impl LazyRule {
    /// Numbers that a projection keeps once for this rule.
    pub fn shared_len(&self) -> usize {
        1 + self.sides.classes.len() + self.integrals.len()
    }

    /// Puts a projection's numbers to their start at a time (ms since the start).
    pub fn start_shared(&self, shared: &mut [f64], at: f64) {
        shared.fill(0.0);
        let classes = self.sides.classes.len();
        shared[..=classes].fill(at);
    }

    #[inline]
    pub(super) fn growth(&self, shared: &[f64], at: f64, growth: &mut Growth) {
        for (c, class) in self.sides.classes.iter().enumerate().skip(1) {
            if class.rate > 0.0 {
                let up = exp(class.rate * (at - shared[1 + c]));
                growth.up[c] = up;
                growth.down[c] = 1.0 / up;
            }
        }
    }

    /// An integral up to a time.
    #[inline]
    pub(super) fn integral(
        &self,
        index: usize,
        shared: &[f64],
        channels: &[Channel],
        at: f64,
    ) -> f64 {
        let stored = shared[1 + self.sides.classes.len() + index];
        let integral = &self.integrals[index];
        let last = shared[0];
        if at <= last || integral.products.is_empty() {
            return stored;
        }
        stored + self.since(integral, shared, channels, last, at)
    }

    fn since(
        &self,
        integral: &Integral,
        shared: &[f64],
        channels: &[Channel],
        last: f64,
        at: f64,
    ) -> f64 {
        let (mut rate, mut past) = (0.0, 0.0);
        let classes = &self.sides.classes;
        for c in integral.falls.iter().chain(&integral.traces) {
            let c = usize::from(*c);
            rate += classes[c].rate;
            past += classes[c].rate * (last - shared[1 + c]);
        }
        let c = usize::from(integral.rises);
        rate -= classes[c].rate;
        past -= classes[c].rate * (last - shared[1 + c]);
        let scale = exp(-past);
        let mut sum = 0.0;
        for product in &integral.products {
            let (mut value, mut fall) = (product.factor, rate);
            for number in &product.places {
                let channel = &channels[usize::from(*number)];
                value *= channel.at(last);
                fall += channel.rate;
            }
            if value.abs() > 0.0 {
                sum += value * decayed(fall, at - last);
            }
        }
        scale * sum
    }

    /// All integrals up to a time.
    #[inline]
    pub(super) fn integrals_at(
        &self,
        shared: &[f64],
        channels: &[Channel],
        at: f64,
        into: &mut [f64; MOST_INTEGRALS],
    ) {
        for (index, value) in into.iter_mut().enumerate().take(self.integrals.len()) {
            *value = self.integral(index, shared, channels, at);
        }
    }

    /// Takes the integrals to a time; to be called before a modulator that the rule reads changes.
    pub fn before_change(&self, shared: &mut [f64], channels: &[Channel], at: f64) {
        let mut values = [0.0; MOST_INTEGRALS];
        self.integrals_at(shared, channels, at, &mut values);
        let first = 1 + self.sides.classes.len();
        for (slot, value) in shared[first..].iter_mut().zip(values) {
            *slot = value;
        }
        shared[0] = at;
    }
}
