//! Expressions after their names are resolved: a graph of operations in which equal parts are one node.
//!
//! Nodes are made by constructors that fold constants and identities as they go, so that a gate
//! set to 0 or 1 removes the branch it closes. `0 · x` folds to 0: a product with a closed gate is
//! nothing, whatever x is.

use std::collections::HashMap;

use super::ops::{Binary, Ternary, Unary};

/// Index of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Something that an expression reads. What the numbers mean is the business of whoever resolved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// The scope's variable of that number.
    Outer(u32),
    /// The state of the formula's filter of that number.
    Filter(u32),
    /// The argument of an activation.
    Argument,
    /// A sum that was taken out, to be computed first.
    Sum(u32),
}

/// Over what a value varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One number, the same everywhere.
    Scalar,
    /// One number per neuron of a population, or per value of an input.
    Vector(u32),
    /// In a rule: one number per presynaptic neuron.
    Pre,
    /// In a rule: one number per postsynaptic neuron.
    Post,
    /// In a rule: one number per synapse.
    Synapse,
}

impl Shape {
    /// The shape of an operation on two values, if they go together.
    pub fn join(self, other: Shape) -> Option<Shape> {
        use Shape::*;
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Scalar, x) | (x, Scalar) => Some(x),
            (Vector(_), _) | (_, Vector(_)) => None,
            _ => Some(Synapse),
        }
    }
}

/// One operation; numbers are kept as bits so that nodes can be compared and hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// A constant.
    Number(u64),
    /// A value read from outside.
    Variable(Symbol),
    /// An operation on one value.
    Unary(Unary, NodeId),
    /// An operation on two.
    Binary(Binary, NodeId, NodeId),
    /// An operation on three.
    Ternary(Ternary, NodeId, NodeId, NodeId),
    /// Sum over a vector.
    Sum(NodeId),
}

/// A graph of operations.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
    known: HashMap<Node, NodeId>,
}

impl Graph {
    /// The operation at a node.
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.0 as usize]
    }

    /// Over what the value at a node varies.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.shapes[id.0 as usize]
    }

    /// The constant at a node, if it is one.
    pub fn constant(&self, id: NodeId) -> Option<f64> {
        match self.node(id) {
            Node::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn is(&self, id: NodeId, value: f64) -> bool {
        // Adding 0 turns −0 into 0, which as a constant means the same.
        self.constant(id)
            .is_some_and(|c| (c + 0.0).to_bits() == value.to_bits())
    }

    fn intern(&mut self, node: Node, shape: Shape) -> NodeId {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        self.shapes.push(shape);
        self.known.insert(node, id);
        id
    }

    /// A constant.
    pub fn number(&mut self, value: f64) -> NodeId {
        self.intern(Node::Number(value.to_bits()), Shape::Scalar)
    }

    /// A value read from outside.
    pub fn variable(&mut self, symbol: Symbol, shape: Shape) -> NodeId {
        self.intern(Node::Variable(symbol), shape)
    }

    /// An operation on one value.
    pub fn unary(&mut self, op: Unary, a: NodeId) -> NodeId {
        if let Some(x) = self.constant(a) {
            return self.number(op.apply(x));
        }
        if let (Unary::Neg, Node::Unary(Unary::Neg, inner)) = (op, self.node(a)) {
            return inner;
        }
        // log(1 + e^u) would overflow for large u.
        if op == Unary::Log
            && let Some(exponent) = self.one_plus_exp(a)
        {
            return self.unary(Unary::Softplus, exponent);
        }
        let shape = self.shape(a);
        self.intern(Node::Unary(op, a), shape)
    }

    /// u, if the node is 1 + e^u.
    fn one_plus_exp(&self, a: NodeId) -> Option<NodeId> {
        let Node::Binary(Binary::Add, b, c) = self.node(a) else {
            return None;
        };
        let exponential = match (self.is(b, 1.0), self.is(c, 1.0)) {
            (true, _) => c,
            (_, true) => b,
            _ => return None,
        };
        match self.node(exponential) {
            Node::Unary(Unary::Exp, exponent) => Some(exponent),
            _ => None,
        }
    }

    /// An operation on two values, whose shapes the caller has found to go together.
    pub fn binary(&mut self, op: Binary, a: NodeId, b: NodeId) -> NodeId {
        if let (Some(x), Some(y)) = (self.constant(a), self.constant(b)) {
            return self.number(op.apply(x, y));
        }
        if let Some(simpler) = self.identity(op, a, b) {
            return simpler;
        }
        let shape = self.shape(a).join(self.shape(b)).unwrap_or(self.shape(a));
        self.intern(Node::Binary(op, a, b), shape)
    }

    /// What `a op b` is when one side is a constant that makes it trivial.
    fn identity(&mut self, op: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        match op {
            Binary::Add if self.is(a, 0.0) => Some(b),
            Binary::Add | Binary::Sub if self.is(b, 0.0) => Some(a),
            Binary::Sub if self.is(a, 0.0) => Some(self.unary(Unary::Neg, b)),
            Binary::Sub if a == b => Some(self.number(0.0)),
            Binary::Mul if self.is(a, 0.0) || self.is(b, 0.0) => Some(self.number(0.0)),
            Binary::Mul if self.is(a, 1.0) => Some(b),
            Binary::Mul | Binary::Div if self.is(b, 1.0) => Some(a),
            Binary::Mul if self.is(a, -1.0) => Some(self.unary(Unary::Neg, b)),
            Binary::Mul if self.is(b, -1.0) => Some(self.unary(Unary::Neg, a)),
            Binary::Div if self.is(a, 0.0) => Some(self.number(0.0)),
            Binary::Pow if self.is(b, 1.0) => Some(a),
            Binary::Pow if self.is(b, 0.0) => Some(self.number(1.0)),
            Binary::Pow if self.is(b, 0.5) => Some(self.unary(Unary::Sqrt, a)),
            Binary::Pow if self.is(b, -1.0) => {
                let one = self.number(1.0);
                Some(self.binary(Binary::Div, one, a))
            }
            Binary::Pow if [2.0, 3.0, 4.0].iter().any(|n| self.is(b, *n)) => {
                let square = self.binary(Binary::Mul, a, a);
                Some(match self.constant(b) {
                    Some(n) if n > 3.5 => self.binary(Binary::Mul, square, square),
                    Some(n) if n > 2.5 => self.binary(Binary::Mul, square, a),
                    _ => square,
                })
            }
            _ => None,
        }
    }

    /// An operation on three values.
    pub fn ternary(&mut self, op: Ternary, a: NodeId, b: NodeId, c: NodeId) -> NodeId {
        if let (Ternary::Select, Some(condition)) = (op, self.constant(a)) {
            return if condition.abs() > 0.0 { b } else { c };
        }
        if let (Some(x), Some(y), Some(z)) = (self.constant(a), self.constant(b), self.constant(c))
        {
            return self.number(op.apply(x, y, z));
        }
        let join = |x: Shape, y: Shape| x.join(y).unwrap_or(x);
        let shape = join(join(self.shape(a), self.shape(b)), self.shape(c));
        self.intern(Node::Ternary(op, a, b, c), shape)
    }

    /// Sum over a vector.
    pub fn sum(&mut self, a: NodeId) -> NodeId {
        self.intern(Node::Sum(a), Shape::Scalar)
    }

    /// The sum over what the vector `before` has become. One that folding has made a single number is
    /// that number once per element.
    pub(super) fn sum_again(&mut self, before: NodeId, after: NodeId) -> NodeId {
        match (self.shape(before), self.shape(after)) {
            (Shape::Vector(size), Shape::Scalar) => {
                let size = self.number(f64::from(size));
                self.binary(Binary::Mul, size, after)
            }
            _ => self.sum(after),
        }
    }

    /// How many nodes there are, in use or not.
    pub(super) fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The operands of a node.
    pub fn operands(&self, id: NodeId) -> Vec<NodeId> {
        match self.node(id) {
            Node::Number(_) | Node::Variable(_) => vec![],
            Node::Unary(_, a) | Node::Sum(a) => vec![a],
            Node::Binary(_, a, b) => vec![a, b],
            Node::Ternary(_, a, b, c) => vec![a, b, c],
        }
    }

    /// All nodes under `root`, operands before their users.
    pub fn order(&self, root: NodeId) -> Vec<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut order = Vec::new();
        let mut stack = vec![(root, false)];
        while let Some((id, ready)) = stack.pop() {
            if ready {
                order.push(id);
            } else if !std::mem::replace(&mut seen[id.0 as usize], true) {
                stack.push((id, true));
                stack.extend(self.operands(id).into_iter().rev().map(|o| (o, false)));
            }
        }
        order
    }

    /// The symbols read under `root`, each once, in order of first use.
    pub fn symbols(&self, root: NodeId) -> Vec<Symbol> {
        let read = |id: &NodeId| match self.node(*id) {
            Node::Variable(symbol) => Some(symbol),
            _ => None,
        };
        self.order(root).iter().filter_map(read).collect()
    }

    /// Rebuilds what is under `root` with some nodes replaced, folding again on the way.
    pub fn rewrite(
        &mut self,
        root: NodeId,
        mut replace: impl FnMut(&mut Graph, NodeId) -> Option<NodeId>,
    ) -> NodeId {
        let mut made: HashMap<NodeId, NodeId> = HashMap::new();
        for id in self.order(root) {
            let new = match replace(self, id) {
                Some(new) => new,
                None => match self.node(id) {
                    Node::Number(_) | Node::Variable(_) => id,
                    Node::Unary(op, a) => self.unary(op, made[&a]),
                    Node::Binary(op, a, b) => self.binary(op, made[&a], made[&b]),
                    Node::Ternary(op, a, b, c) => self.ternary(op, made[&a], made[&b], made[&c]),
                    Node::Sum(a) => self.sum_again(a, made[&a]),
                },
            };
            made.insert(id, new);
        }
        made[&root]
    }

    /// Replaces symbols by numbers and folds.
    pub fn fix(&mut self, root: NodeId, value: impl Fn(Symbol) -> Option<f64>) -> NodeId {
        self.rewrite(root, |graph, id| match graph.node(id) {
            Node::Variable(symbol) => value(symbol).map(|v| graph.number(v)),
            _ => None,
        })
    }

    /// Takes the sums out of an expression: each is replaced by a symbol, numbered in the order in which
    /// they must be computed. Returns what is left and the summed vectors.
    pub fn take_sums(&mut self, root: NodeId) -> (NodeId, Vec<NodeId>) {
        let mut sums = Vec::new();
        let mut made: HashMap<NodeId, NodeId> = HashMap::new();
        for id in self.order(root) {
            let swap = |graph: &mut Graph, inside: NodeId| {
                graph.rewrite(inside, |_, node| made.get(&node).copied())
            };
            if let Node::Sum(a) = self.node(id) {
                let summed = swap(self, a);
                let symbol = Symbol::Sum(u32::try_from(sums.len()).unwrap_or(u32::MAX));
                sums.push(summed);
                let variable = self.variable(symbol, Shape::Scalar);
                made.insert(id, variable);
            }
        }
        (self.rewrite(root, |_, node| made.get(&node).copied()), sums)
    }

    /// Fuses products into the sums that alone use them: a·b + c in one rounding.
    pub fn contract(&mut self, root: NodeId) -> NodeId {
        let mut uses: HashMap<NodeId, usize> = HashMap::new();
        for id in self.order(root) {
            for operand in self.operands(id) {
                *uses.entry(operand).or_default() += 1;
            }
        }
        let mut made: HashMap<NodeId, NodeId> = HashMap::new();
        for id in self.order(root) {
            let product = |graph: &Graph, x: NodeId| match graph.node(x) {
                Node::Binary(Binary::Mul, a, b) if uses.get(&x) == Some(&1) => Some((a, b)),
                _ => None,
            };
            let new = match self.node(id) {
                Node::Number(_) | Node::Variable(_) => id,
                Node::Unary(op, a) => self.unary(op, made[&a]),
                Node::Sum(a) => self.sum_again(a, made[&a]),
                Node::Ternary(op, a, b, c) => self.ternary(op, made[&a], made[&b], made[&c]),
                Node::Binary(Binary::Add, x, y) => match (product(self, x), product(self, y)) {
                    (Some((a, b)), _) => self.ternary(Ternary::Fma, made[&a], made[&b], made[&y]),
                    (_, Some((a, b))) => self.ternary(Ternary::Fma, made[&a], made[&b], made[&x]),
                    _ => self.binary(Binary::Add, made[&x], made[&y]),
                },
                Node::Binary(Binary::Sub, x, y) => match (product(self, x), product(self, y)) {
                    (_, Some((a, b))) => {
                        self.ternary(Ternary::NegFma, made[&a], made[&b], made[&x])
                    }
                    (Some((a, b)), _) => {
                        self.ternary(Ternary::FmaSub, made[&a], made[&b], made[&y])
                    }
                    _ => self.binary(Binary::Sub, made[&x], made[&y]),
                },
                Node::Binary(op, a, b) => self.binary(op, made[&a], made[&b]),
            };
            made.insert(id, new);
        }
        made[&root]
    }
}
