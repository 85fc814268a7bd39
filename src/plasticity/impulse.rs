//! Splits an expression that contains Dirac trains into what is smooth and the factor of each train.

use std::collections::HashMap;

use crate::lang::graph::Node;
use crate::lang::ops::{Binary, Ternary, Unary};
use crate::lang::{Graph, NodeId, Symbol};

/// Number of trains: three kinds on either side, the presynaptic first.
pub const TRAINS: usize = 6;

/// An expression smooth + Σ factor·train; what is missing is 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Split {
    /// What contains no train.
    pub smooth: Option<NodeId>,
    /// The factor of each train.
    pub factors: [Option<NodeId>; TRAINS],
}

impl Split {
    /// The factors of the presynaptic trains.
    pub fn pre(&self) -> [Option<NodeId>; 3] {
        [self.factors[0], self.factors[1], self.factors[2]]
    }

    /// The factors of the postsynaptic trains.
    pub fn post(&self) -> [Option<NodeId>; 3] {
        [self.factors[3], self.factors[4], self.factors[5]]
    }

    fn has_train(&self) -> bool {
        self.factors.iter().any(Option::is_some)
    }

    fn map(&self, mut change: impl FnMut(NodeId) -> NodeId) -> Split {
        Split {
            smooth: self.smooth.map(&mut change),
            factors: self.factors.map(|f| f.map(&mut change)),
        }
    }

    /// Both, part by part; `both` makes a part of its two, either of which may be missing.
    fn zip(
        &self,
        other: &Split,
        mut both: impl FnMut(Option<NodeId>, Option<NodeId>) -> Option<NodeId>,
    ) -> Split {
        let mut factors = [None; TRAINS];
        for (k, factor) in factors.iter_mut().enumerate() {
            *factor = both(self.factors[k], other.factors[k]);
        }
        Split {
            smooth: both(self.smooth, other.smooth),
            factors,
        }
    }
}

/// Splits what is under `root`; `train` tells which symbols are trains.
///
/// # Errors
/// Why trains cannot be used as they are, in words.
pub fn split(
    graph: &mut Graph,
    root: NodeId,
    train: &dyn Fn(Symbol) -> Option<usize>,
) -> Result<Split, String> {
    let one = graph.number(1.0);
    let mut made: HashMap<NodeId, Split> = HashMap::new();
    for id in graph.order(root) {
        let plain = Split {
            smooth: Some(id),
            ..Split::default()
        };
        let node = graph.node(id);
        let symbol = match node {
            Node::Variable(symbol) => train(symbol),
            _ => None,
        };
        let operands = graph.operands(id);
        let result = if let Some(k) = symbol {
            let mut split = Split::default();
            split.factors[k] = Some(one);
            split
        } else if !operands.iter().any(|o| made[o].has_train()) {
            plain
        } else {
            combine(graph, node, &made)?
        };
        made.insert(id, result);
    }
    let zero = |graph: &Graph, id: NodeId| graph.constant(id).is_some_and(|c| c.abs() <= 0.0);
    let mut result = made[&root];
    result.smooth = result.smooth.filter(|id| !zero(graph, *id));
    for factor in &mut result.factors {
        *factor = factor.filter(|id| !zero(graph, *id));
    }
    Ok(result)
}

fn combine(graph: &mut Graph, node: Node, made: &HashMap<NodeId, Split>) -> Result<Split, String> {
    match node {
        Node::Unary(Unary::Neg, a) => Ok(made[&a].map(|x| graph.unary(Unary::Neg, x))),
        Node::Binary(op @ (Binary::Add | Binary::Sub), a, b) => {
            Ok(made[&a].zip(&made[&b], |x, y| match (x, y) {
                (Some(x), Some(y)) => Some(graph.binary(op, x, y)),
                (None, Some(y)) if op == Binary::Sub => Some(graph.unary(Unary::Neg, y)),
                (x, y) => x.or(y),
            }))
        }
        Node::Binary(Binary::Mul, a, b) => {
            let (with, other) = match (made[&a].has_train(), made[&b].has_train()) {
                (true, true) => {
                    return Err("it multiplies a train of spikes by a train of spikes, which never coincide: \
                                multiply one by a trace of the other, such as trace(pre.spike, tau)"
                        .to_owned());
                }
                (true, false) => (a, b),
                _ => (b, a),
            };
            Ok(made[&with].map(|x| graph.binary(Binary::Mul, x, other)))
        }
        Node::Binary(Binary::Div, a, b) if !made[&b].has_train() => {
            Ok(made[&a].map(|x| graph.binary(Binary::Div, x, b)))
        }
        Node::Ternary(Ternary::Select, c, a, b) if !made[&c].has_train() => {
            let zero = graph.number(0.0);
            Ok(made[&a].zip(&made[&b], |x, y| match (x, y) {
                (None, None) => None,
                (x, y) => {
                    let (x, y) = (x.unwrap_or(zero), y.unwrap_or(zero));
                    Some(graph.ternary(Ternary::Select, c, x, y))
                }
            }))
        }
        _ => Err("a train of spikes goes through a function: a train can be added, and multiplied by a value; \
                  for a number that decays after each spike, write trace(post.spike, tau)"
            .to_owned()),
    }
}
