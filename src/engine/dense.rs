//! Dense synapse matrices: the drive they give. (The outer products that change them are in [`outer`](super::outer).)
//!
//! A matrix is stored by presynaptic neuron: row j holds the weights from neuron j to all (padded)
//! postsynaptic neurons, so that both loops run along contiguous postsynaptic vectors and no sum
//! crosses SIMD lanes. Each postsynaptic sum is taken in one fixed order (four interleaved partial
//! sums over j, then (0+1)+(2+3)), which no vector width changes.
//!
//! Matrices are of double or single precision. With single precision presynaptic values are rounded to it first, sums over
//! synapses are taken in it too, and enter the drive in double precision.

use pulp::{Arch, Simd, WithSimd};

use super::lanes::{Give, Lane};

/// Interleaved partial sums per postsynaptic neuron: enough to hide the latency of the multiply–add.
pub(super) const PARTIAL: usize = 4;

/// Adds `Σ_j weights[j][i]·pre[j]` to each `drive[i]`, or puts it there unless something has `begun` the drive. Rows have
/// the padded length `row`, of which as many count as `drive` is long.
pub fn deliver<T: Give<O>, O: Lane>(
    arch: Arch,
    (weights, row): (&[T], usize),
    pre: &[T],
    drive: &mut [O],
    begun: bool,
) {
    arch.dispatch(DeliverAny {
        weights,
        row,
        pre,
        drive,
        begun,
    });
}

/// As [`deliver`], called where SIMD is at work already.
#[inline(always)]
pub fn deliver_in<S: Simd, T: Give<O>, O: Lane>(
    simd: S,
    (weights, row): (&[T], usize),
    pre: &[T],
    drive: &mut [O],
    begun: bool,
) {
    if begun {
        simd.vectorize(Deliver::<T, O, true> {
            weights,
            row,
            pre,
            drive,
        });
    } else {
        simd.vectorize(Deliver::<T, O, false> {
            weights,
            row,
            pre,
            drive,
        });
    }
}

struct DeliverAny<'a, T, O> {
    weights: &'a [T],
    row: usize,
    pre: &'a [T],
    drive: &'a mut [O],
    begun: bool,
}

impl<T: Give<O>, O: Lane> WithSimd for DeliverAny<'_, T, O> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let weights = (self.weights, self.row);
        deliver_in(simd, weights, self.pre, self.drive, self.begun);
    }
}

/// The drive is added to if `ADD`, replaced otherwise.
struct Deliver<'a, T, O, const ADD: bool> {
    weights: &'a [T],
    row: usize,
    pre: &'a [T],
    drive: &'a mut [O],
}

impl<T: Give<O>, O: Lane, const ADD: bool> WithSimd for Deliver<'_, T, O, ADD> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.row / T::count::<S>();
        let Deliver {
            weights,
            pre,
            drive,
            ..
        } = self;
        let weights = T::vectors::<S>(weights);
        match width {
            1 => whole_rows::<S, T, O, 1, ADD>(simd, weights, pre, drive),
            2 => whole_rows::<S, T, O, 2, ADD>(simd, weights, pre, drive),
            3 => whole_rows::<S, T, O, 3, ADD>(simd, weights, pre, drive),
            4 => whole_rows::<S, T, O, 4, ADD>(simd, weights, pre, drive),
            5 if has_many_registers::<S>() => {
                whole_rows::<S, T, O, 5, ADD>(simd, weights, pre, drive)
            }
            6 if has_many_registers::<S>() => {
                whole_rows::<S, T, O, 6, ADD>(simd, weights, pre, drive)
            }
            7 if has_many_registers::<S>() => {
                whole_rows::<S, T, O, 7, ADD>(simd, weights, pre, drive)
            }
            _ => tiles::<S, T, O, ADD>(simd, (weights, width), pre, drive),
        }
    }
}

/// Whether the partial sums of seven vectors stay in registers, and not only those of four.
#[inline(always)]
fn has_many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

/// The drive of rows of `N` vectors, all of whose partial sums stay in registers.
#[inline(always)]
fn whole_rows<S: Simd, T: Give<O>, O: Lane, const N: usize, const ADD: bool>(
    simd: S,
    weights: &[T::Vector<S>],
    pre: &[T],
    drive: &mut [O],
) {
    let mut sums = [[T::splat(simd, T::default()); N]; PARTIAL];
    let (blocks, last) = weights.as_chunks::<N>().0.as_chunks::<PARTIAL>();
    let (groups, rest) = pre.as_chunks::<PARTIAL>();
    for (rows, group) in blocks.iter().zip(groups) {
        for p in 0..PARTIAL {
            let x = T::splat(simd, group[p]);
            for v in 0..N {
                sums[p][v] = T::mul_add(simd, rows[p][v], x, sums[p][v]);
            }
        }
    }
    for ((sums, row), x) in sums.iter_mut().zip(last).zip(rest) {
        let x = T::splat(simd, *x);
        for v in 0..N {
            sums[v] = T::mul_add(simd, row[v], x, sums[v]);
        }
    }
    T::give::<S, N, ADD>(simd, total::<S, T, N>(simd, &sums), drive, 0);
}

/// Partial sums together.
#[inline(always)]
pub(super) fn total<S: Simd, T: Lane, const N: usize>(
    simd: S,
    sums: &[[T::Vector<S>; N]; PARTIAL],
) -> [T::Vector<S>; N] {
    let mut totals = [T::splat(simd, T::default()); N];
    for v in 0..N {
        let even = T::add(simd, sums[0][v], sums[1][v]);
        let odd = T::add(simd, sums[2][v], sums[3][v]);
        totals[v] = T::add(simd, even, odd);
    }
    totals
}

/// The drive of rows of any `width`, in tiles of as many vectors as leave their partial sums in registers: 4 of 16, 7 of 32.
#[inline(always)]
fn tiles<S: Simd, T: Give<O>, O: Lane, const ADD: bool>(
    simd: S,
    (weights, width): (&[T::Vector<S>], usize),
    pre: &[T],
    drive: &mut [O],
) {
    let mut at = 0;
    while at < width {
        let tile = Tile {
            weights,
            pre,
            width,
            at,
        };
        at += match (width - at, has_many_registers::<S>()) {
            (5 | 8..=10, true) => tile.deliver::<S, O, 5, ADD>(simd, drive),
            (6 | 11 | 12, true) => tile.deliver::<S, O, 6, ADD>(simd, drive),
            (7 | 13.., true) => tile.deliver::<S, O, 7, ADD>(simd, drive),
            (4.., _) => tile.deliver::<S, O, 4, ADD>(simd, drive),
            (3, _) => tile.deliver::<S, O, 3, ADD>(simd, drive),
            (2, _) => tile.deliver::<S, O, 2, ADD>(simd, drive),
            _ => tile.deliver::<S, O, 1, ADD>(simd, drive),
        };
    }
}

/// Some vectors of postsynaptic neurons, starting with the `at`-th of `width`.
struct Tile<'a, T, V> {
    weights: &'a [V],
    pre: &'a [T],
    width: usize,
    at: usize,
}

impl<T: Lane, V: Copy> Tile<'_, T, V> {
    /// The drive of `N` vectors; returns `N`.
    #[inline(always)]
    fn deliver<S: Simd, O: Lane, const N: usize, const ADD: bool>(
        &self,
        simd: S,
        drive: &mut [O],
    ) -> usize
    where
        T: Give<O> + Lane<Vector<S> = V>,
    {
        let Tile {
            weights,
            pre,
            width,
            at,
        } = *self;
        let mut sums = [[T::splat(simd, T::default()); N]; PARTIAL];
        let mut rows = weights.chunks_exact(width * PARTIAL);
        let (groups, rest) = pre.as_chunks::<PARTIAL>();
        for (group, block) in groups.iter().zip(&mut rows) {
            for p in 0..PARTIAL {
                let x = T::splat(simd, group[p]);
                let weights = &block[p * width + at..p * width + at + N];
                for v in 0..N {
                    sums[p][v] = T::mul_add(simd, weights[v], x, sums[p][v]);
                }
            }
        }
        let last = rows.remainder().chunks_exact(width);
        for ((sums, x), weights) in sums.iter_mut().zip(rest).zip(last) {
            let x = T::splat(simd, *x);
            for v in 0..N {
                sums[v] = T::mul_add(simd, weights[at + v], x, sums[v]);
            }
        }
        T::give::<S, N, ADD>(simd, total::<S, T, N>(simd, &sums), drive, at);
        N
    }
}

/// Writes `Σ_j weights[j][i]·pre[r][j]` to each `out[r][i]` for many rows r at once; rows of `out` have the
/// padded length `row`, rows of `pre` the length `stride`, of which `sources` count. Each sum runs over j in order.
pub fn deliver_rows<T: Lane>(
    arch: Arch,
    weights: &[T],
    (pre, stride, sources): (&[T], usize, usize),
    (out, row): (&mut [T], usize),
) {
    arch.dispatch(DeliverRows {
        weights,
        pre,
        stride,
        sources,
        out,
        row,
    });
}

struct DeliverRows<'a, T> {
    weights: &'a [T],
    pre: &'a [T],
    stride: usize,
    sources: usize,
    out: &'a mut [T],
    row: usize,
}

impl<T: Lane> WithSimd for DeliverRows<'_, T> {
    type Output = ();

    /// Four rows and up to three vectors at a time, or four where registers are many, so that each weight that is loaded is
    /// used four times.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = self.row / T::count::<S>();
        if width == 0 || self.stride == 0 {
            return;
        }
        let weights = T::vectors::<S>(self.weights);
        let out = T::vectors_mut::<S>(self.out);
        let fours = out.chunks_mut(4 * width);
        for (out, pre) in fours.zip(self.pre.chunks(4 * self.stride)) {
            // Of fewer than four rows the last is computed again and written once.
            let last = (out.len() / width).saturating_sub(1);
            let rows: [&[T]; 4] =
                std::array::from_fn(|r| &pre[r.min(last) * self.stride..][..self.sources]);
            let mut at = 0;
            while at < width {
                // No single vector is left over: four sums alone would wait for each other.
                let done = match (width - at, has_many_registers::<S>()) {
                    (4 | 7.., true) => rows_tile::<S, T, 4>(simd, weights, rows, out, (width, at)),
                    (3.., _) => rows_tile::<S, T, 3>(simd, weights, rows, out, (width, at)),
                    (2, _) => rows_tile::<S, T, 2>(simd, weights, rows, out, (width, at)),
                    _ => rows_tile::<S, T, 1>(simd, weights, rows, out, (width, at)),
                };
                at += done;
            }
        }
    }
}

/// `N` vectors of four rows, starting with the `at`-th of `width`; returns `N`.
#[inline(always)]
fn rows_tile<S: Simd, T: Lane, const N: usize>(
    simd: S,
    weights: &[T::Vector<S>],
    [first, second, third, fourth]: [&[T]; 4],
    out: &mut [T::Vector<S>],
    (width, at): (usize, usize),
) -> usize {
    let mut sums = [[T::splat(simd, T::default()); N]; 4];
    let sources = first.iter().zip(second).zip(third).zip(fourth);
    for (weights, (((a, b), c), d)) in weights.chunks_exact(width).zip(sources) {
        let weights = &weights[at..at + N];
        for (sums, x) in sums.iter_mut().zip([a, b, c, d]) {
            let x = T::splat(simd, *x);
            for v in 0..N {
                sums[v] = T::mul_add(simd, weights[v], x, sums[v]);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(width).zip(sums) {
        out[at..at + N].copy_from_slice(&sums);
    }
    N
}

#[cfg(test)]
mod tests {
    use super::super::lanes::padded;
    use super::*;

    fn numbers<T: Lane>(n: usize, seed: u64) -> Vec<T> {
        use rand::RngExt;
        let mut stream = crate::random::stream(seed, "dense", 0);
        (0..n)
            .map(|_| T::from_f64(stream.random_range(-1.0..1.0)))
            .collect()
    }

    /// `tolerance` covers the rounding of 101 terms below 1 in size.
    fn drives<T: Give<O>, O: Lane + PartialEq>(tolerance: f64) {
        for (sources, post) in [(1, 8), (3, 16), (4, 24), (100, 20), (20, 104), (7, 72)] {
            let row = padded::<T>(post);
            let (weights, pre) = (numbers::<T>(sources * row, 1), numbers::<T>(sources, 2));
            for begun in [false, true] {
                let before = O::from_f64(if begun { 0.5 } else { f64::NAN });
                // Of one precision whole vectors are written.
                let mut drive = vec![before; padded::<O>(post)];
                deliver(Arch::new(), (&weights, row), &pre, &mut drive, begun);
                let mut narrow = vec![before; padded::<O>(post)];
                deliver(Arch::Scalar, (&weights, row), &pre, &mut narrow, begun);
                assert_eq!(drive, narrow, "the instruction set changes no bit");
                for (i, found) in drive.iter().enumerate() {
                    let product = |j: usize| weights[j * row + i].to_f64() * pre[j].to_f64();
                    let start = if begun { 0.5 } else { 0.0 };
                    let exact: f64 = start + (0..sources).map(product).sum::<f64>();
                    assert!((found.to_f64() - exact).abs() < tolerance);
                }
            }
        }
    }

    #[test]
    fn the_drive_is_the_matrix_product() {
        drives::<f64, f64>(101.0 * f64::EPSILON * 10.0);
        drives::<f32, f64>(1e-5);
        drives::<f32, f32>(1e-5);
    }

    fn many_rows<T: Lane + PartialEq>() {
        for (rows, sources, row) in [
            (1, 3, 8),
            (4, 20, 104),
            (7, 5, 40),
            (64, 2, 16),
            (5, 6, 128),
        ] {
            let (stride, row) = (sources + 3, padded::<T>(row));
            let weights = numbers::<T>(sources * row, 1);
            let pre = numbers::<T>(rows * stride, 2);
            let mut out = numbers::<T>(rows * row, 3);
            let of = (&pre[..], stride, sources);
            deliver_rows(Arch::new(), &weights, of, (&mut out, row));
            for (out, pre) in out.chunks(row).zip(pre.chunks(stride)) {
                for (i, found) in out.iter().enumerate() {
                    let product = |sum: T, j: usize| T::fused(weights[j * row + i], pre[j], sum);
                    let expected = (0..sources).fold(T::default(), product);
                    assert_eq!(*found, expected);
                }
            }
        }
    }

    #[test]
    fn many_rows_are_many_products() {
        many_rows::<f64>();
        many_rows::<f32>();
    }
}
