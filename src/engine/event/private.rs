//! Private background: Poisson sources that have one target each are drawn in their target's own turn.
//!
//! A source that projects one-to-one and that nobody else sees needs no place in the queue and none in the calendar: the
//! neuron that it drives asks it when its next spike arrives. Streams and times are those that the source would have by
//! itself, so that folding it away changes nothing but the speed.

use std::ops::Range;

use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoroshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

use super::synapses::Weights;
use super::time::{NEVER, after, from_ms};
use crate::compile::event::SourceNeuron;

/// The private sources of a population's neurons on a partition, by one projection.
#[derive(Debug)]
pub struct Private {
    /// The projection.
    pub projection: u32,
    /// The port of the target.
    pub port: u32,
    weights: Weights,
    /// Delay (ps).
    delay: i64,
    /// For each neuron, when its source spikes next (ps).
    next: Vec<i64>,
    streams: Vec<Xoroshiro128PlusPlus>,
    /// Rate of each source (1/ms), or of all.
    rates: Vec<f64>,
    /// Spikes so far.
    pub spikes: u64,
}

impl Private {
    /// The sources of the neurons `range`, at time 0.
    pub fn new(
        source: &SourceNeuron,
        (seed, name): (u64, &str),
        (projection, port, delay, weights): (u32, u32, i64, Weights),
        range: Range<usize>,
    ) -> Private {
        let all = source.constant_rates();
        let rate = |i: usize| all.get(source.kind(i) as usize).copied().unwrap_or(0.0);
        let rates = if all.len() == 1 {
            all.clone()
        } else {
            range.clone().map(rate).collect()
        };
        let stream =
            |i| Xoroshiro128PlusPlus::seed_from_u64(crate::random::seed_of(seed, name, i as u64));
        let mut private = Private {
            projection,
            port,
            weights,
            delay,
            next: vec![0; range.len()],
            streams: range.map(stream).collect(),
            rates,
            spikes: 0,
        };
        for cell in 0..private.next.len() {
            let rate = private.rate(cell);
            private.next[cell] = wait(&mut private.streams[cell], rate, 0);
        }
        private
    }

    /// When the next spike arrives at a neuron (ps).
    #[inline(always)]
    pub fn arrival(&self, cell: usize) -> i64 {
        after(self.next[cell], self.delay)
    }

    /// The source of a neuron, to be worked with for a while; [`Private::put_back`] ends that.
    #[inline(always)]
    pub fn source(&self, cell: usize) -> Source {
        Source {
            projection: self.projection,
            port: self.port,
            weight: self.weights.of(cell),
            next: self.next[cell],
            delay: self.delay,
            rate: self.rate(cell),
            stream: self.streams[cell].clone(),
            spikes: 0,
        }
    }

    /// Puts back the source of a neuron.
    #[inline(always)]
    pub fn put_back(&mut self, cell: usize, source: Source) {
        self.next[cell] = source.next;
        self.streams[cell] = source.stream;
        self.spikes += source.spikes;
    }

    #[inline(always)]
    fn rate(&self, cell: usize) -> f64 {
        if self.rates.len() == 1 {
            self.rates[0]
        } else {
            self.rates[cell]
        }
    }

    /// Takes the spike that arrives next at a neuron; gives its weight.
    #[inline(always)]
    pub fn take(&mut self, cell: usize) -> f64 {
        let mut source = self.source(cell);
        source.draw();
        let weight = source.weight;
        self.put_back(cell, source);
        weight
    }

    /// Whether on average a neuron gets so much in a window (ps) that looking at it every time costs less than waiting.
    pub fn is_busy(&self, window: i64) -> bool {
        let mean = self.rates.iter().sum::<f64>() / self.rates.len().max(1) as f64;
        mean * super::time::to_ms(window) > 0.25
    }
}

/// One of the sources, by itself.
#[derive(Debug)]
pub struct Source {
    /// The projection.
    pub projection: u32,
    /// The port of the target.
    pub port: u32,
    /// The weight of its synapse.
    pub weight: f64,
    next: i64,
    delay: i64,
    rate: f64,
    stream: Xoroshiro128PlusPlus,
    spikes: u64,
}

impl Source {
    /// When the next spike arrives (ps).
    #[inline(always)]
    pub fn arrival(&self) -> i64 {
        after(self.next, self.delay)
    }

    /// The spike that arrives next is taken: draws the one after it.
    #[inline(always)]
    pub fn draw(&mut self) {
        self.spikes += 1;
        self.next = wait(&mut self.stream, self.rate, self.next);
    }
}

/// When a source of a rate (1/ms) spikes after a time (ps).
#[inline(always)]
fn wait(stream: &mut Xoroshiro128PlusPlus, rate: f64, time: i64) -> i64 {
    if rate > 0.0 {
        let wait: f64 = Exp1.sample(stream);
        after(time, from_ms(wait / rate)).max(time + 1)
    } else {
        NEVER
    }
}
