//! The netlist as typed data: what was written, with names still unresolved and expressions still text.
//!
//! Every table of the file becomes one struct here. Names that refer to something keep their span,
//! so that the circuit stage can point at them. Durations and quantities are already parsed.

use indexmap::IndexMap;

use crate::source::{SourceMap, Span, Spanned};
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
    /// Length of a step: a time, or a plain number if the circuit's time has no unit.
    pub step: Spanned<Quantity>,
    /// Copies that share weights (mini-batch); 1 if not given.
    pub replicas: Spanned<u32>,
    /// One paragraph on what the circuit is, if given.
    pub about: Option<String>,
}

/// A continuous neuron model.
#[derive(Debug, Clone)]
pub struct NeuronModel {
    /// Its name and where it was defined.
    pub name: Name,
    /// Paper and equations, if stated.
    pub source: Option<String>,
    /// Parameters with their defaults, which also fix their dimensions.
    pub parameters: IndexMap<String, Spanned<Quantity>>,
    /// Compartments, in order.
    pub compartments: IndexMap<String, CompartmentModel>,
}

/// One compartment of a neuron model.
#[derive(Debug, Clone)]
pub struct CompartmentModel {
    /// Its name.
    pub name: Name,
    /// Its equation.
    pub dynamics: Dynamics,
    /// The activation that expressions call `f`: a function's name or an expression in `x`.
    pub activation: Option<Expression>,
    /// Hard bounds of the value.
    pub within: Option<Interval>,
    /// Value before the first step; 0 if not given.
    pub start: Option<Distribution>,
}

/// How a compartment's value comes about.
#[derive(Debug, Clone)]
pub enum Dynamics {
    /// `value = "…"`: an assignment at every step.
    Value(Expression),
    /// `derivative = "…"`: a (stochastic) differential equation.
    Derivative(Expression),
}

/// A plasticity rule.
#[derive(Debug, Clone)]
pub struct RuleModel {
    /// Its name and where it was defined.
    pub name: Name,
    /// Paper and equations, if stated.
    pub source: Option<String>,
    /// Parameters; `None` where the projection has to give it (`eta`, say).
    pub parameters: IndexMap<String, (Span, Option<Quantity>)>,
    /// The change of weight in a step.
    pub dw: Expression,
}

/// A broadcast channel.
#[derive(Debug, Clone)]
pub struct Modulator {
    /// Its name.
    pub name: Name,
    /// What sets it.
    pub drive: ModulatorDrive,
    /// Value before the first step, for `value = "…"` modulators.
    pub start: f64,
}

/// What sets a modulator.
#[derive(Debug, Clone)]
pub enum ModulatorDrive {
    /// A schedule.
    Schedule(Spanned<Schedule>),
    /// An expression over populations, inputs and other modulators, evaluated once a step.
    Value(Expression),
}

/// A schedule of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// Each value in turn, for its own length, round and round.
    Cycle {
        /// Values.
        values: Vec<f64>,
        /// How long each holds; as many as values.
        lengths: Vec<Duration>,
        /// Whether the first value is drawn, each with the same probability, every time it starts.
        random_start: bool,
    },
    /// Values in turn, each for `every`; the last one stays.
    List {
        /// Values.
        values: Vec<f64>,
        /// How long each holds.
        every: Duration,
    },
    /// A value drawn afresh every `every`.
    Random {
        /// Values to draw from.
        values: Vec<f64>,
        /// Their probabilities, summing to 1; equal if not given.
        probabilities: Vec<f64>,
        /// How long each holds.
        every: Duration,
    },
}

/// A length of simulated time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Duration {
    /// A number of steps.
    Steps(u64),
    /// A time (ms, or plain if the circuit's step is plain).
    Time(Quantity),
}

/// A number, or numbers drawn from a distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// What to draw.
    pub kind: DistributionKind,
    /// Their dimension.
    pub dimension: crate::units::Dimension,
    /// Values outside are clipped to this.
    pub clip: Option<[f64; 2]>,
    /// Where it was written.
    pub span: Span,
}

/// Bounds of a number, in engine units; a side without a bound is infinite.
#[derive(Debug, Clone, PartialEq)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound, greater than the lower one.
    pub high: f64,
    /// Dimension of both; none if neither side is bounded.
    pub dimension: crate::units::Dimension,
    /// Where it was written.
    pub span: Span,
}

/// Kinds of distribution; numbers are in engine units.
#[derive(Debug, Clone, PartialEq)]
pub enum DistributionKind {
    /// The same number everywhere.
    Constant(f64),
    /// Normal.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// exp of a normal variable whose mean and standard deviation are given for the result.
    Lognormal {
        /// Mean of the result.
        mean: f64,
        /// Standard deviation of the result.
        sd: f64,
    },
    /// Uniform.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// One number each, listed.
    List(Vec<f64>),
}

/// An input.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: Name,
    /// Where its values come from.
    pub process: InputProcess,
}

/// Where an input's values come from.
#[derive(Debug, Clone)]
pub enum InputProcess {
    /// z ← decay·z + noise·η, output mixing·z.
    LatentAr1 {
        /// Values a step.
        size: Spanned<u64>,
        /// Latent variables.
        latent: Spanned<u64>,
        /// Multiplier of z in a step.
        decay: Spanned<f64>,
        /// Standard deviation of the noise added in a step.
        noise: Spanned<f64>,
        /// The mixing matrix.
        mixing: Mixing,
    },
    /// Rows of a `.npy` or CSV file, one a step, round and round.
    Array {
        /// The file, below the data folder or beside the netlist.
        file: Name,
        /// A further file per split (`split.test = "…"`).
        splits: IndexMap<String, Name>,
    },
    /// A folder of WAV recordings as log-mel frames, one a step.
    LogMel(LogMelInput),
}

/// The matrix from latent variables to values.
#[derive(Debug, Clone)]
pub enum Mixing {
    /// Independent entries.
    Entries(Distribution),
    /// Each latent variable drives a smooth bump around a ring: exp((cos(θ−θ_k) − 1)/width²).
    Bumps {
        /// Width (radians).
        width: f64,
        /// Height of the peak.
        height: f64,
    },
}

/// A folder of recordings.
#[derive(Debug, Clone)]
pub struct LogMelInput {
    /// The folder, below the data folder.
    pub folder: Name,
    /// Which files in it, as a glob.
    pub files: Name,
    /// Splits by file-name glob; the first that matches takes the file.
    pub splits: IndexMap<String, Name>,
    /// Split of the files that match none.
    pub otherwise: String,
    /// Sampling rate after resampling (Hz).
    pub rate_hz: f64,
    /// Window (samples).
    pub window: u64,
    /// Hop (samples).
    pub hop: u64,
    /// Mel channels: values a step.
    pub channels: u64,
    /// Floor below each recording's maximum (dB, negative).
    pub floor_db: f64,
    /// Shift to be positive and divide by the standard deviation of the split `otherwise`.
    pub normalise: bool,
    /// Shuffle the recordings within a split, once.
    pub shuffle: bool,
}

/// A population of neurons.
#[derive(Debug, Clone)]
pub struct Population {
    /// Its name.
    pub name: Name,
    /// The neuron model.
    pub neuron: Name,
    /// Number of neurons.
    pub size: Spanned<u64>,
    /// Parameters that differ from the model's defaults.
    pub parameters: IndexMap<String, (Span, Distribution)>,
    /// What is said of its compartments.
    pub compartments: IndexMap<String, CompartmentTable>,
}

/// What a population says of one compartment.
#[derive(Debug, Clone)]
pub struct CompartmentTable {
    /// The compartment's name, as written.
    pub name: Name,
    /// Inputs added to its drive.
    pub inputs: Vec<Name>,
    /// Another activation than the model's.
    pub activation: Option<Expression>,
    /// A bias added to its drive.
    pub bias: Option<Bias>,
    /// Value before the first step.
    pub start: Option<Distribution>,
}

/// A bias per neuron, which may learn.
#[derive(Debug, Clone)]
pub struct Bias {
    /// Value before the first step.
    pub start: Distribution,
    /// How it learns: a rule in which `pre` is 1 and `w` the bias.
    pub learn: Option<Learn>,
}

/// A bundle of synapses.
#[derive(Debug, Clone)]
pub struct Projection {
    /// Its name.
    pub name: Name,
    /// Population, or `population.compartment`, that it reads; the soma if no compartment is named.
    pub from: Name,
    /// `population.compartment` that it drives.
    pub to: Name,
    /// Which neurons are connected.
    pub connect: Spanned<Connect>,
    /// Initial weights.
    pub weight: Distribution,
    /// Steps between a value and its effect; 0 if not given.
    pub delay: Spanned<Duration>,
    /// Hard bounds of the weights.
    pub within: Option<Interval>,
    /// How it learns.
    pub learn: Option<Learn>,
}

/// Connection patterns.
#[derive(Debug, Clone, PartialEq)]
pub enum Connect {
    /// Every neuron to every neuron.
    AllToAll,
    /// Neuron i to neuron i.
    OneToOne,
    /// Each pair with this probability.
    Probability(f64),
    /// Each target gets this many different sources.
    InDegree(u64),
    /// Each source gets this many different targets.
    OutDegree(u64),
    /// Edges from a CSV file with columns `pre`, `post` and, if it likes, `weight`.
    Edges(String),
}

/// A rule put to work.
#[derive(Debug, Clone)]
pub struct Learn {
    /// The rule.
    pub rule: Name,
    /// Its parameters.
    pub parameters: IndexMap<String, Spanned<Quantity>>,
}

/// A span of simulated time with its own settings.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// How long it is, or what it is made of.
    pub length: StageLength,
    /// How often it is run in a row.
    pub repeat: Spanned<u64>,
    /// Which projections and biases learn.
    pub learn: LearnSwitch,
    /// Modulators that follow another schedule in this stage.
    pub set: IndexMap<String, Spanned<Schedule>>,
    /// Which split an input gives in this stage.
    pub inputs: IndexMap<String, Name>,
    /// The independent trials that it is a row of, if it is one.
    pub trial: Option<Trial>,
    /// Seed of all random streams while it runs, if it has one of its own.
    pub seed: Option<Spanned<u64>>,
    /// Where it was written.
    pub span: Span,
}

/// The trials of a stage.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Steps of each.
    pub steps: Spanned<u64>,
    /// Whether inputs give the same values in every trial as in the first.
    pub replay: bool,
    /// Computed modulators that go on from trial to trial, their filters with them.
    pub keep: Vec<Name>,
}

/// How long a stage is.
#[derive(Debug, Clone)]
pub enum StageLength {
    /// A time or a number of steps.
    For(Spanned<Duration>),
    /// Whole passes over a data set (the one named, or the only one).
    Epochs {
        /// How many.
        count: Spanned<u64>,
        /// Over which input.
        over: Option<Name>,
    },
    /// Stages in a row, `[[stage.part]]`.
    Parts(Vec<Stage>),
}

/// Which projections and biases learn in a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnSwitch {
    /// As the enclosing stage; all at the top.
    Inherit,
    /// All.
    All,
    /// None.
    None,
    /// These projections (or `population.compartment` for a bias).
    Only(Vec<Name>),
}

/// What is written out.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its name (file stem): `name = "…"`, or made from what it records.
    pub name: String,
    /// What.
    pub what: RecordingKind,
    /// How often.
    pub every: Spanned<Duration>,
    /// In which stages; all if empty.
    pub during: Vec<Name>,
    /// Where it was written.
    pub span: Span,
}

/// What a recording takes.
#[derive(Debug, Clone)]
pub enum RecordingKind {
    /// A projection's weights, or a bias (`population.compartment`).
    Weights(Name),
    /// A vector expression such as `latent.soma`, `latent.basal.drive`, an input's name or a modulator's.
    Trace {
        /// The expression.
        of: Expression,
        /// Which elements: all if `None`.
        elements: Option<Vec<u64>>,
    },
}

/// A number, curve or matrix computed during the run.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Its name.
    pub name: Name,
    /// What it computes.
    pub kind: MeasureKind,
    /// In which stages; all if empty.
    pub during: Vec<Name>,
    /// What one should see, in words, for the report.
    pub expect: Option<String>,
    /// One line for the report.
    pub about: Option<String>,
    /// Where it was written.
    pub span: Span,
}

/// Kinds of measure.
#[derive(Debug, Clone)]
pub enum MeasureKind {
    /// Mean over the steps of a stage (one number per time the stage runs; or one every `every`).
    Mean {
        /// A scalar expression.
        of: Expression,
        /// Only steps where this scalar expression is not 0.
        when: Option<Expression>,
        /// Length of a window; the whole stage if `None`.
        every: Option<Spanned<Duration>>,
    },
    /// R² of a prediction, per element and averaged.
    RSquared {
        /// Truth, a vector expression.
        truth: Expression,
        /// Prediction, a vector expression of the same size.
        prediction: Expression,
        /// Whether errors and variances are summed over elements before they are divided.
        pooled: bool,
    },
    /// Autocorrelation, averaged over elements.
    Autocorrelation {
        /// A vector expression.
        of: Expression,
        /// Longest lag (steps).
        lags: Spanned<u64>,
    },
    /// Correlations between all pairs of elements.
    CorrelationMatrix {
        /// A vector expression.
        of: Expression,
    },
    /// Correlation over time between what two stages gave, per element and averaged.
    StageCorrelation {
        /// A vector expression.
        of: Expression,
        /// The two stages.
        between: [Name; 2],
    },
    /// The updates that a rule would make, their mean and variance over samples.
    Update {
        /// A projection, or a bias (`population.compartment`).
        of: Name,
        /// The rule and its parameters.
        rule: Learn,
        /// Length of a sample where the stage has no trials.
        sample: Option<Spanned<Duration>>,
    },
    /// Cosine similarity of two mean updates.
    Cosine {
        /// Two measures' names.
        of: [Name; 2],
    },
    /// Pearson correlation between the entries of two correlation matrices.
    MatrixAgreement {
        /// Two measures' names.
        of: [Name; 2],
    },
    /// Largest absolute difference of two curves at some lags.
    CurveDifference {
        /// Two measures' names.
        of: [Name; 2],
        /// Where.
        at: Vec<u64>,
    },
}
