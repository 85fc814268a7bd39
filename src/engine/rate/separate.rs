//! Whether shares of the replicas may take their steps apart.

use crate::circuit::Circuit;
use crate::compile::Program;
use crate::compile::kernel::{Kernel, VectorRef};
use crate::compile::layout::FilterPlace;
use crate::compile::plan::{Compute, FilterStep, Plan, ProbeStep};
use crate::netlist::model::ModulatorDrive;

/// The vectors that a plan's measures look at, if nothing but measures and optimisers brings replicas together within a step; none if
/// something else does.
pub(super) fn looked_at(program: &Program, plan: &Plan) -> Option<Vec<usize>> {
    let apart = plan.learn.is_empty()
        && plan.measured.is_empty()
        && plan.optimised.iter().all(|rule| !rule.reads_weight)
        && plan.modulators.iter().all(|m| m.per_replica.is_some())
        && filters(plan).iter().all(|filter| is_apart(filter))
        && kernels(plan)
            .iter()
            .all(|kernel| !reads_means(&program.circuit, kernel));
    if !apart {
        return None;
    }
    let mut all = Vec::new();
    for probe in &plan.probes {
        all.extend(looked_at_by(probe)?);
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// The vectors that a measured expression reads; none if it remembers something or reads earlier values.
fn looked_at_by(probe: &ProbeStep) -> Option<Vec<usize>> {
    if !probe.filters.is_empty() {
        return None;
    }
    let kernels = probe
        .sums
        .iter()
        .map(|sum| &sum.kernel)
        .chain([&probe.kernel]);
    let vectors = kernels.flat_map(|kernel| &kernel.vectors);
    let mut all = Vec::new();
    for place in vectors {
        match place {
            VectorRef::Plain(id) => all.push(id.0 as usize),
            VectorRef::Source(_) => {}
            _ => return None,
        }
    }
    Some(all)
}

fn filters(plan: &Plan) -> Vec<&FilterStep> {
    let of_modulators = plan.modulators.iter().flat_map(|m| &m.filters);
    let learning = plan
        .optimised
        .iter()
        .filter_map(|rule| rule.learning.as_ref());
    let own = plan.smooth.iter().chain(&plan.remember);
    own.chain(of_modulators)
        .chain(learning.flat_map(|l| l.filters()))
        .collect()
}

/// Whether each replica has a filter of its own.
fn is_apart(filter: &FilterStep) -> bool {
    !matches!(filter.place, FilterPlace::Scalar { .. })
}

/// All kernels but those of what is measured.
fn kernels(plan: &Plan) -> Vec<&Kernel> {
    let values = plan.compute.iter().filter_map(|compute| match compute {
        Compute::Value { kernel, .. } => Some(kernel),
        Compute::Drive { .. } | Compute::Check { .. } => None,
    });
    let modulators = plan.modulators.iter().map(|m| &m.kernel);
    let sums = plan
        .modulators
        .iter()
        .flat_map(|m| &m.sums)
        .map(|sum| &sum.kernel);
    let learning = plan
        .optimised
        .iter()
        .filter_map(|rule| rule.learning.as_ref());
    let equations = plan.integrate.iter();
    let equations = equations.flat_map(|e| {
        [&e.drift]
            .into_iter()
            .chain(e.diffusion.as_ref().map(|d| &d.0))
    });
    let mut all: Vec<&Kernel> = values
        .chain(modulators)
        .chain(sums)
        .chain(equations)
        .collect();
    all.extend(learning.flat_map(|l| l.kernels()));
    all.extend(filters(plan).into_iter().map(|filter| &filter.input));
    all
}

/// Whether it reads a computed modulator that is a mean over replicas.
fn reads_means(circuit: &Circuit, kernel: &Kernel) -> bool {
    let modulators = circuit.modulators.len();
    let is_mean = |scalar: usize| {
        let modulator = circuit.modulators.get(scalar % modulators.max(1));
        scalar < 2 * modulators
            && modulator.is_some_and(|m| matches!(m.drive, ModulatorDrive::Value { .. }))
    };
    kernel
        .scalars
        .iter()
        .any(|scalar| is_mean(scalar.0 as usize))
}
