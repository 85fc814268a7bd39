//! Numbers and units as they are written.

use super::{Dimension, UnitError};
use crate::source::nearest;

/// Bytes of the decimal number that `text` begins with; 0 if it does not.
pub(super) fn number_length(text: &str) -> usize {
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
pub(super) fn shifted(digits: &str, half_shift: i32) -> f64 {
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
pub(super) fn parse_unit(text: &str) -> Result<(Dimension, i32), UnitError> {
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
