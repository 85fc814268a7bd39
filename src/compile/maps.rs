//! Postsynaptic factors of convolutions that are the same all over a map: what is spread over whole maps. They are computed once for
//! each map, not for each neuron, and nothing is spread if nobody else reads it.

use std::collections::HashMap;

use super::kernel::{Binding, ScalarId, VectorRef};
use super::places::Places;
use super::planner::Planner;
use super::program::Program;
use super::reading::{Expr, Reading};
use crate::circuit::connect::Connectivity;
use crate::circuit::grid::TilingUse;
use crate::circuit::{CompartmentId, Projection, ProjectionId};
use crate::lang::graph::Node;
use crate::lang::ops::{Binary, Unary};
use crate::lang::separate::Term;
use crate::lang::{NodeId, Shape, Symbol};
use crate::netlist::model::DistributionKind;

/// What a compartment is at all places of a map: a value of the map's only source, times a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// The source.
    pub from: CompartmentId,
    weight: f64,
}

/// A postsynaptic factor in two: that of the map, and that of the neuron.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub map: NodeId,
    pub neuron: NodeId,
}

impl Program {
    /// What a compartment is all over each of its maps, if it is nothing but what one projection spreads over them.
    pub(super) fn spread(&self, id: CompartmentId) -> Option<Spread> {
        let mut equations = self.expressions.equations.iter();
        let equation = equations.find(|equation| equation.compartment == id)?;
        let graph = &equation.expr.formula.graph;
        let is_drive = match graph.node(equation.expr.formula.root) {
            Node::Variable(symbol) => equation.expr.reading(symbol) == Some(Reading::Drive(id)),
            _ => false,
        };
        let compartment = self.circuit.compartment(id);
        let alone = compartment.within.is_none()
            && compartment.inputs.is_empty()
            && !self.layout.biases.contains_key(&id);
        let mut given = self.circuit.projections.iter().filter(|p| p.to == id);
        let (Some(projection), None) = (given.next(), given.next()) else {
            return None;
        };
        let weight = weight_over_maps(projection)?;
        let from = projection.from;
        (is_drive && alone && equation.differential.is_none()).then_some(Spread { from, weight })
    }

    /// Splits a factor into that of the map, which reads something that is spread, and the rest.
    pub(super) fn parts(&self, expr: &mut Expr, root: NodeId) -> Option<Parts> {
        let is_spread = |expr: &Expr, symbol| matches!(expr.reading(symbol), Some(Reading::Value(id)) if self.spread(id).is_some());
        let one = expr.formula.graph.number(1.0);
        let mut made: HashMap<NodeId, Parts> = HashMap::new();
        for id in expr.formula.graph.order(root) {
            let symbols = expr.formula.graph.symbols(id);
            let is_scalar = expr.formula.graph.shape(id) == Shape::Scalar;
            let whole = !symbols.is_empty()
                && symbols
                    .iter()
                    .all(|s| is_spread(expr, *s) || is_scalar_symbol(expr, id, *s));
            let graph = &mut expr.formula.graph;
            let parts = match graph.node(id) {
                _ if whole || is_scalar => Parts {
                    map: id,
                    neuron: one,
                },
                Node::Binary(Binary::Mul, a, b) => Parts {
                    map: graph.binary(Binary::Mul, made[&a].map, made[&b].map),
                    neuron: graph.binary(Binary::Mul, made[&a].neuron, made[&b].neuron),
                },
                Node::Unary(Unary::Neg, a) => Parts {
                    map: graph.unary(Unary::Neg, made[&a].map),
                    neuron: made[&a].neuron,
                },
                _ => Parts {
                    map: one,
                    neuron: id,
                },
            };
            made.insert(id, parts);
        }
        let parts = made[&root];
        let mut read = expr.formula.graph.symbols(parts.map).into_iter();
        read.any(|symbol| is_spread(expr, symbol)).then_some(parts)
    }

    /// A factor of the map in what is spread, times the weights.
    pub(super) fn before_spread(&self, expr: &mut Expr, map: NodeId) -> NodeId {
        let mut weights: HashMap<Symbol, f64> = HashMap::new();
        for symbol in expr.formula.graph.symbols(map) {
            if let Some(Reading::Value(id)) = expr.reading(symbol)
                && let Some(spread) = self.spread(id)
            {
                weights.insert(symbol, spread.weight);
            }
        }
        expr.formula.graph.rewrite(map, |graph, id| {
            let Node::Variable(symbol) = graph.node(id) else {
                return None;
            };
            let weight = graph.number(*weights.get(&symbol)?);
            Some(graph.binary(Binary::Mul, weight, id))
        })
    }
}

impl Planner<'_> {
    /// Notes what a product of a convolution's rule reads, and takes the factor that is the same all over a map out of it.
    pub(super) fn parts_of(
        &mut self,
        id: ProjectionId,
        expr: &mut Expr,
        term: &Term,
    ) -> Option<Parts> {
        let program = self.program;
        for node in [term.scalar, term.pre] {
            self.want_all(expr, node, Some(id));
        }
        let Some(parts) = program.parts(expr, term.post) else {
            self.want_all(expr, term.post, Some(id));
            return None;
        };
        self.want_all(expr, parts.neuron, Some(id));
        for symbol in expr.formula.graph.symbols(parts.map) {
            match expr.reading(symbol) {
                Some(Reading::Value(compartment)) => {
                    let spread = program.spread(compartment);
                    self.want(Reading::Value(spread.map_or(compartment, |s| s.from)));
                }
                Some(reading) => self.want(reading),
                None => {}
            }
        }
        Some(parts)
    }
}

/// Whether a symbol is a number for all neurons.
fn is_scalar_symbol(expr: &Expr, root: NodeId, symbol: Symbol) -> bool {
    let graph = &expr.formula.graph;
    let mut nodes = graph.order(root).into_iter();
    nodes.any(|id| graph.node(id) == Node::Variable(symbol) && graph.shape(id) == Shape::Scalar)
}

/// The weight with which a projection spreads values over whole maps without delay, if that is what it does.
fn weight_over_maps(projection: &Projection) -> Option<f64> {
    let Connectivity::Tiling(tiling) = &projection.connectivity else {
        return None;
    };
    let whole = tiling.use_of == TilingUse::Spread && tiling.coarse().places() == 1;
    match projection.weight.kind {
        DistributionKind::Constant(weight) if whole && projection.delay == 0 => Some(weight),
        _ => None,
    }
}

/// Places of a factor of the map: what is spread is read where it comes from.
pub(super) struct OverMaps<'a> {
    pub program: &'a Program,
    pub places: &'a Places<'a>,
}

impl Binding for OverMaps<'_> {
    fn scalar(&self, symbol: Symbol, reading: Option<Reading>) -> Option<ScalarId> {
        self.places.scalar(symbol, reading)
    }

    fn is_own(&self, symbol: Symbol, reading: Option<Reading>) -> bool {
        self.places.is_own(symbol, reading)
    }

    fn vector(&self, _: Symbol, reading: Option<Reading>) -> Option<VectorRef> {
        let Some(Reading::Value(id)) = reading else {
            return None;
        };
        let spread = self.program.spread(id)?;
        let value = self.program.layout.values.get(&spread.from)?;
        Some(VectorRef::Plain(*value))
    }
}
