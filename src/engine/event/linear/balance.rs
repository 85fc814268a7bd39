//! Scales of the variables, so that what is close and what is small does not depend on units.

use nalgebra::DMatrix;

use super::schur::is_zero;

/// Scales a matrix by powers of two, x = scale·z, which is without rounding.
///
/// Among variables that act on each other (compartments of a tree), rows and columns become about
/// equally large. Where the action goes one way only (a receptor's current into a compartment), the
/// source is scaled so that its strongest effect is as fast as the modes themselves.
pub(super) fn balance(a: &mut DMatrix<f64>) -> Vec<f64> {
    let n = a.nrows();
    let reaches = reachable(a);
    let mut scale = vec![1.0; n];
    within(a, &reaches, &mut scale);
    between(a, &reaches, &mut scale);
    scale
}

/// z_i = x_i/factor.
fn rescale(a: &mut DMatrix<f64>, scale: &mut [f64], i: usize, factor: f64) {
    scale[i] *= factor;
    a.row_mut(i).unscale_mut(factor);
    a.column_mut(i).scale_mut(factor);
}

/// Whether variable i depends on variable j, over any number of others.
fn reachable(a: &DMatrix<f64>) -> Vec<Vec<bool>> {
    let n = a.nrows();
    let depends = |i: usize, j: usize| i == j || !is_zero(a[(i, j)]);
    let mut reaches: Vec<Vec<bool>> = (0..n)
        .map(|i| (0..n).map(|j| depends(i, j)).collect())
        .collect();
    for k in 0..n {
        for i in 0..n {
            for j in 0..n {
                reaches[i][j] |= reaches[i][k] && reaches[k][j];
            }
        }
    }
    reaches
}

/// Scales the sources of groups that do not act back, readers first.
fn between(a: &mut DMatrix<f64>, reaches: &[Vec<bool>], scale: &mut [f64]) {
    let n = a.nrows();
    let fastest = a.diagonal().amax();
    let mut order: Vec<usize> = (0..n).collect();
    // Who reads more comes first; all of a group read the same.
    order.sort_by_key(|&i| (n - reaches[i].iter().filter(|r| **r).count(), i));
    let mut done = vec![false; n];
    for &first in &order {
        if done[first] {
            continue;
        }
        let group: Vec<usize> = (0..n)
            .filter(|&j| reaches[first][j] && reaches[j][first])
            .collect();
        let mut strongest = 0.0_f64;
        for &j in &group {
            done[j] = true;
            for i in (0..n).filter(|i| !group.contains(i)) {
                let rate = a[(i, i)].abs().max(a[(j, j)].abs());
                let rate = if rate > 0.0 {
                    rate
                } else {
                    fastest.max(f64::MIN_POSITIVE)
                };
                strongest = strongest.max(a[(i, j)].abs() / rate);
            }
        }
        // The power of two at or below; nothing is gained by extremes.
        if strongest > 1e-100 && strongest < 1e100 {
            let power = f64::from_bits(strongest.to_bits() & 0x7ff0_0000_0000_0000);
            for &j in &group {
                rescale(a, scale, j, 1.0 / power);
            }
        }
    }
}

/// Makes rows and columns of each group of variables that act on each other equally large.
///
/// # Source
/// B. N. Parlett and C. Reinsch (1969), Balancing a matrix for calculation of eigenvalues and
/// eigenvectors, Numer. Math. 13, 293. <https://doi.org/10.1007/BF02165404>
fn within(a: &mut DMatrix<f64>, reaches: &[Vec<bool>], scale: &mut [f64]) {
    let n = a.nrows();
    for _ in 0..100 {
        let mut done = true;
        for i in 0..n {
            let others = (0..n).filter(|&j| j != i && reaches[i][j] && reaches[j][i]);
            let column: f64 = others.clone().map(|j| a[(j, i)].abs()).sum();
            let row: f64 = others.map(|j| a[(i, j)].abs()).sum();
            if is_zero(column) || is_zero(row) {
                continue;
            }
            let mut factor = 1.0;
            let (mut c, mut r) = (column, row);
            while c < r / 2.0 {
                (factor, c, r) = (factor * 2.0, c * 2.0, r / 2.0);
            }
            while c >= r * 2.0 {
                (factor, c, r) = (factor / 2.0, c / 2.0, r * 2.0);
            }
            if c + r < 0.95 * (column + row) {
                done = false;
                rescale(a, scale, i, factor);
            }
        }
        if done {
            break;
        }
    }
}
