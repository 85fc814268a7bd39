//! Trials: stretches of a stage that all begin alike.
//!
//! A reset copies what a step may read of the steps before it: values of differential compartments, delay lines,
//! filters and the table of scalars. All else is computed anew in every step before it is read.

use super::state::State;
use crate::circuit::ModulatorId;
use crate::compile::Program;
use crate::compile::kernel::ScalarId;
use crate::compile::layout::FilterPlace;

/// The trials of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trials {
    /// Steps of each.
    pub steps: u64,
    /// Whether inputs give the same values in every trial as in the first.
    pub replay: bool,
    /// Computed modulators that go on from trial to trial, by number.
    pub keep: Vec<usize>,
}

/// What is set back, by number in the state's tables.
#[derive(Debug, Clone, Default)]
pub(super) struct Reset {
    vectors: Vec<usize>,
    scalars: Vec<usize>,
    started: Vec<usize>,
}

impl Reset {
    /// Everything but the modulators in `keep`.
    pub fn new(program: &Program, keep: &[usize]) -> Reset {
        let mut reset = Reset::default();
        let expressions = &program.expressions.equations;
        for equation in expressions.iter().filter(|e| e.differential.is_some()) {
            let value = program.layout.values[&equation.compartment];
            reset.vectors.push(value.0 as usize);
        }
        let rings = program.delayed.iter().map(|(_, (ring, _))| ring.0 as usize);
        reset.vectors.extend(rings);
        let kept = |id: ModulatorId| keep.contains(&(id.0 as usize));
        let mut kept_scalars: Vec<usize> = keep
            .iter()
            .flat_map(|id| [*id, program.circuit.modulators.len() + id])
            .collect();
        let replicas = program.layout.replicas;
        let block = |first: ScalarId| first.0 as usize..first.0 as usize + replicas;
        for (id, (values, changed)) in &program.layout.per_replica {
            if kept(*id) {
                kept_scalars.extend(block(*values).chain(block(*changed)));
            }
        }
        // In the order in which filters are numbered.
        let mut flag = 0;
        let mut take = |filters: &[FilterPlace], kept: bool| {
            for place in filters {
                match (place, kept) {
                    (FilterPlace::Vector { state, .. }, false) => {
                        reset.vectors.push(state.0 as usize);
                    }
                    (
                        FilterPlace::Scalar { ring, .. } | FilterPlace::Replicas { ring, .. },
                        false,
                    ) => {
                        let ring = ring.map(|(ring, _)| ring.0 as usize);
                        reset.vectors.extend(ring);
                    }
                    (FilterPlace::Scalar { value, .. }, true) => {
                        kept_scalars.push(value.0 as usize)
                    }
                    (FilterPlace::Replicas { value, .. }, true) => {
                        kept_scalars.extend(block(*value));
                    }
                    _ => {}
                }
                if !kept {
                    reset.started.push(flag);
                }
                flag += 1;
            }
        };
        let equations = program.equation_filters.iter();
        equations.for_each(|(_, filters)| take(filters, false));
        let modulators = program.modulators.iter();
        modulators.for_each(|m| take(&m.filters, kept(m.what)));
        program.rules.iter().for_each(|r| take(&r.filters, false));
        program.probes.iter().for_each(|p| take(&p.filters, false));
        let measured = program.measured.iter();
        measured.for_each(|r| take(&r.filters, false));
        let all = 0..program.layout.scalars.len();
        reset.scalars = all.filter(|at| !kept_scalars.contains(at)).collect();
        reset
    }

    /// Sets the state back to what it is before the first step of a run, but for weights and biases.
    pub fn apply(&self, program: &Program, state: &mut State) {
        for at in &self.vectors {
            state.vectors[*at].copy_from_slice(&program.layout.vectors[*at]);
        }
        for at in &self.scalars {
            state.scalars[*at] = program.layout.scalars[*at];
        }
        for at in &self.started {
            state.started[*at] = false;
        }
        for states in state.synapses.iter_mut().flatten() {
            states.fill(0.0);
        }
        state.learned.fill(false);
        state.fresh = true;
    }
}
