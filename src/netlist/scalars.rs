//! Reading single values: whole numbers, numbers, flags, texts and names.

use super::reader::{Context, Field};
use super::tree::Value;
use crate::source::Spanned;
use crate::units::{Dimension, Quantity};

use super::model::{Expression, Name};

/// A set of numbers, and how to say it.
#[derive(Clone, Copy)]
pub(super) struct Range {
    /// Whether a number is in it.
    pub holds: fn(f64) -> bool,
    /// How to say it: "greater than 0".
    pub says: &'static str,
}

impl Range {
    /// Every finite number.
    pub const ANY: Range = Range {
        holds: |_| true,
        says: "finite",
    };
    /// Greater than 0.
    pub const POSITIVE: Range = Range {
        holds: |x| x > 0.0,
        says: "greater than 0",
    };
    /// 0 or greater.
    pub const NOT_NEGATIVE: Range = Range {
        holds: |x| x >= 0.0,
        says: "of at least 0",
    };
    /// Less than 0.
    pub const NEGATIVE: Range = Range {
        holds: |x| x < 0.0,
        says: "less than 0",
    };
    /// A probability.
    pub const PROBABILITY: Range = Range {
        holds: |x| (0.0..=1.0).contains(&x),
        says: "from 0 to 1",
    };
    /// Between -1 and 1, both left out.
    pub const CONTRACTION: Range = Range {
        holds: |x| x.abs() < 1.0,
        says: "between -1 and 1",
    };
}

impl<'a> Field<'a> {
    /// A whole number of at least `least`. `2e6` is one, too.
    pub fn whole(&self, context: &mut Context, least: u64) -> Option<Spanned<u64>> {
        let expected = || match least {
            0 => "a whole number".to_owned(),
            _ => format!("a whole number of at least {least}"),
        };
        if let Some(computed) = self.computed(context) {
            let quantity = computed?;
            let (x, plain) = (quantity.value.value, quantity.value.dimension.is_none());
            return if plain && x.fract().abs() < f64::EPSILON && x >= least as f64 && x < 9e15 {
                Some(Spanned::new(x as u64, self.span()))
            } else {
                self.refuse(context, &quantity.value.to_string(), &expected())
            };
        }
        let number = match self.node.value {
            Value::Whole(number) => number,
            // Whole as a float and small enough that the float is exact.
            Value::Number(x) if x.fract().abs() < f64::EPSILON && x.abs() < 9e15 => x as i128,
            Value::Number(x) => {
                self.wrong_value(context, &x.to_string(), &expected());
                return None;
            }
            _ => {
                self.wrong_kind(context, &expected());
                return None;
            }
        };
        match u64::try_from(number) {
            Ok(number) if number >= least => Some(Spanned::new(number, self.span())),
            Ok(_) => self.refuse(context, &number.to_string(), &expected()),
            Err(_) if number < 0 => self.refuse(context, &number.to_string(), &expected()),
            Err(_) => self.refuse(context, "too large a number", &expected()),
        }
    }

    /// A plain number in a range.
    pub fn number(&self, context: &mut Context, range: Range) -> Option<Spanned<f64>> {
        let expected = || format!("a number {}", range.says).replace("number finite", "number");
        let computed = match self.computed(context) {
            Some(computed) => Some(computed?.value),
            None => None,
        };
        let number = match (&self.node.value, computed) {
            (_, Some(quantity)) if quantity.dimension.is_none() => quantity.value,
            (_, Some(quantity)) => {
                return self.refuse(context, &quantity.to_string(), &expected());
            }
            (Value::Whole(number), _) => *number as f64,
            (Value::Number(number), _) => *number,
            _ => {
                self.wrong_kind(context, &expected());
                return None;
            }
        };
        if number.is_finite() && (range.holds)(number) {
            return Some(Spanned::new(number, self.span()));
        }
        self.refuse(context, &shown(number), &expected())
    }

    /// A number with or without a unit, of any dimension.
    pub fn quantity(&self, context: &mut Context) -> Option<Spanned<Quantity>> {
        let quantity = self.parameter(context)?;
        if quantity.value.value.is_finite() {
            return Some(quantity);
        }
        self.refuse(context, &shown(quantity.value.value), "a finite number")
    }

    /// A quantity that may be infinite: the time constant of a trace that does not decay, say.
    pub fn parameter(&self, context: &mut Context) -> Option<Spanned<Quantity>> {
        if let Some(computed) = self.computed(context) {
            return computed;
        }
        let quantity = match &self.node.value {
            Value::Whole(number) => Quantity::plain(*number as f64),
            Value::Number(number) => Quantity::plain(*number),
            Value::Text { text, .. } => match Quantity::parse(text) {
                Ok(quantity) => quantity,
                Err(error) => {
                    let message = format!("`{}` cannot be read as a number with a unit", self.path);
                    let problem =
                        crate::source::Problem::new(message, self.span(), error.to_string());
                    context.report(problem.help(self.suggestion()));
                    return None;
                }
            },
            _ => {
                self.wrong_kind(context, "a number, or one with a unit such as \"10 ms\"");
                return None;
            }
        };
        if !quantity.value.is_nan() {
            return Some(Spanned::new(quantity, self.span()));
        }
        self.refuse(context, &shown(quantity.value), "a number")
    }

    /// A number of the dimension of the circuit's time: with a unit if the step has one.
    pub fn time(&self, context: &mut Context, range: Range) -> Option<Spanned<Quantity>> {
        let quantity = self.quantity(context)?;
        let found = quantity.value.to_string();
        match context.time {
            Some(Dimension::NONE) if !quantity.value.dimension.is_none() => {
                let expected = "a time without a unit, since the circuit's `step` has none";
                let help = "write a plain number, or give `step` a unit as well";
                context.report(self.problem(&found, expected).help(help));
                return None;
            }
            Some(time) if time != quantity.value.dimension => {
                return self.refuse(context, &found, "a time with a unit, such as \"10 ms\"");
            }
            _ => {}
        }
        if (range.holds)(quantity.value.value) {
            return Some(quantity);
        }
        self.refuse(context, &found, &format!("a time {}", range.says))
    }

    /// true or false.
    pub fn flag(&self, context: &mut Context) -> Option<bool> {
        match self.node.value {
            Value::Flag(flag) => Some(flag),
            _ => {
                self.wrong_kind(context, "true or false");
                None
            }
        }
    }

    /// A text that is not empty, with the place of its characters.
    pub fn text(&self, context: &mut Context, expected: &str) -> Option<Spanned<String>> {
        match &self.node.value {
            Value::Text { text, .. } if text.trim().is_empty() => {
                self.refuse(context, "empty", expected)
            }
            Value::Text { text, inner } => Some(Spanned::new(text.clone(), *inner)),
            _ => {
                self.wrong_kind(context, expected);
                None
            }
        }
    }

    /// A text for people to read.
    pub fn prose(&self, context: &mut Context) -> Option<String> {
        self.text(context, "a text in quotes")
            .map(|text| text.value)
    }

    /// The name of something else in the netlist.
    pub fn name(&self, context: &mut Context) -> Option<Name> {
        self.text(context, "a name in quotes")
    }

    /// The text of an expression; it is parsed later.
    pub fn expression(&self, context: &mut Context) -> Option<Expression> {
        self.text(context, "an expression in quotes")
    }

    /// A name, or a list of them.
    pub fn names(&self, context: &mut Context) -> Option<Vec<Name>> {
        if self.node.text().is_some() {
            return self.name(context).map(|name| vec![name]);
        }
        self.each(context, "a name, or a list of names", Field::name)
    }

    /// A list of plain numbers.
    pub fn numbers(&self, context: &mut Context, range: Range) -> Option<Vec<f64>> {
        self.each(context, "a list of numbers", |field, context| {
            field.number(context, range).map(|number| number.value)
        })
    }

    /// A list of whole numbers of at least `least`.
    pub fn wholes(&self, context: &mut Context, least: u64) -> Option<Vec<u64>> {
        self.each(context, "a list of whole numbers", |field, context| {
            field.whole(context, least).map(|number| number.value)
        })
    }
}

/// A number as a user would write it.
fn shown(number: f64) -> String {
    if number.is_nan() {
        "not a number".to_owned()
    } else if number.is_infinite() {
        "infinite".to_owned()
    } else {
        number.to_string()
    }
}
