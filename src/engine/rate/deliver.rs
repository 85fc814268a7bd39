//! What a projection's synapses give to the drive of their targets.

use pulp::Arch;

use crate::circuit::connect::{Connectivity, Sparse};
use crate::compile::Weights;
use crate::engine::{dense, elementwise, transposed};
use crate::vector::Singles;

/// Adds what a matrix gives to a drive, forwards or turned round.
type Deliver<T> = fn(Arch, (&[T], usize), &[T], &mut [f64], bool);

/// The synapses of a projection.
pub(super) struct Synapses<'a> {
    /// Instructions of this machine.
    pub arch: Arch,
    /// Weights, of this projection or of the one that it turns round.
    pub weights: &'a Weights,
    /// Connections of the projection whose weights they are.
    pub connectivity: &'a Connectivity,
    /// Whether values go from its targets to its sources.
    pub transposed: bool,
}

impl Synapses<'_> {
    /// Adds what one replica's values `pre` give to its drive, which counts as 0 if nothing has `begun` it; `rounded` is
    /// scratch memory.
    pub fn deliver(&self, pre: &[f64], drive: &mut [f64], begun: bool, rounded: &mut Singles) {
        match (self.weights, self.connectivity) {
            (Weights::Single { row, values, .. }, Connectivity::Dense { pre: n, post }) => {
                let n = if self.transposed { *post } else { *n };
                rounded.resize(n, 0.0);
                elementwise::round(self.arch, &pre[..n], rounded);
                let deliver: Deliver<f32> = if self.transposed {
                    transposed::deliver
                } else {
                    dense::deliver
                };
                return deliver(self.arch, (values, *row), rounded, drive, begun);
            }
            (Weights::Dense { row, values }, Connectivity::Dense { pre: n, post }) => {
                let (n, deliver): (_, Deliver<f64>) = if self.transposed {
                    (*post, transposed::deliver)
                } else {
                    (*n, dense::deliver)
                };
                return deliver(self.arch, (values, *row), &pre[..n], drive, begun);
            }
            _ => {}
        }
        if !begun {
            drive.fill(0.0);
        }
        match (self.weights, self.connectivity) {
            (Weights::Sparse { values }, Connectivity::Sparse(sparse)) if self.transposed => {
                gather(sparse, values, pre, drive);
            }
            (Weights::Sparse { values }, Connectivity::Sparse(sparse)) => {
                scatter(sparse, values, pre, drive);
            }
            // One to one, which is its own transpose.
            (weights, _) => elementwise::add_product(self.arch, drive, &weights.values(), pre),
        }
    }
}

/// Source by source, to the targets of each.
fn scatter(sparse: &Sparse, values: &[f64], pre: &[f64], drive: &mut [f64]) {
    for (row, x) in sparse.offsets.windows(2).zip(pre) {
        let targets = &sparse.targets[row[0]..row[1]];
        for (w, target) in values[row[0]..row[1]].iter().zip(targets) {
            let d = &mut drive[*target as usize];
            *d = w.mul_add(*x, *d);
        }
    }
}

/// The other way: from the targets of each source to it.
fn gather(sparse: &Sparse, values: &[f64], pre: &[f64], drive: &mut [f64]) {
    for (row, drive) in sparse.offsets.windows(2).zip(drive) {
        let targets = &sparse.targets[row[0]..row[1]];
        for (w, target) in values[row[0]..row[1]].iter().zip(targets) {
            *drive = w.mul_add(pre[*target as usize], *drive);
        }
    }
}
