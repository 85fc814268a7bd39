//! Sorting by the high half of a word: a radix sort where numbers are many, a comparison sort where they are few.
//! And sorting what neurons emit by words that stand for it.

use super::turn::Emitted;

/// Bits of a digit: a table of counts fits in the first-level cache.
const BITS: u32 = 10;

/// Fewer numbers are compared with each other, since a table of counts has to be cleared and summed.
const FEW: usize = 192;

/// Sorts words by their high halves, which are below `limit`; words of equal high halves must be there from the highest
/// to the lowest and come out from the lowest to the highest. `spare` is room that is kept.
pub(super) fn sort_by_high_half(words: &mut Vec<u64>, spare: &mut Vec<u64>, limit: usize) {
    if words.len() < FEW {
        words.sort_unstable();
        return;
    }
    // Each pass keeps or turns the order of equals; all of them together turn it.
    let bits = usize::BITS - limit.leading_zeros();
    let passes = bits.div_ceil(BITS).max(1);
    spare.resize(words.len(), 0);
    for pass in 0..passes {
        distribute(words, spare, 32 + pass * BITS, pass == 0);
        std::mem::swap(words, spare);
    }
}

/// Puts words into the order of a digit, those with an equal one as they are, or turned round.
fn distribute(from: &[u64], to: &mut [u64], shift: u32, turned: bool) {
    let digit = |word: u64| (word >> shift) as usize & ((1 << BITS) - 1);
    let mut places = [0_u32; 1 << BITS];
    for word in from {
        places[digit(*word)] += 1;
    }
    let mut sum = 0;
    for place in &mut places {
        sum += std::mem::replace(place, sum);
    }
    let mut put = |word: u64| {
        let place = &mut places[digit(word)];
        to[*place as usize] = word;
        *place += 1;
    };
    if turned {
        from.iter().rev().for_each(|word| put(*word));
    } else {
        from.iter().for_each(|word| put(*word));
    }
}

/// Fewer are moved about as they are.
const SHORT: usize = 16;

/// Sorts what neurons have emitted from `start` (ps) on, each neuron in the order of time. Times are compared as words, with
/// the place below: a third of the memory, and no question of neurons.
pub(super) fn sort_emitted(
    emitted: &mut Vec<Emitted>,
    (keys, spare): (&mut Vec<u64>, &mut Vec<Emitted>),
    start: i64,
) {
    let wait = |one: &Emitted| (one.time - start) as u64;
    if emitted.len() < SHORT || emitted.iter().any(|one| wait(one) >> 32 != 0) {
        emitted.sort_unstable();
        return;
    }
    keys.clear();
    let key = |(at, one): (usize, &Emitted)| wait(one) << 32 | at as u64;
    keys.extend(emitted.iter().enumerate().map(key));
    keys.sort_unstable();
    spare.clear();
    spare.extend(keys.iter().map(|key| emitted[*key as u32 as usize]));
    std::mem::swap(emitted, spare);
    // What one neuron emits at one time may still have to change places.
    if !emitted.is_sorted() {
        emitted.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn agrees_with_a_comparison_sort() {
        let mut stream = crate::random::stream(5, "radix", 0);
        for (count, limit) in [(10, 5), (1000, 7), (5000, 1024), (3000, 3_000_000)] {
            let mut low = u64::from(u32::MAX);
            let mut word = |_| {
                low -= 1;
                (stream.random_range(0..limit as u64) << 32) | low
            };
            let mut words: Vec<u64> = (0..count).map(&mut word).collect();
            let mut expected = words.clone();
            expected.sort_unstable();
            let mut spare = Vec::new();
            sort_by_high_half(&mut words, &mut spare, limit);
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn what_is_emitted_is_sorted_as_if_compared() {
        use crate::engine::event::turn::Signals;
        let mut stream = crate::random::stream(6, "emitted", 0);
        let (mut keys, mut spare) = (vec![], vec![]);
        for (count, width) in [
            (5, 10),
            (200, 20),
            (300, 1_500_000_000),
            (50, 9_000_000_000),
        ] {
            let one = |neuron: u32| Emitted {
                time: 7 + stream.random_range(0..width),
                neuron: neuron / 3,
                signals: [Signals::PLATEAU, Signals::SPIKE][neuron as usize % 2],
            };
            let mut emitted: Vec<Emitted> = (0..count).map(one).collect();
            let mut expected = emitted.clone();
            expected.sort();
            sort_emitted(&mut emitted, (&mut keys, &mut spare), 7);
            assert_eq!(emitted, expected);
        }
    }
}
