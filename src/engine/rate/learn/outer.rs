//! Sums of outer products of a postsynaptic and a presynaptic factor.

use super::super::kernels::Memory;
use super::super::optimise::Pending;
use super::super::products::Products;
use super::super::step::{Scratch, Step};
use super::super::waiting::Waiting;
use super::{numbers, take_weights};
use crate::circuit::connect::Connectivity;
use crate::circuit::grid::Convolution;
use crate::circuit::{CompartmentId, ProjectionId};
use crate::compile::Weights;
use crate::compile::kernel::VectorId;
use crate::compile::learning::{Factor, OuterRule, OuterTerm};
use crate::engine::{elementwise, outer as kernels};
use crate::lang::vm::{Machine, padded};
use crate::netlist::model::Precision;
use crate::vector::{Singles, Vector};
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
    let (pre_size, post_row) = (size(projection.from), padded(size(projection.to)));
    let pre_row = padded(pre_size);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        first,
        second,
        active,
        singles,
        products,
        ..
    } = scratch;
    let scratch_of = (first, second, active);
    let lengths = [post_row, pre_row].map(|row| row * replicas);
    let Some(Sides { post, pre, active }) = factors(memory, machine, term, scratch_of, lengths)
    else {
        return false;
    };
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

/// Both factors of a product in all replicas.
struct Sides<'a> {
    /// The postsynaptic one, 0 in replicas that are not active.
    post: &'a [f64],
    pre: &'a [f64],
    /// Replicas in which the product may be other than 0.
    active: &'a [usize],
}

/// The factors of a product, of these lengths; none if gates close it everywhere.
fn factors<'a>(
    memory: Memory<'a>,
    machine: &mut Machine,
    term: &OuterTerm,
    (post, second, active): (&'a mut Vector, &'a mut Vector, &'a mut Vec<usize>),
    [post_length, pre_length]: [usize; 2],
) -> Option<Sides<'a>> {
    if let Some(gate) = &term.gate
        && memory.run_scalar(machine, gate).abs() <= 0.0
    {
        return None;
    }
    let mut is_open = |replica: &usize| {
        let gate = term.own_gate.as_deref();
        gate.is_none_or(|gate| memory.run_scalar_of(machine, gate, *replica).abs() > 0.0)
    };
    active.clear();
    active.extend((0..memory.replicas).filter(&mut is_open));
    if active.is_empty() {
        return None;
    }
    post.resize(post_length, 0.0);
    if active.len() == memory.replicas {
        memory.run(machine, &term.post, post);
    } else {
        post.fill(0.0);
        memory.run_some(machine, &term.post, post, active.iter().copied());
    }
    let pre: &[f64] = match &term.pre {
        Factor::Vector(place) => memory.vector(*place),
        Factor::One => {
            second.clear();
            second.resize(pre_length, 1.0);
            second
        }
        Factor::Kernel(kernel) => {
            second.resize(pre_length, 0.0);
            memory.run(machine, kernel, second);
            second
        }
    };
    Some(Sides { post, pre, active })
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
    let lengths = [post, pre].map(|n| padded(n) * replicas);
    for term in &rule.terms {
        let (memory, scratch) = step.parts();
        let Scratch {
            machine,
            first,
            second,
            active,
            ..
        } = scratch;
        let scratch_of = (first, second, active);
        if let Some(sides) = factors(memory, machine, term, scratch_of, lengths) {
            let rows = lengths.map(|length| length / memory.replicas);
            for replica in sides.active {
                let row = |of: usize| replica * rows[of]..(replica + 1) * rows[of];
                waiting.add(&sides.post[row(0)], &sides.pre[row(1)]);
            }
        }
    }
    true
}

/// Adds a rule's products to the change of a convolution in single precision, while shares of the replicas take their steps apart;
/// `false` if they are others. Of a rule that repeats a presynaptic vector the first product waits for the second one of the next step,
/// unless an update is due.
pub(in crate::engine::rate) fn take_maps(
    step: &mut Step<'_>,
    (rule, repeats): (&OuterRule, Option<VectorId>),
    change: &mut Vec<f32>,
    pending: &mut Pending,
) -> bool {
    let projection = &step.program.circuit.projections[rule.projection.0 as usize];
    let Connectivity::Convolution(shape) = &projection.connectivity else {
        return false;
    };
    let alone = rule.growth.is_none() && rule.decay.is_none();
    let single = projection.precision == Precision::Single;
    if !(step.common.is_some() && alone && single) {
        return false;
    }
    step.smooth(&rule.filters);
    match (repeats, &rule.terms[..]) {
        (Some(pre), [now, before]) => {
            take_term(step, before, shape, (change, Some(&mut *pending)));
            if step.is_due {
                take_term(step, now, shape, (change, None));
            } else {
                keep_term(step, now, shape, (pending, pre));
            }
        }
        (_, terms) => {
            for term in terms {
                take_term(step, term, shape, (change, None));
            }
        }
    }
    true
}

/// Numbers in the factors of a convolution.
fn lengths_of(shape: &Convolution, replicas: usize) -> [usize; 2] {
    [shape.output, shape.input].map(|grid| padded(grid.size()) * replicas)
}

/// Adds a product, and with it what waits for it.
fn take_term(
    step: &mut Step<'_>,
    term: &OuterTerm,
    shape: &Convolution,
    (change, pending): (&mut Vec<f32>, Option<&mut Pending>),
) {
    let lengths = lengths_of(shape, step.replicas);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        first,
        second,
        active,
        products,
        ..
    } = scratch;
    let row = lengths[0] / memory.replicas;
    let pending = pending.filter(|pending| !pending.active.is_empty());
    let Some(pending) = pending else {
        let scratch_of = (first, second, active);
        if let Some(sides) = factors(memory, machine, term, scratch_of, lengths) {
            products.take_maps(shape, (sides.post, sides.pre), sides.active, change);
        }
        return;
    };
    let Factor::Vector(pre) = term.pre else {
        return;
    };
    let pre = memory.vector(pre);
    if factors(memory, machine, term, (first, second, active), lengths).is_none() {
        products.take_maps(shape, (&pending.posts, pre), &pending.active, change);
    } else {
        for replica in pending.active.iter() {
            let place = replica * row..(replica + 1) * row;
            elementwise::add(
                machine.arch(),
                &mut first[place.clone()],
                &pending.posts[place],
            );
        }
        active.extend(&pending.active);
        active.sort_unstable();
        active.dedup();
        products.take_maps(shape, (first, pre), active, change);
    }
    pending.active.clear();
}

/// Keeps a product's postsynaptic factor for the next step.
fn keep_term(
    step: &mut Step<'_>,
    term: &OuterTerm,
    shape: &Convolution,
    (pending, pre): (&mut Pending, VectorId),
) {
    let lengths = lengths_of(shape, step.replicas);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine, second, ..
    } = scratch;
    let into = (&mut pending.posts, second, &mut pending.active);
    if factors(memory, machine, term, into, lengths).is_none() {
        pending.active.clear();
    }
    pending.pre = pre.0;
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
