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
    /// When spikes arrive (ps) at the neuron whose turn it is, and how many of them have been taken.
    drawn: Vec<i64>,
    taken: usize,
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
            drawn: vec![],
            taken: 0,
        };
        for cell in 0..private.next.len() {
            let rate = private.rate(cell);
            private.next[cell] = wait(&mut private.streams[cell], rate, 0);
        }
        private
    }

    /// When the next spike arrives at a neuron (ps), between its turns.
    #[inline(always)]
    pub fn arrival(&self, cell: usize) -> i64 {
        after(self.next[cell], self.delay)
    }

    /// A neuron's turn begins: what arrives at it before `end` (ps) is drawn.
    #[inline(always)]
    pub fn begin(&mut self, cell: usize, end: i64) {
        self.drawn.clear();
        self.taken = 0;
        let end = end.saturating_sub(self.delay);
        let mut next = self.next[cell];
        if next >= end {
            return;
        }
        let rate = self.rate(cell);
        let mut stream = self.streams[cell].clone();
        while next < end {
            self.drawn.push(next + self.delay);
            next = wait(&mut stream, rate, next);
        }
        self.next[cell] = next;
        self.streams[cell] = stream;
        self.spikes += self.drawn.len() as u64;
    }

    /// When spikes arrive (ps) at the neuron whose turn it is, those that have not been taken.
    #[inline(always)]
    pub fn arrivals(&self) -> &[i64] {
        &self.drawn[self.taken..]
    }

    /// Takes the next ones of them.
    #[inline(always)]
    pub fn take(&mut self, count: usize) {
        self.taken += count;
    }

    /// The weight of a neuron's synapse.
    #[inline(always)]
    pub fn weight(&self, cell: usize) -> f64 {
        self.weights.of(cell)
    }

    #[inline(always)]
    fn rate(&self, cell: usize) -> f64 {
        if self.rates.len() == 1 {
            self.rates[0]
        } else {
            self.rates[cell]
        }
    }

    /// Whether on average a neuron gets so much in a window (ps) that looking at it every time costs less than waiting.
    pub fn is_busy(&self, window: i64) -> bool {
        let mean = self.rates.iter().sum::<f64>() / self.rates.len().max(1) as f64;
        mean * super::time::to_ms(window) > 0.25
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
