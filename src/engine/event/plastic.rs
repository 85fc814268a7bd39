//! Synapses that learn: what a projection's rule keeps on a partition, and when it is called.
//!
//! The rule itself is in [`crate::plasticity`]. Here its numbers live: of each presynaptic neuron (every partition has its
//! own copy, driven by the same spikes), of each postsynaptic neuron, of each synapse, and of the projection.

use std::sync::Arc;

use super::dendrite::Dendrite;
use super::linear::Modes;
use super::linear::exp::exp;
use super::synapses::{Synapses, Weights};
use super::time::to_ms;
use crate::plasticity::{
    Arrival, Channel, GeneralRule, Intervals, LazyRule, Moment, PlasticRule, Presynaptic,
    SINGLE_LEN, Signals, Single, SingleArrival,
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

/// The synapses of each postsynaptic neuron, with their presynaptic neurons.
#[derive(Debug)]
struct Incoming {
    offsets: Vec<u32>,
    synapses: Vec<(u32, u32)>,
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

    /// Moves the reference time that is due at `at` (ms); all neurons have been advanced to it if the rule follows
    /// their voltages.
    pub fn rebase(&mut self, table: &mut Synapses, channels: &[Channel], at: f64) {
        self.reach_all(at, table, channels);
        self.intervals.clear();
        let rule = self.rule.clone();
        let traces = rule.traces();
        let class = traces.next_rebase(&self.shared).1;
        if let (PlasticRule::Lazy(rule), Weights::Each(weights)) = (&*rule, &mut table.weights) {
            let (pre_len, post_len, len) =
                (traces.pre_len(), traces.post_len(), rule.synapse_len());
            let mut arrival = Arrival::default();
            for source in 0..self.pre_last.len() {
                let elapsed = at - self.pre_last[source];
                let row = table.rows.of(source as u32);
                if row.is_empty() || !rule.needs_flush(class, elapsed) {
                    continue;
                }
                let pre = &self.pre[source * pre_len..(source + 1) * pre_len];
                let now = Moment {
                    shared: &self.shared,
                    channels,
                    at,
                };
                rule.arrive(&mut arrival, pre, elapsed, Signals::NONE, now);
                for synapse in row {
                    let neuron = (table.rows.target(synapse) - self.base) as usize;
                    let post = &self.post[neuron * post_len..(neuron + 1) * post_len];
                    let state = &mut self.synapses[synapse * len..(synapse + 1) * len];
                    rule.flush(class, &arrival, post, state, &mut weights[synapse]);
                }
            }
        }
        let now = Moment {
            shared: &self.shared,
            channels,
            at,
        };
        for post in self.post.chunks_exact_mut(traces.post_len().max(1)) {
            traces.rebase_post(class, post, now);
        }
        traces.rebase_shared(class, &mut self.shared, channels, at);
    }

    /// The weights that a presynaptic neuron's synapses have at a time (ms), were they used. `course` gives the state of a
    /// neuron (by its number in the partition) that has not been advanced: modes, coordinates, and their time (ms).
    pub fn weights_at<'m>(
        &self,
        source: u32,
        table: &Synapses,
        channels: &[Channel],
        at: f64,
        state: impl Fn(u32) -> (&'m Modes, &'m [f64], f64),
        into: &mut Vec<f64>,
    ) {
        let traces = self.rule.traces();
        let (pre_len, post_len, len) =
            (traces.pre_len(), traces.post_len(), self.rule.synapse_len());
        let pre = &self.pre[source as usize * pre_len..(source as usize + 1) * pre_len];
        let since = self.pre_last[source as usize];
        let now = Moment {
            shared: &self.shared,
            channels,
            at,
        };
        let reads = &self.reads;
        let mut arrival = Arrival::default();
        if let PlasticRule::Lazy(rule) = &*self.rule {
            rule.arrive(&mut arrival, pre, at - since, Signals::NONE, now);
        }
        for synapse in table.rows.of(source) {
            let weight = table.weights.of(synapse);
            if !self.active {
                into.push(weight);
                continue;
            }
            let target = table.rows.target(synapse);
            let neuron = (target - self.base) as usize;
            let mut post = self.post[neuron * post_len..(neuron + 1) * post_len].to_vec();
            let mut kept = self.synapses[synapse * len..(synapse + 1) * len].to_vec();
            let mut weight = weight;
            for (due, signals) in self.dendrite.iter().flat_map(|d| d.until(neuron, at)) {
                let told = Moment { at: due, ..now };
                if let PlasticRule::General(rule) = &*self.rule {
                    let sides = presynaptic(
                        (&self.pre, &self.pre_last, pre_len),
                        &self.arrivals[..self.arriving],
                        source,
                        due,
                    );
                    let (traces, since) = sides;
                    let sides = (Presynaptic { traces, since }, &*post);
                    rule.post_event(sides, (&mut kept, &mut weight), signals, &[], told);
                }
                traces.post_event(&mut post, signals, &[], told);
            }
            let (modes, y, from) = state(target);
            let mut course =
                |offset: f64, into: &mut [f64]| voltages_at(modes, y, offset, reads, into);
            match &*self.rule {
                PlasticRule::Lazy(rule) => {
                    rule.advance_post(&mut post, from, now, &mut course);
                    into.push(rule.weight_at(&arrival, &post, &kept, weight));
                }
                PlasticRule::General(rule) => {
                    let sides = (Presynaptic { traces: pre, since }, &*post);
                    rule.advance_synapse(sides, (&mut kept, &mut weight), from, now, &mut course);
                    into.push(weight);
                }
            }
        }
    }
}

impl Incoming {
    fn new(table: &Synapses, sources: usize, base: u32, neurons: usize) -> Incoming {
        let mut lists: Vec<Vec<(u32, u32)>> = vec![vec![]; neurons];
        for source in 0..sources as u32 {
            for synapse in table.rows.of(source) {
                lists[(table.rows.target(synapse) - base) as usize].push((source, synapse as u32));
            }
        }
        let mut offsets = vec![0];
        let mut synapses = Vec::new();
        for list in lists {
            synapses.extend(list);
            offsets.push(synapses.len() as u32);
        }
        Incoming { offsets, synapses }
    }

    fn of(&self, neuron: u32) -> &[(u32, u32)] {
        let neuron = neuron as usize;
        &self.synapses[self.offsets[neuron] as usize..self.offsets[neuron + 1] as usize]
    }
}

/// A presynaptic neuron's traces as they were at a time (ms) within the window, all that arrived by then included.
fn presynaptic<'l>(
    (pre, pre_last, len): (&'l [f64], &'l [f64], usize),
    arrivals: &'l [Arriving],
    source: u32,
    at: f64,
) -> (&'l [f64], f64) {
    // What arrives later in the window has been counted already: its own past is what is wanted.
    let later = arrivals.iter().find(|a| a.source == source && a.at > at);
    match later {
        Some(arriving) => (&arriving.before, arriving.since),
        None => (
            &pre[source as usize * len..(source as usize + 1) * len],
            pre_last[source as usize],
        ),
    }
}

/// Voltages that a rule reads, from a state.
#[inline]
fn read_voltages(traces: &LazyRule, modes: &Modes, y: &[f64], into: &mut [f64; 16]) -> usize {
    let mut count = 0;
    for (voltage, compartment) in into.iter_mut().zip(traces.post_reads()) {
        *voltage = read(modes, y, compartment as usize);
        count += 1;
    }
    count
}

#[inline]
fn read(modes: &Modes, y: &[f64], variable: usize) -> f64 {
    modes
        .row(variable)
        .iter()
        .zip(y)
        .map(|(r, y)| r * y)
        .sum::<f64>()
        + modes.offset(variable)
}

/// Voltages `offset` ms after a state.
fn voltages_at(modes: &Modes, y: &[f64], offset: f64, reads: &[u32], into: &mut [f64]) {
    if modes.is_scalar() {
        for (voltage, compartment) in into.iter_mut().zip(reads) {
            *voltage = decayed(modes, y, offset, *compartment as usize);
        }
        return;
    }
    let mut later = [0.0; 64];
    let later = &mut later[..y.len()];
    later.copy_from_slice(y);
    modes.advance(later, offset);
    for (voltage, compartment) in into.iter_mut().zip(reads) {
        *voltage = read(modes, later, *compartment as usize);
    }
}

/// A variable `offset` ms after a state, if all modes are single exponentials: only those count that move it.
#[inline]
fn decayed(modes: &Modes, y: &[f64], offset: f64, variable: usize) -> f64 {
    let mut value = modes.offset(variable);
    for ((row, y), rate) in modes.row(variable).iter().zip(y).zip(modes.rates()) {
        let now = row * y;
        if now.abs() > 0.0 {
            value += now * exp(-rate * offset);
        }
    }
    value
}
