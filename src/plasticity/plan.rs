//! What the analysis makes of a rule whose synapses need work only at presynaptic events.

use serde::{Deserialize, Serialize};

use super::polynomial::Product;
use super::program::Scalar;
use super::quadrature::Gauss;
use super::sides::Sides;

/// Integrals over a neuron's events and voltages that one rule may need.
pub const MOST_ACCUMULATORS: usize = 24;
/// Integrals over modulators that one rule may need.
pub const MOST_INTEGRALS: usize = 16;
/// Filters at a synapse that one rule may have.
pub const MOST_ELIGIBILITIES: usize = 4;
/// Products that presynaptic events may add.
pub const MOST_JUMPS: usize = 16;

/// A rule that is integrated lazily: between two presynaptic events a synapse waits, and its neuron keeps a few
/// running integrals.
///
/// With Q(t) = Q₀·e^(−q·t) the presynaptic factor of a product and G the postsynaptic one, the neuron keeps
/// F(t) = ∫ G(s)·e^(−q·s) ds, and a synapse adds Q₀·(F(t₁) − F(t₀)) when it is next used. A filter at the synapse of
/// decay ρ, times a broadcast factor D, needs F with e^((ρ − q)·s), K = ∫ D·e^(−ρ·s) ds, and M = ∫ K dF:
/// Δw = ε·(K₁ − K₀) + Q₀·(K₁·(F₁ − F₀) − (M₁ − M₀)), where ε is the filter's state at t₀ scaled by e^(ρ·t₀).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LazyRule {
    /// Traces of both sides.
    pub(super) sides: Sides,
    /// Postsynaptic factors.
    pub(super) sources: Vec<Source>,
    /// Integrals over them, one set per neuron; those of the weight itself come first.
    pub(super) accumulators: Vec<Accumulator>,
    /// Postsynaptic factors that need quadrature.
    pub(super) smooth: Vec<Smooth>,
    /// How many integrals are of the weight itself.
    pub(super) plain: usize,
    /// What reads the integrals: presynaptic products.
    pub(super) entries: Vec<Entry>,
    /// Integrals over modulators, one set per projection.
    pub(super) integrals: Vec<Integral>,
    /// For each filter at the synapse the integral K.
    pub(super) gains: Vec<u16>,
    /// What presynaptic events add at once, as products.
    pub(super) jumps: Vec<JumpProduct>,
    /// What presynaptic events add at once otherwise.
    pub(super) programs: Vec<JumpProgram>,
    /// Class of the weight's own decay; 0 if there is none.
    pub(super) decay: u16,
    /// By what postsynaptic events multiply all weights: w becomes (1 + factor)·w.
    pub(super) shrink: Option<[Scalar; 3]>,
    /// Class in whose time the product of such factors is started anew; 0 if there is none.
    pub(super) shrink_class: u16,
    /// Quadrature rules for smooth parts.
    pub(super) gauss: Vec<Gauss>,
    /// Longest interval that is integrated at once (ms).
    pub(super) longest: f64,
    /// How it runs and why, in a sentence.
    pub(super) explanation: String,
}

impl LazyRule {
    /// The traces of both sides, and nothing yet that reads them.
    pub(super) fn of(sides: Sides) -> LazyRule {
        LazyRule {
            longest: (0.5 / sides.fastest()).min(2.0),
            sides,
            sources: vec![],
            accumulators: vec![],
            smooth: vec![],
            plain: 0,
            entries: vec![],
            integrals: vec![],
            gains: vec![],
            jumps: vec![],
            programs: vec![],
            decay: 0,
            shrink: None,
            shrink_class: 0,
            gauss: Gauss::all(),
            explanation: String::new(),
        }
    }
}

/// A postsynaptic factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its factor of each postsynaptic train.
    pub impulses: [Scalar; 3],
}

/// A postsynaptic factor that needs quadrature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Smooth {
    /// What it is between events.
    pub value: Scalar,
    /// The integrals over it.
    pub accumulators: Vec<u16>,
}

/// ∫ G(s)·e^(−Σ falls·s + rises·s) [K(s)] ds, kept by a neuron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accumulator {
    /// Which postsynaptic factor.
    pub source: u16,
    /// Classes of the decays of its presynaptic product.
    pub falls: Vec<u16>,
    /// Sum of these decays (1/ms).
    pub rate: f64,
    /// Class of the filter or weight that it goes to; 0 if that does not decay.
    pub rises: u16,
    /// The integral over modulators that multiplies it.
    pub by: Option<u16>,
    /// Products of postsynaptic traces whose integral is known in closed form: traces, and an integral over modulators.
    pub closed: Vec<(Vec<u16>, u16)>,
    /// Classes (as bits) whose move of reference sets it to 0.
    pub resets: u16,
}

/// A presynaptic product times integrals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number and its presynaptic traces.
    pub factor: f64,
    /// Presynaptic traces, by number.
    pub traces: Vec<u16>,
    /// The filter that it goes to; `None` for the weight.
    pub eligibility: Option<u16>,
    /// F.
    pub first: u16,
    /// M, for a filter.
    pub second: u16,
}

/// ∫ Σ products of modulators · e^(…) ds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integral {
    /// Numbers times modulators (by number).
    pub products: Vec<Product>,
    /// Classes whose decays multiply it, and that set it to 0.
    pub falls: Vec<u16>,
    /// Class whose growth multiplies it, and that sets it to 0; 0 if none does.
    pub rises: u16,
    /// Classes of postsynaptic traces.
    pub traces: Vec<u16>,
}

/// What a presynaptic event adds: factor · shared · postsynaptic traces · values of the synapse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JumpProduct {
    /// Kind of the event.
    pub kind: u8,
    /// The filter that it goes to; `None` for the weight.
    pub eligibility: Option<u16>,
    /// Its number.
    pub factor: f64,
    /// Places of presynaptic traces and modulators.
    pub shared: Vec<u16>,
    /// Postsynaptic traces, by number.
    pub traces: Vec<u16>,
    /// Voltages, by their number among those that the rule reads.
    pub voltages: Vec<u16>,
    /// How often the weight is a factor.
    pub weight: u16,
    /// Filters at the synapse, by number.
    pub filters: Vec<u16>,
}

/// What a presynaptic event adds, if it is no sum of products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JumpProgram {
    /// Kind of the event.
    pub kind: u8,
    /// The filter that it goes to; `None` for the weight.
    pub eligibility: Option<u16>,
    /// What is added.
    pub value: Scalar,
}
