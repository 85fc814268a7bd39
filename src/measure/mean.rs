//! Means over windows of steps.

/// The mean of a number over each window of steps, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Mean {
    sum: f64,
    counted: u64,
    seen: u64,
    /// Steps in a window; the whole stage if `None`.
    window: Option<u64>,
    /// When each window ended, and its mean.
    found: Vec<(u64, f64)>,
}

impl Mean {
    /// A mean over windows of that many steps, or over whole stages.
    pub fn new(window: Option<u64>) -> Self {
        Mean {
            window,
            ..Mean::default()
        }
    }

    /// Shows it a step's value (`None` where the step does not count); `now` names the window's end.
    pub fn add(&mut self, value: Option<f64>, now: u64) {
        if let Some(value) = value {
            self.sum += value;
            self.counted += 1;
        }
        self.seen += 1;
        if self.window == Some(self.seen) {
            self.close(now);
        }
    }

    /// Ends a stage: an unfinished window counts if it has at least one value.
    pub fn close(&mut self, now: u64) {
        if self.counted > 0 {
            self.found.push((now, self.sum / self.counted as f64));
        }
        (self.sum, self.counted, self.seen) = (0.0, 0, 0);
    }

    /// When each window ended, and its mean.
    pub fn found(&self) -> &[(u64, f64)] {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_averaged_separately_and_skipped_steps_do_not_count() {
        let mut mean = Mean::new(Some(3));
        for (now, value) in [(1, Some(1.0)), (2, None), (3, Some(3.0)), (4, Some(8.0))] {
            mean.add(value, now);
        }
        mean.close(4);
        mean.close(4);
        assert_eq!(mean.found(), [(3, 2.0), (4, 8.0)]);
    }
}
