//! The rules of projections between spiking neurons, compiled.

use std::sync::Arc;

use super::program::NeuronProgram;
use crate::circuit::{Circuit, Projection};
use crate::compile::expressions::Reader;
use crate::engine::event::broadcast::Broadcast;
use crate::engine::event::linear::Modes;
use crate::netlist::model::{DistributionKind, LEAST_INTERVAL, Netlist};
use crate::plasticity::PlasticRule;
use crate::source::Problem;

/// The rule of each projection, if it learns.
pub(super) fn rules(
    netlist: &Netlist,
    circuit: &Circuit,
    populations: &[NeuronProgram],
) -> Result<Vec<Option<Arc<PlasticRule>>>, Vec<Problem>> {
    let mut reader = Reader {
        netlist,
        circuit,
        problems: vec![],
    };
    let rules = circuit
        .projections
        .iter()
        .map(|p| rule(&mut reader, p, populations))
        .collect();
    match reader.problems.is_empty() {
        true => Ok(rules),
        false => Err(reader.problems),
    }
}

fn rule(
    reader: &mut Reader<'_>,
    p: &Projection,
    populations: &[NeuronProgram],
) -> Option<Arc<PlasticRule>> {
    let learn = p.learn.as_ref()?;
    let expr = reader.rule(p.to, Some(p.from), p.weight.dimension, learn)?;
    let ends = p.spiking.as_ref()?;
    let mut refuse = |message: &str, help: &str| {
        let problem = Problem::new(message, learn.rule.span, "this rule");
        reader.problems.push(problem.help(help));
    };
    if !matches!(ends.delay.kind, DistributionKind::Constant(_)) {
        refuse(
            "synapses that learn have one delay in common",
            "give the projection one delay, or make a projection for each of a few delays",
        );
        return None;
    }
    let NeuronProgram::Dynamic(target) = &populations[p.to.population.0 as usize] else {
        return None;
    };
    let port = target.port(ends.receptor, p.to.index as usize)? as usize;
    let start = Broadcast::new(reader.circuit);
    let mut values: Vec<f64> = target
        .modulators
        .iter()
        .map(|id| start.values()[id.0 as usize])
        .collect();
    let instances = target.instances(&values);
    let instance = instances.first()?;
    let modes = Modes::new(&instance.system).ok()?;
    let kernel = kernel(&modes, p.to.index as usize, &instance.ports[port]);
    let within = p.within.as_ref().map(|w| [w.low, w.high]);
    // A rule without psp(…) is the same without the response.
    if kernel.is_some() && PlasticRule::new(&expr, None, within).is_err() {
        values.iter_mut().for_each(|value| *value += 1.0);
        let others = instances[1..]
            .iter()
            .cloned()
            .chain(target.instances(&values));
        for other in others {
            let response = Modes::new(&other.system)
                .ok()
                .and_then(|modes| self::kernel(&modes, p.to.index as usize, &other.ports[port]));
            if !alike(kernel.as_deref(), response.as_deref()) {
                refuse(
                    "the response to a spike is not the same in all neurons and at all times",
                    "psp(…) needs one response: the same capacitance, conductances and time constants for all \
                     neurons, and no modulator among them where the synapse's compartment feels it",
                );
                return None;
            }
        }
    }
    match PlasticRule::new(&expr, kernel.as_deref(), within) {
        Ok(rule) if ends.dendritic_delay_ms > 0.0 && rule.follows_voltages() => {
            refuse(
                "a rule that follows voltages sees them where they are, without a dendritic delay",
                "leave `dendritic-delay` out, or use a rule of events and their traces",
            );
            None
        }
        Ok(mut rule) => {
            let read: Vec<u32> = rule.traces().post_reads().collect();
            let fastest = fastest(&modes, &read);
            let quickest = (1.0 / fastest).min(rule.traces().shortest_interval());
            if quickest < LEAST_INTERVAL {
                refuse(
                    "the synapses would have to be visited without end: a time constant that the rule follows is too short",
                    "give filters and neurons time constants of 1 us or more",
                );
                return None;
            }
            if fastest > 0.0 {
                rule.limit_interval(1.0 / fastest);
            }
            Some(Arc::new(rule))
        }
        Err(why) => {
            refuse(
                &format!("rule `{}` cannot be used: {why}", learn.rule.value),
                "see the guide, Rules for spikes",
            );
            None
        }
    }
}

/// Whether two responses are the same, but for rounding.
fn alike(a: Option<&[(f64, f64)]>, b: Option<&[(f64, f64)]>) -> bool {
    let (Some(a), Some(b)) = (a, b) else {
        return false;
    };
    let near = |x: f64, y: f64| (x - y).abs() <= 1e-9 * x.abs().max(y.abs());
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| near(a.0, b.0) && near(a.1, b.1))
}

/// The fastest rate (1/ms) at which these variables change. What drives others and is not driven back has fewer modes than
/// the neuron: a dendrite that acts on its soma one way only does not follow the soma's conductances.
fn fastest(modes: &Modes, variables: &[u32]) -> f64 {
    let mut fastest = 0.0_f64;
    for variable in variables {
        let row = modes.row(*variable as usize);
        let largest = row.iter().map(|r| r.abs()).fold(0.0, f64::max);
        for (part, rate) in row.iter().zip(modes.rates()) {
            if part.abs() > 1e-12 * largest {
                fastest = fastest.max(*rate);
            }
        }
    }
    fastest
}

/// The response of a compartment to a unit weight, as exponentials: amplitudes and rates (1/ms).
fn kernel(modes: &Modes, compartment: usize, port: &[(usize, f64)]) -> Option<Vec<(f64, f64)>> {
    if !modes.is_scalar() {
        return None;
    }
    let mut amplitudes = vec![0.0; modes.len()];
    for (variable, amount) in port {
        let parts = modes.row(compartment).iter().zip(modes.column(*variable));
        amplitudes
            .iter_mut()
            .zip(parts)
            .for_each(|(a, (row, column))| *a += amount * row * column);
    }
    let largest = amplitudes.iter().map(|a| a.abs()).fold(0.0, f64::max);
    let kernel = amplitudes.into_iter().zip(modes.rates().iter().copied());
    // A mode that the synapse does not move at all is no part of its response.
    Some(
        kernel
            .filter(|(amplitude, _)| amplitude.abs() > 1e-14 * largest)
            .collect(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::event::linear::System;

    /// A soma (0.5 ms) that a dendrite (10 ms) and its synapse (3 ms) drive, one way or both.
    fn modes(back: f64) -> Modes {
        let a = vec![
            -2.0,
            1.9,
            0.0,
            back,
            -0.1 - back,
            0.01,
            0.0,
            0.0,
            -1.0 / 3.0,
        ];
        let system = System {
            n: 3,
            a,
            b: vec![0.0; 3],
        };
        Modes::new(&system).unwrap()
    }

    #[test]
    fn a_dendrite_does_not_follow_a_soma_that_does_not_drive_it() {
        let one_way = modes(0.0);
        assert!((fastest(&one_way, &[1]) - 1.0 / 3.0).abs() < 1e-12);
        assert!((fastest(&one_way, &[0, 1]) - 2.0).abs() < 1e-12);
        assert!(fastest(&modes(0.5), &[1]) > 2.0);
        assert!(fastest(&one_way, &[]).abs() < f64::MIN_POSITIVE);
    }
}
