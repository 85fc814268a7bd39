//! Numbers, times and sentences as people read them.

/// Between groups of digits: a narrow space that does not break.
const SPACE: char = '\u{202f}';

/// A number of things, with its digits in threes.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        // Four digits are read at a glance.
        if place > 0 && (digits.len() - place).is_multiple_of(3) && digits.len() > 4 {
            text.push(SPACE);
        }
        text.push(digit);
    }
    text
}

/// `1 step`, `2 000 steps`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A measured number, to four digits.
pub(super) fn value(number: f64) -> String {
    if !number.is_finite() {
        return "undefined".to_owned();
    }
    let magnitude = number.abs();
    let text = if magnitude > 0.0 && !(1e-3..1e6).contains(&magnitude) {
        let text = format!("{number:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{exponent}", without_zeros(digits))
    } else {
        let decimals = match magnitude {
            1000.0.. => 0,
            100.0.. => 1,
            10.0.. => 2,
            1.0.. => 3,
            0.1.. => 4,
            0.01.. => 5,
            _ => 6,
        };
        without_zeros(&format!("{number:.decimals$}")).to_owned()
    };
    match text.as_str() {
        "-0" => "0".to_owned(),
        _ => text.replace('-', "−"),
    }
}

/// A mean and its standard error, to two digits of the error: `0.957 ± 0.0012`.
pub(crate) fn with_error(mean: f64, error: f64) -> String {
    if !(error.is_finite() && mean.is_finite()) {
        return value(mean);
    }
    let usual = |size: f64, least: f64| size == 0.0 || (least..1e6).contains(&size);
    if error <= 0.0 || !usual(mean.abs(), 1e-4) || !usual(error, 1e-6) {
        return format!("{} ± {}", value(mean), value(error));
    }
    let decimals = (1 - error.log10().floor() as i32).max(0) as usize;
    format!("{mean:.decimals$} ± {error:.decimals$}").replace('-', "−")
}

fn without_zeros(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

/// A time that a clock on the wall would show (s).
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        _ if !seconds.is_finite() || seconds < 0.0 => "an unknown time".to_owned(),
        ..0.0995 => format!("{} ms", value((seconds * 1e5).round() / 100.0)),
        ..99.5 => format!("{} s", value((seconds * 100.0).round() / 100.0)),
        ..3570.0 => {
            let whole = seconds.round() as u64;
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
        _ => {
            let minutes = (seconds / 60.0).round() as u64;
            format!("{} h {:02} min", count(minutes / 60), minutes % 60)
        }
    }
}

/// Steps a second.
pub(super) fn speed(steps_per_second: f64) -> String {
    if !steps_per_second.is_finite() || steps_per_second < 0.0 {
        return String::new();
    }
    let number = match steps_per_second {
        1000.0.. => three_digits(steps_per_second),
        _ => value(steps_per_second),
    };
    format!("{number} steps a second")
}

/// A number to three digits: more would only tell one run from the next.
pub(super) fn three_digits(number: f64) -> String {
    let unit = 10_f64.powi(number.log10().floor() as i32 - 2);
    let rounded = (number / unit).round() * unit;
    match rounded {
        1000.0..1e15 => count(rounded.round() as u64),
        _ if rounded.is_finite() => value(rounded),
        _ => value(number),
    }
}

/// The size of a file.
pub(super) fn bytes(number: u64) -> String {
    let size = number as f64;
    match size {
        ..1e3 => counted(number, "byte", "bytes"),
        ..1e6 => format!("{} kB", value((size / 1e2).round() / 10.0)),
        ..1e9 => format!("{} MB", value((size / 1e5).round() / 10.0)),
        _ => format!("{} GB", value((size / 1e8).round() / 10.0)),
    }
}

/// `2026-07-30T09:05:00Z` as `2026-07-30 09:05 UTC`; anything else as it is.
pub(super) fn date(rfc3339: &str) -> String {
    let parts = rfc3339.strip_suffix('Z').and_then(|t| t.split_once('T'));
    match parts {
        Some((day, time)) if time.len() == 8 && time.is_char_boundary(5) => {
            format!("{day} {} UTC", &time[..5])
        }
        _ => rfc3339.to_owned(),
    }
}

/// The parts that are not empty as sentences, one after another.
pub(super) fn sentences<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for part in parts.into_iter().map(str::trim).filter(|p| !p.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
        if !part.ends_with(['.', '!', '?', '…']) {
            text.push('.');
        }
    }
    text
}

/// `text` with a capital letter in front.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_digits_in_threes() {
        let texts = [0, 999, 2000, 12_345, 2_060_000].map(count);
        let plain = texts.map(|text| text.replace(SPACE, "_"));
        assert_eq!(plain, ["0", "999", "2000", "12_345", "2_060_000"]);
        assert_eq!(count(u64::MAX).matches(SPACE).count(), 6);
    }

    #[test]
    fn values_have_four_digits_and_no_more() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.97, "0.97"),
            (-1.0 / 3.0, "−0.3333"),
            (0.012_345_6, "0.01235"),
            (12_345.678, "12346"),
            (1.234_56e-5, "1.235e−5"),
            (-2e9, "−2e9"),
            (f64::NAN, "undefined"),
            (f64::NEG_INFINITY, "undefined"),
        ];
        for (number, text) in cases {
            assert_eq!(value(number), text, "{number}");
        }
    }

    #[test]
    fn means_have_the_digits_of_their_errors() {
        assert_eq!(with_error(0.957_123, 0.001_23), "0.9571 ± 0.0012");
        assert_eq!(with_error(-154.63, 3.4), "−154.6 ± 3.4");
        assert_eq!(with_error(3300.4, 120.0), "3300 ± 120");
        assert_eq!(with_error(1e-6, 2e-7), "1e−6 ± 2e−7");
        assert_eq!(with_error(0.989_123_4, 8.3e-5), "0.989123 ± 0.000083");
        assert_eq!(with_error(0.5, 0.0), "0.5 ± 0");
        assert_eq!(with_error(0.5, f64::NAN), "0.5");
    }

    #[test]
    fn durations_choose_their_unit() {
        let cases = [
            (0.0, "0 ms"),
            (0.012_34, "12.34 ms"),
            (1.5, "1.5 s"),
            (12.345, "12.35 s"),
            (119.6, "2 min 00 s"),
            (3599.9, "1 h 00 min"),
            (7322.0, "2 h 02 min"),
            (f64::NAN, "an unknown time"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn speeds_have_three_digits() {
        assert_eq!(
            speed(166_432.1).replace(SPACE, " "),
            "166 000 steps a second"
        );
        assert_eq!(speed(2.5), "2.5 steps a second");
        assert_eq!(speed(f64::NAN), "");
    }

    #[test]
    fn sizes_choose_their_unit() {
        let texts = [1, 999, 1500, 50_000_000, 2_340_000_000].map(bytes);
        assert_eq!(texts, ["1 byte", "999 bytes", "1.5 kB", "50 MB", "2.3 GB"]);
    }

    #[test]
    fn only_dates_are_rewritten() {
        assert_eq!(date("2026-07-30T09:05:00Z"), "2026-07-30 09:05 UTC");
        for other in ["", "yesterday", "2026T12Z", "aTb…cdéfZ"] {
            assert_eq!(date(other), other);
        }
    }

    #[test]
    fn sentences_end_once() {
        assert_eq!(
            sentences(["One", " ", "Two. ", "Three?"]),
            "One. Two. Three?"
        );
        assert_eq!(sentences([]), "");
    }
}
