//! When a linear read-out reaches a threshold.
//!
//! The search walks from now on by steps over which a crossing is impossible. With M ≥ g″ for the
//! rest of the time (see [`bounds`](super::bounds)), g(t + τ) ≤ g + g′τ + Mτ²/2, and the first zero
//! of that parabola is the step. Where the curve is concave this is Newton's method from below,
//! which never goes past a root; elsewhere it is as fast near the root, and no earlier root, nor a
//! graze, can be stepped over.

use super::bounds::{Look, Signal};
use super::modes::{Modes, Placed};
use super::two;

/// The walk goes on by this at least (ms): half the stated resolution of 0.5e-9 ms.
const LEAST_STEP: f64 = 2.5e-10;

/// The walk ends when the next step's error is below this (ms).
const PRECISION: f64 = 1e-13;

/// Most steps towards an infinite horizon; reached only by oscillations that never fade, or by a
/// cluster of three or more eigenvalues at 0.
const MOST_STEPS: usize = 1_000_000;

/// Runs a call with the least room that holds the single exponentials.
macro_rules! with_room {
    ($modes:expr, $room:ident => $call:expr) => {
        match $modes.rates.len() {
            0..=1 => {
                const $room: usize = 1;
                $call
            }
            2 => {
                const $room: usize = 2;
                $call
            }
            3..=4 => {
                const $room: usize = 4;
                $call
            }
            5..=8 => {
                const $room: usize = 8;
                $call
            }
            9..=16 => {
                const $room: usize = 16;
                $call
            }
            _ => {
                const $room: usize = super::MOST_VARIABLES;
                $call
            }
        }
    };
}

impl Modes {
    /// Whether g = c + readout·y, which is below 0 now, stays below for all time: a quick sufficient
    /// test. `false` if g ≥ 0 already, and whenever it is not sure.
    ///
    /// # Shape
    /// `y` and `readout` are [`len`](Modes::len) long.
    #[inline]
    pub fn cannot_cross(&self, y: &[f64], readout: &[f64], c: f64) -> bool {
        if !self.blocks.is_empty() {
            return self.cannot_cross_blocks(y, readout, c);
        }
        let scalars = self.rates.len().min(y.len()).min(readout.len());
        let (y, readout) = (&y[..scalars], &readout[..scalars]);
        let (mut g, mut most) = (c, c);
        if self.still == 0 {
            for (y, r) in y.iter().zip(readout) {
                g += r * y;
                most = if g > most { g } else { most };
            }
        } else {
            for (k, (y, r)) in y.iter().zip(readout).enumerate() {
                g += r * y;
                most = if g > most || k < self.still { g } else { most };
            }
        }
        most <= 0.0 && g < 0.0
    }

    /// The same for the next `dt_ms` alone: sure more often, since g gains at most dt times the most
    /// its slope can be.
    #[inline]
    pub fn cannot_cross_within(&self, y: &[f64], readout: &[f64], c: f64, dt_ms: f64) -> bool {
        if !self.blocks.is_empty() {
            return self.cannot_cross_blocks(y, readout, c);
        }
        let (mut g, mut most) = (c, c);
        let (mut slope, mut steepest) = (0.0, 0.0);
        for (k, ((y, r), rate)) in y.iter().zip(readout).zip(&self.rates).enumerate() {
            let v = r * y;
            g += v;
            most = if g > most || k < self.still { g } else { most };
            slope -= rate * v;
            steepest = if slope > steepest { slope } else { steepest };
        }
        g < 0.0 && (most <= 0.0 || g + steepest * dt_ms < 0.0)
    }

    #[inline(never)]
    fn cannot_cross_blocks(&self, y: &[f64], readout: &[f64], c: f64) -> bool {
        let (mut g, mut most) = (c, c);
        for (k, (y, r)) in y.iter().zip(readout).take(self.rates.len()).enumerate() {
            g += r * y;
            most = if g > most || k < self.still { g } else { most };
        }
        for Placed { start, end, block } in &self.blocks {
            if let (Some(y), Some(r)) = (y.get(*start..*end), readout.get(*start..*end)) {
                let (now, above) = block.now_and_sup(r, y);
                g += now;
                most += above;
            }
        }
        most <= 0.0 && g < 0.0
    }

    /// The first time (ms from now) in (0, horizon] at which g(t) = c + readout·y(t) comes from
    /// below 0 to 0 or above; 0 if g ≥ 0 now. The horizon may be ∞.
    ///
    /// No crossing is missed, not even a graze between two inputs that lasts longer than 0.5e-9 ms;
    /// whether a maximum within the rounding of g (some 1e-16 of its terms) of 0 counts is open.
    /// Times are right to 1e-12 ms, or to what the rounding of g leaves: rounding/slope.
    ///
    /// With an infinite horizon, the search for oscillations that never fade ends after a million
    /// steps, some forty to a period.
    pub fn first_crossing(&self, y: &[f64], readout: &[f64], c: f64, horizon: f64) -> Option<f64> {
        two::first_crossing(self, y, readout, c, horizon)
            .unwrap_or_else(|| self.first_crossing_of_any(y, readout, c, horizon))
    }

    /// The same for any sum.
    pub(super) fn first_crossing_of_any(
        &self,
        y: &[f64],
        readout: &[f64],
        c: f64,
        horizon: f64,
    ) -> Option<f64> {
        with_room!(self, N => Signal::<N>::new(self, y, readout, c, 1.0).first_crossing(horizon))
    }

    /// An upper bound of g(t) = c + readout·y(t) over the next `dt_ms` (may be ∞).
    #[inline]
    pub fn sup(&self, y: &[f64], readout: &[f64], c: f64, dt_ms: f64) -> f64 {
        with_room!(self, N => Signal::<N>::new(self, y, readout, c, 1.0).sup(dt_ms))
    }

    /// A lower bound of g(t) = c + readout·y(t) over the next `dt_ms` (may be ∞).
    #[inline]
    pub fn inf(&self, y: &[f64], readout: &[f64], c: f64, dt_ms: f64) -> f64 {
        with_room!(self, N => -Signal::<N>::new(self, y, readout, c, -1.0).sup(dt_ms))
    }
}

impl<const N: usize> Signal<'_, N> {
    fn first_crossing(&self, horizon: f64) -> Option<f64> {
        let limited = self.window();
        let mut window = limited.unwrap_or(f64::INFINITY);
        let mut t = 0.0;
        let mut look = self.start(window.min(horizon), horizon);
        for step in 0.. {
            if look.g >= 0.0 {
                return Some(t);
            }
            let rest = horizon - t;
            let h = window.min(rest);
            let never = look.most <= 0.0 || (h >= rest && look.most_slope <= 0.0);
            if never || look.g.is_nan() || rest.is_nan() || rest <= 0.0 {
                return None;
            }
            let tau = look.reach();
            if tau > h && h >= rest {
                return None;
            }
            if look.converges(tau) {
                return Some(t + tau);
            }
            if limited.is_some() {
                if tau >= h {
                    window *= 2.0;
                } else if tau < 0.125 * h {
                    window = 0.5 * h;
                }
            }
            let least = LEAST_STEP.max(2.0 * f64::EPSILON * t);
            let advance = tau.min(h).max(least);
            t = if advance < rest { t + advance } else { horizon };
            if t.is_infinite() || (step >= MOST_STEPS && horizon.is_infinite()) {
                return None;
            }
            let rest = horizon - t;
            look = self.look(t, window.min(rest), rest);
        }
        None
    }
}

impl Look {
    /// The earliest time from here at which 0 can be reached (ms); ∞ if never.
    #[inline(always)]
    fn reach(&self) -> f64 {
        let below = -self.g;
        let bend = if self.most_bend > 0.0 {
            self.most_bend
        } else {
            0.0
        };
        let root = (self.slope * self.slope + 2.0 * bend * below).sqrt();
        // The first zero of −below + slope·τ + bend·τ²/2, without a difference of equals.
        let parabola = if self.slope > 0.0 {
            2.0 * below / (self.slope + root)
        } else if bend > 0.0 {
            (root - self.slope) / bend
        } else {
            f64::INFINITY
        };
        let line = self.reach_by_slope(below);
        if line > parabola { line } else { parabola }
    }

    /// The same, from a slope that is never above `most_slope`·e^(−λτ).
    #[inline(always)]
    fn reach_by_slope(&self, below: f64) -> f64 {
        if self.most_slope <= 0.0 {
            return f64::INFINITY;
        }
        let line = below / self.most_slope;
        let (rate, time) = self.slowest;
        // 1 − e^(−λτ) = q. A single exponential is solved at once, but for the end of the series of
        // −ln(1 − q) = 2·artanh z.
        let q = line * rate;
        if q >= 1.0 {
            return f64::INFINITY;
        }
        let z = q / (2.0 - q);
        let curved = time * (2.0 * z * (1.0 + z * z * (1.0 / 3.0)));
        if curved > line { curved } else { line }
    }

    /// Whether a step of `tau` lands on a crossing to within the precision.
    #[inline(always)]
    fn converges(&self, tau: f64) -> bool {
        if self.slope <= 0.0 {
            return false;
        }
        // Between the steepest and the flattest parabola; both cross if the second one does.
        let spread = 0.5 * (self.most_bend - self.least_bend) * tau;
        spread <= 0.25 * self.slope && spread * tau <= PRECISION * self.slope
    }
}
