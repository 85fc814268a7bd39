//! What a neuron does when it spikes or a plateau begins or ends: reset, refractoriness, bursts, signals.

use super::{Cells, FEW};
use crate::engine::event::linear::MOST_VARIABLES;
use crate::engine::event::model::{Burst, BurstCondition};
use crate::engine::event::record::{self, Flags, Timer};
use crate::engine::event::regime::RegimeKey;
use crate::engine::event::time::{NEVER, after};
use crate::engine::event::turn::{Emitted, EventError, Signals, Turn};

/// A neuron may spike so often at one time, or within [`AT_ONCE`] (ps), before the run ends with an error: at 10 MHz.
const MOST_AT_ONCE: u32 = 1000;
const AT_ONCE: i64 = 100_000_000;

impl Cells {
    /// A spike; `in_burst` if it belongs to a burst that goes on.
    pub(super) fn spike(
        &mut self,
        cell: usize,
        time: i64,
        in_burst: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), EventError> {
        self.count_at_once(cell, time)?;
        if self.are_small {
            self.spike_in::<FEW>(cell, time, in_burst, turn)
        } else {
            self.spike_in::<MOST_VARIABLES>(cell, time, in_burst, turn)
        }
    }

    /// A spike of a neuron of no more than `ROOM` variables.
    fn spike_in<const ROOM: usize>(
        &mut self,
        cell: usize,
        time: i64,
        in_burst: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), EventError> {
        let key = self.key(cell);
        let before = self.variables::<ROOM>(cell);
        let signals = self.burst_signals(cell, time, in_burst, (&before, key));
        if !turn.plastic.onto.is_empty() {
            let record = self.record(cell);
            let modes = &self.regimes.get(record::flags(record).regime).modes;
            let y = &record[self.layout.modes..self.layout.modes + modes.len()];
            turn.plastic.post_event(signals, (modes, y), time);
        }
        let mut x = before;
        let instance = &self.instances[key.kind as usize];
        for (variable, value) in &instance.reset {
            x[*variable] = value.of(&before);
        }
        for (variable, value) in &instance.add {
            x[*variable] += value.of(&before);
        }
        let refractory = instance.refractory;
        let held = self.hold(cell, time, refractory);
        self.put(cell, RegimeKey { held, ..key }, &x)?;
        if self.escapes {
            self.after_random_spike(cell, time, held);
        }
        turn.emit(Emitted {
            time,
            neuron: self.first + cell as u32,
            signals,
        });
        Ok(())
    }

    /// Counts spikes of the neuron that runs that come nearly at once.
    fn count_at_once(&mut self, cell: usize, time: i64) -> Result<(), EventError> {
        let (first, count) = self.at_once;
        self.at_once = if first <= time && time <= after(first, AT_ONCE) {
            (first, count + 1)
        } else {
            (time, 1)
        };
        if self.at_once.1 > MOST_AT_ONCE {
            return Err(EventError::Endless {
                neuron: self.first + cell as u32,
                time,
            });
        }
        Ok(())
    }

    /// Sets the end of refractoriness (ps) after a spike; whether there is any. Within a burst the neuron stays refractory
    /// from spike to spike.
    fn hold(&mut self, cell: usize, time: i64, refractory: i64) -> bool {
        let layout = self.layout;
        let bursts = self.has_burst_timer();
        let record = self.record_mut(cell);
        let goes_on = bursts && layout.timer(record, Timer::Burst) != NEVER;
        let free = if goes_on || refractory == 0 {
            NEVER
        } else {
            after(time, refractory)
        };
        layout.set_timer(record, Timer::Refractory, free);
        goes_on || refractory > 0
    }

    /// Which signals a spike gives, and the burst that it starts or goes on with.
    fn burst_signals(
        &mut self,
        cell: usize,
        time: i64,
        in_burst: bool,
        (x, key): (&[f64], RegimeKey),
    ) -> Signals {
        if !self.bursts {
            return Signals::SPIKE | Signals::EVENT;
        }
        let instance = self.instances[key.kind as usize].clone();
        match &instance.burst {
            None => Signals::SPIKE | Signals::EVENT,
            Some(Burst::Added { interval, .. }) if in_burst => {
                let left = self.set_burst(cell, |left| left.saturating_sub(1)).1;
                let layout = self.layout;
                let next = if left > 0 {
                    after(time, *interval)
                } else {
                    NEVER
                };
                layout.set_timer(self.record_mut(cell), Timer::Burst, next);
                Signals::SPIKE | Signals::IN_BURST
            }
            Some(Burst::Added {
                when,
                spikes,
                interval,
            }) => {
                let bursts = match when {
                    BurstCondition::Above(condition) => condition.of(x) >= 0.0,
                    BurstCondition::Plateau(index) => key.plateaus >> index & 1 == 1,
                };
                if *spikes < 2 || !bursts {
                    return Signals::SPIKE | Signals::EVENT;
                }
                self.set_burst(cell, |_| spikes - 1);
                let layout = self.layout;
                let next = after(time, *interval);
                layout.set_timer(self.record_mut(cell), Timer::Burst, next);
                Signals::SPIKE | Signals::EVENT | Signals::BURST
            }
            Some(Burst::Within(interval)) => self.told_by_interval(cell, time, *interval),
        }
    }

    /// Signals of a spike where bursts are told by intervals (ps): the burst timer's place holds the time of the last one.
    fn told_by_interval(&mut self, cell: usize, time: i64, interval: i64) -> Signals {
        let layout = self.layout;
        let record = self.record_mut(cell);
        let last = layout.timer(record, Timer::Burst);
        layout.set_timer(record, Timer::Burst, time);
        let close = last != NEVER && time - last < interval;
        match (close, self.set_burst(cell, |_| u32::from(close)).0) {
            (false, _) => Signals::SPIKE | Signals::EVENT,
            (true, 0) => Signals::SPIKE | Signals::BURST,
            (true, _) => Signals::SPIKE | Signals::IN_BURST,
        }
    }

    /// Changes what is left of a burst; gives what it was and what it is.
    fn set_burst(&mut self, cell: usize, change: impl FnOnce(u32) -> u32) -> (u32, u32) {
        let record = self.record_mut(cell);
        let flags = record::flags(record);
        let burst_left = change(flags.burst_left);
        record::set_flags(
            record,
            Flags {
                burst_left,
                ..flags
            },
        );
        (flags.burst_left, burst_left)
    }

    pub(super) fn start_plateau(
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

    pub(super) fn end_plateau(
        &mut self,
        cell: usize,
        time: i64,
        index: u8,
    ) -> Result<(), EventError> {
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
}
