//! The tree of an expression as written, and how it is printed.

use std::fmt;

use crate::units::{Dimension, Quantity};

/// A tree node and the bytes of the expression's text that it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Ast {
    /// What it is.
    pub kind: AstKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Kinds of tree node.
#[derive(Debug, Clone, PartialEq)]
pub enum AstKind {
    /// A number, with its unit if one was written behind it.
    Number(Quantity),
    /// A name of one or more parts, `latent.soma`.
    Name(Vec<String>),
    /// A call, `f(x)`; `primes` counts derivative marks, `f'(x)`.
    Call {
        /// The function's name.
        function: String,
        /// How many `'` follow it.
        primes: usize,
        /// Arguments.
        arguments: Vec<Ast>,
    },
    /// `inverse(f)(x)`: the inverse of the activation, of x.
    Inverse(Box<Ast>),
    /// `-x` or `not x`.
    Unary(UnarySign, Box<Ast>),
    /// `a + b` and the like.
    Binary(BinarySign, Box<Ast>, Box<Ast>),
}

/// Signs in front of an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnarySign {
    /// `-`
    Minus,
    /// `not`
    Not,
}

/// Signs between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is its own sign")]
pub enum BinarySign {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

impl BinarySign {
    /// How it is written.
    pub fn text(self) -> &'static str {
        use BinarySign::*;
        match self {
            Add => "+",
            Sub => "-",
            Mul => "*",
            Div => "/",
            Pow => "^",
            Less => "<",
            LessEqual => "<=",
            Greater => ">",
            GreaterEqual => ">=",
            Equal => "==",
            NotEqual => "!=",
            And => "and",
            Or => "or",
        }
    }

    /// Binding strength on its left and on its right; `^` binds to the right, all else to the left.
    pub(super) fn binding(self) -> (u8, u8) {
        use BinarySign::*;
        match self {
            Or => (1, 2),
            And => (3, 4),
            Less | LessEqual | Greater | GreaterEqual | Equal | NotEqual => (7, 8),
            Add | Sub => (9, 10),
            Mul | Div => (11, 12),
            Pow => (16, 15),
        }
    }
}

/// Binding strength of `not`, and of a minus sign (tighter than `*`, looser than `^`).
pub(super) const NOT_BINDING: u8 = 5;
/// See [`NOT_BINDING`].
pub(super) const MINUS_BINDING: u8 = 13;

impl fmt::Display for Ast {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(out, 0)
    }
}

impl Ast {
    /// The names that it reads, as they are written.
    pub fn names(&self) -> Vec<String> {
        match &self.kind {
            AstKind::Number(_) => vec![],
            AstKind::Name(path) => vec![path.join(".")],
            AstKind::Call { arguments, .. } => arguments.iter().flat_map(Ast::names).collect(),
            AstKind::Unary(_, a) | AstKind::Inverse(a) => a.names(),
            AstKind::Binary(_, a, b) => [a.names(), b.names()].concat(),
        }
    }

    /// Prints with the brackets that a context of binding strength `context` needs.
    fn print(&self, out: &mut fmt::Formatter<'_>, context: u8) -> fmt::Result {
        match &self.kind {
            AstKind::Number(quantity) => print_number(out, quantity),
            AstKind::Name(parts) => print_name(out, parts),
            AstKind::Call {
                function,
                primes,
                arguments,
            } => {
                print_word(out, function)?;
                write!(out, "{}(", "'".repeat(*primes))?;
                for (index, argument) in arguments.iter().enumerate() {
                    if index > 0 {
                        out.write_str(", ")?;
                    }
                    argument.print(out, 0)?;
                }
                out.write_str(")")
            }
            AstKind::Inverse(argument) => {
                out.write_str("inverse(f)(")?;
                argument.print(out, 0)?;
                out.write_str(")")
            }
            AstKind::Unary(sign, operand) => {
                let (text, strength) = match sign {
                    UnarySign::Minus => ("-", MINUS_BINDING),
                    UnarySign::Not => ("not ", NOT_BINDING),
                };
                bracketed(out, context > strength, |out| {
                    out.write_str(text)?;
                    operand.print(out, strength)
                })
            }
            AstKind::Binary(sign, left, right) => {
                let (on_left, on_right) = sign.binding();
                bracketed(out, context > on_left.min(on_right), |out| {
                    left.print(out, on_left)?;
                    match sign {
                        BinarySign::Pow => out.write_str("^")?,
                        _ => write!(out, " {} ", sign.text())?,
                    }
                    // A minus sign needs no brackets in an exponent, where nothing can come between.
                    let signed = *sign == BinarySign::Pow
                        && matches!(right.kind, AstKind::Unary(UnarySign::Minus, _));
                    right.print(out, if signed { 0 } else { on_right })
                })
            }
        }
    }
}

/// Prints a number with a unit that can stand behind it here: a rate in Hz, since `/ms` would divide.
fn print_number(out: &mut fmt::Formatter<'_>, quantity: &Quantity) -> fmt::Result {
    if quantity.dimension != Dimension::RATE {
        return write!(out, "{quantity}");
    }
    let short = format!("{} Hz", quantity.value * 1000.0);
    if Quantity::parse(&short).is_ok_and(|read| read == *quantity) {
        return out.write_str(&short);
    }
    // The product was rounded: shift the decimal point in the text instead.
    let digits = format!("{:e}", quantity.value);
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    write!(
        out,
        "{mantissa}e{} Hz",
        exponent.parse::<i32>().unwrap_or(0) + 3
    )
}

/// Prints a dotted name.
fn print_name(out: &mut fmt::Formatter<'_>, parts: &[String]) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.write_str(".")?;
        }
        print_word(out, part)?;
    }
    Ok(())
}

/// Prints a part of a name, between backquotes if it is not a plain word.
fn print_word(out: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
    let plain = word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !matches!(word, "and" | "or" | "not");
    if plain {
        out.write_str(word)
    } else {
        write!(out, "`{word}`")
    }
}

/// Wraps `inside` in brackets if `wanted`.
fn bracketed(
    out: &mut fmt::Formatter<'_>,
    wanted: bool,
    inside: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if wanted {
        out.write_str("(")?;
        inside(out)?;
        out.write_str(")")
    } else {
        inside(out)
    }
}
