//! A partition: some of the neurons of each population, with the synapses on them and the spikes on their way to them.

mod build;
mod deliver;
mod group;
mod input;
mod learn;
mod read;
mod shares;

use std::ops::Range;
use std::sync::Arc;

use self::group::{Group, GroupKind};
use super::agenda::{Agenda, Known, REACH};
use super::calendar::Calendar;
use super::inbox::Inbox;
use super::plastic::Learning;
use super::queue::WakeQueue;
use super::radix::sort_emitted;
use super::short_term::Resources;
use super::synapses::Synapses;
use super::time::{NEVER, after};
use super::turn::{Emitted, EventError, Plastic, Port, Turn};
use crate::compile::event::EventProgram;
use crate::plasticity::Channel;

/// The longest window (ps) if delays do not limit it: 10 ms.
const LONGEST_WINDOW: i64 = 10_000_000_000;

/// How many neurons ahead records are asked for.
const AHEAD: usize = 24;

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
    /// When neurons have to be looked at. One that has nothing to wait for any more stays in it, and is looked at in vain
    /// once: that costs less than knowing who is in it.
    queue: WakeQueue,
    /// Those that have to be looked at within the next windows: most of those that wait at all.
    agenda: Agenda,
    inbox: Inbox,
    /// Numbers of the arrivals at synapses that learn, in order.
    loads: Vec<u32>,
    emitted: Vec<Emitted>,
    /// Room for what all partitions have emitted.
    sent: Vec<Emitted>,
    /// Room to sort what is emitted.
    room: (Vec<u64>, Vec<Emitted>),
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
                GroupKind::Driven(driven) => driven.next_look(cell),
                GroupKind::Folded => NEVER,
            };
            if wake != NEVER {
                self.queue.set(group.base + cell as u32, wake);
            }
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
            .min(self.agenda.next_time())
    }

    /// Runs all neurons through a window, which must not be longer than the shortest delay; gives what they emitted.
    ///
    /// # Errors
    /// If a neuron spikes without end.
    pub fn run_window(&mut self, start: i64, end: i64) -> Result<&[Emitted], EventError> {
        self.emitted.clear();
        self.calendar.open(start);
        self.reach_synapses(start);
        self.deliver_spikes(end);
        while let Some(neuron) = self.queue.pop_before(end) {
            self.inbox.touch(neuron);
        }
        let mut known = self.agenda.open(start);
        known.neurons().for_each(|neuron| self.inbox.touch(neuron));
        let result = self.run_blocks(end, &mut known);
        self.agenda.close(known);
        self.inbox.clear();
        self.calendar.drop_before(end);
        result?;
        let (keys, spare) = &mut self.room;
        sort_emitted(&mut self.emitted, (keys, spare), start);
        Ok(&self.emitted)
    }

    /// Runs the neurons that have to be, block after block, with what is known of some of them.
    fn run_blocks(&mut self, end: i64, known: &mut Known) -> Result<(), EventError> {
        let horizon = self.horizon(end);
        let mut result = Ok(());
        for block in 0..self.inbox.blocks() {
            let range = self.inbox.open(block);
            result = result.and(self.run_block(range, (end, horizon), known));
        }
        result
    }

    /// Runs the neurons of the open block, population after population.
    fn run_block(
        &mut self,
        range: Range<u32>,
        (end, horizon): (i64, i64),
        known: &mut Known,
    ) -> Result<(), EventError> {
        let mut lists = self.inbox.lists();
        let mut result = Ok(());
        for (index, group) in self.groups.iter_mut().enumerate() {
            let past = group.base + group.range.len() as u32;
            if past <= range.start || group.base >= range.end {
                continue;
            }
            let here;
            (here, lists) = lists.split_at(lists.partition_point(|(n, _)| *n < past));
            let mut turn = Turn {
                end,
                horizon,
                inbox: self.inbox.deliveries(),
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
                let neurons = group.base.max(range.start)..past.min(range.end);
                result = result.and(group.run_all(neurons, here, &mut turn));
                continue;
            }
            let soon = here.iter().take(AHEAD);
            soon.for_each(|(neuron, _)| group.prefetch(*neuron));
            for (position, (neuron, first)) in here.iter().enumerate() {
                if let Some((later, _)) = here.get(position + AHEAD) {
                    group.prefetch(*later);
                }
                match group.run((*neuron, *first), known.of(*neuron), &mut turn) {
                    Ok((NEVER, _)) => {}
                    Ok((wake, outlook)) if wake <= horizon => {
                        self.agenda.push(*neuron, wake, outlook);
                    }
                    Ok((wake, _)) => self.queue.set(*neuron, wake),
                    Err(error) => result = Err(error),
                }
            }
        }
        result
    }

    /// How far (ps) to look ahead in a window that ends at a time: some windows if most neurons are left alone, else what
    /// is found would soon be void.
    fn horizon(&self, end: i64) -> i64 {
        let windows = if self.inbox.is_dense() { 1 } else { REACH - 1 };
        after(end, windows * self.calendar.width())
    }
}
