//! What names mean in each place: this is where locality is enforced.

mod names;

use indexmap::IndexMap;

use crate::circuit::{Circuit, CircuitKind, CompartmentId, ModulatorId, PopulationId};
use crate::compile::reading::{Counter, Reading, Signal};
use crate::lang::ast::Ast;
use crate::lang::scope::Counted;
use crate::lang::{Meaning, Refusal, Scope, Shape};
use crate::netlist::model::{Dynamics, Name};
use crate::units::{Dimension, Quantity};

/// Time constant of the window in which `rate(population)` counts if none is given (ms).
const RATE_WINDOW_MS: f64 = 100.0;

/// Where an expression stands.
pub enum Place<'c> {
    /// The equation of a compartment.
    Equation(CompartmentId),
    /// A value of a spiking neuron's own: a threshold, a reset, a time constant, the condition of a burst.
    Neuron {
        /// Its population.
        population: PopulationId,
        /// Whether time, `t`, may be read: in the rate of a source of spikes.
        time: bool,
    },
    /// A plasticity rule on a projection, or on a bias (no source).
    Rule {
        /// The compartment its synapses sit on.
        target: CompartmentId,
        /// What they carry; `None` for a bias.
        source: Option<CompartmentId>,
        /// Dimension of the weight.
        weight: Dimension,
        /// Its parameters; `None` where the projection should have given one.
        parameters: &'c IndexMap<String, Option<Quantity>>,
    },
    /// A plasticity rule on a projection between spiking neurons, in continuous time (ms).
    SpikingRule {
        /// The compartment its synapses sit on.
        target: CompartmentId,
        /// The population whose events they carry.
        source: PopulationId,
        /// Dimension of the weight.
        weight: Dimension,
        /// Its parameters; `None` where the projection should have given one.
        parameters: &'c IndexMap<String, Option<Quantity>>,
    },
    /// A modulator, a measure or a recording: whole populations may be read.
    Broadcast,
}

/// The scope of one expression.
pub struct PlaceScope<'c> {
    /// The circuit.
    pub circuit: &'c Circuit,
    /// Where the expression stands.
    pub place: Place<'c>,
    /// The activation that `f` means.
    pub activation: Option<Ast>,
    /// What its symbols read, filled as names are met.
    pub readings: Vec<Reading>,
    /// Names of parameters that were read.
    pub used: Vec<String>,
    /// In a rule, what modulators are called in the circuit, where they have other names.
    pub modulators: Option<&'c IndexMap<String, Name>>,
}

impl<'c> PlaceScope<'c> {
    /// The scope of a place.
    pub fn new(circuit: &'c Circuit, place: Place<'c>, activation: Option<Ast>) -> Self {
        PlaceScope {
            circuit,
            place,
            activation,
            readings: Vec::new(),
            used: Vec::new(),
            modulators: None,
        }
    }

    /// The scope of a rule whose modulators have other names in the circuit.
    pub(super) fn calling(self, modulators: &'c IndexMap<String, Name>) -> Self {
        PlaceScope {
            modulators: Some(modulators),
            ..self
        }
    }

    /// The modulator of a name.
    fn modulator(&mut self, name: &str) -> Option<ModulatorId> {
        let own = self.modulators.and_then(|modulators| modulators.get(name));
        if own.is_some() {
            self.used.push(name.to_owned());
        }
        self.circuit
            .modulator_named(own.map_or(name, |own| &own.value))
    }

    pub(super) fn variable(
        &mut self,
        reading: Reading,
        shape: Shape,
        dimension: Dimension,
    ) -> Meaning {
        let index = self
            .readings
            .iter()
            .position(|r| *r == reading)
            .unwrap_or_else(|| {
                self.readings.push(reading);
                self.readings.len() - 1
            });
        Meaning::Variable {
            symbol: index as u32,
            shape,
            dimension,
        }
    }

    pub(super) fn value(&mut self, id: CompartmentId, shape: Shape) -> Meaning {
        let unit = self.circuit.compartment(id).unit;
        self.variable(Reading::Value(id), shape, unit)
    }

    /// Whether an input has changed: in circuits of spiking neurons.
    fn input_changed(&mut self, name: &str) -> Result<Meaning, Refusal> {
        let event = self.circuit.kind == CircuitKind::Event;
        match self.circuit.input_named(name) {
            Some(id) if event && matches!(self.place, Place::Broadcast) => {
                Ok(self.variable(Reading::InputChanged(id), Shape::Scalar, Dimension::NONE))
            }
            found => Err(self.no_change(name, found.is_some())),
        }
    }

    fn size(&self, population: PopulationId) -> Shape {
        Shape::Vector(self.circuit.population(population).size as u32)
    }

    /// What is the same everywhere: a modulator, or a constant of the netlist.
    pub(super) fn broadcast(&mut self, name: &str) -> Option<Meaning> {
        if let Some(quantity) = self.circuit.constants.get(name) {
            return Some(Meaning::Constant(*quantity));
        }
        let id = self.modulator(name)?;
        Some(self.variable(Reading::Modulator(id), Shape::Scalar, Dimension::NONE))
    }

    /// Unit normal for an assignment; white noise, 1/√time, for a differential equation.
    pub(super) fn noise_unit(&self, own: CompartmentId) -> Dimension {
        match self.circuit.compartment(own).dynamics {
            Dynamics::Value(_) => Dimension::NONE,
            Dynamics::Derivative(_) => {
                let time = self.circuit.time();
                Dimension::NONE / time.sqrt().unwrap_or_default()
            }
        }
    }
}

impl Scope for PlaceScope<'_> {
    fn name(&mut self, path: &[String]) -> Result<Meaning, Refusal> {
        let single = path.first().filter(|_| path.len() == 1);
        let found = match (&self.place, single) {
            (Place::Neuron { population, time }, Some(name)) => {
                let (population, time) = (*population, *time);
                self.in_neuron(name, population, time)
            }
            (Place::Equation(own), Some(name)) => {
                let own = *own;
                self.in_equation(name, own)
            }
            (
                Place::Rule {
                    target,
                    source,
                    weight,
                    parameters,
                },
                Some(name),
            ) => {
                let (ends, weight, parameters) = ((*target, *source), *weight, *parameters);
                self.in_rule(name, ends, weight, parameters)
            }
            (Place::SpikingRule { .. }, _) => self.in_spiking_rule(path),
            (Place::Broadcast, _) => self.in_broadcast(path),
            _ => None,
        };
        found.ok_or_else(|| self.refuse(path))
    }

    fn changed(&mut self, path: &[String]) -> Result<Meaning, Refusal> {
        let name = path.join(".");
        if matches!(self.place, Place::SpikingRule { .. }) {
            return Err(self.no_steps());
        }
        match self.modulator(&name) {
            Some(id) => Ok(self.variable(Reading::Changed(id), Shape::Scalar, Dimension::NONE)),
            None => self.input_changed(&name),
        }
    }

    fn rate(
        &mut self,
        path: &[String],
        counted: Counted,
        window: Option<f64>,
    ) -> Result<Meaning, Refusal> {
        let name = path.join(".");
        if !matches!(self.place, Place::Broadcast) || self.circuit.kind == CircuitKind::Rate {
            return Err(self.no_rate());
        }
        match self.circuit.population_named(&name) {
            Some(id) => {
                let signal = match counted {
                    Counted::Spikes => Signal::Spike,
                    Counted::Events => Signal::Event,
                    Counted::Bursts => Signal::Burst,
                };
                let counter = Counter::new(id, signal, window.unwrap_or(RATE_WINDOW_MS));
                Ok(self.variable(Reading::Rate(counter), Shape::Scalar, Dimension::RATE))
            }
            None => Err(self.no_population(&name)),
        }
    }

    fn plateau(&mut self, path: &[String]) -> Result<Meaning, Refusal> {
        let name = path.join(".");
        let Place::Neuron { population, .. } = self.place else {
            return Err(self.no_plateau());
        };
        let id = self.circuit.compartment_named(population, &name);
        let has = |id: &CompartmentId| {
            let spiking = self.circuit.population(population).spiking.as_ref();
            spiking.is_some_and(|s| s.plateaus.iter().any(|p| p.compartment == id.index))
        };
        match id.filter(has) {
            Some(id) => {
                let shape = self.size(population);
                Ok(self.variable(Reading::Plateau(id), shape, Dimension::NONE))
            }
            None => Err(self.no_such_plateau(&name, population)),
        }
    }

    fn activation(&self) -> Option<Ast> {
        self.activation.clone()
    }

    fn reductions(&self) -> Result<(), Refusal> {
        match &self.place {
            Place::Broadcast => Ok(()),
            Place::Rule { .. }
            | Place::SpikingRule { .. }
            | Place::Equation(_)
            | Place::Neuron { .. } => Err(self.no_reduction()),
        }
    }

    fn step(&self) -> Quantity {
        match self.place {
            Place::SpikingRule { .. } => Quantity::new(1.0, Dimension::TIME),
            // What is sampled has steps of its own; times are in ms.
            Place::Broadcast if self.circuit.kind == CircuitKind::Event => {
                Quantity::new(1.0, Dimension::TIME)
            }
            _ => self.circuit.step_length(),
        }
    }

    fn continuous(&self) -> bool {
        matches!(self.place, Place::SpikingRule { .. })
    }

    fn psp(&mut self, train: &[String]) -> Result<Meaning, Refusal> {
        self.response(train)
    }
}
