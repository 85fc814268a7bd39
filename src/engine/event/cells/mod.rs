//! The neurons of a population on one partition, and how one of them passes a window.
//!
//! Within the shortest delay neurons cannot influence each other, so each runs through a window by itself: from one
//! arrival or own event to the next, exactly. What it does depends only on its own state and on what arrives, never on
//! where windows end: a crossing or a random spike is found from the state after the last event.

mod crossing;
mod escape;
mod single;
mod spike;
mod state;

use std::sync::Arc;

use pulp::Arch;
use rand_xoshiro::Xoroshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

pub use self::single::Taken;
use super::glide::Glider;
use super::inbox::NONE;
use super::model::{Instance, Trigger};
use super::private::Private;
use super::record::{self, Layout, Needs, Timer};
use super::records::Records;
use super::regime::{Crossing, RegimeKey, Regimes};
use super::time::{NEVER, to_ms};
use super::turn::{EventError, Outlook, Plastic, Turn};
use crate::compile::event::DynamicNeuron;
use crate::lang::scalar::Interval;

/// Variables or coordinates that most neurons have at the most: less to clear and to copy.
const FEW: usize = 8;

/// The neurons of a population that a partition runs.
#[derive(Debug)]
pub struct Cells {
    /// What they are.
    neuron: Arc<DynamicNeuron>,
    /// Number of the first one, among all neurons of the circuit.
    first: u32,
    /// Index of the first one within its population.
    offset: usize,
    layout: Layout,
    records: Records,
    /// Their random streams, if they spike at random.
    streams: Vec<Xoroshiro128PlusPlus>,
    regimes: Regimes,
    /// What the modulators make of the model now: one instance a kind, and the number of the modulators' values.
    instances: Vec<Arc<Instance>>,
    environment: u32,
    bursts: bool,
    escapes: bool,
    /// Whether neurons have no more than [`FEW`] variables.
    are_small: bool,
    /// Sources that each drive one neuron, by projection.
    privates: Vec<Private>,
    /// Whether all neurons are run in each window.
    is_busy: bool,
    /// Instructions that the machine has.
    arch: Arch,
    /// Whether something is integrated along the voltages of these neurons.
    followed: bool,
    intervals: Vec<Interval>,
    /// When the neuron that runs last spiked, and how often at that time.
    at_once: (i64, u32),
    /// A neuron whose rate has no bound.
    unbounded: Option<u32>,
}

impl Cells {
    /// Neurons `range` of a population whose first neuron has the number `first`, at time 0, for windows of at most `window`
    /// (ps). `modulators` are the values that its equations read.
    ///
    /// # Errors
    /// If their equations have no solution.
    pub fn new(
        neuron: Arc<DynamicNeuron>,
        (seed, name): (u64, &str),
        first: u32,
        range: std::ops::Range<usize>,
        (modulators, window): (&[f64], i64),
    ) -> Result<Cells, EventError> {
        let instances: Vec<Arc<Instance>> = neuron.instances(modulators);
        let mut regimes = Regimes::new(to_ms(window));
        let mut modes = 0;
        for (kind, instance) in instances.iter().enumerate() {
            let number = regimes.number(first_regime(kind as u32), || (**instance).clone());
            modes = number
                .map(|number| regimes.get(number).modes.len())
                .map_err(EventError::Linear)?
                .max(modes);
        }
        let needs = needs(instances.first(), modes);
        let are_small = instances.iter().all(|i| i.system.n <= FEW);
        let layout = Layout::new(needs);
        let stream =
            |i| Xoroshiro128PlusPlus::seed_from_u64(crate::random::seed_of(seed, name, i as u64));
        let random = if needs.escapes { range.clone() } else { 0..0 };
        let mut cells = Cells {
            neuron,
            first: first + range.start as u32,
            offset: range.start,
            layout,
            records: Records::new(range.len(), layout.stride),
            streams: random.map(stream).collect(),
            regimes,
            instances,
            environment: 0,
            bursts: needs.bursts,
            escapes: needs.escapes,
            are_small,
            privates: vec![],
            is_busy: false,
            arch: Arch::new(),
            followed: false,
            intervals: vec![],
            at_once: (NEVER, 0),
            unbounded: None,
        };
        for cell in 0..range.len() {
            cells.start(cell)?;
        }
        cells.bounded()?;
        Ok(cells)
    }

    /// Puts a neuron to its start, at time 0.
    fn start(&mut self, cell: usize) -> Result<(), EventError> {
        let kind = self.neuron.kind(self.offset + cell);
        let regime = self.regime_number(first_regime(kind))?;
        let y = self
            .regimes
            .get(regime)
            .modes
            .from_x(&self.neuron.start(self.offset + cell));
        let layout = self.layout;
        let record = self.record_mut(cell);
        layout.clear(record, regime);
        record[layout.modes..layout.modes + y.len()].copy_from_slice(&y);
        if self.escapes {
            self.draw_candidate(cell, 0);
        }
        Ok(())
    }

    /// Gives the neurons private sources.
    pub fn add_private(&mut self, private: Private) {
        self.privates.push(private);
        self.privates.sort_by_key(|private| private.projection);
    }

    /// Their private sources.
    pub fn privates(&self) -> &[Private] {
        &self.privates
    }

    /// Decides, for windows of that length (ps), whether all neurons are to be run in each.
    pub fn is_busy(&mut self, window: i64) -> bool {
        self.is_busy = self.privates.iter().any(|private| private.is_busy(window));
        self.is_busy
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Linear systems that its neurons have followed and that are remembered.
    pub fn regimes(&self) -> usize {
        self.regimes.len()
    }

    /// Memory of a neuron's record (bytes).
    pub fn bytes_each(&self) -> usize {
        8 * self.layout.stride + if self.streams.is_empty() { 0 } else { 16 }
    }

    #[inline(always)]
    fn record(&self, cell: usize) -> &[f64] {
        self.records.row(cell)
    }

    #[inline(always)]
    fn record_mut(&mut self, cell: usize) -> &mut [f64] {
        self.records.row_mut(cell)
    }

    /// Asks for a neuron's record, to have it in the cache when the neuron runs.
    #[inline(always)]
    pub fn prefetch(&self, cell: usize) {
        self.records.prefetch(cell);
    }

    /// Runs a neuron up to the end of the turn's window: `next` is its first delivery, `outlook` what is known of its
    /// crossings. Gives the time (ps) at which it has to be looked at again if nothing arrives before, and what is known of
    /// its crossings then.
    ///
    /// # Errors
    /// If it spikes without end at one time, or a regime has no solution.
    pub fn run(
        &mut self,
        cell: usize,
        mut next: u32,
        mut outlook: Outlook,
        turn: &mut Turn<'_>,
    ) -> Result<(i64, Outlook), EventError> {
        self.at_once = (NEVER, 0);
        if outlook.since != record::time(self.record(cell)[0]) {
            outlook = Outlook::NONE;
        }
        loop {
            if !self.followed && !self.escapes && self.privates.len() <= 1 {
                let (glided, is_quiet) = self.glide(cell, next, turn);
                if is_quiet {
                    return Ok((self.wake_of_source(cell), Outlook::NONE));
                }
                if glided != next {
                    (next, outlook) = (glided, Outlook::NONE);
                }
            }
            let (arrival, from) = self.next_arrival(cell, next, turn);
            let limit = arrival.min(turn.end);
            let (time, own) = self.next_own(cell, limit, &mut outlook, turn);
            if time < limit {
                self.act(cell, time, own, turn)?;
            } else if arrival < turn.end {
                next = self.take(cell, (arrival, from), next, turn);
            } else {
                self.bounded()?;
                let wake = if self.is_busy {
                    NEVER
                } else {
                    self.wake(cell, turn.end, &outlook).min(arrival)
                };
                return Ok((wake, outlook));
            }
            outlook = Outlook::NONE;
        }
    }

    /// What arrives next: of one time, by projection.
    #[inline(always)]
    fn next_arrival(&self, cell: usize, next: u32, turn: &Turn<'_>) -> (i64, From) {
        let (mut first, mut projection, mut from) = (NEVER, u32::MAX, From::Inbox);
        if next != NONE {
            let delivery = turn.inbox.read(next).0;
            (first, projection) = (delivery.time, delivery.projection);
        }
        for (index, private) in self.privates.iter().enumerate() {
            let arrival = private.arrival(cell);
            if (arrival, private.projection) < (first, projection) {
                (first, projection, from) = (arrival, private.projection, From::Private(index));
            }
        }
        (first, from)
    }

    /// When a neuron that is quiet otherwise has to be looked at because of its private source.
    #[inline(always)]
    fn wake_of_source(&self, cell: usize) -> i64 {
        match self.privates.first() {
            Some(private) if !self.is_busy => private.arrival(cell),
            _ => NEVER,
        }
    }

    /// Takes deliveries in a tight loop as long as nothing else can happen; gives the first one that is left, and whether
    /// nothing more happens: in this window if all neurons are run in each, else until something arrives.
    #[inline(always)]
    fn glide(&mut self, cell: usize, next: u32, turn: &mut Turn<'_>) -> (u32, bool) {
        if next == NONE && self.privates.is_empty() {
            return (next, false);
        }
        let bursts = self.bursts && self.has_burst_timer();
        let layout = self.layout;
        let record = self.records.row_mut(cell);
        let regime = self.regimes.get(record::flags(record).regime);
        if regime.lanes.is_none() {
            return (next, false);
        }
        let timer = layout.first_timer(record, bursts).0;
        let last = record::time(record[0]);
        let y = &mut record[layout.modes..layout.modes + regime.modes.len()];
        let quiet = if self.is_busy { turn.end } else { NEVER };
        let private = self.privates.first_mut();
        let mut glider = Glider {
            y,
            last,
            next,
            until: timer.min(turn.end),
            private: private.map(|private| (private, cell)),
            quiet,
        };
        let calm = glider.glide(self.arch, regime, turn.inbox, turn.ports, &mut turn.plastic);
        let (last, next) = (glider.last, glider.next);
        record::set_time(&mut record[0], last);
        (next, calm && timer >= quiet)
    }

    /// Brings a neuron's state to a time.
    #[inline(always)]
    fn advance(&mut self, cell: usize, time: i64, plastic: &mut Plastic<'_>) {
        let layout = self.layout;
        let record = self.records.row_mut(cell);
        let last = record::time(record[0]);
        let regime = self.regimes.get(record::flags(record).regime);
        if time > last {
            let y = &mut record[layout.modes..layout.modes + regime.modes.len()];
            if self.followed {
                plastic.advance((&regime.modes, y), last, time);
            }
            regime.modes.advance(y, to_ms(time - last));
            record::set_time(&mut record[0], time);
        }
    }

    /// A spike arrives at one of its synapses. Gives the delivery after it.
    #[inline(always)]
    fn take(
        &mut self,
        cell: usize,
        (time, from): (i64, From),
        next: u32,
        turn: &mut Turn<'_>,
    ) -> u32 {
        self.advance(cell, time, &mut turn.plastic);
        let rest = if self.escapes {
            self.rest_of_candidate(cell, time)
        } else {
            None
        };
        let layout = self.layout;
        let record = self.records.row_mut(cell);
        let regime = self.regimes.get(record::flags(record).regime);
        let y = &mut record[layout.modes..layout.modes + regime.modes.len()];
        let (weight, port, next) = match from {
            From::Private(index) => {
                let private = &mut self.privates[index];
                private.take(cell);
                (private.weight(cell), private.port, next)
            }
            From::Inbox => {
                let (delivery, after) = turn.inbox.read(next);
                let port = turn.ports[delivery.projection as usize].number;
                (
                    turn.plastic.weight(delivery, (&regime.modes, y)),
                    port,
                    after,
                )
            }
        };
        for (y, jump) in y.iter_mut().zip(&regime.jumps[port as usize]) {
            *y += weight * jump;
        }
        if self.escapes {
            self.set_candidate(cell, time, rest);
        }
        next
    }

    /// An own event happens.
    fn act(
        &mut self,
        cell: usize,
        time: i64,
        own: Own,
        turn: &mut Turn<'_>,
    ) -> Result<(), EventError> {
        self.advance(cell, time, &mut turn.plastic);
        match own {
            Own::Timer(Timer::Refractory) => {
                let layout = self.layout;
                layout.set_timer(self.record_mut(cell), Timer::Refractory, NEVER);
                let key = self.key(cell);
                self.change_regime(cell, RegimeKey { held: false, ..key })?;
                if self.escapes {
                    self.draw_candidate(cell, time);
                }
            }
            Own::Timer(Timer::Plateau(index)) => self.end_plateau(cell, time, index)?,
            Own::Crossing(Crossing::Plateau(index)) => {
                self.start_plateau(cell, time, index, turn)?
            }
            Own::Timer(Timer::Burst) => self.spike(cell, time, true, turn)?,
            Own::Crossing(Crossing::Spike) => self.spike(cell, time, false, turn)?,
            Own::Timer(Timer::Candidate) => {
                if self.accepts(cell) {
                    self.spike(cell, time, false, turn)?;
                } else {
                    self.draw_candidate(cell, time);
                }
            }
        }
        Ok(())
    }
}

/// Where an arrival comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum From {
    Inbox,
    Private(usize),
}

/// What a neuron does by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Own {
    Timer(Timer),
    Crossing(Crossing),
}

/// The regime in which neurons of a kind start.
fn first_regime(kind: u32) -> RegimeKey {
    RegimeKey {
        kind,
        environment: 0,
        held: false,
        plateaus: 0,
    }
}

/// What neurons like these need room for, with so many modal coordinates at most at the start.
fn needs(instance: Option<&Arc<Instance>>, modes: usize) -> Needs {
    let plateaus = instance.map_or(0, |i| i.plateaus.len());
    Needs {
        // Regimes with something held have drifts that others have not: room for one coordinate more each.
        modes: if plateaus > 0 { modes + 2 } else { modes },
        plateaus,
        bursts: instance.is_some_and(|i| i.burst.is_some()),
        escapes: instance.is_some_and(|i| matches!(i.trigger, Trigger::Escape(_))),
    }
}
