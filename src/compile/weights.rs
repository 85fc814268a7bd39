//! Weights of projections, and their first values.

use crate::circuit::connect::{Connectivity, Sparse};
use crate::circuit::sample;
use crate::lang::vm::padded;
use crate::vector::Vector;

/// The weights of a projection.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Weights {
    /// One row of padded postsynaptic length per presynaptic neuron.
    Dense {
        /// Padded row length.
        row: usize,
        /// Row after row.
        values: Vector,
    },
    /// One weight per neuron, padded.
    OneToOne {
        /// The weights.
        values: Vector,
    },
    /// Weights of listed connections.
    Sparse {
        /// The weights, as the connections are listed.
        values: Vector,
    },
}

impl Default for Weights {
    /// None: what stands in for weights while they are changed.
    fn default() -> Self {
        Weights::OneToOne {
            values: Vector::default(),
        }
    }
}

impl Weights {
    /// All numbers, padding included.
    pub fn values(&self) -> &[f64] {
        match self {
            Weights::Dense { values, .. }
            | Weights::OneToOne { values }
            | Weights::Sparse { values } => values,
        }
    }

    /// All numbers, padding included.
    pub fn values_mut(&mut self) -> &mut Vector {
        match self {
            Weights::Dense { values, .. }
            | Weights::OneToOne { values }
            | Weights::Sparse { values } => values,
        }
    }
}

/// Draws the weights that a projection starts with.
pub(super) fn initial(projection: &crate::circuit::Projection, seed: u64) -> Weights {
    let name = format!("weight {}", projection.name);
    let n = projection.connectivity.count();
    let mut drawn = match &projection.connectivity {
        Connectivity::Sparse(Sparse {
            weights: Some(listed),
            ..
        }) => listed.clone(),
        _ => sample::draw_all(&projection.weight, n, seed, &name),
    };
    if let Some(bounds) = &projection.within {
        drawn
            .iter_mut()
            .for_each(|w| *w = w.clamp(bounds.low, bounds.high));
    }
    match &projection.connectivity {
        Connectivity::Dense { pre, post } => {
            let row = padded(*post);
            let mut values = Vector::zeros(pre * row);
            for (j, weights) in drawn.chunks(*post).enumerate() {
                values[j * row..j * row + post].copy_from_slice(weights);
            }
            Weights::Dense { row, values }
        }
        Connectivity::OneToOne { size } => {
            drawn.resize(padded(*size), 0.0);
            Weights::OneToOne {
                values: drawn.into(),
            }
        }
        Connectivity::Sparse(_) => Weights::Sparse {
            values: drawn.into(),
        },
    }
}
