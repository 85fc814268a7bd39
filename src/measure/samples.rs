//! Samples of a vector, replica by replica: as it is at some steps, or its mean over the steps before.

/// Means of a vector over steps, one for each replica.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    size: usize,
    /// Replica after replica.
    sums: Vec<f64>,
    counts: Vec<u64>,
}

impl Samples {
    /// Of a vector of that size.
    pub fn new(size: usize, replicas: usize) -> Self {
        Samples {
            size,
            sums: vec![0.0; size * replicas],
            counts: vec![0; replicas],
        }
    }

    /// Forgets what it has seen.
    pub fn reset(&mut self) {
        self.sums.fill(0.0);
        self.counts.fill(0);
    }

    /// Shows it a replica's vector in a step, from which on the mean is taken if it `begins`.
    ///
    /// # Panics
    /// If there is no such replica, or the vector has another size.
    pub fn add(&mut self, replica: usize, values: &[f64], begins: bool) {
        let sums = &mut self.sums[replica * self.size..(replica + 1) * self.size];
        if begins {
            sums.fill(0.0);
            self.counts[replica] = 0;
        }
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
        self.counts[replica] += 1;
    }

    /// The mean of a replica's vector.
    pub fn mean(&self, replica: usize) -> impl Iterator<Item = f64> + '_ {
        let sums = &self.sums[replica * self.size..(replica + 1) * self.size];
        let share = 1.0 / self.counts[replica] as f64;
        sums.iter().map(move |sum| sum * share)
    }
}

/// The largest of some numbers, the first of several; `None` if none is above 0, as where there is no label.
pub fn class(label: &[f64]) -> Option<usize> {
    let best = largest(label.iter().copied());
    best.filter(|best| label.get(*best).is_some_and(|x| *x > 0.0))
}

/// The index of the largest number, the first of several.
pub fn largest(numbers: impl Iterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, x) in numbers.enumerate() {
        if best.is_none_or(|(_, most)| x > most) {
            best = Some((index, x));
        }
    }
    best.map(|(index, _)| index)
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_over_the_steps_since_it_began() {
        let mut samples = Samples::new(2, 2);
        samples.add(0, &[9.0, 9.0], true);
        samples.add(1, &[5.0, 7.0], true);
        samples.add(0, &[1.0, 2.0], true);
        samples.add(0, &[3.0, 6.0], false);
        assert_eq!(samples.mean(0).collect::<Vec<_>>(), [2.0, 4.0]);
        assert_eq!(samples.mean(1).collect::<Vec<_>>(), [5.0, 7.0]);
    }

    #[test]
    fn classes_are_the_largest_and_no_label_is_none() {
        assert_eq!(class(&[0.0, 1.0, 0.0]), Some(1));
        assert_eq!(class(&[0.0, 0.0]), None);
        assert_eq!(largest([-2.0, -1.0, -1.0].into_iter()), Some(1));
        assert_eq!(largest([].into_iter()), None);
    }
}
