//! Ports: receptors on compartments that synapses act on.

use super::kinds::kinds;
use super::limits::Limit;
use super::reader::NeuronReader;
use crate::circuit::{Circuit, PopulationId};
use crate::lang::scalar::ScalarCode;
use crate::netlist::model::ReceptorKind;
use crate::units::Dimension;

/// A receptor on a compartment.
#[derive(Debug)]
pub struct Port {
    /// Its number in the model.
    pub receptor: usize,
    /// The compartment.
    pub compartment: usize,
    pub(super) kind: PortKind,
    /// Its first state variable; a delta receptor has none.
    pub(super) first: usize,
}

#[derive(Debug)]
pub(super) enum PortKind {
    Delta,
    Exponential(ScalarCode),
    /// Rise and decay.
    Double(ScalarCode, ScalarCode),
}

impl PortKind {
    pub(super) fn variables(&self) -> usize {
        match self {
            PortKind::Delta => 0,
            PortKind::Exponential(_) => 1,
            PortKind::Double(..) => 2,
        }
    }
}

impl Port {
    /// Adds the dynamics of its states to the matrix.
    pub(super) fn fill(&self, numbers: &[f64], n: usize, a: &mut [f64]) {
        let at = |row: usize, column: usize| row * n + column;
        match &self.kind {
            PortKind::Delta => {}
            PortKind::Exponential(tau) => a[at(self.first, self.first)] = -1.0 / tau.value(numbers),
            PortKind::Double(rise, decay) => {
                // The first state is the current, which the second one feeds.
                a[at(self.first, self.first)] = -1.0 / decay.value(numbers);
                a[at(self.first, self.first + 1)] = 1.0;
                a[at(self.first + 1, self.first + 1)] = -1.0 / rise.value(numbers);
            }
        }
    }

    /// What a unit weight adds to the variables.
    pub(super) fn jump(&self, numbers: &[f64]) -> Vec<(usize, f64)> {
        match &self.kind {
            PortKind::Delta => vec![(self.compartment, 1.0)],
            PortKind::Exponential(_) => vec![(self.first, 1.0)],
            PortKind::Double(rise, decay) => {
                let peak = double_peak(1.0 / rise.value(numbers), 1.0 / decay.value(numbers));
                vec![(self.first + 1, 1.0 / peak)]
            }
        }
    }
}

/// The peak of s where s′ = −b·s + r, r′ = −a·r, s(0) = 0, r(0) = 1; an alpha function where a = b.
fn double_peak(a: f64, b: f64) -> f64 {
    let gap = a - b;
    // ln(a/b)/(a − b), without a difference of equals.
    let time = if gap.abs() < 1e-4 * a {
        let u = gap / b;
        (1.0 - u / 2.0 + u * u / 3.0 - u * u * u / 4.0) / b
    } else {
        (a / b).ln() / gap
    };
    // s(t) = e^(−bt)·(1 − e^(−(a−b)t))/(a − b), and at the peak s = r/b = e^(−at)/b.
    (-a * time).exp() / b
}

/// The receptors of a population that synapses act on.
pub(super) fn ports(
    reader: &mut NeuronReader<'_>,
    circuit: &Circuit,
    id: PopulationId,
) -> Option<Vec<Port>> {
    let spiking = circuit.population(id).spiking.as_ref()?;
    let mut used: Vec<(usize, usize)> = circuit
        .projections
        .iter()
        .filter(|p| p.to.population == id)
        .filter_map(|p| {
            p.spiking
                .as_ref()
                .map(|ends| (ends.receptor, p.to.index as usize))
        })
        .collect();
    used.sort_unstable();
    used.dedup();
    let (kinds, _) = kinds(circuit, id);
    let mut first = circuit.population(id).compartments.len();
    let mut ports = Vec::new();
    let mut whole = true;
    for (receptor, compartment) in used {
        let mut time =
            |text, what: &str| reader.limited(text, Dimension::TIME, what, Limit::Positive);
        let kind = match &spiking.receptors.get(receptor)?.kind {
            ReceptorKind::Delta => Some(PortKind::Delta),
            ReceptorKind::Exponential { tau } => {
                time(tau, "the time constant").map(PortKind::Exponential)
            }
            ReceptorKind::Alpha { tau } => {
                time(tau, "the time constant").map(|t| PortKind::Double(t.clone(), t))
            }
            ReceptorKind::DoubleExponential { rise, decay } => {
                let decay_span = decay.span;
                let times = (time(rise, "the rise time"), time(decay, "the decay time"));
                times.0.zip(times.1).map(|(rise, decay)| {
                    reader.rises_first((&rise, &decay), decay_span, &kinds);
                    PortKind::Double(rise, decay)
                })
            }
        };
        let Some(kind) = kind else {
            whole = false;
            continue;
        };
        let states = kind.variables();
        ports.push(Port {
            receptor,
            compartment,
            kind,
            first,
        });
        first += states;
    }
    whole.then_some(ports)
}
