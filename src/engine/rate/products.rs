//! Deliveries and changes of weights that are products of matrices: convolutions, and dense projections of many
//! replicas; and those over windows.

use pulp::Arch;

use crate::circuit::Projection;
use crate::circuit::connect::Connectivity;
use crate::circuit::grid::Convolution;
use crate::compile::Weights;
use crate::engine::convolve::{self, Room};
use crate::engine::lanes::Lane;
use crate::engine::matrix::{columns, multiply, rows};
use crate::engine::tile::Panels;
use crate::engine::windows;
use crate::lang::vm::padded;
use crate::netlist::model::Precision;

/// From so many replicas on, a dense projection is one product of matrices.
const MANY: usize = 8;

/// Scratch memory of convolutions in one precision.
#[derive(Debug, Default)]
struct Convolve<T> {
    room: Room<T>,
    weights: Panels<T>,
    change: Vec<T>,
    active: Vec<usize>,
}

impl<T: Lane> Convolve<T> {
    fn deliver(
        &mut self,
        convolution: &Convolution,
        weights: &[f64],
        pre: &[f64],
        drive: (&mut [f64], bool),
    ) {
        convolve::pack(convolution, weights, &mut self.weights);
        let (weights, room) = (&self.weights, &mut self.room);
        convolve::deliver(Arch::new(), convolution, weights, pre, drive, room);
    }

    fn learn(&mut self, convolution: &Convolution, weights: &mut [f64], sides: (&[f64], &[f64])) {
        convolve::active(convolution, sides.0, &mut self.active);
        convolve::change_of(convolution, &mut self.change);
        let (change, room) = (&mut self.change, &mut self.room);
        convolve::learn(Arch::new(), convolution, change, sides, &self.active, room);
        convolve::add_change(convolution, &self.change, weights);
    }
}

/// Scratch memory of products, and how many threads there are.
#[derive(Debug, Default)]
pub(super) struct Products {
    pub threads: usize,
    double: Convolve<f64>,
    single: Convolve<f32>,
    /// Sides of a dense product in single precision.
    sides: [Vec<f32>; 2],
    /// Their product.
    change: Vec<f32>,
}

impl Products {
    /// Adds what a projection gives to the drives of all replicas, which count as 0 unless they have `begun`; `false`
    /// if it is none of these.
    pub fn deliver(
        &mut self,
        weights: &Weights,
        projection: &Projection,
        pre: &[f64],
        (drive, begun): (&mut [f64], bool),
        replicas: usize,
    ) -> bool {
        match (weights, &projection.connectivity) {
            (Weights::Shared { values }, Connectivity::Convolution(shape)) => {
                let drive = (drive, begun);
                match projection.precision {
                    Precision::Double => self.double.deliver(shape, values, pre, drive),
                    Precision::Single => self.single.deliver(shape, values, pre, drive),
                }
            }
            (Weights::Shared { values }, Connectivity::Tiling(tiling)) => {
                let weight = values.first().copied().unwrap_or_default();
                windows::deliver(tiling, weight, pre, (drive, begun));
            }
            (Weights::Dense { values, row }, Connectivity::Dense { pre: n, .. })
                if replicas >= MANY =>
            {
                let pre = (pre, rows(padded(*n)));
                let size = [replicas, *n, *row];
                multiply(size, pre, (values, rows(*row)), (drive, rows(*row)), begun);
            }
            (Weights::Single { values, row, .. }, Connectivity::Dense { pre: n, .. })
                if replicas >= MANY =>
            {
                let [pre_side, out] = &mut self.sides;
                round(pre, pre_side);
                out.clear();
                out.resize(replicas * row, 0.0);
                let pre = (&pre_side[..], rows(padded(*n)));
                let size = [replicas, *n, *row];
                multiply(size, pre, (values, rows(*row)), (out, rows(*row)), false);
                let drives = drive.chunks_exact_mut(drive.len() / replicas);
                for (drive, out) in drives.zip(out.chunks_exact(*row)) {
                    for (drive, x) in drive.iter_mut().zip(out) {
                        let before = if begun { *drive } else { 0.0 };
                        *drive = before + f64::from(*x);
                    }
                }
            }
            _ => return false,
        }
        true
    }

    /// As [`Self::deliver`], the other way: from the targets of the projection `of` to its sources.
    pub fn deliver_back(
        &mut self,
        weights: &Weights,
        of: &Projection,
        pre: &[f64],
        (drive, begun): (&mut [f64], bool),
        replicas: usize,
    ) -> bool {
        let Connectivity::Dense { pre: n, post } = of.connectivity else {
            return false;
        };
        let (from, to) = (rows(padded(post)), rows(padded(n)));
        let size = [replicas, post, n];
        match weights {
            _ if replicas < MANY => return false,
            Weights::Dense { values, row } => {
                multiply(
                    size,
                    (pre, from),
                    (values, columns(*row)),
                    (drive, to),
                    begun,
                );
            }
            Weights::Single { values, row, .. } => {
                let [pre_side, out] = &mut self.sides;
                round(pre, pre_side);
                out.clear();
                out.resize(drive.len(), 0.0);
                let weights = (&values[..], columns(*row));
                multiply(size, (pre_side, from), weights, (out, to), false);
                for (drive, x) in drive.iter_mut().zip(out) {
                    let before = if begun { *drive } else { 0.0 };
                    *drive = before + f64::from(*x);
                }
            }
            _ => return false,
        }
        true
    }

    /// Whether a projection learns by such products.
    pub fn take(projection: &Projection, replicas: usize) -> bool {
        match projection.connectivity {
            Connectivity::Convolution(_) => true,
            Connectivity::Dense { .. } => replicas >= MANY,
            _ => false,
        }
    }

    /// Adds postsynaptic times presynaptic factors of all replicas to the weights of a projection that [learns by
    /// products](Self::take).
    pub fn learn(
        &mut self,
        weights: &mut Weights,
        projection: &Projection,
        (post, pre): (&[f64], &[f64]),
        replicas: usize,
    ) {
        match (weights, &projection.connectivity) {
            (Weights::Shared { values }, Connectivity::Convolution(shape)) => {
                match projection.precision {
                    Precision::Double => self.double.learn(shape, values, (post, pre)),
                    Precision::Single => self.single.learn(shape, values, (post, pre)),
                }
            }
            (Weights::Dense { values, row }, Connectivity::Dense { pre: n, .. })
                if projection.precision == Precision::Single =>
            {
                // The sum of an optimiser.
                let [pre_side, post_side] = &mut self.sides;
                round(pre, pre_side);
                round(post, post_side);
                self.change.clear();
                self.change.resize(values.len(), 0.0);
                let pre = (&pre_side[..], columns(padded(*n)));
                let (post, change) = (&post_side[..], &mut self.change[..]);
                let size = [*n, replicas, *row];
                multiply(size, pre, (post, rows(*row)), (change, rows(*row)), false);
                let changed = values.iter_mut().zip(&self.change);
                changed.for_each(|(w, change)| *w += f64::from(*change));
            }
            (Weights::Dense { values, row }, Connectivity::Dense { pre: n, .. }) => {
                let pre = (pre, columns(padded(*n)));
                let size = [*n, replicas, *row];
                multiply(size, pre, (post, rows(*row)), (values, rows(*row)), true);
            }
            (Weights::Single { values, row, .. }, Connectivity::Dense { pre: n, .. }) => {
                let [pre_side, post_side] = &mut self.sides;
                round(pre, pre_side);
                round(post, post_side);
                let length = post.len() / replicas;
                let pre = (&pre_side[..], columns(padded(*n)));
                // The weights' rows may be padded further than the factors'.
                let size = [*n, replicas, length];
                let post = (&post_side[..], rows(length));
                multiply(size, pre, post, (values, rows(*row)), true);
            }
            _ => {}
        }
    }
}

/// Numbers in single precision.
fn round(numbers: &[f64], out: &mut Vec<f32>) {
    out.clear();
    out.extend(numbers.iter().map(|x| *x as f32));
}
