//! Where wires touch nodes.
//!
//! A wire from above touches the first part of a cell at its upper face, one from below the last part at its lower face; all
//! others run down or up beside the cell, each in its own lane, and touch at a side. Loops lie outside the lanes.

use super::cell::{Cell, PORT};
use super::grid::{Contact, Grid};
use super::net::Net;
use super::place::nearest;

/// From a cell's side to its first lane, with room for an arrowhead and a bend.
const FIRST_LANE: f64 = 20.0;
/// From lane to lane.
const LANE: f64 = 9.0;
/// From a lane to a label, and from a label to the next lane.
const BESIDE: f64 = 7.0;
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

/// A wire from a node to itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Loop {
    pub(super) wire: usize,
    /// The heights at which it begins and ends.
    pub(super) y: [f64; 2],
    /// The x of its upright part, less than 0 on the left.
    pub(super) lane: f64,
    /// The upper corner of its label that is next to it.
    pub(super) label: (f64, f64),
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

/// An end of a wire that asks for a place at a node.
#[derive(Debug, Clone, Copy)]
struct Call {
    wire: usize,
    end: usize,
    row: usize,
    right: bool,
    to: Way,
}

/// Where a wire goes on from its node.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// To the gap above, where it is so many places from the left.
    Above(f64),
    /// To the gap below.
    Below(f64),
    /// To so many rows further down in the same node.
    Rows(isize),
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
        let (faces, sides): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(|call| match call.to {
            Way::Above(_) => call.row == 0,
            Way::Below(_) => call.row == last,
            Way::Rows(_) => false,
        });
        let (upper, lower): (Vec<Call>, Vec<Call>) = faces.into_iter().partition(|c| matches!(c.to, Way::Above(_)));
        let at_side = |row: usize, right: bool| sides.iter().filter(|c| c.row == row && c.right == right).count();
        let wires: Vec<usize> = (0..=last).map(|row| at_side(row, false).max(at_side(row, true))).collect();
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

    /// Puts the loops outside the lanes, each with its label; how far the node then reaches.
    fn add_loops(&mut self, net: &Net, cell: &Cell, touches: &[(Call, f64)], lanes: [f64; 2]) -> Extent {
        let mut extent = Extent {
            left: lanes[0] + MARGIN,
            right: lanes[1] + MARGIN,
            top: 0.0,
            bottom: cell.height,
        };
        for right in [false, true] {
            let mut loops = bends(net, touches, right);
            // The shortest innermost: so loops do not cross one another.
            loops.sort_by(|a, b| a.reach().total_cmp(&b.reach()));
            let mut columns = Lanes::default();
            let columns_of: Vec<usize> = loops.iter().map(|bend| columns.take(bend.span)).collect();
            let outwards = if right { 1.0 } else { -1.0 };
            let mut lane = (lanes[usize::from(right)] + LANE).max(cell.half + FIRST_LANE);
            for column in 0..columns.taken.len() {
                let mut widest: f64 = 0.0;
                for (bend, _) in loops.iter().zip(&columns_of).filter(|(_, c)| **c == column) {
                    let label = &net.wires[bend.wire].label;
                    let top = (bend.y[0] + bend.y[1] - label.height()) / 2.0;
                    self.loops.push(Loop {
                        wire: bend.wire,
                        y: bend.y,
                        lane: outwards * lane,
                        label: (outwards * (lane + BESIDE), top),
                    });
                    widest = widest.max(label.width());
                    extent.top = extent.top.min(bend.span.0);
                    extent.bottom = extent.bottom.max(bend.span.1);
                }
                let reach = if right { &mut extent.right } else { &mut extent.left };
                *reach = lane + BESIDE + widest + MARGIN;
                lane += 2.0 * BESIDE + widest + LANE;
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
                    let (own, other) = if above { (link.lower, link.upper) } else { (link.upper, link.lower) };
                    if let Some(end) = own.end
                        && let Some(Port::Face { x, .. }) = self.of[link.wire][end]
                    {
                        at_face.push((x, grid.x(other) - grid.slots[node].x, link.wire, end));
                    }
                }
                at_face.sort_by(|a, b| a.0.total_cmp(&b.0));
                let wishes: Vec<(f64, f64)> = at_face.iter().map(|(_, wish, ..)| (*wish, 1.0)).collect();
                let apart = vec![PORT; at_face.len().saturating_sub(1)];
                for ((_, _, wire, end), x) in at_face.into_iter().zip(nearest(&wishes, &apart, (-half, half))) {
                    self.of[wire][end] = Some(Port::Face { above, x });
                }
            }
        }
    }
}

impl Way {
    fn place(self) -> f64 {
        match self {
            Way::Above(place) | Way::Below(place) => place,
            Way::Rows(_) => 0.0,
        }
    }

    /// Where it is among the wires at one side of a part, from top to bottom, so that none cross: first those that go up,
    /// then loops to higher parts, then those to lower ones, last those that go down.
    fn rank(self, right: bool) -> (u8, f64) {
        let outwards = if right { 1.0 } else { -1.0 };
        match self {
            Way::Above(place) => (0, outwards * place),
            Way::Below(place) => (4, -outwards * place),
            Way::Rows(0) => (2, 0.0),
            Way::Rows(down) if down < 0 => (1, -down as f64),
            Way::Rows(down) => (3, -down as f64),
        }
    }
}

/// The wires between a node and others.
fn calls(net: &Net, grid: &Grid, cell: &Cell, node: usize) -> Vec<Call> {
    let mut calls = Vec::new();
    for above in [false, true] {
        for link in &grid.touching[node][usize::from(above)] {
            let link = &grid.links[*link];
            let (own, other) = if above { (link.lower, link.upper) } else { (link.upper, link.lower) };
            let Some(end) = own.end else { continue };
            let upward = grid.chains[link.wire].first() == Some(&net.wires[link.wire].from.node);
            let place = grid.place(other.slot) as f64;
            calls.push(Call {
                wire: link.wire,
                end,
                row: net.wires[link.wire].tip(end).row,
                right: is_right(grid, cell, (own, other), upward),
                to: if above { Way::Above(place) } else { Way::Below(place) },
            });
        }
    }
    calls
}

/// On which side of its node a wire runs: on that where it goes on, or else upward wires on the left, others on the right.
fn is_right(grid: &Grid, cell: &Cell, (own, other): (Contact, Contact), upward: bool) -> bool {
    let aside = grid.x(other) - grid.slots[own.slot].x;
    if aside.abs() > cell.half {
        aside > 0.0
    } else {
        !upward
    }
}

/// The beginnings and ends of a node's loops, on the side where they cross fewer of the other wires.
fn loop_calls(net: &Net, node: usize, others: &[Call]) -> Vec<Call> {
    let own = |(_, wire): &(usize, &super::net::Wire)| wire.is_loop() && wire.from.node == node;
    let mut calls = Vec::new();
    for (index, wire) in net.wires.iter().enumerate().filter(own) {
        let rows = [wire.from.row, wire.to.row];
        let crossed = |right: bool| {
            let beside = others.iter().filter(|call| call.right == right);
            let passes = |call: &Call, row: usize| match call.to {
                Way::Above(_) => row < call.row,
                Way::Below(_) => row > call.row,
                Way::Rows(_) => false,
            };
            beside.map(|call| rows.iter().filter(|row| passes(call, **row)).count()).sum::<usize>()
        };
        let right = crossed(true) <= crossed(false);
        for end in 0..2 {
            let to = Way::Rows(rows[1 - end] as isize - rows[end] as isize);
            calls.push(Call { wire: index, end, row: rows[end], right, to });
        }
    }
    calls
}

/// A loop at one side of a cell.
struct Bend {
    wire: usize,
    /// The heights at which it begins and ends.
    y: [f64; 2],
    /// What it takes up with its label.
    span: Span,
}

impl Bend {
    fn reach(&self) -> f64 {
        self.span.1 - self.span.0
    }
}

/// The loops at one side of a cell.
fn bends(net: &Net, touches: &[(Call, f64)], right: bool) -> Vec<Bend> {
    let mut bends = Vec::new();
    let is_loop = |c: &Call| c.right == right && matches!(c.to, Way::Rows(_));
    for (call, from) in touches.iter().filter(|(c, _)| c.end == 0 && is_loop(c)) {
        let end = touches.iter().find(|(c, _)| c.wire == call.wire && c.end == 1);
        let to = end.map_or(*from, |(_, y)| *y);
        let (middle, half) = ((from + to) / 2.0, net.wires[call.wire].label.height() / 2.0);
        bends.push(Bend {
            wire: call.wire,
            y: [*from, to],
            span: (from.min(to).min(middle - half), from.max(to).max(middle + half)),
        });
    }
    bends
}

/// At which height of the cell each wire touches its side.
fn heights(cell: &Cell, mut calls: Vec<Call>) -> Vec<(Call, f64)> {
    calls.sort_by(|a, b| {
        let key = |c: &Call| (c.row, c.right, c.to.rank(c.right));
        let (a, b) = (key(a), key(b));
        (a.0, a.1, a.2.0).cmp(&(b.0, b.1, b.2.0)).then(a.2.1.total_cmp(&b.2.1))
    });
    let mut touches = Vec::new();
    for group in calls.chunk_by(|a, b| (a.row, a.right) == (b.row, b.right)) {
        let Some(row) = cell.rows.get(group[0].row) else { continue };
        let step = (row.height / (group.len() + 1) as f64).min(1.8 * PORT);
        let first = row.top + (row.height - step * (group.len() as f64 - 1.0)) / 2.0;
        touches.extend(group.iter().enumerate().map(|(index, call)| (*call, first + step * index as f64)));
    }
    touches
}

/// From where to where something lies.
type Span = (f64, f64);

/// Lanes side by side, and what lies in them.
#[derive(Debug, Default)]
struct Lanes {
    taken: Vec<Vec<Span>>,
}

impl Lanes {
    /// Takes the first lane in which a span is free.
    fn take(&mut self, span: Span) -> usize {
        let is_free = |lane: &Vec<Span>| lane.iter().all(|s| s.1 + PORT <= span.0 || span.1 + PORT <= s.0);
        let free = self.taken.iter().position(is_free).unwrap_or(self.taken.len());
        if free == self.taken.len() {
            self.taken.push(Vec::new());
        }
        self.taken[free].push(span);
        free
    }
}
