//! Scalar expressions at one synapse or neuron: sums of products, or a small program over registers on the stack.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::exponential::exp;
use super::polynomial::{Product, polynomial};
use crate::lang::graph::Node;
use crate::lang::ops::{Binary, Ternary, Unary};
use crate::lang::{Graph, NodeId, Symbol};

/// Values that a program may keep at a time.
const REGISTERS: usize = 32;

/// An expression over the values of a synapse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// A sum of products of a number and values.
    Products(Vec<Product>),
    /// Anything else.
    Program(Program),
}

impl Scalar {
    /// Compiles a node; `place` tells where the value of a symbol is.
    pub fn new(
        graph: &Graph,
        root: NodeId,
        place: &dyn Fn(Symbol) -> Option<u16>,
    ) -> Result<Scalar, String> {
        match polynomial(graph, root, place) {
            Some(products) if products.len() <= 8 => Ok(Scalar::Products(products)),
            _ => Program::new(graph, root, place).map(Scalar::Program),
        }
    }

    /// Its value.
    #[inline]
    pub fn value(&self, values: &[f64]) -> f64 {
        match self {
            Scalar::Products(products) => products.iter().map(|p| p.value(values)).sum(),
            Scalar::Program(program) => program.value(values),
        }
    }

    /// Its values for several sets of values, of which the first `count` count.
    #[inline]
    pub fn each<const N: usize, const M: usize>(
        &self,
        values: &[[f64; M]; N],
        count: usize,
    ) -> [f64; N] {
        match self {
            Scalar::Products(_) => std::array::from_fn(|lane| match lane < count {
                true => self.value(&values[lane]),
                false => 0.0,
            }),
            Scalar::Program(program) => program.run(|lane, place| values[lane][place], count),
        }
    }

    /// Whether it is 0 whatever the values are.
    pub fn is_zero(&self) -> bool {
        matches!(self, Scalar::Products(products) if products.is_empty())
    }
}

/// Where an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Operand {
    Value(u16),
    Register(u8),
    Number(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Operation {
    Copy,
    Unary(Unary),
    Binary(Binary),
    Ternary(Ternary),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Step {
    operation: Operation,
    into: u8,
    operands: [Operand; 3],
}

/// A program; its value is what its last step writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    steps: Vec<Step>,
}

impl Program {
    fn new(
        graph: &Graph,
        root: NodeId,
        place: &dyn Fn(Symbol) -> Option<u16>,
    ) -> Result<Program, String> {
        let order = graph.order(root);
        let mut readers: HashMap<NodeId, usize> = HashMap::new();
        for operand in order.iter().flat_map(|id| graph.operands(*id)) {
            *readers.entry(operand).or_default() += 1;
        }
        let mut free: Vec<u8> = (0..REGISTERS as u8).rev().collect();
        let mut places: HashMap<NodeId, Operand> = HashMap::new();
        let mut steps = Vec::new();
        for id in order {
            let at = |node: NodeId| places.get(&node).copied().unwrap_or(Operand::Number(0.0));
            let (operation, operands) = match graph.node(id) {
                Node::Number(bits) => {
                    places.insert(id, Operand::Number(f64::from_bits(bits)));
                    continue;
                }
                Node::Variable(symbol) => {
                    let value = place(symbol).ok_or("it reads what is not at its synapse")?;
                    places.insert(id, Operand::Value(value));
                    continue;
                }
                Node::Unary(op, a) => (Operation::Unary(op), [at(a); 3]),
                Node::Binary(op, a, b) => (Operation::Binary(op), [at(a), at(b), at(a)]),
                Node::Ternary(op, a, b, c) => (Operation::Ternary(op), [at(a), at(b), at(c)]),
                Node::Sum(a) => (Operation::Copy, [at(a); 3]),
            };
            for operand in graph.operands(id) {
                let left = readers.entry(operand).or_default();
                *left = left.saturating_sub(1);
                if let (0, Some(Operand::Register(register))) = (*left, places.get(&operand)) {
                    free.push(*register);
                }
            }
            let into = free.pop().ok_or("its expressions are too large")?;
            places.insert(id, Operand::Register(into));
            steps.push(Step {
                operation,
                into,
                operands,
            });
        }
        if steps.is_empty() {
            let value = places.get(&root).copied().unwrap_or(Operand::Number(0.0));
            steps.push(Step {
                operation: Operation::Copy,
                into: 0,
                operands: [value; 3],
            });
        }
        Ok(Program { steps })
    }

    #[inline]
    fn value(&self, values: &[f64]) -> f64 {
        let [value] = self.run(|_, place| values[place], 1);
        value
    }

    /// Its values for several sets of values, of which the first `count` count; `at` gives a value by its set and place. Each
    /// step is looked up once for all sets.
    #[inline(always)]
    fn run<const N: usize>(&self, at: impl Fn(usize, usize) -> f64, count: usize) -> [f64; N] {
        let mut registers = [[0.0; N]; REGISTERS];
        let mut result = [0.0; N];
        for step in &self.steps {
            let fetch = |operand: Operand| -> [f64; N] {
                match operand {
                    Operand::Value(place) => {
                        std::array::from_fn(|lane| at(lane, usize::from(place)))
                    }
                    Operand::Register(register) => registers[usize::from(register) % REGISTERS],
                    Operand::Number(number) => [number; N],
                }
            };
            let [a, b, c] = step.operands;
            result = match step.operation {
                Operation::Copy => fetch(a),
                Operation::Unary(op) => {
                    let mut a = fetch(a);
                    a.iter_mut().take(count).for_each(|a| *a = unary(op, *a));
                    a
                }
                Operation::Binary(op) => binary(op, fetch(a), fetch(b)),
                Operation::Ternary(op) => {
                    let (mut a, b, c) = (fetch(a), fetch(b), fetch(c));
                    for lane in 0..count.min(N) {
                        a[lane] = op.apply(a[lane], b[lane], c[lane]);
                    }
                    a
                }
            };
            registers[usize::from(step.into) % REGISTERS] = result;
        }
        result
    }
}

/// An operation on pairs of numbers.
#[inline(always)]
fn binary<const N: usize>(op: Binary, a: [f64; N], b: [f64; N]) -> [f64; N] {
    match op {
        Binary::Add => std::array::from_fn(|l| a[l] + b[l]),
        Binary::Sub => std::array::from_fn(|l| a[l] - b[l]),
        Binary::Mul => std::array::from_fn(|l| a[l] * b[l]),
        Binary::Div => std::array::from_fn(|l| a[l] / b[l]),
        op => std::array::from_fn(|l| op.apply(a[l], b[l])),
    }
}

/// An operation on one number; the most common ones by the system library (see `exponential`).
#[inline(always)]
fn unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Exp => exp(x),
        Unary::Sigmoid => 1.0 / (1.0 + exp(-x)),
        Unary::Tanh => x.tanh(),
        Unary::Log => x.ln(),
        op => op.apply(x),
    }
}
