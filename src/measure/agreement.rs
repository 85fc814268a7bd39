//! Comparisons between what other measures found.

/// Pearson correlation of two lists of the same length, over the pairs that are finite.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let pairs: Vec<(f64, f64)> = a
        .iter()
        .zip(b)
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .map(|(x, y)| (*x, *y))
        .collect();
    let n = pairs.len() as f64;
    let (mx, my) = (
        pairs.iter().map(|p| p.0).sum::<f64>() / n,
        pairs.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}

/// The largest absolute difference of two curves at some places; NaN if one does not reach them.
pub fn largest_difference(a: &[f64], b: &[f64], at: &[u64]) -> f64 {
    let difference = |k: &u64| {
        let k = *k as usize;
        match (a.get(k), b.get(k)) {
            (Some(x), Some(y)) => (x - y).abs(),
            _ => f64::NAN,
        }
    };
    at.iter()
        .map(difference)
        .fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_correlation_and_the_largest_difference() {
        let line = [1.0, 2.0, 3.0, f64::NAN];
        assert!((correlation(&line, &[2.0, 4.0, 6.0, 9.0]) - 1.0).abs() < 1e-15);
        assert!((correlation(&line, &[3.0, 2.0, 1.0, 0.0]) + 1.0).abs() < 1e-15);
        assert!((largest_difference(&line, &[1.5, 2.0, 1.0], &[0, 2]) - 2.0).abs() < 1e-15);
        assert!(largest_difference(&line, &[1.5], &[0, 2]).is_nan());
    }
}
