//! What can be wrong with a file of images or labels.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why images could not be read. Images and labels are counted from 1.
#[derive(Debug, Error)]
pub enum ImageError {
    /// A file does not begin as IDX files of its kind do.
    #[error(
        "`{}` is no IDX file of {what}: it begins with the bytes {found}, expected {expected}; {hint}",
        path.display()
    )]
    Magic {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        what: &'static str,
        /// Its first four bytes, or fewer, in hexadecimal.
        found: String,
        /// What they should be.
        expected: &'static str,
        /// What could be the reason.
        hint: &'static str,
    },
    /// An IDX file is longer or shorter than its header says.
    #[error(
        "`{}` has {found} bytes, but its header announces {says}, {expected} bytes with the header: the file is {}",
        path.display(), if found < expected { "truncated" } else { "damaged, or has something behind its data" }
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes in it.
        found: u64,
        /// Bytes that it should have.
        expected: u64,
        /// What its header says, such as `60000 images of 28 x 28`.
        says: String,
    },
    /// A file of records is no whole number of them.
    #[error(
        "`{}` has {length} bytes, expected a multiple of {record}: {is}; the file is truncated or of another format",
        path.display()
    )]
    Records {
        /// The file.
        path: PathBuf,
        /// Bytes in it.
        length: u64,
        /// Bytes of a record.
        record: usize,
        /// What a record is.
        is: &'static str,
    },
    /// The images of a file have another shape than those of the first file.
    #[error(
        "`{}` has images of {}, the input's first file has {}: all need the same shape",
        path.display(), shape(found), shape(expected)
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Channels, rows and columns in it.
        found: [usize; 3],
        /// Those of the first file.
        expected: [usize; 3],
    },
    /// A label is beyond the classes.
    #[error(
        "`{}`, label {index}: the class is {label}, expected {first} to {last}; {}",
        path.display(),
        if *first == 0 { "if there are more classes, write how many with `classes`" } else { "STL-10 has ten classes, counted from 1" }
    )]
    Label {
        /// The file.
        path: PathBuf,
        /// Which label.
        index: usize,
        /// Its class.
        label: u8,
        /// The lowest class.
        first: usize,
        /// The highest.
        last: usize,
    },
    /// There are not as many labels as images.
    #[error(
        "{found} images end with `{}`, but {labelled} labels with `{}`: name the files that belong together",
        images.display(), labels.display()
    )]
    Counts {
        /// The last file of images.
        images: PathBuf,
        /// Images in all files.
        found: usize,
        /// The last file of labels.
        labels: PathBuf,
        /// Labels in all files.
        labelled: usize,
    },
    /// A split has no labels, the first has.
    #[error(
        "split `{split}` has no labels, the first split has: give `labels`, or leave them out everywhere"
    )]
    Unlabelled {
        /// The split.
        split: String,
    },
    /// All pixels of a channel are equal.
    #[error(
        "all pixels of channel {channel} of the split `{split}` are the same, so they have no spread to normalise by: leave out `normalise`"
    )]
    NoSpread {
        /// The split.
        split: String,
        /// The channel, counted from 1.
        channel: usize,
    },
}

impl ImageError {
    /// A file of another shape.
    pub(super) fn shape(path: &Path, found: [usize; 3], expected: [usize; 3]) -> ImageError {
        ImageError::Shape {
            path: path.to_owned(),
            found,
            expected,
        }
    }
}

/// A shape in words: `3 channels of 32 x 32`, or `28 x 28` for a single channel.
fn shape([channels, rows, columns]: &[usize; 3]) -> String {
    match channels {
        1 => format!("{rows} x {columns}"),
        _ => format!("{channels} channels of {rows} x {columns}"),
    }
}
