//! Expressions that are evaluated at times of their own: sampled modulators, and what measures look at.
//!
//! Their filters move on at each sample, by the time between two samples.

use std::collections::VecDeque;

use crate::compile::{Expr, Reading};
use crate::lang::walk::walk;
use crate::lang::{FilterKind, NodeId, Shape, Symbol};

/// An expression with its memories.
#[derive(Debug, Clone)]
pub struct Sampler {
    expr: Expr,
    filters: Vec<Memory>,
    /// What `changed(…)` compares with: the values at the sample before, of each reading that asks for it.
    before: Vec<(Reading, Vec<f64>)>,
    /// Whether they have changed, at this sample.
    changed: Vec<f64>,
}

/// The state of a filter.
#[derive(Debug, Clone)]
struct Memory {
    kind: FilterKind,
    input: NodeId,
    /// Elements of its value.
    size: usize,
    values: Vec<f64>,
    started: bool,
    /// Values of earlier samples, the oldest first; of `prev` only.
    earlier: VecDeque<Vec<f64>>,
}

/// What a sample reads: of a reading its element by index, and how many elements it has.
pub trait Source {
    /// The value of an element.
    fn read(&self, reading: Reading, element: usize) -> f64;
    /// Number of elements that `changed(…)` compares.
    fn elements(&self, reading: Reading) -> usize;
}

impl Sampler {
    /// An expression that will be sampled every so often (ms).
    pub fn new(expr: Expr, every_ms: f64) -> Self {
        let memory = |filter: &crate::lang::Filter| {
            let decay = (-every_ms / filter.tau).exp();
            let kind = match filter.kind {
                FilterKind::Average(_) => FilterKind::Average(decay),
                FilterKind::Lowpass(_) => FilterKind::Lowpass(decay),
                FilterKind::Trace(_) => FilterKind::Trace(decay),
                other @ (FilterKind::Previous(_) | FilterKind::Carried) => other,
            };
            let size = elements(filter.shape);
            Memory {
                kind,
                input: filter.input,
                size,
                values: vec![0.0; size],
                started: false,
                earlier: VecDeque::new(),
            }
        };
        let asks = |r: &&Reading| matches!(r, Reading::Changed(_) | Reading::InputChanged(_));
        let before: Vec<_> = expr
            .readings
            .iter()
            .filter(asks)
            .map(|r| (*r, vec![]))
            .collect();
        Self {
            filters: expr.formula.filters.iter().map(memory).collect(),
            changed: vec![0.0; before.len()],
            before,
            expr,
        }
    }

    /// What it reads.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The value at a sample.
    pub fn sample(&mut self, source: &dyn Source) -> f64 {
        for ((reading, before), changed) in self.before.iter_mut().zip(&mut self.changed) {
            let now: Vec<f64> = (0..source.elements(*reading))
                .map(|element| source.read(*reading, element))
                .collect();
            let differs = |(a, b): (&f64, &f64)| a.to_bits() != b.to_bits();
            *changed = f64::from(before.len() == now.len() && before.iter().zip(&now).any(differs));
            *before = now;
        }
        for index in 0..self.filters.len() {
            let (input, size) = (self.filters[index].input, self.filters[index].size);
            let now = (0..size).map(|element| self.value(input, element, source));
            let now: Vec<f64> = now.collect();
            self.filters[index].take(now);
        }
        self.value(self.expr.formula.root, 0, source)
    }

    /// The value of an operation for one element.
    fn value(&self, node: NodeId, element: usize, source: &dyn Source) -> f64 {
        let graph = &self.expr.formula.graph;
        let read = |symbol: Symbol, element: usize| match symbol {
            Symbol::Filter(index) => {
                let values = self.filters.get(index as usize).map(|m| &m.values);
                let at =
                    |values: &Vec<f64>| values.get(element.min(values.len().max(1) - 1)).copied();
                values.and_then(at).unwrap_or(f64::NAN)
            }
            symbol => match self.expr.reading(symbol) {
                None => f64::NAN,
                Some(reading) => match self.before.iter().position(|(r, _)| *r == reading) {
                    Some(at) => self.changed[at],
                    None => source.read(reading, element),
                },
            },
        };
        let sum = |node: NodeId| {
            let size = elements(graph.shape(node));
            let of = |e| walk(graph, node, &|s| read(s, e), &|_| f64::NAN);
            (0..size).map(of).sum()
        };
        walk(graph, node, &|s| read(s, element), &sum)
    }
}

impl Memory {
    /// Takes the value that its input has at a sample.
    fn take(&mut self, now: Vec<f64>) {
        let first = !std::mem::replace(&mut self.started, true);
        match self.kind {
            FilterKind::Average(_) if first => self.values = now,
            FilterKind::Average(decay) | FilterKind::Lowpass(decay) => {
                for (value, x) in self.values.iter_mut().zip(now) {
                    *value = decay.mul_add(*value - x, x);
                }
            }
            FilterKind::Trace(decay) => {
                for (value, x) in self.values.iter_mut().zip(now) {
                    *value = decay.mul_add(*value, x);
                }
            }
            FilterKind::Carried => self.values = now,
            FilterKind::Previous(samples) => {
                self.earlier.push_back(now);
                if self.earlier.len() > samples as usize {
                    self.values = self.earlier.pop_front().unwrap_or_default();
                }
            }
        }
    }
}

fn elements(shape: Shape) -> usize {
    match shape {
        Shape::Vector(size) => size as usize,
        _ => 1,
    }
}
