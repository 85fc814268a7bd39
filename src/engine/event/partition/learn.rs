//! What learns on a partition: which projections do at present, and what modulators and time make of them.

use super::group::read;
use super::{Group, GroupKind, Partition};
use crate::engine::event::plastic::Learning;
use crate::engine::event::synapses::Weights;
use crate::engine::event::time::{from_ms, to_ms};
use crate::engine::event::turn::{EventError, Plastic};
use crate::plasticity::Channel;

impl Partition {
    /// Notes which projections learn at present.
    pub(super) fn list_learning(&mut self, time: i64) -> Result<(), EventError> {
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
            let (group, mut plastic) = self.at_work(index);
            if let GroupKind::Cells(cells) = &mut group.kind {
                cells.follow(followed, time, group.base, &mut plastic)?;
            }
            if followed {
                self.look_at(index, time);
            }
        }
        Ok(())
    }

    /// A population, and what learns at its neurons.
    pub(super) fn at_work(&mut self, index: usize) -> (&mut Group, Plastic<'_>) {
        let plastic = Plastic {
            learnings: &mut self.learnings,
            tables: &mut self.synapses,
            channels: &self.channels,
            onto: &self.onto[index],
            neuron: 0,
        };
        (&mut self.groups[index], plastic)
    }

    /// Before modulators change at a time (ps): what learns is brought up to it.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn before_change(&mut self, time: i64) -> Result<(), EventError> {
        self.agenda.forget();
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
        self.reach_synapses(time);
        for learning in self.learnings.iter_mut().flatten().filter(|l| l.active) {
            learning.before_change(&self.channels, to_ms(time));
        }
        Ok(())
    }

    /// Synapses that learn are told what has reached them before a time (ps), where dendrites delay it.
    pub(super) fn reach_synapses(&mut self, time: i64) {
        for (learning, table) in self.learnings.iter_mut().zip(&mut self.synapses) {
            if let Some(learning) = learning.as_mut().filter(|l| l.active) {
                learning.reach_all(to_ms(time), table, &self.channels);
            }
        }
    }

    /// Brings all neurons of a population to a time.
    pub(super) fn advance_group(&mut self, index: usize, time: i64) -> Result<(), EventError> {
        let (group, mut plastic) = self.at_work(index);
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
        self.agenda.forget();
        for index in 0..self.groups.len() {
            let Some(environment) = environment(index) else {
                continue;
            };
            let read = read(&self.program, index, modulators);
            let (group, mut plastic) = self.at_work(index);
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
                GroupKind::Driven(driven) => driven.change_environment(time, &read),
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
        self.agenda.forget();
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
        self.agenda.forget();
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
}
