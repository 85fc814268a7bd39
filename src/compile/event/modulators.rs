//! Modulators of an event circuit: what releases them, and expressions that are sampled.

use std::collections::BTreeSet;

use super::program::{EventProgram, NeuronProgram, Release};
use crate::circuit::{Circuit, InputId, ModulatorId, Output};
use crate::compile::expressions::Reader;
use crate::compile::{Counter, Expr, Reading};
use crate::engine::event::sampler::Sampler;
use crate::netlist::model::{ModulatorDrive, Netlist};
use crate::source::Problem;

/// Modulators that spikes release.
pub(super) fn releases(circuit: &Circuit) -> Vec<Release> {
    let release = |(index, modulator): (usize, &crate::circuit::Modulator)| match &modulator.drive {
        ModulatorDrive::Released { by, amount, .. } => {
            let by = circuit.population_named(&by.value)?;
            let amount = amount.value / circuit.population(by).size.max(1) as f64;
            Some(Release {
                by,
                modulator: ModulatorId(index as u32),
                amount,
            })
        }
        _ => None,
    };
    circuit
        .modulators
        .iter()
        .enumerate()
        .filter_map(release)
        .collect()
}

/// Modulators that are sampled, each with its expression.
pub(super) fn sampled(
    netlist: &Netlist,
    circuit: &Circuit,
    populations: &[NeuronProgram],
) -> Result<Vec<(ModulatorId, Expr)>, Vec<Problem>> {
    let mut reader = Reader {
        netlist,
        circuit,
        problems: vec![],
    };
    let found = reader.modulators();
    let mut problems = reader.problems;
    for (_, expr) in &found {
        if !expr.readings.iter().all(Reading::can_be_sampled) {
            let message = "a modulator of spiking neurons reads voltages, rates, inputs, other modulators and time";
            let problem = Problem::new(message, expr.span, "something else");
            problems.push(problem.help(
                "read the voltage of a compartment, such as mean(cells.soma), or rate(cells)",
            ));
        }
    }
    // What decays between releases is no constant coefficient.
    let read = populations.iter().flat_map(|p| match p {
        NeuronProgram::Dynamic(neuron) => neuron.modulators.clone(),
        NeuronProgram::Source(source) => source.modulators.clone(),
    });
    for id in read {
        let modulator = &circuit.modulators[id.0 as usize];
        if let ModulatorDrive::Released { by, .. } = &modulator.drive {
            let message = format!(
                "`{}` decays between releases, and a neuron's equation needs what is constant",
                modulator.name
            );
            let problem = Problem::new(message, by.span, "released by spikes");
            problems.push(problem.help("let rules read it, or sample it: a modulator with value = \"…\" and every = \"1 ms\""));
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

impl EventProgram {
    /// Whether anything reads spikes beside the synapses.
    pub fn notes_spikes(&self) -> bool {
        !self.releases.is_empty() || !self.counters.is_empty()
    }

    /// Somebody beside the circuit will sample these expressions: what they count is counted, and the inputs that they read
    /// move on.
    pub fn watch<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.counters.extend(counters(expr));
            self.inputs.extend(inputs_of(expr));
        }
    }

    /// A sampler for each sampled modulator, in their order.
    pub fn samplers(&self) -> Vec<Sampler> {
        let every = |id: ModulatorId| match &self.circuit.modulators[id.0 as usize].drive {
            ModulatorDrive::Value { every, .. } => every.as_ref().map_or(1.0, |e| e.value.value),
            _ => 1.0,
        };
        let sampler = |(id, expr): &(ModulatorId, Expr)| Sampler::new(expr.clone(), every(*id));
        self.sampled.iter().map(sampler).collect()
    }
}

/// What an expression counts.
pub(super) fn counters(expr: &Expr) -> impl Iterator<Item = Counter> {
    expr.readings.iter().filter_map(|reading| match reading {
        Reading::Rate(counter) => Some(*counter),
        _ => None,
    })
}

/// What of inputs an expression reads; a row that is compared is read.
fn inputs_of(expr: &Expr) -> impl Iterator<Item = (InputId, Output)> {
    expr.readings.iter().filter_map(|reading| match reading {
        Reading::Input(id, output) => Some((*id, *output)),
        Reading::InputChanged(id) => Some((*id, Output::Values)),
        _ => None,
    })
}

/// What of inputs sampled modulators and sources read.
pub(super) fn inputs(
    sampled: &[(ModulatorId, Expr)],
    populations: &[NeuronProgram],
) -> BTreeSet<(InputId, Output)> {
    let sources = populations.iter().filter_map(|p| match p {
        NeuronProgram::Source(source) => source.input,
        NeuronProgram::Dynamic(_) => None,
    });
    let modulators = sampled.iter().flat_map(|(_, expr)| inputs_of(expr));
    sources.chain(modulators).collect()
}
