//! A simulation of an event circuit: its state, and what changes it beside spikes.

mod observe;
mod untold;
mod windows;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

pub use self::observe::{Observer, Unobserved, View};
use self::untold::Spikes;
use super::broadcast::Broadcast;
use super::counters::Counters;
use super::inputs::Inputs;
use super::merge::merge;
use super::partition::Partition;
use super::sampler::Sampler;
use super::time::{NEVER, after};
use super::turn::{EventError, Signals};
use crate::circuit::InputId;
use crate::compile::event::{EventProgram, NeuronProgram};
use crate::input::Pass;
use crate::netlist::model::Schedule;

/// Values of modulators that a simulation remembers: those that keep taking new ones would fill the memory.
const MOST_ENVIRONMENTS: usize = 65_536;

/// A circuit of spiking neurons while it runs.
#[derive(Debug)]
pub struct Simulation {
    program: Arc<EventProgram>,
    partitions: Vec<Mutex<Partition>>,
    broadcast: Broadcast,
    /// Numbers of the values that the modulators in neurons' equations have had, and the last number that was given.
    environments: HashMap<Vec<u64>, u32>,
    environment: u32,
    /// Modulators that neurons' equations read.
    in_equations: Vec<usize>,
    /// Spikes that will have released a modulator: time (ps), modulator, amount.
    releases: VecDeque<(i64, usize, f64)>,
    /// What is counted of spikes.
    counters: Counters,
    /// The sampled modulators, as the program lists them.
    samplers: Vec<Sampler>,
    inputs: Inputs,
    /// Everything before this time (ps) has happened.
    now: i64,
    /// Spikes of the last window, not yet sent.
    unsent: Spikes,
}

impl Simulation {
    /// A simulation at time 0, on so many threads; the results do not depend on them. Without inputs: sources that read
    /// one are silent.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn new(program: Arc<EventProgram>, threads: usize) -> Result<Simulation, EventError> {
        Simulation::with_inputs(program, Inputs::none(), threads)
    }

    /// As [`Simulation::new`], with the inputs of the circuit.
    ///
    /// # Errors
    /// As [`Simulation::new`].
    pub fn with_inputs(
        program: Arc<EventProgram>,
        inputs: Inputs,
        threads: usize,
    ) -> Result<Simulation, EventError> {
        let broadcast = Broadcast::new(&program.circuit);
        let threads = threads.clamp(1, program.neurons().max(1));
        let channels = broadcast.channels();
        let partition = |part| {
            Partition::new(&program, (part, threads), broadcast.values(), &channels).map(Mutex::new)
        };
        let partitions = (0..threads).map(partition).collect::<Result<_, _>>()?;
        Ok(Simulation {
            partitions,
            broadcast,
            environments: HashMap::new(),
            environment: 0,
            in_equations: in_equations(&program),
            releases: VecDeque::new(),
            counters: Counters::new(&program.circuit, program.counters.iter().copied()),
            samplers: program.samplers(),
            inputs,
            now: 0,
            unsent: Arc::default(),
            program,
        })
    }

    /// The program that runs.
    pub fn program(&self) -> &Arc<EventProgram> {
        &self.program
    }

    /// Spikes of a population's sources that are folded away, so far.
    pub fn folded_spikes(&self, population: usize) -> u64 {
        self.partitions
            .iter()
            .map(|p| lock(p).folded_spikes(population))
            .sum()
    }

    /// The time (ps) before which everything has happened.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Linear systems that are remembered, on all threads together: one for each set of parameters, values of modulators,
    /// refractoriness and plateaus that there has been.
    pub fn regimes(&self) -> usize {
        self.partitions.iter().map(|p| lock(p).regimes()).sum()
    }

    /// A modulator follows another schedule from now on.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution with its value.
    pub fn set_schedule(
        &mut self,
        modulator: usize,
        schedule: &Schedule,
    ) -> Result<(), EventError> {
        let seed = self.program.circuit.seed;
        let name = self.program.circuit.modulators[modulator].name.clone();
        let now = self.now;
        self.change_broadcast(|b| b.set_schedule(modulator, schedule, (seed, &name), now))
    }

    /// A modulator goes on by itself from now on, where it stood before [`Simulation::set_schedule`].
    ///
    /// # Errors
    /// If the equations of a neuron have no solution with its value.
    pub fn resume_schedule(&mut self, modulator: usize) -> Result<(), EventError> {
        let now = self.now;
        self.change_broadcast(|b| b.resume(modulator, now))
    }

    fn change_broadcast(&mut self, change: impl FnOnce(&mut Broadcast)) -> Result<(), EventError> {
        let before = self.broadcast.values().to_vec();
        change(&mut self.broadcast);
        let partitions = std::mem::take(&mut self.partitions);
        for partition in &partitions {
            lock(partition).before_change(self.now)?;
        }
        let result = self.tell_modulators(&before, &partitions);
        self.partitions = partitions;
        result
    }

    /// The state at the present time, to be read.
    pub fn view(&self) -> View<'_> {
        self.look(&self.partitions, self.now)
    }

    /// The state at a time (ps), on these partitions.
    fn look<'s>(&'s self, partitions: &'s [Mutex<Partition>], time: i64) -> View<'s> {
        View {
            partitions: partitions.iter().map(lock).collect(),
            broadcast: &self.broadcast,
            counters: &self.counters,
            inputs: &self.inputs,
            time,
        }
    }

    /// When an input or a modulator changes next (ps).
    fn next_change(&self) -> i64 {
        let release = self.releases.front().map_or(NEVER, |(time, ..)| *time);
        let inputs = self.inputs.next_change();
        self.broadcast.next_change().min(release).min(inputs)
    }

    /// Inputs move on at the present time.
    fn change_inputs(&mut self, partitions: &[Mutex<Partition>]) {
        let moved = self.inputs.advance(self.now);
        for (population, compiled) in self.program.populations.iter().enumerate() {
            let NeuronProgram::Source(source) = compiled else {
                continue;
            };
            let Some((id, output)) = source.input.filter(|(id, _)| moved.contains(id)) else {
                continue;
            };
            let row = self.inputs.row(id, output);
            let stretch = (self.now, self.inputs.next_row(id));
            for partition in partitions {
                lock(partition).change_input(population, stretch, row);
            }
        }
    }

    /// The inputs.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// A stage begins, with these passes of inputs; the others go on where they were.
    pub fn begin_passes(&mut self, passes: &[(InputId, Pass)]) {
        for index in 0..self.program.circuit.inputs.len() {
            let input = InputId(index as u32);
            match passes.iter().find(|(id, _)| *id == input) {
                Some((_, pass)) => self.inputs.rewind(input, pass, self.now),
                None => self.inputs.go_on(input),
            }
        }
    }

    /// What spikes do beside arriving: they release modulators, one shortest delay later, and count for rates.
    fn note(&mut self, spikes: &Spikes, delay: i64) {
        if !self.program.notes_spikes() {
            return;
        }
        let mut emitted = Vec::new();
        merge(spikes, &mut emitted);
        for spike in emitted.iter().filter(|e| e.signals.any(Signals::SPIKE)) {
            let (population, _) = self.program.place(spike.neuron);
            self.counters.note(population.0, spike.signals, spike.time);
            let releases = self.program.releases.iter();
            for release in releases.filter(|r| r.by == population) {
                let time = after(spike.time, delay);
                self.releases
                    .push_back((time, release.modulator.0 as usize, release.amount));
            }
        }
    }

    /// Modulators change at the present time: releases first, then schedules, then what is sampled.
    fn change_modulators(&mut self, partitions: &[Mutex<Partition>]) -> Result<(), EventError> {
        for partition in partitions {
            lock(partition).before_change(self.now)?;
        }
        let before = self.broadcast.values().to_vec();
        while let Some((time, modulator, amount)) = self.releases.front().copied() {
            if time > self.now {
                break;
            }
            self.broadcast.release(modulator, amount, time);
            self.releases.pop_front();
        }
        for modulator in self.broadcast.change(self.now) {
            let value = self.sampled(modulator, partitions);
            self.broadcast.set(modulator, value);
        }
        self.tell_modulators(&before, partitions)
    }

    /// The value of a sampled modulator at the present time.
    fn sampled(&mut self, modulator: usize, partitions: &[Mutex<Partition>]) -> f64 {
        let sampled = &self.program.sampled;
        let Some(at) = sampled
            .iter()
            .position(|(id, _)| id.0 as usize == modulator)
        else {
            return f64::NAN;
        };
        let mut samplers = std::mem::take(&mut self.samplers);
        let value = samplers
            .get_mut(at)
            .map_or(f64::NAN, |s| s.sample(&self.look(partitions, self.now)));
        self.samplers = samplers;
        value
    }

    /// Tells the partitions which modulators have other values than `before`.
    fn tell_modulators(
        &mut self,
        before: &[f64],
        partitions: &[Mutex<Partition>],
    ) -> Result<(), EventError> {
        let values = self.broadcast.values();
        let changed = |index: usize| before[index].to_bits() != values[index].to_bits();
        let reads = |population: usize| {
            let ids = match &self.program.populations[population] {
                NeuronProgram::Dynamic(neuron) => &neuron.modulators,
                NeuronProgram::Source(source) => &source.modulators,
            };
            ids.iter().any(|id| changed(id.0 as usize))
        };
        // Values that were there before give the same regimes again.
        let environment = if self.in_equations.iter().any(|index| changed(*index)) {
            let values = self.in_equations.iter().map(|index| values[*index]);
            let bits: Vec<u64> = values.map(f64::to_bits).collect();
            if self.environments.len() >= MOST_ENVIRONMENTS
                && !self.environments.contains_key(&bits)
            {
                self.environments.clear();
            }
            let last = &mut self.environment;
            *self.environments.entry(bits).or_insert_with(|| {
                *last += 1;
                *last
            })
        } else {
            // Only sources read what has changed, and they do not number it.
            self.environment
        };
        let channels = self.broadcast.channels();
        for partition in partitions {
            let environment = |population: usize| reads(population).then_some(environment);
            lock(partition).change_modulators(self.now, environment, values, &channels)?;
        }
        Ok(())
    }

    /// Which projections learn from now on; one for each projection.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn set_learning(&mut self, learns: &[bool]) -> Result<(), EventError> {
        self.partitions
            .iter()
            .try_for_each(|p| lock(p).set_learning(learns, self.now))
    }
}

/// Modulators that neurons' equations read.
fn in_equations(program: &EventProgram) -> Vec<usize> {
    let of = |p: &NeuronProgram| match p {
        NeuronProgram::Dynamic(neuron) => neuron.modulators.clone(),
        NeuronProgram::Source(_) => vec![],
    };
    let mut read: Vec<usize> = program
        .populations
        .iter()
        .flat_map(of)
        .map(|id| id.0 as usize)
        .collect();
    read.sort_unstable();
    read.dedup();
    read
}

/// Locks a partition. A lock is only poisoned by a panic, and nothing panics.
fn lock(partition: &Mutex<Partition>) -> MutexGuard<'_, Partition> {
    partition
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
