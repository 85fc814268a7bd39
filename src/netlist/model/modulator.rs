//! Modulators and what drives them.

use super::{Expression, Name};
use crate::source::Spanned;
use crate::units::Quantity;

/// A broadcast channel.
#[derive(Debug, Clone)]
pub struct Modulator {
    /// Its name.
    pub name: Name,
    /// What sets it.
    pub drive: ModulatorDrive,
    /// Whether each replica has a value of its own.
    pub per_replica: bool,
    /// Value before the first step, for modulators without a schedule.
    pub start: f64,
}

/// What sets a modulator.
#[derive(Debug, Clone)]
pub enum ModulatorDrive {
    /// A schedule.
    Schedule(Spanned<Schedule>),
    /// An expression over populations, inputs and other modulators.
    Value {
        /// The expression.
        of: Expression,
        /// How often it is evaluated, in a circuit of spiking neurons (ms); else it is once a step.
        every: Option<Spanned<Quantity>>,
    },
    /// Released by the spikes of a population, and decaying.
    Released {
        /// The population.
        by: Name,
        /// What all its neurons release together when each spikes once.
        amount: Spanned<f64>,
        /// Time constant of the decay (ms).
        tau: Spanned<Quantity>,
    },
}

/// A schedule of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// Each value in turn, for its own length, round and round.
    Cycle {
        /// Values.
        values: Vec<f64>,
        /// How long each holds; as many as values.
        lengths: Vec<Duration>,
        /// Whether the first value is drawn, each with the same probability, every time it starts.
        random_start: bool,
    },
    /// Values in turn, each for `every`; the last one stays.
    List {
        /// Values.
        values: Vec<f64>,
        /// How long each holds.
        every: Duration,
    },
    /// A value drawn afresh every `every`.
    Random {
        /// Values to draw from.
        values: Vec<f64>,
        /// Their probabilities, summing to 1; equal if not given.
        probabilities: Vec<f64>,
        /// How long each holds.
        every: Duration,
    },
}

/// The shortest time (ms) between things that come again and again in a circuit of spiking neurons: at 10 MHz, the highest rate of
/// random spikes, they come nearly without end.
pub const LEAST_INTERVAL: f64 = 1e-4;

/// A length of simulated time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Duration {
    /// A number of steps.
    Steps(u64),
    /// A time (ms, or plain if the circuit's step is plain).
    Time(Quantity),
}
