//! Dimensions: powers of time, voltage and current.

use std::fmt;
use std::ops::{Div, Mul};

/// Powers of time, voltage and current, each counted in halves (`sqrt(ms)` has `time: 1`).
///
/// Halves are needed for the intensity of white noise, such as mV/ms^0.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Dimension {
    /// Half powers of time (ms).
    pub time: i8,
    /// Half powers of voltage (mV).
    pub voltage: i8,
    /// Half powers of current (pA).
    pub current: i8,
}

impl Dimension {
    /// A plain number.
    pub const NONE: Dimension = Dimension::new(0, 0, 0);
    /// Time (ms).
    pub const TIME: Dimension = Dimension::new(2, 0, 0);
    /// One over time (1/ms); frequencies and rates have it too.
    pub const RATE: Dimension = Dimension::new(-2, 0, 0);
    /// Voltage (mV).
    pub const VOLTAGE: Dimension = Dimension::new(0, 2, 0);
    /// Current (pA).
    pub const CURRENT: Dimension = Dimension::new(0, 0, 2);
    /// Conductance (nS).
    pub const CONDUCTANCE: Dimension = Dimension::new(0, -2, 2);
    /// Capacitance (pF).
    pub const CAPACITANCE: Dimension = Dimension::new(2, -2, 2);
    /// Resistance (GOhm).
    pub const RESISTANCE: Dimension = Dimension::new(0, 2, -2);

    /// A dimension from its half powers.
    pub const fn new(time: i8, voltage: i8, current: i8) -> Self {
        Dimension {
            time,
            voltage,
            current,
        }
    }

    /// Whether this is the dimension of a plain number.
    pub fn is_none(self) -> bool {
        self == Dimension::NONE
    }

    /// Dimension of `x^n`. Powers beyond ±63 saturate; no equation comes near them.
    #[must_use]
    pub fn powi(self, n: i32) -> Self {
        self.map(|half| {
            let wide = i64::from(half) * i64::from(n);
            wide.clamp(i64::from(i8::MIN), i64::from(i8::MAX)) as i8
        })
    }

    /// Dimension of the square root; `None` if it would have quarter powers.
    pub fn sqrt(self) -> Option<Self> {
        let odd = |half: i8| half % 2 != 0;
        if odd(self.time) || odd(self.voltage) || odd(self.current) {
            return None;
        }
        Some(self.map(|half| half / 2))
    }

    /// For messages: `in mV`, or `a plain number`.
    pub fn in_words(self) -> String {
        if self.is_none() {
            return "a plain number".to_owned();
        }
        format!("in {self}")
    }

    pub(super) fn map(self, f: impl Fn(i8) -> i8) -> Self {
        Dimension::new(f(self.time), f(self.voltage), f(self.current))
    }
}

/// Dimension of a product.
impl Mul for Dimension {
    type Output = Dimension;

    fn mul(self, other: Dimension) -> Dimension {
        Dimension::new(
            self.time.saturating_add(other.time),
            self.voltage.saturating_add(other.voltage),
            self.current.saturating_add(other.current),
        )
    }
}

/// Dimension of a quotient.
impl Div for Dimension {
    type Output = Dimension;

    fn div(self, other: Dimension) -> Dimension {
        Dimension::new(
            self.time.saturating_sub(other.time),
            self.voltage.saturating_sub(other.voltage),
            self.current.saturating_sub(other.current),
        )
    }
}

/// Dimensions with a unit of their own; the named ones are tried in this order.
const NAMED: [(Dimension, &str); 7] = [
    (Dimension::TIME, "ms"),
    (Dimension::VOLTAGE, "mV"),
    (Dimension::CURRENT, "pA"),
    (Dimension::CONDUCTANCE, "nS"),
    (Dimension::CAPACITANCE, "pF"),
    (Dimension::RESISTANCE, "GOhm"),
    (Dimension::NONE, "dimensionless"),
];

impl fmt::Display for Dimension {
    /// The unit that the engine uses, as `Quantity::parse` reads it: `nS`, `mV/ms`, `1/ms`, `mV^2`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = NAMED.iter().find(|(d, _)| d == self) {
            return out.write_str(name);
        }
        // `nS/ms` reads better than `pA/mV/ms`.
        let derived = NAMED[3..6]
            .iter()
            .find(|(d, _)| (*self / *d).voltage == 0 && (*self / *d).current == 0);
        let factors: Vec<(i8, &str)> = match derived {
            Some((d, name)) => vec![(2, *name), ((*self / *d).time, "ms")],
            None => vec![
                (self.current, "pA"),
                (self.voltage, "mV"),
                (self.time, "ms"),
            ],
        };
        let mut text = String::new();
        for (half, name) in factors.iter().filter(|(half, _)| *half > 0) {
            text.push_str(if text.is_empty() { "" } else { "*" });
            text.push_str(&power(name, *half));
        }
        if text.is_empty() {
            text.push('1');
        }
        for (half, name) in factors.iter().filter(|(half, _)| *half < 0) {
            text.push('/');
            text.push_str(&power(name, half.saturating_neg()));
        }
        out.write_str(&text)
    }
}

/// `ms`, `ms^2` or `ms^0.5` from a positive half power.
fn power(name: &str, half: i8) -> String {
    if half == 2 {
        name.to_owned()
    } else {
        format!("{name}^{}", f64::from(half) / 2.0)
    }
}
