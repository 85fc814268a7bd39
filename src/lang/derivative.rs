//! Symbolic derivatives, `f'(x)`.

use std::collections::HashMap;

use super::graph::{Graph, Node, NodeId, Symbol};
use super::ops::{Binary, Ternary, Unary};

impl Graph {
    /// The derivative of `root` with respect to `symbol`. Where an operation has a corner (`abs`, `max`,
    /// a comparison) the derivative is that of the side which the operation takes there.
    pub fn derivative(&mut self, root: NodeId, symbol: Symbol) -> NodeId {
        let zero = self.number(0.0);
        let one = self.number(1.0);
        let mut made: HashMap<NodeId, NodeId> = HashMap::new();
        for id in self.order(root) {
            let slope = match self.node(id) {
                Node::Variable(s) if s == symbol => one,
                Node::Number(_) | Node::Variable(_) => zero,
                Node::Unary(op, a) => {
                    let inner = made[&a];
                    let outer = self.unary_slope(op, a, id);
                    self.binary(Binary::Mul, outer, inner)
                }
                Node::Binary(op, a, b) => self.binary_slope(op, (a, made[&a]), (b, made[&b]), id),
                Node::Ternary(Ternary::Select, condition, b, c) => {
                    self.ternary(Ternary::Select, condition, made[&b], made[&c])
                }
                Node::Ternary(op, a, b, c) => {
                    let product = self.product_slope((a, made[&a]), (b, made[&b]));
                    match op {
                        Ternary::NegFma => self.binary(Binary::Sub, made[&c], product),
                        Ternary::FmaSub => self.binary(Binary::Sub, product, made[&c]),
                        _ => self.binary(Binary::Add, product, made[&c]),
                    }
                }
                Node::Sum(a) => {
                    let inner = made[&a];
                    self.sum_again(a, inner)
                }
            };
            made.insert(id, slope);
        }
        made[&root]
    }

    /// d op(a)/da; `value` is the node op(a) itself, which several slopes are made of.
    fn unary_slope(&mut self, op: Unary, a: NodeId, value: NodeId) -> NodeId {
        let one = self.number(1.0);
        match op {
            Unary::Neg => self.number(-1.0),
            Unary::Abs => self.unary(Unary::Sign, a),
            Unary::Sqrt => {
                let half = self.number(0.5);
                self.binary(Binary::Div, half, value)
            }
            Unary::Exp => value,
            Unary::Log => self.binary(Binary::Div, one, a),
            Unary::Sin => self.unary(Unary::Cos, a),
            Unary::Cos => {
                let sin = self.unary(Unary::Sin, a);
                self.unary(Unary::Neg, sin)
            }
            Unary::Tanh => {
                let square = self.binary(Binary::Mul, value, value);
                self.binary(Binary::Sub, one, square)
            }
            Unary::Sigmoid => {
                let rest = self.binary(Binary::Sub, one, value);
                self.binary(Binary::Mul, value, rest)
            }
            Unary::Softplus => self.unary(Unary::Sigmoid, a),
            Unary::SoftplusInverse => {
                let slope = self.unary(Unary::Sigmoid, value);
                self.binary(Binary::Div, one, slope)
            }
            Unary::Atanh => {
                let square = self.binary(Binary::Mul, a, a);
                let slope = self.binary(Binary::Sub, one, square);
                self.binary(Binary::Div, one, slope)
            }
            Unary::Not | Unary::Step | Unary::Sign => self.number(0.0),
        }
    }

    /// d(a·b).
    fn product_slope(&mut self, (a, da): (NodeId, NodeId), (b, db): (NodeId, NodeId)) -> NodeId {
        let left = self.binary(Binary::Mul, da, b);
        let right = self.binary(Binary::Mul, a, db);
        self.binary(Binary::Add, left, right)
    }

    fn binary_slope(
        &mut self,
        op: Binary,
        (a, da): (NodeId, NodeId),
        (b, db): (NodeId, NodeId),
        value: NodeId,
    ) -> NodeId {
        match op {
            Binary::Add | Binary::Sub => self.binary(op, da, db),
            Binary::Mul => self.product_slope((a, da), (b, db)),
            Binary::Div => {
                let rest = self.binary(Binary::Mul, value, db);
                let top = self.binary(Binary::Sub, da, rest);
                self.binary(Binary::Div, top, b)
            }
            Binary::Pow => self.power_slope((a, da), (b, db), value),
            Binary::Min | Binary::Max => {
                let (low, high) = if op == Binary::Min { (a, b) } else { (b, a) };
                let first = self.binary(Binary::Less, low, high);
                self.ternary(Ternary::Select, first, da, db)
            }
            _ => self.number(0.0),
        }
    }

    /// d(a^b) = b·a^(b−1)·da + a^b·ln a·db, the second part only where b varies.
    fn power_slope(
        &mut self,
        (a, da): (NodeId, NodeId),
        (b, db): (NodeId, NodeId),
        value: NodeId,
    ) -> NodeId {
        let one = self.number(1.0);
        let less = self.binary(Binary::Sub, b, one);
        let power = self.binary(Binary::Pow, a, less);
        let outer = self.binary(Binary::Mul, b, power);
        let left = self.binary(Binary::Mul, outer, da);
        if self.constant(db).is_some_and(|c| c.abs() <= 0.0) {
            return left;
        }
        let log = self.unary(Unary::Log, a);
        let growth = self.binary(Binary::Mul, value, log);
        let right = self.binary(Binary::Mul, growth, db);
        self.binary(Binary::Add, left, right)
    }
}
