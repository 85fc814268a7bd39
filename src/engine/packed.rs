//! Matrices in single precision whose rows end early in their last SIMD vector, packed: the ends of four rows share one or two
//! vectors, so that there are fewer to load, to change and to store.
//!
//! Weights and drives are those of [`change`](super::change) and [`dense`], to the last bit.

use pulp::{Arch, Simd, WithSimd};

use super::dense;
use crate::vector::Singles;

/// Rows whose ends are together: each adds to one of the interleaved partial sums of a drive.
const ROWS: usize = dense::PARTIAL;

/// Numbers in a vector. Machines with shorter ones gain little, and do without.
const LANES: usize = 16;

/// Most whole vectors of a row: with more the ends hardly count.
const MOST: usize = 2;

/// A packed matrix, or none. Four rows after four: first their whole vectors, row by row, then their ends.
#[derive(Debug, Default)]
pub struct Packed {
    values: Singles,
    /// Whole vectors of a row.
    whole: usize,
    /// Vectors that the ends of four rows take.
    ends: usize,
}

impl Packed {
    /// Whether it holds a matrix.
    #[inline(always)]
    pub fn holds(&self) -> bool {
        !self.values.is_empty()
    }

    /// Takes a matrix, row after row of some padded length, whose rows are so long, if that makes fewer vectors here.
    pub fn pack(&mut self, arch: Arch, rows: (&mut [f32], usize), length: usize) {
        self.values.clear();
        if arch.dispatch(Wide) {
            self.fill(rows, length);
        }
    }

    fn fill(&mut self, (values, row): (&mut [f32], usize), length: usize) {
        self.whole = length / LANES;
        self.ends = match length % LANES {
            1..=4 => 1,
            5..=8 => 2,
            _ => return,
        };
        if self.whole > MOST || row != (self.whole + 1) * LANES || values.is_empty() {
            return;
        }
        let fours = (values.len() / row).div_ceil(ROWS);
        self.values.resize(fours * self.four(), 0.0);
        self.each_part((values, row), |packed, part| packed.copy_from_slice(part));
    }

    /// Gives the matrix back, if it holds one, which it then does no longer.
    pub fn unpack(&mut self, rows: (&mut [f32], usize)) {
        if self.holds() {
            self.each_part(rows, |packed, part| part.copy_from_slice(packed));
            self.values.clear();
        }
    }

    /// Numbers of four rows.
    fn four(&self) -> usize {
        (ROWS * self.whole + self.ends) * LANES
    }

    /// Shows the two parts of each row, where they are packed and where they are not.
    fn each_part(
        &mut self,
        (values, row): (&mut [f32], usize),
        copy: impl Fn(&mut [f32], &mut [f32]),
    ) {
        let (whole, end) = (self.whole * LANES, self.ends * LANES / ROWS);
        let four = self.four();
        let fours = self.values.chunks_exact_mut(four);
        for (four, rows) in fours.zip(values.chunks_mut(ROWS * row)) {
            let (front, back) = four.split_at_mut(ROWS * whole);
            for (at, row) in rows.chunks_exact_mut(row).enumerate() {
                copy(&mut front[at * whole..][..whole], &mut row[..whole]);
                copy(&mut back[at * end..][..end], &mut row[whole..][..end]);
            }
        }
    }

    /// Adds an outer product, if there is one (presynaptic factor, postsynaptic factor of padded length), and then writes the
    /// drive that `pre` gives, or adds it if the drive has `begun`.
    #[inline(always)]
    pub fn change_and_deliver<S: Simd>(
        &mut self,
        simd: S,
        change: Option<(&[f32], &[f32])>,
        pre: &[f32],
        (drive, begun): (&mut [f32], bool),
    ) {
        simd.vectorize(Pass {
            packed: self,
            change,
            pre,
            drive,
            begun,
        });
    }
}

/// Whether vectors have the length that is packed for.
struct Wide;

impl WithSimd for Wide {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        S::F32_LANES == LANES
    }
}

struct Pass<'a> {
    packed: &'a mut Packed,
    change: Option<(&'a [f32], &'a [f32])>,
    pre: &'a [f32],
    drive: &'a mut [f32],
    begun: bool,
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::F32_LANES != LANES {
            return;
        }
        match (self.packed.whole, self.packed.ends, self.change.is_some()) {
            (0, 1, false) => self.rows::<S, 0, 1, false>(simd),
            (0, 1, true) => self.rows::<S, 0, 1, true>(simd),
            (0, _, false) => self.rows::<S, 0, 2, false>(simd),
            (0, _, true) => self.rows::<S, 0, 2, true>(simd),
            (1, 1, false) => self.rows::<S, 1, 1, false>(simd),
            (1, 1, true) => self.rows::<S, 1, 1, true>(simd),
            (1, _, false) => self.rows::<S, 1, 2, false>(simd),
            (1, _, true) => self.rows::<S, 1, 2, true>(simd),
            (_, 1, false) => self.rows::<S, MOST, 1, false>(simd),
            (_, 1, true) => self.rows::<S, MOST, 1, true>(simd),
            (_, _, false) => self.rows::<S, MOST, 2, false>(simd),
            (_, _, true) => self.rows::<S, MOST, 2, true>(simd),
        }
    }
}

impl Pass<'_> {
    /// Rows of `WHOLE` vectors and an end, the ends of four in `ENDS` vectors.
    #[inline(always)]
    fn rows<S: Simd, const WHOLE: usize, const ENDS: usize, const CHANGE: bool>(self, simd: S) {
        let (changed_by, post) = self.change.unwrap_or((self.pre, &[]));
        let mut sums = Sums::<S, WHOLE, ENDS>::new(simd);
        let factor = Post::<S, WHOLE>::new::<ENDS, CHANGE>(simd, post);
        let values = S::as_mut_simd_f32s(&mut self.packed.values).0;
        let (groups, rest) = self.pre.as_chunks::<ROWS>();
        let (changes, last_changes) = changed_by.as_chunks::<ROWS>();
        let size = ROWS * WHOLE + ENDS;
        let (fours, last) = values.split_at_mut(groups.len() * size);
        for ((four, x), y) in fours.chunks_exact_mut(size).zip(groups).zip(changes) {
            sums.four::<CHANGE>(simd, four, &factor, (x, y));
        }
        if !rest.is_empty() {
            // Rows that are not there are 0, and count 0.
            let (mut x, mut y) = ([0.0; ROWS], [0.0; ROWS]);
            x[..rest.len()].copy_from_slice(rest);
            y[..rest.len()].copy_from_slice(last_changes);
            sums.four::<CHANGE>(simd, &mut last[..size], &factor, (&x, &y));
        }
        sums.give(simd, self.drive, self.begun);
    }
}

/// The postsynaptic factor of a change: for the whole vectors of a row, and for ends, again and again.
struct Post<S: Simd, const WHOLE: usize> {
    whole: [S::f32s; WHOLE],
    end: S::f32s,
}

impl<S: Simd, const WHOLE: usize> Post<S, WHOLE> {
    #[inline(always)]
    fn new<const ENDS: usize, const CHANGE: bool>(simd: S, post: &[f32]) -> Self {
        let zero = simd.splat_f32s(0.0);
        let mut factor = Post {
            whole: [zero; WHOLE],
            end: zero,
        };
        if CHANGE {
            let mut end = [0.0; LANES];
            for (lane, end) in end.iter_mut().enumerate() {
                *end = post[WHOLE * LANES + lane % (ENDS * LANES / ROWS)];
            }
            factor
                .whole
                .copy_from_slice(&S::as_simd_f32s(post).0[..WHOLE]);
            factor.end = S::as_simd_f32s(&end).0[0];
        }
        factor
    }
}

/// Sums for a drive: of whole vectors, one for each of four rows; of ends as they are packed.
struct Sums<S: Simd, const WHOLE: usize, const ENDS: usize> {
    whole: [[S::f32s; WHOLE]; ROWS],
    ends: [S::f32s; ENDS],
    /// Lanes below 4, 8 and 12.
    below: [S::m32s; 3],
}

impl<S: Simd, const WHOLE: usize, const ENDS: usize> Sums<S, WHOLE, ENDS> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        let mut lanes = [0.0; LANES];
        for (lane, number) in lanes.iter_mut().enumerate() {
            *number = lane as f32;
        }
        let lanes = S::as_simd_f32s(&lanes).0[0];
        let zero = simd.splat_f32s(0.0);
        Sums {
            whole: [[zero; WHOLE]; ROWS],
            ends: [zero; ENDS],
            below: [
                simd.less_than_f32s(lanes, simd.splat_f32s(4.0)),
                simd.less_than_f32s(lanes, simd.splat_f32s(8.0)),
                simd.less_than_f32s(lanes, simd.splat_f32s(12.0)),
            ],
        }
    }

    /// Changes four rows by `y` times the factor, if `CHANGE`, and adds what `x` gives.
    #[inline(always)]
    fn four<const CHANGE: bool>(
        &mut self,
        simd: S,
        weights: &mut [S::f32s],
        post: &Post<S, WHOLE>,
        (x, y): (&[f32; ROWS], &[f32; ROWS]),
    ) {
        let (mut xs, mut ys) = ([simd.splat_f32s(0.0); ROWS], [simd.splat_f32s(0.0); ROWS]);
        for p in 0..ROWS {
            xs[p] = simd.splat_f32s(x[p]);
            if CHANGE {
                ys[p] = simd.splat_f32s(y[p]);
            }
        }
        let (whole, ends) = weights.split_at_mut(ROWS * WHOLE);
        for p in 0..ROWS {
            for v in 0..WHOLE {
                let w = &mut whole[p * WHOLE + v];
                if CHANGE {
                    *w = simd.add_f32s(simd.mul_f32s(post.whole[v], ys[p]), *w);
                }
                self.whole[p][v] = simd.mul_add_f32s(*w, xs[p], self.whole[p][v]);
            }
        }
        for (e, w) in ends.iter_mut().enumerate().take(ENDS) {
            if CHANGE {
                *w = simd.add_f32s(simd.mul_f32s(post.end, self.of_ends(simd, &ys, e)), *w);
            }
            self.ends[e] = simd.mul_add_f32s(*w, self.of_ends(simd, &xs, e), self.ends[e]);
        }
    }

    /// Numbers of four rows, each where its row's end is in a vector of ends.
    #[inline(always)]
    fn of_ends(&self, simd: S, of: &[S::f32s; ROWS], e: usize) -> S::f32s {
        let [four, eight, twelve] = self.below;
        if ENDS == 1 {
            let low = simd.select_f32s(four, of[0], of[1]);
            let high = simd.select_f32s(twelve, of[2], of[3]);
            simd.select_f32s(eight, low, high)
        } else {
            simd.select_f32s(eight, of[2 * e], of[2 * e + 1])
        }
    }

    /// The sums of all rows, in the order of [`dense::total`](super::dense).
    #[inline(always)]
    fn give(&self, simd: S, drive: &mut [f32], begun: bool) {
        let mut ends = [[0.0; LANES]; ENDS];
        for (end, sums) in ends.iter_mut().zip(&self.ends) {
            S::as_mut_simd_f32s(end).0[0] = *sums;
        }
        let ends = ends.as_flattened();
        let length = ENDS * LANES / ROWS;
        let mut end = [0.0; LANES];
        for i in 0..length {
            let even = ends[i] + ends[length + i];
            end[i] = even + (ends[2 * length + i] + ends[3 * length + i]);
        }
        let totals = dense::total::<S, f32, WHOLE>(simd, &self.whole);
        let totals = totals.iter().chain(S::as_simd_f32s(&end).0);
        let drive = S::as_mut_simd_f32s(drive).0.iter_mut();
        for (drive, total) in drive.zip(totals) {
            *drive = if begun {
                simd.add_f32s(*drive, *total)
            } else {
                *total
            };
        }
    }
}

#[cfg(test)]
mod tests;
