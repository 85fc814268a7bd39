//! What arrives at each neuron within a window, as lists in the order of time.

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

/// The deliveries of a window.
///
/// They are put in from the last to the first, each in front of its neuron's list: the lists are then in order, and
/// nothing has to be sorted.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    /// Each neuron's first delivery, or [`NONE`].
    heads: Vec<u32>,
    deliveries: Vec<Delivery>,
    /// Neurons with a delivery, in the order in which they got their first.
    touched: Vec<u32>,
}

impl Inbox {
    /// An empty inbox for so many neurons.
    pub fn new(neurons: usize) -> Self {
        Inbox {
            heads: vec![NONE; neurons],
            ..Inbox::default()
        }
    }

    /// Puts a delivery in front of a neuron's list.
    #[inline(always)]
    pub fn push(&mut self, neuron: u32, time: i64, projection: u32, value: u64) {
        let head = &mut self.heads[neuron as usize];
        if *head == NONE {
            self.touched.push(neuron);
        }
        let next = std::mem::replace(head, self.deliveries.len() as u32);
        self.deliveries.push(Delivery {
            time,
            value,
            projection,
            next,
        });
    }

    /// Makes sure that a neuron is among the touched ones, with or without a delivery.
    pub fn touch(&mut self, neuron: u32) {
        if self.heads[neuron as usize] == NONE {
            self.touched.push(neuron);
        }
    }

    /// A neuron's first delivery, or [`NONE`].
    #[inline(always)]
    pub fn first(&self, neuron: u32) -> u32 {
        self.heads[neuron as usize]
    }

    /// A delivery and the number of the one after it.
    #[inline(always)]
    pub fn read(&self, delivery: u32) -> (&Delivery, u32) {
        let delivery = &self.deliveries[delivery as usize];
        (delivery, delivery.next)
    }

    /// Puts the neurons that have to be run in order, each once.
    pub fn sort(&mut self) {
        if self.touched.len() > self.heads.len() / 8 {
            // Nearly all: it is faster to look at every head than to sort. Those without a delivery are few.
            let heads = &self.heads;
            self.touched
                .retain(|neuron| heads[*neuron as usize] == NONE);
            let with = |(neuron, head): (usize, &u32)| (*head != NONE).then_some(neuron as u32);
            self.touched
                .extend(heads.iter().enumerate().filter_map(with));
        }
        // Sorted runs are found.
        self.touched.sort();
        self.touched.dedup();
    }

    /// Neurons that have to be run.
    pub fn neurons(&self) -> &[u32] {
        &self.touched
    }

    /// Number of deliveries.
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Whether nothing arrives.
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        for neuron in &self.touched {
            self.heads[*neuron as usize] = NONE;
        }
        self.touched.clear();
        self.deliveries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order_when_put_in_from_the_last() {
        let mut inbox = Inbox::new(4);
        for (neuron, time) in [(2, 30), (0, 20), (2, 20), (2, 10)] {
            inbox.push(neuron, time, 0, 0);
        }
        inbox.touch(3);
        inbox.touch(2);
        let times = |inbox: &Inbox, neuron: u32| {
            let (mut at, mut times) = (inbox.first(neuron), vec![]);
            while at != NONE {
                let (delivery, next) = inbox.read(at);
                times.push(delivery.time);
                at = next;
            }
            times
        };
        assert_eq!(times(&inbox, 2), [10, 20, 30]);
        assert_eq!(times(&inbox, 0), [20]);
        inbox.sort();
        assert_eq!(inbox.neurons(), [0, 2, 3]);
        inbox.clear();
        assert_eq!(inbox.first(2), NONE);
        assert!(inbox.neurons().is_empty() && inbox.is_empty());
    }
}
