//! What arrives at each neuron within a window, as lists in the order of time.

use std::ops::Range;

use super::radix::sort_by_high_half;
use super::time::NEVER;

/// What arrives at a synapse.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// When (ps).
    pub time: i64,
    /// The bits of the weight; of a plastic synapse its number, and the arrival's number above it.
    pub value: u64,
    /// The projection.
    pub projection: u32,
    /// The next delivery to the same neuron in the block, or [`NONE`].
    next: u32,
}

impl Delivery {
    /// What never arrives.
    const NEVER: Delivery = Delivery {
        time: NEVER,
        value: 0,
        projection: 0,
        next: NONE,
    };
}

/// No delivery.
pub const NONE: u32 = u32::MAX;

/// A neuron without a delivery that is to be run.
const TOUCHED: u32 = u32::MAX - 1;

/// Deliveries for each eighth neuron or more are linked by a table of neurons; fewer are sorted.
const DENSE: usize = 8;

/// log2 of the neurons of a block: their places in the table fit in the first-level cache, and what arrives at them in a
/// window in the second-level one.
const BLOCK_BITS: u32 = 12;

/// Neurons of a block.
const BLOCK: usize = 1 << BLOCK_BITS;

/// The deliveries of a window.
///
/// They are put in from the last to the first. If many are to come, each is appended to those of its block of neurons, and
/// the blocks are linked one after the other when their neurons are run: each goes in front of its neuron's list. Nothing
/// has to be sorted, and neither writing nor reading goes far, however many neurons there are. But a look at a table of
/// all neurons is dear if neurons are many and deliveries few. Then they are sorted by neuron, and no neuron costs
/// anything to which nothing happens.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    neurons: usize,
    /// Whether blocks are used in this window; else there is one, of all neurons, and `keys`.
    is_dense: bool,
    blocks: Vec<Block>,
    /// The block that is open.
    open: usize,
    /// For each neuron of the open block its first delivery, [`TOUCHED`] or [`NONE`].
    heads: Vec<u32>,
    /// Neurons above, and below what counts down with the deliveries; room to sort them.
    keys: Vec<u64>,
    spare: Vec<u64>,
    /// Neurons of the open block to be run and their first deliveries.
    lists: Vec<(u32, u32)>,
}

/// What arrives at some neurons.
#[derive(Debug, Clone, Default)]
struct Block {
    deliveries: Vec<Delivery>,
    /// Neurons to be run in any case.
    touched: Vec<u32>,
}

/// The deliveries of a block, by number.
#[derive(Debug, Clone, Copy)]
pub struct Deliveries<'i>(&'i [Delivery]);

impl<'i> Deliveries<'i> {
    /// A delivery and the number of the one after it.
    #[inline(always)]
    pub fn read(self, delivery: u32) -> (&'i Delivery, u32) {
        let delivery = &self.0[delivery as usize];
        (delivery, delivery.next)
    }

    /// The same, or what never arrives if there is none: without a question, since nobody can guess the answer.
    #[inline(always)]
    pub fn read_or_never(self, delivery: u32) -> (&'i Delivery, u32) {
        let delivery = self.0.get(delivery as usize).unwrap_or(&Delivery::NEVER);
        (delivery, delivery.next)
    }
}

impl Inbox {
    /// An empty inbox for so many neurons.
    pub fn new(neurons: usize) -> Self {
        Inbox {
            neurons,
            blocks: vec![Block::default(); neurons.div_ceil(BLOCK).max(1)],
            heads: vec![NONE; neurons.min(BLOCK)],
            ..Inbox::default()
        }
    }

    /// Puts a delivery in front of a neuron's list.
    #[inline(always)]
    pub fn push(&mut self, neuron: u32, time: i64, projection: u32, value: u64) {
        // Where lists are linked later, the place of the next one holds the neuron until then.
        let (block, next) = if self.is_dense {
            (neuron >> BLOCK_BITS, neuron)
        } else {
            let number = self.blocks[0].deliveries.len() as u32;
            self.keys.push(u64::from(neuron) << 32 | u64::from(!number));
            (0, NONE)
        };
        self.blocks[block as usize].deliveries.push(Delivery {
            time,
            value,
            projection,
            next,
        });
    }

    /// Makes sure that a neuron is run, with or without a delivery. No delivery comes after this.
    pub fn touch(&mut self, neuron: u32) {
        if self.is_dense {
            let block = &mut self.blocks[(neuron >> BLOCK_BITS) as usize];
            block.touched.push(neuron);
        } else {
            self.keys.push(u64::from(neuron) << 32);
        }
    }

    /// Blocks of the window.
    pub fn blocks(&self) -> usize {
        if self.is_dense { self.blocks.len() } else { 1 }
    }

    /// Opens a block: makes its lists, in the order of neurons. Gives the neurons that it is for.
    pub fn open(&mut self, block: usize) -> Range<u32> {
        self.open = block;
        self.lists.clear();
        if self.is_dense {
            self.gather();
            let first = block * BLOCK;
            first as u32..(first + BLOCK).min(self.neurons) as u32
        } else {
            sort_by_high_half(&mut self.keys, &mut self.spare, self.neurons);
            self.link();
            0..self.neurons as u32
        }
    }

    /// Makes the lists of the open block by the table, and clears it.
    fn gather(&mut self) {
        let first = (self.open * BLOCK) as u32;
        let Block {
            deliveries,
            touched,
        } = &mut self.blocks[self.open];
        for (number, delivery) in deliveries.iter_mut().enumerate() {
            let head = &mut self.heads[delivery.next as usize % BLOCK];
            delivery.next = std::mem::replace(head, number as u32);
        }
        for neuron in touched.drain(..) {
            let head = &mut self.heads[neuron as usize % BLOCK];
            if *head == NONE {
                *head = TOUCHED;
            }
        }
        for (neuron, head) in self.heads.iter_mut().enumerate() {
            if *head != NONE {
                let delivery = std::mem::replace(head, NONE);
                let delivery = if delivery == TOUCHED { NONE } else { delivery };
                self.lists.push((first + neuron as u32, delivery));
            }
        }
    }

    /// Makes the lists from sorted keys: of one neuron the first delivery comes first, after the key of a touch.
    fn link(&mut self) {
        let deliveries = &mut self.blocks[0].deliveries;
        let (mut last, mut previous) = (None, NONE);
        for key in &self.keys {
            let (neuron, delivery) = ((key >> 32) as u32, !(*key as u32));
            if last != Some(neuron) {
                self.lists.push((neuron, delivery));
                last = Some(neuron);
            } else if previous != NONE {
                deliveries[previous as usize].next = delivery;
            } else if let Some(list) = self.lists.last_mut() {
                list.1 = delivery;
            }
            previous = delivery;
        }
    }

    /// The deliveries of the open block.
    #[inline(always)]
    pub fn deliveries(&self) -> Deliveries<'_> {
        Deliveries(&self.blocks[self.open].deliveries)
    }

    /// Neurons of the open block that have to be run, in order and each once, with their first deliveries or [`NONE`].
    pub fn lists(&self) -> &[(u32, u32)] {
        &self.lists
    }

    /// Whether many neurons have deliveries.
    pub fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// Number of deliveries.
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|b| b.deliveries.len()).sum()
    }

    /// Whether nothing arrives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Empties it, keeping its memory. The next window will be like this one.
    pub fn clear(&mut self) {
        self.is_dense = self.len() > self.neurons / DENSE;
        self.blocks.iter_mut().for_each(|b| b.deliveries.clear());
        self.keys.clear();
        self.lists.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neurons with the times of their deliveries.
    fn lists(inbox: &Inbox) -> Vec<(u32, Vec<i64>)> {
        let times = |(neuron, first): &(u32, u32)| {
            let (mut at, mut times) = (*first, vec![]);
            while at != NONE {
                let (delivery, next) = inbox.deliveries().read(at);
                times.push(delivery.time);
                at = next;
            }
            (*neuron, times)
        };
        inbox.lists().iter().map(times).collect()
    }

    #[test]
    fn lists_are_in_order_when_put_in_from_the_last() {
        const FAR: u32 = BLOCK as u32 + 1;
        for neurons in [5, 2 * BLOCK] {
            let mut inbox = Inbox::new(neurons);
            let far = if neurons > BLOCK { FAR } else { 4 };
            let mut found = vec![];
            for window in 0..3 {
                // Many deliveries make the next window dense.
                let more = if window == 0 { neurons as i64 } else { 0 };
                for time in (0..more).rev() {
                    inbox.push(1, 40 + time, 0, 0);
                }
                for (neuron, time) in [(far, 30), (0, 20), (far, 20), (far, 10)] {
                    inbox.push(neuron, time, 0, 0);
                }
                for neuron in [3, far, 3] {
                    inbox.touch(neuron);
                }
                assert_eq!(
                    inbox.is_dense(),
                    window == 1 || (window == 2 && neurons == 5)
                );
                let mut all = vec![];
                for block in 0..inbox.blocks() {
                    let range = inbox.open(block);
                    let here = lists(&inbox);
                    assert!(here.iter().all(|(neuron, _)| range.contains(neuron)));
                    all.extend(here.into_iter().filter(|(neuron, _)| *neuron != 1));
                }
                found.push(all);
                inbox.clear();
                assert!(inbox.lists().is_empty() && inbox.is_empty());
            }
            let expected = vec![(0, vec![20]), (3, vec![]), (far, vec![10, 20, 30])];
            assert_eq!(found, vec![expected; 3], "{neurons} neurons");
        }
    }
}
