//! Images with labels from the standard binary formats: IDX, CIFAR-10 and STL-10.
//!
//! Pixels stay bytes in memory, whatever the file's order: image after image, channel, row, column.

mod cifar;
mod error;
mod idx;
mod stl;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::DataError;
use crate::netlist::model::ImageFormat;
pub use error::ImageError;

/// The files of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFiles {
    /// Files with images, one after another.
    pub images: Vec<PathBuf>,
    /// Files with their labels, one after another; none where the images' files hold them, or if there are no labels.
    pub labels: Vec<PathBuf>,
}

/// Images of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSet {
    /// Channels, rows, columns.
    shape: [usize; 3],
    /// Image after image: channel, row, column.
    bytes: Vec<u8>,
    /// The class of each, counted from 0; empty without labels.
    labels: Vec<u8>,
}

impl ImageSet {
    /// Channels, rows and columns of each image.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / self.pixels()
    }

    /// Whether there is no image at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the images have labels.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    /// The class of an image, counted from 0; `None` without labels.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<usize> {
        self.labels.get(index).map(|label| usize::from(*label))
    }

    /// The bytes of an image: channel, row, column.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len), as a slice does.
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        &self.bytes[index * self.pixels()..(index + 1) * self.pixels()]
    }

    fn pixels(&self) -> usize {
        self.shape.iter().product::<usize>().max(1)
    }
}

/// What one file gives.
struct Part {
    shape: [usize; 3],
    bytes: Vec<u8>,
    /// Labels as the format counts them, if they are in the same file.
    labels: Vec<u8>,
}

/// Reads the images of a split and their labels, of `classes` classes.
///
/// # Errors
/// A file that is missing, of another format or truncated; images of different shapes; labels beyond the classes, or
/// not as many as there are images.
pub fn read_images(
    format: ImageFormat,
    files: &ImageFiles,
    classes: usize,
) -> Result<ImageSet, DataError> {
    let mut all = ImageSet {
        shape: [0; 3],
        bytes: Vec::new(),
        labels: Vec::new(),
    };
    for path in &files.images {
        let part = match format {
            ImageFormat::Idx => idx::images(path)?,
            ImageFormat::Cifar10 => cifar::images(path)?,
            ImageFormat::Stl10 => stl::images(path)?,
        };
        if !all.bytes.is_empty() && part.shape != all.shape {
            return Err(ImageError::shape(path, part.shape, all.shape).into());
        }
        let before = all.labels.len();
        all.shape = part.shape;
        all.bytes.extend(part.bytes);
        all.labels.extend(part.labels);
        check_labels(format, path, &all.labels[before..], classes)?;
    }
    for path in &files.labels {
        let labels = match format {
            ImageFormat::Idx => idx::labels(path)?,
            ImageFormat::Cifar10 => Vec::new(),
            ImageFormat::Stl10 => whole(path)?,
        };
        check_labels(format, path, &labels, classes)?;
        all.labels.extend(labels);
    }
    let first = format.first_label();
    all.labels.iter_mut().for_each(|label| *label -= first);
    if let (Some(images), Some(labels)) = (files.images.last(), files.labels.last())
        && all.labels.len() != all.len()
    {
        let error = ImageError::Counts {
            images: images.clone(),
            found: all.len(),
            labels: labels.clone(),
            labelled: all.labels.len(),
        };
        return Err(error.into());
    }
    Ok(all)
}

/// The shape of a file's images, without reading them: channels, rows, columns.
///
/// # Errors
/// A file that is missing, of another format or truncated.
pub fn image_shape(format: ImageFormat, path: &Path) -> Result<[usize; 3], DataError> {
    match format {
        ImageFormat::Idx => idx::shape(path),
        ImageFormat::Cifar10 => cifar::shape(path),
        ImageFormat::Stl10 => stl::shape(path),
    }
}

/// Labels, as the format counts them, have to be among the classes.
fn check_labels(
    format: ImageFormat,
    path: &Path,
    labels: &[u8],
    classes: usize,
) -> Result<(), ImageError> {
    let first = usize::from(format.first_label());
    let wrong = |label: &u8| !(first..first + classes).contains(&usize::from(*label));
    match labels.iter().position(wrong) {
        None => Ok(()),
        Some(index) => Err(ImageError::Label {
            path: path.to_owned(),
            index: index + 1,
            label: labels[index],
            first,
            last: first + classes - 1,
        }),
    }
}

/// A whole file.
fn whole(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|error| DataError::read(path, error))
}

/// The first bytes of a file, fewer if it is shorter, and its length.
fn beginning(path: &Path, bytes: usize) -> Result<(Vec<u8>, u64), DataError> {
    let failed = |error| DataError::read(path, error);
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut read = Vec::with_capacity(bytes);
    file.take(bytes as u64)
        .read_to_end(&mut read)
        .map_err(failed)?;
    Ok((read, length))
}

/// A file of records has to be a whole number of them, at least one.
fn check_records(
    path: &Path,
    length: u64,
    record: usize,
    is: &'static str,
) -> Result<(), ImageError> {
    if length > 0 && length.is_multiple_of(record as u64) {
        return Ok(());
    }
    Err(ImageError::Records {
        path: path.to_owned(),
        length,
        record,
        is,
    })
}
