//! What is measured and recorded, by the numbers of probes.

use crate::circuit::{CompartmentId, ProjectionId};
use crate::measure::Bins;
use crate::netlist::model::Statistic;

/// A measure whose expressions are probes of the program, by number.
#[derive(Debug, Clone)]
pub struct MeasurePlan {
    /// Its name.
    pub name: String,
    /// What it computes.
    pub kind: PlannedKind,
    /// Stages in which it looks; all if empty.
    pub during: Vec<String>,
    /// What one should see.
    pub expect: Option<String>,
    /// One line about it.
    pub about: Option<String>,
}

/// Bins of a number.
#[derive(Debug, Clone)]
pub struct PlannedBins {
    /// The number.
    pub by: usize,
    /// Steps count where this is not 0.
    pub when: Option<usize>,
    /// The bins.
    pub bins: Bins,
    /// What the number is, as written.
    pub axis: String,
}

/// Samples of a vector with their labels.
#[derive(Debug, Clone)]
pub struct PlannedSamples {
    /// The vector.
    pub of: usize,
    /// Its number of elements.
    pub size: usize,
    /// Its label.
    pub label: usize,
    /// Number of classes.
    pub classes: usize,
    /// Samples are taken where this is not 0.
    pub when: Option<usize>,
    /// They are means since this was last not 0.
    pub since: Option<usize>,
}

/// Kinds of measure, with probes by number.
#[derive(Debug, Clone)]
pub enum PlannedKind {
    /// Mean over windows.
    Mean {
        /// The number.
        of: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
        /// Steps in a window.
        window: Option<u64>,
    },
    /// R² of a prediction.
    RSquared {
        /// The truth.
        truth: usize,
        /// The prediction.
        prediction: usize,
        /// Whether errors and variances are summed over elements first.
        pooled: bool,
    },
    /// Autocorrelation function.
    Autocorrelation {
        /// The vector.
        of: usize,
        /// Longest lag.
        lags: usize,
    },
    /// All pairwise correlations.
    CorrelationMatrix {
        /// The vector.
        of: usize,
    },
    /// Correlation over time between what two stages gave.
    StageCorrelation {
        /// The vector.
        of: usize,
        /// The stages.
        between: [String; 2],
    },
    /// A statistic of a vector in bins of a number.
    Tuning {
        /// The vector.
        of: usize,
        /// The bins.
        bins: PlannedBins,
        /// What is taken in each bin.
        statistic: Statistic,
    },
    /// Means and ellipses of two numbers in bins of another.
    Ellipses {
        /// The two numbers.
        of: usize,
        /// What they should be.
        target: Option<usize>,
        /// The bins.
        bins: PlannedBins,
    },
    /// The fraction of a vector's noise that a readout sees, in bins of a number.
    VolumeFraction {
        /// The vector.
        of: usize,
        /// Its number of elements.
        size: usize,
        /// The readout.
        readout: ProjectionId,
        /// The bins.
        bins: PlannedBins,
    },
    /// Peaks of a tuning measure.
    Peaks(String),
    /// d′ over windows.
    Sensitivity {
        /// The number.
        of: usize,
        /// The class.
        class: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
        /// Steps in a window.
        window: Option<u64>,
    },
    /// Share of steps and replicas with the largest score at the class.
    Accuracy {
        /// The scores.
        of: usize,
        /// The class.
        class: usize,
        /// How many there are of both.
        size: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
        /// Steps in a window.
        window: Option<u64>,
    },
    /// Vectors shown as images.
    Images {
        /// The vectors.
        of: Vec<usize>,
        /// What they are, as written.
        names: Vec<String>,
        /// Channels, rows, columns.
        shape: [usize; 3],
        /// How many.
        count: usize,
        /// Steps count where this is not 0.
        when: Option<usize>,
    },
    /// How often a linear classifier finds the label.
    LinearReadout {
        /// What it reads.
        samples: PlannedSamples,
        /// The stage that trains it.
        train: String,
        /// Penalty/2 is the price of the squared weights.
        penalty: f64,
        /// Samples that train at most.
        most: usize,
    },
    /// Updates that a rule would make.
    Update {
        /// The measured rule of the program.
        rule: usize,
        /// What it would change.
        of: Weighted,
        /// Steps in a sample where the stage has no trials.
        sample: Option<u64>,
    },
    /// Cosine of two measures' mean updates.
    Cosine([String; 2]),
    /// Correlation between two measures' matrices.
    MatrixAgreement([String; 2]),
    /// Largest difference of two measures' curves.
    CurveDifference([String; 2], Vec<u64>),
}

/// A recorded vector.
#[derive(Debug, Clone)]
pub struct TracePlan {
    /// File stem.
    pub name: String,
    /// The probe.
    pub probe: usize,
    /// Elements that are kept.
    pub elements: Vec<usize>,
    /// Every so many steps of a stage.
    pub every: u64,
    /// Stages in which it is recorded; all if empty.
    pub during: Vec<String>,
}

/// Recorded weights.
#[derive(Debug, Clone)]
pub struct WeightPlan {
    /// File stem.
    pub name: String,
    /// What is recorded.
    pub of: Weighted,
    /// Every so many steps.
    pub every: u64,
    /// Stages in which they are recorded; all if empty.
    pub during: Vec<String>,
}

/// Weights that can be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighted {
    /// A projection's.
    Projection(ProjectionId),
    /// A compartment's biases.
    Bias(CompartmentId),
}
