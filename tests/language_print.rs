//! What is printed reads as the same tree.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use apical::lang::ast::{Ast, AstKind, UnarySign};
use apical::lang::{Shape, build, parse};
use apical::units::{Dimension, Quantity};
use language_support::{
    SIGNS, TestScope, binary, call, check_places, name, placeless, runner, unary,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Units that can stand behind a number, as the engine has them.
const UNITS: [Dimension; 8] = [
    Dimension::NONE,
    Dimension::TIME,
    Dimension::RATE,
    Dimension::VOLTAGE,
    Dimension::CURRENT,
    Dimension::CONDUCTANCE,
    Dimension::CAPACITANCE,
    Dimension::RESISTANCE,
];

/// Any number that a text can hold.
fn quantity() -> impl Strategy<Value = Ast> {
    let value = prop_oneof![
        (0..2000_u32).prop_map(f64::from),
        0.0..10.0,
        proptest::num::f64::POSITIVE.prop_filter("a number", |x| *x < 1e300),
        Just(0.0),
    ];
    (value, proptest::sample::select(&UNITS[..])).prop_map(|(value, dimension)| {
        let mut number = name("x");
        number.kind = AstKind::Number(Quantity::new(value, dimension));
        number
    })
}

/// Any word: plain, a word of the language, with anything in it but a backquote.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_τλ][a-z0-9_]{0,4}",
        "[^`]{0,5}",
        proptest::sample::select(&["and", "or", "not", "ms", "f", "x", "l2-exc"][..])
            .prop_map(str::to_owned),
    ]
}

/// Any tree at all, whether it means something or not.
fn any_tree() -> impl Strategy<Value = Ast> {
    let path = proptest::collection::vec(word(), 1..4).prop_map(|parts| {
        let mut path = name("x");
        path.kind = AstKind::Name(parts);
        path
    });
    let leaf = prop_oneof![quantity(), path];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let signs = proptest::sample::select(&SIGNS[..]);
        let not = any::<bool>().prop_map(|not| {
            if not {
                UnarySign::Not
            } else {
                UnarySign::Minus
            }
        });
        let arguments = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            4 => (signs, inner.clone(), inner.clone()).prop_map(|(s, a, b)| binary(s, a, b)),
            2 => (not, inner).prop_map(|(sign, x)| unary(sign, x)),
            1 => (word(), 0..3_usize, arguments).prop_map(|(f, primes, a)| call(&f, primes, a)),
        ]
    })
}

#[test]
fn what_is_printed_reads_as_the_same_tree() {
    runner(700)
        .run(&any_tree(), |tree| {
            let text = tree.to_string();
            prop_assume!(text.len() <= 4096);
            let read =
                parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {}", e.message)))?;
            prop_assert_eq!(placeless(&read), tree, "{}", text);
            prop_assert_eq!(read.to_string(), text.clone());
            check_places(&read, &text, (0, text.len()))
        })
        .unwrap();
}

#[test]
fn only_brackets_that_are_needed_are_printed() {
    let same = [
        "a - b - c",
        "a - (b - c)",
        "(a^b)^c",
        "a^b^c",
        "a^-b * c",
        "(a^-b)^c",
        "-a^2",
        "(-a)^2",
        "-(a * b)",
        "-a * b",
        "a * -b",
        "not (a and b)",
        "not a and b",
        "a and (not b or c)",
        "(not a) < b",
        "a < b < c",
        "`a b`.`not`",
        "`2 f`''(8 Hz, 0.1 Hz, 3 nS)",
        "`and` and `or` or not `not`",
    ];
    for text in same {
        assert_eq!(parse(text).map(|t| t.to_string()), Ok(text.to_owned()));
    }
    let shorter = [
        ("((a))", "a"),
        ("(a * b) + c", "a * b + c"),
        ("a + (b * c)", "a + b * c"),
        ("(a + b) + c", "a + b + c"),
        ("a^(b^c)", "a^b^c"),
        ("a^(-b)", "a^-b"),
        ("(a < b) and (c or (d))", "a < b and (c or d)"),
        ("0.25 s", "250 ms"),
        ("`a`", "a"),
    ];
    for (text, printed) in shorter {
        assert_eq!(parse(text).map(|t| t.to_string()), Ok(printed.to_owned()));
    }
}

#[test]
fn keywords_and_units_are_names_between_backquotes() {
    let mut scope = TestScope::plain(&[("and", Shape::Scalar), ("ms", Shape::Scalar)]);
    let tree = parse("`and` and `ms` / 2 ms").unwrap();
    let formula = build(&tree, &mut scope);
    // Not a plain number: `ms` is one, and is divided by 2 ms.
    assert!(
        formula.unwrap_err()[0]
            .message
            .contains("`and` takes a plain number, this is in 1/ms")
    );
    let tree = parse("`and` and `ms` / 2").unwrap();
    assert!(build(&tree, &mut scope).is_ok());
    // A unit must be written as it is, or the number would have none: `2` next to a name.
    assert!(parse("2 `ms`").is_err());
}
