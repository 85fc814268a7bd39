//! The program of a circuit: everything that stays the same during a run.

use super::expressions::{Expressions, Plastic, RuleUse};
use super::gates::{self, Gates};
use super::kernel::{ScalarId, VectorId};
use super::layout::{FilterPlace, Layout, Own};
use super::order::Order;
use super::reading::{Expr, Reading};
use super::weights::{Weights, initial};
use crate::circuit::{Circuit, CompartmentId, ModulatorId};
use crate::lang::vm::padded;
use crate::lang::{Shape, Symbol};
use crate::netlist::model::Netlist;
use crate::source::Problem;

/// A compiled circuit.
#[derive(Debug, Clone)]
pub struct Program {
    /// The circuit it was made from.
    pub circuit: Circuit,
    /// Its equations and rules.
    pub expressions: Expressions,
    /// Where everything lives.
    pub layout: Layout,
    /// Modulators that the program is specialised for.
    pub gates: Vec<ModulatorId>,
    /// The order of a step, for each combination of gates.
    pub orders: Vec<Order>,
    /// Values that delayed projections read, and the rings they enter.
    pub delayed: Vec<(VectorId, (VectorId, u32))>,
    /// Places of the filters in compartments' equations.
    pub equation_filters: Vec<(CompartmentId, Vec<FilterPlace>)>,
    /// Computed modulators, each after those it reads.
    pub modulators: Vec<Placed<ModulatorId>>,
    /// Rules at work.
    pub rules: Vec<PlacedRule>,
    /// Rules whose updates are measured.
    pub measured: Vec<PlacedRule>,
    /// Measured and recorded expressions, in the order in which they were given.
    pub probes: Vec<Placed<Probe>>,
}

/// An expression with places for its filters and sums.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// What it is of.
    pub what: T,
    /// The expression.
    pub expr: Expr,
    /// Places of its filters.
    pub filters: Vec<FilterPlace>,
    /// Places of its sums.
    pub sums: Vec<ScalarId>,
    /// Which of its numbers each replica has of its own.
    pub own: Own,
}

/// Where a probe's value goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Probe {
    /// A number.
    Scalar(ScalarId),
    /// A vector of so many values (one replica's are read).
    Vector(VectorId, usize),
}

/// A rule with places for its filters.
#[derive(Debug, Clone)]
pub struct PlacedRule {
    /// The rule.
    pub rule: RuleUse,
    /// Places of its filters.
    pub filters: Vec<FilterPlace>,
    /// Scalars that hold the presynaptic side of a row in the general path.
    pub row: Vec<(Symbol, ScalarId)>,
    /// Sizes of its two populations.
    pub ends: (usize, usize),
    /// Its number among all rules, measured ones after those at work.
    pub index: usize,
}

impl PlacedRule {
    /// Whether it reads the weights that it changes.
    pub fn reads_weight(&self) -> bool {
        self.rule.expr.symbol(super::Reading::Weight).is_some()
    }
}

impl Program {
    /// Compiles a circuit; `probes` are the expressions to be measured or recorded.
    ///
    /// # Errors
    /// All mistakes in its expressions, and loops of values that need each other.
    pub fn new(
        netlist: &Netlist,
        circuit: Circuit,
        probes: Vec<Expr>,
    ) -> Result<Program, Vec<Problem>> {
        let expressions = Expressions::build(netlist, &circuit)?;
        let gates = gates::find(netlist, &circuit);
        let orders = orders(&circuit, &expressions, &gates)?;
        let mut layout = Layout::new(&circuit);
        for id in circuit.compartments() {
            circuit
                .compartment(id)
                .inputs
                .iter()
                .for_each(|input| layout.add_input(*input));
        }
        let mut sorted = sorted_modulators(&circuit, &expressions)?;
        leave_out_unread(&mut sorted, &expressions, &probes);
        let modulators = sorted
            .into_iter()
            .map(|(id, expr)| {
                let its_own = circuit.modulators[id.0 as usize].per_replica;
                let own = if its_own { Own::All } else { Own::Means };
                place(&circuit, &mut layout, (id, own), expr)
            })
            .collect();
        let all = expressions.rules.iter().chain(&expressions.measured);
        let mut rules: Vec<PlacedRule> = all
            .enumerate()
            .map(|(index, rule)| place_rule(&circuit, &mut layout, index, rule))
            .collect();
        let measured = rules.split_off(expressions.rules.len());
        let probes = probes
            .into_iter()
            .map(|expr| place_probe(&circuit, &mut layout, expr))
            .collect();
        let mut filters = |e: &super::expressions::Equation| {
            (
                e.compartment,
                layout.filters(&circuit, &e.expr, ((0, 0), Own::Dependent)),
            )
        };
        let equation_filters = expressions.equations.iter().map(&mut filters).collect();
        if let Some(problem) = layout.room.problem(netlist.circuit.name.span) {
            return Err(vec![problem]);
        }
        let mut delayed: Vec<_> = layout
            .rings
            .iter()
            .map(|(id, ring)| (layout.values[id], *ring))
            .collect();
        delayed.sort_unstable_by_key(|(value, _)| value.0);
        let program = Program {
            circuit,
            expressions,
            layout,
            gates,
            orders,
            delayed,
            equation_filters,
            modulators,
            rules,
            measured,
            probes,
        };
        let problems = program.problems_of_shared_rules();
        if problems.is_empty() {
            Ok(program)
        } else {
            Err(super::expressions::without_repeats(problems))
        }
    }

    /// Rules at work, then measured ones.
    pub fn all_rules(&self) -> impl Iterator<Item = &PlacedRule> {
        self.rules.iter().chain(&self.measured)
    }

    /// Number of filters, whatever their shape.
    pub fn filters(&self) -> usize {
        let equations: usize = self.equation_filters.iter().map(|(_, f)| f.len()).sum();
        let modulators: usize = self.modulators.iter().map(|m| m.filters.len()).sum();
        let rules: usize = self.all_rules().map(|r| r.filters.len()).sum();
        equations + modulators + rules + self.probes.iter().map(|p| p.filters.len()).sum::<usize>()
    }

    /// The initial weights of all projections.
    pub fn initial_weights(&self) -> Vec<Weights> {
        self.circuit
            .projections
            .iter()
            .map(|p| initial(p, self.circuit.seed))
            .collect()
    }
}

/// One problem for all combinations of gates that have the same loop.
fn orders(
    circuit: &Circuit,
    expressions: &Expressions,
    gates: &[ModulatorId],
) -> Result<Vec<Order>, Vec<Problem>> {
    let results: Vec<_> = Gates::combinations(gates)
        .iter()
        .map(|g| Order::new(circuit, expressions, g))
        .collect();
    let mut problems = Vec::new();
    let mut orders = Vec::new();
    for result in results {
        match result {
            Ok(order) => orders.push(order),
            Err(problem) => problems.push(problem),
        }
    }
    problems.dedup_by(|a, b| a.labels == b.labels);
    if problems.is_empty() {
        Ok(orders)
    } else {
        Err(problems)
    }
}

fn place<T>(
    circuit: &Circuit,
    layout: &mut Layout,
    (what, own): (T, Own),
    expr: Expr,
) -> Placed<T> {
    layout.add_sources(circuit, &expr);
    let filters = layout.filters(circuit, &expr, ((0, 0), own));
    let nodes = expr.formula.graph.order(expr.formula.root);
    let count = nodes
        .iter()
        .filter(|id| {
            matches!(
                expr.formula.graph.node(**id),
                crate::lang::graph::Node::Sum(_)
            )
        })
        .count();
    let inside: usize = expr
        .formula
        .filters
        .iter()
        .map(|f| expr.formula.graph.order(f.input).len())
        .sum();
    let sums = match own {
        Own::All => layout.sums_of_replicas(count + inside),
        _ => layout.sums(count + inside),
    };
    Placed {
        what,
        expr,
        filters,
        sums,
        own,
    }
}

fn place_probe(circuit: &Circuit, layout: &mut Layout, expr: Expr) -> Placed<Probe> {
    let what = match expr.formula.shape() {
        Shape::Vector(n) => {
            let length = layout.replicas * padded(n as usize);
            Probe::Vector(layout.zeros(length, 1), n as usize)
        }
        _ => Probe::Scalar(layout.sums(1)[0]),
    };
    place(circuit, layout, (what, Own::Means), expr)
}

fn place_rule(circuit: &Circuit, layout: &mut Layout, index: usize, rule: &RuleUse) -> PlacedRule {
    let ends = match rule.plastic {
        Plastic::Projection(id) => {
            let projection = &circuit.projections[id.0 as usize];
            (
                circuit.population(projection.from.population).size,
                circuit.population(projection.to.population).size,
            )
        }
        Plastic::Bias(id) => (1, circuit.population(id.population).size),
    };
    let filters = layout.filters(circuit, &rule.expr, (ends, Own::Dependent));
    let symbols = (0..rule.expr.readings.len()).map(|i| Symbol::Outer(i as u32));
    let presynaptic = symbols.filter(|s| rule.expr.reading(*s) == Some(Reading::Presynaptic));
    let mut row: Vec<(Symbol, ScalarId)> = presynaptic.map(|s| (s, layout.sums(1)[0])).collect();
    for (index, filter) in rule.expr.formula.filters.iter().enumerate() {
        if filter.shape == Shape::Pre {
            row.push((Symbol::Filter(index as u32), layout.sums(1)[0]));
        }
    }
    PlacedRule {
        rule: rule.clone(),
        filters,
        row,
        ends,
        index,
    }
}

/// Leaves out the computed modulators that nothing reads, not even another one that is read.
fn leave_out_unread(
    sorted: &mut Vec<(ModulatorId, Expr)>,
    expressions: &Expressions,
    probes: &[Expr],
) {
    let equations = expressions.equations.iter().map(|e| &e.expr);
    let rules = expressions.rules.iter().chain(&expressions.measured);
    let rules = rules.map(|r| &r.expr);
    let mut read: Vec<Reading> = equations
        .chain(rules)
        .chain(probes)
        .flat_map(|expr| expr.readings.iter().copied())
        .collect();
    let mut at = sorted.len();
    // Readers follow what they read, also by `prev`, or are on a loop with it: go round until nothing is new.
    let mut kept = vec![false; sorted.len()];
    while at > 0 {
        at -= 1;
        let (id, expr) = &sorted[at];
        let wanted = [Reading::Modulator(*id), Reading::Changed(*id)];
        if !kept[at] && wanted.iter().any(|reading| read.contains(reading)) {
            kept[at] = true;
            read.extend(expr.readings.iter().copied());
            at = sorted.len();
        }
    }
    let mut kept = kept.into_iter();
    sorted.retain(|_| kept.next().unwrap_or(true));
}

/// Modulators in an order in which each follows those it reads.
fn sorted_modulators(
    circuit: &Circuit,
    expressions: &Expressions,
) -> Result<Vec<(ModulatorId, Expr)>, Vec<Problem>> {
    let mut waiting = expressions.modulators.clone();
    let mut sorted: Vec<(ModulatorId, Expr)> = Vec::new();
    while !waiting.is_empty() {
        let awaited: Vec<Option<usize>> = waiting
            .iter()
            .map(|(_, expr)| {
                let read = expr.read_now();
                let reads = |id: &ModulatorId| {
                    let both = [Reading::Modulator(*id), Reading::Changed(*id)];
                    both.iter().any(|reading| read.contains(reading))
                };
                waiting.iter().position(|(id, _)| reads(id))
            })
            .collect();
        let Some(ready) = awaited.iter().position(Option::is_none) else {
            return Err(vec![modulator_loop(circuit, &waiting, &awaited)]);
        };
        sorted.push(waiting.remove(ready));
    }
    Ok(sorted)
}

/// The message about modulators each of which awaits another one: following any of them ends in a loop.
fn modulator_loop(
    circuit: &Circuit,
    waiting: &[(ModulatorId, Expr)],
    awaited: &[Option<usize>],
) -> Problem {
    let next = |at: usize| awaited[at].unwrap_or(at);
    let start = (0..waiting.len()).fold(0, |at, _| next(at));
    let mut readers = vec![start];
    while let Some(at) = readers.last().map(|at| next(*at)).filter(|at| *at != start) {
        readers.push(at);
    }
    let name = |at: &usize| circuit.modulators[waiting[*at].0.0 as usize].name.as_str();
    // In the direction of flow, as loops of compartments are shown.
    let mut path: Vec<&str> = readers.iter().rev().map(name).collect();
    path.push(path[0]);
    let message = format!(
        "these modulators need each other within one step: {}",
        path.join(" → ")
    );
    let label = |at: &usize| {
        (
            waiting[*at].1.span,
            format!("`{}` is on the loop", name(at)),
        )
    };
    let help = format!("read the value of the step before: prev({})", path[0]);
    Problem {
        message,
        labels: readers.iter().map(label).collect(),
        help: Some(help),
    }
}
