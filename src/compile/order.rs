//! The order in which a step's values are computed, and the loops that have none.

use std::collections::{HashMap, HashSet};

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use super::expressions::Expressions;
use super::gates::Gates;
use super::reading::Reading;
use crate::circuit::{Circuit, CompartmentId};
use crate::source::Problem;

/// Something that is computed once a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// The drive of a compartment.
    Drive(CompartmentId),
    /// The value of a compartment that has no differential equation.
    Value(CompartmentId),
}

/// The zero-delay graph of a circuit for given gates, sorted.
#[derive(Debug, Clone)]
pub struct Order {
    /// Slots, each after everything it reads.
    pub slots: Vec<Slot>,
    reads: HashMap<Slot, Vec<Slot>>,
}

impl Order {
    /// Sorts the values of a step.
    ///
    /// # Errors
    /// The loop, if values need each other within one step.
    pub fn new(
        circuit: &Circuit,
        expressions: &Expressions,
        gates: &Gates,
    ) -> Result<Order, Problem> {
        let reads = reads(circuit, expressions, gates);
        let mut graph: DiGraph<Slot, ()> = DiGraph::new();
        let mut slots: Vec<Slot> = reads.keys().copied().collect();
        slots.sort_unstable();
        let nodes: HashMap<Slot, NodeIndex> = slots
            .iter()
            .map(|slot| (*slot, graph.add_node(*slot)))
            .collect();
        for slot in &slots {
            for read in &reads[slot] {
                if let Some(from) = nodes.get(read) {
                    graph.add_edge(*from, nodes[slot], ());
                }
            }
        }
        match toposort(&graph, None) {
            Ok(order) => Ok(Order {
                slots: order.into_iter().map(|n| graph[n]).collect(),
                reads,
            }),
            Err(_) => Err(describe(circuit, gates, &reads, &graph)),
        }
    }

    /// The slots that `wanted` need, in order.
    pub fn needed(&self, wanted: impl IntoIterator<Item = Slot>) -> Vec<Slot> {
        let mut found: HashSet<Slot> = HashSet::new();
        let mut stack: Vec<Slot> = wanted.into_iter().collect();
        while let Some(slot) = stack.pop() {
            if self.reads.contains_key(&slot) && found.insert(slot) {
                stack.extend(&self.reads[&slot]);
            }
        }
        self.slots
            .iter()
            .copied()
            .filter(|slot| found.contains(slot))
            .collect()
    }
}

/// The slots that a reading needs in the same step.
pub fn slot_of(expressions: &Expressions, reading: Reading) -> Option<Slot> {
    match reading {
        Reading::Drive(id) => Some(Slot::Drive(id)),
        Reading::Value(id) if !is_state(expressions, id) => Some(Slot::Value(id)),
        _ => None,
    }
}

/// Whether a compartment enters each step with its value (it has a differential equation).
pub fn is_state(expressions: &Expressions, id: CompartmentId) -> bool {
    expressions
        .equations
        .iter()
        .any(|e| e.compartment == id && e.differential.is_some())
}

/// What each slot reads in the same step.
fn reads(circuit: &Circuit, expressions: &Expressions, gates: &Gates) -> HashMap<Slot, Vec<Slot>> {
    let mut reads: HashMap<Slot, Vec<Slot>> = HashMap::new();
    for id in circuit.compartments() {
        let sources = circuit
            .projections
            .iter()
            .filter(|p| p.to == id && p.delay == 0);
        let values = sources.filter_map(|p| slot_of(expressions, Reading::Value(p.from)));
        reads.insert(Slot::Drive(id), values.collect());
    }
    for equation in expressions
        .equations
        .iter()
        .filter(|e| e.differential.is_none())
    {
        let slots = gates
            .readings(&equation.expr)
            .into_iter()
            .filter_map(|r| slot_of(expressions, r));
        reads.insert(Slot::Value(equation.compartment), slots.collect());
    }
    reads
}

/// The message that prints a loop.
fn describe(
    circuit: &Circuit,
    gates: &Gates,
    reads: &HashMap<Slot, Vec<Slot>>,
    graph: &DiGraph<Slot, ()>,
) -> Problem {
    let cycle = shortest_loop(reads, graph);
    let name = |slot: &Slot| match slot {
        Slot::Drive(id) => format!("{}.drive", circuit.compartment_name(*id)),
        Slot::Value(id) => circuit.compartment_name(*id),
    };
    let mut path: Vec<String> = cycle.iter().map(name).collect();
    path.extend(path.first().cloned());
    let when = gates.describe(circuit);
    let message = format!(
        "these values need each other within one step{when}: {}",
        path.join(" → ")
    );
    let ends: HashSet<CompartmentId> = cycle
        .iter()
        .map(|s| match s {
            Slot::Drive(id) | Slot::Value(id) => *id,
        })
        .collect();
    let mut problem = Problem {
        message,
        labels: vec![],
        help: None,
    };
    for projection in &circuit.projections {
        if projection.delay == 0
            && ends.contains(&projection.from)
            && cycle.contains(&Slot::Drive(projection.to))
        {
            problem.labels.push((
                projection.span,
                format!("`{}` is on the loop", projection.name),
            ));
        }
    }
    if problem.labels.is_empty()
        && let Some(Slot::Value(id) | Slot::Drive(id)) = cycle.first()
    {
        use crate::netlist::model::Dynamics;
        let (Dynamics::Value(text) | Dynamics::Derivative(text)) =
            &circuit.compartment(*id).dynamics;
        problem.labels.push((text.span, "on the loop".to_owned()));
    }
    problem.help(
        "give a projection on it `delay = 1`, read prev(…) in an equation, or close the loop with a gate: \
         a modulator whose schedule has only the values 0 and 1",
    )
}

/// One loop of a graph that has one: a shortest path from a slot of the first strongly connected
/// component back to itself.
fn shortest_loop(reads: &HashMap<Slot, Vec<Slot>>, graph: &DiGraph<Slot, ()>) -> Vec<Slot> {
    let looped = |component: &Vec<NodeIndex>| {
        component.len() > 1 || graph.contains_edge(component[0], component[0])
    };
    let Some(component) = tarjan_scc(graph).into_iter().find(looped) else {
        return vec![];
    };
    let inside: HashSet<Slot> = component.iter().map(|n| graph[*n]).collect();
    let Some(start) = inside.iter().min().copied() else {
        return vec![];
    };
    // Breadth first against the direction of reading, so that the path reads in the direction of flow.
    let mut previous: HashMap<Slot, Slot> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(slot) = queue.pop_front() {
        for read in reads[&slot].iter().filter(|r| inside.contains(r)) {
            if *read == start {
                let mut path = vec![slot];
                while let Some(next) = previous.get(path.last().unwrap_or(&start)) {
                    path.push(*next);
                }
                // The walk gives slot … start in reading order reversed: start reads … reads slot.
                let mut flow: Vec<Slot> = vec![start];
                flow.extend(path.into_iter().filter(|s| *s != start));
                return flow;
            }
            if !previous.contains_key(read) {
                previous.insert(*read, slot);
                queue.push_back(*read);
            }
        }
    }
    vec![start]
}
