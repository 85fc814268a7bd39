//! For the general path: the synapses of each postsynaptic neuron, and the presynaptic neurons' traces within a window.

use super::Arriving;
use crate::engine::event::synapses::Synapses;

/// The synapses of each postsynaptic neuron, with their presynaptic neurons.
#[derive(Debug)]
pub(super) struct Incoming {
    offsets: Vec<u32>,
    synapses: Vec<(u32, u32)>,
}

impl Incoming {
    pub(super) fn new(table: &Synapses, sources: usize, base: u32, neurons: usize) -> Incoming {
        let mut lists: Vec<Vec<(u32, u32)>> = vec![vec![]; neurons];
        for source in 0..sources as u32 {
            for synapse in table.rows.of(source) {
                lists[(table.rows.target(synapse) - base) as usize].push((source, synapse as u32));
            }
        }
        let mut offsets = vec![0];
        let mut synapses = Vec::new();
        for list in lists {
            synapses.extend(list);
            offsets.push(synapses.len() as u32);
        }
        Incoming { offsets, synapses }
    }

    pub(super) fn of(&self, neuron: u32) -> &[(u32, u32)] {
        let neuron = neuron as usize;
        &self.synapses[self.offsets[neuron] as usize..self.offsets[neuron + 1] as usize]
    }
}

/// A presynaptic neuron's traces as they were at a time (ms) within the window, all that arrived by then included.
pub(super) fn presynaptic<'l>(
    (pre, pre_last, len): (&'l [f64], &'l [f64], usize),
    arrivals: &'l [Arriving],
    source: u32,
    at: f64,
) -> (&'l [f64], f64) {
    // What arrives later in the window has been counted already: its own past is what is wanted.
    let later = arrivals.iter().find(|a| a.source == source && a.at > at);
    match later {
        Some(arriving) => (&arriving.before, arriving.since),
        None => (
            &pre[source as usize * len..(source as usize + 1) * len],
            pre_last[source as usize],
        ),
    }
}
