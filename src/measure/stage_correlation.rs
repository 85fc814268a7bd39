//! The correlation over time between what two stages gave.

use super::agreement::correlation;

/// Keeps what the first of two stages gave, step by step, and compares the second with it.
///
/// # Memory
/// 16 bytes for each step of a stage and element: both stages are kept until the second has ended.
#[derive(Debug, Clone, Default)]
pub struct StageCorrelation {
    /// What each stage gave when it ran last, step after step; empty if it has been compared.
    given: [Vec<f64>; 2],
    size: usize,
    /// When each pair was complete, and its correlation.
    found: Vec<(u64, f64)>,
}

impl StageCorrelation {
    /// One of the two stages begins.
    pub fn begin(&mut self, which: usize) {
        self.given[which].clear();
    }

    /// Shows it a step of a stage.
    pub fn add(&mut self, which: usize, x: &[f64]) {
        self.size = x.len();
        self.given[which].extend_from_slice(x);
    }

    /// A stage has ended: if both have run, they are compared.
    pub fn close(&mut self, now: u64) {
        if self.given.iter().all(|given| !given.is_empty()) {
            self.found.push((now, self.mean_correlation()));
            self.given = [vec![], vec![]];
        }
    }

    /// Pearson correlation over steps of each element, averaged over those that vary in both stages.
    fn mean_correlation(&self) -> f64 {
        let element = |k: usize, which: usize| -> Vec<f64> {
            let steps = self.given[which].chunks_exact(self.size.max(1));
            steps.map(|x| x[k]).collect()
        };
        let all = (0..self.size).map(|k| correlation(&element(k, 0), &element(k, 1)));
        let varying: Vec<f64> = all.filter(|r| r.is_finite()).collect();
        varying.iter().sum::<f64>() / varying.len() as f64
    }

    /// When each pair was complete, and its correlation.
    pub fn found(&self) -> &[(u64, f64)] {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_correlated_with_itself_over_time() {
        let mut measure = StageCorrelation::default();
        for (which, sign) in [(0, 1.0), (1, -1.0)] {
            measure.begin(which);
            for t in 0..100 {
                let x = f64::from(t).sin();
                // The third does not vary and does not count.
                measure.add(which, &[x + 3.0, sign * x, 1.0]);
            }
            measure.close(7);
        }
        let [(7, found)] = measure.found() else {
            unreachable!("one pair is complete")
        };
        assert!(found.abs() < 1e-12, "the mean of 1 and -1 is {found}");
    }
}
