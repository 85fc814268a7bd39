//! Activations: their text, and `f(x)` and its derivatives put into an expression.

use super::ast::{Ast, AstKind};
use super::build::{Builder, Typed};
use super::code::MOST_OPERATIONS;
use super::graph::{Shape, Symbol};
use crate::units::Dimension;

/// The tree of an activation: a function's name means that function of `x`; `identity` is `x` itself.
///
/// # Errors
/// As [`fn@super::parse`].
pub fn activation(text: &str) -> Result<Ast, super::ParseError> {
    let tree = super::parse(text)?;
    let AstKind::Name(path) = &tree.kind else {
        return Ok(tree);
    };
    let [name] = path.as_slice() else {
        return Ok(tree);
    };
    let (start, end) = (tree.start, tree.end);
    let x = Ast {
        kind: AstKind::Name(vec!["x".to_owned()]),
        start,
        end,
    };
    if name == "identity" || name == "linear" {
        return Ok(x);
    }
    if name == "x" {
        return Ok(tree);
    }
    let call = AstKind::Call {
        function: name.clone(),
        primes: 0,
        arguments: vec![x],
    };
    Ok(Ast {
        kind: call,
        start,
        end,
    })
}

impl Builder<'_> {
    /// `f(x)` and its derivatives: the activation's tree with `x` put in.
    pub(super) fn apply_activation(
        &mut self,
        tree: &Ast,
        primes: usize,
        arguments: &[Ast],
    ) -> Typed {
        let ([argument], Some(activation)) = (arguments, self.scope.activation()) else {
            let (message, help) = match self.scope.activation() {
                Some(_) => (
                    format!("`f` takes one argument, this gives it {}", arguments.len()),
                    None,
                ),
                None => (
                    "`f` has no meaning here".to_owned(),
                    Some("give the compartment an activation, such as f = \"tanh\"".to_owned()),
                ),
            };
            return self.mistake(tree, message, "", help);
        };
        if self.argument.is_some() {
            let message = "an activation cannot be made of `f`, which is itself".to_owned();
            return self.mistake(
                tree,
                message,
                "",
                Some("name a function, such as tanh(x)".to_owned()),
            );
        }
        let argument = self.value(argument);
        let known = self.errors.len();
        let value = if primes == 0 {
            self.with_argument(argument, &activation)
        } else {
            self.activation_slope(tree, primes, argument, &activation)
        };
        self.blame_call(tree, &activation, known);
        value
    }

    /// Places inside the activation's text are not in this text: mistakes in it point at the call instead.
    fn blame_call(&mut self, tree: &Ast, activation: &Ast, known: usize) {
        for error in &mut self.errors[known..] {
            error.message = format!("in the activation `{activation}`: {}", error.message);
            (error.start, error.end) = (tree.start, tree.end);
        }
    }

    /// `inverse(f)(y)`: the activation's tree, undone.
    pub(super) fn inverse(&mut self, tree: &Ast, argument: &Ast) -> Typed {
        let Some(activation) = self.scope.activation() else {
            let help = "give the compartment an activation, such as f = \"tanh\"".to_owned();
            let message = "`f` has no meaning here".to_owned();
            return self.mistake(tree, message, "", Some(help));
        };
        if self.argument.is_some() {
            let message = "an activation cannot be made of `f`, which is itself".to_owned();
            let help = Some("name a function, such as tanh(x)".to_owned());
            return self.mistake(tree, message, "", help);
        }
        let argument = self.value(argument);
        let known = self.errors.len();
        let value = self.inverse_of(tree, argument, &activation);
        self.blame_call(tree, &activation, known);
        value
    }

    fn with_argument(&mut self, argument: Typed, activation: &Ast) -> Typed {
        let outer = self.argument.replace(argument);
        let value = self.value(activation);
        self.argument = outer;
        value
    }

    fn activation_slope(
        &mut self,
        tree: &Ast,
        primes: usize,
        argument: Typed,
        activation: &Ast,
    ) -> Typed {
        // Put in as it is, first: this finds what is wrong with its units and sizes.
        let known = self.errors.len();
        let value = self.with_argument(argument, activation);
        if self.errors.len() > known {
            return value;
        }
        let x = self.graph.variable(Symbol::Argument, Shape::Scalar);
        let mut slope = self
            .with_argument(
                Typed {
                    node: x,
                    ..argument
                },
                activation,
            )
            .node;
        if self
            .filters
            .iter()
            .any(|f| self.graph.symbols(f.input).contains(&Symbol::Argument))
        {
            let message = "it remembers earlier values of `x`, so it has no derivative".to_owned();
            return self.mistake(tree, message, "", None);
        }
        for _ in 0..primes {
            slope = self.graph.derivative(slope, Symbol::Argument);
            if self.graph.size() > MOST_OPERATIONS {
                return self.mistake(
                    tree,
                    "this derivative has too many operations".to_owned(),
                    "",
                    None,
                );
            }
        }
        let node = self
            .graph
            .rewrite(slope, |_, id| (id == x).then_some(argument.node));
        let unit = |d: Option<Dimension>| d.unwrap_or(Dimension::NONE);
        let mut dimension = unit(value.dimension);
        for _ in 0..primes {
            dimension = dimension / unit(argument.dimension);
        }
        Typed {
            node,
            dimension: Some(dimension),
        }
    }
}
