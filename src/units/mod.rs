//! Physical dimensions and quantities, known only when a netlist is read.
//!
//! Inside the engine everything is in ms, mV and pA, and in what these make: nS = pA/mV,
//! pF = pA·ms/mV, GOhm = mV/pA. The five are coherent, so that an expression needs no conversion
//! factors once its constants are read. Dimensions appear at run time because equations are text;
//! unit crates that work on types cannot check those.

mod dimension;
mod parse;

use std::fmt;

pub use dimension::Dimension;
use parse::{number_length, parse_unit, shifted};

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
