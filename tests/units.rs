//! Quantities as netlists write them, and the dimensions behind them.
#![allow(clippy::unwrap_used, clippy::panic)]

use apical::units::{Dimension, Quantity};

fn read(text: &str) -> (f64, Dimension) {
    let quantity = Quantity::parse(text).unwrap_or_else(|e| panic!("{e}"));
    (quantity.value, quantity.dimension)
}

#[test]
fn quantities_are_read_into_engine_units_to_the_last_bit() {
    let conductance_rate = Dimension::CONDUCTANCE / Dimension::TIME;
    let cases = [
        ("10 ms", 10.0, Dimension::TIME),
        ("250pF", 250.0, Dimension::CAPACITANCE),
        ("-70 mV", -70.0, Dimension::VOLTAGE),
        ("-0.07 V", -70.0, Dimension::VOLTAGE),
        ("4 nS", 4.0, Dimension::CONDUCTANCE),
        ("0.5 GOhm", 0.5, Dimension::RESISTANCE),
        ("40 M\u{3a9}", 0.04, Dimension::RESISTANCE),
        ("8 Hz", 0.008, Dimension::RATE),
        ("0.5 /ms", 0.5, Dimension::RATE),
        ("1/s", 0.001, Dimension::RATE),
        ("30 mV/ms", 30.0, Dimension::VOLTAGE / Dimension::TIME),
        ("30 V / s", 30.0, Dimension::VOLTAGE / Dimension::TIME),
        ("2", 2.0, Dimension::NONE),
        ("+.5", 0.5, Dimension::NONE),
        ("1e-3 s", 1.0, Dimension::TIME),
        ("2_000 \u{b5}s", 2.0, Dimension::TIME),
        ("5 %", 0.05, Dimension::NONE),
        ("2 pA*ms/mV", 2.0, Dimension::CAPACITANCE),
        ("3 nS/ms", 3.0, conductance_rate),
        ("4 mV^2", 4.0, Dimension::VOLTAGE.powi(2)),
        ("6 mV/ms^0.5", 6.0, Dimension::new(-1, 2, 0)),
        ("1 fS", 1e-6, Dimension::CONDUCTANCE),
    ];
    for (text, value, dimension) in cases as [(&str, f64, Dimension); 22] {
        let (read_value, read_dimension) = read(text);
        assert_eq!(
            read_value.to_bits(),
            value.to_bits(),
            "{text}: {read_value}"
        );
        assert_eq!(read_dimension, dimension, "{text}");
    }
}

#[test]
fn root_of_seconds_is_the_root_of_a_thousand_milliseconds() {
    let (value, dimension) = read("1 mV/s^0.5");
    assert_eq!(dimension, Dimension::new(-1, 2, 0));
    // One rounding in the root, one in the product.
    assert!((value - 1.0 / 1000_f64.sqrt()).abs() < 1e-16, "{value}");
}

#[test]
fn engine_units_are_coherent() {
    assert_eq!(
        Dimension::CURRENT / Dimension::VOLTAGE,
        Dimension::CONDUCTANCE
    );
    assert_eq!(
        Dimension::CONDUCTANCE * Dimension::TIME,
        Dimension::CAPACITANCE
    );
    assert_eq!(
        Dimension::RESISTANCE * Dimension::CAPACITANCE,
        Dimension::TIME
    );
    // 1 GOhm * 1 pF is 1 ms, also as numbers.
    let one = 1_f64.to_bits();
    assert_eq!(
        (read("1 GOhm").0 * read("1 pF").0 / read("1 ms").0).to_bits(),
        one
    );
    assert_eq!(
        (read("1 nS").0 * read("1 mV").0 / read("1 pA").0).to_bits(),
        one
    );
}

#[test]
fn a_dimension_prints_as_the_unit_that_reads_back_to_it() {
    let shown = |d: Dimension| d.to_string();
    assert_eq!(shown(Dimension::RATE), "1/ms");
    assert_eq!(shown(Dimension::VOLTAGE / Dimension::TIME), "mV/ms");
    assert_eq!(shown(Dimension::VOLTAGE.powi(2)), "mV^2");
    assert_eq!(shown(Dimension::CONDUCTANCE / Dimension::TIME), "nS/ms");
    assert_eq!(shown(Dimension::new(-1, 2, 0)), "mV/ms^0.5");
    assert_eq!(shown(Dimension::NONE), "dimensionless");
    for time in -6..=6 {
        for voltage in -6..=6 {
            for current in -6..=6 {
                let quantity = Quantity::new(-1.25, Dimension::new(time, voltage, current));
                assert_eq!(
                    Quantity::parse(&quantity.to_string()),
                    Ok(quantity),
                    "{quantity}"
                );
            }
        }
    }
}

#[test]
fn a_root_exists_only_down_to_half_powers() {
    assert_eq!(Dimension::RATE.sqrt(), Some(Dimension::new(-1, 0, 0)));
    assert_eq!(Dimension::new(-1, 0, 0).sqrt(), None);
    assert_eq!(Dimension::NONE.sqrt(), Some(Dimension::NONE));
}

#[test]
fn powers_and_products_saturate_instead_of_wrapping() {
    assert_eq!(Dimension::TIME.powi(i32::MAX).time, i8::MAX);
    assert_eq!(Dimension::RATE.powi(i32::MAX).time, i8::MIN);
    assert_eq!(
        (Dimension::new(i8::MAX, 0, 0) * Dimension::TIME).time,
        i8::MAX
    );
    assert_eq!(
        (Dimension::new(i8::MIN, 0, 0) / Dimension::TIME).time,
        i8::MIN
    );
}

#[test]
fn mistakes_name_the_unit_that_was_meant() {
    let message = |text: &str| {
        Quantity::parse(text)
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    assert_eq!(message("10 mv"), "`mv` is not a unit; did you mean `mV`?");
    assert_eq!(
        message("10 msec"),
        "`msec` is not a unit; did you mean `ms`?"
    );
    assert_eq!(
        message("3 Gohm"),
        "`Gohm` is not a unit; did you mean `GOhm`?"
    );
    assert_eq!(
        message("3 mV/sec"),
        "`sec` is not a unit; did you mean `s`?"
    );
    assert!(
        message("3 parsec").contains("units are ms, s, Hz"),
        "{}",
        message("3 parsec")
    );
    assert!(message("ms").contains("does not begin with a number"));
    assert!(message("").contains("does not begin with a number"));
    assert!(message("inf").contains("does not begin with a number"));
    assert!(message("1e400 s").contains("too large"));
    assert!(message("1 ms^9").contains("from -8 to 8"));
    assert!(message("1 ms^0.3").contains("whole or half"));
    assert!(message("1 mV/").contains("is not a unit"));
}

#[test]
fn odd_texts_are_refused_without_a_panic() {
    for text in [
        "-",
        "+.",
        "_",
        "1e",
        "1e+",
        "1e-_",
        "1/",
        "/",
        "1//s",
        "1 s^",
        "1 ^2",
        "1 \u{3bc}",
        "١ ms",
        "1e99999999999 s",
    ] {
        assert!(Quantity::parse(text).is_err(), "{text}");
    }
}
