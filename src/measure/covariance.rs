//! Covariance matrices of a vector as a function of a number: ellipses of an estimate, and how much of the noise lies
//! where a readout sees it.

use nalgebra::{DMatrix, DMatrixView};

use super::bins::Bins;

/// Means and covariances of a vector in bins of a number.
#[derive(Debug, Clone)]
pub struct Covariance {
    bins: Bins,
    elements: usize,
    counts: Vec<u64>,
    /// Of each bin, sums of the elements, and of the products of all pairs (lower triangle, row after row).
    sums: Vec<f64>,
    products: Vec<f64>,
}

/// The ellipse that holds a share of a normal distribution of two numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// Its centre, the mean.
    pub centre: [f64; 2],
    /// Its semi-axes, the longer first.
    pub axes: [f64; 2],
    /// The angle of the longer one to the first number's axis (rad), above −π/2 and at most π/2.
    pub angle: f64,
}

impl Covariance {
    /// Of a vector of that many elements.
    pub fn new(bins: Bins, elements: usize) -> Self {
        Covariance {
            bins,
            elements,
            counts: vec![0; bins.count()],
            sums: vec![0.0; bins.count() * elements],
            products: vec![0.0; bins.count() * elements * elements],
        }
    }

    /// Forgets everything, for a new stage.
    pub fn reset(&mut self) {
        *self = Covariance::new(self.bins, self.elements);
    }

    /// Shows it a step.
    pub fn add(&mut self, by: f64, x: &[f64]) {
        let Some(bin) = self.bins.of(by) else { return };
        let n = self.elements;
        self.counts[bin] += 1;
        for (sum, x) in self.sums[bin * n..].iter_mut().zip(x) {
            *sum += x;
        }
        let rows = self.products[bin * n * n..].chunks_exact_mut(n.max(1));
        for (i, (row, a)) in rows.zip(x).enumerate() {
            for (product, b) in row.iter_mut().zip(&x[..=i]) {
                *product += a * b;
            }
        }
    }

    /// The middles of the bins.
    pub fn centres(&self) -> Vec<f64> {
        self.bins.centres()
    }

    /// Mean and covariance matrix in a bin (sums divided by the number of steps); none without two steps.
    fn moments(&self, bin: usize) -> Option<(Vec<f64>, DMatrix<f64>)> {
        let n = self.elements;
        let count = Some(self.counts[bin] as f64).filter(|count| *count >= 2.0)?;
        let sums = &self.sums[bin * n..(bin + 1) * n];
        let mean: Vec<f64> = sums.iter().map(|s| s / count).collect();
        let products = &self.products[bin * n * n..(bin + 1) * n * n];
        let covariance = DMatrix::from_fn(n, n, |i, j| {
            products[i.max(j) * n + i.min(j)] / count - mean[i] * mean[j]
        });
        Some((mean, covariance))
    }

    /// In each bin, the ellipse that holds a `share` of a normal distribution with mean and covariance of the first two
    /// elements; none without two steps.
    pub fn ellipses(&self, share: f64) -> Vec<Option<Ellipse>> {
        // The squared distance from the mean, in standard deviations, is exponentially distributed with mean 2.
        let radius = (-2.0 * (1.0 - share).ln()).sqrt();
        let ellipse = |bin| {
            let (mean, c) = self.moments(bin)?;
            let [a, b, d] = [c.get((0, 0))?, c.get((1, 0))?, c.get((1, 1))?];
            let (middle, half) = ((a + d) / 2.0, ((a - d) / 2.0).hypot(*b));
            let axis = |variance: f64| radius * variance.max(0.0).sqrt();
            Some(Ellipse {
                centre: [*mean.first()?, *mean.get(1)?],
                axes: [axis(middle + half), axis(middle - half)],
                angle: (2.0 * b).atan2(a - d) / 2.0,
            })
        };
        (0..self.bins.count()).map(ellipse).collect()
    }

    /// In each bin, the volume of the noise in the space that k readout vectors span, as a fraction of that in the k
    /// dimensions in which it is largest: det C_D/det C_PCA. NaN without two steps.
    ///
    /// `readout` has a row an element, k numbers in each.
    ///
    /// # Source
    /// Bredenberg et al. 2020, Eq. 13.
    pub fn volume_fractions(&self, readout: &[f64], k: usize) -> Vec<f64> {
        let readout = DMatrixView::from_slice(readout, k, self.elements).transpose();
        let space = readout.qr().q();
        let fraction = |bin| {
            let (_, covariance) = self.moments(bin)?;
            let seen = (space.transpose() * &covariance * &space).determinant();
            let mut largest: Vec<f64> =
                covariance.symmetric_eigenvalues().iter().copied().collect();
            largest.sort_by(|a, b| b.total_cmp(a));
            Some(seen / largest.iter().take(k).product::<f64>())
        };
        let all = (0..self.bins.count()).map(fraction);
        all.map(|found| found.unwrap_or(f64::NAN)).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(elements: usize, all: &[(f64, &[f64])]) -> Covariance {
        let mut covariance = Covariance::new(Bins::new(2, [0.0, 2.0]), elements);
        all.iter().for_each(|(by, x)| covariance.add(*by, x));
        covariance
    }

    #[test]
    fn ellipses_have_the_axes_of_the_distribution() {
        // Variances 4·2 along (1, 1)/√2 and 2 across; mean (3, 1).
        let points: [(f64, &[f64]); 4] = [
            (0.5, &[5.0, 3.0]),
            (0.5, &[1.0, -1.0]),
            (0.5, &[4.0, 0.0]),
            (0.5, &[2.0, 2.0]),
        ];
        let ellipses = shown(2, &points).ellipses(0.95);
        let found = ellipses[0].unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(near(found.centre[0], 3.0) && near(found.centre[1], 1.0));
        // χ² of two degrees of freedom at 0.95.
        let radius = 5.991_464_547_107_98_f64.sqrt();
        assert!(near(found.axes[0], 2.0 * radius) && near(found.axes[1], radius));
        assert!(near(found.angle, std::f64::consts::FRAC_PI_4));
        assert_eq!(ellipses[1], None);
    }

    /// Independent elements with variances 9, 4 and 1.
    fn axes() -> Covariance {
        let mut points: Vec<(f64, [f64; 3])> = vec![];
        for signs in 0..8 {
            let sign = |k: usize| if signs >> k & 1 == 1 { 1.0 } else { -1.0 };
            points.push((0.5, [3.0 * sign(0), 2.0 * sign(1), sign(2)]));
        }
        let all: Vec<(f64, &[f64])> = points.iter().map(|(by, x)| (*by, &x[..])).collect();
        shown(3, &all)
    }

    #[test]
    fn volume_fractions_are_those_of_the_space_that_the_readout_spans() {
        let fraction = |readout: &[f64], k| axes().volume_fractions(readout, k)[0];
        // The two noisiest elements, in whatever mixture: all of it.
        let noisy = [1.0, 0.0, 5.0, 2.0, 0.0, 0.0];
        assert!((fraction(&noisy, 2) - 1.0).abs() < 1e-12);
        // The first and the last element: 9·1 of 9·4.
        let last = [1.0, 0.0, 0.0, 0.0, 0.0, 3.0];
        assert!((fraction(&last, 2) - 0.25).abs() < 1e-12);
        // One readout of all three elements: the mean of the variances, of 9.
        assert!((fraction(&[2.0; 3], 1) - 14.0 / 27.0).abs() < 1e-12);
        assert!(axes().volume_fractions(&noisy, 2)[1].is_nan());
    }
}
