//! The sensitivity index d′: how far apart a number is between two classes.

/// d′ = (m₁ − m₀)/√((v₁ + v₀)/2) over windows of steps.
#[derive(Debug, Clone)]
pub struct Sensitivity {
    /// Means of the number and of its square, in the class 0 and in the others.
    sums: [[f64; 2]; 2],
    counts: [u64; 2],
    seen: u64,
    window: Option<u64>,
    /// Collects what the windows gave.
    found: Vec<(u64, f64)>,
}

impl Sensitivity {
    /// Over windows of that many steps, or over whole stages.
    pub fn new(window: Option<u64>) -> Self {
        Sensitivity {
            sums: [[0.0; 2]; 2],
            counts: [0; 2],
            seen: 0,
            window,
            found: vec![],
        }
    }

    /// Shows it a step: a number (`None` where the step does not count) and whether it is of the second class; `now`
    /// names the window's end.
    pub fn add(&mut self, value: Option<f64>, second: bool, now: u64) {
        if let Some(value) = value {
            let class = usize::from(second);
            self.sums[class][0] += value;
            self.sums[class][1] += value * value;
            self.counts[class] += 1;
        }
        self.seen += 1;
        if self.window == Some(self.seen) {
            self.close(now);
        }
    }

    /// Ends a stage: an unfinished window counts if it has values of both classes.
    pub fn close(&mut self, now: u64) {
        if self.counts.iter().all(|n| *n > 0) {
            let of = |class: usize| {
                let n = self.counts[class] as f64;
                let mean = self.sums[class][0] / n;
                (mean, self.sums[class][1] / n - mean * mean)
            };
            let ((m0, v0), (m1, v1)) = (of(0), of(1));
            self.found.push((now, (m1 - m0) / ((v0 + v1) / 2.0).sqrt()));
        }
        *self = Sensitivity {
            found: std::mem::take(&mut self.found),
            ..Sensitivity::new(self.window)
        };
    }

    /// When each window ended, and its d′.
    pub fn found(&self) -> &[(u64, f64)] {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_distance_of_means_in_standard_deviations() {
        let mut index = Sensitivity::new(Some(4));
        for (value, second) in [(0.0, false), (2.0, false), (5.0, true), (7.0, true)] {
            index.add(Some(value), second, 4);
        }
        index.add(Some(1.0), true, 5);
        index.add(None, false, 6);
        index.close(6);
        // Means 1 and 6, both variances 1; a window with one class has no index.
        assert_eq!(index.found(), [(4, 5.0)]);
    }
}
