//! The numbers of neurons: sets of parameters and biases, and values at the start.

use std::collections::HashMap;

use super::reader::NeuronReader;
use crate::circuit::sample::draw_all;
use crate::circuit::{Circuit, PopulationId};
use crate::units::Dimension;

/// The different sets of numbers in a population, and which neuron has which.
pub(super) fn kinds(circuit: &Circuit, id: PopulationId) -> (Vec<Vec<f64>>, Vec<u32>) {
    let population = circuit.population(id);
    let parameters = population.parameters.iter().map(|(name, distribution)| {
        (
            distribution,
            format!("parameter {}.{name}", population.name),
        )
    });
    let zero = |name: &str| (None, format!("bias {}.{name}", population.name));
    let biases = population.compartments.iter().map(|c| match &c.bias {
        Some(bias) => (
            Some(&bias.start),
            format!("bias {}.{}", population.name, c.name),
        ),
        None => zero(&c.name),
    });
    let columns: Vec<(Option<&crate::netlist::model::Distribution>, String)> = parameters
        .map(|(d, name)| (Some(d), name))
        .chain(biases)
        .collect();
    let constant = |d: &crate::netlist::model::Distribution| match d.kind {
        crate::netlist::model::DistributionKind::Constant(value) => Some(value),
        _ => None,
    };
    let all: Option<Vec<f64>> = columns
        .iter()
        .map(|(d, _)| d.map_or(Some(0.0), constant))
        .collect();
    if let Some(same) = all {
        return (vec![same], vec![]);
    }
    let drawn: Vec<Vec<f64>> = columns
        .iter()
        .map(|(d, name)| match d {
            Some(d) => draw_all(d, population.size, circuit.seed, name),
            None => vec![0.0; population.size],
        })
        .collect();
    let mut known: HashMap<Vec<u64>, u32> = HashMap::new();
    let (mut kinds, mut kind_of) = (Vec::new(), Vec::new());
    for neuron in 0..population.size {
        let numbers: Vec<f64> = drawn.iter().map(|column| column[neuron]).collect();
        let bits = numbers.iter().map(|x| x.to_bits()).collect();
        let kind = *known.entry(bits).or_insert_with(|| {
            kinds.push(numbers);
            kinds.len() as u32 - 1
        });
        kind_of.push(kind);
    }
    (kinds, kind_of)
}

/// Values of the compartments at the start: what the netlist says, else the resting potential of a membrane, else 0.
pub(super) fn starts(
    reader: &mut NeuronReader<'_>,
    circuit: &Circuit,
    id: PopulationId,
    kinds: &[Vec<f64>],
    kind_of: &[u32],
) -> Option<Vec<Vec<f64>>> {
    let population = circuit.population(id);
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for compartment in &population.compartments {
        let column = match (&compartment.start, &compartment.membrane) {
            (Some(start), _) => match start.kind {
                crate::netlist::model::DistributionKind::Constant(value) => vec![value],
                _ => draw_all(
                    start,
                    population.size,
                    circuit.seed,
                    &format!("start {}.{}", population.name, compartment.name),
                ),
            },
            (None, Some(membrane)) => {
                let rest =
                    reader.number(&membrane.rest, Dimension::VOLTAGE, "the resting potential")?;
                let zeros = vec![0.0; reader.numbers.modulators.len()];
                let of = |kind: &Vec<f64>| {
                    let numbers: Vec<f64> = kind.iter().chain(&zeros).copied().collect();
                    rest.value(&numbers)
                };
                let rests: Vec<f64> = kinds.iter().map(of).collect();
                if kind_of.is_empty() {
                    rests
                } else {
                    kind_of.iter().map(|k| rests[*k as usize]).collect()
                }
            }
            (None, None) => vec![0.0],
        };
        columns.push(column);
    }
    let rows = columns.iter().map(Vec::len).max().unwrap_or(1);
    let row = |neuron: usize| columns.iter().map(|c| c[neuron.min(c.len() - 1)]).collect();
    Some((0..rows).map(row).collect())
}
