//! Sources of spikes: neurons without compartments, which spike by themselves.

use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoroshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::model::Trigger;
use super::time::{NEVER, after, from_ms, to_ms};
use super::turn::{Emitted, EventError, MOST_RATE, Signals, Turn};
use crate::compile::event::SourceNeuron;
use crate::lang::scalar::{Interval, ScalarCode};
use std::sync::Arc;

/// How far ahead (ps) the rate of a source is bounded if it depends on time: 5 ms.
pub(super) const AHEAD: i64 = 5_000_000_000;

/// The sources of a population that a partition runs.
#[derive(Debug)]
pub struct Sources {
    source: Arc<SourceNeuron>,
    /// Number of the first one, among all neurons of the circuit.
    first: u32,
    /// Index of the first one within its population.
    offset: usize,
    kinds: Vec<Kind>,
    /// When each spikes next, or may.
    next: Vec<i64>,
    /// Random ones: the bound of the rate (1/ms) under which `next` was drawn; 0 where it only ends a stretch without one.
    bounds: Vec<f64>,
    streams: Vec<Xoroshiro128PlusPlus>,
    /// Given ones: the number of the next time.
    cursors: Vec<u32>,
    /// A source whose rate has no bound.
    unbounded: Option<u32>,
}

/// What makes a source spike, with numbers for its parameters.
#[derive(Debug, Clone)]
enum Kind {
    /// At random at this rate (1/ms).
    Constant(f64),
    /// At random at a rate (1/ms) that depends on time.
    Varying(ScalarCode),
    Every(i64),
    Given,
}

impl Sources {
    /// Sources `range` of a population, at time 0.
    pub fn new(
        source: Arc<SourceNeuron>,
        (seed, name): (u64, &str),
        first: u32,
        range: std::ops::Range<usize>,
        modulators: &[f64],
    ) -> Sources {
        let stream =
            |i| Xoroshiro128PlusPlus::seed_from_u64(crate::random::seed_of(seed, name, i as u64));
        let random = source.is_random();
        let mut sources = Sources {
            first: first + range.start as u32,
            offset: range.start,
            kinds: kinds(&source, modulators),
            next: vec![NEVER; range.len()],
            bounds: if random {
                vec![0.0; range.len()]
            } else {
                vec![]
            },
            streams: if random {
                range.clone().map(stream).collect()
            } else {
                vec![]
            },
            cursors: if source.times().is_some() {
                vec![0; range.len()]
            } else {
                vec![]
            },
            unbounded: None,
            source,
        };
        for cell in 0..range.len() {
            sources.start(cell);
        }
        sources
    }

    /// Number of sources.
    pub fn len(&self) -> usize {
        self.next.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }

    /// Memory of a source (bytes).
    pub fn bytes_each(&self) -> usize {
        8 + if self.streams.is_empty() { 0 } else { 24 }
            + if self.cursors.is_empty() { 0 } else { 4 }
    }

    fn kind(&self, cell: usize) -> &Kind {
        &self.kinds[self.source.kind(self.offset + cell) as usize]
    }

    fn start(&mut self, cell: usize) {
        let index = self.offset + cell;
        self.next[cell] = match self.kind(cell) {
            Kind::Constant(_) | Kind::Varying(_) => {
                self.draw(cell, 0, None);
                return;
            }
            Kind::Every(_) => self.source.first(index),
            Kind::Given => self
                .source
                .times()
                .map_or(NEVER, |times| times.time(index, 0)),
        };
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
            if self.spikes(cell, time) {
                let signals = Signals::SPIKE | Signals::EVENT;
                turn.emit(Emitted {
                    time,
                    neuron: self.first + cell as u32,
                    signals,
                });
            }
        }
        Ok(self.next[cell])
    }

    /// When a source has to be looked at.
    pub fn next_look(&self, cell: usize) -> i64 {
        self.next[cell]
    }

    /// The time of a source has come: whether it spikes. Draws or looks up its next time.
    fn spikes(&mut self, cell: usize, time: i64) -> bool {
        let index = self.offset + cell;
        match self.kind(cell) {
            Kind::Constant(_) => {
                self.draw(cell, time, None);
                true
            }
            Kind::Varying(rate) => {
                let rate = rate.value(&[to_ms(time)]);
                let bound = self.bounds[cell];
                let draw: f64 = self.streams[cell].random();
                self.draw(cell, time, None);
                bound > 0.0 && draw * bound < rate
            }
            Kind::Every(interval) => {
                self.next[cell] = after(time, (*interval).max(1));
                true
            }
            Kind::Given => {
                self.cursors[cell] += 1;
                let cursor = self.cursors[cell];
                self.next[cell] = self
                    .source
                    .times()
                    .map_or(NEVER, |times| times.time(index, cursor));
                true
            }
        }
    }

    /// Draws the next time of a random source; `rest` is what is left of a wait, in expected spikes.
    fn draw(&mut self, cell: usize, time: i64, rest: Option<f64>) {
        let kind = self.source.kind(self.offset + cell) as usize;
        let stream = &mut self.streams[cell];
        let mut wait = |rest: Option<f64>| rest.unwrap_or_else(|| Exp1.sample(stream));
        match &self.kinds[kind] {
            Kind::Constant(rate) => {
                self.bounds[cell] = *rate;
                self.next[cell] = if rate.is_nan() || *rate > MOST_RATE {
                    self.unbounded = Some(self.first + cell as u32);
                    time
                } else if *rate > 0.0 {
                    after(time, from_ms(wait(rest) / rate)).max(time + 1)
                } else {
                    NEVER
                };
            }
            Kind::Varying(rate) => {
                let high = to_ms(after(time, AHEAD));
                let bound = rate
                    .bounds(&[Interval {
                        low: to_ms(time),
                        high,
                    }])
                    .high;
                if bound.is_nan() || bound > MOST_RATE {
                    // The error comes when the source is looked at.
                    self.unbounded = Some(self.first + cell as u32);
                    self.next[cell] = time;
                    return;
                }
                let next = if bound > 0.0 {
                    after(time, from_ms(wait(None) / bound))
                } else {
                    NEVER
                };
                // Beyond the stretch that the bound holds for, nothing has happened: exponential waits have no memory.
                let within = next <= time + AHEAD;
                self.bounds[cell] = if within { bound } else { 0.0 };
                self.next[cell] = if within {
                    next.max(time + 1)
                } else {
                    time + AHEAD
                };
            }
            _ => {}
        }
    }

    /// The modulators that the rates read have other values.
    pub fn change_environment(&mut self, time: i64, modulators: &[f64]) {
        let rests: Vec<Option<f64>> = (0..self.next.len())
            .map(|cell| {
                let waits =
                    matches!(self.kind(cell), Kind::Constant(_)) && self.next[cell] != NEVER;
                waits.then(|| self.bounds[cell] * to_ms(self.next[cell] - time))
            })
            .collect();
        self.kinds = kinds(&self.source, modulators);
        if self.source.is_random() {
            for (cell, rest) in rests.into_iter().enumerate() {
                self.draw(cell, time, rest);
            }
        }
    }
}

fn kinds(source: &SourceNeuron, modulators: &[f64]) -> Vec<Kind> {
    let kind = |trigger: Trigger| match trigger {
        Trigger::Rate(rate) => match rate.constant() {
            Some(rate) => Kind::Constant(rate),
            None => Kind::Varying(rate),
        },
        Trigger::Every { interval, .. } => Kind::Every(interval),
        _ => Kind::Given,
    };
    source.triggers(modulators).into_iter().map(kind).collect()
}
