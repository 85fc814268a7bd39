//! Projections: how they connect, what they learn.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Distribution, Duration, Interval, Name};
use crate::source::Spanned;
use crate::units::Quantity;

/// A bundle of synapses.
#[derive(Debug, Clone)]
pub struct Projection {
    /// Its name.
    pub name: Name,
    /// Population, or `population.compartment`, that it reads; the soma if no compartment is named.
    pub from: Name,
    /// `population.compartment` that it drives.
    pub to: Name,
    /// Which neurons are connected.
    pub connect: Spanned<Connect>,
    /// Initial weights; 0 where they are those of another projection.
    pub weight: Distribution,
    /// The projection whose weights it has, the other way.
    pub transpose_of: Option<Name>,
    /// Time between a value or a spike and its effect; none if not given.
    pub delay: Option<Spanned<Delay>>,
    /// The part of the delay that lies behind the synapse, in the dendrite (ms).
    pub dendritic_delay: Option<Spanned<Quantity>>,
    /// Which events of a spiking source it carries.
    pub signal: Option<Spanned<Signal>>,
    /// The receptor of its synapses.
    pub receptor: Option<Name>,
    /// Short-term plasticity.
    pub short_term: Option<ShortTerm>,
    /// How exactly weights are kept, if it is said.
    pub precision: Option<Spanned<Precision>>,
    /// Hard bounds of the weights.
    pub within: Option<Interval>,
    /// How it learns.
    pub learn: Option<Learn>,
}

/// How exactly the weights of a projection are kept and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// As 64-bit numbers, with 53 significant bits.
    #[default]
    Double,
    /// As 32-bit numbers, with 24 significant bits.
    Single,
}

impl Precision {
    /// Its name in netlists.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Double => "double",
            Precision::Single => "single",
        }
    }
}

/// A delay.
#[derive(Debug, Clone, PartialEq)]
pub enum Delay {
    /// The same for all synapses.
    Same(Duration),
    /// One for each synapse.
    Drawn(Distribution),
}

/// Kinds of events that a spiking neuron has: what a projection carries, and what a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Signal {
    /// Every spike.
    #[default]
    Spike,
    /// Isolated spikes, and the first of each burst.
    Event,
    /// Bursts.
    Burst,
}

impl Signal {
    /// All kinds.
    pub const ALL: [Signal; 3] = [Signal::Spike, Signal::Event, Signal::Burst];

    /// As a netlist writes it, and a rule.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Spike => "spike",
            Signal::Event => "event",
            Signal::Burst => "burst",
        }
    }
}

/// Short-term plasticity after Tsodyks and Markram.
#[derive(Debug, Clone, PartialEq)]
pub struct ShortTerm {
    /// Share U of the resources that a spike uses, from 0 to 1.
    pub utilisation: Spanned<f64>,
    /// Time constant of recovery (ms).
    pub recovery_ms: Spanned<f64>,
    /// Time constant of facilitation (ms); 0 without facilitation.
    pub facilitation_ms: f64,
}

/// Connection patterns.
#[derive(Debug, Clone, PartialEq)]
pub enum Connect {
    /// Every neuron to every neuron.
    AllToAll,
    /// Neuron i to neuron i.
    OneToOne,
    /// Each pair with this probability.
    Probability(f64),
    /// Each target gets this many different sources.
    InDegree(u64),
    /// Each source gets this many different targets.
    OutDegree(u64),
    /// So many synapses in all, between pairs that are drawn.
    Total {
        /// How many.
        count: u64,
        /// Whether a pair may be drawn more than once.
        repeats: bool,
    },
    /// Each pair with a probability that depends on how far its neurons are from each other.
    Distance(Distance),
    /// Edges from a CSV or Parquet file with columns `pre`, `post` and, if it likes, `weight`.
    Edges(String),
    /// Between populations with a shape: the same patch of weights at every place.
    Convolution(Convolution),
    /// Each target sums a window of its own map.
    Pool(Windows),
    /// Each target gets what the source of its window gives: the reverse of `Pool`.
    Spread(Windows),
    /// Within a population: in each window the most active neuron gets 1, the others 0.
    Winner(Windows),
}

impl fmt::Display for Connect {
    /// As it is written in words: `in-degree 10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Connect::AllToAll => f.write_str("all-to-all"),
            Connect::OneToOne => f.write_str("one-to-one"),
            Connect::Probability(p) => write!(f, "probability {p}"),
            Connect::InDegree(n) => write!(f, "in-degree {n}"),
            Connect::OutDegree(n) => write!(f, "out-degree {n}"),
            Connect::Total { count, .. } => write!(f, "{count} in all"),
            Connect::Distance(distance) => distance.fmt(f),
            Connect::Edges(file) => write!(f, "edges from {file}"),
            Connect::Convolution(c) => write!(f, "convolution {:?}", c.kernel),
            Connect::Pool(windows) => write!(f, "pool {windows}"),
            Connect::Spread(windows) => write!(f, "spread {windows}"),
            Connect::Winner(windows) => write!(f, "winner of {windows}"),
        }
    }
}

/// How the probability of a connection depends on distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// Its form.
    pub profile: Profile,
    /// Standard deviation, decay length or reach, in lengths of the unit square or ring.
    pub width: f64,
    /// Probability at distance 0.
    pub peak: f64,
    /// Whether opposite edges of the unit square meet.
    pub periodic: bool,
}

/// Forms of a probability over distance d with width s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// exp(−d²/2s²).
    Gaussian,
    /// exp(−d/s).
    Exponential,
    /// 1 up to s, else 0.
    Boxcar,
}

/// A convolution; one number for each dimension of the maps, or one for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convolution {
    /// Lengths of a patch.
    pub kernel: Vec<u64>,
    /// From patch to patch.
    pub stride: Vec<u64>,
    /// Zeros around the input.
    pub padding: Vec<u64>,
}

/// Windows that cover maps without overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Windows {
    /// One window: the whole map.
    All,
    /// Lengths of a window, one for each dimension, or one for all.
    Of(Vec<u64>),
}

/// As messages show them.
impl std::fmt::Display for Windows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Windows::All => f.write_str("all"),
            Windows::Of(lengths) => write!(f, "{lengths:?}"),
        }
    }
}

/// A rule put to work.
#[derive(Debug, Clone)]
pub struct Learn {
    /// The rule.
    pub rule: Name,
    /// Its parameters.
    pub parameters: IndexMap<String, Spanned<Quantity>>,
    /// What its modulators are called in this circuit, where they have other names.
    pub modulators: IndexMap<String, Name>,
    /// What its changes go through before they reach the weights.
    pub optimiser: Option<Adam>,
}

/// The optimiser Adam (Kingma and Ba 2015, Algorithm 1), with the rule's changes in place of the negative gradient.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Adam {
    /// Step size α.
    pub rate: f64,
    /// Decay β₁ of the mean.
    pub beta1: f64,
    /// Decay β₂ of the mean square.
    pub beta2: f64,
    /// ε, added to the root of the mean square.
    pub epsilon: f64,
    /// Steps whose changes are averaged for one update.
    pub every: u64,
}

impl std::fmt::Display for Distance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let profile = match self.profile {
            Profile::Gaussian => "gaussian",
            Profile::Exponential => "exponential",
            Profile::Boxcar => "boxcar",
        };
        write!(
            f,
            "{profile} of distance, width {}, peak {}",
            self.width, self.peak
        )
    }
}
