//! Deviates in single precision of which only those that are read are computed.

use pulp::{Arch, Simd, WithSimd};

use super::{NORMALS_PER_TURN, Normals, WIDTH, box_muller, next};
use crate::vector::{Aligned, Singles};

/// The next deviates of a sequence in single precision. Random words are kept; their deviates are computed when they are asked
/// for.
#[derive(Debug, Clone, Default)]
pub struct LazyNormals {
    /// Turn after turn.
    words: Aligned<u64>,
    /// Turn after turn, deviates; those that nobody asked for are of an earlier draw, or 0.
    values: Singles,
    /// Where the sequence goes on.
    start: usize,
    /// Turns up to which deviates have been asked for.
    asked: usize,
}

impl LazyNormals {
    /// Takes the next `n` deviates of a source, which goes on as if they had been computed; `beyond` more numbers can be
    /// read, which mean nothing.
    pub fn draw(&mut self, normals: &mut Normals, arch: Arch, n: usize, beyond: usize) {
        self.start = NORMALS_PER_TURN - normals.left;
        let end = self.start + n;
        let turns = end.div_ceil(NORMALS_PER_TURN).max(1);
        let length = (end + beyond).next_multiple_of(NORMALS_PER_TURN);
        self.values
            .resize(length.max(turns * NORMALS_PER_TURN), 0.0);
        // Room for as many turns, so that the next draw allocates nothing either.
        self.words
            .resize(self.values.len() / NORMALS_PER_TURN * WIDTH, 0);
        // What is left over from the last turn comes first.
        for (value, rest) in self.values.iter_mut().zip(&normals.rest) {
            *value = *rest as f32;
        }
        self.asked = 1;
        arch.dispatch(Draw {
            state: &mut normals.state,
            words: &mut self.words[WIDTH..turns * WIDTH],
        });
        normals.left = turns * NORMALS_PER_TURN - end;
        if turns > 1 && normals.left > 0 {
            let mut rest = [0.0; NORMALS_PER_TURN];
            arch.dispatch(Compute {
                words: &self.words[(turns - 1) * WIDTH..turns * WIDTH],
                values: &mut rest,
            });
            normals.rest = rest.map(f64::from);
        }
    }

    /// Computes the deviates from the `from`-th to the one before the `to`-th. Calls must go forwards.
    #[inline(always)]
    pub fn ask<S: Simd>(&mut self, simd: S, from: usize, to: usize) {
        let first = ((self.start + from) / NORMALS_PER_TURN).max(self.asked);
        let end = (self.start + to).div_ceil(NORMALS_PER_TURN);
        if first < end {
            simd.vectorize(Compute {
                words: &self.words[first * WIDTH..end * WIDTH],
                values: &mut self.values[first * NORMALS_PER_TURN..end * NORMALS_PER_TURN],
            });
            self.asked = end;
        }
    }

    /// Deviates from the `from`-th to the one before the `to`-th.
    #[inline(always)]
    pub fn get(&self, from: usize, to: usize) -> &[f32] {
        &self.values[self.start + from..self.start + to]
    }
}

/// Makes random words.
struct Draw<'a> {
    state: &'a mut [[u64; WIDTH]; 4],
    words: &'a mut [u64],
}

impl WithSimd for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut state = *self.state;
        for words in self.words.as_chunks_mut::<WIDTH>().0 {
            *words = next(&mut state);
        }
        *self.state = state;
    }
}

/// Makes deviates of random words.
struct Compute<'a> {
    words: &'a [u64],
    values: &'a mut [f32],
}

impl WithSimd for Compute<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let turns = self.values.as_chunks_mut::<NORMALS_PER_TURN>().0;
        for (turn, words) in turns.iter_mut().zip(self.words.as_chunks::<WIDTH>().0) {
            let (first, second) = box_muller(words);
            turn[..WIDTH].copy_from_slice(&first);
            turn[WIDTH..].copy_from_slice(&second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is skipped, and however many are taken at a time.
    #[test]
    fn deviates_that_are_asked_for_are_those_of_the_sequence() {
        let mut whole = vec![0.0; 2000];
        Normals::new(3, "x", 0).fill(Arch::new(), &mut whole);
        let mut normals = Normals::new(3, "x", 0);
        let mut lazy = LazyNormals::default();
        let mut at = 0;
        for size in [1, 7, 32, 31, 33, 100, 0, 64, 232, 500] {
            lazy.draw(&mut normals, Arch::new(), size, 8);
            let mut from = 0;
            for step in [3, 40, 1, 8, 64, 90] {
                let to = from + step;
                if to > size {
                    break;
                }
                if step % 2 == 0 {
                    lazy.ask(pulp::Scalar::new(), from, to);
                    for (found, expected) in lazy.get(from, to).iter().zip(&whole[at + from..]) {
                        assert_eq!(f64::from(*found).to_bits(), expected.to_bits());
                    }
                }
                from = to;
            }
            assert_eq!(lazy.get(0, size + 8).len(), size + 8);
            at += size;
        }
        let mut rest = vec![0.0; 1000];
        normals.fill(Arch::new(), &mut rest);
        assert_eq!(rest, whole[at..at + 1000]);
    }
}
