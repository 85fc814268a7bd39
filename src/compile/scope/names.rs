//! Names, and what they mean in an equation, in a rule and in what is broadcast.

use indexmap::IndexMap;

use super::PlaceScope;
use crate::circuit::{CircuitKind, CompartmentId, Output, PopulationId, ProjectionId};
use crate::compile::reading::Reading;
use crate::lang::{Meaning, Shape};
use crate::netlist::model::{Distribution, DistributionKind, Dynamics};
use crate::units::{Dimension, Quantity};

impl PlaceScope<'_> {
    /// A name in a compartment's equation.
    pub(super) fn in_equation(&mut self, name: &str, own: CompartmentId) -> Option<Meaning> {
        let shape = self.size(own.population);
        match name {
            // A drive of nothing is 0 in every unit.
            "drive" if !self.circuit.is_driven(own) => {
                return Some(Meaning::Constant(Quantity::plain(0.0)));
            }
            "drive" => {
                let unit = self.circuit.compartment(own).drive_unit;
                return Some(self.variable(Reading::Drive(own), shape, unit));
            }
            // White noise has no events.
            "noise" if self.circuit.kind == CircuitKind::Event => return None,
            "noise" => {
                let unit = self.noise_unit(own);
                return Some(self.variable(Reading::Noise(own), shape, unit));
            }
            _ => {}
        }
        if let Some(id) = self.circuit.compartment_named(own.population, name) {
            return Some(self.value(id, shape));
        }
        if let Some(index) = self
            .circuit
            .population(own.population)
            .parameters
            .get_index_of(name)
        {
            return Some(self.parameter(own.population, index, shape));
        }
        self.broadcast(name)
    }

    /// A name in a value of a spiking neuron.
    pub(super) fn in_neuron(
        &mut self,
        name: &str,
        own: PopulationId,
        time: bool,
    ) -> Option<Meaning> {
        let shape = self.size(own);
        if let Some(id) = self.circuit.compartment_named(own, name) {
            return Some(self.value(id, shape));
        }
        let parameters = &self.circuit.population(own).parameters;
        if let Some(index) = parameters.get_index_of(name) {
            return Some(self.parameter(own, index, shape));
        }
        match self.broadcast(name) {
            None if name == "t" && time => Some(self.time()),
            None if name == "input" && time => self.own_input(own),
            found => found,
        }
    }

    /// What the input that a population of sources names gives each of them.
    fn own_input(&mut self, own: PopulationId) -> Option<Meaning> {
        let spiking = self.circuit.population(own).spiking.as_ref()?;
        let (input, output) = spiking.input?.of?;
        Some(self.variable(
            Reading::Input(input, output),
            self.size(own),
            Dimension::NONE,
        ))
    }

    /// The time since the start.
    fn time(&mut self) -> Meaning {
        self.variable(Reading::Time, Shape::Scalar, Dimension::TIME)
    }

    fn parameter(&mut self, population: PopulationId, index: usize, shape: Shape) -> Meaning {
        let (name, distribution) = match self
            .circuit
            .population(population)
            .parameters
            .get_index(index)
        {
            Some((name, distribution)) => (name.clone(), distribution),
            None => return Meaning::Constant(Quantity::plain(0.0)),
        };
        self.used.push(name);
        match constant(distribution) {
            Some(value) => Meaning::Constant(value),
            None => self.variable(
                Reading::Parameter(population, index as u32),
                shape,
                distribution.dimension,
            ),
        }
    }

    /// A name in a rule: what is at the synapse, and nothing else.
    pub(super) fn in_rule(
        &mut self,
        name: &str,
        (target, source): (CompartmentId, Option<CompartmentId>),
        weight: Dimension,
        parameters: &IndexMap<String, Option<Quantity>>,
    ) -> Option<Meaning> {
        match name {
            "pre" => {
                return Some(match source {
                    Some(source) => {
                        let unit = self.circuit.compartment(source).unit;
                        self.variable(Reading::Presynaptic, Shape::Pre, unit)
                    }
                    None => Meaning::Constant(Quantity::plain(1.0)),
                });
            }
            "w" => {
                let shape = if source.is_some() {
                    Shape::Synapse
                } else {
                    Shape::Post
                };
                return Some(self.variable(Reading::Weight, shape, weight));
            }
            "dend" => {
                let compartment = self.circuit.compartment(target);
                let (reading, unit) = match compartment.dynamics {
                    Dynamics::Value(_) => (Reading::Drive(target), compartment.drive_unit),
                    Dynamics::Derivative(_) => (Reading::Value(target), compartment.unit),
                };
                return Some(self.variable(reading, Shape::Post, unit));
            }
            _ => {}
        }
        let own = if name == "post" { "soma" } else { name };
        if let Some(id) = self.circuit.compartment_named(target.population, own) {
            return Some(self.value(id, Shape::Post));
        }
        if let Some(Some(quantity)) = parameters.get(name) {
            self.used.push(name.to_owned());
            return Some(Meaning::Constant(*quantity));
        }
        self.broadcast(name)
    }

    /// A name in a modulator, measure or recording.
    pub(super) fn in_broadcast(&mut self, path: &[String]) -> Option<Meaning> {
        let (first, rest) = path.split_first()?;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        if let Some(population) = self.circuit.population_named(first) {
            let shape = self.size(population);
            let compartment = |name: &str| self.circuit.compartment_named(population, name);
            return match rest.as_slice() {
                [] => compartment("soma").map(|id| self.value(id, shape)),
                [name] => compartment(name).map(|id| self.value(id, shape)),
                [name, "drive"] => compartment(name).map(|id| {
                    let unit = self.circuit.compartment(id).drive_unit;
                    self.variable(Reading::Drive(id), shape, unit)
                }),
                _ => None,
            };
        }
        if let Some(id) = self.circuit.input_named(first) {
            let input = &self.circuit.inputs[id.0 as usize];
            let output = match rest.as_slice() {
                [] => Output::Values,
                [name] => Output::named(name)?,
                _ => return None,
            };
            let shape = Shape::Vector(input.output(output)? as u32);
            return Some(self.variable(Reading::Input(id, output), shape, Dimension::NONE));
        }
        match rest.as_slice() {
            [] => match self.broadcast(first) {
                None if first == "t" && self.circuit.kind == CircuitKind::Event => {
                    Some(self.time())
                }
                found => found,
            },
            ["current"] => {
                let mut all = self.circuit.projections.iter();
                let at = all.position(|projection| projection.name == *first)?;
                let to = self.circuit.projections[at].to;
                let unit = self.circuit.compartment(to).drive_unit;
                let reading = Reading::Current(ProjectionId(at as u32));
                Some(self.variable(reading, self.size(to.population), unit))
            }
            _ => None,
        }
    }
}

/// The number that a distribution always gives, if there is only one.
fn constant(distribution: &Distribution) -> Option<Quantity> {
    match distribution.kind {
        DistributionKind::Constant(value) => Some(Quantity::new(value, distribution.dimension)),
        _ => None,
    }
}
