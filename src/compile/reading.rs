//! What the names of an expression stand for, once resolved.

use crate::circuit::{
    Circuit, CompartmentId, InputId, ModulatorId, Output, PopulationId, ProjectionId,
};
use crate::lang::{Filter, FilterKind, Formula, NodeId, Shape, Symbol};
pub use crate::netlist::model::Signal;
use crate::source::Span;

/// Something in the circuit that an expression reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// A modulator.
    Modulator(ModulatorId),
    /// Whether a modulator has another value than in the step before, or, where it is sampled, than at the sample before.
    Changed(ModulatorId),
    /// In an event circuit: whether an input has another row than at the sample before.
    InputChanged(InputId),
    /// A compartment's value.
    Value(CompartmentId),
    /// A compartment's drive.
    Drive(CompartmentId),
    /// What a projection adds to the drive of its target.
    Current(ProjectionId),
    /// A compartment's white noise.
    Noise(CompartmentId),
    /// A parameter that differs from neuron to neuron.
    Parameter(PopulationId, u32),
    /// What an input gives.
    Input(InputId, Output),
    /// In an event circuit: the time since the start (ms).
    Time,
    /// In an event circuit: how often the neurons of a population do something (1/ms), in an exponential window.
    Rate(Counter),
    /// In an event circuit: 1 while a plateau lasts in the compartment, else 0.
    Plateau(CompartmentId),
    /// In a rule: the presynaptic value, as it arrives.
    Presynaptic,
    /// In a rule: the synapse's own weight.
    Weight,
    /// In a rule of a spiking circuit: the presynaptic train of such events, as it arrives (1/ms).
    PreTrain(Signal),
    /// In a rule of a spiking circuit: the postsynaptic train of such events (1/ms).
    PostTrain(Signal),
    /// In a rule of a spiking circuit: the potential (mV) that the presynaptic train makes through a weight of 1.
    Psp(Signal),
}

impl Reading {
    /// Whether it can be sampled among spiking neurons, now and then.
    pub fn can_be_sampled(&self) -> bool {
        matches!(
            self,
            Reading::Time
                | Reading::Modulator(_)
                | Reading::Changed(_)
                | Reading::Rate(_)
                | Reading::Value(_)
                | Reading::Input(..)
                | Reading::InputChanged(_)
        )
    }
}

/// Something that is counted in an exponential window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counter {
    /// Whose events.
    pub population: PopulationId,
    /// Which of them.
    pub signal: Signal,
    /// The bits of the window's time constant (ms).
    window: u64,
}

impl Counter {
    /// Counts in a window with a time constant (ms).
    pub fn new(population: PopulationId, signal: Signal, window_ms: f64) -> Self {
        Counter {
            population,
            signal,
            window: window_ms.to_bits(),
        }
    }

    /// The window's time constant (ms).
    pub fn window_ms(self) -> f64 {
        f64::from_bits(self.window)
    }
}

/// A resolved expression and what its symbols stand for.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Its operations.
    pub formula: Formula,
    /// What `Symbol::Outer(i)` reads.
    pub readings: Vec<Reading>,
    /// Where it was written.
    pub span: Span,
}

impl Expr {
    /// What a symbol reads, if it reads something of the circuit.
    pub fn reading(&self, symbol: Symbol) -> Option<Reading> {
        match symbol {
            Symbol::Outer(index) => self.readings.get(index as usize).copied(),
            _ => None,
        }
    }

    /// What is read in the step itself: all but what only `prev(…)` reads.
    pub fn read_now(&self) -> Vec<Reading> {
        let formula = &self.formula;
        let smooth = |f: &&Filter| !matches!(f.kind, FilterKind::Previous(_));
        let inputs = formula.filters.iter().filter(smooth).map(|f| f.input);
        let roots = std::iter::once(formula.root).chain(inputs);
        let symbols = roots.flat_map(|root| formula.graph.symbols(root));
        symbols.filter_map(|symbol| self.reading(symbol)).collect()
    }

    /// Whether a value is read that each replica has of its own: a modulator, or a filter of one.
    pub fn differs(&self, circuit: &Circuit, node: NodeId) -> bool {
        let graph = &self.formula.graph;
        graph.symbols(node).into_iter().any(|symbol| match symbol {
            Symbol::Filter(index) => {
                let filter = self.formula.filters.get(index as usize);
                filter.is_some_and(|f| {
                    f.input != node && f.shape == Shape::Scalar && self.differs(circuit, f.input)
                })
            }
            symbol => match self.reading(symbol) {
                Some(Reading::Modulator(id) | Reading::Changed(id)) => {
                    circuit.modulators[id.0 as usize].per_replica
                }
                _ => false,
            },
        })
    }

    /// The symbol of something that is read.
    pub fn symbol(&self, reading: Reading) -> Option<Symbol> {
        self.readings
            .iter()
            .position(|r| *r == reading)
            .map(|i| Symbol::Outer(i as u32))
    }
}
