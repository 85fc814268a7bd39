//! Functions that remember: filters, and what is made of them.

use super::ast::Ast;
use super::build::{Builder, Typed};
use super::formula::{FARTHEST, Filter, FilterKind};
use super::functions::Builtin;
use super::graph::{NodeId, Shape, Symbol};
use super::ops::Binary;
use crate::units::Dimension;

impl Builder<'_> {
    /// The state of a filter on `x`; equal filters are one.
    pub(super) fn filter(&mut self, x: &Ast, kind: FilterKind, tau: f64) -> Typed {
        let value = self.value(x);
        let rises = matches!(kind, FilterKind::Lowpass(_) | FilterKind::Trace(_));
        let constant = self.graph.constant(value.node);
        if constant.is_some_and(|c| !rises || c.abs() <= 0.0) {
            // A constant is what it was; nothing adds up to nothing.
            return value;
        }
        self.memory(value, kind, tau)
    }

    /// As [`Self::filter`], also of a constant.
    fn memory(&mut self, value: Typed, kind: FilterKind, tau: f64) -> Typed {
        let shape = self.graph.shape(value.node);
        let filter = Filter {
            kind,
            input: value.node,
            shape,
            tau,
        };
        let index = self
            .filters
            .iter()
            .position(|f| *f == filter)
            .unwrap_or_else(|| {
                self.filters.push(filter);
                self.filters.len() - 1
            });
        let symbol = Symbol::Filter(u32::try_from(index).unwrap_or(u32::MAX));
        // In continuous time a decaying sum is an integral.
        let integral = self.scope.continuous() && matches!(kind, FilterKind::Trace(_));
        let dimension = match value.dimension {
            Some(dimension) if integral => Some(dimension * self.scope.step().dimension),
            dimension => dimension,
        };
        Typed {
            node: self.graph.variable(symbol, shape),
            dimension,
        }
    }

    /// y ← keep·y + x, from y = 0: a sum of which the neuron or synapse itself says how much is kept.
    pub(super) fn carry(&mut self, tree: &Ast, x: &Ast, keep: &Ast) -> Typed {
        let added = self.value(x);
        let kept = self.plain_value(keep, "what is kept of a sum");
        if !self.shapes_fit(tree, added.node, kept.node) {
            return self.number(0.0, None);
        }
        let nothing = |c: f64| c.abs() <= 0.0;
        if self.graph.constant(added.node).is_some_and(nothing)
            || self.graph.constant(kept.node).is_some_and(nothing)
        {
            return added;
        }
        let (a, b) = (self.graph.shape(added.node), self.graph.shape(kept.node));
        let shape = a.join(b).unwrap_or(a);
        let known = 0..self.filters.len();
        let same = known.into_iter().find(|index| {
            let filter = (self.filters[*index].kind, self.filters[*index].shape);
            filter == (FilterKind::Carried, shape)
                && self.carried(*index, shape, (added.node, kept.node)).1
                    == self.filters[*index].input
        });
        let index = same.unwrap_or(self.filters.len());
        let (node, input) = self.carried(index, shape, (added.node, kept.node));
        if same.is_none() {
            self.filters.push(Filter {
                kind: FilterKind::Carried,
                input,
                shape,
                tau: 0.0,
            });
        }
        Typed {
            node,
            dimension: added.dimension,
        }
    }

    /// The state of the filter of that number, and keep · state + added.
    fn carried(
        &mut self,
        index: usize,
        shape: Shape,
        (added, kept): (NodeId, NodeId),
    ) -> (NodeId, NodeId) {
        let symbol = Symbol::Filter(u32::try_from(index).unwrap_or(u32::MAX));
        let state = self.graph.variable(symbol, shape);
        let rest = self.graph.binary(Binary::Mul, kept, state);
        (state, self.graph.binary(Binary::Add, rest, added))
    }

    pub(super) fn previous(&mut self, x: &Ast, n: &Ast) -> Typed {
        let steps = self.plain_value(n, "a number of steps");
        match self.graph.constant(steps.node) {
            Some(n)
                if n.fract().abs() < f64::EPSILON && (1.0..=f64::from(FARTHEST)).contains(&n) =>
            {
                self.filter(x, FilterKind::Previous(n as u32), 0.0)
            }
            _ => {
                let message =
                    format!("`prev` needs a constant whole number of steps from 1 to {FARTHEST}");
                self.mistake(n, message, "", Some("such as prev(x, 3)".to_owned()))
            }
        }
    }

    /// x + τ·dx/dt, with the slope of the last step: x itself in the first one.
    pub(super) fn prospective(&mut self, x: &Ast, tau: &Ast) -> Typed {
        let step = self.scope.step();
        let ahead = self.value(tau);
        if let Some(mistake) = self.not_a_time(tau, ahead.dimension) {
            return mistake;
        }
        let now = self.value(x);
        if self.graph.constant(now.node).is_some() {
            return now;
        }
        let before = self.memory(now, FilterKind::Previous(1), 0.0);
        let one = self.number(1.0, Some(Dimension::NONE));
        let begun = self.memory(one, FilterKind::Previous(1), 0.0);
        let change = self.graph.binary(Binary::Sub, now.node, before.node);
        let change = self.graph.binary(Binary::Mul, begun.node, change);
        let length = self.graph.number(step.value);
        let steps = self.graph.binary(Binary::Div, ahead.node, length);
        if !self.shapes_fit(x, steps, change) {
            return self.number(0.0, None);
        }
        let ahead = self.graph.binary(Binary::Mul, steps, change);
        Typed {
            node: self.graph.binary(Binary::Add, now.node, ahead),
            ..now
        }
    }

    /// The mistake of a time constant that is no time.
    fn not_a_time(&mut self, tau: &Ast, found: Option<Dimension>) -> Option<Typed> {
        let expected = self.scope.step().dimension;
        let found = found.filter(|found| *found != expected)?;
        let words = |d: Dimension| {
            if d.is_none() {
                "a plain number".to_owned()
            } else {
                format!("in {d}")
            }
        };
        let message = format!(
            "a time constant is {} here, this is {}",
            words(expected),
            words(found)
        );
        Some(self.mistake(tau, message, "units clash", None))
    }

    pub(super) fn smooth(&mut self, builtin: Builtin, x: &Ast, tau: &Ast) -> Typed {
        let constant = self.value(tau);
        let step = self.scope.step();
        if let Some(mistake) = self.not_a_time(tau, constant.dimension) {
            return mistake;
        }
        match self.graph.constant(constant.node) {
            Some(tau) if tau > 0.0 && (tau.is_finite() || builtin == Builtin::Trace) => {
                // A time constant of infinity is no decay at all.
                let decay = (-step.value / tau).exp();
                let kind = match builtin {
                    Builtin::Avg => FilterKind::Average(decay),
                    Builtin::Trace => FilterKind::Trace(decay),
                    _ => FilterKind::Lowpass(decay),
                };
                self.filter(x, kind, tau)
            }
            Some(constant) if constant.is_infinite() && constant > 0.0 => {
                let message = "an infinite time constant would keep this filter where it starts";
                let help =
                    Some("use a finite one, or trace(x, inf), a sum without decay".to_owned());
                self.mistake(tau, message.to_owned(), "infinite", help)
            }
            _ => {
                let help = Some("use a number or a parameter, such as 10 ms".to_owned());
                self.mistake(
                    tau,
                    "a time constant is a constant above 0".to_owned(),
                    "",
                    help,
                )
            }
        }
    }
}
