//! From a system to its modes.

use nalgebra::{DMatrix, DVector};

use super::balance::balance;
use super::block::Block;
use super::modes::{Modes, Placed};
use super::schur::is_zero;
use super::split::{Subspace, subspaces};
use super::{LinearError, MOST_VARIABLES, System};

/// A mode slower than this with a constant drive is a drift, not an approach to a far steady state
/// (1/ms). With a time constant above 10 s, the steady state could be so far that the difference
/// from it keeps too few digits.
const DRIFT: f64 = 1e-4;

/// Largest size of a coefficient.
const LARGEST: f64 = 1e100;

/// A block on its way into [`Modes`].
struct Part {
    /// n × k, in balanced coordinates.
    basis: DMatrix<f64>,
    flow: DMatrix<f64>,
    /// Steady state of the block's coordinates; `None` with a drift, when the last coordinate of
    /// `flow` is the constant 1.
    steady: Option<DVector<f64>>,
}

impl Part {
    /// A decaying or resting single exponential.
    fn is_scalar(&self) -> bool {
        self.flow.nrows() == 1 && self.flow[(0, 0)] <= 0.0
    }
}

impl Modes {
    /// Solves a system.
    ///
    /// # Errors
    /// A system whose numbers are absurd: see [`LinearError`].
    pub fn new(system: &System) -> Result<Modes, LinearError> {
        check(system)?;
        let n = system.n;
        let degenerate = || LinearError::Degenerate { n };
        let mut a = DMatrix::from_row_slice(n, n, &system.a);
        let scale = balance(&mut a);
        let spaces = subspaces(&a).ok_or(LinearError::Eigenvalues { n })?;
        let columns: Vec<_> = spaces.iter().flat_map(|s| s.basis.column_iter()).collect();
        let inverse = DMatrix::from_columns(&columns)
            .full_piv_lu()
            .try_inverse()
            .ok_or_else(degenerate)?;
        let b = DVector::from_iterator(n, system.b.iter().zip(&scale).map(|(b, d)| b / d));
        let drive = &inverse * &b;
        // What rounding may leave of a drive that is 0.
        let noise = |i: usize| 16.0 * n as f64 * f64::EPSILON * inverse.row(i).norm() * b.norm();
        let mut parts = Vec::new();
        let mut at = 0;
        for space in spaces {
            let k = space.flow.nrows();
            let beta = DVector::from_iterator(k, (at..at + k).map(|i| drive[i]));
            let driven = (at..at + k).any(|i| drive[i].abs() > noise(i));
            parts.push((at, part(space, &beta, driven).ok_or_else(degenerate)?));
            at += k;
        }
        // Slowest first, then what is not one exponential.
        parts.sort_by(|(_, p), (_, q)| {
            let key = |p: &Part| {
                if p.is_scalar() {
                    -p.flow[(0, 0)]
                } else {
                    f64::INFINITY
                }
            };
            key(p).total_cmp(&key(q))
        });
        let modes = assemble(&parts, &inverse, &scale);
        modes.is_finite().then_some(modes).ok_or_else(degenerate)
    }
}

/// The block with its steady state, or with the constant that drives it.
fn part(space: Subspace, beta: &DVector<f64>, driven: bool) -> Option<Part> {
    let Subspace {
        basis,
        flow,
        slowest,
    } = space;
    let k = flow.nrows();
    if slowest >= DRIFT {
        let steady = flow.clone().full_piv_lu().solve(beta)? * -1.0;
        return Some(Part {
            basis,
            flow,
            steady: Some(steady),
        });
    }
    if !driven {
        return Some(Part {
            basis,
            flow,
            steady: Some(DVector::zeros(k)),
        });
    }
    let mut augmented = DMatrix::zeros(k + 1, k + 1);
    augmented.view_mut((0, 0), (k, k)).copy_from(&flow);
    augmented.view_mut((0, k), (k, 1)).copy_from(beta);
    Some(Part {
        basis,
        flow: augmented,
        steady: None,
    })
}

/// Lays the blocks out, and undoes the balancing.
fn assemble(parts: &[(usize, Part)], inverse: &DMatrix<f64>, scale: &[f64]) -> Modes {
    let n = scale.len();
    let len = parts.iter().map(|(_, p)| p.flow.nrows()).sum();
    let mut modes = Modes {
        n,
        len,
        rates: Vec::new(),
        still: 0,
        blocks: Vec::new(),
        bounded: true,
        rows: vec![0.0; n * len],
        offset: vec![0.0; n],
        columns: vec![0.0; n * len],
        origin: vec![0.0; len],
    };
    let mut start = 0;
    for (at, part) in parts {
        let k = part.basis.ncols();
        for j in 0..k {
            for (i, d) in scale.iter().enumerate() {
                modes.rows[i * len + start + j] = part.basis[(i, j)] * d;
                modes.columns[i * len + start + j] = inverse[(at + j, i)] / d;
            }
        }
        match &part.steady {
            Some(steady) => {
                for j in 0..k {
                    modes.origin[start + j] = -steady[j];
                    for (i, d) in scale.iter().enumerate() {
                        modes.offset[i] += part.basis[(i, j)] * d * steady[j];
                    }
                }
            }
            None => modes.origin[start + k] = 1.0,
        }
        if part.is_scalar() {
            let rate = part.flow[(0, 0)].abs();
            modes.still += usize::from(is_zero(rate));
            modes.rates.push(rate);
        } else {
            let block = Block::new(&part.flow, part.steady.is_none());
            modes.bounded &= match &block {
                Block::Pair(pair) => pair.slow <= 0.0,
                Block::Cluster(cluster) => cluster.is_bounded(),
            };
            modes.blocks.push(Placed {
                start,
                end: start + part.flow.nrows(),
                block,
            });
        }
        start += part.flow.nrows();
    }
    modes
}

/// Refuses what is no system.
fn check(system: &System) -> Result<(), LinearError> {
    let n = system.n;
    if n == 0 || n > MOST_VARIABLES {
        return Err(LinearError::Size { n });
    }
    if system.a.len() != n * n || system.b.len() != n {
        let (coefficients, constants) = (system.a.len(), system.b.len());
        return Err(LinearError::Shape {
            n,
            coefficients,
            constants,
        });
    }
    let absurd = |x: &f64| x.is_nan() || x.abs() > LARGEST;
    if let Some(at) = system.a.iter().position(absurd) {
        return Err(LinearError::Coefficient {
            row: at / n,
            column: at % n,
            value: system.a[at],
        });
    }
    if let Some(row) = system.b.iter().position(absurd) {
        return Err(LinearError::Constant {
            row,
            value: system.b[row],
        });
    }
    Ok(())
}
