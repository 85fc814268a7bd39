//! Physical dimensions and quantities, known only when a netlist is read.
//!
//! Inside the engine everything is in ms, mV and pA, and in what these make: nS = pA/mV,
//! pF = pA·ms/mV, GOhm = mV/pA. The five are coherent, so that an expression needs no conversion
//! factors once its constants are read. Dimensions appear at run time because equations are text;
//! unit crates that work on types cannot check those.

use std::fmt;
use std::ops::{Div, Mul};

use crate::source::nearest;

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

    fn map(self, f: impl Fn(i8) -> i8) -> Self {
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

/// A number with a dimension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// The number, in engine units: ms, mV, pA, nS, pF, GOhm and their products.
    pub value: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Quantity {
    /// A number with a dimension, already in engine units.
    pub fn new(value: f64, dimension: Dimension) -> Self {
        Quantity { value, dimension }
    }

    /// A number without a dimension.
    pub fn plain(value: f64) -> Self {
        Quantity::new(value, Dimension::NONE)
    }

    /// Reads a number and its unit: `10 ms`, `250pF`, `-70 mV`, `0.5 /ms`, `30 mV/ms`, `2`, `5 %`.
    ///
    /// Units are s, V, A, S, F, Ohm and Hz with a prefix (f p n u m k M G) and a power (`^2`, `^0.5`),
    /// multiplied by `*` and divided by `/`. The decimal point is shifted in the text, so `-0.07 V`
    /// and `-70 mV` are the same number to the last bit.
    ///
    /// # Errors
    ///
    /// [`UnitError`] if there is no number, it is not finite, or a unit is unknown.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let trimmed = text.trim();
        let number = number_length(trimmed);
        if number == 0 {
            return Err(UnitError::NoNumber {
                text: trimmed.to_owned(),
            });
        }
        let (digits, unit) = trimmed.split_at(number);
        let (dimension, half_shift) = parse_unit(unit.trim())?;
        let value = shifted(digits, half_shift);
        if !value.is_finite() {
            return Err(UnitError::NotFinite {
                text: trimmed.to_owned(),
            });
        }
        Ok(Quantity { value, dimension })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.dimension.is_none(), self.dimension.to_string()) {
            (true, _) => write!(out, "{}", self.value),
            (false, unit) => write!(
                out,
                "{} {}",
                self.value,
                unit.strip_prefix('1').unwrap_or(&unit)
            ),
        }
    }
}

/// What is wrong with the text of a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text does not begin with a number.
    #[error("`{text}` does not begin with a number; write for example `10 ms` or `-70 mV`")]
    NoNumber {
        /// The text.
        text: String,
    },
    /// The number is too large.
    #[error("`{text}` is too large a number")]
    NotFinite {
        /// The text.
        text: String,
    },
    /// A unit that does not exist.
    #[error("`{unit}` is not a unit; {}", advice(nearest))]
    UnknownUnit {
        /// The unit, as written.
        unit: String,
        /// The valid unit that is nearest, if one is near.
        nearest: Option<String>,
    },
    /// A power that is not a whole or half number between -8 and 8.
    #[error(
        "`{unit}^{power}`: a power of a unit is a whole or half number from -8 to 8, such as `ms^2` or `ms^0.5`"
    )]
    BadPower {
        /// The unit.
        unit: String,
        /// The power, as written.
        power: String,
    },
}

fn advice(nearest: &Option<String>) -> String {
    match nearest {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "units are ms, s, Hz, mV, V, pA, nA, nS, pF, MOhm, GOhm, %, and products such as mV/ms"
                .to_owned()
        }
    }
}

/// Bytes of the decimal number that `text` begins with; 0 if it does not.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit() || **b == b'_')
            .count()
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if !bytes[sign..end].iter().any(u8::is_ascii_digit) || whole + fraction == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = if signed <= bytes.len() {
            digits(signed)
        } else {
            0
        };
        if exponent > 0 {
            end = signed + exponent;
        }
    }
    end
}

/// The number `digits` times the square root of 10^`half_shift`; NaN if it cannot be read.
fn shifted(digits: &str, half_shift: i32) -> f64 {
    let plain = digits.replace('_', "");
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((&plain, "0"));
    let Ok(exponent) = exponent.parse::<i32>() else {
        return f64::NAN;
    };
    let whole = exponent.saturating_add(half_shift.div_euclid(2));
    let value = format!("{mantissa}e{whole}")
        .parse::<f64>()
        .unwrap_or(f64::NAN);
    if half_shift.rem_euclid(2) == 1 {
        value * 10_f64.sqrt()
    } else {
        value
    }
}

/// Dimension of a unit text and the half power of ten that takes it to engine units.
fn parse_unit(text: &str) -> Result<(Dimension, i32), UnitError> {
    let mut dimension = Dimension::NONE;
    let mut half_shift = 0;
    if text.is_empty() {
        return Ok((dimension, half_shift));
    }
    let mut rest = text.strip_prefix('/').unwrap_or(text);
    let mut sign = if rest.len() < text.len() { -1 } else { 1 };
    loop {
        let end = rest.find(['/', '*', '·']).unwrap_or(rest.len());
        let (factor, half) = split_power(rest[..end].trim())?;
        let (base, shift) = atom(factor).ok_or_else(|| unknown(factor))?;
        let half = half * sign;
        // Half powers of the factor on top of the base's own halves: an even product by construction.
        dimension = dimension * base.powi(half).map(|h| h / 2);
        half_shift += shift * half;
        let Some(separator) = rest[end..].chars().next() else {
            break;
        };
        sign = if separator == '/' { -1 } else { 1 };
        rest = &rest[end + separator.len_utf8()..];
    }
    Ok((dimension, half_shift))
}

/// A factor's unit and its power in halves.
fn split_power(factor: &str) -> Result<(&str, i32), UnitError> {
    let Some((unit, power)) = factor.split_once('^') else {
        return Ok((factor, 2));
    };
    let (unit, power) = (unit.trim(), power.trim());
    match power.parse::<f64>() {
        Ok(p) if p.abs() <= 8.0 && (p * 2.0).fract().abs() < f64::EPSILON => {
            Ok((unit, (p * 2.0) as i32))
        }
        _ => Err(UnitError::BadPower {
            unit: unit.to_owned(),
            power: power.to_owned(),
        }),
    }
}

/// Base units, and the power of ten of one of them in engine units.
const BASES: [(&str, Dimension, i32); 9] = [
    ("s", Dimension::TIME, 3),
    ("V", Dimension::VOLTAGE, 3),
    ("A", Dimension::CURRENT, 12),
    ("S", Dimension::CONDUCTANCE, 9),
    ("F", Dimension::CAPACITANCE, 12),
    ("Ohm", Dimension::RESISTANCE, -9),
    ("\u{3a9}", Dimension::RESISTANCE, -9),
    ("\u{2126}", Dimension::RESISTANCE, -9),
    ("Hz", Dimension::RATE, -3),
];

/// Prefixes and their powers of ten; micro also as its two Unicode characters.
const PREFIXES: [(&str, i32); 11] = [
    ("", 0),
    ("f", -15),
    ("p", -12),
    ("n", -9),
    ("u", -6),
    ("\u{b5}", -6),
    ("\u{3bc}", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
    ("G", 9),
];

/// Dimension and power of ten of one unit without a power.
fn atom(text: &str) -> Option<(Dimension, i32)> {
    match text {
        "1" => return Some((Dimension::NONE, 0)),
        "%" => return Some((Dimension::NONE, -2)),
        _ => {}
    }
    BASES.iter().find_map(|(base, dimension, shift)| {
        let prefix = text.strip_suffix(base)?;
        let (_, power) = PREFIXES.iter().find(|(p, _)| *p == prefix)?;
        Some((*dimension, shift + power))
    })
}

/// What people write for a unit, besides its symbol.
const ALIASES: [(&str, &str); 12] = [
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("min", "s"),
    ("volt", "V"),
    ("amp", "A"),
    ("siemens", "S"),
    ("farad", "F"),
    ("percent", "%"),
];

fn unknown(unit: &str) -> UnitError {
    const COMMON: [&str; 17] = [
        "ms", "s", "us", "Hz", "kHz", "mV", "V", "pA", "nA", "nS", "uS", "pF", "nF", "GOhm",
        "MOhm", "kOhm", "%",
    ];
    let same = |name: &&str| name.eq_ignore_ascii_case(unit);
    let alias = || {
        ALIASES
            .iter()
            .find(|(a, _)| a.eq_ignore_ascii_case(unit))
            .map(|(_, name)| *name)
    };
    let found = COMMON.iter().copied().find(same).or_else(alias);
    let near = found.or_else(|| {
        if unit.chars().count() > 1 {
            nearest(unit, COMMON)
        } else {
            None
        }
    });
    UnitError::UnknownUnit {
        unit: unit.to_owned(),
        nearest: near.map(str::to_owned),
    }
}
