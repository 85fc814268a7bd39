//! Modulators of an event circuit: what releases them, and expressions that are sampled.

use super::program::{EventProgram, NeuronProgram, Release};
use crate::circuit::{Circuit, ModulatorId};
use crate::compile::expressions::Reader;
use crate::compile::{Expr, Reading};
use crate::lang::walk::walk;
use crate::lang::{NodeId, Shape, Symbol};
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
        let readable = |r: &Reading| {
            matches!(
                r,
                Reading::Time | Reading::Modulator(_) | Reading::Rate(_) | Reading::Value(_)
            )
        };
        if !expr.formula.filters.is_empty() || !expr.readings.iter().all(readable) {
            let message =
                "a modulator of spiking neurons reads voltages, rates, other modulators and time";
            let problem = Problem::new(message, expr.span, "something else");
            problems
                .push(problem.help(
                    "for a memory use `released = { by = …, tau = … }`, or rate(population)",
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
        let rates = |(_, expr): &(ModulatorId, Expr)| {
            expr.readings.iter().any(|r| matches!(r, Reading::Rate(_)))
        };
        !self.releases.is_empty() || self.sampled.iter().any(rates)
    }

    /// The value of a sampled modulator; `read` gives what is read, of a neuron by its index.
    pub fn sampled_value(&self, modulator: usize, read: &dyn Fn(Reading, usize) -> f64) -> f64 {
        let Some((_, expr)) = self
            .sampled
            .iter()
            .find(|(id, _)| id.0 as usize == modulator)
        else {
            return f64::NAN;
        };
        let formula = &expr.formula;
        let value = |symbol: Symbol, neuron: usize| {
            expr.reading(symbol).map_or(f64::NAN, |r| read(r, neuron))
        };
        let sum = |node: NodeId| {
            let size = match formula.graph.shape(node) {
                Shape::Vector(size) => size as usize,
                _ => 1,
            };
            let of = |neuron| walk(&formula.graph, node, &|s| value(s, neuron), &|_| f64::NAN);
            (0..size).map(of).sum()
        };
        walk(&formula.graph, formula.root, &|s| value(s, 0), &sum)
    }
}
