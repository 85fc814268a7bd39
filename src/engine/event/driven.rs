//! Sources of spikes whose rate reads an input: inhomogeneous Poisson processes.
//!
//! Where only the input changes the rate, it is constant in between, and what is left of a wait is taken over to the new
//! rate (time change, Daley and Vere-Jones 2003, An Introduction to the Theory of Point Processes I, Sec. 7.4). A rate that
//! also reads the time is thinned (Lewis and Shedler 1979), under a bound that is made anew with each row.

use std::ops::Range;
use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoroshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::model::Trigger;
use super::sources::AHEAD;
use super::time::{NEVER, after, from_ms, to_ms};
use super::turn::{Emitted, EventError, MOST_RATE, Signals, Turn};
use crate::compile::event::{INPUT, SourceNeuron, TIME};
use crate::lang::scalar::{Interval, ScalarCode};

/// The sources of a population that a partition runs.
#[derive(Debug)]
pub struct Driven {
    source: Arc<SourceNeuron>,
    /// Number of the first one, among all neurons of the circuit.
    first: u32,
    /// Index of the first one within its population.
    offset: usize,
    /// For each set of parameters the rate (1/ms), of the time (ms) and the input.
    rates: Vec<ScalarCode>,
    /// The present number of the input; none before the first row.
    inputs: Vec<f64>,
    /// When each spikes next, or may (ps).
    next: Vec<i64>,
    /// The rate, or its bound, (1/ms) under which `next` was drawn; 0 where it only ends a stretch without a candidate.
    bounds: Vec<f64>,
    streams: Vec<Xoroshiro128PlusPlus>,
    /// A source whose rate has no bound.
    unbounded: Option<u32>,
}

impl Driven {
    /// Sources `range` of a population before the first row: none of them spikes.
    pub fn new(
        source: Arc<SourceNeuron>,
        (seed, name): (u64, &str),
        first: u32,
        range: Range<usize>,
        modulators: &[f64],
    ) -> Driven {
        let stream =
            |i| Xoroshiro128PlusPlus::seed_from_u64(crate::random::seed_of(seed, name, i as u64));
        Driven {
            first: first + range.start as u32,
            offset: range.start,
            rates: rates(&source, modulators),
            inputs: vec![],
            next: vec![NEVER; range.len()],
            bounds: vec![0.0; range.len()],
            streams: range.map(stream).collect(),
            unbounded: None,
            source,
        }
    }

    /// When a source has to be looked at.
    pub fn next_look(&self, cell: usize) -> i64 {
        self.next[cell]
    }

    /// Runs a source up to the end of a window; gives the time (ps) at which it has to be looked at again.
    ///
    /// # Errors
    /// If a rate has no bound.
    pub fn run(&mut self, cell: usize, turn: &mut Turn<'_>) -> Result<i64, EventError> {
        while self.next[cell] < turn.end {
            if let Some(neuron) = self.unbounded {
                return Err(EventError::Unbounded { neuron });
            }
            let time = self.next[cell];
            if self.accepts(cell, time) {
                turn.emit(Emitted {
                    time,
                    neuron: self.first + cell as u32,
                    signals: Signals::SPIKE | Signals::EVENT,
                });
            }
            self.draw(cell, time, None);
        }
        Ok(self.next[cell])
    }

    /// The input has this row from `time` (ps) on; the population's numbers, of which these sources read theirs.
    pub fn change_input(&mut self, time: i64, row: &[f64]) {
        let row = &row[self.offset.min(row.len())..];
        let fresh = self.inputs.is_empty();
        self.inputs.resize(self.next.len(), 0.0);
        for (cell, input) in row.iter().take(self.next.len()).enumerate() {
            if fresh || self.inputs[cell].to_bits() != input.to_bits() {
                let rest = self.rest(cell, time);
                self.inputs[cell] = *input;
                self.draw(cell, time, rest);
            }
        }
    }

    /// The modulators that the rates read have other values.
    pub fn change_environment(&mut self, time: i64, modulators: &[f64]) {
        let rests: Vec<Option<f64>> = (0..self.inputs.len())
            .map(|cell| self.rest(cell, time))
            .collect();
        self.rates = rates(&self.source, modulators);
        for (cell, rest) in rests.into_iter().enumerate() {
            self.draw(cell, time, rest);
        }
    }

    fn rate(&self, cell: usize) -> &ScalarCode {
        &self.rates[self.source.kind(self.offset + cell) as usize]
    }

    /// What is left of a wait (expected spikes); none where a rate varies in between, and candidates have no memory.
    fn rest(&self, cell: usize, time: i64) -> Option<f64> {
        let waits = self.next[cell] != NEVER && !self.rate(cell).reads(TIME);
        waits.then(|| self.bounds[cell] * to_ms(self.next[cell] - time))
    }

    /// Whether a candidate is a spike.
    fn accepts(&mut self, cell: usize, time: i64) -> bool {
        let bound = self.bounds[cell];
        if !self.rate(cell).reads(TIME) {
            return true;
        }
        let rate = self
            .rate(cell)
            .value(&variables(to_ms(time), self.inputs[cell]));
        let draw: f64 = self.streams[cell].random();
        bound > 0.0 && draw * bound < rate
    }

    /// Draws the next time of a source; `rest` is what is left of a wait, in expected spikes.
    fn draw(&mut self, cell: usize, time: i64, rest: Option<f64>) {
        // How far (ps) a bound holds.
        let (bound, ahead) = self.bound(cell, time);
        self.bounds[cell] = bound.max(0.0);
        if bound.is_nan() || bound > MOST_RATE {
            // The error comes when the source is looked at.
            self.unbounded = Some(self.first + cell as u32);
            self.next[cell] = time;
            return;
        }
        let stream = &mut self.streams[cell];
        let mut wait = || rest.unwrap_or_else(|| Exp1.sample(stream));
        let next = match bound > 0.0 {
            true => after(time, from_ms(wait() / bound)).max(time + 1),
            false => NEVER,
        };
        // Beyond the stretch that the bound holds for, nothing has happened: exponential waits have no memory.
        let end = after(time, ahead);
        if next > end {
            self.bounds[cell] = 0.0;
        }
        self.next[cell] = next.min(end);
    }

    /// A bound of the rate (1/ms) from a time on, and for how long (ps) it holds.
    fn bound(&self, cell: usize, time: i64) -> (f64, i64) {
        let (rate, input) = (self.rate(cell), self.inputs[cell]);
        if !rate.reads(TIME) {
            return (rate.value(&variables(f64::NAN, input)), NEVER);
        }
        let stretch = Interval {
            low: to_ms(time),
            high: to_ms(after(time, AHEAD)),
        };
        let within = variables(stretch, Interval::point(input));
        (rate.bounds(&within).high, AHEAD)
    }
}

/// What a rate reads.
fn variables<T: Copy>(time: T, input: T) -> [T; 2] {
    let mut all = [time; 2];
    all[INPUT as usize] = input;
    all
}

fn rates(source: &SourceNeuron, modulators: &[f64]) -> Vec<ScalarCode> {
    let rate = |trigger: Trigger| match trigger {
        Trigger::Rate(rate) => rate,
        _ => ScalarCode::number(0.0),
    };
    source.triggers(modulators).into_iter().map(rate).collect()
}
