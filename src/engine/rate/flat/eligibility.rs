//! Rules with one eligibility filter.

use pulp::Simd;

use super::super::kernels::Memory;
use super::super::learn;
use super::super::step::{Scratch, Step};
use super::evaluate::number;
use super::{EligibilityOp, Scaled};
use crate::engine::elementwise;
use crate::engine::eligibility::{Pass, Product};
use crate::lang::vm::Machine;

/// In double precision only: in single precision such a rule takes the general path.
#[inline(always)]
pub(super) fn eligibility<S: Simd>(simd: S, step: &mut Step<'_>, rule: &EligibilityOp) {
    let started = std::mem::replace(&mut step.state.learned[rule.rule], true);
    let (decay, gain) = super::super::eligibility::shares(rule.kind, !started);
    let (memory, weights, synapses, scratch) = step.learning();
    let (weights, states) = (&mut weights[rule.projection], &mut synapses[rule.rule]);
    let Scratch {
        machine,
        eligibility,
        ..
    } = scratch;
    let inputs = [product(&memory, machine, &rule.input, gain)];
    #[allow(clippy::manual_map, reason = "a closure may lose the instruction set")]
    let outer = match &rule.outer {
        Some(term) => Some(product(&memory, machine, term, 1.0)),
        None => None,
    };
    let mut share = 0.0;
    for factor in &rule.uses {
        share += number(&memory, machine, factor);
    }
    let growth = match &rule.growth {
        Some(growth) => number(&memory, machine, growth),
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
fn product<'a>(
    memory: &Memory<'a>,
    machine: &mut Machine,
    term: &Scaled,
    gain: f64,
) -> Product<'a> {
    Product {
        scale: gain * number(memory, machine, &term.scale),
        pre: memory.vector(term.pre),
        post: memory.vector(term.post),
    }
}
