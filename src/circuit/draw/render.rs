//! A laid-out circuit as SVG.

use std::fmt::Write as _;

use super::anatomy::Role;
use super::cell::{Cell, Row, TAPER};
use super::lettering::Block;
use super::scene::Scene;
use crate::drawing::Anchor;
use crate::drawing::Ink;
use crate::drawing::{Point, Svg, number};

/// Length and half width of an arrowhead.
const ARROW: (f64, f64) = (9.0, 4.2);
/// The radius of bends.
const BEND: f64 = 8.0;
/// The width of lines whose weights learn, and of others.
pub(super) const LEARNING: f64 = 2.25;
pub(super) const FIXED: f64 = 1.1;

impl Scene {
    /// Draws wires, nodes and labels.
    pub(super) fn draw(&self, canvas: &mut Svg) {
        for wire in 0..self.net.wires.len() {
            self.draw_wire(canvas, wire);
        }
        for [from, to] in &self.leaders {
            let path = format!("M{}L{}", pair(*from), pair(*to));
            canvas
                .element("path")
                .a("d", &path)
                .stroke(Ink::Muted, 0.75)
                .a("stroke-dasharray", "2 2")
                .empty();
        }
        for (node, cell) in self.cells.iter().enumerate() {
            draw_cell(canvas, cell, self.places[node]);
        }
    }

    fn draw_wire(&self, canvas: &mut Svg, index: usize) {
        let (wire, way) = (&self.net.wires[index], &self.ways[index]);
        let ink = wire.role.ink();
        let width = if wire.learns { LEARNING } else { FIXED };
        canvas.group(&wire.title);
        let path = path(way);
        // A rim of paper keeps crossing wires apart.
        for (ink, width) in [(Ink::Paper, width + 1.8), (ink, width)] {
            canvas
                .element("path")
                .a("d", &path)
                .stroke(ink, width)
                .empty();
        }
        if let Some(head) = arrowhead(way) {
            canvas.element("path").a("d", &head).fill(ink).empty();
        }
        if let Some((anchor, place)) = self.labels[index] {
            draw_block(canvas, &wire.label, anchor, place);
        }
        canvas.close();
    }
}

/// Writes lines of text under one another, from their upper edge.
pub(super) fn draw_block(canvas: &mut Svg, block: &Block, anchor: Anchor, (x, mut y): Point) {
    for line in &block.lines {
        line.draw(canvas, anchor, (x, y + line.style.size));
        y += line.style.leading();
    }
}

fn draw_cell(canvas: &mut Svg, cell: &Cell, (x, y): Point) {
    canvas.group(&cell.title);
    for pair in cell.rows.windows(2) {
        draw_trunk(canvas, [&pair[0], &pair[1]], (x, y));
    }
    for row in &cell.rows {
        draw_row(canvas, row, (x, y + row.top));
        let top = y + row.top + (row.height - row.block.height()) / 2.0;
        draw_block(canvas, &row.block, Anchor::Middle, (x, top + 0.5));
    }
    canvas.close();
}

/// What joins a part to the next: one trunk towards the apical side, two legs towards the basal one.
fn draw_trunk(canvas: &mut Svg, [upper, lower]: [&Row; 2], (x, y): Point) {
    let (from, to) = (y + upper.top + upper.height, y + lower.top);
    let downwards = upper.role == Role::Body;
    let ink = if downwards {
        lower.role.ink()
    } else {
        upper.role.ink()
    };
    let reach = 0.55 * upper.half.min(lower.half);
    let stems: &[f64] = if downwards { &[-1.0, 1.0] } else { &[0.0] };
    for stem in stems {
        let (x, thick, thin) = (x + stem * reach, 5.0, 3.5);
        let (above, below) = if downwards {
            (thick, thin)
        } else {
            (thin, thick)
        };
        let corners = [
            (x - above, from),
            (x + above, from),
            (x + below, to),
            (x - below, to),
        ];
        let path = corners
            .iter()
            .enumerate()
            .fold(String::new(), |mut path, (index, corner)| {
                let command = if index == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{command}{}", pair(*corner));
                path
            });
        canvas
            .element("path")
            .a("d", &format!("{path}Z"))
            .fill(ink)
            .n("fill-opacity", 0.45)
            .empty();
    }
}

fn draw_row(canvas: &mut Svg, row: &Row, (x, y): Point) {
    match row.role {
        Role::Body => {
            let path = body(row, (x, y));
            canvas
                .element("path")
                .a("d", &path)
                .tint(Ink::Axis, 0.07)
                .n("stroke-width", 1.25)
                .empty();
        }
        Role::Input => frame(canvas, row, (x, y), 3.0),
        _ => frame(canvas, row, (x, y), 13.0),
    }
}

fn frame(canvas: &mut Svg, row: &Row, (x, y): Point, radius: f64) {
    let (ink, share) = match row.role {
        Role::Input => (Ink::Muted, 0.0),
        role => (role.ink(), 0.13),
    };
    canvas
        .element("rect")
        .n("x", x - row.half)
        .n("y", y)
        .n("width", 2.0 * row.half)
        .n("height", row.height)
        .n("rx", radius.min(row.height / 2.0))
        .tint(ink, share)
        .n("stroke-width", 1.1)
        .empty();
}

/// The outline of a body: a pyramid without its tip, with round corners.
fn body(row: &Row, (x, y): Point) -> String {
    let (top, bottom) = (row.half * TAPER, row.half);
    let low = y + row.height;
    let corners = [
        (x - top, y),
        (x + top, y),
        (x + bottom, low),
        (x - bottom, low),
    ];
    let mut path = String::new();
    for index in 0..4 {
        let (before, corner, after) = (
            corners[(index + 3) % 4],
            corners[index],
            corners[(index + 1) % 4],
        );
        let (from, to) = (towards(corner, before, 11.0), towards(corner, after, 11.0));
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(
            path,
            "{command}{}Q{} {}",
            pair(from),
            pair(corner),
            pair(to)
        );
    }
    path + "Z"
}

/// The path along a way: bends where upright and level steps meet, curves where it goes to the side.
fn path(way: &[Point]) -> String {
    let mut path = String::new();
    for (index, &point) in way.iter().enumerate() {
        let Some(&before) = index.checked_sub(1).and_then(|i| way.get(i)) else {
            let _ = write!(path, "M{}", pair(point));
            continue;
        };
        let last = index + 1 == way.len();
        if is_slanting(before, point) {
            let middle = (before.1 + point.1) / 2.0;
            let _ = write!(
                path,
                "C{} {} {}",
                pair((before.0, middle)),
                pair((point.0, middle)),
                pair(point)
            );
        } else if last {
            // The line ends within the arrowhead.
            let _ = write!(path, "L{}", pair(towards(point, before, 0.6 * ARROW.0)));
        } else if is_slanting(point, way[index + 1]) {
            let _ = write!(path, "L{}", pair(point));
        } else {
            let after = way[index + 1];
            let radius = BEND
                .min(distance(before, point) / 2.0)
                .min(distance(point, after) / 2.0);
            let (from, to) = (
                towards(point, before, radius),
                towards(point, after, radius),
            );
            let _ = write!(path, "L{}Q{} {}", pair(from), pair(point), pair(to));
        }
    }
    path
}

/// The arrowhead at the end of a way.
fn arrowhead(way: &[Point]) -> Option<String> {
    let [.., before, tip] = way else { return None };
    let (length, half) = ARROW;
    let foot = towards(*tip, *before, length);
    let (dx, dy) = ((tip.0 - foot.0) / length, (tip.1 - foot.1) / length);
    let side = |sign: f64| pair((foot.0 - sign * half * dy, foot.1 + sign * half * dx));
    Some(format!("M{}L{}L{}Z", pair(*tip), side(1.0), side(-1.0)))
}

fn is_slanting(a: Point, b: Point) -> bool {
    (a.0 - b.0).abs() > 0.0 && (a.1 - b.1).abs() > 0.0
}

/// The point that is so far from `from` on the way to `to`.
fn towards(from: Point, to: Point, far: f64) -> Point {
    let share = far / distance(from, to).max(f64::MIN_POSITIVE);
    (
        from.0 + (to.0 - from.0) * share,
        from.1 + (to.1 - from.1) * share,
    )
}

fn distance(a: Point, b: Point) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

fn pair((x, y): Point) -> String {
    format!("{} {}", number(x), number(y))
}
