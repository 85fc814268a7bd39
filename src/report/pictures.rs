//! What the figures of several sections share.

use super::page::Figure;
use super::plot::{Canvas, Colours};

/// Matrices of more values than this are drawn one at a time, so that few are in memory.
pub(super) const SMALL: usize = 250_000;
/// Both columns of the page, higher than usual: for matrices with many rows.
pub(super) fn tall() -> Canvas {
    Canvas::new(Canvas::WIDE.width(), 440.0)
}

/// A figure of half the page.
pub(super) fn half(name: &str, caption: String, svg: String) -> Figure {
    Figure {
        name: name.to_owned(),
        caption,
        svg,
        ..Figure::default()
    }
}

/// A figure over the whole page.
pub(super) fn wide(name: &str, caption: String, svg: String) -> Figure {
    Figure {
        wide: true,
        ..half(name, caption, svg)
    }
}

/// The finite values' smallest and largest; none without any.
pub(super) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::NAN, f64::NAN), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (low <= high).then_some((low, high))
}

/// Colours about zero for values on both sides of it. A few slightly beyond it do not count: they would cost all others
/// half of the colours.
pub(super) fn colours(extent: Option<(f64, f64)>) -> Colours {
    match extent {
        Some((low, high)) if low < 0.0 && high > 0.0 && -low > 0.1 * high && high > -0.1 * low => {
            Colours::Diverging
        }
        _ => Colours::Sequential,
    }
}

/// At most `most` of the numbers below `length`, evenly spread, the last among them.
pub(super) fn spread(length: usize, most: usize) -> Vec<usize> {
    let Some(last) = length.checked_sub(1) else {
        return Vec::new();
    };
    match most {
        0 => Vec::new(),
        1 => vec![last],
        _ if length <= most => (0..length).collect(),
        _ => {
            let place = |i: usize| (i as u128 * last as u128 / (most - 1) as u128) as usize;
            (0..most).map(place).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_numbers_are_distinct_and_end_with_the_last() {
        for (length, most) in [(1, 30), (30, 30), (31, 30), (1000, 7), (usize::MAX, 3)] {
            let numbers = spread(length, most);
            assert_eq!(numbers.len(), length.min(most));
            assert_eq!(numbers.last(), Some(&(length - 1)));
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert!(spread(0, 5).is_empty());
        assert!(spread(5, 0).is_empty());
        assert_eq!(spread(5, 1), [4]);
    }

    #[test]
    fn colours_are_signed_only_where_both_signs_count() {
        assert_eq!(colours(Some((-1.0, 2.0))), Colours::Diverging);
        assert_eq!(colours(Some((-0.01, 2.0))), Colours::Sequential);
        assert_eq!(colours(Some((0.0, 2.0))), Colours::Sequential);
        assert_eq!(colours(None), Colours::Sequential);
    }

    #[test]
    fn extent_ignores_what_is_not_finite() {
        let values = [f64::NAN, 2.0, f64::INFINITY, -1.0];
        assert_eq!(extent(values), Some((-1.0, 2.0)));
        assert_eq!(extent([f64::NAN]), None);
    }
}
