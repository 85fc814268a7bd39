//! Voltages that rules read, from a neuron's state.

use crate::engine::event::linear::Modes;
use crate::engine::event::linear::exp::exp;
use crate::plasticity::LazyRule;

/// Voltages that a rule reads, from a state.
#[inline]
pub(super) fn read_voltages(
    traces: &LazyRule,
    modes: &Modes,
    y: &[f64],
    into: &mut [f64; 16],
) -> usize {
    let mut count = 0;
    for (voltage, compartment) in into.iter_mut().zip(traces.post_reads()) {
        *voltage = read(modes, y, compartment as usize);
        count += 1;
    }
    count
}

#[inline]
fn read(modes: &Modes, y: &[f64], variable: usize) -> f64 {
    modes
        .row(variable)
        .iter()
        .zip(y)
        .map(|(r, y)| r * y)
        .sum::<f64>()
        + modes.offset(variable)
}

/// Voltages `offset` ms after a state.
pub(super) fn voltages_at(modes: &Modes, y: &[f64], offset: f64, reads: &[u32], into: &mut [f64]) {
    if modes.is_scalar() {
        for (voltage, compartment) in into.iter_mut().zip(reads) {
            *voltage = decayed(modes, y, offset, *compartment as usize);
        }
        return;
    }
    let mut later = [0.0; 64];
    let later = &mut later[..y.len()];
    later.copy_from_slice(y);
    modes.advance(later, offset);
    for (voltage, compartment) in into.iter_mut().zip(reads) {
        *voltage = read(modes, later, *compartment as usize);
    }
}

/// A variable `offset` ms after a state, if all modes are single exponentials: only those count that move it.
#[inline]
fn decayed(modes: &Modes, y: &[f64], offset: f64, variable: usize) -> f64 {
    let mut value = modes.offset(variable);
    for ((row, y), rate) in modes.row(variable).iter().zip(y).zip(modes.rates()) {
        let now = row * y;
        if now.abs() > 0.0 {
            value += now * exp(-rate * offset);
        }
    }
    value
}
