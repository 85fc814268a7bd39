//! What arrives at each neuron within a window, as lists in the order of time.

use super::radix::sort_by_high_half;

/// What arrives at a synapse.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// When (ps).
    pub time: i64,
    /// The bits of the weight; of a plastic synapse its number, and the arrival's number above it.
    pub value: u64,
    /// The projection.
    pub projection: u32,
    /// The next delivery to the same neuron, or [`NONE`].
    next: u32,
}

/// No delivery.
pub const NONE: u32 = u32::MAX;

/// A neuron without a delivery that is to be run.
const TOUCHED: u32 = u32::MAX - 1;

/// Deliveries for each eighth neuron or more are linked by a table of all neurons; fewer are sorted.
const DENSE: usize = 8;

/// The deliveries of a window.
///
/// They are put in from the last to the first. If many are to come, each goes in front of its neuron's list, and nothing
/// has to be sorted; but a look at a table of all neurons is a miss of the cache if neurons are many and deliveries few.
/// Then they are sorted by neuron, and no neuron costs anything to which nothing happens.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    neurons: usize,
    deliveries: Vec<Delivery>,
    /// Whether `heads` is used in this window; else `keys` is.
    is_dense: bool,
    /// Each neuron's first delivery, [`TOUCHED`] or [`NONE`]; empty until it is used.
    heads: Vec<u32>,
    /// Neurons above, and below what counts down with the deliveries; room to sort them.
    keys: Vec<u64>,
    spare: Vec<u64>,
    /// Neurons to be run and their first deliveries, once sorted.
    lists: Vec<(u32, u32)>,
}

impl Inbox {
    /// An empty inbox for so many neurons.
    pub fn new(neurons: usize) -> Self {
        Inbox {
            neurons,
            ..Inbox::default()
        }
    }

    /// Puts a delivery in front of a neuron's list.
    #[inline(always)]
    pub fn push(&mut self, neuron: u32, time: i64, projection: u32, value: u64) {
        let number = self.deliveries.len() as u32;
        let next = if self.is_dense {
            std::mem::replace(&mut self.heads[neuron as usize], number)
        } else {
            self.keys.push(u64::from(neuron) << 32 | u64::from(!number));
            NONE
        };
        self.deliveries.push(Delivery {
            time,
            value,
            projection,
            next,
        });
    }

    /// Makes sure that a neuron is run, with or without a delivery. No delivery comes after this.
    pub fn touch(&mut self, neuron: u32) {
        if !self.is_dense {
            self.keys.push(u64::from(neuron) << 32);
        } else if self.heads[neuron as usize] == NONE {
            self.heads[neuron as usize] = TOUCHED;
        }
    }

    /// Makes the lists, in the order of neurons.
    pub fn sort(&mut self) {
        if self.is_dense {
            self.gather();
        } else {
            sort_by_high_half(&mut self.keys, &mut self.spare, self.neurons);
            self.link();
        }
    }

    /// Makes the lists from the table, and clears it.
    fn gather(&mut self) {
        for (neuron, head) in self.heads.iter_mut().enumerate() {
            if *head != NONE {
                let first = std::mem::replace(head, NONE);
                let first = if first == TOUCHED { NONE } else { first };
                self.lists.push((neuron as u32, first));
            }
        }
    }

    /// Makes the lists from sorted keys: of one neuron the first delivery comes first, after the key of a touch.
    fn link(&mut self) {
        let (mut last, mut previous) = (None, NONE);
        for key in &self.keys {
            let (neuron, delivery) = ((key >> 32) as u32, !(*key as u32));
            if last != Some(neuron) {
                self.lists.push((neuron, delivery));
                last = Some(neuron);
            } else if previous != NONE {
                self.deliveries[previous as usize].next = delivery;
            } else if let Some(list) = self.lists.last_mut() {
                list.1 = delivery;
            }
            previous = delivery;
        }
    }

    /// A delivery and the number of the one after it.
    #[inline(always)]
    pub fn read(&self, delivery: u32) -> (&Delivery, u32) {
        let delivery = &self.deliveries[delivery as usize];
        (delivery, delivery.next)
    }

    /// Neurons that have to be run, in order and each once, with their first deliveries or [`NONE`].
    pub fn lists(&self) -> &[(u32, u32)] {
        &self.lists
    }

    /// Whether many neurons have deliveries.
    pub fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// Number of deliveries.
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Whether nothing arrives.
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Empties it, keeping its memory. The next window will be like this one.
    pub fn clear(&mut self) {
        self.is_dense = self.deliveries.len() > self.neurons / DENSE;
        if self.is_dense && self.heads.is_empty() {
            self.heads = vec![NONE; self.neurons];
        }
        self.deliveries.clear();
        self.keys.clear();
        self.lists.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order_when_put_in_from_the_last() {
        let mut inbox = Inbox::new(5);
        for dense in [false, true] {
            assert_eq!(inbox.is_dense, dense);
            for (neuron, time) in [(2, 30), (0, 20), (2, 20), (2, 10)] {
                inbox.push(neuron, time, 0, 0);
            }
            for neuron in [3, 2, 3] {
                inbox.touch(neuron);
            }
            inbox.sort();
            let times = |(neuron, first): &(u32, u32)| {
                let (mut at, mut times) = (*first, vec![]);
                while at != NONE {
                    let (delivery, next) = inbox.read(at);
                    times.push(delivery.time);
                    at = next;
                }
                (*neuron, times)
            };
            let lists: Vec<_> = inbox.lists().iter().map(times).collect();
            assert_eq!(
                lists,
                [(0, vec![20]), (2, vec![10, 20, 30]), (3, vec![])],
                "dense: {dense}"
            );
            inbox.clear();
            assert!(inbox.lists().is_empty() && inbox.is_empty());
        }
    }
}
