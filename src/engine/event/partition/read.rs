//! What can be read of a partition between windows.

use super::Partition;
use super::group::{Group, GroupKind};
use crate::engine::event::private::Private;
use crate::engine::event::time::to_ms;

impl Partition {
    /// Linear systems that neurons here have followed and that are remembered.
    pub fn regimes(&self) -> usize {
        let of = |group: &Group| match &group.kind {
            GroupKind::Cells(cells) => cells.regimes(),
            GroupKind::Sources(_) | GroupKind::Driven(_) | GroupKind::Folded => 0,
        };
        self.groups.iter().map(of).sum()
    }

    /// The value of a variable of a neuron (its index in the population) at a time, if the neuron is here.
    pub fn value_at(
        &self,
        population: usize,
        neuron: usize,
        variable: usize,
        time: i64,
    ) -> Option<f64> {
        let group = &self.groups[population];
        match &group.kind {
            GroupKind::Cells(cells) if group.range.contains(&neuron) => {
                Some(cells.value_at(neuron - group.range.start, variable, time))
            }
            _ => None,
        }
    }

    /// Spikes of the sources of a population that are folded away, so far.
    pub fn folded_spikes(&self, population: usize) -> u64 {
        let from = |p: &Private| {
            self.program.projections[p.projection as usize].ends.0.0 as usize == population
        };
        let groups = self.groups.iter().filter_map(|g| match &g.kind {
            GroupKind::Cells(cells) => Some(cells.privates()),
            _ => None,
        });
        groups.flatten().filter(|p| from(p)).map(|p| p.spikes).sum()
    }

    /// Presynaptic neurons of a projection.
    pub fn sources(&self, projection: usize) -> usize {
        let from = self.program.projections[projection].ends.0;
        self.program.circuit.population(from).size
    }

    /// Appends the weights that a presynaptic neuron's synapses here have at a time.
    pub fn weights_of(&self, projection: usize, source: u32, time: i64, into: &mut Vec<f64>) {
        let table = &self.synapses[projection];
        let group = &self.groups[self.program.projections[projection].ends.1.0 as usize];
        match (&self.learnings[projection], &group.kind) {
            (Some(learning), GroupKind::Cells(cells)) => {
                let state = |neuron: u32| {
                    let (modes, y, at) = cells.state((neuron - group.base) as usize);
                    (modes, y, to_ms(at))
                };
                learning.weights_at(source, table, &self.channels, to_ms(time), state, into);
            }
            _ => into.extend(
                table
                    .rows
                    .of(source)
                    .map(|synapse| table.weights.of(synapse)),
            ),
        }
    }
}
