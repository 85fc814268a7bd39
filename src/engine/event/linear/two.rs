//! When the sum of two exponentials that rises and then falls reaches a threshold: the potential of a plain neuron after a
//! synaptic current.
//!
//! For g(t) = c + a·e^(−λt) + b·e^(−μt) with a > 0 > b and 0 < λ < μ, g′ > 0 implies g″ < 0 and g‴ > 0 (compare μ|b|e^(−μt) with
//! λa·e^(−λt)). So, while g rises, a tangent lies above it and reaches 0 before it does, at any point of it; a parabola with g,
//! g′ and g″ lies below it and reaches 0 after it does. Where g falls it falls for good. From below the search steps to the
//! parabola's zero, from there back to the tangent's, and each pair of steps raises the error to its sixth power.

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
    for _ in 0..MOST_STEPS {
        let g = c + now[0] + now[1];
        let slopes = [rates[0] * now[0], rates[1] * now[1]];
        let slope = -(slopes[0] + slopes[1]);
        let bend = rates[0] * slopes[0] + rates[1] * slopes[1];
        if g < 0.0 && (slope <= 0.0 || t >= horizon) {
            return Some(None);
        }
        if slope <= 0.0 {
            return None;
        }
        let tangent = -g / slope;
        let step = if g < 0.0 {
            let square = slope * slope - 2.0 * g * bend;
            // The first zero, without a difference of equals.
            let parabola = -2.0 * g / (slope + square.sqrt());
            if parabola - tangent <= PRECISION {
                return Some(Some(t + parabola).filter(|t| *t <= horizon));
            }
            // Not a number: the parabola turns below 0.
            if t + parabola <= horizon {
                parabola
            } else {
                tangent
            }
        } else if tangent.abs() <= PRECISION {
            return Some(Some(t + tangent).filter(|t| *t <= horizon));
        } else {
            tangent
        };
        t += step;
        if !(t.is_finite() && t >= 0.0) {
            return None;
        }
        now = std::array::from_fn(|k| parts[k] * exp(-rates[k] * t));
    }
    None
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
