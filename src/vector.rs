//! Vectors whose first element begins a cache line, so that no SIMD load or store crosses one.

use std::ops::{Deref, DerefMut};

use aligned_vec::{AVec, ConstAlign};

/// Bytes of a cache line, and of the widest SIMD register.
const LINE: usize = 64;

/// A vector of numbers, aligned to a cache line.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Vector(AVec<f64, ConstAlign<LINE>>);

impl Vector {
    /// `n` zeros.
    pub fn zeros(n: usize) -> Self {
        let mut vector = Vector::default();
        vector.resize(n, 0.0);
        vector
    }

    /// Makes it `n` long, with `value` in what is new.
    pub fn resize(&mut self, n: usize, value: f64) {
        if n != self.0.len() {
            self.0.resize(n, value);
        }
    }

    /// Empties it; its memory is kept.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds numbers at its end.
    pub fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        values.into_iter().for_each(|value| self.0.push(value));
    }
}

impl Default for Vector {
    fn default() -> Self {
        Vector(AVec::new(LINE))
    }
}

impl From<&[f64]> for Vector {
    fn from(values: &[f64]) -> Self {
        Vector(AVec::from_slice(LINE, values))
    }
}

impl From<Vec<f64>> for Vector {
    fn from(values: Vec<f64>) -> Self {
        values.as_slice().into()
    }
}

impl Deref for Vector {
    type Target = [f64];

    #[inline(always)]
    fn deref(&self) -> &[f64] {
        self.0.as_slice()
    }
}

impl DerefMut for Vector {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f64] {
        self.0.as_mut_slice()
    }
}
