//! No text does harm, and every mistake in it is reported where it stands.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::cell::Cell;

use apical::lang::code::compile;
use apical::lang::verify::verify;
use apical::lang::{Shape, activation, build, parse};
use language_support::{TestScope, check_place, check_places, mistake, placeless, runner};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Pieces of expressions, sensible and not.
const PIECES: [&str; 60] = [
    "+", "-", "*", "/", "^", "(", ")", "(", ")", ",", "<", "<=", ">", ">=", "==", "!=", "=", ".",
    "'", "%", " and ", " or ", "not ", "`", "f", "f'", "tanh", "sum", "mean", "prev", "avg",
    "lowpass", "changed", "if", "clip", "x", "pre", "post", "w", "gate", "tau", "s", "τ", "é",
    "l2-exc", "1", "0", "2.5", ".5", "1e-3", "1e999", "2_000", "10 ms", "3 mV", "8 Hz", "0.5 nS",
    " ", "\n", "$", "🧠",
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
    runner(700)
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
