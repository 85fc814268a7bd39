//! Checks of what spiking neurons are made of: names and units of every value, before anything is compiled.

use super::expressions::{misfit, read};
use super::scope::{Place, PlaceScope};
use crate::circuit::{Circuit, CompartmentId, Population, PopulationId, Spiking};
use crate::lang::Shape;
use crate::netlist::model::{
    BurstKind, Dynamics, Expression, ModulatorDrive, ReceptorKind, SpikeTrigger,
};
use crate::source::Problem;
use crate::units::Dimension;

/// Everything that is wrong with the values of a circuit's spiking neurons and with its computed modulators; a
/// mistake of a model that several populations use comes once.
pub fn check_neurons(circuit: &Circuit) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, population) in circuit.populations.iter().enumerate() {
        if let Some(spiking) = &population.spiking {
            let mut check = Check {
                circuit,
                population: PopulationId(index as u32),
                problems: Vec::new(),
            };
            check.membranes(population);
            check.spikes(population, spiking);
            check.events(spiking);
            problems.extend(check.problems);
        }
    }
    for modulator in &circuit.modulators {
        if let ModulatorDrive::Value { of, .. } = &modulator.drive {
            problems.extend(modulator_problems(circuit, of));
        }
    }
    super::expressions::without_repeats(problems)
}

fn modulator_problems(circuit: &Circuit, of: &Expression) -> Vec<Problem> {
    match read(of, PlaceScope::new(circuit, Place::Broadcast, None)) {
        Err(problems) => problems,
        Ok((expr, _)) => {
            let vector = match expr.formula.shape() {
                Shape::Vector(size) => {
                    let message = format!("a modulator is one number, this is {size}");
                    let problem = Problem::new(message, expr.span, "a vector");
                    Some(problem.help("reduce it with sum(…) or mean(…)"))
                }
                _ => None,
            };
            let units = misfit(&expr, Dimension::NONE, "a modulator");
            vector.into_iter().chain(units).collect()
        }
    }
}

/// The values of one population's neurons.
struct Check<'c> {
    circuit: &'c Circuit,
    population: PopulationId,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// One value, what it is and its unit.
    fn value(&mut self, text: &Expression, what: &str, unit: Dimension) {
        self.value_in_time(text, what, unit, false);
    }

    fn value_in_time(&mut self, text: &Expression, what: &str, unit: Dimension, time: bool) {
        let place = Place::Neuron {
            population: self.population,
            time,
        };
        self.expression(text, what, unit, place);
    }

    fn expression(&mut self, text: &Expression, what: &str, unit: Dimension, place: Place<'_>) {
        match read(text, PlaceScope::new(self.circuit, place, None)) {
            Ok((expr, _)) => {
                let fixed = expr.formula.graph.constant(expr.formula.root).is_some();
                let problem = misfit(&expr, unit, what).map(|problem| match unit {
                    Dimension::NONE => problem.help("compare it, such as soma > -50 mV"),
                    _ if fixed => problem.help(format!("write it {}", unit.in_words())),
                    _ => problem,
                });
                self.problems.extend(problem);
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// The pieces of membranes, and derivatives that are written out.
    fn membranes(&mut self, population: &Population) {
        for (index, compartment) in population.compartments.iter().enumerate() {
            let id = CompartmentId {
                population: self.population,
                index: index as u32,
            };
            match (&compartment.membrane, &compartment.dynamics) {
                (Some(membrane), _) => {
                    self.value(
                        &membrane.capacitance,
                        "a capacitance",
                        Dimension::CAPACITANCE,
                    );
                    self.value(&membrane.leak, "a leak", Dimension::CONDUCTANCE);
                    self.value(&membrane.rest, "a resting potential", Dimension::VOLTAGE);
                    if let Some(current) = &membrane.current {
                        self.value(current, "a current", Dimension::CURRENT);
                    }
                    if let Some(coupling) = &membrane.couples {
                        self.value(&coupling.by, "a coupling", Dimension::CONDUCTANCE);
                    }
                }
                (None, Dynamics::Derivative(text)) => {
                    let unit = compartment.unit / Dimension::TIME;
                    self.expression(text, "this derivative", unit, Place::Equation(id));
                }
                (None, Dynamics::Value(_)) => {}
            }
        }
    }

    /// What makes a neuron spike, and what a spike does.
    fn spikes(&mut self, population: &Population, spiking: &Spiking) {
        match &spiking.trigger {
            SpikeTrigger::When(condition) => self.value(condition, "a condition", Dimension::NONE),
            SpikeTrigger::Rate(rate) => self.value_in_time(rate, "a rate", Dimension::RATE, true),
            SpikeTrigger::Every { interval, from } => {
                self.value(interval, "an interval", Dimension::TIME);
                if let Some(from) = from {
                    self.value(from, "the time of the first spike", Dimension::TIME);
                }
            }
            SpikeTrigger::Given => {}
        }
        for (index, value) in spiking.reset.iter().chain(&spiking.add) {
            if let Some(compartment) = population.compartments.get(*index as usize) {
                let what = format!("what `{}` is given at a spike", compartment.name);
                self.value(value, &what, compartment.unit);
            }
        }
        if let Some(time) = &spiking.refractory {
            self.value(time, "refractoriness", Dimension::TIME);
        }
    }

    /// Bursts, plateaus and receptors.
    fn events(&mut self, spiking: &Spiking) {
        match spiking.burst.as_ref().map(|burst| &burst.kind) {
            Some(BurstKind::When {
                condition,
                interval,
                ..
            }) => {
                self.value(condition, "a condition", Dimension::NONE);
                self.value(interval, "an interval", Dimension::TIME);
            }
            Some(BurstKind::Within(time)) => {
                self.value(time, "the length of an interval", Dimension::TIME)
            }
            None => {}
        }
        for plateau in &spiking.plateaus {
            self.value(&plateau.when, "a condition", Dimension::NONE);
            self.value(&plateau.current, "a current", Dimension::CURRENT);
            self.value(&plateau.duration, "a duration", Dimension::TIME);
        }
        for receptor in &spiking.receptors {
            let times = match &receptor.kind {
                ReceptorKind::Delta => vec![],
                ReceptorKind::Exponential { tau } | ReceptorKind::Alpha { tau } => vec![tau],
                ReceptorKind::DoubleExponential { rise, decay } => vec![rise, decay],
            };
            for time in times {
                self.value(time, "a time constant", Dimension::TIME);
            }
        }
    }
}
