//! Rules for weights of which each neuron has one: one-to-one projections and biases.

use super::super::step::{Scratch, Step};
use super::numbers;
use super::rows::{Row, RowRule, zero};
use crate::compile::Weights;
use crate::compile::learning::{ElementwiseRule, ElementwiseTarget};
use crate::engine::elementwise;
use crate::lang::vm::padded;

/// Runs a rule for single weights.
pub(in crate::engine::rate) fn elementwise(step: &mut Step<'_>, rule: &ElementwiseRule) {
    let (index, replicas) = (rule.index, step.replicas);
    let share = 1.0 / step.program.layout.replicas as f64;
    let (memory, scratch) = step.parts();
    if rule.states.is_empty()
        && let Some(gate) = &rule.gate
        && memory.run_scalar(&mut scratch.machine, gate).abs() <= 0.0
    {
        return;
    }
    if let (ElementwiseTarget::Bias(id), [], Some(change), 1) =
        (rule.target, rule.states.as_slice(), &rule.change, replicas)
    {
        // Nothing but a vector that is added to another one.
        let Scratch {
            machine, vector, ..
        } = scratch;
        vector.resize(padded(rule.size), 0.0);
        memory.run(machine, change, vector);
        let (arch, change) = (machine.arch(), &step.scratch.vector[..rule.size]);
        let bias = &mut step.state.vectors[id.0 as usize];
        elementwise::add(arch, &mut bias[..rule.size], change);
        return elementwise::clip(bias, rule.within);
    }
    let mut weights = match rule.target {
        ElementwiseTarget::Projection(id) => std::mem::take(&mut step.state.weights[id.0 as usize]),
        // A bias is read through the table, so it stays there while the change is computed.
        ElementwiseTarget::Bias(_) => Weights::default(),
    };
    let mut states = std::mem::take(&mut step.state.synapses[index]);
    let (now, fresh) = (step.state.step, !step.state.learned[index]);
    let (memory, scratch) = step.parts();
    let Scratch { machine, rows, .. } = scratch;
    let length = padded(rule.size);
    let rule_at_work = RowRule {
        memory,
        states: &rule.states,
        change: rule.change.as_ref(),
        total: length,
        now,
        fresh,
        post_row: length,
    };
    zero(&mut rows.change, length);
    for replica in 0..replicas {
        let row = Row {
            start: 0,
            end: length,
            replica,
            targets: None,
            weights: numbers(&mut weights),
            scalars: &[],
        };
        rule_at_work.run(machine, &row, &mut states, rows);
    }
    let arch = machine.arch();
    let changed = match rule.target {
        ElementwiseTarget::Projection(_) => numbers(&mut weights),
        ElementwiseTarget::Bias(id) => &mut step.state.vectors[id.0 as usize],
    };
    let change = &step.scratch.rows.change[..rule.size];
    elementwise::add_scaled(arch, &mut changed[..rule.size], change, share);
    elementwise::clip(changed, rule.within);
    if let ElementwiseTarget::Projection(id) = rule.target {
        step.state.weights[id.0 as usize] = weights;
    }
    step.state.synapses[index] = states;
    step.state.learned[index] = true;
}
