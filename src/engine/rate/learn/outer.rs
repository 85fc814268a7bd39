//! Sums of outer products of a postsynaptic and a presynaptic factor.

use super::super::step::{Scratch, Step};
use super::take_weights;
use crate::circuit::connect::Connectivity;
use crate::circuit::{CompartmentId, ProjectionId};
use crate::compile::Weights;
use crate::compile::learning::{Factor, OuterRule, OuterTerm};
use crate::engine::{dense, elementwise};
use crate::lang::vm::{Machine, padded};

/// Adds a rule's outer products to a projection's weights.
pub(in crate::engine::rate) fn outer(step: &mut Step<'_>, rule: &OuterRule) {
    let mut weights = take_weights(step, rule.projection);
    if let Some(decay) = &rule.decay {
        outer_term(step, rule.projection, decay, &mut weights, true);
    }
    for term in &rule.terms {
        outer_term(step, rule.projection, term, &mut weights, false);
    }
    elementwise::clip(weights.values_mut(), rule.within);
    step.state.weights[rule.projection.0 as usize] = weights;
}

fn outer_term(
    step: &mut Step<'_>,
    id: ProjectionId,
    term: &OuterTerm,
    weights: &mut Weights,
    decay: bool,
) {
    let projection = &step.program.circuit.projections[id.0 as usize];
    let replicas = step.program.layout.replicas;
    let size = |end: CompartmentId| step.program.circuit.population(end.population).size;
    let (pre_size, post_row) = (size(projection.from), padded(size(projection.to)));
    let pre_row = padded(pre_size);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        first: post,
        second,
        ..
    } = scratch;
    if let Some(gate) = &term.gate
        && memory.run_scalar(machine, gate).abs() <= 0.0
    {
        return;
    }
    post.resize(post_row * replicas, 0.0);
    memory.run(machine, &term.post, post);
    let pre: &[f64] = match &term.pre {
        Factor::Vector(place) => memory.vector(*place),
        Factor::One => {
            second.clear();
            second.resize(pre_row * replicas, 1.0);
            second
        }
        Factor::Kernel(kernel) => {
            second.resize(pre_row * replicas, 0.0);
            memory.run(machine, kernel, second);
            second
        }
    };
    // A decay that is the same in all replicas is applied once.
    let rounds = if decay { 1 } else { replicas };
    for (post, pre) in post
        .chunks_exact(post_row)
        .zip(pre.chunks_exact(pre_row))
        .take(rounds)
    {
        apply(
            machine,
            weights,
            &projection.connectivity,
            (&pre[..pre_size], post),
            decay,
        );
    }
}

/// Adds pre·post to each weight, or multiplies each by 1 + pre·post.
fn apply(
    machine: &Machine,
    weights: &mut Weights,
    connectivity: &Connectivity,
    (pre, post): (&[f64], &[f64]),
    decay: bool,
) {
    match (weights, connectivity) {
        (Weights::Dense { values, .. }, _) if !decay => {
            dense::add_outer(machine.arch(), values, pre, post)
        }
        (Weights::Dense { values, .. }, _) => {
            dense::multiply_outer(machine.arch(), values, pre, post);
        }
        (Weights::Sparse { values }, Connectivity::Sparse(sparse)) => {
            for (row, x) in sparse.offsets.windows(2).zip(pre) {
                for (w, target) in values[row[0]..row[1]]
                    .iter_mut()
                    .zip(&sparse.targets[row[0]..row[1]])
                {
                    let p = post[*target as usize];
                    *w = if decay {
                        (p * x).mul_add(*w, *w)
                    } else {
                        p.mul_add(*x, *w)
                    };
                }
            }
        }
        _ => {}
    }
}
