//! Claims about crossings and bounds.

use proptest::prelude::*;

use super::reference::{random_tree, units};
use super::{Modes, System};

fn modes(n: usize, a: &[f64], b: &[f64]) -> Modes {
    Modes::new(&System {
        n,
        a: a.to_vec(),
        b: b.to_vec(),
    })
    .unwrap()
}

/// A read-out from a state: modes, y, row, constant.
struct Case {
    modes: Modes,
    y: Vec<f64>,
    row: Vec<f64>,
    c: f64,
}

impl Case {
    /// x_0 − threshold.
    fn new(modes: Modes, x: &[f64], threshold: f64) -> Self {
        let mut weights = vec![0.0; x.len()];
        weights[0] = 1.0;
        Case::read(modes, x, &weights, threshold)
    }

    fn read(modes: Modes, x: &[f64], weights: &[f64], threshold: f64) -> Self {
        let (row, offset) = modes.readout(weights);
        let y = modes.from_x(x);
        Case {
            modes,
            y,
            row,
            c: offset - threshold,
        }
    }

    fn g(&self, t: f64) -> f64 {
        let mut y = self.y.clone();
        self.modes.advance(&mut y, t);
        self.c + self.row.iter().zip(&y).map(|(r, y)| r * y).sum::<f64>()
    }

    fn size(&self) -> f64 {
        self.c.abs()
            + self
                .row
                .iter()
                .zip(&self.y)
                .map(|(r, y)| (r * y).abs())
                .sum::<f64>()
    }

    fn first(&self, horizon: f64) -> Option<f64> {
        let first = self
            .modes
            .first_crossing(&self.y, &self.row, self.c, horizon);
        if self.modes.cannot_cross(&self.y, &self.row, self.c) {
            assert_eq!(first, None, "the quick test agrees");
        }
        if self
            .modes
            .cannot_cross_within(&self.y, &self.row, self.c, horizon)
        {
            assert_eq!(first, None, "the quick test for a time agrees");
        }
        first
    }

    fn sup(&self, dt: f64) -> f64 {
        self.modes.sup(&self.y, &self.row, self.c, dt)
    }

    fn inf(&self, dt: f64) -> f64 {
        self.modes.inf(&self.y, &self.row, self.c, dt)
    }

    /// First crossing by steps of `step`, and bisection of the step that has it.
    fn scan(&self, horizon: f64, step: f64) -> Option<f64> {
        let steps = (horizon / step).round() as usize;
        let after = (0..=steps)
            .map(|k| k as f64 * step)
            .find(|&t| self.g(t) >= 0.0)?;
        let (mut low, mut high) = (after - step, after);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.g(middle) >= 0.0 {
                high = middle
            } else {
                low = middle
            }
        }
        Some(if after > 0.0 { high } else { 0.0 })
    }

    /// Compares with a scan: none missed; and a crossing that the scan has not must be real.
    fn check(&self, horizon: f64, step: f64) -> Result<(), TestCaseError> {
        let (ours, scanned) = (self.first(horizon), self.scan(horizon, step));
        let noise = 1e-13 * self.size();
        match (ours, scanned) {
            (None, None) => {}
            (Some(t), Some(s)) if s <= 0.0 => prop_assert!(t <= 0.0),
            (Some(t), Some(s)) => {
                // The scan may step over an earlier graze: then g is at 0 there.
                let same = (t - s).abs() < 1e-8 && self.g(t).abs() <= 1e-8 * self.size();
                prop_assert!(
                    same || (t < s && self.g(t) >= -noise),
                    "{t} and {s}, g {:e}",
                    self.g(t)
                );
            }
            (Some(t), None) => prop_assert!(
                self.g(t) >= -noise && t <= horizon,
                "{t} invented, g {:e}",
                self.g(t)
            ),
            (None, Some(s)) => {
                let after = self.g(s + 1e-9).max(self.g((s + step).min(horizon)));
                prop_assert!(after <= noise, "{s} missed, g {after:e} then");
            }
        }
        Ok(())
    }
}

#[test]
fn a_membrane_with_constant_current_fires_at_ten_log_one_point_six() {
    let lif = Case::new(modes(1, &[-0.1], &[4.0]), &[0.0], 15.0);
    let right = 4.700_036_292_457_356;
    for horizon in [4.8, 100.0, f64::INFINITY] {
        assert!((lif.first(horizon).unwrap() - right).abs() < 1e-12);
    }
    assert_eq!(lif.first(4.7), None, "the horizon is before");
    assert!(lif.first(right + 1e-9).is_some() && lif.first(right - 1e-9).is_none());
    // A threshold at the steady state or above is never reached.
    assert_eq!(
        Case::new(modes(1, &[-0.1], &[4.0]), &[0.0], 40.0).first(f64::INFINITY),
        None
    );
    assert_eq!(
        Case::new(modes(1, &[-0.1], &[4.0]), &[0.0], 41.0).first(f64::INFINITY),
        None
    );
    // Close below, it is late: 10·ln(40/1e-6).
    let late = Case::new(modes(1, &[-0.1], &[4.0]), &[0.0], 40.0 - 1e-6)
        .first(f64::INFINITY)
        .unwrap();
    assert!((late - 10.0 * (4e7_f64).ln()).abs() < 1e-6, "{late}");
    assert_eq!(
        Case::new(modes(1, &[-0.1], &[4.0]), &[15.0], 15.0).first(1.0),
        Some(0.0)
    );
}

/// An exponential current into a membrane of 10 ms, with the time and height of the PSP's peak.
fn psp(ts: f64) -> (Modes, f64, f64) {
    let tm = 10.0_f64;
    let psp = modes(2, &[-1.0 / tm, 1.0 / 250.0, 0.0, -1.0 / ts], &[0.0, 0.0]);
    let peak = if (tm - ts).abs() > 1e-12 {
        tm * ts / (tm - ts) * (tm / ts).ln()
    } else {
        tm
    };
    let height = Case::new(psp.clone(), &[0.0, 100.0], 0.0).g(peak);
    (psp, peak, height)
}

#[test]
fn a_psp_grazes_at_its_peak_and_not_above() {
    for ts in [0.1, 2.0, 5.0, 9.9, 9.9999, 10.0, 30.0] {
        let (psp, peak, height) = psp(ts);
        for horizon in [1_000.0, f64::INFINITY] {
            for margin in [3e-14, 1e-12, 1e-9, 1e-6, 1e-3] {
                let touching = Case::new(psp.clone(), &[0.0, 100.0], height - margin);
                let t = touching
                    .first(horizon)
                    .unwrap_or_else(|| panic!("{ts}, {margin:e}"));
                // Before the peak by √(2·margin/bend), which is 1 ms for a margin of about 0.01 mV.
                assert!(
                    t < peak + 1e-6 && t > peak - 40.0 * margin.sqrt() - 2e-6,
                    "{ts} {margin:e} {t} {peak}"
                );
                let above = Case::new(psp.clone(), &[0.0, 100.0], height + margin);
                assert_eq!(above.first(horizon), None, "{ts}, {margin:e}");
            }
        }
        let touching = Case::new(psp.clone(), &[0.0, 100.0], height);
        if let Some(t) = touching.first(f64::INFINITY) {
            assert!((t - peak).abs() < 1e-5, "{ts}: {t} and {peak}");
        }
        let half = Case::new(psp, &[0.0, 100.0], 0.5 * height);
        assert_eq!(half.first(peak * 0.05), None);
        half.check(100.0, 0.001).unwrap();
    }
}

#[test]
fn integrators_growth_and_turning_cross_when_they_should() {
    let drift = Case::new(modes(1, &[0.0], &[0.5]), &[0.0], 15.0);
    assert!((drift.first(f64::INFINITY).unwrap() - 30.0).abs() < 1e-12);
    assert_eq!(drift.first(29.999), None);
    let down = Case::new(modes(1, &[0.0], &[-0.5]), &[0.0], 15.0);
    assert_eq!(down.first(f64::INFINITY), None);
    let still = Case::new(modes(1, &[0.0], &[0.0]), &[0.0], 15.0);
    assert_eq!(still.first(f64::INFINITY), None);
    let growing = Case::new(modes(1, &[0.2], &[0.0]), &[1.0], 15.0);
    assert!((growing.first(f64::INFINITY).unwrap() - 15.0_f64.ln() / 0.2).abs() < 1e-11);
    let sinking = Case::new(modes(1, &[0.2], &[0.0]), &[-1.0], 15.0);
    assert_eq!(sinking.first(f64::INFINITY), None);
    // x = sin(t): 0.5 at π/6; the peak of 1 is a graze at π/2.
    let turning = modes(2, &[0.0, 1.0, -1.0, 0.0], &[0.0, 0.0]);
    let sine = |threshold: f64| Case::new(turning.clone(), &[0.0, 1.0], threshold);
    let sixth = std::f64::consts::FRAC_PI_6;
    assert!((sine(0.5).first(f64::INFINITY).unwrap() - sixth).abs() < 1e-12);
    let graze = sine(1.0 - 1e-13).first(f64::INFINITY).unwrap();
    assert!((graze - 3.0 * sixth).abs() < 1e-6, "{graze}");
    assert_eq!(sine(1.0 + 1e-9).first(f64::INFINITY), None);
    // A chain of two integrators: x = t²/4.
    let chain = Case::new(
        modes(2, &[0.0, 1.0, 0.0, 0.0], &[0.0, 0.5]),
        &[0.0, 0.0],
        9.0,
    );
    assert!((chain.first(f64::INFINITY).unwrap() - 6.0).abs() < 1e-11);
}

/// A read-out of a random tree, with receptors that pull both ways and a threshold at `share` of
/// the way from the least to the greatest value.
fn random_case(seed: u64, compartments: usize, receptors: usize, share: f64) -> Case {
    let mut unit = units(seed);
    let system = random_tree(compartments, receptors, &mut unit);
    let current = |unit: &mut dyn FnMut() -> f64| 2_000.0 * (unit() - 0.5);
    let x: Vec<f64> = (0..system.n)
        .map(|k| {
            if k < compartments {
                20.0 * unit() - 10.0
            } else {
                current(&mut unit)
            }
        })
        .collect();
    let case = Case::new(Modes::new(&system).unwrap(), &x, 0.0);
    let values: Vec<f64> = (0..=2_000).map(|k| case.g(0.05 * f64::from(k))).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let c = case.c - (least + share * (most - least));
    Case { c, ..case }
}

/// Clusters, pairs and turns: close eigenvalues with random couplings.
fn random_blocks(seed: u64, share: f64) -> Case {
    let mut unit = units(seed);
    let n = 2 + (seed % 4) as usize;
    let mut a: Vec<f64> = (0..n * n).map(|_| 0.02 * (unit() - 0.5)).collect();
    for i in 0..n {
        a[i * n + i] -= 0.1
            + if seed.is_multiple_of(3) {
                0.3 * unit()
            } else {
                0.0
            };
        if i > 0 && seed.is_multiple_of(5) {
            a[i * n + i - 1] += 0.3;
            a[(i - 1) * n + i] -= 0.3;
        }
    }
    let b: Vec<f64> = (0..n).map(|_| unit() - 0.5).collect();
    let x: Vec<f64> = (0..n).map(|_| 40.0 * (unit() - 0.5)).collect();
    let case = Case::new(Modes::new(&System { n, a, b }).unwrap(), &x, 0.0);
    let values: Vec<f64> = (0..=200).map(|k| case.g(0.5 * f64::from(k))).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let c = case.c - (least + share * (most - least));
    Case { c, ..case }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn crossings_of_random_trees_are_those_of_a_dense_scan(
        seed in 1_u64..1_000_000, compartments in 1_usize..5, receptors in 0_usize..5, share in 0.0..1.2_f64,
    ) {
        random_case(seed, compartments, receptors, share).check(60.0, 0.001)?;
    }

    #[test]
    fn crossings_of_pairs_and_clusters_are_those_of_a_scan(seed in 1_u64..1_000_000, share in 0.0..1.2_f64) {
        random_blocks(seed, share).check(60.0, 0.02)?;
    }

    #[test]
    fn an_infinite_horizon_finds_what_a_long_one_does(seed in 1_u64..1_000_000, share in 0.0..1.3_f64) {
        let case = random_case(seed, 3, 3, share);
        let (long, infinite) = (case.first(1e5), case.first(f64::INFINITY));
        prop_assert_eq!(long.is_some(), infinite.is_some());
        if let (Some(long), Some(infinite)) = (long, infinite) {
            prop_assert!((long - infinite).abs() < 1e-9);
        }
    }

    #[test]
    fn bounds_hold_and_close_in(
        seed in 1_u64..1_000_000, blocks in any::<bool>(), dt in 0.001..20.0_f64,
    ) {
        let case = if blocks { random_blocks(seed, 0.5) } else { random_case(seed, 3, 3, 0.5) };
        let values: Vec<f64> = (0..=200).map(|k| case.g(dt * f64::from(k) / 200.0)).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let noise = 1e-13 * case.size();
        for h in [dt, f64::INFINITY] {
            prop_assert!(case.sup(h) >= most - noise && case.inf(h) <= least + noise);
        }
        // Over a short time they are as good as the ends.
        let (g, short) = (case.g(0.0), 1e-4);
        let slack = 1e-2 * case.size();
        prop_assert!(case.sup(short) <= g + slack && case.inf(short) >= g - slack);
    }
}

#[test]
fn the_quick_test_is_of_use() {
    let (psp, peak, height) = psp(5.0);
    let far = Case::new(psp.clone(), &[0.0, 100.0], 4.1 * height);
    assert!(far.modes.cannot_cross(&far.y, &far.row, far.c));
    let near = Case::new(psp, &[0.0, 100.0], 1.1 * height);
    assert!(!near.modes.cannot_cross(&near.y, &near.row, near.c));
    assert!(
        near.modes
            .cannot_cross_within(&near.y, &near.row, near.c, 0.3 * peak)
    );
    // With one time constant for both, the bound is the peak itself.
    let (alpha, _, height) = self::psp(10.0);
    let just = Case::new(alpha, &[0.0, 100.0], 1.001 * height);
    assert!(just.modes.cannot_cross(&just.y, &just.row, just.c));
}

#[test]
fn grazes_of_random_trees_are_found_and_near_misses_are_not_invented() {
    let mut grazes = 0;
    for seed in 1..60 {
        let case = random_case(seed, 1 + (seed % 4) as usize, 1 + (seed % 5) as usize, 0.0);
        // The greatest maximum within 100 ms, by a scan and golden section.
        let grid = |k: i32| 0.01 * f64::from(k);
        let top = (1..10_000)
            .max_by(|&p, &q| case.g(grid(p)).total_cmp(&case.g(grid(q))))
            .unwrap();
        if case.g(grid(top)) <= case.g(0.0) || top == 9_999 {
            continue;
        }
        let (mut low, mut high) = (grid(top - 1), grid(top + 1));
        for _ in 0..100 {
            let (p, q) = (low + 0.382 * (high - low), low + 0.618 * (high - low));
            if case.g(p) < case.g(q) {
                low = p
            } else {
                high = q
            }
        }
        let peak = case.g(low).max(case.g(high));
        grazes += 1;
        for margin in [1e-12, 1e-10, 1e-8, 1e-5] {
            let margin = margin * case.size().max(1.0);
            let at = |c: f64| Case {
                modes: case.modes.clone(),
                y: case.y.clone(),
                row: case.row.clone(),
                c,
            };
            let touching = at(case.c - peak + margin).first(100.0);
            assert!(
                touching.is_some_and(|t| t < high + 1e-3),
                "seed {seed}, margin {margin:e}: {touching:?}"
            );
            let below = at(case.c - peak - margin);
            assert_eq!(below.first(100.0), None, "seed {seed}, margin {margin:e}");
        }
    }
    assert!(grazes > 20, "{grazes}");
}
