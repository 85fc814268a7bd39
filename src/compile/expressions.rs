//! All expressions of a circuit, resolved and checked.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::reading::{Expr, Reading};
use super::scope::{Place, PlaceScope};
use crate::circuit::{Circuit, CompartmentId, ModulatorId, ProjectionId};
use crate::lang::ast::Ast;
use crate::lang::{self, NodeId, Shape};
use crate::netlist::model::{self, Dynamics, Expression, ModulatorDrive, Netlist};
use crate::source::{Problem, suggest};
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

/// A rule on a projection or a bias.
#[derive(Debug, Clone)]
pub struct RuleUse {
    /// What it changes.
    pub plastic: Plastic,
    /// Its name.
    pub rule: String,
    /// The change in a step.
    pub expr: Expr,
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
fn without_repeats(problems: Vec<Problem>) -> Vec<Problem> {
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
        let problem = |e: lang::BuildError| {
            let problem = Problem::new(e.message, span.part(e.start, e.end), e.note);
            Problem {
                help: e.help,
                ..problem
            }
        };
        errors.into_iter().map(problem).collect::<Vec<_>>()
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

struct Reader<'n> {
    netlist: &'n Netlist,
    circuit: &'n Circuit,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn kept<T>(&mut self, result: Result<T, Vec<Problem>>) -> Option<T> {
        result
            .map_err(|problems| self.problems.extend(problems))
            .ok()
    }

    /// The activation of a compartment; its own mistakes are found by [`Reader::activations`].
    fn activation(&self, id: CompartmentId) -> Option<Ast> {
        let text = self.circuit.compartment(id).activation.as_ref()?;
        lang::activation(&text.value).ok()
    }

    /// Checks every activation by itself, with a plain number for `x`.
    fn activations(&mut self) {
        for id in self.circuit.compartments() {
            let Some(text) = &self.circuit.compartment(id).activation else {
                continue;
            };
            let checked = lang::activation(&text.value)
                .map_err(|e| (e.message, e.help, e.start, e.end))
                .and_then(|tree| {
                    lang::build(&tree, &mut ArgumentScope)
                        .map(|_| ())
                        .map_err(|mut errors| {
                            let e = errors.swap_remove(0);
                            (e.message, e.help, e.start, e.end)
                        })
                });
            if let Err((message, help, start, end)) = checked {
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
            compartment.unit / self.circuit.step.dimension
        } else {
            compartment.unit
        };
        self.dimension_fits(
            &expr,
            expected,
            if differential {
                "this derivative"
            } else {
                "this value"
            },
        );
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

    fn dimension_fits(&mut self, expr: &Expr, expected: Dimension, what: &str) {
        if let Some(found) = expr.formula.dimension
            && found != expected
        {
            let message = format!("{what} should be in {expected}, it is in {found}");
            self.problems
                .push(Problem::new(message, expr.span, "units clash"));
        }
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

    fn modulators(&mut self) -> Vec<(ModulatorId, Expr)> {
        let mut found = Vec::new();
        for (index, modulator) in self.circuit.modulators.iter().enumerate() {
            let ModulatorDrive::Value(text) = &modulator.drive else {
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
            self.dimension_fits(&expr, Dimension::NONE, "a modulator");
            found.push((ModulatorId(index as u32), expr));
        }
        found
    }

    fn rules(&mut self) -> Vec<RuleUse> {
        let circuit = self.circuit;
        let projections = circuit
            .projections
            .iter()
            .enumerate()
            .filter_map(|(index, p)| {
                let plastic = Plastic::Projection(ProjectionId(index as u32));
                p.learn
                    .as_ref()
                    .map(|learn| (plastic, p.to, Some(p.from), p.weight.dimension, learn))
            });
        let biases = circuit.compartments().filter_map(|id| {
            let bias = circuit.compartment(id).bias.as_ref()?;
            bias.learn
                .as_ref()
                .map(|learn| (Plastic::Bias(id), id, None, bias.start.dimension, learn))
        });
        let all: Vec<_> = projections.chain(biases).collect();
        all.into_iter()
            .filter_map(|(plastic, target, source, weight, learn)| {
                let expr = self.rule(target, source, weight, learn)?;
                Some(RuleUse {
                    plastic,
                    rule: learn.rule.value.clone(),
                    expr,
                })
            })
            .collect()
    }

    /// A rule's parameters may not be called as something at the synapse is.
    fn rule_names(&mut self, rule: &model::RuleModel, target: CompartmentId) {
        for (name, (span, _)) in &rule.parameters {
            if RESERVED.contains(&name.as_str())
                || self
                    .circuit
                    .compartment_named(target.population, name)
                    .is_some()
            {
                let message = format!(
                    "a parameter cannot be called `{name}`: that name means something else at a synapse"
                );
                self.problems
                    .push(Problem::new(message, *span, "this parameter"));
            }
        }
    }

    fn rule(
        &mut self,
        target: CompartmentId,
        source: Option<CompartmentId>,
        weight: Dimension,
        learn: &model::Learn,
    ) -> Option<Expr> {
        let Some(rule) = self.netlist.rules.get(&learn.rule.value) else {
            let known: Vec<&str> = self.netlist.rules.keys().map(String::as_str).collect();
            let problem = Problem::new(
                format!("there is no rule `{}`", learn.rule.value),
                learn.rule.span,
                "unknown rule",
            );
            let help = suggest(&learn.rule.value, known).or(Some(
                "name the library file that has it in `use`".to_owned(),
            ));
            self.problems.push(Problem { help, ..problem });
            return None;
        };
        let mut parameters: IndexMap<String, Option<Quantity>> = rule
            .parameters
            .iter()
            .map(|(name, (_, default))| (name.clone(), *default))
            .collect();
        for (name, quantity) in &learn.parameters {
            parameters.insert(name.clone(), Some(quantity.value));
        }
        self.rule_names(rule, target);
        let place = Place::Rule {
            target,
            source,
            weight,
            parameters: &parameters,
        };
        let scope = PlaceScope::new(self.circuit, place, self.activation(target));
        let used_here = |problems: Vec<Problem>| {
            problems
                .into_iter()
                .map(|p| p.also(learn.rule.span, "the rule is used here"))
                .collect::<Vec<_>>()
        };
        let (expr, used) = self.kept(read(&rule.dw, scope).map_err(used_here))?;
        for (name, quantity) in learn
            .parameters
            .iter()
            .filter(|(name, _)| !used.contains(name))
        {
            let problem = Problem::new(
                format!("rule `{}` has no parameter `{name}`", rule.name.value),
                quantity.span,
                "not used",
            );
            let known: Vec<&str> = used.iter().map(String::as_str).collect();
            self.problems.push(Problem {
                help: suggest(name, known),
                ..problem
            });
        }
        if matches!(expr.formula.shape(), Shape::Vector(_)) {
            return None;
        }
        self.dimension_fits(&expr, weight, "the change of these weights");
        Some(expr)
    }
}

/// Names that every rule has.
const RESERVED: [&str; 6] = ["pre", "post", "dend", "w", "f", "x"];

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
            help: None,
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
