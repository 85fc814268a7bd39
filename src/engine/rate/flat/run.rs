//! Walking the list of operations.
//!
//! The walk itself is compiled for the machine's instruction set, so that short loops stand in it and longer kernels are
//! called without another dispatch. A vector that is written is moved out of the state meanwhile: nothing that an
//! operation reads is what it writes.

use pulp::{Simd, WithSimd};

use super::super::kernels::Memory;
use super::super::learn;
use super::super::step::{NotFinite, Scratch, Step};
use super::evaluate::{Evaluate, number};
use super::pattern::Number;
use super::{Delivery, EligibilityOp, Flat, Op, OuterOp, Scaled, Single};
use crate::compile::Weights;
use crate::compile::kernel::VectorRef;
use crate::compile::plan::Plan;
use crate::engine::elementwise::{self, AddProduct, DecayAdd, Euler, Factor, Smooth};
use crate::engine::eligibility::{Pass, Product};
use crate::engine::{dense, outer as kernels};
use crate::lang::FilterKind;
use crate::lang::vm::{Machine, padded};
use crate::vector::Singles;

/// Phases 3 to 8 of a step, as a list of operations.
pub(in crate::engine::rate) struct Run<'r, 's> {
    pub step: &'r mut Step<'s>,
    pub plan: &'r Plan,
    pub flat: &'r Flat,
}

impl WithSimd for Run<'_, '_> {
    type Output = Result<(), NotFinite>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Run { step, plan, flat } = self;
        for op in &flat.ops {
            match op {
                Op::Drive {
                    into,
                    base,
                    deliveries,
                } => drive(simd, step, *into, *base, deliveries),
                Op::Value { .. } => value(simd, step, op)?,
                Op::Smooth {
                    state,
                    input,
                    kind,
                    index,
                } => smooth(simd, step, (*state, *input), *kind, *index),
                Op::Sum {
                    pattern,
                    length,
                    into,
                } => {
                    let (memory, scratch) = step.parts();
                    let Scratch { machine, first, .. } = scratch;
                    first.resize(padded(*length), 0.0);
                    Evaluate {
                        memory,
                        machine,
                        pattern,
                        out: first,
                        check: false,
                    }
                    .run(simd);
                    let total = Machine::sum_in(simd, &first[..*length]);
                    step.state.scalars[*into] = total;
                }
                Op::Modulate { modulator, value } => {
                    let (memory, scratch) = step.parts();
                    let value = number(memory, &mut scratch.machine, value);
                    step.set_modulator(*modulator, value);
                }
                Op::Outer {
                    projection,
                    pre,
                    post,
                    growth,
                    terms,
                    within,
                } => outer(
                    simd,
                    step,
                    (*projection, *pre, *post),
                    growth.as_ref(),
                    terms,
                    *within,
                ),
                Op::Elementwise { .. } => elementwise(simd, step, op),
                Op::Eligibility(rule) => eligibility(simd, step, rule),
                Op::Integrate { .. } => integrate(simd, step, op)?,
                Op::Delay { value, ring, depth } => {
                    let mut slots = std::mem::take(&mut step.state.vectors[*ring]);
                    let value = &step.state.vectors[*value];
                    // A division takes as long as a short loop.
                    let at = match depth {
                        1 => 0,
                        _ => (step.state.step % depth) as usize * value.len(),
                    };
                    elementwise::copy_in(simd, &mut slots[at..at + value.len()], value);
                    step.state.vectors[*ring] = slots;
                }
                Op::Part(part) => step.run_part(plan, *part)?,
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn drive<S: Simd>(
    simd: S,
    step: &mut Step<'_>,
    into: usize,
    base: Option<VectorRef>,
    deliveries: &[Delivery],
) {
    let mut drive = std::mem::take(&mut step.state.vectors[into]);
    let (memory, scratch) = step.parts();
    let n = drive.len();
    let mut begun = base.is_some();
    if let Some(base) = base {
        elementwise::copy_in(simd, &mut drive, &memory.vector(base)[..n]);
    }
    for delivery in deliveries {
        let pre = &memory.vector(delivery.pre)[..delivery.sources];
        match &memory.weights[delivery.projection] {
            Weights::Dense { row, values } => {
                dense::deliver_in(simd, (values, *row), pre, &mut drive, begun);
            }
            Weights::Single { row, values, .. } => {
                let [rounded, _] = &mut scratch.singles;
                let pre = round(simd, pre, pre.len(), rounded);
                dense::deliver_in(simd, (values, *row), pre, &mut drive, begun);
            }
            Weights::OneToOne { values }
            | Weights::Sparse { values }
            | Weights::Shared { values } => {
                if !begun {
                    drive.fill(0.0);
                }
                simd.vectorize(AddProduct {
                    out: &mut drive,
                    a: values,
                    x: Factor::Each(memory.vector(delivery.pre)),
                });
            }
        }
        begun = true;
    }
    if !begun {
        drive.fill(0.0);
    }
    step.state.vectors[into] = drive;
}

/// A vector in single precision, `length` long.
#[inline(always)]
fn round<'a, S: Simd>(simd: S, x: &[f64], length: usize, into: &'a mut Singles) -> &'a [f32] {
    into.resize(length, 0.0);
    simd.vectorize(elementwise::Round { x, out: into });
    into
}

#[inline(always)]
fn value<S: Simd>(simd: S, step: &mut Step<'_>, op: &Op) -> Result<(), NotFinite> {
    let Op::Value {
        compartment,
        into,
        pattern,
        within,
        check,
    } = op
    else {
        return Ok(());
    };
    let mut value = std::mem::take(&mut step.state.vectors[*into]);
    let (memory, scratch) = step.parts();
    let finite = Evaluate {
        memory,
        machine: &mut scratch.machine,
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
    step.state.vectors[*into] = value;
    checked
}

/// A filter takes a vector as it is.
#[inline(always)]
fn smooth<S: Simd>(
    simd: S,
    step: &mut Step<'_>,
    (at, input): (usize, VectorRef),
    kind: FilterKind,
    index: usize,
) {
    let first = !std::mem::replace(&mut step.state.started[index], true);
    let mut state = std::mem::take(&mut step.state.vectors[at]);
    let input = &step.memory().vector(input)[..state.len()];
    match kind {
        FilterKind::Average(_) if first => state.copy_from_slice(input),
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => {
            simd.vectorize(Smooth {
                out: &mut state,
                x: input,
                decay,
            });
        }
        FilterKind::Trace(decay) => simd.vectorize(DecayAdd {
            out: &mut state,
            x: input,
            decay,
        }),
        FilterKind::Previous(_) | FilterKind::Carried => state.copy_from_slice(input),
    }
    step.state.vectors[at] = state;
}

#[inline(always)]
fn outer<S: Simd>(
    simd: S,
    step: &mut Step<'_>,
    (projection, pre_size, post_row): (usize, usize, usize),
    growth: Option<&Number>,
    terms: &[OuterOp],
    within: Option<[f64; 2]>,
) {
    let (memory, weights, _, scratch) = step.learning();
    let weights = &mut weights[projection];
    let Scratch {
        machine,
        first: post,
        singles: [pre_single, post_single],
        ..
    } = scratch;
    let mut growth = growth.map_or(0.0, |g| number(memory, machine, g));
    for term in terms {
        if let Some(gate) = &term.gate
            && number(memory, machine, gate).abs() <= 0.0
        {
            continue;
        }
        post.resize(post_row, 0.0);
        Evaluate {
            memory,
            machine,
            pattern: &term.post,
            out: post,
            check: false,
        }
        .run(simd);
        let pre = &memory.vector(term.pre)[..pre_size];
        match weights {
            Weights::Single { row, values, .. } => {
                let pre = round(simd, pre, pre_size, pre_single);
                let post = round(simd, post, *row, post_single);
                kernels::add_outer_in(simd, values, growth as f32, pre, post);
            }
            Weights::Dense { values, .. } => kernels::add_outer_in(simd, values, growth, pre, post),
            _ => {}
        }
        growth = 0.0;
    }
    // Gates may have closed all products that it could have gone with.
    if growth.abs() > 0.0 {
        learn::grow(machine.arch(), weights, growth);
    }
    learn::clip(weights, within);
}

#[inline(always)]
fn elementwise<S: Simd>(simd: S, step: &mut Step<'_>, op: &Op) {
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
    let (memory, scratch) = step.parts();
    let Scratch { machine, first, .. } = scratch;
    if let Some(gate) = gate
        && number(memory, machine, gate).abs() <= 0.0
    {
        return;
    }
    first.resize(padded(*size), 0.0);
    Evaluate {
        memory,
        machine,
        pattern: change,
        out: first,
        check: false,
    }
    .run(simd);
    let weights = match target {
        Single::Bias(id) => &mut step.state.vectors[*id],
        Single::Projection(id, rule) => {
            step.state.learned[*rule] = true;
            match step.state.weights[*id].values_mut() {
                Some(values) => values,
                None => return,
            }
        }
    };
    simd.vectorize(AddProduct {
        out: &mut weights[..*size],
        a: &step.scratch.first[..*size],
        x: Factor::Same(1.0),
    });
    elementwise::clip(weights, *within);
}

#[inline(always)]
fn eligibility<S: Simd>(simd: S, step: &mut Step<'_>, rule: &EligibilityOp) {
    let started = std::mem::replace(&mut step.state.learned[rule.rule], true);
    let (decay, gain) = super::super::eligibility::shares(rule.kind, !started);
    let (memory, weights, synapses, scratch) = step.learning();
    let (weights, states) = (&mut weights[rule.projection], &mut synapses[rule.rule]);
    let Scratch {
        machine,
        eligibility,
        ..
    } = scratch;
    let inputs = [product(memory, machine, &rule.input, gain)];
    #[allow(clippy::manual_map, reason = "a closure may lose the instruction set")]
    let outer = match &rule.outer {
        Some(term) => Some(product(memory, machine, term, 1.0)),
        None => None,
    };
    let mut share = 0.0;
    for factor in &rule.uses {
        share += number(memory, machine, factor);
    }
    let growth = match &rule.growth {
        Some(growth) => number(memory, machine, growth),
        None => 0.0,
    };
    simd.vectorize(Pass {
        states: &mut states[rule.state],
        decay,
        kept: None,
        weights: learn::numbers(weights),
        inputs: &inputs,
        share,
        uses: &[],
        growth,
        shrink: None,
        outer: outer.as_slice(),
        row: rule.row,
        scaled: eligibility.scaled(),
    });
    elementwise::clip(learn::numbers(weights), rule.within);
}

#[inline(always)]
fn product<'a>(memory: Memory<'a>, machine: &mut Machine, term: &Scaled, gain: f64) -> Product<'a> {
    Product {
        scale: gain * number(memory, machine, &term.scale),
        pre: memory.vector(term.pre),
        post: memory.vector(term.post),
    }
}

#[inline(always)]
fn integrate<S: Simd>(simd: S, step: &mut Step<'_>, op: &Op) -> Result<(), NotFinite> {
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
    let mut all = std::mem::take(&mut step.scratch.next);
    all.resize_with(all.len().max(1), Default::default);
    let (memory, scratch) = step.parts();
    let (machine, next) = (&mut scratch.machine, &mut all[0]);
    let x: &[f64] = &memory.vectors[*value];
    next.resize(x.len(), 0.0);
    Evaluate {
        memory,
        machine,
        pattern: drift,
        out: next,
        check: false,
    }
    .run(simd);
    #[allow(clippy::manual_map, reason = "a closure may lose the instruction set")]
    let diffusion = match diffusion {
        Some((factor, source)) => Some((
            Factor::Same(number(memory, machine, factor)),
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
    std::mem::swap(&mut step.state.vectors[*value], next);
    step.scratch.next = all;
    if finite {
        return Ok(());
    }
    step.check_finite(*compartment, &step.state.vectors[*value])
}
