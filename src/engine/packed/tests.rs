//! Packed matrices against the matrices that they were.

use super::*;
use crate::engine::lanes::padded;
use crate::engine::{dense, outer};

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    use rand::RngExt;
    let mut stream = crate::random::stream(seed, "packed", 0);
    (0..n).map(|_| stream.random_range(-1.0..1.0)).collect()
}

/// A matrix whose padding is 0, and its padded length of a row.
fn matrix(rows: usize, length: usize) -> (Vec<f32>, usize) {
    let row = padded::<f32>(length);
    let mut values = numbers(rows * row, 1);
    for row in values.chunks_mut(row) {
        row[length..].fill(0.0);
    }
    (values, row)
}

const SIZES: [(usize, usize); 9] = [
    (1, 3),
    (3, 8),
    (4, 4),
    (100, 20),
    (103, 20),
    (7, 17),
    (9, 24),
    (6, 36),
    (5, 40),
];

#[test]
fn what_is_packed_comes_back() {
    for (rows, length) in SIZES {
        let (mut values, row) = matrix(rows, length);
        let before = values.clone();
        let mut packed = Packed::default();
        packed.fill((&mut values, row), length);
        assert!(packed.holds() && packed.values.len() <= rows.div_ceil(ROWS) * ROWS * row);
        values.fill(9.0);
        packed.unpack((&mut values, row));
        assert!(!packed.holds());
        for (found, expected) in values.chunks(row).zip(before.chunks(row)) {
            assert_eq!(found[..length], expected[..length]);
        }
    }
    for length in [9, 16, 30, 49, 100] {
        let (mut values, row) = matrix(4, length);
        let mut packed = Packed::default();
        packed.fill((&mut values, row), length);
        assert!(!packed.holds());
    }
}

#[test]
fn a_pass_is_that_of_the_matrix_as_it_was() {
    let arch = Arch::new();
    for (rows, length) in SIZES {
        let (mut values, row) = matrix(rows, length);
        let (by, pre) = (numbers(rows, 2), numbers(rows, 3));
        let mut post = numbers(row, 4);
        post[length..].fill(0.0);
        for (change, begun) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut packed = Packed::default();
            packed.pack(arch, (&mut values, row), length);
            assert_eq!(packed.holds(), arch.dispatch(Wide));
            if !packed.holds() {
                return;
            }
            let mut drive = numbers(row, 5);
            drive[length..].fill(0.0);
            let mut expected = drive.clone();
            if change {
                outer::add_outer(arch, &mut values, 0.0, &by, &post);
            }
            dense::deliver(arch, (&values, row), &pre, &mut expected, begun);
            let after = values.clone();
            arch.dispatch(Pass {
                packed: &mut packed,
                change: change.then_some((&by, &post)),
                pre: &pre,
                drive: &mut drive,
                begun,
            });
            packed.unpack((&mut values, row));
            assert_eq!((drive, &values), (expected, &after));
        }
    }
}
