//! Blocks that are more than one exponential: pairs in closed form, and larger clusters.

use nalgebra::DMatrix;

use super::exp::exp;

/// A flow y′ = B·y of k ≥ 1 coordinates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// Two eigenvalues: close, complex, or one of them 0 with a drift.
    Pair(Pair),
    /// Three or more eigenvalues that are close, or one that grows.
    Cluster(Cluster),
}

/// e^(Bt) = e^(μt)·(C·1 + S·(B − μ)) with C = cosh δt and S = sinh(δt)/δ, where δ² may be negative
/// (then cos and sin).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// B − μ, by rows.
    rest: [f64; 4],
    /// Mean of the eigenvalues (1/ms).
    mean: f64,
    /// Half the distance of real eigenvalues (1/ms).
    half: f64,
    /// Angular frequency of complex eigenvalues (1/ms); 0 for real ones.
    omega: f64,
    /// The larger of real eigenvalues, or the real part of complex ones (1/ms).
    pub(super) slow: f64,
}

/// A read-out r·y of a pair, as e^(μt)·(p·C + q·S).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wave {
    /// r·y.
    pub(super) p: f64,
    /// r·(B − μ)·y.
    pub(super) q: f64,
}

impl Pair {
    /// From B by rows.
    pub(super) fn new(b: [f64; 4]) -> Self {
        let mean = 0.5 * (b[0] + b[3]);
        let h = 0.5 * (b[0] - b[3]);
        let square = h * h + b[1] * b[2];
        let (half, omega) = if square >= 0.0 {
            (square.sqrt(), 0.0)
        } else {
            (0.0, (-square).sqrt())
        };
        let slow = mean + half;
        // A zero eigenvalue is exactly zero, so that a clamped variable stays where it is.
        let slow = if slow.abs() <= 4.0 * f64::EPSILON * mean.abs() {
            0.0
        } else {
            slow
        };
        let rest = [h, b[1], b[2], -h];
        Pair {
            rest,
            mean,
            half,
            omega,
            slow,
        }
    }

    /// e^(μt)·C and e^(μt)·S.
    fn factors(&self, t: f64) -> (f64, f64) {
        if self.omega > 0.0 {
            let e = bounded_exp(self.mean * t);
            let (sine, cosine) = libm::sincos(self.omega * t);
            return (e * cosine, e * (sine / self.omega));
        }
        let e = bounded_exp(self.slow * t);
        // e^(μt)·sinh(δt)/δ = e^(slow·t)·t·(1 − e^−z)/z with z = 2δt: no difference of equals.
        let z = 2.0 * self.half * t;
        let loss = relative_loss(z);
        (e * (1.0 - 0.5 * z * loss), e * t * loss)
    }

    /// y after `t` (ms).
    pub(super) fn advance(&self, y: &mut [f64], t: f64) {
        if let [u, v] = y {
            let (c, s) = self.factors(t);
            let [a, b, d, e] = self.rest;
            (*u, *v) = (
                c * *u + s * (a * *u + b * *v),
                c * *v + s * (d * *u + e * *v),
            );
        }
    }

    /// The wave of read-out `sign`·r from y.
    pub(super) fn wave(&self, r: &[f64], y: &[f64], sign: f64) -> Wave {
        let [a, b, d, e] = self.rest;
        match (r, y) {
            ([r, s], [u, v]) => Wave {
                p: sign * (r * u + s * v),
                q: sign * (r * (a * u + b * v) + s * (d * u + e * v)),
            },
            _ => Wave { p: 0.0, q: 0.0 },
        }
    }

    /// The wave as it is after `t` (ms).
    pub(super) fn later(&self, w: Wave, t: f64) -> Wave {
        let (c, s) = self.factors(t);
        Wave {
            p: c * w.p + s * w.q,
            q: c * w.q + s * self.square() * w.p,
        }
    }

    /// Its derivative, which is a wave again.
    pub(super) fn derivative(&self, w: Wave) -> Wave {
        Wave {
            p: self.mean * w.p + w.q,
            q: self.mean * w.q + self.square() * w.p,
        }
    }

    /// δ².
    fn square(&self) -> f64 {
        self.half * self.half - self.omega * self.omega
    }

    /// Least and greatest values of a wave over the next `h` (ms, may be ∞); bounds, not exact.
    pub(super) fn range(&self, w: Wave, h: f64) -> (f64, f64) {
        let grown = if self.slow > 0.0 {
            exp_or_infinite(self.slow * h)
        } else {
            1.0
        };
        if self.omega > 0.0 {
            let size = (w.p * w.p + (w.q / self.omega) * (w.q / self.omega)).sqrt();
            let near = w.p.abs() + times(w.q.abs(), h);
            // A little more for rounding.
            let size = times(size.min(near) * (1.0 + 1e-14), grown);
            return (-size, size);
        }
        // p·e1 + (q − δp)·E with e1 = e^(slow·t) and 0 ≤ E = t·e1·(1 − e^−z)/z.
        let q = w.q - self.half * w.p;
        let first = if self.slow > 0.0 {
            (w.p.min(times(w.p, grown)), w.p.max(times(w.p, grown)))
        } else if self.slow < 0.0 {
            (w.p.min(0.0), w.p.max(0.0))
        } else {
            (w.p, w.p)
        };
        let most = if self.slow < 0.0 {
            h.min(0.367_879_441_171_443 / -self.slow)
        } else {
            times(grown, h)
        };
        let most = if self.slow <= 0.0 && self.half > 0.0 {
            most.min(0.5 / self.half)
        } else {
            most
        };
        (
            first.0 + times(q.min(0.0), most),
            first.1 + times(q.max(0.0), most),
        )
    }
}

/// A product in which 0 · ∞ = 0.
pub(super) fn times(a: f64, b: f64) -> f64 {
    if a.abs() > 0.0 && b > 0.0 { a * b } else { 0.0 }
}

/// e^x with an end at 700, above which nothing is computed any more.
fn bounded_exp(x: f64) -> f64 {
    exp(if x > 700.0 { 700.0 } else { x })
}

/// e^x, ∞ above 700.
fn exp_or_infinite(x: f64) -> f64 {
    if x > 700.0 { f64::INFINITY } else { exp(x) }
}

/// (1 − e^−z)/z for z ≥ 0, without loss for small z.
fn relative_loss(z: f64) -> f64 {
    if z > 0.5 {
        return (1.0 - exp(-z)) / z;
    }
    // Σ (−z)^k/(k + 1)!, by Horner's rule; the next term is below 1e-17.
    let mut sum = 1.0;
    for inverse in INVERSES.iter().rev() {
        sum = 1.0 - sum * z * inverse;
    }
    sum
}

/// 1/2 … 1/13.
const INVERSES: [f64; 12] = [
    0.5,
    1.0 / 3.0,
    0.25,
    0.2,
    1.0 / 6.0,
    1.0 / 7.0,
    0.125,
    1.0 / 9.0,
    0.1,
    1.0 / 11.0,
    1.0 / 12.0,
    1.0 / 13.0,
];

/// k coordinates with a flow of any form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    b: DMatrix<f64>,
    /// Subtracted from the diagonal before the series (1/ms).
    shift: f64,
    /// Logarithmic norm: |y| grows by e^(ν·t) at most (1/ms).
    nu: f64,
    /// |y| never grows by more than this factor; ∞ if that is not known.
    most: f64,
    /// Half the mean eigenvalue's time or less: over it, bounds are of some use (ms).
    pub(super) window: f64,
}

impl Cluster {
    /// From B. `augmented` if one coordinate is the constant 1.
    pub(super) fn new(b: DMatrix<f64>, augmented: bool) -> Self {
        let k = b.nrows();
        let shift = if augmented { 0.0 } else { b.trace() / k as f64 };
        // Gershgorin's discs of the symmetric part.
        let disc = |i: usize| {
            let radius: f64 = (0..k)
                .filter(|&j| j != i)
                .map(|j| 0.5 * (b[(i, j)] + b[(j, i)]).abs())
                .sum();
            b[(i, i)] + radius
        };
        let nu = (0..k).map(disc).fold(f64::NEG_INFINITY, f64::max);
        let size = b.norm();
        let window = if size > 0.0 {
            0.5 / size
        } else {
            f64::INFINITY
        };
        let mut cluster = Cluster {
            b,
            shift,
            nu,
            most: f64::INFINITY,
            window,
        };
        cluster.most = cluster.greatest_growth();
        cluster
    }

    /// A bound of |e^(Bt)| over all t ≥ 0: over one time s after which it is halved, in 64 steps.
    fn greatest_growth(&self) -> f64 {
        if self.nu <= 0.0 {
            return 1.0;
        }
        let mut s = self.window;
        for _ in 0..60 {
            let norm = self.exponential(s).norm();
            if norm <= 0.5 {
                let step = s / 64.0;
                let most = (0..64)
                    .map(|j| self.exponential(step * f64::from(j)).norm())
                    .fold(0.0, f64::max);
                return most * exp_or_infinite(self.nu * step) * (1.0 + 1e-12);
            }
            if norm.is_nan() || norm > 1e100 {
                break;
            }
            s *= 2.0;
        }
        f64::INFINITY
    }

    /// Whether bounds hold for all time.
    pub(super) fn is_bounded(&self) -> bool {
        self.most < f64::INFINITY
    }

    /// e^(Bt) by Taylor's series of B·t/2^s and s squarings.
    fn exponential(&self, t: f64) -> DMatrix<f64> {
        let k = self.b.nrows();
        let rest = (&self.b - DMatrix::identity(k, k) * self.shift) * t;
        let mut squarings = 0;
        let mut scale = 1.0;
        while rest.norm() * scale > 0.5 && squarings < 200 {
            squarings += 1;
            scale *= 0.5;
        }
        let small = rest * scale;
        let one = DMatrix::identity(k, k);
        let mut sum = one.clone();
        // The next term is below 0.5^16/16! = 7e-19.
        for j in (1..=15).rev() {
            sum = &one + &small * sum / f64::from(j);
        }
        for _ in 0..squarings {
            sum = &sum * &sum;
        }
        sum * bounded_exp(self.shift * t)
    }

    /// y after `t` (ms).
    pub(super) fn advance(&self, y: &mut [f64], t: f64) {
        let e = self.exponential(t);
        let before = y.to_vec();
        for (i, y) in y.iter_mut().enumerate() {
            *y = before.iter().enumerate().map(|(j, v)| e[(i, j)] * v).sum();
        }
    }

    /// r·B.
    pub(super) fn derivative_row(&self, r: &[f64]) -> Vec<f64> {
        (0..r.len())
            .map(|j| r.iter().enumerate().map(|(i, r)| r * self.b[(i, j)]).sum())
            .collect()
    }

    /// A bound of |r·y| over the next `h` (ms, may be ∞).
    pub(super) fn range(&self, r: &[f64], y: &[f64], h: f64) -> f64 {
        let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let growth = if self.nu > 0.0 {
            exp_or_infinite(self.nu * h)
        } else {
            1.0
        };
        times(norm(r) * norm(y) * (1.0 + 1e-12), growth.min(self.most))
    }
}

impl Block {
    /// From B; `augmented` if one coordinate is the constant 1.
    pub(super) fn new(b: &DMatrix<f64>, augmented: bool) -> Self {
        match b.nrows() {
            2 => Block::Pair(Pair::new([b[(0, 0)], b[(0, 1)], b[(1, 0)], b[(1, 1)]])),
            _ => Block::Cluster(Cluster::new(b.clone(), augmented)),
        }
    }

    /// y after `t` (ms).
    pub(super) fn advance(&self, y: &mut [f64], t: f64) {
        match self {
            Block::Pair(pair) => pair.advance(y, t),
            Block::Cluster(cluster) => cluster.advance(y, t),
        }
    }

    /// r·y, and a bound of it for all time.
    pub(super) fn now_and_sup(&self, r: &[f64], y: &[f64]) -> (f64, f64) {
        match self {
            Block::Pair(pair) => {
                let wave = pair.wave(r, y, 1.0);
                (wave.p, pair.range(wave, f64::INFINITY).1)
            }
            Block::Cluster(cluster) => {
                let now = r.iter().zip(y).map(|(r, y)| r * y).sum();
                (now, cluster.range(r, y, f64::INFINITY))
            }
        }
    }
}
