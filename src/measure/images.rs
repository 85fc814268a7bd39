//! Vectors that are images, the first of a stage.

/// The first images that several expressions give, one beside the other.
#[derive(Debug, Clone, Default)]
pub struct Images {
    /// The most that are kept.
    most: usize,
    /// Of each expression, image after image.
    rows: Vec<Vec<f64>>,
    count: usize,
}

impl Images {
    /// Keeps so many images of so many expressions.
    pub fn new(expressions: usize, most: usize) -> Self {
        Images {
            most,
            rows: vec![vec![]; expressions],
            count: 0,
        }
    }

    /// A stage begins: its images take the place of those of the stage before.
    pub fn reset(&mut self) {
        self.rows.iter_mut().for_each(Vec::clear);
        self.count = 0;
    }

    /// Shows it an image of each expression.
    pub fn add<'v>(&mut self, images: impl Iterator<Item = &'v [f64]>) {
        if self.count < self.most {
            for (row, image) in self.rows.iter_mut().zip(images) {
                row.extend_from_slice(image);
            }
            self.count += 1;
        }
    }

    /// How many images there are of each expression.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All images of the first expression, then all of the second, and so on.
    pub fn values(&self) -> Vec<f64> {
        self.rows.concat()
    }
}

/// Share of the replicas in which the largest of the `scores` is where the largest of `class` is, both `size` long and rows
/// of padded length; a replica without a class (all of `class` equal) does not count, nor does a score that is tied.
pub fn share_right(scores: &[f64], class: &[f64], size: usize, row: usize) -> Option<f64> {
    let (mut right, mut counted) = (0.0, 0.0);
    for (scores, class) in scores.chunks_exact(row).zip(class.chunks_exact(row)) {
        let Some(class) = largest(&class[..size]) else {
            continue;
        };
        counted += 1.0;
        if largest(&scores[..size]) == Some(class) {
            right += 1.0;
        }
    }
    (counted > 0.0).then_some(right / counted)
}

/// The place of the largest number, if it is larger than all others.
fn largest(numbers: &[f64]) -> Option<usize> {
    let best = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut places = numbers.iter().enumerate().filter(|(_, x)| **x >= best);
    let (first, second) = (places.next(), places.next());
    first.filter(|_| second.is_none()).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_images_are_kept_and_a_new_stage_begins_afresh() {
        let mut images = Images::new(2, 2);
        for k in 0..3 {
            let (a, b) = ([f64::from(k), 10.0], [f64::from(-k), 20.0]);
            images.add([&a[..], &b[..]].into_iter());
        }
        assert_eq!(images.count(), 2);
        assert_eq!(
            images.values(),
            [0.0, 10.0, 1.0, 10.0, 0.0, 20.0, -1.0, 20.0]
        );
        images.reset();
        assert_eq!((images.count(), images.values()), (0, vec![]));
    }

    #[test]
    fn a_share_is_of_the_replicas_that_have_a_class() {
        let scores = [0.1, 0.9, 0.0, 9.0, 0.5, 0.4, 0.0, 9.0, 0.3, 0.3, 0.0, 9.0];
        let classes = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        // The first is right, the second wrong, the third tied; the padding does not count.
        assert_eq!(share_right(&scores, &classes, 3, 4), Some(1.0 / 3.0));
        assert_eq!(share_right(&scores[..4], &[0.0; 4], 3, 4), None);
    }
}
