//! Convolutions as products of matrices, from inputs that are laid out once, all replicas of a place beside each other: what all places of
//! a row of the output read at one place of their patches then lies side by side, and what they read one place further on is shifted by
//! as many numbers as there are replicas. Nothing is copied for each place of a patch (after Cho and Brand 2017, memory-efficient
//! convolution, who copy once for each column).
//!
//! Replicas go in blocks whose maps fit into the cache.

mod arrange;

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lane;
use super::tile::{Correlation, MARGIN, Panels, Product, ROWS, Runs};
use crate::circuit::grid::Convolution;
use crate::lang::vm::padded;
use arrange::{Desk, Replicas};

/// Numbers in the maps of a block, at most: they stay in the second-level cache.
const NUMBERS: usize = 96 << 10;

/// Scratch memory of convolutions.
#[derive(Debug, Default)]
pub struct Room<T> {
    /// Numbers of all replicas.
    all: Vec<usize>,
    /// Row of a patch by row: where it begins in what is read.
    offsets: Vec<usize>,
    /// Inputs with zeros around each map.
    input: Vec<T>,
    /// Copies of them, if places are left out.
    copies: Vec<T>,
    /// What a panel of weights gives.
    output: Vec<T>,
    /// Postsynaptic factors, all maps of a place beside each other.
    posts: Vec<T>,
    desk: Desk<T>,
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
    let replicas = drive.len() / shape.post_row;
    let mut all = std::mem::take(&mut room.all);
    all.clear();
    all.extend(0..replicas);
    let block = shape.block(replicas);
    for (numbers, drive) in all
        .chunks(block)
        .zip(drive.chunks_mut(block * shape.post_row))
    {
        arch.dispatch(Forward {
            shape: &shape,
            weights,
            pre: shape.inputs(pre, numbers),
            drive,
            begun,
            room,
        });
    }
    room.all = all;
}

/// A postsynaptic factor in all replicas: a padded row for each.
#[derive(Debug, Clone, Copy)]
pub struct Posts<'a> {
    /// A number for each neuron of the output.
    pub neurons: &'a [f64],
    /// One more for each map, or nothing.
    pub maps: &'a [f64],
}

impl<'a> Posts<'a> {
    /// A factor, or that of the maps alone if the neurons' is given.
    pub fn of(factor: &'a [f64], neurons: Option<&'a [f64]>) -> Posts<'a> {
        match neurons {
            Some(neurons) => Posts {
                neurons,
                maps: factor,
            },
            None => Posts {
                neurons: factor,
                maps: &[],
            },
        }
    }
}

/// Adds, summed over places and some replicas, postsynaptic factor times presynaptic patch to a change of weights.
///
/// # Shape
/// `change`: as [`change_of`] makes it. `pre`: a padded row for each replica.
pub fn learn<T: Lane>(
    arch: Arch,
    convolution: &Convolution,
    change: &mut [T],
    (post, pre): (Posts<'_>, &[f64]),
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
    /// Rows and columns of an input map with the zeros around it.
    height: usize,
    width: usize,
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
            width: convolution.input.width + 2 * convolution.padding[1],
            pre_row: padded(convolution.input.size()),
            post_row: padded(convolution.output.size()),
        }
    }

    /// Some replicas' inputs.
    fn inputs<'a>(&self, rows: &'a [f64], numbers: &'a [usize]) -> Replicas<'a> {
        let length = self.pre_row;
        Replicas {
            numbers,
            rows,
            length,
        }
    }

    /// Copies of the input's maps beside these, if places are left out in a row.
    fn copies(&self) -> usize {
        self.convolution.kernel[1]
    }

    /// Numbers of a row of what is read, in so many replicas.
    fn row(&self, replicas: usize) -> usize {
        match self.convolution.stride[1] {
            1 => self.width * replicas,
            _ => self.convolution.output.width * replicas,
        }
    }

    /// Replicas in a block, of so many.
    fn block(&self, replicas: usize) -> usize {
        let rows = self.convolution.input.channels * self.height;
        let most = NUMBERS / (rows * self.width);
        // Whole vectors if there are many.
        let whole = if most > 16 { most / 16 * 16 } else { most };
        whole.clamp(1, replicas.max(1))
    }

    /// Where each row of the patches begins in what is read, in so many replicas.
    fn offsets(&self, replicas: usize, offsets: &mut Vec<usize>) {
        let Convolution { input, kernel, .. } = self.convolution;
        let row = self.row(replicas);
        offsets.clear();
        for channel in 0..input.channels {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    offsets.push(match self.convolution.stride[1] {
                        1 => (channel * self.height + ky) * row + kx * replicas,
                        _ => ((kx * input.channels + channel) * self.height + ky) * row,
                    });
                }
            }
        }
    }
}

/// A block's drives.
struct Forward<'a, T> {
    shape: &'a Shape<'a>,
    weights: &'a Panels<T>,
    pre: Replicas<'a>,
    drive: &'a mut [f64],
    begun: bool,
    room: &'a mut Room<T>,
}

impl<T: Lane> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Forward {
            shape,
            weights,
            pre,
            drive,
            begun,
            room,
        } = self;
        let replicas = pre.numbers.len();
        shape.offsets(replicas, &mut room.offsets);
        shape.lay_out(pre, (&mut room.input, &mut room.copies), &mut room.desk);
        let strides = shape.convolution.stride;
        let rows = if strides[1] == 1 {
            &room.input
        } else {
            &room.copies
        };
        let columns = shape.convolution.output.width * replicas;
        // What is written beyond the end of a row is written again by the next one.
        let pitch = shape.places * replicas + MARGIN;
        room.output.resize(ROWS * pitch, T::default());
        let mut first = 0;
        for (panel, maps) in weights.each() {
            for y in 0..shape.convolution.output.height {
                simd.vectorize(Product {
                    panel,
                    offsets: &room.offsets,
                    rows,
                    from: y * strides[0] * shape.row(replicas),
                    columns,
                    out: (&mut room.output[y * columns..], pitch),
                });
            }
            for (map, values) in room.output.chunks_exact(pitch).take(maps).enumerate() {
                shape.give(values, first + map, (drive, begun), &mut room.desk);
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

/// What some replicas add to a change.
struct Backward<'a, T> {
    shape: &'a Shape<'a>,
    replicas: &'a [usize],
    post: Posts<'a>,
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
        let (output, strides) = (shape.convolution.output, shape.convolution.stride);
        let count = replicas.len();
        shape.offsets(count, &mut room.offsets);
        let pre = shape.inputs(pre, replicas);
        shape.lay_out(pre, (&mut room.input, &mut room.copies), &mut room.desk);
        let neurons = Replicas {
            numbers: replicas,
            rows: post.neurons,
            length: shape.post_row,
        };
        room.posts
            .resize(shape.places * count * shape.pitch, T::default());
        shape.turn(neurons, post.maps, (&mut room.posts, &mut room.desk));
        let rows = if strides[1] == 1 {
            &room.input
        } else {
            &room.copies
        };
        let panels = change.chunks_exact_mut(ROWS * shape.pitch);
        for (offsets, out) in room.offsets.chunks(ROWS).zip(panels) {
            simd.vectorize(Correlation {
                rows,
                lines: std::array::from_fn(|i| offsets[i.min(offsets.len() - 1)]),
                runs: Runs {
                    count: output.height,
                    length: output.width * count,
                    apart: strides[0] * shape.row(count),
                },
                right: &room.posts,
                pitch: shape.pitch,
                out,
            });
        }
    }
}

#[cfg(test)]
mod tests;
