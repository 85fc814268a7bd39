//! How much of a signal's variance a prediction explains.

use std::collections::VecDeque;

/// Elements of which samples are kept for pictures.
const KEPT_ELEMENTS: usize = 128;

/// Steps of which samples are kept for pictures: the last ones.
const KEPT_STEPS: usize = 400;

/// R² = 1 − Σ(truth − prediction)² / Σ(truth − mean truth)², per element and pooled.
#[derive(Debug, Clone, Default)]
pub struct RSquared {
    steps: u64,
    error: Vec<f64>,
    /// Running mean and sum of squared deviations of the truth (Welford).
    mean: Vec<f64>,
    spread: Vec<f64>,
    /// The last steps: truth, then prediction.
    sample: VecDeque<Vec<f64>>,
}

impl RSquared {
    /// Forgets everything, for a new stage.
    pub fn reset(&mut self) {
        *self = RSquared::default();
    }

    /// Shows it a step.
    pub fn add(&mut self, truth: &[f64], prediction: &[f64]) {
        self.steps += 1;
        for list in [&mut self.error, &mut self.mean, &mut self.spread] {
            list.resize(truth.len(), 0.0);
        }
        let n = self.steps as f64;
        for (i, (t, p)) in truth.iter().zip(prediction).enumerate() {
            self.error[i] += (t - p) * (t - p);
            let deviation = t - self.mean[i];
            self.mean[i] += deviation / n;
            self.spread[i] += deviation * (t - self.mean[i]);
        }
        let mut row = if self.sample.len() == KEPT_STEPS {
            self.sample.pop_front().unwrap_or_default()
        } else {
            vec![]
        };
        row.clear();
        row.extend(truth.iter().take(KEPT_ELEMENTS));
        row.extend(prediction.iter().take(KEPT_ELEMENTS));
        self.sample.push_back(row);
    }

    /// R² of each element; NaN where the truth does not vary.
    pub fn per_element(&self) -> Vec<f64> {
        let share = |(e, s): (&f64, &f64)| if *s > 0.0 { 1.0 - e / s } else { f64::NAN };
        self.error.iter().zip(&self.spread).map(share).collect()
    }

    /// The mean of the elements' R², leaving out those whose truth does not vary.
    pub fn mean_of_elements(&self) -> f64 {
        let all: Vec<f64> = self
            .per_element()
            .into_iter()
            .filter(|r| r.is_finite())
            .collect();
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// R² with errors and variances summed over the elements before they are divided.
    pub fn pooled(&self) -> f64 {
        1.0 - self.error.iter().sum::<f64>() / self.spread.iter().sum::<f64>()
    }

    /// Samples for pictures: (2·elements kept) × (steps kept), truth above prediction.
    pub fn sample(&self) -> (usize, usize, Vec<f64>) {
        let rows = self.sample.front().map_or(0, Vec::len);
        let columns = self.sample.len();
        let values = (0..rows)
            .flat_map(|r| self.sample.iter().map(move |step| step[r]))
            .collect();
        (rows, columns, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_prediction_explains_everything_and_the_mean_nothing() {
        let mut measure = RSquared::default();
        for t in 0..1000 {
            let x = f64::from(t) * 0.37;
            measure.add(&[x.sin(), 100.0 + x.cos(), 3.0], &[x.sin(), 100.0, 3.0]);
        }
        let found = measure.per_element();
        // The cosine's mean is 0 to 1/1000 of its variance.
        assert!((found[0] - 1.0).abs() < 1e-12 && found[1].abs() < 1e-2 && found[2].is_nan());
        assert!((measure.mean_of_elements() - 0.5).abs() < 1e-2);
        assert!((measure.pooled() - 0.5).abs() < 1e-2);
        let (rows, columns, values) = measure.sample();
        assert_eq!((rows, columns), (6, 400));
        assert!(
            (values[399] - (999.0_f64 * 0.37).sin()).abs() < 1e-15,
            "the last step is the last column"
        );
    }
}
