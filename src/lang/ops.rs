//! The operations of the language and what each does to one number.

use serde::{Deserialize, Serialize};

use super::math;

/// Operations on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it; `apply` defines them")]
pub enum Unary {
    Neg,
    Not,
    Abs,
    Sqrt,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Softplus,
    SoftplusInverse,
    Atanh,
    Step,
    Sign,
}

/// Operations on two values; comparisons give 1 or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it; `apply` defines them")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// Operations on three values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ternary {
    /// a·b + c in one rounding.
    Fma,
    /// c − a·b in one rounding.
    NegFma,
    /// a·b − c in one rounding.
    FmaSub,
    /// b where a is not 0, else c.
    Select,
}

/// 1 or 0.
#[inline(always)]
fn truth(x: bool) -> f64 {
    if x { 1.0 } else { 0.0 }
}

impl Unary {
    /// The operation itself.
    #[inline(always)]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Unary::Neg => -x,
            Unary::Not => 1.0 - truth(x.abs() > 0.0),
            Unary::Abs => x.abs(),
            Unary::Sqrt => x.sqrt(),
            Unary::Exp => math::exp(x),
            Unary::Log => math::log(x),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Tanh => math::tanh(x),
            Unary::Sigmoid => math::sigmoid(x),
            Unary::Softplus => math::softplus(x),
            Unary::SoftplusInverse => math::softplus_inverse(x),
            Unary::Atanh => math::atanh(x),
            Unary::Step => math::step(x),
            Unary::Sign => math::sign(x),
        }
    }
}

impl Binary {
    /// The operation itself.
    #[inline(always)]
    #[allow(
        clippy::float_cmp,
        reason = "the language's == and != are exact, as its reference says"
    )]
    pub fn apply(self, x: f64, y: f64) -> f64 {
        match self {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Div => x / y,
            Binary::Pow => x.powf(y),
            // Written so that a NaN on either side comes out as NaN.
            Binary::Min => {
                if x < y || x.is_nan() {
                    x
                } else {
                    y
                }
            }
            Binary::Max => {
                if x > y || x.is_nan() {
                    x
                } else {
                    y
                }
            }
            Binary::Less => truth(x < y),
            Binary::LessEqual => truth(x <= y),
            Binary::Equal => truth(x == y),
            Binary::NotEqual => truth(x != y),
            Binary::And => truth(x.abs() > 0.0 && y.abs() > 0.0),
            Binary::Or => truth(x.abs() > 0.0 || y.abs() > 0.0),
        }
    }
}

impl Ternary {
    /// The operation itself.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64, c: f64) -> f64 {
        match self {
            Ternary::Fma => a.mul_add(b, c),
            Ternary::NegFma => (-a).mul_add(b, c),
            Ternary::FmaSub => a.mul_add(b, -c),
            Ternary::Select => {
                if a.abs() > 0.0 {
                    b
                } else {
                    c
                }
            }
        }
    }
}
