//! What asks for a place at the side or at a face of a cell.

use super::cell::{Cell, PORT};
use super::grid::{Contact, Grid};
use super::net::{Net, Wire};

/// An end of a wire that asks for a place at a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) wire: usize,
    pub(super) end: usize,
    pub(super) row: usize,
    pub(super) right: bool,
    pub(super) to: Way,
}

/// Where a wire goes on from its node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// To the gap above, where it is so many places from the left.
    Above(f64),
    /// To the gap below.
    Below(f64),
    /// To so many rows further down in the same node.
    Rows(isize),
}

impl Way {
    pub(super) fn place(self) -> f64 {
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
pub(super) fn calls(net: &Net, grid: &Grid, cell: &Cell, node: usize) -> Vec<Call> {
    let mut calls = Vec::new();
    for above in [false, true] {
        for link in &grid.touching[node][usize::from(above)] {
            let link = &grid.links[*link];
            let (own, other) = if above {
                (link.lower, link.upper)
            } else {
                (link.upper, link.lower)
            };
            let Some(end) = own.end else { continue };
            let upward = grid.chains[link.wire].first() == Some(&net.wires[link.wire].from.node);
            let place = grid.place(other.slot) as f64;
            calls.push(Call {
                wire: link.wire,
                end,
                row: net.wires[link.wire].tip(end).row,
                right: is_right(grid, cell, (own, other), upward),
                to: if above {
                    Way::Above(place)
                } else {
                    Way::Below(place)
                },
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
pub(super) fn loop_calls(net: &Net, node: usize, others: &[Call]) -> Vec<Call> {
    let own = |(_, wire): &(usize, &Wire)| wire.is_loop() && wire.from.node == node;
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
            beside
                .map(|call| rows.iter().filter(|row| passes(call, **row)).count())
                .sum::<usize>()
        };
        let right = crossed(true) <= crossed(false);
        for end in 0..2 {
            let to = Way::Rows(rows[1 - end] as isize - rows[end] as isize);
            calls.push(Call {
                wire: index,
                end,
                row: rows[end],
                right,
                to,
            });
        }
    }
    calls
}

/// At which height of the cell each wire touches its side.
pub(super) fn heights(cell: &Cell, mut calls: Vec<Call>) -> Vec<(Call, f64)> {
    calls.sort_by(|a, b| {
        let (first, second) = (a.to.rank(a.right), b.to.rank(b.right));
        // Loops between the same parts lie in one another: their order at one end is turned round at the other.
        let tie = match first.0 {
            3 => b.wire.cmp(&a.wire),
            _ => a.wire.cmp(&b.wire),
        };
        (a.row, a.right, first.0)
            .cmp(&(b.row, b.right, second.0))
            .then(first.1.total_cmp(&second.1))
            .then(tie)
    });
    let mut touches = Vec::new();
    for group in calls.chunk_by(|a, b| (a.row, a.right) == (b.row, b.right)) {
        let Some(row) = cell.rows.get(group[0].row) else {
            continue;
        };
        let step = (row.height / (group.len() + 1) as f64).min(1.8 * PORT);
        let first = row.top + (row.height - step * (group.len() as f64 - 1.0)) / 2.0;
        touches.extend(
            group
                .iter()
                .enumerate()
                .map(|(index, call)| (*call, first + step * index as f64)),
        );
    }
    touches
}
