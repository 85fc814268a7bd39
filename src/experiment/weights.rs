//! Samples of weights: when they are due, what they look like.

use std::borrow::Cow;

use super::Experiment;
use super::probes::Weighted;
use super::run::RunError;
use crate::circuit::connect::Connectivity;
use crate::compile::{Program, Weights};
use crate::engine::rate::State;
use crate::lang::vm::padded;
use crate::record::Recorder;

/// Steps until the next sample of weights is due.
pub(super) fn until_sample(
    experiment: &Experiment,
    sampled: &[usize],
    trained: u64,
    learning: bool,
) -> u64 {
    let next = |index: &usize| {
        let every = experiment.weights[*index].every;
        every - trained % every
    };
    if learning {
        sampled.iter().map(next).min().unwrap_or(u64::MAX)
    } else {
        u64::MAX
    }
}

/// Sends the samples that are due after so many steps of learning.
pub(super) fn sample_weights(
    experiment: &Experiment,
    sampled: &[usize],
    state: &State,
    trained: u64,
    stage: u32,
    recorder: &mut Recorder,
) -> Result<(), RunError> {
    for index in sampled
        .iter()
        .filter(|i| trained.is_multiple_of(experiment.weights[**i].every))
    {
        send_weights(experiment, *index, state, stage, recorder)?;
    }
    Ok(())
}

/// Presynaptic × postsynaptic neurons; single weights per neuron are one row.
pub(super) fn weight_shape(program: &Program, of: Weighted) -> (usize, usize) {
    let circuit = &program.circuit;
    match of {
        Weighted::Bias(id) => (1, circuit.population(id.population).size),
        Weighted::Projection(id) => match &circuit.projections[id.0 as usize].connectivity {
            Connectivity::Dense { pre, post } => (*pre, *post),
            Connectivity::OneToOne { size } => (1, *size),
            Connectivity::Sparse(sparse) => (1, sparse.targets.len()),
            Connectivity::Convolution(c) => (c.patch(), c.output.channels),
            Connectivity::Tiling(_) => (1, 1),
        },
    }
}

/// Numbers laid out as the weights are, without their padding.
pub(super) fn unpadded(program: &Program, of: Weighted, values: &[f64]) -> Vec<f64> {
    let (rows, columns) = weight_shape(program, of);
    let row = values.len() / rows.max(1);
    let rows = values.chunks_exact(row.max(1)).take(rows);
    rows.flat_map(|row| &row[..columns]).copied().collect()
}

/// Sends a sample of weights without their padding.
pub(super) fn send_weights(
    experiment: &Experiment,
    index: usize,
    state: &State,
    stage: u32,
    recorder: &mut Recorder,
) -> Result<(), RunError> {
    let of = experiment.weights[index].of;
    let (rows, columns) = weight_shape(&experiment.program, of);
    let mut buffer = recorder.weight_buffer(index);
    let (values, row) = match of {
        Weighted::Bias(id) => {
            let at = experiment.program.layout.biases[&id];
            (Cow::Borrowed(&*state.vectors[at.0 as usize]), columns)
        }
        Weighted::Projection(id) => {
            let weights = &state.weights[id.0 as usize];
            let row = match weights {
                Weights::Dense { .. } | Weights::Single { .. } => padded(columns),
                _ => columns,
            };
            (weights.values(), row)
        }
    };
    for j in 0..rows {
        buffer.extend_from_slice(&values[j * row..j * row + columns]);
    }
    Ok(recorder.send_weights(index, stage, state.step, buffer)?)
}
