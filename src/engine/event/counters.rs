//! How often the neurons of populations spike or burst, each in an exponential window.

use super::time::to_ms;
use super::turn::Signals;
use crate::circuit::Circuit;
use crate::compile::{Counter, Signal};

/// Everything that is counted, and how it stands.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    all: Vec<Count>,
}

#[derive(Debug, Clone)]
struct Count {
    counter: Counter,
    signals: Signals,
    neurons: f64,
    /// The rate of all neurons together (1/ms) at a time (ps).
    rate: f64,
    at: i64,
}

impl Counters {
    /// Nothing has happened yet; each counter once.
    pub fn new(circuit: &Circuit, counters: impl IntoIterator<Item = Counter>) -> Self {
        let mut all: Vec<Count> = Vec::new();
        for counter in counters {
            if all.iter().any(|c| c.counter == counter) {
                continue;
            }
            all.push(Count {
                counter,
                signals: match counter.signal {
                    Signal::Spike => Signals::SPIKE,
                    Signal::Event => Signals::EVENT,
                    Signal::Burst => Signals::BURST,
                },
                neurons: circuit.population(counter.population).size.max(1) as f64,
                rate: 0.0,
                at: 0,
            });
        }
        Counters { all }
    }

    /// Whether there is nothing to count.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A neuron of a population emits something at a time (ps).
    pub fn note(&mut self, population: u32, signals: Signals, time: i64) {
        for count in &mut self.all {
            if count.counter.population.0 == population && signals.any(count.signals) {
                let window = count.counter.window_ms();
                let left = count.rate * (-to_ms(time - count.at) / window).exp();
                (count.rate, count.at) = (left + 1.0 / window, time);
            }
        }
    }

    /// The rate of a neuron (1/ms) at a time (ps); not a number if nobody counts it.
    pub fn rate(&self, counter: Counter, time: i64) -> f64 {
        let count = self.all.iter().find(|c| c.counter == counter);
        count.map_or(f64::NAN, |c| {
            let left = (-to_ms(time - c.at) / counter.window_ms()).exp();
            c.rate * left / c.neurons
        })
    }
}
