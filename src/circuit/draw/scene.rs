//! Where everything is: nodes, labels, and the ways of the wires.

use super::cell::Cell;
use super::grid::{BESIDE, Content, Grid, Slot};
use super::heights::{BAND_MARGIN, Heights};
use super::layers::layers;
use super::loops::Loop;
use super::net::{Net, Tip};
use super::order::arrange;
use super::place::settle;
use super::ports::{Port, Ports};
use super::straight::{straighten, straighten_arches};
use crate::circuit::Circuit;
use crate::drawing::Anchor;
use crate::drawing::Point;

/// Between a label and the line that leads to it.
const LEADER_GAP: f64 = 3.0;
/// Below this a shift to the side does not show (pixels).
const UNSEEN: f64 = 0.05;

/// An upright rectangle (pixels).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge; y grows downwards.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// A circuit laid out, without what stands above and below the drawing proper.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) net: Net,
    pub(super) cells: Vec<Cell>,
    /// The middle of each node's upper edge.
    pub(super) places: Vec<Point>,
    /// The way of each wire from its beginning to its end. Steps are upright or level; a slanting one is a curve with upright
    /// ends.
    pub(super) ways: Vec<Vec<Point>>,
    /// The place of each wire's label: the beginning, the middle or the end of its upper edge.
    pub(super) labels: Vec<Option<(Anchor, Point)>>,
    /// Lines from loops to labels that lie apart from them.
    pub(super) leaders: Vec<[Point; 2]>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Whether two rectangles share more than an edge.
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.left < other.right()
            && other.left < self.right()
            && self.top < other.bottom()
            && other.top < self.bottom()
    }
}

impl Scene {
    /// Lays a circuit out.
    pub(super) fn new(circuit: &Circuit) -> Scene {
        let net = Net::new(circuit);
        let layers = layers(&net);
        let mut cells = Cell::all(circuit, &net);
        let mut grid = Grid::new(&net, &layers, &cells);
        arrange(&mut grid);
        settle(&mut grid, &net);
        let mut ports = Ports::attach(&net, &mut cells, &grid);
        grid.refit(&ports, &cells);
        settle(&mut grid, &net);
        for _ in 0..2 {
            straighten(&mut grid);
            ports.slide(&cells, &grid);
            grid.refit(&ports, &cells);
        }
        straighten(&mut grid);
        straighten_arches(&mut grid);
        let heights = Heights::new(&net, &grid, &ports);
        let mut scene = Scene {
            places: heights.places(&grid, &ports),
            ways: vec![Vec::new(); net.wires.len()],
            labels: vec![None; net.wires.len()],
            leaders: Vec::new(),
            net,
            cells,
            width: 0.0,
            height: heights.total(),
        };
        scene.add_wires(&grid, &ports, &heights);
        ports.loops.iter().for_each(|l| scene.add_loop(l));
        scene.fit(&grid);
        scene
    }

    /// The rectangle of a node.
    pub(super) fn node(&self, node: usize) -> Rect {
        let ((x, y), cell) = (self.places[node], &self.cells[node]);
        Rect {
            left: x - cell.half,
            top: y,
            width: 2.0 * cell.half,
            height: cell.height,
        }
    }

    /// The rectangle of a wire's label.
    pub(super) fn label(&self, wire: usize) -> Option<Rect> {
        let label = &self.net.wires[wire].label;
        let (anchor, (x, top)) = self.labels[wire]?;
        let width = label.width();
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        Some(Rect {
            left,
            top,
            width,
            height: label.height(),
        })
    }

    fn add_wires(&mut self, grid: &Grid, ports: &Ports, heights: &Heights) {
        let wires = grid.chains.iter().enumerate();
        for (wire, chain) in wires.filter(|(_, chain)| !chain.is_empty()) {
            let ends = [0, 1].map(|end| {
                let tip = self.net.wires[wire].tip(end);
                let (top, bottom) = heights.ranks[grid.slots[tip.node].rank];
                let is_arch = matches!(grid.slots[chain[1]].content, Content::Arch(_));
                let upwards = is_arch || chain.first() == Some(&tip.node);
                let edge = if upwards { top } else { bottom };
                let port = ports.of[wire][end];
                port.map_or(Vec::new(), |port| self.stub(tip, port, edge))
            });
            let mut between = self.middle(grid, heights, wire, chain);
            if chain.first() != Some(&self.net.wires[wire].from.node) {
                between.reverse();
            }
            let [start, mut end] = ends;
            end.reverse();
            self.ways[wire] = joined([start, between, end]);
        }
    }

    /// A wire's way from a node to the edge of its rank.
    fn stub(&self, tip: Tip, port: Port, edge: f64) -> Vec<Point> {
        let ((x, y), cell) = (self.places[tip.node], &self.cells[tip.node]);
        match port {
            Port::Face { above, x: aside } => {
                let face = if above { y } else { y + cell.height };
                vec![(x + aside, face), (x + aside, edge)]
            }
            Port::Side { y: height, lane } => {
                let half = cell.rows[tip.row].half_at(height).copysign(lane);
                vec![
                    (x + half, y + height),
                    (x + lane, y + height),
                    (x + lane, edge),
                ]
            }
        }
    }

    /// A wire's way between its nodes' ranks, upwards; puts its label beside it.
    fn middle(
        &mut self,
        grid: &Grid,
        heights: &Heights,
        wire: usize,
        chain: &[usize],
    ) -> Vec<Point> {
        let mut way = Vec::new();
        for &slot in &chain[1..chain.len() - 1] {
            let Slot {
                x, content, rank, ..
            } = grid.slots[slot];
            let (top, bottom) = heights.ranks[rank];
            let label = self.net.wires[wire].label.height();
            let Content::Arch(_) = content else {
                way.extend([(x, bottom), (x, top)]);
                if let Content::Label { on_left, .. } = content {
                    let top = (top + bottom - label) / 2.0;
                    self.labels[wire] = Some(match on_left {
                        true => (Anchor::End, (x - BESIDE, top)),
                        false => (Anchor::Start, (x + BESIDE, top)),
                    });
                }
                continue;
            };
            let feet = grid.touching[slot][0].iter();
            let feet: Vec<f64> = feet.map(|link| grid.x(grid.links[*link].upper)).collect();
            if let [from, to] = feet[..] {
                let arch = bottom - label - 2.0 * BAND_MARGIN;
                way.extend([(from, bottom), (from, arch), (to, arch), (to, bottom)]);
                let middle = (from + to) / 2.0;
                self.labels[wire] = Some((Anchor::Middle, (middle, arch + BAND_MARGIN)));
            }
        }
        way
    }

    fn add_loop(&mut self, found: &Loop) {
        let wire = &self.net.wires[found.wire];
        let ((x, y), cell) = (self.places[wire.from.node], &self.cells[wire.from.node]);
        let touch = |end: usize| {
            let height = found.y[end];
            let half = cell.rows[wire.tip(end).row].half_at(height);
            (x + half.copysign(found.lane), y + height)
        };
        let (from, to) = (touch(0), touch(1));
        let lane = x + found.lane;
        self.ways[found.wire] = vec![from, (lane, from.1), (lane, to.1), to];
        let anchor = if found.lane < 0.0 {
            Anchor::End
        } else {
            Anchor::Start
        };
        self.labels[found.wire] = Some((anchor, (x + found.label.0, y + found.label.1)));
        if let Some([on_loop, at_label]) = found.leader {
            let before = found.label.0 - LEADER_GAP.copysign(found.lane);
            self.leaders
                .push([(lane, y + on_loop), (x + before, y + at_label)]);
        }
    }

    /// Moves everything so that it begins at the left edge, and takes the width.
    fn fit(&mut self, grid: &Grid) {
        let ways = || self.ways.iter().flatten().map(|point| point.0);
        let left = grid
            .slots
            .iter()
            .map(|s| s.x - s.left)
            .chain(ways())
            .fold(f64::INFINITY, f64::min);
        let right = grid
            .slots
            .iter()
            .map(|s| s.x + s.right)
            .chain(ways())
            .fold(f64::NEG_INFINITY, f64::max);
        if right <= left {
            return;
        }
        self.width = right - left;
        let places = self.places.iter_mut().chain(self.ways.iter_mut().flatten());
        let places = places.chain(self.leaders.iter_mut().flatten());
        let labels = self.labels.iter_mut().flatten().map(|(_, point)| point);
        for point in places.chain(labels) {
            point.0 -= left;
        }
    }
}

/// The pieces of a way in one, without points on straight lines and steps too small to see.
fn joined(pieces: [Vec<Point>; 3]) -> Vec<Point> {
    let mut way: Vec<Point> = Vec::new();
    for mut point in pieces.into_iter().flatten() {
        if let Some(last) = way.last() {
            if (point.0 - last.0).abs() < UNSEEN {
                point.0 = last.0;
            }
            if (point.1 - last.1).abs() < UNSEEN {
                point.1 = last.1;
            }
        }
        if let [.., before, last] = way[..]
            && (on_line(before.0, last.0, point.0) || on_line(before.1, last.1, point.1))
        {
            way.pop();
        }
        if way.last() != Some(&point) {
            way.push(point);
        }
    }
    way
}

/// Whether coordinates of three points in a row are the same.
fn on_line(a: f64, b: f64, c: f64) -> bool {
    (a - b).abs() <= 0.0 && (b - c).abs() <= 0.0
}
