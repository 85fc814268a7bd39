//! Filters of neurons and of the whole circuit move on.

use super::step::Step;
use crate::compile::kernel::{ScalarId, VectorId};
use crate::compile::layout::FilterPlace;
use crate::compile::plan::FilterStep;
use crate::engine::elementwise;
use crate::lang::FilterKind;

impl Step<'_> {
    /// Filters that smooth move on.
    pub(super) fn smooth(&mut self, filters: &[FilterStep]) {
        for filter in filters {
            self.move_on(filter);
        }
    }

    /// One filter takes the value that its input has now.
    pub(super) fn move_on(&mut self, filter: &FilterStep) {
        let first = !std::mem::replace(&mut self.state.started[filter.index], true);
        match filter.place {
            FilterPlace::Scalar { value, ring } => {
                let (memory, scratch) = self.parts();
                let x = memory.run_scalar(&mut scratch.machine, &filter.input);
                let old = self.state.scalars[value.0 as usize];
                self.state.scalars[value.0 as usize] = match ring {
                    None => smoothed(filter.kind, first, old, x),
                    Some((ring, depth)) => {
                        let (depth, step) = (u64::from(depth), self.state.step);
                        let ring = &mut self.state.vectors[ring.0 as usize];
                        ring[(step % depth) as usize] = x;
                        ring[((step + 1) % depth) as usize]
                    }
                };
            }
            FilterPlace::Replicas { value, ring } => {
                for replica in 0..self.replicas {
                    self.move_replica_on(filter, first, replica, (value, ring));
                }
            }
            FilterPlace::Vector { state, depth } => {
                let looks_back = filter.input.vectors.iter().any(|place| place.is_of(state));
                if let (FilterKind::Previous(_), false) = (filter.kind, looks_back) {
                    self.remember(filter, state, depth as usize);
                } else {
                    self.move_vector_on(filter, first, state, depth as usize);
                }
            }
            FilterPlace::Synapse(_) => {}
        }
    }

    /// A ring takes what a filter's input is now, where it is computed.
    fn remember(&mut self, filter: &FilterStep, state: VectorId, depth: usize) {
        let mut values = std::mem::take(&mut self.state.vectors[state.0 as usize]);
        let length = values.len() / depth;
        let at = (self.state.step % depth as u64) as usize * length;
        let (memory, scratch) = self.parts();
        let slot = &mut values[at..at + length];
        memory.run(&mut scratch.machine, &filter.input, slot);
        self.state.vectors[state.0 as usize] = values;
    }

    /// A filter of neurons takes its next values; its input may read its earlier ones.
    fn move_vector_on(&mut self, filter: &FilterStep, first: bool, state: VectorId, depth: usize) {
        let length = self.state.vectors[state.0 as usize].len() / depth;
        let mut input = std::mem::take(&mut self.scratch.vector);
        input.resize(length, 0.0);
        let (memory, scratch) = self.parts();
        memory.run(&mut scratch.machine, &filter.input, &mut input);
        let mut values = std::mem::take(&mut self.state.vectors[state.0 as usize]);
        match filter.kind {
            FilterKind::Previous(_) if depth == 1 => std::mem::swap(&mut values, &mut input),
            FilterKind::Previous(_) => {
                let at = (self.state.step % depth as u64) as usize;
                values[at * length..(at + 1) * length].copy_from_slice(&input);
            }
            kind => advance(
                self.scratch.machine.arch(),
                kind,
                first,
                &mut values,
                &input,
            ),
        }
        self.state.vectors[state.0 as usize] = values;
        self.scratch.vector = input;
    }

    /// A filter of which each replica has a number takes its next one.
    fn move_replica_on(
        &mut self,
        filter: &FilterStep,
        first: bool,
        replica: usize,
        (value, ring): (ScalarId, Option<(VectorId, u32)>),
    ) {
        let replicas = self.replicas;
        let (memory, scratch) = self.parts();
        let x = memory.run_scalar_of(&mut scratch.machine, &filter.input, replica);
        let at = value.0 as usize + replica;
        let old = self.state.scalars[at];
        self.state.scalars[at] = match ring {
            None => smoothed(filter.kind, first, old, x),
            Some((ring, depth)) => {
                let (depth, step) = (u64::from(depth), self.state.step);
                let slot = |step: u64| (step % depth) as usize * replicas + replica;
                let ring = &mut self.state.vectors[ring.0 as usize];
                ring[slot(step)] = x;
                ring[slot(step + 1)]
            }
        };
    }
}

/// The next state of a filter that smooths.
#[inline]
fn smoothed(kind: FilterKind, first: bool, old: f64, x: f64) -> f64 {
    match kind {
        FilterKind::Average(_) if first => x,
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => decay.mul_add(old - x, x),
        FilterKind::Trace(decay) => decay.mul_add(old, x),
        FilterKind::Previous(_) | FilterKind::Carried => x,
    }
}

/// The next states of a filter of many neurons or synapses, that takes its first values or later ones.
pub(super) fn advance(
    arch: pulp::Arch,
    kind: FilterKind,
    first: bool,
    state: &mut [f64],
    input: &[f64],
) {
    match kind {
        FilterKind::Previous(_) | FilterKind::Carried => {
            state.copy_from_slice(&input[..state.len()]);
        }
        FilterKind::Average(_) if first => state.copy_from_slice(&input[..state.len()]),
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => {
            elementwise::smooth(arch, state, input, decay);
        }
        FilterKind::Trace(decay) => elementwise::decay_add(arch, state, input, decay),
    }
}
