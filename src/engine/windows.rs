//! Windows that cover maps: sums over them, their reverse, and who wins in each.

use pulp::Arch;

use crate::circuit::grid::{Tiling, TilingUse};
use crate::lang::vm::padded;

/// Adds what windows of all replicas' `pre` give, times `weight`, to their drives, which count as 0 unless they have
/// `begun`.
///
/// # Shape
/// `pre`, `drive`: a padded row for each replica.
pub fn deliver(arch: Arch, tiling: &Tiling, weight: f64, pre: &[f64], drive: (&mut [f64], bool)) {
    arch.dispatch(
        #[inline(always)]
        || deliver_in(tiling, weight, pre, drive),
    );
}

#[inline(always)]
fn deliver_in(tiling: &Tiling, weight: f64, pre: &[f64], (drive, begun): (&mut [f64], bool)) {
    let (fine, coarse) = (tiling.fine.size(), tiling.coarse().size());
    let (from, to) = match tiling.use_of {
        TilingUse::Pool => (fine, coarse),
        TilingUse::Spread => (coarse, fine),
        TilingUse::Winner => (fine, fine),
    };
    // What is spread covers all of the maps, and so do winners in windows of four.
    let four = tiling.use_of == TilingUse::Winner && tiling.window == [2, 2];
    let replaces = !begun && (tiling.use_of == TilingUse::Spread || four);
    if !begun && !replaces {
        drive.fill(0.0);
    }
    let rows = drive
        .chunks_exact_mut(padded(to))
        .zip(pre.chunks_exact(padded(from)));
    for (drive, pre) in rows {
        if replaces {
            drive[to..].fill(0.0);
        }
        let (drive, pre) = (&mut drive[..to], &pre[..from]);
        match tiling.use_of {
            TilingUse::Pool => pool(tiling, weight, pre, drive),
            TilingUse::Spread => spread(tiling, weight, pre, (drive, replaces)),
            TilingUse::Winner => winner(tiling, weight, pre, (drive, replaces)),
        }
    }
}

/// Rows of the fine maps, each with the rows of the coarse maps that they belong to, by number.
#[inline(always)]
fn pool(tiling: &Tiling, weight: f64, fine: &[f64], coarse: &mut [f64]) {
    let [height, width] = tiling.window;
    let bands = fine.chunks_exact(height * tiling.fine.width);
    let coarse_width = tiling.coarse().width;
    for (band, out) in bands.zip(coarse.chunks_exact_mut(coarse_width)) {
        for row in band.chunks_exact(tiling.fine.width) {
            if width == 2 {
                pool_pairs(weight, row, out);
                continue;
            }
            for (out, window) in out.iter_mut().zip(row.chunks_exact(width)) {
                *out += weight * window.iter().sum::<f64>();
            }
        }
    }
}

/// Windows that are looked at together: of so many the optimiser makes SIMD vectors.
const TOGETHER: usize = 4;

/// The left and the right number of each of some windows.
#[inline(always)]
fn sides(row: &[f64; 2 * TOGETHER]) -> [[f64; TOGETHER]; 2] {
    [0, 1].map(|side| std::array::from_fn(|i| row[2 * i + side]))
}

/// [`pool`] of a row of windows that are two wide.
#[inline(always)]
fn pool_pairs(weight: f64, row: &[f64], out: &mut [f64]) {
    let (some, rest) = row.as_chunks();
    let (out, out_rest) = out.as_chunks_mut::<TOGETHER>();
    for (out, row) in out.iter_mut().zip(some) {
        let [left, right] = sides(row);
        for i in 0..TOGETHER {
            out[i] += weight * (left[i] + right[i]);
        }
    }
    for (out, [left, right]) in out_rest.iter_mut().zip(rest.as_chunks().0) {
        *out += weight * (left + right);
    }
}

#[inline(always)]
fn spread(tiling: &Tiling, weight: f64, coarse: &[f64], (fine, replaces): (&mut [f64], bool)) {
    let [height, width] = tiling.window;
    let bands = fine.chunks_exact_mut(height * tiling.fine.width);
    for (band, from) in bands.zip(coarse.chunks_exact(tiling.coarse().width)) {
        for row in band.chunks_exact_mut(tiling.fine.width) {
            for (window, x) in row.chunks_exact_mut(width).zip(from) {
                let given = weight * x;
                if replaces {
                    window.fill(given);
                } else {
                    window.iter_mut().for_each(|out| *out += given);
                }
            }
        }
    }
}

#[inline(always)]
fn winner(tiling: &Tiling, weight: f64, pre: &[f64], (out, replaces): (&mut [f64], bool)) {
    let ([height, width], row) = (tiling.window, tiling.fine.width);
    let bands = out.chunks_exact_mut(height * row);
    for (out, pre) in bands.zip(pre.chunks_exact(height * row)) {
        if [height, width] == [2, 2] {
            let (pre, out) = (pre.split_at(row), out.split_at_mut(row));
            match replaces {
                true => winner_of_four::<true>(weight, pre, out),
                false => winner_of_four::<false>(weight, pre, out),
            }
            continue;
        }
        for first in (0..row).step_by(width) {
            let mut best = first;
            for y in 0..height {
                for at in y * row + first..y * row + first + width {
                    best = if pre[at] > pre[best] { at } else { best };
                }
            }
            out[best] += weight;
        }
    }
}

/// [`winner`] of two rows of windows of 2 × 2, without branches; it replaces what was there, or adds to it.
#[inline(always)]
fn winner_of_four<const REPLACES: bool>(
    weight: f64,
    pre: (&[f64], &[f64]),
    out: (&mut [f64], &mut [f64]),
) {
    let ((top, top_rest), (bottom, bottom_rest)) = (pre.0.as_chunks(), pre.1.as_chunks());
    let (to_top, to_top_rest) = out.0.as_chunks_mut::<{ 2 * TOGETHER }>();
    let (to_bottom, to_bottom_rest) = out.1.as_chunks_mut::<{ 2 * TOGETHER }>();
    let pre = top.iter().zip(bottom);
    for ((top, bottom), (to_top, to_bottom)) in pre.zip(to_top.iter_mut().zip(to_bottom)) {
        let ([a, b], [c, d]) = (sides(top), sides(bottom));
        let mut won = [[0.0; TOGETHER]; 4];
        for i in 0..TOGETHER {
            let share = |wins: bool| if wins { weight } else { 0.0 };
            let (a, b, c, d) = (a[i], b[i], c[i], d[i]);
            won[0][i] = share((a >= b) & (a >= c) & (a >= d));
            won[1][i] = share((b > a) & (b >= c) & (b >= d));
            won[2][i] = share((c > a) & (c > b) & (c >= d));
            won[3][i] = share((d > a) & (d > b) & (d > c));
        }
        for (row, out) in [to_top, to_bottom].into_iter().enumerate() {
            let won: [f64; 2 * TOGETHER] = std::array::from_fn(|i| won[2 * row + i % 2][i / 2]);
            if REPLACES {
                *out = won;
            } else {
                out.iter_mut().zip(won).for_each(|(out, won)| *out += won);
            }
        }
    }
    let pre = (top_rest, bottom_rest);
    winner_of_one::<REPLACES>(weight, pre, (to_top_rest, to_bottom_rest));
}

/// [`winner_of_four`], one window after the other.
#[inline(always)]
fn winner_of_one<const REPLACES: bool>(
    weight: f64,
    pre: (&[f64], &[f64]),
    out: (&mut [f64], &mut [f64]),
) {
    let pre = pre.0.as_chunks().0.iter().zip(pre.1.as_chunks().0);
    let out = out
        .0
        .as_chunks_mut()
        .0
        .iter_mut()
        .zip(out.1.as_chunks_mut().0);
    for ((&[a, b], &[c, d]), ([to_a, to_b], [to_c, to_d])) in pre.zip(out) {
        let give = |to: &mut f64, wins: bool| {
            let share = if wins { weight } else { 0.0 };
            *to = if REPLACES { share } else { *to + share };
        };
        give(to_a, (a >= b) & (a >= c) & (a >= d));
        give(to_b, (b > a) & (b >= c) & (b >= d));
        give(to_c, (c > a) & (c > b) & (c >= d));
        give(to_d, (d > a) & (d > b) & (d > c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::grid::Grid;

    fn tiling(use_of: TilingUse) -> Tiling {
        let fine = Grid {
            channels: 1,
            height: 2,
            width: 4,
            dimensions: 2,
        };
        Tiling {
            fine,
            window: [2, 2],
            use_of,
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "weights are copied")]
    fn windows_side_by_side_have_the_same_winners() {
        let fine = Grid {
            width: 20,
            ..tiling(TilingUse::Winner).fine
        };
        let tiling = Tiling {
            fine,
            ..tiling(TilingUse::Winner)
        };
        let pre: Vec<f64> = (0..40).map(|k| f64::from((k * k * 7) % 11)).collect();
        for begun in [false, true] {
            let mut won = [2.0; 40];
            deliver(Arch::new(), &tiling, 3.0, &pre, (&mut won, begun));
            let before = if begun { 2.0 } else { 0.0 };
            for window in 0..10 {
                let places = [0, 1, 20, 21].map(|place| place + 2 * window);
                let most = places
                    .map(|place| pre[place])
                    .into_iter()
                    .fold(f64::MIN, f64::max);
                let first = places.into_iter().find(|place| pre[*place] == most);
                for place in places {
                    let share = if Some(place) == first { 3.0 } else { 0.0 };
                    assert_eq!(won[place], before + share);
                }
            }
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
    fn windows_pool_spread_and_have_one_winner() {
        let fine = [1.0, 2.0, 7.0, 7.0, 3.0, 4.0, 7.0, 5.0];
        let mut coarse = [10.0; 8];
        deliver(
            Arch::new(),
            &tiling(TilingUse::Pool),
            0.5,
            &fine,
            (&mut coarse, true),
        );
        assert_eq!(coarse[..2], [15.0, 23.0]);
        let mut spread = [1.0; 8];
        let two = [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        deliver(
            Arch::new(),
            &tiling(TilingUse::Spread),
            2.0,
            &two,
            (&mut spread, false),
        );
        assert_eq!(spread, [2.0, 2.0, 4.0, 4.0, 2.0, 2.0, 4.0, 4.0]);
        let mut won = [0.0; 8];
        deliver(
            Arch::new(),
            &tiling(TilingUse::Winner),
            1.0,
            &fine,
            (&mut won, false),
        );
        // Of equals the first.
        assert_eq!(won, [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
