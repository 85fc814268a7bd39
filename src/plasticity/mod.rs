//! Plasticity of spiking circuits: rules that are integrated lazily, and the general path.
//!
//! A rule's text becomes a [`PlasticRule`] in these steps, each in its own module: filters are taken out (`lower`),
//! trains of events are split off (`impulse`), products are sorted by their presynaptic and postsynaptic sides
//! (`analyse`) and folded into integrals (`fold`). Most rules become a [`LazyRule`]; its states live in plain slices of numbers that belong to the engine:
//! one per presynaptic neuron, per postsynaptic neuron, per synapse and per projection.
//!
//! # Order of calls
//! At one time: modulators change (before it, [`LazyRule::before_change`]); presynaptic events arrive
//! ([`LazyRule::advance_post`], [`LazyRule::arrive`], [`LazyRule::deliver`], then [`LazyRule::pre_event`]);
//! postsynaptic events happen ([`LazyRule::advance_post`], [`LazyRule::post_event`], then the voltages are reset).
//! When [`LazyRule::next_rebase`] is due: neurons are advanced, synapses flushed, then neurons and the projection moved.
//!
//! # Units
//! Times are ms since the start of the simulation, rates 1/ms, voltages mV.
//!
//! # Bounds
//! Hard bounds of a weight apply when it is used: a weight that would have left its bounds and come back
//! between two presynaptic events has not been stopped at the bound in between.

mod analyse;
mod explain;
mod exponential;
mod fold;
mod general;
mod impulse;
mod interval;
mod lower;
mod plan;
mod polynomial;
mod post;
mod program;
mod quadrature;
mod rebase;
mod shared;
mod sides;
mod signal;
mod single;
mod synapse;

use serde::{Deserialize, Serialize};

use crate::compile::reading::Expr;

pub use crate::netlist::model::Signal;
pub use general::{GeneralRule, Presynaptic};
pub use interval::{Interval, Intervals};
pub use lower::Kernel;
pub use plan::LazyRule;
pub use post::{Course, Moment};
pub use signal::{Channel, Signals};
pub use single::{SINGLE_LEN, Single, SingleArrival};
pub use synapse::Arrival;

/// A rule that is ready to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PlasticRule {
    /// Work at presynaptic events only.
    Lazy(Box<LazyRule>),
    /// All synapses of a neuron are visited when something happens to it.
    General(Box<GeneralRule>),
}

impl PlasticRule {
    /// Analyses a rule. `kernel` is what `psp` means at its synapses, `within` the hard bounds of its weights.
    ///
    /// # Errors
    /// What no path can run, in words that go on from "the rule cannot be used: ".
    pub fn new(
        expr: &Expr,
        kernel: Option<Kernel<'_>>,
        within: Option<[f64; 2]>,
    ) -> Result<PlasticRule, String> {
        let mut lowered = lower::lower(expr, kernel)?;
        let sides = lowered.sides(within)?;
        match analyse::analyse(&mut lowered, &sides) {
            Ok(rule) => Ok(PlasticRule::Lazy(Box::new(rule))),
            Err(why) => GeneralRule::new(&lowered, sides, &why)
                .map(|rule| PlasticRule::General(Box::new(rule))),
        }
    }

    /// The same rule on the general path, whatever it is.
    ///
    /// # Errors
    /// As [`PlasticRule::new`].
    pub fn general(
        expr: &Expr,
        kernel: Option<Kernel<'_>>,
        within: Option<[f64; 2]>,
    ) -> Result<GeneralRule, String> {
        let lowered = lower::lower(expr, kernel)?;
        let sides = lowered.sides(within)?;
        GeneralRule::new(&lowered, sides, "that was asked for")
    }

    /// The traces of both sides.
    pub fn traces(&self) -> &LazyRule {
        match self {
            PlasticRule::Lazy(rule) => rule,
            PlasticRule::General(rule) => rule.traces(),
        }
    }

    /// Whether it reads voltages, at events or in between.
    pub fn follows_voltages(&self) -> bool {
        let advances = match self {
            PlasticRule::Lazy(rule) => rule.needs_advance(),
            PlasticRule::General(rule) => rule.needs_advance(),
        };
        advances || self.traces().post_reads().next().is_some()
    }

    /// Numbers that a synapse keeps beside its weight.
    pub fn synapse_len(&self) -> usize {
        match self {
            PlasticRule::Lazy(rule) => rule.synapse_len(),
            PlasticRule::General(rule) => rule.synapse_len(),
        }
    }

    /// How it runs and why, in a sentence.
    pub fn explain(&self) -> &str {
        match self {
            PlasticRule::Lazy(rule) => rule.explain(),
            PlasticRule::General(rule) => rule.explain(),
        }
    }
}

impl PlasticRule {
    /// Limits the intervals that are integrated at once, to half of the fastest time constant of the voltages (ms).
    pub fn limit_interval(&mut self, fastest: f64) {
        if let PlasticRule::Lazy(rule) = self {
            rule.limit_interval(fastest);
        }
    }
}

impl LazyRule {
    /// How it runs and why, in a sentence.
    pub fn explain(&self) -> &str {
        &self.explanation
    }

    /// Numbers that a presynaptic neuron keeps; they start at 0.
    pub fn pre_len(&self) -> usize {
        self.sides.pre.len()
    }

    /// Compartments of the postsynaptic neuron whose voltages are read, by number, in the order in which they are passed.
    pub fn post_reads(&self) -> impl Iterator<Item = u32> {
        self.sides
            .voltages
            .iter()
            .map(|(compartment, _)| *compartment)
    }

    /// Modulators that are read, by number.
    pub fn channel_reads(&self) -> impl Iterator<Item = u32> {
        self.sides.channels.iter().map(|(channel, _)| *channel)
    }

    /// Kinds of presynaptic events that have to be delivered.
    pub fn pre_signals(&self) -> Signals {
        let mut set = self.sides.pre_signals();
        let products = self.jumps.iter().map(|j| j.kind);
        for kind in products.chain(self.programs.iter().map(|p| p.kind)) {
            set = set | Signals::number(usize::from(kind));
        }
        set
    }

    /// Kinds of postsynaptic events that have to be told.
    pub fn post_signals(&self) -> Signals {
        let sources = self.sources.iter().map(|s| &s.impulses);
        let own = sides::kinds(sources.chain(&self.shrink));
        own | self.sides.post_signals()
    }

    /// Brings presynaptic traces to an event `elapsed` ms after the last one (infinite for the first), and adds what it
    /// adds. What was before goes along with the event to the synapses.
    pub fn pre_event(&self, pre: &mut [f64], signals: Signals, elapsed: f64) {
        self.sides.pre_event(pre, signals, elapsed);
    }

    /// Limits the intervals that are integrated at once, to half of the fastest time constant of the voltages (ms).
    pub fn limit_interval(&mut self, fastest: f64) {
        self.longest = self.longest.min(0.5 * fastest);
    }

    /// Whether neurons have to be advanced before a modulator changes.
    pub fn advances_with_modulators(&self) -> bool {
        self.needs_advance() && !self.sides.channels.is_empty()
    }
}
