//! Watching a simulation: spikes as they are emitted, and the state at times that the observer chooses.

use std::sync::MutexGuard;

use crate::circuit::{InputId, Output};
use crate::compile::Reading;
use crate::engine::event::broadcast::Broadcast;
use crate::engine::event::counters::Counters;
use crate::engine::event::inputs::Inputs;
use crate::engine::event::partition::Partition;
use crate::engine::event::sampler::Source;
use crate::engine::event::time::{NEVER, to_ms};
use crate::engine::event::turn::Emitted;

/// Somebody who watches a simulation.
pub trait Observer {
    /// What neurons emitted next: in order, in as many calls as it takes. What was emitted before a sample or a change of
    /// modulators is told before it, and everything before the run ends; else it may come some windows later.
    fn spikes(&mut self, emitted: &[Emitted]) {
        let _ = emitted;
    }

    /// Modulators changed at this time (ps), or the run begins.
    fn modulators(&mut self, time: i64, view: &View<'_>) {
        let _ = (time, view);
    }

    /// When the next sample is due (ps); [`NEVER`] if none is.
    fn next_sample(&self) -> i64 {
        NEVER
    }

    /// A sample is due; everything at its time has happened.
    fn sample(&mut self, time: i64, view: &View<'_>) {
        let _ = (time, view);
    }

    /// Whether the run should go on; asked after each window that ends at this time (ps).
    fn goes_on(&mut self, time: i64) -> bool {
        let _ = time;
        true
    }
}

/// Nobody.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// The state of a simulation at a time, to be read.
#[derive(Debug)]
pub struct View<'s> {
    pub(super) partitions: Vec<MutexGuard<'s, Partition>>,
    pub(super) broadcast: &'s Broadcast,
    pub(super) counters: &'s Counters,
    pub(super) inputs: &'s Inputs,
    pub(super) time: i64,
}

impl View<'_> {
    /// The value of a variable of a neuron, both by index.
    pub fn value(&self, population: usize, neuron: usize, variable: usize) -> f64 {
        let here =
            |p: &MutexGuard<'_, Partition>| p.value_at(population, neuron, variable, self.time);
        self.partitions.iter().find_map(here).unwrap_or(f64::NAN)
    }

    /// The weights of a projection, as its connections are listed, put into `into`.
    pub fn weights(&self, projection: usize, into: &mut Vec<f64>) {
        into.clear();
        let sources = self.partitions.first().map_or(0, |p| p.sources(projection));
        for source in 0..sources {
            for partition in &self.partitions {
                partition.weights_of(projection, source as u32, self.time, into);
            }
        }
    }

    /// The value of a modulator.
    pub fn modulator(&self, modulator: usize) -> f64 {
        self.broadcast.value_at(modulator, self.time)
    }

    /// A number that an input gives; not a number if nothing was said to read it.
    pub fn input(&self, input: InputId, output: Output, element: usize) -> f64 {
        let row = self.inputs.row(input, output);
        row.get(element).copied().unwrap_or(f64::NAN)
    }
}

impl Source for View<'_> {
    fn read(&self, reading: Reading, element: usize) -> f64 {
        match reading {
            Reading::Time => to_ms(self.time),
            Reading::Modulator(id) | Reading::Changed(id) => self.modulator(id.0 as usize),
            Reading::Rate(counter) => self.counters.rate(counter, self.time),
            Reading::Value(id) => self.value(id.population.0 as usize, element, id.index as usize),
            Reading::Input(id, output) => self.input(id, output, element),
            Reading::InputChanged(id) => self.input(id, Output::Values, element),
            _ => f64::NAN,
        }
    }

    fn elements(&self, reading: Reading) -> usize {
        match reading {
            Reading::InputChanged(id) => self.inputs.row(id, Output::Values).len(),
            _ => 1,
        }
    }
}
