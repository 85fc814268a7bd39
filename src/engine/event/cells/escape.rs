//! Random spikes: thinning (Ogata 1981; Lewis and Shedler 1979).
//!
//! Candidates come at a rate that bounds the neuron's for as long as nothing arrives; each becomes a spike with the
//! probability that its rate has then.

use rand::RngExt;
use rand_distr::{Distribution, Exp1};

use super::Cells;
use crate::engine::event::linear::MOST_VARIABLES;
use crate::engine::event::model::Trigger;
use crate::engine::event::record::{self, Timer};
use crate::engine::event::time::{NEVER, after, from_ms, to_ms};
use crate::engine::event::turn::{EventError, MOST_RATE};
use crate::lang::scalar::Interval;

impl Cells {
    /// A bound of the rate (1/ms) for all time from the state on, if nothing arrives.
    pub(super) fn rate_bound(&mut self, cell: usize) -> f64 {
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
    pub(super) fn rest_of_candidate(&self, cell: usize, time: i64) -> Option<f64> {
        let record = self.record(cell);
        let candidate = self.layout.timer(record, Timer::Candidate);
        (candidate != NEVER).then(|| self.layout.bound(record) * to_ms(candidate - time))
    }

    /// Draws a candidate, from `time` on.
    pub(super) fn draw_candidate(&mut self, cell: usize, time: i64) {
        self.set_candidate(cell, time, None);
    }

    /// The bound may have changed: what is left of the wait goes on under the new one.
    pub(super) fn renew_candidate(&mut self, cell: usize, time: i64) -> Result<(), EventError> {
        if self.escapes {
            let rest = self.rest_of_candidate(cell, time);
            self.set_candidate(cell, time, rest);
        }
        Ok(())
    }

    pub(super) fn set_candidate(&mut self, cell: usize, time: i64, rest: Option<f64>) {
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

    /// The next candidate after a spike; none while the neuron is held.
    pub(super) fn after_random_spike(&mut self, cell: usize, time: i64, held: bool) {
        if held {
            let layout = self.layout;
            layout.set_timer(self.record_mut(cell), Timer::Candidate, NEVER);
        } else {
            self.draw_candidate(cell, time);
        }
    }

    /// Whether a candidate becomes a spike.
    pub(super) fn accepts(&mut self, cell: usize) -> bool {
        let x = self.variables::<MOST_VARIABLES>(cell);
        let kind = self.key(cell).kind as usize;
        let Trigger::Escape(rate) = &self.instances[kind].trigger else {
            return false;
        };
        let rate = rate.value(&x);
        let bound = self.layout.bound(self.record(cell));
        let draw: f64 = self.streams[cell].random();
        draw * bound < rate
    }

    /// That all rates have bounds.
    pub(super) fn bounded(&self) -> Result<(), EventError> {
        let unbounded = |neuron| Err(EventError::Unbounded { neuron });
        self.unbounded.map_or(Ok(()), unbounded)
    }
}
