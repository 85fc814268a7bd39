//! The rules at work in a circuit, resolved and checked where they are used.

use indexmap::IndexMap;

use super::expressions::{Plastic, Reader, RuleUse, misfit, read};
use super::reading::Expr;
use super::scope::{Place, PlaceScope};
use crate::circuit::{CircuitKind, CompartmentId, ProjectionId};
use crate::lang::Shape;
use crate::netlist::model;
use crate::source::{Problem, Span, suggest};
use crate::units::{Dimension, Quantity};

impl Reader<'_> {
    /// All rules at work: those of projections, then those of biases.
    pub fn rules(&mut self) -> Vec<RuleUse> {
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
                    optimiser: learn.optimiser,
                })
            })
            .collect()
    }

    /// The rules whose updates are measured.
    pub fn measured(&mut self) -> Vec<RuleUse> {
        let circuit = self.circuit;
        let mut found = Vec::new();
        for measure in self.netlist.measures.values() {
            let model::MeasureKind::Update { of, rule, .. } = &measure.kind else {
                continue;
            };
            // What a name does not find is reported with the measure.
            let Some(plastic) = Plastic::named(circuit, &of.value) else {
                continue;
            };
            let (target, source, weight) = match plastic {
                Plastic::Projection(id) => {
                    let projection = &circuit.projections[id.0 as usize];
                    let weight = projection.weight.dimension;
                    (projection.to, Some(projection.from), weight)
                }
                Plastic::Bias(id) => {
                    let bias = circuit.compartment(id).bias.as_ref();
                    let unit = bias.map_or(Dimension::NONE, |bias| bias.start.dimension);
                    (id, None, unit)
                }
            };
            let expr = self.rule(target, source, weight, rule);
            found.extend(expr.map(|expr| RuleUse {
                plastic,
                rule: rule.rule.value.clone(),
                expr,
                optimiser: None,
            }));
        }
        found
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

    /// The rule of a projection, or of a bias if there is no source.
    pub fn rule(
        &mut self,
        target: CompartmentId,
        source: Option<CompartmentId>,
        weight: Dimension,
        learn: &model::Learn,
    ) -> Option<Expr> {
        let its = &learn.rule;
        let Some(rule) = self.netlist.rules.get(&its.value) else {
            let known: Vec<&str> = self.netlist.rules.keys().map(String::as_str).collect();
            let library = "name the library file that has it in `use`";
            let help = match suggest(&its.value, known) {
                Some(known) if known.starts_with("known") => format!("{known}; or {library}"),
                near => near.unwrap_or(library.to_owned()),
            };
            let message = format!("there is no rule `{}`", its.value);
            self.problems
                .push(Problem::new(message, its.span, "unknown rule").help(help));
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
        for (name, _) in parameters.iter().filter(|(_, value)| value.is_none()) {
            let message = format!(
                "rule `{}` needs a value for its parameter `{name}`",
                its.value
            );
            let help = format!("write learn = {{ rule = \"{}\", {name} = … }}", its.value);
            self.problems
                .push(Problem::new(message, its.span, "no value").help(help));
        }
        let place = match (self.circuit.kind, source) {
            (CircuitKind::Event, Some(source)) => Place::SpikingRule {
                target,
                source: source.population,
                weight,
                parameters: &parameters,
            },
            _ => Place::Rule {
                target,
                source,
                weight,
                parameters: &parameters,
            },
        };
        let (unit, what) = match self.circuit.kind {
            CircuitKind::Event => (weight * Dimension::RATE, "the derivative of these weights"),
            CircuitKind::Rate => (weight, "the change of these weights"),
        };
        let mut known = true;
        for name in learn.modulators.values() {
            if self.circuit.modulator_named(&name.value).is_none() {
                let message = format!("there is no modulator `{}`", name.value);
                let all: Vec<&str> = self
                    .circuit
                    .modulators
                    .iter()
                    .map(|m| m.name.as_str())
                    .collect();
                let problem = Problem::new(message, name.span, "unknown modulator");
                let help = suggest(&name.value, all);
                self.problems.push(Problem { help, ..problem });
                known = false;
            }
        }
        if !known {
            return None;
        }
        let scope = PlaceScope::new(self.circuit, place, self.activation(target))
            .calling(&learn.modulators);
        let used_here = |problems: Vec<Problem>| {
            problems
                .into_iter()
                .map(|p| p.also(its.span, "the rule is used here"))
                .collect::<Vec<_>>()
        };
        let (expr, used) = self.kept(read(&rule.dw, scope).map_err(used_here))?;
        let given = learn.parameters.iter();
        for (name, quantity) in given.filter(|(name, _)| !used.contains(name)) {
            self.problems.push(unused(rule, name, quantity.span));
        }
        for (name, given) in learn
            .modulators
            .iter()
            .filter(|(name, _)| !used.contains(name))
        {
            let message = format!("rule `{}` reads no modulator `{name}`", its.value);
            let problem = Problem::new(message, given.span, "not read");
            self.problems.push(problem.help("leave it out"));
        }
        if matches!(expr.formula.shape(), Shape::Vector(_)) {
            return None;
        }
        if learn.optimiser.is_some() && !weight.is_none() {
            let message = format!(
                "Adam needs weights that are plain numbers, these are {}",
                weight.in_words()
            );
            let problem = Problem::new(message, its.span, "learns with Adam");
            self.problems
                .push(problem.help("leave `optimiser` out, or give the weights no unit"));
        }
        let misfit = misfit(&expr, unit, what);
        self.problems
            .extend(used_here(misfit.into_iter().collect()));
        Some(expr)
    }
}

/// A parameter that a rule was given for nothing.
fn unused(rule: &model::RuleModel, name: &str, given: Span) -> Problem {
    let its = &rule.name.value;
    if let Some((declared, _)) = rule.parameters.get(name) {
        let message = format!("rule `{its}` does not use its parameter `{name}`");
        let problem = Problem::new(message, given, "not used").also(*declared, "declared here");
        return problem.help("leave it out, or use it in the rule's `dw`");
    }
    let message = format!("rule `{its}` has no parameter `{name}`");
    let known: Vec<&str> = rule.parameters.keys().map(String::as_str).collect();
    let help = suggest(name, known).unwrap_or("leave it out".to_owned());
    Problem::new(message, given, "not used").help(help)
}

/// Names that every rule has.
const RESERVED: [&str; 6] = ["pre", "post", "dend", "w", "f", "x"];
