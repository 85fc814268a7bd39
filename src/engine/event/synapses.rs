//! Tables of synapses, sorted by presynaptic neuron: what a spike is multiplied into.

use std::ops::Range;

use super::calendar::InFlight;
use crate::prefetch::prefetch;

/// The synapses of a projection on the neurons of one partition.
#[derive(Debug, Clone)]
pub struct Synapses {
    /// Which ones a presynaptic neuron has.
    pub rows: Rows,
    /// Their weights (engine units).
    pub weights: Weights,
    /// Their delays (ps).
    pub delays: Delays,
}

impl Synapses {
    /// Asks for the place where a presynaptic neuron's row begins.
    #[inline(always)]
    pub(super) fn prefetch_offset(&self, pre: u32) {
        if let Rows::Listed { offsets, .. } = &self.rows {
            prefetch(offsets, pre as usize);
        }
    }

    /// Asks for the place where the row of a spike that arrives begins, if it stands for a row.
    #[inline(always)]
    pub(super) fn prefetch_arrival(&self, spike: &InFlight) {
        if !self.has_delays() {
            self.prefetch_offset(spike.index);
        }
    }

    /// The synapses at which a spike arrives: those of a presynaptic neuron, or the one it was sent to.
    #[inline(always)]
    pub(super) fn row_of(&self, index: u32) -> Range<usize> {
        match &self.delays {
            Delays::Same(_) => self.rows.of(index),
            Delays::Each { .. } => index as usize..index as usize + 1,
        }
    }

    /// Whether each synapse has its own delay.
    #[inline(always)]
    pub(super) fn has_delays(&self) -> bool {
        matches!(self.delays, Delays::Each { .. })
    }

    /// Whether a presynaptic neuron may have synapses, as far as can be said without a look at a table.
    #[inline(always)]
    pub(super) fn may_reach(&self, pre: u32) -> bool {
        matches!(self.rows, Rows::Listed { .. }) || !self.rows.of(pre).is_empty()
    }

    /// Asks for the beginning of a presynaptic neuron's row, or for one synapse where each has its own delay.
    #[inline(always)]
    pub(super) fn prefetch_row(&self, index: u32) {
        let Rows::Listed { targets, .. } = &self.rows else {
            return;
        };
        let row = self.row_of(index);
        prefetch(targets, row.start);
        self.prefetch_weight(row.start);
        if row.len() > 1 {
            // A short row may lie in two cache lines; in a long one the processor sees where it goes, from its end.
            prefetch(targets, row.end - 1);
            self.prefetch_weight(row.end - 1);
        }
    }

    /// Asks for the weight of a synapse.
    #[inline(always)]
    pub(super) fn prefetch_weight(&self, synapse: usize) {
        match &self.weights {
            Weights::Same(_) => {}
            Weights::Drawn(weights) => prefetch(weights, synapse),
            Weights::Each(weights) => prefetch(weights, synapse),
        }
    }
}

/// Which synapses a presynaptic neuron has.
#[derive(Debug, Clone)]
pub enum Rows {
    /// Those of neuron j are `offsets[j]..offsets[j + 1]`; `targets` are neurons of the partition.
    Listed {
        /// One more than presynaptic neurons.
        offsets: Vec<u32>,
        /// Postsynaptic neurons.
        targets: Vec<u32>,
    },
    /// Neuron j has one on neuron `first + j − start`, if j is in `start..end`.
    OneToOne {
        /// First presynaptic neuron with a synapse here.
        start: u32,
        /// One past the last.
        end: u32,
        /// The neuron of the partition on which the first one sits.
        first: u32,
    },
    /// Every presynaptic neuron has one on each of `first..first + count`.
    Dense {
        /// First postsynaptic neuron of the partition.
        first: u32,
        /// How many there are.
        count: u32,
    },
}

impl Rows {
    /// The numbers of the synapses of a presynaptic neuron.
    #[inline(always)]
    pub fn of(&self, pre: u32) -> Range<usize> {
        match self {
            Rows::Listed { offsets, .. } => {
                offsets[pre as usize] as usize..offsets[pre as usize + 1] as usize
            }
            Rows::OneToOne { start, end, .. } => {
                let here = pre.wrapping_sub(*start) as usize;
                if (*start..*end).contains(&pre) {
                    here..here + 1
                } else {
                    0..0
                }
            }
            Rows::Dense { count, .. } => {
                let first = pre as usize * *count as usize;
                first..first + *count as usize
            }
        }
    }

    /// The postsynaptic neuron of a synapse, as the partition numbers it.
    #[inline(always)]
    pub fn target(&self, synapse: usize) -> u32 {
        match self {
            Rows::Listed { targets, .. } => targets[synapse],
            Rows::OneToOne { first, .. } => first + synapse as u32,
            Rows::Dense { first, count } => first + (synapse % *count as usize) as u32,
        }
    }

    /// The presynaptic neuron of a synapse.
    pub fn source(&self, synapse: usize) -> u32 {
        match self {
            Rows::Listed { offsets, .. } => {
                offsets.partition_point(|offset| *offset as usize <= synapse) as u32 - 1
            }
            Rows::OneToOne { start, .. } => start + synapse as u32,
            Rows::Dense { count, .. } => (synapse / *count as usize) as u32,
        }
    }

    /// Number of synapses, for so many presynaptic neurons.
    pub fn count(&self, pre: usize) -> usize {
        match self {
            Rows::Listed { targets, .. } => targets.len(),
            Rows::OneToOne { start, end, .. } => (end - start) as usize,
            Rows::Dense { count, .. } => pre * *count as usize,
        }
    }
}

/// Weights of static synapses.
#[derive(Debug, Clone)]
pub enum Weights {
    /// All the same.
    Same(f64),
    /// Drawn ones: a random number loses nothing in single precision, and half the memory is half the traffic.
    Drawn(Vec<f32>),
    /// Given ones, and those that learn.
    Each(Vec<f64>),
}

impl Weights {
    /// The weight of a synapse.
    #[inline(always)]
    pub fn of(&self, synapse: usize) -> f64 {
        match self {
            Weights::Same(weight) => *weight,
            Weights::Drawn(weights) => f64::from(weights[synapse]),
            Weights::Each(weights) => weights[synapse],
        }
    }

    /// Memory (bytes).
    pub fn bytes(&self) -> usize {
        match self {
            Weights::Same(_) => 8,
            Weights::Drawn(weights) => 4 * weights.len(),
            Weights::Each(weights) => 8 * weights.len(),
        }
    }
}

/// Delays of synapses.
#[derive(Debug, Clone)]
pub enum Delays {
    /// All the same (ps).
    Same(i64),
    /// Each its own, in multiples of `unit` (ps): a picosecond if the longest is below 4 ms, else a nanosecond.
    Each {
        /// What they are counted in (ps).
        unit: i64,
        /// How many.
        counts: Vec<u32>,
    },
}

impl Delays {
    /// Delays (ps) of the synapses, stored as exactly as 32 bits allow for the `longest` of the whole projection, of
    /// which these may be a part.
    pub fn new(delays: impl IntoIterator<Item = i64>, longest: i64) -> Self {
        let unit = Delays::unit(longest);
        let counts = delays.into_iter().map(|d| Delays::count(d, unit)).collect();
        Delays::Each { unit, counts }
    }

    /// What delays are counted in (ps) if the longest is this.
    pub fn unit(longest: i64) -> i64 {
        if longest <= i64::from(u32::MAX) {
            1
        } else {
            1000.max(longest / i64::from(u32::MAX) + 1)
        }
    }

    /// A delay (ps) as a number of units.
    pub fn count(delay: i64, unit: i64) -> u32 {
        ((delay + unit / 2) / unit).max(1) as u32
    }

    /// The delay of a synapse (ps).
    #[inline(always)]
    pub fn of(&self, synapse: usize) -> i64 {
        match self {
            Delays::Same(delay) => *delay,
            Delays::Each { unit, counts } => unit * i64::from(counts[synapse]),
        }
    }

    /// The shortest (ps), if there is one.
    pub fn shortest(&self) -> Option<i64> {
        match self {
            Delays::Same(delay) => Some(*delay),
            Delays::Each { unit, counts } => {
                counts.iter().min().map(|count| unit * i64::from(*count))
            }
        }
    }

    /// Memory (bytes).
    pub fn bytes(&self) -> usize {
        match self {
            Delays::Same(_) => 8,
            Delays::Each { counts, .. } => 4 * counts.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::event::delay_ps;

    #[test]
    fn rows_know_their_targets_and_sources() {
        let listed = Rows::Listed {
            offsets: vec![0, 2, 2, 3],
            targets: vec![5, 7, 6],
        };
        assert_eq!(listed.of(0), 0..2);
        assert_eq!(listed.of(1), 2..2);
        assert_eq!([0, 1, 2].map(|s| listed.source(s)), [0, 0, 2]);
        let one = Rows::OneToOne {
            start: 3,
            end: 5,
            first: 10,
        };
        assert_eq!(
            (one.of(2), one.of(4), one.target(1), one.source(1)),
            (0..0, 1..2, 11, 4)
        );
        let dense = Rows::Dense { first: 4, count: 3 };
        assert_eq!(
            (
                dense.of(2),
                dense.target(7),
                dense.source(7),
                dense.count(3)
            ),
            (6..9, 5, 2, 9)
        );
    }

    #[test]
    fn delays_are_exact_up_to_four_milliseconds() {
        let delays = Delays::new([1, 4_000_000_000], 4_000_000_000);
        assert_eq!(
            (delays.of(0), delays.of(1), delays.shortest()),
            (1, 4_000_000_000, Some(1))
        );
        let long = Delays::new([5_000_000_400, 20_000_000_000], 20_000_000_000);
        assert_eq!(long.of(0), 5_000_000_000);
        let part = Delays::new([1_000_000_400], 20_000_000_000);
        assert_eq!(part.of(0), 1_000_000_000, "as on any other partition");
        let most = delay_ps(f64::INFINITY);
        let longest = Delays::new([1, most], most);
        assert!((longest.of(1) - most).abs() < most / 1_000_000_000);
    }
}
