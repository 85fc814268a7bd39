//! Recordings and measures.

use super::{Duration, Expression, Learn, Name};
use crate::source::{Span, Spanned};

/// What is written out.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its name (file stem): `name = "…"`, or made from what it records.
    pub name: String,
    /// What.
    pub what: RecordingKind,
    /// How often; without a meaning for spikes, which are all taken.
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
    /// All spikes of these populations.
    Spikes(Vec<Name>),
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

/// What is taken of a vector in each bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Each element's mean.
    Mean,
    /// The squares of the elements' means, added up.
    SquaredMean,
    /// The elements' variances, added up.
    Variance,
}

/// What is made of the spikes of a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpikeStatistic {
    /// How many there are of such events.
    Count(crate::lang::scope::Counted),
    /// The same for a neuron and second.
    Rate(crate::lang::scope::Counted),
    /// Coefficient of variation of the intervals of a neuron, averaged over neurons.
    IsiCv,
    /// Bursts over events.
    BurstFraction,
}

/// Bins of a number.
#[derive(Debug, Clone)]
pub struct Binning {
    /// A scalar expression.
    pub by: Expression,
    /// Number of bins.
    pub count: Spanned<u64>,
    /// Bounds of the number.
    pub range: [f64; 2],
    /// Only steps where this scalar expression is not 0.
    pub when: Option<Expression>,
}

/// Samples of a vector with their labels.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// A vector expression.
    pub of: Expression,
    /// A vector expression whose largest element is the class; no sample where none is above 0.
    pub label: Expression,
    /// Samples are taken where this expression, a number for each replica, is not 0; in every step if `None`.
    pub when: Option<Expression>,
    /// A sample is the mean from the last step on in which this was not 0; the step's own value if `None`.
    pub since: Option<Expression>,
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
    /// Correlation over time of two numbers, sampled.
    Correlation {
        /// A scalar expression.
        of: Expression,
        /// Another.
        with: Expression,
        /// Only samples where this scalar expression is not 0.
        when: Option<Expression>,
        /// Time between samples.
        every: Spanned<Duration>,
        /// By how much the second one is taken earlier.
        lag: Option<Spanned<Duration>>,
    },
    /// What spiking neurons do, counted.
    Spikes {
        /// A population.
        of: Name,
        /// What is made of its spikes.
        statistic: SpikeStatistic,
        /// Length of a window; the whole stage if `None`.
        every: Option<Spanned<Duration>>,
    },
    /// The mean of a projection's weights at the end of each run of a stage.
    MeanWeight {
        /// A projection.
        of: Name,
        /// Which of its weights: all if `None`.
        elements: Option<Vec<u64>>,
    },
    /// R² of a prediction, per element and averaged.
    RSquared {
        /// Truth, a vector expression.
        truth: Expression,
        /// Prediction, a vector expression of the same size.
        prediction: Expression,
        /// Whether errors and variances are summed over elements before they are divided.
        pooled: bool,
        /// Time between samples, among spiking neurons.
        every: Option<Spanned<Duration>>,
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
    /// A statistic of a vector as a function of a number.
    Tuning {
        /// A vector or scalar expression.
        of: Expression,
        /// What it is a function of.
        bins: Binning,
        /// What is taken in each bin.
        statistic: Statistic,
    },
    /// Mean and 95 % ellipse of two numbers as functions of another.
    Ellipses {
        /// An expression of two elements.
        of: Expression,
        /// What they should be, an expression of two elements.
        target: Option<Expression>,
        /// What they are functions of.
        bins: Binning,
    },
    /// The fraction of a vector's noise that a readout sees, as a function of a number.
    VolumeFraction {
        /// A vector expression.
        of: Expression,
        /// The projection that reads it.
        readout: Name,
        /// What it is a function of.
        bins: Binning,
    },
    /// How many elements have the peak of their tuning in each bin.
    Peaks {
        /// A tuning measure's name.
        of: Name,
    },
    /// The sensitivity index d′ of a number between two classes.
    Sensitivity {
        /// A scalar expression.
        of: Expression,
        /// A scalar expression: 0 in the first class, anything else in the second.
        class: Expression,
        /// Only steps where this scalar expression is not 0.
        when: Option<Expression>,
        /// Length of a window; the whole stage if `None`.
        every: Option<Spanned<Duration>>,
    },
    /// How often the largest of some scores is where the largest of the class is.
    Accuracy {
        /// A vector expression.
        of: Expression,
        /// A vector expression of the same size, 1 at the class and 0 elsewhere.
        class: Expression,
        /// Only steps where this scalar expression is not 0.
        when: Option<Expression>,
        /// Length of a window; the whole stage if `None`.
        every: Option<Spanned<Duration>>,
    },
    /// Vectors shown as images.
    Images {
        /// Vector expressions, all of the image's size.
        of: Vec<Expression>,
        /// Channels, rows, columns.
        shape: Spanned<[u64; 3]>,
        /// How many.
        count: Spanned<u64>,
        /// Only steps where this scalar expression is not 0.
        when: Option<Expression>,
    },
    /// How often a linear classifier, trained on samples of one stage, finds the label in another.
    LinearReadout {
        /// When and of what samples are taken.
        samples: Sampling,
        /// The stage whose samples train.
        train: Name,
        /// The stage whose samples test.
        test: Name,
        /// Penalty/2 is the price of the squared weights.
        penalty: f64,
        /// Samples that train at most.
        most: u64,
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
