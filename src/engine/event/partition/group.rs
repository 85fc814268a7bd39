//! The neurons of one population on a partition.

use std::ops::Range;

use crate::compile::event::{EventProgram, NeuronProgram};
use crate::engine::event::cells::{Cells, Taken};
use crate::engine::event::driven::Driven;
use crate::engine::event::inbox::NONE;
use crate::engine::event::sources::Sources;
use crate::engine::event::time::NEVER;
use crate::engine::event::turn::{EventError, Outlook, Turn};

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
    /// Runs each of these neurons through the window; `lists` are their deliveries.
    pub(super) fn run_all(
        &mut self,
        neurons: Range<u32>,
        mut lists: &[(u32, u32)],
        turn: &mut Turn<'_>,
    ) -> Result<(), EventError> {
        let GroupKind::Cells(cells) = &mut self.kind else {
            return Ok(());
        };
        for neuron in neurons {
            let cell = (neuron - self.base) as usize;
            let mut first = NONE;
            if let [(next, delivery), rest @ ..] = lists
                && *next == neuron
            {
                (first, lists) = (*delivery, rest);
            }
            turn.plastic.neuron = neuron;
            cells.run(cell, first, Outlook::NONE, turn)?;
        }
        Ok(())
    }

    /// Runs a neuron through the window, from its first delivery on: as [`Cells::run`].
    #[inline(always)]
    pub(super) fn run(
        &mut self,
        (neuron, first): (u32, u32),
        outlook: Outlook,
        turn: &mut Turn<'_>,
    ) -> Result<(i64, Outlook), EventError> {
        let cell = (neuron - self.base) as usize;
        turn.plastic.neuron = neuron;
        match &mut self.kind {
            GroupKind::Cells(cells) => match cells.take_single(cell, first, turn) {
                Taken::Calm => Ok((NEVER, Outlook::NONE)),
                Taken::Over => cells.spike_at_arrival(cell, turn),
                Taken::Not => cells.run(cell, first, outlook, turn),
            },
            GroupKind::Sources(sources) => Ok((sources.run(cell, turn)?, Outlook::NONE)),
            GroupKind::Driven(driven) => Ok((driven.run(cell, turn)?, Outlook::NONE)),
            GroupKind::Folded => Ok((NEVER, Outlook::NONE)),
        }
    }

    /// Asks for the record of a neuron.
    #[inline(always)]
    pub(super) fn prefetch(&self, neuron: u32) {
        if let GroupKind::Cells(cells) = &self.kind {
            cells.prefetch((neuron - self.base) as usize);
        }
    }
}

#[derive(Debug)]
pub(super) enum GroupKind {
    Cells(Box<Cells>),
    Sources(Box<Sources>),
    /// Sources whose rate reads an input.
    Driven(Box<Driven>),
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
