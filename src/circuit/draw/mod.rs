//! Drawings of a circuit: [`svg`] for people and pages, [`dot`] for Graphviz.
//!
//! A population is drawn as a cell with its compartments as parts: the soma in the middle, apical dendrites above, basal ones
//! below, other branches between. Projections are arrows from part to part in the colour of what they drive, inputs are boxes
//! under what they drive, modulators stand below with what sets them, since they reach every neuron.
//!
//! The layout is Sugiyama's: layers from the inputs upwards (`layers`), slots in ranks (`grid`), few crossings (`order`), straight
//! lines (`place`), ports on the cells (`ports`), ways of the wires (`scene`). Labels have slots of their own, so that nothing
//! overlaps, however large the circuit. The same circuit always gives the same bytes.

mod anatomy;
mod band;
mod broadcast;
mod calls;
mod cell;
mod colours;
mod dot;
mod grid;
mod heights;
mod lanes;
mod layers;
mod lettering;
mod loops;
mod net;
mod order;
mod place;
mod ports;
mod render;
mod scene;
mod schedules;
mod straight;
mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use scene::Rect;

use super::Circuit;
use crate::drawing::{Anchor, Svg, number};
use band::{Foot, Head, LEAST_WIDTH, MARGIN};
use lettering::NOTE;
use net::Net;
use scene::Scene;

/// Where the parts of a drawing are (pixels), from its upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The cells, in the order of [`Circuit::populations`].
    pub populations: Vec<Rect>,
    /// The boxes, in the order of [`Circuit::inputs`].
    pub inputs: Vec<Rect>,
    /// The labels, in the order of [`Circuit::projections`].
    pub labels: Vec<Rect>,
}

/// Lays a circuit out as [`svg`] draws it, without its title.
pub fn layout(circuit: &Circuit) -> Layout {
    let scene = Scene::new(circuit);
    let mut nodes: Vec<Rect> = (0..scene.cells.len())
        .map(|node| scene.node(node))
        .collect();
    let inputs = nodes.split_off(scene.net.populations);
    let labels = (0..scene.net.wires.len()).filter_map(|wire| scene.label(wire));
    Layout {
        populations: nodes,
        inputs,
        labels: labels.take(circuit.projections.len()).collect(),
    }
}

/// Draws a circuit as an SVG file that stands alone: light, with a dark scheme where the screen asks for one.
pub fn svg(circuit: &Circuit) -> String {
    let scene = Scene::new(circuit);
    let width = (scene.width + 2.0 * MARGIN).max(LEAST_WIDTH).ceil();
    let (head, foot) = (Head::new(circuit, width), Foot::new(circuit, &scene, width));
    let middle = if circuit.populations.is_empty() {
        60.0
    } else {
        0.0
    };
    let bottom = head.height() + scene.height + middle;
    let mut canvas = Svg::new((width, (bottom + foot.height()).ceil()), &circuit.name);
    head.draw(&mut canvas);
    if circuit.populations.is_empty() {
        let line = NOTE.line("no populations", width);
        line.draw(&mut canvas, Anchor::Middle, (width / 2.0, bottom - 30.0));
    }
    let corner = ((width - scene.width) / 2.0, head.height());
    let shift = format!("translate({} {})", number(corner.0), number(corner.1));
    canvas.element("g").a("transform", &shift).open();
    scene.draw(&mut canvas);
    canvas.close();
    foot.draw(&mut canvas, bottom);
    canvas.finish() + "\n"
}

/// Writes a circuit as a Graphviz digraph, for `dot -Tsvg` and the like.
pub fn dot(circuit: &Circuit) -> String {
    dot::write(circuit, &Net::new(circuit))
}
