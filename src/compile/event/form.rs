//! Linear forms: expressions that are affine in a neuron's variables, with factors of parameters and modulators.

use crate::compile::{Expr, Reading};
use crate::engine::event::model::Affine;
use crate::lang::graph::Node;
use crate::lang::ops::Binary;
use crate::lang::scalar::{ScalarCode, Source};
use crate::lang::{NodeId, Symbol};
use crate::source::Problem;

/// Σ factor · variable + drive · (what synapses give) + constant. Factors read numbers only: parameters of the neuron
/// and modulators.
#[derive(Debug, Clone)]
pub struct LinearForm {
    factors: Vec<(usize, ScalarCode)>,
    /// Factor of the compartment's drive, if it has one.
    pub drive: Option<ScalarCode>,
    constant: ScalarCode,
}

/// Where the numbers that factors read are: parameters first, then modulators.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbers {
    /// Parameters of the neuron.
    pub parameters: usize,
    /// Modulators that are read, in the order in which their values are given.
    pub modulators: Vec<crate::circuit::ModulatorId>,
}

impl Numbers {
    fn source(&mut self, reading: Option<Reading>) -> Option<Source> {
        match reading? {
            Reading::Parameter(_, index) => Some(Source::Variable(index)),
            Reading::Modulator(id) => {
                let at = self
                    .modulators
                    .iter()
                    .position(|m| *m == id)
                    .unwrap_or_else(|| {
                        self.modulators.push(id);
                        self.modulators.len() - 1
                    });
                Some(Source::Variable((self.parameters + at) as u32))
            }
            _ => None,
        }
    }

    /// Compiles an expression of numbers.
    ///
    /// # Errors
    /// If it reads something else.
    pub fn code(&mut self, expr: &Expr, what: &str) -> Result<ScalarCode, Problem> {
        self.node(expr, expr.formula.root).map_err(|_| {
            let message = format!("{what} reads something that changes while the circuit runs");
            Problem::new(message, expr.span, "not a number")
                .help("it may read parameters, constants and modulators")
        })
    }

    pub(super) fn node(&mut self, expr: &Expr, root: NodeId) -> Result<ScalarCode, Option<Symbol>> {
        let graph = &expr.formula.graph;
        let sources: Vec<(Symbol, Option<Source>)> = graph
            .symbols(root)
            .into_iter()
            .map(|symbol| (symbol, self.source(expr.reading(symbol))))
            .collect();
        let of = |symbol: Symbol| {
            sources
                .iter()
                .find(|(s, _)| *s == symbol)
                .and_then(|(_, source)| *source)
        };
        ScalarCode::new(graph, root, of)
    }
}

impl LinearForm {
    /// Splits an expression, or the difference of a comparison's two sides.
    ///
    /// # Errors
    /// If it is not affine in the variables, with a text that says which part is not.
    pub fn new(
        expr: &Expr,
        root: NodeId,
        numbers: &mut Numbers,
        what: &str,
    ) -> Result<LinearForm, Problem> {
        let mut expr = expr.clone();
        if !expr.formula.filters.is_empty() {
            let problem = Problem::new(
                format!("{what} has a memory of its own"),
                expr.span,
                "not an event's",
            );
            return Err(problem.help("give the memory a compartment with a derivative of its own"));
        }
        let varies = |reading: &Reading| matches!(reading, Reading::Value(_) | Reading::Drive(_));
        let varying: Vec<(Symbol, Reading)> = expr
            .formula
            .graph
            .symbols(root)
            .into_iter()
            .filter_map(|symbol| {
                expr.reading(symbol)
                    .filter(varies)
                    .map(|reading| (symbol, reading))
            })
            .collect();
        let (mut factors, mut drive) = (Vec::new(), None);
        for (symbol, reading) in &varying {
            let slope = expr.formula.graph.derivative(root, *symbol);
            let left = expr.formula.graph.symbols(slope);
            if varying.iter().any(|(other, _)| left.contains(other)) {
                return Err(not_linear(&expr, what));
            }
            let factor = numbers
                .node(&expr, slope)
                .map_err(|_| not_linear(&expr, what))?;
            match reading {
                Reading::Value(id) => factors.push((id.index as usize, factor)),
                _ => drive = Some(factor),
            }
        }
        let zero = |symbol: Symbol| varying.iter().any(|(s, _)| *s == symbol).then_some(0.0);
        let rest = expr.formula.graph.fix(root, zero);
        let constant = numbers
            .node(&expr, rest)
            .map_err(|_| not_linear(&expr, what))?;
        Ok(LinearForm {
            factors,
            drive,
            constant,
        })
    }

    /// The difference of the two sides of `a > b`, which is above 0 where the comparison holds.
    ///
    /// # Errors
    /// If the expression is no such comparison, or not affine.
    pub fn condition(
        expr: &Expr,
        numbers: &mut Numbers,
        what: &str,
    ) -> Result<LinearForm, Problem> {
        let mut expr = expr.clone();
        match expr.formula.graph.node(expr.formula.root) {
            Node::Binary(Binary::Less | Binary::LessEqual, a, b) => {
                let difference = expr.formula.graph.binary(Binary::Sub, b, a);
                LinearForm::new(&expr, difference, numbers, what)
            }
            _ => {
                let problem = Problem::new(
                    format!("{what} should be a comparison"),
                    expr.span,
                    "not a comparison",
                );
                Err(problem.help("write for example soma > -50 mV"))
            }
        }
    }

    /// With numbers for what it reads.
    pub fn affine(&self, numbers: &[f64]) -> Affine {
        let row = self
            .factors
            .iter()
            .map(|(variable, factor)| (*variable, factor.value(numbers)));
        Affine {
            row: row.filter(|(_, factor)| factor.abs() > 0.0).collect(),
            constant: self.constant.value(numbers),
        }
    }
}

fn not_linear(expr: &Expr, what: &str) -> Problem {
    let message = format!("{what} is not linear in the neuron's variables with constant factors");
    Problem::new(message, expr.span, "not linear").help(
        "the event engine solves linear neurons exactly; nonlinear ones need the clock engine, which is not there yet: \
         a threshold, a plateau or an escape rate may stand for the nonlinearity",
    )
}
