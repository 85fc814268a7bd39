//! Expressions multiplied out into sums of products of a number and values.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::lang::graph::Node;
use crate::lang::ops::{Binary, Unary};
use crate::lang::{Graph, NodeId, Symbol};

/// Products that are still worth multiplying out.
const MOST: usize = 64;

/// A number times values, each named by its place; a place may occur twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The number.
    pub factor: f64,
    /// Places of the values, in order.
    pub places: Vec<u16>,
}

impl Product {
    /// Its value.
    #[inline]
    pub fn value(&self, values: &[f64]) -> f64 {
        let mut product = self.factor;
        for place in &self.places {
            product *= values[usize::from(*place)];
        }
        product
    }
}

/// The products that add up to a node, if it is a polynomial of the values that `place` knows.
pub fn polynomial(
    graph: &Graph,
    root: NodeId,
    place: &dyn Fn(Symbol) -> Option<u16>,
) -> Option<Vec<Product>> {
    let mut made: HashMap<NodeId, Vec<Product>> = HashMap::new();
    for id in graph.order(root) {
        // What is under a constant divisor and the like is looked up only if it is used.
        if let Some(products) = step(graph, id, place, &made) {
            made.insert(id, products);
        }
    }
    made.remove(&root)
}

fn step(
    graph: &Graph,
    id: NodeId,
    place: &dyn Fn(Symbol) -> Option<u16>,
    made: &HashMap<NodeId, Vec<Product>>,
) -> Option<Vec<Product>> {
    let scaled = |products: &[Product], by: f64| {
        let scale = |p: &Product| Product {
            factor: p.factor * by,
            places: p.places.clone(),
        };
        products.iter().map(scale).collect::<Vec<_>>()
    };
    let sum = match graph.node(id) {
        Node::Number(bits) => vec![Product {
            factor: f64::from_bits(bits),
            places: vec![],
        }],
        Node::Variable(symbol) => vec![Product {
            factor: 1.0,
            places: vec![place(symbol)?],
        }],
        Node::Unary(Unary::Neg, a) => scaled(made.get(&a)?, -1.0),
        Node::Binary(Binary::Add, a, b) => [&made.get(&a)?[..], &made.get(&b)?[..]].concat(),
        Node::Binary(Binary::Sub, a, b) => {
            [&made.get(&a)?[..], &scaled(made.get(&b)?, -1.0)[..]].concat()
        }
        Node::Binary(Binary::Mul, a, b) => {
            let (left, right) = (made.get(&a)?, made.get(&b)?);
            if left.len() * right.len() > MOST {
                return None;
            }
            let mut all = Vec::new();
            for x in left {
                for y in right {
                    let mut places = [&x.places[..], &y.places[..]].concat();
                    places.sort_unstable();
                    let factor = x.factor * y.factor;
                    all.push(Product { factor, places });
                }
            }
            all
        }
        Node::Binary(Binary::Div, a, b) => match made.get(&b)?.as_slice() {
            [Product { factor, places }] if places.is_empty() && factor.abs() > 0.0 => {
                scaled(made.get(&a)?, 1.0 / factor)
            }
            _ => return None,
        },
        _ => return None,
    };
    let mut merged: Vec<Product> = Vec::new();
    for product in sum {
        match merged.iter_mut().find(|m| m.places == product.places) {
            Some(found) => found.factor += product.factor,
            None => merged.push(product),
        }
    }
    merged.retain(|p| p.factor.abs() > 0.0 || p.factor.is_nan());
    (merged.len() <= MOST).then_some(merged)
}
