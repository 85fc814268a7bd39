//! What has been emitted and the observer has not yet been told.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Observer;
use crate::engine::event::merge::merge;
use crate::engine::event::turn::Emitted;

/// What was emitted in a window: a sorted list of each partition.
pub(super) type Spikes = Arc<Vec<Vec<Emitted>>>;

/// Spikes that the observer is told of at once, before it is seen whether there is something more urgent: some µs.
const AT_ONCE: usize = 64;

/// More than so many are not kept waiting.
const MUCH: usize = 4096;

/// Windows whose spikes wait to be told, in order.
#[derive(Debug, Default)]
pub(super) struct Untold {
    windows: VecDeque<Spikes>,
    /// How many spikes they hold.
    waiting: usize,
    /// Those of the first window, in order; those before `told` have been told.
    first: Vec<Emitted>,
    told: usize,
}

impl Untold {
    /// Another window is over.
    pub fn add(&mut self, spikes: Spikes) {
        self.waiting += spikes.iter().map(Vec::len).sum::<usize>();
        self.windows.push_back(spikes);
    }

    /// Whether so many wait that it is time to tell them.
    pub fn is_much(&self) -> bool {
        self.waiting > MUCH
    }

    /// Tells the observer of the next ones; `false` if there was nothing to be done.
    pub fn tell_some(&mut self, observer: &mut dyn Observer) -> bool {
        if self.told < self.first.len() {
            let end = self.first.len().min(self.told + AT_ONCE);
            observer.spikes(&self.first[self.told..end]);
            self.told = end;
            return true;
        }
        let Some(lists) = self.windows.pop_front() else {
            return false;
        };
        merge(&lists, &mut self.first);
        self.told = 0;
        self.waiting -= self.first.len();
        true
    }

    /// Tells the observer of all.
    pub fn tell_all(&mut self, observer: &mut dyn Observer) {
        while self.tell_some(observer) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::turn::Signals;

    /// Remembers what it is told.
    #[derive(Default)]
    struct Ears(Vec<Emitted>);

    impl Observer for Ears {
        fn spikes(&mut self, emitted: &[Emitted]) {
            assert!(emitted.len() <= AT_ONCE);
            self.0.extend_from_slice(emitted);
        }
    }

    /// Spikes of a window from this time on, of every `parts`-th neuron from `part` on.
    fn list(time: i64, part: u32, parts: u32) -> Vec<Emitted> {
        let spike = |k| Emitted {
            time: time + i64::from(k % 7),
            neuron: k * parts + part,
            signals: Signals::SPIKE,
        };
        let mut list: Vec<Emitted> = (0..100).map(spike).collect();
        list.sort();
        list
    }

    #[test]
    fn all_is_told_once_and_in_order() {
        let mut untold = Untold::default();
        let mut ears = Ears::default();
        assert!(!untold.tell_some(&mut ears));
        for window in 0..5 {
            let lists = (0..3).map(|part| list(window * 10, part, 3)).collect();
            untold.add(Arc::new(lists));
            assert!(untold.tell_some(&mut ears));
        }
        assert!(!untold.is_much());
        untold.tell_all(&mut ears);
        assert!(!untold.tell_some(&mut ears));
        assert_eq!(ears.0.len(), 1500);
        assert!(ears.0.is_sorted());
    }

    #[test]
    fn much_is_noticed() {
        let mut untold = Untold::default();
        let full = MUCH / 100 + 1;
        (0..full).for_each(|window| untold.add(Arc::new(vec![list(window as i64, 0, 1)])));
        assert!(untold.is_much());
        untold.tell_all(&mut Ears::default());
        assert!(!untold.is_much());
    }
}
