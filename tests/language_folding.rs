//! Folding constants, closing gates and fusing products keep what an expression means.
//!
//! The reference evaluates the tree as it is written and carries a bound of its own rounding error along
//! (running error analysis, Wilkinson 1963); the graph may differ by the same bound again, since it
//! rounds no more often.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::cell::Cell;

use apical::lang::ast::{Ast, AstKind, BinarySign, UnarySign};
use apical::lang::graph::Node;
use apical::lang::walk::walk;
use apical::lang::{NodeId, Symbol, activation, build};
use language_support::{Repertoire, TestScope, formula, place, runner, tame, trees, unfolded};
use proptest::prelude::*;

/// What one operation may add, relative to its result: 8 units, twice what the elementary functions promise.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// A value and how far rounding may have taken it.
#[derive(Clone, Copy)]
struct Bounded {
    value: f64,
    error: f64,
}

impl Bounded {
    fn exact(value: f64) -> Self {
        Bounded { value, error: 0.0 }
    }

    /// A result whose operands' errors give `inherited`; `None` where the value is not finite.
    fn new(value: f64, inherited: f64) -> Option<Self> {
        // Where results become subnormal, rounding is absolute.
        let error = inherited * (1.0 + ROUNDING) + value.abs() * ROUNDING + 1e-300;
        (value.is_finite() && error.is_finite() && error < 1e100)
            .then_some(Bounded { value, error })
    }

    fn truth(yes: bool) -> Option<Self> {
        Some(Bounded::exact(f64::from(u8::from(yes))))
    }

    /// The sign of this value, if rounding cannot have changed it.
    fn sign(self) -> Option<f64> {
        if self.error <= 0.0 && self.value.abs() <= 0.0 {
            return Some(0.0);
        }
        (self.value.abs() > self.error).then(|| self.value.signum())
    }

    fn is_true(self) -> Option<bool> {
        self.sign().map(|s| s.abs() > 0.0)
    }

    fn minus(self, other: Bounded) -> Option<Self> {
        let exact = self.error + other.error <= 0.0;
        let value = self.value - other.value;
        if exact {
            return Some(Bounded::exact(value));
        }
        Bounded::new(value, self.error + other.error)
    }

    /// A function with these values at both ends of the interval and the middle, monotone in it.
    fn monotone(self, f: impl Fn(f64) -> f64) -> Option<Self> {
        let value = f(self.value);
        let [low, high] =
            [self.value - self.error, self.value + self.error].map(|x| (f(x) - value).abs());
        // A sum, since the larger of a number and NaN is the number.
        Bounded::new(value, low + high)
    }

    /// A function that no more than repeats a difference in its argument.
    fn contracting(self, f: impl Fn(f64) -> f64) -> Option<Self> {
        Bounded::new(f(self.value), self.error)
    }
}

/// What the reference evaluates with.
struct Evaluation<'a> {
    read: &'a dyn Fn(&str) -> f64,
    activation: &'a Ast,
    x: Option<Bounded>,
}

impl Evaluation<'_> {
    /// The value of a tree; `None` where it is not finite, or where rounding may decide a condition.
    fn value(&self, tree: &Ast) -> Option<Bounded> {
        match &tree.kind {
            AstKind::Number(quantity) => Some(Bounded::exact(quantity.value)),
            AstKind::Name(path) if path[0] == "x" => self.x,
            AstKind::Name(path) => Some(Bounded::exact((self.read)(&path[0]))),
            AstKind::Unary(UnarySign::Minus, a) => {
                let a = self.value(a)?;
                Some(Bounded {
                    value: -a.value,
                    ..a
                })
            }
            AstKind::Inverse(_) => None,
            AstKind::Unary(UnarySign::Not, a) => Bounded::truth(!self.value(a)?.is_true()?),
            AstKind::Binary(sign, a, b) => operate(*sign, self.value(a)?, self.value(b)?),
            AstKind::Call {
                function,
                arguments,
                ..
            } => self.call(function, arguments),
        }
    }

    fn call(&self, function: &str, arguments: &[Ast]) -> Option<Bounded> {
        let value = |i: usize| self.value(&arguments[i]);
        let larger =
            |a: Bounded, b: Bounded| Bounded::new(a.value.max(b.value), a.error.max(b.error));
        let smaller =
            |a: Bounded, b: Bounded| Bounded::new(a.value.min(b.value), a.error.max(b.error));
        match function {
            "exp" => value(0)?.monotone(f64::exp),
            "log" => value(0)?.monotone(f64::ln),
            "sqrt" => value(0)?.monotone(f64::sqrt),
            "tanh" => value(0)?.monotone(f64::tanh),
            "sigmoid" => value(0)?.monotone(|x| 1.0 / (1.0 + (-x).exp())),
            "softplus" => value(0)?.monotone(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
            "sin" => value(0)?.contracting(f64::sin),
            "cos" => value(0)?.contracting(f64::cos),
            "relu" => value(0)?.contracting(|x| x.max(0.0)),
            "abs" => value(0)?.contracting(f64::abs),
            "sign" => value(0)?.sign().map(Bounded::exact),
            "step" => Bounded::truth(value(0)?.sign()? > 0.0),
            "min" => smaller(value(0)?, value(1)?),
            "max" => larger(value(0)?, value(1)?),
            "clip" => smaller(larger(value(0)?, value(1)?)?, value(2)?),
            // The branch not taken may be anything.
            "if" => value(if value(0)?.is_true()? { 1 } else { 2 }),
            "changed" => Some(Bounded::exact((self.read)("changed"))),
            "f" => {
                let x = Some(value(0)?);
                let inside = Evaluation { x, ..*self };
                inside.value(self.activation)
            }
            other => panic!("{other} is not among the trees of these tests"),
        }
    }
}

fn operate(sign: BinarySign, a: Bounded, b: Bounded) -> Option<Bounded> {
    use BinarySign::*;
    let order = || a.minus(b)?.sign();
    match sign {
        Add => Bounded::new(a.value + b.value, a.error + b.error),
        Sub => Bounded::new(a.value - b.value, a.error + b.error),
        Mul => Bounded::new(
            a.value * b.value,
            a.error * b.value.abs() + (a.value.abs() + a.error) * b.error,
        ),
        Div => {
            let value = a.value / b.value;
            let least = b.value.abs() - b.error;
            let inherited = (a.error + value.abs() * b.error) / least;
            (least > 0.0).then(|| Bounded::new(value, inherited))?
        }
        Pow => power(a, b),
        Less => Bounded::truth(order()? < 0.0),
        LessEqual => Bounded::truth(order()? <= 0.0),
        Greater => Bounded::truth(order()? > 0.0),
        GreaterEqual => Bounded::truth(order()? >= 0.0),
        Equal => Bounded::truth(order()?.abs() <= 0.0),
        NotEqual => Bounded::truth(order()?.abs() > 0.0),
        And => Bounded::truth(a.is_true()? && b.is_true()?),
        Or => Bounded::truth(a.is_true()? || b.is_true()?),
    }
}

/// a^b: monotone in each over the box of both errors, if that stays on one side of 0 and 1.
fn power(a: Bounded, b: Bounded) -> Option<Bounded> {
    let value = a.value.powf(b.value);
    let exact = a.error + b.error <= 0.0;
    let whole_exponent = b.error <= 0.0;
    let one_sided = a.value.abs() > 2.0 * a.error && (a.value > 0.0 || whole_exponent);
    if !exact && !one_sided {
        return None;
    }
    let mut all = 0.0;
    for x in [a.value - a.error, a.value + a.error] {
        for y in [b.value - b.error, b.value + b.error] {
            all += (x.powf(y) - value).abs();
        }
    }
    // Folding turns x^4 into squares and x^-1 into a quotient: a few roundings instead of one.
    Bounded::new(value, all + 2.0 * ROUNDING * value.abs())
}

const TREES: Repertoire = Repertoire {
    names: &["gate", "s", "pre", "q", "post", "dend", "w"],
    summed: None,
    memories: false,
    primes: Some(0),
};

/// A value of each name: tame numbers, the gate as given.
fn read(seed: u64, gate: f64, symbol: Symbol) -> f64 {
    match symbol {
        Symbol::Outer(0) => gate,
        Symbol::Outer(1000) => 1.0,
        symbol => tame(place(seed, symbol, 0)),
    }
}

#[test]
fn folding_fixing_and_fusing_keep_values_within_the_rounding_bound() {
    let (compared, left_out, folded) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let add = |cell: &Cell<u32>| cell.set(cell.get() + 1);
    let gates = proptest::sample::select(&[0.0, 1.0, -1.0, 2.0, 0.5][..]);
    let fs = proptest::sample::select(&["tanh", "x^2 + 0.5 * x", "softplus(3 * x) / 3"][..]);
    let cases = (trees(TREES), any::<u64>(), gates, fs);
    runner(1000)
        .run(&cases, |(tree, seed, gate, f)| {
            let mut scope = TestScope::rule().with_f(f);
            let names: Vec<&str> = scope.variables.iter().map(|(n, ..)| *n).collect();
            let by_name = |name: &str| {
                let index = names.iter().position(|n| *n == name).unwrap_or(1000);
                read(seed, gate, Symbol::Outer(index as u32))
            };
            let activation = activation(f).unwrap();
            let evaluation = Evaluation {
                read: &by_name,
                activation: &activation,
                x: None,
            };
            let Some(reference) = evaluation.value(&tree) else {
                add(&left_out);
                return Ok(());
            };
            let formula = build(&tree, &mut scope).unwrap();
            let mut graph = formula.graph;
            if unfolded(&graph, formula.root) > 1e4 {
                add(&left_out);
                return Ok(());
            }
            let fixed = graph.fix(formula.root, |s| (s == Symbol::Outer(0)).then_some(gate));
            let fused = graph.contract(fixed);
            for (stage, root) in [("built", formula.root), ("fixed", fixed), ("fused", fused)] {
                let value = walk(&graph, root, &|s| read(seed, gate, s), &|_| f64::NAN);
                prop_assert!(
                    (value - reference.value).abs() <= 2.0 * reference.error,
                    "{stage}: {tree} is {value:e}, should be {:e} within {:e}",
                    reference.value,
                    reference.error
                );
            }
            add(&compared);
            if graph.order(fixed).len() < graph.order(formula.root).len() {
                add(&folded);
            }
            Ok(())
        })
        .unwrap();
    assert!(
        compared.get() > left_out.get(),
        "{compared:?} compared, {left_out:?} left out"
    );
    assert!(
        folded.get() * 10 > compared.get(),
        "only {folded:?} of {compared:?} were simplified"
    );
}

#[test]
fn the_rounding_bound_is_tight_enough_to_find_a_wrong_constant() {
    // The bound of a typical rule is far below a change of one part in 10^12.
    let tree = apical::lang::parse("s * (tanh(post) - dend)^2 * pre / (1 + exp(w))").unwrap();
    let identity = activation("identity").unwrap();
    let by_name = |name: &str| tame(name.len() as u64);
    let evaluation = Evaluation {
        read: &by_name,
        activation: &identity,
        x: None,
    };
    let value = evaluation.value(&tree).unwrap();
    assert!(
        value.error < 1e-12 * value.value.abs(),
        "{:e}",
        value.error / value.value
    );
}

/// The node that a text becomes, once its gate has a value, in the same graph as others.
fn closed(texts: [&str; 2], gate: f64) -> [NodeId; 2] {
    // Both in one graph, so that equal expressions are the same node.
    let text = format!("if(s, {}, {})", texts[0], texts[1]);
    let formula = formula(&text, &mut TestScope::rule().with_f("tanh"));
    let mut graph = formula.graph;
    let Node::Ternary(_, _, a, b) = graph.node(formula.root) else {
        return [formula.root; 2];
    };
    [a, b].map(|root| graph.fix(root, |s| (s == Symbol::Outer(0)).then_some(gate)))
}

#[test]
fn a_gate_removes_the_branch_that_it_closes() {
    let cases = [
        ("gate * tanh(pre) + (1 - gate) * post", 1.0, "tanh(pre)"),
        ("gate * tanh(pre) + (1 - gate) * post", 0.0, "post"),
        ("if(gate, pre * post, w)", 1.0, "pre * post"),
        ("if(gate, pre * post, w)", 0.0, "w"),
        ("w^(2 * gate)", 1.0, "w * w"),
        ("w^(gate - 1)", 0.0, "1 / w"),
        ("w^(gate / 2)", 1.0, "sqrt(w)"),
        ("gate * w - pre", 0.0, "-pre"),
        ("--w", 0.0, "w"),
        ("gate / post", 0.0, "0 * post"),
        ("f(gate * post) + w", 0.0, "w"),
        ("(gate - 1) * w", 0.0, "-w"),
        (
            "(gate == 0 and s > s) + w * w",
            1.0,
            "(gate != 1 and s > s) + w * w",
        ),
    ];
    for (text, gate, left) in cases {
        let [a, b] = closed([text, left], gate);
        assert_eq!(a, b, "{text} with gate = {gate} should be {left}");
    }
    let [a, b] = closed(["gate * pre + w", "gate * post + w"], 1.0);
    assert_ne!(a, b, "what a gate lets through stays");
}

#[test]
fn equal_parts_are_one_node() {
    let one = formula("tanh(pre * w)", &mut TestScope::rule());
    let two = formula(
        "tanh(pre * w) * post + tanh(pre * w)",
        &mut TestScope::rule(),
    );
    let size = |f: &apical::lang::Formula| f.graph.order(f.root).len();
    // The product, the sum and `post` are all that is new.
    assert_eq!(size(&two), size(&one) + 3);
}

#[test]
fn a_product_that_two_read_is_not_computed_twice() {
    let formula = formula("(pre * w + post) * tanh(pre * w)", &mut TestScope::rule());
    let mut graph = formula.graph;
    let root = graph.contract(formula.root);
    let fused = |id: &NodeId| matches!(graph.node(*id), Node::Ternary(..));
    assert_eq!(graph.order(root).iter().filter(|id| fused(id)).count(), 0);
}
