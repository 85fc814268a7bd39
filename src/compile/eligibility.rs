//! Rules with eligibility filters: sums of outer products, and of products with a filter at the synapse which itself
//! follows a sum of outer products. The filter is folded into the pass over the weights.

use super::gates::Gates;
use super::kernel::Kernel;
use super::layout::FilterPlace;
use super::learning::{Learning, ScaledTerm};
use super::method::{check_decay, scaled_term, within};
use super::plan::FilterStep;
use super::planner::{Planner, filter_kinds};
use super::program::{PlacedRule, Program};
use super::reading::{Expr, Reading};
use crate::circuit::ProjectionId;
use crate::circuit::connect::Connectivity;
use crate::lang::separate::{Term, separate, separate_with_filters};
use crate::lang::{Filter, FilterKind, NodeId, Symbol};
use crate::source::Problem;

/// A rule whose filters at the synapses follow outer products.
#[derive(Debug, Clone)]
pub struct EligibilityRule {
    /// The projection.
    pub projection: ProjectionId,
    /// Its number among all rules.
    pub index: usize,
    /// Smoothing filters of either side.
    pub filters: Vec<FilterStep>,
    /// The product that has the weight itself as a factor; it is applied first.
    pub decay: Option<ScaledTerm>,
    /// The products without a filter.
    pub terms: Vec<ScaledTerm>,
    /// The filters at the synapses.
    pub states: Vec<EligibilityFilter>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// A filter at the synapses.
#[derive(Debug, Clone)]
pub struct EligibilityFilter {
    /// Its number among the projection's states.
    pub state: u32,
    /// What it does.
    pub kind: FilterKind,
    /// What it follows, a sum of products; nothing while a gate closes them.
    pub input: Vec<ScaledTerm>,
    /// What remains of the state of a carried one, a sum of products.
    pub kept: Vec<ScaledTerm>,
    /// Products of which its state is a factor.
    pub uses: Vec<ScaledTerm>,
}

/// A rule, split.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The expression that the nodes belong to.
    expr: Expr,
    /// The products of the change itself.
    pub terms: Vec<Term>,
    /// The filters at the synapses.
    pub filters: Vec<Follows>,
}

/// A filter at the synapses, split.
#[derive(Debug, Clone)]
pub struct Follows {
    /// Its number among the rule's filters.
    index: usize,
    /// Its state's number.
    state: u32,
    /// The products it follows.
    input: Vec<Term>,
    /// The products of which its own state is a factor.
    kept: Vec<Term>,
}

/// Splits a rule with filters at its synapses; `root` is its change with the gates put in.
///
/// # Errors
/// Why it cannot be split, in words.
pub(super) fn split(
    planner: &Planner<'_>,
    rule: &PlacedRule,
    id: ProjectionId,
    expr: &Expr,
    root: NodeId,
) -> Result<Parts, String> {
    split_for(planner.program, &planner.gates, rule, id, expr, root)
}

impl Program {
    /// How `check` reports a rule with filters at its synapses: the number of products without a filter, and of
    /// filters.
    ///
    /// # Errors
    /// Why it runs synapse by synapse.
    pub fn eligibility(
        &self,
        rule: &PlacedRule,
        id: ProjectionId,
    ) -> Result<(usize, usize), String> {
        let expr = &rule.rule.expr;
        let root = expr.formula.root;
        let parts = split_for(self, &Gates::default(), rule, id, expr, root)?;
        let outer = parts.terms.iter().filter(|t| t.filter.is_none()).count();
        Ok((outer, parts.filters.len()))
    }
}

fn split_for(
    program: &Program,
    gates: &Gates,
    rule: &PlacedRule,
    id: ProjectionId,
    expr: &Expr,
    root: NodeId,
) -> Result<Parts, String> {
    let projection = &program.circuit.projections[id.0 as usize];
    if !matches!(projection.connectivity, Connectivity::Dense { .. }) {
        return Err("it keeps a state at every synapse, and the connections are sparse".to_owned());
    }
    let circuit = &program.circuit;
    let mut expr = expr.clone();
    let weight = expr.symbol(Reading::Weight).unwrap_or(Symbol::Argument);
    let terms = separate_with_filters(&mut expr.formula.graph, root, weight)?;
    check_decay(&expr, &terms, program.layout.replicas)?;
    if terms
        .iter()
        .any(|t| t.weight && expr.differs(circuit, t.scalar))
    {
        return Err(
            "its own weight is multiplied by a modulator that differs between replicas".to_owned(),
        );
    }
    let mut filters = Vec::new();
    for (index, place) in rule.filters.iter().enumerate() {
        let FilterPlace::Synapse(state) = place else {
            continue;
        };
        let filter = expr.formula.filters[index].clone();
        if let FilterKind::Previous(_) = filter.kind {
            return Err("it keeps earlier values at every synapse".to_owned());
        }
        let (input, kept) = follows(gates, &mut expr, weight, (index, &filter))?;
        filters.push(Follows {
            index,
            state: *state,
            input,
            kept,
        });
    }
    Ok(Parts {
        expr,
        terms,
        filters,
    })
}

/// The products that a filter follows, and those of which its own state is a factor.
fn follows(
    gates: &Gates,
    expr: &mut Expr,
    weight: Symbol,
    (index, filter): (usize, &Filter),
) -> Result<(Vec<Term>, Vec<Term>), String> {
    let input = gates.fix(expr, filter.input);
    let graph = &mut expr.formula.graph;
    let terms = match filter.kind {
        FilterKind::Carried => separate_with_filters(graph, input, weight),
        _ => separate(graph, input, weight),
    };
    let terms = terms.map_err(|why| format!("it filters at every synapse: {why}"))?;
    if terms.iter().any(|term| term.weight) {
        return Err("it filters its own weight".to_owned());
    }
    let own = |term: &Term| term.filter == Some(index as u32);
    if terms.iter().any(|t| t.filter.is_some() && !own(t)) {
        return Err("it filters another filter at every synapse".to_owned());
    }
    let (kept, input) = terms.into_iter().partition::<Vec<_>, _>(own);
    if kept.len() > 1 {
        return Err("what is kept at every synapse is a sum of several products".to_owned());
    }
    Ok((input, kept))
}

/// The plan of a rule that has been split.
pub(super) fn plan(
    planner: &Planner<'_>,
    rule: &PlacedRule,
    id: ProjectionId,
    parts: Parts,
    filters: Vec<FilterStep>,
) -> Result<Learning, Problem> {
    let Parts {
        mut expr,
        terms,
        filters: states,
    } = parts;
    let kinds = filter_kinds(&expr);
    let places = planner.places(&kinds, &rule.filters, &[], Some(id));
    let share = 1.0 / planner.program.layout.replicas as f64;
    let mut compile = |terms: &mut dyn Iterator<Item = &Term>, share: f64| {
        terms
            .map(|term| scaled_term(planner, &mut expr, term, &places, share))
            .collect::<Result<Vec<_>, _>>()
    };
    let is_plain = |t: &&Term| !t.weight && t.filter.is_none();
    let decay = compile(&mut terms.iter().filter(|t| t.weight), 1.0)?.pop();
    let outer = compile(&mut terms.iter().filter(is_plain), share)?;
    let mut compiled = Vec::new();
    for filter in &states {
        let uses = |t: &&Term| t.filter == Some(filter.index as u32);
        compiled.push(EligibilityFilter {
            state: filter.state,
            kind: kinds[filter.index],
            input: compile(&mut filter.input.iter(), 1.0)?,
            kept: compile(&mut filter.kept.iter(), 1.0)?,
            uses: compile(&mut terms.iter().filter(uses), share)?,
        });
    }
    Ok(Learning::Eligibility(EligibilityRule {
        projection: id,
        index: rule.index,
        filters,
        decay,
        terms: outer,
        states: compiled,
        within: within(planner, rule, id),
    }))
}

impl EligibilityRule {
    pub(super) fn kernels(&self) -> Vec<&Kernel> {
        let states = self
            .states
            .iter()
            .flat_map(|s| s.input.iter().chain(&s.kept).chain(&s.uses));
        let terms = self.decay.iter().chain(&self.terms).chain(states);
        terms.flat_map(ScaledTerm::kernels).collect()
    }
}
