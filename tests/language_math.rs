//! The elementary functions err by less than 4 units in the last place, measured against arithmetic of
//! twice the precision: system libraries are themselves wrong by up to 2 units, in `tanh` for example.
#![allow(clippy::unwrap_used, clippy::panic)]

use apical::lang::math;

/// A number as an unevaluated sum of two, about 32 decimal digits (Dekker 1971).
#[derive(Clone, Copy)]
struct Twofold {
    high: f64,
    low: f64,
}

const LN_2: Twofold = Twofold {
    high: std::f64::consts::LN_2,
    low: 2.319_046_813_846_299_6e-17,
};

impl Twofold {
    fn new(x: f64) -> Self {
        Twofold { high: x, low: 0.0 }
    }

    /// a + b exactly (Knuth's two-sum).
    fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let part = high - a;
        Twofold {
            high,
            low: (a - (high - part)) + (b - part),
        }
    }

    fn add(self, other: Twofold) -> Self {
        let Twofold { high, low } = Twofold::sum(self.high, other.high);
        Twofold::sum(high, low + (self.low + other.low))
    }

    fn neg(self) -> Self {
        Twofold {
            high: -self.high,
            low: -self.low,
        }
    }

    fn mul(self, other: Twofold) -> Self {
        let high = self.high * other.high;
        let low = self.high.mul_add(other.high, -high);
        Twofold::sum(high, low + (self.high * other.low + self.low * other.high))
    }

    fn div(self, other: Twofold) -> Self {
        let first = self.high / other.high;
        let rest = self.add(other.mul(Twofold::new(-first)));
        let second = rest.high / other.high;
        let rest = rest.add(other.mul(Twofold::new(-second)));
        Twofold::sum(first, second).add(Twofold::new(rest.high / other.high))
    }

    /// Taylor's series of (x − n·ln 2)/2^8, squared eight times, times 2^n.
    fn exp(self) -> Self {
        let n = (self.high / LN_2.high).round();
        let rest = self.add(LN_2.mul(Twofold::new(-n)));
        let scale = |x: Twofold, by: f64| Twofold {
            high: x.high * by,
            low: x.low * by,
        };
        let small = scale(rest, 1.0 / 256.0);
        let mut sum = Twofold::new(1.0);
        for k in (1..=14).rev() {
            let term = small.mul(sum).div(Twofold::new(f64::from(k)));
            sum = Twofold::new(1.0).add(term);
        }
        for _ in 0..8 {
            sum = sum.mul(sum);
        }
        // In two steps, so that 2^n never leaves the range by itself.
        let half = (n / 2.0).trunc();
        scale(
            scale(sum, 2_f64.powi(half as i32)),
            2_f64.powi((n - half) as i32),
        )
    }

    /// Newton's step on e^y = x from the system's logarithm: its error is squared.
    fn ln(self) -> Self {
        let guess = Twofold::new(self.high.ln());
        let left = self.mul(guess.neg().exp()).add(Twofold::new(-1.0));
        // ln(1 + d) = d − d²/2 with |d| below 1e-15.
        let square = left.mul(left).mul(Twofold::new(-0.5));
        guess.add(left).add(square)
    }
}

fn tanh(x: Twofold) -> Twofold {
    let power = x.add(x).exp();
    let one = Twofold::new(1.0);
    power.add(one.neg()).div(power.add(one))
}

fn sigmoid(x: Twofold) -> Twofold {
    let one = Twofold::new(1.0);
    one.div(one.add(x.neg().exp()))
}

fn log1p(x: Twofold) -> Twofold {
    if x.high.abs() < 1e-6 {
        // x − x²/2 + x³/3 − x⁴/4: the next term is below 1e-24 of the first.
        let coefficients = [-1.0 / 4.0, 1.0 / 3.0, -0.5, 1.0];
        let start = Twofold::new(coefficients[0]);
        let series = coefficients[1..]
            .iter()
            .fold(start, |sum, c| sum.mul(x).add(Twofold::new(*c)));
        return series.mul(x);
    }
    Twofold::new(1.0).add(x).ln()
}

fn softplus(x: Twofold) -> Twofold {
    let magnitude = if x.high < 0.0 { x } else { x.neg() };
    let rest = log1p(magnitude.exp());
    if x.high < 0.0 { rest } else { x.add(rest) }
}

/// Largest error over 4001 points between `low` and `high` (units in the last place).
fn worst(ours: fn(f64) -> f64, exact: fn(Twofold) -> Twofold, low: f64, high: f64) -> f64 {
    let error = |i: i32| {
        let x = low + (high - low) * (f64::from(i) / 4000.0);
        let exact = exact(Twofold::new(x));
        let ulp = exact.high.abs().next_up() - exact.high.abs();
        ((ours(x) - exact.high) - exact.low).abs() / ulp
    };
    (0..=4000).map(error).fold(0.0, f64::max)
}

#[test]
fn the_arithmetic_of_twice_the_precision_has_it() {
    // e and tanh(1/2) to 33 digits, each as a double and what is missing from it.
    let cases = [
        (
            Twofold::new(1.0).exp(),
            std::f64::consts::E,
            1.445_646_891_729_250_2e-16,
        ),
        (
            tanh(Twofold::new(0.5)),
            0.462_117_157_260_009_74,
            2.191_660_323_826_092_9e-17,
        ),
        (Twofold::new(2.0).ln(), LN_2.high, LN_2.low),
        (
            Twofold::new(10.0).ln(),
            std::f64::consts::LN_10,
            -2.170_756_223_382_249_4e-16,
        ),
    ];
    for (found, high, low) in cases {
        let difference = (found.high - high) + (found.low - low);
        assert!(
            difference.abs() < 1e-29,
            "{} + {}: {difference:e}",
            found.high,
            found.low
        );
    }
}

#[test]
fn functions_err_by_less_than_4_units_in_the_last_place() {
    // Where each has its cases: small, around 1, large, where results become huge or tiny.
    let claims: [(&str, f64); 18] = [
        ("exp", worst(math::exp, Twofold::exp, -700.0, 709.0)),
        ("exp", worst(math::exp, Twofold::exp, -1.0, 1.0)),
        ("tanh", worst(math::tanh, tanh, -25.0, 25.0)),
        ("tanh", worst(math::tanh, tanh, 0.16, 0.6)),
        ("tanh", worst(math::tanh, tanh, -0.18, 0.0)),
        ("tanh", worst(math::tanh, tanh, -1e-7, -2e-8)),
        ("log", worst(math::log, Twofold::ln, 0.5, 2.0)),
        ("log", worst(math::log, Twofold::ln, 0.99, 1.01)),
        ("log", worst(math::log, Twofold::ln, 1.0, 1e6)),
        ("log", worst(math::log, Twofold::ln, 1e-300, 1e-290)),
        ("log1p", worst(math::log1p, log1p, -0.9, 3.0)),
        ("log1p", worst(math::log1p, log1p, -0.01, 0.01)),
        ("log1p", worst(math::log1p, log1p, 1e-10, 1e-9)),
        ("sigmoid", worst(math::sigmoid, sigmoid, -600.0, 40.0)),
        ("sigmoid", worst(math::sigmoid, sigmoid, -3.0, 3.0)),
        ("softplus", worst(math::softplus, softplus, -600.0, 600.0)),
        ("softplus", worst(math::softplus, softplus, -3.0, 3.0)),
        ("softplus", worst(math::softplus, softplus, -40.0, -10.0)),
    ];
    for (name, error) in claims {
        // A bound from below too: rounding alone gives half a unit somewhere among thousands of points.
        assert!(error < 4.0 && error > 0.45, "{name}: {error}");
    }
}

#[test]
fn an_error_of_5_units_would_be_noticed() {
    let careless = |x: f64| f64::from_bits(math::exp(x).to_bits() + 5);
    assert!(worst(careless, Twofold::exp, -1.0, 1.0) > 4.0);
}

#[test]
fn tanh_and_log_are_exact_where_their_value_is() {
    assert_eq!(
        math::tanh(5e-324).to_bits(),
        1,
        "tanh x = x for the smallest x"
    );
    assert_eq!(math::tanh(-30.0).to_bits(), (-1.0_f64).to_bits());
    for n in -1022..1024 {
        let exact = Twofold::new(f64::from(n)).mul(LN_2);
        // One unit: two roundings, since the series contributes nothing at a power of two.
        let ulp = exact.high.abs().next_up() - exact.high.abs();
        let error = (math::log(2_f64.powi(n)) - exact.high).abs();
        assert!(error <= ulp, "log of 2^{n}");
    }
}

#[test]
fn functions_never_decrease_between_neighbouring_numbers_far_apart() {
    // Errors of 4 units cannot turn around steps a million times larger.
    let functions = [math::exp, math::tanh, math::sigmoid, math::softplus];
    for f in functions {
        let values: Vec<f64> = (-4000..=4000).map(|i| f(f64::from(i) * 1e-3)).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
    }
    let values: Vec<f64> = (1..=8000).map(|i| math::log(f64::from(i) * 1e-3)).collect();
    assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
}
