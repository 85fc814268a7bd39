//! Matrices turned round by shuffles: of what lies in the first half and in the second one, one number each in turn. A matrix of
//! 2ᵏ rows is turned round by k of them (Stone 1971, Parallel processing with the perfect shuffle), and each is a pass of whole SIMD vectors.

/// Turns `from`, a matrix of so many rows, round; the result is in one of the two rooms, which are of one length.
///
/// `rows` is a power of two.
#[inline(always)]
pub fn columns_first<'a, T: Copy>(
    mut from: &'a mut [T],
    mut to: &'a mut [T],
    rows: usize,
) -> &'a [T] {
    for _ in 0..rows.trailing_zeros() {
        riffle(from, to);
        std::mem::swap(&mut from, &mut to);
    }
    from
}

/// Undoes [`columns_first`]: `from` becomes a matrix of so many rows, in one of the two rooms.
#[inline(always)]
pub fn rows_first<'a, T: Copy>(
    from: &[T],
    mut to: &'a mut [T],
    mut other: &'a mut [T],
    rows: usize,
) -> &'a [T] {
    if rows < 2 {
        to.copy_from_slice(from);
        return to;
    }
    deal(from, to);
    for _ in 1..rows.trailing_zeros() {
        deal(to, other);
        std::mem::swap(&mut to, &mut other);
    }
    to
}

/// Numbers that lie in SIMD vectors while they are shuffled: of so many the optimiser knows how.
const BLOCK: usize = 16;

/// Puts numbers of the first half and of the second one in turns.
#[inline(always)]
fn riffle<T: Copy>(from: &[T], to: &mut [T]) {
    let (first, second) = from.split_at(from.len() / 2);
    let ((first, a), (second, b)) = (first.as_chunks::<BLOCK>(), second.as_chunks::<BLOCK>());
    let (pairs, _) = to.as_chunks_mut::<2>();
    let (blocks, pairs) = pairs.as_chunks_mut::<BLOCK>();
    for ((out, a), b) in blocks.iter_mut().zip(first).zip(second) {
        *out = std::array::from_fn(|i| [a[i], b[i]]);
    }
    for ((out, a), b) in pairs.iter_mut().zip(a).zip(b) {
        *out = [*a, *b];
    }
}

/// Undoes [`riffle`].
#[inline(always)]
fn deal<T: Copy>(from: &[T], to: &mut [T]) {
    let (first, second) = to.split_at_mut(from.len() / 2);
    let (first, a) = first.as_chunks_mut::<BLOCK>();
    let (second, b) = second.as_chunks_mut::<BLOCK>();
    let (pairs, _) = from.as_chunks::<2>();
    let (blocks, pairs) = pairs.as_chunks::<BLOCK>();
    for ((block, a), b) in blocks.iter().zip(first).zip(second) {
        *a = block.map(|pair| pair[0]);
        *b = block.map(|pair| pair[1]);
    }
    for ((pair, a), b) in pairs.iter().zip(a).zip(b) {
        [*a, *b] = *pair;
    }
}

/// The largest power of two in `n`, at most `most`, which is one.
#[inline(always)]
pub fn power(n: usize, most: usize) -> usize {
    most.min(1 << n.max(1).ilog2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_turned_round_and_back() {
        for (rows, columns) in [(1, 5), (2, 3), (8, 1), (16, 7)] {
            let matrix: Vec<usize> = (0..rows * columns).collect();
            let (mut a, mut b) = (matrix.clone(), matrix.clone());
            let turned = columns_first(&mut a, &mut b, rows).to_vec();
            for (at, x) in turned.iter().enumerate() {
                assert_eq!(*x, at % rows * columns + at / rows);
            }
            assert_eq!(rows_first(&turned, &mut a, &mut b, rows), matrix);
        }
        assert_eq!([1, 5, 16, 40].map(|n| power(n, 16)), [1, 4, 16, 16]);
    }
}
