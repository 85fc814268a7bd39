//! The netlist as typed data: what was written, with names still unresolved and expressions still text.
//!
//! Every table of the file becomes one struct here. Names that refer to something keep their span,
//! so that the circuit stage can point at them. Durations and quantities are already parsed.

mod distribution;
mod images;
mod input;
mod modulator;
mod neuron;
mod observation;
mod population;
mod projection;
mod rule;
mod spiking;
mod stage;

pub use distribution::{Distribution, DistributionKind, Interval};
pub use images::{GazePath, ImageFiles, ImageFormat, ImagesInput, Patches};
pub use input::{Input, InputProcess, LogMelInput, Mixing, Normalise, WholeRecordings};
pub use modulator::{Duration, LEAST_INTERVAL, Modulator, ModulatorDrive, Schedule};
pub use neuron::{CompartmentModel, Dynamics, NeuronModel};
pub use observation::{
    Binning, Measure, MeasureKind, Recording, RecordingKind, Sampling, SpikeStatistic, Statistic,
};
pub use population::{Bias, CompartmentTable, Population, Positions, Times};
pub use projection::{
    Adam, Connect, Convolution, Delay, Distance, Learn, Precision, Profile, Projection, ShortTerm,
    Signal, Windows,
};
pub use rule::RuleModel;
pub use spiking::{
    BurstKind, BurstModel, Coupling, Membrane, PlateauModel, ReceptorKind, ReceptorModel,
    SpikeModel, SpikeTrigger,
};
pub use stage::{LearnSwitch, Stage, StageInput, StageLength, Trial};

use indexmap::IndexMap;

use crate::source::{SourceMap, Spanned};
use crate::units::Quantity;

/// A name that was written, and where.
pub type Name = Spanned<String>;

/// The text of an expression; the span covers the characters inside the quotes.
pub type Expression = Spanned<String>;

/// A whole circuit, with the library files it uses already merged in.
#[derive(Debug, Clone)]
pub struct Netlist {
    /// The `[circuit]` table.
    pub circuit: CircuitTable,
    /// Numbers with names.
    pub constants: IndexMap<String, Constant>,
    /// Neuron models: the library's that were named in `use`, and the file's own.
    pub neurons: IndexMap<String, NeuronModel>,
    /// Plasticity rules, likewise.
    pub rules: IndexMap<String, RuleModel>,
    /// Broadcast neuromodulator channels.
    pub modulators: IndexMap<String, Modulator>,
    /// Inputs.
    pub inputs: IndexMap<String, Input>,
    /// Populations.
    pub populations: IndexMap<String, Population>,
    /// Projections.
    pub projections: IndexMap<String, Projection>,
    /// Stages, in order.
    pub stages: Vec<Stage>,
    /// Recordings, in order.
    pub recordings: Vec<Recording>,
    /// Measures.
    pub measures: IndexMap<String, Measure>,
    /// The netlist as one TOML text with overrides applied: what the run directory keeps.
    pub resolved: String,
    /// All texts it came from.
    pub sources: SourceMap,
}

/// A number with a name, which values and expressions of the netlist may use.
#[derive(Debug, Clone)]
pub struct Constant {
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: Quantity,
}

/// The `[circuit]` table.
#[derive(Debug, Clone)]
pub struct CircuitTable {
    /// Name, used for the run directory and titles.
    pub name: Name,
    /// Seed of every random stream.
    pub seed: u64,
    /// Length of a step: a time, or a plain number if the circuit's time has no unit. Only a circuit of spiking
    /// neurons may have none.
    pub step: Option<Spanned<Quantity>>,
    /// Copies that share weights (mini-batch); 1 if not given.
    pub replicas: Spanned<u32>,
    /// How exactly values and weights are kept and computed, if given.
    pub precision: Option<Spanned<Precision>>,
    /// One paragraph on what the circuit is, if given.
    pub about: Option<String>,
}
