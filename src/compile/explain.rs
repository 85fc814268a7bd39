//! What the analysis found, for people and programs: the `check` command.

use serde::Serialize;

use super::expressions::Plastic;
use super::gates::Gates;
use super::layout::FilterPlace;
use super::method::products;
use super::program::{PlacedRule, Program};
use crate::circuit::connect::Connectivity;
use crate::netlist::model::{Dynamics, Precision};

/// What the compiler made of a circuit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Name of the circuit.
    pub circuit: String,
    /// Engine that runs it.
    pub engine: String,
    /// How exactly it is computed.
    pub precision: String,
    /// Length of a step, with its unit.
    pub step: String,
    /// Number of neurons.
    pub neurons: usize,
    /// Number of synapses.
    pub synapses: usize,
    /// Memory of weights, values and states (bytes).
    pub bytes: usize,
    /// Modulators that the program is specialised for.
    pub gates: Vec<String>,
    /// Populations.
    pub populations: Vec<PopulationExplanation>,
    /// Projections and biases that learn or not.
    pub projections: Vec<ProjectionExplanation>,
    /// Rules whose updates are measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<MeasuredExplanation>,
    /// Multiply–adds for synapses in a step, learning included, averaged over the gates.
    pub multiply_adds_per_step: f64,
    /// What is convenient but not local.
    pub not_local: Vec<String>,
}

/// A population.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PopulationExplanation {
    /// Its name.
    pub name: String,
    /// Number of neurons.
    pub size: usize,
    /// Neuron model.
    pub neuron: String,
    /// Paper and equations of the model.
    pub source: Option<String>,
    /// Compartments: name, method, equation, activation.
    pub compartments: Vec<CompartmentExplanation>,
}

/// A compartment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompartmentExplanation {
    /// Its name.
    pub name: String,
    /// How it is computed.
    pub method: String,
    /// Its equation.
    pub equation: String,
    /// Its activation.
    pub activation: Option<String>,
}

/// A projection, or a bias.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProjectionExplanation {
    /// Its name.
    pub name: String,
    /// Source and target.
    pub path: String,
    /// Connection pattern.
    pub pattern: String,
    /// Number of synapses.
    pub synapses: usize,
    /// Rule, if it learns.
    pub rule: Option<String>,
    /// Which path the rule takes.
    pub method: Option<String>,
    /// Why it does not take the fast one.
    pub why: Option<String>,
}

/// A rule whose updates are measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredExplanation {
    /// What it would change.
    pub of: String,
    /// The rule.
    pub rule: String,
    /// Which path it takes.
    pub method: String,
    /// Why it does not take the fast one.
    pub why: Option<String>,
}

impl Program {
    /// Explains what the compiler made of the circuit.
    pub fn explain(&self) -> Explanation {
        let circuit = &self.circuit;
        let mut not_local = self.shared_weights();
        not_local.extend(self.optimised());
        if self.layout.replicas > 1 {
            not_local.push(format!(
                "{} replicas share weights and average their changes (a mini-batch): not local in time",
                self.layout.replicas
            ));
        }
        not_local.extend(circuit.projections.iter().filter_map(|tied| {
            let of = &circuit.projection(tied.transpose_of?).name;
            Some(format!(
                "`{}` has the weights of `{of}`, transposed (weight transport): not local in space",
                tied.name
            ))
        }));
        let projections: Vec<_> = (0..circuit.projections.len())
            .map(|p| self.explain_projection(p))
            .collect();
        let biases = self
            .rules
            .iter()
            .filter_map(|rule| match rule.rule.plastic {
                Plastic::Bias(id) => Some(ProjectionExplanation {
                    name: format!("{} (bias)", circuit.compartment_name(id)),
                    path: circuit.compartment_name(id),
                    pattern: "one per neuron".to_owned(),
                    synapses: rule.ends.1,
                    rule: Some(rule.rule.rule.clone()),
                    method: Some("elementwise".to_owned()),
                    why: None,
                }),
                Plastic::Projection(_) => None,
            });
        let synapses = circuit.synapses();
        let all = projections.into_iter().chain(biases).collect();
        Explanation {
            circuit: circuit.name.clone(),
            engine: "rate".to_owned(),
            precision: circuit.precision.name().to_owned(),
            step: circuit.step_length().to_string(),
            neurons: circuit.neurons(),
            synapses,
            bytes: self.bytes(),
            gates: self
                .gates
                .iter()
                .map(|id| circuit.modulators[id.0 as usize].name.clone())
                .collect(),
            populations: self.explain_populations(),
            projections: all,
            measured: self
                .measured
                .iter()
                .map(|r| self.explain_measured(r))
                .collect(),
            multiply_adds_per_step: self.multiply_adds(),
            not_local,
        }
    }

    /// Memory of weights, values and states.
    pub fn bytes(&self) -> usize {
        let numbers: usize = self.layout.vectors.iter().map(|v| v.len()).sum();
        let singles = self.circuit.projections.iter();
        let singles = singles.filter(|p| p.precision == Precision::Single);
        let single: usize = singles.map(|p| p.connectivity.count()).sum();
        8 * (self.circuit.weights() + numbers + self.layout.biases.len()) - 4 * single
    }

    /// Projections that share weights.
    fn shared_weights(&self) -> Vec<String> {
        let shared = |p: &crate::circuit::Projection| match p.connectivity {
            Connectivity::Convolution(c) => Some(format!(
                "`{}`: {} weights shared by a convolution of {} places: not local in space",
                p.name,
                c.weights(),
                c.output.places()
            )),
            _ => None,
        };
        self.circuit.projections.iter().filter_map(shared).collect()
    }

    /// Rules whose changes go through an optimiser.
    fn optimised(&self) -> Vec<String> {
        let adam = |rule: &PlacedRule| {
            let adam = rule.rule.optimiser?;
            let of = match rule.rule.plastic {
                Plastic::Projection(id) => self.circuit.projections[id.0 as usize].name.clone(),
                Plastic::Bias(id) => format!("{} (bias)", self.circuit.compartment_name(id)),
            };
            let every = match adam.every {
                1 => String::new(),
                n => format!(" over {n} steps"),
            };
            Some(format!(
                "`{of}`: Adam scales each weight's mean change{every} by its root mean square, and counts its updates: \
                 local in space, not in time"
            ))
        };
        self.rules.iter().filter_map(adam).collect()
    }

    fn explain_measured(&self, rule: &PlacedRule) -> MeasuredExplanation {
        let (method, why) = self.method(rule);
        let of = match rule.rule.plastic {
            Plastic::Projection(id) => self.circuit.projections[id.0 as usize].name.clone(),
            Plastic::Bias(id) => self.circuit.compartment_name(id),
        };
        MeasuredExplanation {
            of,
            rule: rule.rule.rule.clone(),
            method,
            why,
        }
    }

    fn explain_populations(&self) -> Vec<PopulationExplanation> {
        let compartment = |c: &crate::circuit::Compartment| {
            let (method, text) = match &c.dynamics {
                Dynamics::Value(text) => ("assigned at every step", text),
                Dynamics::Derivative(text) => ("differential, Euler–Maruyama", text),
            };
            CompartmentExplanation {
                name: c.name.clone(),
                method: method.to_owned(),
                equation: text.value.clone(),
                activation: c.activation.as_ref().map(|f| f.value.clone()),
            }
        };
        let population = |p: &crate::circuit::Population| PopulationExplanation {
            name: p.name.clone(),
            size: p.size,
            neuron: p.neuron.clone(),
            source: p.source.clone(),
            compartments: p.compartments.iter().map(compartment).collect(),
        };
        self.circuit.populations.iter().map(population).collect()
    }

    fn explain_projection(&self, index: usize) -> ProjectionExplanation {
        let circuit = &self.circuit;
        let projection = &circuit.projections[index];
        let rule = self
            .rules
            .iter()
            .find(|r| matches!(r.rule.plastic, Plastic::Projection(id) if id.0 as usize == index));
        let (method, why) = match rule {
            None => (None, None),
            Some(rule) => {
                let (method, why) = self.method(rule);
                (Some(method), why)
            }
        };
        let delay = if projection.delay > 0 {
            format!(", delay {}", projection.delay)
        } else {
            String::new()
        };
        let precision = match projection.precision {
            Precision::Double => "",
            Precision::Single => ", single precision",
        };
        ProjectionExplanation {
            name: projection.name.clone(),
            path: format!(
                "{} → {}",
                circuit.compartment_name(projection.from),
                circuit.compartment_name(projection.to)
            ),
            pattern: match projection.transpose_of {
                Some(of) => format!("the transpose of {}{delay}", circuit.projection(of).name),
                None => format!("{}{delay}{precision}", projection.pattern),
            },
            synapses: projection.connectivity.count(),
            rule: rule.map(|r| r.rule.rule.clone()),
            method,
            why,
        }
    }

    /// The path that a rule takes, and why it is not a faster one.
    fn method(&self, rule: &PlacedRule) -> (String, Option<String>) {
        let Plastic::Projection(id) = rule.rule.plastic else {
            return ("elementwise".to_owned(), None);
        };
        let connectivity = &self.circuit.projections[id.0 as usize].connectivity;
        if matches!(connectivity, Connectivity::OneToOne { .. }) {
            return ("elementwise".to_owned(), None);
        }
        let expr = &rule.rule.expr;
        match products(expr, expr.formula.root, self.layout.replicas) {
            Ok((_, terms)) if matches!(connectivity, Connectivity::Convolution(_)) => {
                let plural = if terms.len() == 1 { "" } else { "s" };
                let products = format!("{} product{plural} of matrices", terms.len());
                (format!("fused: {products}, summed over places"), None)
            }
            Ok((_, terms)) => {
                let plural = if terms.len() == 1 { "" } else { "s" };
                (
                    format!("fused: {} outer product{plural}", terms.len()),
                    None,
                )
            }
            Err(why) => self.explain_filters(rule, why),
        }
    }

    /// The path of a rule that is no sum of outer products.
    fn explain_filters(&self, rule: &PlacedRule, why: String) -> (String, Option<String>) {
        let at_synapse = |place: &FilterPlace| matches!(place, FilterPlace::Synapse(_));
        let split = match rule.rule.plastic {
            Plastic::Projection(id) if rule.filters.iter().any(at_synapse) => {
                self.eligibility(rule, id)
            }
            _ => Err(why),
        };
        let many = |n: usize, what: &str| {
            let plural = if n == 1 { "" } else { "s" };
            format!("{n} {what}{plural}")
        };
        match split {
            Ok((outer, filters)) => {
                let filters = many(filters, "eligibility filter");
                let outer = match outer {
                    0 => String::new(),
                    n => format!("{} and ", many(n, "outer product")),
                };
                (format!("fused: {outer}{filters}"), None)
            }
            Err(why) => ("synapse by synapse (slower)".to_owned(), Some(why)),
        }
    }

    /// Synaptic multiply–adds in a step: delivery always, learning in the combinations of gates in which the
    /// rule is not closed.
    fn multiply_adds(&self) -> f64 {
        let delivered = self.circuit.synapses() as f64;
        let combinations = Gates::combinations(&self.gates);
        let open = |rule: &PlacedRule, gates: &Gates| {
            let mut expr = rule.rule.expr.clone();
            let root = expr.formula.root;
            let root = gates.fix(&mut expr, root);
            expr.formula
                .graph
                .constant(root)
                .is_none_or(|c| c.abs() > 0.0)
        };
        let learned: f64 = self
            .rules
            .iter()
            .map(|rule| {
                let synapses = match rule.rule.plastic {
                    Plastic::Projection(id) => {
                        self.circuit.projections[id.0 as usize].connectivity.count()
                    }
                    Plastic::Bias(_) => rule.ends.1,
                };
                let share = combinations.iter().filter(|g| open(rule, g)).count() as f64
                    / combinations.len() as f64;
                share * synapses as f64
            })
            .sum();
        (delivered + learned) * self.layout.replicas as f64
    }
}
