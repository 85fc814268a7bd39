//! When a neuron does something by itself: the next crossing of a threshold, and how long it may sleep.

use super::run::Own;
use super::{Cells, FEW};
use crate::engine::event::model::Burst;
use crate::engine::event::record::{self, Timer};
use crate::engine::event::regime::{Regime, RegimeKey, Watch};
use crate::engine::event::time::{NEVER, from_ms, to_ms};
use crate::engine::event::turn::{Outlook, Turn};

impl Cells {
    /// The first own event before `limit`, if there is one. What is known of crossings is used, and renewed: as far as
    /// `limit`, or to the turn's horizon if nothing arrives in the window.
    #[inline(always)]
    pub(super) fn next_own(
        &self,
        cell: usize,
        limit: i64,
        outlook: &mut Outlook,
        turn: &Turn<'_>,
    ) -> (i64, Own) {
        let record = self.record(cell);
        let (timer_time, timer) = self
            .layout
            .first_timer(record, self.bursts && self.has_burst_timer());
        let mut first = (timer_time, Own::Timer(timer));
        // Timers come before crossings of the same time.
        if outlook.until >= timer_time.min(limit) {
            return first;
        }
        if let Some(crossing) = outlook.crossing {
            return (outlook.until, Own::Crossing(crossing));
        }
        let flags = record::flags(record);
        let regime = self.regimes.get(flags.regime);
        let last = record::time(record[0]);
        let y = &record[self.layout.modes..self.layout.modes + regime.modes.len()];
        let sees = limit == turn.end && self.may_see_ahead(regime);
        let until = timer_time.min(if sees { turn.horizon } else { limit });
        let mut ahead = Outlook {
            until: NEVER,
            crossing: None,
            since: last,
        };
        for watch in &regime.watches {
            let readout = &watch.readout;
            if regime.modes.cannot_cross(y, &readout.row, readout.constant) {
                continue;
            }
            let found = crossing_before(regime, watch, y, last, until.min(first.0));
            ahead = Outlook {
                until: found.min(until),
                crossing: (found != NEVER).then_some(watch.what),
                since: last,
            };
            if found < first.0 {
                first = (found, Own::Crossing(watch.what));
            }
        }
        *outlook = if sees { ahead } else { Outlook::NONE };
        first
    }

    /// Whether it is worth looking for crossings beyond the window: there is one kind at most, and a search that does not
    /// depend on how far it looks.
    #[inline(always)]
    fn may_see_ahead(&self, regime: &Regime) -> bool {
        regime.lanes.is_some() && !self.is_busy && self.privates.is_empty()
    }

    pub(super) fn has_burst_timer(&self) -> bool {
        matches!(
            self.instances.first().and_then(|i| i.burst.as_ref()),
            Some(Burst::Added { .. })
        )
    }

    /// When a neuron has to be looked at again, from `end` (ps) on, at the soonest.
    pub(super) fn wake(&self, cell: usize, end: i64, outlook: &Outlook) -> i64 {
        let record = self.record(cell);
        let flags = record::flags(record);
        let regime = self.regimes.get(flags.regime);
        let (timer, kind) = self
            .layout
            .first_timer(record, self.bursts && self.has_burst_timer());
        let last = record::time(record[0]);
        let y = &record[self.layout.modes..self.layout.modes + regime.modes.len()];
        let mut wake = timer;
        if timer != NEVER
            && kind == Timer::Refractory
            && self.may_sleep_on((regime, flags.regime), y, timer - last)
        {
            wake = NEVER;
        }
        if outlook.until >= end {
            return wake.min(outlook.until);
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
    pub(super) fn may_sleep_on(
        &self,
        (regime, number): (&Regime, u32),
        y: &[f64],
        wait: i64,
    ) -> bool {
        if self.followed || self.escapes || self.bursts || regime.key.plateaus != 0 {
            return false;
        }
        let key = RegimeKey {
            held: false,
            ..regime.key
        };
        let Some(free) = self.regimes.find(key, number) else {
            return false;
        };
        let free = self.regimes.get(free);
        if y.len().max(free.modes.len()) <= FEW {
            is_calm_when_freed::<FEW>((regime, free), y, wait)
        } else {
            is_calm_when_freed::<MOST_COORDINATES>((regime, free), y, wait)
        }
    }

    /// When a neuron that nothing reaches has to be looked at, from `now` on.
    pub fn next_look(&self, cell: usize, now: i64) -> i64 {
        let private = self
            .privates
            .iter()
            .map(|private| private.arrival(cell))
            .min();
        self.wake(cell, now, &Outlook::NONE)
            .min(private.unwrap_or(NEVER))
    }
}

/// Coordinates that a regime may have: its variables, and the constants of drifts.
pub(super) const MOST_COORDINATES: usize = 128;

/// Whether a held neuron of at most `ROOM` coordinates has all that it may cross out of reach once it is free, `wait` (ps)
/// after a state.
fn is_calm_when_freed<const ROOM: usize>(
    (held, free): (&Regime, &Regime),
    y: &[f64],
    wait: i64,
) -> bool {
    let mut later = [0.0; ROOM];
    let later = freed(held, free, y, wait, &mut later);
    free.watches.iter().all(|watch| {
        let (row, constant) = (&watch.readout.row, watch.readout.constant);
        free.modes.cannot_cross(later, row, constant)
    })
}

/// The coordinates that a held neuron has in its free regime, `wait` (ps) after a state; `ROOM` is enough for both.
pub(super) fn freed<'l, const ROOM: usize>(
    held: &Regime,
    free: &Regime,
    y: &[f64],
    wait: i64,
    into: &'l mut [f64; ROOM],
) -> &'l mut [f64] {
    let mut x = [0.0; ROOM];
    let later = &mut into[..y.len()];
    later.copy_from_slice(y);
    held.modes.advance(later, to_ms(wait));
    held.modes.read_x(later, &mut x[..held.modes.variables()]);
    let later = &mut into[..free.modes.len()];
    free.modes.write_y(&x[..free.modes.variables()], later);
    later
}

/// The first picosecond before `until` at which a watch is at or above 0, or [`NEVER`].
///
/// The answer depends on the state alone: the real root is moved to the first whole picosecond at which the read-out,
/// computed in one way, is not below 0.
pub(super) fn crossing_before(
    regime: &Regime,
    watch: &Watch,
    y: &[f64],
    last: i64,
    until: i64,
) -> i64 {
    let (row, constant) = (&watch.readout.row, watch.readout.constant);
    if until <= last {
        return NEVER;
    }
    // Jumps lead past the threshold at once.
    if watch.readout.of(y) >= 0.0 {
        return last;
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
        if y.len() <= FEW {
            is_above::<FEW>(regime, watch, y, ps)
        } else {
            is_above::<MOST_COORDINATES>(regime, watch, y, ps)
        }
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

/// Whether a watch is at or above 0 some time (ps) after a state of at most `ROOM` coordinates.
#[inline(always)]
fn is_above<const ROOM: usize>(regime: &Regime, watch: &Watch, y: &[f64], wait: i64) -> bool {
    let mut later = [0.0; ROOM];
    let later = &mut later[..y.len()];
    later.copy_from_slice(y);
    regime.modes.advance(later, to_ms(wait));
    watch.readout.of(later) >= 0.0
}
