//! Means over time of what is constant between changes.

/// The mean of a number over each window of time, one after the other.
#[derive(Debug, Clone)]
pub struct TimeMean {
    /// Length of a window (ps); the whole stage if `None`.
    window: Option<i64>,
    /// When the window began (ps), and up to when it has been looked at.
    begun: i64,
    seen: i64,
    /// The number since then, and whether it counts.
    value: Option<f64>,
    sum: f64,
    counted: i64,
    found: Vec<(i64, f64)>,
}

impl TimeMean {
    /// A mean over windows of that length (ps), or over whole stages.
    pub fn new(window: Option<i64>) -> Self {
        TimeMean {
            window,
            begun: 0,
            seen: 0,
            value: None,
            sum: 0.0,
            counted: 0,
            found: vec![],
        }
    }

    /// A stage begins at a time (ps).
    pub fn open(&mut self, time: i64) {
        (self.begun, self.seen, self.value) = (time, time, None);
    }

    /// From a time (ps) on the number is this; `None` where it does not count.
    pub fn change(&mut self, time: i64, value: Option<f64>) {
        self.advance(time);
        self.value = value;
    }

    /// A stage ends at a time (ps): an unfinished window counts if it has seen a value.
    pub fn close(&mut self, time: i64) {
        self.advance(time);
        self.end_window();
        self.value = None;
    }

    /// When each window ended (ps), and its mean.
    pub fn found(&self) -> &[(i64, f64)] {
        &self.found
    }

    fn advance(&mut self, time: i64) {
        while let Some(end) = self.window.map(|w| self.begun.saturating_add(w)) {
            if end > time {
                break;
            }
            self.count(end);
            self.end_window();
            self.begun = end;
        }
        self.count(time);
    }

    fn count(&mut self, time: i64) {
        if let Some(value) = self.value {
            self.sum += value * (time - self.seen) as f64;
            self.counted += time - self.seen;
        }
        self.seen = time;
    }

    fn end_window(&mut self) {
        if self.counted > 0 {
            self.found.push((self.seen, self.sum / self.counted as f64));
        }
        (self.sum, self.counted) = (0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_for_as_long_as_it_holds() {
        let mut mean = TimeMean::new(Some(10));
        mean.open(100);
        mean.change(100, Some(1.0));
        mean.change(104, Some(6.0));
        mean.change(115, None);
        mean.change(120, Some(2.0));
        mean.close(123);
        assert_eq!(mean.found(), [(110, 4.0), (120, 6.0), (123, 2.0)]);
        let mut whole = TimeMean::new(None);
        whole.open(0);
        whole.change(0, None);
        whole.change(3, Some(1.0));
        whole.change(5, Some(0.0));
        whole.close(7);
        assert_eq!(whole.found(), [(7, 0.5)]);
    }
}
