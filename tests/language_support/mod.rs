//! What the tests of the expression language share: a small scope, random trees, random values.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test file uses a part of it"
)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod places;
mod trees;

pub use places::*;
pub use trees::*;

use apical::lang::ast::Ast;
use apical::lang::graph::Node;
use apical::lang::walk::walk;
use apical::lang::{
    Formula, Graph, Meaning, NodeId, Refusal, Scope, Shape, Symbol, activation, build, parse,
};
use apical::units::{Dimension, Quantity};
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// A runner whose cases are the same in every run, unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` say
/// otherwise.
pub fn runner(cases: u32) -> TestRunner {
    let told = Config::default();
    let rng_seed = match told.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        seed => seed,
    };
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(_) => told.cases,
        Err(_) => cases,
    };
    TestRunner::new(Config {
        cases,
        rng_seed,
        failure_persistence: None,
        ..told
    })
}

/// Names and what they mean; the symbol of a variable is its place in the list.
pub struct TestScope {
    pub variables: Vec<(&'static str, Shape, Dimension)>,
    pub constants: Vec<(&'static str, Quantity)>,
    pub activation: Option<Ast>,
    pub reductions: bool,
    pub step: Quantity,
}

impl TestScope {
    /// Plain variables of the given shapes, no constants, steps of 1 ms.
    pub fn plain(variables: &[(&'static str, Shape)]) -> Self {
        let plain = |(name, shape): &(&'static str, Shape)| (*name, *shape, Dimension::NONE);
        TestScope {
            variables: variables.iter().map(plain).collect(),
            constants: vec![("tau", Quantity::new(10.0, Dimension::TIME))],
            activation: None,
            reductions: false,
            step: Quantity::new(1.0, Dimension::TIME),
        }
    }

    /// What a plasticity rule sees: two modulators, both sides, the weight.
    pub fn rule() -> Self {
        TestScope::plain(&[
            ("gate", Shape::Scalar),
            ("s", Shape::Scalar),
            ("pre", Shape::Pre),
            ("q", Shape::Pre),
            ("post", Shape::Post),
            ("dend", Shape::Post),
            ("w", Shape::Synapse),
        ])
    }

    /// What a modulator over populations of `n` neurons sees.
    pub fn population(n: u32) -> Self {
        let mut scope = TestScope::plain(&[
            ("gate", Shape::Scalar),
            ("s", Shape::Scalar),
            ("a", Shape::Vector(n)),
            ("b", Shape::Vector(n)),
            ("c", Shape::Vector(n)),
        ]);
        scope.reductions = true;
        scope
    }

    /// One plain number, `x`.
    pub fn number() -> Self {
        TestScope::plain(&[("x", Shape::Scalar)])
    }

    /// With `f` meaning this.
    pub fn with_f(mut self, text: &str) -> Self {
        self.activation = Some(activation(text).unwrap());
        self
    }

    fn refusal(path: &[String]) -> Refusal {
        Refusal {
            message: format!("there is no `{}` here", path.join(".")),
            note: "unknown name".to_owned(),
            help: None,
        }
    }
}

impl Scope for TestScope {
    fn name(&mut self, path: &[String]) -> Result<Meaning, Refusal> {
        let [name] = path else {
            return Err(TestScope::refusal(path));
        };
        if let Some((_, quantity)) = self.constants.iter().find(|(n, _)| n == name) {
            return Ok(Meaning::Constant(*quantity));
        }
        let found = self.variables.iter().position(|(n, _, _)| n == name);
        let index = found.ok_or_else(|| TestScope::refusal(path))?;
        let (_, shape, dimension) = self.variables[index];
        Ok(Meaning::Variable {
            symbol: index as u32,
            shape,
            dimension,
        })
    }

    fn changed(&mut self, path: &[String]) -> Result<Meaning, Refusal> {
        match self.name(path)? {
            Meaning::Variable {
                symbol,
                shape: Shape::Scalar,
                ..
            } => Ok(Meaning::Variable {
                symbol: 1000 + symbol,
                shape: Shape::Scalar,
                dimension: Dimension::NONE,
            }),
            _ => Err(TestScope::refusal(path)),
        }
    }

    fn activation(&self) -> Option<Ast> {
        self.activation.clone()
    }

    fn reductions(&self) -> Result<(), Refusal> {
        if self.reductions {
            return Ok(());
        }
        Err(TestScope::refusal(&["sum".to_owned()]))
    }

    fn step(&self) -> Quantity {
        self.step
    }
}

/// Parses and builds a text that has no mistakes.
pub fn formula(text: &str, scope: &mut TestScope) -> Formula {
    let tree = parse(text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
    build(&tree, scope).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

/// The message of the first mistake in a text, and what it underlines.
pub fn mistake(text: &str, scope: &mut TestScope) -> (String, String) {
    let tree = parse(text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
    match build(&tree, scope) {
        Ok(_) => panic!("{text} has no mistake"),
        Err(errors) => {
            let first = &errors[0];
            (
                first.message.clone(),
                text[first.start..first.end].to_owned(),
            )
        }
    }
}

/// Scrambles a number: Steele, Lea and Flood's SplitMix64.
pub fn scramble(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for each seed, uniform between −3 and 3.
pub fn tame(seed: u64) -> f64 {
    (scramble(seed) >> 11) as f64 / (1_u64 << 53) as f64 * 6.0 - 3.0
}

/// A number for each seed: often tame, sometimes whole, sometimes one that breaks careless code.
pub fn wild(seed: u64) -> f64 {
    const ODD: [f64; 16] = [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        -2e-310,
        f64::MIN_POSITIVE,
        f64::MAX,
        -1e200,
        1e-200,
        709.5,
        -745.0,
        1.0,
        -1.0,
        4_503_599_627_370_497.0,
    ];
    let dice = scramble(seed ^ 0xd1ce);
    match dice % 8 {
        0 => ODD[(dice >> 8) as usize % ODD.len()],
        1 => tame(seed).round(),
        2 => tame(seed) * 50.0,
        _ => tame(seed),
    }
}

/// A seed for what a symbol holds for an element.
pub fn place(seed: u64, symbol: Symbol, element: usize) -> u64 {
    let (kind, index) = match symbol {
        Symbol::Outer(i) => (1, i),
        Symbol::Filter(i) => (2, i),
        Symbol::Argument => (3, 0),
        Symbol::Sum(i) => (4, i),
    };
    scramble(scramble(seed ^ (kind << 32) ^ u64::from(index)).wrapping_add(element as u64))
}

/// The same bits; any NaN is the same as any other.
pub fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// How many operations the tree walker makes for a node, which shared parts multiply.
pub fn unfolded(graph: &Graph, root: NodeId) -> f64 {
    let mut sizes = std::collections::HashMap::new();
    for id in graph.order(root) {
        let size: f64 = graph.operands(id).iter().map(|o| sizes[o]).sum();
        sizes.insert(id, 1.0 + size);
    }
    sizes[&root]
}

/// The shape with which a symbol is read under `root`.
pub fn shapes(graph: &Graph, root: NodeId) -> Vec<(Symbol, Shape)> {
    let read = |id: &NodeId| match graph.node(*id) {
        Node::Variable(symbol) => Some((symbol, graph.shape(*id))),
        _ => None,
    };
    graph.order(root).iter().filter_map(read).collect()
}

/// The value at `x` of a formula in one number.
pub fn at(formula: &Formula, x: f64) -> f64 {
    let read = |symbol| {
        if symbol == Symbol::Outer(0) {
            x
        } else {
            f64::NAN
        }
    };
    walk(&formula.graph, formula.root, &read, &|_| f64::NAN)
}

/// The value at `x` of a text that may read the function `f`.
pub fn value(text: &str, f: &str, x: f64) -> f64 {
    at(&formula(text, &mut TestScope::number().with_f(f)), x)
}
