//! A partition: some of the neurons of each population, with the synapses on them and the spikes on their way to them.

mod build;
mod deliver;
mod group;
mod learn;
mod read;

use std::ops::Range;
use std::sync::Arc;

use self::group::{Group, GroupKind};
use super::calendar::Calendar;
use super::inbox::Inbox;
use super::plastic::Learning;
use super::queue::WakeQueue;
use super::short_term::Resources;
use super::synapses::Synapses;
use super::time::NEVER;
use super::turn::{Emitted, EventError, Plastic, Port, Turn};
use crate::compile::event::EventProgram;
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

impl Partition {
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

/// The neurons of a population that partition `part` of `parts` has.
pub fn share(size: usize, part: usize, parts: usize) -> Range<usize> {
    size * part / parts..size * (part + 1) / parts
}
