//! A matrix that changes by an outer product and then gives a drive, in one pass: each weight is loaded once.
//!
//! Weights and drives are those of [`outer`](super::outer) and [`dense`] one after the other, to the last bit.

use pulp::{Simd, WithSimd};

use super::dense::{self, PARTIAL};
use super::lanes::{Give, Lane};
use super::outer::add_outer_in;

/// A change, and a delivery after it.
pub struct ChangeAndDeliver<'a, T> {
    /// Row after row.
    pub weights: &'a mut [T],
    /// Padded length of a row.
    pub row: usize,
    /// The presynaptic factor of the change.
    pub changed_by: &'a [T],
    /// Its postsynaptic factor, of the padded length.
    pub post: &'a [T],
    /// What is delivered: as many numbers as the presynaptic factor has.
    pub pre: &'a [T],
    /// Where the drive is written.
    pub drive: &'a mut [T],
    /// Whether the drive is added to what is there.
    pub begun: bool,
}

impl<T: Give<T>> WithSimd for ChangeAndDeliver<'_, T> {
    type Output = ();

    /// Rows of six vectors and more in two parts: the partial sums and the postsynaptic factor of a part stay in registers.
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match self.row / <T as Lane>::count::<S>() {
            1 => self.columns::<S, 1, 1>(simd, 0),
            2 => self.columns::<S, 2, 2>(simd, 0),
            3 => self.columns::<S, 3, 3>(simd, 0),
            4 => self.columns::<S, 4, 4>(simd, 0),
            5 => self.columns::<S, 5, 5>(simd, 0),
            6 => {
                self.columns::<S, 6, 3>(simd, 0);
                self.columns::<S, 6, 3>(simd, 3);
            }
            7 => {
                self.columns::<S, 7, 4>(simd, 0);
                self.columns::<S, 7, 3>(simd, 4);
            }
            _ => {
                add_outer_in(simd, self.weights, T::default(), self.changed_by, self.post);
                let weights = (&*self.weights, self.row);
                dense::deliver_in(simd, weights, self.pre, self.drive, self.begun);
            }
        }
    }
}

impl<T: Give<T>> ChangeAndDeliver<'_, T> {
    /// `N` vectors of rows of `W`, from the `at`-th on.
    #[inline(always)]
    fn columns<S: Simd, const W: usize, const N: usize>(&mut self, simd: S, at: usize) {
        let mut post = [T::splat(simd, T::default()); N];
        post.copy_from_slice(&T::vectors::<S>(self.post)[at..at + N]);
        let mut sums = [[T::splat(simd, T::default()); N]; PARTIAL];
        let rows = T::vectors_mut::<S>(self.weights).as_chunks_mut::<W>().0;
        let (blocks, last) = rows.as_chunks_mut::<PARTIAL>();
        let (groups, rest) = self.pre.as_chunks::<PARTIAL>();
        let (changes, last_changes) = self.changed_by.as_chunks::<PARTIAL>();
        for ((rows, group), change) in blocks.iter_mut().zip(groups).zip(changes) {
            for p in 0..PARTIAL {
                let (x, y) = (T::splat(simd, group[p]), T::splat(simd, change[p]));
                for v in 0..N {
                    let w = T::add(simd, T::mul(simd, post[v], y), rows[p][at + v]);
                    rows[p][at + v] = w;
                    sums[p][v] = T::mul_add(simd, w, x, sums[p][v]);
                }
            }
        }
        let sides = rest.iter().zip(last_changes);
        for ((sums, row), (x, y)) in sums.iter_mut().zip(last).zip(sides) {
            let (x, y) = (T::splat(simd, *x), T::splat(simd, *y));
            for v in 0..N {
                let w = T::add(simd, T::mul(simd, post[v], y), row[at + v]);
                row[at + v] = w;
                sums[v] = T::mul_add(simd, w, x, sums[v]);
            }
        }
        let totals = dense::total::<S, T, N>(simd, &sums);
        if self.begun {
            T::give::<S, N, true>(simd, totals, self.drive, at);
        } else {
            T::give::<S, N, false>(simd, totals, self.drive, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::super::lanes::padded;
    use super::super::outer::add_outer;
    use super::*;

    fn numbers<T: Lane>(n: usize, seed: u64) -> Vec<T> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "change", 0);
        (0..n)
            .map(|_| T::from_f64(stream.random_range(-1.0..1.0)))
            .collect()
    }

    fn passes<T: Give<T> + PartialEq>() {
        for (sources, post) in [(1, 8), (3, 16), (100, 20), (20, 104), (7, 72), (6, 300)] {
            let row = padded::<T>(post);
            let (before, factor) = (numbers::<T>(sources * row, 1), numbers::<T>(row, 2));
            let (change, pre) = (numbers::<T>(sources, 3), numbers::<T>(sources, 4));
            for begun in [false, true] {
                let start = numbers::<T>(row, 5);
                let (mut weights, mut drive) = (before.clone(), start.clone());
                add_outer(Arch::new(), &mut weights, T::default(), &change, &factor);
                dense::deliver(Arch::new(), (&weights, row), &pre, &mut drive, begun);
                for arch in [Arch::new(), Arch::Scalar] {
                    let (mut changed, mut found) = (before.clone(), start.clone());
                    arch.dispatch(ChangeAndDeliver {
                        weights: &mut changed,
                        row,
                        changed_by: &change,
                        post: &factor,
                        pre: &pre,
                        drive: &mut found,
                        begun,
                    });
                    assert!(changed == weights && found == drive);
                }
            }
        }
    }

    #[test]
    fn one_pass_is_two() {
        passes::<f64>();
        passes::<f32>();
    }
}
