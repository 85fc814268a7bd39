//! Claims about the flow. Where a tolerance is relative, it is to the largest x of the course from
//! the first to the last of `TIMES`: modes of close eigenvalues are differences of that size.

use super::reference::{by_modes, random_tree, solution, units};
use super::{LinearError, Modes, System};

fn system(n: usize, a: &[f64], b: &[f64]) -> System {
    System {
        n,
        a: a.to_vec(),
        b: b.to_vec(),
    }
}

fn modes(n: usize, a: &[f64], b: &[f64]) -> Modes {
    Modes::new(&system(n, a, b)).unwrap()
}

/// Largest difference from the reference, relative to the largest x.
fn error_at(system: &System, x: &[f64], t: f64, size: f64) -> f64 {
    let modes = Modes::new(system).unwrap_or_else(|e| panic!("{e} {system:?}"));
    let (right, _) = solution(system, x, t);
    let ours = by_modes(&modes, x, t);
    ours.iter()
        .zip(&right)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
        / size
}

fn largest(system: &System, x: &[f64]) -> f64 {
    TIMES
        .iter()
        .map(|&t| solution(system, x, t).1)
        .fold(0.0, f64::max)
}

/// Largest difference from the reference, relative to the largest x before and after.
fn error(system: &System, x: &[f64], t: f64) -> f64 {
    let modes = Modes::new(system).unwrap_or_else(|e| panic!("{e} {system:?}"));
    let (right, size) = solution(system, x, t);
    let ours = by_modes(&modes, x, t);
    let worst = ours
        .iter()
        .zip(&right)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    worst / size
}

const TIMES: [f64; 8] = [1e-6, 0.01, 0.3, 1.0, 7.0, 40.0, 300.0, 3_000.0];

#[test]
fn random_compartment_trees_with_receptors_follow_the_matrix_exponential() {
    let mut worst = 0.0_f64;
    for seed in 1..120 {
        let mut unit = units(seed);
        let (c, r) = (1 + (seed % 8) as usize, (seed % 7) as usize);
        let system = random_tree(c, r, &mut unit);
        let x: Vec<f64> = (0..c + r)
            .map(|k| {
                if k < c {
                    40.0 * unit() - 20.0
                } else {
                    300.0 * unit()
                }
            })
            .collect();
        for t in TIMES {
            let e = error(&system, &x, t);
            assert!(e < 1e-11, "seed {seed}, {t} ms: {e:e}");
            worst = worst.max(e);
        }
    }
    println!("worst {worst:e}");
}

#[test]
fn coincident_and_nearly_coincident_eigenvalues_lose_nothing() {
    let mut worst = 0.0_f64;
    for gap in [0.0, 1e-14, 1e-10, 1e-6, 1e-3, 0.04, 0.06, 0.3] {
        for rate in [0.01, 0.1, 2.0] {
            let near = rate * (1.0 + gap);
            let nearer = rate * (1.0 + 0.5 * gap);
            let cases = [
                // An alpha synapse alone; on a membrane as fast; two receptors; three in a chain.
                system(2, &[-rate, 1.0, 0.0, -near], &[0.0, 0.0]),
                system(2, &[-rate, 0.004, 0.0, -near], &[0.3, 0.0]),
                system(
                    3,
                    &[-rate, 0.004, 0.0, 0.0, -near, 1.0, 0.0, 0.0, -nearer],
                    &[0.3, 0.0, 0.0],
                ),
                system(
                    3,
                    &[-rate, 0.004, 0.004, 0.0, -near, 0.0, 0.0, 0.0, -near],
                    &[0.3, 0.0, 0.0],
                ),
                system(
                    3,
                    &[-0.3 * rate, 0.004, 0.0, 0.0, -near, 1.0, 0.0, 0.0, -rate],
                    &[0.1, 0.0, 0.0],
                ),
                system(
                    4,
                    &[
                        -rate, 0.0, 0.0, 0.0, 1.0, -near, 0.0, 0.0, 0.0, 1.0, -nearer, 0.0, 0.0,
                        0.0, 0.1, -rate,
                    ],
                    &[0.0, 0.0, 0.0, 0.0],
                ),
                // Two equal compartments, weakly coupled.
                system(2, &[-near, near - rate, near - rate, -near], &[0.2, 0.1]),
            ];
            for (k, system) in cases.iter().enumerate() {
                let x: Vec<f64> = (0..system.n).map(|i| 10.0 + 50.0 * i as f64).collect();
                let size = largest(system, &x);
                for t in TIMES {
                    let e = error_at(system, &x, t, size);
                    assert!(
                        e < 1e-11,
                        "gap {gap:e}, rate {rate}, case {k}, {t} ms: {e:e}"
                    );
                    worst = worst.max(e);
                }
            }
        }
    }
    println!("worst {worst:e}");
}

#[test]
fn equal_receptors_and_symmetric_trees_stay_single_exponentials() {
    // Three receptors of 5 ms into one membrane; a soma with three equal branches.
    let receptors = [
        -0.1, 0.004, 0.004, 0.004, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0, -0.2,
    ];
    let tree = [
        -0.7, 0.2, 0.2, 0.2, 0.5, -0.6, 0.0, 0.0, 0.5, 0.0, -0.6, 0.0, 0.5, 0.0, 0.0, -0.6,
    ];
    for a in [receptors, tree] {
        assert!(modes(4, &a, &[0.5, 0.0, 0.0, 0.0]).is_scalar());
        assert!(
            error(
                &system(4, &a, &[0.5, 0.0, 0.0, 0.0]),
                &[1.0, 2.0, 3.0, 4.0],
                3.0
            ) < 1e-14
        );
    }
}

#[test]
fn psps_have_their_closed_forms() {
    for t in [0.1, 1.0, 5.0, 30.0] {
        // Alpha function of 2 ms: x = t/τ·e^(1 − t/τ).
        let alpha = modes(2, &[-0.5, 0.5, 0.0, -0.5], &[0.0, 0.0]);
        let x = by_modes(&alpha, &[0.0, std::f64::consts::E], t)[0];
        assert!(
            (x - t / 2.0 * (1.0 - t / 2.0_f64).exp()).abs() < 1e-14,
            "{t}"
        );
        // Exponential current of 100 pA and 2 ms into 10 ms and 250 pF.
        let (tm, ts) = (10.0_f64, 2.0_f64);
        let psp = modes(2, &[-1.0 / tm, 1.0 / 250.0, 0.0, -1.0 / ts], &[0.0, 0.0]);
        let v = by_modes(&psp, &[0.0, 100.0], t)[0];
        let right = 100.0 / 250.0 * tm * ts / (tm - ts) * ((-t / tm).exp() - (-t / ts).exp());
        assert!((v - right).abs() < 1e-14, "{t}");
    }
}

#[test]
fn a_membrane_with_constant_current_is_right_to_a_picovolt() {
    // 1000 pA into 250 pF and 10 ms: V = 40·(1 − e^(−t/τ)) mV.
    let lif = modes(1, &[-0.1], &[4.0]);
    let v = by_modes(&lif, &[0.0], 5.0)[0];
    assert!((v - 15.738_773_611_494_66).abs() < 1e-12, "{v}");
    assert!((lif.offset(0) - 40.0).abs() < 1e-14);
}

#[test]
fn complex_pairs_turn_as_they_should() {
    for (mu, omega) in [(0.1, 2.0), (0.05, 0.01), (0.0, 0.5), (0.3, 1e-9)] {
        let a = [-mu, omega, -omega, -mu];
        let turning = modes(2, &a, &[0.0, 0.0]);
        for t in [0.01_f64, 1.0, 17.0, 120.0] {
            let x = by_modes(&turning, &[3.0, 1.0], t);
            let (e, s, c) = ((-mu * t).exp(), (omega * t).sin(), (omega * t).cos());
            assert!((x[0] - e * (3.0 * c + s)).abs() < 3e-13, "{mu} {omega} {t}");
            assert!((x[1] - e * (c - 3.0 * s)).abs() < 3e-13, "{mu} {omega} {t}");
        }
    }
    // Subthreshold adaptation: V (mV) and w (pA) into 200 pF, with synapse.
    let a = [-0.05, -0.005, 0.005, 4.0, -0.02, 0.0, 0.0, 0.0, -0.5];
    let adapting = system(3, &a, &[1.0, 0.5, 0.0]);
    for t in TIMES {
        assert!(error(&adapting, &[5.0, -20.0, 300.0], t) < 1e-12, "{t}");
    }
}

#[test]
fn a_perfect_integrator_drifts_exactly() {
    let integrator = modes(2, &[0.0, 0.004, 0.0, -0.5], &[0.25, 0.0]);
    assert_eq!(integrator.len(), 3);
    for t in [0.001, 1.0, 1_000.0, 1e6] {
        let v = by_modes(&integrator, &[1.0, 100.0], t)[0];
        let right = 1.0 + 0.25 * t + 0.8 * (1.0 - (-0.5 * t).exp());
        assert!((v - right).abs() < 1e-14 * right, "{t}: {v}");
    }
    // Nearly perfect; and a chain of two, which grows as t².
    for t in TIMES {
        let slow = system(2, &[-1e-7, 0.004, 0.0, -0.5], &[0.25, 0.0]);
        assert!(error(&slow, &[1.0, 100.0], t) < 1e-13);
        let chain = system(2, &[0.0, 1.0, 0.0, 0.0], &[0.0, 0.5]);
        assert!(error(&chain, &[1.0, 2.0], t) < 1e-13, "{t}");
    }
}

#[test]
fn a_clamped_variable_stays_to_the_last_bit_of_its_mode() {
    // A clamped soma (−70 mV) and two dendrites with constant currents.
    let a = [0.0, 0.0, 0.0, 0.3, -0.5, 0.1, 0.0, 0.2, -0.4];
    let clamped = modes(3, &a, &[0.0, 0.7, -0.2]);
    assert!(clamped.is_scalar());
    assert!(clamped.rates()[0].to_bits() == 0);
    for t in [0.1, 10.0, 1e7] {
        let x = by_modes(&clamped, &[-70.0, -60.0, -65.0], t);
        assert!((x[0] + 70.0).abs() < 1e-13);
    }
    for t in TIMES {
        assert!(error(&system(3, &a, &[0.0, 0.7, -0.2]), &[-70.0, -60.0, -65.0], t) < 1e-13);
    }
}

#[test]
fn two_steps_are_one_and_regimes_share_x() {
    let mut unit = units(5);
    let free = random_tree(4, 3, &mut unit);
    let mut clamped = free.clone();
    clamped.a[..7].fill(0.0);
    clamped.b[0] = 0.0;
    let (free, clamped) = (Modes::new(&free).unwrap(), Modes::new(&clamped).unwrap());
    let x: Vec<f64> = (0..7).map(|_| 100.0 * unit()).collect();
    let near = |p: &[f64], q: &[f64]| p.iter().zip(q).all(|(p, q)| (p - q).abs() < 1e-11);
    for modes in [&free, &clamped] {
        let mut y = modes.from_x(&x);
        assert!(near(&modes.to_x(&y), &x));
        modes.advance(&mut y, 1.25);
        modes.advance(&mut y, 3.5);
        assert!(near(&modes.to_x(&y), &by_modes(modes, &x, 4.75)));
    }
    let moved = clamped.to_x(&clamped.from_x(&free.to_x(&free.from_x(&x))));
    assert!(near(&moved, &x));
    // A jump of one x is its column, and a row reads it.
    let mut y = free.from_x(&x);
    y.iter_mut()
        .zip(free.column(5))
        .for_each(|(y, c)| *y += 12.0 * c);
    let mut jumped = x.clone();
    jumped[5] += 12.0;
    assert!(near(&free.to_x(&y), &jumped));
    let read: f64 = free.row(2).iter().zip(&y).map(|(r, y)| r * y).sum();
    assert!((read + free.offset(2) - x[2]).abs() < 1e-11);
}

#[test]
fn a_growing_mode_grows() {
    let system = system(2, &[0.3, 0.01, 0.0, -0.2], &[0.1, 0.0]);
    for t in [0.1, 3.0, 50.0] {
        assert!(error(&system, &[1.0, 5.0], t) < 1e-12, "{t}");
    }
}

#[test]
fn absurd_systems_are_refused() {
    let refused = |n, a: &[f64], b: &[f64]| Modes::new(&system(n, a, b)).unwrap_err();
    assert!(matches!(refused(0, &[], &[]), LinearError::Size { n: 0 }));
    assert!(matches!(
        refused(2, &[1.0], &[0.0, 0.0]),
        LinearError::Shape {
            coefficients: 1,
            ..
        }
    ));
    assert!(matches!(
        refused(1, &[f64::NAN], &[0.0]),
        LinearError::Coefficient { row: 0, .. }
    ));
    assert!(matches!(
        refused(1, &[-1.0], &[f64::INFINITY]),
        LinearError::Constant { row: 0, .. }
    ));
    assert!(matches!(
        refused(1, &[1e200], &[0.0]),
        LinearError::Coefficient { .. }
    ));
    assert!(
        refused(1, &[f64::NAN], &[0.0])
            .to_string()
            .contains("must be a number")
    );
}

#[test]
fn the_exponential_is_right_to_a_unit_and_has_its_ends() {
    use super::exp::exp;
    // The system's exponential errs by half a unit itself.
    let worst = (0..200_000)
        .map(|k| -f64::from(k) * 0.003_531_7)
        .fold(0.0_f64, |worst, x| {
            let right = x.exp();
            worst.max((exp(x) - right).abs() / (right * f64::EPSILON))
        });
    assert!(worst < 1.6, "{worst}");
    assert_eq!(exp(0.0).to_bits(), 1.0_f64.to_bits());
    assert_eq!(exp(-1e300).to_bits(), 0);
    assert_eq!(exp(f64::NEG_INFINITY).to_bits(), 0);
    assert!((exp(1.0) - std::f64::consts::E).abs() < 5e-16);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_table_in_registers_gives_the_same_bits() {
    use super::exp::{InMemory, exp_each};
    fn bits<const N: usize>(y: [f64; N]) -> [u64; N] {
        y.map(f64::to_bits)
    }
    let pulp::Arch::V4(simd) = pulp::Arch::new() else {
        return;
    };
    for k in 0..20_000 {
        let x: [f64; 16] = std::array::from_fn(|i| -f64::from(k * 16 + i as u32) * 0.002_317);
        assert_eq!(bits(exp_each(x, simd)), bits(exp_each(x, InMemory)));
        let few = [x[0], x[5], x[15], f64::NEG_INFINITY];
        assert_eq!(bits(exp_each(few, simd)), bits(exp_each(few, InMemory)));
    }
}
