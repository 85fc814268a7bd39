//! What the parts of a circuit are called in a drawing.

use crate::circuit::{Circuit, Population, Projection};
use crate::lang::ast::{Ast, AstKind};
use crate::netlist::model::{
    Bias, Connect, Duration, Dynamics, InputProcess, Learn, ModulatorDrive, Schedule,
};

/// Lists are told up to this many values.
const MOST_VALUES: usize = 6;

/// `2,000 synapses`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", thousands(number))
}

/// `2,000`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What the whole circuit is: `2 populations, 120 neurons · 3 projections, 4,020 synapses · …`.
pub(super) fn summary(circuit: &Circuit) -> String {
    let mut parts = vec![
        format!(
            "{}, {}",
            count(circuit.populations.len(), "population"),
            count(circuit.neurons(), "neuron")
        ),
        format!(
            "{}, {}",
            count(circuit.projections.len(), "projection"),
            count(circuit.synapses(), "synapse")
        ),
        format!("step {}", circuit.step),
    ];
    if circuit.replicas > 1 {
        parts.push(count(circuit.replicas, "replica"));
    }
    parts.join(" · ")
}

/// Size and neuron model: `20 × impression`.
pub(super) fn neurons(population: &Population) -> String {
    format!("{} × {}", thousands(population.size), population.neuron)
}

/// All of a population in one line.
pub(super) fn title(population: &Population) -> String {
    let compartments: Vec<String> = population
        .compartments
        .iter()
        .map(|c| match &c.bias {
            Some(given) => format!("{} ({})", c.name, bias(given)),
            None => c.name.clone(),
        })
        .collect();
    let source = population.source.iter().map(|source| format!(" after {source}"));
    let source: String = source.collect();
    format!("{}: {}{source}; {}", population.name, neurons(population), compartments.join(", "))
}

/// What stands under a projection's name: pattern, size, rule, delay.
pub(super) fn about(projection: &Projection) -> Vec<String> {
    let mut lines = vec![synapses(projection)];
    lines.extend(projection.learn.as_ref().map(learns));
    lines.extend(delay(projection));
    lines
}

/// Pattern and size: `all-to-all, 2,000 synapses`.
fn synapses(projection: &Projection) -> String {
    let synapses = count(projection.connectivity.count(), "synapse");
    format!("{}, {synapses}", pattern(&projection.pattern))
}

fn pattern(connect: &Connect) -> String {
    match connect {
        Connect::AllToAll => "all-to-all".to_owned(),
        Connect::OneToOne => "one-to-one".to_owned(),
        Connect::Probability(p) => format!("probability {p}"),
        Connect::InDegree(n) => format!("in-degree {n}"),
        Connect::OutDegree(n) => format!("out-degree {n}"),
        Connect::Edges(file) => format!("edges of {file}"),
    }
}

/// `learns by impression-basal`.
fn learns(learn: &Learn) -> String {
    format!("learns by {}", learn.rule.value)
}

/// `delay 1 step`; nothing for none.
fn delay(projection: &Projection) -> Option<String> {
    let steps = projection.delay;
    (steps > 0).then(|| format!("delay {}", count(steps, "step")))
}

/// `bias learns by impression-basal`, or `bias`.
pub(super) fn bias(bias: &Bias) -> String {
    match &bias.learn {
        Some(learn) => format!("bias {}", learns(learn)),
        None => "bias".to_owned(),
    }
}

/// Where an input's values come from.
pub(super) fn process(process: &InputProcess) -> String {
    match process {
        InputProcess::LatentAr1 { latent, .. } => {
            format!("latent AR(1) of {}", thousands(latent.value as usize))
        }
        InputProcess::Array { file, .. } => format!("rows of {}", file.value),
        InputProcess::LogMel(mel) => format!("log-mel frames of {}", mel.folder.value),
    }
}

/// What sets a modulator: `alternates 1, 0 every 2 steps`.
pub(super) fn drive(drive: &ModulatorDrive) -> String {
    match drive {
        ModulatorDrive::Schedule(schedule) => in_words(&schedule.value),
        ModulatorDrive::Value(expression) => format!("= {}", expression.value.trim()),
    }
}

fn in_words(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant(value) => format!("constant {value}"),
        Schedule::Cycle { values, lengths } => cycle(values, lengths),
        Schedule::List { values, every } => {
            format!("takes {} in turn, {} each; the last one stays", list(values), length(*every))
        }
        Schedule::Random { values, probabilities, every } => {
            format!("drawn {} from {}", period(*every), chances(values, probabilities))
        }
    }
}

fn cycle(values: &[f64], lengths: &[Duration]) -> String {
    match lengths {
        [first, rest @ ..] if rest.iter().all(|l| l == first) => {
            format!("alternates {} {}", list(values), period(*first))
        }
        _ => {
            let turns = values.iter().zip(lengths);
            let turns = turns.map(|(value, l)| format!("{value} for {}", length(*l)));
            format!("alternates {}", shortened(turns))
        }
    }
}

fn chances(values: &[f64], probabilities: &[f64]) -> String {
    let equal = probabilities.windows(2).all(|p| (p[0] - p[1]).abs() < 1e-9);
    if equal {
        return list(values);
    }
    let chances = values.iter().zip(probabilities);
    shortened(chances.map(|(value, p)| format!("{value} (probability {p})")))
}

fn list(values: &[f64]) -> String {
    shortened(values.iter().map(f64::to_string))
}

/// The first of some items, and how many there are if not all are told.
fn shortened(items: impl ExactSizeIterator<Item = String>) -> String {
    let all = items.len();
    let told: Vec<String> = items.take(MOST_VALUES).collect();
    match all > MOST_VALUES {
        true => format!("{}, … ({} values)", told.join(", "), thousands(all)),
        false => told.join(", "),
    }
}

/// `every 2 steps`.
fn period(duration: Duration) -> String {
    match duration {
        Duration::Steps(1) => "every step".to_owned(),
        other => format!("every {}", length(other)),
    }
}

/// `2 steps`, `10 ms`.
fn length(duration: Duration) -> String {
    match duration {
        Duration::Steps(steps) => count(steps as usize, "step"),
        Duration::Time(time) => time.to_string(),
    }
}

/// The modulators that a population's equations name.
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
        AstKind::Unary(_, operand) => collect_names(operand, names),
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
        rules => format!("broadcast to all neurons and to the rules {}", rules.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Dimension, Quantity};

    #[test]
    fn numbers_are_grouped_by_thousands_and_things_counted() {
        assert_eq!(count(1, "synapse"), "1 synapse");
        assert_eq!(count(0, "step"), "0 steps");
        assert_eq!(count(1_234_567, "synapse"), "1,234,567 synapses");
        assert_eq!(thousands(999), "999");
    }

    #[test]
    fn schedules_read_as_sentences() {
        let ms = |value| Duration::Time(Quantity::new(value, Dimension::TIME));
        let values = vec![1.0, 0.0];
        let even = Schedule::Cycle {
            values: values.clone(),
            lengths: vec![Duration::Steps(2); 2],
        };
        assert_eq!(in_words(&even), "alternates 1, 0 every 2 steps");
        let uneven = Schedule::Cycle {
            values: values.clone(),
            lengths: vec![ms(10.0), Duration::Steps(1)],
        };
        assert_eq!(in_words(&uneven), "alternates 1 for 10 ms, 0 for 1 step");
        let random = Schedule::Random {
            values,
            probabilities: vec![0.25, 0.75],
            every: Duration::Steps(1),
        };
        assert_eq!(
            in_words(&random),
            "drawn every step from 1 (probability 0.25), 0 (probability 0.75)"
        );
    }

    #[test]
    fn long_lists_are_shortened() {
        let long = Schedule::List {
            values: vec![0.5; 1000],
            every: Duration::Steps(3),
        };
        let words = in_words(&long);
        assert!(words.contains("0.5, … (1,000 values) in turn, 3 steps each"), "{words}");
    }
}
