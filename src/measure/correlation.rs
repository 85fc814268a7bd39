//! Correlations between all pairs of elements.

/// Pearson correlations of all pairs of elements, in one pass (Welford).
#[derive(Debug, Clone, Default)]
pub struct CorrelationMatrix {
    steps: u64,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    products: Vec<f64>,
}

impl CorrelationMatrix {
    /// Forgets everything, for a new stage.
    pub fn reset(&mut self) {
        *self = CorrelationMatrix::default();
    }

    /// Shows it a step.
    pub fn add(&mut self, x: &[f64]) {
        let n = x.len();
        self.steps += 1;
        self.mean.resize(n, 0.0);
        self.deviation.resize(n, 0.0);
        self.products.resize(n * n, 0.0);
        let share = 1.0 / self.steps as f64;
        for ((m, d), v) in self.mean.iter_mut().zip(&mut self.deviation).zip(x) {
            *d = v - *m;
            *m += *d * share;
        }
        for (i, row) in self.products.chunks_exact_mut(n.max(1)).enumerate() {
            // The deviation from the new mean on one side, from the old one on the other.
            let after = x[i] - self.mean[i];
            for (p, before) in row.iter_mut().zip(&self.deviation) {
                *p = after.mul_add(*before, *p);
            }
        }
    }

    /// Number of elements, and their correlations row by row; NaN where an element does not vary.
    pub fn matrix(&self) -> (usize, Vec<f64>) {
        let n = self.mean.len();
        let spread: Vec<f64> = (0..n).map(|i| self.products[i * n + i].sqrt()).collect();
        let entry = |at: usize| {
            let (i, j) = (at / n, at % n);
            let scale = spread[i] * spread[j];
            if scale > 0.0 {
                self.products[at] / scale
            } else {
                f64::NAN
            }
        };
        (n, (0..n * n).map(entry).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_those_of_the_definition() {
        let mut measure = CorrelationMatrix::default();
        let series: Vec<[f64; 3]> = (0..1000)
            .map(f64::from)
            .map(|t| [t.sin() + 10.0, t.sin() * 2.0 + (t * 1.7).cos(), -t.sin()])
            .collect();
        series.iter().for_each(|x| measure.add(x));
        let (n, matrix) = measure.matrix();
        let mean = |i: usize| series.iter().map(|x| x[i]).sum::<f64>() / 1000.0;
        let cov = |i: usize, j: usize| {
            series
                .iter()
                .map(|x| (x[i] - mean(i)) * (x[j] - mean(j)))
                .sum::<f64>()
        };
        for i in 0..n {
            for j in 0..n {
                let direct = cov(i, j) / (cov(i, i) * cov(j, j)).sqrt();
                assert!((matrix[i * n + j] - direct).abs() < 1e-12);
            }
        }
        assert!((matrix[2] + 1.0).abs() < 1e-12);
    }
}
