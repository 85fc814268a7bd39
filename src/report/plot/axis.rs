//! One axis: what it counts, and which of its numbers are written.

use super::lettering::{TICK, label_width};
use super::scale::{Range, Scale};
use super::ticks::{self, Label, Tick, Ticks};
use crate::drawing as text;

/// The least distance of labelled ticks side by side, and of those above each other (pixels).
pub(super) const ACROSS: f64 = 64.0;
pub(super) const DOWN: f64 = 36.0;

/// How an axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Linear,
    Logarithmic,
    /// Whole numbers: the indices of cells.
    Cells,
}

/// An axis as asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis<'a> {
    pub(super) label: &'a str,
    pub(super) range: Range,
    pub(super) kind: Kind,
    /// Whether values grow downwards (for a vertical axis).
    pub(super) downwards: bool,
    /// Values at which something is written, and what; numbers at even distances if there are none.
    pub(super) named: &'a [(f64, String)],
}

impl<'a> Axis<'a> {
    /// A linear axis that grows rightwards or upwards.
    pub(super) fn linear(label: &'a str, range: Range) -> Self {
        Axis {
            label,
            range,
            kind: Kind::Linear,
            downwards: false,
            named: &[],
        }
    }

    /// The map from values to the pixels between `from` and `to`.
    pub(super) fn scale(&self, from: f64, to: f64) -> Scale {
        Scale::new(self.range, self.kind == Kind::Logarithmic, from, to)
    }

    /// Ticks about `apart` pixels from each other on a `length`; if cells are few, all are named.
    pub(super) fn ticks(&self, length: f64, apart: f64) -> Ticks {
        let count = ((length / apart) as usize).clamp(2, 12);
        match self.kind {
            Kind::Linear => ticks::linear(self.range, count, false),
            Kind::Logarithmic => ticks::logarithmic(self.range, count),
            Kind::Cells => {
                let cells = self.range.span();
                let few = cells <= 20.0 && cells * apart <= 2.5 * length;
                ticks::linear(
                    self.range,
                    if few { cells.ceil() as usize } else { count },
                    true,
                )
            }
        }
    }

    /// As many ticks as stand side by side with room between their labels.
    pub(super) fn fitting_ticks(&self, scale: &Scale, width: f64) -> Ticks {
        if !self.named.is_empty() {
            return self.named_ticks(scale, width);
        }
        let fits = |ticks: &Ticks| {
            let places: Vec<(f64, f64)> = ticks
                .major
                .iter()
                .filter_map(|t| Some((scale.place(t.value)?, label_width(&t.label))))
                .collect();
            let room = |w: &[(f64, f64)]| w[1].0 - w[0].0 - (w[0].1 + w[1].1) / 2.0;
            places.windows(2).all(|w| room(w) > 8.0)
        };
        let wider = [1.0, 1.25, 1.6, 2.0, 3.0, 4.0].map(|factor| factor * ACROSS);
        let mut tried = wider.into_iter().map(|apart| self.ticks(width, apart));
        tried.find(fits).unwrap_or_else(|| {
            let few = self.ticks(width, width);
            Ticks {
                major: few.major.into_iter().take(1).collect(),
                ..few
            }
        })
    }

    /// A tick at each value that has a name, bearing it.
    pub(super) fn names(&self) -> Ticks {
        let label = |base: &String| Label {
            base: base.clone(),
            exponent: String::new(),
        };
        let tick = |(value, name): &(f64, String)| Tick {
            value: *value,
            label: label(name),
        };
        Ticks {
            major: self.named.iter().map(tick).collect(),
            minor: Vec::new(),
        }
    }

    /// The values that have names; long names are shortened, and where they would meet, only the tick is left.
    fn named_ticks(&self, scale: &Scale, width: f64) -> Ticks {
        let room = (width / self.named.len() as f64 - 10.0).max(40.0);
        let mut named: Vec<&(f64, String)> = self.named.iter().collect();
        named.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ticks = Ticks::default();
        let mut end = f64::NEG_INFINITY;
        for (value, name) in named {
            let base = text::fit(name, TICK, room);
            let label = Label {
                base,
                exponent: String::new(),
            };
            let Some(place) = scale.place(*value) else {
                continue;
            };
            let half = label_width(&label) / 2.0;
            if place - half < end + 8.0 {
                ticks.minor.push(*value);
                continue;
            }
            end = place + half;
            ticks.major.push(Tick {
                value: *value,
                label,
            });
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_meet_leave_their_tick() {
        let named: Vec<(f64, String)> = (0..50)
            .map(|n| (f64::from(n), format!("value {n}")))
            .collect();
        let axis = Axis {
            named: &named,
            ..Axis::linear("", Range { lo: 0.0, hi: 49.0 })
        };
        let scale = axis.scale(0.0, 500.0);
        let ticks = axis.fitting_ticks(&scale, 500.0);
        assert_eq!(ticks.major.len() + ticks.minor.len(), 50);
        let places: Vec<f64> = ticks
            .major
            .iter()
            .filter_map(|t| scale.place(t.value))
            .collect();
        assert!(
            places.len() > 5 && places.windows(2).all(|w| w[1] - w[0] > 40.0),
            "{places:?}"
        );
    }

    #[test]
    fn long_numbers_leave_room_between_them() {
        let range = Range {
            lo: 123_456_700.0,
            hi: 123_456_800.0,
        };
        let axis = Axis::linear("", range);
        for width in [40.0, 90.0, 150.0, 300.0, 550.0, 1200.0] {
            let scale = axis.scale(0.0, width);
            let ticks = axis.fitting_ticks(&scale, width).major;
            let places: Vec<f64> = ticks.iter().filter_map(|t| scale.place(t.value)).collect();
            let widest = ticks
                .iter()
                .map(|t| label_width(&t.label))
                .fold(0.0, f64::max);
            assert!(!places.is_empty(), "{width}");
            assert!(
                places.windows(2).all(|w| w[1] - w[0] > widest),
                "{width}: {places:?}"
            );
        }
    }

    #[test]
    fn a_few_cells_are_all_named_and_many_are_not() {
        let cells = |n: f64| Axis {
            kind: Kind::Cells,
            ..Axis::linear(
                "",
                Range {
                    lo: -0.5,
                    hi: n - 0.5,
                },
            )
        };
        assert_eq!(cells(8.0).ticks(500.0, ACROSS).major.len(), 8);
        assert!(cells(128.0).ticks(500.0, ACROSS).major.len() < 10);
    }
}
