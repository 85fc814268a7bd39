//! Bins of equal width.

/// Bins of a number between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bins {
    low: f64,
    high: f64,
    count: usize,
}

impl Bins {
    /// That many bins between two bounds, the lower first.
    pub fn new(count: usize, [low, high]: [f64; 2]) -> Self {
        Bins { low, high, count }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bin of a number. The upper bound falls into the last bin, a number outside the bounds into none.
    pub fn of(&self, x: f64) -> Option<usize> {
        let within = (self.low..=self.high).contains(&x);
        let place = (x - self.low) / (self.high - self.low) * self.count as f64;
        within.then(|| (place as usize).min(self.count - 1))
    }

    /// The middles of the bins.
    pub fn centres(&self) -> Vec<f64> {
        let width = (self.high - self.low) / self.count as f64;
        let centre = |bin| self.low + (bin as f64 + 0.5) * width;
        (0..self.count).map(centre).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_belong_to_a_bin() {
        let bins = Bins::new(4, [-1.0, 1.0]);
        let found = [-1.0, -0.51, -0.5, 0.99, 1.0, 1.01, f64::NAN].map(|x| bins.of(x));
        assert_eq!(
            found,
            [Some(0), Some(0), Some(1), Some(3), Some(3), None, None]
        );
        assert_eq!(bins.centres(), [-0.75, -0.25, 0.25, 0.75]);
    }
}
