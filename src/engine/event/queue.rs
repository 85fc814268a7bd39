//! The queue of neurons that have to be looked at: an indexed priority queue keyed by neuron.

use std::cmp::Reverse;
use std::hash::{BuildHasherDefault, Hasher};

use priority_queue::PriorityQueue;

use super::time::NEVER;

/// Which neuron has to be looked at next, and when. Neurons of one time come in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub struct WakeQueue {
    queue: PriorityQueue<u32, Reverse<(i64, u32)>, BuildHasherDefault<Mix>>,
}

impl WakeQueue {
    /// Sets the time (ps) at which a neuron has to be looked at; [`NEVER`] takes it out.
    pub fn set(&mut self, neuron: u32, time: i64) {
        if time == NEVER {
            self.queue.remove(&neuron);
        } else {
            self.queue.push(neuron, Reverse((time, neuron)));
        }
    }

    /// The earliest time, or [`NEVER`].
    pub fn next_time(&self) -> i64 {
        self.queue
            .peek()
            .map_or(NEVER, |(_, Reverse((time, _)))| *time)
    }

    /// Takes out the first neuron if its time is before `end`.
    pub fn pop_before(&mut self, end: i64) -> Option<u32> {
        let (_, Reverse((time, _))) = self.queue.peek()?;
        if *time >= end {
            return None;
        }
        self.queue.pop().map(|(neuron, _)| neuron)
    }

    /// Neurons that wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether no neuron waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// Spreads small numbers over a hash table: one multiplication (Fibonacci hashing, Knuth 1973).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(26);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use std::collections::BTreeMap;

    /// A little op language against a model: a sorted map.
    #[test]
    fn agrees_with_a_sorted_map() {
        let mut stream = crate::random::stream(3, "queue", 0);
        let mut queue = WakeQueue::default();
        let mut model: BTreeMap<u32, i64> = BTreeMap::new();
        for _ in 0..20_000 {
            let neuron = stream.random_range(0..50);
            match stream.random_range(0..4) {
                0 | 1 => {
                    let time = stream.random_range(0..30);
                    queue.set(neuron, time);
                    model.insert(neuron, time);
                }
                2 => {
                    queue.set(neuron, NEVER);
                    model.remove(&neuron);
                }
                _ => {
                    let end = stream.random_range(0..30);
                    let first = model.iter().map(|(n, t)| (*t, *n)).min();
                    let first = first.filter(|(time, _)| *time < end).map(|(_, n)| n);
                    assert_eq!(queue.pop_before(end), first);
                    first.map(|n| model.remove(&n));
                }
            }
            assert_eq!(queue.len(), model.len());
            assert_eq!(
                queue.next_time(),
                model.values().min().copied().unwrap_or(NEVER)
            );
        }
    }
}
