//! A step as one flat list of operations.
//!
//! A [`Plan`] says what a step does by the names of circuit, rules and projections. When a stage is entered each plan is
//! lowered to a list of [`Op`]s: sizes and places looked up, constants taken out of bytecode, the most frequent
//! expressions recognised ([`Pattern`]). A step then walks this list inside one dispatch on the instruction set. What has
//! no operation of its own (replicas, sparse projections, rules synapse by synapse, measured updates, probes) stays a
//! [`Part`], which takes the general path of [`Step`](super::step::Step); both give the same bits.

mod driven;
mod eligibility;
mod evaluate;
mod lower;
mod pattern;
mod precision;
mod reads;
mod run;

pub(super) use precision::Precision;
pub(super) use reads::{Written, waited_for};
pub(super) use run::Run;

use crate::circuit::CompartmentId;
use crate::compile::Program;
use crate::compile::kernel::VectorRef;
use crate::compile::plan::Plan;
use crate::lang::FilterKind;
use driven::DrivenOp;
use pattern::{Number, Pattern};

/// A part of a plan by the general path: its number in the plan's list of that sort, or all of that sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Compute(usize),
    Smooth(usize),
    Modulate(usize),
    Measure,
    /// The filters of a rule that itself has an operation.
    FiltersOf(usize),
    Learn(usize),
    Optimise,
    Probe,
    Remember(usize),
    Integrate,
}

/// One operation of a step. Indices are those of the state's tables.
#[derive(Debug, Clone)]
enum Op {
    /// A drive: what begins it, then projections.
    Drive {
        into: usize,
        base: Option<VectorRef>,
        deliveries: Vec<Delivery>,
    },
    /// A compartment's value; `check` unless it copies one that was checked.
    Value {
        compartment: CompartmentId,
        into: usize,
        pattern: Pattern,
        within: Option<[f64; 2]>,
        check: bool,
        /// Another compartment's value that is the same.
        copy: Option<usize>,
    },
    /// A drive, and a value that is that with noise.
    Driven(DrivenOp),
    /// A filter of neurons that smooths a vector.
    Smooth {
        state: usize,
        input: VectorRef,
        kind: FilterKind,
        /// Its flag in the list of filters that have started.
        index: usize,
    },
    /// A sum over the first `length` values of an expression.
    Sum {
        pattern: Pattern,
        length: usize,
        into: usize,
    },
    /// A computed modulator, its sums done.
    Modulate { modulator: usize, value: Number },
    /// Outer products onto a matrix of `pre` rows, the postsynaptic factor of padded length `post`.
    Outer {
        projection: usize,
        pre: usize,
        post: usize,
        growth: Option<Number>,
        terms: Vec<OuterOp>,
        within: Option<[f64; 2]>,
    },
    /// One weight per neuron.
    Elementwise {
        target: Single,
        size: usize,
        gate: Option<Number>,
        change: Pattern,
        within: Option<[f64; 2]>,
    },
    /// A rule with one eligibility filter.
    Eligibility(EligibilityOp),
    /// The only differential equation.
    Integrate {
        compartment: CompartmentId,
        value: usize,
        drift: Pattern,
        /// The factor of the noise, and its source.
        diffusion: Option<(Number, u32)>,
        within: Option<[f64; 2]>,
        dt: f64,
    },
    /// A value enters the ring from which delayed projections read.
    Delay {
        value: usize,
        ring: usize,
        depth: u64,
    },
    /// All else.
    Part(Part),
}

impl Op {
    /// Whether it is an outer product that may wait until the matrix is read: the only thing that is done to it.
    fn may_wait(terms: &[OuterOp], growth: Option<&Number>, within: Option<[f64; 2]>) -> bool {
        terms.len() == 1 && growth.is_none() && within.is_none()
    }
}

/// A projection's share of a drive.
#[derive(Debug, Clone, Copy)]
struct Delivery {
    projection: usize,
    pre: VectorRef,
    /// Number of presynaptic neurons.
    sources: usize,
}

/// An outer product.
#[derive(Debug, Clone)]
struct OuterOp {
    gate: Option<Number>,
    post: Pattern,
    pre: VectorRef,
}

/// Weights of which each neuron has one.
#[derive(Debug, Clone, Copy)]
enum Single {
    /// Those of a projection, and the number of its rule.
    Projection(usize, usize),
    Bias(usize),
}

/// A rule of one filter of a product of two vectors, used alike at all synapses, and at most one product more.
#[derive(Debug, Clone)]
struct EligibilityOp {
    projection: usize,
    rule: usize,
    state: usize,
    kind: FilterKind,
    input: Scaled,
    outer: Option<Scaled>,
    uses: Vec<Number>,
    growth: Option<Number>,
    /// Padded postsynaptic length.
    row: usize,
    within: Option<[f64; 2]>,
}

/// A number times a postsynaptic and a presynaptic vector.
#[derive(Debug, Clone)]
struct Scaled {
    scale: Number,
    post: VectorRef,
    pre: VectorRef,
}

/// The operations of a step.
#[derive(Debug, Clone)]
pub(super) struct Flat {
    ops: Vec<Op>,
    /// Sources that operations read.
    pub sources: Vec<usize>,
}

impl Flat {
    /// Lowers a plan.
    pub fn new(program: &Program, plan: &Plan) -> Flat {
        let mut flat = Flat {
            ops: lower::ops(program, plan),
            sources: vec![],
        };
        flat.sources = flat.all_sources();
        flat
    }
}
