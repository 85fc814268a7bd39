//! The tree walker: the slow, obvious meaning of an expression, against which the machine is tested.

use super::graph::{Graph, Node, NodeId, Symbol};

/// The value of a node for one element; `read` gives what a symbol holds for it.
///
/// Sums are taken with `sum`, which is given the node that is summed.
pub fn walk(
    graph: &Graph,
    id: NodeId,
    read: &dyn Fn(Symbol) -> f64,
    sum: &dyn Fn(NodeId) -> f64,
) -> f64 {
    let value = |operand| walk(graph, operand, read, sum);
    match graph.node(id) {
        Node::Number(bits) => f64::from_bits(bits),
        Node::Variable(symbol) => read(symbol),
        Node::Unary(op, a) => op.apply(value(a)),
        Node::Binary(op, a, b) => op.apply(value(a), value(b)),
        Node::Ternary(op, a, b, c) => op.apply(value(a), value(b), value(c)),
        Node::Sum(a) => sum(a),
    }
}
