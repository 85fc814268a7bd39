//! Where in memory everything of a simulation lives.

use std::collections::{BTreeMap, HashMap};

use super::kernel::{ScalarId, VectorId, VectorRef};
use super::reading::{Expr, Reading};
use super::room::Room;
use crate::circuit::{
    Circuit, CompartmentId, InputId, ModulatorId, Output, PopulationId, ProjectionId, sample,
};
use crate::lang::vm::padded;
use crate::lang::{FilterKind, Shape};
use crate::netlist::model::{Dynamics, ModulatorDrive};
use crate::vector::Vector;

/// A vector of noise or input that the sources deliver at every step.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Unit normal deviates for a compartment, `length` a step.
    Noise {
        /// Name of the random stream.
        name: String,
        /// Numbers a step.
        length: usize,
    },
    /// What an input gives.
    Input(InputId, Output),
}

/// Where a filter keeps its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FilterPlace {
    /// One number, and the ring of earlier ones if it looks back.
    Scalar {
        /// The number.
        value: ScalarId,
        /// The ring and its depth.
        ring: Option<(VectorId, u32)>,
    },
    /// A vector, or a ring of `depth` vectors.
    Vector {
        /// The vector or ring.
        state: VectorId,
        /// Depth; 1 for a filter that smooths.
        depth: u32,
    },
    /// One number for each replica, and the ring of earlier ones (all replicas' of a step beside each other).
    Replicas {
        /// The first number.
        value: ScalarId,
        /// The ring and its depth.
        ring: Option<(VectorId, u32)>,
    },
    /// A number per synapse, in the state of the projection: its n-th.
    Synapse(u32),
}

/// Places of everything, and what it holds before the first step.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Copies that share weights.
    pub replicas: usize,
    /// Initial vectors.
    pub vectors: Vec<Vector>,
    /// For each of them how often it holds a row for every replica: 1, or as many as a ring is deep; 0 if it is the same for all.
    pub slots: Vec<u32>,
    /// Initial scalars.
    pub scalars: Vec<f64>,
    /// What the sources deliver.
    pub sources: Vec<Source>,
    /// Values of compartments.
    pub values: HashMap<CompartmentId, VectorId>,
    /// Drives of compartments.
    pub drives: HashMap<CompartmentId, VectorId>,
    /// Biases of compartments (one replica's length).
    pub biases: HashMap<CompartmentId, VectorId>,
    /// What single projections deliver, of those that are looked at.
    pub currents: BTreeMap<ProjectionId, VectorId>,
    /// Parameters that differ from neuron to neuron.
    pub parameters: HashMap<(PopulationId, u32), VectorId>,
    /// Rings of earlier values, and their depth.
    pub rings: HashMap<CompartmentId, (VectorId, u32)>,
    /// Modulators of which each replica has a value: the first value, and whether it has changed, of each.
    pub per_replica: HashMap<ModulatorId, (ScalarId, ScalarId)>,
    /// What memory there is for all this. Vectors that do not fit into it are empty.
    pub room: Room,
}

/// Which numbers of an expression each replica has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Those that depend on a modulator that it has of its own: in equations and rules.
    Dependent,
    /// All: in a modulator of which each replica has a value.
    All,
    /// None: in other modulators, measures and recordings, which read means over replicas.
    Means,
}

impl Layout {
    /// The places of a circuit's compartments, parameters and modulators.
    pub fn new(circuit: &Circuit) -> Layout {
        let mut layout = Layout {
            replicas: circuit.replicas,
            ..Layout::default()
        };
        for modulator in &circuit.modulators {
            let computed = matches!(modulator.drive, ModulatorDrive::Value { .. });
            layout.scalar(if computed { modulator.start } else { 0.0 });
        }
        for _ in &circuit.modulators {
            layout.scalar(0.0);
        }
        for (index, modulator) in circuit.modulators.iter().enumerate() {
            if modulator.per_replica {
                let values = layout.block(modulator.start);
                let changed = layout.block(0.0);
                let id = ModulatorId(index as u32);
                layout.per_replica.insert(id, (values, changed));
            }
        }
        for id in circuit.compartments() {
            layout.compartment(circuit, id);
        }
        for (p, population) in circuit.populations.iter().enumerate() {
            for (k, (name, distribution)) in population.parameters.iter().enumerate() {
                let stream = format!("parameter {}.{name}", population.name);
                let id = layout.replicated(population.size, || {
                    sample::draw_all(distribution, population.size, circuit.seed, &stream)
                });
                layout
                    .parameters
                    .insert((PopulationId(p as u32), k as u32), id);
            }
        }
        for projection in circuit.projections.iter().filter(|p| p.delay > 0) {
            let depth = layout
                .rings
                .get(&projection.from)
                .map_or(0, |(_, depth)| *depth)
                .max(projection.delay as u32);
            layout.rings.insert(projection.from, (VectorId(0), depth));
        }
        let mut delayed: Vec<_> = layout
            .rings
            .iter()
            .map(|(id, (_, depth))| (*id, *depth))
            .collect();
        delayed.sort_unstable();
        for (id, depth) in delayed {
            let value = layout.vectors[layout.values[&id].0 as usize].clone();
            let length = value.len().saturating_mul(depth as usize);
            let ring = layout.filled(length, depth, || value.repeat(depth as usize));
            layout.rings.insert(id, (ring, depth));
        }
        layout
    }

    fn compartment(&mut self, circuit: &Circuit, id: CompartmentId) {
        let population = circuit.population(id.population);
        let compartment = circuit.compartment(id);
        let name = circuit.compartment_name(id);
        let drawn = |what: &str, distribution| {
            sample::draw_all(
                distribution,
                population.size,
                circuit.seed,
                &format!("{what} {name}"),
            )
        };
        let all = self.replicas.saturating_mul(padded(population.size));
        let value = match &compartment.start {
            Some(start) => self.replicated(population.size, || drawn("start", start)),
            None => self.zeros(all, 1),
        };
        self.values.insert(id, value);
        let drive = self.zeros(all, 1);
        self.drives.insert(id, drive);
        if let Some(bias) = &compartment.bias {
            let length = padded(population.size);
            let id_of_bias = self.filled(length, 0, || {
                let mut values = drawn("bias", &bias.start);
                values.resize(length, 0.0);
                values
            });
            self.biases.insert(id, id_of_bias);
        }
        let text = match &compartment.dynamics {
            Dynamics::Value(text) | Dynamics::Derivative(text) => &text.value,
        };
        if text.contains("noise") {
            self.sources.push(Source::Noise {
                name: format!("noise {name}"),
                length: all,
            });
        }
    }

    fn scalar(&mut self, value: f64) -> ScalarId {
        self.scalars.push(value);
        ScalarId((self.scalars.len() - 1) as u32)
    }

    /// One number for each replica; the first of them.
    fn block(&mut self, value: f64) -> ScalarId {
        let first = ScalarId(self.scalars.len() as u32);
        self.scalars
            .extend(std::iter::repeat_n(value, self.replicas));
        first
    }

    /// A vector of so many zeros, with what [`Layout::slots`] says of it.
    pub(super) fn zeros(&mut self, length: usize, slots: u32) -> VectorId {
        let length = if self.room.take(length) { length } else { 0 };
        self.vector(Vector::zeros(length), slots)
    }

    /// A vector of so many values, which are made if there is room for them, with what [`Layout::slots`] says of it.
    fn filled(&mut self, length: usize, slots: u32, values: impl FnOnce() -> Vec<f64>) -> VectorId {
        let values = if self.room.take(length) {
            values()
        } else {
            vec![]
        };
        self.vector(values.into(), slots)
    }

    /// A vector for which there is room, with what [`Layout::slots`] says of it.
    fn vector(&mut self, values: Vector, slots: u32) -> VectorId {
        self.vectors.push(values);
        self.slots.push(slots);
        VectorId((self.vectors.len() - 1) as u32)
    }

    /// A vector of `size` values, padded and repeated for each replica. The padding repeats the last value: a time constant of 0
    /// there would fill it with NaN.
    fn replicated(&mut self, size: usize, values: impl FnOnce() -> Vec<f64>) -> VectorId {
        let replicas = self.replicas;
        self.filled(replicas.saturating_mul(padded(size)), 1, || {
            let mut one = values();
            one.resize(padded(size), one.last().copied().unwrap_or(0.0));
            one.repeat(replicas)
        })
    }

    /// Makes sure that the sources deliver something, and says where.
    fn source(&mut self, source: Source) {
        if !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }

    /// Sources and currents that an expression reads.
    pub fn add_sources(&mut self, circuit: &Circuit, expr: &Expr) {
        for reading in &expr.readings {
            match reading {
                Reading::Current(id) if !self.currents.contains_key(id) => {
                    let to = circuit.projections[id.0 as usize].to;
                    let length = self.vectors[self.drives[&to].0 as usize].len();
                    let at = self.zeros(length, 1);
                    self.currents.insert(*id, at);
                }
                Reading::Input(id, output) => self.source(Source::Input(*id, *output)),
                _ => {}
            }
        }
    }

    /// Makes what an input gives available.
    pub fn add_input(&mut self, (id, output): (InputId, Output)) {
        self.source(Source::Input(id, output));
    }

    /// The source of a compartment's noise.
    pub(super) fn noise(&self, circuit: &Circuit, id: CompartmentId) -> Option<u32> {
        let wanted = format!("noise {}", circuit.compartment_name(id));
        let at = self
            .sources
            .iter()
            .position(|s| matches!(s, Source::Noise { name, .. } if *name == wanted))?;
        Some(at as u32)
    }

    /// The source of an input.
    pub fn source_of(&self, wanted: &Source) -> Option<u32> {
        self.sources
            .iter()
            .position(|s| s == wanted)
            .map(|at| at as u32)
    }

    /// The modulator's number.
    pub fn modulator(&self, id: ModulatorId) -> ScalarId {
        ScalarId(id.0)
    }

    /// Whether the modulator has changed.
    pub fn changed(&self, circuit: &Circuit, id: ModulatorId) -> ScalarId {
        ScalarId(circuit.modulators.len() as u32 + id.0)
    }

    /// Places for an expression's filters; `ends` are the sizes of a rule's two populations.
    pub fn filters(
        &mut self,
        circuit: &Circuit,
        expr: &Expr,
        (ends, own): ((usize, usize), Own),
    ) -> Vec<FilterPlace> {
        let mut synapse_states = 0;
        let filters = expr.formula.filters.clone();
        let mut place = |filter: &crate::lang::Filter| {
            let depth = match filter.kind {
                FilterKind::Previous(n) => n,
                _ => 1,
            };
            let its_own =
                own == Own::All || own == Own::Dependent && expr.differs(circuit, filter.input);
            let neurons = match filter.shape {
                Shape::Scalar if its_own => {
                    let length = self.replicas.saturating_mul(depth as usize);
                    let ring = matches!(filter.kind, FilterKind::Previous(_))
                        .then(|| (self.zeros(length, depth), depth));
                    return FilterPlace::Replicas {
                        value: self.block(0.0),
                        ring,
                    };
                }
                Shape::Scalar => {
                    let ring = matches!(filter.kind, FilterKind::Previous(_))
                        .then(|| (self.zeros(depth as usize, 0), depth));
                    return FilterPlace::Scalar {
                        value: self.scalar(0.0),
                        ring,
                    };
                }
                Shape::Synapse => {
                    synapse_states += 1;
                    return FilterPlace::Synapse(synapse_states - 1);
                }
                Shape::Vector(n) => n as usize,
                Shape::Pre => ends.0,
                Shape::Post => ends.1,
            };
            let length = self.replicas.saturating_mul(padded(neurons));
            FilterPlace::Vector {
                state: self.zeros(length.saturating_mul(depth as usize), depth),
                depth,
            }
        };
        filters.iter().map(&mut place).collect()
    }

    /// Places for `n` sums.
    pub fn sums(&mut self, n: usize) -> Vec<ScalarId> {
        (0..n).map(|_| self.scalar(0.0)).collect()
    }

    /// Places for `n` sums of which each replica has its own.
    pub fn sums_of_replicas(&mut self, n: usize) -> Vec<ScalarId> {
        (0..n).map(|_| self.block(0.0)).collect()
    }

    /// The presynaptic values of a projection, as they arrive.
    pub fn presynaptic(&self, circuit: &Circuit, id: ProjectionId) -> VectorRef {
        let projection = &circuit.projections[id.0 as usize];
        match (projection.delay, self.rings.get(&projection.from)) {
            (0, _) | (_, None) => VectorRef::Plain(self.values[&projection.from]),
            (delay, Some((ring, depth))) => VectorRef::Delayed {
                ring: *ring,
                depth: *depth,
                delay: delay as u32,
            },
        }
    }
}
