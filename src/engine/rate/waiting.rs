//! Outer products that wait: a rule with an optimiser changes no weight before its update is due, so the factors of all
//! steps until then stand side by side, and their sum is one product of matrices.
//!
//! Against a product a step this leaves the sum alone meanwhile, which otherwise is loaded and stored each time: of 30
//! replicas and 16 steps some four times as fast.

use super::learn::numbers;
use crate::compile::Weights;
use crate::engine::matrix::{columns, multiply, rows};
use crate::lang::vm::padded;

/// More numbers than these do not wait.
const MOST: usize = 1 << 22;

/// Factors in single precision, a row for each product and replica: of padded length as vectors of neurons are.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    pre: Vec<f32>,
    post: Vec<f32>,
}

impl Waiting {
    /// Takes a product's postsynaptic and presynaptic factors of all replicas.
    pub fn add(&mut self, post: &[f64], pre: &[f64]) {
        self.pre.extend(pre.iter().map(|x| *x as f32));
        self.post.extend(post.iter().map(|x| *x as f32));
    }

    /// Whether no more should wait.
    pub fn is_full(&self) -> bool {
        self.pre.len() + self.post.len() > MOST
    }

    /// Multiply–adds of them all, for a projection from so many neurons.
    pub fn products(&self, sources: usize) -> usize {
        sources * self.post.len()
    }

    /// Adds all products up, in single precision, into the changes of a dense projection from `sources` neurons.
    pub fn settle(&mut self, sum: &mut Weights, sources: usize, scratch: &mut Vec<f32>) {
        let Weights::Dense { row, .. } = *sum else {
            return;
        };
        let depth = self.post.len() / row.max(1);
        if depth == 0 {
            return;
        }
        scratch.clear();
        scratch.resize(sources * row, 0.0);
        let pre = (&self.pre[..], columns(padded(sources)));
        let post = (&self.post[..], rows(row));
        multiply(
            [sources, depth, row],
            pre,
            post,
            (scratch, rows(row)),
            false,
        );
        let sums = numbers(sum).iter_mut().zip(&*scratch);
        sums.for_each(|(sum, change)| *sum += f64::from(*change));
        self.pre.clear();
        self.post.clear();
    }
}
