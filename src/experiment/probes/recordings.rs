//! Recordings: traces and weights.

use super::{Planner, TracePlan, WeightPlan, Weighted};
use crate::circuit::ProjectionId;
use crate::netlist::model::{Name, Recording, RecordingKind};
use crate::source::{Problem, suggest};

impl Planner<'_> {
    pub(super) fn recording(&mut self, recording: &Recording) {
        let during = self.during(&recording.during);
        let every = self.circuit.steps(recording.every.value, 1);
        let name = recording.name.clone();
        match &recording.what {
            RecordingKind::Weights(of) => {
                if let Some(of) = self.weighted(of) {
                    self.planned.weights.push(WeightPlan {
                        name,
                        of,
                        every,
                        during,
                    });
                }
            }
            // Told by the compiler: a rate circuit has no spikes.
            RecordingKind::Spikes(_) => {}
            RecordingKind::Trace { of, elements } => {
                let Some((probe, size, _)) = self.probe(of) else {
                    return;
                };
                let elements: Vec<usize> = match elements {
                    Some(list) => list.iter().map(|e| *e as usize).collect(),
                    None => (0..size).collect(),
                };
                if let Some(beyond) = elements.iter().find(|e| **e >= size) {
                    let message =
                        format!("there is no element {beyond}: they are 0 to {}", size - 1);
                    self.problems
                        .push(Problem::new(message, recording.span, "in this recording"));
                }
                self.planned.traces.push(TracePlan {
                    name,
                    probe,
                    elements,
                    every,
                    during,
                });
            }
        }
    }

    pub(super) fn weighted(&mut self, name: &Name) -> Option<Weighted> {
        if let Some(index) = self
            .circuit
            .projections
            .iter()
            .position(|p| p.name == name.value)
        {
            if let Some(of) = self.circuit.projections[index].transpose_of {
                let of = &self.circuit.projection(of).name;
                let message = format!("`{}` has no weights of its own", name.value);
                let note = format!("it has those of `{of}`");
                let problem = Problem::new(message, name.span, note);
                self.problems.push(problem.help(format!("write `{of}`")));
                return None;
            }
            return Some(Weighted::Projection(ProjectionId(index as u32)));
        }
        let bias = name
            .value
            .split_once('.')
            .and_then(|(population, compartment)| {
                let id = self
                    .circuit
                    .compartment_named(self.circuit.population_named(population)?, compartment)?;
                self.circuit
                    .compartment(id)
                    .bias
                    .as_ref()
                    .map(|_| Weighted::Bias(id))
            });
        if bias.is_none() && !self.netlist.projections.contains_key(&name.value) {
            let known: Vec<&str> = self
                .netlist
                .projections
                .keys()
                .map(String::as_str)
                .collect();
            let problem = Problem::new(
                format!("there is no projection `{}`", name.value),
                name.span,
                "unknown name",
            );
            self.problems.push(Problem {
                help: suggest(&name.value, known),
                ..problem
            });
        }
        bias
    }
}
