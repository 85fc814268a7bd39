//! The steps of an expression: its filters, its sums, its value.

use super::kernel::{Kernel, View};
use super::layout::{FilterPlace, Own};
use super::plan::{FilterStep, SumStep};
use super::planner::{Planner, filter_kinds};
use super::program::Placed;
use super::reading::Expr;
use crate::circuit::ProjectionId;
use crate::lang::{FilterKind, NodeId, Shape};
use crate::source::Problem;

impl Planner<'_> {
    /// The steps of an expression's filters that are not per synapse: those that smooth, those that remember.
    pub(super) fn filter_steps(
        &mut self,
        expr: &Expr,
        places: &[FilterPlace],
        projection: Option<ProjectionId>,
    ) -> Result<(Vec<FilterStep>, Vec<FilterStep>), Problem> {
        let (mut smooth, mut remember) = (Vec::new(), Vec::new());
        for (filter, place) in expr.formula.filters.iter().zip(places) {
            let index = self.flags;
            self.flags += 1;
            if filter.shape == Shape::Synapse {
                continue;
            }
            let mut expr = expr.clone();
            let input = self.gates.fix(&mut expr, filter.input);
            self.want_all(&expr, input, projection);
            let kinds = filter_kinds(&expr);
            let places = self.places(&kinds, places, &[], projection);
            let kernel = self.kernel_in(&mut expr, input, View::Neurons, &places)?;
            let step = FilterStep {
                input: kernel,
                place: *place,
                kind: filter.kind,
                index,
            };
            match filter.kind {
                FilterKind::Previous(_) => remember.push(step),
                _ => smooth.push(step),
            }
        }
        Ok((smooth, remember))
    }

    /// An expression over populations: its filters, its sums, its value.
    pub(super) fn placed<T>(
        &mut self,
        placed: &Placed<T>,
    ) -> Result<(Vec<FilterStep>, Vec<SumStep>, Kernel), Problem> {
        let before = std::mem::replace(&mut self.own, placed.own);
        let steps = self.placed_steps(placed);
        self.own = before;
        steps
    }

    fn placed_steps<T>(
        &mut self,
        placed: &Placed<T>,
    ) -> Result<(Vec<FilterStep>, Vec<SumStep>, Kernel), Problem> {
        let mut expr = placed.expr.clone();
        // A filter's input may hold sums too: all are taken out together, inner ones first.
        let mut sums = Vec::new();
        let mut take = |expr: &mut Expr,
                        node: NodeId,
                        this: &mut Self|
         -> Result<NodeId, Problem> {
            let node = this.gates.fix(expr, node);
            let (mut node, summed) = expr.formula.graph.take_sums(node);
            let offset = sums.len() as u32;
            if offset > 0 {
                node = expr
                    .formula
                    .graph
                    .rewrite(node, |graph, id| match graph.node(id) {
                        crate::lang::graph::Node::Variable(crate::lang::Symbol::Sum(k)) => Some(
                            graph.variable(crate::lang::Symbol::Sum(k + offset), Shape::Scalar),
                        ),
                        _ => None,
                    });
            }
            for vector in summed {
                let Shape::Vector(length) = expr.formula.graph.shape(vector) else {
                    continue;
                };
                this.want_all(expr, vector, None);
                let into = placed.sums.get(sums.len()).copied();
                let kernel = this.kernel(expr, vector, &placed.filters, &placed.sums)?;
                if let Some(into) = into {
                    sums.push(SumStep {
                        kernel,
                        length: length as usize,
                        into,
                        per_replica: placed.own == Own::All,
                    });
                }
            }
            Ok(node)
        };
        let inputs: Vec<NodeId> = expr.formula.filters.iter().map(|f| f.input).collect();
        let mut taken = Vec::new();
        for input in inputs {
            taken.push(take(&mut expr, input, self)?);
        }
        let root = expr.formula.root;
        let root = take(&mut expr, root, self)?;
        for (filter, input) in expr.formula.filters.iter_mut().zip(taken) {
            filter.input = input;
        }
        self.want_all(&expr, root, None);
        let kinds = filter_kinds(&expr);
        let mut filters = Vec::new();
        for (filter, place) in expr.formula.filters.clone().iter().zip(&placed.filters) {
            let index = self.flags;
            self.flags += 1;
            self.want_all(&expr, filter.input, None);
            let places = self.places(&kinds, &placed.filters, &placed.sums, None);
            let input = self.kernel_in(&mut expr, filter.input, View::Neurons, &places)?;
            let step = FilterStep {
                input,
                place: *place,
                kind: filter.kind,
                index,
            };
            match filter.kind {
                FilterKind::Previous(_) => self.plan.remember.push(step),
                _ => filters.push(step),
            }
        }
        let kernel = self.kernel(&mut expr, root, &placed.filters, &placed.sums)?;
        Ok((filters, sums, kernel))
    }
}
