//! Autocorrelation functions, averaged over elements.

/// Autocorrelation of each element at lags 0 to `lags`, about its own mean, in one pass.
#[derive(Debug, Clone)]
pub struct Autocorrelation {
    lags: usize,
    steps: usize,
    elements: usize,
    /// Σ_t x_t·x_{t−k}, lag by lag, elements within.
    products: Vec<f64>,
    sum: Vec<f64>,
    /// The first and the last `lags` values: what the sums of shifted series leave out.
    first: Vec<f64>,
    last: Vec<f64>,
}

impl Autocorrelation {
    /// Up to that lag (steps).
    pub fn new(lags: usize) -> Self {
        Autocorrelation {
            lags,
            steps: 0,
            elements: 0,
            products: vec![],
            sum: vec![],
            first: vec![],
            last: vec![],
        }
    }

    /// Forgets everything, for a new stage.
    pub fn reset(&mut self) {
        *self = Autocorrelation::new(self.lags);
    }

    /// Shows it a step.
    pub fn add(&mut self, x: &[f64]) {
        let n = x.len();
        if self.steps == 0 {
            self.elements = n;
            self.products = vec![0.0; (self.lags + 1) * n];
            self.sum = vec![0.0; n];
            self.last = vec![0.0; (self.lags + 1) * n];
        }
        let slots = self.lags + 1;
        let now = self.steps % slots;
        self.last[now * n..(now + 1) * n].copy_from_slice(x);
        for lag in 0..=self.lags.min(self.steps) {
            let then = (now + slots - lag) % slots;
            let earlier = &self.last[then * n..(then + 1) * n];
            for ((p, a), b) in self.products[lag * n..(lag + 1) * n]
                .iter_mut()
                .zip(x)
                .zip(earlier)
            {
                *p += a * b;
            }
        }
        self.sum.iter_mut().zip(x).for_each(|(s, v)| *s += v);
        if self.steps < self.lags {
            self.first.extend_from_slice(x);
        }
        self.steps += 1;
    }

    /// The function at lags 0, 1, …, averaged over the elements that vary.
    pub fn curve(&self) -> Vec<f64> {
        let longest = self.lags.min(self.steps.saturating_sub(1));
        let each: Vec<Vec<f64>> = (0..self.elements)
            .filter_map(|i| self.of_element(i, longest))
            .collect();
        (0..=longest)
            .map(|k| each.iter().map(|c| c[k]).sum::<f64>() / each.len() as f64)
            .collect()
    }

    /// Σ(x_t − m)(x_{t−k} − m) / Σ(x_t − m)².
    fn of_element(&self, i: usize, longest: usize) -> Option<Vec<f64>> {
        let (n, steps) = (self.elements, self.steps);
        let mean = self.sum[i] / steps as f64;
        let slots = self.lags + 1;
        let (mut head, mut tail) = (0.0, 0.0);
        let mut covariances = Vec::with_capacity(longest + 1);
        for k in 0..=longest {
            if k > 0 {
                head += self.first[(k - 1) * n + i];
                tail += self.last[((steps - k) % slots) * n + i];
            }
            let shifted = (self.sum[i] - head) + (self.sum[i] - tail);
            let overlap = (steps - k) as f64;
            covariances.push(self.products[k * n + i] - mean * shifted + overlap * mean * mean);
        }
        let variance = covariances[0];
        // Rounding leaves a constant series with a little variance of its own.
        let noise = f64::EPSILON * self.products[i].abs() * 16.0;
        (variance > noise).then(|| covariances.iter().map(|c| c / variance).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_agrees_with_the_definition() {
        let series: Vec<[f64; 2]> = (0..500)
            .map(f64::from)
            .map(|t| [(t * 0.1).sin() + 5.0, (t * t * 0.01).cos() * t])
            .collect();
        let mut measure = Autocorrelation::new(30);
        series.iter().for_each(|x| measure.add(x));
        let direct = |i: usize, k: usize| {
            let mean = series.iter().map(|x| x[i]).sum::<f64>() / 500.0;
            let c = |k: usize| {
                (k..500)
                    .map(|t| (series[t][i] - mean) * (series[t - k][i] - mean))
                    .sum::<f64>()
            };
            c(k) / c(0)
        };
        for (k, found) in measure.curve().iter().enumerate() {
            // Rounding of 500 products.
            assert!((found - (direct(0, k) + direct(1, k)) / 2.0).abs() < 1e-10);
        }
    }

    #[test]
    fn short_and_constant_series_are_no_trouble() {
        let mut measure = Autocorrelation::new(10);
        measure.add(&[1.0, 0.1]);
        assert_eq!(measure.curve().len(), 1);
        measure.add(&[1.0, 0.1]);
        assert!(measure.curve().iter().all(|c| c.is_nan()));
        assert!(Autocorrelation::new(3).curve().iter().all(|c| c.is_nan()));
    }
}
