//! Convolutions as products of matrices, from inputs that are laid out once for each column of a patch: one copy shifted by each, so
//! that what all places of a row of the output read at one place of their patches lies side by side (after Cho and Brand 2017,
//! memory-efficient convolution). A third of what patches laid out as columns take where kernels are 3 wide.
//!
//! Replicas go in blocks whose copies fit into the cache.

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lane;
use super::tile::{Correlation, MARGIN, Panels, Product, ROWS};
use crate::circuit::grid::Convolution;
use crate::lang::vm::padded;

/// Numbers in the copies of a block, at most: they stay in the second-level cache.
const NUMBERS: usize = 96 << 10;

/// Scratch memory of convolutions.
#[derive(Debug, Default)]
pub struct Room<T> {
    /// Row of a patch by row: where it begins in the copies.
    offsets: Vec<usize>,
    /// The copies.
    copies: Vec<T>,
    /// The maps of a replica with zeros around each.
    plane: Vec<T>,
    /// What a panel of weights gives.
    maps: Vec<T>,
    /// Postsynaptic factors, all maps of a place beside each other.
    posts: Vec<T>,
}

/// Weights in the form that [`deliver`] wants.
pub fn pack<T: Lane>(convolution: &Convolution, weights: &[f64], panels: &mut Panels<T>) {
    let maps = convolution.output.channels;
    let size = [convolution.patch(), maps];
    panels.fill(size, |row, map| T::from_f64(weights[row * maps + map]));
}

/// Adds what a convolution of all replicas' `pre` gives to their drives, which count as 0 unless they have `begun`.
///
/// # Shape
/// `weights`: [`Convolution::patch`] rows of output channels. `pre`, `drive`: a padded row for each replica.
pub fn deliver<T: Lane>(
    arch: Arch,
    convolution: &Convolution,
    weights: &Panels<T>,
    pre: &[f64],
    (drive, begun): (&mut [f64], bool),
    room: &mut Room<T>,
) {
    let shape = Shape::new(convolution);
    let block = shape.block(drive.len() / shape.post_row);
    let parts = drive.chunks_mut(block * shape.post_row);
    for (drive, pre) in parts.zip(pre.chunks(block * shape.pre_row)) {
        let pre = pre.chunks_exact(shape.pre_row);
        arch.dispatch(Forward {
            shape: &shape,
            width: pre.len() * convolution.output.width,
            weights,
            pre,
            drive,
            begun,
            room,
        });
    }
}

/// Adds, summed over places and some replicas, postsynaptic factor times presynaptic patch to a change of weights.
///
/// # Shape
/// `change`: as [`change_of`] makes it. `post`, `pre`: a padded row for each replica; `post` is a factor for each neuron of the output.
pub fn learn<T: Lane>(
    arch: Arch,
    convolution: &Convolution,
    change: &mut [T],
    (post, pre): (&[f64], &[f64]),
    replicas: &[usize],
    room: &mut Room<T>,
) {
    let shape = Shape::new(convolution);
    for replicas in replicas.chunks(shape.block(replicas.len())) {
        arch.dispatch(Backward {
            shape: &shape,
            replicas,
            post,
            pre,
            change,
            room,
        });
    }
}

/// Room for a change of weights, all 0: rows and columns are padded.
pub fn change_of<T: Lane>(convolution: &Convolution, change: &mut Vec<T>) {
    let shape = Shape::new(convolution);
    change.clear();
    change.resize(
        convolution.patch().next_multiple_of(ROWS) * shape.pitch,
        T::default(),
    );
}

/// Adds a change to the weights.
pub fn add_change<T: Lane>(convolution: &Convolution, change: &[T], weights: &mut [f64]) {
    let shape = Shape::new(convolution);
    let rows = weights.chunks_exact_mut(shape.maps);
    for (weights, change) in rows.zip(change.chunks_exact(shape.pitch)) {
        for (w, change) in weights.iter_mut().zip(change) {
            *w += change.to_f64();
        }
    }
}

/// A convolution and what follows from it.
struct Shape<'c> {
    convolution: &'c Convolution,
    /// Maps of the output.
    maps: usize,
    /// Places of a map of the output.
    places: usize,
    /// Maps, padded.
    pitch: usize,
    /// Rows of an input map with the zeros around it.
    height: usize,
    pre_row: usize,
    post_row: usize,
}

impl<'c> Shape<'c> {
    fn new(convolution: &'c Convolution) -> Self {
        Shape {
            convolution,
            maps: convolution.output.channels,
            places: convolution.output.places(),
            pitch: convolution.output.channels.next_multiple_of(16),
            height: convolution.input.height + 2 * convolution.padding[0],
            pre_row: padded(convolution.input.size()),
            post_row: padded(convolution.output.size()),
        }
    }

    /// Copies of the input's maps.
    fn copies(&self) -> usize {
        self.convolution.kernel[1] * self.convolution.input.channels
    }

    /// Replicas in a block, of so many: rows of the output are whole tiles if they can be.
    fn block(&self, replicas: usize) -> usize {
        let width = self.convolution.output.width;
        let most = NUMBERS / (self.copies() * self.height * width);
        let whole = most * width / MARGIN * MARGIN / width;
        whole.max(most.min(1)).max(1).clamp(1, replicas.max(1))
    }

    /// Where each row of the patches begins, in copies of which a row has so many numbers.
    fn offsets(&self, width: usize, offsets: &mut Vec<usize>) {
        let Convolution { input, kernel, .. } = self.convolution;
        offsets.clear();
        for channel in 0..input.channels {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let map = kx * input.channels + channel;
                    offsets.push((map * self.height + ky) * width);
                }
            }
        }
    }

    /// Lays the inputs of some replicas out: for each column of a patch a copy of all maps, of which a row holds what the
    /// places of a row of the output see there, replica after replica.
    #[inline(always)]
    fn lay_out<'p, T: Lane>(
        &self,
        pre: impl Iterator<Item = &'p [f64]>,
        width: usize,
        (copies, plane): (&mut Vec<T>, &mut Vec<T>),
    ) {
        let Convolution {
            input,
            output,
            kernel,
            stride,
            padding,
        } = self.convolution;
        let rows = self.copies() * self.height;
        copies.resize(rows * width + MARGIN, T::default());
        let (pitch, map) = (input.width + 2 * padding[1], self.height * width);
        plane.clear();
        plane.resize(input.channels * self.height * pitch, T::default());
        for (replica, pre) in pre.enumerate() {
            self.frame(pre, (plane, pitch));
            // Reading what was just written would wait for it: a replica's maps are all framed first.
            for (line, from) in plane.chunks_exact(pitch).enumerate() {
                let place = line * width + replica * output.width;
                for kx in 0..kernel[1] {
                    let out = &mut copies[kx * input.channels * map + place..][..output.width];
                    shifted(&from[kx..], stride[1], out);
                }
            }
        }
    }

    /// Writes a replica's maps into frames of zeros.
    #[inline(always)]
    fn frame<T: Lane>(&self, pre: &[f64], (plane, pitch): (&mut [T], usize)) {
        let Convolution { input, padding, .. } = self.convolution;
        let planes = plane.chunks_exact_mut(self.height * pitch);
        for (map, plane) in pre.chunks_exact(input.places()).zip(planes) {
            let rows = plane.chunks_exact_mut(pitch).skip(padding[0]);
            for (values, out) in map.chunks_exact(input.width).zip(rows) {
                round(values, &mut out[padding[1]..padding[1] + input.width]);
            }
        }
    }
}

/// Takes numbers in the precision of the product; short rows have a length that the compiler knows.
#[inline(always)]
fn round<T: Lane>(values: &[f64], out: &mut [T]) {
    #[inline(always)]
    fn some<T: Lane, const N: usize>(values: &[f64], out: &mut [T]) {
        if let (Some(values), Some(out)) = (values.first_chunk::<N>(), out.first_chunk_mut()) {
            *out = values.map(T::from_f64);
        }
    }
    match out.len() {
        4 => some::<T, 4>(values, out),
        8 => some::<T, 8>(values, out),
        16 => some::<T, 16>(values, out),
        _ => {
            for (out, x) in out.iter_mut().zip(values) {
                *out = T::from_f64(*x);
            }
        }
    }
}

/// Every `stride`-th number; short copies have a length that the compiler knows.
#[inline(always)]
fn shifted<T: Copy>(from: &[T], stride: usize, out: &mut [T]) {
    #[inline(always)]
    fn copy<T: Copy, const N: usize>(from: &[T], out: &mut [T]) {
        if let (Some(from), Some(out)) = (from.first_chunk::<N>(), out.first_chunk_mut::<N>()) {
            *out = *from;
        }
    }
    match (stride, out.len()) {
        (1, 4) => copy::<T, 4>(from, out),
        (1, 8) => copy::<T, 8>(from, out),
        (1, 16) => copy::<T, 16>(from, out),
        _ => {
            let seen = from.iter().step_by(stride);
            out.iter_mut().zip(seen).for_each(|(out, x)| *out = *x);
        }
    }
}

/// A block's drives.
struct Forward<'a, T, P> {
    shape: &'a Shape<'a>,
    /// Numbers in a row of the copies.
    width: usize,
    weights: &'a Panels<T>,
    pre: P,
    drive: &'a mut [f64],
    begun: bool,
    room: &'a mut Room<T>,
}

impl<'p, T: Lane, P: Iterator<Item = &'p [f64]>> WithSimd for Forward<'_, T, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Forward {
            shape,
            width,
            weights,
            pre,
            drive,
            begun,
            room,
        } = self;
        shape.offsets(width, &mut room.offsets);
        shape.lay_out(pre, width, (&mut room.copies, &mut room.plane));
        let output = shape.convolution.output;
        let pitch = width.next_multiple_of(MARGIN);
        let strip = ROWS * pitch;
        room.maps.resize(strip * output.height, T::default());
        let mut first = 0;
        for (panel, maps) in weights.each() {
            for (y, out) in room.maps.chunks_exact_mut(strip).enumerate() {
                simd.vectorize(Product {
                    panel,
                    offsets: &room.offsets,
                    rows: &room.copies,
                    from: y * shape.convolution.stride[0] * width,
                    columns: width,
                    out: (out, pitch),
                });
            }
            let strips = room.maps.chunks_exact(strip).enumerate();
            for (y, strip) in strips {
                for (map, row) in strip.chunks_exact(pitch).take(maps).enumerate() {
                    let to = (first + map) * shape.places + y * output.width;
                    let drives = drive.chunks_exact_mut(shape.post_row);
                    for (drive, values) in drives.zip(row.chunks_exact(output.width)) {
                        give(values, (&mut drive[to..to + output.width], begun));
                    }
                }
            }
            first += maps;
        }
        if !begun {
            let rest = shape.maps * shape.places;
            let drives = drive.chunks_exact_mut(shape.post_row);
            drives.for_each(|drive| drive[rest..].fill(0.0));
        }
    }
}

/// Puts numbers into a drive, or adds them to one that has `begun`.
#[inline(always)]
fn give<T: Lane>(values: &[T], (drive, begun): (&mut [f64], bool)) {
    #[inline(always)]
    fn some<T: Lane, const N: usize>(values: &[T], drive: &mut [f64]) {
        if let (Some(values), Some(drive)) = (values.first_chunk::<N>(), drive.first_chunk_mut()) {
            *drive = values.map(T::to_f64);
        }
    }
    match (begun, values.len()) {
        (false, 4) => some::<T, 4>(values, drive),
        (false, 8) => some::<T, 8>(values, drive),
        (false, 16) => some::<T, 16>(values, drive),
        _ => {
            for (drive, x) in drive.iter_mut().zip(values) {
                let before = if begun { *drive } else { 0.0 };
                *drive = before + x.to_f64();
            }
        }
    }
}

/// What some replicas add to a change.
struct Backward<'a, T> {
    shape: &'a Shape<'a>,
    replicas: &'a [usize],
    post: &'a [f64],
    pre: &'a [f64],
    change: &'a mut [T],
    room: &'a mut Room<T>,
}

impl<T: Lane> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward {
            shape,
            replicas,
            post,
            pre,
            change,
            room,
        } = self;
        let (output, stride) = (shape.convolution.output, shape.convolution.stride[0]);
        let width = replicas.len() * output.width;
        shape.offsets(width, &mut room.offsets);
        let pre = replicas
            .iter()
            .map(|r| &pre[r * shape.pre_row..(r + 1) * shape.pre_row]);
        shape.lay_out(pre, width, (&mut room.copies, &mut room.plane));
        room.posts
            .resize(output.height * width * shape.pitch, T::default());
        for (at, r) in replicas.iter().enumerate() {
            let post = &post[r * shape.post_row..(r + 1) * shape.post_row];
            shape.turn(post, (at * output.width, width), &mut room.posts);
        }
        // Rows of the copies follow each other as rows of the output do, if none is left out.
        let (parts, length) = match stride {
            1 => (1, output.height * width),
            _ => (output.height, width),
        };
        let panels = change.chunks_exact_mut(ROWS * shape.pitch);
        for (offsets, out) in room.offsets.chunks(ROWS).zip(panels) {
            for part in 0..parts {
                let from = part * stride * width;
                let line = |i: usize| {
                    let begin = offsets[i.min(offsets.len() - 1)] + from;
                    &room.copies[begin..begin + length]
                };
                simd.vectorize(Correlation {
                    lines: std::array::from_fn(line),
                    right: &room.posts[part * length * shape.pitch..][..length * shape.pitch],
                    pitch: shape.pitch,
                    out,
                });
            }
        }
    }
}

impl Shape<'_> {
    /// Turns a replica's postsynaptic factors round, so that all maps of a place lie side by side: those of a row from column `at`
    /// on, in rows of `width`.
    #[inline(always)]
    fn turn<T: Lane>(&self, post: &[f64], (at, width): (usize, usize), out: &mut [T]) {
        let columns = self.convolution.output.width;
        for place in 0..self.places {
            let (y, x) = (place / columns, place % columns);
            let out = &mut out[(y * width + at + x) * self.pitch..][..self.maps];
            let maps = post[place..].iter().step_by(self.places);
            out.iter_mut()
                .zip(maps)
                .for_each(|(out, x)| *out = T::from_f64(*x));
        }
    }
}

#[cfg(test)]
mod tests;
