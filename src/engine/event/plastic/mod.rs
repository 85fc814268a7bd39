//! Synapses that learn: what a projection's rule keeps on a partition, and when it is called.
//!
//! The rule itself is in [`crate::plasticity`]. Here its numbers live: of each presynaptic neuron (every partition has its
//! own copy, driven by the same spikes), of each postsynaptic neuron, of each synapse, and of the projection.

mod arrivals;
mod incoming;
mod post;
mod read;
mod voltages;

use std::sync::Arc;

use self::arrivals::Arriving;
use self::incoming::{Incoming, presynaptic};
use self::voltages::voltages_at;
use super::dendrite::Dendrite;
use super::linear::Modes;
use super::synapses::{Synapses, Weights};
use crate::plasticity::{
    Channel, GeneralRule, Intervals, Moment, PlasticRule, Presynaptic, Single, SingleArrival,
};
use crate::prefetch::{large_pages, prefetch};

/// What a projection that learns keeps on a partition.
#[derive(Debug)]
pub struct Learning {
    rule: Arc<PlasticRule>,
    /// Whether it learns at present.
    pub active: bool,
    /// Number of the first postsynaptic neuron in the partition.
    base: u32,
    shared: Vec<f64>,
    /// Traces of each presynaptic neuron after its last event that arrived, and when that was (ms).
    pre: Vec<f64>,
    pre_last: Vec<f64>,
    post: Vec<f64>,
    synapses: Vec<f64>,
    /// Numbers that a synapse has of these.
    synapse_len: usize,
    /// Intervals over which neurons were advanced lately.
    intervals: Intervals,
    /// Compartments whose voltages are read.
    reads: Vec<u32>,
    /// The rule in its simplest form, if it has that, and what it needs of each arrival. Then `arrivals` has one place, which all
    /// of them use.
    single: Option<Single>,
    singles: Vec<SingleArrival>,
    /// What arrives in this window, in order.
    arrivals: Vec<Arriving>,
    /// How many of them there are; the rest is kept for its memory.
    arriving: usize,
    /// For the general path: the synapses of each postsynaptic neuron.
    incoming: Option<Incoming>,
    /// Postsynaptic events on their way to the synapses, if that takes time.
    dendrite: Option<Dendrite>,
}

impl Learning {
    /// A projection's rule at a time (ms), with `neurons` postsynaptic neurons from `base` on, and the part of its delay
    /// (ps) that lies behind the synapses.
    pub fn new(
        rule: &Arc<PlasticRule>,
        table: &Synapses,
        (sources, base, neurons): (usize, u32, usize),
        dendritic_delay: i64,
        at: f64,
    ) -> Learning {
        let traces = rule.traces();
        let count = table.rows.count(sources);
        let incoming = matches!(**rule, PlasticRule::General(_))
            .then(|| Incoming::new(table, sources, base, neurons));
        let dendrite = Dendrite::new(dendritic_delay, neurons);
        let single = match &**rule {
            PlasticRule::Lazy(rule) if dendrite.is_none() => rule.single(),
            _ => None,
        };
        let mut learning = Learning {
            rule: rule.clone(),
            single,
            singles: vec![],
            active: true,
            base,
            shared: vec![0.0; traces.shared_len()],
            pre: vec![0.0; sources * traces.pre_len()],
            pre_last: vec![f64::NEG_INFINITY; sources],
            post: vec![0.0; neurons * traces.post_len()],
            synapses: large_pages(vec![0.0; count * rule.synapse_len()]),
            synapse_len: rule.synapse_len(),
            intervals: Intervals::default(),
            reads: traces.post_reads().collect(),
            arrivals: vec![],
            arriving: 0,
            incoming,
            dendrite,
        };
        learning.start(at);
        learning
    }

    /// Puts everything to its start, at a time (ms).
    pub fn start(&mut self, at: f64) {
        self.intervals.clear();
        self.dendrite.iter_mut().for_each(Dendrite::clear);
        let traces = self.rule.traces();
        traces.start_shared(&mut self.shared, at);
        self.pre.fill(0.0);
        self.pre_last.fill(f64::NEG_INFINITY);
        for post in self.post.chunks_exact_mut(traces.post_len().max(1)) {
            traces.start_post(post);
        }
        let len = self.synapse_len;
        for synapse in self.synapses.chunks_exact_mut(len.max(1)) {
            match &*self.rule {
                PlasticRule::Lazy(rule) => rule.start_synapse(synapse),
                PlasticRule::General(_) => synapse.fill(0.0),
            }
        }
    }

    /// Asks for what a synapse keeps beside its weight.
    #[inline(always)]
    pub fn prefetch(&self, synapse: usize) {
        prefetch(&self.synapses, synapse * self.synapse_len);
    }

    /// Whether neurons have to be advanced step by step: something is integrated along their voltages.
    pub fn follows_voltages(&self) -> bool {
        self.active
            && match &*self.rule {
                PlasticRule::Lazy(rule) => rule.needs_advance(),
                PlasticRule::General(rule) => rule.needs_advance(),
            }
    }

    /// Whether neurons have to be advanced before a modulator changes.
    pub fn follows_modulators(&self) -> bool {
        self.follows_voltages()
    }

    /// Integrates along a neuron's course from `from` to `to` (ms); `y` is its state at `from`.
    pub fn advance(
        &mut self,
        neuron: u32,
        (modes, y): (&Modes, &[f64]),
        (from, to): (f64, f64),
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        let reads = std::mem::take(&mut self.reads);
        let mut course =
            |offset: f64, into: &mut [f64]| voltages_at(modes, y, offset, &reads, into);
        self.visit(
            (neuron, from),
            table,
            (channels, to),
            |rule, sides, kept, now| {
                rule.advance_synapse(sides, kept, from, now, &mut course);
            },
        );
        let traces = self.rule.traces();
        let now = Moment {
            shared: &self.shared,
            channels,
            at: to,
        };
        let at = (neuron - self.base) as usize * traces.post_len();
        let post = &mut self.post[at..at + traces.post_len()];
        self.intervals
            .advance_post(traces, post, from, now, &mut course);
        self.reads = reads;
    }

    /// Visits the synapses of a neuron if the rule takes the general path: with both sides as they were at a time (ms), what
    /// the synapse keeps, and the moment `now`.
    #[inline(always)]
    fn visit(
        &mut self,
        (neuron, time): (u32, f64),
        table: &mut Synapses,
        (channels, now): (&[Channel], f64),
        mut each: impl FnMut(
            &GeneralRule,
            (Presynaptic<'_>, &[f64]),
            (&mut [f64], &mut f64),
            Moment<'_>,
        ),
    ) {
        let (PlasticRule::General(rule), Some(incoming), Weights::Each(weights)) =
            (&*self.rule, &self.incoming, &mut table.weights)
        else {
            return;
        };
        let now = Moment {
            shared: &self.shared,
            channels,
            at: now,
        };
        let (pre_len, post_len) = (rule.traces().pre_len(), rule.traces().post_len());
        let at = (neuron - self.base) as usize * post_len;
        let post = &self.post[at..at + post_len];
        let len = self.synapse_len;
        for (source, synapse) in incoming.of(neuron - self.base) {
            let (traces, since) = presynaptic(
                (&self.pre, &self.pre_last, pre_len),
                &self.arrivals[..self.arriving],
                *source,
                time,
            );
            let synapse = *synapse as usize;
            let state = &mut self.synapses[synapse * len..(synapse + 1) * len];
            let sides = (Presynaptic { traces, since }, post);
            each(rule, sides, (state, &mut weights[synapse]), now);
        }
    }

    /// Before modulators change at a time (ms): what is integrated over them is brought up to it.
    pub fn before_change(&mut self, channels: &[Channel], at: f64) {
        self.intervals.clear();
        self.rule
            .traces()
            .before_change(&mut self.shared, channels, at);
    }

    /// When a reference time has to be moved (ms).
    pub fn next_rebase(&self) -> f64 {
        if self.active {
            self.rule.traces().next_rebase(&self.shared).0
        } else {
            f64::INFINITY
        }
    }
}
