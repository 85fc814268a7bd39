//! Expressions of a few numbers, one value at a time: what an event needs, where blocks would be idle.
//!
//! The same code gives a value, and bounds of all the values that it can take while its variables stay within bounds
//! (interval arithmetic, Moore 1966): what thinning needs of a firing rate.

use std::collections::HashMap;

use super::graph::{Graph, Node, NodeId, Symbol};
use super::ops::{Binary, Ternary, Unary};

/// An expression as a list of operations, each on results before it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarCode {
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Number(f64),
    /// The variable of that number.
    Variable(u32),
    Unary(Unary, u32),
    Binary(Binary, u32, u32),
    Ternary(Ternary, u32, u32, u32),
}

/// Results that stay in registers; longer expressions use memory of their own.
const SHORT: usize = 24;

impl ScalarCode {
    /// Compiles a node. `variable` says which number a symbol is read from, or its constant value.
    ///
    /// # Errors
    /// The symbol that cannot be read; a sum over a population counts as one.
    pub fn new(
        graph: &Graph,
        root: NodeId,
        variable: impl Fn(Symbol) -> Option<Source>,
    ) -> Result<ScalarCode, Option<Symbol>> {
        let mut places: HashMap<NodeId, u32> = HashMap::new();
        let mut operations = Vec::new();
        for id in graph.order(root) {
            let at = |node: NodeId| places[&node];
            let operation = match graph.node(id) {
                Node::Number(bits) => Operation::Number(f64::from_bits(bits)),
                Node::Variable(symbol) => match variable(symbol).ok_or(Some(symbol))? {
                    Source::Number(value) => Operation::Number(value),
                    Source::Variable(index) => Operation::Variable(index),
                },
                Node::Unary(op, a) => Operation::Unary(op, at(a)),
                Node::Binary(op, a, b) => Operation::Binary(op, at(a), at(b)),
                Node::Ternary(op, a, b, c) => Operation::Ternary(op, at(a), at(b), at(c)),
                Node::Sum(_) => return Err(None),
            };
            places.insert(id, operations.len() as u32);
            operations.push(operation);
        }
        Ok(ScalarCode { operations })
    }

    /// A constant.
    pub fn number(value: f64) -> ScalarCode {
        ScalarCode {
            operations: vec![Operation::Number(value)],
        }
    }

    /// Its value if it reads no variable.
    pub fn constant(&self) -> Option<f64> {
        let reads = |o: &Operation| matches!(o, Operation::Variable(_));
        (!self.operations.iter().any(reads)).then(|| self.value(&[]))
    }

    /// Whether it reads a variable.
    pub fn reads(&self, variable: u32) -> bool {
        self.operations.contains(&Operation::Variable(variable))
    }

    /// Variables that it reads.
    pub fn variables(&self) -> Vec<u32> {
        let mut read: Vec<u32> = self
            .operations
            .iter()
            .filter_map(|o| match o {
                Operation::Variable(index) => Some(*index),
                _ => None,
            })
            .collect();
        read.sort_unstable();
        read.dedup();
        read
    }

    /// Its value where variable i is `variables[i]`.
    pub fn value(&self, variables: &[f64]) -> f64 {
        let read = |index: u32| variables.get(index as usize).copied().unwrap_or(f64::NAN);
        self.run(0.0, |operation, at| match operation {
            Operation::Number(value) => value,
            Operation::Variable(index) => read(index),
            Operation::Unary(op, a) => op.apply(at(a)),
            Operation::Binary(op, a, b) => op.apply(at(a), at(b)),
            Operation::Ternary(op, a, b, c) => op.apply(at(a), at(b), at(c)),
        })
    }

    /// Bounds of its values while variable i is within `variables[i]`.
    pub fn bounds(&self, variables: &[Interval]) -> Interval {
        let read = |index: u32| {
            variables
                .get(index as usize)
                .copied()
                .unwrap_or(Interval::ALL)
        };
        self.run(Interval::ALL, |operation, at| match operation {
            Operation::Number(value) => Interval::point(value),
            Operation::Variable(index) => read(index),
            Operation::Unary(op, a) => unary(op, at(a)),
            Operation::Binary(op, a, b) if a == b && op == Binary::Mul => at(a).square(),
            Operation::Binary(op, a, b) => binary(op, at(a), at(b)),
            Operation::Ternary(op, a, b, c) => ternary(op, at(a), at(b), at(c)),
        })
    }

    /// Runs all operations over some kind of number.
    #[inline(always)]
    fn run<T: Copy>(&self, zero: T, apply: impl Fn(Operation, &dyn Fn(u32) -> T) -> T) -> T {
        let mut short = [zero; SHORT];
        let mut long;
        let results: &mut [T] = if self.operations.len() <= SHORT {
            &mut short
        } else {
            long = vec![zero; self.operations.len()];
            &mut long
        };
        for (index, operation) in self.operations.iter().enumerate() {
            let result = apply(*operation, &|at| results[at as usize]);
            results[index] = result;
        }
        self.operations
            .len()
            .checked_sub(1)
            .map_or(zero, |last| results[last])
    }
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A number that stays.
    Number(f64),
    /// The variable of that number.
    Variable(u32),
}

/// All numbers from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Interval {
    /// All numbers.
    pub const ALL: Interval = Interval {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// One number.
    pub fn point(value: f64) -> Interval {
        Interval {
            low: value,
            high: value,
        }
    }

    /// The least interval that holds all of some values; everything if one is not a number.
    fn around(values: &[f64]) -> Interval {
        if values.iter().any(|v| v.is_nan()) {
            return Interval::ALL;
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Interval { low, high }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Interval {
        Interval::around(&[f(self.low), f(self.high)])
    }

    fn holds_zero(self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }

    fn square(self) -> Interval {
        let ends = self.map(|x| x * x);
        Interval {
            low: if self.holds_zero() { 0.0 } else { ends.low },
            ..ends
        }
    }
}

fn unary(op: Unary, x: Interval) -> Interval {
    match op {
        Unary::Not => Interval {
            low: 0.0,
            high: 1.0,
        },
        Unary::Abs if x.holds_zero() => Interval {
            low: 0.0,
            high: x.low.abs().max(x.high),
        },
        Unary::Sin | Unary::Cos => Interval {
            low: -1.0,
            high: 1.0,
        },
        Unary::Sqrt | Unary::Log | Unary::SoftplusInverse if x.low < 0.0 => Interval::ALL,
        Unary::Atanh if x.low < -1.0 || x.high > 1.0 => Interval::ALL,
        // All others are monotonic where they are defined.
        _ => x.map(|v| op.apply(v)),
    }
}

fn binary(op: Binary, x: Interval, y: Interval) -> Interval {
    let corners = |f: fn(f64, f64) -> f64| {
        Interval::around(&[
            f(x.low, y.low),
            f(x.low, y.high),
            f(x.high, y.low),
            f(x.high, y.high),
        ])
    };
    match op {
        Binary::Add => Interval {
            low: x.low + y.low,
            high: x.high + y.high,
        },
        Binary::Sub => Interval {
            low: x.low - y.high,
            high: x.high - y.low,
        },
        Binary::Mul => corners(|a, b| a * b),
        Binary::Div if y.holds_zero() => Interval::ALL,
        Binary::Div => corners(|a, b| a / b),
        Binary::Pow if x.low > 0.0 => corners(f64::powf),
        Binary::Pow if (y.low - 2.0).abs() <= 0.0 && (y.high - 2.0).abs() <= 0.0 => x.square(),
        Binary::Pow => Interval::ALL,
        Binary::Min => Interval {
            low: x.low.min(y.low),
            high: x.high.min(y.high),
        },
        Binary::Max => Interval {
            low: x.low.max(y.low),
            high: x.high.max(y.high),
        },
        _ => Interval {
            low: 0.0,
            high: 1.0,
        },
    }
}

fn ternary(op: Ternary, a: Interval, b: Interval, c: Interval) -> Interval {
    let product = || binary(Binary::Mul, a, b);
    match op {
        Ternary::Fma => binary(Binary::Add, product(), c),
        Ternary::NegFma => binary(Binary::Sub, c, product()),
        Ternary::FmaSub => binary(Binary::Sub, product(), c),
        Ternary::Select => Interval {
            low: b.low.min(c.low),
            high: b.high.max(c.high),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::graph::Shape;

    fn code(build: impl Fn(&mut Graph, NodeId) -> NodeId) -> ScalarCode {
        let mut graph = Graph::default();
        let x = graph.variable(Symbol::Outer(0), Shape::Scalar);
        let root = build(&mut graph, x);
        ScalarCode::new(&graph, root, |_| Some(Source::Variable(0))).unwrap()
    }

    #[test]
    fn an_escape_rate_has_its_value_and_its_bounds() {
        // 0.15 / (1 + 0.5 exp((−55 − u)/3)): Urbanczik and Senn 2014, with the values of the reference.
        let rate = code(|g, u| {
            let theta = g.number(-55.0);
            let third = g.number(1.0 / 3.0);
            let (half, one, most) = (g.number(0.5), g.number(1.0), g.number(0.15));
            let below = g.binary(Binary::Sub, theta, u);
            let scaled = g.binary(Binary::Mul, third, below);
            let power = g.unary(Unary::Exp, scaled);
            let weighted = g.binary(Binary::Mul, half, power);
            let sum = g.binary(Binary::Add, one, weighted);
            g.binary(Binary::Div, most, sum)
        });
        let exact = |u: f64| 0.15 / (1.0 + 0.5 * ((-55.0 - u) / 3.0).exp());
        for u in [-80.0, -60.0, -55.0, -40.0] {
            assert!((rate.value(&[u]) - exact(u)).abs() < 1e-15);
        }
        let bounds = rate.bounds(&[Interval {
            low: -70.0,
            high: -50.0,
        }]);
        assert!(
            (bounds.low - exact(-70.0)).abs() < 1e-15 && (bounds.high - exact(-50.0)).abs() < 1e-15
        );
        assert_eq!(rate.variables(), [0]);
        assert_eq!(ScalarCode::number(2.0).constant(), Some(2.0));
    }

    #[test]
    fn bounds_hold_all_values() {
        let mut graph = Graph::default();
        let x = graph.variable(Symbol::Outer(0), Shape::Scalar);
        let two = graph.number(2.0);
        let mut roots = vec![];
        for op in [
            Unary::Neg,
            Unary::Abs,
            Unary::Exp,
            Unary::Tanh,
            Unary::Sin,
            Unary::Softplus,
            Unary::Sigmoid,
        ] {
            roots.push(graph.unary(op, x));
        }
        for op in [
            Binary::Mul,
            Binary::Sub,
            Binary::Min,
            Binary::Max,
            Binary::Less,
            Binary::Pow,
            Binary::Div,
        ] {
            let inner = graph.unary(Unary::Abs, x);
            let shifted = graph.binary(Binary::Add, inner, two);
            roots.push(graph.binary(op, shifted, two));
            roots.push(graph.binary(op, x, x));
        }
        for root in roots {
            let code = ScalarCode::new(&graph, root, |_| Some(Source::Variable(0))).unwrap();
            for (low, high) in [(-1.0, 2.0), (0.5, 1.5), (-3.0, -0.1)] {
                let bounds = code.bounds(&[Interval { low, high }]);
                for k in 0..=20 {
                    let value = code.value(&[low + (high - low) * f64::from(k) / 20.0]);
                    let slack = 1e-12;
                    let within = bounds.low - slack <= value && value <= bounds.high + slack;
                    assert!(within || value.is_nan(), "{value} outside {bounds:?}");
                }
            }
        }
    }
}
