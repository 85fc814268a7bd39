//! Local contrast: by how much each pixel differs from its neighbourhood.

use pulp::{Arch, Simd, WithSimd};

/// Takes from each pixel the mean of its neighbourhood, and divides by the neighbourhood's standard deviation.
///
/// # Source
/// Jarrett, Kavukcuoglu, Ranzato and LeCun 2009, Section 2.2 (subtractive and divisive normalisation); here each channel
/// has means of its own, and a neighbourhood that reaches beyond the border is the part within.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LocalContrast {
    /// Weights of pixels at distances 0, 1, …
    weights: Vec<f64>,
}

impl LocalContrast {
    /// Neighbourhoods with Gaussian weights of that standard deviation (pixels), cut at twice as much.
    pub fn new(sd: f64) -> LocalContrast {
        let weight = |distance: usize| (-0.5 * (distance as f64 / sd).powi(2)).exp();
        LocalContrast {
            weights: (0..=(2.0 * sd).ceil() as usize).map(weight).collect(),
        }
    }

    /// Changes an image of so many channels, rows and columns.
    pub fn apply(&self, image: &mut [f64], [channels, rows, columns]: [usize; 3]) {
        let places = rows * columns;
        let mut squares = vec![0.0; places];
        for map in image.chunks_exact_mut(places) {
            let mean = self.blurred(map, columns);
            for ((x, mean), square) in map.iter_mut().zip(mean).zip(&mut squares) {
                *x -= mean;
                *square += *x * *x / channels as f64;
            }
        }
        let mut deviations = self.blurred(&squares, columns);
        deviations.iter_mut().for_each(|d| *d = d.sqrt());
        let least = deviations.iter().sum::<f64>() / places as f64;
        // An image without any contrast stays 0.
        let least = least.max(f64::MIN_POSITIVE);
        for map in image.chunks_exact_mut(places) {
            for (x, deviation) in map.iter_mut().zip(&deviations) {
                *x /= deviation.max(least);
            }
        }
    }

    /// Weighted means around each pixel of a map: down the columns, then along the rows.
    fn blurred(&self, map: &[f64], columns: usize) -> Vec<f64> {
        Arch::new().dispatch(Blurred {
            contrast: self,
            map,
            columns,
        })
    }

    #[inline(always)]
    fn blurred_in(&self, map: &[f64], columns: usize) -> Vec<f64> {
        let rows = map.len() / columns;
        let mut down = vec![0.0; map.len()];
        for (row, out) in down.chunks_exact_mut(columns).enumerate() {
            let mut total = 0.0;
            for (near, weight) in self.around(row, rows) {
                total += weight;
                let from = &map[near * columns..(near + 1) * columns];
                out.iter_mut().zip(from).for_each(|(o, x)| *o += weight * x);
            }
            out.iter_mut().for_each(|o| *o /= total);
        }
        let mut out = vec![0.0; map.len()];
        let totals = |column: usize| self.around(column, columns).map(|(_, weight)| weight).sum();
        let totals: Vec<f64> = (0..columns).map(totals).collect();
        let reach = self.weights.len() - 1;
        // Zeros on both sides: every sum goes over a whole row.
        let mut wide = vec![0.0; columns + 2 * reach];
        let lines = down
            .chunks_exact(columns)
            .zip(out.chunks_exact_mut(columns));
        for (from, out) in lines {
            wide[reach..reach + columns].copy_from_slice(from);
            for (distance, weight) in self.weights.iter().enumerate() {
                let left = out.iter_mut().zip(&wide[reach - distance..]);
                left.for_each(|(o, x)| *o += weight * x);
                if distance > 0 {
                    let right = out.iter_mut().zip(&wide[reach + distance..]);
                    right.for_each(|(o, x)| *o += weight * x);
                }
            }
            out.iter_mut()
                .zip(&totals)
                .for_each(|(o, total)| *o /= total);
        }
        out
    }

    /// The places of a line of so many that are in the neighbourhood of one, with their weights.
    fn around(&self, at: usize, length: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let reach = self.weights.len() - 1;
        let places = at.saturating_sub(reach)..(at + reach + 1).min(length);
        places.map(move |near| (near, self.weights[near.abs_diff(at)]))
    }
}

/// [`LocalContrast::blurred`], compiled for the machine's instructions.
struct Blurred<'a> {
    contrast: &'a LocalContrast,
    map: &'a [f64],
    columns: usize,
}

impl WithSimd for Blurred<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f64> {
        self.contrast.blurred_in(self.map, self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_and_contrast_of_an_image_do_not_matter() {
        let image: Vec<f64> = (0..48).map(|k| ((k * k * 7) % 11) as f64).collect();
        let shape = [3, 4, 4];
        let mut seen = image.clone();
        LocalContrast::new(1.0).apply(&mut seen, shape);
        let mut brighter: Vec<f64> = image.iter().map(|x| 3.0 * x + 5.0).collect();
        LocalContrast::new(1.0).apply(&mut brighter, shape);
        for (x, y) in seen.iter().zip(&brighter) {
            assert!((x - y).abs() < 1e-12, "{x} {y}");
        }
        let mut even = vec![0.25; 48];
        LocalContrast::new(1.0).apply(&mut even, shape);
        assert!(even.iter().all(|x| x.abs() < 1e-12));
    }

    /// Against sums over all pairs of pixels.
    #[test]
    fn means_and_deviations_are_those_of_the_neighbourhood() {
        let [channels, rows, columns] = [2, 5, 3];
        let image: Vec<f64> = (0..30).map(|k| ((k * 13) % 17) as f64 / 17.0).collect();
        let mut seen = image.clone();
        LocalContrast::new(0.8).apply(&mut seen, [channels, rows, columns]);
        let weight = |a: usize, b: usize| {
            let [y, x] = [a / columns, a % columns].map(|n| n as f64);
            let [v, u] = [b / columns, b % columns].map(|n| n as f64);
            let near = (y - v).abs() <= 2.0 && (x - u).abs() <= 2.0;
            f64::from(u8::from(near)) * (-((y - v).powi(2) + (x - u).powi(2)) / 1.28).exp()
        };
        let places = rows * columns;
        let mean = |of: &dyn Fn(usize) -> f64, at: usize| -> f64 {
            let (sum, total) = (0..places).fold((0.0, 0.0), |(sum, total), b| {
                (sum + weight(at, b) * of(b), total + weight(at, b))
            });
            sum / total
        };
        let centred =
            |c: usize, at: usize| image[c * places + at] - mean(&|b| image[c * places + b], at);
        let squares = |b: usize| (centred(0, b).powi(2) + centred(1, b).powi(2)) / 2.0;
        let deviations: Vec<f64> = (0..places).map(|at| mean(&squares, at).sqrt()).collect();
        let least = deviations.iter().sum::<f64>() / places as f64;
        for c in 0..channels {
            for at in 0..places {
                let expected = centred(c, at) / deviations[at].max(least);
                let found = seen[c * places + at];
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }
}
