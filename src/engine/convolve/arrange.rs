//! Rows of replicas brought into the order of the products, and back: there all replicas of a block lie beside each other, place by
//! place, so that what is right of a place is right of it in all of them.

use super::{Lane, Shape};
use crate::engine::shuffle::{columns_first, power, rows_first};
use crate::engine::tile::MARGIN;
use crate::lang::vm::padded;
use crate::prefetch::prefetch;

/// Rows that are turned round at a time.
const ROWS: usize = 16;

/// Numbers of a row that are turned round at a time, about.
const COLUMNS: usize = 64;

/// Places whose maps are turned round at a time.
const PLACES: usize = 16;

/// Groups of maps that are asked for before their turn.
const AHEAD: usize = 3;

/// Numbers of a neuron in a cache line.
const LINE: usize = 8;

/// Where matrices are turned round.
#[derive(Debug, Default)]
pub struct Desk<T>([Vec<T>; 2]);

impl<T: Lane> Desk<T> {
    /// Both halves, of so many numbers.
    #[inline(always)]
    fn halves(&mut self, length: usize) -> (&mut [T], &mut [T]) {
        for half in &mut self.0 {
            half.resize(half.len().max(length), T::default());
        }
        let [a, b] = &mut self.0;
        (&mut a[..length], &mut b[..length])
    }
}

/// Replicas of a block: their numbers, and all replicas' rows.
#[derive(Clone, Copy)]
pub struct Replicas<'a> {
    pub numbers: &'a [usize],
    pub rows: &'a [f64],
    pub length: usize,
}

impl Replicas<'_> {
    /// Takes the columns `from..from + n` of some replicas' rows.
    #[inline(always)]
    fn take<T: Lane>(&self, numbers: &[usize], from: usize, n: usize, out: &mut [T]) {
        for (replica, out) in numbers.iter().zip(out.chunks_exact_mut(n)) {
            round(&self.rows[replica * self.length + from..][..n], out);
        }
    }
}

impl Shape<'_> {
    /// Lays inputs out: map by map and row by row, with zeros around each map; a place holds all replicas. Where places are left out in
    /// a row of patches there is one copy for each column of a patch, of the places that it sees.
    #[inline(always)]
    pub(super) fn lay_out<T: Lane>(
        &self,
        pre: Replicas<'_>,
        (maps, copies): (&mut Vec<T>, &mut Vec<T>),
        desk: &mut Desk<T>,
    ) {
        let count = pre.numbers.len();
        let rows = self.convolution.input.channels * self.height;
        maps.resize(rows * self.width * count + MARGIN, T::default());
        self.frame(count, maps);
        let mut first = 0;
        while first < count {
            let group = power(count - first, ROWS);
            self.lay_group_out(pre, (first, group), maps, desk);
            first += group;
        }
        let stride = self.convolution.stride[1];
        if stride == 1 {
            return;
        }
        let columns = self.convolution.output.width;
        copies.resize(
            self.copies() * rows * columns * count + MARGIN,
            T::default(),
        );
        let lines = copies.chunks_exact_mut(columns * count);
        for (line, out) in lines.take(self.copies() * rows).enumerate() {
            let from = line % rows * self.width + line / rows;
            for (x, out) in out.chunks_exact_mut(count).enumerate() {
                out.copy_from_slice(&maps[(from + x * stride) * count..][..count]);
            }
        }
    }

    /// Puts zeros around all maps.
    #[inline(always)]
    fn frame<T: Lane>(&self, count: usize, maps: &mut [T]) {
        let [above, left] = self.convolution.padding;
        let row = self.width * count;
        for map in maps.chunks_exact_mut(self.height * row) {
            let (top, rest) = map.split_at_mut(above * row);
            let (rows, bottom) = rest.split_at_mut(self.convolution.input.height * row);
            top.fill(T::default());
            bottom.fill(T::default());
            for row in rows.chunks_exact_mut(row) {
                row[..left * count].fill(T::default());
                let right = row.len() - left * count;
                row[right..].fill(T::default());
            }
        }
    }

    /// Lays a group of replicas out, 2ᵏ of them.
    #[inline(always)]
    fn lay_group_out<T: Lane>(
        &self,
        pre: Replicas<'_>,
        (first, group): (usize, usize),
        maps: &mut [T],
        desk: &mut Desk<T>,
    ) {
        let (input, count) = (self.convolution.input, pre.numbers.len());
        let [above, left] = self.convolution.padding;
        let numbers = &pre.numbers[first..first + group];
        let rows = input.channels * input.height;
        let some = (COLUMNS / input.width).clamp(1, rows);
        for begin in (0..rows).step_by(some) {
            let n = some.min(rows - begin) * input.width;
            let (a, b) = desk.halves(group * n);
            pre.take(numbers, begin * input.width, n, a);
            let turned = columns_first(a, b, group);
            for (line, values) in turned.chunks_exact(input.width * group).enumerate() {
                let (map, y) = ((begin + line) / input.height, (begin + line) % input.height);
                let place = (map * self.height + y + above) * self.width + left;
                scatter(values, group, &mut maps[place * count + first..], count);
            }
        }
    }

    /// Turns postsynaptic factors round, so that all maps of a place lie side by side, place by place and there replica by replica;
    /// `maps` are factors of all maps of all replicas, or none.
    #[inline(always)]
    pub(super) fn turn<T: Lane>(
        &self,
        all: Replicas<'_>,
        maps: &[f64],
        (out, desk): (&mut [T], &mut Desk<T>),
    ) {
        let (count, row) = (all.numbers.len(), padded(self.maps));
        let groups = self.maps.div_ceil(ROWS);
        let mut turn = 0;
        // What is written side by side is written one after the other.
        for begin in (0..self.places).step_by(PLACES) {
            let n = PLACES.min(self.places - begin);
            for (at, replica) in all.numbers.iter().enumerate() {
                let post = &all.rows[replica * self.post_row..][..self.post_row];
                let mut first = 0;
                while first < self.maps {
                    let group = power(self.maps - first, ROWS);
                    if first % ROWS == 0 {
                        self.ask_for(all, turn + AHEAD, groups);
                        turn += 1;
                    }
                    let (a, b) = desk.halves(group * n);
                    for (map, out) in a.chunks_exact_mut(n).enumerate() {
                        let post = &post[(first + map) * self.places + begin..][..n];
                        match maps.get(replica * row + first + map) {
                            Some(factor) => scale(post, *factor, out),
                            None => round(post, out),
                        }
                    }
                    let turned = columns_first(a, b, group);
                    let to = (begin * count + at) * self.pitch + first;
                    scatter(turned, group, &mut out[to..], count * self.pitch);
                    first += group;
                }
            }
        }
    }

    /// Asks for the maps' factors of some places that will be turned round later: they lie apart, and nobody guesses where.
    #[inline(always)]
    fn ask_for(&self, all: Replicas<'_>, turn: usize, groups: usize) {
        let (rest, first) = (turn / groups, turn % groups * ROWS);
        let (block, at) = (rest / all.numbers.len(), rest % all.numbers.len());
        let rows = &all.rows[all.numbers[at] * self.post_row..][..self.post_row];
        let begin = block * PLACES;
        let end = self.places.min(begin + PLACES);
        for map in first..(first + ROWS).min(self.maps) {
            (begin..end)
                .step_by(LINE)
                .for_each(|place| prefetch(rows, map * self.places + place));
        }
    }

    /// Gives a map of all replicas of a block to their drives, or adds it to those that have `begun`.
    #[inline(always)]
    pub(super) fn give<T: Lane>(
        &self,
        map: &[T],
        number: usize,
        (drive, begun): (&mut [f64], bool),
        desk: &mut Desk<T>,
    ) {
        let count = drive.len() / self.post_row;
        let group = power(count, ROWS);
        if group < count {
            let drives = drive.chunks_exact_mut(self.post_row).enumerate();
            for (replica, drive) in drives {
                let drive = &mut drive[number * self.places..][..self.places];
                let values = map[replica..].iter().step_by(count);
                put(values.copied(), (drive, begun));
            }
            return;
        }
        for begin in (0..self.places).step_by(COLUMNS) {
            let n = COLUMNS.min(self.places - begin);
            let (a, b) = desk.halves(group * n);
            let rows = rows_first(&map[begin * group..][..group * n], a, b, group);
            let drives = drive.chunks_exact_mut(self.post_row);
            for (drive, values) in drives.zip(rows.chunks_exact(n)) {
                let drive = &mut drive[number * self.places + begin..][..n];
                put(values.iter().copied(), (drive, begun));
            }
        }
    }
}

/// Puts numbers into a drive, or adds them to one that has `begun`.
#[inline(always)]
fn put<T: Lane>(values: impl Iterator<Item = T>, (drive, begun): (&mut [f64], bool)) {
    if begun {
        drive
            .iter_mut()
            .zip(values)
            .for_each(|(out, x)| *out += x.to_f64());
    } else {
        drive
            .iter_mut()
            .zip(values)
            .for_each(|(out, x)| *out = x.to_f64());
    }
}

/// Takes numbers in the precision of the product.
#[inline(always)]
fn round<T: Lane>(values: &[f64], out: &mut [T]) {
    for (out, x) in out.iter_mut().zip(values) {
        *out = T::from_f64(*x);
    }
}

/// Takes numbers times a factor in the precision of the product.
#[inline(always)]
fn scale<T: Lane>(values: &[f64], factor: f64, out: &mut [T]) {
    for (out, x) in out.iter_mut().zip(values) {
        *out = T::from_f64(factor * *x);
    }
}

/// Writes groups of numbers that lie beside each other to places that are `apart`.
#[inline(always)]
fn scatter<T: Copy>(values: &[T], group: usize, out: &mut [T], apart: usize) {
    #[inline(always)]
    fn each<T: Copy, const N: usize>(values: &[T], out: &mut [T], apart: usize) {
        for (values, out) in values.as_chunks::<N>().0.iter().zip(out.chunks_mut(apart)) {
            if let Some(out) = out.first_chunk_mut() {
                *out = *values;
            }
        }
    }
    match group {
        _ if group == apart => out[..values.len()].copy_from_slice(values),
        16 => each::<T, 16>(values, out, apart),
        8 => each::<T, 8>(values, out, apart),
        4 => each::<T, 4>(values, out, apart),
        2 => each::<T, 2>(values, out, apart),
        _ => each::<T, 1>(values, out, apart),
    }
}
