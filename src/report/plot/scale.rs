//! Ranges of data, and the map from data to pixels.

/// Magnitudes beyond this are treated as this, so that differences of values stay finite.
const HUGE: f64 = 1e300;
/// A span below this share of the magnitude is rounding, not data.
const FLAT: f64 = 1e-12;
/// A span below this is rounding whatever the magnitude; its ticks would be subnormal.
const TINY: f64 = 1e-290;

/// An interval of data values with `lo < hi`, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) lo: f64,
    pub(super) hi: f64,
}

impl Range {
    /// The range of the finite values, none if there are none. Constant data lies in the middle of its range.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Range> {
        let finite = values.into_iter().filter(|v| v.is_finite());
        let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
            (lo.min(v), hi.max(v))
        });
        (lo <= hi).then(|| Range::around(lo, hi))
    }

    /// The range given by a user: either order, finite; anything else counts as not given.
    pub(super) fn given(pair: Option<(f64, f64)>) -> Option<Range> {
        let (a, b) = pair.filter(|(a, b)| a.is_finite() && b.is_finite())?;
        Some(Range::around(a.min(b), a.max(b)))
    }

    fn around(lo: f64, hi: f64) -> Range {
        let (lo, hi) = (lo.clamp(-HUGE, HUGE), hi.clamp(-HUGE, HUGE));
        let magnitude = lo.abs().max(hi.abs());
        if hi - lo > TINY && hi - lo > FLAT * magnitude {
            return Range { lo, hi };
        }
        let middle = lo / 2.0 + hi / 2.0;
        let half = if magnitude > TINY {
            0.1 * magnitude
        } else {
            1.0
        };
        Range {
            lo: middle - half,
            hi: middle + half,
        }
    }

    /// The range as wide as the data is far from 0, with 0 in the middle.
    pub(super) fn symmetric(self) -> Range {
        let reach = self.lo.abs().max(self.hi.abs());
        Range {
            lo: -reach,
            hi: reach,
        }
    }

    /// Wider by `share` of its span on both sides, but not across 0: what cannot be negative should not look so.
    pub(super) fn padded(self, share: f64) -> Range {
        let pad = self.span() * share;
        let lo = if self.lo >= 0.0 {
            (self.lo - pad).max(0.0)
        } else {
            self.lo - pad
        };
        let hi = if self.hi <= 0.0 {
            (self.hi + pad).min(0.0)
        } else {
            self.hi + pad
        };
        Range { lo, hi }
    }

    /// Wider by `share` of its decades on both sides; for ranges of positive numbers.
    pub(super) fn padded_decades(self, share: f64) -> Range {
        let pad = 10f64.powf((self.hi.log10() - self.lo.log10()) * share);
        Range {
            lo: self.lo / pad,
            hi: self.hi * pad,
        }
    }

    /// The smallest range that holds both.
    pub(super) fn union(self, other: Range) -> Range {
        Range {
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
        }
    }

    /// Length of the interval.
    pub(super) fn span(self) -> f64 {
        self.hi - self.lo
    }

    /// Where `value` lies between the ends: 0 at `lo`, 1 at `hi`.
    pub(super) fn share(self, value: f64) -> f64 {
        (value - self.lo) / self.span()
    }
}

/// The map from a range of data to pixels along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    range: Range,
    log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// Maps `range.lo` to pixel `from` and `range.hi` to pixel `to`; a logarithmic range must be positive.
    pub(super) fn new(range: Range, log: bool, from: f64, to: f64) -> Scale {
        let log = log && range.lo > 0.0;
        let range = if log {
            Range {
                lo: range.lo.log10(),
                hi: range.hi.log10(),
            }
        } else {
            range
        };
        Scale {
            range,
            log,
            from,
            to,
        }
    }

    /// The pixel of `value`; none if it is not finite, or not positive on a logarithmic scale. Values far outside are held
    /// some lengths away, so that coordinates stay short.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let value = if self.log {
            value.log10()
        } else {
            value.clamp(-HUGE, HUGE)
        };
        let share = self.range.share(value).clamp(-8.0, 9.0);
        Some(self.from + share * (self.to - self.from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_a_span_whatever_the_data() {
        let cases: [&[f64]; 7] = [
            &[3.0],
            &[0.0, 0.0],
            &[-70.0, -70.0],
            &[1e308, -1e308],
            &[5e-324, 0.0],
            &[1.0, 1.0 + 1e-15],
            &[f64::NAN, 2.0, f64::INFINITY],
        ];
        for values in cases {
            let range = Range::of(values.iter().copied());
            assert!(
                range.is_some_and(|r| r.span() > 0.0 && r.span().is_finite()),
                "{values:?}"
            );
        }
        assert_eq!(Range::of([f64::NAN]), None);
        assert_eq!(Range::of([]), None);
    }

    #[test]
    fn padding_does_not_cross_zero() {
        let rates = Range { lo: 0.1, hi: 10.0 }.padded(0.05);
        assert!(rates.lo.abs() < 1e-300 && rates.hi > 10.0);
        let signed = Range { lo: -1.0, hi: 1.0 }.padded(0.05);
        assert!(signed.lo < -1.0 && signed.hi > 1.0);
    }

    #[test]
    fn each_decade_takes_the_same_length() {
        let scale = Scale::new(Range { lo: 1e-3, hi: 1e3 }, true, 0.0, 600.0);
        for (value, pixel) in [(1e-3, 0.0), (1e-2, 100.0), (1.0, 300.0), (1e3, 600.0)] {
            // log10 of a power of ten is exact to a few ulp; 600 px magnify that to well below 1e-9.
            assert!(
                scale.place(value).is_some_and(|p| (p - pixel).abs() < 1e-9),
                "{value}"
            );
        }
        assert_eq!(scale.place(0.0), None);
        assert_eq!(scale.place(f64::NAN), None);
    }
}
