//! The record of a neuron: all that changes of it, side by side in memory.
//!
//! A record is a row of 8-byte words: the time of its state, its regime, its timers, and its modal coordinates. A
//! neuron that a spike reaches is then one or two cache lines away, however many neurons there are.

use super::time::NEVER;

/// Where things are in the records of a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Timers: see [`Timer`].
    timers: usize,
    /// Plateaus.
    plateaus: usize,
    /// Words in a record.
    pub stride: usize,
    /// Where the modal coordinates begin.
    pub modes: usize,
}

/// What a neuron waits for by itself, in the order of simultaneous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// The end of refractoriness.
    Refractory,
    /// The end of a plateau.
    Plateau(u8),
    /// The next spike of a burst.
    Burst,
    /// The next candidate for a random spike.
    Candidate,
}

/// What a population's neurons need room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Modal coordinates.
    pub modes: usize,
    /// Plateaus.
    pub plateaus: usize,
    /// Whether it bursts, or tells bursts.
    pub bursts: bool,
    /// Whether it spikes at random.
    pub escapes: bool,
}

/// Words before the timers: the time of the state; the regime and the rest of a burst.
const HEAD: usize = 2;

impl Layout {
    /// The layout for what a population needs.
    pub fn new(needs: Needs) -> Layout {
        let mut timers = 1 + needs.plateaus;
        if needs.bursts || needs.escapes {
            // The next spike of a burst (or the last spike, to tell bursts by), and then the candidate and its bound.
            timers += 1;
        }
        if needs.escapes {
            timers += 2;
        }
        let modes = HEAD + timers;
        Layout {
            timers,
            plateaus: needs.plateaus,
            stride: modes + needs.modes,
            modes,
        }
    }

    /// Whether there is none but the end of refractoriness.
    #[inline(always)]
    pub fn has_one_timer(self) -> bool {
        self.timers == 1
    }

    fn place(self, timer: Timer) -> usize {
        HEAD + match timer {
            Timer::Refractory => 0,
            Timer::Plateau(index) => 1 + index as usize,
            Timer::Burst => 1 + self.plateaus,
            Timer::Candidate => 2 + self.plateaus,
        }
    }

    /// The first word of a fresh record to the last, but for its modal coordinates.
    pub fn clear(self, record: &mut [f64], regime: u32) {
        set_time(&mut record[0], 0);
        set_flags(
            record,
            Flags {
                regime,
                burst_left: 0,
            },
        );
        record[HEAD..self.modes]
            .iter_mut()
            .for_each(|word| set_time(word, NEVER));
    }

    /// When a timer goes off (ps).
    #[inline(always)]
    pub fn timer(self, record: &[f64], timer: Timer) -> i64 {
        time(record[self.place(timer)])
    }

    /// Sets a timer (ps).
    #[inline(always)]
    pub fn set_timer(self, record: &mut [f64], timer: Timer, when: i64) {
        set_time(&mut record[self.place(timer)], when);
    }

    /// The bound of the rate (1/ms) under which the candidate was drawn.
    pub fn bound(self, record: &[f64]) -> f64 {
        record[self.place(Timer::Candidate) + 1]
    }

    /// Sets the bound of the rate.
    pub fn set_bound(self, record: &mut [f64], bound: f64) {
        record[self.place(Timer::Candidate) + 1] = bound;
    }

    /// The first timer to go off before a time; the first of simultaneous ones.
    #[inline(always)]
    pub fn first_timer(self, record: &[f64], burst: bool) -> (i64, Timer) {
        let mut first = (self.timer(record, Timer::Refractory), Timer::Refractory);
        if self.timers == 1 {
            return first;
        }
        let mut consider = |timer: Timer| {
            let when = self.timer(record, timer);
            if when < first.0 {
                first = (when, timer);
            }
        };
        (0..self.plateaus).for_each(|index| consider(Timer::Plateau(index as u8)));
        if burst {
            consider(Timer::Burst);
        }
        if self.timers > 2 + self.plateaus {
            consider(Timer::Candidate);
        }
        first
    }
}

/// The second word of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// The regime, as the population's partition numbers them.
    pub regime: u32,
    /// Spikes of the burst that are still to come; for a population that tells bursts by intervals, 1 within a burst.
    pub burst_left: u32,
}

/// A time (ps) in a word.
#[inline(always)]
pub fn time(word: f64) -> i64 {
    word.to_bits() as i64
}

/// Puts a time (ps) into a word.
#[inline(always)]
pub fn set_time(word: &mut f64, time: i64) {
    *word = f64::from_bits(time as u64);
}

/// The second word.
#[inline(always)]
pub fn flags(record: &[f64]) -> Flags {
    let bits = record[1].to_bits();
    Flags {
        regime: bits as u32,
        burst_left: (bits >> 32) as u32,
    }
}

/// Sets the second word.
#[inline(always)]
pub fn set_flags(record: &mut [f64], flags: Flags) {
    record[1] = f64::from_bits(u64::from(flags.regime) | u64::from(flags.burst_left) << 32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_record_comes_out() {
        let needs = Needs {
            modes: 3,
            plateaus: 2,
            bursts: true,
            escapes: true,
        };
        let layout = Layout::new(needs);
        let mut record = vec![0.0; layout.stride];
        layout.clear(&mut record, 7);
        record[layout.modes..].fill(1.5);
        assert_eq!(
            layout.first_timer(&record, true),
            (NEVER, Timer::Refractory)
        );
        for (timer, when) in [
            (Timer::Candidate, 9),
            (Timer::Burst, 7),
            (Timer::Plateau(1), 7),
            (Timer::Plateau(0), 8),
        ] {
            layout.set_timer(&mut record, timer, when);
        }
        layout.set_bound(&mut record, 0.25);
        assert_eq!(layout.first_timer(&record, true), (7, Timer::Plateau(1)));
        layout.set_timer(&mut record, Timer::Plateau(1), NEVER);
        assert_eq!(layout.first_timer(&record, true), (7, Timer::Burst));
        assert_eq!(layout.first_timer(&record, false), (8, Timer::Plateau(0)));
        assert_eq!(
            flags(&record),
            Flags {
                regime: 7,
                burst_left: 0
            }
        );
        set_flags(
            &mut record,
            Flags {
                regime: 3,
                burst_left: 2,
            },
        );
        assert_eq!(
            flags(&record),
            Flags {
                regime: 3,
                burst_left: 2
            }
        );
        assert_eq!(
            (layout.bound(&record), record[layout.modes + 2]),
            (0.25, 1.5)
        );
    }

    #[test]
    fn plain_neurons_have_short_records() {
        let lif = Layout::new(Needs {
            modes: 2,
            ..Needs::default()
        });
        assert_eq!(lif.stride * 8, 40);
        let two_compartments = Layout::new(Needs {
            modes: 4,
            ..Needs::default()
        });
        assert!(two_compartments.stride * 8 <= 64);
    }
}
