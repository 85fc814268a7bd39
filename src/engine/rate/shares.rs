//! Replicas in shares that take their steps apart: each with a state of its own, small enough for the caches, and each on
//! any thread. Only updates of weights and what is measured bring them together.
//!
//! How many shares there are does not depend on the number of threads, and changes are summed share after share: the numbers are
//! the same for any number of threads.

use std::ops::Range;

use super::flat::Flat;
use super::optimise::Moments;
use super::products::Packed;
use super::sources::SourceBlock;
use super::state::State;
use super::step::{NotFinite, Scratch, Step};
use crate::compile::layout::FilterPlace;
use crate::compile::plan::Plan;
use crate::compile::program::Probe;
use crate::compile::{Program, Weights};
use crate::vector::Vector;

/// Replicas in a share, at most.
const MOST: usize = 16;

/// Fewer replicas than this stay together.
const LEAST: usize = 8;

/// What all shares read.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// Weights of each projection.
    pub weights: Vec<Weights>,
    /// The same in other forms.
    pub packed: Vec<Packed>,
    /// What sources give.
    pub block: SourceBlock,
}

/// Some of the replicas.
#[derive(Debug)]
pub(super) struct Share {
    /// Which they are.
    pub replicas: Range<usize>,
    /// Their state; weights are elsewhere.
    pub state: State,
    pub scratch: Scratch,
    /// What sources give them.
    block: SourceBlock,
    /// How the last step ended.
    pub result: Result<(), NotFinite>,
}

/// The replicas of each share.
pub(super) fn ranges(replicas: usize) -> Vec<Range<usize>> {
    if replicas < LEAST {
        return vec![];
    }
    let shares = replicas.div_ceil(MOST).max(2);
    let begin = |share: usize| share * replicas / shares;
    (0..shares).map(|s| begin(s)..begin(s + 1)).collect()
}

/// Whether a program has so many replicas that a second thread is a gain.
pub fn is_worth_a_thread(program: &Program) -> bool {
    !ranges(program.layout.replicas).is_empty()
}

impl Share {
    /// A step of these replicas.
    pub fn step(
        &mut self,
        program: &Program,
        (plan, flat): &(Plan, Flat),
        (common, at): (&Common, usize),
        is_due: bool,
    ) {
        let all = program.layout.replicas;
        self.block
            .take_share((&common.block, at), self.replicas.clone(), all);
        let mut step = Step {
            program,
            state: &mut self.state,
            scratch: &mut self.scratch,
            block: &self.block,
            in_block: 0,
            replicas: self.replicas.len(),
            common: Some(common),
            is_due,
        };
        self.result = step.run::<f64>(plan, flat);
    }

    /// Whether changes should not wait any longer.
    pub fn is_full(&self) -> bool {
        self.state.moments.iter().flatten().any(Moments::is_full)
    }
}

/// Takes the replicas' part out of a state; what is measured stays there.
pub(super) fn split(
    program: &Program,
    state: &mut State,
    scratches: &mut Vec<Scratch>,
) -> Vec<Share> {
    let ranges = ranges(program.layout.replicas);
    let share = |replicas: Range<usize>| Share {
        state: share_of(program, state, &replicas),
        replicas,
        scratch: scratches.pop().unwrap_or_default(),
        block: SourceBlock::default(),
        result: Ok(()),
    };
    let mut shares: Vec<Share> = ranges.into_iter().map(share).collect();
    for at in 0..state.vectors.len() {
        let whole = std::mem::take(&mut state.vectors[at]);
        let measured = is_probe(program, at);
        for share in &mut shares {
            let part = match measured {
                true => Vector::default(),
                false => rows_of(&whole, program, (at, &share.replicas)),
            };
            share.state.vectors.push(part);
        }
        if program.layout.slots[at] == 0 || measured {
            state.vectors[at] = whole;
        }
    }
    for (rule, states) in state.synapses.iter_mut().enumerate() {
        for whole in std::mem::take(states) {
            for share in &mut shares {
                let part = part_of(&whole, program, &share.replicas);
                share.state.synapses[rule].push(whole[part].into());
            }
        }
    }
    exchange_changes(state, &mut shares);
    shares
}

/// Undoes [`split`].
pub(super) fn merge(program: &Program, state: &mut State, mut shares: Vec<Share>) -> Vec<Scratch> {
    exchange_changes(state, &mut shares);
    for at in 0..state.vectors.len() {
        if program.layout.slots[at] > 0 && !is_probe(program, at) {
            look(program, state, &shares, at);
            shares
                .iter_mut()
                .for_each(|share| share.state.vectors[at] = Vector::default());
        }
    }
    for (rule, states) in state.synapses.iter_mut().enumerate() {
        let kept = shares
            .first()
            .map_or(0, |share| share.state.synapses[rule].len());
        for index in 0..kept {
            let mut whole = Vector::default();
            for share in &mut shares {
                let part = std::mem::take(&mut share.state.synapses[rule][index]);
                whole.extend(part.iter().copied());
            }
            states.push(whole);
        }
    }
    if let Some(first) = shares.first() {
        state.step = first.state.step;
        let flags = |all: &mut [bool], own: &[bool]| {
            all.iter_mut().zip(own).for_each(|(all, own)| *all |= own);
        };
        flags(&mut state.started, &first.state.started);
        flags(&mut state.learned, &first.state.learned);
    }
    shares.into_iter().map(|share| share.scratch).collect()
}

/// Whether a vector is a measured or recorded expression's.
fn is_probe(program: &Program, at: usize) -> bool {
    let mut probes = program.probes.iter();
    probes.any(|probe| matches!(probe.what, Probe::Vector(id, _) if id.0 as usize == at))
}

/// The state of some replicas, but for vectors and states of synapses.
fn share_of(program: &Program, state: &State, replicas: &Range<usize>) -> State {
    let mut scalars = state.scalars.clone();
    for first in own_scalars(program) {
        let own = first + replicas.start..first + replicas.end;
        scalars[first..first + replicas.len()].copy_from_slice(&state.scalars[own]);
    }
    State {
        step: state.step,
        entered: state.entered,
        scalars,
        vectors: vec![],
        weights: vec![Weights::default(); state.weights.len()],
        synapses: vec![vec![]; state.synapses.len()],
        learned: state.learned.clone(),
        started: state.started.clone(),
        fresh: false,
        in_trial: 0,
        updates: vec![],
        moments: state
            .moments
            .iter()
            .map(|m| m.as_ref().map(|_| Moments::default()))
            .collect(),
    }
}

/// Brings a vector's rows of all shares back into the state.
pub(super) fn look(program: &Program, state: &mut State, shares: &[Share], at: usize) {
    let all = program.layout.replicas;
    let slots = program.layout.slots[at] as usize;
    let length: usize = shares
        .iter()
        .map(|share| share.state.vectors[at].len())
        .sum();
    let whole = &mut state.vectors[at];
    whole.resize(length, 0.0);
    let row = length / slots.max(1) / all;
    for share in shares {
        let own = share.replicas.len() * row;
        let parts = share.state.vectors[at].chunks_exact(own.max(1));
        for (slot, part) in whole.chunks_exact_mut((all * row).max(1)).zip(parts) {
            slot[share.replicas.start * row..][..own].copy_from_slice(part);
        }
    }
}

/// Brings all vectors back into the state, as [`look`] does.
pub(super) fn look_at_all(program: &Program, state: &mut State, shares: &[Share]) {
    for at in 0..state.vectors.len() {
        if program.layout.slots[at] > 0 && !is_probe(program, at) {
            look(program, state, shares, at);
        }
    }
}

/// What each replica's modulators are enters the state, and their means.
pub(super) fn bring_modulators(program: &Program, state: &mut State, shares: &[Share]) {
    let all = program.layout.replicas;
    for (id, (values, changed)) in &program.layout.per_replica {
        for first in [values, changed].map(|first| first.0 as usize) {
            for share in shares {
                let own = &share.state.scalars[first..first + share.replicas.len()];
                state.scalars[first + share.replicas.start..first + share.replicas.end]
                    .copy_from_slice(own);
            }
        }
        let values = &state.scalars[values.0 as usize..][..all];
        let mean = values.iter().sum::<f64>() / all as f64;
        state.set_modulator(program, id.0 as usize, mean);
    }
}

/// Modulators that all replicas share, as they are now, go to all shares.
pub(super) fn tell(program: &Program, state: &State, shares: &mut [Share]) {
    let modulators = 2 * program.circuit.modulators.len();
    for share in shares {
        share.state.scalars[..modulators].copy_from_slice(&state.scalars[..modulators]);
    }
}

/// Biases that have learned go to all shares.
pub(super) fn tell_biases(program: &Program, state: &State, shares: &mut [Share]) {
    for at in program.layout.biases.values().map(|id| id.0 as usize) {
        for share in &mut *shares {
            share.state.vectors[at].copy_from_slice(&state.vectors[at]);
        }
    }
}

/// Moves the changes that shares have made between them and the state.
pub(super) fn exchange_changes(state: &mut State, shares: &mut [Share]) {
    for (number, share) in shares.iter_mut().enumerate() {
        let pairs = state.moments.iter_mut().zip(&mut share.state.moments);
        for (all, own) in pairs {
            if let (Some(all), Some(own)) = (all, own) {
                all.exchange(number, own);
            }
        }
    }
}

/// A vector's rows of some replicas, slot after slot.
fn rows_of(whole: &Vector, program: &Program, (at, replicas): (usize, &Range<usize>)) -> Vector {
    let slots = program.layout.slots[at] as usize;
    if slots == 0 {
        return whole.clone();
    }
    let slot = whole.len() / slots;
    let row = slot / program.layout.replicas;
    let mut part = Vector::zeros(replicas.len() * row * slots);
    let parts = part.chunks_exact_mut((replicas.len() * row).max(1));
    for (part, slot) in parts.zip(whole.chunks_exact(slot.max(1))) {
        part.copy_from_slice(&slot[replicas.start * row..replicas.end * row]);
    }
    part
}

/// Some replicas' part of a vector that goes replica by replica.
fn part_of(whole: &Vector, program: &Program, replicas: &Range<usize>) -> Range<usize> {
    let each = whole.len() / program.layout.replicas;
    replicas.start * each..replicas.end * each
}

/// The first of each group of numbers of which every replica has one.
fn own_scalars(program: &Program) -> Vec<usize> {
    let modulators = program.layout.per_replica.values();
    let mut all: Vec<usize> = modulators
        .flat_map(|(value, changed)| [value.0 as usize, changed.0 as usize])
        .collect();
    let equations = program.equation_filters.iter().map(|(_, filters)| filters);
    let modulators = program.modulators.iter().map(|m| &m.filters);
    let rules = program
        .rules
        .iter()
        .chain(&program.measured)
        .map(|r| &r.filters);
    let filters = equations.chain(modulators).chain(rules).flatten();
    all.extend(filters.filter_map(|place| match place {
        FilterPlace::Replicas { value, .. } => Some(value.0 as usize),
        _ => None,
    }));
    all
}

impl SourceBlock {
    /// Takes some replicas' part of a step from a block for all of them.
    fn take_share(
        &mut self,
        (whole, step): (&SourceBlock, usize),
        replicas: Range<usize>,
        all: usize,
    ) {
        self.steps = 1;
        self.lengths.clear();
        self.vectors
            .resize_with(whole.vectors.len(), Vector::default);
        for (source, own) in self.vectors.iter_mut().enumerate() {
            let values = whole.at(source, step);
            let row = values.len() / all;
            self.lengths.push(row * replicas.len());
            own.resize(row * replicas.len(), 0.0);
            own.copy_from_slice(&values[replicas.start * row..replicas.end * row]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_hold_all_replicas_and_at_most_sixteen() {
        for replicas in [8, 15, 16, 17, 30, 32, 33, 100] {
            let ranges = ranges(replicas);
            assert!(ranges.len() >= 2 && ranges.iter().all(|r| (4..=MOST).contains(&r.len())));
            assert_eq!(
                ranges.into_iter().flatten().collect::<Vec<_>>(),
                (0..replicas).collect::<Vec<_>>()
            );
        }
        assert!(ranges(7).is_empty());
    }
}
