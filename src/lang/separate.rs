//! Which rules are sums of products `scalar · post · pre`, times the weight or a filter at the synapse if they like,
//! and what the factors are.
//!
//! A rule of that form changes the whole weight matrix by a few outer products and a common factor, so
//! that its postsynaptic part is computed once per neuron instead of once per synapse.

use std::collections::HashMap;

use super::graph::{Graph, Node, NodeId, Shape, Symbol};
use super::ops::{Binary, Unary};

/// One product: `scalar · post_i · pre_j`, times the weight itself if `weight`, times the state of a filter at the
/// synapse if `filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The factor that all synapses share: numbers and modulators.
    pub scalar: NodeId,
    /// The postsynaptic factor.
    pub post: NodeId,
    /// The presynaptic factor.
    pub pre: NodeId,
    /// Whether the weight itself is a factor.
    pub weight: bool,
    /// The filter at the synapse that is a factor, by number.
    pub filter: Option<u32>,
}

/// What may be a factor beside the scalar and the two sides.
#[derive(Clone, Copy)]
struct Allowed {
    /// The synapse's own weight.
    weight: Symbol,
    /// Whether filters at the synapse may be.
    filters: bool,
}

/// More products than this are not worth their passes over the matrix.
const MOST_TERMS: usize = 4;

/// Products that an expression may have while it is multiplied out; many of them cancel or add up.
const MOST_EXPANDED: usize = 64;

/// Splits `root` into products, if it is a sum of at most four of them.
///
/// `weight` is the symbol of the synapse's own weight. The reason for a refusal is for people.
///
/// # Errors
/// The part that cannot be split, in words.
pub fn separate(graph: &mut Graph, root: NodeId, weight: Symbol) -> Result<Vec<Term>, String> {
    let filters = false;
    at_most(graph, root, Allowed { weight, filters }, MOST_TERMS)
}

/// As [`separate`], but filters at the synapse may be factors too.
///
/// # Errors
/// The part that cannot be split, in words.
pub fn separate_with_filters(
    graph: &mut Graph,
    root: NodeId,
    weight: Symbol,
) -> Result<Vec<Term>, String> {
    let filters = true;
    at_most(graph, root, Allowed { weight, filters }, MOST_TERMS)
}

/// As [`separate_with_filters`], for sums of any number of products: where a product costs no pass over all synapses.
///
/// # Errors
/// The part that cannot be split, in words.
pub fn separate_all(graph: &mut Graph, root: NodeId, weight: Symbol) -> Result<Vec<Term>, String> {
    let filters = true;
    at_most(graph, root, Allowed { weight, filters }, MOST_EXPANDED)
}

fn at_most(
    graph: &mut Graph,
    root: NodeId,
    allowed: Allowed,
    most: usize,
) -> Result<Vec<Term>, String> {
    let mut made = HashMap::new();
    for id in graph.order(root) {
        // A node that is the same everywhere, or on one side, is a factor whatever is under it.
        if graph.shape(id) == Shape::Synapse {
            let terms = split(graph, id, allowed, &made)?;
            made.insert(id, terms);
        }
    }
    let terms = parts(graph, root, &made);
    let terms = merge(graph, terms)?;
    if terms.len() > most {
        return Err(format!(
            "it is a sum of {} products, more than {most}",
            terms.len()
        ));
    }
    Ok(terms)
}

/// The products that a node was split into, or the one that it is by itself.
fn parts(graph: &mut Graph, id: NodeId, made: &HashMap<NodeId, Vec<Term>>) -> Vec<Term> {
    if let Some(terms) = made.get(&id) {
        return terms.clone();
    }
    let one = graph.number(1.0);
    let (scalar, rest) = take_scalar(graph, id);
    let unit = Term {
        scalar,
        post: one,
        pre: one,
        weight: false,
        filter: None,
    };
    match graph.shape(id) {
        Shape::Scalar => vec![unit],
        Shape::Pre => vec![Term { pre: rest, ..unit }],
        _ => vec![Term { post: rest, ..unit }],
    }
}

/// Splits a node that differs from synapse to synapse; its operands have been split.
fn split(
    graph: &mut Graph,
    id: NodeId,
    allowed: Allowed,
    made: &HashMap<NodeId, Vec<Term>>,
) -> Result<Vec<Term>, String> {
    let one = graph.number(1.0);
    let plain = Term {
        scalar: one,
        post: one,
        pre: one,
        weight: false,
        filter: None,
    };
    match graph.node(id) {
        Node::Variable(symbol) if symbol == allowed.weight => Ok(vec![Term {
            weight: true,
            ..plain
        }]),
        Node::Variable(Symbol::Filter(index)) if allowed.filters => Ok(vec![Term {
            filter: Some(index),
            ..plain
        }]),
        Node::Variable(_) => Err("it keeps a state at every synapse".to_owned()),
        Node::Unary(Unary::Neg, a) => {
            let terms = parts(graph, a, made);
            Ok(negated(graph, terms))
        }
        Node::Binary(op @ (Binary::Add | Binary::Sub), a, b) => {
            let (mut terms, mut more) = (parts(graph, a, made), parts(graph, b, made));
            if op == Binary::Sub {
                more = negated(graph, more);
            }
            terms.extend(more);
            merge(graph, terms)
        }
        Node::Binary(Binary::Mul, a, b) => {
            let (left, right) = (parts(graph, a, made), parts(graph, b, made));
            products(graph, &left, &right)
        }
        Node::Binary(Binary::Div, _, b) if graph.shape(b) == Shape::Synapse => {
            Err("it divides by something that differs from synapse to synapse".to_owned())
        }
        Node::Binary(Binary::Div, a, b) => {
            let inverse = graph.binary(Binary::Div, one, b);
            let (top, bottom) = (parts(graph, a, made), parts(graph, inverse, made));
            products(graph, &top, &bottom)
        }
        _ => Err("a function mixes its presynaptic and postsynaptic sides".to_owned()),
    }
}

/// Splits a value of one side into its scalar factors and what varies.
fn take_scalar(graph: &mut Graph, root: NodeId) -> (NodeId, NodeId) {
    let one = graph.number(1.0);
    let mut made: HashMap<NodeId, (NodeId, NodeId)> = HashMap::new();
    for id in graph.order(root) {
        let taken = match graph.node(id) {
            _ if graph.shape(id) == Shape::Scalar => (id, one),
            Node::Binary(Binary::Mul, a, b) => {
                let (left, right) = (made[&a], made[&b]);
                (
                    graph.binary(Binary::Mul, left.0, right.0),
                    graph.binary(Binary::Mul, left.1, right.1),
                )
            }
            Node::Binary(Binary::Div, a, b) if graph.shape(b) == Shape::Scalar => {
                let (scalar, rest) = made[&a];
                (graph.binary(Binary::Div, scalar, b), rest)
            }
            Node::Unary(Unary::Neg, a) => {
                let (scalar, rest) = made[&a];
                (graph.unary(Unary::Neg, scalar), rest)
            }
            _ => (one, id),
        };
        made.insert(id, taken);
    }
    made[&root]
}

fn negated(graph: &mut Graph, terms: Vec<Term>) -> Vec<Term> {
    terms
        .into_iter()
        .map(|t| Term {
            scalar: graph.unary(Unary::Neg, t.scalar),
            ..t
        })
        .collect()
}

fn products(graph: &mut Graph, left: &[Term], right: &[Term]) -> Result<Vec<Term>, String> {
    let mut all = Vec::new();
    for a in left {
        for b in right {
            if a.weight && b.weight {
                return Err("it is not linear in its own weight".to_owned());
            }
            let filters = [a.filter, b.filter];
            if filters.iter().flatten().count() + usize::from(a.weight || b.weight) > 1 {
                return Err("it multiplies what each synapse keeps".to_owned());
            }
            all.push(Term {
                scalar: graph.binary(Binary::Mul, a.scalar, b.scalar),
                post: graph.binary(Binary::Mul, a.post, b.post),
                pre: graph.binary(Binary::Mul, a.pre, b.pre),
                weight: a.weight || b.weight,
                filter: a.filter.or(b.filter),
            });
        }
    }
    merge(graph, all)
}

/// Adds up products that differ in their scalar only.
fn merge(graph: &mut Graph, terms: Vec<Term>) -> Result<Vec<Term>, String> {
    let mut merged: Vec<Term> = Vec::new();
    for term in terms {
        let factors = |t: &Term| (t.post, t.pre, t.weight, t.filter);
        let same = |t: &&mut Term| factors(t) == factors(&term);
        match merged.iter_mut().find(same) {
            Some(found) => found.scalar = graph.binary(Binary::Add, found.scalar, term.scalar),
            None => merged.push(term),
        }
    }
    merged.retain(|t| graph.constant(t.scalar).is_none_or(|c| c.abs() > 0.0));
    if merged.len() > MOST_EXPANDED {
        return Err(format!("it is a sum of more than {MOST_EXPANDED} products"));
    }
    Ok(merged)
}
