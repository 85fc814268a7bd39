//! Values that are their drives as they are: the drive is computed where the value is to be, so that nothing is copied.

use std::collections::HashSet;

use super::Program;
use super::eligibility::EligibilityRule;
use super::kernel::{VectorId, VectorRef};
use super::learning::{Factor, Learning, ScaledTerm};
use super::plan::{Compute, Plan};
use crate::circuit::connect::Connectivity;
use crate::circuit::grid::TilingUse;
use crate::netlist::model::DistributionKind;

impl Plan {
    /// Leaves copies of drives out that nothing else reads. These drives hold nothing from then on.
    pub fn leave_out_copies(&mut self, program: &Program) {
        let read = self.vectors();
        let once: HashSet<VectorId> = read.iter().copied().collect();
        let once = once
            .into_iter()
            .filter(|id| read.iter().filter(|r| *r == id).count() == 1);
        let once: HashSet<VectorId> = once.collect();
        let mut needless = HashSet::new();
        for at in 0..self.compute.len() {
            let Compute::Value {
                compartment,
                into: value,
                kernel,
                within: None,
            } = &self.compute[at]
            else {
                continue;
            };
            let Some(VectorRef::Plain(drive)) = kernel.copied() else {
                continue;
            };
            let (compartment, value) = (*compartment, *value);
            let is_drive = |compute: &Compute| matches!(compute, Compute::Drive { into, .. } if *into == drive);
            let Some(source) = self.compute.iter().position(is_drive) else {
                continue;
            };
            if !once.contains(&drive) {
                continue;
            }
            let stays_finite = stays_finite(program, &self.compute[source]);
            if let Compute::Drive { into, .. } = &mut self.compute[source] {
                *into = value;
            }
            self.compute[at] = Compute::Check { compartment, value };
            if stays_finite {
                needless.insert(value);
            }
        }
        let needless = |compute: &Compute| matches!(compute, Compute::Check { value, .. } if needless.contains(value));
        self.compute.retain(|compute| !needless(compute));
    }

    /// All vectors of the table that something reads, each as often as it is read.
    fn vectors(&self) -> Vec<VectorId> {
        let mut all: Vec<VectorRef> = Vec::new();
        let kernels = self.kernels();
        all.extend(kernels.into_iter().flat_map(|kernel| &kernel.vectors));
        for compute in &self.compute {
            if let Compute::Drive { projections, .. } = compute {
                all.extend(projections.iter().map(|(_, pre)| pre));
            }
        }
        let measured = self.measured.iter().filter_map(|m| m.learning.as_ref());
        let optimised = self.optimised.iter().filter_map(|o| o.learning.as_ref());
        for learning in self.learn.iter().chain(measured).chain(optimised) {
            all.extend(learning_reads(learning));
        }
        let plain = all.into_iter().filter_map(|place| match place {
            VectorRef::Plain(id) => Some(id),
            _ => None,
        });
        plain.collect()
    }
}

/// What a rule reads beside its kernels.
fn learning_reads(learning: &Learning) -> Vec<VectorRef> {
    let vector = |factor: &Factor| match factor {
        Factor::Vector(place) => Some(*place),
        _ => None,
    };
    match learning {
        Learning::Outer(rule) => {
            let terms = rule.terms.iter().chain(&rule.decay);
            terms.filter_map(|term| vector(&term.pre)).collect()
        }
        Learning::Eligibility(rule) => {
            let sides = |term: &ScaledTerm| [vector(&term.post), vector(&term.pre)];
            all_terms(rule).flat_map(sides).flatten().collect()
        }
        Learning::General(rule) => rule.row.iter().map(|(_, place)| *place).collect(),
        Learning::Elementwise(_) => vec![],
    }
}

fn all_terms(rule: &EligibilityRule) -> impl Iterator<Item = &ScaledTerm> {
    let of_filters = rule.states.iter();
    let of_filters = of_filters.flat_map(|f| f.input.iter().chain(&f.kept).chain(&f.uses));
    rule.terms.iter().chain(&rule.decay).chain(of_filters)
}

/// Whether a drive is finite because all that it is made of is: values that are spread by at most 1, or winners.
fn stays_finite(program: &Program, drive: &Compute) -> bool {
    let Compute::Drive {
        bias: None,
        inputs,
        projections,
        ..
    } = drive
    else {
        return false;
    };
    let [(id, _)] = projections[..] else {
        return false;
    };
    let projection = program.circuit.projection(id);
    let Connectivity::Tiling(tiling) = &projection.connectivity else {
        return false;
    };
    let small = matches!(projection.weight.kind, DistributionKind::Constant(w) if w.abs() <= 1.0);
    inputs.is_empty() && small && tiling.use_of != TilingUse::Pool
}
