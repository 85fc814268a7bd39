//! A block of spikes: what an engine fills and hands to the recorder.

use serde::{Deserialize, Serialize};

/// Spikes that a block is meant to hold: 120 KiB.
const BLOCK_SPIKES: usize = 8192;
/// Picoseconds in a millisecond.
const PS_PER_MS: f64 = 1e9;

/// A time in milliseconds, given in picoseconds.
pub fn milliseconds(time_ps: i64) -> f64 {
    time_ps as f64 / PS_PER_MS
}

/// A population whose spikes are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpikePopulation {
    /// Its name.
    pub name: String,
    /// Its number of neurons: those that stay silent count in rates.
    pub neurons: u32,
}

/// What a recorded event of a neuron is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpikeKind {
    /// A spike outside bursts.
    Spike,
    /// The first spike of a burst.
    Burst,
    /// A further spike of a burst.
    InBurst,
    /// A dendritic plateau begins: no spike.
    Plateau,
}

impl SpikeKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [SpikeKind; 4] = [Self::Spike, Self::Burst, Self::InBurst, Self::Plateau];

    /// How files call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Burst => "burst",
            Self::InBurst => "in-burst",
            Self::Plateau => "plateau",
        }
    }

    /// Whether the neuron fired: all but a plateau.
    pub fn is_spike(self) -> bool {
        self != Self::Plateau
    }

    /// Whether it is an event in the sense of burst codes: an isolated spike or the first of a burst.
    pub fn is_event(self) -> bool {
        matches!(self, Self::Spike | Self::Burst)
    }
}

/// One recorded event of a neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spike {
    /// When (ps since the run began).
    pub time_ps: i64,
    /// The population, as an index into those declared.
    pub population: u16,
    /// The neuron, counted from 0 within its population.
    pub neuron: u32,
    /// What it is.
    pub kind: SpikeKind,
}

/// Spikes of one stage, in the order in which they were recorded. Made by
/// [`Recorder::spike_block`](super::Recorder::spike_block), used again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeBlock {
    pub(super) stage: u32,
    pub(super) time_ps: Vec<i64>,
    pub(super) population: Vec<u16>,
    pub(super) neuron: Vec<u32>,
    pub(super) kind: Vec<SpikeKind>,
}

impl SpikeBlock {
    pub(super) fn new() -> Self {
        Self {
            stage: 0,
            time_ps: Vec::with_capacity(BLOCK_SPIKES),
            population: Vec::with_capacity(BLOCK_SPIKES),
            neuron: Vec::with_capacity(BLOCK_SPIKES),
            kind: Vec::with_capacity(BLOCK_SPIKES),
        }
    }

    /// Appends a spike. One of an unknown population or neuron is refused when the block is sent.
    pub fn push(&mut self, spike: Spike) {
        self.time_ps.push(spike.time_ps);
        self.population.push(spike.population);
        self.neuron.push(spike.neuron);
        self.kind.push(spike.kind);
    }

    /// True when the block should be sent. More spikes are taken, but need more memory.
    pub fn is_full(&self) -> bool {
        self.rows() >= BLOCK_SPIKES
    }

    /// True if the block has no spikes.
    pub fn is_empty(&self) -> bool {
        self.time_ps.is_empty()
    }

    /// Number of spikes.
    pub fn rows(&self) -> usize {
        self.time_ps.len()
    }

    /// The stage of its spikes.
    pub fn stage(&self) -> u32 {
        self.stage
    }

    /// The spikes, in order.
    pub fn iter(&self) -> impl Iterator<Item = Spike> {
        let places = self.time_ps.iter().zip(&self.population);
        let what = self.neuron.iter().zip(&self.kind);
        places
            .zip(what)
            .map(|((time_ps, population), (neuron, kind))| Spike {
                time_ps: *time_ps,
                population: *population,
                neuron: *neuron,
                kind: *kind,
            })
    }

    pub(super) fn clear(&mut self) {
        self.time_ps.clear();
        self.population.clear();
        self.neuron.clear();
        self.kind.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_block_has_not_outgrown_its_memory() {
        let mut block = SpikeBlock::new();
        let capacity = (block.time_ps.capacity(), block.kind.capacity());
        while !block.is_full() {
            block.push(Spike {
                time_ps: 1,
                population: 0,
                neuron: 2,
                kind: SpikeKind::Spike,
            });
        }
        assert_eq!((block.time_ps.capacity(), block.kind.capacity()), capacity);
        block.clear();
        assert!(block.is_empty());
    }

    #[test]
    fn picoseconds_become_the_nearest_milliseconds() {
        assert_eq!(milliseconds(100_000_000).to_bits(), 0.1_f64.to_bits());
        assert_eq!(milliseconds(-3_500_000_000).to_bits(), (-3.5_f64).to_bits());
    }
}
