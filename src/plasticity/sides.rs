//! What a rule keeps on either side of its synapses, and where the values are that its expressions read.

use serde::{Deserialize, Serialize};

use super::exponential::{exp, exp_minus_one};
use super::program::Scalar;
use super::signal::{Channel, Signals};

/// Values that one rule may read: traces, voltages, modulators, filters at the synapse, the weight.
pub const MOST_VALUES: usize = 32;
/// Different time constants of one rule.
pub const MOST_CLASSES: usize = 12;
/// Multiples of a time constant after which a trace is nothing (e^−40 is below any rounding).
pub const FORGOTTEN: f64 = 40.0;
/// Multiples of a time constant between moves of its reference: e^12 costs five of sixteen digits.
pub const REACH: f64 = 12.0;
/// The same for a filter at the synapse, and for the products behind it: their losses multiply.
pub const FILTER_REACH: [f64; 2] = [3.0, 9.0];

/// Values by their place.
pub type Values = [f64; MOST_VALUES];

/// A presynaptic trace: decays, and jumps at presynaptic events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreTrace {
    /// Decay (1/ms).
    pub rate: f64,
    /// Number of its decay among the classes.
    pub class: u16,
    /// Where its value is put.
    pub place: u16,
    /// What each kind of event adds.
    pub jumps: [Scalar; 3],
}

/// A postsynaptic trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostTrace {
    /// Decay (1/ms).
    pub rate: f64,
    /// Number of its decay among the classes.
    pub class: u16,
    /// Where its value is put.
    pub place: u16,
    /// What each kind of event adds.
    pub jumps: [Scalar; 3],
    /// What is added per ms between events, if anything is.
    pub smooth: Option<Scalar>,
}

/// A filter at every synapse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eligibility {
    /// Decay (1/ms).
    pub rate: f64,
    /// Number of its decay among the classes.
    pub class: u16,
    /// Where its value is put.
    pub place: u16,
}

/// Exponentials of one decay are taken relative to a common reference time, which is moved before they lose precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Decay (1/ms).
    pub rate: f64,
    /// Time between moves (ms).
    pub interval: f64,
}

/// Both sides of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// Presynaptic traces.
    pub pre: Vec<PreTrace>,
    /// Postsynaptic traces.
    pub post: Vec<PostTrace>,
    /// Compartments whose voltages are read, by number, and their places.
    pub voltages: Vec<(u32, u16)>,
    /// Modulators that are read, by number, and their places.
    pub channels: Vec<(u32, u16)>,
    /// Corrections 1/(1 − e^(−rate·t)) of `avg`: rate (1/ms), place.
    pub warm: Vec<(f64, u16)>,
    /// Filters at the synapses.
    pub eligibilities: Vec<Eligibility>,
    /// Place of the weight.
    pub weight: u16,
    /// Decays; the first is none.
    pub classes: Vec<Class>,
    /// Hard bounds of the weights.
    pub within: Option<[f64; 2]>,
}

impl Sides {
    /// The fastest rate of a trace (1/ms).
    pub(super) fn fastest(&self) -> f64 {
        self.classes.iter().map(|c| c.rate).fold(0.0, f64::max)
    }

    /// Kinds of presynaptic events that its traces read.
    pub(super) fn pre_signals(&self) -> Signals {
        kinds(self.pre.iter().map(|t| &t.jumps))
    }

    /// Kinds of postsynaptic events that its traces read.
    pub(super) fn post_signals(&self) -> Signals {
        kinds(self.post.iter().map(|t| &t.jumps))
    }

    /// Puts what all synapses share at a time: modulators and corrections.
    #[inline]
    pub(super) fn put_shared(&self, values: &mut Values, channels: &[Channel], at: f64) {
        for (number, place) in &self.channels {
            values[usize::from(*place)] = channels[*number as usize].at(at);
        }
        for (rate, place) in &self.warm {
            let risen = -exp_minus_one((-rate * at).max(-600.0));
            // Nothing has been filtered yet at the start.
            values[usize::from(*place)] = if risen > 0.0 { 1.0 / risen } else { 1.0 };
        }
    }

    /// Puts voltages.
    #[inline]
    pub(super) fn put_voltages(&self, values: &mut Values, voltages: &[f64]) {
        for ((_, place), voltage) in self.voltages.iter().zip(voltages) {
            values[usize::from(*place)] = *voltage;
        }
    }

    /// Puts presynaptic traces that were `pre` after the last event, `elapsed` ms ago.
    #[inline]
    pub(super) fn put_pre(&self, values: &mut Values, pre: &[f64], elapsed: f64) {
        for (trace, value) in self.pre.iter().zip(pre) {
            let past = trace.rate * elapsed;
            let left = if past < FORGOTTEN { exp(-past) } else { 0.0 };
            values[usize::from(trace.place)] = value * left;
        }
    }

    /// Brings presynaptic traces to an event `elapsed` ms after the last one, and adds what it adds.
    pub fn pre_event(&self, pre: &mut [f64], signals: Signals, elapsed: f64) {
        let mut values = [0.0; MOST_VALUES];
        self.put_pre(&mut values, pre, elapsed);
        for (trace, state) in self.pre.iter().zip(pre.iter_mut()) {
            *state = values[usize::from(trace.place)] + jump(&trace.jumps, signals, &values);
        }
    }

    /// The hard bounds.
    #[inline]
    pub(super) fn bounded(&self, w: f64) -> f64 {
        match self.within {
            Some([low, high]) => w.max(low).min(high),
            None => w,
        }
    }
}

/// Kinds of events at which one of the jumps is not 0.
pub(super) fn kinds<'a>(jumps: impl Iterator<Item = &'a [Scalar; 3]>) -> Signals {
    let mut set = Signals::NONE;
    for jumps in jumps {
        for (kind, jump) in jumps.iter().enumerate() {
            if !jump.is_zero() {
                set = set | Signals::number(kind);
            }
        }
    }
    set
}

/// What the kinds of an event add together.
#[inline]
pub(super) fn jump(jumps: &[Scalar; 3], signals: Signals, values: &Values) -> f64 {
    let mut sum = 0.0;
    for (kind, jump) in jumps.iter().enumerate() {
        if signals.has(kind) {
            sum += jump.value(values);
        }
    }
    sum
}
