//! Statistics of a vector as a function of a number: tuning curves, bias and variance by stimulus.

use super::bins::Bins;

/// Sums of a vector and of its squares, in bins of a number.
#[derive(Debug, Clone)]
pub struct Tuning {
    bins: Bins,
    elements: usize,
    /// Steps in each bin.
    counts: Vec<u64>,
    /// Of each bin, sums over steps of the elements and of their squares.
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Tuning {
    /// In those bins.
    pub fn new(bins: Bins) -> Self {
        Tuning {
            bins,
            elements: 0,
            counts: vec![0; bins.count()],
            sums: vec![],
            squares: vec![],
        }
    }

    /// Forgets everything, for a new stage.
    pub fn reset(&mut self) {
        *self = Tuning::new(self.bins);
    }

    /// Shows it a step.
    pub fn add(&mut self, by: f64, x: &[f64]) {
        if self.sums.is_empty() {
            self.elements = x.len();
            self.sums = vec![0.0; self.bins.count() * x.len()];
            self.squares = vec![0.0; self.bins.count() * x.len()];
        }
        let Some(bin) = self.bins.of(by) else { return };
        self.counts[bin] += 1;
        let row = bin * self.elements..(bin + 1) * self.elements;
        let sums = self.sums[row.clone()].iter_mut();
        for ((sum, square), x) in sums.zip(&mut self.squares[row]).zip(x) {
            *sum += x;
            *square += x * x;
        }
    }

    /// The middles of the bins.
    pub fn centres(&self) -> Vec<f64> {
        self.bins.centres()
    }

    /// Elements and, bin after bin, their means; NaN in a bin without steps.
    pub fn means(&self) -> (usize, Vec<f64>) {
        let rows = self.sums.chunks(self.elements.max(1)).zip(&self.counts);
        let means = rows.flat_map(|(row, n)| row.iter().map(move |s| s / *n as f64));
        (self.elements, means.collect())
    }

    /// In each bin the squares of the elements' means, added up.
    pub fn squared_means(&self) -> Vec<f64> {
        let (elements, means) = self.means();
        let rows = means.chunks(elements.max(1));
        rows.map(|row| row.iter().map(|m| m * m).sum()).collect()
    }

    /// In each bin the elements' variances, added up.
    pub fn variances(&self) -> Vec<f64> {
        let squares = self.squares.chunks(self.elements.max(1)).zip(&self.counts);
        let second = squares.map(|(row, n)| row.iter().sum::<f64>() / *n as f64);
        second
            .zip(self.squared_means())
            .map(|(s, m)| s - m)
            .collect()
    }

    /// For each bin, how many elements have their largest mean there.
    pub fn peaks(&self) -> Vec<f64> {
        let (elements, means) = self.means();
        let mut found = vec![0.0; self.bins.count()];
        for element in 0..elements {
            let of = |bin: usize| means[bin * elements + element];
            let seen = (0..self.bins.count()).filter(|bin| !of(*bin).is_nan());
            if let Some(best) = seen.max_by(|a, b| of(*a).total_cmp(&of(*b))) {
                found[best] += 1.0;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_the_values_in_a_bin() {
        let mut tuning = Tuning::new(Bins::new(2, [-1.0, 1.0]));
        for (by, x) in [
            (-0.5, [1.0, 5.0]),
            (-0.1, [3.0, 5.0]),
            (0.0, [0.0, 7.0]),
            (1.0, [1.0, 9.0]),
            (1.5, [100.0, 100.0]),
        ] {
            tuning.add(by, &x);
        }
        assert_eq!(tuning.centres(), [-0.5, 0.5]);
        assert_eq!(tuning.means(), (2, vec![2.0, 5.0, 0.5, 8.0]));
        assert_eq!(tuning.squared_means(), [29.0, 64.25]);
        assert_eq!(tuning.variances(), [1.0, 1.25]);
        assert_eq!(tuning.peaks(), [1.0, 1.0]);
    }

    #[test]
    fn a_bin_without_steps_has_no_mean_and_no_peak() {
        let mut tuning = Tuning::new(Bins::new(2, [0.0, 1.0]));
        tuning.add(0.2, &[-3.0]);
        let (_, means) = tuning.means();
        assert!(means[1].is_nan());
        assert_eq!(tuning.peaks(), [1.0, 0.0]);
    }
}
