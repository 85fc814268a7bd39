//! Where wires touch nodes.
//!
//! A wire from above touches the first part of a cell at its upper face, one from below the last part at its lower face; all
//! others run down or up beside the cell, each in its own lane, and touch at a side. Loops lie outside the lanes.

use super::calls::{Call, Way, calls, heights, loop_calls};
use super::cell::{Cell, PORT};
use super::grid::Grid;
use super::lanes::{FIRST_LANE, LANE, Lanes, Span};
use super::loops::{self, Loop};
use super::net::Net;
use super::place::nearest;

/// Free space on both sides of a node.
const MARGIN: f64 = 16.0;

/// Where an end of a wire touches its node, from the middle of the node's upper edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Port {
    /// The upper or the lower face.
    Face { above: bool, x: f64 },
    /// A side, at height `y`, and the x of the lane beside the cell in which the wire goes on, up or down.
    Side { y: f64, lane: f64 },
}

impl Port {
    /// Where the wire enters the node's rank.
    pub(super) fn offset(self) -> f64 {
        match self {
            Port::Face { x, .. } => x,
            Port::Side { lane, .. } => lane,
        }
    }
}

/// How far a node reaches from the middle of its upper edge, with its lanes and loops.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// All ports.
#[derive(Debug)]
pub(super) struct Ports {
    /// Those of each wire's beginning and end; none for loops.
    pub(super) of: Vec<[Option<Port>; 2]>,
    pub(super) loops: Vec<Loop>,
    pub(super) extents: Vec<Extent>,
}

impl Ports {
    /// Attaches all wires; the cells grow as needed.
    pub(super) fn attach(net: &Net, cells: &mut [Cell], grid: &Grid) -> Ports {
        let mut ports = Ports {
            of: vec![[None; 2]; net.wires.len()],
            loops: Vec::new(),
            extents: Vec::new(),
        };
        for (node, cell) in cells.iter_mut().enumerate() {
            let mut calls = calls(net, grid, cell, node);
            calls.extend(loop_calls(net, node, &calls));
            ports.attach_to(net, cell, calls);
        }
        ports
    }

    fn attach_to(&mut self, net: &Net, cell: &mut Cell, calls: Vec<Call>) {
        let last = cell.rows.len().saturating_sub(1);
        let (faces, sides): (Vec<Call>, Vec<Call>) =
            calls.into_iter().partition(|call| match call.to {
                Way::Above(_) => call.row == 0,
                Way::Below(_) => call.row == last,
                Way::Rows(_) => false,
            });
        let (upper, lower): (Vec<Call>, Vec<Call>) = faces
            .into_iter()
            .partition(|c| matches!(c.to, Way::Above(_)));
        let at_side = |row: usize, right: bool| {
            sides
                .iter()
                .filter(|c| c.row == row && c.right == right)
                .count()
        };
        let wires: Vec<usize> = (0..=last)
            .map(|row| at_side(row, false).max(at_side(row, true)))
            .collect();
        cell.grow(&wires, [upper.len(), lower.len()]);
        self.spread(upper, true);
        self.spread(lower, false);
        let touches = heights(cell, sides);
        let lanes = self.assign_lanes(cell, &touches);
        let extent = self.add_loops(net, cell, &touches, lanes);
        self.extents.push(extent);
    }

    /// Puts wires side by side on a face.
    fn spread(&mut self, mut calls: Vec<Call>, above: bool) {
        calls.sort_by(|a, b| a.to.place().total_cmp(&b.to.place()));
        let middle = (calls.len() as f64 - 1.0) / 2.0;
        for (index, call) in calls.into_iter().enumerate() {
            let x = (index as f64 - middle) * PORT;
            self.of[call.wire][call.end] = Some(Port::Face { above, x });
        }
    }

    /// Gives every wire that leaves a side up or down the innermost lane that is free; how far out the lanes reach to the left
    /// and to the right.
    fn assign_lanes(&mut self, cell: &Cell, touches: &[(Call, f64)]) -> [f64; 2] {
        let mut reach = [cell.half; 2];
        for right in [false, true] {
            let mut leaving: Vec<(f64, Span, Call, f64)> = Vec::new();
            for &(call, y) in touches.iter().filter(|(call, _)| call.right == right) {
                match call.to {
                    Way::Above(_) => leaving.push((y, (f64::NEG_INFINITY, y), call, y)),
                    Way::Below(_) => leaving.push((cell.height - y, (y, f64::INFINITY), call, y)),
                    Way::Rows(_) => {}
                }
            }
            // The shortest innermost: so wires beside one cell do not cross.
            leaving.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut lanes = Lanes::default();
            for (_, span, call, y) in leaving {
                let lane = cell.half + FIRST_LANE + LANE * lanes.take(span) as f64;
                let side = usize::from(right);
                reach[side] = reach[side].max(lane);
                let lane = if right { lane } else { -lane };
                self.of[call.wire][call.end] = Some(Port::Side { y, lane });
            }
        }
        reach
    }

    /// Puts the loops outside the lanes; how far the node then reaches.
    fn add_loops(
        &mut self,
        net: &Net,
        cell: &Cell,
        touches: &[(Call, f64)],
        lanes: [f64; 2],
    ) -> Extent {
        let mut extent = Extent {
            left: lanes[0] + MARGIN,
            right: lanes[1] + MARGIN,
            top: 0.0,
            bottom: cell.height,
        };
        for right in [false, true] {
            let first = (lanes[usize::from(right)] + LANE).max(cell.half + FIRST_LANE);
            for found in loops::at_side(net, touches, right, first) {
                let label = &net.wires[found.wire].label;
                let (x, top) = found.label;
                extent.top = extent.top.min(top);
                extent.bottom = extent.bottom.max(top + label.height());
                let reach = x.abs() + label.width() + MARGIN;
                match right {
                    true => extent.right = extent.right.max(reach),
                    false => extent.left = extent.left.max(reach),
                }
                self.loops.push(found);
            }
        }
        extent
    }

    /// Moves the wires along the faces of a node towards where they go on.
    pub(super) fn slide(&mut self, cells: &[Cell], grid: &Grid) {
        for (node, cell) in cells.iter().enumerate() {
            for (above, half) in [true, false].into_iter().zip(cell.faces()) {
                let mut at_face: Vec<(f64, f64, usize, usize)> = Vec::new();
                for link in &grid.touching[node][usize::from(above)] {
                    let link = &grid.links[*link];
                    let (own, other) = if above {
                        (link.lower, link.upper)
                    } else {
                        (link.upper, link.lower)
                    };
                    if let Some(end) = own.end
                        && let Some(Port::Face { x, .. }) = self.of[link.wire][end]
                    {
                        at_face.push((x, grid.x(other) - grid.slots[node].x, link.wire, end));
                    }
                }
                at_face.sort_by(|a, b| a.0.total_cmp(&b.0));
                let wishes: Vec<(f64, f64)> =
                    at_face.iter().map(|(_, wish, ..)| (*wish, 1.0)).collect();
                let apart = vec![PORT; at_face.len().saturating_sub(1)];
                for ((_, _, wire, end), x) in
                    at_face
                        .into_iter()
                        .zip(nearest(&wishes, &apart, (-half, half)))
                {
                    self.of[wire][end] = Some(Port::Face { above, x });
                }
            }
        }
    }
}
