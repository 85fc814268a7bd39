//! The neurons of a population on one partition.

mod crossing;
mod escape;
mod run;
mod single;
mod spike;
mod state;

use std::sync::Arc;

use pulp::Arch;
use rand_xoshiro::Xoroshiro128PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

pub use self::single::Taken;
use super::model::{Instance, Trigger};
use super::private::Private;
use super::record::{Layout, Needs};
use super::records::Records;
use super::regime::{RegimeKey, Regimes};
use super::time::{NEVER, to_ms};
use super::turn::EventError;
use crate::compile::event::DynamicNeuron;
use crate::lang::scalar::Interval;

/// Variables or coordinates that most neurons have at the most: less to clear and to copy.
const FEW: usize = 8;

/// The neurons of a population that a partition runs.
#[derive(Debug)]
pub struct Cells {
    /// What they are.
    neuron: Arc<DynamicNeuron>,
    /// Number of the first one, among all neurons of the circuit.
    first: u32,
    /// Index of the first one within its population.
    offset: usize,
    layout: Layout,
    records: Records,
    /// Their random streams, if they spike at random.
    streams: Vec<Xoroshiro128PlusPlus>,
    regimes: Regimes,
    /// What the modulators make of the model now: one instance a kind, and the number of the modulators' values.
    instances: Vec<Arc<Instance>>,
    environment: u32,
    bursts: bool,
    escapes: bool,
    /// Whether neurons have no more than [`FEW`] variables.
    are_small: bool,
    /// Sources that each drive one neuron, by projection.
    privates: Vec<Private>,
    /// Whether all neurons are run in each window.
    is_busy: bool,
    /// Instructions that the machine has.
    arch: Arch,
    /// Whether something is integrated along the voltages of these neurons.
    followed: bool,
    intervals: Vec<Interval>,
    /// When the neuron that runs began to spike, and how often it has since, if that was not long ago.
    at_once: (i64, u32),
    /// A neuron whose rate has no bound.
    unbounded: Option<u32>,
}

impl Cells {
    /// Neurons `range` of a population whose first neuron has the number `first`, at time 0, for windows of at most `window`
    /// (ps). `modulators` are the values that its equations read.
    ///
    /// # Errors
    /// If their equations have no solution.
    pub fn new(
        neuron: Arc<DynamicNeuron>,
        (seed, name): (u64, &str),
        first: u32,
        range: std::ops::Range<usize>,
        (modulators, window): (&[f64], i64),
    ) -> Result<Cells, EventError> {
        let instances: Vec<Arc<Instance>> = neuron.instances(modulators);
        let mut regimes = Regimes::new(to_ms(window));
        let mut modes = 0;
        for (kind, instance) in instances.iter().enumerate() {
            let number = regimes.number(first_regime(kind as u32), || (**instance).clone());
            modes = number
                .map(|number| regimes.get(number).modes.len())
                .map_err(EventError::Linear)?
                .max(modes);
        }
        let needs = needs(instances.first(), modes);
        let are_small = instances.iter().all(|i| i.system.n <= FEW);
        let layout = Layout::new(needs);
        let stream =
            |i| Xoroshiro128PlusPlus::seed_from_u64(crate::random::seed_of(seed, name, i as u64));
        let random = if needs.escapes { range.clone() } else { 0..0 };
        let mut cells = Cells {
            neuron,
            first: first + range.start as u32,
            offset: range.start,
            layout,
            records: Records::new(range.len(), layout.stride),
            streams: random.map(stream).collect(),
            regimes,
            instances,
            environment: 0,
            bursts: needs.bursts,
            escapes: needs.escapes,
            are_small,
            privates: vec![],
            is_busy: false,
            arch: Arch::new(),
            followed: false,
            intervals: vec![],
            at_once: (NEVER, 0),
            unbounded: None,
        };
        for cell in 0..range.len() {
            cells.start(cell)?;
        }
        cells.bounded()?;
        Ok(cells)
    }

    /// Puts a neuron to its start, at time 0.
    fn start(&mut self, cell: usize) -> Result<(), EventError> {
        let kind = self.neuron.kind(self.offset + cell);
        let regime = self.regime_number(first_regime(kind))?;
        let y = self
            .regimes
            .get(regime)
            .modes
            .from_x(&self.neuron.start(self.offset + cell));
        let layout = self.layout;
        let record = self.record_mut(cell);
        layout.clear(record, regime);
        record[layout.modes..layout.modes + y.len()].copy_from_slice(&y);
        if self.escapes {
            self.draw_candidate(cell, 0);
        }
        Ok(())
    }

    /// Gives the neurons private sources.
    pub fn add_private(&mut self, private: Private) {
        self.privates.push(private);
        self.privates.sort_by_key(|private| private.projection);
    }

    /// Their private sources.
    pub fn privates(&self) -> &[Private] {
        &self.privates
    }

    /// Decides, for windows of that length (ps), whether all neurons are to be run in each.
    pub fn is_busy(&mut self, window: i64) -> bool {
        self.is_busy = self.privates.iter().any(|private| private.is_busy(window));
        self.is_busy
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Linear systems that its neurons have followed and that are remembered.
    pub fn regimes(&self) -> usize {
        self.regimes.len()
    }

    /// Memory of a neuron's record (bytes).
    pub fn bytes_each(&self) -> usize {
        8 * self.layout.stride + if self.streams.is_empty() { 0 } else { 16 }
    }

    #[inline(always)]
    fn record(&self, cell: usize) -> &[f64] {
        self.records.row(cell)
    }

    #[inline(always)]
    fn record_mut(&mut self, cell: usize) -> &mut [f64] {
        self.records.row_mut(cell)
    }

    /// Asks for a neuron's record, to have it in the cache when the neuron runs.
    #[inline(always)]
    pub fn prefetch(&self, cell: usize) {
        self.records.prefetch(cell);
    }
}

/// The regime in which neurons of a kind start.
fn first_regime(kind: u32) -> RegimeKey {
    RegimeKey {
        kind,
        environment: 0,
        held: false,
        plateaus: 0,
    }
}

/// What neurons like these need room for, with so many modal coordinates at most at the start.
fn needs(instance: Option<&Arc<Instance>>, modes: usize) -> Needs {
    let plateaus = instance.map_or(0, |i| i.plateaus.len());
    Needs {
        // Regimes with something held have drifts that others have not: room for one coordinate more each.
        modes: if plateaus > 0 { modes + 2 } else { modes },
        plateaus,
        bursts: instance.is_some_and(|i| i.burst.is_some()),
        escapes: instance.is_some_and(|i| matches!(i.trigger, Trigger::Escape(_))),
    }
}
