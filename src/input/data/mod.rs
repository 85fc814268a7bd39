//! Data sets as inputs: files on disk become frames, the rows of values that a population is driven with.
//!
//! - [`read_array`] reads `.npy` and `.csv` files;
//! - [`read_images`] reads IDX, CIFAR-10 and STL-10 files;
//! - [`read_wav`], [`Resampler`] and [`LogMel`] turn sound into log-mel frames;
//! - [`Recordings::load`] does so for a whole folder and divides it into splits.
//!
//! Nothing here knows of circuits or simulated time, and nothing depends on the number of threads.

mod array;
mod columns;
mod error;
mod files;
mod frames;
mod images;
mod log_mel;
mod mel;
mod parallel;
mod recordings;
mod resample;
mod sonata;
mod wav;

pub use array::read_array;
pub use columns::{Columns, read_columns, row_name};
pub use error::DataError;
pub use frames::Frames;
pub use images::{ImageError, ImageFiles, ImageSet, image_shape, read_images};
pub use log_mel::{LogMel, LogMelPlan};
pub use mel::{hz_to_mel, mel_to_hz};
pub use recordings::{RecordedSplit, Recordings, RecordingsSpec, Scaling, SplitRule};
pub use resample::{RATES_HZ, Resampler};
pub use sonata::read_sonata_spikes;
pub use wav::{Sound, read_wav};
