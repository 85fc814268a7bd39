//! Vectors whose first element begins a cache line, so that no SIMD load or store crosses one.

use std::ops::{Deref, DerefMut};

use aligned_vec::{AVec, ConstAlign};

/// Bytes of a cache line, and of the widest SIMD register.
const LINE: usize = 64;

/// Numbers of one type, the first of them at the beginning of a cache line.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Aligned<T>(AVec<T, ConstAlign<LINE>>);

/// A vector of numbers, aligned to a cache line.
pub type Vector = Aligned<f64>;

/// A vector of numbers in single precision, aligned to a cache line.
pub type Singles = Aligned<f32>;

impl<T: Copy + Default> Aligned<T> {
    /// `n` zeros.
    pub fn zeros(n: usize) -> Self {
        let mut vector = Aligned::default();
        vector.resize(n, T::default());
        vector
    }

    /// Makes it `n` long, with `value` in what is new.
    pub fn resize(&mut self, n: usize, value: T) {
        if n != self.0.len() {
            self.0.resize(n, value);
        }
    }

    /// Empties it; its memory is kept.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds numbers at its end.
    pub fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.0.push(value));
    }
}

impl<T> Default for Aligned<T> {
    fn default() -> Self {
        Aligned(AVec::new(LINE))
    }
}

impl<T: Copy> From<&[T]> for Aligned<T> {
    fn from(values: &[T]) -> Self {
        Aligned(AVec::from_slice(LINE, values))
    }
}

impl<T: Copy> From<Vec<T>> for Aligned<T> {
    fn from(values: Vec<T>) -> Self {
        values.as_slice().into()
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        self.0.as_slice()
    }
}

impl<T> DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_mut_slice()
    }
}
