//! Sums of outer products of a postsynaptic and a presynaptic factor.

use super::super::products::Products;
use super::super::step::{Scratch, Step};
use super::super::waiting::Waiting;
use super::desk::{Lengths, Sides};
use super::{numbers, take_weights};
use crate::circuit::connect::Connectivity;
use crate::circuit::{CompartmentId, ProjectionId};
use crate::compile::Weights;
use crate::compile::learning::{OuterRule, OuterTerm};
use crate::engine::{elementwise, outer as kernels};
use crate::lang::vm::Machine;
use crate::netlist::model::Precision;
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
    let replicas = step.replicas;
    let size = |end: CompartmentId| step.program.circuit.population(end.population).size;
    let pre_size = size(projection.from);
    let lengths = Lengths::of(projection, [pre_size, size(projection.to)]);
    let (post_row, pre_row) = (lengths.post, lengths.pre);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        desk,
        both: whole_posts,
        singles,
        products,
        ..
    } = scratch;
    let Some(sides) = desk.factors(memory, machine, term, lengths) else {
        return false;
    };
    let Sides {
        mut post,
        pre,
        active,
        ..
    } = sides;
    if let (Some(_), Connectivity::Convolution(shape)) = (&term.maps, &projection.connectivity) {
        sides.whole(lengths, shape.output.places(), whole_posts);
        post = whole_posts;
    }
    if let Change::Add { growth } = change
        && Products::take(projection, replicas)
    {
        if growth.abs() > 0.0 {
            grow(machine.arch(), weights, growth);
        }
        products.learn(weights, projection, (post, pre), (replicas, active));
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

/// Lets a rule's products wait; `false` if they cannot: those of many replicas on a dense projection in single precision can.
pub(in crate::engine::rate) fn wait(
    step: &mut Step<'_>,
    rule: &OuterRule,
    waiting: &mut Waiting,
) -> bool {
    let projection = &step.program.circuit.projections[rule.projection.0 as usize];
    let Connectivity::Dense { pre, post } = projection.connectivity else {
        return false;
    };
    let replicas = step.replicas;
    let alone = rule.growth.is_none() && rule.decay.is_none();
    let single = projection.precision == Precision::Single;
    if !(alone && single && Products::take(projection, replicas)) {
        return false;
    }
    step.smooth(&rule.filters);
    let lengths = Lengths::of(projection, [pre, post]);
    for term in &rule.terms {
        let (memory, scratch) = step.parts();
        let Scratch { machine, desk, .. } = scratch;
        if let Some(sides) = desk.factors(memory, machine, term, lengths) {
            for replica in sides.active {
                let row = |length: usize| replica * length..(replica + 1) * length;
                waiting.add(&sides.post[row(lengths.post)], &sides.pre[row(lengths.pre)]);
            }
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
