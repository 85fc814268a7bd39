//! Netlist to circuit: every name is looked up, every size compared.

mod populations;
mod projections;
mod spike_times;
mod spiking;
mod spiking_ends;

use std::collections::HashMap;

use petgraph::graph::DiGraph;

use super::{Circuit, CircuitKind, Input, Modulator, PopulationId, ProjectionId};
use crate::input::DataPaths;
use crate::netlist::model::{self, Name, Netlist};
use crate::source::{Problem, suggest};

impl Circuit {
    /// Resolves a netlist; `paths` is where its files are looked for. Problems come with the circuit that
    /// is left without what they broke.
    pub fn build(netlist: &Netlist, paths: &DataPaths) -> (Circuit, Vec<Problem>) {
        let mut resolver = Resolver {
            netlist,
            paths,
            problems: Vec::new(),
        };
        let circuit = resolver.circuit();
        (circuit, resolver.problems)
    }
}

struct Resolver<'n> {
    netlist: &'n Netlist,
    paths: &'n DataPaths,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn circuit(&mut self) -> Circuit {
        let table = &self.netlist.circuit;
        let mut circuit = Circuit {
            name: table.name.value.clone(),
            seed: table.seed,
            kind: self.kind(),
            step: table.step.as_ref().map(|step| step.value),
            replicas: table.replicas.value as usize,
            constants: self
                .netlist
                .constants
                .iter()
                .map(|(name, constant)| (name.clone(), constant.value))
                .collect(),
            populations: vec![],
            projections: vec![],
            modulators: self.modulators(),
            inputs: vec![],
            graph: DiGraph::new(),
            left_out: vec![],
        };
        circuit.inputs = self
            .netlist
            .inputs
            .iter()
            .filter_map(|(name, input)| self.input(name, input))
            .collect();
        let mixed = self.mixed();
        for (name, population) in &self.netlist.populations {
            if mixed && self.is_rate(population) {
                continue;
            }
            if let Some(population) = self.population(name, population, &circuit) {
                circuit
                    .graph
                    .add_node(PopulationId(circuit.populations.len() as u32));
                circuit.populations.push(population);
            }
        }
        let inputs = self
            .netlist
            .inputs
            .keys()
            .filter(|n| circuit.input_named(n).is_none());
        let populations = self
            .netlist
            .populations
            .keys()
            .filter(|n| circuit.population_named(n).is_none());
        circuit.left_out = inputs.chain(populations).cloned().collect();
        let mut units = HashMap::new();
        for (name, projection) in &self.netlist.projections {
            if let Some(projection) = self.projection(name, projection, &circuit) {
                if circuit.kind == CircuitKind::Rate {
                    self.drive_unit(&mut circuit, &mut units, &projection);
                }
                let id = ProjectionId(circuit.projections.len() as u32);
                let ends = [projection.from, projection.to].map(|c| c.population.0.into());
                circuit.graph.add_edge(ends[0], ends[1], id);
                circuit.projections.push(projection);
            }
        }
        self.read_populations(&circuit);
        circuit
    }

    fn modulators(&self) -> Vec<Modulator> {
        let make = |(name, m): (&String, &model::Modulator)| Modulator {
            name: name.clone(),
            drive: m.drive.clone(),
            start: m.start,
        };
        self.netlist.modulators.iter().map(make).collect()
    }

    fn input(&mut self, name: &str, input: &model::Input) -> Option<Input> {
        let (size, latent) = match &input.process {
            model::InputProcess::LatentAr1 { size, latent, .. } => {
                (size.value as usize, Some(latent.value as usize))
            }
            model::InputProcess::VonMises { .. } => (2, Some(1)),
            model::InputProcess::LogMel(mel) => (mel.channels as usize, None),
            model::InputProcess::Array { file, .. } => {
                match crate::input::array_width(&self.paths.find(&file.value)) {
                    Ok(size) => (size, None),
                    Err(error) => {
                        self.problems
                            .push(Problem::new(error.to_string(), file.span, "this file"));
                        return None;
                    }
                }
            }
        };
        Some(Input {
            name: name.to_owned(),
            size,
            latent,
            process: input.process.clone(),
        })
    }

    fn list_fits(&mut self, distribution: &model::Distribution, size: usize) {
        if let model::DistributionKind::List(values) = &distribution.kind
            && values.len() != size
        {
            let message = format!(
                "{size} numbers are needed here, the list has {}",
                values.len()
            );
            self.problems
                .push(Problem::new(message, distribution.span, "wrong length"));
        }
    }

    fn unknown<'a>(
        &mut self,
        what: &str,
        name: &Name,
        known: impl Iterator<Item = &'a String>,
        also: Option<&str>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let help = match (suggest(&name.value, known), also) {
            (Some(known), Some(also)) if known.starts_with("known") => {
                Some(format!("{known}; or {also}"))
            }
            (near, also) => near.or(also.map(str::to_owned)),
        };
        let problem = Problem::new(
            format!("{what} `{}`", name.value),
            name.span,
            "unknown name",
        );
        self.problems.push(Problem { help, ..problem });
    }
}

/// Names that every equation has.
const RESERVED: [&str; 4] = ["drive", "noise", "f", "x"];

/// Neurons in a population, and synapses in a projection: more would not fit into any memory.
const MOST: u64 = 1_000_000_000;

/// Whether a distribution is a plain 0, which goes with every unit.
fn is_bare_zero(distribution: &model::Distribution) -> bool {
    distribution.dimension.is_none()
        && matches!(distribution.kind, model::DistributionKind::Constant(v) if v.abs() <= 0.0)
}
