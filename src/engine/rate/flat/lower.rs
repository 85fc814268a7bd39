//! From a plan to operations.

use std::collections::HashSet;

use super::driven;
use super::pattern::{Number, Pattern, in_place};
use super::{Delivery, EligibilityOp, Op, OuterOp, Part, Scaled, Single};
use crate::circuit::connect::Connectivity;
use crate::circuit::{CompartmentId, ProjectionId};
use crate::compile::Program;
use crate::compile::eligibility::EligibilityRule;
use crate::compile::kernel::{VectorId, VectorRef};
use crate::compile::layout::FilterPlace;
use crate::compile::learning::{
    ElementwiseRule, ElementwiseTarget, Factor, Learning, OuterRule, ScaledTerm,
};
use crate::compile::plan::{Compute, FilterStep, ModulatorStep, Plan};
use crate::lang::FilterKind;
use crate::lang::vm::padded;
use crate::netlist::model::Precision;

/// The operations of a plan, in the order of a step.
pub(super) fn ops(program: &Program, plan: &Plan) -> Vec<Op> {
    let lower = Lower { program };
    let mut ops = Vec::new();
    // Values that have been checked in this step already.
    let mut checked = HashSet::new();
    for (index, compute) in plan.compute.iter().enumerate() {
        let op = lower.compute(compute, &mut checked);
        let op = op.unwrap_or(Op::Part(Part::Compute(index)));
        if !ops.last_mut().is_some_and(|last| copies(last, &op)) {
            ops.push(op);
        }
    }
    let mut ops = driven::join(ops);
    for (index, filter) in plan.smooth.iter().enumerate() {
        let op = lower.smooth(filter);
        ops.push(op.unwrap_or(Op::Part(Part::Smooth(index))));
    }
    for (index, modulator) in plan.modulators.iter().enumerate() {
        match lower.modulator(modulator) {
            Some(found) => ops.extend(found),
            None => ops.push(Op::Part(Part::Modulate(index))),
        }
    }
    if !plan.measured.is_empty() {
        ops.push(Op::Part(Part::Measure));
    }
    for (index, learning) in plan.learn.iter().enumerate() {
        match lower.learn(learning) {
            Some(op) => {
                let smooth: Option<Vec<Op>> =
                    learning.filters().iter().map(|f| lower.smooth(f)).collect();
                ops.extend(smooth.unwrap_or(vec![Op::Part(Part::FiltersOf(index))]));
                ops.push(op);
            }
            None => ops.push(Op::Part(Part::Learn(index))),
        }
    }
    if !plan.optimised.is_empty() {
        ops.push(Op::Part(Part::Optimise));
    }
    if !plan.probes.is_empty() {
        ops.push(Op::Part(Part::Probe));
    }
    for (index, filter) in plan.remember.iter().enumerate() {
        let op = lower.smooth(filter);
        ops.push(op.unwrap_or(Op::Part(Part::Remember(index))));
    }
    ops.extend(
        program
            .delayed
            .iter()
            .map(|(value, (ring, depth))| Op::Delay {
                value: at(*value),
                ring: at(*ring),
                depth: u64::from(*depth),
            }),
    );
    if !plan.integrate.is_empty() {
        ops.push(lower.integrate(plan).unwrap_or(Op::Part(Part::Integrate)));
    }
    ops
}

/// Whether an operation is a copy of what the one before computes, which then does both.
fn copies(last: &mut Op, op: &Op) -> bool {
    match (last, op) {
        (
            Op::Value {
                into: from,
                copy: copy @ None,
                ..
            },
            Op::Value {
                into,
                pattern: Pattern::Copy(VectorRef::Plain(id)),
                within: None,
                check: false,
                ..
            },
        ) if at(*id) == *from => {
            *copy = Some(*into);
            true
        }
        _ => false,
    }
}

fn at(id: VectorId) -> usize {
    id.0 as usize
}

/// Whether a vector is in the simulation's memory, and not at a rule's synapses.
fn in_memory(place: VectorRef) -> bool {
    !matches!(place, VectorRef::Weights | VectorRef::SynapseState(_))
}

struct Lower<'a> {
    program: &'a Program,
}

impl Lower<'_> {
    /// Replicas take the general path.
    fn alone(&self) -> Option<()> {
        (self.program.layout.replicas == 1).then_some(())
    }

    fn size(&self, id: CompartmentId) -> usize {
        self.program.circuit.population(id.population).size
    }

    fn connectivity(&self, id: ProjectionId) -> &Connectivity {
        &self.program.circuit.projections[id.0 as usize].connectivity
    }

    fn compute(&self, compute: &Compute, checked: &mut HashSet<VectorId>) -> Option<Op> {
        match compute {
            Compute::Drive {
                into,
                bias,
                inputs,
                projections,
            } => self.drive(*into, *bias, inputs, projections),
            Compute::Check { .. } => None,
            Compute::Value {
                compartment,
                into,
                kernel,
                within,
            } => {
                // Where replicas differ each runs by itself.
                if kernel.differs() {
                    return None;
                }
                let pattern = Pattern::of(kernel);
                let copies_checked =
                    matches!(pattern, Pattern::Copy(VectorRef::Plain(id)) if checked.contains(&id));
                checked.insert(*into);
                Some(Op::Value {
                    compartment: *compartment,
                    into: at(*into),
                    pattern,
                    within: *within,
                    check: !copies_checked,
                    copy: None,
                })
            }
        }
    }

    fn drive(
        &self,
        into: VectorId,
        bias: Option<VectorId>,
        inputs: &[u32],
        projections: &[(ProjectionId, VectorRef)],
    ) -> Option<Op> {
        self.alone()?;
        let base = match (bias, inputs) {
            (None, []) => None,
            (Some(bias), []) => Some(VectorRef::Plain(bias)),
            (None, [input]) => Some(VectorRef::Source(*input)),
            _ => return None,
        };
        let turned = |(id, _): &(ProjectionId, VectorRef)| {
            self.program.circuit.projection(*id).transpose_of.is_some()
        };
        if projections.iter().any(turned) {
            return None;
        }
        let delivery = |(id, pre): &(ProjectionId, VectorRef)| match self.connectivity(*id) {
            Connectivity::Dense { pre: sources, .. } => Some(Delivery {
                projection: id.0 as usize,
                pre: in_place(*pre),
                sources: *sources,
            }),
            Connectivity::OneToOne { size } => Some(Delivery {
                projection: id.0 as usize,
                pre: in_place(*pre),
                sources: *size,
            }),
            _ => None,
        };
        Some(Op::Drive {
            into: at(into),
            base,
            deliveries: projections.iter().map(delivery).collect::<Option<_>>()?,
        })
    }

    fn smooth(&self, filter: &FilterStep) -> Option<Op> {
        match (filter.place, filter.kind, filter.input.copied()) {
            (
                FilterPlace::Vector { state, depth: 1 },
                FilterKind::Average(_) | FilterKind::Lowpass(_) | FilterKind::Trace(_),
                Some(input),
            ) if in_memory(input) && input != VectorRef::Plain(state) => Some(Op::Smooth {
                state: at(state),
                input: in_place(input),
                kind: filter.kind,
                index: filter.index,
            }),
            _ => None,
        }
    }

    fn modulator(&self, modulator: &ModulatorStep) -> Option<Vec<Op>> {
        self.alone()?;
        let apart = modulator.sums.iter().any(|sum| sum.per_replica);
        if apart || modulator.per_replica.is_some() || !modulator.filters.is_empty() {
            return None;
        }
        let sums = modulator.sums.iter().map(|sum| Op::Sum {
            pattern: Pattern::of(&sum.kernel),
            length: sum.length,
            into: sum.into.0 as usize,
        });
        let value = Op::Modulate {
            modulator: modulator.modulator.0 as usize,
            value: Number::of(&modulator.kernel),
        };
        Some(sums.chain([value]).collect())
    }

    fn learn(&self, learning: &Learning) -> Option<Op> {
        self.alone()?;
        match learning {
            Learning::Outer(rule) => self.outer(rule),
            Learning::Elementwise(rule) => elementwise(rule),
            Learning::Eligibility(rule) => self.eligibility(rule),
            Learning::General(_) => None,
        }
    }

    fn outer(&self, rule: &OuterRule) -> Option<Op> {
        let Connectivity::Dense { pre, post } = self.connectivity(rule.projection) else {
            return None;
        };
        if rule.decay.is_some() {
            return None;
        }
        let terms = rule.terms.iter().map(|term| {
            let Factor::Vector(pre) = term.pre else {
                return None;
            };
            Some(OuterOp {
                gate: term.gate.as_ref().map(Number::of),
                post: Pattern::of(&term.post),
                pre: in_place(pre),
            })
        });
        Some(Op::Outer {
            projection: rule.projection.0 as usize,
            pre: *pre,
            post: padded(*post),
            growth: rule.growth.as_ref().map(Number::of),
            terms: terms.collect::<Option<_>>()?,
            within: rule.within,
        })
    }

    fn eligibility(&self, rule: &EligibilityRule) -> Option<Op> {
        let ([filter], [] | [_]) = (&rule.states[..], &rule.terms[..]) else {
            return None;
        };
        let [input] = &filter.input[..] else {
            return None;
        };
        let projection = &self.program.circuit.projections[rule.projection.0 as usize];
        let uniform = filter.uses.iter().chain(&rule.decay);
        if !uniform.clone().all(ScaledTerm::is_uniform)
            || !filter.kept.is_empty()
            || projection.precision == Precision::Single
            || self.program.circuit.precision == Precision::Single
        {
            return None;
        }
        let outer = match rule.terms.first() {
            Some(term) => Some(scaled(term)?),
            None => None,
        };
        Some(Op::Eligibility(EligibilityOp {
            projection: rule.projection.0 as usize,
            rule: rule.index,
            state: filter.state as usize,
            kind: filter.kind,
            input: scaled(input)?,
            outer,
            uses: filter.uses.iter().map(|u| Number::of(&u.scale)).collect(),
            growth: rule.decay.as_ref().map(|d| Number::of(&d.scale)),
            row: padded(self.size(projection.to)),
            within: rule.within,
        }))
    }

    /// A single equation has no others that read its value while it changes.
    fn integrate(&self, plan: &Plan) -> Option<Op> {
        self.alone()?;
        let [equation] = &plan.integrate[..] else {
            return None;
        };
        let diffusion = match &equation.diffusion {
            None => None,
            Some((factor, source)) if factor.code.scalar_result.is_some() => {
                Some((Number::of(factor), *source))
            }
            Some(_) => return None,
        };
        Some(Op::Integrate {
            compartment: equation.compartment,
            value: at(equation.value),
            drift: Pattern::of(&equation.drift),
            diffusion,
            within: equation.within,
            dt: self.program.circuit.step_length().value,
        })
    }
}

/// A product of two vectors as they are.
fn scaled(term: &ScaledTerm) -> Option<Scaled> {
    match (&term.post, &term.pre) {
        (Factor::Vector(post), Factor::Vector(pre)) => Some(Scaled {
            scale: Number::of(&term.scale),
            post: in_place(*post),
            pre: in_place(*pre),
        }),
        _ => None,
    }
}

fn elementwise(rule: &ElementwiseRule) -> Option<Op> {
    let change = Pattern::of(rule.change.as_ref()?);
    if !rule.states.is_empty() || change.reads(|place| !in_memory(place)) {
        return None;
    }
    Some(Op::Elementwise {
        target: match rule.target {
            ElementwiseTarget::Projection(id) => Single::Projection(id.0 as usize, rule.index),
            ElementwiseTarget::Bias(id) => Single::Bias(at(id)),
        },
        size: rule.size,
        gate: rule.gate.as_ref().map(Number::of),
        change,
        within: rule.within,
    })
}
