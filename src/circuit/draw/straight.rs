//! Straight wires: after everything has its place, wires that bend by little need not bend at all.

use super::grid::{Contact, Content, Grid};
use super::place::free;

/// How far the leg of an arch moves from its label to stand straight (pixels).
const FARTHEST_LEG: f64 = 60.0;

/// Straightens wires: each run of slots that can share one x does.
pub(super) fn straighten(grid: &mut Grid) {
    for wire in 0..grid.chains.len() {
        let chain = grid.chains[wire].clone();
        let lines: Vec<usize> = chain
            .iter()
            .copied()
            .filter(|slot| {
                matches!(
                    grid.slots[*slot].content,
                    Content::Line(_) | Content::Label { .. }
                )
            })
            .collect();
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let (length, x) = run(grid, rest);
            for &slot in &rest[..length] {
                grid.slots[slot].x = x;
            }
            rest = &rest[length..];
        }
    }
}

/// Moves the legs of arches to where they go straight down to their nodes, if there is room and it is not far.
pub(super) fn straighten_arches(grid: &mut Grid) {
    for slot in 0..grid.slots.len() {
        let Content::Arch(_) = grid.slots[slot].content else {
            continue;
        };
        let (low, high) = free(grid, slot);
        let room = [grid.slots[slot].x - low, high - grid.slots[slot].x];
        for link in grid.touching[slot][0].clone() {
            let link = &mut grid.links[link];
            let leg = link.upper.offset;
            let wanted = link.lower.offset + grid.slots[link.lower.slot].x - grid.slots[slot].x;
            let outwards = (wanted - leg) * leg.signum();
            let room = room[usize::from(leg > 0.0)].min(FARTHEST_LEG);
            if (0.0..=room).contains(&outwards) {
                link.upper.offset = wanted;
            }
        }
    }
}

/// How many of the first slots can share an x, and which.
fn run(grid: &Grid, slots: &[usize]) -> (usize, f64) {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut length = 0;
    for &slot in slots {
        let (from, to) = free(grid, slot);
        if from.max(low) > to.min(high) {
            break;
        }
        (low, high) = (from.max(low), to.min(high));
        length += 1;
    }
    let length = length.max(1);
    let mean = slots[..length]
        .iter()
        .map(|slot| grid.slots[*slot].x)
        .sum::<f64>()
        / length as f64;
    let before = grid.touching[slots[0]][0]
        .iter()
        .map(|link| grid.links[*link].lower);
    let after = grid.touching[slots[length - 1]][1]
        .iter()
        .map(|link| grid.links[*link].upper);
    let mut ends: Vec<Contact> = before.chain(after).collect();
    // Best is to go on straight from where the wire comes or to where it goes, first of all beside a node.
    ends.sort_by(|a, b| a.slack.total_cmp(&b.slack));
    let straight = |end: &Contact| {
        let x = grid.slots[end.slot].x;
        match end.slack > 0.0 {
            true => mean.max(low).min(high).clamp(x - end.slack, x + end.slack),
            false => x + end.offset,
        }
    };
    let straight = ends.iter().map(straight).find(|x| (low..=high).contains(x));
    (length, straight.unwrap_or(mean.max(low).min(high)))
}
