//! Numbers that are drawn, and bounds.

use crate::source::Span;

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
