//! Changes of convolutions in single precision, while shares of the replicas take their steps apart.

use super::super::optimise::Pending;
use super::super::shares;
use super::super::state::State;
use super::super::step::{Scratch, Step};
use super::desk::{Lengths, open};
use crate::circuit::connect::Connectivity;
use crate::circuit::grid::Convolution;
use crate::compile::Program;
use crate::compile::expressions::Plastic;
use crate::compile::kernel::{VectorId, VectorRef};
use crate::compile::learning::{Factor, OuterRule, OuterTerm, Repeats};
use crate::engine::convolve::Posts;
use crate::engine::elementwise;
use crate::netlist::model::Precision;

/// Adds a rule's products to the change of a convolution in single precision, while shares of the replicas take their steps apart;
/// `false` if they are others. A product whose presynaptic vector comes again in another one waits for that, unless an update is
/// due before.
pub(in crate::engine::rate) fn take_maps(
    step: &mut Step<'_>,
    (rule, repeats): (&OuterRule, Option<Repeats>),
    change: &mut Vec<f32>,
    pending: &mut Vec<Pending>,
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
    let sizes = [shape.input.size(), shape.output.size()];
    let of = (shape, Lengths::of(projection, sizes));
    let pair = repeats.map(|repeats| [repeats.first, repeats.again]);
    for (number, term) in rule.terms.iter().enumerate() {
        if !pair.is_some_and(|pair| pair.contains(&number)) {
            take_term(step, term, of, change);
        }
    }
    let Some(repeats) = repeats else { return true };
    let lag = repeats.lag as usize;
    pending.resize_with(lag, Pending::default);
    let at = (step.state.step % lag as u64) as usize;
    take_both(
        step,
        &rule.terms[repeats.again],
        of,
        (change, &mut pending[at]),
    );
    let first = &rule.terms[repeats.first];
    if step.is_due {
        for later in 1..lag {
            let waits = &mut pending[(at + later) % lag];
            take_pending(step, (repeats, later as u32), of, (change, waits));
        }
        take_term(step, first, of, change);
    } else {
        keep_term(step, first, of, (&mut pending[at], repeats));
    }
    true
}

/// A convolution and the lengths of what it reads.
type Of<'a> = (&'a Convolution, Lengths);

/// Adds a product.
fn take_term(
    step: &mut Step<'_>,
    term: &OuterTerm,
    (shape, lengths): Of<'_>,
    change: &mut Vec<f32>,
) {
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        desk,
        products,
        ..
    } = scratch;
    if let Some(sides) = desk.factors(memory, machine, term, lengths) {
        let posts = Posts {
            neurons: sides.post,
            maps: sides.maps,
        };
        products.take_maps(shape, (posts, sides.pre), sides.active, change);
    }
}

/// Adds a product, and with it what waits for it.
fn take_both(
    step: &mut Step<'_>,
    term: &OuterTerm,
    (shape, lengths): Of<'_>,
    (change, pending): (&mut Vec<f32>, &mut Pending),
) {
    let Factor::Vector(pre) = term.pre else {
        return;
    };
    if pending.active.is_empty() {
        return take_term(step, term, (shape, lengths), change);
    }
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        desk,
        both,
        products,
        ..
    } = scratch;
    let sides = desk.factors(memory, machine, term, lengths);
    let row = match pending.neurons {
        Some(_) => lengths.maps,
        None => lengths.post,
    };
    both.resize(row * memory.replicas, 0.0);
    both.fill(0.0);
    match (sides, pending.neurons) {
        (Some(sides), Some(_)) => {
            for replica in sides.active {
                let row = replica * row..(replica + 1) * row;
                both[row.clone()].copy_from_slice(&sides.maps[row]);
            }
        }
        (Some(sides), None) if term.maps.is_some() => {
            sides.whole(lengths, shape.output.places(), both);
        }
        (Some(sides), None) => both.copy_from_slice(sides.post),
        (None, _) => {}
    }
    for replica in &pending.active {
        let row = replica * row..(replica + 1) * row;
        elementwise::add(machine.arch(), &mut both[row.clone()], &pending.posts[row]);
    }
    let active = &mut pending.active;
    active.extend(sides.map_or(&[][..], |sides| sides.active));
    active.sort_unstable();
    active.dedup();
    let neurons = pending.neurons.and(term.post.copied());
    let posts = Posts::of(both, neurons.map(|place| memory.vector(place)));
    products.take_maps(shape, (posts, memory.vector(pre)), active, change);
    pending.active.clear();
}

/// Adds a product that can wait no longer, of the step that is `lag - later` steps ago.
fn take_pending(
    step: &mut Step<'_>,
    (repeats, later): (Repeats, u32),
    (shape, _): Of<'_>,
    (change, pending): (&mut Vec<f32>, &mut Pending),
) {
    if pending.active.is_empty() {
        return;
    }
    let (memory, scratch) = step.parts();
    let then = |ring: VectorId| {
        memory.vector(VectorRef::Delayed {
            ring,
            depth: repeats.lag,
            delay: repeats.lag - later,
        })
    };
    let posts = Posts::of(&pending.posts, repeats.neurons.map(then));
    let sides = (posts, then(repeats.pre));
    let active = &pending.active;
    scratch.products.take_maps(shape, sides, active, change);
    pending.active.clear();
}

/// Keeps a product's postsynaptic factor for a later step.
fn keep_term(
    step: &mut Step<'_>,
    term: &OuterTerm,
    (shape, lengths): Of<'_>,
    (pending, repeats): (&mut Pending, Repeats),
) {
    let (memory, scratch) = step.parts();
    let Scratch { machine, desk, .. } = scratch;
    pending.pre = repeats.pre.0;
    pending.neurons = repeats.neurons.map(|id| id.0);
    let Pending { active, posts, .. } = pending;
    if repeats.neurons.is_some() {
        open(memory, machine, term, (posts, active), lengths.maps);
        return;
    }
    active.clear();
    let Some(sides) = desk.factors(memory, machine, term, lengths) else {
        return;
    };
    active.extend(sides.active);
    if term.maps.is_some() {
        sides.whole(lengths, shape.output.places(), posts);
    } else {
        posts.resize(sides.post.len(), 0.0);
        posts.copy_from_slice(sides.post);
    }
}

/// A stage ends: products that wait for steps that would have come are added to the changes.
pub(in crate::engine::rate) fn settle_pending(
    program: &Program,
    state: &mut State,
    scratch: &mut Scratch,
) {
    let replicas = program.layout.replicas;
    let ranges = shares::ranges(replicas);
    for (moments, rule) in state.moments.iter_mut().zip(&program.rules) {
        let Some(moments) = moments else { continue };
        let Plastic::Projection(id) = rule.rule.plastic else {
            continue;
        };
        let Connectivity::Convolution(shape) = &program.circuit.projection(id).connectivity else {
            continue;
        };
        for (number, range) in ranges.iter().enumerate() {
            let Some((pending, maps)) = moments.pending(number) else {
                continue;
            };
            let lag = pending.len();
            for (slot, pending) in pending.iter_mut().enumerate() {
                // A share's part of what a ring keeps of that step.
                let then = |ring: u32| {
                    let ring = &state.vectors[ring as usize];
                    let row = ring.len() / (lag * replicas);
                    &ring[slot * replicas * row..][range.start * row..range.end * row]
                };
                if pending.active.is_empty() {
                    continue;
                }
                let posts = Posts::of(&pending.posts, pending.neurons.map(then));
                let sides = (posts, then(pending.pre));
                let active = &pending.active;
                scratch.products.take_maps(shape, sides, active, maps);
                pending.active.clear();
            }
        }
    }
}
