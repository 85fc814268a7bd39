//! Rules with eligibility filters at work.

use super::learn;
use super::step::{Scratch, Step};
use crate::compile::eligibility::{EligibilityFilter, EligibilityRule};
use crate::compile::learning::{Factor, ScaledTerm};
use crate::engine::elementwise;
use crate::engine::eligibility::{self as kernel, MOST, Pass, Product};
use crate::lang::FilterKind;
use crate::lang::vm::padded;
use crate::vector::Vector;

/// Scratch memory of a rule: computed factors, all replicas one after the other, and those scaled.
#[derive(Debug, Default)]
pub(super) struct Factors {
    pre: Vec<Vector>,
    post: Vec<Vector>,
    scaled: Vector,
}

impl Factors {
    /// Scratch memory for scaled factors.
    pub fn scaled(&mut self) -> &mut Vector {
        &mut self.scaled
    }
}

/// Padded lengths of the two sides for one replica, and the number of replicas.
#[derive(Clone, Copy)]
struct Sizes {
    pre: usize,
    post: usize,
    replicas: usize,
}

/// The products of one sort in this step: those that are the same at all synapses added up, and the others, each with
/// its scale and its number among all terms of the pass.
#[derive(Default)]
struct Sort<'r> {
    uniform: f64,
    others: [Option<(&'r ScaledTerm, f64, usize)>; MOST],
}

impl<'r> Sort<'r> {
    /// Computes scales and factors of the products that no gate closes in this step, and adds those up that are the
    /// same at all synapses if `adds`; `number` counts on.
    fn new(
        step: &mut Step<'_>,
        factors: &mut Factors,
        (terms, adds): (&'r [ScaledTerm], bool),
        sizes: Sizes,
        number: &mut usize,
    ) -> Self {
        let mut sort = Sort::default();
        let mut free = sort.others.iter_mut();
        let (memory, scratch) = step.parts();
        let Scratch { machine, .. } = scratch;
        for term in terms {
            let scale = memory.run_scalar(machine, &term.scale);
            if scale.abs() <= 0.0 {
                continue;
            }
            if adds && term.is_uniform() {
                sort.uniform += scale;
                continue;
            }
            let sides = [
                (&term.post, &mut factors.post, sizes.post),
                (&term.pre, &mut factors.pre, sizes.pre),
            ];
            for (factor, vectors, length) in sides {
                if vectors.len() <= *number {
                    vectors.resize_with(*number + 1, Vector::default);
                }
                let vector = &mut vectors[*number];
                match factor {
                    Factor::Vector(_) => {}
                    Factor::One => {
                        vector.resize(length * sizes.replicas, 1.0);
                        vector.fill(1.0);
                    }
                    Factor::Kernel(kernel) => {
                        vector.resize(length * sizes.replicas, 0.0);
                        memory.run(machine, kernel, vector);
                    }
                }
            }
            if let Some(place) = free.next() {
                *place = Some((term, scale, *number));
            }
            *number += 1;
        }
        sort
    }

    /// The products of a replica, scaled by one more factor, and their number.
    fn products<'a>(
        &self,
        step: &'a Step<'_>,
        factors: (&'a [Vector], &'a [Vector]),
        (sizes, replica): (Sizes, usize),
        gain: f64,
    ) -> ([Product<'a>; MOST], usize) {
        let memory = step.memory();
        let side = |factor: &Factor, computed: &'a Vector, length: usize| {
            let whole: &'a [f64] = match factor {
                Factor::Vector(place) => memory.vector(*place),
                _ => computed,
            };
            &whole[replica * length..(replica + 1) * length]
        };
        let mut products = [Product::default(); MOST];
        let mut used = 0;
        for (term, scale, number) in self.others.iter().flatten() {
            products[used] = Product {
                scale: gain * scale,
                pre: side(&term.pre, &factors.0[*number], sizes.pre),
                post: side(&term.post, &factors.1[*number], sizes.post),
            };
            used += 1;
        }
        (products, used)
    }
}

/// Moves a rule's filters on and changes the weights.
pub(super) fn run(step: &mut Step<'_>, rule: &EligibilityRule) {
    let projection = &step.program.circuit.projections[rule.projection.0 as usize];
    let size =
        |id: crate::circuit::CompartmentId| step.program.circuit.population(id.population).size;
    let sizes = Sizes {
        pre: padded(size(projection.from)),
        post: padded(size(projection.to)),
        replicas: step.replicas,
    };
    if run_plain(step, rule, sizes) {
        return;
    }
    let (mut weights, mut states, started) = learn::take(step, rule.projection, rule.index);
    let mut factors = std::mem::take(&mut step.scratch.eligibility);
    for (index, filter) in rule.states.iter().enumerate() {
        // The decay and the products without a filter join the first pass.
        let (decay, outer) = match index {
            0 => (rule.decay.as_slice(), rule.terms.as_slice()),
            _ => Default::default(),
        };
        pass(
            step,
            (filter, decay, outer, !started),
            sizes,
            &mut factors,
            (
                &mut states[filter.state as usize],
                learn::numbers(&mut weights),
            ),
        );
    }
    step.scratch.eligibility = factors;
    elementwise::clip(learn::numbers(&mut weights), rule.within);
    learn::put_back(step, rule.projection, rule.index, weights, states);
}

/// Runs the most frequent form of a rule, whose factors are vectors as they are and whose filter is used alike at all
/// synapses; `false` if it has another.
fn run_plain(step: &mut Step<'_>, rule: &EligibilityRule, sizes: Sizes) -> bool {
    let ([filter], [] | [_], 1) = (rule.states.as_slice(), &rule.terms[..], sizes.replicas) else {
        return false;
    };
    let [input] = filter.input.as_slice() else {
        return false;
    };
    let outer = rule.terms.first();
    let plain = |term: &ScaledTerm| {
        let sides = (&term.post, &term.pre);
        matches!(sides, (Factor::Vector(_), Factor::Vector(_)))
    };
    let uniform = filter.uses.iter().chain(&rule.decay);
    if !filter.kept.is_empty()
        || !plain(input)
        || !outer.is_none_or(plain)
        || !uniform.clone().all(ScaledTerm::is_uniform)
    {
        return false;
    }
    let (mut weights, mut states, started) = learn::take(step, rule.projection, rule.index);
    let (decay, gain) = shares(filter.kind, !started);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        eligibility: factors,
        ..
    } = scratch;
    let mut product = |term: &ScaledTerm, gain: f64| {
        let side = |factor: &Factor| match factor {
            Factor::Vector(place) => memory.vector(*place),
            _ => &[],
        };
        Product {
            scale: gain * memory.run_scalar(machine, &term.scale),
            pre: side(&term.pre),
            post: side(&term.post),
        }
    };
    let inputs = [product(input, gain)];
    let outer = outer.map(|term| product(term, 1.0));
    let mut sum = |terms: &[ScaledTerm]| {
        let scales = terms
            .iter()
            .map(|term| memory.run_scalar(machine, &term.scale));
        scales.sum::<f64>()
    };
    let (share, growth) = (sum(&filter.uses), sum(rule.decay.as_slice()));
    let pass = Pass {
        states: &mut states[filter.state as usize],
        decay,
        kept: None,
        weights: learn::numbers(&mut weights),
        inputs: &inputs,
        share,
        uses: &[],
        growth,
        shrink: None,
        outer: outer.as_slice(),
        row: sizes.post,
        scaled: &mut factors.scaled,
    };
    kernel::run(machine.arch(), pass);
    elementwise::clip(learn::numbers(&mut weights), rule.within);
    learn::put_back(step, rule.projection, rule.index, weights, states);
    true
}

/// What remains of a filter's state in a step, and the share of what it takes.
pub(super) fn shares(kind: FilterKind, first: bool) -> (f64, f64) {
    match kind {
        FilterKind::Average(_) if first => (0.0, 1.0),
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => (decay, 1.0 - decay),
        FilterKind::Trace(decay) => (decay, 1.0),
        FilterKind::Previous(_) | FilterKind::Carried => (0.0, 1.0),
    }
}

fn pass(
    step: &mut Step<'_>,
    (filter, decayed, outer, first): (&EligibilityFilter, &[ScaledTerm], &[ScaledTerm], bool),
    sizes: Sizes,
    factors: &mut Factors,
    (states, weights): (&mut Vector, &mut [f64]),
) {
    let (decay, gain) = shares(filter.kind, first);
    let mut number = 0;
    let mut sort = |terms, adds| Sort::new(step, factors, (terms, adds), sizes, &mut number);
    let (inputs, uses) = (sort(&filter.input, false), sort(&filter.uses, true));
    let kept = sort(&filter.kept, true);
    let (outer, shrink) = (sort(outer, false), sort(decayed, true));
    let arch = step.scratch.machine.arch();
    let Factors { pre, post, scaled } = factors;
    let total = weights.len();
    for (replica, states) in states.chunks_exact_mut(total.max(1)).enumerate() {
        let of =
            |sort: &Sort<'_>, gain: f64| sort.products(step, (pre, post), (sizes, replica), gain);
        let (inputs, i) = of(&inputs, gain);
        let (used, u) = of(&uses, 1.0);
        let (outer, o) = of(&outer, 1.0);
        let (kept_here, k) = of(&kept, 1.0);
        // A decay is the same in all replicas, so it is applied once.
        let (shrinking, s) = of(&shrink, 1.0);
        let first = replica == 0;
        let pass = Pass {
            states,
            decay: decay + kept.uniform,
            kept: kept_here[..k].first().copied(),
            weights,
            inputs: &inputs[..i],
            share: uses.uniform,
            uses: &used[..u],
            growth: if first { shrink.uniform } else { 0.0 },
            shrink: shrinking[..s].first().copied().filter(|_| first),
            outer: &outer[..o],
            row: sizes.post,
            scaled,
        };
        kernel::run(arch, pass);
    }
}
