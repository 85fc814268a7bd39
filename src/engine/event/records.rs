//! The records of a population's neurons, one after the other in memory.

use crate::prefetch::{large_pages, prefetch};

/// Words of a cache line on most machines.
const LINE: usize = 8;

/// Rows of words of one length, the first at the beginning of a cache line: those of a half or a whole line never lie in two.
#[derive(Debug)]
pub struct Records {
    words: Vec<f64>,
    /// Where the first row begins.
    first: usize,
    stride: usize,
}

impl Records {
    /// So many rows of `stride` zeros.
    pub fn new(rows: usize, stride: usize) -> Records {
        let words = large_pages(vec![0.0; rows * stride + LINE - 1]);
        let first = words.as_ptr().align_offset(LINE * size_of::<f64>());
        Records {
            first: first.min(LINE - 1),
            words,
            stride,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        (self.words.len() + 1 - LINE) / self.stride.max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn start(&self, row: usize) -> usize {
        self.first + row * self.stride
    }

    /// A row.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &[f64] {
        let start = self.start(row);
        &self.words[start..start + self.stride]
    }

    /// A row, to be changed.
    #[inline(always)]
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        let start = self.start(row);
        &mut self.words[start..start + self.stride]
    }

    /// Asks for a row, to have it in the cache when it is read.
    #[inline(always)]
    pub fn prefetch(&self, row: usize) {
        let start = self.start(row);
        prefetch(&self.words, start);
        if !LINE.is_multiple_of(self.stride) {
            prefetch(&self.words, start + self.stride - 1);
        }
    }

    /// The same rows, longer.
    pub fn widened(&self, stride: usize) -> Records {
        let mut wide = Records::new(self.len(), stride);
        for row in 0..self.len() {
            wide.row_mut(row)[..self.stride].copy_from_slice(self.row(row));
        }
        wide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_half_a_line_lie_in_one() {
        let mut records = Records::new(1000, 4);
        for row in 0..1000 {
            let at = records.row(row).as_ptr() as usize;
            assert_eq!(at / 64, (at + 31) / 64);
            records.row_mut(row).fill(row as f64);
        }
        assert!((0..1000).all(|row| records.row(row) == [row as f64; 4]));
    }

    #[test]
    fn widened_rows_begin_as_they_were() {
        let mut records = Records::new(3, 2);
        (0..3).for_each(|row| records.row_mut(row).fill(1.0 + row as f64));
        let wide = records.widened(5);
        assert_eq!((wide.len(), records.is_empty()), (3, false));
        assert_eq!(wide.row(2), [3.0, 3.0, 0.0, 0.0, 0.0]);
    }
}
