//! Wires from a node to itself, outside all lanes, and their labels.

use super::calls::{Call, Way};
use super::cell::PORT;
use super::lanes::{LANE, Lanes};
use super::net::Net;
use super::place::nearest;

/// From a loop to its label, and from label to label.
pub(super) const BESIDE: f64 = 7.0;

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
    /// The heights on it and on its label between which a line tells that they belong together, if that is not plain.
    pub(super) leader: Option<[f64; 2]>,
}

impl Loop {
    fn middle(&self) -> f64 {
        (self.y[0] + self.y[1]) / 2.0
    }

    fn span(&self) -> (f64, f64) {
        (self.y[0].min(self.y[1]), self.y[0].max(self.y[1]))
    }
}

/// The loops at one side of a cell, of which the first lies at `first`, and their labels.
pub(super) fn at_side(net: &Net, touches: &[(Call, f64)], right: bool, first: f64) -> Vec<Loop> {
    let mut loops = bends(touches, right, first);
    let outermost = loops.iter().map(|l| l.lane).fold(0.0, f64::max);
    loops.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    let wishes: Vec<(f64, f64)> = loops.iter().map(|l| (l.middle(), 1.0)).collect();
    let height = |l: &Loop| net.wires[l.wire].label.height();
    let distance = |pair: &[Loop]| (height(&pair[0]) + height(&pair[1])) / 2.0 + BESIDE;
    let apart: Vec<f64> = loops.windows(2).map(distance).collect();
    let middles = nearest(&wishes, &apart, (f64::NEG_INFINITY, f64::INFINITY));
    for (bend, middle) in loops.iter_mut().zip(middles) {
        let (from, to) = bend.span();
        let on_loop = middle.max(from).min(to);
        let is_beside = bend.lane >= outermost && (on_loop - middle).abs() < PORT;
        bend.leader = (!is_beside).then_some([on_loop, middle]);
        bend.label = (outermost + BESIDE, middle - height(bend) / 2.0);
        if !right {
            bend.lane = -bend.lane;
            bend.label.0 = -bend.label.0;
        }
    }
    loops
}

/// The loops at one side of a cell, in lanes from `first` outwards, without labels yet.
fn bends(touches: &[(Call, f64)], right: bool, first: f64) -> Vec<Loop> {
    let mut bends: Vec<Loop> = Vec::new();
    let is_loop = |c: &Call| c.right == right && matches!(c.to, Way::Rows(_));
    for (call, from) in touches.iter().filter(|(c, _)| c.end == 0 && is_loop(c)) {
        let end = touches
            .iter()
            .find(|(c, _)| c.wire == call.wire && c.end == 1);
        bends.push(Loop {
            wire: call.wire,
            y: [*from, end.map_or(*from, |(_, y)| *y)],
            lane: first,
            label: (first, *from),
            leader: None,
        });
    }
    // The shortest innermost: so loops do not cross one another.
    bends.sort_by(|a, b| (a.y[0] - a.y[1]).abs().total_cmp(&(b.y[0] - b.y[1]).abs()));
    let mut lanes = Lanes::default();
    for bend in &mut bends {
        bend.lane += LANE * lanes.take(bend.span()) as f64;
    }
    bends
}
