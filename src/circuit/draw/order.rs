//! The order of slots in their ranks, by which wires cross as little as possible.

use super::grid::{Grid, Link};
use super::place::{Sides, relax};

/// Sweeps up and down; the best order is kept.
const SWEEPS: usize = 16;
/// Rounds of exchanging neighbours at most.
const EXCHANGES: usize = 12;

/// Orders all ranks: barycentre sweeps, then exchanges of neighbours while they help (Sugiyama, Tagawa and Toda 1981;
/// Gansner, Koutsofios, North and Vo 1993).
pub(super) fn arrange(grid: &mut Grid) {
    spread(grid);
    let mut best = (crossings(grid), grid.ranks.clone());
    for sweep in 0..SWEEPS {
        let all = 0..grid.ranks.len();
        if sweep % 2 == 0 {
            all.for_each(|rank| sort(grid, rank, Sides::Below));
        } else {
            all.rev().for_each(|rank| sort(grid, rank, Sides::Above));
        }
        let found = crossings(grid);
        if found < best.0 {
            best = (found, grid.ranks.clone());
        }
    }
    grid.ranks = best.1;
    for _ in 0..EXCHANGES {
        if !exchange(grid) {
            break;
        }
    }
    // Positions still belong to the last sweep's order.
    let order = grid.ranks.concat();
    for (index, slot) in order.into_iter().enumerate() {
        grid.slots[slot].x = index as f64;
    }
    (0..grid.ranks.len()).for_each(|rank| relax(grid, rank, Sides::Neither));
}

/// Starts with each rank in the order in which its slots stand, the lines between their ends.
fn spread(grid: &mut Grid) {
    for rank in 0..grid.ranks.len() {
        let mut row = std::mem::take(&mut grid.ranks[rank]);
        row.sort_by(|a, b| grid.slots[*a].x.total_cmp(&grid.slots[*b].x));
        grid.ranks[rank] = row;
        relax(grid, rank, Sides::Neither);
    }
}

/// Sorts a rank by where its slots' links pull them.
fn sort(grid: &mut Grid, rank: usize, sides: Sides) {
    let row = std::mem::take(&mut grid.ranks[rank]);
    let mut wished: Vec<(f64, usize)> = row
        .into_iter()
        .map(|slot| (sides.wish(grid, slot).0, slot))
        .collect();
    wished.sort_by(|a, b| a.0.total_cmp(&b.0));
    grid.ranks[rank] = wished.into_iter().map(|(_, slot)| slot).collect();
    relax(grid, rank, sides);
}

/// Each slot's place in its rank.
fn places(grid: &Grid) -> Vec<usize> {
    let mut places = vec![0; grid.slots.len()];
    for row in &grid.ranks {
        row.iter()
            .enumerate()
            .for_each(|(place, slot)| places[*slot] = place);
    }
    places
}

/// Where both ends of a link are: place in the rank and offset in the slot.
type Ends = [(usize, f64); 2];

fn ends(link: &Link, places: &[usize]) -> Ends {
    [link.lower, link.upper].map(|c| (places[c.slot], c.offset))
}

fn before(a: (usize, f64), b: (usize, f64)) -> bool {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).is_lt()
}

/// How many pairs of links cross.
fn crossings(grid: &Grid) -> usize {
    let places = places(grid);
    let mut by_rank: Vec<Vec<Ends>> = vec![Vec::new(); grid.ranks.len()];
    for link in &grid.links {
        by_rank[grid.slots[link.lower.slot].rank].push(ends(link, &places));
    }
    by_rank.into_iter().map(inversions).sum()
}

/// Pairs whose order at the bottom is not that at the top.
fn inversions(mut links: Vec<Ends>) -> usize {
    let by = |end: usize| {
        move |a: &Ends, b: &Ends| a[end].0.cmp(&b[end].0).then(a[end].1.total_cmp(&b[end].1))
    };
    links.sort_by(|a, b| by(0)(a, b).then(by(1)(a, b)));
    let mut tops: Vec<(usize, f64)> = Vec::new();
    let mut found = 0;
    for link in links {
        let at = tops.partition_point(|top| !before(link[1], *top));
        found += tops.len() - at;
        tops.insert(at, link[1]);
    }
    found
}

/// Exchanges neighbours where that leaves fewer crossings; whether any were.
fn exchange(grid: &mut Grid) -> bool {
    let mut places = places(grid);
    let mut changed = false;
    for rank in 0..grid.ranks.len() {
        for left in 1..grid.ranks[rank].len() {
            let pair = [grid.ranks[rank][left - 1], grid.ranks[rank][left]];
            let (now, then) = crossings_of(grid, &places, pair);
            if then < now {
                grid.ranks[rank].swap(left - 1, left);
                places.swap(pair[0], pair[1]);
                changed = true;
            }
        }
    }
    changed
}

/// The crossings among the links of two neighbours as they stand, and the other way round.
fn crossings_of(grid: &Grid, places: &[usize], pair: [usize; 2]) -> (usize, usize) {
    let (mut now, mut then) = (0, 0);
    for side in 0..2 {
        let far = |slot: usize| {
            let links = grid.touching[slot][side]
                .iter()
                .map(|link| &grid.links[*link]);
            let far = links.map(|link| ends(link, places)[side]);
            far.collect::<Vec<_>>()
        };
        let (left, right) = (far(pair[0]), far(pair[1]));
        for a in &left {
            now += right.iter().filter(|b| before(**b, *a)).count();
            then += right.iter().filter(|b| before(*a, **b)).count();
        }
    }
    (now, then)
}
