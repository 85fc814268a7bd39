//! Texts, trees and back: what is printed reads as the same tree, and no text does harm.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::cell::Cell;

use apical::lang::ast::{Ast, AstKind, UnarySign};
use apical::lang::code::compile;
use apical::lang::verify::verify;
use apical::lang::{Shape, activation, build, parse};
use apical::units::{Dimension, Quantity};
use language_support::{SIGNS, TestScope, binary, call, mistake, name, runner, unary};
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

/// The tree without its places.
fn placeless(tree: &Ast) -> Ast {
    let kind = match &tree.kind {
        AstKind::Unary(sign, a) => AstKind::Unary(*sign, Box::new(placeless(a))),
        AstKind::Binary(sign, a, b) => {
            AstKind::Binary(*sign, Box::new(placeless(a)), Box::new(placeless(b)))
        }
        AstKind::Call {
            function,
            primes,
            arguments,
        } => AstKind::Call {
            function: function.clone(),
            primes: *primes,
            arguments: arguments.iter().map(placeless).collect(),
        },
        leaf => leaf.clone(),
    };
    Ast {
        kind,
        start: 0,
        end: 0,
    }
}

/// That a tree's places lie within its text, each inside that of its parent.
fn check_places(tree: &Ast, text: &str, outer: (usize, usize)) -> Result<(), TestCaseError> {
    check_place(text, tree.start, tree.end)?;
    prop_assert!(
        outer.0 <= tree.start && tree.end <= outer.1,
        "{text}: a part sticks out"
    );
    prop_assert!(tree.start < tree.end, "{text}: an empty part");
    let inner: Vec<&Ast> = match &tree.kind {
        AstKind::Unary(_, a) => vec![a],
        AstKind::Binary(_, a, b) => vec![a, b],
        AstKind::Call { arguments, .. } => arguments.iter().collect(),
        _ => vec![],
    };
    inner
        .iter()
        .try_for_each(|part| check_places(part, text, (tree.start, tree.end)))
}

fn check_place(text: &str, start: usize, end: usize) -> Result<(), TestCaseError> {
    prop_assert!(
        start <= end && text.get(start..end).is_some(),
        "{start}..{end} is not a part of {text:?}"
    );
    Ok(())
}

#[test]
fn what_is_printed_reads_as_the_same_tree() {
    runner(1000)
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

/// Pieces of expressions, sensible and not.
const PIECES: [&str; 60] = [
    "+",
    "-",
    "*",
    "/",
    "^",
    "(",
    ")",
    "(",
    ")",
    ",",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "=",
    ".",
    "'",
    "%",
    " and ",
    " or ",
    "not ",
    "`",
    "f",
    "f'",
    "tanh",
    "sum",
    "mean",
    "prev",
    "avg",
    "lowpass",
    "changed",
    "if",
    "clip",
    "x",
    "pre",
    "post",
    "w",
    "gate",
    "tau",
    "s",
    "τ",
    "é",
    "l2-exc",
    "1",
    "0",
    "2.5",
    ".5",
    "1e-3",
    "1e999",
    "2_000",
    "10 ms",
    "3 mV",
    "8 Hz",
    "0.5 nS",
    " ",
    "\n",
    "$",
    "\u{1f9e0}",
];

fn soup() -> impl Strategy<Value = String> {
    let pieces = proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..24);
    prop_oneof![
        5 => pieces.prop_map(|p| p.concat()),
        1 => any::<String>(),
        1 => proptest::collection::vec(any::<u8>(), 0..60)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

/// Trees that are well formed, with a piece of soup in the middle of their text.
fn spoiled() -> impl Strategy<Value = String> {
    let shape = language_support::Repertoire {
        names: &["pre", "post", "w", "s", "gate"],
        summed: None,
        memories: true,
        primes: Some(2),
    };
    let piece = proptest::sample::select(&PIECES[..]);
    (
        language_support::trees(shape),
        any::<proptest::sample::Index>(),
        piece,
        0..4_u8,
    )
        .prop_map(|(tree, index, piece, how)| {
            let mut text = tree.to_string();
            // Printed trees of these names have characters of one byte only.
            let at = index.index(text.len());
            match how {
                0 => text.insert_str(at, piece),
                1 => text.truncate(at),
                _ => {}
            }
            text
        })
}

/// Reads, resolves and compiles a text as far as it goes; counts it where it stops.
fn digest(text: &str, scope: &mut TestScope, stages: &[Cell<u32>; 3]) -> Result<(), TestCaseError> {
    let count = |stage: usize| stages[stage].set(stages[stage].get() + 1);
    let tree = match parse(text) {
        Ok(tree) => tree,
        Err(e) => {
            count(0);
            prop_assert!(!e.message.is_empty());
            return check_place(text, e.start, e.end);
        }
    };
    check_places(&tree, text, (0, text.len()))?;
    let again = parse(&tree.to_string())
        .map_err(|e| TestCaseError::fail(format!("{text}: {}", e.message)))?;
    prop_assert_eq!(placeless(&again), placeless(&tree), "{}", text);
    match build(&tree, scope) {
        Ok(formula) => {
            count(2);
            let code = compile(&formula.graph, formula.root, |s| s == Shape::Scalar).unwrap();
            // Sums are not taken out here, so that only programs without them are whole.
            prop_assert!(scope.reductions || verify(&code).is_ok(), "{text}");
            Ok(())
        }
        Err(errors) => {
            count(1);
            prop_assert!(!errors.is_empty());
            errors.iter().try_for_each(|e| {
                prop_assert!(!e.message.is_empty());
                check_place(text, e.start, e.end)
            })
        }
    }
}

#[test]
fn no_text_causes_a_panic_and_every_place_is_a_part_of_it() {
    let stages = [const { Cell::new(0) }; 3];
    let texts = prop_oneof![soup(), spoiled()];
    let fs = proptest::sample::select(&["tanh", "x^2", "f", "sum(x)", "prev(x)", "x and x"][..]);
    runner(2500)
        .run(&(texts, fs, any::<bool>()), |(text, f, rule)| {
            let scope = if rule {
                TestScope::rule()
            } else {
                TestScope::population(9)
            };
            digest(&text, &mut scope.with_f(f), &stages)
        })
        .unwrap();
    // Each way to end was taken often.
    assert!(stages.iter().all(|s| s.get() > 300), "{stages:?}");
}

#[test]
fn any_text_may_be_an_activation() {
    runner(1000)
        .run(&prop_oneof![soup(), spoiled()], |f| {
            let Ok(tree) = activation(&f) else {
                return Ok(());
            };
            let mut scope = TestScope::rule();
            scope.activation = Some(tree);
            for text in ["f(post)", "2 * f'(dend)", "f''(s)"] {
                if let Err(errors) = build(&parse(text).unwrap(), &mut scope) {
                    // Places in the activation's text mean nothing here: the call is underlined.
                    for e in errors {
                        check_place(text, e.start, e.end)?;
                        prop_assert!(e.message.contains("in the activation"), "{}", e.message);
                        prop_assert!(text[e.start..e.end].starts_with('f'));
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_largest_texts_that_can_be_read_can_be_compiled() {
    let deep = |n: usize| format!("{}s{}", "(1 + ".repeat(n), ")".repeat(n));
    let calls = |n: usize| format!("{}s{}", "f(".repeat(n), ")".repeat(n));
    let minus = |n: usize| format!("{}s", "-".repeat(n));
    let chain = |n: usize| format!("s{}", " - w * s".repeat(n / 2));
    let tower = |n: usize| format!("s{}", "^s".repeat(n));
    let inside = |n: usize| format!("{}{}{}", "tanh(".repeat(40), chain(n), ")".repeat(40));
    let stages = [const { Cell::new(0) }; 3];
    let big = vec!["x * tanh(x)"; 200].join(" - ");
    for text in [
        deep(31),
        calls(62),
        minus(63),
        chain(512),
        tower(63),
        inside(512),
    ] {
        let mut scope = TestScope::rule().with_f(&big);
        digest(&text, &mut scope, &stages).unwrap();
    }
    assert_eq!(stages[2].get(), 6, "{stages:?}");
    for text in [deep(64), calls(64), minus(64), chain(514), tower(64)] {
        let message = parse(&text).unwrap_err().message;
        let limit = message.contains("64 deep") || message.contains("512 operators");
        assert!(limit, "{message}");
    }
}

#[test]
fn a_mistake_underlines_what_is_wrong() {
    let cases = [
        ("s + nothing * 2", "nothing", "there is no `nothing` here"),
        ("s + tahn(pre)", "tahn(pre)", "there is no function `tahn`"),
        (
            "max(s, 1, 2)",
            "max(s, 1, 2)",
            "`max` takes two arguments, this gives it 3",
        ),
        (
            "s * (pre.soma)",
            "(pre.soma)",
            "there is no `pre.soma` here",
        ),
        (
            "2 * f(s, w)",
            "f(s, w)",
            "`f` takes one argument, this gives it 2",
        ),
        ("1 + sum(post)", "sum(post)", "there is no `sum` here"),
        ("prev(s, 1.5)", "1.5", "whole number of steps"),
        ("prev(s, 0)", "0", "whole number of steps"),
        ("prev(s, w)", "w", "whole number of steps"),
        ("changed(1)", "1", "takes the name of a modulator"),
    ];
    for (text, place, message) in cases {
        let (found, underlined) = mistake(text, &mut TestScope::rule().with_f("tanh"));
        assert!(found.contains(message), "{text}: {found}");
        assert_eq!(underlined, place, "{text}");
    }
    let no_f = mistake("f(s)", &mut TestScope::rule()).0;
    assert!(no_f.contains("`f` has no meaning here"), "{no_f}");
    let sizes = mistake("a + b", &mut sizes()).0;
    assert!(
        sizes.contains("4 values and 6 values cannot be combined"),
        "{sizes}"
    );
    let single = mistake("sum(s)", &mut TestScope::population(4)).0;
    assert!(single.contains("nothing to reduce"), "{single}");
}

/// Two populations of different sizes.
fn sizes() -> TestScope {
    TestScope::plain(&[("a", Shape::Vector(4)), ("b", Shape::Vector(6))])
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let tree = parse("nothing + tahn(s) * neither - prev(w, 0)").unwrap();
    let errors = build(&tree, &mut TestScope::rule()).unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
    let near = build(&parse("tahn(s)").unwrap(), &mut TestScope::rule()).unwrap_err();
    assert_eq!(near[0].help.as_deref(), Some("did you mean `tanh`?"));
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
