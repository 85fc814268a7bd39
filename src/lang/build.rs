//! Trees to graphs: names, shapes and dimensions are resolved and checked here.
//!
//! What a name means depends on where the expression stands (a compartment's equation, a rule, a
//! modulator, a measure); a [`Scope`] answers that, and refuses what is not there.

use super::ast::{Ast, AstKind, BinarySign, UnarySign};
use super::formula::{Filter, Formula};
use super::functions::{self, Builtin};
use super::graph::{Graph, NodeId, Shape, Symbol};
use super::ops::{Binary, Ternary, Unary};
use super::scope::{Meaning, Refusal, Scope};
use crate::source::suggest;
use crate::units::{Dimension, Quantity};

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildError {
    /// One sentence.
    pub message: String,
    /// Short note under the place.
    pub note: String,
    /// What to write instead.
    pub help: Option<String>,
    /// First byte of the place, in the expression's text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Resolves and checks a tree.
///
/// # Errors
/// All mistakes in it.
pub fn build(tree: &Ast, scope: &mut dyn Scope) -> Result<Formula, Vec<BuildError>> {
    let mut builder = Builder {
        scope,
        graph: Graph::default(),
        filters: Vec::new(),
        errors: Vec::new(),
        argument: None,
    };
    let value = builder.value(tree);
    if !builder.errors.is_empty() {
        return Err(builder.errors);
    }
    Ok(Formula {
        root: value.node,
        dimension: value.dimension,
        graph: builder.graph,
        filters: builder.filters,
    })
}

/// A node and its dimension; `None` goes with any dimension.
#[derive(Clone, Copy)]
pub(super) struct Typed {
    pub(super) node: NodeId,
    pub(super) dimension: Option<Dimension>,
}

pub(super) struct Builder<'s> {
    pub(super) scope: &'s mut dyn Scope,
    pub(super) graph: Graph,
    pub(super) filters: Vec<Filter>,
    pub(super) errors: Vec<BuildError>,
    /// What `x` means while an activation is put in.
    pub(super) argument: Option<Typed>,
}

impl Builder<'_> {
    /// Notes a mistake and goes on with a value that fits anywhere.
    pub(super) fn mistake(
        &mut self,
        tree: &Ast,
        message: String,
        note: &str,
        help: Option<String>,
    ) -> Typed {
        let (start, end) = (tree.start, tree.end);
        self.errors.push(BuildError {
            message,
            note: note.to_owned(),
            help,
            start,
            end,
        });
        self.number(0.0, None)
    }

    pub(super) fn refused(&mut self, tree: &Ast, refusal: Refusal) -> Typed {
        self.mistake(tree, refusal.message, &refusal.note, refusal.help)
    }

    pub(super) fn number(&mut self, value: f64, dimension: Option<Dimension>) -> Typed {
        Typed {
            node: self.graph.number(value),
            dimension,
        }
    }

    pub(super) fn plain(&self, node: NodeId) -> Typed {
        Typed {
            node,
            dimension: Some(Dimension::NONE),
        }
    }

    pub(super) fn value(&mut self, tree: &Ast) -> Typed {
        match &tree.kind {
            AstKind::Number(quantity) => self.constant(*quantity),
            AstKind::Name(path) => self.name(tree, path),
            AstKind::Call {
                function,
                primes,
                arguments,
            } => self.call(tree, function, *primes, arguments),
            AstKind::Inverse(argument) => self.inverse(tree, argument),
            AstKind::Unary(UnarySign::Minus, operand) => {
                let operand = self.value(operand);
                Typed {
                    node: self.graph.unary(Unary::Neg, operand.node),
                    ..operand
                }
            }
            AstKind::Unary(UnarySign::Not, operand) => {
                let operand = self.plain_value(operand, "`not`");
                let node = self.graph.unary(Unary::Not, operand.node);
                self.plain(node)
            }
            AstKind::Binary(sign, left, right) => self.binary(tree, *sign, left, right),
        }
    }

    fn constant(&mut self, quantity: Quantity) -> Typed {
        // 0 and infinity are the same in every unit.
        let everywhere = quantity.value.abs() <= 0.0 || quantity.value.is_infinite();
        let bare = quantity.dimension.is_none() && everywhere;
        self.number(quantity.value, (!bare).then_some(quantity.dimension))
    }

    fn name(&mut self, tree: &Ast, path: &[String]) -> Typed {
        if let (Some(argument), [x]) = (self.argument, path)
            && x == "x"
        {
            return argument;
        }
        match self.scope.name(path) {
            Ok(meaning) => self.meaning(meaning),
            // Infinity, unless something else is called so.
            Err(_) if path == ["inf"] => self.number(f64::INFINITY, None),
            Err(refusal) => self.refused(tree, refusal),
        }
    }

    pub(super) fn meaning(&mut self, meaning: Meaning) -> Typed {
        match meaning {
            Meaning::Constant(quantity) => self.constant(quantity),
            Meaning::Variable {
                symbol,
                shape,
                dimension,
            } => {
                let node = self.graph.variable(Symbol::Outer(symbol), shape);
                Typed {
                    node,
                    dimension: Some(dimension),
                }
            }
        }
    }

    /// A value that has to be a plain number.
    pub(super) fn plain_value(&mut self, tree: &Ast, who: &str) -> Typed {
        let value = self.value(tree);
        match value.dimension {
            Some(dimension) if !dimension.is_none() => {
                let help = format!("divide by a quantity in {dimension} first");
                self.mistake(
                    tree,
                    format!("{who} takes a plain number, this is in {dimension}"),
                    &dimension.to_string(),
                    Some(help),
                )
            }
            _ => value,
        }
    }

    /// Whether two values can be combined neuron by neuron; notes a mistake if not.
    pub(super) fn shapes_fit(&mut self, tree: &Ast, a: NodeId, b: NodeId) -> bool {
        let (a, b) = (self.graph.shape(a), self.graph.shape(b));
        if a.join(b).is_some() {
            return true;
        }
        let size = |shape| match shape {
            Shape::Vector(n) => format!("{n} values"),
            other => format!("{other:?}"),
        };
        let message = format!(
            "{} and {} cannot be combined element by element",
            size(a),
            size(b)
        );
        self.mistake(
            tree,
            message,
            "sizes differ",
            Some("reduce one with `sum` or `mean`".to_owned()),
        );
        false
    }

    /// The dimension two values share; notes a mistake if they differ.
    pub(super) fn same_dimension(
        &mut self,
        tree: &Ast,
        what: &str,
        a: Typed,
        b: Typed,
    ) -> Option<Dimension> {
        match (a.dimension, b.dimension) {
            (Some(x), Some(y)) if x != y => {
                let value = |d: Dimension| match d.is_none() {
                    true => "a plain number".to_owned(),
                    false => format!("a value in {d}"),
                };
                let message = format!("{what} {} and {}", value(x), value(y));
                self.mistake(tree, message, "units clash", None);
                None
            }
            (x, y) => x.or(y),
        }
    }

    fn binary(&mut self, tree: &Ast, sign: BinarySign, left: &Ast, right: &Ast) -> Typed {
        if sign == BinarySign::Pow {
            return self.power(tree, left, right);
        }
        let (a, b) = match sign {
            BinarySign::And | BinarySign::Or => {
                let who = format!("`{}`", sign.text());
                (self.plain_value(left, &who), self.plain_value(right, &who))
            }
            _ => (self.value(left), self.value(right)),
        };
        if !self.shapes_fit(tree, a.node, b.node) {
            return self.number(0.0, None);
        }
        let unit = |d: Option<Dimension>| d.unwrap_or(Dimension::NONE);
        let (op, swap, dimension) = match sign {
            BinarySign::Add => (
                Binary::Add,
                false,
                self.same_dimension(tree, "this adds", a, b),
            ),
            BinarySign::Sub => (
                Binary::Sub,
                false,
                self.same_dimension(tree, "this subtracts", a, b),
            ),
            BinarySign::Mul => (
                Binary::Mul,
                false,
                Some(unit(a.dimension) * unit(b.dimension)),
            ),
            BinarySign::Div => (
                Binary::Div,
                false,
                Some(unit(a.dimension) / unit(b.dimension)),
            ),
            BinarySign::And => (Binary::And, false, Some(Dimension::NONE)),
            BinarySign::Or => (Binary::Or, false, Some(Dimension::NONE)),
            comparison => {
                self.same_dimension(tree, "this compares", a, b);
                let (op, swap) = functions::comparison(comparison);
                (op, swap, Some(Dimension::NONE))
            }
        };
        let (x, y) = if swap {
            (b.node, a.node)
        } else {
            (a.node, b.node)
        };
        Typed {
            node: self.graph.binary(op, x, y),
            dimension,
        }
    }

    fn power(&mut self, tree: &Ast, left: &Ast, right: &Ast) -> Typed {
        let base = self.value(left);
        let exponent = self.plain_value(right, "an exponent");
        if !self.shapes_fit(tree, base.node, exponent.node) {
            return self.number(0.0, None);
        }
        let node = self.graph.binary(Binary::Pow, base.node, exponent.node);
        let whole = self
            .graph
            .constant(exponent.node)
            .filter(|n| n.fract().abs() < f64::EPSILON && n.abs() < 64.0);
        let dimension = match (base.dimension, whole) {
            (Some(d), _) if d.is_none() => Some(d),
            (Some(d), Some(n)) => Some(d.powi(n as i32)),
            (Some(d), None) => {
                let help = Some("use a whole number, or `sqrt`".to_owned());
                return self.mistake(
                    tree,
                    format!("a value in {d} to a power that is not a whole number"),
                    "",
                    help,
                );
            }
            (None, _) => None,
        };
        Typed { node, dimension }
    }

    fn call(&mut self, tree: &Ast, function: &str, primes: usize, arguments: &[Ast]) -> Typed {
        if function == "f" {
            return self.apply_activation(tree, primes, arguments);
        }
        if primes > 0 {
            let help =
                Some("only the compartment's activation has a derivative: `f'(x)`".to_owned());
            return self.mistake(tree, format!("`{function}'` is not known"), "", help);
        }
        let Some(builtin) = Builtin::named(function) else {
            let help = suggest(function, Builtin::names());
            return self.mistake(
                tree,
                format!("there is no function `{function}`"),
                "unknown function",
                help,
            );
        };
        let (least, most) = builtin.arguments();
        if arguments.len() < least || arguments.len() > most {
            let message = format!(
                "`{function}` takes {}, this gives it {}",
                builtin.usage(),
                arguments.len()
            );
            return self.mistake(tree, message, "", None);
        }
        self.builtin(tree, builtin, arguments)
    }

    pub(super) fn select(
        &mut self,
        condition: NodeId,
        then: Typed,
        otherwise: Typed,
        dimension: Option<Dimension>,
    ) -> Typed {
        Typed {
            node: self
                .graph
                .ternary(Ternary::Select, condition, then.node, otherwise.node),
            dimension,
        }
    }
}
