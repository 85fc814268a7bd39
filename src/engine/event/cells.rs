//! The neurons of a population on one partition, and how one of them passes a window.
//!
//! Within the shortest delay neurons cannot influence each other, so each runs through a window by itself: from one
//! arrival or own event to the next, exactly. What it does depends only on its own state and on what arrives, never on
//! where windows end: a crossing or a random spike is found from the state after the last event.

use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoroshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::glide::Glider;
use super::inbox::NONE;
use super::linear::{MOST_VARIABLES, Modes};
use super::model::{Burst, BurstCondition, Instance, Trigger};
use super::private::Private;
use super::record::{self, Flags, Layout, Needs, Timer};
use super::regime::{Crossing, Regime, RegimeKey, Regimes, Watch};
use super::time::{NEVER, after, from_ms, to_ms};
use super::turn::{Emitted, EventError, MOST_RATE, Plastic, Signals, Turn};
use crate::compile::event::DynamicNeuron;
use crate::lang::scalar::Interval;

/// Regimes that a population remembers: modulators that keep taking new values would fill the memory.
const MOST_REGIMES: usize = 8192;

/// A neuron may spike so often at one time before the run ends with an error.
const MOST_AT_ONCE: u32 = 1000;

/// The variables of a neuron.
type Variables = [f64; MOST_VARIABLES];

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
    records: Vec<f64>,
    /// Their random streams, if they spike at random.
    streams: Vec<Xoroshiro128PlusPlus>,
    regimes: Regimes,
    /// What the modulators make of the model now: one instance a kind, and the number of the modulators' values.
    instances: Vec<Arc<Instance>>,
    environment: u32,
    bursts: bool,
    escapes: bool,
    /// Sources that each drive one neuron, by projection.
    privates: Vec<Private>,
    /// Whether all neurons are run in each window.
    is_busy: bool,
    /// Whether something is integrated along the voltages of these neurons.
    followed: bool,
    intervals: Vec<Interval>,
    /// When the neuron that runs last spiked, and how often at that time.
    at_once: (i64, u32),
    /// A neuron whose rate has no bound.
    unbounded: Option<u32>,
}

impl Cells {
    /// Neurons `range` of a population whose first neuron has the number `first`, at time 0. `modulators` are the
    /// values that its equations read.
    ///
    /// # Errors
    /// If their equations have no solution.
    pub fn new(
        neuron: Arc<DynamicNeuron>,
        (seed, name): (u64, &str),
        first: u32,
        range: std::ops::Range<usize>,
        modulators: &[f64],
    ) -> Result<Cells, EventError> {
        let instances: Vec<Arc<Instance>> = neuron.instances(modulators);
        let mut regimes = Regimes::default();
        let key = |kind: u32| RegimeKey {
            kind,
            environment: 0,
            held: false,
            plateaus: 0,
        };
        let mut modes = 0;
        for kind in 0..instances.len() as u32 {
            let number = regimes.number(key(kind), || (*instances[kind as usize]).clone());
            modes = number
                .map(|number| regimes.get(number).modes.len())
                .map_err(EventError::Linear)?
                .max(modes);
        }
        let some = instances.first();
        let bursts = some.is_some_and(|i| i.burst.is_some());
        let escapes = some.is_some_and(|i| matches!(i.trigger, Trigger::Escape(_)));
        let plateaus = some.map_or(0, |i| i.plateaus.len());
        // Regimes with something held have drifts that others have not: room for one coordinate more each.
        let room = modes + 2;
        let layout = Layout::new(Needs {
            modes: if plateaus > 0 { room } else { modes },
            plateaus,
            bursts,
            escapes,
        });
        let streams = if escapes {
            let stream = |i| {
                Xoroshiro128PlusPlus::seed_from_u64(crate::random::seed_of(seed, name, i as u64))
            };
            range.clone().map(stream).collect()
        } else {
            vec![]
        };
        let mut cells = Cells {
            neuron,
            first: first + range.start as u32,
            offset: range.start,
            layout,
            records: vec![0.0; layout.stride * range.len()],
            streams,
            regimes,
            instances,
            environment: 0,
            bursts,
            escapes,
            privates: vec![],
            is_busy: false,
            followed: false,
            intervals: vec![],
            at_once: (NEVER, 0),
            unbounded: None,
        };
        for cell in 0..range.len() {
            let kind = cells.neuron.kind(cells.offset + cell);
            let regime = cells.regime_number(key(kind))?;
            let start = cells.neuron.start(cells.offset + cell);
            let record = &mut cells.records[cell * layout.stride..(cell + 1) * layout.stride];
            layout.clear(record, regime);
            let y = cells.regimes.get(regime).modes.from_x(&start);
            record[layout.modes..layout.modes + y.len()].copy_from_slice(&y);
            if escapes {
                cells.draw_candidate(cell, 0);
            }
        }
        cells.bounded()?;
        Ok(cells)
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
        self.records.len() / self.layout.stride
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

    fn regime_number(&mut self, key: RegimeKey) -> Result<u32, EventError> {
        let instances = &self.instances;
        self.regimes
            .number(key, || (*instances[key.kind as usize]).clone())
            .map_err(EventError::Linear)
    }

    #[inline(always)]
    fn record(&self, cell: usize) -> &[f64] {
        &self.records[cell * self.layout.stride..(cell + 1) * self.layout.stride]
    }

    #[inline(always)]
    fn record_mut(&mut self, cell: usize) -> &mut [f64] {
        &mut self.records[cell * self.layout.stride..(cell + 1) * self.layout.stride]
    }

    /// Reads a word of a neuron's record, to have it in the cache when the neuron runs.
    #[inline(always)]
    pub fn touch(&self, cell: usize) -> f64 {
        let at = cell * self.layout.stride;
        self.records[at] + self.records[at + self.layout.stride - 1]
    }

    /// Runs a neuron up to the end of the turn's window: `next` is its first delivery. Gives the time (ps) at which it
    /// has to be looked at again if nothing arrives before.
    ///
    /// # Errors
    /// If it spikes without end at one time, or a regime has no solution.
    pub fn run(
        &mut self,
        cell: usize,
        mut next: u32,
        turn: &mut Turn<'_>,
    ) -> Result<i64, EventError> {
        self.at_once = (NEVER, 0);
        loop {
            if !self.followed && !self.escapes && self.privates.len() <= 1 {
                next = self.glide(cell, next, turn);
            }
            let (arrival, from) = self.next_arrival(cell, next, turn);
            let (time, own) = self.next_own(cell, arrival.min(turn.end));
            if time < arrival.min(turn.end) {
                self.act(cell, time, own, turn)?;
            } else if arrival < turn.end {
                next = self.take(cell, (arrival, from), next, turn);
            } else if self.is_busy {
                self.bounded()?;
                return Ok(NEVER);
            } else {
                self.bounded()?;
                return Ok(self.wake(cell, turn.end).min(arrival));
            }
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

    /// Takes deliveries in a tight loop as long as nothing else can happen; gives the first one that is left.
    #[inline(always)]
    fn glide(&mut self, cell: usize, next: u32, turn: &mut Turn<'_>) -> u32 {
        if next == NONE && self.privates.is_empty() {
            return next;
        }
        let bursts = self.bursts && self.has_burst_timer();
        let (layout, stride) = (self.layout, self.layout.stride);
        let record = &mut self.records[cell * stride..(cell + 1) * stride];
        let regime = self.regimes.get(record::flags(record).regime);
        if !regime.glides {
            return next;
        }
        let until = layout.first_timer(record, bursts).0.min(turn.end);
        let last = record::time(record[0]);
        let y = &mut record[layout.modes..layout.modes + regime.modes.len()];
        let mut glider = Glider {
            y,
            last,
            next,
            until,
            private: self.privates.first_mut().map(|private| (private, cell)),
        };
        glider.glide(regime, turn.inbox, turn.ports, &mut turn.plastic);
        let (last, next) = (glider.last, glider.next);
        record::set_time(&mut record[0], last);
        next
    }

    /// That all rates have bounds.
    fn bounded(&self) -> Result<(), EventError> {
        let unbounded = |neuron| Err(EventError::Unbounded { neuron });
        self.unbounded.map_or(Ok(()), unbounded)
    }

    /// The first own event before `limit`, if there is one.
    #[inline(always)]
    fn next_own(&self, cell: usize, limit: i64) -> (i64, Own) {
        let record = self.record(cell);
        let (timer_time, timer) = self
            .layout
            .first_timer(record, self.bursts && self.has_burst_timer());
        let mut first = (timer_time, Own::Timer(timer));
        let flags = record::flags(record);
        let regime = self.regimes.get(flags.regime);
        let last = record::time(record[0]);
        let y = &record[self.layout.modes..self.layout.modes + regime.modes.len()];
        for watch in &regime.watches {
            if regime
                .modes
                .cannot_cross(y, &watch.readout.row, watch.readout.constant)
            {
                continue;
            }
            let until = first.0.min(limit);
            let found = crossing_before(regime, watch, y, last, until);
            // Timers come before crossings of the same time.
            if found < first.0 {
                first = (found, Own::Crossing(watch.what));
            }
        }
        first
    }

    fn has_burst_timer(&self) -> bool {
        matches!(
            self.instances.first().and_then(|i| i.burst.as_ref()),
            Some(Burst::Added { .. })
        )
    }

    /// When a neuron has to be looked at again, at the soonest.
    fn wake(&self, cell: usize, end: i64) -> i64 {
        let record = self.record(cell);
        let flags = record::flags(record);
        let regime = self.regimes.get(flags.regime);
        let (timer, kind) = self
            .layout
            .first_timer(record, self.bursts && self.has_burst_timer());
        let last = record::time(record[0]);
        let y = &record[self.layout.modes..self.layout.modes + regime.modes.len()];
        let mut wake = timer;
        if timer != NEVER && kind == Timer::Refractory && self.may_sleep_on(regime, y, timer - last)
        {
            wake = NEVER;
        }
        for watch in &regime.watches {
            let (row, constant) = (&watch.readout.row, watch.readout.constant);
            if regime.modes.cannot_cross(y, row, constant) {
                continue;
            }
            // Not before `safe`: twice as far as the window's end, if that is certain.
            let safe = end + (end - last);
            let certain = regime
                .modes
                .cannot_cross_within(y, row, constant, to_ms(safe - last));
            wake = wake.min(if certain { safe } else { end });
        }
        wake
    }

    /// Whether nothing will come of the end of refractoriness, `wait` (ps) after a state, unless something arrives: then
    /// it is enough to end it when something does.
    fn may_sleep_on(&self, regime: &Regime, y: &[f64], wait: i64) -> bool {
        if self.followed || self.escapes || self.bursts || regime.key.plateaus != 0 {
            return false;
        }
        let Some(free) = self.regimes.find(RegimeKey {
            held: false,
            ..regime.key
        }) else {
            return false;
        };
        let mut later = [0.0; MOST_COORDINATES];
        let later = freed(regime, free, y, wait, &mut later);
        let out_of_reach = |w: &Watch| {
            free.modes
                .cannot_cross(later, &w.readout.row, w.readout.constant)
        };
        free.watches.iter().all(out_of_reach)
    }

    /// Brings a neuron's state to a time.
    #[inline(always)]
    fn advance(&mut self, cell: usize, time: i64, plastic: &mut Plastic<'_>) {
        let (layout, stride) = (self.layout, self.layout.stride);
        let record = &mut self.records[cell * stride..(cell + 1) * stride];
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
        let (layout, stride) = (self.layout, self.layout.stride);
        let record = &mut self.records[cell * stride..(cell + 1) * stride];
        let regime = self.regimes.get(record::flags(record).regime);
        let y = &mut record[layout.modes..layout.modes + regime.modes.len()];
        let (weight, port, next) = match from {
            From::Private(index) => {
                let private = &mut self.privates[index];
                (private.take(cell), private.port, next)
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

    fn key(&self, cell: usize) -> RegimeKey {
        self.regimes
            .get(record::flags(self.record(cell)).regime)
            .key
    }

    /// Passes to another regime; the variables stay what they are.
    fn change_regime(&mut self, cell: usize, key: RegimeKey) -> Result<(), EventError> {
        let flags = record::flags(self.record(cell));
        if self.regimes.get(flags.regime).key == key {
            return Ok(());
        }
        let x = self.variables(cell);
        self.put(cell, key, &x)
    }

    /// Values of the variables at the time of the state.
    fn variables(&self, cell: usize) -> Variables {
        let record = self.record(cell);
        let modes = &self.regimes.get(record::flags(record).regime).modes;
        let mut x = [0.0; MOST_VARIABLES];
        modes.read_x(
            &record[self.layout.modes..self.layout.modes + modes.len()],
            &mut x[..modes.variables()],
        );
        x
    }

    /// Sets regime and variables.
    fn put(&mut self, cell: usize, key: RegimeKey, x: &Variables) -> Result<(), EventError> {
        let regime = self.regime_number(key)?;
        let at = self.layout.modes;
        if self.layout.stride < at + self.regimes.get(regime).modes.len() {
            self.widen(self.regimes.get(regime).modes.len());
        }
        let stride = self.layout.stride;
        let record = &mut self.records[cell * stride..(cell + 1) * stride];
        let modes = &self.regimes.get(regime).modes;
        let flags = record::flags(record);
        record::set_flags(record, Flags { regime, ..flags });
        modes.write_y(&x[..modes.variables()], &mut record[at..at + modes.len()]);
        Ok(())
    }

    /// Makes all records longer: a regime has more coordinates than any before.
    #[cold]
    fn widen(&mut self, modes: usize) {
        let old = self.layout.stride;
        let new = self.layout.modes + modes;
        let mut records = vec![0.0; self.len() * new];
        for (to, from) in records
            .chunks_exact_mut(new)
            .zip(self.records.chunks_exact(old))
        {
            to[..old].copy_from_slice(from);
        }
        self.records = records;
        self.layout.stride = new;
    }

    fn start_plateau(
        &mut self,
        cell: usize,
        time: i64,
        index: u8,
        turn: &mut Turn<'_>,
    ) -> Result<(), EventError> {
        let key = self.key(cell);
        let duration = self.instances[key.kind as usize].plateaus[index as usize].duration;
        let layout = self.layout;
        layout.set_timer(
            self.record_mut(cell),
            Timer::Plateau(index),
            after(time, duration),
        );
        self.change_regime(
            cell,
            RegimeKey {
                plateaus: key.plateaus | 1 << index,
                ..key
            },
        )?;
        turn.emit(Emitted {
            time,
            neuron: self.first + cell as u32,
            signals: Signals::PLATEAU,
        });
        self.renew_candidate(cell, time)
    }

    fn end_plateau(&mut self, cell: usize, time: i64, index: u8) -> Result<(), EventError> {
        let layout = self.layout;
        layout.set_timer(self.record_mut(cell), Timer::Plateau(index), NEVER);
        let key = self.key(cell);
        self.change_regime(
            cell,
            RegimeKey {
                plateaus: key.plateaus & !(1 << index),
                ..key
            },
        )?;
        self.renew_candidate(cell, time)
    }

    /// A spike; `in_burst` if it belongs to a burst that goes on.
    fn spike(
        &mut self,
        cell: usize,
        time: i64,
        in_burst: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), EventError> {
        self.at_once = if self.at_once.0 == time {
            (time, self.at_once.1 + 1)
        } else {
            (time, 1)
        };
        if self.at_once.1 > MOST_AT_ONCE {
            return Err(EventError::Endless {
                neuron: self.first + cell as u32,
                time,
            });
        }
        let key = self.key(cell);
        let instance = self.instances[key.kind as usize].clone();
        let mut x = self.variables(cell);
        let signals = self.burst_signals(cell, time, in_burst, &instance, (&x, key));
        if !turn.plastic.onto.is_empty() {
            let record = self.record(cell);
            let modes = &self.regimes.get(record::flags(record).regime).modes;
            let y = &record[self.layout.modes..self.layout.modes + modes.len()];
            turn.plastic.post_event(signals, (modes, y), time);
        }
        let before = x;
        for (variable, value) in &instance.reset {
            x[*variable] = value.of(&before);
        }
        for (variable, value) in &instance.add {
            x[*variable] += value.of(&before);
        }
        let layout = self.layout;
        let burst_next = if self.has_burst_timer() {
            layout.timer(self.record(cell), Timer::Burst)
        } else {
            NEVER
        };
        // Within a burst the neuron stays refractory from spike to spike.
        let free = after(time, instance.refractory);
        let held = instance.refractory > 0 || burst_next != NEVER;
        let free = if burst_next == NEVER { free } else { NEVER };
        layout.set_timer(
            self.record_mut(cell),
            Timer::Refractory,
            if held { free } else { NEVER },
        );
        self.put(cell, RegimeKey { held, ..key }, &x)?;
        if self.escapes {
            if held {
                layout.set_timer(self.record_mut(cell), Timer::Candidate, NEVER);
            } else {
                self.draw_candidate(cell, time);
            }
        }
        turn.emit(Emitted {
            time,
            neuron: self.first + cell as u32,
            signals,
        });
        Ok(())
    }

    /// Which signals a spike gives, and the burst that it starts or goes on with.
    fn burst_signals(
        &mut self,
        cell: usize,
        time: i64,
        in_burst: bool,
        instance: &Instance,
        (x, key): (&[f64], RegimeKey),
    ) -> Signals {
        let layout = self.layout;
        let record = self.record_mut(cell);
        let flags = record::flags(record);
        match &instance.burst {
            None => Signals::SPIKE | Signals::EVENT,
            Some(Burst::Added { interval, .. }) if in_burst => {
                let left = flags.burst_left.saturating_sub(1);
                record::set_flags(
                    record,
                    Flags {
                        burst_left: left,
                        ..flags
                    },
                );
                let next = if left > 0 {
                    after(time, *interval)
                } else {
                    NEVER
                };
                layout.set_timer(record, Timer::Burst, next);
                Signals::SPIKE | Signals::IN_BURST
            }
            Some(Burst::Added {
                when,
                spikes,
                interval,
            }) => {
                let bursts = *spikes > 1
                    && match when {
                        BurstCondition::Above(condition) => condition.of(x) >= 0.0,
                        BurstCondition::Plateau(index) => key.plateaus >> index & 1 == 1,
                    };
                if bursts {
                    record::set_flags(
                        record,
                        Flags {
                            burst_left: spikes - 1,
                            ..flags
                        },
                    );
                    layout.set_timer(record, Timer::Burst, after(time, *interval));
                    return Signals::SPIKE | Signals::EVENT | Signals::BURST;
                }
                Signals::SPIKE | Signals::EVENT
            }
            Some(Burst::Within(interval)) => {
                // The burst timer's place holds the time of the last spike.
                let last = layout.timer(record, Timer::Burst);
                layout.set_timer(record, Timer::Burst, time);
                let close = last != NEVER && time - last < *interval;
                record::set_flags(
                    record,
                    Flags {
                        burst_left: u32::from(close),
                        ..flags
                    },
                );
                match (close, flags.burst_left) {
                    (false, _) => Signals::SPIKE | Signals::EVENT,
                    (true, 0) => Signals::SPIKE | Signals::BURST,
                    (true, _) => Signals::SPIKE | Signals::IN_BURST,
                }
            }
        }
    }

    /// The modulators that the equations read have other values.
    ///
    /// # Errors
    /// If the new equations have no solution.
    pub fn change_environment(
        &mut self,
        time: i64,
        environment: u32,
        modulators: &[f64],
        (base, plastic): (u32, &mut Plastic<'_>),
    ) -> Result<(), EventError> {
        self.environment = environment;
        let cells = self.len();
        self.advance_all(time, base, plastic)?;
        self.instances = self.neuron.instances(modulators);
        for cell in 0..cells {
            let key = self.key(cell);
            self.change_regime(cell, RegimeKey { environment, ..key })?;
            self.renew_candidate(cell, time)?;
        }
        if self.regimes.len() > MOST_REGIMES {
            self.forget_regimes();
        }
        self.bounded()
    }

    /// Forgets the regimes that no neuron is in.
    #[cold]
    fn forget_regimes(&mut self) {
        let mut used: Vec<u32> = (0..self.len())
            .map(|cell| record::flags(self.record(cell)).regime)
            .collect();
        used.sort_unstable();
        used.dedup();
        self.regimes.keep(&used);
        let place = |old: u32| used.binary_search(&old).map_or(0, |at| at as u32);
        for cell in 0..self.len() {
            let record = self.record_mut(cell);
            let flags = record::flags(record);
            record::set_flags(
                record,
                Flags {
                    regime: place(flags.regime),
                    ..flags
                },
            );
        }
    }

    /// Brings all neurons to a time; the first one has the number `base` in the partition.
    ///
    /// # Errors
    /// If a regime has no solution.
    pub fn advance_all(
        &mut self,
        time: i64,
        base: u32,
        plastic: &mut Plastic<'_>,
    ) -> Result<(), EventError> {
        for cell in 0..self.len() {
            plastic.neuron = base + cell as u32;
            self.end_refractoriness(cell, time, plastic)?;
            self.advance(cell, time, plastic);
        }
        Ok(())
    }

    /// A neuron's state as it is kept: its modes, coordinates, and their time (ps).
    pub fn state(&self, cell: usize) -> (&Modes, &[f64], i64) {
        let record = self.record(cell);
        let modes = &self.regimes.get(record::flags(record).regime).modes;
        (
            modes,
            &record[self.layout.modes..self.layout.modes + modes.len()],
            record::time(record[0]),
        )
    }

    /// When a neuron that nothing reaches has to be looked at, from `now` on.
    pub fn next_look(&self, cell: usize, now: i64) -> i64 {
        let private = self
            .privates
            .iter()
            .map(|private| private.arrival(cell))
            .min();
        self.wake(cell, now).min(private.unwrap_or(NEVER))
    }

    /// Ends the refractoriness of a neuron if that is due by a time (ps) but nobody has looked.
    fn end_refractoriness(
        &mut self,
        cell: usize,
        time: i64,
        plastic: &mut Plastic<'_>,
    ) -> Result<(), EventError> {
        let due = self.layout.timer(self.record(cell), Timer::Refractory);
        if due > time {
            return Ok(());
        }
        self.advance(cell, due, plastic);
        let layout = self.layout;
        layout.set_timer(self.record_mut(cell), Timer::Refractory, NEVER);
        let key = self.key(cell);
        self.change_regime(cell, RegimeKey { held: false, ..key })
    }

    /// Whether something is integrated along the voltages of these neurons, so that every change of regime has to be met
    /// in time. Gives the neurons' refractoriness its due before that begins.
    ///
    /// # Errors
    /// If a regime has no solution.
    pub fn follow(
        &mut self,
        followed: bool,
        time: i64,
        base: u32,
        plastic: &mut Plastic<'_>,
    ) -> Result<(), EventError> {
        if followed && !self.followed {
            for cell in 0..self.len() {
                plastic.neuron = base + cell as u32;
                self.end_refractoriness(cell, time, plastic)?;
            }
        }
        self.followed = followed;
        Ok(())
    }

    /// The value of a variable at a time, without touching the neuron.
    pub fn value_at(&self, cell: usize, variable: usize, time: i64) -> f64 {
        let record = self.record(cell);
        let regime = self.regimes.get(record::flags(record).regime);
        let y = &record[self.layout.modes..self.layout.modes + regime.modes.len()];
        let last = record::time(record[0]);
        let due = self.layout.timer(record, Timer::Refractory);
        let free = RegimeKey {
            held: false,
            ..regime.key
        };
        let mut later = [0.0; MOST_COORDINATES];
        match self.regimes.find(free).filter(|_| due < time) {
            Some(free) => {
                let later = freed(regime, free, y, due - last, &mut later);
                value_after(free, later, variable, time - due)
            }
            None => {
                let later = &mut later[..y.len()];
                later.copy_from_slice(y);
                value_after(regime, later, variable, (time - last).max(0))
            }
        }
    }

    // Random spikes: thinning (Ogata 1981; Lewis and Shedler 1979).

    /// A bound of the rate (1/ms) for all time from the state on, if nothing arrives.
    fn rate_bound(&mut self, cell: usize) -> f64 {
        let mut intervals = std::mem::take(&mut self.intervals);
        intervals.clear();
        let record = self.record(cell);
        let regime = self.regimes.get(record::flags(record).regime);
        let Trigger::Escape(rate) = &self.instances[regime.key.kind as usize].trigger else {
            return 0.0;
        };
        let modes = &regime.modes;
        let y = &record[self.layout.modes..self.layout.modes + modes.len()];
        for variable in 0..modes.variables() {
            let interval = if rate.reads(variable as u32) {
                let (row, offset) = (modes.row(variable), modes.offset(variable));
                let low = modes.inf(y, row, offset, f64::INFINITY);
                Interval {
                    low,
                    high: modes.sup(y, row, offset, f64::INFINITY),
                }
            } else {
                Interval::ALL
            };
            intervals.push(interval);
        }
        let bound = rate.bounds(&intervals).high;
        self.intervals = intervals;
        bound
    }

    /// What is left of the wait for a candidate, in expected candidates, or `None` if there was no candidate.
    fn rest_of_candidate(&self, cell: usize, time: i64) -> Option<f64> {
        let record = self.record(cell);
        let candidate = self.layout.timer(record, Timer::Candidate);
        (candidate != NEVER).then(|| self.layout.bound(record) * to_ms(candidate - time))
    }

    /// Draws a candidate, from `time` on.
    fn draw_candidate(&mut self, cell: usize, time: i64) {
        self.set_candidate(cell, time, None);
    }

    /// The bound may have changed: what is left of the wait goes on under the new one.
    fn renew_candidate(&mut self, cell: usize, time: i64) -> Result<(), EventError> {
        if self.escapes {
            let rest = self.rest_of_candidate(cell, time);
            self.set_candidate(cell, time, rest);
        }
        Ok(())
    }

    fn set_candidate(&mut self, cell: usize, time: i64, rest: Option<f64>) {
        if self.key(cell).held {
            return;
        }
        let bound = self.rate_bound(cell);
        let layout = self.layout;
        let no_bound = bound.is_nan() || bound > MOST_RATE;
        if no_bound || bound <= 0.0 {
            if no_bound {
                self.unbounded = Some(self.first + cell as u32);
            }
            layout.set_timer(self.record_mut(cell), Timer::Candidate, NEVER);
            return;
        }
        let rest = rest.unwrap_or_else(|| Exp1.sample(&mut self.streams[cell]));
        let record = self.record_mut(cell);
        layout.set_bound(record, bound);
        layout.set_timer(record, Timer::Candidate, after(time, from_ms(rest / bound)));
    }

    /// Whether a candidate becomes a spike.
    fn accepts(&mut self, cell: usize) -> bool {
        let x = self.variables(cell);
        let kind = self.key(cell).kind as usize;
        let Trigger::Escape(rate) = &self.instances[kind].trigger else {
            return false;
        };
        let rate = rate.value(&x);
        let bound = self.layout.bound(self.record(cell));
        let draw: f64 = self.streams[cell].random();
        draw * bound < rate
    }
}

/// Coordinates that a regime may have: its variables, and the constants of drifts.
const MOST_COORDINATES: usize = 128;

/// The coordinates that a held neuron has in its free regime, `wait` (ps) after a state.
fn freed<'l>(
    held: &Regime,
    free: &Regime,
    y: &[f64],
    wait: i64,
    into: &'l mut [f64; MOST_COORDINATES],
) -> &'l mut [f64] {
    let mut x = [0.0; MOST_VARIABLES];
    let later = &mut into[..y.len()];
    later.copy_from_slice(y);
    held.modes.advance(later, to_ms(wait));
    held.modes.read_x(later, &mut x[..held.modes.variables()]);
    let later = &mut into[..free.modes.len()];
    free.modes.write_y(&x[..free.modes.variables()], later);
    later
}

/// The value of a variable some time (ps) after a state, which is used up.
fn value_after(regime: &Regime, y: &mut [f64], variable: usize, wait: i64) -> f64 {
    regime.modes.advance(y, to_ms(wait));
    let row = regime.modes.row(variable);
    row.iter().zip(y).map(|(r, y)| r * *y).sum::<f64>() + regime.modes.offset(variable)
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

/// The first picosecond before `until` at which a watch is at or above 0, or [`NEVER`].
///
/// The answer depends on the state alone: the real root is moved to the first whole picosecond at which the read-out,
/// computed in one way, is not below 0.
fn crossing_before(
    regime: &Regime,
    watch: &super::regime::Watch,
    y: &[f64],
    last: i64,
    until: i64,
) -> i64 {
    let (row, constant) = (&watch.readout.row, watch.readout.constant);
    if until <= last {
        return NEVER;
    }
    let horizon = if until == NEVER {
        f64::INFINITY
    } else {
        to_ms(until - last)
    };
    let Some(root) = regime.modes.first_crossing(y, row, constant, horizon) else {
        return NEVER;
    };
    let above = |ps: i64| {
        let mut later = [0.0; MOST_COORDINATES];
        let later = &mut later[..y.len()];
        later.copy_from_slice(y);
        regime.modes.advance(later, to_ms(ps));
        watch.readout.of(later) >= 0.0
    };
    let mut ps = from_ms(root);
    for _ in 0..4 {
        if ps == 0 || !above(ps - 1) {
            break;
        }
        ps -= 1;
    }
    for _ in 0..4 {
        if above(ps) {
            break;
        }
        ps += 1;
    }
    let time = last + ps;
    if time < until { time } else { NEVER }
}
