//! Thinning of long data to what a screen can show.

/// A point in pixels.
pub(super) type Point = (f64, f64);

/// The most points a line may keep; only lines that run to and fro (which columns cannot thin) come near it.
const MOST: usize = 20_000;

/// A run of neighbouring points in one pixel column: the first, the extremes and the last, each with its place in the order.
#[derive(Debug, Clone, Copy)]
struct Column {
    index: i64,
    count: usize,
    first: Point,
    low: (usize, Point),
    high: (usize, Point),
    last: (usize, Point),
}

impl Column {
    fn new(index: i64, point: Point) -> Self {
        Column {
            index,
            count: 1,
            first: point,
            low: (0, point),
            high: (0, point),
            last: (0, point),
        }
    }

    fn add(&mut self, point: Point) {
        let at = (self.count, point);
        self.count += 1;
        if point.1 < self.low.1.1 {
            self.low = at;
        }
        if point.1 > self.high.1.1 {
            self.high = at;
        }
        self.last = at;
    }

    fn write(&self, out: &mut Vec<Point>) {
        let mut kept = [(0, self.first), self.low, self.high, self.last];
        kept.sort_by_key(|(order, _)| *order);
        let mut before = None;
        for (order, point) in kept {
            if before != Some(order) {
                out.push(point);
            }
            before = Some(order);
        }
    }
}

/// Splits a line at its missing points and keeps, of each run of points in one pixel column, the first, the lowest, the
/// highest and the last: the drawing is the same to the pixel, its size bounded by the width.
pub(super) fn line(points: impl IntoIterator<Item = Option<Point>>) -> Vec<Vec<Point>> {
    let mut segments: Vec<Vec<Point>> = Vec::new();
    let mut segment: Vec<Point> = Vec::new();
    let mut column: Option<Column> = None;
    for point in points {
        let index = point.map(|(x, _)| x.floor() as i64);
        match (&mut column, point, index) {
            (Some(c), Some(p), Some(i)) if c.index == i => c.add(p),
            (current, p, i) => {
                if let Some(c) = current.take() {
                    c.write(&mut segment);
                }
                column = p.zip(i).map(|(p, i)| Column::new(i, p));
            }
        }
        if point.is_none() && !segment.is_empty() {
            segments.push(std::mem::take(&mut segment));
        }
    }
    if let Some(c) = column {
        c.write(&mut segment);
    }
    if !segment.is_empty() {
        segments.push(segment);
    }
    bounded(segments)
}

/// Every k-th point (and the last) of each segment, where columns were not enough; then every k-th segment.
fn bounded(mut segments: Vec<Vec<Point>>) -> Vec<Vec<Point>> {
    let excess = |segments: &[Vec<Point>]| {
        segments
            .iter()
            .map(Vec::len)
            .sum::<usize>()
            .div_ceil(MOST)
            .max(1)
    };
    // An odd stride sees both sides of a line that alternates.
    let stride = excess(&segments) | 1;
    for segment in &mut segments {
        let last = segment.len().saturating_sub(1);
        let mut i = 0;
        segment.retain(|_| {
            i += 1;
            (i - 1) % stride == 0 || i - 1 == last
        });
    }
    let stride = excess(&segments);
    segments.into_iter().step_by(stride).collect()
}

/// `count` indices below `total`, in order: one from each of `count` equal strata, at a place that only the stratum's number
/// decides. The same sample every time, and no beat with periodic data.
pub(super) fn sample(total: usize, count: usize) -> Vec<usize> {
    if total <= count {
        return (0..total).collect();
    }
    let stratum = |i: usize| (i as u128 * total as u128 / count as u128) as usize;
    (0..count)
        .map(|i| {
            let (from, to) = (stratum(i), stratum(i + 1));
            from + (scramble(i as u64) % (to - from).max(1) as u64) as usize
        })
        .collect()
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014, Fig. 16).
fn scramble(n: u64) -> u64 {
    let z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_keeps_every_extreme_of_every_column() {
        let n = 100_000;
        let wave = |i: usize| (scramble(i as u64) % 1000) as f64;
        let points: Vec<Point> = (0..n)
            .map(|i| (i as f64 * 500.0 / n as f64, wave(i)))
            .collect();
        let kept = line(points.iter().copied().map(Some)).concat();
        assert!(kept.len() <= 4 * 500, "{}", kept.len());
        for column in 0..500 {
            let within = |set: &[Point]| {
                let ys = set
                    .iter()
                    .filter(|p| p.0.floor() as i64 == column)
                    .map(|p| p.1);
                ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), y| {
                    (lo.min(y), hi.max(y))
                })
            };
            assert_eq!(within(&points), within(&kept), "column {column}");
        }
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
    }

    #[test]
    fn a_short_line_is_kept_as_it_is() {
        let points = [(0.0, 1.0), (10.0, 5.0), (20.0, -3.0)];
        assert_eq!(line(points.map(Some)), vec![points.to_vec()]);
    }

    #[test]
    fn a_missing_point_breaks_the_line() {
        let points = [
            Some((0.0, 1.0)),
            None,
            None,
            Some((0.1, 2.0)),
            Some((9.0, 3.0)),
            None,
        ];
        assert_eq!(
            line(points),
            vec![vec![(0.0, 1.0)], vec![(0.1, 2.0), (9.0, 3.0)]]
        );
        assert!(line([None, None]).is_empty());
    }

    #[test]
    fn a_line_to_and_fro_and_one_full_of_holes_stay_bounded() {
        let zigzag = (0..1_000_000).map(|i| Some((f64::from(i % 2) * 100.0, f64::from(i))));
        // The last point is kept besides.
        assert!(line(zigzag).concat().len() <= MOST + 1);
        let holes = (0..1_000_000).map(|i| (i % 2 == 0).then_some((f64::from(i) * 1e-3, 1.0)));
        assert!(line(holes).concat().len() <= MOST);
    }

    #[test]
    fn a_sample_has_no_repeats_and_covers_all_strata() {
        for (total, count) in [(5, 10), (4000, 4000), (4001, 4000), (1_000_000, 4000)] {
            let sample = sample(total, count);
            assert_eq!(sample.len(), total.min(count));
            assert!(sample.windows(2).all(|w| w[0] < w[1]), "{total}");
            assert!(sample.last().is_none_or(|&last| last < total));
        }
    }
}
