//! Inputs.

use indexmap::IndexMap;

use super::{Distribution, Duration, ImagesInput, Name};
use crate::source::Spanned;

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
    /// An angle on a circle, given as its cosine and sine; the angle itself is the latent variable.
    VonMises {
        /// Concentration κ of its distribution.
        concentration: Spanned<f64>,
        /// Its mean (rad).
        mean: f64,
        /// Standard deviation of its walk's steps (rad); 0 if it does not walk.
        noise: f64,
        /// Pull of the walk towards the mean; half the concentration if `None`.
        drift: Option<f64>,
        /// Drawn afresh after each of these.
        hold: Option<Duration>,
        /// Draws are among so many evenly spaced angles, of which −π is one.
        among: Option<u64>,
    },
    /// Independent numbers, drawn afresh and held.
    Random {
        /// Values a step.
        size: Spanned<u64>,
        /// What each of them is drawn from.
        draw: Distribution,
        /// Drawn afresh after each of these; every step if `None`.
        hold: Option<Duration>,
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
    /// Images, each held for some steps.
    Images(Box<ImagesInput>),
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
    /// How levels are scaled, by those of the split `otherwise`.
    pub normalise: Normalise,
    /// Shuffle the recordings within a split: once, or in each pass if they are heard whole.
    pub shuffle: bool,
    /// Whole recordings, one after another in each replica; a stream of frames if `None`.
    pub whole: Option<WholeRecordings>,
}

/// How levels are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalise {
    /// They stay in dB.
    No,
    /// The smallest value is subtracted, and all are divided by their standard deviation.
    Together,
    /// Each channel gets mean 0 and standard deviation 1.
    Channels,
}

/// Recordings that are heard from beginning to end.
#[derive(Debug, Clone)]
pub struct WholeRecordings {
    /// The pattern of each group's files, as with classes; a replica hears one group only. Empty: all are one group.
    pub groups: Vec<Name>,
    /// The pattern of each class's files; a file is of the first that matches. Empty: there are no labels.
    pub classes: Vec<Name>,
    /// Probability of a saccade at each frame but the first.
    pub saccade: f64,
}
