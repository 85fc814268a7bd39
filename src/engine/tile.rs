//! Products of matrices in tiles that stay in registers: C ← C + Σₖ aₖ bₖᵀ, where what is added at step k is a few numbers
//! times a few SIMD vectors.
//!
//! Against a general product of matrices nothing is packed on the way: the numbers of one step lie beside each other
//! ([`Panels`]), the vectors are read where they are, at offsets of any pattern. That is what convolutions and products with
//! few rows want. Every element is summed in the order of k, so that the bits do not depend on the instruction set.

use pulp::{Simd, WithSimd};

use super::lanes::Lane;

/// Rows of a tile.
pub const ROWS: usize = 8;

/// SIMD vectors of a row of a tile, at most.
const VECTORS: usize = 2;

/// Numbers that the last row of a matrix is to be followed by, so that a tile may read beyond it.
pub const MARGIN: usize = 32;

/// A matrix in panels of [`ROWS`] columns: panel after panel, row after row; what is beyond the last column is 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panels<T> {
    depth: usize,
    columns: usize,
    values: Vec<T>,
}

impl<T: Lane> Panels<T> {
    /// Takes a matrix of `depth` rows and so many columns; `at(row, column)` is its element.
    pub fn fill(&mut self, [depth, columns]: [usize; 2], at: impl Fn(usize, usize) -> T) {
        (self.depth, self.columns) = (depth, columns);
        self.values.clear();
        for first in (0..columns).step_by(ROWS) {
            for row in 0..depth {
                let value = |c: usize| {
                    if first + c < columns {
                        at(row, first + c)
                    } else {
                        T::default()
                    }
                };
                self.values.extend((0..ROWS).map(value));
            }
        }
    }

    /// Panels, each with the number of columns that it has.
    pub fn each(&self) -> impl Iterator<Item = (&[[T; ROWS]], usize)> {
        let (rows, _) = self.values.as_chunks();
        let panels = rows.chunks_exact(self.depth.max(1)).enumerate();
        panels.map(|(at, rows)| (rows, ROWS.min(self.columns - at * ROWS)))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Out ← Σₖ panelₖ · rowₖ, or Out ← Out + … if `ADD`: [`ROWS`] rows, `pitch` apart, of so many columns. Whole vectors are written, so
/// that a row may be written up to the next multiple of [`MARGIN`] columns.
///
/// # Shape
/// Row k begins at `rows[offsets[k] + from]` and is followed by at least [`MARGIN`] numbers.
pub struct Product<'a, T> {
    /// What the rows are multiplied by.
    pub panel: &'a [[T; ROWS]],
    /// Where rows of the other matrix begin …
    pub offsets: &'a [usize],
    /// … in these numbers, …
    pub rows: &'a [T],
    /// … from here on.
    pub from: usize,
    /// Columns.
    pub columns: usize,
    /// What is written, and how far its rows are apart.
    pub out: (&'a mut [T], usize),
}

impl<T: Lane> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product {
            panel,
            offsets,
            rows,
            from,
            columns,
            out: (out, pitch),
        } = self;
        let lanes = T::count::<S>();
        let mut at = 0;
        while at < columns {
            let place = from + at;
            if columns - at > lanes {
                let tile = sum::<S, T, VECTORS>(simd, panel, offsets, &rows[place..]);
                write(simd, tile, (&mut out[at..], pitch));
                at += VECTORS * lanes;
            } else {
                let tile = sum::<S, T, 1>(simd, panel, offsets, &rows[place..]);
                write(simd, tile, (&mut out[at..], pitch));
                at += lanes;
            }
        }
    }
}

/// A tile of `N` vectors a row.
type Sums<S, T, const N: usize> = [[<T as Lane>::Vector<S>; N]; ROWS];

#[inline(always)]
fn zeros<S: Simd, T: Lane, const N: usize>(simd: S) -> Sums<S, T, N> {
    [[T::splat(simd, T::default()); N]; ROWS]
}

/// The sum over all steps.
#[inline(always)]
fn sum<S: Simd, T: Lane, const N: usize>(
    simd: S,
    panel: &[[T; ROWS]],
    offsets: &[usize],
    rows: &[T],
) -> Sums<S, T, N> {
    let mut sums = zeros::<S, T, N>(simd);
    for (numbers, offset) in panel.iter().zip(offsets) {
        let row = &rows[*offset..*offset + N * T::count::<S>()];
        step(simd, numbers, T::vectors::<S>(row), &mut sums);
    }
    sums
}

/// What one step adds.
#[inline(always)]
fn step<S: Simd, T: Lane, const N: usize>(
    simd: S,
    numbers: &[T; ROWS],
    row: &[T::Vector<S>],
    sums: &mut Sums<S, T, N>,
) {
    let row: [T::Vector<S>; N] = std::array::from_fn(|v| row[v]);
    for (x, sums) in numbers.iter().zip(sums) {
        let x = T::splat(simd, *x);
        for v in 0..N {
            sums[v] = T::mul_add(simd, x, row[v], sums[v]);
        }
    }
}

#[inline(always)]
fn write<S: Simd, T: Lane, const N: usize>(
    _: S,
    tile: Sums<S, T, N>,
    (out, pitch): (&mut [T], usize),
) {
    for (row, sums) in tile.iter().enumerate() {
        let out = &mut out[row * pitch..row * pitch + N * T::count::<S>()];
        for (out, sum) in T::vectors_mut::<S>(out).iter_mut().zip(sums) {
            *out = *sum;
        }
    }
}

/// Out ← Out + Σₙ leftₙ · rightₙᵀ, where leftₙ is the n-th number of each of [`ROWS`] lines.
///
/// # Shape
/// `right`: a row of `pitch` numbers, a multiple of the number of lanes, for each number of a line. `out`: [`ROWS`] rows of as many.
pub struct Correlation<'a, T> {
    /// What holds the lines of the first matrix.
    pub rows: &'a [T],
    /// Where each begins.
    pub lines: [usize; ROWS],
    /// How lines go on.
    pub runs: Runs,
    /// Rows of the second one.
    pub right: &'a [T],
    /// Numbers in its rows.
    pub pitch: usize,
    /// What is added to.
    pub out: &'a mut [T],
}

/// A line in runs of numbers that lie beside each other.
#[derive(Debug, Clone, Copy)]
pub struct Runs {
    /// How many.
    pub count: usize,
    /// Numbers of each.
    pub length: usize,
    /// From one's beginning to the next one's.
    pub apart: usize,
}

/// Numbers of a line that are taken at a time.
const AHEAD: usize = 8;

impl<T: Lane> WithSimd for Correlation<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = T::count::<S>();
        let mut at = 0;
        while at < self.pitch {
            if self.pitch - at >= VECTORS * lanes {
                self.columns::<S, VECTORS>(simd, at);
                at += VECTORS * lanes;
            } else {
                self.columns::<S, 1>(simd, at);
                at += lanes;
            }
        }
    }
}

impl<T: Lane> Correlation<'_, T> {
    /// Some vectors of all rows of the output.
    #[inline(always)]
    fn columns<S: Simd, const N: usize>(&mut self, simd: S, at: usize) {
        let mut sums = zeros::<S, T, N>(simd);
        let (width, pitch) = (N * T::count::<S>(), self.pitch);
        for (row, sums) in sums.iter_mut().enumerate() {
            let out = &self.out[row * pitch + at..][..width];
            *sums = std::array::from_fn(|v| T::vectors::<S>(out)[v]);
        }
        let Runs { length, apart, .. } = self.runs;
        let rights = self.right.chunks_exact(length * pitch);
        for (run, right) in rights.take(self.runs.count).enumerate() {
            let lines: [&[T]; ROWS] = self
                .lines
                .map(|line| &self.rows[line + run * apart..][..length]);
            correlate::<S, T, N>(simd, lines, (right, pitch, at), &mut sums);
        }
        write(simd, sums, (&mut self.out[at..], pitch));
    }
}

#[inline(always)]
fn correlate<S: Simd, T: Lane, const N: usize>(
    simd: S,
    lines: [&[T]; ROWS],
    (right, pitch, at): (&[T], usize, usize),
    sums: &mut Sums<S, T, N>,
) {
    let width = N * T::count::<S>();
    let chunks: [&[[T; AHEAD]]; ROWS] = lines.map(|line| line.as_chunks().0);
    let whole = chunks[0].len();
    let blocks = right.chunks_exact(AHEAD * pitch);
    for (chunk, block) in (0..whole).zip(blocks) {
        let numbers: [&[T; AHEAD]; ROWS] = std::array::from_fn(|i| &chunks[i][chunk]);
        for (n, row) in block.chunks_exact(pitch).take(AHEAD).enumerate() {
            let x: [T; ROWS] = std::array::from_fn(|i| numbers[i][n & (AHEAD - 1)]);
            step(simd, &x, T::vectors::<S>(&row[at..at + width]), sums);
        }
    }
    let left = right.chunks_exact(pitch).enumerate().skip(whole * AHEAD);
    for (n, row) in left {
        let x: [T; ROWS] = std::array::from_fn(|i| lines[i].get(n).copied().unwrap_or_default());
        step(simd, &x, T::vectors::<S>(&row[at..at + width]), sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::Arch;
    use rand::RngExt;

    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        let mut stream = crate::random::stream(seed, "tile", 0);
        (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
    }

    fn check<T: Lane>(tolerance: f64) {
        for [rows, depth, columns] in [[1, 1, 1], [8, 5, 16], [13, 40, 33], [24, 9, 70]] {
            let a = numbers(depth * rows, 1);
            let b = numbers(depth * columns, 2);
            let mut panels = Panels::<T>::default();
            panels.fill([depth, rows], |k, i| T::from_f64(a[k * rows + i]));
            let mut right: Vec<T> = b.iter().map(|x| T::from_f64(*x)).collect();
            right.resize(right.len() + MARGIN, T::default());
            let offsets: Vec<usize> = (0..depth).map(|k| k * columns).collect();
            let pitch = columns.next_multiple_of(MARGIN);
            for (p, (panel, count)) in panels.each().enumerate() {
                let mut out = vec![T::default(); ROWS * pitch];
                Arch::new().dispatch(Product {
                    panel,
                    offsets: &offsets,
                    rows: &right,
                    from: 0,
                    columns,
                    out: (&mut out, pitch),
                });
                for i in 0..count {
                    for j in 0..columns {
                        let term = |k: usize| a[k * rows + p * ROWS + i] * b[k * columns + j];
                        let exact: f64 = (0..depth).map(term).sum();
                        let found = out[i * pitch + j].to_f64();
                        assert!((found - exact).abs() < 50.0 * tolerance, "{found} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_are_those_of_three_loops() {
        check::<f64>(f64::EPSILON);
        check::<f32>(f64::from(f32::EPSILON));
    }

    #[test]
    fn correlations_are_sums_over_lines() {
        for (count, length, apart) in [(1, 1, 1), (1, 16, 16), (3, 37, 40)] {
            let (pitch, total) = (48, count * apart);
            let (rows, right) = (numbers(ROWS * total, 1), numbers(count * length * pitch, 2));
            let mut out = numbers(ROWS * pitch, 3);
            let before = out.clone();
            Arch::new().dispatch(Correlation {
                rows: &rows,
                lines: std::array::from_fn(|i| i * total),
                runs: Runs {
                    count,
                    length,
                    apart,
                },
                right: &right,
                pitch,
                out: &mut out,
            });
            for (at, found) in out.iter().enumerate() {
                let term = |n: usize| {
                    let line = at / pitch * total + n / length * apart + n % length;
                    rows[line] * right[n * pitch + at % pitch]
                };
                let exact = before[at] + (0..count * length).map(term).sum::<f64>();
                assert!((found - exact).abs() < 100.0 * f64::EPSILON);
            }
        }
    }
}
