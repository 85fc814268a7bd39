//! Weights of projections, and their first values.

use std::borrow::Cow;

use crate::circuit::connect::{Connectivity, Sparse};
use crate::circuit::sample;
use crate::engine::lanes;
use crate::lang::vm::padded;
use crate::netlist::model::Precision;
use crate::vector::{Singles, Vector};

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
    /// As `Dense`, in single precision; rows are padded to a multiple of a cache line.
    Single {
        /// Number of postsynaptic neurons.
        post: usize,
        /// Padded row length.
        row: usize,
        /// Row after row.
        values: Singles,
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
    /// Weights that many synapses share: of a convolution, a row of all output channels for each place of a patch
    /// (input channel, then row, then column); of windows, one.
    Shared {
        /// The weights.
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
    /// All numbers in double precision, padding included; those of [`Weights::doubles`].
    pub fn values(&self) -> Cow<'_, [f64]> {
        match self {
            Weights::Dense { values, .. }
            | Weights::OneToOne { values }
            | Weights::Sparse { values }
            | Weights::Shared { values } => Cow::Borrowed(values),
            Weights::Single { .. } => {
                let mut doubles = Vector::zeros(self.len());
                self.write_doubles(&mut doubles);
                Cow::Owned(doubles.to_vec())
            }
        }
    }

    /// All numbers, padding included; none if they are in single precision.
    pub fn values_mut(&mut self) -> Option<&mut Vector> {
        match self {
            Weights::Dense { values, .. }
            | Weights::OneToOne { values }
            | Weights::Sparse { values }
            | Weights::Shared { values } => Some(values),
            Weights::Single { .. } => None,
        }
    }

    /// Length of [`Weights::values`].
    pub fn len(&self) -> usize {
        match self {
            Weights::Dense { values, .. }
            | Weights::OneToOne { values }
            | Weights::Sparse { values }
            | Weights::Shared { values } => values.len(),
            Weights::Single { post, row, values } => values.len() / (*row).max(1) * padded(*post),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same weights in double precision.
    pub fn doubles(&self) -> Weights {
        match self {
            Weights::Single { post, .. } => Weights::Dense {
                row: padded(*post),
                values: self.values().into_owned().into(),
            },
            weights => weights.clone(),
        }
    }

    /// Writes the numbers of [`Weights::values`], if they are in single precision.
    pub fn write_doubles(&self, out: &mut [f64]) {
        if let Weights::Single { post, row, values } = self {
            let rows = out.chunks_exact_mut(padded(*post).max(1));
            for (out, row) in rows.zip(values.chunks_exact((*row).max(1))) {
                out.iter_mut()
                    .zip(row)
                    .for_each(|(o, w)| *o = f64::from(*w));
            }
        }
    }

    /// Takes the numbers of [`Weights::values`], rounded, if they are in single precision.
    pub fn read_doubles(&mut self, from: &[f64]) {
        if let Weights::Single { post, row, values } = self {
            let rows = from.chunks_exact(padded(*post).max(1));
            for (from, row) in rows.zip(values.chunks_exact_mut((*row).max(1))) {
                row.iter_mut().zip(from).for_each(|(w, x)| *w = *x as f32);
            }
        }
    }
}

/// Draws the weights that a projection starts with; none if it has those of another.
pub(super) fn initial(projection: &crate::circuit::Projection, seed: u64) -> Weights {
    if projection.transpose_of.is_some() {
        return Weights::default();
    }
    let name = format!("weight {}", projection.name);
    let n = projection.connectivity.weights();
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
        Connectivity::Dense { pre, post } if projection.precision == Precision::Single => {
            let row = lanes::padded::<f32>(*post);
            let mut values = Singles::zeros(pre * row);
            for (row, weights) in values.chunks_mut(row.max(1)).zip(drawn.chunks(*post)) {
                row.iter_mut()
                    .zip(weights)
                    .for_each(|(w, x)| *w = *x as f32);
            }
            Weights::Single {
                post: *post,
                row,
                values,
            }
        }
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
        Connectivity::Convolution(_) | Connectivity::Tiling(_) => Weights::Shared {
            values: drawn.into(),
        },
    }
}
