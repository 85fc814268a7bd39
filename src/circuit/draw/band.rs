//! What stands above and below the cells: the title, the modulators, the key.

use super::lettering::{Block, HINT, Line, NAME, NOTE, PLAIN, Style, TITLE};
use super::render::{FIXED, LEARNING, draw_block};
use super::scene::Scene;
use super::{broadcast, schedules, words};
use crate::circuit::Circuit;
use crate::drawing::Anchor;
use crate::drawing::Ink;
use crate::drawing::{Point, Svg};

/// The distance of everything from the edges.
pub(super) const MARGIN: f64 = 18.0;
/// The least width of a drawing, so that there is room for words.
pub(super) const LEAST_WIDTH: f64 = 560.0;
/// Where a modulator's words begin, right of its sign.
const INDENT: f64 = 26.0;
/// The space around the line above the modulators, and between them.
const APART: f64 = 10.0;
/// Names of modulators.
const MODULATOR: Style = Style {
    ink: Ink::Modulator,
    ..NAME
};

/// Name and size of the circuit.
pub(super) struct Head {
    block: Block,
}

impl Head {
    pub(super) fn new(circuit: &Circuit, width: f64) -> Head {
        let room = width - 2.0 * MARGIN;
        let mut lines = vec![TITLE.line(&circuit.name, room)];
        lines.extend(NOTE.wrap(&words::summary(circuit), room, 2));
        Head {
            block: Block { lines },
        }
    }

    pub(super) fn height(&self) -> f64 {
        MARGIN + self.block.height() + APART
    }

    pub(super) fn draw(&self, canvas: &mut Svg) {
        draw_block(canvas, &self.block, Anchor::Start, (MARGIN, MARGIN - 4.0));
    }
}

/// The modulators, which reach everything and so have no wires, and the key to the lines.
pub(super) struct Foot {
    title: Vec<Line>,
    /// Each modulator's lines, and all of it in one line.
    modulators: Vec<(Block, String)>,
    has_key: bool,
    width: f64,
}

impl Foot {
    pub(super) fn new(circuit: &Circuit, scene: &Scene, width: f64) -> Foot {
        let room = width - 2.0 * MARGIN - INDENT;
        let entry = |modulator: &crate::circuit::Modulator| {
            let drive = schedules::drive(&modulator.drive);
            let readers = broadcast::readers(circuit, &modulator.name);
            let mut lines = vec![MODULATOR.line(&modulator.name, room)];
            lines.extend(PLAIN.wrap(&drive, room, 3));
            lines.extend(NOTE.wrap(&readers, room, 3));
            let title = format!("{}: {drive}; {readers}", modulator.name);
            (Block { lines }, title)
        };
        let modulators: Vec<(Block, String)> = circuit.modulators.iter().map(entry).collect();
        let title = match modulators.len() {
            0 => Vec::new(),
            1 => HINT.wrap(
                &format!("Modulator, {}", broadcast::reach(circuit)),
                room,
                3,
            ),
            _ => HINT.wrap(
                &format!("Modulators, {}", broadcast::reach(circuit)),
                room,
                3,
            ),
        };
        let projections = &scene.net.wires[..circuit.projections.len()];
        let learning = projections.iter().filter(|w| w.learns).count();
        Foot {
            title,
            modulators,
            has_key: learning > 0 && learning < projections.len(),
            width,
        }
    }

    pub(super) fn height(&self) -> f64 {
        let lines: f64 = self.title.iter().map(|l| l.style.leading()).sum();
        let modulators: f64 = self
            .modulators
            .iter()
            .map(|(m, _)| m.height() + APART)
            .sum();
        let band = if self.title.is_empty() {
            0.0
        } else {
            2.0 * APART + lines + APART
        };
        let key = if self.has_key { 24.0 } else { 0.0 };
        band + modulators + key + MARGIN
    }

    pub(super) fn draw(&self, canvas: &mut Svg, mut y: f64) {
        if self.has_key {
            self.draw_key(canvas, y + 8.0);
            y += 24.0;
        }
        if self.title.is_empty() {
            return;
        }
        y += APART;
        let line = format!("M{MARGIN} {y:.1}H{:.1}", self.width - MARGIN);
        canvas
            .element("path")
            .a("d", &line)
            .stroke(Ink::Grid, 1.0)
            .empty();
        y += APART;
        let title = Block {
            lines: self.title.clone(),
        };
        draw_block(canvas, &title, Anchor::Start, (MARGIN, y));
        y += title.height() + APART;
        for (modulator, title) in &self.modulators {
            canvas.group(title);
            draw_sign(canvas, (MARGIN + 9.0, y + 8.0));
            draw_block(canvas, modulator, Anchor::Start, (MARGIN + INDENT, y));
            canvas.close();
            y += modulator.height() + APART;
        }
    }

    fn draw_key(&self, canvas: &mut Svg, y: f64) {
        let mut x = MARGIN;
        for (width, words) in [(LEARNING, "learns"), (FIXED, "fixed")] {
            let sample = format!("M{x:.1} {y:.1}h22");
            canvas
                .element("path")
                .a("d", &sample)
                .stroke(Ink::Axis, width)
                .empty();
            NOTE.line(words, 100.0)
                .draw(canvas, Anchor::Start, (x + 28.0, y + 3.8));
            x += 28.0 + NOTE.width(words) + 18.0;
        }
    }
}

/// The sign of a broadcast: a point that sends waves to both sides.
fn draw_sign(canvas: &mut Svg, (x, y): Point) {
    canvas
        .element("circle")
        .n("cx", x)
        .n("cy", y)
        .n("r", 2.0)
        .fill(Ink::Modulator)
        .empty();
    for (reach, height) in [(4.5, 3.5), (8.0, 6.0)] {
        let waves = format!(
            "M{:.1} {:.1}q-{} {height} 0 {}M{:.1} {:.1}q{} {height} 0 {}",
            x - reach + 1.5,
            y - height,
            reach / 2.0,
            2.0 * height,
            x + reach - 1.5,
            y - height,
            reach / 2.0,
            2.0 * height
        );
        canvas
            .element("path")
            .a("d", &waves)
            .stroke(Ink::Modulator, 1.2)
            .empty();
    }
}
