//! From spikes to arrivals: what neurons emitted is sent on its way, and what arrives is put into the inbox.

use std::ops::Range;

use super::Partition;
use crate::engine::event::calendar::InFlight;
use crate::engine::event::inbox::Inbox;
use crate::engine::event::merge::merge;
use crate::engine::event::plastic::Learning;
use crate::engine::event::synapses::{Delays, Synapses};
use crate::engine::event::time::{after, to_ms};
use crate::engine::event::turn::{Emitted, Signals};

/// How many spikes ahead their rows are asked for.
const AHEAD: usize = 12;

impl Partition {
    /// Sends spikes on their way to the neurons that are here: those of a window, each window's once, as sorted lists.
    pub fn send(&mut self, spikes: &[Vec<Emitted>]) {
        match spikes {
            [] => {}
            [all] => self.send_in_order(all),
            lists => {
                let mut all = std::mem::take(&mut self.sent);
                merge(lists, &mut all);
                self.send_in_order(&all);
                self.sent = all;
            }
        }
    }

    fn send_in_order(&mut self, spikes: &[Emitted]) {
        spikes
            .iter()
            .take(AHEAD)
            .for_each(|spike| self.prefetch_rows(spike));
        for (at, spike) in spikes.iter().enumerate() {
            if let Some(later) = spikes.get(at + AHEAD) {
                self.prefetch_rows(later);
            }
            self.send_one(spike);
        }
    }

    #[inline(always)]
    fn send_one(&mut self, spike: &Emitted) {
        let (population, index) = self.program.place(spike.neuron);
        for number in 0..self.program.projections.len() {
            let projection = &self.program.projections[number];
            if projection.ends.0 != population || !spike.signals.any(projection.signal) {
                continue;
            }
            let synapses = &self.synapses[number];
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
                // Whether there are any is seen on arrival: an early look would be a second one.
                Delays::Same(delay) if synapses.may_reach(index as u32) => {
                    self.calendar.push(arrival(*delay, index as u32));
                }
                Delays::Same(_) => {}
                delays @ Delays::Each { .. } => {
                    for synapse in synapses.rows.of(index as u32) {
                        self.calendar
                            .push(arrival(delays.of(synapse), synapse as u32));
                    }
                }
            }
        }
    }

    /// Asks for the places where rows begin that are read when a spike is sent: of synapses that each have their own delay.
    #[inline(always)]
    fn prefetch_rows(&self, spike: &Emitted) {
        let (population, index) = self.program.place(spike.neuron);
        for (projection, synapses) in self.program.projections.iter().zip(&self.synapses) {
            if projection.ends.0 == population && synapses.has_delays() {
                synapses.prefetch_offset(index as u32);
            }
        }
    }

    /// Puts what arrives before `end` into the inbox, the last first.
    pub(super) fn deliver_spikes(&mut self, end: i64) {
        self.learnings
            .iter_mut()
            .flatten()
            .for_each(Learning::begin_window);
        let today = self.calendar.today();
        let soon = &today[today.partition_point(|spike| spike.time >= end)..];
        self.loads.clear();
        // What synapses that learn need of their presynaptic neurons is made in the order of time.
        for spike in soon.iter().rev() {
            let learning = self.learnings[spike.projection as usize]
                .as_mut()
                .filter(|l| l.active);
            if let Some(learning) = learning {
                let (at, signals) = (to_ms(spike.time), Signals(spike.load as u8));
                self.loads
                    .push(learning.arrive(spike.index, signals, at, &self.channels));
            }
        }
        let synapses = &self.synapses;
        let offset = |later: &InFlight| synapses[later.projection as usize].prefetch_arrival(later);
        let row = |later: &InFlight| synapses[later.projection as usize].prefetch_row(later.index);
        soon.iter().take(2 * AHEAD).for_each(offset);
        soon.iter().take(AHEAD).for_each(row);
        for (position, spike) in soon.iter().enumerate() {
            if let Some(later) = soon.get(position + 2 * AHEAD) {
                offset(later);
            }
            if let Some(later) = soon.get(position + AHEAD) {
                row(later);
            }
            let number = spike.projection as usize;
            match &self.learnings[number] {
                Some(learning) => {
                    let arrival = match learning.active {
                        true => self.loads.pop().unwrap_or(0),
                        false => 0,
                    };
                    deliver_numbers(
                        &mut self.inbox,
                        &synapses[number],
                        (learning, arrival),
                        spike,
                    );
                }
                None => {
                    let row = synapses[number].row_of(spike.index);
                    let factor = f64::from_bits(spike.load);
                    deliver_row(&mut self.inbox, &synapses[number], row, spike, factor);
                }
            }
        }
    }
}

/// Puts the deliveries of a row of synapses that learn into the inbox: their numbers, and that of the arrival.
#[inline(always)]
fn deliver_numbers(
    inbox: &mut Inbox,
    synapses: &Synapses,
    (learning, arrival): (&Learning, u32),
    spike: &InFlight,
) {
    for synapse in synapses.rows.of(spike.index).rev() {
        learning.prefetch(synapse);
        synapses.prefetch_weight(synapse);
        let value = synapse as u64 | u64::from(arrival) << 32;
        let target = synapses.rows.target(synapse);
        inbox.push(target, spike.time, spike.projection, value);
    }
}

/// Puts the deliveries of a row of synapses into the inbox.
#[inline(always)]
pub(super) fn deliver_row(
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
