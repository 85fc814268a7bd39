//! What measures read: expressions as probes, numbers, vectors, bins and readouts.

use super::{PlannedBins, PlannedSamples, Planner, Weighted};
use crate::circuit::ProjectionId;
use crate::circuit::connect::Connectivity;
use crate::compile::expressions::read;
use crate::compile::scope::{Place, PlaceScope};
use crate::lang::Shape;
use crate::measure::Bins;
use crate::netlist::model::{Binning, Expression, Name, Sampling};
use crate::source::Problem;

impl Planner<'_> {
    /// The probe of an expression, with its size: 1 for a number.
    pub(in crate::experiment) fn probe(
        &mut self,
        text: &Expression,
    ) -> Option<(usize, usize, bool)> {
        let scope = PlaceScope::new(self.circuit, Place::Broadcast, None);
        match read(text, scope) {
            Ok((expr, _)) => {
                let (size, vector) = match expr.formula.shape() {
                    Shape::Vector(n) => (n as usize, true),
                    _ => (1, false),
                };
                self.planned.exprs.push(expr);
                Some((self.planned.exprs.len() - 1, size, vector))
            }
            Err(found) => {
                self.problems.extend(found);
                None
            }
        }
    }

    pub(in crate::experiment) fn number(&mut self, text: &Expression) -> Option<usize> {
        let (probe, size, vector) = self.probe(text)?;
        if vector {
            let problem = Problem::new(
                format!("this takes one number a step, not {size}"),
                text.span,
                "a vector",
            );
            self.problems
                .push(problem.help("reduce it with sum(…) or mean(…)"));
            return None;
        }
        Some(probe)
    }

    pub(super) fn vector(&mut self, text: &Expression) -> Option<usize> {
        self.probe(text).map(|(probe, ..)| probe)
    }

    /// An expression of two elements.
    pub(super) fn pair(&mut self, text: &Expression) -> Option<usize> {
        let (probe, size, _) = self.probe(text)?;
        if size != 2 {
            let message = format!("an ellipse is drawn of two numbers, not of {size}");
            let problem = Problem::new(message, text.span, "not a pair");
            self.problems
                .push(problem.help("give a population of two neurons, such as output.soma"));
        }
        Some(probe)
    }

    /// Samples, with what says when they are taken.
    pub(super) fn samples(&mut self, sampling: &Sampling) -> Option<PlannedSamples> {
        let (of, label) = (self.probe(&sampling.of), self.probe(&sampling.label));
        let when = sampling.when.as_ref().map(|w| self.one(w));
        let since = sampling.since.as_ref().map(|s| self.one(s));
        let ((of, size, _), (label, classes, _)) = (of?, label?);
        if classes < 2 {
            let problem = Problem::new("a label has at least two classes", sampling.label.span, "");
            let help = "give a vector with an element for each class, such as digits.label";
            self.problems.push(problem.help(help));
        }
        Some(PlannedSamples {
            of,
            size,
            label,
            classes,
            when: when.flatten(),
            since: since.flatten(),
        })
    }

    /// A number, or a vector of one element, which may differ between replicas.
    pub(super) fn one(&mut self, text: &Expression) -> Option<usize> {
        let (probe, size, _) = self.probe(text)?;
        if size == 1 {
            return Some(probe);
        }
        let message = format!("this takes one number a step, not {size}");
        let problem = Problem::new(message, text.span, "a vector");
        self.problems
            .push(problem.help("give a modulator, or an output such as digits.last"));
        None
    }

    pub(super) fn bins(&mut self, binning: &Binning) -> Option<PlannedBins> {
        let by = self.number(&binning.by);
        let when = binning.when.as_ref().map(|w| self.number(w));
        Some(PlannedBins {
            by: by?,
            when: when.flatten(),
            bins: Bins::new(binning.count.value as usize, binning.range),
            axis: binning.by.value.trim().to_owned(),
        })
    }

    /// A readout: a projection all to all, and the number of neurons that it reads.
    pub(super) fn readout(&mut self, name: &Name) -> Option<(ProjectionId, usize)> {
        let Weighted::Projection(id) = self.weighted(name)? else {
            let message = format!("`{}` is a bias, not a projection", name.value);
            let problem = Problem::new(message, name.span, "not a readout");
            self.problems
                .push(problem.help("name the projection that reads the neurons"));
            return None;
        };
        match &self.circuit.projections[id.0 as usize].connectivity {
            Connectivity::Dense { pre, post } if post <= pre => Some((id, *pre)),
            Connectivity::Dense { pre, post } => {
                let message = format!("`{}` has {post} outputs of {pre} neurons", name.value);
                let problem = Problem::new(message, name.span, "more than it reads");
                self.problems.push(
                    problem.help("a readout has at most as many outputs as it reads neurons"),
                );
                None
            }
            _ => {
                let message = format!("`{}` does not connect all neurons to all", name.value);
                let problem = Problem::new(message, name.span, "not a readout");
                self.problems
                    .push(problem.help("a readout is an all-to-all projection"));
                None
            }
        }
    }
}
