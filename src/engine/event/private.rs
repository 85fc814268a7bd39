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
pub const AHEAD: usize = 8;

/// The private sources of a population's neurons on a partition, by one projection.
#[derive(Debug)]
pub struct Private {
    /// The projection.
    pub projection: u32,
    /// The port of the target.
    pub port: u32,
    weights: Weights,
    /// For each neuron, when spikes of its source arrive (ps), and how many of these have arrived.
    ahead: Vec<Ahead>,
    arrived: Vec<u8>,
    streams: Vec<Xoroshiro128PlusPlus>,
    /// Rate of each source (1/ms), or of all.
    rates: Vec<f64>,
    /// Spikes that have arrived.
    pub spikes: u64,
}

/// When the next spikes of a source arrive (ps), in order.
pub type Ahead = [i64; AHEAD];

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
            ahead: vec![[delay; AHEAD]; range.len()],
            arrived: vec![0; range.len()],
            streams: range.map(stream).collect(),
            rates,
            spikes: 0,
        };
        for cell in 0..private.ahead.len() {
            private.draw(cell);
        }
        private
    }

    /// When the next spike arrives at a neuron (ps).
    #[inline(always)]
    pub fn arrival(&self, cell: usize) -> i64 {
        self.ahead[cell][self.arrived[cell] as usize % AHEAD]
    }

    /// The next spike has arrived at a neuron.
    #[inline(always)]
    pub fn take(&mut self, cell: usize) {
        let arrived = self.arrived[cell] as usize + 1;
        self.set_arrived(cell, arrived);
        if arrived == AHEAD {
            self.renew(cell);
        }
    }

    /// When the next spikes arrive at a neuron, and how many of these have arrived.
    #[inline(always)]
    pub fn ahead(&self, cell: usize) -> (&Ahead, usize) {
        (&self.ahead[cell], self.arrived[cell] as usize)
    }

    /// All that was drawn has arrived at a neuron: when the next ones do.
    #[inline(always)]
    pub fn renew(&mut self, cell: usize) -> &Ahead {
        self.set_arrived(cell, AHEAD);
        self.arrived[cell] = 0;
        self.draw(cell);
        &self.ahead[cell]
    }

    /// How many have arrived at a neuron of those that were drawn last.
    #[inline(always)]
    pub fn set_arrived(&mut self, cell: usize, arrived: usize) {
        let before = std::mem::replace(&mut self.arrived[cell], arrived as u8);
        self.spikes += arrived as u64 - u64::from(before);
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

    /// Draws the spikes after the last one: first all waits, which do not depend on each other.
    #[inline(never)]
    fn draw(&mut self, cell: usize) {
        let rate = self.rate(cell);
        let ahead = &mut self.ahead[cell];
        if rate.is_nan() || rate <= 0.0 {
            *ahead = [NEVER; AHEAD];
            return;
        }
        let mut waits = [0.0; AHEAD];
        // A copy, so that it can stay in registers.
        let mut stream = self.streams[cell].clone();
        for wait in &mut waits {
            let exponential: f64 = Exp1.sample(&mut stream);
            *wait = exponential / rate;
        }
        self.streams[cell] = stream;
        let mut time = ahead[AHEAD - 1];
        for (arrival, wait) in ahead.iter_mut().zip(waits) {
            time = after(time, from_ms(wait).max(1));
            *arrival = time;
        }
    }
}
