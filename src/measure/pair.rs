//! The correlation of two numbers over time.

use std::collections::VecDeque;

/// Pearson's correlation of two numbers, the second one taken some samples earlier; in one pass (Welford 1962).
#[derive(Debug, Clone, Default)]
pub struct PairCorrelation {
    lag: usize,
    /// Samples of the second number that wait for the first.
    waiting: VecDeque<f64>,
    samples: u64,
    means: [f64; 2],
    squares: [f64; 2],
    product: f64,
}

impl PairCorrelation {
    /// The second number is taken so many samples earlier.
    pub fn new(lag: usize) -> Self {
        PairCorrelation {
            lag,
            ..PairCorrelation::default()
        }
    }

    /// Shows it both at a sample, and whether the sample counts.
    pub fn add(&mut self, x: f64, y: f64, counts: bool) {
        self.waiting.push_back(y);
        if self.waiting.len() <= self.lag {
            return;
        }
        let y = self.waiting.pop_front().unwrap_or(f64::NAN);
        if !counts {
            return;
        }
        self.samples += 1;
        let share = 1.0 / self.samples as f64;
        let before = [x - self.means[0], y - self.means[1]];
        self.means[0] += before[0] * share;
        self.means[1] += before[1] * share;
        let after = y - self.means[1];
        self.squares[0] += before[0] * (x - self.means[0]);
        self.squares[1] += before[1] * after;
        self.product += before[0] * after;
    }

    /// The correlation; not a number if one of them does not vary.
    pub fn correlation(&self) -> f64 {
        let scale = (self.squares[0] * self.squares[1]).sqrt();
        if scale > 0.0 {
            self.product / scale
        } else {
            f64::NAN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delayed_copy_correlates_fully_at_its_lag_only() {
        let signal = |k: i32| f64::from((k * 7919) % 31) + 0.1 * f64::from(k % 4);
        let correlation = |lag: usize| {
            let mut pair = PairCorrelation::new(lag);
            (3..400).for_each(|k| pair.add(2.0 - signal(k - 3), signal(k), true));
            pair.correlation()
        };
        assert!((correlation(3) + 1.0).abs() < 1e-9);
        assert!(correlation(0).abs() < 0.6);
    }

    #[test]
    fn samples_that_do_not_count_are_left_out_and_constants_have_none() {
        let mut pair = PairCorrelation::new(0);
        for (x, y, counts) in [(1.0, 1.0, true), (2.0, -9.0, false), (2.0, 2.0, true)] {
            pair.add(x, y, counts);
        }
        assert!((pair.correlation() - 1.0).abs() < 1e-12);
        assert!(PairCorrelation::new(0).correlation().is_nan());
    }
}
