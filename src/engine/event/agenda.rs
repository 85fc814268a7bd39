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
}

impl Agenda {
    /// An empty one, for windows that last `width` (ps).
    pub fn new(width: i64) -> Self {
        Agenda {
            width,
            slots: Default::default(),
            count: 0,
            open: 0,
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

    /// Opens the window in which a time (ps) lies: gives those of it in order, of each neuron what is known last at the end.
    /// They come back by [`Agenda::close`], to be forgotten.
    pub fn open(&mut self, time: i64) -> Vec<(u32, Outlook)> {
        self.open = time.div_euclid(self.width);
        let mut entries = std::mem::take(&mut self.slots[slot(self.open)]);
        self.count -= entries.len();
        entries.sort_unstable_by_key(|(neuron, outlook)| (*neuron, outlook.since));
        entries
    }

    /// Takes back a list, for its memory.
    pub fn close(&mut self, mut entries: Vec<(u32, Outlook)>) {
        let slot = &mut self.slots[slot(self.open)];
        if slot.is_empty() {
            entries.clear();
            *slot = entries;
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
        for (neuron, time, since) in [(7, 25, 4), (3, 29, 6), (7, 20, 3), (3, 84, 7)] {
            agenda.push(neuron, time, known(since));
        }
        assert_eq!(agenda.next_time(), 20);
        let entries = agenda.open(22);
        let order: Vec<(u32, i64)> = entries.iter().map(|(n, o)| (*n, o.since)).collect();
        assert_eq!(order, [(3, 6), (7, 3), (7, 4)]);
        agenda.push(9, 23, known(8));
        agenda.close(entries);
        assert_eq!(agenda.next_time(), 20);
        assert_eq!(agenda.open(24).len(), 1);
        assert_eq!(agenda.next_time(), 80);
        agenda.forget();
        assert_eq!(agenda.open(80), [(3, Outlook::NONE)]);
    }
}
