//! Which eigenvalues belong together, and the subspaces of the groups.

use nalgebra::{Complex, DMatrix, DVector};

use super::schur::{Triangular, orthonormal, size};

/// Eigenvalues closer than this share of the larger one are first taken as one group.
const GAP: f64 = 0.05;

/// Eigenvalues closer than this share of the norm of A are one group: the square root of the
/// rounding error, by which a double eigenvalue is torn apart.
const FLOOR: f64 = 1e-7;

/// A group whose eigenvectors keep at least this share of independence is split all the same, as the
/// modes of a symmetric tree. Of a receptor and a membrane, the share is the gap of their rates.
const INDEPENDENT: f64 = 0.05;

/// The same for three and more, whose flow as one block costs a hundred times as much. Some 3 of 16
/// digits are lost.
const INDEPENDENT_OF_MANY: f64 = 0.003;

/// An invariant subspace, and the flow in it.
pub(super) struct Subspace {
    /// n × k.
    pub(super) basis: DMatrix<f64>,
    /// k × k: A·basis = basis·flow.
    pub(super) flow: DMatrix<f64>,
    /// Least size of its eigenvalues (1/ms).
    pub(super) slowest: f64,
}

/// Splits the space of a (balanced) matrix as finely as can be done with little loss of precision.
pub(super) fn subspaces(a: &DMatrix<f64>) -> Option<Vec<Subspace>> {
    let schur = Triangular::new(a)?;
    let values = schur.eigenvalues();
    let rounding = 4.0 * a.nrows() as f64 * f64::EPSILON * a.norm();
    let mut all = Vec::new();
    for group in groups(&values, FLOOR * a.norm()) {
        if let Some(singles) = singles(a, &schur, &group, &values, rounding) {
            all.extend(singles);
            continue;
        }
        let basis = schur.real_basis(&group)?;
        let mut flow = basis.transpose() * (a * &basis);
        let k = group.len();
        let mean = snap(flow.trace() / k as f64, rounding);
        let rest = &flow - DMatrix::identity(k, k) * mean;
        // A multiple eigenvalue with as many eigenvectors: what is beside the diagonal is rounding.
        if rest.amax() <= rounding {
            for column in basis.column_iter() {
                let basis = DMatrix::from_columns(&[column]);
                let flow = DMatrix::from_element(1, 1, mean);
                all.push(Subspace {
                    basis,
                    flow,
                    slowest: mean.abs(),
                });
            }
            continue;
        }
        if flow.amax() <= rounding {
            flow.fill(0.0);
        }
        let sizes = group.iter().map(|&i| snap(size(values[i]), rounding));
        let slowest = sizes.fold(f64::INFINITY, f64::min);
        all.push(Subspace {
            basis,
            flow,
            slowest,
        });
    }
    Some(all)
}

/// The eigenvectors of a group of real eigenvalues, if they are independent enough.
fn singles(
    a: &DMatrix<f64>,
    schur: &Triangular,
    group: &[usize],
    values: &[Complex<f64>],
    rounding: f64,
) -> Option<Vec<Subspace>> {
    if group.iter().any(|&i| values[i].im.abs() > rounding) {
        return None;
    }
    let bases = group.iter().map(|&i| schur.real_basis(&[i]));
    let bases: Vec<DMatrix<f64>> = bases.collect::<Option<_>>()?;
    let vectors: Vec<DVector<f64>> = bases.iter().map(|b| b.column(0).into_owned()).collect();
    let (_, least) = orthonormal(vectors, group.len())?;
    let enough = if group.len() > 2 {
        INDEPENDENT_OF_MANY
    } else {
        INDEPENDENT
    };
    if least < enough {
        return None;
    }
    let one = |(basis, &i): (DMatrix<f64>, &usize)| {
        // An eigenvector of a double eigenvalue may be torn off the real axis; then its image tells.
        let image = a * &basis;
        if (&image - &basis * values[i].re).amax() > 64.0 * rounding {
            return None;
        }
        let value = snap(values[i].re, rounding);
        let flow = DMatrix::from_element(1, 1, value);
        Some(Subspace {
            basis,
            flow,
            slowest: value.abs(),
        })
    };
    bases.into_iter().zip(group).map(one).collect()
}

/// 0 for what is only rounding.
fn snap(value: f64, rounding: f64) -> f64 {
    if value.abs() <= rounding { 0.0 } else { value }
}

/// Groups by single linkage, each closed under conjugation.
fn groups(values: &[Complex<f64>], floor: f64) -> Vec<Vec<usize>> {
    let n = values.len();
    let mut label: Vec<usize> = (0..n).collect();
    let mut join = |i: usize, j: usize| {
        let (old, new) = (label[j], label[i]);
        label
            .iter_mut()
            .filter(|l| **l == old)
            .for_each(|l| *l = new);
    };
    for i in 0..n {
        for j in 0..i {
            let larger = size(values[i]).max(size(values[j]));
            if size(values[i] - values[j]) <= (GAP * larger).max(floor) {
                join(i, j);
            }
        }
        let distance = |j: &usize| size(values[*j] - values[i].conj());
        if let Some(j) = (0..n).min_by(|p, q| distance(p).total_cmp(&distance(q))) {
            join(i, j);
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for l in 0..n {
        let group: Vec<usize> = (0..n).filter(|&i| label[i] == l).collect();
        if !group.is_empty() {
            groups.push(group);
        }
    }
    groups
}
