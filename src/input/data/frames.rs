//! A sequence of frames: what a data set gives a circuit, one row after another.

/// Frames × channels, stored row after row.
///
/// # Shape
/// `len() × size()`; `size()` is at least 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// Channels in a frame, at least 1.
    pub(super) size: usize,
    /// `len × size` values, frame after frame.
    pub(super) values: Vec<f64>,
}

impl Frames {
    /// Frames of `size` channels each from their values, frame after frame.
    ///
    /// `None` when `size` is zero or does not divide the number of values.
    #[must_use]
    pub fn new(size: usize, values: Vec<f64>) -> Option<Self> {
        (size > 0 && values.len().is_multiple_of(size)).then_some(Self { size, values })
    }

    /// Channels in a frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.size
    }

    /// Whether there is no frame at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Frame number `index`, counted from 0.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len), as a slice does.
    #[must_use]
    pub fn frame(&self, index: usize) -> &[f64] {
        &self.values[index * self.size..(index + 1) * self.size]
    }

    /// Every value, frame after frame.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_rows_of_the_values() {
        let frames = Frames::new(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!((frames.len(), frames.size()), (3, 2));
        assert_eq!(frames.frame(1), [3.0, 4.0]);
    }

    #[test]
    fn values_that_do_not_fill_their_frames_are_refused() {
        assert_eq!(Frames::new(2, vec![1.0]), None);
        assert_eq!(Frames::new(0, vec![]), None);
    }
}
