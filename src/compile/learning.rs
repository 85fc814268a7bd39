//! Rules ready to run: as outer products, synapse by synapse, with eligibility filters, or one weight a neuron.

use super::eligibility::EligibilityRule;
use super::kernel::{Kernel, ScalarId, VectorId, VectorRef};
use super::layout::FilterPlace;
use super::plan::FilterStep;
use crate::circuit::ProjectionId;
use crate::lang::FilterKind;

/// A rule, ready to run.
#[derive(Debug, Clone)]
pub enum Learning {
    /// Outer products of postsynaptic and presynaptic factors.
    Outer(OuterRule),
    /// Every synapse by itself.
    General(GeneralRule),
    /// Outer products, and filters of outer products at the synapses.
    Eligibility(EligibilityRule),
    /// One weight per neuron: one-to-one projections and biases.
    Elementwise(ElementwiseRule),
}

/// A sum of outer products.
#[derive(Debug, Clone)]
pub struct OuterRule {
    /// The projection.
    pub projection: ProjectionId,
    /// Its smoothing filters.
    pub filters: Vec<FilterStep>,
    /// What the weights are multiplied by first, less 1, if that is the same at all synapses.
    pub growth: Option<Kernel>,
    /// The product that has the weight itself as a factor, if it differs; it is applied first.
    pub decay: Option<OuterTerm>,
    /// The other products.
    pub terms: Vec<OuterTerm>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// One outer product.
#[derive(Debug, Clone)]
pub struct OuterTerm {
    /// The factor that all synapses share, if it is not a constant: nothing is done while it is 0.
    pub gate: Option<Kernel>,
    /// The same if each replica has its own: nothing is done in those where it is 0.
    pub own_gate: Option<Box<Kernel>>,
    /// The postsynaptic factor, times the shared one.
    pub post: Kernel,
    /// One more postsynaptic factor that is the same all over a map of the target, if there is one: a number for each map. The
    /// shared factor is in it then.
    pub maps: Option<Box<Kernel>>,
    /// The presynaptic factor.
    pub pre: Factor,
}

/// A presynaptic vector that comes again in another product of a rule, some steps later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    /// The product that has it first, by number …
    pub first: usize,
    /// … and the one that has it again.
    pub again: usize,
    /// Steps between them.
    pub lag: u32,
    /// What keeps the vector for so long.
    pub pre: VectorId,
    /// What keeps the vector that the other product's postsynaptic factor is but for that of the maps, if it is also the first
    /// one's `lag` steps before.
    pub neurons: Option<VectorId>,
}

/// A product of a number that all synapses share and a factor of either side.
#[derive(Debug, Clone)]
pub struct ScaledTerm {
    /// What all synapses share; nothing is done while it is 0.
    pub scale: Kernel,
    /// The postsynaptic factor.
    pub post: Factor,
    /// The presynaptic factor.
    pub pre: Factor,
}

/// A factor of one side.
#[derive(Debug, Clone)]
pub enum Factor {
    /// 1 everywhere.
    One,
    /// A vector as it is.
    Vector(VectorRef),
    /// Computed.
    Kernel(Kernel),
}

/// A rule run synapse by synapse, row by row.
#[derive(Debug, Clone)]
pub struct GeneralRule {
    /// The projection.
    pub projection: ProjectionId,
    /// Its number among all rules.
    pub index: usize,
    /// Smoothing filters of either side.
    pub filters: Vec<FilterStep>,
    /// Scalars that take the presynaptic side of each row.
    pub row: Vec<(ScalarId, VectorRef)>,
    /// Filters at the synapses.
    pub states: Vec<SynapseFilter>,
    /// The change of weight; `None` while a gate closes it.
    pub change: Option<Kernel>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// A filter with one state per synapse.
#[derive(Debug, Clone)]
pub struct SynapseFilter {
    /// What it follows.
    pub input: Kernel,
    /// What it does.
    pub kind: FilterKind,
    /// Its number among the projection's states.
    pub state: u32,
}

/// A rule for weights of which each neuron has one.
#[derive(Debug, Clone)]
pub struct ElementwiseRule {
    /// What it changes.
    pub target: ElementwiseTarget,
    /// Its number among all rules.
    pub index: usize,
    /// Smoothing filters of either side.
    pub filters: Vec<FilterStep>,
    /// Nothing is done while this is 0.
    pub gate: Option<Kernel>,
    /// Filters at the synapses.
    pub states: Vec<SynapseFilter>,
    /// The change of weight.
    pub change: Option<Kernel>,
    /// Number of neurons.
    pub size: usize,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// Weights of which each neuron has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementwiseTarget {
    /// Those of a one-to-one projection.
    Projection(ProjectionId),
    /// A bias.
    Bias(VectorId),
}

impl Learning {
    /// Its smoothing filters.
    pub fn filters(&self) -> &[FilterStep] {
        match self {
            Learning::Outer(rule) => &rule.filters,
            Learning::General(rule) => &rule.filters,
            Learning::Eligibility(rule) => &rule.filters,
            Learning::Elementwise(rule) => &rule.filters,
        }
    }

    /// Its kernels, but for its filters'.
    pub fn kernels(&self) -> Vec<&Kernel> {
        let (states, change, gate) = match self {
            Learning::Outer(rule) => {
                let terms = rule.decay.iter().chain(&rule.terms);
                return terms
                    .flat_map(OuterTerm::kernels)
                    .chain(&rule.growth)
                    .collect();
            }
            Learning::Eligibility(rule) => return rule.kernels(),
            Learning::General(rule) => (&rule.states, &rule.change, &None),
            Learning::Elementwise(rule) => (&rule.states, &rule.change, &rule.gate),
        };
        states
            .iter()
            .map(|s| &s.input)
            .chain(change)
            .chain(gate)
            .collect()
    }

    /// The presynaptic vector of a product that another one has soonest after it.
    pub fn repeats(&self, remember: &[FilterStep]) -> Option<Repeats> {
        let Learning::Outer(rule) = self else {
            return None;
        };
        let terms = || rule.terms.iter().enumerate();
        let pairs = terms().flat_map(|(first, now)| {
            terms().filter_map(move |(again, later)| repeated(now, later, remember, [first, again]))
        });
        pairs.min_by_key(|repeats| repeats.lag)
    }
}

/// What a product has of another one of some steps before, if it is its presynaptic vector.
fn repeated(
    now: &OuterTerm,
    later: &OuterTerm,
    remember: &[FilterStep],
    [first, again]: [usize; 2],
) -> Option<Repeats> {
    let (Factor::Vector(pre), Factor::Vector(place)) = (&now.pre, &later.pre) else {
        return None;
    };
    let kept = remembered(remember, *place)?;
    if kept.of.copied() != Some(*pre) {
        return None;
    }
    let neurons = later.post.copied().and_then(|place| {
        let factor = remembered(remember, place)?;
        let both = now.maps.is_some() && later.maps.is_some() && factor.lag == kept.lag;
        (both && factor.of.computes_as(&now.post)).then_some(factor.ring)
    });
    Some(Repeats {
        first,
        again,
        lag: kept.lag,
        pre: kept.ring,
        neurons,
    })
}

/// What a vector keeps of earlier steps.
struct Kept<'a> {
    of: &'a Kernel,
    ring: VectorId,
    lag: u32,
}

/// What a place has, if it is that which something had some steps before.
fn remembered(remember: &[FilterStep], place: VectorRef) -> Option<Kept<'_>> {
    let VectorRef::Oldest { ring, depth } = place else {
        return None;
    };
    let state = FilterPlace::Vector { state: ring, depth };
    let is_it = |filter: &&FilterStep| {
        matches!(filter.kind, FilterKind::Previous(_)) && filter.place == state
    };
    remember.iter().find(is_it).map(|filter| Kept {
        of: &filter.input,
        ring,
        lag: depth,
    })
}

impl Factor {
    fn kernel(&self) -> Option<&Kernel> {
        match self {
            Factor::Kernel(kernel) => Some(kernel),
            _ => None,
        }
    }
}

impl OuterTerm {
    pub(super) fn kernels(&self) -> Vec<&Kernel> {
        let gates = self.gate.iter().chain(self.own_gate.as_deref());
        let posts = [&self.post].into_iter().chain(self.maps.as_deref());
        gates.chain(posts).chain(self.pre.kernel()).collect()
    }
}

impl ScaledTerm {
    /// Whether it is the same at all synapses.
    pub fn is_uniform(&self) -> bool {
        matches!((&self.post, &self.pre), (Factor::One, Factor::One))
    }

    pub(super) fn kernels(&self) -> Vec<&Kernel> {
        [Some(&self.scale), self.post.kernel(), self.pre.kernel()]
            .into_iter()
            .flatten()
            .collect()
    }
}
