//! Where in its rank a slot is.

use super::grid::{Contact, Content, Grid};
use super::net::Net;

/// Rounds of settling at most, and the move (pixels) below which another makes no difference.
const ROUNDS: usize = 150;
const SETTLED: f64 = 0.1;

/// How strongly nodes pull one another, compared with the wires between them; and how strongly if they are each other's only
/// ones from layer to layer, so that a stack stands upright.
const WIRED: f64 = 0.4;
const CHAINED: f64 = 20.0;

/// Nodes of a chain that are nearer than this are put in line (pixels).
const ALL_BUT: f64 = 12.0;

/// Which neighbouring ranks pull at a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    Neither,
    Below,
    Above,
    Both,
}

impl Sides {
    /// Where the links of a slot pull it, and how strongly.
    pub(super) fn wish(self, grid: &Grid, slot: usize) -> (f64, f64) {
        let here = grid.slots[slot].x;
        // What nothing pulls at stays, but gives way.
        let mut pull = Pull {
            sum: here * 1e-3,
            weight: 1e-3,
        };
        for (side, links) in grid.touching[slot].iter().enumerate() {
            let counts = match self {
                Sides::Neither => false,
                Sides::Below => side == 0,
                Sides::Above => side == 1,
                Sides::Both => true,
            };
            for link in links
                .iter()
                .filter(|_| counts)
                .map(|link| &grid.links[*link])
            {
                let (own, other) = if side == 0 {
                    (link.upper, link.lower)
                } else {
                    (link.lower, link.upper)
                };
                let is_line = |slot: usize| grid.slots[slot].content != Content::Node;
                // Long wires should be straight; how they reach their nodes matters less (Gansner et al. 1993).
                let strength = if is_line(own.slot) && is_line(other.slot) {
                    4.0
                } else {
                    1.0
                };
                pull.towards(meeting(grid, own, other), strength);
                if other.slack > 0.0 {
                    // Anywhere on a face will do, its middle is best.
                    pull.towards(grid.slots[other.slot].x - own.offset, 0.1 * strength);
                }
            }
        }
        (pull.sum / pull.weight, pull.weight)
    }
}

/// A sum of wishes.
struct Pull {
    sum: f64,
    weight: f64,
}

impl Pull {
    fn towards(&mut self, x: f64, strength: f64) {
        self.sum += strength * x;
        self.weight += strength;
    }
}

/// Where a slot would be for its link to be straight.
fn meeting(grid: &Grid, own: Contact, other: Contact) -> f64 {
    let (here, there) = (grid.slots[own.slot].x, grid.slots[other.slot].x);
    if other.slack > 0.0 {
        return there + (here - there).clamp(-other.slack, other.slack) - own.offset;
    }
    let there = there + other.offset;
    if own.slack > 0.0 {
        return there - (there - here).clamp(-own.slack, own.slack);
    }
    there - own.offset
}

/// Moves the slots of a rank to where they are pulled, as far as their order and their widths allow.
pub(super) fn relax(grid: &mut Grid, rank: usize, sides: Sides) {
    let wishes: Vec<(f64, f64)> = grid.ranks[rank]
        .iter()
        .map(|slot| sides.wish(grid, *slot))
        .collect();
    seat(grid, rank, &wishes);
}

/// Puts the slots of a rank as near to their wishes as their order and their widths allow; how far one moves at most.
fn seat(grid: &mut Grid, rank: usize, wishes: &[(f64, f64)]) -> f64 {
    let row = grid.ranks[rank].clone();
    let distance = |pair: &[usize]| grid.slots[pair[0]].right + grid.slots[pair[1]].left;
    let apart: Vec<f64> = row.windows(2).map(distance).collect();
    let places = nearest(wishes, &apart, (f64::NEG_INFINITY, f64::INFINITY));
    let mut farthest: f64 = 0.0;
    for (slot, x) in row.into_iter().zip(places) {
        farthest = farthest.max((grid.slots[slot].x - x).abs());
        grid.slots[slot].x = x;
    }
    farthest
}

/// Finds places for all slots, their order given: wires straight, nodes over those to which they are wired.
pub(super) fn settle(grid: &mut Grid, net: &Net) {
    let peers = peers(grid, net);
    let ranks = grid.ranks.len();
    for round in 0..ROUNDS {
        let mut farthest: f64 = 0.0;
        for rank in 0..ranks {
            let rank = if round % 2 == 0 {
                rank
            } else {
                ranks - 1 - rank
            };
            let wish = |slot: &usize| {
                let (x, weight) = Sides::Both.wish(grid, *slot);
                let mut pull = Pull {
                    sum: x * weight,
                    weight,
                };
                let peers = peers.get(*slot).into_iter().flatten();
                peers.for_each(|(peer, strength)| pull.towards(grid.slots[*peer].x, *strength));
                (pull.sum / pull.weight, pull.weight)
            };
            let wishes: Vec<(f64, f64)> = grid.ranks[rank].iter().map(wish).collect();
            farthest = farthest.max(seat(grid, rank, &wishes));
        }
        if farthest < SETTLED {
            break;
        }
    }
    line_up(grid, &peers);
}

/// Puts nodes of a chain that are all but in line in line.
fn line_up(grid: &mut Grid, peers: &[Vec<(usize, f64)>]) {
    for rank in (0..grid.ranks.len()).step_by(2).rev() {
        for slot in grid.ranks[rank].clone() {
            let here = (grid.slots[slot].x, grid.slots[slot].rank);
            let above =
                |peer: &&(usize, f64)| peer.1 >= CHAINED && grid.slots[peer.0].rank > here.1;
            let Some((peer, _)) = peers.get(slot).and_then(|p| p.iter().find(above)) else {
                continue;
            };
            let (x, room) = (grid.slots[*peer].x, free(grid, slot));
            if (x - here.0).abs() < ALL_BUT && (room.0..=room.1).contains(&x) {
                grid.slots[slot].x = x;
            }
        }
    }
}

/// The nodes to which each node is wired, and how strongly they pull at it.
fn peers(grid: &Grid, net: &Net) -> Vec<Vec<(usize, f64)>> {
    let mut pairs: Vec<(usize, usize)> =
        net.wires.iter().map(|w| (w.from.node, w.to.node)).collect();
    let rank = |node: usize| grid.slots[node].rank;
    for pair in &mut pairs {
        if rank(pair.0) > rank(pair.1) {
            *pair = (pair.1, pair.0);
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    // How many a node has in the layer below and in the layer above.
    let mut near = vec![[0; 2]; net.parts.len()];
    let is_near = |(low, high): (usize, usize)| rank(high) == rank(low) + 2;
    for &(low, high) in pairs.iter().filter(|pair| is_near(**pair)) {
        near[low][1] += 1;
        near[high][0] += 1;
    }
    let mut peers = vec![Vec::new(); net.parts.len()];
    for (low, high) in pairs.into_iter().filter(|(low, high)| low != high) {
        let is_chain = is_near((low, high)) && near[low][1] == 1 && near[high][0] == 1;
        let strength = if is_chain { CHAINED } else { WIRED };
        peers[low].push((high, strength));
        peers[high].push((low, strength));
    }
    peers
}

/// The places nearest to those wished for (place, weight), in the sense of least squares, that are at least `apart` from one
/// to the next and within bounds: isotonic regression by pooling adjacent violators (Ayer et al. 1955).
pub(super) fn nearest(wishes: &[(f64, f64)], apart: &[f64], bounds: (f64, f64)) -> Vec<f64> {
    // Less the distances, places only have to be in order.
    let mut shifts = vec![0.0];
    shifts.extend(apart.iter().scan(0.0, |sum, distance| {
        *sum += distance;
        Some(*sum)
    }));
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, weight), shift) in wishes.iter().zip(&shifts) {
        let mut pool = (weight * (wish - shift), *weight, 1);
        while let Some(last) = pools
            .last()
            .filter(|last| last.0 / last.1 > pool.0 / pool.1)
        {
            pool = (pool.0 + last.0, pool.1 + last.1, pool.2 + last.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let highest = bounds.1 - shifts.last().copied().unwrap_or(0.0);
    let pooled = pools
        .iter()
        .flat_map(|(sum, weight, n)| std::iter::repeat_n(sum / weight, *n));
    // The upper bound first: where both cannot hold, the excess is on that side.
    pooled
        .zip(&shifts)
        .map(|(place, shift)| place.min(highest).max(bounds.0) + shift)
        .collect()
}

/// Between which places a slot can move without touching its neighbours.
pub(super) fn free(grid: &Grid, slot: usize) -> (f64, f64) {
    let here = &grid.slots[slot];
    let row = &grid.ranks[here.rank];
    let place = grid.place(slot);
    let beside = |neighbour: Option<&usize>| neighbour.map(|slot| &grid.slots[*slot]);
    let left = beside(place.checked_sub(1).and_then(|p| row.get(p)));
    let right = beside(row.get(place + 1));
    (
        left.map_or(f64::NEG_INFINITY, |s| s.x + s.right + here.left)
            .min(here.x),
        right
            .map_or(f64::INFINITY, |s| s.x - s.left - here.right)
            .max(here.x),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_of_bounds(wishes: &[(f64, f64)], apart: &[f64]) -> Vec<f64> {
        nearest(wishes, apart, (f64::NEG_INFINITY, f64::INFINITY))
    }

    #[test]
    fn wishes_that_fit_come_true() {
        assert_eq!(
            free_of_bounds(&[(0.0, 1.0), (10.0, 1.0)], &[5.0]),
            [0.0, 10.0]
        );
    }

    #[test]
    fn rivals_share_the_way_by_their_weights() {
        // Both want 0 but must be 4 apart: the one with three times the weight moves a third as far.
        assert_eq!(
            free_of_bounds(&[(0.0, 3.0), (0.0, 1.0)], &[4.0]),
            [-1.0, 3.0]
        );
    }

    #[test]
    fn bounds_hold_for_the_whole_row() {
        let wishes = [(-50.0, 1.0), (0.0, 1.0), (50.0, 1.0)];
        assert_eq!(nearest(&wishes, &[6.0, 6.0], (-8.0, 8.0)), [-8.0, 0.0, 8.0]);
    }
}
