//! A slow and independent solution of x′ = A·x + b: Taylor's series and squaring in arithmetic of
//! twice the precision, on the matrix with one more row and column for b.

use std::ops::{Add, Mul};

use super::System;

/// An unevaluated sum of two numbers, about 31 digits.
#[derive(Debug, Clone, Copy)]
struct Double(f64, f64);

fn fast(a: f64, b: f64) -> Double {
    let s = a + b;
    Double(s, b - (s - a))
}

impl Add for Double {
    type Output = Double;
    fn add(self, o: Double) -> Double {
        let s = self.0 + o.0;
        let v = s - self.0;
        let e = (self.0 - (s - v)) + (o.0 - v);
        fast(s, e + (self.1 + o.1))
    }
}

impl Mul for Double {
    type Output = Double;
    fn mul(self, o: Double) -> Double {
        let p = self.0 * o.0;
        let e = self.0.mul_add(o.0, -p);
        fast(p, e + (self.0 * o.1 + self.1 * o.0))
    }
}

type Matrix = Vec<Double>;

fn product(a: &Matrix, b: &Matrix, n: usize) -> Matrix {
    let entry = |at: usize| {
        (0..n).fold(Double(0.0, 0.0), |sum, k| {
            sum + a[at / n * n + k] * b[k * n + at % n]
        })
    };
    (0..n * n).map(entry).collect()
}

/// x after `t`, and what the entries of the exponential are made of: Σ |e^(At)|·|x| row by row.
pub(super) fn solution(system: &System, x: &[f64], t: f64) -> (Vec<f64>, f64) {
    let n = system.n + 1;
    let mut size = 0.0_f64;
    let mut a: Matrix = vec![Double(0.0, 0.0); n * n];
    for i in 0..system.n {
        for j in 0..system.n {
            a[i * n + j] = Double(system.a[i * system.n + j], 0.0) * Double(t, 0.0);
        }
        a[i * n + system.n] = Double(system.b[i], 0.0) * Double(t, 0.0);
        size = size.max((0..n).map(|j| a[i * n + j].0.abs()).sum());
    }
    let squarings = if size > 0.25 {
        (size / 0.25).log2().ceil() as i32
    } else {
        0
    };
    let scale = Double(2.0_f64.powi(-squarings), 0.0);
    let a: Matrix = a.into_iter().map(|v| v * scale).collect();
    // All but the 1 on the diagonal, which would hide the digits of small entries while squaring.
    let mut sum = a.clone();
    let mut term = a.clone();
    for k in 2..24 {
        let k = f64::from(k);
        let inverse = Double(1.0 / k, (-(1.0 / k)).mul_add(k, 1.0) / k);
        term = product(&term, &a, n)
            .into_iter()
            .map(|v| v * inverse)
            .collect();
        sum = sum.iter().zip(&term).map(|(s, t)| *s + *t).collect();
    }
    for _ in 0..squarings {
        // (1 + s)² − 1 = 2s + s².
        let square = product(&sum, &sum, n);
        sum = sum.iter().zip(&square).map(|(s, q)| *s + *s + *q).collect();
    }
    for i in 0..n {
        sum[i * n + i] = sum[i * n + i] + Double(1.0, 0.0);
    }
    let mut state = x.to_vec();
    state.push(1.0);
    let row = |i: usize| {
        (0..n)
            .fold(Double(0.0, 0.0), |s, k| {
                s + sum[i * n + k] * Double(state[k], 0.0)
            })
            .0
    };
    let after: Vec<f64> = (0..system.n).map(row).collect();
    let size = after.iter().chain(x).fold(0.0_f64, |m, v| m.max(v.abs()));
    (after, size)
}

/// x after `t`, from the modes.
pub(super) fn by_modes(modes: &super::Modes, x: &[f64], t: f64) -> Vec<f64> {
    let mut y = modes.from_x(x);
    modes.advance(&mut y, t);
    modes.to_x(&y)
}

/// A random compartment tree with receptors: voltages (mV) first, then currents (pA), each into one
/// compartment. `unit` gives numbers in [0, 1).
pub(super) fn random_tree(
    compartments: usize,
    receptors: usize,
    mut unit: impl FnMut() -> f64,
) -> System {
    let n = compartments + receptors;
    let mut a = vec![0.0; n * n];
    let mut b = vec![0.0; n];
    let capacity: Vec<f64> = (0..compartments).map(|_| 20.0 + 400.0 * unit()).collect();
    for i in 0..compartments {
        // Time constants 5 to 50 ms, couplings 1 to 100 nS to an earlier compartment.
        a[i * n + i] -= 1.0 / (5.0 + 45.0 * unit());
        b[i] = (200.0 * unit() - 50.0) / capacity[i];
        if i > 0 {
            let parent = (unit() * i as f64) as usize;
            let g = 100.0_f64.powf(unit());
            for (p, q) in [(i, parent), (parent, i)] {
                a[p * n + p] -= g / capacity[p];
                a[p * n + q] += g / capacity[p];
            }
        }
    }
    for k in compartments..n {
        let into = (unit() * compartments as f64) as usize;
        a[k * n + k] = -1.0 / [0.5, 2.0, 5.0, 10.0, 100.0][(unit() * 5.0) as usize];
        a[into * n + k] = 1.0 / capacity[into];
    }
    System { n, a, b }
}

/// A small generator for tests (xorshift64*).
pub(super) fn units(mut seed: u64) -> impl FnMut() -> f64 {
    seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        (seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
