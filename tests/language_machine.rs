//! The virtual machine computes what the tree walker does, to the last bit.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language_support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use apical::lang::ast::Ast;
use apical::lang::code::{Code, Operation, compile};
use apical::lang::ops::Binary;
use apical::lang::verify::verify;
use apical::lang::vm::{Machine, padded};
use apical::lang::walk::walk;
use apical::lang::{Graph, NodeId, Shape, Symbol, build, parse};
use language_support::{
    Repertoire, TestScope, formula, place, runner, same, shapes, trees, unfolded, wild,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// Elements and walker operations that one comparison may take.
const BUDGET: f64 = 60_000.0;

/// What was seen over all cases, so that a test can tell that it has tested something.
#[derive(Default)]
struct Seen {
    operations: RefCell<BTreeSet<String>>,
    compared: Cell<usize>,
    skipped: Cell<usize>,
    not_a_number: Cell<usize>,
    infinite: Cell<usize>,
    sums: Cell<usize>,
}

impl Seen {
    fn note(&self, value: f64) {
        let add = |cell: &Cell<usize>, yes: bool| cell.set(cell.get() + usize::from(yes));
        add(&self.compared, true);
        add(&self.not_a_number, value.is_nan());
        add(&self.infinite, value.is_infinite());
    }

    fn code(&self, code: &Code) {
        let mut seen = self.operations.borrow_mut();
        let body = code.body.iter().map(|i| i.operation);
        let prelude = code.prelude.iter().map(|i| i.operation);
        seen.extend(
            body.chain(prelude)
                .map(|operation| format!("{operation:?}")),
        );
    }

    /// All operations that there are, and enough of each kind of result.
    fn check(&self) {
        let seen = self.operations.borrow();
        let one = "Neg Not Abs Sqrt Exp Log Sin Cos Tanh Sigmoid Softplus Step Sign";
        let two = "Add Sub Mul Div Pow Min Max Less LessEqual Equal NotEqual And Or";
        let three = "Fma NegFma FmaSub Select";
        for (kind, names) in [("Unary", one), ("Binary", two), ("Ternary", three)] {
            for name in names.split(' ') {
                assert!(
                    seen.contains(&format!("{kind}({name})")),
                    "{name} never occurred"
                );
            }
        }
        let compared = self.compared.get();
        assert!(
            self.not_a_number.get() * 50 > compared,
            "too few results are NaN"
        );
        assert!(
            self.infinite.get() * 200 > compared,
            "too few results are infinite"
        );
        assert!(
            self.not_a_number.get() * 2 < compared,
            "too few results are numbers"
        );
    }
}

/// What the symbols hold in one case.
struct Values {
    seed: u64,
    sums: Vec<f64>,
    /// The presynaptic neuron whose row is run, if one is.
    row: Option<usize>,
}

impl Values {
    fn read(&self, symbol: Symbol, shape: Shape, element: usize) -> f64 {
        let element = match (symbol, shape, self.row) {
            (Symbol::Sum(k), _, _) => return self.sums[k as usize],
            (_, Shape::Scalar, _) => 0,
            (_, Shape::Pre, Some(row)) => row,
            _ => element,
        };
        wild(place(self.seed, symbol, element))
    }

    fn uniform(&self, shape: Shape) -> bool {
        shape == Shape::Scalar || (self.row.is_some() && shape == Shape::Pre)
    }
}

/// A checked program, and the shapes of what it reads.
fn compiled(graph: &Graph, root: NodeId, values: &Values) -> Option<Code> {
    let code = compile(graph, root, |shape| values.uniform(shape)).ok()?;
    verify(&code).unwrap_or_else(|e| panic!("{e}: {code:?}"));
    Some(code)
}

/// Runs a program over `n` elements.
fn run(code: &Code, graph: &Graph, root: NodeId, values: &Values, n: usize) -> Vec<f64> {
    let shapes = shapes(graph, root);
    let shape = |symbol: Symbol| shapes.iter().find(|(s, _)| *s == symbol).unwrap().1;
    let vectors: Vec<Vec<f64>> = code
        .vector_inputs
        .iter()
        .map(|s| {
            (0..padded(n))
                .map(|i| values.read(*s, shape(*s), i))
                .collect()
        })
        .collect();
    let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
    let scalar = |i: usize| {
        let symbol = code.scalar_inputs[i].1;
        values.read(symbol, shape(symbol), 0)
    };
    let mut machine = Machine::default();
    machine.reserve(code);
    let mut out = vec![0.0; padded(n)];
    machine.run(code, scalar, &vectors, &mut out);
    if code.scalar_result.is_some() {
        assert!(same(machine.run_scalar(code, scalar), out[0]));
    }
    out.truncate(n);
    out
}

/// The tree walker's value for one element of an expression without sums.
fn walked(graph: &Graph, root: NodeId, values: &Values, element: usize) -> f64 {
    let shapes = shapes(graph, root);
    let read = |symbol: Symbol| {
        let shape = shapes.iter().find(|(s, _)| *s == symbol).unwrap().1;
        values.read(symbol, shape, element)
    };
    walk(graph, root, &read, &|_| panic!("sums were taken out"))
}

/// Elements to compare: all if that is cheap, else some and those at the edges of blocks.
fn elements(n: usize, cost: f64) -> Vec<usize> {
    let stride = ((n as f64 * cost / BUDGET).ceil() as usize).max(1);
    let edges = [0, 7, 8, 511, 512, 519, 520, 1023, 1024, n - 1];
    let mut all: Vec<usize> = (0..n)
        .step_by(stride)
        .chain(edges.into_iter().filter(|i| *i < n))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Compares machine and walker on one node without sums; `None` if it is too large to walk or compile.
fn compare(
    graph: &Graph,
    root: NodeId,
    values: &Values,
    n: usize,
    seen: &Seen,
) -> Result<Option<Vec<f64>>, TestCaseError> {
    let cost = unfolded(graph, root);
    let Some(code) = compiled(graph, root, values).filter(|_| cost < BUDGET / 20.0) else {
        seen.skipped.set(seen.skipped.get() + 1);
        return Ok(None);
    };
    seen.code(&code);
    let fast = run(&code, graph, root, values, n);
    for element in elements(n, cost) {
        let slow = walked(graph, root, values, element);
        seen.note(slow);
        prop_assert!(
            same(fast[element], slow),
            "element {element} of {n}: machine {:e}, walker {slow:e}\n{code:?}",
            fast[element]
        );
    }
    Ok(Some(fast))
}

/// One formula: its gates are fixed, its sums taken out, its products fused; then all is compared.
fn check(
    tree: &Ast,
    scope: &mut TestScope,
    values: &mut Values,
    (gate, n): (Option<f64>, usize),
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let read_back = parse(&tree.to_string()).map_err(|e| TestCaseError::fail(e.message))?;
    let formula = build(&read_back, scope).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
    let mut graph = formula.graph;
    let inputs = formula.filters.iter().map(|f| f.input);
    let roots: Vec<NodeId> = inputs.chain([formula.root]).collect();
    for root in roots {
        values.sums.clear();
        let root = graph.fix(root, |symbol| gate.filter(|_| symbol == Symbol::Outer(0)));
        let (root, sums) = graph.take_sums(root);
        for summed in sums {
            let summed = graph.contract(summed);
            let Some(vector) = compare(&graph, summed, values, n, seen)? else {
                return Ok(());
            };
            values.sums.push(Machine::default().sum(&vector));
            seen.sums.set(seen.sums.get() + 1);
        }
        let root = graph.contract(root);
        compare(&graph, root, values, n, seen)?;
    }
    Ok(())
}

const ACTIVATIONS: [&str; 6] = [
    "tanh",
    "sigmoid",
    "identity",
    "log(1 + exp(3 * x)) / 3",
    "max(x, 0.1 * x) ^ 1.5",
    "if(x > 1, x^3, sin(x))",
];

/// An activation, a seed, a value for the gate, a number of elements.
fn surroundings() -> impl Strategy<Value = (&'static str, u64, Option<f64>, usize)> {
    let gate = proptest::sample::select(&[None, Some(0.0), Some(1.0), Some(-1.0), Some(2.0)][..]);
    let n = prop_oneof![3 => 1_usize..70, 1 => 500_usize..530, 1 => 1000_usize..1100];
    (
        proptest::sample::select(&ACTIVATIONS[..]),
        any::<u64>(),
        gate,
        n,
    )
}

const RULE: Repertoire = Repertoire {
    names: &["gate", "s", "pre", "q", "post", "dend", "w"],
    summed: None,
    memories: true,
    primes: Some(2),
};

#[test]
fn rules_run_element_by_element_as_the_walker_says() {
    let seen = Seen::default();
    let cases = (trees(RULE), surroundings());
    runner(500)
        .run(&cases, |(tree, (f, seed, gate, n))| {
            let mut values = Values {
                seed,
                sums: vec![],
                row: None,
            };
            let mut scope = TestScope::rule().with_f(f);
            check(&tree, &mut scope, &mut values, (gate, n), &seen)
        })
        .unwrap();
    seen.check();
    assert!(seen.skipped.get() * 200 < seen.compared.get());
}

#[test]
fn rules_run_row_by_row_as_the_walker_says() {
    let seen = Seen::default();
    let cases = (trees(RULE), surroundings(), 0..5_usize);
    runner(500)
        .run(&cases, |(tree, (f, seed, gate, n), row)| {
            let mut values = Values {
                seed,
                sums: vec![],
                row: Some(row),
            };
            let mut scope = TestScope::rule().with_f(f);
            check(&tree, &mut scope, &mut values, (gate, n), &seen)
        })
        .unwrap();
    seen.check();
}

#[test]
fn modulators_over_populations_run_as_the_walker_says() {
    let repertoire = Repertoire {
        names: &["gate", "s", "a", "b", "c"],
        summed: Some("b"),
        memories: true,
        primes: Some(2),
    };
    let seen = Seen::default();
    runner(400)
        .run(
            &(trees(repertoire), surroundings()),
            |(tree, (f, seed, gate, n))| {
                let mut values = Values {
                    seed,
                    sums: vec![],
                    row: None,
                };
                let mut scope = TestScope::population(n as u32).with_f(f);
                check(&tree, &mut scope, &mut values, (gate, n), &seen)
            },
        )
        .unwrap();
    seen.check();
    assert!(
        seen.sums.get() > 50,
        "only {} sums were taken",
        seen.sums.get()
    );
}

#[test]
fn one_wrong_operation_is_noticed() {
    let mut graph = formula("a * b + tanh(c) - s", &mut TestScope::population(600)).graph;
    let root = formula("a * b + tanh(c) - s", &mut TestScope::population(600)).root;
    let root = graph.contract(root);
    let values = Values {
        seed: 3,
        sums: vec![],
        row: None,
    };
    let mut code = compiled(&graph, root, &values).unwrap();
    let right = run(&code, &graph, root, &values, 600);
    let wrong = code
        .body
        .iter_mut()
        .find(|i| i.operation == Operation::Binary(Binary::Sub))
        .unwrap();
    wrong.operation = Operation::Binary(Binary::Add);
    let altered = run(&code, &graph, root, &values, 600);
    let slow: Vec<f64> = (0..600).map(|i| walked(&graph, root, &values, i)).collect();
    let differing = |fast: &[f64]| {
        fast.iter()
            .zip(&slow)
            .filter(|(f, s)| !same(**f, **s))
            .count()
    };
    assert_eq!(differing(&right), 0);
    // NaN and infinities hide the difference in a few elements, not in half of them.
    assert!(differing(&altered) > 300);
}
