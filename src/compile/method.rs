//! By which method a rule's change of weights is computed: by outer products where the analysis finds that it can be,
//! synapse by synapse otherwise.

use std::collections::HashSet;

use super::eligibility::{self};
use super::expressions::Plastic;
use super::kernel::View;
use super::layout::FilterPlace;
use super::learning::{
    ElementwiseRule, ElementwiseTarget, Factor, GeneralRule, Learning, OuterRule, OuterTerm,
    ScaledTerm, SynapseFilter,
};
use super::maps::{OverMaps, Parts};
use super::places::Places;
use super::plan::FilterStep;
use super::planner::{Planner, filter_kinds, sides};
use super::program::PlacedRule;
use super::reading::{Expr, Reading};
use crate::circuit::connect::Connectivity;
use crate::circuit::{CompartmentId, ProjectionId};
use crate::lang::graph::Node;
use crate::lang::ops::Binary;
use crate::lang::separate::{Term, separate};
use crate::lang::{NodeId, Shape, Symbol};
use crate::source::Problem;

/// Splits a rule into products, as `check` reports it: their number, or why there are none.
///
/// # Errors
/// Why the rule runs synapse by synapse.
pub fn products(expr: &Expr, root: NodeId, replicas: usize) -> Result<(Expr, Vec<Term>), String> {
    let mut expr = expr.clone();
    // A symbol that never occurs stands for the weight of a rule that does not read it.
    let weight = expr.symbol(Reading::Weight).unwrap_or(Symbol::Argument);
    let terms = separate(&mut expr.formula.graph, root, weight)?;
    check_decay(&expr, &terms, replicas)?;
    Ok((expr, terms))
}

/// At most one product may have the weight as a factor, and replicas must agree on it.
pub(super) fn check_decay(expr: &Expr, terms: &[Term], replicas: usize) -> Result<(), String> {
    let decays: Vec<&Term> = terms.iter().filter(|t| t.weight).collect();
    let graph = &expr.formula.graph;
    let plain = |t: &Term| [t.post, t.pre].iter().all(|n| graph.constant(*n).is_some());
    if decays.len() > 1 {
        return Err("two products contain its own weight".to_owned());
    }
    if replicas > 1 && decays.iter().any(|t| !plain(t)) {
        return Err(
            "its own weight is multiplied by activity that differs between replicas".to_owned(),
        );
    }
    Ok(())
}

/// The plan of a rule, and its filters that remember.
pub(super) fn plan(
    planner: &mut Planner<'_>,
    rule: &PlacedRule,
) -> Result<(Option<Learning>, Vec<FilterStep>), Problem> {
    let (projection, bias) = sides(rule.rule.plastic);
    let (filters, remember) = planner.filter_steps(&rule.rule.expr, &rule.filters, projection)?;
    let mut expr = rule.rule.expr.clone();
    let root = expr.formula.root;
    let root = planner.gates.fix(&mut expr, root);
    let closed = expr
        .formula
        .graph
        .constant(root)
        .is_some_and(|c| c.abs() <= 0.0);
    let stateful = rule.filters.iter().any(at_synapse);
    if closed && !stateful {
        // Its filters go on all the same.
        let idle = filters.into_iter().chain(remember).collect::<Vec<_>>();
        return Ok((None, idle));
    }
    if !is_convolution(planner, projection) {
        planner.want_all(&expr, root, projection);
    }
    for (filter, _) in rule
        .rule
        .expr
        .formula
        .filters
        .iter()
        .zip(&rule.filters)
        .filter(|(_, p)| at_synapse(p))
    {
        let input = planner.gates.fix(&mut expr, filter.input);
        planner.want_all(&expr, input, projection);
    }
    let Some(id) = projection else {
        let learning = elementwise(planner, rule, expr, root, filters, bias)?;
        return Ok((Some(learning), remember));
    };
    let connectivity = &planner.program.circuit.projections[id.0 as usize].connectivity;
    let learning = if matches!(connectivity, Connectivity::OneToOne { .. }) {
        elementwise(planner, rule, expr, root, filters, None)?
    } else {
        match products(&expr, root, planner.program.layout.replicas) {
            // What a closed gate leaves may be a product; the filters at the synapses go on all the same.
            Ok((expr, terms)) if !stateful => outer(planner, rule, id, expr, &terms, filters)?,
            _ => match eligibility::split(planner, rule, id, &expr, root) {
                Ok(parts) => eligibility::plan(planner, rule, id, parts, filters)?,
                Err(_) => general(planner, rule, id, expr, root, filters)?,
            },
        }
    };
    Ok((Some(learning), remember))
}

/// Whether a filter has one state per synapse.
fn at_synapse(place: &FilterPlace) -> bool {
    matches!(place, FilterPlace::Synapse(_))
}

/// Hard bounds of a projection's weights; a measured rule changes none.
pub(super) fn within(
    planner: &Planner<'_>,
    rule: &PlacedRule,
    id: ProjectionId,
) -> Option<[f64; 2]> {
    let projection = &planner.program.circuit.projections[id.0 as usize];
    // With an optimiser the bounds are kept when it changes the weights.
    let changes = rule.index < planner.program.rules.len() && rule.rule.optimiser.is_none();
    let within = projection.within.as_ref().filter(|_| changes);
    within.map(|w| [w.low, w.high])
}

/// Whether a projection is a convolution: what its rule reads is wanted product by product.
fn is_convolution(planner: &Planner<'_>, id: Option<ProjectionId>) -> bool {
    let projection = |id| planner.program.circuit.projection(id);
    id.is_some_and(|id| matches!(projection(id).connectivity, Connectivity::Convolution(_)))
}

fn outer(
    planner: &mut Planner<'_>,
    rule: &PlacedRule,
    id: ProjectionId,
    mut expr: Expr,
    terms: &[Term],
    filters: Vec<FilterStep>,
) -> Result<Learning, Problem> {
    let kinds = filter_kinds(&expr);
    let convolution = is_convolution(planner, Some(id));
    let mut parts = Vec::new();
    for term in terms {
        let split = convolution.then(|| planner.parts_of(id, &mut expr, term));
        parts.push(split.flatten());
    }
    let planner = &*planner;
    let places = planner.places(&kinds, &rule.filters, &[], Some(id));
    let (mut growth, mut decay, mut others) = (None, None, Vec::new());
    for (term, parts) in terms.iter().zip(parts) {
        let graph = &expr.formula.graph;
        let uniform = [term.post, term.pre]
            .iter()
            .all(|side| graph.constant(*side).is_some());
        if term.weight && uniform {
            let scale = term.scalar;
            growth = Some(planner.kernel_in(&mut expr, scale, View::Neurons, &places)?);
            continue;
        }
        // The mean over replicas: a decay of the weight alone is the same in each, so it is applied once.
        let replicas = planner.program.layout.replicas;
        let replicas = if term.weight { 1 } else { replicas };
        let share = 1.0 / replicas as f64;
        let compiled = outer_term(planner, &mut expr, (term, parts), &places, share)?;
        if term.weight {
            decay = Some(compiled);
        } else {
            others.push(compiled);
        }
    }
    Ok(Learning::Outer(OuterRule {
        projection: id,
        filters,
        growth,
        decay,
        terms: others,
        within: within(planner, rule, id),
    }))
}

/// Compiles a product; `share` is one more factor of it.
pub(super) fn outer_term(
    planner: &Planner<'_>,
    expr: &mut Expr,
    (term, parts): (&Term, Option<Parts>),
    places: &Places<'_>,
    share: f64,
) -> Result<OuterTerm, Problem> {
    let differs = expr.differs(&planner.program.circuit, term.scalar);
    let graph = &mut expr.formula.graph;
    let constant = graph.constant(term.scalar).is_some();
    let gate = (!constant && !differs).then_some(term.scalar);
    let share = graph.number(share);
    let scalar = graph.binary(Binary::Mul, share, term.scalar);
    let (post, map) = match parts {
        Some(Parts { map, neuron }) => (neuron, Some(graph.binary(Binary::Mul, scalar, map))),
        None => (graph.binary(Binary::Mul, scalar, term.post), None),
    };
    let pre = factor(planner, expr, term.pre, places)?;
    let maps = match map {
        Some(map) => {
            let node = planner.program.before_spread(expr, map);
            let program = planner.program;
            let kernel =
                planner.kernel_in(expr, node, View::Neurons, &OverMaps { program, places })?;
            Some(Box::new(kernel))
        }
        None => None,
    };
    let mut gate_of = |node: Option<NodeId>| {
        node.map(|node| planner.kernel_in(expr, node, View::Neurons, places))
            .transpose()
    };
    let (gate, own_gate) = (gate_of(gate)?, gate_of(differs.then_some(term.scalar))?);
    Ok(OuterTerm {
        gate,
        own_gate: own_gate.map(Box::new),
        post: planner.kernel_in(expr, post, View::Neurons, places)?,
        maps,
        pre,
    })
}

/// As [`outer_term`], with the factor that all synapses share by itself; where replicas differ in it, it joins the
/// postsynaptic one.
pub(super) fn scaled_term(
    planner: &Planner<'_>,
    expr: &mut Expr,
    term: &Term,
    places: &Places<'_>,
    share: f64,
) -> Result<ScaledTerm, Problem> {
    let differs = expr.differs(&planner.program.circuit, term.scalar);
    let graph = &mut expr.formula.graph;
    let share = graph.number(share);
    // A side that is a constant is 1.
    let (scale, post) = if differs {
        (share, graph.binary(Binary::Mul, term.scalar, term.post))
    } else {
        (graph.binary(Binary::Mul, share, term.scalar), term.post)
    };
    Ok(ScaledTerm {
        scale: planner.kernel_in(expr, scale, View::Neurons, places)?,
        post: factor(planner, expr, post, places)?,
        pre: factor(planner, expr, term.pre, places)?,
    })
}

/// Compiles a factor of one side.
fn factor(
    planner: &Planner<'_>,
    expr: &mut Expr,
    node: NodeId,
    places: &Places<'_>,
) -> Result<Factor, Problem> {
    let graph = &expr.formula.graph;
    if graph.constant(node).is_some() {
        return Ok(Factor::One);
    }
    if let Node::Variable(symbol) = graph.node(node)
        && let Some(vector) = super::kernel::Binding::vector(places, symbol, expr.reading(symbol))
    {
        return Ok(Factor::Vector(vector));
    }
    planner
        .kernel_in(expr, node, View::Neurons, places)
        .map(Factor::Kernel)
}

fn general(
    planner: &Planner<'_>,
    rule: &PlacedRule,
    id: ProjectionId,
    mut expr: Expr,
    root: NodeId,
    filters: Vec<FilterStep>,
) -> Result<Learning, Problem> {
    let kinds = filter_kinds(&expr);
    let mut places = planner.places(&kinds, &rule.filters, &[], Some(id));
    let presynaptic =
        |symbol: &Symbol| super::kernel::Binding::vector(&places, *symbol, expr.reading(*symbol));
    let row = rule
        .row
        .iter()
        .filter_map(|(symbol, scalar)| Some((*scalar, presynaptic(symbol)?)))
        .collect();
    places.row = &rule.row;
    let states = states(planner, rule, &mut expr, View::Row, &places)?;
    let change = planner.kernel_in(&mut expr, root, View::Row, &places)?;
    Ok(Learning::General(GeneralRule {
        projection: id,
        index: rule.index,
        filters,
        row,
        states,
        change: Some(change),
        within: within(planner, rule, id),
    }))
}

/// The filters at the synapses of a rule.
fn states(
    planner: &Planner<'_>,
    rule: &PlacedRule,
    expr: &mut Expr,
    view: View,
    places: &Places<'_>,
) -> Result<Vec<SynapseFilter>, Problem> {
    let mut states = Vec::new();
    for (filter, place) in expr.formula.filters.clone().into_iter().zip(&rule.filters) {
        if let FilterPlace::Synapse(state) = place {
            let input = planner.gates.fix(expr, filter.input);
            let input = planner.kernel_in(expr, input, view, places)?;
            states.push(SynapseFilter {
                input,
                kind: filter.kind,
                state: *state,
            });
        }
    }
    Ok(states)
}

fn elementwise(
    planner: &Planner<'_>,
    rule: &PlacedRule,
    mut expr: Expr,
    root: NodeId,
    filters: Vec<FilterStep>,
    bias: Option<CompartmentId>,
) -> Result<Learning, Problem> {
    let kinds = filter_kinds(&expr);
    let (projection, _) = sides(rule.rule.plastic);
    let mut places = planner.places(&kinds, &rule.filters, &[], projection);
    places.bias = bias;
    let states = states(planner, rule, &mut expr, View::Neurons, &places)?;
    let gate = shared_factor(&mut expr, root)
        .filter(|node| !expr.differs(&planner.program.circuit, *node));
    let gate = gate
        .map(|node| planner.kernel_in(&mut expr, node, View::Neurons, &places))
        .transpose()?;
    let change = Some(planner.kernel_in(&mut expr, root, View::Neurons, &places)?);
    let (target, bounds) = match rule.rule.plastic {
        Plastic::Projection(id) => (ElementwiseTarget::Projection(id), within(planner, rule, id)),
        Plastic::Bias(id) => (
            ElementwiseTarget::Bias(planner.program.layout.biases[&id]),
            None,
        ),
    };
    Ok(Learning::Elementwise(ElementwiseRule {
        target,
        index: rule.index,
        filters,
        gate,
        states,
        change,
        size: rule.ends.1,
        within: bounds,
    }))
}

/// The scalar factors of a product, if there are some that change with time.
fn shared_factor(expr: &mut Expr, root: NodeId) -> Option<NodeId> {
    let graph = &mut expr.formula.graph;
    let mut scalar = graph.number(1.0);
    // A factor counts once however often it is shared: it is 0 or not.
    let mut seen = HashSet::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        match graph.node(id) {
            _ if graph.shape(id) == Shape::Scalar => scalar = graph.binary(Binary::Mul, scalar, id),
            Node::Binary(Binary::Mul, a, b) => stack.extend([a, b]),
            _ => {}
        }
    }
    graph.constant(scalar).is_none().then_some(scalar)
}
