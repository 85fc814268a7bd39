//! Rules at work.

mod desk;
mod maps;
mod outer;
mod rows;
mod single;

pub(super) use desk::Desk;
pub(super) use maps::{settle_pending, take_maps};
pub(super) use outer::{clip, grow, outer, wait};
pub(super) use rows::{RowScratch, general};
pub(super) use single::elementwise;

use super::step::Step;
use crate::circuit::ProjectionId;
use crate::compile::expressions::Plastic;
use crate::compile::layout::FilterPlace;
use crate::compile::program::PlacedRule;
use crate::compile::{Program, Weights};
use crate::lang::FilterKind;
use crate::lang::vm::padded;
use crate::vector::Vector;

/// The initial states of a rule's per-synapse filters: for each, replica after replica and slot after slot,
/// laid out as the weights.
pub(super) fn synapse_states(
    program: &Program,
    rule: &PlacedRule,
    weights: &[Weights],
) -> Vec<Vector> {
    let length = match rule.rule.plastic {
        Plastic::Projection(id) => weights[id.0 as usize].len(),
        Plastic::Bias(_) => padded(rule.ends.1),
    };
    let filters = rule.rule.expr.formula.filters.iter().zip(&rule.filters);
    let states = filters.filter(|(_, place)| matches!(place, FilterPlace::Synapse(_)));
    states
        .map(|(filter, _)| Vector::zeros(length * program.layout.replicas * slots(filter.kind)))
        .collect()
}

/// Earlier values that a filter keeps.
fn slots(kind: FilterKind) -> usize {
    match kind {
        FilterKind::Previous(n) => n as usize,
        _ => 1,
    }
}

/// Takes a projection's weights out of the simulation while they are changed.
fn take_weights(step: &mut Step<'_>, id: ProjectionId) -> Weights {
    std::mem::take(&mut step.state.weights[id.0 as usize])
}

/// Takes a projection's weights in double precision and a rule's states out of the simulation while they are changed; and
/// whether the states have been used. Weights in single precision stay where they are: what is taken is a copy.
pub(super) fn take(
    step: &mut Step<'_>,
    id: ProjectionId,
    rule: usize,
) -> (Weights, Vec<Vector>, bool) {
    let weights = match &mut step.state.weights[id.0 as usize] {
        weights @ Weights::Single { .. } => {
            let mut values = std::mem::take(&mut step.scratch.doubles);
            values.resize(weights.len(), 0.0);
            weights.write_doubles(&mut values);
            let post = step.program.circuit.projections[id.0 as usize].to;
            Weights::Dense {
                row: padded(step.program.circuit.population(post.population).size),
                values,
            }
        }
        weights => std::mem::take(weights),
    };
    let states = std::mem::take(&mut step.state.synapses[rule]);
    (weights, states, step.state.learned[rule])
}

/// Undoes [`take`].
pub(super) fn put_back(
    step: &mut Step<'_>,
    id: ProjectionId,
    rule: usize,
    weights: Weights,
    states: Vec<Vector>,
) {
    match (&mut step.state.weights[id.0 as usize], weights) {
        (single @ Weights::Single { .. }, Weights::Dense { values, .. }) => {
            single.read_doubles(&values);
            step.scratch.doubles = values;
        }
        (place, weights) => *place = weights,
    }
    step.state.synapses[rule] = states;
    step.state.learned[rule] = true;
}

/// All numbers of weights that [`take`] gave.
pub(super) fn numbers(weights: &mut Weights) -> &mut [f64] {
    match weights.values_mut() {
        Some(values) => values,
        None => &mut [],
    }
}
