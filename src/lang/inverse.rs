//! Symbolic inverses, `inverse(f)(y)`: the activation's tree is undone from the outside in.
//!
//! Every step takes away the outermost operation, with units: what is left of `f` when only `x` is left is the
//! inverse of y. That works where `x` stands once, under operations that each have one inverse.

use super::ast::{Ast, AstKind, BinarySign, UnarySign};
use super::build::{Builder, Typed};
use super::graph::NodeId;
use super::ops::{Binary, Unary};
use crate::units::Dimension;

/// Why an operation cannot be undone.
struct NoInverse {
    why: String,
    help: &'static str,
}

const INVERTIBLE: &str = "an invertible activation reads `x` once, under + - * / ^, exp, log, sqrt, tanh, sigmoid or \
     softplus, such as log(1 + exp(30 * x)) / 30";

fn no_inverse(why: String) -> NoInverse {
    NoInverse {
        why,
        help: INVERTIBLE,
    }
}

/// How often `x` stands in a tree.
fn occurrences(tree: &Ast) -> usize {
    match &tree.kind {
        AstKind::Number(_) => 0,
        AstKind::Name(path) => usize::from(*path == ["x"]),
        AstKind::Call { arguments, .. } => arguments.iter().map(occurrences).sum(),
        AstKind::Unary(_, a) | AstKind::Inverse(a) => occurrences(a),
        AstKind::Binary(_, a, b) => occurrences(a) + occurrences(b),
    }
}

/// u, if the tree is `1 + exp(u)` or `exp(u) + 1`: its logarithm is softplus(u).
fn one_plus_exp(tree: &Ast) -> Option<&Ast> {
    let AstKind::Binary(BinarySign::Add, a, b) = &tree.kind else {
        return None;
    };
    let one = |t: &Ast| matches!(&t.kind, AstKind::Number(q) if q.dimension.is_none() && q.value.to_bits() == 1.0_f64.to_bits());
    let exponent = |t: &Ast| match &t.kind {
        AstKind::Call {
            function,
            primes: 0,
            arguments,
        } if function == "exp" && arguments.len() == 1 => Some(()),
        _ => None,
    };
    let call = if one(a) {
        b
    } else if one(b) {
        a
    } else {
        return None;
    };
    exponent(call)?;
    match &call.kind {
        AstKind::Call { arguments, .. } => arguments.first(),
        _ => None,
    }
}

impl Builder<'_> {
    /// The inverse of an activation at `y`; `tree` is the place of mistakes.
    pub(super) fn inverse_of(&mut self, tree: &Ast, y: Typed, activation: &Ast) -> Typed {
        let times = occurrences(activation);
        if times != 1 {
            let why = match times {
                0 => "it does not read `x`".to_owned(),
                _ => format!("`x` stands in it {times} times"),
            };
            return self.has_none(tree, &no_inverse(why));
        }
        let (mut rest, mut y) = (activation, y);
        loop {
            match self.undo(rest, y) {
                Ok(Some((inside, value))) => (rest, y) = (inside, value),
                Ok(None) => return y,
                Err(refusal) => return self.has_none(tree, &refusal),
            }
        }
    }

    fn has_none(&mut self, tree: &Ast, refusal: &NoInverse) -> Typed {
        let message = format!("it has no inverse: {}", refusal.why);
        self.mistake(tree, message, "", Some(refusal.help.to_owned()))
    }

    /// Takes away the outermost operation: what is inside of it, and what that must be for the whole to be `y`.
    fn undo<'a>(&mut self, rest: &'a Ast, y: Typed) -> Result<Option<(&'a Ast, Typed)>, NoInverse> {
        match &rest.kind {
            AstKind::Name(_) => Ok(None),
            AstKind::Unary(UnarySign::Minus, a) => {
                let node = self.graph.unary(Unary::Neg, y.node);
                Ok(Some((a, Typed { node, ..y })))
            }
            AstKind::Call {
                function,
                primes: 0,
                arguments,
            } => match arguments.as_slice() {
                [a] => self.undo_call(rest, function, a, y).map(Some),
                _ => Err(no_inverse(format!("`{rest}` is not undone"))),
            },
            AstKind::Binary(sign, a, b) => {
                let left = occurrences(a) == 1;
                let (inside, other) = if left { (&**a, &**b) } else { (&**b, &**a) };
                let other = self.value(other);
                let value = match sign {
                    BinarySign::Pow if left => self.undo_power(rest, y, other)?,
                    BinarySign::Pow => self.undo_exponential(y, other),
                    _ => self.undo_arithmetic(rest, *sign, left, y, other)?,
                };
                Ok(Some((inside, value)))
            }
            _ => Err(no_inverse(format!("`{rest}` is not undone"))),
        }
    }

    fn undo_call<'a>(
        &mut self,
        whole: &Ast,
        function: &str,
        inside: &'a Ast,
        y: Typed,
    ) -> Result<(&'a Ast, Typed), NoInverse> {
        if function == "sqrt" {
            let node = self.graph.binary(Binary::Mul, y.node, y.node);
            let dimension = y.dimension.map(|d| d * d);
            return Ok((inside, Typed { node, dimension }));
        }
        let y = self.plain_inverse(whole, y);
        let op = match function {
            "log" => match one_plus_exp(inside) {
                // Without overflow for large x, and precise for small ones.
                Some(exponent) => {
                    let node = self.graph.unary(Unary::SoftplusInverse, y.node);
                    return Ok((exponent, self.plain(node)));
                }
                None => Unary::Exp,
            },
            "exp" => Unary::Log,
            "tanh" => Unary::Atanh,
            "softplus" => Unary::SoftplusInverse,
            "sigmoid" => {
                let one = self.graph.number(1.0);
                let rest = self.graph.binary(Binary::Sub, one, y.node);
                let odds = self.graph.binary(Binary::Div, y.node, rest);
                let node = self.graph.unary(Unary::Log, odds);
                return Ok((inside, self.plain(node)));
            }
            _ => {
                let why = format!("`{function}` gives the same for different values, or remembers");
                return Err(no_inverse(why));
            }
        };
        let node = self.graph.unary(op, y.node);
        Ok((inside, self.plain(node)))
    }

    /// The value of a plain function must be a plain number.
    fn plain_inverse(&mut self, whole: &Ast, y: Typed) -> Typed {
        match y.dimension {
            Some(d) if !d.is_none() => {
                let message =
                    format!("`{whole}` is a plain number, its inverse is taken of a value in {d}");
                self.mistake(whole, message, "units clash", None)
            }
            _ => y,
        }
    }

    fn undo_arithmetic(
        &mut self,
        whole: &Ast,
        sign: BinarySign,
        left: bool,
        y: Typed,
        c: Typed,
    ) -> Result<Typed, NoInverse> {
        let zero = self.graph.constant(c.node).is_some_and(|c| c.abs() <= 0.0);
        if zero && matches!(sign, BinarySign::Mul | BinarySign::Div) {
            return Err(no_inverse(format!("`{whole}` is the same for every value")));
        }
        let unit = |t: Typed| t.dimension.unwrap_or(Dimension::NONE);
        let (op, a, b) = match (sign, left) {
            (BinarySign::Add, _) => (Binary::Sub, y, c),
            (BinarySign::Sub, true) => (Binary::Add, y, c),
            (BinarySign::Sub, false) => (Binary::Sub, c, y),
            (BinarySign::Mul, _) => (Binary::Div, y, c),
            (BinarySign::Div, true) => (Binary::Mul, y, c),
            (BinarySign::Div, false) => (Binary::Div, c, y),
            _ => return Err(no_inverse(format!("`{whole}` is 1 or 0"))),
        };
        let dimension = match op {
            Binary::Mul => Some(unit(a) * unit(b)),
            Binary::Div => Some(unit(a) / unit(b)),
            _ => self.same_dimension(whole, "its inverse subtracts", a, b),
        };
        // A product with a reciprocal is the same to a rounding and is quicker.
        let node = match (op, self.graph.constant(b.node)) {
            (Binary::Div, Some(c)) if left || sign == BinarySign::Mul => {
                let reciprocal = self.graph.number(1.0 / c);
                self.graph.binary(Binary::Mul, a.node, reciprocal)
            }
            _ => self.graph.binary(op, a.node, b.node),
        };
        Ok(Typed { node, dimension })
    }

    /// x from y = c^x.
    fn undo_exponential(&mut self, y: Typed, base: Typed) -> Typed {
        let (y, base) = (
            self.graph.unary(Unary::Log, y.node),
            self.graph.unary(Unary::Log, base.node),
        );
        let node = self.graph.binary(Binary::Div, y, base);
        self.plain(node)
    }

    /// x from y = x^n: of odd whole powers the root keeps the sign, of broken ones x is not negative.
    fn undo_power(&mut self, whole: &Ast, y: Typed, exponent: Typed) -> Result<Typed, NoInverse> {
        let Some(n) = self.graph.constant(exponent.node).filter(|n| n.abs() > 0.0) else {
            return Err(no_inverse(format!(
                "the exponent of `{whole}` is not a constant other than 0"
            )));
        };
        let whole_number = n.fract().abs() < f64::EPSILON;
        if whole_number && (n / 2.0).fract().abs() < f64::EPSILON {
            return Err(no_inverse(format!(
                "`{whole}` is the same for a value and its negative"
            )));
        }
        let dimension = match y.dimension {
            None => None,
            Some(d) if d.is_none() => y.dimension,
            Some(d) => {
                return Err(no_inverse(format!(
                    "the root of a value in {d} is not taken"
                )));
            }
        };
        let node = if (n - 1.0).abs() < f64::EPSILON {
            y.node
        } else {
            self.root(y.node, n, whole_number)
        };
        Ok(Typed { node, dimension })
    }

    fn root(&mut self, y: NodeId, n: f64, signed: bool) -> NodeId {
        let exponent = self.graph.number(1.0 / n);
        if !signed {
            return self.graph.binary(Binary::Pow, y, exponent);
        }
        let size = self.graph.unary(Unary::Abs, y);
        let size = self.graph.binary(Binary::Pow, size, exponent);
        let sign = self.graph.unary(Unary::Sign, y);
        self.graph.binary(Binary::Mul, sign, size)
    }
}
