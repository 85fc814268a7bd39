//! Sums of outer products of a postsynaptic and a presynaptic factor.

use super::super::kernels::Memory;
use super::super::products::Products;
use super::super::step::{Scratch, Step};
use super::super::waiting::Waiting;
use super::{numbers, take_weights};
use crate::circuit::connect::Connectivity;
use crate::circuit::{CompartmentId, Projection, ProjectionId};
use crate::compile::Weights;
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
    let pre_size = size(projection.from);
    let lengths = Lengths::of(projection, [pre_size, size(projection.to)]);
    let (post_row, pre_row) = (lengths.post, lengths.pre);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        first,
        second,
        maps: [maps, whole_posts],
        active,
        singles,
        products,
        ..
    } = scratch;
    let desk = Desk {
        post: first,
        maps,
        pre: second,
        active,
    };
    let Some(sides) = factors(memory, machine, term, desk, lengths) else {
        return false;
    };
    let Sides {
        mut post,
        pre,
        active,
        ..
    } = sides;
    if let (Some(_), Connectivity::Convolution(shape)) = (&term.maps, &projection.connectivity) {
        whole(sides, lengths, shape.output.places(), whole_posts);
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

/// Both factors of a product in all replicas.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    /// The postsynaptic one, 0 in replicas that are not active unless there is another one of the maps.
    pub post: &'a [f64],
    /// That of the maps of a convolution, if there is one.
    pub maps: &'a [f64],
    pub pre: &'a [f64],
    /// Replicas in which the product may be other than 0.
    pub active: &'a [usize],
}

/// Where factors are computed.
pub(super) struct Desk<'a> {
    pub post: &'a mut Vector,
    pub maps: &'a mut Vector,
    pub pre: &'a mut Vector,
    pub active: &'a mut Vec<usize>,
}

/// Numbers in the rows of both factors of a projection, and in those of the maps of its target.
#[derive(Clone, Copy)]
pub(super) struct Lengths {
    pub post: usize,
    pub pre: usize,
    pub maps: usize,
}

impl Lengths {
    pub fn of(projection: &Projection, [pre, post]: [usize; 2]) -> Lengths {
        let maps = match &projection.connectivity {
            Connectivity::Convolution(shape) => shape.output.channels,
            _ => 0,
        };
        let [pre, post, maps] = [pre, post, maps].map(padded);
        Lengths { post, pre, maps }
    }
}

/// Where a product may be other than 0: replicas whose gates are open and whose maps' factors, which are computed, are not all 0.
/// `false` if nowhere.
pub(super) fn open(
    memory: Memory<'_>,
    machine: &mut Machine,
    term: &OuterTerm,
    (maps, active): (&mut Vector, &mut Vec<usize>),
    length: usize,
) -> bool {
    active.clear();
    if let Some(gate) = &term.gate
        && memory.run_scalar(machine, gate).abs() <= 0.0
    {
        return false;
    }
    let mut is_open = |replica: &usize| {
        let gate = term.own_gate.as_deref();
        gate.is_none_or(|gate| memory.run_scalar_of(machine, gate, *replica).abs() > 0.0)
    };
    active.extend((0..memory.replicas).filter(&mut is_open));
    if let Some(kernel) = &term.maps {
        maps.resize(length * memory.replicas, 0.0);
        memory.run_some(machine, kernel, maps, active.iter().copied());
        let row = |replica: usize| &maps[replica * length..][..length];
        active.retain(|replica| row(*replica).iter().any(|x| x.abs() > 0.0 || x.is_nan()));
    }
    !active.is_empty()
}

/// The factors of a product; none if gates close it everywhere.
pub(super) fn factors<'a>(
    memory: Memory<'a>,
    machine: &mut Machine,
    term: &OuterTerm,
    desk: Desk<'a>,
    lengths: Lengths,
) -> Option<Sides<'a>> {
    let Desk {
        post,
        maps,
        pre,
        active,
    } = desk;
    if !open(memory, machine, term, (maps, active), lengths.maps) {
        return None;
    }
    let post: &[f64] = match (&term.maps, term.post.copied()) {
        (Some(_), Some(place)) => memory.vector(place),
        (maps, _) => {
            post.resize(lengths.post * memory.replicas, 0.0);
            if active.len() == memory.replicas {
                memory.run(machine, &term.post, post);
            } else {
                if maps.is_none() {
                    post.fill(0.0);
                }
                memory.run_some(machine, &term.post, post, active.iter().copied());
            }
            post
        }
    };
    let pre: &[f64] = match &term.pre {
        Factor::Vector(place) => memory.vector(*place),
        Factor::One => {
            pre.clear();
            pre.resize(lengths.pre * memory.replicas, 1.0);
            pre
        }
        Factor::Kernel(kernel) => {
            pre.resize(lengths.pre * memory.replicas, 0.0);
            memory.run(machine, kernel, pre);
            pre
        }
    };
    Some(Sides {
        post,
        maps: if term.maps.is_some() { maps } else { &[] },
        pre,
        active,
    })
}

/// Neurons' factors times those of their maps, in the replicas that are active; 0 in the others.
pub(super) fn whole(sides: Sides<'_>, lengths: Lengths, places: usize, out: &mut Vector) {
    out.resize(sides.post.len(), 0.0);
    out.fill(0.0);
    for replica in sides.active {
        let rows = replica * lengths.post..(replica + 1) * lengths.post;
        let (from, to) = (&sides.post[rows.clone()], &mut out[rows]);
        let maps = &sides.maps[replica * lengths.maps..];
        let neurons = from.chunks_exact(places).zip(to.chunks_exact_mut(places));
        for ((from, to), factor) in neurons.zip(maps) {
            to.iter_mut().zip(from).for_each(|(to, x)| *to = factor * x);
        }
    }
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
        let Scratch {
            machine,
            first,
            second,
            maps: [maps, _],
            active,
            ..
        } = scratch;
        let desk = Desk {
            post: first,
            maps,
            pre: second,
            active,
        };
        if let Some(sides) = factors(memory, machine, term, desk, lengths) {
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
