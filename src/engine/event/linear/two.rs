//! When the sum of two exponentials that rises and then falls reaches a threshold: the potential of a plain neuron after a
//! synaptic current.
//!
//! For g(t) = c + a·e^(−λt) + b·e^(−μt) with a > 0 > b and 0 < λ < μ, g′ > 0 implies g″ < 0 and g‴ > 0 (compare μ|b|e^(−μt) with
//! λa·e^(−λt)). So, while g rises, a tangent lies above it and reaches 0 before it does, at any point of it; a parabola with g,
//! g′ and g″ lies below it and reaches 0 after it does. Where g falls it falls for good. The search steps to the parabola's
//! zero, corrected by g‴, from either side; where that might pass the top, or the horizon, to the tangent's. Each step raises
//! the error to its fourth power.

use super::exp::exp;
use super::modes::Modes;

/// The search ends when the crossing is known to this (ms).
const PRECISION: f64 = 1e-13;

/// Most steps; only a graze needs more than a few.
const MOST_STEPS: usize = 40;

/// The first time (ms) up to `horizon` at which c + readout·y comes to 0; `None` inside if there is none. `None` outside if the
/// read-out is not such a sum, is not below 0 now, or the search does not end soon.
#[inline]
pub(super) fn first_crossing(
    modes: &Modes,
    y: &[f64],
    readout: &[f64],
    c: f64,
    horizon: f64,
) -> Option<Option<f64>> {
    let two = |numbers: &[f64]| <[f64; 2]>::try_from(numbers).ok();
    let (rates, y, readout) = (two(&modes.rates)?, two(y)?, two(readout)?);
    let parts = [readout[0] * y[0], readout[1] * y[1]];
    let fits = modes.still == 0 && rates[0] < rates[1] && parts[0] > 0.0 && parts[1] < 0.0;
    (fits && c + parts[0] + parts[1] < 0.0).then_some(())?;
    search(rates, parts, c, horizon)
}

fn search(rates: [f64; 2], parts: [f64; 2], c: f64, horizon: f64) -> Option<Option<f64>> {
    let (mut t, mut now) = (0.0, parts);
    let mut may_have_passed = false;
    for _ in 0..MOST_STEPS {
        let course = Course::new(rates, now, c);
        let Course { g, slope, .. } = course;
        if slope <= 0.0 && (g >= 0.0 || may_have_passed) {
            return None;
        }
        if g < 0.0 && (slope <= 0.0 || t >= horizon) {
            return Some(None);
        }
        let (step, error) = course.step();
        if error <= PRECISION {
            return Some(Some(t + step).filter(|t| *t <= horizon));
        }
        // Not a number: the parabola turns below 0. Then, and to be sure that nothing comes before the horizon, the tangent.
        may_have_passed = t + step <= horizon;
        t += if may_have_passed { step } else { -g / slope };
        if !(t.is_finite() && t >= 0.0) {
            return None;
        }
        now = std::array::from_fn(|k| parts[k] * exp(-rates[k] * t));
    }
    None
}

/// g and its derivatives at a time.
struct Course {
    g: f64,
    slope: f64,
    bend: f64,
    third: f64,
    /// A bound of the size of the fourth one, from here on.
    fourth: f64,
}

impl Course {
    #[inline(always)]
    fn new(rates: [f64; 2], now: [f64; 2], c: f64) -> Course {
        let squares = [rates[0] * rates[0], rates[1] * rates[1]];
        let slopes = [rates[0] * now[0], rates[1] * now[1]];
        let bends = [squares[0] * now[0], squares[1] * now[1]];
        Course {
            g: c + now[0] + now[1],
            slope: -(slopes[0] + slopes[1]),
            bend: bends[0] + bends[1],
            third: -(squares[0] * slopes[0] + squares[1] * slopes[1]),
            fourth: squares[0] * bends[0].abs() + squares[1] * bends[1].abs(),
        }
    }

    /// The step (ms) to where g's third-order course comes to 0, from where the parabola does, and what it may be wrong by;
    /// not numbers if the parabola does not come to 0, or the course falls there.
    #[inline(always)]
    fn step(&self) -> (f64, f64) {
        let root = (self.slope * self.slope - 2.0 * self.g * self.bend).sqrt();
        // The first zero, without a difference of equals.
        let parabola = -2.0 * self.g / (self.slope + root);
        let steep = self.slope + parabola * (self.bend + 0.5 * self.third * parabola);
        let back = self.third * (parabola * parabola * parabola) / (6.0 * steep);
        let step = parabola - back;
        // What one step of Newton leaves, and the next term of the series; it may be larger behind than it is here.
        let square = step * step;
        let bend = self.bend.abs() + (self.third * parabola).abs();
        let error = (0.5 * bend * (back * back) + self.fourth * (square * square) / 12.0) / steep;
        if steep > 0.0 {
            (step, error)
        } else {
            (f64::NAN, f64::NAN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::linear::{Modes, System};
    use rand::RngExt;

    /// A membrane (mV) of 20 ms and a current of `tau` ms.
    fn membrane(tau: f64) -> Modes {
        let system = System {
            n: 2,
            a: vec![-0.05, 1.0, 0.0, -1.0 / tau],
            b: vec![0.0, 0.0],
        };
        Modes::new(&system).unwrap()
    }

    #[test]
    fn agrees_with_the_general_search() {
        let mut stream = crate::random::stream(6, "two", 0);
        let (mut found, mut answered) = (0, 0);
        for case in 0..20_000 {
            let modes = membrane([0.5, 2.0, 5.0][case % 3]);
            let (row, offset) = modes.readout(&[1.0, 0.0]);
            let x = [20.0 * stream.random::<f64>(), 20.0 * stream.random::<f64>()];
            let (y, c) = (modes.from_x(&x), offset - 20.0);
            let horizon = if case % 2 == 0 {
                f64::INFINITY
            } else {
                3.0 * stream.random::<f64>()
            };
            let Some(one) = first_crossing(&modes, &y, &row, c, horizon) else {
                continue;
            };
            answered += 1;
            let other = modes.first_crossing_of_any(&y, &row, c, horizon);
            assert_eq!(one.is_some(), other.is_some(), "{x:?} {horizon}");
            if let (Some(one), Some(other)) = (one, other) {
                found += 1;
                assert!((one - other).abs() < 1e-11, "{x:?}: {one} and {other}");
            }
        }
        assert!(answered > 10_000 && found > 5_000, "{answered} {found}");
    }

    #[test]
    fn a_graze_is_found_just_when_there_is_one() {
        let modes = membrane(2.0);
        let (row, offset) = modes.readout(&[1.0, 0.0]);
        let y = modes.from_x(&[3.0, 5.0]);
        // The top, where the parts' slopes are equal and opposite.
        let parts = [row[0] * y[0], row[1] * y[1]];
        let rates = modes.rates();
        let top = (-rates[1] * parts[1] / (rates[0] * parts[0])).ln() / (rates[1] - rates[0]);
        let height = offset
            + (0..2)
                .map(|k| parts[k] * (-rates[k] * top).exp())
                .sum::<f64>();
        for (above, is_there) in [(1e-9, true), (-1e-9, false)] {
            let c = offset - height + above;
            let found = first_crossing(&modes, &y, &row, c, f64::INFINITY);
            let found =
                found.unwrap_or_else(|| modes.first_crossing_of_any(&y, &row, c, f64::INFINITY));
            assert_eq!(found.is_some(), is_there);
            assert!(found.is_none_or(|t| t < top && t > top - 1e-3));
        }
    }
}
