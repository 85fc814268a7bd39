//! The shape of a node: a cell with its parts one above the other, or the box of an input.

use super::anatomy::{Part, Role};
use super::lettering::{Block, HINT, NAME, NOTE, PLAIN, TITLE};
use super::net::Net;
use super::{broadcast, words};
use crate::circuit::{Circuit, Population};

/// The widest text in a cell (pixels).
const TEXT_ROOM: f64 = 210.0;
/// The space between parts, which trunks bridge.
const TRUNK: f64 = 13.0;
/// The width of a body at its top, as a share of that at its bottom.
pub(super) const TAPER: f64 = 0.78;
/// The room that a wire needs on the side of a part, and on its upper or lower face.
pub(super) const PORT: f64 = 12.0;
/// The part of a face that its round corners take.
const CORNER: f64 = 15.0;

/// A node's shape. Positions are from the middle of its upper edge.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) rows: Vec<Row>,
    /// Half its width.
    pub(super) half: f64,
    pub(super) height: f64,
    /// What is told of it under the pointer.
    pub(super) title: String,
}

/// A part of a cell.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) role: Role,
    pub(super) block: Block,
    /// Its upper edge.
    pub(super) top: f64,
    pub(super) height: f64,
    /// Half its width, at the bottom.
    pub(super) half: f64,
}
impl Cell {
    /// The cells of all nodes.
    pub(super) fn all(circuit: &Circuit, net: &Net) -> Vec<Cell> {
        let populations = circuit.populations.iter().zip(&net.parts);
        let inputs = circuit.inputs.iter().map(|input| {
            let values = words::count(input.size, "value");
            let process = words::process(&input.process);
            let lines = vec![
                NAME.line(&input.name, TEXT_ROOM),
                NOTE.line(&format!("{values} a step"), TEXT_ROOM),
                NOTE.line(&process, TEXT_ROOM),
            ];
            let title = format!("{}: {values} a step, {process}", input.name);
            Cell::new(vec![Row::new(Role::Input, Block { lines })], title)
        });
        populations
            .map(|(population, parts)| {
                let rows = parts.iter().map(|part| row(circuit, population, *part));
                Cell::new(rows.collect(), words::title(population))
            })
            .chain(inputs)
            .collect()
    }

    fn new(rows: Vec<Row>, title: String) -> Cell {
        let mut cell = Cell {
            rows,
            half: 0.0,
            height: 0.0,
            title,
        };
        cell.stack();
        cell
    }

    /// Puts the rows one under the other.
    fn stack(&mut self) {
        let mut top = 0.0;
        for row in &mut self.rows {
            row.top = top;
            top += row.height + TRUNK;
        }
        self.height = top - TRUNK;
        self.half = self.rows.iter().map(|r| r.half).fold(0.0, f64::max);
        let half = self.half;
        for row in &mut self.rows {
            row.half = match row.role {
                Role::Branch(_) => row.half.max(0.85 * half),
                _ => half,
            };
        }
    }

    /// Makes room for so many wires at the sides of each row, and at the upper and the lower face.
    pub(super) fn grow(&mut self, at_sides: &[usize], at_faces: [usize; 2]) {
        for (row, wires) in self.rows.iter_mut().zip(at_sides) {
            row.height = row.height.max(*wires as f64 * PORT + 6.0);
        }
        if let Some(first) = self.rows.first_mut() {
            first.half = first.half.max(first.half_for(at_faces[0]) / first.taper());
        }
        if let Some(last) = self.rows.last_mut() {
            last.half = last.half.max(last.half_for(at_faces[1]));
        }
        self.stack();
    }

    /// How far from the middle wires can end at the upper and the lower face.
    pub(super) fn faces(&self) -> [f64; 2] {
        let upper = self.rows.first().map_or(0.0, |r| r.half * r.taper());
        let lower = self.rows.last().map_or(0.0, |r| r.half);
        [upper, lower].map(|half| (half - CORNER).max(0.0))
    }
}

impl Row {
    fn new(role: Role, block: Block) -> Row {
        let (margin, least) = match role {
            Role::Body => (20.0, 44.0),
            Role::Input => (18.0, 36.0),
            _ => (9.0, 40.0),
        };
        let mut row = Row {
            role,
            height: block.height() + margin,
            half: 0.0,
            top: 0.0,
            block,
        };
        row.half = (row.block.width() / 2.0 / row.taper() + 13.0).max(least);
        row
    }

    /// Its width at the top as a share of that at the bottom.
    fn taper(&self) -> f64 {
        if self.role == Role::Body { TAPER } else { 1.0 }
    }

    /// Half its width at the top.
    pub(super) fn half_top(&self) -> f64 {
        self.half * self.taper()
    }

    /// Half its width at a height of the cell.
    pub(super) fn half_at(&self, y: f64) -> f64 {
        let share = ((y - self.top) / self.height).clamp(0.0, 1.0);
        self.half_top() + (self.half - self.half_top()) * share
    }

    fn half_for(&self, wires: usize) -> f64 {
        wires as f64 * PORT / 2.0 + CORNER
    }
}

fn row(circuit: &Circuit, population: &Population, part: Part) -> Row {
    let compartment = part
        .compartment
        .and_then(|c| population.compartments.get(c));
    let mut lines = Vec::new();
    if part.role == Role::Body {
        lines.push(TITLE.line(&population.name, TEXT_ROOM));
        lines.push(PLAIN.line(&words::neurons(population), TEXT_ROOM));
        let modulators = broadcast::modulators_of(circuit, population);
        if !modulators.is_empty() {
            let reads = format!("reads {}", modulators.join(", "));
            lines.push(HINT.line(&reads, TEXT_ROOM));
        }
    }
    if let Some(compartment) = compartment {
        let style = if part.role == Role::Body { NOTE } else { PLAIN };
        lines.push(style.line(&compartment.name, TEXT_ROOM));
        let bias = compartment.bias.as_ref().map(words::bias);
        lines.extend(bias.map(|bias| NOTE.line(&bias, TEXT_ROOM)));
    }
    Row::new(part.role, Block { lines })
}
