//! The binary version of STL-10: 3 × 96 × 96 bytes an image, channel, column, row; labels, from 1, in a file of their own.
//!
//! # Source
//! Coates, Ng and Lee 2011, An analysis of single-layer networks in unsupervised feature learning; the data set's page.

use std::path::Path;

use super::{ImageError, Part, beginning, check_records, whole};
use crate::input::data::DataError;

const SIDE: usize = 96;
const SHAPE: [usize; 3] = [3, SIDE, SIDE];
const IS: &str = "3 x 96 x 96 pixels an image";

/// The images of a file, turned so that rows follow one another.
pub(super) fn images(path: &Path) -> Result<Part, DataError> {
    let mut bytes = whole(path)?;
    check(path, bytes.len() as u64)?;
    for channel in bytes.chunks_exact_mut(SIDE * SIDE) {
        for row in 0..SIDE {
            for column in 0..row {
                channel.swap(row * SIDE + column, column * SIDE + row);
            }
        }
    }
    Ok(Part {
        shape: SHAPE,
        bytes,
        labels: Vec::new(),
    })
}

/// The shape of a file's images.
pub(super) fn shape(path: &Path) -> Result<[usize; 3], DataError> {
    let (_, length) = beginning(path, 0)?;
    check(path, length)?;
    Ok(SHAPE)
}

fn check(path: &Path, length: u64) -> Result<(), ImageError> {
    check_records(path, length, 3 * SIDE * SIDE, IS)
}
