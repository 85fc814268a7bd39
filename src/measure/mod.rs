//! Measures: numbers, curves and matrices computed while a circuit runs, in memory that does not grow.
//!
//! Each kind is an accumulator that is shown a value per step. What it found becomes a
//! [`MeasureReport`](crate::record::MeasureReport).

pub mod agreement;
mod autocorrelation;
mod bins;
mod correlation;
mod covariance;
mod images;
mod logistic;
mod mean;
mod pair;
mod r_squared;
mod readout;
mod samples;
mod sensitivity;
mod spikes;
mod stage_correlation;
mod time_mean;
mod tuning;
mod updates;

pub use autocorrelation::Autocorrelation;
pub use bins::Bins;
pub use correlation::CorrelationMatrix;
pub use covariance::{Covariance, Ellipse};
pub use images::{Images, share_right};
pub use mean::Mean;
pub use pair::PairCorrelation;
pub use r_squared::RSquared;
pub use readout::Readout;
pub use samples::{Samples, class};
pub use sensitivity::Sensitivity;
pub use spikes::{SpikeBins, SpikeStatistics, SpikeTally};
pub use stage_correlation::StageCorrelation;
pub use time_mean::TimeMean;
pub use tuning::Tuning;
pub use updates::UpdateBlock;
