//! One spike that arrives at a neuron to which nothing else happens: what most arrivals are where most neurons are silent.
//!
//! What is done is what [`Cells::run`] does, to the bit, without asking for all that might happen. Nothing is kept from one
//! neuron to the next, so that the processor works at several of them at once while it waits for their records.

use super::crossing::freed;
use super::{Cells, FEW};
use crate::engine::event::glide::put;
use crate::engine::event::inbox::NONE;
use crate::engine::event::linear::exp::exp;
use crate::engine::event::reach::Reach;
use crate::engine::event::record::{self, Flags, Timer};
use crate::engine::event::regime::{Lanes, Regime, RegimeKey};
use crate::engine::event::time::{NEVER, to_ms};
use crate::engine::event::turn::{EventError, Outlook, Turn};

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It has been taken, and the neuron does nothing more unless something arrives.
    Calm,
    /// It has been taken, and the neuron is above its threshold.
    Over,
    /// Nothing has happened.
    Not,
}

/// What arrives.
#[derive(Clone, Copy)]
struct Arrival {
    /// When (ps).
    time: i64,
    weight: f64,
    port: u32,
}

impl Cells {
    /// Takes the only delivery that a neuron has in a window, unless it is not simple.
    #[inline(always)]
    pub fn take_single(&mut self, cell: usize, first: u32, turn: &Turn<'_>) -> Taken {
        if first == NONE || !self.is_plain() {
            return Taken::Not;
        }
        let (delivery, after) = turn.inbox.read(first);
        let port = turn.ports[delivery.projection as usize];
        if after != NONE || port.learns {
            return Taken::Not;
        }
        let arrival = Arrival {
            time: delivery.time,
            weight: f64::from_bits(delivery.value),
            port: port.number,
        };
        let layout = self.layout;
        let record = self.records.row_mut(cell);
        if layout.timer(record, Timer::Refractory) != NEVER {
            return self.take_after_refractoriness(cell, arrival);
        }
        let regime = self.regimes.get(record::flags(record).regime);
        let last = record::time(record[0]);
        let y = &mut record[layout.modes..layout.modes + regime.modes.len()];
        let taken = take(regime, y, last, arrival);
        if taken != Taken::Not {
            record::set_time(&mut record[0], arrival.time);
        }
        taken
    }

    /// A spike of a neuron whose only delivery has taken it over its threshold, and what it does then in the window, as
    /// [`Cells::run`].
    #[inline(never)]
    pub fn spike_at_arrival(
        &mut self,
        cell: usize,
        turn: &mut Turn<'_>,
    ) -> Result<(i64, Outlook), EventError> {
        let time = record::time(self.records.row(cell)[0]);
        self.at_once = (NEVER, 0);
        self.spike(cell, time, false, turn)?;
        self.run(cell, NONE, Outlook::NONE, turn)
    }

    /// Whether nothing but arrivals, crossings and the end of refractoriness happens to these neurons.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        !self.followed && self.layout.has_one_timer() && self.privates.is_empty()
    }

    /// The same for a neuron that has been refractory, and for which nobody has looked at the end of that.
    #[inline(never)]
    fn take_after_refractoriness(&mut self, cell: usize, arrival: Arrival) -> Taken {
        let layout = self.layout;
        let record = self.records.row_mut(cell);
        let flags = record::flags(record);
        let held = self.regimes.get(flags.regime);
        let due = layout.timer(record, Timer::Refractory);
        let key = RegimeKey {
            held: false,
            ..held.key
        };
        let Some(number) = self.regimes.find(key, flags.regime) else {
            return Taken::Not;
        };
        let free = self.regimes.get(number);
        if due >= arrival.time || held.modes.len().max(free.modes.len()) > FEW {
            return Taken::Not;
        }
        let last = record::time(record[0]);
        let y = &record[layout.modes..layout.modes + held.modes.len()];
        let mut later = [0.0; FEW];
        let later = freed(held, free, y, due - last, &mut later);
        let taken = take(free, later, due, arrival);
        let place = record.get_mut(layout.modes..layout.modes + free.modes.len());
        let Some(place) = place.filter(|_| taken != Taken::Not) else {
            return Taken::Not;
        };
        place.copy_from_slice(later);
        record::set_time(&mut record[0], arrival.time);
        let regime = number;
        record::set_flags(record, Flags { regime, ..flags });
        layout.set_timer(record, Timer::Refractory, NEVER);
        taken
    }
}

/// Something arrives at a neuron whose state was `y` at `last` (ps).
#[inline(always)]
fn take(regime: &Regime, y: &mut [f64], last: i64, arrival: Arrival) -> Taken {
    let Some(lanes) = &regime.lanes else {
        return Taken::Not;
    };
    match lanes.width {
        1 => take_in::<1>(lanes, y, last, arrival),
        2 => take_in::<2>(lanes, y, last, arrival),
        4 => take_in::<4>(lanes, y, last, arrival),
        _ => Taken::Not,
    }
}

#[inline(always)]
fn take_in<const N: usize>(lanes: &Lanes, y: &mut [f64], last: i64, arrival: Arrival) -> Taken {
    let (Some(rates), Some(row), Some(jump)) = (
        lanes.rates.first_chunk::<N>(),
        lanes.row.first_chunk::<N>(),
        lanes.jump::<N>(arrival.port),
    ) else {
        return Taken::Not;
    };
    let dt = to_ms(arrival.time - last);
    let mut now: [f64; N] = std::array::from_fn(|k| y.get(k).copied().unwrap_or(0.0));
    let is_still = Reach::new(&now, row, rates, lanes.constant).is_out_of_reach(dt);
    for k in 0..N {
        now[k] *= exp(-rates[k] * dt);
    }
    for k in 0..N {
        now[k] += arrival.weight * jump[k];
    }
    let reach = Reach::new(&now, row, rates, lanes.constant);
    let taken = if is_still & reach.is_out_of_reach(f64::INFINITY) {
        Taken::Calm
    } else if is_still && lanes.read(&now) >= 0.0 {
        Taken::Over
    } else {
        return Taken::Not;
    };
    put(now, y);
    taken
}
