//! The correlation over time between what two stages gave.

use super::agreement::correlation;

/// Steps of an example that are kept for a picture: the last ones.
const KEPT_STEPS: usize = 200;

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
    /// The end of what both stages gave for the first element, when they were compared last.
    example: [Vec<f64>; 2],
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
            self.example = [self.element(0, 0), self.element(0, 1)].map(|mut x| {
                x.drain(..x.len().saturating_sub(KEPT_STEPS));
                x
            });
            self.given = [vec![], vec![]];
        }
    }

    /// Pearson correlation over steps of each element, averaged over those that vary in both stages.
    fn mean_correlation(&self) -> f64 {
        let element = |k| (self.element(k, 0), self.element(k, 1));
        let all = (0..self.size)
            .map(element)
            .map(|(a, b)| correlation(&a, &b));
        let varying: Vec<f64> = all.filter(|r| r.is_finite()).collect();
        varying.iter().sum::<f64>() / varying.len() as f64
    }

    /// What a stage gave for an element, step after step.
    fn element(&self, k: usize, which: usize) -> Vec<f64> {
        let steps = self.given[which].chunks_exact(self.size.max(1));
        steps.filter_map(|x| x.get(k)).copied().collect()
    }

    /// The last steps of the first element in both stages, for a picture.
    pub fn example(&self) -> &[Vec<f64>; 2] {
        &self.example
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
        let [first, second] = measure.example();
        assert_eq!((first.len(), second.len()), (100, 100));
        assert!((first[99] - 99.0_f64.sin() - 3.0).abs() < 1e-15);
        let [(7, found)] = measure.found() else {
            unreachable!("one pair is complete")
        };
        assert!(found.abs() < 1e-12, "the mean of 1 and -1 is {found}");
    }
}
