//! What was emitted in a window, as lists of partitions and as one.

use super::turn::Emitted;
use crate::prefetch::prefetch;

/// Entries in a cache line.
const LINE: usize = 64 / size_of::<Emitted>();

/// Puts sorted lists together into one, which replaces what `into` held.
pub fn merge(lists: &[Vec<Emitted>], into: &mut Vec<Emitted>) {
    into.clear();
    // What another thread has written is in its caches.
    for list in lists {
        let lines = (0..list.len()).step_by(LINE);
        lines.for_each(|at| prefetch(list, at));
    }
    match lists {
        [] => {}
        [one] => into.extend_from_slice(one),
        [one, other, rest @ ..] => {
            merge_two(one, other, into);
            for list in rest {
                let before = std::mem::take(into);
                merge_two(&before, list, into);
            }
        }
    }
}

/// Merges without a question: which list is next nobody can guess.
fn merge_two(one: &[Emitted], other: &[Emitted], into: &mut Vec<Emitted>) {
    into.reserve(one.len() + other.len());
    let (mut at, mut at_other) = (0, 0);
    while let (Some(first), Some(second)) = (one.get(at), other.get(at_other)) {
        let takes_other = order(second) < order(first);
        into.push(if takes_other { *second } else { *first });
        at += usize::from(!takes_other);
        at_other += usize::from(takes_other);
    }
    into.extend_from_slice(&one[at..]);
    into.extend_from_slice(&other[at_other..]);
}

/// The order of what is emitted, as one number; times are not negative.
fn order(emitted: &Emitted) -> u128 {
    let what = u64::from(emitted.neuron) << u8::BITS | u64::from(emitted.signals.0);
    (emitted.time as u128) << u64::BITS | u128::from(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::turn::Signals;
    use crate::random::stream;
    use rand::RngExt;

    #[test]
    fn merged_lists_are_sorted_and_whole() {
        let mut random = stream(1, "merge", 0);
        for parts in 0..6 {
            let mut list = || {
                let length = random.random_range(0..50);
                let spike = |_| Emitted {
                    time: random.random_range(0..20),
                    neuron: random.random_range(0..5),
                    signals: Signals::SPIKE,
                };
                let mut list: Vec<Emitted> = (0..length).map(spike).collect();
                list.sort();
                list
            };
            let lists: Vec<Vec<Emitted>> = (0..parts).map(|_| list()).collect();
            let mut merged = lists.concat();
            let mut found = merged.clone();
            merged.sort();
            merge(&lists, &mut found);
            assert_eq!(found, merged);
        }
    }
}
