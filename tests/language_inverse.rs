//! `inverse(f)(y)` is the x for which `f(x)` is y.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use apical::lang::ops::Unary;
use apical::lang::walk::walk;
use apical::lang::{Graph, Shape, Symbol, parse};
use language_support::{TestScope, at, formula, mistake, value};

/// Every operation that is undone, alone and inside of others, and where x may lie.
const INVERTIBLE: [(&str, f64, f64); 20] = [
    ("identity", -9.0, 9.0),
    ("-x", -9.0, 9.0),
    ("x + 2", -9.0, 9.0),
    ("2 - x", -9.0, 9.0),
    ("3 * x - 1", -9.0, 9.0),
    ("x / 4", -9.0, 9.0),
    ("4 / x", 0.1, 9.0),
    ("exp", -9.0, 9.0),
    ("log", 0.1, 9.0),
    ("sqrt", 0.1, 9.0),
    ("tanh", -3.0, 3.0),
    ("sigmoid", -9.0, 9.0),
    ("softplus", -9.0, 9.0),
    ("x^3", -9.0, 9.0),
    ("x^-1", -9.0, -0.1),
    ("x^2.5", 0.1, 9.0),
    ("2^x", -9.0, 9.0),
    ("log(1 + exp(30 * x)) / 30", -0.5, 9.0),
    ("log(exp(2 * x + 1) + 1)", -9.0, 9.0),
    ("1 / (1 + exp(-(x - 2) / 3))", -9.0, 9.0),
];

#[test]
fn the_inverse_of_f_of_x_is_x() {
    for (f, low, high) in INVERTIBLE {
        for k in 0..=100 {
            let x = low + (high - low) * f64::from(k) / 100.0;
            let y = value("f(x)", f, x);
            let back = value("inverse(f)(x)", f, y);
            // A rounding of y moves x by that over the slope of f.
            let slope = value("f'(x)", f, x).abs();
            let tolerance = 8.0 * f64::EPSILON * (1.0 + x.abs() + (1.0 + y.abs()) / slope);
            assert!(
                (back - x).abs() <= tolerance,
                "f = {f}: {x} came back as {back}"
            );
        }
    }
}

#[test]
fn a_softplus_is_undone_without_overflow_and_near_zero() {
    let f = "log(1 + exp(30 * x)) / 30";
    let inverse = |y| value("inverse(f)(x)", f, y);
    // Far from 0 the function is the identity, where e^(30 x) has long overflowed.
    assert!((inverse(100.0) - 100.0).abs() < 1e-13);
    assert!((inverse(1e300) - 1e300).abs() < 1e285);
    // Near 0, ln(e^z − 1) = ln z + z/2 + z²/24 − …
    for y in [1e-12, 1e-6, 1e-3] {
        let z: f64 = 30.0 * y;
        let series = (z.ln() + z / 2.0 + z * z / 24.0) / 30.0;
        assert!((inverse(y) - series).abs() < 1e-14 + z.powi(4), "{y}");
    }
    assert!(inverse(0.0) == f64::NEG_INFINITY && inverse(-1e-9).is_nan());
    // So does the function itself.
    assert!((value("f(x)", f, 1000.0) - 1000.0).abs() < 1e-12);
}

#[test]
fn the_derivatives_of_the_inverses_are_the_reciprocal_slopes() {
    for (op, f, y) in [
        (Unary::SoftplusInverse, "softplus", 0.3),
        (Unary::SoftplusInverse, "softplus", 5.0),
        (Unary::Atanh, "tanh", -0.6),
    ] {
        let mut graph = Graph::default();
        let x = graph.variable(Symbol::Argument, Shape::Scalar);
        let root = graph.unary(op, x);
        let slope = graph.derivative(root, Symbol::Argument);
        let found = walk(&graph, slope, &|_| y, &|_| f64::NAN);
        let expected = 1.0 / value("f'(inverse(f)(x))", f, y);
        assert!(
            (found - expected).abs() < 1e-14 * expected.abs(),
            "{f}: {found} and {expected}"
        );
    }
}

#[test]
fn what_has_no_inverse_is_refused_with_the_reason() {
    let said = |f: &str| mistake("inverse(f)(x)", &mut TestScope::number().with_f(f)).0;
    for (f, reason) in [
        ("x * tanh(x)", "`x` stands in it 2 times"),
        ("3", "it does not read `x`"),
        ("relu", "`relu` gives the same for different values"),
        ("abs(x) + 1", "`abs` gives the same"),
        ("sin", "`sin` gives the same"),
        ("x^2", "`x^2` is the same for a value and its negative"),
        ("0 * x", "is the same for every value"),
        ("x > 1", "is 1 or 0"),
        ("max(x, 0)", "is not undone"),
        ("x^0", "not a constant other than 0"),
    ] {
        let message = said(f);
        assert!(
            message.contains("it has no inverse") && message.contains(reason),
            "{f}: {message}"
        );
    }
}

#[test]
fn units_go_backwards() {
    let f = "5 mV * tanh(x / 2 mV)";
    let mut scope = TestScope::number().with_f(f);
    let there = formula("inverse(f)(x * 1 mV)", &mut scope);
    assert_eq!(there.dimension.unwrap().to_string(), "mV");
    assert!((at(&there, 5.0 * 0.5_f64.tanh()) - 1.0).abs() < 1e-14);
    let (message, _) = mistake("inverse(f)(x)", &mut TestScope::number().with_f("x + 5 mV"));
    assert!(
        message.contains("its inverse subtracts a plain number and a value in mV"),
        "{message}"
    );
    let (message, _) = mistake(
        "inverse(f)(x * 1 mV)",
        &mut TestScope::number().with_f("tanh"),
    );
    assert!(
        message.contains("is a plain number, its inverse is taken of a value in mV"),
        "{message}"
    );
}

#[test]
fn it_prints_as_it_is_written_and_needs_both_brackets() {
    let text = "-inverse(f)(soma + 1) + f'(inverse(f)(post))";
    assert_eq!(parse(text).unwrap().to_string(), text);
    let error = |text: &str| parse(text).unwrap_err().message;
    assert!(error("inverse(f)").contains("the argument in brackets"));
    assert!(error("inverse(g)(x)").contains("only the activation has an inverse"));
    assert!(error("inverse(f, f)(x)").contains("the inverse of the activation"));
    assert!(error("inverse(f)(x, y)").contains("takes one argument"));
}
