//! What reaches a rule from outside: kinds of events, and broadcast channels.

use serde::{Deserialize, Serialize};

use std::ops::{BitAnd, BitOr};

use super::exponential::exp;
use crate::netlist::model::Signal;

/// A set of signals: what a neuron emits at once. The first three are the kinds of events that rules read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Signals(pub u8);

impl Signals {
    /// Nothing.
    pub const NONE: Signals = Signals(0);
    /// A spike.
    pub const SPIKE: Signals = Signals::number(Signal::Spike as usize);
    /// An isolated spike, or the first one of a burst.
    pub const EVENT: Signals = Signals::number(Signal::Event as usize);
    /// A burst, told at the spike that shows it.
    pub const BURST: Signals = Signals::number(Signal::Burst as usize);
    /// A further spike of a burst.
    pub const IN_BURST: Signals = Signals::number(3);
    /// A plateau begins; no spike.
    pub const PLATEAU: Signals = Signals::number(4);

    /// The set of the kinds given.
    pub fn of(kinds: &[Signal]) -> Signals {
        let one = |set, kind: &Signal| set | Signals::number(*kind as usize);
        kinds.iter().fold(Signals::NONE, one)
    }

    /// Whether a kind is among them.
    #[inline(always)]
    pub fn has(self, kind: usize) -> bool {
        self.0 >> kind & 1 == 1
    }

    /// Whether it has one of these.
    #[inline(always)]
    pub fn any(self, of: Signals) -> bool {
        (self & of).0 != 0
    }

    pub(super) const fn number(kind: usize) -> Signals {
        Signals(1 << kind)
    }
}

impl BitOr for Signals {
    type Output = Signals;

    #[inline(always)]
    fn bitor(self, other: Signals) -> Signals {
        Signals(self.0 | other.0)
    }
}

impl BitAnd for Signals {
    type Output = Signals;

    #[inline(always)]
    fn bitand(self, other: Signals) -> Signals {
        Signals(self.0 & other.0)
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
