//! Sums of outer products of a postsynaptic and a presynaptic factor.

use super::super::products::Products;
use super::super::step::{Scratch, Step};
use super::{numbers, take_weights};
use crate::circuit::connect::Connectivity;
use crate::circuit::{CompartmentId, ProjectionId};
use crate::compile::Weights;
use crate::compile::learning::{Factor, OuterRule, OuterTerm};
use crate::engine::{elementwise, outer as kernels};
use crate::lang::vm::{Machine, padded};
use crate::vector::Singles;
use pulp::Arch;

/// Adds a rule's outer products to a projection's weights.
pub(in crate::engine::rate) fn outer(step: &mut Step<'_>, rule: &OuterRule) {
    let mut weights = take_weights(step, rule.projection);
    let mut growth = rule.growth.as_ref().map_or(0.0, |kernel| {
        let (memory, scratch) = step.parts();
        memory.run_scalar(&mut scratch.machine, kernel)
    });
    if let Some(decay) = &rule.decay {
        outer_term(step, rule.projection, decay, &mut weights, Change::Multiply);
    }
    for term in &rule.terms {
        let change = Change::Add { growth };
        if outer_term(step, rule.projection, term, &mut weights, change) {
            growth = 0.0;
        }
    }
    // Gates may have closed all products that it could have gone with.
    if growth.abs() > 0.0 {
        grow(step.scratch.machine.arch(), &mut weights, growth);
    }
    clip(&mut weights, rule.within);
    step.state.weights[rule.projection.0 as usize] = weights;
}

/// What becomes of the weights.
#[derive(Clone, Copy)]
enum Change {
    /// Each is multiplied by 1 + pre·post.
    Multiply,
    /// Each is multiplied by 1 + growth (in the first replica), then pre·post is added.
    Add { growth: f64 },
}

/// Applies a product; `false` if a gate closes it.
fn outer_term(
    step: &mut Step<'_>,
    id: ProjectionId,
    term: &OuterTerm,
    weights: &mut Weights,
    mut change: Change,
) -> bool {
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
        singles,
        products,
        ..
    } = scratch;
    if let Some(gate) = &term.gate
        && memory.run_scalar(machine, gate).abs() <= 0.0
    {
        return false;
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
    if let Change::Add { growth } = change
        && Products::take(projection, replicas)
    {
        if growth.abs() > 0.0 {
            grow(machine.arch(), weights, growth);
        }
        products.learn(weights, projection, (post, pre), replicas);
        return true;
    }
    // A decay that is the same in all replicas is applied once.
    let rounds = match change {
        Change::Multiply => 1,
        Change::Add { .. } => replicas,
    };
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
            change,
            singles,
        );
        if let Change::Add { growth } = &mut change {
            *growth = 0.0;
        }
    }
    true
}

/// Both sides in single precision, each in so many numbers.
fn rounded<'a>(
    arch: Arch,
    singles: &'a mut [Singles; 2],
    sides: [(&[f64], usize); 2],
) -> [&'a [f32]; 2] {
    for (out, (side, length)) in singles.iter_mut().zip(sides) {
        out.resize(length, 0.0);
        elementwise::round(arch, side, out);
    }
    let [pre, post] = singles;
    [pre, post]
}

pub(in crate::engine::rate) fn grow(arch: Arch, weights: &mut Weights, growth: f64) {
    match weights {
        Weights::Single { values, .. } => elementwise::grow(arch, values, growth as f32),
        weights => elementwise::grow(arch, numbers(weights), growth),
    }
}

pub(in crate::engine::rate) fn clip(weights: &mut Weights, within: Option<[f64; 2]>) {
    match weights {
        Weights::Single { values, .. } => elementwise::clip(values, within),
        weights => elementwise::clip(numbers(weights), within),
    }
}

fn apply(
    machine: &Machine,
    weights: &mut Weights,
    connectivity: &Connectivity,
    (pre, post): (&[f64], &[f64]),
    change: Change,
    singles: &mut [Singles; 2],
) {
    match (weights, connectivity, change) {
        (Weights::Single { row, values, .. }, _, change) => {
            let [pre, post] = rounded(machine.arch(), singles, [(pre, pre.len()), (post, *row)]);
            match change {
                Change::Add { growth } => {
                    kernels::add_outer(machine.arch(), values, growth as f32, pre, post);
                }
                Change::Multiply => kernels::multiply_outer(machine.arch(), values, pre, post),
            }
        }
        (Weights::Dense { values, .. }, _, Change::Add { growth }) => {
            kernels::add_outer(machine.arch(), values, growth, pre, post);
        }
        (Weights::Dense { values, .. }, _, Change::Multiply) => {
            kernels::multiply_outer(machine.arch(), values, pre, post);
        }
        (Weights::Sparse { values }, Connectivity::Sparse(sparse), change) => {
            for (row, x) in sparse.offsets.windows(2).zip(pre) {
                for (w, target) in values[row[0]..row[1]]
                    .iter_mut()
                    .zip(&sparse.targets[row[0]..row[1]])
                {
                    let p = post[*target as usize];
                    *w = match change {
                        Change::Multiply => (p * x).mul_add(*w, *w),
                        Change::Add { growth } => p.mul_add(*x, growth.mul_add(*w, *w)),
                    };
                }
            }
        }
        _ => {}
    }
}
