//! What reaches a rule from outside: kinds of events, and broadcast channels.

use serde::{Deserialize, Serialize};

use super::exponential::exp;
use crate::compile::reading::Signal;

/// A set of kinds of events: what one spike is at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Signals(u8);

impl Signals {
    /// No event.
    pub const NONE: Signals = Signals(0);

    /// The set of the kinds given.
    pub fn of(kinds: &[Signal]) -> Signals {
        Signals(kinds.iter().fold(0, |set, kind| set | 1 << *kind as u8))
    }

    /// Whether a kind is among them.
    #[inline(always)]
    pub fn has(self, kind: usize) -> bool {
        self.0 >> kind & 1 == 1
    }

    /// Whether both sets have a kind in common.
    pub fn meets(self, other: Signals) -> bool {
        self.0 & other.0 != 0
    }

    /// The kinds in either.
    #[must_use]
    pub fn and(self, other: Signals) -> Signals {
        Signals(self.0 | other.0)
    }

    pub(super) fn number(kind: usize) -> Signals {
        Signals(1 << kind)
    }
}

/// A broadcast modulator: value·e^(−rate·(t − since)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its value at `since`.
    pub value: f64,
    /// When it took that value (ms since the start).
    pub since: f64,
    /// Its decay (1/ms); 0 if it is constant until it changes.
    pub rate: f64,
}

impl Channel {
    /// A value that lasts until the next change.
    pub fn constant(value: f64) -> Channel {
        let (since, rate) = (0.0, 0.0);
        Channel { value, since, rate }
    }

    /// Its value at a time (ms since the start).
    #[inline]
    pub fn at(&self, time: f64) -> f64 {
        if self.rate > 0.0 {
            self.value * exp(-self.rate * (time - self.since))
        } else {
            self.value
        }
    }
}
