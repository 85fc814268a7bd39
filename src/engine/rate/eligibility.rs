//! Rules with eligibility filters at work.

use super::learn;
use super::step::{Scratch, Step};
use crate::compile::Weights;
use crate::compile::eligibility::{EligibilityFilter, EligibilityRule};
use crate::compile::learning::{Factor, OuterTerm};
use crate::engine::elementwise;
use crate::engine::eligibility::{self as kernel, Pass, Product};
use crate::lang::FilterKind;
use crate::lang::vm::padded;
use crate::vector::Vector;

/// Factors of the products of a pass, all replicas one after the other.
#[derive(Debug, Default)]
pub(super) struct Factors {
    pre: Vec<Vector>,
    post: Vec<Vector>,
    used: usize,
}

/// Padded lengths of the two sides for one replica, and the number of replicas.
#[derive(Clone, Copy)]
struct Sizes {
    pre: usize,
    post: usize,
    replicas: usize,
}

impl Factors {
    /// Computes the factors of the products that no gate closes in this step, the postsynaptic ones times `gain`.
    fn fill(&mut self, step: &mut Step<'_>, terms: &[OuterTerm], sizes: Sizes, gain: f64) {
        self.used = 0;
        let (memory, scratch) = step.parts();
        let Scratch { machine, .. } = scratch;
        for term in terms {
            if let Some(gate) = &term.gate
                && memory.run_scalar(machine, gate).abs() <= 0.0
            {
                continue;
            }
            if self.used == self.post.len() {
                self.pre.push(Vector::default());
                self.post.push(Vector::default());
            }
            let (pre, post) = (&mut self.pre[self.used], &mut self.post[self.used]);
            post.resize(sizes.post * sizes.replicas, 0.0);
            memory.run(machine, &term.post, post);
            if gain < 1.0 {
                post.iter_mut().for_each(|p| *p *= gain);
            }
            pre.resize(sizes.pre * sizes.replicas, 0.0);
            match &term.pre {
                Factor::One => pre.fill(1.0),
                Factor::Vector(place) => pre.copy_from_slice(memory.vector(*place)),
                Factor::Kernel(kernel) => memory.run(machine, kernel, pre),
            }
            self.used += 1;
        }
    }

    /// The products of a replica.
    fn products(&self, sizes: Sizes, replica: usize) -> ([Product<'_>; kernel::MOST], usize) {
        let mut products: [Product<'_>; kernel::MOST] = [(&[], &[]); kernel::MOST];
        let used = self.pre.iter().zip(&self.post).take(self.used);
        for (product, (pre, post)) in products.iter_mut().zip(used) {
            *product = (
                &pre[replica * sizes.pre..(replica + 1) * sizes.pre],
                &post[replica * sizes.post..(replica + 1) * sizes.post],
            );
        }
        (products, self.used.min(kernel::MOST))
    }
}

/// Scratch memory of a rule: factors of what filters follow, of their uses, of outer products and of
/// the decay.
#[derive(Debug, Default)]
pub(super) struct Four {
    inputs: Factors,
    uses: Factors,
    outer: Factors,
    shrink: Factors,
}

/// Moves a rule's filters on and changes the weights.
pub(super) fn run(step: &mut Step<'_>, rule: &EligibilityRule) {
    let projection = &step.program.circuit.projections[rule.projection.0 as usize];
    let size =
        |id: crate::circuit::CompartmentId| step.program.circuit.population(id.population).size;
    let sizes = Sizes {
        pre: padded(size(projection.from)),
        post: padded(size(projection.to)),
        replicas: step.program.layout.replicas,
    };
    let (mut weights, mut states, started) = learn::take(step, rule.projection, rule.index);
    let mut factors = std::mem::take(&mut step.scratch.eligibility);
    for (index, filter) in rule.states.iter().enumerate() {
        // The decay and the products without a filter join the first pass.
        let outer: &[OuterTerm] = if index == 0 { &rule.terms } else { &[] };
        let decay = rule.decay.as_ref().filter(|_| index == 0);
        pass(
            step,
            (
                filter,
                (decay.map(std::slice::from_ref).unwrap_or_default(), outer),
                !started,
            ),
            sizes,
            &mut factors,
            (&mut states[filter.state as usize], &mut weights),
        );
    }
    step.scratch.eligibility = factors;
    elementwise::clip(weights.values_mut(), rule.within);
    learn::put_back(step, rule.projection, rule.index, weights, states);
}

fn pass(
    step: &mut Step<'_>,
    (filter, (decayed, outer), first): (&EligibilityFilter, (&[OuterTerm], &[OuterTerm]), bool),
    sizes: Sizes,
    factors: &mut Four,
    (states, weights): (&mut Vector, &mut Weights),
) {
    let (decay, gain) = match filter.kind {
        FilterKind::Average(_) if first => (0.0, 1.0),
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => (decay, 1.0 - decay),
        FilterKind::Trace(decay) => (decay, 1.0),
        FilterKind::Previous(_) => (0.0, 1.0),
    };
    factors.inputs.fill(step, &filter.input, sizes, gain);
    factors.uses.fill(step, &filter.uses, sizes, 1.0);
    factors.outer.fill(step, outer, sizes, 1.0);
    factors.shrink.fill(step, decayed, sizes, 1.0);
    let total = weights.values().len();
    let arch = step.scratch.machine.arch();
    for (replica, states) in states.chunks_exact_mut(total.max(1)).enumerate() {
        let (inputs, i) = factors.inputs.products(sizes, replica);
        let (uses, u) = factors.uses.products(sizes, replica);
        let (outer, o) = factors.outer.products(sizes, replica);
        // A decay is the same in all replicas, so it is applied once.
        let (shrink, s) = factors.shrink.products(sizes, replica);
        let pass = Pass {
            states,
            decay,
            weights: weights.values_mut(),
            inputs: &inputs[..i],
            uses: &uses[..u],
            shrink: shrink[..s].first().copied().filter(|_| replica == 0),
            outer: &outer[..o],
            row: sizes.post,
        };
        kernel::run(arch, pass);
    }
}
