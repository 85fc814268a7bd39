//! Nodes and wires as slots in ranks.
//!
//! Ranks alternate between layers of nodes and the gaps above them. A wire takes a slot in every gap and every layer on its
//! way, with its label in one of the gaps. Slots of a rank lie side by side, so that nothing in a rank can overlap, and
//! between ranks there is nothing but wires.

use super::cell::Cell;
use super::net::Net;
use super::ports::{Port, Ports};

/// The room to both sides of a line.
const LINE: f64 = 7.0;
/// The distance between a line and its label.
pub(super) const BESIDE: f64 = 7.0;
/// The free space beside a label.
const AFTER_LABEL: f64 = 14.0;
/// How far a wire that leaves a node's side is from the node, before its lane is known.
const LANE: f64 = 18.0;

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A node.
    Node,
    /// A wire, by its index.
    Line(usize),
    /// A wire with its label beside it.
    Label { wire: usize, on_left: bool },
    /// A wire between nodes of one layer, over its label.
    Arch(usize),
}

/// A place in a rank.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) content: Content,
    pub(super) rank: usize,
    /// Where its line or the middle of its node is (pixels).
    pub(super) x: f64,
    /// How far it reaches to the left of that.
    pub(super) left: f64,
    /// How far it reaches to the right.
    pub(super) right: f64,
}

/// One end of a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contact {
    pub(super) slot: usize,
    /// Where it touches, from the slot's x.
    pub(super) offset: f64,
    /// How far from the slot's x it can touch just as well; 0 if only at its offset.
    pub(super) slack: f64,
    /// Which end of the wire this is: 0 its beginning, 1 its end, none in between.
    pub(super) end: Option<usize>,
}

/// A piece of a wire between neighbouring ranks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) wire: usize,
    pub(super) lower: Contact,
    pub(super) upper: Contact,
}

/// All slots. Those of the nodes come first and have the nodes' indices.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) slots: Vec<Slot>,
    /// Each rank's slots from left to right; rank 2n holds layer n, rank 2n + 1 the gap above it.
    pub(super) ranks: Vec<Vec<usize>>,
    pub(super) links: Vec<Link>,
    /// The links of each slot, downwards and upwards.
    pub(super) touching: Vec<[Vec<usize>; 2]>,
    /// The slots of each wire from bottom to top; those of an arch from its beginning to its end.
    pub(super) chains: Vec<Vec<usize>>,
}

impl Grid {
    /// Gives every node and wire its slots, without order.
    pub(super) fn new(net: &Net, layers: &[usize], cells: &[Cell]) -> Grid {
        let ranks = layers.iter().max().map_or(0, |top| 2 * (top + 1));
        let mut grid = Grid {
            slots: Vec::new(),
            ranks: vec![Vec::new(); ranks],
            links: Vec::new(),
            touching: Vec::new(),
            chains: Vec::new(),
        };
        for (layer, cell) in layers.iter().zip(cells) {
            let reach = cell.half + LANE;
            // Nodes start in the order of the netlist.
            let x = grid.ranks[2 * layer].len() as f64 * 220.0;
            grid.add(Content::Node, 2 * layer, x, [reach, reach]);
        }
        for rank in (0..ranks).step_by(2) {
            grid.centre(rank);
        }
        let mut crowding = vec![0.0; ranks];
        for wire in 0..net.wires.len() {
            let chain = grid.chain(net, layers, wire, &mut crowding);
            grid.link(net, cells, wire, &chain);
            grid.chains.push(chain);
        }
        let aside: Vec<f64> = (0..net.wires.len())
            .map(|wire| grid.guessed_side(wire))
            .collect();
        grid.turn_labels(&aside);
        grid
    }

    fn centre(&mut self, rank: usize) {
        let middle = (self.ranks[rank].len() as f64 - 1.0) * 110.0;
        for &slot in &self.ranks[rank] {
            self.slots[slot].x -= middle;
        }
    }

    fn add(&mut self, content: Content, rank: usize, x: f64, [left, right]: [f64; 2]) -> usize {
        let slot = self.slots.len();
        self.slots.push(Slot {
            content,
            rank,
            x,
            left,
            right,
        });
        self.ranks[rank].push(slot);
        self.touching.push([Vec::new(), Vec::new()]);
        slot
    }

    /// Adds a wire's slots. `crowding` is the width of the labels in each rank so far.
    fn chain(
        &mut self,
        net: &Net,
        layers: &[usize],
        index: usize,
        crowding: &mut [f64],
    ) -> Vec<usize> {
        let wire = &net.wires[index];
        let (from, to) = (wire.from.node, wire.to.node);
        if from == to {
            return Vec::new();
        }
        let width = wire.label.width();
        let x = (self.slots[from].x + self.slots[to].x) / 2.0;
        if layers[from] == layers[to] {
            let reach = width / 2.0 + BESIDE + LINE;
            let rank = 2 * layers[from] + 1;
            return vec![
                from,
                self.add(Content::Arch(index), rank, x, [reach, reach]),
                to,
            ];
        }
        let (low, high) = if layers[from] < layers[to] {
            (from, to)
        } else {
            (to, from)
        };
        let between = 2 * layers[low] + 1..2 * layers[high];
        let gaps = between.clone().filter(|rank| rank % 2 == 1);
        // Labels go where there are fewest.
        let emptiest = gaps.min_by(|a, b| crowding[*a].total_cmp(&crowding[*b]));
        let labelled = emptiest.filter(|_| width > 0.0);
        if let Some(rank) = labelled {
            crowding[rank] += width;
        }
        let slots = between.map(|rank| match labelled == Some(rank) {
            true => self.add_label(index, rank, x, width),
            false => self.add(Content::Line(index), rank, x, [LINE, LINE]),
        });
        let slots: Vec<usize> = slots.collect();
        [vec![low], slots, vec![high]].concat()
    }

    fn add_label(&mut self, wire: usize, rank: usize, x: f64, width: f64) -> usize {
        let content = Content::Label {
            wire,
            on_left: false,
        };
        self.add(content, rank, x, [LINE, BESIDE + width + AFTER_LABEL])
    }

    /// Links a wire's slots.
    fn link(&mut self, net: &Net, cells: &[Cell], index: usize, chain: &[usize]) {
        let wire = &net.wires[index];
        for pair in chain.windows(2) {
            let (mut lower, mut upper) = (pair[0], pair[1]);
            if self.slots[lower].rank > self.slots[upper].rank {
                (lower, upper) = (upper, lower);
            }
            let upward = chain.first() == Some(&wire.from.node);
            let contact = |slot: usize, above: bool| {
                let end = (0..2).find(|end| slot == wire.tip(*end).node);
                let offset = end.map_or(0.0, |end| {
                    guess(&cells[slot], wire.tip(end).row, above, upward)
                });
                Contact {
                    slot,
                    offset,
                    slack: 0.0,
                    end,
                }
            };
            let link = Link {
                wire: index,
                lower: contact(lower, true),
                upper: contact(upper, false),
            };
            self.touching[lower][1].push(self.links.len());
            self.touching[upper][0].push(self.links.len());
            self.links.push(link);
        }
    }

    /// Puts labels on the left of wires that touch their nodes on the left, so that the space between wires up and down stays
    /// free.
    fn turn_labels(&mut self, aside: &[f64]) {
        for slot in &mut self.slots {
            if let Content::Label { wire, on_left } = &mut slot.content {
                let wanted = aside[*wire] < 0.0;
                if wanted != *on_left {
                    std::mem::swap(&mut slot.left, &mut slot.right);
                }
                *on_left = wanted;
            }
        }
    }

    /// Less than 0 if a wire will touch its nodes on the left.
    fn guessed_side(&self, wire: usize) -> f64 {
        let [.., high] = self.chains[wire][..] else {
            return 0.0;
        };
        let ends = [(self.chains[wire][0], 1), (high, 0)];
        let links = ends
            .iter()
            .flat_map(|(node, side)| &self.touching[*node][*side]);
        let contacts = links
            .map(|link| &self.links[*link])
            .filter(|link| link.wire == wire);
        contacts
            .flat_map(|link| [link.lower, link.upper])
            .filter(|c| c.end.is_some())
            .map(|c| c.offset)
            .sum()
    }

    /// Takes over where the wires really touch the nodes, and how much room these take.
    pub(super) fn refit(&mut self, ports: &Ports, cells: &[Cell]) {
        for (slot, extent) in self.slots.iter_mut().zip(&ports.extents) {
            slot.left = extent.left;
            slot.right = extent.right;
        }
        let lane = |port: &Option<Port>| match port {
            Some(Port::Side { lane, .. }) => *lane,
            _ => 0.0,
        };
        let aside: Vec<f64> = ports
            .of
            .iter()
            .map(|ends| ends.iter().map(lane).sum())
            .collect();
        self.turn_labels(&aside);
        for index in 0..self.links.len() {
            let Link { wire, lower, upper } = self.links[index];
            let leg = match self.slots[upper.slot].content {
                Content::Arch(_) => Some(self.leg(lower, upper.slot)),
                _ => None,
            };
            let port = |contact: Contact| contact.end.and_then(|end| ports.of[wire][end]);
            self.links[index].lower = lower.refitted(port(lower), cells);
            self.links[index].upper = upper.refitted(port(upper), cells);
            if let Some(leg) = leg {
                self.links[index].upper.offset = leg;
            }
        }
    }

    /// Where the leg of an arch is that goes down to a node.
    fn leg(&self, node: Contact, arch: usize) -> f64 {
        let reach = self.slots[arch].right - LINE;
        let others = self.touching[arch][0]
            .iter()
            .map(|link| self.links[*link].lower.slot);
        let is_left = others
            .into_iter()
            .all(|other| self.place(node.slot) <= self.place(other));
        if is_left { -reach } else { reach }
    }

    /// A slot's place in its rank.
    pub(super) fn place(&self, slot: usize) -> usize {
        let rank = &self.ranks[self.slots[slot].rank];
        rank.iter().position(|s| *s == slot).unwrap_or(0)
    }

    /// Where a contact is (pixels).
    pub(super) fn x(&self, contact: Contact) -> f64 {
        self.slots[contact.slot].x + contact.offset
    }
}

impl Contact {
    /// This contact at a port.
    fn refitted(self, port: Option<Port>, cells: &[Cell]) -> Contact {
        let slack = match port {
            Some(Port::Face { above, .. }) => cells[self.slot].faces()[usize::from(!above)],
            _ => 0.0,
        };
        Contact {
            offset: port.map_or(self.offset, Port::offset),
            slack,
            ..self
        }
    }
}

/// Where a wire will touch a node: upward wires on the left and downward wires on the right, unless they end at a face.
fn guess(cell: &Cell, row: usize, above: bool, upward: bool) -> f64 {
    let at_face = if above {
        row == 0
    } else {
        row + 1 == cell.rows.len()
    };
    match (at_face, upward) {
        (true, _) => 0.0,
        (false, true) => -cell.half - LANE,
        (false, false) => cell.half + LANE,
    }
}
