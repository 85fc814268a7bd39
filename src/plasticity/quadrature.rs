//! Gauss–Legendre quadrature on an interval, with the integrals up to each of its points.

use serde::{Deserialize, Serialize};

/// Most points of a rule.
pub const MOST_POINTS: usize = 4;

/// Points and weights on [0, 1].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gauss {
    /// Points.
    pub points: Vec<f64>,
    /// Weights; they sum to 1.
    pub weights: Vec<f64>,
    /// Row j gives the integral from 0 to point j from the values at the points.
    pub up_to: Vec<Vec<f64>>,
}

impl Gauss {
    /// The rule with 2, 3 or 4 points: exact for polynomials below degree 4, 6 or 8.
    pub fn new(points: usize) -> Gauss {
        let on_symmetric: Vec<f64> = match points {
            2 => vec![-(1.0_f64 / 3.0).sqrt(), (1.0_f64 / 3.0).sqrt()],
            3 => vec![-(0.6_f64).sqrt(), 0.0, (0.6_f64).sqrt()],
            _ => {
                let inner = (3.0 / 7.0 - 2.0 / 7.0 * 1.2_f64.sqrt()).sqrt();
                let outer = (3.0 / 7.0 + 2.0 / 7.0 * 1.2_f64.sqrt()).sqrt();
                vec![-outer, -inner, inner, outer]
            }
        };
        let points: Vec<f64> = on_symmetric.iter().map(|x| 0.5 * (1.0 + x)).collect();
        let lagrange: Vec<Vec<f64>> = (0..points.len()).map(|k| basis(&points, k)).collect();
        let up_to = |x: f64| lagrange.iter().map(|l| integral(l, x)).collect::<Vec<_>>();
        Gauss {
            weights: up_to(1.0),
            up_to: points.iter().map(|x| up_to(*x)).collect(),
            points,
        }
    }

    /// Rules with 2, 3 and 4 points.
    pub fn all() -> Vec<Gauss> {
        (2..=MOST_POINTS).map(Gauss::new).collect()
    }
}

/// Coefficients, lowest first, of the polynomial that is 1 at point k and 0 at the others.
fn basis(points: &[f64], k: usize) -> Vec<f64> {
    let mut coefficients = vec![1.0];
    for (j, x) in points.iter().enumerate().filter(|(j, _)| *j != k) {
        let scale = 1.0 / (points[k] - points[j]);
        let mut next = vec![0.0; coefficients.len() + 1];
        for (power, c) in coefficients.iter().enumerate() {
            next[power + 1] += c * scale;
            next[power] -= c * x * scale;
        }
        coefficients = next;
    }
    coefficients
}

/// Integral of a polynomial from 0 to x.
fn integral(coefficients: &[f64], x: f64) -> f64 {
    let part = |(power, c): (usize, &f64)| c * x.powi(power as i32 + 1) / (power as f64 + 1.0);
    coefficients.iter().enumerate().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for (points, degree) in [(2, 3), (3, 5), (4, 7)] {
            let rule = Gauss::new(points);
            let found: f64 = (rule.points.iter().zip(&rule.weights))
                .map(|(x, w)| w * x.powi(degree))
                .sum();
            assert!((found - 1.0 / (f64::from(degree) + 1.0)).abs() < 1e-15);
            // Up to a point: one degree less than the number of points.
            let power = points as i32 - 1;
            for (j, row) in rule.up_to.iter().enumerate() {
                let found: f64 = (rule.points.iter().zip(row))
                    .map(|(x, w)| w * x.powi(power))
                    .sum();
                let exact = rule.points[j].powi(power + 1) / f64::from(power + 1);
                assert!((found - exact).abs() < 1e-15);
            }
        }
    }
}
