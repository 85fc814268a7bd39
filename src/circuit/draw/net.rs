//! The circuit as a drawing sees it: nodes with parts, and wires between parts.

use super::anatomy::{Part, Role, parts};
use super::lettering::{Block, NAME, NOTE};
use super::words;
use crate::circuit::{Circuit, CompartmentId, InputId, Output, PopulationId, Projection};

/// The widest label of a wire (pixels).
const LABEL_ROOM: f64 = 190.0;

/// Nodes and wires. The nodes are the populations and then the inputs.
#[derive(Debug)]
pub(super) struct Net {
    /// Number of populations.
    pub(super) populations: usize,
    /// The parts of each node, from top to bottom.
    pub(super) parts: Vec<Vec<Part>>,
    /// The projections and then the inputs' wires.
    pub(super) wires: Vec<Wire>,
}

/// A connection to draw.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) from: Tip,
    pub(super) to: Tip,
    /// What it drives.
    pub(super) role: Role,
    /// Whether it ends at the body or below, and so helps to tell higher from lower.
    pub(super) ascends: bool,
    /// Whether its weights learn.
    pub(super) learns: bool,
    /// What is written beside it.
    pub(super) label: Block,
    /// What is told of it under the pointer.
    pub(super) title: String,
}

/// An end of a wire: a part of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) node: usize,
    /// Counted from the top.
    pub(super) row: usize,
}

impl Net {
    /// Takes a circuit apart.
    pub(super) fn new(circuit: &Circuit) -> Net {
        let mut all: Vec<Vec<Part>> = Vec::new();
        for population in &circuit.populations {
            let names: Vec<&str> = population
                .compartments
                .iter()
                .map(|c| c.name.as_str())
                .collect();
            all.push(parts(&names));
        }
        let input = Part {
            role: Role::Input,
            compartment: None,
        };
        all.extend(circuit.inputs.iter().map(|_| vec![input]));
        let mut net = Net {
            populations: circuit.populations.len(),
            parts: all,
            wires: Vec::new(),
        };
        net.add_projections(circuit);
        net.add_inputs(circuit);
        net
    }

    fn add_projections(&mut self, circuit: &Circuit) {
        for projection in &circuit.projections {
            let (from, to) = (self.tip(projection.from), self.tip(projection.to));
            let ends = [projection.from, projection.to].map(|end| circuit.compartment_name(end));
            let label = label(projection);
            let told: Vec<String> = words::about(projection);
            let title = format!(
                "{}: {} to {}; {}",
                projection.name,
                ends[0],
                ends[1],
                told.join(", ")
            );
            let wire = self.wire(from, to, label, title);
            self.wires.push(Wire {
                learns: projection.learn.is_some(),
                ..wire
            });
        }
    }

    fn add_inputs(&mut self, circuit: &Circuit) {
        for id in circuit.compartments() {
            for end in &circuit.compartment(id).inputs {
                self.add_input(circuit, *end, id);
            }
        }
        for (index, population) in circuit.populations.iter().enumerate() {
            let spiking = population.spiking.as_ref();
            if let Some(fed) = spiking.and_then(|s| s.input?.of) {
                let source = CompartmentId {
                    population: PopulationId(index as u32),
                    index: 0,
                };
                self.add_input(circuit, fed, source);
            }
        }
    }

    fn add_input(
        &mut self,
        circuit: &Circuit,
        (input, output): (InputId, Output),
        to: CompartmentId,
    ) {
        let from = Tip {
            node: self.populations + input.0 as usize,
            row: 0,
        };
        let input = circuit.inputs.get(input.0 as usize);
        let name = input.map_or(String::new(), |i| output.of(&i.name));
        let title = format!("{name} to {}", circuit.compartment_name(to));
        let wire = self.wire(from, self.tip(to), Block::default(), title);
        self.wires.push(wire);
    }

    fn wire(&self, from: Tip, to: Tip, label: Block, title: String) -> Wire {
        let parts = &self.parts[to.node];
        let body = parts.iter().position(|p| p.role == Role::Body);
        Wire {
            from,
            to,
            role: parts[to.row].role,
            ascends: body.is_none_or(|body| to.row >= body),
            learns: false,
            label,
            title,
        }
    }

    fn tip(&self, id: CompartmentId) -> Tip {
        let node = id.population.0 as usize;
        let index = Some(id.index as usize);
        let row = self.parts[node].iter().position(|p| p.compartment == index);
        Tip {
            node,
            row: row.unwrap_or(0),
        }
    }
}

impl Wire {
    /// Whether it ends where it begins.
    pub(super) fn is_loop(&self) -> bool {
        self.from.node == self.to.node
    }

    /// An end: 0 is where it begins, 1 where it ends.
    pub(super) fn tip(&self, end: usize) -> Tip {
        if end == 0 { self.from } else { self.to }
    }
}

fn label(projection: &Projection) -> Block {
    let notes = words::about(projection);
    let notes = notes.iter().map(|text| NOTE.line(text, LABEL_ROOM));
    let name = NAME.line(&projection.name, LABEL_ROOM);
    Block {
        lines: [name].into_iter().chain(notes).collect(),
    }
}
