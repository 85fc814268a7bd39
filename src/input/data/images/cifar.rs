//! The binary version of CIFAR-10: for each image its class and 3 × 32 × 32 bytes, channel, row, column.
//!
//! # Source
//! Krizhevsky 2009, Learning multiple layers of features from tiny images; the data set's page.

use std::path::Path;

use super::{ImageError, Part, beginning, check_records, whole};
use crate::input::data::DataError;

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;
const IS: &str = "1 label and 3 x 32 x 32 pixels an image";

/// The images of a file and their labels.
pub(super) fn images(path: &Path) -> Result<Part, DataError> {
    let file = whole(path)?;
    check(path, file.len() as u64)?;
    let (mut bytes, mut labels) = (Vec::with_capacity(file.len()), Vec::new());
    for record in file.chunks_exact(1 + PIXELS) {
        labels.push(record[0]);
        bytes.extend_from_slice(&record[1..]);
    }
    Ok(Part {
        shape: SHAPE,
        bytes,
        labels,
    })
}

/// The shape of a file's images.
pub(super) fn shape(path: &Path) -> Result<[usize; 3], DataError> {
    let (_, length) = beginning(path, 0)?;
    check(path, length)?;
    Ok(SHAPE)
}

fn check(path: &Path, length: u64) -> Result<(), ImageError> {
    check_records(path, length, 1 + PIXELS, IS)
}
