//! Inputs: processes, arrays and data sets that give the circuit its values, one row a step.

pub mod data;
pub mod draws;
mod images;
mod latent;
mod order;
pub mod process;
mod recordings;
pub mod von_mises;

use std::path::{Path, PathBuf};

pub use data::{DataError, Frames, read_array};
pub use images::{View, first_shape};
pub use order::Order;

/// Values a step that an array file gives.
///
/// # Errors
/// If the file cannot be read.
pub fn array_width(path: &Path) -> Result<usize, DataError> {
    Ok(read_array(path)?.size())
}

/// A pass over a data set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pass {
    /// The split; the first if `None`.
    pub split: Option<String>,
    /// Probability of saccades between images; the input's own if `None`.
    pub saccade: Option<f64>,
}

/// Where files are looked for.
#[derive(Debug, Clone, Default)]
pub struct DataPaths {
    /// The netlist's folder.
    pub netlist: PathBuf,
    /// The data folder, if one was given.
    pub data: Option<PathBuf>,
}

impl DataPaths {
    /// The path of a file or folder that a netlist names: in the data folder if it is there, else beside
    /// the netlist.
    pub fn find(&self, name: &str) -> PathBuf {
        let in_data = self
            .data
            .as_ref()
            .map(|folder| folder.join(name))
            .filter(|path| path.exists());
        in_data.unwrap_or_else(|| self.netlist.join(name))
    }
}
