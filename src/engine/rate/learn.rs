//! Rules at work: outer products, single rows, single weights.

use super::kernels::Memory;
use super::step::{Scratch, Step};
use crate::circuit::connect::{Connectivity, Sparse};
use crate::compile::kernel::{Kernel, VectorRef};
use crate::compile::layout::FilterPlace;
use crate::compile::learning::{
    ElementwiseRule, ElementwiseTarget, Factor, GeneralRule, OuterRule, OuterTerm, SynapseFilter,
};
use crate::compile::program::PlacedRule;
use crate::compile::{Program, Weights};
use crate::engine::{dense, elementwise};
use crate::lang::FilterKind;
use crate::lang::code::MOST_VECTORS;
use crate::lang::vm::{Machine, padded};
use crate::vector::Vector;

/// The initial states of a rule's per-synapse filters: for each, replica after replica and slot after slot,
/// laid out as the weights.
pub(super) fn synapse_states(
    program: &Program,
    rule: &PlacedRule,
    weights: &[Weights],
) -> Vec<Vector> {
    use crate::compile::expressions::Plastic;
    let length = match rule.rule.plastic {
        Plastic::Projection(id) => weights[id.0 as usize].values().len(),
        Plastic::Bias(_) => padded(rule.ends.1),
    };
    let filters = rule.rule.expr.formula.filters.iter().zip(&rule.filters);
    let states = filters.filter(|(_, place)| matches!(place, FilterPlace::Synapse(_)));
    states
        .map(|(filter, _)| Vector::zeros(length * program.layout.replicas * slots(filter.kind)))
        .collect()
}

/// Earlier values that a filter keeps.
fn slots(kind: FilterKind) -> usize {
    match kind {
        FilterKind::Previous(n) => n as usize,
        _ => 1,
    }
}

/// Adds a rule's outer products to a projection's weights.
pub(super) fn outer(step: &mut Step<'_>, rule: &OuterRule) {
    let mut weights =
        std::mem::replace(&mut step.state.weights[rule.projection.0 as usize], empty());
    if let Some(decay) = &rule.decay {
        outer_term(step, rule.projection, decay, &mut weights, true);
    }
    for term in &rule.terms {
        outer_term(step, rule.projection, term, &mut weights, false);
    }
    clip(weights.values_mut(), rule.within);
    step.state.weights[rule.projection.0 as usize] = weights;
}

/// Multiplies a projection's weights by 1 + scalar·post·pre.
pub(super) fn multiply(
    step: &mut Step<'_>,
    id: crate::circuit::ProjectionId,
    term: &OuterTerm,
    weights: &mut Weights,
) {
    outer_term(step, id, term, weights, true);
}

/// Stands in for weights while they are changed.
pub(super) fn empty() -> Weights {
    Weights::OneToOne {
        values: Vector::default(),
    }
}

fn outer_term(
    step: &mut Step<'_>,
    id: crate::circuit::ProjectionId,
    term: &OuterTerm,
    weights: &mut Weights,
    decay: bool,
) {
    let projection = &step.program.circuit.projections[id.0 as usize];
    let replicas = step.program.layout.replicas;
    let size =
        |end: crate::circuit::CompartmentId| step.program.circuit.population(end.population).size;
    let (pre_size, post_row) = (size(projection.from), padded(size(projection.to)));
    let pre_row = padded(pre_size);
    let (memory, scratch) = step.parts();
    let Scratch {
        machine,
        first: post,
        second,
        ..
    } = scratch;
    if let Some(gate) = &term.gate
        && memory.run_scalar(machine, gate).abs() <= 0.0
    {
        return;
    }
    post.resize(post_row * replicas, 0.0);
    memory.run(machine, &term.post, post);
    let pre: &[f64] = match &term.pre {
        Factor::Vector(place) => memory.vector(*place),
        Factor::One => {
            second.clear();
            second.resize(pre_row * replicas, 1.0);
            second
        }
        Factor::Kernel(kernel) => {
            second.resize(pre_row * replicas, 0.0);
            memory.run(machine, kernel, second);
            second
        }
    };
    // A decay that is the same in all replicas is applied once.
    let rounds = if decay { 1 } else { replicas };
    for (post, pre) in post
        .chunks_exact(post_row)
        .zip(pre.chunks_exact(pre_row))
        .take(rounds)
    {
        apply(
            machine,
            weights,
            &projection.connectivity,
            (&pre[..pre_size], post),
            decay,
        );
    }
}

/// Adds pre·post to each weight, or multiplies each by 1 + pre·post.
fn apply(
    machine: &Machine,
    weights: &mut Weights,
    connectivity: &Connectivity,
    (pre, post): (&[f64], &[f64]),
    decay: bool,
) {
    match (weights, connectivity) {
        (Weights::Dense { values, .. }, _) if !decay => {
            dense::add_outer(machine.arch(), values, pre, post)
        }
        (Weights::Dense { row, values }, _) => {
            for (weights, x) in values.chunks_exact_mut(*row).zip(pre) {
                for (w, p) in weights.iter_mut().zip(post) {
                    *w = (p * x).mul_add(*w, *w);
                }
            }
        }
        (Weights::Sparse { values }, Connectivity::Sparse(sparse)) => {
            for (row, x) in sparse.offsets.windows(2).zip(pre) {
                for (w, target) in values[row[0]..row[1]]
                    .iter_mut()
                    .zip(&sparse.targets[row[0]..row[1]])
                {
                    let p = post[*target as usize];
                    *w = if decay {
                        (p * x).mul_add(*w, *w)
                    } else {
                        p.mul_add(*x, *w)
                    };
                }
            }
        }
        _ => {}
    }
}

pub(super) fn clip(values: &mut [f64], within: Option<[f64; 2]>) {
    if let Some([low, high]) = within {
        values.iter_mut().for_each(|w| *w = w.clamp(low, high));
    }
}

/// A row's own vectors, beside the simulation's memory.
struct Row<'a> {
    /// Its weights.
    weights: &'a [f64],
    /// States of its synapses, as kernels read them.
    states: &'a [Vector],
    /// Postsynaptic vectors are cut to this replica, or gathered for these targets.
    post: Post<'a>,
    /// Values of the row's presynaptic neuron: overrides in the table of scalars.
    scalars: &'a [(u32, f64)],
}

/// How a row sees its postsynaptic neurons.
#[derive(Clone, Copy)]
enum Post<'a> {
    /// All of them, in this replica.
    Replica(usize, usize),
    /// Gathered: one vector per vector input of the kernel that is running.
    Gathered(&'a [Vector]),
}

/// Runs a kernel over a row.
fn run_row(
    memory: Memory<'_>,
    machine: &mut Machine,
    kernel: &Kernel,
    row: &Row<'_>,
    out: &mut [f64],
) {
    let mut vectors: [&[f64]; MOST_VECTORS] = [&[]; MOST_VECTORS];
    for (index, (slot, place)) in vectors.iter_mut().zip(&kernel.vectors).enumerate() {
        *slot = match (place, row.post) {
            (VectorRef::Weights, _) => row.weights,
            (VectorRef::SynapseState(state), _) => &row.states[*state as usize],
            (place, Post::Replica(start, end)) => memory
                .vector(*place)
                .get(start..end)
                .unwrap_or(memory.vector(*place)),
            (_, Post::Gathered(gathered)) => &gathered[index],
        };
    }
    let scalar = |i: usize| {
        let id = kernel.scalars[i].0;
        row.scalars
            .iter()
            .find(|(own, _)| *own == id)
            .map_or(memory.scalars[id as usize], |(_, v)| *v)
    };
    machine.run(&kernel.code, scalar, &vectors[..kernel.vectors.len()], out);
}

/// The next state of a synapse's filter, and what is kept of it.
fn advance_state(
    arch: pulp::Arch,
    filter: &SynapseFilter,
    first: bool,
    state: &mut [f64],
    input: &[f64],
) {
    match filter.kind {
        FilterKind::Previous(_) => state.copy_from_slice(&input[..state.len()]),
        FilterKind::Average(_) if first => state.copy_from_slice(&input[..state.len()]),
        FilterKind::Average(decay) | FilterKind::Lowpass(decay) => {
            elementwise::smooth(arch, state, input, decay);
        }
        FilterKind::Trace(decay) => elementwise::decay_add(arch, state, input, decay),
    }
}

/// Runs a rule synapse by synapse: one row of a presynaptic neuron after the other.
pub(super) fn general(step: &mut Step<'_>, rule: &GeneralRule) {
    let index = rule.projection.0 as usize;
    let (mut weights, mut states, started) = take(step, rule.projection, rule.index);
    let projection = &step.program.circuit.projections[index];
    let replicas = step.program.layout.replicas;
    let (now, fresh) = (step.state.step, !started);
    let size =
        |id: crate::circuit::CompartmentId| step.program.circuit.population(id.population).size;
    let (pre_size, post_size) = (size(projection.from), size(projection.to));
    let total = weights.values().len();
    let (memory, scratch) = step.parts();
    for j in 0..pre_size {
        let (start, end, targets) = match (&weights, &projection.connectivity) {
            (Weights::Sparse { .. }, Connectivity::Sparse(sparse)) => row_of(sparse, j),
            (Weights::Dense { row, .. }, _) => (j * row, (j + 1) * row, None),
            _ => continue,
        };
        let length = padded(end - start);
        let mut change = vec_of(&mut scratch.second, length);
        let mut old = vec_of(&mut scratch.third, length);
        old[..end - start].copy_from_slice(&weights.values()[start..end]);
        for replica in 0..replicas {
            let scalars: Vec<(u32, f64)> = rule
                .row
                .iter()
                .map(|(id, place)| (id.0, memory.vector(*place)[replica * padded(pre_size) + j]))
                .collect();
            let place = Place {
                start,
                end,
                replica,
                total,
                now,
                fresh,
                post_row: padded(post_size),
                targets,
            };
            let row_rule = RowRule {
                states: &rule.states,
                change: rule.change.as_ref(),
            };
            run_replica(
                memory,
                scratch,
                row_rule,
                &place,
                &scalars,
                &old,
                &mut states,
                &mut change,
            );
        }
        let share = 1.0 / replicas as f64;
        elementwise::add_scaled(
            scratch.machine.arch(),
            &mut weights.values_mut()[start..end],
            &change[..end - start],
            share,
        );
        clip(&mut weights.values_mut()[start..end], rule.within);
        scratch.second = change;
        scratch.third = old;
    }
    put_back(step, rule.projection, rule.index, weights, states);
}

/// What runs over a row.
#[derive(Clone, Copy)]
struct RowRule<'a> {
    states: &'a [SynapseFilter],
    change: Option<&'a Kernel>,
}

/// Where a row is.
struct Place<'a> {
    start: usize,
    end: usize,
    replica: usize,
    total: usize,
    now: u64,
    fresh: bool,
    post_row: usize,
    targets: Option<&'a [u32]>,
}

/// One replica's change of one row: filters first, then the rule, then what filters remember.
#[allow(
    clippy::too_many_arguments,
    reason = "the row's parts are borrowed separately"
)]
fn run_replica(
    memory: Memory<'_>,
    scratch: &mut Scratch,
    rule: RowRule<'_>,
    place: &Place<'_>,
    scalars: &[(u32, f64)],
    old: &[f64],
    states: &mut [Vector],
    change: &mut [f64],
) {
    let length = change.len();
    let mut own: Vec<Vector> = rule
        .states
        .iter()
        .map(|filter| place.read(filter, states, length))
        .collect();
    let mut out = vec_of(&mut scratch.first, length);
    let mut gathered = std::mem::take(&mut scratch.gathered);
    let mut run = |kernel: &Kernel, own: &[Vector], out: &mut [f64], machine: &mut Machine| {
        let post = match place.targets {
            None => Post::Replica(
                place.replica * place.post_row,
                (place.replica + 1) * place.post_row,
            ),
            Some(targets) => {
                gather(memory, kernel, place, targets, &mut gathered, length);
                Post::Gathered(&gathered)
            }
        };
        run_row(
            memory,
            machine,
            kernel,
            &Row {
                weights: old,
                states: own,
                post,
                scalars,
            },
            out,
        );
    };
    for (k, filter) in rule.states.iter().enumerate() {
        if !matches!(filter.kind, FilterKind::Previous(_)) {
            run(&filter.input, &own, &mut out, &mut scratch.machine);
            advance_state(
                scratch.machine.arch(),
                filter,
                place.fresh,
                &mut own[k],
                &out,
            );
        }
    }
    if let Some(kernel) = rule.change {
        run(kernel, &own, &mut out, &mut scratch.machine);
        elementwise::add(scratch.machine.arch(), change, &out);
    }
    let mut next = own.clone();
    for (k, filter) in rule.states.iter().enumerate() {
        if matches!(filter.kind, FilterKind::Previous(_)) {
            run(&filter.input, &own, &mut out, &mut scratch.machine);
            advance_state(
                scratch.machine.arch(),
                filter,
                place.fresh,
                &mut next[k],
                &out,
            );
        }
    }
    for (filter, next) in rule.states.iter().zip(&next) {
        place.write(filter, states, next);
    }
    scratch.gathered = gathered;
    scratch.first = out;
}

impl Place<'_> {
    /// Start of this row's state in the slot that is read and written now.
    fn at(&self, filter: &SynapseFilter) -> usize {
        let slots = slots(filter.kind);
        let slot = (self.now % slots as u64) as usize;
        (self.replica * slots + slot) * self.total + self.start
    }

    fn read(&self, filter: &SynapseFilter, states: &[Vector], length: usize) -> Vector {
        let at = self.at(filter);
        let mut own = Vector::from(&states[filter.state as usize][at..at + self.end - self.start]);
        own.resize(length, 0.0);
        own
    }

    fn write(&self, filter: &SynapseFilter, states: &mut [Vector], own: &[f64]) {
        let (at, n) = (self.at(filter), self.end - self.start);
        states[filter.state as usize][at..at + n].copy_from_slice(&own[..n]);
    }
}

/// Collects the postsynaptic values of a sparse row's targets.
fn gather(
    memory: Memory<'_>,
    kernel: &Kernel,
    place: &Place<'_>,
    targets: &[u32],
    gathered: &mut Vec<Vector>,
    length: usize,
) {
    gathered.resize_with(kernel.vectors.len().max(gathered.len()), Vector::default);
    for (out, source) in gathered.iter_mut().zip(&kernel.vectors) {
        let values = memory.vector(*source);
        out.clear();
        if !values.is_empty() {
            out.extend(
                targets
                    .iter()
                    .map(|t| values[place.replica * place.post_row + *t as usize]),
            );
        }
        out.resize(length, 0.0);
    }
}

fn row_of(sparse: &Sparse, j: usize) -> (usize, usize, Option<&[u32]>) {
    let (start, end) = (sparse.offsets[j], sparse.offsets[j + 1]);
    (start, end, Some(&sparse.targets[start..end]))
}

/// A zeroed vector from scratch memory.
fn vec_of(scratch: &mut Vector, length: usize) -> Vector {
    let mut taken = std::mem::take(scratch);
    taken.clear();
    taken.resize(length, 0.0);
    taken
}

/// Takes a projection's weights and a rule's states out of the simulation while they are changed; and whether the
/// states have been used.
pub(super) fn take(
    step: &mut Step<'_>,
    id: crate::circuit::ProjectionId,
    rule: usize,
) -> (Weights, Vec<Vector>, bool) {
    let weights = std::mem::replace(&mut step.state.weights[id.0 as usize], empty());
    let states = std::mem::take(&mut step.state.synapses[rule]);
    (weights, states, step.state.learned[rule])
}

pub(super) fn put_back(
    step: &mut Step<'_>,
    id: crate::circuit::ProjectionId,
    rule: usize,
    weights: Weights,
    states: Vec<Vector>,
) {
    step.state.weights[id.0 as usize] = weights;
    step.state.synapses[rule] = states;
    step.state.learned[rule] = true;
}

/// Runs a rule for weights of which each neuron has one.
pub(super) fn elementwise(step: &mut Step<'_>, rule: &ElementwiseRule) {
    let (memory, scratch) = step.parts();
    if rule.states.is_empty()
        && let Some(gate) = &rule.gate
        && memory.run_scalar(&mut scratch.machine, gate).abs() <= 0.0
    {
        return;
    }
    let (index, replicas) = (rule.index, step.program.layout.replicas);
    let mut weights = match rule.target {
        ElementwiseTarget::Projection(id) => {
            std::mem::take(step.state.weights[id.0 as usize].values_mut())
        }
        // A bias is read through the table, so it stays there while the change is computed.
        ElementwiseTarget::Bias(_) => Vector::default(),
    };
    let mut states = std::mem::take(&mut step.state.synapses[index]);
    let fresh = !step.state.learned[index];
    let now = step.state.step;
    let (memory, scratch) = step.parts();
    let row = padded(rule.size);
    let mut change = vec_of(&mut scratch.second, row);
    if rule.states.is_empty() {
        let mut out = vec_of(&mut scratch.third, row);
        for replica in 0..replicas {
            let post = Post::Replica(replica * row, (replica + 1) * row);
            if let Some(kernel) = &rule.change {
                run_row(
                    memory,
                    &mut scratch.machine,
                    kernel,
                    &Row {
                        weights: &weights,
                        states: &[],
                        post,
                        scalars: &[],
                    },
                    &mut out,
                );
                elementwise::add(scratch.machine.arch(), &mut change, &out);
            }
        }
        scratch.third = out;
    } else {
        let row_rule = RowRule {
            states: &rule.states,
            change: rule.change.as_ref(),
        };
        for replica in 0..replicas {
            let place = Place {
                start: 0,
                end: row,
                replica,
                total: row,
                now,
                fresh,
                post_row: row,
                targets: None,
            };
            run_replica(
                memory,
                scratch,
                row_rule,
                &place,
                &[],
                &weights,
                &mut states,
                &mut change,
            );
        }
    }
    let (arch, share) = (scratch.machine.arch(), 1.0 / replicas as f64);
    let changed = match rule.target {
        ElementwiseTarget::Projection(_) => &mut weights,
        ElementwiseTarget::Bias(id) => &mut step.state.vectors[id.0 as usize],
    };
    let change_of_neurons = &change[..rule.size];
    elementwise::add_scaled(arch, &mut changed[..rule.size], change_of_neurons, share);
    clip(changed, rule.within);
    step.scratch.second = change;
    if let ElementwiseTarget::Projection(id) = rule.target {
        *step.state.weights[id.0 as usize].values_mut() = weights;
    }
    step.state.synapses[index] = states;
    step.state.learned[index] = true;
}
