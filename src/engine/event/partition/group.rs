//! The neurons of one population on a partition.

use std::ops::Range;

use crate::compile::event::{EventProgram, NeuronProgram};
use crate::engine::event::cells::Cells;
use crate::engine::event::sources::Sources;
use crate::engine::event::turn::{EventError, Turn};

/// Neurons of a population that are here.
#[derive(Debug)]
pub(super) struct Group {
    /// Number of the first one in the partition.
    pub(super) base: u32,
    /// Their indices in the population.
    pub(super) range: Range<usize>,
    pub(super) kind: GroupKind,
    /// Whether nearly all of them have something to do in each window, so that nobody asks.
    pub(super) is_busy: bool,
}

impl Group {
    /// Runs every neuron through the window.
    pub(super) fn run_all(&mut self, turn: &mut Turn<'_>) -> Result<(), EventError> {
        let GroupKind::Cells(cells) = &mut self.kind else {
            return Ok(());
        };
        for cell in 0..self.range.len() {
            let neuron = self.base + cell as u32;
            turn.plastic.neuron = neuron;
            cells.run(cell, turn.inbox.first(neuron), turn)?;
        }
        Ok(())
    }

    /// Brings the records of neurons into the cache.
    pub(super) fn touch(&self, neurons: &[u32]) -> f64 {
        match &self.kind {
            GroupKind::Cells(cells) => neurons
                .iter()
                .map(|n| cells.touch((n - self.base) as usize))
                .sum(),
            GroupKind::Sources(_) | GroupKind::Folded => 0.0,
        }
    }
}

#[derive(Debug)]
pub(super) enum GroupKind {
    Cells(Box<Cells>),
    Sources(Box<Sources>),
    /// Sources that the neurons they drive draw themselves.
    Folded,
}

/// The values of the modulators that a population reads.
pub(super) fn read(program: &EventProgram, population: usize, modulators: &[f64]) -> Vec<f64> {
    let ids = match &program.populations[population] {
        NeuronProgram::Dynamic(neuron) => &neuron.modulators,
        NeuronProgram::Source(source) => &source.modulators,
    };
    ids.iter().map(|id| modulators[id.0 as usize]).collect()
}
