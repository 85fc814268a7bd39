//! Means and standard errors over realizations.

/// Mean and spread of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many finite values there are.
    pub n: usize,
    /// Their mean; NaN if there are none.
    pub mean: f64,
    /// Their standard deviation, with n − 1; NaN for fewer than two.
    pub sd: f64,
    /// The standard error of the mean, sd / √n; NaN for fewer than two.
    pub se: f64,
}

impl Summary {
    /// Summarises the finite values, summed in the order given.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let finite: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let n = finite.len();
        let mean = finite.iter().sum::<f64>() / n as f64;
        let sd = match n {
            0 | 1 => f64::NAN,
            _ => {
                let squares: f64 = finite.iter().map(|v| (v - mean) * (v - mean)).sum();
                (squares / (n - 1) as f64).sqrt()
            }
        };
        Self {
            n,
            mean: if n == 0 { f64::NAN } else { mean },
            sd,
            se: sd / (n as f64).sqrt(),
        }
    }
}

/// Summarises curves place by place: where the curve that reaches furthest was evaluated, and the values there of all that
/// were evaluated at the same place.
pub fn curve_summary(curves: &[(Vec<f64>, Vec<f64>)]) -> (Vec<f64>, Vec<Summary>) {
    let longest = curves.iter().map(|(x, y)| x.len().min(y.len())).max();
    let reference = curves
        .iter()
        .find(|(x, y)| Some(x.len().min(y.len())) == longest);
    let Some((places, values)) = reference else {
        return (vec![], vec![]);
    };
    let places = &places[..places.len().min(values.len())];
    let summary = |(n, place): (usize, &f64)| {
        let same = |x: &&f64| x.total_cmp(place).is_eq();
        let at = |(x, y): &(Vec<f64>, Vec<f64>)| {
            x.get(n).filter(same)?;
            y.get(n).copied()
        };
        Summary::of(curves.iter().filter_map(at))
    };
    let summaries = places.iter().enumerate().map(summary).collect();
    (places.to_vec(), summaries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-15
    }

    #[test]
    fn standard_error_divides_by_n_minus_1_and_then_by_root_n() {
        // Mean 5, squared deviations 9 + 1 + 1 + 9 = 20: sd² = 20 / 3, se² = 20 / 12.
        let summary = Summary::of([2.0, 4.0, f64::NAN, 6.0, 8.0]);
        assert_eq!(summary.n, 4);
        assert!(close(summary.mean, 5.0));
        assert!(close(summary.sd, (20.0_f64 / 3.0).sqrt()));
        assert!(close(summary.se, (20.0_f64 / 12.0).sqrt()));
    }

    #[test]
    fn one_value_has_a_mean_and_no_error_and_none_has_neither() {
        let one = Summary::of([3.0]);
        assert!(one.n == 1 && close(one.mean, 3.0) && one.sd.is_nan() && one.se.is_nan());
        let none = Summary::of([f64::INFINITY]);
        assert!(none.n == 0 && none.mean.is_nan() && none.se.is_nan());
    }

    #[test]
    fn curves_are_summarised_where_they_were_evaluated_alike() {
        let curves = [
            (vec![0.0, 1.0], vec![1.0, 2.0]),
            (vec![0.0, 1.0, 2.0], vec![3.0, 4.0, 5.0]),
            (vec![0.0, 9.0, 2.0], vec![5.0, 100.0, 7.0]),
        ];
        let (places, summaries) = curve_summary(&curves);
        assert_eq!(places, [0.0, 1.0, 2.0]);
        let counts: Vec<usize> = summaries.iter().map(|s| s.n).collect();
        assert_eq!(counts, [3, 2, 2]);
        let means: Vec<f64> = summaries.iter().map(|s| s.mean).collect();
        assert_eq!(means, [3.0, 3.0, 6.0]);
        assert!(curve_summary(&[]).0.is_empty());
    }
}
