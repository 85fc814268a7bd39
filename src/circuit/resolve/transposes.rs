//! Projections that have the weights of another one, the other way.

use super::super::connect::{Connectivity, Sparse};
use super::super::{Circuit, Projection, ProjectionId};
use super::Resolver;
use crate::netlist::model::Name;
use crate::source::Problem;

impl Resolver<'_> {
    /// Ties each projection with a `transpose-of` to the one that it names.
    pub(super) fn transposes(&mut self, circuit: &mut Circuit) {
        for at in 0..circuit.projections.len() {
            let table = self.netlist.projections.get(&circuit.projections[at].name);
            let Some(of) = table.and_then(|table| table.transpose_of.as_ref()) else {
                continue;
            };
            let Some(id) = self.transposed(of, circuit) else {
                continue;
            };
            if !self.ends_fit(
                of,
                circuit,
                &circuit.projections[at],
                circuit.projection(id),
            ) {
                continue;
            }
            let other = circuit.projection(id);
            let Some(connectivity) = turned(&other.connectivity, &ends(circuit, other)) else {
                let message = format!("`{}` shares its weights among places", of.value);
                let problem = Problem::new(message, of.span, "has no transpose here");
                let help = "write a `weight`, and a rule if it learns";
                self.problems.push(problem.help(help));
                continue;
            };
            let pattern = other.pattern.clone();
            let tied = &mut circuit.projections[at];
            (tied.connectivity, tied.pattern) = (connectivity, pattern);
            tied.transpose_of = Some(id);
        }
    }

    /// The projection that a `transpose-of` names: one that has weights of its own.
    fn transposed(&mut self, of: &Name, circuit: &Circuit) -> Option<ProjectionId> {
        let Some(table) = self.netlist.projections.get(&of.value) else {
            let known = self.netlist.projections.keys();
            self.unknown("there is no projection", of, known, None);
            return None;
        };
        if let Some(further) = &table.transpose_of {
            let message = format!("`{}` has no weights of its own", of.value);
            let note = format!("it has those of `{}`", further.value);
            let problem = Problem::new(message, of.span, note);
            let help = "name a projection with a `weight`: the transpose of a transpose goes the same way as the first";
            self.problems.push(problem.help(help));
            return None;
        }
        let at = circuit
            .projections
            .iter()
            .position(|p| p.name == of.value)?;
        Some(ProjectionId(at as u32))
    }

    /// Whether a transpose goes between populations of the right sizes.
    fn ends_fit(
        &mut self,
        of: &Name,
        circuit: &Circuit,
        tied: &Projection,
        other: &Projection,
    ) -> bool {
        let (pre, post) = ends(circuit, other);
        if ends(circuit, tied) == (post, pre) {
            return true;
        }
        let (from, to) = ends(circuit, tied);
        let message = format!(
            "`{}` goes from {from} neurons to {to}, `{}` from {pre} to {post}",
            tied.name, other.name
        );
        let problem = Problem::new(message, of.span, "sizes do not fit");
        let help = format!(
            "a transpose of `{}` goes from {post} neurons to {pre}",
            other.name
        );
        self.problems.push(problem.help(help));
        false
    }
}

/// Sizes of the populations at both ends.
fn ends(circuit: &Circuit, projection: &Projection) -> (usize, usize) {
    let size = |end: super::super::CompartmentId| circuit.population(end.population).size;
    (size(projection.from), size(projection.to))
}

/// The same connections, the other way; none where they share weights.
fn turned(connectivity: &Connectivity, (pre, post): &(usize, usize)) -> Option<Connectivity> {
    let sparse = match connectivity {
        Connectivity::Sparse(sparse) => sparse,
        Connectivity::Dense { .. } => {
            return Some(Connectivity::Dense {
                pre: *post,
                post: *pre,
            });
        }
        Connectivity::OneToOne { size } => return Some(Connectivity::OneToOne { size: *size }),
        Connectivity::Convolution(_) | Connectivity::Tiling(_) => return None,
    };
    let mut offsets = vec![0; post + 1];
    for target in &sparse.targets {
        offsets[*target as usize + 1] += 1;
    }
    for i in 0..*post {
        offsets[i + 1] += offsets[i];
    }
    let mut next = offsets.clone();
    let mut targets = vec![0; sparse.targets.len()];
    for j in 0..*pre {
        for target in &sparse.targets[sparse.offsets[j]..sparse.offsets[j + 1]] {
            let at = &mut next[*target as usize];
            targets[*at] = j as u32;
            *at += 1;
        }
    }
    Some(Connectivity::Sparse(Sparse {
        offsets,
        targets,
        weights: None,
    }))
}
