//! Walking the list of operations.
//!
//! The walk itself is compiled for the machine's instruction set, so that short loops stand in it and longer kernels are
//! called without another dispatch. A vector that is written is moved out of the others meanwhile: nothing that an
//! operation reads is what it writes.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::super::learn;
use super::super::step::{NotFinite, Step};
use super::driven;
use super::eligibility::eligibility;
use super::evaluate::{Evaluate, number};
use super::pattern::Number;
use super::precision::{Change, Precision, Tools};
use super::{Delivery, Flat, Op, OuterOp, Single};
use crate::compile::Weights;
use crate::compile::kernel::VectorRef;
use crate::compile::plan::Plan;
use crate::engine::elementwise::{self, AddProduct, DecayAdd, Euler, Factor, Smooth};
use crate::engine::lanes::padded;
use crate::lang::FilterKind;

/// Phases 3 to 8 of a step, as a list of operations.
pub(in crate::engine::rate) struct Run<'r, 's, T> {
    pub step: &'r mut Step<'s>,
    pub plan: &'r Plan,
    pub flat: &'r Flat,
    pub precision: PhantomData<T>,
}

impl<T: Precision> WithSimd for Run<'_, '_, T> {
    type Output = Result<(), NotFinite>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Run {
            step, plan, flat, ..
        } = self;
        for op in &flat.ops {
            match op {
                Op::Drive {
                    into,
                    base,
                    deliveries,
                } => drive::<S, T>(simd, step, *into, *base, deliveries),
                Op::Value { .. } => value::<S, T>(simd, step, op)?,
                Op::Driven(op) => driven::run::<S, T>(simd, step, op)?,
                Op::Smooth {
                    state,
                    input,
                    kind,
                    index,
                } => smooth::<S, T>(simd, step, (*state, *input), *kind, *index),
                Op::Sum {
                    pattern,
                    length,
                    into,
                } => {
                    let (memory, Tools { machine, first, .. }) = T::parts(step);
                    first.resize(padded::<T>(*length), T::default());
                    Evaluate {
                        memory: &memory,
                        machine,
                        pattern,
                        out: first,
                        check: false,
                    }
                    .run(simd);
                    let total = T::total(simd, &first[..*length]);
                    step.state.scalars[*into] = total;
                }
                Op::Modulate { modulator, value } => {
                    let (memory, tools) = T::parts(step);
                    let value = number(&memory, tools.machine, value);
                    step.set_modulator(*modulator, value);
                }
                Op::Outer {
                    projection,
                    pre,
                    post,
                    growth,
                    terms,
                    within,
                } => outer::<S, T>(
                    simd,
                    step,
                    (*projection, *pre, *post),
                    growth.as_ref(),
                    terms,
                    *within,
                ),
                Op::Elementwise { .. } => elementwise::<S, T>(simd, step, op),
                Op::Eligibility(rule) => eligibility(simd, step, rule),
                Op::Integrate { .. } => integrate::<S, T>(simd, step, op)?,
                Op::Delay { value, ring, depth } => {
                    // A division takes as long as a short loop.
                    let slot = match depth {
                        1 => 0,
                        _ => (step.state.step % depth) as usize,
                    };
                    let vectors = T::table(step);
                    let mut slots = std::mem::take(&mut vectors[*ring]);
                    let value = &vectors[*value];
                    let at = slot * value.len();
                    elementwise::copy_in(simd, &mut slots[at..at + value.len()], value);
                    vectors[*ring] = slots;
                }
                Op::Part(part) => T::run_part(step, plan, *part)?,
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn drive<S: Simd, T: Precision>(
    simd: S,
    step: &mut Step<'_>,
    into: usize,
    base: Option<VectorRef>,
    deliveries: &[Delivery],
) {
    let mut drive = std::mem::take(&mut T::table(step)[into]);
    let mut begun = base.is_some();
    if let Some(base) = base {
        let (memory, _) = T::parts(step);
        let n = drive.len();
        elementwise::copy_in(simd, &mut drive, &memory.vector(base)[..n]);
    }
    for delivery in deliveries {
        match &step.state.weights[delivery.projection] {
            Weights::Dense { .. } | Weights::Single { .. } => {
                let pre = (delivery.pre, delivery.sources);
                T::deliver(simd, step, (delivery.projection, pre), (&mut drive, begun));
            }
            _ => {
                let (memory, _) = T::parts(step);
                if !begun {
                    elementwise::zero_in(simd, &mut drive);
                }
                simd.vectorize(AddProduct {
                    out: &mut drive,
                    a: T::each(&memory, delivery.projection),
                    x: Factor::Each(memory.vector(delivery.pre)),
                });
            }
        }
        begun = true;
    }
    if !begun {
        drive.fill(T::default());
    }
    T::table(step)[into] = drive;
}

#[inline(always)]
fn value<S: Simd, T: Precision>(simd: S, step: &mut Step<'_>, op: &Op) -> Result<(), NotFinite> {
    let Op::Value {
        compartment,
        into,
        pattern,
        within,
        check,
        copy,
    } = op
    else {
        return Ok(());
    };
    let mut value = std::mem::take(&mut T::table(step)[*into]);
    let (memory, tools) = T::parts(step);
    let finite = Evaluate {
        memory: &memory,
        machine: tools.machine,
        pattern,
        out: &mut value,
        check: *check,
    }
    .run(simd);
    elementwise::clip(&mut value, *within);
    let mut checked = Ok(());
    // Bounds may have brought an infinite value back, and the padding does not count: the check looks again.
    if *check && !finite {
        checked = step.check_finite(*compartment, &value);
    }
    let table = T::table(step);
    if let Some(copy) = copy {
        elementwise::copy_in(simd, &mut table[*copy], &value);
    }
    table[*into] = value;
    checked
}

/// A filter takes a vector as it is.
#[inline(always)]
fn smooth<S: Simd, T: Precision>(
    simd: S,
    step: &mut Step<'_>,
    (at, input): (usize, VectorRef),
    kind: FilterKind,
    index: usize,
) {
    let first = !std::mem::replace(&mut step.state.started[index], true);
    let mut state = std::mem::take(&mut T::table(step)[at]);
    let (memory, _) = T::parts(step);
    let input = &memory.vector(input)[..state.len()];
    match kind {
        FilterKind::Average(_) if first => state.copy_from_slice(input),
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => {
            simd.vectorize(Smooth {
                out: &mut state,
                x: input,
                decay: T::from_f64(decay),
            });
        }
        FilterKind::Trace(decay) => simd.vectorize(DecayAdd {
            out: &mut state,
            x: input,
            decay: T::from_f64(decay),
        }),
        FilterKind::Previous(_) | FilterKind::Carried => state.copy_from_slice(input),
    }
    T::table(step)[at] = state;
}

#[inline(always)]
fn outer<S: Simd, T: Precision>(
    simd: S,
    step: &mut Step<'_>,
    (projection, pre_size, post_row): (usize, usize, usize),
    growth: Option<&Number>,
    terms: &[OuterOp],
    within: Option<[f64; 2]>,
) {
    let (memory, weights, tools) = T::learning(step);
    let weights = &mut weights[projection];
    let Tools {
        machine,
        first: post,
        singles,
        waiting,
        ..
    } = tools;
    let may_wait = Op::may_wait(terms, growth, within);
    if !may_wait {
        T::settle(weights, waiting, projection);
    }
    let mut growth = growth.map_or(0.0, |g| number(&memory, machine, g));
    for term in terms {
        if let Some(gate) = &term.gate
            && number(&memory, machine, gate).abs() <= 0.0
        {
            continue;
        }
        post.resize(padded::<T>(post_row), T::default());
        Evaluate {
            memory: &memory,
            machine,
            pattern: &term.post,
            out: post,
            check: false,
        }
        .run(simd);
        let pre = &memory.vector(term.pre)[..pre_size];
        // The weights' padding stays 0 where rows are longer than the state's.
        post[post_row..].fill(T::default());
        let change = Change {
            projection,
            weights,
            growth,
            pre,
            post,
            may_wait,
        };
        T::add_outer(simd, change, singles, waiting);
        growth = 0.0;
    }
    // Gates may have closed all products that it could have gone with.
    if growth.abs() > 0.0 {
        learn::grow(machine.arch(), weights, growth);
    }
    learn::clip(weights, within);
}

#[inline(always)]
fn elementwise<S: Simd, T: Precision>(simd: S, step: &mut Step<'_>, op: &Op) {
    let Op::Elementwise {
        target,
        size,
        gate,
        change,
        within,
    } = op
    else {
        return;
    };
    let (memory, Tools { machine, first, .. }) = T::parts(step);
    if let Some(gate) = gate
        && number(&memory, machine, gate).abs() <= 0.0
    {
        return;
    }
    first.resize(padded::<T>(*size), T::default());
    Evaluate {
        memory: &memory,
        machine,
        pattern: change,
        out: first,
        check: false,
    }
    .run(simd);
    let change = std::mem::take(first);
    let weights = match target {
        Single::Bias(id) => &mut T::table(step)[*id],
        Single::Projection(id, rule) => {
            step.state.learned[*rule] = true;
            T::each_mut(step, *id)
        }
    };
    simd.vectorize(AddProduct {
        out: &mut weights[..*size],
        a: &change[..*size],
        x: Factor::Same(T::from_f64(1.0)),
    });
    elementwise::clip(weights, *within);
    *T::parts(step).1.first = change;
}

#[inline(always)]
fn integrate<S: Simd, T: Precision>(
    simd: S,
    step: &mut Step<'_>,
    op: &Op,
) -> Result<(), NotFinite> {
    let Op::Integrate {
        compartment,
        value,
        drift,
        diffusion,
        within,
        dt,
    } = op
    else {
        return Ok(());
    };
    let (memory, Tools { machine, next, .. }) = T::parts(step);
    let x: &[T] = &memory.vectors[*value];
    next.resize(x.len(), T::default());
    Evaluate {
        memory: &memory,
        machine,
        pattern: drift,
        out: next,
        check: false,
    }
    .run(simd);
    #[allow(clippy::manual_map, reason = "a closure may lose the instruction set")]
    let diffusion = match diffusion {
        Some((factor, source)) => Some((
            Factor::Same(T::from_f64(number(&memory, machine, factor))),
            memory.vector(VectorRef::Source(*source)),
        )),
        None => None,
    };
    let finite = simd.vectorize(Euler {
        x,
        out: next,
        dt: *dt,
        diffusion,
        within: *within,
    });
    let next = std::mem::take(next);
    let before = std::mem::replace(&mut T::table(step)[*value], next);
    *T::parts(step).1.next = before;
    if finite {
        return Ok(());
    }
    let values = std::mem::take(&mut T::table(step)[*value]);
    let checked = step.check_finite(*compartment, &values);
    T::table(step)[*value] = values;
    checked
}
