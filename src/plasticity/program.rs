//! Scalar expressions at one synapse or neuron: sums of products, or a small program over numbered slots.
//!
//! A program can be run at several times side by side: a slot has a lane for each of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::exponential::{exp, exp_each};
use super::polynomial::{Product, polynomial};
use super::sides::MOST_VALUES;
use crate::lang::graph::Node;
use crate::lang::ops::{Binary, Ternary, Unary};
use crate::lang::{Graph, NodeId, Symbol};

/// Values that a program may keep at a time.
const REGISTERS: usize = 32;
/// Slot of the first constant; values come first, then registers.
const FIRST_CONSTANT: usize = MOST_VALUES + REGISTERS;
/// Slots of a program.
const SLOTS: usize = 128;
/// Times at which a program may be run side by side.
pub const LANES: usize = 4;

/// The slots of a program, with a lane for each time; the first [`MOST_VALUES`] are the values that it reads.
#[derive(Debug, Clone)]
pub struct Lanes([[f64; LANES]; SLOTS]);

impl Default for Lanes {
    fn default() -> Self {
        Lanes([[0.0; LANES]; SLOTS])
    }
}

impl Lanes {
    /// Puts the values of a place.
    #[inline(always)]
    pub fn put(&mut self, place: u16, values: [f64; LANES]) {
        self.0[usize::from(place) % SLOTS] = values;
    }

    /// Puts one value of a place.
    #[inline(always)]
    pub fn put_one(&mut self, place: u16, lane: usize, value: f64) {
        self.0[usize::from(place) % SLOTS][lane % LANES] = value;
    }

    #[inline(always)]
    fn get<const P: usize>(&self, slot: u8) -> [f64; P] {
        let lanes = &self.0[usize::from(slot) % SLOTS];
        std::array::from_fn(|j| lanes[j % LANES])
    }

    #[inline(always)]
    fn set<const P: usize>(&mut self, slot: u8, values: [f64; P]) {
        let lanes = &mut self.0[usize::from(slot) % SLOTS];
        for j in 0..P {
            lanes[j % LANES] = values[j];
        }
    }
}

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

    /// Its values at the first `P` times.
    #[inline]
    pub fn lanes<const P: usize>(&self, lanes: &mut Lanes) -> [f64; P] {
        match self {
            Scalar::Products(products) => {
                let mut sum = [0.0; P];
                for product in products {
                    let mut value = [product.factor; P];
                    for place in &product.places {
                        let other = lanes.get::<P>(*place as u8);
                        value = std::array::from_fn(|j| value[j] * other[j]);
                    }
                    sum = std::array::from_fn(|j| sum[j] + value[j]);
                }
                sum
            }
            Scalar::Program(program) => program.lanes(lanes),
        }
    }

    /// Whether it is 0 whatever the values are.
    pub fn is_zero(&self) -> bool {
        matches!(self, Scalar::Products(products) if products.is_empty())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Operation {
    Copy,
    Unary(Unary),
    Binary(Binary),
    Ternary(Ternary),
}

/// An operation on slots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Step {
    operation: Operation,
    into: u8,
    operands: [u8; 3],
}

/// A program; its value is what its last step writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Put to the slots from [`FIRST_CONSTANT`] on.
    constants: Vec<f64>,
    steps: Vec<Step>,
}

impl Program {
    fn new(
        graph: &Graph,
        root: NodeId,
        place: &dyn Fn(Symbol) -> Option<u16>,
    ) -> Result<Program, String> {
        let too_large = "its expressions are too large";
        let order = graph.order(root);
        let mut readers: HashMap<NodeId, usize> = HashMap::new();
        for operand in order.iter().flat_map(|id| graph.operands(*id)) {
            *readers.entry(operand).or_default() += 1;
        }
        let mut free: Vec<u8> = (MOST_VALUES as u8..FIRST_CONSTANT as u8).rev().collect();
        let mut places: HashMap<NodeId, u8> = HashMap::new();
        let (mut constants, mut steps) = (Vec::new(), Vec::new());
        for id in order {
            let at = |node: NodeId| places.get(&node).copied().unwrap_or(0);
            let (operation, operands) = match graph.node(id) {
                Node::Number(bits) => {
                    let slot = FIRST_CONSTANT + constants.len();
                    if slot == SLOTS {
                        return Err(too_large.to_owned());
                    }
                    constants.push(f64::from_bits(bits));
                    places.insert(id, slot as u8);
                    continue;
                }
                Node::Variable(symbol) => {
                    let value = place(symbol).ok_or("it reads what is not at its synapse")?;
                    places.insert(id, value as u8);
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
                let registers = MOST_VALUES as u8..FIRST_CONSTANT as u8;
                match (*left, places.get(&operand)) {
                    (0, Some(slot)) if registers.contains(slot) => free.push(*slot),
                    _ => {}
                }
            }
            let into = free.pop().ok_or(too_large)?;
            places.insert(id, into);
            steps.push(Step {
                operation,
                into,
                operands,
            });
        }
        if steps.is_empty() {
            let value = places.get(&root).copied().unwrap_or(0);
            steps.push(Step {
                operation: Operation::Copy,
                into: MOST_VALUES as u8,
                operands: [value; 3],
            });
        }
        Ok(Program { constants, steps })
    }

    fn value(&self, values: &[f64]) -> f64 {
        let mut slots = [0.0; SLOTS];
        let (known, rest) = slots.split_at_mut(FIRST_CONSTANT);
        known.iter_mut().zip(values).for_each(|(s, v)| *s = *v);
        let constants = rest.iter_mut().zip(&self.constants);
        constants.for_each(|(s, v)| *s = *v);
        let mut result = 0.0;
        for step in &self.steps {
            let [a, b, c] = step.operands.map(|slot| slots[usize::from(slot) % SLOTS]);
            result = match step.operation {
                Operation::Copy => a,
                Operation::Unary(op) => unary(op, a),
                Operation::Binary(op) => op.apply(a, b),
                Operation::Ternary(op) => op.apply(a, b, c),
            };
            slots[usize::from(step.into) % SLOTS] = result;
        }
        result
    }

    fn lanes<const P: usize>(&self, lanes: &mut Lanes) -> [f64; P] {
        let constants = lanes.0[FIRST_CONSTANT..].iter_mut().zip(&self.constants);
        constants.for_each(|(lane, value)| *lane = [*value; LANES]);
        let mut result = [0.0; P];
        for step in &self.steps {
            let [a, b, c] = step.operands;
            let a = lanes.get::<P>(a);
            result = match step.operation {
                Operation::Copy => a,
                Operation::Unary(op) => unary_each(op, a),
                Operation::Binary(op) => binary_each(op, a, lanes.get::<P>(b)),
                Operation::Ternary(op) => {
                    let (b, c) = (lanes.get::<P>(b), lanes.get::<P>(c));
                    std::array::from_fn(|j| op.apply(a[j], b[j], c[j]))
                }
            };
            lanes.set(step.into, result);
        }
        result
    }
}

/// An operation on one number; the most common ones by fast functions (see `exponential`).
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

#[inline(always)]
fn unary_each<const P: usize>(op: Unary, x: [f64; P]) -> [f64; P] {
    match op {
        Unary::Neg => x.map(|x| -x),
        Unary::Exp => exp_each(x),
        Unary::Sigmoid => exp_each(x.map(|x| -x)).map(|e| 1.0 / (1.0 + e)),
        op => x.map(|x| unary(op, x)),
    }
}

#[inline(always)]
fn binary_each<const P: usize>(op: Binary, x: [f64; P], y: [f64; P]) -> [f64; P] {
    match op {
        Binary::Add => std::array::from_fn(|j| x[j] + y[j]),
        Binary::Sub => std::array::from_fn(|j| x[j] - y[j]),
        Binary::Mul => std::array::from_fn(|j| x[j] * y[j]),
        Binary::Div => std::array::from_fn(|j| x[j] / y[j]),
        op => std::array::from_fn(|j| op.apply(x[j], y[j])),
    }
}
