//! Rules that are sums of products are found to be so, and the products add up to the rule.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::cell::Cell;

use apical::lang::ast::{Ast, BinarySign, UnarySign};
use apical::lang::graph::Node;
use apical::lang::ops::Binary;
use apical::lang::separate::{Term, separate};
use apical::lang::walk::walk;
use apical::lang::{Formula, Graph, NodeId, Shape, Symbol, build, parse};
use language_support::{
    TestScope, binary, call, formula, name, number, place, runner, tame, unary,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// The weight's symbol in the scope of a rule.
const WEIGHT: Symbol = Symbol::Outer(6);

fn scope() -> TestScope {
    let mut scope = TestScope::plain(&[
        ("lambda", Shape::Scalar),
        ("eta", Shape::Scalar),
        ("pre", Shape::Pre),
        ("q", Shape::Pre),
        ("post", Shape::Post),
        ("dend", Shape::Post),
        ("w", Shape::Synapse),
        ("soma", Shape::Post),
    ]);
    scope = scope.with_f("tanh");
    scope
}

/// A rule, its products, and the graph that holds both.
struct Split {
    rule: NodeId,
    terms: Vec<Term>,
    graph: Graph,
}

fn split(text: &str) -> Result<Split, String> {
    let Formula {
        mut graph, root, ..
    } = formula(text, &mut scope());
    let terms = separate(&mut graph, root, WEIGHT)?;
    Ok(Split {
        rule: root,
        terms,
        graph,
    })
}

/// Why a rule is not a sum of products.
fn refusal(text: &str) -> String {
    match split(text) {
        Err(reason) => reason,
        Ok(split) => panic!("{text} was split into {} products", split.terms.len()),
    }
}

/// The value of the rule with every difference made a sum and every value positive: rounding is
/// relative to this, not to what is left after terms cancel.
fn magnitude(graph: &Graph, id: NodeId, read: &dyn Fn(Symbol) -> f64) -> f64 {
    let of = |operand| magnitude(graph, operand, read);
    match graph.node(id) {
        Node::Binary(Binary::Add | Binary::Sub, a, b) => of(a) + of(b),
        Node::Binary(Binary::Mul, a, b) => of(a) * of(b),
        Node::Binary(Binary::Div, a, b) => of(a) / walk(graph, b, read, &|_| f64::NAN).abs(),
        Node::Unary(_, a) if graph.shape(id) == Shape::Synapse => of(a),
        _ => walk(graph, id, read, &|_| f64::NAN).abs(),
    }
}

impl Split {
    fn sum(&self, read: &dyn Fn(Symbol) -> f64) -> f64 {
        let value = |id| walk(&self.graph, id, read, &|_| f64::NAN);
        let product = |t: &Term| {
            let weight = if t.weight { read(WEIGHT) } else { 1.0 };
            value(t.scalar) * value(t.post) * value(t.pre) * weight
        };
        self.terms.iter().map(product).sum()
    }

    /// That the products add up to the rule and that each factor reads its own side alone.
    fn check(&self, text: &str, seed: u64) -> Result<(), TestCaseError> {
        let read = |symbol| tame(place(seed, symbol, 0));
        let (sum, rule) = (
            self.sum(&read),
            walk(&self.graph, self.rule, &read, &|_| f64::NAN),
        );
        // Each of at most 64 operations rounds by half a unit of what it is given.
        let bound = 64.0 * f64::EPSILON * magnitude(&self.graph, self.rule, &read);
        prop_assert!(
            (sum - rule).abs() <= bound,
            "{text}: products {sum:e}, rule {rule:e}"
        );
        for term in &self.terms {
            let sides = [
                (term.scalar, Shape::Scalar),
                (term.post, Shape::Post),
                (term.pre, Shape::Pre),
            ];
            for (factor, side) in sides {
                let shape = self.graph.shape(factor);
                prop_assert!(
                    shape == side || self.graph.constant(factor).is_some(),
                    "{text}: {shape:?} in {side:?}"
                );
            }
        }
        Ok(())
    }
}

#[test]
fn the_rules_of_the_literature_are_sums_of_few_products() {
    let cases = [
        ("Hebb", "eta * pre * post", 1),
        ("Hebb with decay", "eta * (pre * post - 0.01 * w)", 2),
        ("Oja 1982", "eta * (post * pre - post^2 * w)", 2),
        (
            "covariance (Sejnowski 1977)",
            "eta * (pre - avg(pre, tau)) * (post - avg(post, tau))",
            1,
        ),
        (
            "covariance, multiplied out",
            "eta * (pre * post - avg(pre, tau) * post - pre * avg(post, tau))",
            3,
        ),
        (
            "Bienenstock, Cooper and Munro 1982",
            "eta * pre * post * (post - avg(post^2, tau))",
            1,
        ),
        (
            "impression, basal (Bredenberg et al. 2021)",
            "eta * (1 - lambda) * (soma - f(dend)) * f'(dend) * pre",
            1,
        ),
        (
            "delta rule with decay (Urbanczik and Senn 2014)",
            "eta * (soma - f(dend)) * f'(dend) * pre / f(soma) - lambda * w",
            2,
        ),
        (
            "CLAPP (Illing et al. 2021)",
            "eta * lambda * (prev(soma, 3) * f'(dend) * pre + q * prev(f'(dend), 3) * prev(pre, 3))",
            2,
        ),
        (
            "three factors, sum of two",
            "lambda * pre * post + eta * pre * post",
            1,
        ),
        ("instar (Grossberg 1976)", "eta * post * (pre - w)", 2),
    ];
    for (rule, text, products) in cases {
        let split = split(text).unwrap_or_else(|e| panic!("{rule}: {e}"));
        assert_eq!(split.terms.len(), products, "{rule}");
        for seed in 0..20 {
            split.check(text, seed).unwrap();
        }
    }
}

#[test]
fn scalars_are_taken_out_of_both_sides() {
    let split = split("(3 * post * lambda / 2) * (pre * eta)").unwrap();
    let Split { graph, terms, .. } = &split;
    let node = |text: &str| {
        let alone = formula(text, &mut scope());
        alone.graph.node(alone.root)
    };
    assert_eq!(terms.len(), 1);
    assert_eq!(graph.node(terms[0].pre), node("pre"));
    assert_eq!(graph.node(terms[0].post), node("post"));
    assert_eq!(graph.shape(terms[0].scalar), Shape::Scalar);
    assert!(!terms[0].weight);
}

#[test]
fn the_weight_is_a_factor_of_its_own() {
    let split = split("eta * (pre * post - lambda * w)").unwrap();
    let weights: Vec<bool> = split.terms.iter().map(|t| t.weight).collect();
    assert_eq!(weights, [false, true]);
    let constant = |id| split.graph.constant(id);
    assert_eq!(constant(split.terms[1].post), Some(1.0));
    assert_eq!(constant(split.terms[1].pre), Some(1.0));
}

#[test]
fn rules_that_mix_their_sides_are_refused_with_a_reason() {
    let mixes = "mixes its presynaptic and postsynaptic sides";
    let cases = [
        ("tanh(pre * post)", mixes),
        ("eta * exp(w) * pre", mixes),
        ("max(pre, post)", mixes),
        ("if(pre > post, pre, w)", mixes),
        ("abs(pre - post)", mixes),
        ("pre^post", mixes),
        ("post * (pre > 0.5 * post)", mixes),
        ("sqrt(w) * pre", mixes),
        ("w * w * pre", "not linear in its own weight"),
        ("pre * w^3", "not linear in its own weight"),
        ("(w + pre) * (post - w)", "not linear in its own weight"),
        ("pre / (post + pre)", "divides by something that differs"),
        ("pre * post / w", "divides by something that differs"),
        ("avg(post * pre, tau)", "keeps a state at every synapse"),
        (
            "lambda * lowpass(pre * f(dend), tau)",
            "keeps a state at every synapse",
        ),
        ("pre * post - prev(w)", "keeps a state at every synapse"),
        (
            "(pre + post) * (q + dend) * soma + w",
            "a sum of 5 products, more than 4",
        ),
    ];
    for (text, reason) in cases {
        let found = refusal(text);
        assert!(found.contains(reason), "{text}: {found}");
    }
}

#[test]
fn what_cancels_does_not_count() {
    let products = |text: &str| split(text).map(|s| s.terms.len());
    assert_eq!(products("pre * post - post * pre"), Ok(0));
    assert_eq!(products("(pre + post)^2 - pre^2 - post^2"), Ok(1));
    assert_eq!(products("(pre + post) * (pre - post)"), Ok(2));
    assert_eq!(products("pre * post + 0 * tanh(pre * post)"), Ok(1));
    assert_eq!(products("w - w * 1"), Ok(0));
}

#[test]
fn rules_that_multiply_out_without_end_are_refused_at_once() {
    // 2^64 products, and a single product reached by 2^40 paths.
    let text = "(((pre + post)^4)^4)^4 * (((q + dend)^4)^4)^4";
    assert!(refusal(text).contains("a sum of"));
    let squares = format!("{}pre * post{}", "(".repeat(20), ")^4".repeat(20));
    assert_eq!(split(&squares).map(|s| s.terms.len()), Ok(1));
    let sides = format!("pre * {}post{}", "(".repeat(20), ")^4".repeat(20));
    assert_eq!(split(&sides).map(|s| s.terms.len()), Ok(1));
}

/// An expression of one side.
fn side(names: &'static [&'static str]) -> impl Strategy<Value = Ast> {
    let leaf = prop_oneof![
        3 => proptest::sample::select(names).prop_map(name),
        1 => (1..5_u8).prop_map(|n| number(f64::from(n) / 2.0)),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let signs =
            proptest::sample::select(&[BinarySign::Add, BinarySign::Sub, BinarySign::Mul][..]);
        let of_one = proptest::sample::select(&["tanh", "relu", "step", "f"][..]);
        prop_oneof![
            (signs, inner.clone(), inner.clone()).prop_map(|(s, a, b)| binary(s, a, b)),
            (of_one, inner.clone()).prop_map(|(f, x)| call(f, 0, vec![x])),
            inner
                .clone()
                .prop_map(|x| call("avg", 0, vec![x, name("tau")])),
            inner.prop_map(|x| unary(UnarySign::Minus, x)),
        ]
    })
}

/// A product of up to five factors of either side or none, perhaps with the weight or a divisor.
fn product() -> impl Strategy<Value = Ast> {
    let factor = prop_oneof![
        3 => side(&["pre", "q"]),
        3 => side(&["post", "dend", "soma"]),
        2 => side(&["lambda", "eta"]),
    ];
    let factors = proptest::collection::vec((factor, any::<bool>()), 1..5);
    (factors, any::<bool>(), 0..4_u8).prop_map(|(factors, weight, divide)| {
        let times = |a, b| binary(BinarySign::Mul, a, b);
        let first = if weight { name("w") } else { number(1.0) };
        let product = factors
            .into_iter()
            .fold(first, |all, (factor, left)| match left {
                true => times(factor, all),
                false => times(all, factor),
            });
        // Divisors that are not 0: 1 + x².
        let by = |x: &str| {
            let square = binary(BinarySign::Pow, name(x), number(2.0));
            binary(BinarySign::Add, number(1.0), square)
        };
        match divide {
            0 => binary(BinarySign::Div, product, by("post")),
            1 => binary(BinarySign::Div, product, by("lambda")),
            2 => unary(UnarySign::Minus, product),
            _ => product,
        }
    })
}

/// A sum or difference of products.
fn sum_of_products() -> impl Strategy<Value = (Ast, usize)> {
    proptest::collection::vec((product(), any::<bool>()), 1..=4).prop_map(|products| {
        let count = products.len();
        let all = products.into_iter().map(|(p, minus)| match minus {
            true => unary(UnarySign::Minus, p),
            false => p,
        });
        let sum = all.reduce(|a, b| binary(BinarySign::Add, a, b)).unwrap();
        (sum, count)
    })
}

fn split_tree(tree: &Ast) -> Result<Split, String> {
    split(&tree.to_string())
}

#[test]
fn every_sum_of_up_to_four_products_is_split_and_adds_up() {
    runner(400)
        .run(
            &(sum_of_products(), any::<u64>()),
            |((tree, count), seed)| {
                let split =
                    split_tree(&tree).map_err(|e| TestCaseError::fail(format!("{tree}: {e}")))?;
                prop_assert!(split.terms.len() <= count, "{tree}");
                split.check(&tree.to_string(), seed)
            },
        )
        .unwrap();
}

#[test]
fn products_of_sums_are_multiplied_out() {
    let factors = (sum_of_products(), product(), product(), any::<u64>());
    let found = Cell::new(0);
    runner(300)
        .run(&factors, |((sum, _), a, b, seed)| {
            let factor = binary(BinarySign::Sub, a, b);
            let tree = binary(BinarySign::Mul, sum, factor);
            match split_tree(&tree) {
                Ok(split) => {
                    found.set(found.get() + 1);
                    split.check(&tree.to_string(), seed)
                }
                Err(reason) => {
                    let expected = reason.contains("a sum of") || reason.contains("not linear");
                    prop_assert!(expected, "{tree}: {reason}");
                    Ok(())
                }
            }
        })
        .unwrap();
    assert!(found.get() > 60, "only {found:?} could be split");
}

#[test]
fn no_function_of_both_sides_is_split() {
    const FUNCTIONS: [&str; 5] = ["tanh", "exp", "abs", "relu", "sign"];
    let cases = (
        proptest::sample::select(&FUNCTIONS[..]),
        sum_of_products(),
        product(),
    );
    runner(200)
        .run(&cases, |(f, (inside, _), outside)| {
            let both = binary(
                BinarySign::Add,
                inside,
                binary(BinarySign::Mul, name("pre"), name("post")),
            );
            let built = build(&parse(&both.to_string()).unwrap(), &mut scope()).unwrap();
            prop_assume!(built.shape() == Shape::Synapse);
            let tree = binary(BinarySign::Add, outside, call(f, 0, vec![both]));
            prop_assert!(split_tree(&tree).is_err(), "{tree}");
            Ok(())
        })
        .unwrap();
}
