//! How a neuron passes a window.
//!
//! Within the shortest delay neurons cannot influence each other, so each runs through a window by itself: from one
//! arrival or own event to the next, exactly. What it does depends only on its own state and on what arrives, never on
//! where windows end: a crossing or a random spike is found from the state after the last event.

use super::Cells;
use crate::engine::event::glide::Glider;
use crate::engine::event::inbox::NONE;
use crate::engine::event::record::{self, Timer};
use crate::engine::event::regime::{Crossing, RegimeKey};
use crate::engine::event::time::{NEVER, to_ms};
use crate::engine::event::turn::{EventError, Outlook, Plastic, Turn};

/// Where an arrival comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum From {
    Inbox,
    Private(usize),
}

/// What a neuron does by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Own {
    Timer(Timer),
    Crossing(Crossing),
}

impl Cells {
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
    pub(super) fn advance(&mut self, cell: usize, time: i64, plastic: &mut Plastic<'_>) {
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
