//! Synapses that learn: what a projection's rule keeps on a partition, and when it is called.
//!
//! The rule itself is in [`crate::plasticity`]. Here its numbers live: of each presynaptic neuron (every partition has its
//! own copy, driven by the same spikes), of each postsynaptic neuron, of each synapse, and of the projection.

mod incoming;
mod read;
mod voltages;

use std::sync::Arc;

use self::incoming::{Incoming, presynaptic};
use self::voltages::{read_voltages, voltages_at};
use super::dendrite::Dendrite;
use super::linear::Modes;
use super::synapses::{Synapses, Weights};
use super::time::to_ms;
use crate::plasticity::{
    Arrival, Channel, GeneralRule, Intervals, Moment, PlasticRule, Presynaptic, SINGLE_LEN,
    Signals, Single, SingleArrival,
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

/// A presynaptic event that arrives.
#[derive(Debug, Default)]
struct Arriving {
    arrival: Arrival,
    /// Traces before it, and when the event before it arrived (ms).
    before: Vec<f64>,
    since: f64,
    at: f64,
    source: u32,
    signals: Signals,
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

    /// Forgets what arrived in the last window.
    pub fn begin_window(&mut self) {
        self.arriving = 0;
        self.singles.clear();
    }

    /// An event of a presynaptic neuron arrives (ms); events come in order. Gives its number within the window.
    pub fn arrive(&mut self, source: u32, signals: Signals, at: f64, channels: &[Channel]) -> u32 {
        let traces = self.rule.traces();
        let len = traces.pre_len();
        let pre = &mut self.pre[source as usize * len..(source as usize + 1) * len];
        let since = std::mem::replace(&mut self.pre_last[source as usize], at);
        let place = if self.single.is_some() {
            0
        } else {
            self.arriving
        };
        if place == self.arrivals.len() {
            self.arrivals.push(Arriving::default());
        }
        let arriving = &mut self.arrivals[place];
        (
            arriving.since,
            arriving.at,
            arriving.source,
            arriving.signals,
        ) = (since, at, source, signals);
        arriving.before.clear();
        arriving.before.extend_from_slice(pre);
        if let PlasticRule::Lazy(rule) = &*self.rule {
            let now = Moment {
                shared: &self.shared,
                channels,
                at,
            };
            rule.arrive(&mut arriving.arrival, pre, at - since, signals, now);
        }
        if let Some(single) = &self.single {
            self.singles.push(single.arrival(&arriving.arrival));
        }
        traces.pre_event(pre, signals, at - since);
        self.arriving += 1;
        self.arriving as u32 - 1
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

    /// An arrival acts at a synapse, which learns first; gives the weight.
    #[inline(always)]
    pub fn deliver(
        &mut self,
        (neuron, synapse, arrival): (u32, usize, u32),
        state: (&Modes, &[f64]),
        weight: &mut f64,
        channels: &[Channel],
    ) -> f64 {
        let Some(single) = &self.single else {
            return self.deliver_any((neuron, synapse, arrival), state, weight, channels);
        };
        let post = (neuron - self.base) as usize * single.post_len;
        let post = &self.post[post..post + single.post_len];
        let (kept, _) = self.synapses.as_chunks_mut::<SINGLE_LEN>();
        let arrival = &self.singles[arrival as usize];
        single.deliver(arrival, post, &mut kept[synapse], weight);
        *weight
    }

    /// The same for any rule.
    #[inline(never)]
    fn deliver_any(
        &mut self,
        place: (u32, usize, u32),
        (modes, y): (&Modes, &[f64]),
        weight: &mut f64,
        channels: &[Channel],
    ) -> f64 {
        let traces = self.rule.traces();
        if self.reads.is_empty() {
            return self.deliver_with(place, &[], weight, channels);
        }
        let mut voltages = [0.0; 16];
        let reads = read_voltages(traces, modes, y, &mut voltages);
        self.deliver_with(place, &voltages[..reads], weight, channels)
    }

    /// The same, with the voltages that the rule reads.
    #[inline(always)]
    fn deliver_with(
        &mut self,
        (neuron, synapse, arrival): (u32, usize, u32),
        voltages: &[f64],
        weight: &mut f64,
        channels: &[Channel],
    ) -> f64 {
        let traces = self.rule.traces();
        let at = (neuron - self.base) as usize * traces.post_len();
        let post = &self.post[at..at + traces.post_len()];
        let arriving = &self.arrivals[arrival as usize];
        let len = self.synapse_len;
        let state = &mut self.synapses[synapse * len..(synapse + 1) * len];
        match &*self.rule {
            PlasticRule::Lazy(rule) => {
                rule.deliver(&arriving.arrival, post, voltages, state, weight)
            }
            PlasticRule::General(rule) => {
                let now = Moment {
                    shared: &self.shared,
                    channels,
                    at: arriving.at,
                };
                let pre = Presynaptic {
                    traces: &arriving.before,
                    since: arriving.since,
                };
                rule.deliver(
                    (pre, post),
                    (state, weight),
                    arriving.signals,
                    voltages,
                    now,
                );
            }
        }
        *weight
    }

    /// A postsynaptic event at a time (ps); `y` is the neuron's state just before it.
    pub fn post_event(
        &mut self,
        neuron: u32,
        signals: Signals,
        (modes, y): (&Modes, &[f64]),
        time: i64,
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        if let Some(dendrite) = &mut self.dendrite {
            dendrite.send((neuron - self.base) as usize, signals, time);
            return;
        }
        let mut voltages = [0.0; 16];
        let reads = read_voltages(self.rule.traces(), modes, y, &mut voltages);
        let event = (signals, &voltages[..reads]);
        self.tell_post(neuron, event, to_ms(time), table, channels);
    }

    /// Before an arrival, by its number within the window, acts: its synapse is told what has reached it before.
    #[inline]
    pub fn reach_before(
        &mut self,
        neuron: u32,
        arrival: u32,
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        if self.dendrite.is_some() {
            let at = self.arrivals[arrival as usize].at;
            self.reach(neuron, at, table, channels);
        }
    }

    /// Tells the synapses of a neuron what has reached them before a time (ms).
    fn reach(&mut self, neuron: u32, at: f64, table: &mut Synapses, channels: &[Channel]) {
        let place = (neuron - self.base) as usize;
        while let Some((due, signals)) = self.dendrite.as_mut().and_then(|d| d.next(place, at)) {
            self.tell_post(neuron, (signals, &[]), due, table, channels);
        }
    }

    /// The same for all neurons here: before a window begins, modulators change or reference times are moved.
    pub fn reach_all(&mut self, at: f64, table: &mut Synapses, channels: &[Channel]) {
        let due = self.dendrite.as_mut().map(|d| d.due(at));
        for place in due.unwrap_or_default() {
            self.reach(self.base + place as u32, at, table, channels);
        }
    }

    fn tell_post(
        &mut self,
        neuron: u32,
        (signals, voltages): (Signals, &[f64]),
        at: f64,
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        self.visit(
            (neuron, at),
            table,
            (channels, at),
            |rule, sides, kept, now| {
                rule.post_event(sides, kept, signals, voltages, now);
            },
        );
        let traces = self.rule.traces();
        let now = Moment {
            shared: &self.shared,
            channels,
            at,
        };
        let place = (neuron - self.base) as usize * traces.post_len();
        let post = &mut self.post[place..place + traces.post_len()];
        traces.post_event(post, signals, voltages, now);
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
