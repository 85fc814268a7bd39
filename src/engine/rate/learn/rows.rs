//! Rules that run synapse by synapse: one row, the synapses of a presynaptic neuron, after the other.

use super::super::filters::advance;
use super::super::kernels::Memory;
use super::super::step::{Scratch, Step};
use super::{numbers, put_back, slots, take};
use crate::circuit::CompartmentId;
use crate::circuit::connect::Connectivity;
use crate::compile::Weights;
use crate::compile::kernel::{Kernel, VectorRef};
use crate::compile::learning::{GeneralRule, SynapseFilter};
use crate::engine::elementwise;
use crate::lang::FilterKind;
use crate::lang::code::MOST_VECTORS;
use crate::lang::vm::{Machine, padded};
use crate::vector::Vector;

/// Scratch memory of a row.
#[derive(Debug, Default)]
pub(in crate::engine::rate) struct RowScratch {
    /// The row's change, summed over replicas.
    pub change: Vector,
    /// Its weights before the change, padded.
    weights: Vector,
    /// Values of its presynaptic neuron, by number in the table of scalars.
    scalars: Vec<(u32, f64)>,
    /// What its kernels write.
    out: Vector,
    /// States of its filters, padded.
    states: Vec<Vector>,
    /// Postsynaptic vectors, gathered for its targets.
    gathered: Vec<Vector>,
}

/// Runs a rule synapse by synapse.
pub(in crate::engine::rate) fn general(step: &mut Step<'_>, rule: &GeneralRule) {
    let (mut weights, mut states, started) = take(step, rule.projection, rule.index);
    let projection = &step.program.circuit.projections[rule.projection.0 as usize];
    let replicas = step.replicas;
    let mean = 1.0 / step.program.layout.replicas as f64;
    let size = |id: CompartmentId| step.program.circuit.population(id.population).size;
    let (pre_size, post_size) = (size(projection.from), size(projection.to));
    let now = step.state.step;
    let (memory, scratch) = step.parts();
    let Scratch { machine, rows, .. } = scratch;
    let rule_at_work = RowRule {
        memory,
        states: &rule.states,
        change: rule.change.as_ref(),
        total: weights.len(),
        now,
        fresh: !started,
        post_row: padded(post_size),
    };
    for j in 0..pre_size {
        let (start, end, targets) = match (&weights, &projection.connectivity) {
            (Weights::Sparse { .. }, Connectivity::Sparse(sparse)) => {
                let (start, end) = (sparse.offsets[j], sparse.offsets[j + 1]);
                (start, end, Some(&sparse.targets[start..end]))
            }
            (Weights::Dense { row, .. }, _) => (j * row, (j + 1) * row, None),
            _ => continue,
        };
        let length = padded(end - start);
        zero(&mut rows.change, length);
        let mut old = std::mem::take(&mut rows.weights);
        zero(&mut old, length);
        old[..end - start].copy_from_slice(&numbers(&mut weights)[start..end]);
        let mut scalars = std::mem::take(&mut rows.scalars);
        for replica in 0..replicas {
            let at = replica * padded(pre_size) + j;
            scalars.clear();
            scalars.extend(
                rule.row
                    .iter()
                    .map(|(id, place)| (id.0, memory.vector(*place)[at])),
            );
            let row = Row {
                start,
                end,
                replica,
                targets,
                weights: &old,
                scalars: &scalars,
            };
            rule_at_work.run(machine, &row, &mut states, rows);
        }
        (rows.weights, rows.scalars) = (old, scalars);
        let changed = &mut numbers(&mut weights)[start..end];
        let (change, share) = (&rows.change[..end - start], mean);
        elementwise::add_scaled(machine.arch(), changed, change, share);
        elementwise::clip(changed, rule.within);
    }
    put_back(step, rule.projection, rule.index, weights, states);
}

/// Makes a vector of zeros.
#[inline]
pub(super) fn zero(vector: &mut Vector, length: usize) {
    vector.resize(length, 0.0);
    vector.fill(0.0);
}

/// A rule in one step: what all its rows have in common.
pub(super) struct RowRule<'a> {
    pub memory: Memory<'a>,
    /// Filters at the synapses.
    pub states: &'a [SynapseFilter],
    /// The change of weight.
    pub change: Option<&'a Kernel>,
    /// Length of all rows together.
    pub total: usize,
    /// The step.
    pub now: u64,
    /// Whether the filters hold nothing yet.
    pub fresh: bool,
    /// Padded length of a replica's postsynaptic vectors.
    pub post_row: usize,
}

/// A row in one replica.
pub(super) struct Row<'a> {
    /// Where it begins and ends among the weights.
    pub start: usize,
    pub end: usize,
    pub replica: usize,
    /// Its postsynaptic neurons, if they are not all.
    pub targets: Option<&'a [u32]>,
    /// Its weights, padded.
    pub weights: &'a [f64],
    /// Values of its presynaptic neuron, instead of those in the table of scalars.
    pub scalars: &'a [(u32, f64)],
}

impl RowRule<'_> {
    /// Adds one replica's change of one row to `scratch.change`: filters that smooth first, then the rule, then what
    /// filters remember.
    #[inline]
    pub fn run(
        &self,
        machine: &mut Machine,
        row: &Row<'_>,
        states: &mut [Vector],
        scratch: &mut RowScratch,
    ) {
        let RowScratch {
            change,
            out,
            states: own,
            gathered,
            ..
        } = scratch;
        let length = change.len();
        zero(out, length);
        if own.len() < self.states.len() {
            own.resize_with(self.states.len(), Vector::default);
        }
        for (filter, own) in self.states.iter().zip(&mut *own) {
            let range = self.range(filter, row);
            zero(own, length);
            own[..range.len()].copy_from_slice(&states[filter.state as usize][range]);
        }
        for (k, filter) in self.states.iter().enumerate() {
            if !matches!(filter.kind, FilterKind::Previous(_)) {
                self.run_kernel(machine, &filter.input, row, (own, gathered), out);
                advance(machine.arch(), filter.kind, self.fresh, &mut own[k], out);
            }
        }
        if let Some(kernel) = self.change {
            self.run_kernel(machine, kernel, row, (own, gathered), out);
            elementwise::add(machine.arch(), change, out);
        }
        // What is remembered goes straight to the memory of states, so that later filters still read the old one.
        for (k, filter) in self.states.iter().enumerate() {
            let range = self.range(filter, row);
            let n = range.len();
            let next = &mut states[filter.state as usize][range];
            if matches!(filter.kind, FilterKind::Previous(_)) {
                self.run_kernel(machine, &filter.input, row, (own, gathered), out);
                next.copy_from_slice(&out[..n]);
            } else {
                next.copy_from_slice(&own[k][..n]);
            }
        }
    }

    /// Where a row's state is, in the slot that is read and written now.
    fn range(&self, filter: &SynapseFilter, row: &Row<'_>) -> std::ops::Range<usize> {
        let slots = slots(filter.kind);
        let slot = (self.now % slots as u64) as usize;
        let at = (row.replica * slots + slot) * self.total + row.start;
        at..at + row.end - row.start
    }

    /// Runs a kernel over a row. Vectors of postsynaptic neurons are cut to its replica, or gathered for its targets.
    #[inline]
    fn run_kernel(
        &self,
        machine: &mut Machine,
        kernel: &Kernel,
        row: &Row<'_>,
        (states, gathered): (&[Vector], &mut Vec<Vector>),
        out: &mut [f64],
    ) {
        if let Some(targets) = row.targets {
            self.gather(kernel, row.replica, targets, gathered, out.len());
        }
        let (first, last) = (
            row.replica * self.post_row,
            (row.replica + 1) * self.post_row,
        );
        let mut vectors: [&[f64]; MOST_VECTORS] = [&[]; MOST_VECTORS];
        for (index, (slot, place)) in vectors.iter_mut().zip(&kernel.vectors).enumerate() {
            *slot = match (place, row.targets) {
                (VectorRef::Weights, _) => row.weights,
                (VectorRef::SynapseState(state), _) => &states[*state as usize],
                (place, None) => {
                    let values = self.memory.vector(*place);
                    values.get(first..last).unwrap_or(values)
                }
                (_, Some(_)) => &gathered[index],
            };
        }
        let scalar = |i: usize| {
            let at = kernel.scalar(i, row.replica);
            let own = row.scalars.iter().find(|(own, _)| *own as usize == at);
            own.map_or(self.memory.scalars[at], |(_, value)| *value)
        };
        machine.run(&kernel.code, scalar, &vectors[..kernel.vectors.len()], out);
    }

    /// Collects what a kernel reads of a sparse row's targets.
    fn gather(
        &self,
        kernel: &Kernel,
        replica: usize,
        targets: &[u32],
        gathered: &mut Vec<Vector>,
        length: usize,
    ) {
        if gathered.len() < kernel.vectors.len() {
            gathered.resize_with(kernel.vectors.len(), Vector::default);
        }
        for (out, source) in gathered.iter_mut().zip(&kernel.vectors) {
            zero(out, length);
            let values = self.memory.vector(*source);
            // The row's own weights and states are not in the table.
            if let Some(values) = values.get(replica * self.post_row..) {
                for (out, target) in out.iter_mut().zip(targets) {
                    *out = values.get(*target as usize).copied().unwrap_or(0.0);
                }
            }
        }
    }
}
