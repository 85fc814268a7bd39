//! What a circuit knows of who reads its modulators.

use crate::circuit::{Circuit, Population};
use crate::lang::ast::{Ast, AstKind};
use crate::netlist::model::{Dynamics, SpikeTrigger};

/// The modulators that a population's equations, or what makes it spike, name.
pub(super) fn modulators_of<'c>(circuit: &'c Circuit, population: &Population) -> Vec<&'c str> {
    let mut named = Vec::new();
    for compartment in &population.compartments {
        let (Dynamics::Value(equation) | Dynamics::Derivative(equation)) = &compartment.dynamics;
        for expression in compartment.activation.iter().chain([equation]) {
            if let Ok(tree) = crate::lang::parse(&expression.value) {
                collect_names(&tree, &mut named);
            }
        }
    }
    if let Some(SpikeTrigger::Rate(rate)) = population.spiking.as_ref().map(|s| &s.trigger)
        && let Ok(tree) = crate::lang::parse(&rate.value)
    {
        collect_names(&tree, &mut named);
    }
    // What is the neuron's own hides a modulator of the same name.
    let own = |name: &str| {
        population.parameters.contains_key(name)
            || population.compartments.iter().any(|c| c.name == name)
    };
    let modulators = circuit.modulators.iter().map(|m| m.name.as_str());
    modulators
        .filter(|name| !own(name) && named.iter().any(|n| n == name))
        .collect()
}

/// The names of one part in an expression.
fn collect_names(tree: &Ast, names: &mut Vec<String>) {
    match &tree.kind {
        AstKind::Number(_) => {}
        AstKind::Name(parts) => {
            if let [name] = parts.as_slice() {
                names.push(name.clone());
            }
        }
        AstKind::Call { arguments, .. } => {
            arguments.iter().for_each(|a| collect_names(a, names));
        }
        AstKind::Unary(_, operand) | AstKind::Inverse(operand) => collect_names(operand, names),
        AstKind::Binary(_, left, right) => {
            collect_names(left, names);
            collect_names(right, names);
        }
    }
}

/// Who could read a modulator: the equations that name it, and the rules at work, whose text the circuit does not know.
pub(super) fn readers(circuit: &Circuit, modulator: &str) -> String {
    let populations: Vec<&str> = circuit
        .populations
        .iter()
        .filter(|p| modulators_of(circuit, p).contains(&modulator))
        .map(|p| p.name.as_str())
        .collect();
    match populations.as_slice() {
        [] => "in no population's equations".to_owned(),
        names => format!("in the equations of {}", names.join(", ")),
    }
}

/// The rules at work, each once, in order of appearance.
fn rules(circuit: &Circuit) -> Vec<&str> {
    let biases = circuit.populations.iter().flat_map(|p| &p.compartments);
    let biases = biases.filter_map(|c| c.bias.as_ref()?.learn.as_ref());
    let learning = circuit.projections.iter().filter_map(|p| p.learn.as_ref());
    let mut rules: Vec<&str> = Vec::new();
    for learn in learning.chain(biases) {
        if !rules.contains(&learn.rule.value.as_str()) {
            rules.push(&learn.rule.value);
        }
    }
    rules
}

/// What a modulator reaches: every neuron, and the rules at work.
pub(super) fn reach(circuit: &Circuit) -> String {
    match rules(circuit).as_slice() {
        [] => "broadcast to all neurons".to_owned(),
        [rule] => format!("broadcast to all neurons and to the rule {rule}"),
        rules => format!(
            "broadcast to all neurons and to the rules {}",
            rules.join(", ")
        ),
    }
}
