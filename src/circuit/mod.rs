//! The circuit: a petgraph graph whose nodes are populations and whose edges are projections.
//!
//! [`Circuit::build`] resolves the netlist's names, draws the connections and reports everything that
//! does not fit. What is broken is left out, so that the rest can still be checked.

pub mod connect;
pub mod draw;
pub mod grid;
mod output;
pub mod positions;
mod resolve;
pub mod sample;
mod spiking;

use indexmap::IndexMap;
use petgraph::graph::DiGraph;

use crate::netlist::model;
use crate::source::Span;
use crate::units::{Dimension, Quantity};
use connect::Connectivity;
pub use output::Output;
pub use spiking::{CircuitKind, Plateau, Receptor, SourceInput, SpikeTimes, Spiking, SpikingEnds};

/// Typed index of a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PopulationId(pub u32);

/// Typed index of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectionId(pub u32);

/// Typed index of a modulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulatorId(pub u32);

/// Typed index of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(pub u32);

/// A compartment of a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CompartmentId {
    /// The population.
    pub population: PopulationId,
    /// Which of its neuron's compartments.
    pub index: u32,
}

/// A circuit with all its names resolved.
#[derive(Debug, Clone)]
pub struct Circuit {
    /// Its name.
    pub name: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// What kind of engine it needs.
    pub kind: CircuitKind,
    /// Length of a step (ms, or plain); an event circuit may have none.
    pub step: Option<Quantity>,
    /// Copies that share weights.
    pub replicas: usize,
    /// How exactly values of neurons and weights are kept and computed.
    pub precision: model::Precision,
    /// Numbers with names.
    pub constants: IndexMap<String, Quantity>,
    /// Populations.
    pub populations: Vec<Population>,
    /// Projections.
    pub projections: Vec<Projection>,
    /// Modulators.
    pub modulators: Vec<Modulator>,
    /// Inputs.
    pub inputs: Vec<Input>,
    /// Populations as nodes, projections as edges, in the same order as the lists.
    pub graph: DiGraph<PopulationId, ProjectionId>,
    /// Names of populations and inputs that are broken and therefore missing here.
    pub left_out: Vec<String>,
}

/// A population.
#[derive(Debug, Clone)]
pub struct Population {
    /// Its name.
    pub name: String,
    /// Number of neurons.
    pub size: usize,
    /// How they lie on maps, if they do.
    pub grid: Option<grid::Grid>,
    /// Name of its neuron model.
    pub neuron: String,
    /// Paper and equations of the model.
    pub source: Option<String>,
    /// Parameters of its neurons.
    pub parameters: IndexMap<String, model::Distribution>,
    /// Compartments and other variables; a source of spikes has none.
    pub compartments: Vec<Compartment>,
    /// How its neurons spike; none in a rate circuit.
    pub spiking: Option<Spiking>,
}

/// A compartment of a population.
#[derive(Debug, Clone)]
pub struct Compartment {
    /// Its name.
    pub name: String,
    /// Its equation.
    pub dynamics: model::Dynamics,
    /// The membrane that it is, if it was given as one.
    pub membrane: Option<model::Membrane>,
    /// Its activation, `f`.
    pub activation: Option<model::Expression>,
    /// Hard bounds of its value.
    pub within: Option<model::Interval>,
    /// Value before the first step; if there is none 0, or the membrane's resting potential.
    pub start: Option<model::Distribution>,
    /// Outputs of inputs added to its drive.
    pub inputs: Vec<(InputId, Output)>,
    /// Bias added to its drive.
    pub bias: Option<model::Bias>,
    /// Unit of its value.
    pub unit: Dimension,
    /// Unit of its drive.
    pub drive_unit: Dimension,
}

/// A projection.
#[derive(Debug, Clone)]
pub struct Projection {
    /// Its name.
    pub name: String,
    /// What it reads. In an event circuit only the population counts: a source of spikes has no compartment.
    pub from: CompartmentId,
    /// What it drives.
    pub to: CompartmentId,
    /// Steps between a value and its effect; 0 in an event circuit, see `spiking`.
    pub delay: usize,
    /// Which neurons are connected.
    pub connectivity: Connectivity,
    /// How the netlist put it (`all-to-all`, …).
    pub pattern: model::Connect,
    /// Initial weights.
    pub weight: model::Distribution,
    /// How exactly weights are kept.
    pub precision: model::Precision,
    /// The projection whose weights it has, the other way.
    pub transpose_of: Option<ProjectionId>,
    /// Hard bounds of the weights.
    pub within: Option<model::Interval>,
    /// How it learns.
    pub learn: Option<model::Learn>,
    /// What it has in an event circuit.
    pub spiking: Option<SpikingEnds>,
    /// Where its target was written.
    pub span: Span,
}

/// A broadcast channel.
#[derive(Debug, Clone)]
pub struct Modulator {
    /// Its name.
    pub name: String,
    /// What sets it.
    pub drive: model::ModulatorDrive,
    /// Whether each replica has a value of its own.
    pub per_replica: bool,
    /// Value before the first step.
    pub start: f64,
}

/// An input.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Values a step.
    pub size: usize,
    /// What else it gives, and how many numbers a step: expressions read `name.latent`, `name.label`, ….
    pub outputs: Vec<(Output, usize)>,
    /// How its values are arranged, slowest first (channels, rows, columns), if they are an image.
    pub shape: Option<[usize; 3]>,
    /// Steps after which it is drawn afresh, if it is one that is drawn.
    pub hold: Option<u64>,
    /// Where its values come from.
    pub process: model::InputProcess,
}

impl Circuit {
    /// A population.
    pub fn population(&self, id: PopulationId) -> &Population {
        &self.populations[id.0 as usize]
    }

    /// A compartment.
    pub fn compartment(&self, id: CompartmentId) -> &Compartment {
        &self.population(id.population).compartments[id.index as usize]
    }

    /// A compartment as messages name it, `latent.basal`.
    pub fn compartment_name(&self, id: CompartmentId) -> String {
        let population = self.population(id.population);
        match population.compartments.get(id.index as usize) {
            Some(compartment) => format!("{}.{}", population.name, compartment.name),
            // A source of spikes.
            None => population.name.clone(),
        }
    }

    /// The dimension of time.
    pub fn time(&self) -> Dimension {
        self.step.map_or(Dimension::TIME, |step| step.dimension)
    }

    /// The length of a step; 1 ms where there are none.
    pub fn step_length(&self) -> Quantity {
        self.step.unwrap_or(Quantity::new(1.0, Dimension::TIME))
    }

    /// All compartments, population by population.
    pub fn compartments(&self) -> impl Iterator<Item = CompartmentId> + '_ {
        self.populations
            .iter()
            .enumerate()
            .flat_map(|(p, population)| {
                (0..population.compartments.len()).map(move |index| CompartmentId {
                    population: PopulationId(p as u32),
                    index: index as u32,
                })
            })
    }

    /// The population of a name.
    pub fn population_named(&self, name: &str) -> Option<PopulationId> {
        self.populations
            .iter()
            .position(|p| p.name == name)
            .map(|i| PopulationId(i as u32))
    }

    /// The compartment of a name within a population.
    pub fn compartment_named(&self, population: PopulationId, name: &str) -> Option<CompartmentId> {
        let index = self
            .population(population)
            .compartments
            .iter()
            .position(|c| c.name == name)?;
        Some(CompartmentId {
            population,
            index: index as u32,
        })
    }

    /// The modulator of a name.
    pub fn modulator_named(&self, name: &str) -> Option<ModulatorId> {
        self.modulators
            .iter()
            .position(|m| m.name == name)
            .map(|i| ModulatorId(i as u32))
    }

    /// The input of a name.
    pub fn input_named(&self, name: &str) -> Option<InputId> {
        self.inputs
            .iter()
            .position(|i| i.name == name)
            .map(|i| InputId(i as u32))
    }

    /// The output of an input that `world` or `digits.label` names, and how many numbers it gives a step.
    pub fn output_named(&self, name: &str) -> Option<(InputId, Output, usize)> {
        let (first, output) = match name.split_once('.') {
            Some((first, rest)) => (first, Output::named(rest)?),
            None => (name, Output::Values),
        };
        let id = self.input_named(first)?;
        let size = self.inputs[id.0 as usize].output(output)?;
        Some((id, output, size))
    }

    /// The steps in a length of time: rounded, at least `least`.
    pub fn steps(&self, duration: model::Duration, least: u64) -> u64 {
        match duration {
            model::Duration::Steps(n) => n.max(least),
            model::Duration::Time(time) => {
                ((time.value / self.step_length().value).round() as u64).max(least)
            }
        }
    }

    /// Whether anything adds to a compartment's drive.
    pub fn is_driven(&self, id: CompartmentId) -> bool {
        let compartment = self.compartment(id);
        compartment.bias.is_some()
            || !compartment.inputs.is_empty()
            || self.projections.iter().any(|p| p.to == id)
    }

    /// A projection.
    pub fn projection(&self, id: ProjectionId) -> &Projection {
        &self.projections[id.0 as usize]
    }

    /// Number of weights, each counted once.
    pub fn weights(&self) -> usize {
        let own = self.projections.iter().filter(|p| p.transpose_of.is_none());
        own.map(|p| p.connectivity.count()).sum()
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.populations.iter().map(|p| p.size).sum()
    }

    /// Number of synapses.
    pub fn synapses(&self) -> usize {
        self.projections
            .iter()
            .map(|p| p.connectivity.count())
            .sum()
    }
}
