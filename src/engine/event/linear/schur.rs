//! Schur form A = U·T·Uᴴ, and bases of the subspaces that belong to some of its eigenvalues.

use nalgebra::{Complex, DMatrix, DVector, Schur};

type ComplexMatrix = DMatrix<Complex<f64>>;

/// A unitary U and an upper triangular T.
#[derive(Clone)]
pub(super) struct Triangular {
    pub(super) t: ComplexMatrix,
    u: ComplexMatrix,
}

impl Triangular {
    /// Of a real square matrix; `None` if the iteration fails.
    ///
    /// A matrix that is triangular but for the order of its variables (a point neuron and its
    /// receptors) needs no iteration, and its eigenvalues are its diagonal to the last bit.
    pub(super) fn new(a: &DMatrix<f64>) -> Option<Self> {
        let n = a.nrows();
        if let Some(order) = triangular_order(a) {
            let t = DMatrix::from_fn(n, n, |i, j| Complex::new(a[(order[i], order[j])], 0.0));
            let one = |is| Complex::new(if is { 1.0 } else { 0.0 }, 0.0);
            let u = DMatrix::from_fn(n, n, |i, j| one(order[j] == i));
            return Some(Triangular { t, u });
        }
        let complex = a.map(|x| Complex::new(x, 0.0));
        // With multiple eigenvalues, what is to become 0 may stay at a few roundings.
        let attempt =
            |&roundings: &f64| Schur::try_new(complex.clone(), roundings * f64::EPSILON, 100 * n);
        let (u, t) = [1.0, 8.0, 64.0].iter().find_map(attempt)?.unpack();
        let finite = t
            .iter()
            .chain(&u)
            .all(|z| z.re.is_finite() && z.im.is_finite());
        finite.then_some(Triangular { t, u })
    }

    /// Eigenvalues, in the order of T.
    pub(super) fn eigenvalues(&self) -> Vec<Complex<f64>> {
        self.t.diagonal().iter().copied().collect()
    }

    /// An orthonormal real basis, n × k, of the invariant subspace of `chosen` eigenvalues, which
    /// must be closed under conjugation.
    pub(super) fn real_basis(&self, chosen: &[usize]) -> Option<DMatrix<f64>> {
        let mut moved = self.clone();
        let mut order = chosen.to_vec();
        order.sort_unstable();
        // The eigenvalue at `from` goes up to `to`; those above keep their order.
        for (to, &from) in order.iter().enumerate() {
            for k in (to..from).rev() {
                moved.swap(k);
            }
        }
        let vectors = moved.u.columns(0, chosen.len());
        let parts: Vec<DVector<f64>> = vectors
            .column_iter()
            .flat_map(|v| [v.map(|z| z.re), v.map(|z| z.im)])
            .collect();
        let (basis, _) = orthonormal(parts, chosen.len())?;
        Some(DMatrix::from_columns(&basis))
    }

    /// Exchanges the eigenvalues k and k + 1 by a rotation of their plane.
    fn swap(&mut self, k: usize) {
        let (x, y) = (self.t[(k, k + 1)], self.t[(k + 1, k + 1)] - self.t[(k, k)]);
        let size = x.norm_sqr() + y.norm_sqr();
        let zero = Complex::new(0.0, 0.0);
        let one = Complex::new(1.0, 0.0);
        let (x, y) = if size > 0.0 {
            (x / size.sqrt(), y / size.sqrt())
        } else {
            (zero, one)
        };
        let upper = self.t[(k + 1, k + 1)];
        let lower = self.t[(k, k)];
        // New columns: (x, y) and (−ȳ, x̄).
        for m in [&mut self.t, &mut self.u] {
            for i in 0..m.nrows() {
                let (p, q) = (m[(i, k)], m[(i, k + 1)]);
                m[(i, k)] = p * x + q * y;
                m[(i, k + 1)] = q * x.conj() - p * y.conj();
            }
        }
        for j in 0..self.t.ncols() {
            let (p, q) = (self.t[(k, j)], self.t[(k + 1, j)]);
            self.t[(k, j)] = p * x.conj() + q * y.conj();
            self.t[(k + 1, j)] = q * x - p * y;
        }
        self.t[(k, k)] = upper;
        self.t[(k + 1, k + 1)] = lower;
        self.t[(k + 1, k)] = zero;
    }
}

/// An order of the variables in which the matrix is upper triangular, if there is one.
fn triangular_order(a: &DMatrix<f64>) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = (0..a.nrows()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        // Last comes what depends on nothing else that is left.
        let alone = |&i: &usize| left.iter().all(|&j| j == i || is_zero(a[(i, j)]));
        let at = left.iter().rposition(alone)?;
        order.push(left.remove(at));
    }
    order.reverse();
    Some(order)
}

/// Exactly 0.
pub(super) fn is_zero(x: f64) -> bool {
    x.abs() <= 0.0
}

/// |z|.
pub(super) fn size(z: Complex<f64>) -> f64 {
    z.norm_sqr().sqrt()
}

/// `k` orthonormal vectors that span `vectors` (Gram–Schmidt with pivots, twice), and the least
/// share of a unit vector that was left when it was chosen.
pub(super) fn orthonormal(
    mut vectors: Vec<DVector<f64>>,
    k: usize,
) -> Option<(Vec<DVector<f64>>, f64)> {
    let mut basis: Vec<DVector<f64>> = Vec::new();
    let mut least = f64::INFINITY;
    for _ in 0..k {
        let sizes = vectors.iter().map(|v| v.norm());
        let (at, size) = sizes.enumerate().max_by(|p, q| p.1.total_cmp(&q.1))?;
        if size.is_nan() || size <= 0.0 {
            return None;
        }
        least = least.min(size);
        let mut next = vectors.swap_remove(at) / size;
        for known in &basis {
            let shared = next.dot(known);
            next.axpy(-shared, known, 1.0);
        }
        let size = next.norm();
        next /= size;
        for v in &mut vectors {
            let shared = v.dot(&next);
            v.axpy(-shared, &next, 1.0);
        }
        basis.push(next);
    }
    Some((basis, least))
}
