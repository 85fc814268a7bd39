//! Where the ticks of an axis stand, and what is written at them.

use super::scale::Range;

/// A tick and its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: Label,
}

/// A number as written: `base`, and for a power of ten a raised `exponent` (else empty).
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Label {
    pub(super) base: String,
    pub(super) exponent: String,
}

/// The ticks of an axis: labelled ones, and small ones between.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ticks {
    pub(super) major: Vec<Tick>,
    pub(super) minor: Vec<f64>,
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten, at most `count` + 1 of them; only whole numbers if `integers`.
pub(super) fn linear(range: Range, count: usize, integers: bool) -> Ticks {
    let raw = range.span() / count.max(1) as f64;
    let mut power = raw.log10().floor() as i32;
    let mut digit = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|d| scaled(*d, power) >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0);
    if integers && scaled(digit, power) < 1.0 {
        (digit, power) = (1.0, 0);
    }
    let step = scaled(digit, power);
    // A tick that rounding pushed just outside still belongs to the range.
    let first = (range.lo / step - 1e-6).ceil();
    let last = (range.hi / step + 1e-6).floor();
    let many = (last - first).clamp(-1.0, 1000.0) as i32;
    let values: Vec<f64> = (0..=many)
        .map(|i| scaled((first + f64::from(i)) * digit, power))
        .collect();
    let major = values
        .iter()
        .zip(labels(&values, step))
        .map(|(&value, base)| tick(value, base))
        .collect();
    Ticks {
        major,
        minor: Vec::new(),
    }
}

/// Ticks for a logarithmic axis over positive numbers: decades if there are at least two of them, else 1, 2, 5 in each, else
/// (a narrow range) the linear ones.
pub(super) fn logarithmic(range: Range, count: usize) -> Ticks {
    let (low, high) = (range.lo.log10(), range.hi.log10());
    let (first, last) = ((low - 1e-9).ceil() as i32, (high + 1e-9).floor() as i32);
    if last - first >= 1 && high - low >= 1.6 {
        return decades(range, first, last, count);
    }
    if range.hi / range.lo < 4.0 {
        return linear(range, count, false);
    }
    let inside = |v: &f64| *v >= range.lo * (1.0 - 1e-9) && *v <= range.hi * (1.0 + 1e-9);
    let digits = (first - 1..=last).flat_map(|p| [1.0, 2.0, 5.0].map(|d| (d, p)));
    let major = digits
        .map(|(d, p)| (scaled(d, p), p))
        .filter(|(v, _)| inside(v))
        .flat_map(|(v, p)| {
            labels(&[v], scaled(1.0, p))
                .into_iter()
                .map(move |base| tick(v, base))
        })
        .collect();
    Ticks {
        major,
        minor: Vec::new(),
    }
}

fn decades(range: Range, first: i32, last: i32, count: usize) -> Ticks {
    let stride = (last - first + 1).div_euclid(count.max(2) as i32 + 1) + 1;
    let plain = first >= -2 && last <= 3;
    let label = |power: i32| {
        if plain {
            let base = labels(&[scaled(1.0, power)], scaled(1.0, power)).concat();
            return Label {
                base,
                exponent: String::new(),
            };
        }
        Label {
            base: "10".to_owned(),
            exponent: minus(&power.to_string()),
        }
    };
    // Strides count from 10⁰, so that the same decades are named in every plot.
    let named = (first..=last).filter(|p| p.rem_euclid(stride) == 0);
    let major = named
        .map(|p| Tick {
            value: scaled(1.0, p),
            label: label(p),
        })
        .collect();
    let between = |p: i32| (2..10).map(move |d| scaled(f64::from(d), p));
    let minor = if stride > 1 {
        (first..=last)
            .filter(|p| p.rem_euclid(stride) != 0)
            .map(|p| scaled(1.0, p))
            .collect()
    } else if last - first <= 6 {
        (first - 1..=last)
            .flat_map(between)
            .filter(|v| *v >= range.lo && *v <= range.hi)
            .collect()
    } else {
        Vec::new()
    };
    Ticks { major, minor }
}

/// `digit` × 10^`power` with one rounding, so that ticks are the doubles nearest to their decimal numbers.
fn scaled(digit: f64, power: i32) -> f64 {
    if power < 0 {
        digit / 10f64.powi(-power)
    } else {
        digit * 10f64.powi(power)
    }
}

fn tick(value: f64, base: String) -> Tick {
    let label = Label {
        base,
        exponent: String::new(),
    };
    Tick { value, label }
}

/// Writes multiples of `step` in one common form: plain, in thousands (k, M, G, T), or with an exponent (1e−3).
pub(super) fn labels(values: &[f64], step: f64) -> Vec<String> {
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let write = form(largest, step);
    values
        .iter()
        .map(|&v| {
            if v.abs() < step * 0.5 {
                "0".to_owned()
            } else {
                minus(&write(v))
            }
        })
        .collect()
}

type Form = Box<dyn Fn(f64) -> String>;

fn form(largest: f64, step: f64) -> Form {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    if !(1e-3..1e15).contains(&largest) {
        return Box::new(move |v| scientific(v, step));
    }
    if largest >= 1e4
        && let Some((unit, suffix)) = units.into_iter().find(|(unit, _)| largest >= *unit)
        && decimals(step / unit) <= 2
    {
        let places = decimals(step / unit);
        return Box::new(move |v| format!("{:.places$}{suffix}", v / unit));
    }
    let places = decimals(step);
    Box::new(move |v| format!("{v:.places$}"))
}

/// How many decimals a multiple of `step` needs.
fn decimals(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 17.0) as usize
}

/// `1.5e-4`: the mantissa as long as multiples of `step` need, without trailing zeros.
fn scientific(value: f64, step: f64) -> String {
    let places =
        (value.abs().log10().floor() - (step.log10() + 1e-9).floor()).clamp(0.0, 15.0) as usize;
    let text = format!("{value:.places$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            format!(
                "{}e{exponent}",
                mantissa.trim_end_matches('0').trim_end_matches('.')
            )
        }
        _ => text,
    }
}

/// A minus sign as long as a plus sign, in place of the hyphen.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(ticks: &Ticks) -> Vec<&str> {
        ticks.major.iter().map(|t| t.label.base.as_str()).collect()
    }

    fn range(lo: f64, hi: f64) -> Range {
        Range { lo, hi }
    }

    const RANGES: [(f64, f64); 8] = [
        (0.0, 1.0),
        (-0.73, 0.41),
        (-1.0, 2e6),
        (3.0, 3.000_01),
        (1e-9, 7e-9),
        (-1e300, 1e300),
        (1e-285, 2e-285),
        (1e15, 1e15 + 1e4),
    ];

    #[test]
    fn ticks_cover_the_range_with_round_numbers() {
        for ((lo, hi), count) in RANGES
            .into_iter()
            .flat_map(|r| [2, 4, 6, 12].map(|c| (r, c)))
        {
            let ticks = linear(range(lo, hi), count, false).major;
            let values: Vec<f64> = ticks.iter().map(|t| t.value).collect();
            let what = format!("{lo}..{hi}: {values:?}");
            assert!((1..=count + 1).contains(&values.len()), "{what}");
            let steps = values.windows(2).map(|w| w[1] - w[0]);
            let Some(step) = steps.reduce(f64::min) else {
                continue;
            };
            // Nothing but rounding lies outside, and less than a step is left without a tick.
            let (first, last, slack) = (values[0], values[values.len() - 1], 1e-5 * step);
            assert!(first >= lo - slack && last <= hi + slack, "{what}");
            assert!(
                first - lo < step + slack && hi - last < step + slack,
                "{what}"
            );
            // Neighbouring ticks near 1e15 differ by their step to a part in 1e4.
            let digit = step / 10f64.powf(step.log10().floor());
            let round = |d: &f64| (digit / d - 1.0).abs() < 1e-3;
            assert!([1.0, 2.0, 5.0, 10.0].iter().any(round), "{what}");
        }
    }

    #[test]
    fn labels_are_what_a_reader_would_write() {
        assert_eq!(
            bases(&linear(range(0.0, 2e6), 5, false)),
            ["0", "0.5M", "1.0M", "1.5M", "2.0M"]
        );
        assert_eq!(
            bases(&linear(range(0.0, 6e5), 4, false)),
            ["0", "200k", "400k", "600k"]
        );
        assert_eq!(
            bases(&linear(range(-0.5, 0.5), 4, false)),
            ["−0.5", "0", "0.5"]
        );
        assert_eq!(
            bases(&linear(range(0.0, 1e-3), 2, false)),
            ["0", "0.0005", "0.0010"]
        );
        assert_eq!(bases(&linear(range(0.0, 1.6e-4), 3, false)), ["0", "1e−4"]);
        assert_eq!(
            bases(&linear(range(0.0, 1.6e-4), 4, false)),
            ["0", "5e−5", "1e−4", "1.5e−4"]
        );
        assert_eq!(
            bases(&linear(range(0.0, 2000.0), 4, false)),
            ["0", "500", "1000", "1500", "2000"]
        );
        assert_eq!(
            bases(&linear(range(20_000.0, 20_004.0), 4, false)),
            ["20000", "20001", "20002", "20003", "20004"]
        );
        assert_eq!(
            bases(&linear(range(0.0, 3e20), 3, false)),
            ["0", "1e20", "2e20", "3e20"]
        );
    }

    #[test]
    fn cells_have_no_ticks_between_them() {
        assert_eq!(bases(&linear(range(-0.5, 2.5), 10, true)), ["0", "1", "2"]);
    }

    #[test]
    fn logarithmic_ticks_stand_on_decades_when_there_are_two() {
        let ticks = logarithmic(range(3e-4, 20.0), 6);
        let powers: Vec<&str> = ticks
            .major
            .iter()
            .map(|t| t.label.exponent.as_str())
            .collect();
        assert_eq!(powers, ["−3", "−2", "−1", "0", "1"]);
        assert!(ticks.minor.iter().all(|v| (3e-4..=20.0).contains(v)));
        assert_eq!(
            bases(&logarithmic(range(0.008, 150.0), 6)),
            ["0.01", "0.1", "1", "10", "100"]
        );
        assert_eq!(
            bases(&logarithmic(range(0.9, 12.0), 6)),
            ["1", "2", "5", "10"]
        );
        assert_eq!(
            bases(&logarithmic(range(0.9, 1.4), 3)),
            ["1.0", "1.2", "1.4"]
        );
    }

    #[test]
    fn a_hundred_decades_have_a_handful_of_labels() {
        let ticks = logarithmic(range(1e-150, 1e150), 6);
        assert!(
            (2..=7).contains(&ticks.major.len()),
            "{}",
            ticks.major.len()
        );
    }
}
