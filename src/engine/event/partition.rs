//! A partition: some of the neurons of each population, with the synapses on them and the spikes on their way to them.

use std::ops::Range;
use std::sync::Arc;

use super::calendar::{Calendar, InFlight};
use super::cells::Cells;
use super::inbox::Inbox;
use super::plastic::Learning;
use super::private::Private;
use super::queue::WakeQueue;
use super::short_term::Resources;
use super::sources::Sources;
use super::synapses::{Delays, Synapses, Weights};
use super::time::{NEVER, after, from_ms, to_ms};
use super::turn::{Emitted, EventError, Plastic, Port, Signals, Turn};
use crate::compile::event::{EventProgram, NeuronProgram};
use crate::plasticity::Channel;

/// The longest window (ps) if delays do not limit it: 10 ms.
const LONGEST_WINDOW: i64 = 10_000_000_000;

/// Neurons whose records are brought into the cache together.
const AHEAD: usize = 16;

/// Some neurons of a circuit, and all that they need to run through a window by themselves.
#[derive(Debug)]
pub struct Partition {
    program: Arc<EventProgram>,
    /// For each population, the neurons that are here.
    groups: Vec<Group>,
    /// For each projection, the synapses on neurons that are here.
    synapses: Vec<Synapses>,
    /// For each projection, what it keeps if it learns.
    learnings: Vec<Option<Learning>>,
    /// For each population, projections onto it that learn at present.
    onto: Vec<Vec<u32>>,
    channels: Vec<Channel>,
    ports: Vec<Port>,
    /// For each projection with short-term plasticity, the state of each presynaptic neuron.
    resources: Vec<Vec<Resources>>,
    calendar: Calendar,
    queue: WakeQueue,
    /// Whether a neuron is in the queue.
    queued: Vec<bool>,
    /// Neurons that have to be looked at in the window that begins at a time (ps): most of those that wait at all. A list
    /// is enough for them.
    soon: (i64, Vec<u32>),
    inbox: Inbox,
    /// Numbers of the arrivals at synapses that learn, in order.
    loads: Vec<u32>,
    emitted: Vec<Emitted>,
}

/// Neurons of a population that are here.
#[derive(Debug)]
struct Group {
    /// Number of the first one in the partition.
    base: u32,
    /// Their indices in the population.
    range: Range<usize>,
    kind: GroupKind,
    /// Whether nearly all of them have something to do in each window, so that nobody asks.
    is_busy: bool,
}

impl Group {
    /// Runs every neuron through the window.
    fn run_all(&mut self, turn: &mut Turn<'_>) -> Result<(), EventError> {
        let GroupKind::Cells(cells) = &mut self.kind else {
            return Ok(());
        };
        for cell in 0..self.range.len() {
            let neuron = self.base + cell as u32;
            turn.plastic.neuron = neuron;
            cells.run(cell, turn.inbox.first(neuron), turn)?;
        }
        Ok(())
    }

    /// Brings the records of neurons into the cache.
    fn touch(&self, neurons: &[u32]) -> f64 {
        match &self.kind {
            GroupKind::Cells(cells) => neurons
                .iter()
                .map(|n| cells.touch((n - self.base) as usize))
                .sum(),
            GroupKind::Sources(_) | GroupKind::Folded => 0.0,
        }
    }
}

#[derive(Debug)]
enum GroupKind {
    Cells(Box<Cells>),
    Sources(Box<Sources>),
    /// Sources that the neurons they drive draw themselves.
    Folded,
}

impl Partition {
    /// Partition `part` of `parts`. `modulators` gives a modulator's value.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn new(
        program: &Arc<EventProgram>,
        (part, parts): (usize, usize),
        modulators: &[f64],
        channels: &[Channel],
    ) -> Result<Partition, EventError> {
        let circuit = &program.circuit;
        let mut groups = Vec::new();
        let mut base = 0;
        for (index, population) in circuit.populations.iter().enumerate() {
            let range = share(population.size, part, parts);
            let (first, name) = (program.firsts[index], format!("neuron {}", population.name));
            let read = read(program, index, modulators);
            let kind = match &program.populations[index] {
                NeuronProgram::Dynamic(neuron) => {
                    let cells = Cells::new(
                        neuron.clone(),
                        (circuit.seed, &name),
                        first,
                        range.clone(),
                        &read,
                    )?;
                    GroupKind::Cells(Box::new(cells))
                }
                NeuronProgram::Source(_) if program.folded[index] => GroupKind::Folded,
                NeuronProgram::Source(source) => {
                    let sources = Sources::new(
                        source.clone(),
                        (circuit.seed, &name),
                        first,
                        range.clone(),
                        &read,
                    );
                    GroupKind::Sources(Box::new(sources))
                }
            };
            groups.push(Group {
                base,
                range: range.clone(),
                kind,
                is_busy: false,
            });
            base += range.len() as u32;
        }
        let table = |(index, p): (usize, &crate::compile::event::EventProjection)| {
            let group = &groups[p.ends.1.0 as usize];
            program.synapses(index, group.range.clone(), group.base, p.rule.is_some())
        };
        let synapses: Vec<Synapses> = program.projections.iter().enumerate().map(table).collect();
        for (number, p) in program
            .projections
            .iter()
            .enumerate()
            .filter(|(n, _)| program.is_folded(*n))
        {
            let group = &mut groups[p.ends.1.0 as usize];
            let (NeuronProgram::Source(source), GroupKind::Cells(cells)) =
                (&program.populations[p.ends.0.0 as usize], &mut group.kind)
            else {
                continue;
            };
            let Delays::Same(delay) = synapses[number].delays else {
                continue;
            };
            let name = format!("neuron {}", circuit.population(p.ends.0).name);
            let ends = (
                number as u32,
                p.port,
                delay,
                synapses[number].weights.clone(),
            );
            cells.add_private(Private::new(
                source,
                (circuit.seed, &name),
                ends,
                group.range.clone(),
            ));
        }
        let learning = |(p, table): (&crate::compile::event::EventProjection, &Synapses)| {
            let group = &groups[p.ends.1.0 as usize];
            let sizes = (
                circuit.population(p.ends.0).size,
                group.base,
                group.range.len(),
            );
            p.rule
                .as_ref()
                .map(|rule| Learning::new(rule, table, sizes, 0.0))
        };
        let learnings = program
            .projections
            .iter()
            .zip(&synapses)
            .map(learning)
            .collect();
        let resources = program
            .projections
            .iter()
            .map(|p| match p.short_term {
                Some(_) => vec![Resources::FULL; circuit.population(p.ends.0).size],
                None => vec![],
            })
            .collect();
        let mut partition = Partition {
            program: program.clone(),
            onto: vec![],
            groups,
            synapses,
            learnings,
            channels: channels.to_vec(),
            ports: program.projections.iter().map(Port::of).collect(),
            resources,
            calendar: Calendar::new(program.min_delay.min(LONGEST_WINDOW)),
            queue: WakeQueue::default(),
            queued: vec![false; base as usize],
            soon: (NEVER, vec![]),
            inbox: Inbox::new(base as usize),
            loads: Vec::new(),
            emitted: Vec::new(),
        };
        let window = partition.calendar.width();
        for group in &mut partition.groups {
            group.is_busy = match &mut group.kind {
                GroupKind::Cells(cells) => cells.is_busy(window),
                GroupKind::Sources(_) | GroupKind::Folded => false,
            };
        }
        partition.look_at_all(0);
        partition.list_learning(0)?;
        Ok(partition)
    }

    /// Notes which projections learn at present.
    fn list_learning(&mut self, time: i64) -> Result<(), EventError> {
        let learns = |number: usize, population: usize| {
            let onto = self.program.projections[number].ends.1.0 as usize == population;
            onto && self.learnings[number].as_ref().is_some_and(|l| l.active)
        };
        let of = |population| {
            (0..self.learnings.len())
                .filter(|n| learns(*n, population))
                .map(|n| n as u32)
                .collect()
        };
        self.onto = (0..self.groups.len()).map(of).collect();
        for index in 0..self.groups.len() {
            let follows = |n: &u32| {
                self.learnings[*n as usize]
                    .as_ref()
                    .is_some_and(Learning::follows_voltages)
            };
            let followed = self.onto[index].iter().any(follows);
            let group = &mut self.groups[index];
            let mut plastic = Plastic {
                learnings: &mut self.learnings,
                tables: &mut self.synapses,
                channels: &self.channels,
                onto: &self.onto[index],
                neuron: 0,
            };
            if let GroupKind::Cells(cells) = &mut group.kind {
                cells.follow(followed, time, group.base, &mut plastic)?;
            }
            if followed {
                self.look_at(index, time);
            }
        }
        Ok(())
    }

    /// Puts every neuron that may do something by itself into the queue.
    fn look_at_all(&mut self, now: i64) {
        (0..self.groups.len()).for_each(|index| self.look_at(index, now));
    }

    fn look_at(&mut self, index: usize, now: i64) {
        if self.groups[index].is_busy {
            return;
        }
        for cell in 0..self.groups[index].range.len() {
            let group = &self.groups[index];
            let wake = match &group.kind {
                GroupKind::Cells(cells) => cells.next_look(cell, now),
                GroupKind::Sources(sources) => sources.next_look(cell),
                GroupKind::Folded => NEVER,
            };
            let neuron = group.base + cell as u32;
            set_wake(&mut self.queue, &mut self.queued, neuron, wake);
        }
    }

    /// The end (ps) of the longest window that may begin at a time.
    pub fn window_end(&self, start: i64) -> i64 {
        self.calendar.bucket_end(start)
    }

    /// Length of the longest window (ps).
    pub fn window(&self) -> i64 {
        self.calendar.width()
    }

    /// Linear systems that neurons here have followed and that are remembered.
    pub fn regimes(&self) -> usize {
        let of = |group: &Group| match &group.kind {
            GroupKind::Cells(cells) => cells.regimes(),
            GroupKind::Sources(_) | GroupKind::Folded => 0,
        };
        self.groups.iter().map(of).sum()
    }

    /// When something may happen here next (ps).
    pub fn next_time(&self) -> i64 {
        if self.groups.iter().any(|g| g.is_busy && !g.range.is_empty()) {
            return 0;
        }
        self.calendar
            .next_time()
            .min(self.queue.next_time())
            .min(self.soon.0)
    }

    /// Sends spikes on their way to the neurons that are here. They come in order, each window's once.
    pub fn send(&mut self, spikes: &[Emitted]) {
        for spike in spikes {
            let (population, index) = self.program.place(spike.neuron);
            for number in 0..self.program.projections.len() {
                let projection = &self.program.projections[number];
                if projection.ends.0 != population || !spike.signals.any(projection.signal) {
                    continue;
                }
                let synapses = &self.synapses[number];
                let row = synapses.rows.of(index as u32);
                let load = match &projection.short_term {
                    _ if projection.rule.is_some() => u64::from(spike.signals.0),
                    Some(by) => self.resources[number][index]
                        .spike(spike.time, by)
                        .to_bits(),
                    None => 1.0_f64.to_bits(),
                };
                let arrival = |delay, index| InFlight {
                    time: after(spike.time, delay),
                    projection: number as u32,
                    index,
                    load,
                };
                match &synapses.delays {
                    _ if row.is_empty() => {}
                    Delays::Same(delay) => self.calendar.push(arrival(*delay, index as u32)),
                    delays @ Delays::Each { .. } => {
                        for synapse in row {
                            self.calendar
                                .push(arrival(delays.of(synapse), synapse as u32));
                        }
                    }
                }
            }
        }
    }

    /// Runs all neurons through a window, which must not be longer than the shortest delay; gives what they emitted.
    ///
    /// # Errors
    /// If a neuron spikes without end.
    pub fn run_window(&mut self, start: i64, end: i64) -> Result<&[Emitted], EventError> {
        self.emitted.clear();
        self.calendar.open(start);
        self.deliver_spikes(end);
        while let Some(neuron) = self.queue.pop_before(end) {
            self.queued[neuron as usize] = false;
            self.inbox.touch(neuron);
        }
        if self.soon.0 < end {
            self.soon
                .1
                .drain(..)
                .for_each(|neuron| self.inbox.touch(neuron));
        }
        let result = self.run_neurons(end);
        self.soon.0 = if self.soon.1.is_empty() { NEVER } else { end };
        self.inbox.clear();
        self.calendar.drop_before(end);
        result?;
        self.emitted.sort_unstable();
        Ok(&self.emitted)
    }

    /// Puts what arrives before `end` into the inbox, the last first.
    fn deliver_spikes(&mut self, end: i64) {
        self.learnings
            .iter_mut()
            .flatten()
            .for_each(Learning::begin_window);
        let today = self.calendar.today();
        let first = today.partition_point(|spike| spike.time >= end);
        self.loads.clear();
        // What synapses that learn need of their presynaptic neurons is made in the order of time.
        for spike in today[first..].iter().rev() {
            let learning = self.learnings[spike.projection as usize]
                .as_mut()
                .filter(|l| l.active);
            if let Some(learning) = learning {
                let (at, signals) = (to_ms(spike.time), Signals(spike.load as u8));
                self.loads
                    .push(learning.arrive(spike.index, signals, at, &self.channels));
            }
        }
        for spike in &today[first..] {
            let number = spike.projection as usize;
            let synapses = &self.synapses[number];
            match (&self.learnings[number], &synapses.delays) {
                (Some(learning), _) => {
                    let arrival = if learning.active {
                        self.loads.pop().unwrap_or(0)
                    } else {
                        0
                    };
                    for synapse in synapses.rows.of(spike.index).rev() {
                        let value = synapse as u64 | u64::from(arrival) << 32;
                        self.inbox.push(
                            synapses.rows.target(synapse),
                            spike.time,
                            spike.projection,
                            value,
                        );
                    }
                }
                (None, Delays::Same(_)) => {
                    let row = synapses.rows.of(spike.index);
                    deliver_row(
                        &mut self.inbox,
                        synapses,
                        row,
                        spike,
                        f64::from_bits(spike.load),
                    );
                }
                (None, Delays::Each { .. }) => {
                    let synapse = spike.index as usize;
                    let factor = f64::from_bits(spike.load);
                    deliver_row(
                        &mut self.inbox,
                        synapses,
                        synapse..synapse + 1,
                        spike,
                        factor,
                    );
                }
            }
        }
    }

    fn run_neurons(&mut self, end: i64) -> Result<(), EventError> {
        // The inbox is read while the queue is written.
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.sort();
        let neurons = inbox.neurons();
        let mut at = 0;
        let mut result = Ok(());
        for index in 0..self.groups.len() {
            let group = &mut self.groups[index];
            let (base, past) = (group.base, group.base + group.range.len() as u32);
            let count = neurons[at..].partition_point(|n| *n < past);
            let here = &neurons[at..at + count];
            at += count;
            let mut turn = Turn {
                end,
                inbox: &inbox,
                ports: &self.ports,
                emitted: &mut self.emitted,
                plastic: Plastic {
                    learnings: &mut self.learnings,
                    tables: &mut self.synapses,
                    channels: &self.channels,
                    onto: &self.onto[index],
                    neuron: 0,
                },
            };
            if group.is_busy {
                result = result.and(group.run_all(&mut turn));
                continue;
            }
            for (position, neuron) in here.iter().enumerate() {
                if position % AHEAD == 0 {
                    // Many loads from far memory at once take as long as one.
                    let next = &here[position..(position + AHEAD).min(count)];
                    std::hint::black_box(group.touch(next));
                }
                let cell = (neuron - base) as usize;
                turn.plastic.neuron = *neuron;
                let wake = match &mut group.kind {
                    GroupKind::Cells(cells) => cells.run(cell, inbox.first(*neuron), &mut turn),
                    GroupKind::Sources(sources) => sources.run(cell, &mut turn),
                    GroupKind::Folded => Ok(NEVER),
                };
                match wake {
                    Ok(wake) if wake == end => {
                        set_wake(&mut self.queue, &mut self.queued, *neuron, NEVER);
                        self.soon.1.push(*neuron);
                    }
                    Ok(wake) => set_wake(&mut self.queue, &mut self.queued, *neuron, wake),
                    Err(error) => result = Err(error),
                }
            }
        }
        self.inbox = inbox;
        result
    }

    /// Before modulators change at a time (ps): what learns is brought up to it.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn before_change(&mut self, time: i64) -> Result<(), EventError> {
        for index in 0..self.groups.len() {
            let follows = |n: &u32| {
                self.learnings[*n as usize]
                    .as_ref()
                    .is_some_and(Learning::follows_modulators)
            };
            if self.onto[index].iter().any(follows) {
                self.advance_group(index, time)?;
            }
        }
        for learning in self.learnings.iter_mut().flatten().filter(|l| l.active) {
            learning.before_change(&self.channels, to_ms(time));
        }
        Ok(())
    }

    /// Brings all neurons of a population to a time.
    fn advance_group(&mut self, index: usize, time: i64) -> Result<(), EventError> {
        let group = &mut self.groups[index];
        let mut plastic = Plastic {
            learnings: &mut self.learnings,
            tables: &mut self.synapses,
            channels: &self.channels,
            onto: &self.onto[index],
            neuron: 0,
        };
        if let GroupKind::Cells(cells) = &mut group.kind {
            cells.advance_all(time, group.base, &mut plastic)?;
        }
        Ok(())
    }

    /// Modulators have other values from `time` (ps) on; `environment` numbers them, for populations whose equations read
    /// one that has changed.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution any more.
    pub fn change_modulators(
        &mut self,
        time: i64,
        environment: impl Fn(usize) -> Option<u32>,
        modulators: &[f64],
        channels: &[Channel],
    ) -> Result<(), EventError> {
        for index in 0..self.groups.len() {
            let Some(environment) = environment(index) else {
                continue;
            };
            let read = read(&self.program, index, modulators);
            let group = &mut self.groups[index];
            let mut plastic = Plastic {
                learnings: &mut self.learnings,
                tables: &mut self.synapses,
                channels: &self.channels,
                onto: &self.onto[index],
                neuron: 0,
            };
            match &mut group.kind {
                GroupKind::Cells(cells) => {
                    cells.change_environment(
                        time,
                        environment,
                        &read,
                        (group.base, &mut plastic),
                    )?;
                }
                GroupKind::Sources(sources) => sources.change_environment(time, &read),
                GroupKind::Folded => {}
            }
            self.look_at(index, time);
        }
        self.channels.copy_from_slice(channels);
        Ok(())
    }

    /// When a reference time of what learns has to be moved (ps).
    pub fn next_rebase(&self) -> i64 {
        let next = self
            .learnings
            .iter()
            .flatten()
            .map(Learning::next_rebase)
            .fold(f64::INFINITY, f64::min);
        from_ms(next)
    }

    /// Moves the reference times that are due at a time (ps).
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn rebase(&mut self, time: i64) -> Result<(), EventError> {
        for number in 0..self.learnings.len() {
            let due = |l: &Learning| from_ms(l.next_rebase()) <= time;
            while self.learnings[number].as_ref().is_some_and(due) {
                let target = self.program.projections[number].ends.1.0 as usize;
                if self.learnings[number]
                    .as_ref()
                    .is_some_and(Learning::follows_voltages)
                {
                    self.advance_group(target, time)?;
                }
                if let Some(learning) = &mut self.learnings[number] {
                    learning.rebase(&mut self.synapses[number], &self.channels, to_ms(time));
                }
            }
        }
        Ok(())
    }

    /// Which projections learn from a time (ps) on. One that stops keeps the weights that it has then; one that starts
    /// starts afresh.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn set_learning(&mut self, learns: &[bool], time: i64) -> Result<(), EventError> {
        for (number, learns) in learns.iter().enumerate() {
            let Some(active) = self.learnings[number].as_ref().map(|l| l.active) else {
                continue;
            };
            if active && !learns {
                let mut weights = Vec::new();
                for source in 0..self.sources(number) {
                    self.weights_of(number, source as u32, time, &mut weights);
                }
                self.synapses[number].weights = Weights::Each(weights);
            }
            if *learns && !active {
                // What is integrated from now on begins with the state of now.
                self.advance_group(self.program.projections[number].ends.1.0 as usize, time)?;
            }
            if let Some(learning) = &mut self.learnings[number] {
                if *learns && !active {
                    learning.start(to_ms(time));
                }
                learning.active = *learns;
            }
        }
        self.list_learning(time)
    }

    /// The value of a variable of a neuron (its index in the population) at a time, if the neuron is here.
    pub fn value_at(
        &self,
        population: usize,
        neuron: usize,
        variable: usize,
        time: i64,
    ) -> Option<f64> {
        let group = &self.groups[population];
        match &group.kind {
            GroupKind::Cells(cells) if group.range.contains(&neuron) => {
                Some(cells.value_at(neuron - group.range.start, variable, time))
            }
            _ => None,
        }
    }

    /// Spikes of the sources of a population that are folded away, so far.
    pub fn folded_spikes(&self, population: usize) -> u64 {
        let from = |p: &Private| {
            self.program.projections[p.projection as usize].ends.0.0 as usize == population
        };
        let groups = self.groups.iter().filter_map(|g| match &g.kind {
            GroupKind::Cells(cells) => Some(cells.privates()),
            _ => None,
        });
        groups.flatten().filter(|p| from(p)).map(|p| p.spikes).sum()
    }

    /// Presynaptic neurons of a projection.
    pub fn sources(&self, projection: usize) -> usize {
        let from = self.program.projections[projection].ends.0;
        self.program.circuit.population(from).size
    }

    /// Appends the weights that a presynaptic neuron's synapses here have at a time.
    pub fn weights_of(&self, projection: usize, source: u32, time: i64, into: &mut Vec<f64>) {
        let table = &self.synapses[projection];
        let group = &self.groups[self.program.projections[projection].ends.1.0 as usize];
        match (&self.learnings[projection], &group.kind) {
            (Some(learning), GroupKind::Cells(cells)) => {
                let state = |neuron: u32| {
                    let (modes, y, at) = cells.state((neuron - group.base) as usize);
                    (modes, y, to_ms(at))
                };
                learning.weights_at(source, table, &self.channels, to_ms(time), state, into);
            }
            _ => into.extend(
                table
                    .rows
                    .of(source)
                    .map(|synapse| table.weights.of(synapse)),
            ),
        }
    }
}

/// Sets when a neuron has to be looked at.
#[inline(always)]
fn set_wake(queue: &mut WakeQueue, queued: &mut [bool], neuron: u32, wake: i64) {
    let queued = &mut queued[neuron as usize];
    if wake != NEVER || *queued {
        queue.set(neuron, wake);
    }
    *queued = wake != NEVER;
}

/// Puts the deliveries of a row of synapses into the inbox.
#[inline(always)]
fn deliver_row(
    inbox: &mut Inbox,
    synapses: &Synapses,
    row: Range<usize>,
    spike: &InFlight,
    factor: f64,
) {
    for synapse in row.rev() {
        let weight = factor * synapses.weights.of(synapse);
        inbox.push(
            synapses.rows.target(synapse),
            spike.time,
            spike.projection,
            weight.to_bits(),
        );
    }
}

/// The neurons of a population that partition `part` of `parts` has.
pub fn share(size: usize, part: usize, parts: usize) -> Range<usize> {
    size * part / parts..size * (part + 1) / parts
}

/// The values of the modulators that a population reads.
fn read(program: &EventProgram, population: usize, modulators: &[f64]) -> Vec<f64> {
    let ids = match &program.populations[population] {
        NeuronProgram::Dynamic(neuron) => &neuron.modulators,
        NeuronProgram::Source(source) => &source.modulators,
    };
    ids.iter().map(|id| modulators[id.0 as usize]).collect()
}
