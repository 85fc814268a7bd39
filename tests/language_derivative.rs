//! `f'(x)` is the derivative of `f(x)`.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::cell::Cell;

use apical::lang::ast::{Ast, BinarySign};
use apical::lang::walk::walk;
use apical::lang::{Formula, Graph, Symbol, activation, build, parse};
use language_support::{
    TestScope, at, binary, call, formula, mistake, name, number, runner, unfolded, value,
};
use proptest::prelude::*;

/// f, f', f'' of an activation, each a formula in `x`.
fn with_slopes(f: &Ast) -> [Formula; 3] {
    ["f(x)", "f'(x)", "f''(x)"].map(|text| {
        let mut scope = TestScope::number();
        scope.activation = Some(f.clone());
        build(&parse(text).unwrap(), &mut scope).unwrap_or_else(|e| panic!("{f}: {e:?}"))
    })
}

/// The derivative from eight values around x (an error of order h^8), and how far the six inner of
/// them alone (h^6) would take it: an upper estimate of its error.
fn difference(f: &Formula, x: f64) -> (f64, f64) {
    let h = 0.01;
    let odd = |k: f64| (at(f, x + k * h) - at(f, x - k * h)) / h;
    let d = [odd(1.0), odd(2.0), odd(3.0), odd(4.0)];
    let eight = d[0] * 4.0 / 5.0 - d[1] / 5.0 + d[2] * 4.0 / 105.0 - d[3] / 280.0;
    let six = d[0] * 3.0 / 4.0 - d[1] * 3.0 / 20.0 + d[2] / 60.0;
    (eight, (eight - six).abs())
}

/// Smooth functions of `x`, on all numbers.
fn smooth() -> impl Strategy<Value = Ast> {
    let constant = (-8..=8_i32).prop_map(|n| number(f64::from(n) / 4.0));
    let leaf = prop_oneof![3 => Just(name("x")), 1 => constant];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let signs =
            proptest::sample::select(&[BinarySign::Add, BinarySign::Sub, BinarySign::Mul][..]);
        let bounded = ["tanh", "sigmoid", "softplus", "sin", "cos"];
        let of_one = (proptest::sample::select(bounded.to_vec()), inner.clone());
        prop_oneof![
            4 => (signs, inner.clone(), inner.clone()).prop_map(|(s, a, b)| binary(s, a, b)),
            4 => of_one.prop_map(|(f, x)| call(f, 0, vec![x])),
            2 => (0..7_u8, inner.clone(), inner).prop_map(|(which, a, b)| guarded(which, a, b)),
        ]
    })
}

/// Functions with corners or poles, kept away from them.
fn guarded(which: u8, a: Ast, b: Ast) -> Ast {
    let square = || binary(BinarySign::Pow, a.clone(), number(2.0));
    let above_one = binary(BinarySign::Add, number(1.0), square());
    let bounded = call("tanh", 0, vec![b.clone()]);
    match which {
        0 => binary(BinarySign::Div, b, above_one),
        1 => call("sqrt", 0, vec![above_one]),
        2 => call("log", 0, vec![above_one]),
        3 => call("exp", 0, vec![bounded]),
        4 => binary(BinarySign::Pow, above_one, bounded),
        5 => binary(BinarySign::Pow, bounded, number(5.0)),
        _ => call("max", 0, vec![above_one, number(0.5)]),
    }
}

#[test]
fn slopes_agree_with_central_differences_to_one_in_a_million() {
    let (compared, left_out) = (Cell::new(0), Cell::new(0));
    runner(250)
        .run(&(smooth(), -2.0..2.0), |(f, x)| {
            let [value, slope, bend] = with_slopes(&f);
            if unfolded(&bend.graph, bend.root) > 2e4 {
                left_out.set(left_out.get() + 1);
                return Ok(());
            }
            for (function, derivative) in [(&value, &slope), (&slope, &bend)] {
                let (expected, doubt) = difference(function, x);
                let found = at(derivative, x);
                // Relative to the function's own size too: where a slope nearly vanishes, differences of
                // large values carry their rounding, 1e-16/h.
                let scale = expected.abs().max(at(function, x).abs()).max(1e-3);
                if doubt > 1e-7 * scale || !scale.is_finite() {
                    // Too curved for this h, judged from the values alone.
                    left_out.set(left_out.get() + 1);
                    continue;
                }
                compared.set(compared.get() + 1);
                prop_assert!(
                    (found - expected).abs() <= 1e-6 * scale,
                    "{f} at {x}: slope {found:e}, differences {expected:e}"
                );
            }
            Ok(())
        })
        .unwrap();
    assert!(
        compared.get() > 2 * left_out.get(),
        "{compared:?} compared, {left_out:?} left out"
    );
}

#[test]
fn the_comparison_with_differences_would_notice_a_wrong_slope() {
    let f = formula("tanh(x) * x", &mut TestScope::number());
    let wrong = formula("tanh(x) + x * (1 - tanh(x))", &mut TestScope::number());
    let (expected, doubt) = difference(&f, 0.7);
    assert!(doubt < 1e-9);
    assert!((at(&wrong, 0.7) - expected).abs() > 1e-2);
}

/// Points on both sides of 0, none of them special.
const POINTS: [f64; 9] = [-7.3, -2.1, -0.9, -0.013, 0.0, 0.31, 1.0, 2.7, 11.5];

/// That two expressions are the same bits at all points.
fn same_bits(left: &str, right: &str, f: &str) {
    for x in POINTS {
        let (a, b) = (value(left, f, x), value(right, f, x));
        assert_eq!(
            a.to_bits(),
            b.to_bits(),
            "{left} = {a:e} and {right} = {b:e} at {x}, f = {f}"
        );
    }
}

#[test]
fn tanh_sigmoid_softplus_have_their_closed_forms() {
    same_bits("f'(x)", "1 - tanh(x) * tanh(x)", "tanh");
    same_bits("f''(x)", "-(1 - tanh(x)^2) * tanh(x) * 2", "tanh");
    same_bits("f'(x)", "sigmoid(x) * (1 - sigmoid(x))", "sigmoid");
    same_bits("f'(x)", "sigmoid(x)", "softplus");
    same_bits("f''(x)", "sigmoid(x) * (1 - sigmoid(x))", "softplus");
    same_bits("f'(x)", "1", "identity");
    same_bits("f''(x)", "0", "identity");
    same_bits("f'(x)", "exp(x)", "exp");
    same_bits("f'(x)", "cos(x)", "sin");
    same_bits("f''(x)", "-sin(x)", "sin");
    for x in POINTS {
        // s(1−s)(1−2s): at most a handful of roundings, each of values below 1.
        let s = value("sigmoid(x)", "tanh", x);
        let closed = s * (1.0 - s) * (1.0 - 2.0 * s);
        let error = (value("f''(x)", "sigmoid", x) - closed).abs();
        assert!(error < 4.0 * f64::EPSILON, "{x}: {error:e}");
        // The same softplus written out, as a paper would.
        let written = value("f'(x)", "log(1 + exp(3 * x)) / 3", x);
        let closed = value("sigmoid(3 * x)", "tanh", x);
        assert!(
            (written - closed).abs() < 4.0 * f64::EPSILON * closed,
            "{x}"
        );
    }
}

#[test]
fn powers_have_their_closed_forms() {
    for n in [
        -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0,
    ] {
        let f = format!("x^({n})");
        for x in POINTS
            .into_iter()
            .filter(|x| *x > 0.0 || ([1.0, 2.0, 3.0, 4.0, 5.0, 7.0].contains(&n)))
        {
            // A factor of 0 has removed the power, which is infinite at 0.
            let times = |factor: f64, power: f64| match factor.abs() > 0.0 {
                true => factor * x.powf(power),
                false => 0.0,
            };
            let (first, second) = (times(n, n - 1.0), times(n * (n - 1.0), n - 2.0));
            for (text, closed) in [("f'(x)", first), ("f''(x)", second)] {
                let found = value(text, &f, x);
                // Products in place of powers: a few roundings each.
                let bound = 8.0 * f64::EPSILON * closed.abs();
                assert!(
                    (found - closed).abs() <= bound,
                    "{text} of {f} at {x}: {found} {closed}"
                );
            }
        }
    }
}

#[test]
fn at_a_corner_the_slope_is_that_of_the_side_taken() {
    let cases = [
        ("relu", [0.0, 0.0, 1.0]),
        ("abs", [-1.0, 0.0, 1.0]),
        ("max(x, 3 * x)", [1.0, 3.0, 3.0]),
        ("min(x, 3 * x)", [3.0, 3.0, 1.0]),
        ("clip(2 * x, -1, 1)", [0.0, 2.0, 0.0]),
        ("if(x > 0, 5 * x, x)", [1.0, 1.0, 5.0]),
        ("step(x)", [0.0, 0.0, 0.0]),
        ("sign(x) * x", [-1.0, 0.0, 1.0]),
        ("(x > 0) * x^2", [0.0, 0.0, 4.0]),
        ("(not (x > 0)) * x", [1.0, 1.0, 0.0]),
    ];
    for (f, slopes) in cases {
        for (x, slope) in [-2.0, 0.0, 2.0].into_iter().zip(slopes) {
            let found = value("f'(x)", f, x);
            assert!(
                (found - slope).abs() < 1e-15,
                "slope of {f} at {x} is {found}, not {slope}"
            );
        }
    }
}

#[test]
fn the_chain_rule_is_left_to_the_writer_of_a_rule() {
    // f'(g) is the slope of f at g; it is not d f(g)/dx.
    same_bits("f'(3 * x)", "1 - tanh(3 * x)^2", "tanh");
    same_bits("f'(f(x))", "1 - tanh(tanh(x))^2", "tanh");
}

#[test]
fn fused_products_have_the_slope_of_what_they_stand_for() {
    for text in ["x * tanh(x) + x", "x - x * tanh(x)", "x * tanh(x) - x"] {
        let plain = formula(text, &mut TestScope::number());
        let mut graph: Graph = plain.graph.clone();
        let fused = graph.contract(plain.root);
        let slope = graph.derivative(plain.root, Symbol::Outer(0));
        let slope_of_fused = graph.derivative(fused, Symbol::Outer(0));
        assert_ne!(fused, plain.root, "{text} was fused");
        for x in POINTS {
            let read = |root| walk(&graph, root, &|_| x, &|_| f64::NAN);
            let (a, b) = (read(slope), read(slope_of_fused));
            assert!(
                (a - b).abs() <= 4.0 * f64::EPSILON * (1.0 + a.abs()),
                "{text} at {x}"
            );
        }
    }
}

#[test]
fn a_sum_has_the_sum_of_the_slopes() {
    let formula = formula("sum(a * s + s^2)", &mut TestScope::population(20));
    let mut graph = formula.graph;
    let slope = graph.derivative(formula.root, Symbol::Outer(1));
    let total = |node| {
        let read = |symbol, i: usize| {
            if symbol == Symbol::Outer(1) {
                0.5
            } else {
                i as f64
            }
        };
        (0..20)
            .map(|i| walk(&graph, node, &|s| read(s, i), &|_| f64::NAN))
            .sum()
    };
    // Σ(i + 2s) over i = 0…19 with s = 0.5; all are whole numbers.
    assert!((walk(&graph, slope, &|_| f64::NAN, &total) - 210.0).abs() < 1e-12);
    // d/ds Σ(a + s) = 20: the slope of every element is the same number, 20 times.
    let formula = language_support::formula("sum(a + s)", &mut TestScope::population(20));
    let mut graph = formula.graph;
    let slope = graph.derivative(formula.root, Symbol::Outer(1));
    assert_eq!(graph.constant(slope), Some(20.0));
}

#[test]
fn an_activation_without_a_derivative_is_refused() {
    let message = |text: &str, f: &str| mistake(text, &mut TestScope::number().with_f(f)).0;
    assert!(message("f'(x)", "prev(x)").contains("no derivative"));
    assert!(message("f(x) + f'(x)", "avg(x, tau)").contains("no derivative"));
    assert!(message("tanh'(x)", "tanh").contains("`tanh'` is not known"));
    // An activation made of itself would never end.
    assert!(message("f(x)", "f").contains("which is itself"));
    assert!(message("f'(x)", "1 + f(x / 2)").contains("which is itself"));
    assert!(message("f''(x)", "f'(x)").contains("which is itself"));
    // Every mark makes it longer; without a bound this one would fill the memory.
    let marks = "'".repeat(60);
    assert!(message(&format!("f{marks}(x)"), "tanh(x)^3 * exp(x)").contains("too many operations"));
    assert!(activation("tanh(").is_err());
}
