//! How many neurons of a population each partition has.

use std::ops::Range;

use crate::compile::event::EventProgram;

/// What it takes to tell the observer of a spike, in deliveries of a spike to a neuron: measured.
const TELLING: f64 = 0.6;

/// The shares of partitions in each population.
///
/// The thread that runs the first one also tells the observer of spikes: it has fewer neurons, so that no thread waits for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    /// Share of the first partition, and of each other one.
    first: f64,
    other: f64,
}

impl Shares {
    /// For so many partitions.
    pub fn new(program: &EventProgram, parts: usize) -> Shares {
        let synapses = program.circuit.projections.iter();
        let synapses: usize = synapses.map(|p| p.connectivity.count()).sum();
        let deliveries = synapses as f64 / program.neurons().max(1) as f64;
        Shares::with(TELLING / (TELLING + deliveries), parts)
    }

    /// Where telling the observer takes this part of all there is to do.
    fn with(telling: f64, parts: usize) -> Shares {
        let fair = 1.0 / parts as f64;
        let running = 1.0 - telling;
        // Not less than half of what is fair: nobody knows how often neurons spike.
        let first = ((fair - telling) / running).max(fair / 2.0);
        Shares {
            first,
            other: (1.0 - first) / (parts as f64 - 1.0).max(1.0),
        }
    }

    /// The neurons of a population of a size that partition `part` has.
    pub fn of(self, size: usize, part: usize, parts: usize) -> Range<usize> {
        let begin = |part: usize| match part {
            0 => 0,
            _ if part == parts => size,
            _ => {
                let before = self.first + self.other * (part as f64 - 1.0);
                ((before * size as f64).round() as usize).min(size)
            }
        };
        begin(part)..begin(part + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_neuron_is_in_one_partition() {
        for parts in 1..9 {
            for telling in [0.0, 0.05, 0.5, 1.0] {
                let shares = Shares::with(telling, parts);
                for size in [0, 1, 2, 3, 7, 1000, 123_457] {
                    let ranges = (0..parts).map(|part| shares.of(size, part, parts));
                    let neurons: Vec<usize> = ranges.flatten().collect();
                    assert!(neurons.into_iter().eq(0..size));
                }
            }
        }
    }

    #[test]
    fn all_threads_have_as_much_to_do() {
        for (telling, parts) in [(0.0, 4), (0.05, 2), (0.05, 8), (0.3, 2)] {
            let shares = Shares::with(telling, parts);
            let work = |part| {
                let here = shares.of(1_000_000, part, parts).len() as f64 / 1e6;
                here * (1.0 - telling) + if part == 0 { telling } else { 0.0 }
            };
            assert!((0..parts).all(|part| (work(part) - 1.0 / parts as f64).abs() < 1e-5));
        }
        let least = Shares::with(0.9, 4).of(800, 0, 4);
        assert_eq!(least, 0..100);
    }
}
