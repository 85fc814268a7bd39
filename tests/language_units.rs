//! Dimensions are checked, and memories are registered as what they are.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use apical::lang::graph::Node;
use apical::lang::{Filter, FilterKind, Formula, Shape, Symbol, build, parse};
use apical::units::{Dimension, Quantity};
use language_support::{TestScope, formula, mistake};

/// A compartment's neighbourhood: quantities of several units, per neuron.
fn scope() -> TestScope {
    let vector = Shape::Vector(8);
    let mut scope = TestScope::plain(&[]);
    scope.variables = vec![
        ("v", vector, Dimension::VOLTAGE),
        ("i", vector, Dimension::CURRENT),
        ("g", vector, Dimension::CONDUCTANCE),
        ("x", vector, Dimension::NONE),
        ("t", Shape::Scalar, Dimension::TIME),
        ("s", Shape::Scalar, Dimension::NONE),
        ("noise", vector, Dimension::new(-1, 0, 0)),
    ];
    scope.constants = vec![
        ("tau", Quantity::new(20.0, Dimension::TIME)),
        ("rate", Quantity::new(0.1, Dimension::RATE)),
        ("c", Quantity::new(200.0, Dimension::CAPACITANCE)),
        ("rest", Quantity::new(-70.0, Dimension::VOLTAGE)),
        ("zero", Quantity::plain(0.0)),
    ];
    scope.step = Quantity::new(0.5, Dimension::TIME);
    scope
}

fn dimension(text: &str) -> Option<Dimension> {
    formula(text, &mut scope()).dimension
}

#[test]
fn equations_of_physics_have_the_dimension_of_their_left_side() {
    let cases = [
        (
            "(rest - v) / tau + i / c",
            Dimension::VOLTAGE / Dimension::TIME,
        ),
        ("g * (v - 0 mV)", Dimension::CURRENT),
        ("g * v / c", Dimension::VOLTAGE / Dimension::TIME),
        ("-g * 0.5 GOhm * v", Dimension::VOLTAGE),
        ("v^2 / (2 mV)", Dimension::VOLTAGE),
        ("sqrt(v^2 + (1 mV)^2)", Dimension::VOLTAGE),
        ("v * v^-1", Dimension::NONE),
        ("exp((v - rest) / 4 mV)", Dimension::NONE),
        ("tanh(v * 3 nS / 2 pA)", Dimension::NONE),
        ("clip(v, rest, 0.03 V)", Dimension::VOLTAGE),
        ("max(v, 0)", Dimension::VOLTAGE),
        ("if(v > -50 mV, i, 0)", Dimension::CURRENT),
        ("abs(v) - relu(rest)", Dimension::VOLTAGE),
        ("step(v - rest) + sign(i)", Dimension::NONE),
        ("50 Hz * tau", Dimension::NONE),
        ("rate * v", Dimension::VOLTAGE / Dimension::TIME),
        // White noise has 1/√time; so does a rate's root.
        ("sqrt(2 / tau) * noise", Dimension::RATE),
        (
            "prev(v, 3) + avg(v, tau) - lowpass(v, 5 ms)",
            Dimension::VOLTAGE,
        ),
        ("not (v < rest) and x", Dimension::NONE),
    ];
    for (text, expected) in cases {
        assert_eq!(dimension(text), Some(expected), "{text}");
    }
}

#[test]
fn a_bare_zero_goes_with_every_unit() {
    assert_eq!(dimension("0"), None);
    assert_eq!(dimension("zero + v"), Some(Dimension::VOLTAGE));
    assert_eq!(dimension("0 - i"), Some(Dimension::CURRENT));
    assert_eq!(dimension("if(x, 0, 0)"), None);
    assert_eq!(dimension("v > 0"), Some(Dimension::NONE));
    assert_eq!(dimension("0 mV"), Some(Dimension::VOLTAGE));
    let (message, _) = mistake("v + 1", &mut scope());
    assert!(
        message.contains("mV") && message.contains("a plain number"),
        "1 is not 0: {message}"
    );
}

#[test]
fn units_that_do_not_go_together_are_named() {
    let cases = [
        (
            "v + i",
            "this adds a value in mV and a value in pA",
            "v + i",
        ),
        (
            "2 * (v - 3 pA)",
            "this subtracts a value in mV and a value in pA",
            "(v - 3 pA)",
        ),
        (
            "v < tau",
            "this compares a value in mV and a value in ms",
            "v < tau",
        ),
        (
            "max(v, i)",
            "this compares a value in mV and a value in pA",
            "max(v, i)",
        ),
        (
            "clip(v, 0 mV, 1)",
            "this clips a value in mV and a plain number",
            "clip(v, 0 mV, 1)",
        ),
        (
            "if(x, v, i)",
            "this chooses between a value in mV and a value in pA",
            "if(x, v, i)",
        ),
        ("tanh(v)", "`tanh` takes a plain number, this is in mV", "v"),
        (
            "x + exp(i / c)",
            "`exp` takes a plain number, this is in mV/ms",
            "i / c",
        ),
        ("x and v", "`and` takes a plain number, this is in mV", "v"),
        ("not i", "`not` takes a plain number, this is in pA", "i"),
        (
            "if(v, x, x)",
            "a condition takes a plain number, this is in mV",
            "v",
        ),
        (
            "2^v",
            "an exponent takes a plain number, this is in mV",
            "v",
        ),
        (
            "v^x",
            "a value in mV to a power that is not a whole number",
            "v^x",
        ),
        (
            "v^0.5",
            "a value in mV to a power that is not a whole number",
            "v^0.5",
        ),
        (
            "sqrt(noise)",
            "the square root of this unit has no meaning",
            "sqrt(noise)",
        ),
        (
            "avg(v, 10)",
            "a time constant is in ms here, this is a plain number",
            "10",
        ),
        (
            "avg(v, 10 mV)",
            "a time constant is in ms here, this is in mV",
            "10 mV",
        ),
        (
            "lowpass(v, rate)",
            "a time constant is in ms here, this is in 1/ms",
            "rate",
        ),
        (
            "prev(v, 3 ms)",
            "a number of steps takes a plain number, this is in ms",
            "3 ms",
        ),
    ];
    for (text, message, place) in cases {
        assert_eq!(
            mistake(text, &mut scope()),
            (message.to_owned(), place.to_owned()),
            "{text}"
        );
    }
    let tree = parse("tanh(v)").unwrap();
    let errors = build(&tree, &mut scope()).unwrap_err();
    assert_eq!(errors[0].note, "mV");
    assert_eq!(
        errors[0].help.as_deref(),
        Some("divide by a quantity in mV first")
    );
}

#[test]
fn units_pass_through_an_activation_and_its_slope() {
    let of = |text: &str, f: &str| {
        let tree = parse(text).unwrap();
        build(&tree, &mut scope().with_f(f)).map(|f| f.dimension)
    };
    assert_eq!(of("f(x)", "tanh"), Ok(Some(Dimension::NONE)));
    assert_eq!(of("f(v)", "identity"), Ok(Some(Dimension::VOLTAGE)));
    assert_eq!(of("f'(v)", "identity"), Ok(Some(Dimension::NONE)));
    assert_eq!(of("f(v)", "x^2"), Ok(Some(Dimension::VOLTAGE.powi(2))));
    assert_eq!(of("f'(v)", "x^2"), Ok(Some(Dimension::VOLTAGE)));
    assert_eq!(of("f''(v)", "x^2"), Ok(Some(Dimension::NONE)));
    assert_eq!(
        of("f'(v)", "tanh(x / 5 mV)"),
        Ok(Some(Dimension::NONE / Dimension::VOLTAGE))
    );
    for text in ["2 * f(v)", "2 * f'(v)"] {
        let error = of(text, "tanh").unwrap_err().swap_remove(0);
        assert_eq!(
            error.message,
            "in the activation `tanh(x)`: `tanh` takes a plain number, this is in mV"
        );
        assert_eq!(
            &text[error.start..error.end],
            &text[4..],
            "the call is underlined"
        );
    }
}

/// The filters of a text, and the formula.
fn filters(text: &str) -> (Vec<Filter>, Formula) {
    let formula = formula(text, &mut scope());
    (formula.filters.clone(), formula)
}

#[test]
fn memories_are_registered_with_their_kind_and_decay() {
    // Steps of 0.5 ms.
    let decay = |tau: f64| f64::exp(-0.5 / tau);
    let cases = [
        ("prev(x)", FilterKind::Previous(1)),
        ("prev(x, 7)", FilterKind::Previous(7)),
        ("prev(x, 2 * 50)", FilterKind::Previous(100)),
        ("avg(x, 10 ms)", FilterKind::Average(decay(10.0))),
        ("avg(x, tau)", FilterKind::Average(decay(20.0))),
        ("avg(x, tau / 4)", FilterKind::Average(decay(5.0))),
        ("lowpass(x, 10 ms)", FilterKind::Lowpass(decay(10.0))),
        ("lowpass(x, 0.01 s)", FilterKind::Lowpass(decay(10.0))),
        ("avg(x, 1 / rate)", FilterKind::Average(decay(10.0))),
        // Much longer than a step: 1 − 2.5e-7 to the last bit.
        ("avg(x, 2000 s)", FilterKind::Average(decay(2e6))),
    ];
    for (text, kind) in cases {
        let (filters, formula) = filters(text);
        assert_eq!(filters.len(), 1, "{text}");
        assert_eq!(filters[0].kind, kind, "{text}");
        assert_eq!(filters[0].shape, Shape::Vector(8), "{text}");
        let input = formula.graph.node(filters[0].input);
        assert_eq!(input, Node::Variable(Symbol::Outer(3)), "{text} follows x");
        let root = formula.graph.node(formula.root);
        assert_eq!(
            root,
            Node::Variable(Symbol::Filter(0)),
            "{text} is the filter's state"
        );
    }
    // A first-order low-pass filter forgets by 1/e in τ: 40 steps of 0.5 ms make 20 ms.
    let (all, _) = filters("avg(x, tau)");
    let FilterKind::Average(decay) = all[0].kind else {
        panic!("{all:?}")
    };
    assert!((decay.powi(40) - f64::exp(-1.0)).abs() < 1e-14);
}

#[test]
fn a_step_without_a_unit_takes_time_constants_without_one() {
    let mut plain = scope();
    plain.step = Quantity::plain(1.0);
    let tree = parse("avg(x, 10)").unwrap();
    let kind = build(&tree, &mut plain).unwrap().filters[0].kind;
    assert_eq!(kind, FilterKind::Average(f64::exp(-0.1)));
    let (message, _) = mistake("avg(x, 10 ms)", &mut plain);
    assert_eq!(
        message,
        "a time constant is a plain number here, this is in ms"
    );
}

#[test]
fn a_time_constant_is_a_positive_constant() {
    for text in [
        "avg(x, 0)",
        "avg(x, -3 ms)",
        "lowpass(x, t)",
        "lowpass(x, tau * s)",
        "avg(x, 0 ms)",
    ] {
        let (message, _) = mistake(text, &mut scope());
        assert_eq!(message, "a time constant is a constant above 0", "{text}");
    }
    for text in [
        "prev(x, -1)",
        "prev(x, s)",
        "prev(x, 100001)",
        "prev(x, 0.5)",
    ] {
        let (message, _) = mistake(text, &mut scope());
        assert!(
            message.contains("whole number of steps from 1 to 100000"),
            "{text}: {message}"
        );
    }
}

#[test]
fn equal_memories_are_one_and_others_are_not() {
    let count = |text: &str| filters(text).0.len();
    assert_eq!(count("avg(x, tau) * avg(x, 20 ms)"), 1);
    assert_eq!(count("prev(x) + prev(x, 1)"), 1);
    assert_eq!(count("prev(x * v) + prev(x * v)"), 1);
    assert_eq!(count("carry(x, 0.5) * (1 + carry(x, 0.5))"), 1);
    assert_eq!(count("carry(x, 0.5) + carry(x, 0.25)"), 2);
    assert_eq!(count("avg(x, tau) * lowpass(x, tau)"), 2);
    assert_eq!(count("prev(x) + prev(x, 2)"), 2);
    assert_eq!(count("avg(x, tau) + avg(x, 21 ms)"), 2);
}

#[test]
fn a_memory_of_a_memory_comes_after_it() {
    let (all, formula) = filters("avg((x - avg(x, tau))^2, tau) + prev(prev(x))");
    let kinds: Vec<bool> = all
        .iter()
        .map(|f| matches!(f.kind, FilterKind::Average(_)))
        .collect();
    assert_eq!(kinds, [true, true, false, false]);
    for (index, filter) in all.iter().enumerate() {
        let earlier = |s: &Symbol| !matches!(s, Symbol::Filter(i) if *i as usize >= index);
        assert!(
            formula.graph.symbols(filter.input).iter().all(earlier),
            "filter {index}"
        );
    }
}

#[test]
fn the_memory_of_a_constant_is_the_constant_unless_it_rises_from_zero() {
    for text in ["prev(3 mV)", "avg(rest, tau)"] {
        let (filters, formula) = filters(text);
        assert!(
            filters.is_empty() && formula.graph.constant(formula.root).is_some(),
            "{text}"
        );
    }
    let (filters, _) = filters("lowpass(3 mV, tau)");
    assert_eq!(
        filters.len(),
        1,
        "a low-pass filter starts at 0 and has yet to reach 3 mV"
    );
    assert_eq!(filters[0].shape, Shape::Scalar);
}

#[test]
fn a_memory_has_the_shape_of_what_it_follows() {
    let shape = |text: &str| formula(text, &mut TestScope::rule()).filters[0].shape;
    assert_eq!(shape("avg(s, tau)"), Shape::Scalar);
    assert_eq!(shape("avg(pre, tau)"), Shape::Pre);
    assert_eq!(shape("avg(s * post, tau)"), Shape::Post);
    assert_eq!(shape("avg(pre * post, tau)"), Shape::Synapse);
    assert_eq!(shape("prev(w)"), Shape::Synapse);
}

#[test]
fn shapes_join_as_the_sides_of_a_synapse_do() {
    let rule = |text: &str| formula(text, &mut TestScope::rule()).shape();
    assert_eq!(rule("s * 2"), Shape::Scalar);
    assert_eq!(rule("s * pre + q"), Shape::Pre);
    assert_eq!(rule("if(s, post, dend)"), Shape::Post);
    assert_eq!(rule("pre + post"), Shape::Synapse);
    assert_eq!(rule("w * s"), Shape::Synapse);
    assert_eq!(rule("clip(post, 0, pre)"), Shape::Synapse);
    let population = |text: &str| formula(text, &mut TestScope::population(5)).shape();
    assert_eq!(population("a * s"), Shape::Vector(5));
    assert_eq!(population("mean(a * s) + sum(b)"), Shape::Scalar);
}
