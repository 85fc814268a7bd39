//! Deliveries and changes of weights that are products of matrices: convolutions, and dense projections of many
//! replicas; and those over windows.

use pulp::Arch;

use crate::circuit::connect::Connectivity;
use crate::circuit::grid::Convolution;
use crate::circuit::{Circuit, Projection, ProjectionId};
use crate::compile::Weights;
use crate::engine::convolve::{self, Posts, Room};
use crate::engine::lanes::{self, Lane};
use crate::engine::matrix::{columns, multiply, rows};
use crate::engine::tile::{Panels, Product, ROWS};
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
}

impl<T: Lane> Convolve<T> {
    fn deliver(
        &mut self,
        convolution: &Convolution,
        weights: &[f64],
        packed: Option<&Panels<T>>,
        pre: &[f64],
        drive: (&mut [f64], bool),
    ) {
        let Convolve {
            room, weights: own, ..
        } = self;
        let weights = match packed {
            Some(packed) => packed,
            None => {
                convolve::pack(convolution, weights, own);
                own
            }
        };
        convolve::deliver(Arch::new(), convolution, weights, pre, drive, room);
    }

    fn learn(
        &mut self,
        convolution: &Convolution,
        weights: &mut [f64],
        (neurons, pre): (&[f64], &[f64]),
        active: &[usize],
    ) {
        let sides = (Posts { neurons, maps: &[] }, pre);
        convolve::change_of(convolution, &mut self.change);
        let (change, room) = (&mut self.change, &mut self.room);
        convolve::learn(Arch::new(), convolution, change, sides, active, room);
        convolve::add_change(convolution, &self.change, weights);
    }
}

/// Scratch memory of dense products in single precision.
#[derive(Debug, Default)]
struct Rows {
    panels: Panels<f32>,
    offsets: Vec<usize>,
    out: Vec<f32>,
}

impl Rows {
    /// Adds what a matrix of rows, one for each of `sources` neurons, gives to the drives of all replicas.
    fn deliver(
        &mut self,
        (matrix, row): (&[f32], usize),
        (pre, sources): (&[f64], usize),
        (drive, begun): (&mut [f64], bool),
        replicas: usize,
    ) {
        let (arch, length) = (Arch::new(), padded(sources));
        let at = |source: usize, replica: usize| pre[replica * length + source] as f32;
        self.panels.fill([sources, replicas], at);
        self.offsets.clear();
        self.offsets.extend((0..sources).map(|k| k * row));
        self.out.resize(ROWS * row, 0.0);
        let mut drives = drive.chunks_exact_mut(drive.len() / replicas);
        for (panel, count) in self.panels.each() {
            arch.dispatch(Product {
                panel,
                offsets: &self.offsets,
                rows: matrix,
                from: 0,
                columns: row,
                out: (&mut self.out, row),
            });
            for (drive, out) in drives.by_ref().zip(self.out.chunks_exact(row)).take(count) {
                for (drive, x) in drive.iter_mut().zip(out) {
                    let before = if begun { *drive } else { 0.0 };
                    *drive = before + f64::from(*x);
                }
            }
        }
    }
}

/// Weights in the form that products of many replicas want.
#[derive(Debug, Clone, Default)]
pub(super) enum Packed {
    /// As they are.
    #[default]
    Plain,
    /// Those of a convolution.
    Double(Panels<f64>),
    /// The same in single precision.
    Single(Panels<f32>),
    /// A matrix in single precision turned round: rows of padded length.
    Turned { row: usize, values: Vec<f32> },
}

impl Packed {
    /// Takes the weights of a projection.
    pub fn fill(&mut self, circuit: &Circuit, id: ProjectionId, weights: &Weights) {
        let projection = circuit.projection(id);
        match (weights, &projection.connectivity, projection.precision) {
            (Weights::Shared { values }, Connectivity::Convolution(shape), Precision::Double) => {
                if !matches!(self, Packed::Double(_)) {
                    *self = Packed::Double(Panels::default());
                }
                if let Packed::Double(panels) = self {
                    convolve::pack(shape, values, panels);
                }
            }
            (Weights::Shared { values }, Connectivity::Convolution(shape), Precision::Single) => {
                if !matches!(self, Packed::Single(_)) {
                    *self = Packed::Single(Panels::default());
                }
                if let Packed::Single(panels) = self {
                    convolve::pack(shape, values, panels);
                }
            }
            (Weights::Single { values, row, .. }, Connectivity::Dense { pre, post }, _) => {
                let turned = |p: &Projection| p.transpose_of == Some(id);
                if circuit.projections.iter().any(turned) {
                    self.turn((values, *row), [*pre, *post]);
                }
            }
            _ => {}
        }
    }

    fn turn(&mut self, (matrix, length): (&[f32], usize), [pre, post]: [usize; 2]) {
        let row = lanes::padded::<f32>(pre);
        let mut turned = match std::mem::take(self) {
            Packed::Turned { values, .. } => values,
            _ => Vec::new(),
        };
        turned.resize(row * post, 0.0);
        for (to, out) in turned.chunks_exact_mut(row).enumerate() {
            let column = matrix[to..].iter().step_by(length);
            out.iter_mut().zip(column).for_each(|(out, w)| *out = *w);
        }
        *self = Packed::Turned {
            row,
            values: turned,
        };
    }
}

/// Scratch memory of products, and how many threads there are.
#[derive(Debug, Default)]
pub(super) struct Products {
    pub threads: usize,
    double: Convolve<f64>,
    single: Convolve<f32>,
    dense: Rows,
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
        (weights, packed): (&Weights, Option<&Packed>),
        projection: &Projection,
        pre: &[f64],
        (drive, begun): (&mut [f64], bool),
        replicas: usize,
    ) -> bool {
        match (weights, &projection.connectivity) {
            (Weights::Shared { values }, Connectivity::Convolution(shape)) => {
                let drive = (drive, begun);
                match (projection.precision, packed) {
                    (Precision::Double, Some(Packed::Double(packed))) => {
                        self.double.deliver(shape, values, Some(packed), pre, drive);
                    }
                    (Precision::Double, _) => self.double.deliver(shape, values, None, pre, drive),
                    (Precision::Single, Some(Packed::Single(packed))) => {
                        self.single.deliver(shape, values, Some(packed), pre, drive);
                    }
                    (Precision::Single, _) => self.single.deliver(shape, values, None, pre, drive),
                }
            }
            (Weights::Shared { values }, Connectivity::Tiling(tiling)) => {
                let weight = values.first().copied().unwrap_or_default();
                windows::deliver(Arch::new(), tiling, weight, pre, (drive, begun));
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
                let matrix = (&values[..], *row);
                self.dense
                    .deliver(matrix, (pre, *n), (drive, begun), replicas);
            }
            _ => return false,
        }
        true
    }

    /// As [`Self::deliver`], the other way: from the targets of the projection `of` to its sources.
    pub fn deliver_back(
        &mut self,
        (weights, packed): (&Weights, Option<&Packed>),
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
        match (weights, packed) {
            _ if replicas < MANY => return false,
            (Weights::Single { .. }, Some(Packed::Turned { row, values })) => {
                let matrix = (&values[..], *row);
                self.dense
                    .deliver(matrix, (pre, post), (drive, begun), replicas);
            }
            (Weights::Dense { values, row }, _) => {
                multiply(
                    size,
                    (pre, from),
                    (values, columns(*row)),
                    (drive, to),
                    begun,
                );
            }
            (Weights::Single { values, row, .. }, _) => {
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

    /// Adds what replicas that have something to learn change to the change of a convolution.
    pub fn take_maps(
        &mut self,
        shape: &Convolution,
        sides: (Posts<'_>, &[f64]),
        active: &[usize],
        change: &mut Vec<f32>,
    ) {
        if change.is_empty() {
            convolve::change_of(shape, change);
        }
        let room = &mut self.single.room;
        convolve::learn(Arch::new(), shape, change, sides, active, room);
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
        (replicas, active): (usize, &[usize]),
    ) {
        match (weights, &projection.connectivity) {
            (Weights::Shared { values }, Connectivity::Convolution(shape)) => {
                match projection.precision {
                    Precision::Double => self.double.learn(shape, values, (post, pre), active),
                    Precision::Single => self.single.learn(shape, values, (post, pre), active),
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
