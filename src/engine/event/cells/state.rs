//! The state of a neuron: its variables, the linear system it follows, and how both are changed or read from outside.

use super::crossing::{MOST_COORDINATES, freed};
use super::{Cells, FEW};
use crate::engine::event::linear::{MOST_VARIABLES, Modes};
use crate::engine::event::record::{self, Flags, Timer};
use crate::engine::event::regime::{Regime, RegimeKey};
use crate::engine::event::time::{NEVER, to_ms};
use crate::engine::event::turn::{EventError, Plastic};

/// Regimes that a population remembers: modulators that keep taking new values would fill the memory.
const MOST_REGIMES: usize = 8192;

impl Cells {
    pub(super) fn regime_number(&mut self, key: RegimeKey) -> Result<u32, EventError> {
        let instances = &self.instances;
        self.regimes
            .number(key, || (*instances[key.kind as usize]).clone())
            .map_err(EventError::Linear)
    }

    pub(super) fn key(&self, cell: usize) -> RegimeKey {
        self.regimes
            .get(record::flags(self.record(cell)).regime)
            .key
    }

    /// Passes to another regime; the variables stay what they are.
    pub(super) fn change_regime(&mut self, cell: usize, key: RegimeKey) -> Result<(), EventError> {
        let flags = record::flags(self.record(cell));
        if self.regimes.get(flags.regime).key == key {
            return Ok(());
        }
        if self.are_small {
            let x = self.variables::<FEW>(cell);
            self.put(cell, key, &x)
        } else {
            let x = self.variables::<MOST_VARIABLES>(cell);
            self.put(cell, key, &x)
        }
    }

    /// Values of the variables, of which there are no more than `ROOM`, at the time of the state.
    pub(super) fn variables<const ROOM: usize>(&self, cell: usize) -> [f64; ROOM] {
        let record = self.record(cell);
        let modes = &self.regimes.get(record::flags(record).regime).modes;
        let mut x = [0.0; ROOM];
        modes.read_x(
            &record[self.layout.modes..self.layout.modes + modes.len()],
            &mut x[..modes.variables()],
        );
        x
    }

    /// Sets regime and variables.
    pub(super) fn put(&mut self, cell: usize, key: RegimeKey, x: &[f64]) -> Result<(), EventError> {
        let near = record::flags(self.record(cell)).regime;
        let regime = match self.regimes.find(key, near) {
            Some(regime) => regime,
            None => self.regime_number(key)?,
        };
        let at = self.layout.modes;
        if self.layout.stride < at + self.regimes.get(regime).modes.len() {
            self.widen(self.regimes.get(regime).modes.len());
        }
        let record = self.records.row_mut(cell);
        let modes = &self.regimes.get(regime).modes;
        let flags = record::flags(record);
        record::set_flags(record, Flags { regime, ..flags });
        modes.write_y(&x[..modes.variables()], &mut record[at..at + modes.len()]);
        Ok(())
    }

    /// Makes all records longer: a regime has more coordinates than any before.
    #[cold]
    pub(super) fn widen(&mut self, modes: usize) {
        self.layout.stride = self.layout.modes + modes;
        self.records = self.records.widened(self.layout.stride);
    }

    /// The modulators that the equations read have other values.
    ///
    /// # Errors
    /// If the new equations have no solution.
    pub fn change_environment(
        &mut self,
        time: i64,
        environment: u32,
        modulators: &[f64],
        (base, plastic): (u32, &mut Plastic<'_>),
    ) -> Result<(), EventError> {
        self.environment = environment;
        let cells = self.len();
        self.advance_all(time, base, plastic)?;
        self.instances = self.neuron.instances(modulators);
        for cell in 0..cells {
            let key = self.key(cell);
            self.change_regime(cell, RegimeKey { environment, ..key })?;
            self.renew_candidate(cell, time)?;
        }
        if self.regimes.len() > MOST_REGIMES {
            self.forget_regimes();
        }
        self.bounded()
    }

    /// Forgets the regimes that no neuron is in.
    #[cold]
    pub(super) fn forget_regimes(&mut self) {
        let mut used: Vec<u32> = (0..self.len())
            .map(|cell| record::flags(self.record(cell)).regime)
            .collect();
        used.sort_unstable();
        used.dedup();
        self.regimes.keep(&used);
        let place = |old: u32| used.binary_search(&old).map_or(0, |at| at as u32);
        for cell in 0..self.len() {
            let record = self.record_mut(cell);
            let flags = record::flags(record);
            record::set_flags(
                record,
                Flags {
                    regime: place(flags.regime),
                    ..flags
                },
            );
        }
    }

    /// Brings all neurons to a time; the first one has the number `base` in the partition.
    ///
    /// # Errors
    /// If a regime has no solution.
    pub fn advance_all(
        &mut self,
        time: i64,
        base: u32,
        plastic: &mut Plastic<'_>,
    ) -> Result<(), EventError> {
        for cell in 0..self.len() {
            plastic.neuron = base + cell as u32;
            self.end_refractoriness(cell, time, plastic)?;
            self.advance(cell, time, plastic);
        }
        Ok(())
    }

    /// A neuron's state as it is kept: its modes, coordinates, and their time (ps).
    pub fn state(&self, cell: usize) -> (&Modes, &[f64], i64) {
        let record = self.record(cell);
        let modes = &self.regimes.get(record::flags(record).regime).modes;
        (
            modes,
            &record[self.layout.modes..self.layout.modes + modes.len()],
            record::time(record[0]),
        )
    }

    /// Ends the refractoriness of a neuron if that is due by a time (ps) but nobody has looked.
    pub(super) fn end_refractoriness(
        &mut self,
        cell: usize,
        time: i64,
        plastic: &mut Plastic<'_>,
    ) -> Result<(), EventError> {
        let due = self.layout.timer(self.record(cell), Timer::Refractory);
        if due > time {
            return Ok(());
        }
        self.advance(cell, due, plastic);
        let layout = self.layout;
        layout.set_timer(self.record_mut(cell), Timer::Refractory, NEVER);
        let key = self.key(cell);
        self.change_regime(cell, RegimeKey { held: false, ..key })
    }

    /// Whether something is integrated along the voltages of these neurons, so that every change of regime has to be met
    /// in time. Gives the neurons' refractoriness its due before that begins.
    ///
    /// # Errors
    /// If a regime has no solution.
    pub fn follow(
        &mut self,
        followed: bool,
        time: i64,
        base: u32,
        plastic: &mut Plastic<'_>,
    ) -> Result<(), EventError> {
        if followed && !self.followed {
            for cell in 0..self.len() {
                plastic.neuron = base + cell as u32;
                self.end_refractoriness(cell, time, plastic)?;
            }
        }
        self.followed = followed;
        Ok(())
    }

    /// The value of a variable at a time, without touching the neuron.
    pub fn value_at(&self, cell: usize, variable: usize, time: i64) -> f64 {
        let record = self.record(cell);
        let number = record::flags(record).regime;
        let regime = self.regimes.get(number);
        let y = &record[self.layout.modes..self.layout.modes + regime.modes.len()];
        let last = record::time(record[0]);
        let due = self.layout.timer(record, Timer::Refractory);
        let free = RegimeKey {
            held: false,
            ..regime.key
        };
        let mut later = [0.0; MOST_COORDINATES];
        match self.regimes.find(free, number).filter(|_| due < time) {
            Some(free) => {
                let free = self.regimes.get(free);
                let later = freed(regime, free, y, due - last, &mut later);
                value_after(free, later, variable, time - due)
            }
            None => {
                let later = &mut later[..y.len()];
                later.copy_from_slice(y);
                value_after(regime, later, variable, (time - last).max(0))
            }
        }
    }
}

/// The value of a variable some time (ps) after a state, which is used up.
pub(super) fn value_after(regime: &Regime, y: &mut [f64], variable: usize, wait: i64) -> f64 {
    regime.modes.advance(y, to_ms(wait));
    let row = regime.modes.row(variable);
    row.iter().zip(y).map(|(r, y)| r * *y).sum::<f64>() + regime.modes.offset(variable)
}
