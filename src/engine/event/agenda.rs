//! Neurons that have to be looked at within the next few windows, and what is known of them.
//!
//! Most neurons that wait at all wait for a threshold crossing that comes soon. They are put into lists, one for each of
//! the next windows; an entry whose neuron has been reached by something meanwhile is found out when it is looked at.

use super::time::NEVER;
use super::turn::Outlook;

/// Windows that the agenda reaches ahead.
pub const REACH: i64 = 8;

/// Lists: one for each window ahead, and one for that which is open.
const SLOTS: usize = REACH as usize + 1;

/// What is known of the neurons of a window.
#[derive(Debug)]
pub struct Known {
    /// As they were put in: of each neuron what is known last comes last.
    entries: Vec<(u32, Outlook)>,
    /// Neurons above, and the number of the entry below; sorted.
    order: Vec<u64>,
    /// How many have been taken.
    at: usize,
}

impl Known {
    /// All neurons, in order; some more than once.
    pub fn neurons(&self) -> impl Iterator<Item = u32> {
        self.order.iter().map(|key| (key >> 32) as u32)
    }

    /// What is known of a neuron; neurons must be asked for in order.
    #[inline(always)]
    pub fn of(&mut self, neuron: u32) -> Outlook {
        let mut outlook = Outlook::NONE;
        while let Some(key) = self
            .order
            .get(self.at)
            .filter(|k| **k >> 32 <= u64::from(neuron))
        {
            outlook = self.entries[*key as u32 as usize].1;
            self.at += 1;
        }
        outlook
    }
}

/// The agenda.
#[derive(Debug, Clone)]
pub struct Agenda {
    /// Length of a window (ps).
    width: i64,
    /// By the number of the window, modulo their number.
    slots: [Vec<(u32, Outlook)>; SLOTS],
    /// Entries.
    count: usize,
    /// Number of the last window that was opened.
    open: i64,
    /// Room to sort.
    order: Vec<u64>,
}

impl Agenda {
    /// An empty one, for windows that last `width` (ps).
    pub fn new(width: i64) -> Self {
        Agenda {
            width,
            slots: Default::default(),
            count: 0,
            open: 0,
            order: vec![],
        }
    }

    /// Notes a neuron that has to be looked at at a time (ps), no more than [`REACH`] windows after that which is open.
    #[inline(always)]
    pub fn push(&mut self, neuron: u32, time: i64, outlook: Outlook) {
        let window = time.div_euclid(self.width);
        debug_assert!((self.open..=self.open + REACH).contains(&window));
        self.slots[slot(window)].push((neuron, outlook));
        self.count += 1;
    }

    /// Opens the window in which a time (ps) lies: gives what is known of the neurons of it. It comes back by
    /// [`Agenda::close`], to be forgotten.
    pub fn open(&mut self, time: i64) -> Known {
        self.open = time.div_euclid(self.width);
        let entries = std::mem::take(&mut self.slots[slot(self.open)]);
        self.count -= entries.len();
        let mut order = std::mem::take(&mut self.order);
        let key =
            |(at, (neuron, _)): (usize, &(u32, Outlook))| u64::from(*neuron) << 32 | at as u64;
        order.extend(entries.iter().enumerate().map(key));
        // Neurons are in order within what a window has put in: few long runs, which are merged.
        order.sort();
        Known {
            entries,
            order,
            at: 0,
        }
    }

    /// Takes back a list, for its memory.
    pub fn close(&mut self, mut known: Known) {
        known.order.clear();
        self.order = known.order;
        let slot = &mut self.slots[slot(self.open)];
        if slot.is_empty() {
            known.entries.clear();
            *slot = known.entries;
        }
    }

    /// When the first window with an entry begins (ps); [`NEVER`] if there is none.
    pub fn next_time(&self) -> i64 {
        if self.count == 0 {
            return NEVER;
        }
        let window = (self.open..=self.open + REACH).find(|w| !self.slots[slot(*w)].is_empty());
        window.map_or(NEVER, |window| window.saturating_mul(self.width))
    }

    /// Nothing is known any more of the neurons.
    pub fn forget(&mut self) {
        for (_, outlook) in self.slots.iter_mut().flatten() {
            *outlook = Outlook::NONE;
        }
    }
}

/// The place of a window.
#[inline(always)]
fn slot(window: i64) -> usize {
    window.rem_euclid(SLOTS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_last_comes_last() {
        let known = |since| Outlook {
            since,
            ..Outlook::NONE
        };
        let mut agenda = Agenda::new(10);
        assert_eq!(agenda.next_time(), NEVER);
        for (neuron, time, since) in [(7, 25, 3), (3, 29, 6), (7, 20, 4), (3, 84, 7)] {
            agenda.push(neuron, time, known(since));
        }
        assert_eq!(agenda.next_time(), 20);
        let mut entries = agenda.open(22);
        assert_eq!(entries.neurons().collect::<Vec<_>>(), [3, 7, 7]);
        assert_eq!(
            [2, 3, 5, 7].map(|n| entries.of(n).since),
            [i64::MIN, 6, i64::MIN, 4]
        );
        agenda.push(9, 23, known(8));
        agenda.close(entries);
        assert_eq!(agenda.next_time(), 20);
        assert_eq!(agenda.open(24).neurons().count(), 1);
        assert_eq!(agenda.next_time(), 80);
        agenda.forget();
        assert_eq!(agenda.open(80).of(3), Outlook::NONE);
    }
}
