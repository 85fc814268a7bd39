//! All expressions of a circuit, resolved and checked.

use std::collections::HashSet;

use super::reading::{Expr, Reading};
use super::scope::{Place, PlaceScope};
use crate::circuit::{Circuit, CompartmentId, ModulatorId, ProjectionId};
use crate::lang::ast::{Ast, AstKind};
use crate::lang::{self, NodeId, Shape};
use crate::netlist::model::{Adam, Dynamics, Expression, ModulatorDrive, Netlist};
use crate::source::Problem;
use crate::units::{Dimension, Quantity};

/// Everything of a circuit that is computed by an expression.
#[derive(Debug, Clone, Default)]
pub struct Expressions {
    /// Equations of the compartments, in the circuit's order.
    pub equations: Vec<Equation>,
    /// Modulators that are computed.
    pub modulators: Vec<(ModulatorId, Expr)>,
    /// Rules at work.
    pub rules: Vec<RuleUse>,
    /// Rules whose updates are measured, in the order of their measures.
    pub measured: Vec<RuleUse>,
}

/// The equation of a compartment.
#[derive(Debug, Clone)]
pub struct Equation {
    /// The compartment.
    pub compartment: CompartmentId,
    /// Its expression.
    pub expr: Expr,
    /// Its parts, if it is a differential equation.
    pub differential: Option<Differential>,
}

/// A stochastic differential equation dx = drift·dt + diffusion·dB.
#[derive(Debug, Clone, Copy)]
pub struct Differential {
    /// What does not depend on the noise.
    pub drift: NodeId,
    /// The factor of the noise.
    pub diffusion: Option<NodeId>,
}

/// What a rule changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plastic {
    /// The weights of a projection.
    Projection(ProjectionId),
    /// The biases of a compartment.
    Bias(CompartmentId),
}

impl Plastic {
    /// The projection of that name, or the bias of `population.compartment`.
    pub fn named(circuit: &Circuit, name: &str) -> Option<Plastic> {
        let projection = circuit.projections.iter().position(|p| p.name == name);
        if let Some(index) = projection {
            return Some(Plastic::Projection(ProjectionId(index as u32)));
        }
        let (population, compartment) = name.split_once('.')?;
        let id = circuit.compartment_named(circuit.population_named(population)?, compartment)?;
        let bias = circuit.compartment(id).bias.as_ref();
        bias.map(|_| Plastic::Bias(id))
    }
}

/// A rule on a projection or a bias.
#[derive(Debug, Clone)]
pub struct RuleUse {
    /// What it changes.
    pub plastic: Plastic,
    /// Its name.
    pub rule: String,
    /// The change in a step.
    pub expr: Expr,
    /// What the change goes through.
    pub optimiser: Option<Adam>,
}

impl Expressions {
    /// Resolves all expressions of a circuit.
    ///
    /// # Errors
    /// All mistakes in them.
    pub fn build(netlist: &Netlist, circuit: &Circuit) -> Result<Expressions, Vec<Problem>> {
        let mut reader = Reader {
            netlist,
            circuit,
            problems: Vec::new(),
        };
        let expressions = Expressions {
            equations: circuit
                .compartments()
                .filter_map(|id| reader.equation(id))
                .collect(),
            modulators: reader.modulators(),
            rules: reader.rules(),
            measured: reader.measured(),
        };
        reader.activations();
        if reader.problems.is_empty() {
            Ok(expressions)
        } else {
            Err(without_repeats(reader.problems))
        }
    }
}

/// One mistake in a library's text is reported once, however often the text is used.
pub(super) fn without_repeats(problems: Vec<Problem>) -> Vec<Problem> {
    let mut seen = HashSet::new();
    let key = |p: &Problem| (p.message.clone(), p.labels.first().map(|(span, _)| *span));
    problems
        .into_iter()
        .filter(|p| seen.insert(key(p)))
        .collect()
}

/// Parses, resolves and checks one expression.
///
/// # Errors
/// Its mistakes.
pub fn read(
    expression: &Expression,
    mut scope: PlaceScope<'_>,
) -> Result<(Expr, Vec<String>), Vec<Problem>> {
    let span = expression.span;
    let tree = lang::parse(&expression.value).map_err(|e| {
        let problem = Problem::new(e.message, span.part(e.start, e.end), "");
        vec![Problem {
            help: e.help,
            ..problem
        }]
    })?;
    let formula = lang::build(&tree, &mut scope).map_err(|errors| {
        let mut seen = HashSet::new();
        // What is missing is told once an expression; an empty message stands for what is told elsewhere.
        let news = |e: &lang::BuildError| {
            let missing = e.message.starts_with("there is no");
            !e.message.is_empty() && (!missing || seen.insert(e.message.clone()))
        };
        let problem = |e: lang::BuildError| {
            let help = e
                .help
                .or_else(|| scope.help_with_units(&e.message, &e.note));
            let problem = Problem::new(e.message, span.part(e.start, e.end), e.note);
            Problem { help, ..problem }
        };
        errors
            .into_iter()
            .filter(news)
            .map(problem)
            .collect::<Vec<_>>()
    })?;
    Ok((
        Expr {
            formula,
            readings: scope.readings,
            span,
        },
        scope.used,
    ))
}

/// Reads all expressions of a circuit, and gathers their mistakes.
pub(super) struct Reader<'n> {
    pub netlist: &'n Netlist,
    pub circuit: &'n Circuit,
    pub problems: Vec<Problem>,
}

impl Reader<'_> {
    pub fn kept<T>(&mut self, result: Result<T, Vec<Problem>>) -> Option<T> {
        result
            .map_err(|problems| self.problems.extend(problems))
            .ok()
    }

    /// The activation of a compartment; its own mistakes are found by [`Reader::activations`].
    pub fn activation(&self, id: CompartmentId) -> Option<Ast> {
        let text = self.circuit.compartment(id).activation.as_ref()?;
        // A text that cannot be read stands for `x`, so that nothing else is said about it.
        let tree = lang::activation(&text.value).or_else(|_| lang::activation("x"));
        tree.ok().map(|mut tree| {
            self.put_constants(&mut tree);
            tree
        })
    }

    /// Checks every activation by itself, with a plain number for `x`.
    /// The netlist's constants as numbers, so that they mean the same wherever the activation is used.
    fn put_constants(&self, tree: &mut Ast) {
        let constants = &self.circuit.constants;
        match &mut tree.kind {
            AstKind::Name(path) => {
                if let Some(quantity) = constants.get(&path.join(".")) {
                    tree.kind = AstKind::Number(*quantity);
                }
            }
            AstKind::Number(_) => {}
            AstKind::Call { arguments, .. } => {
                arguments.iter_mut().for_each(|a| self.put_constants(a));
            }
            AstKind::Unary(_, a) | AstKind::Inverse(a) => self.put_constants(a),
            AstKind::Binary(_, a, b) => {
                self.put_constants(a);
                self.put_constants(b);
            }
        }
    }

    fn activations(&mut self) {
        for id in self.circuit.compartments() {
            let Some(text) = &self.circuit.compartment(id).activation else {
                continue;
            };
            let checked = lang::activation(&text.value)
                .map_err(|e| (e.message, e.help, e.start, e.end))
                .and_then(|mut tree| {
                    self.put_constants(&mut tree);
                    lang::build(&tree, &mut ArgumentScope)
                        .map(|_| ())
                        .map_err(|mut errors| {
                            let e = errors.swap_remove(0);
                            (e.message, e.help, e.start, e.end)
                        })
                });
            if let Err((mut message, mut help, start, end)) = checked {
                if message.starts_with("`f` has no meaning") {
                    message = "an activation cannot be made of `f`, which is itself".to_owned();
                    help = Some("name a function, such as tanh(x)".to_owned());
                }
                let problem =
                    Problem::new(message, text.span.part(start, end), "in this activation");
                // The equations that use it complain about the same thing.
                self.problems
                    .retain(|p| !p.message.starts_with("in the activation"));
                self.problems.push(Problem { help, ..problem });
            }
        }
    }

    fn equation(&mut self, id: CompartmentId) -> Option<Equation> {
        let compartment = self.circuit.compartment(id);
        let (text, differential) = match &compartment.dynamics {
            Dynamics::Value(text) => (text, false),
            Dynamics::Derivative(text) => (text, true),
        };
        let scope = PlaceScope::new(self.circuit, Place::Equation(id), self.activation(id));
        let (mut expr, _) = self.kept(read(text, scope))?;
        let expected = if differential {
            compartment.unit / self.circuit.time()
        } else {
            compartment.unit
        };
        let what = if differential {
            "this derivative"
        } else {
            "this value"
        };
        self.problems.extend(misfit(&expr, expected, what));
        let differential = if differential {
            Some(self.split_noise(id, &mut expr)?)
        } else {
            None
        };
        Some(Equation {
            compartment: id,
            expr,
            differential,
        })
    }

    /// Splits a derivative into drift and diffusion; the noise must enter linearly.
    fn split_noise(&mut self, id: CompartmentId, expr: &mut Expr) -> Option<Differential> {
        let Some(noise) = expr.symbol(Reading::Noise(id)) else {
            return Some(Differential {
                drift: expr.formula.root,
                diffusion: None,
            });
        };
        let graph = &mut expr.formula.graph;
        let root = expr.formula.root;
        let diffusion = graph.derivative(root, noise);
        let linear = !graph.symbols(diffusion).contains(&noise);
        let drift = graph.fix(root, |symbol| (symbol == noise).then_some(0.0));
        if !linear
            || expr
                .formula
                .filters
                .iter()
                .any(|f| expr.formula.graph.symbols(f.input).contains(&noise))
        {
            let problem = Problem::new(
                "white noise may only be added, times a factor without noise",
                expr.span,
                "noise enters otherwise",
            );
            self.problems.push(problem.help("write … + sigma * noise"));
            return None;
        }
        Some(Differential {
            drift,
            diffusion: Some(diffusion),
        })
    }

    /// Modulators that are computed.
    pub fn modulators(&mut self) -> Vec<(ModulatorId, Expr)> {
        let mut found = Vec::new();
        for (index, modulator) in self.circuit.modulators.iter().enumerate() {
            let ModulatorDrive::Value { of: text, .. } = &modulator.drive else {
                continue;
            };
            let scope = PlaceScope::new(self.circuit, Place::Broadcast, None);
            let Some((expr, _)) = self.kept(read(text, scope)) else {
                continue;
            };
            if let Shape::Vector(size) = expr.formula.shape() {
                let problem = Problem::new(
                    format!("a modulator is one number, this is {size}"),
                    expr.span,
                    "a vector",
                );
                self.problems
                    .push(problem.help("reduce it with sum(…) or mean(…)"));
            }
            self.problems
                .extend(misfit(&expr, Dimension::NONE, "a modulator"));
            found.push((ModulatorId(index as u32), expr));
        }
        found
    }
}

/// What is wrong with the dimension of an expression, if something is.
pub(super) fn misfit(expr: &Expr, expected: Dimension, what: &str) -> Option<Problem> {
    let found = expr.formula.dimension.filter(|found| *found != expected)?;
    let message = format!(
        "{what} should be {}, it is {}",
        expected.in_words(),
        found.in_words()
    );
    let help = format!(
        "multiply it by a quantity {}",
        (expected / found).in_words()
    );
    Some(Problem::new(message, expr.span, "units clash").help(help))
}

/// The scope of an activation by itself: only `x`.
struct ArgumentScope;

impl lang::Scope for ArgumentScope {
    fn name(&mut self, path: &[String]) -> Result<lang::Meaning, lang::Refusal> {
        if path == ["x"] {
            return Ok(lang::Meaning::Variable {
                symbol: 0,
                shape: Shape::Scalar,
                dimension: Dimension::NONE,
            });
        }
        Err(lang::Refusal {
            message: format!(
                "an activation is a function's name or an expression in `x`, not in `{}`",
                path.join(".")
            ),
            note: "unknown name".to_owned(),
            help: Some("write for example \"tanh\" or \"max(x, 0)\"".to_owned()),
        })
    }

    fn changed(&mut self, _: &[String]) -> Result<lang::Meaning, lang::Refusal> {
        self.name(&["changed".to_owned()])
    }

    fn activation(&self) -> Option<Ast> {
        None
    }

    fn reductions(&self) -> Result<(), lang::Refusal> {
        ArgumentScope.name(&["sum".to_owned()]).map(|_| ())
    }

    fn step(&self) -> Quantity {
        Quantity::plain(1.0)
    }
}
