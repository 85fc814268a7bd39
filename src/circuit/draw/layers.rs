//! Which nodes are above which.
//!
//! A population is higher than those that drive its body or its basal side: its layer is the length of the longest such path,
//! cycles being cut where a walk from the inputs closes them. Everything else follows: inputs lie just under what they
//! drive, and what only sends apical feedback lies above what it sends it to.

use super::net::{Net, Wire};

/// The layer of every node, from 0 at the bottom.
pub(super) fn layers(net: &Net) -> Vec<usize> {
    let mut driven = vec![false; net.populations];
    for wire in net
        .wires
        .iter()
        .filter(|w| w.from.node >= net.populations && w.ascends)
    {
        driven[wire.to.node] = true;
    }
    let walk = Walk::over(net, &driven);
    let mut layers = walk.longest_paths();
    lift_sources(&walk, &driven, &mut layers);
    place_feedback(net, &walk, &driven, &mut layers);
    spread_lone(net, &mut layers);
    add_inputs(net, layers)
}

/// Wires that tell higher from lower, followed depth first.
struct Walk {
    next: Vec<Vec<usize>>,
    state: Vec<State>,
    /// Wires that close no cycle.
    kept: Vec<Vec<usize>>,
    /// Populations, each after all that are higher.
    finished: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

impl Walk {
    /// Walks from the populations that inputs drive, then from those that nothing drives, then from the rest.
    fn over(net: &Net, driven: &[bool]) -> Walk {
        let n = net.populations;
        let mut walk = Walk {
            next: vec![Vec::new(); n],
            state: vec![State::New; n],
            kept: vec![Vec::new(); n],
            finished: Vec::new(),
        };
        let mut is_target = vec![false; n];
        let between = |w: &&Wire| w.ascends && w.from.node < n && !w.is_loop();
        for wire in net.wires.iter().filter(between) {
            walk.next[wire.from.node].push(wire.to.node);
            is_target[wire.to.node] = true;
        }
        let mut roots: Vec<usize> = (0..n).collect();
        roots.sort_by_key(|node| (!driven[*node], is_target[*node]));
        roots.into_iter().for_each(|root| walk.visit(root));
        walk
    }

    fn visit(&mut self, root: usize) {
        if self.state[root] != State::New {
            return;
        }
        self.state[root] = State::Open;
        let mut path = vec![(root, 0)];
        while let Some((node, at)) = path.last_mut() {
            let node = *node;
            let Some(&to) = self.next[node].get(*at) else {
                self.state[node] = State::Done;
                self.finished.push(node);
                path.pop();
                continue;
            };
            *at += 1;
            if self.state[to] != State::Open {
                self.kept[node].push(to);
            }
            if self.state[to] == State::New {
                self.state[to] = State::Open;
                path.push((to, 0));
            }
        }
    }

    fn longest_paths(&self) -> Vec<usize> {
        let mut layers = vec![0; self.next.len()];
        for &node in self.finished.iter().rev() {
            for &to in &self.kept[node] {
                layers[to] = layers[to].max(layers[node] + 1);
            }
        }
        layers
    }

    /// Whether nothing lower drives a population.
    fn sources(&self) -> Vec<bool> {
        let mut sources = vec![true; self.next.len()];
        self.kept
            .iter()
            .flatten()
            .for_each(|to| sources[*to] = false);
        sources
    }
}

/// What begins a path without an input goes up to just under what it drives.
fn lift_sources(walk: &Walk, driven: &[bool], layers: &mut [usize]) {
    let sources = walk.sources();
    for &node in &walk.finished {
        let lowest = walk.kept[node].iter().map(|to| layers[*to]).min();
        if let (true, false, Some(lowest)) = (sources[node], driven[node], lowest) {
            layers[node] = lowest.saturating_sub(1);
        }
    }
}

/// What only sends feedback goes above it, what only receives feedback below it.
fn place_feedback(net: &Net, walk: &Walk, driven: &[bool], layers: &mut [usize]) {
    let sources = walk.sources();
    let between = |w: &&Wire| w.from.node < net.populations && !w.is_loop();
    for node in
        (0..net.populations).filter(|n| sources[*n] && walk.kept[*n].is_empty() && !driven[*n])
    {
        let wires = || net.wires.iter().filter(between);
        let above = wires()
            .filter(|w| w.from.node == node)
            .map(|w| layers[w.to.node])
            .max();
        let below = wires()
            .filter(|w| w.to.node == node)
            .map(|w| layers[w.from.node])
            .min();
        layers[node] = match (above, below) {
            (Some(target), _) => target + 1,
            (None, Some(source)) => source.saturating_sub(1),
            (None, None) => layers[node],
        };
    }
}

/// Populations that nothing connects fill a rectangle rather than one long row.
fn spread_lone(net: &Net, layers: &mut [usize]) {
    let mut lone = vec![true; net.populations];
    for wire in net.wires.iter().filter(|w| !w.is_loop()) {
        [wire.from.node, wire.to.node]
            .into_iter()
            .filter(|n| *n < net.populations)
            .for_each(|n| lone[n] = false);
    }
    let lone: Vec<usize> = (0..net.populations).filter(|n| lone[*n]).collect();
    let row = ((lone.len() as f64 * 1.5).sqrt().ceil() as usize).max(4);
    for (index, node) in lone.into_iter().enumerate() {
        layers[node] = index / row;
    }
}

/// Inputs go under the lowest body or basal dendrite that they drive; those that drive only apical ones go above these.
fn add_inputs(net: &Net, layers: Vec<usize>) -> Vec<usize> {
    // One layer of room for the inputs of the lowest populations.
    let mut all: Vec<usize> = layers.iter().map(|layer| layer + 1).collect();
    all.resize(net.parts.len(), 0);
    for input in net.populations..all.len() {
        let wires = || net.wires.iter().filter(move |w| w.from.node == input);
        let lowest = wires()
            .filter(|w| w.ascends)
            .map(|w| all[w.to.node] - 1)
            .min();
        let above = wires().map(|w| all[w.to.node] + 1).max();
        all[input] = lowest.or(above).unwrap_or(0);
    }
    let least = all.iter().copied().min().unwrap_or(0);
    all.iter().map(|layer| layer - least).collect()
}
