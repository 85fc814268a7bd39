//! A linear read-out g(t) = c + Σ r_k·y_k(t) as a function of time: values, derivatives and bounds.
//!
//! For decaying exponentials ordered from the slowest to the fastest, Abel's summation gives
//! Σ a_k·e_k = Σ S_k·(e_k − e_{k+1}) with the partial sums S_k = a_1 + … + a_k. All the differences
//! are ≥ 0 and their sum is ≤ 1, so that c + max(0, max S_k) bounds g for all time to come. The same
//! holds for each derivative.

use super::block::{Block, Cluster, Pair, Wave, times};
use super::exp::exp;
use super::modes::{Modes, Placed};

/// A read-out from a state, with room for `N` single exponentials (unused ones are 0).
pub(super) struct Signal<'a, const N: usize> {
    pub(super) c: f64,
    amplitudes: [f64; N],
    rates: [f64; N],
    /// The least rate above 0 if all is made of single exponentials (1/ms), else 0; and its inverse.
    slowest: (f64, f64),
    parts: Vec<Part<'a>>,
}

/// What a block adds to the signal.
enum Part<'a> {
    Wave(&'a Pair, Wave),
    /// The coordinates, and the rows that read them and their first two derivatives.
    Rows(&'a Cluster, Vec<f64>, [Vec<f64>; 3]),
}

/// The signal at a time t. `most…` and `least…` hold from t on: for the value over all the rest of
/// the search, for derivatives over a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) g: f64,
    pub(super) slope: f64,
    pub(super) most: f64,
    pub(super) most_slope: f64,
    pub(super) least_bend: f64,
    pub(super) most_bend: f64,
    /// The most of the slope falls by this rate at least (1/ms); and its inverse. 0 if unknown.
    pub(super) slowest: (f64, f64),
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

impl<'a, const N: usize> Signal<'a, N> {
    /// `sign`·(c + readout·y). There must be no more than `N` single exponentials.
    #[inline(always)]
    pub(super) fn new(modes: &'a Modes, y: &[f64], readout: &[f64], c: f64, sign: f64) -> Self {
        let mut signal = Signal {
            c: sign * c,
            amplitudes: [0.0; N],
            rates: [0.0; N],
            slowest: (0.0, 0.0),
            parts: Vec::new(),
        };
        let rates = modes.rates.as_slice();
        if let (0, Ok(rates), Ok(y), Ok(r)) = (
            modes.still,
            <&[f64; N]>::try_from(rates),
            <&[f64; N]>::try_from(y),
            <&[f64; N]>::try_from(readout),
        ) {
            // Whole registers at once.
            signal.rates = *rates;
            for ((a, y), r) in signal.amplitudes.iter_mut().zip(y).zip(r) {
                *a = sign * (r * y);
            }
        } else {
            for (k, ((y, r), rate)) in y.iter().zip(readout).zip(rates).take(N).enumerate() {
                // What never changes is part of the constant.
                if k < modes.still {
                    signal.c += sign * (r * y);
                } else {
                    signal.amplitudes[k] = sign * (r * y);
                    signal.rates[k] = *rate;
                }
            }
        }
        if !modes.blocks.is_empty() {
            signal.parts = parts(modes, y, readout, sign);
        } else if let Some(rate) = rates.get(modes.still) {
            signal.slowest = (*rate, 1.0 / rate);
        }
        signal
    }

    /// The signal now.
    #[inline(always)]
    pub(super) fn start(&self, window: f64, rest: f64) -> Look {
        let mut look = self.sums(&self.amplitudes);
        for part in &self.parts {
            part.add(&mut look, None, window, rest);
        }
        look
    }

    /// The signal after `t` (ms).
    #[inline(always)]
    pub(super) fn look(&self, t: f64, window: f64, rest: f64) -> Look {
        let factors = self.rates.map(|rate| exp(-rate * t));
        let mut values = self.amplitudes;
        for (v, e) in values.iter_mut().zip(factors) {
            *v *= e;
        }
        let mut look = self.sums(&values);
        for part in &self.parts {
            part.add(&mut look, Some(t), window, rest);
        }
        look
    }

    #[inline(always)]
    fn sums(&self, values: &[f64; N]) -> Look {
        let mut look = Look {
            g: self.c,
            slope: 0.0,
            most: self.c,
            most_slope: 0.0,
            least_bend: 0.0,
            most_bend: 0.0,
            slowest: self.slowest,
        };
        let mut bend = 0.0;
        for (v, rate) in values.iter().zip(&self.rates) {
            look.g += v;
            look.most = larger(look.g, look.most);
            let slope = -rate * v;
            look.slope += slope;
            look.most_slope = larger(look.slope, look.most_slope);
            bend -= rate * slope;
            look.most_bend = larger(bend, look.most_bend);
            look.least_bend = smaller(bend, look.least_bend);
        }
        look
    }

    /// An upper bound over the next `dt` (ms, may be ∞).
    #[inline(always)]
    pub(super) fn sup(&self, dt: f64) -> f64 {
        let now = self.start(dt, dt);
        let bend = larger(now.most_bend, 0.0);
        let parabola = now.g + times(now.slope, dt) + times(0.5 * bend, dt * dt);
        let mut sup = now
            .most
            .min(now.g + times(now.most_slope, dt))
            .min(larger(now.g, parabola));
        if dt < f64::INFINITY {
            // Between two points, a curve is above its chord by h²/8 of its bend at most.
            let then = self.look(dt, 0.0, 0.0);
            let above = 0.125 * dt * dt * larger(-now.least_bend, 0.0);
            sup = sup.min(larger(now.g, then.g) + above);
        }
        let size: f64 = self.amplitudes.iter().map(|a| a.abs()).sum();
        sup + 8.0 * f64::EPSILON * (size + self.c.abs() + sup.abs())
    }

    /// A window over which the bounds of blocks are of use (ms); `None` if they hold for all time.
    pub(super) fn window(&self) -> Option<f64> {
        self.parts.iter().filter_map(Part::window).reduce(f64::min)
    }
}

fn parts<'a>(modes: &'a Modes, y: &[f64], readout: &[f64], sign: f64) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for Placed { start, end, block } in &modes.blocks {
        let (Some(y), Some(r)) = (y.get(*start..*end), readout.get(*start..*end)) else {
            continue;
        };
        parts.push(match block {
            Block::Pair(pair) => Part::Wave(pair, pair.wave(r, y, sign)),
            Block::Cluster(cluster) => {
                let r: Vec<f64> = r.iter().map(|r| sign * r).collect();
                let first = cluster.derivative_row(&r);
                let second = cluster.derivative_row(&first);
                Part::Rows(cluster, y.to_vec(), [r, first, second])
            }
        });
    }
    parts
}

impl Part<'_> {
    /// Adds the part at time t, now if there is none.
    fn add(&self, look: &mut Look, t: Option<f64>, window: f64, rest: f64) {
        // Value and first two derivatives: each with its value, its least and its greatest.
        let [value, first, second] = match self {
            Part::Wave(pair, wave) => {
                let now = t.map_or(*wave, |t| pair.later(*wave, t));
                let first = pair.derivative(now);
                let second = pair.derivative(first);
                let of = |w: Wave, h: f64| {
                    let (least, most) = pair.range(w, h);
                    (w.p, least, most)
                };
                [of(now, rest), of(first, window), of(second, window)]
            }
            Part::Rows(cluster, y, rows) => {
                let mut y = y.clone();
                if let Some(t) = t {
                    cluster.advance(&mut y, t);
                }
                let of = |r: &[f64], h: f64| {
                    let now: f64 = r.iter().zip(&y).map(|(r, y)| r * y).sum();
                    let size = cluster.range(r, &y, h);
                    (now, -size, size)
                };
                let [r, first, second] = rows;
                [of(r, rest), of(first, window), of(second, window)]
            }
        };
        look.g += value.0;
        look.most += value.2;
        look.slope += first.0;
        look.most_slope += first.2;
        look.least_bend += second.1;
        look.most_bend += second.2;
    }

    fn window(&self) -> Option<f64> {
        match self {
            Part::Wave(pair, _) => (pair.slow > 0.0).then(|| 0.5 / pair.slow),
            Part::Rows(cluster, ..) => Some(cluster.window),
        }
    }
}
