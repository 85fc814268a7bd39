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

/// Spikes of a source that are drawn at once: how many to draw is then no question of what was drawn before.
const AHEAD: usize = 8;

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
    /// For each neuron, when its source spikes next (ps), and how many of these times have passed.
    next: Vec<[i64; AHEAD]>,
    passed: Vec<u8>,
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
            next: vec![[0; AHEAD]; range.len()],
            passed: vec![0; range.len()],
            streams: range.map(stream).collect(),
            rates,
            spikes: 0,
            drawn: vec![],
            taken: 0,
        };
        for cell in 0..private.next.len() {
            let rate = private.rate(cell);
            draw(&mut private.next[cell], &mut private.streams[cell], rate);
        }
        private
    }

    /// When the next spike arrives at a neuron (ps), between its turns.
    #[inline(always)]
    pub fn arrival(&self, cell: usize) -> i64 {
        after(self.next[cell][self.passed[cell] as usize], self.delay)
    }

    /// A neuron's turn begins: what arrives at it before `end` (ps) is noted.
    #[inline(always)]
    pub fn begin(&mut self, cell: usize, end: i64) {
        self.drawn.clear();
        self.taken = 0;
        let end = end.saturating_sub(self.delay);
        let rate = self.rate(cell);
        let (next, passed) = (&mut self.next[cell], &mut self.passed[cell]);
        while next[*passed as usize % AHEAD] < end {
            self.drawn.push(next[*passed as usize % AHEAD] + self.delay);
            *passed += 1;
            if *passed as usize == AHEAD {
                draw(next, &mut self.streams[cell], rate);
                *passed = 0;
            }
        }
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

/// Draws the spikes after the last one.
#[inline(always)]
fn draw(next: &mut [i64; AHEAD], stream: &mut Xoroshiro128PlusPlus, rate: f64) {
    let mut time = next[AHEAD - 1];
    // A copy, so that it can stay in registers.
    let mut local = stream.clone();
    for next in next.iter_mut() {
        time = wait(&mut local, rate, time);
        *next = time;
    }
    *stream = local;
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
