//! What can be wrong with a data set.

use std::path::PathBuf;

use realfft::FftError;
use thiserror::Error;

use super::images::ImageError;
use super::resample::RATES_HZ;

/// Why a data set could not be read. Rows, lines, columns and samples are counted from 1.
#[derive(Debug, Error)]
pub enum DataError {
    /// A split whose frames are not as wide as the others'.
    #[error("`{}` has {found} values a row, the input's first file has {expected}: all splits need the same", path.display())]
    Width {
        /// The file.
        path: PathBuf,
        /// Values a row in it.
        found: usize,
        /// Values a row in the first file.
        expected: usize,
    },
    /// The folder does not exist or is not a folder.
    #[error("no folder `{}`: pass --data DIR, the folder that holds the data sets", folder.display())]
    NoFolder {
        /// The folder looked for.
        folder: PathBuf,
    },
    /// The file does not exist.
    #[error("no file `{}`: check the name, or pass --data DIR, the folder that holds the data sets", path.display())]
    NoFile {
        /// The file looked for.
        path: PathBuf,
    },
    /// The operating system refused to read a file or folder.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The end of the file name is not one that is known.
    #[error("cannot tell what `{}` holds: save the array as `.npy` or `.csv`", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no values.
    #[error("`{}` holds no values: it needs at least one row with one number", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// An entry is NaN or infinite.
    #[error("`{}`, row {row}, column {column}: the value is {value}, but inputs must be finite: replace it or leave the row out", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Row of the array; line of a text file.
        row: u64,
        /// Column.
        column: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// A field of a text file is not a number.
    #[error("`{}`, line {line}, column {column}: `{text}` is not a number; write numbers with a decimal point, separated by commas", path.display())]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// Line of the file.
        line: u64,
        /// Field in the line.
        column: usize,
        /// What stands there.
        text: String,
    },
    /// The rows of a text file differ in width.
    #[error("`{}`, line {line}: {found} fields where the rows before have {expected}; give every row the same number", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// Line of the file.
        line: u64,
        /// Fields in the first row.
        expected: u64,
        /// Fields in this row.
        found: u64,
    },
    /// A CSV file is broken otherwise.
    #[error("`{}` is not a readable CSV file: {reason}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A `.npy` file is broken or holds something else than a plain array of numbers.
    #[error("`{}` is not a readable .npy array: {reason}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A WAV file is broken or of a kind that is not read.
    #[error("`{}` is not a readable WAV file: {reason}", path.display())]
    Wav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A recording is silent, so that a level relative to its own maximum means nothing.
    #[error("`{}` is silent, so it has no level relative to its own maximum: leave the file out", path.display())]
    Silent {
        /// The file.
        path: PathBuf,
    },
    /// A sample rate out of bounds.
    #[error("a sample rate of {rate_hz} Hz: write one from {} to {} Hz", RATES_HZ.start(), RATES_HZ.end())]
    Rate {
        /// The rate asked for (Hz).
        rate_hz: u32,
    },
    /// A setting of the log-mel transform is out of bounds.
    #[error("log-mel setting `{name}` is {value}: write {expected}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A mel channel is so narrow that no frequency of the transform falls into it.
    #[error(
        "mel channel {channel} ({low_hz:.1} to {high_hz:.1} Hz) holds no frequency of the window's spectrum: take fewer `channels` or a longer `window`"
    )]
    EmptyChannel {
        /// The channel, counted from 1.
        channel: usize,
        /// Where it begins (Hz).
        low_hz: f64,
        /// Where it ends (Hz).
        high_hz: f64,
    },
    /// A file of images or labels is not what it should be.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The Fourier transform refused its buffers.
    #[error("the Fourier transform failed: {0}")]
    Transform(#[from] FftError),
    /// A pattern for file names is malformed.
    #[error(
        "`{pattern}` is not a pattern for file names: {reason}; write for example `*.wav` or `*_[0-4].wav`"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No file matches the pattern.
    #[error("no file in `{}` matches `{pattern}`: check the pattern (`*` stops at `/`; write `**/` for sub-folders)", folder.display())]
    NoMatch {
        /// The folder.
        folder: PathBuf,
        /// The pattern.
        pattern: String,
    },
    /// A file belongs to no split.
    #[error("`{}` belongs to no split: add a pattern that matches it, or name the split for all other files with `otherwise`", path.display())]
    NoSplit {
        /// The file.
        path: PathBuf,
    },
    /// A file is of no class or of no group.
    #[error("`{}` matches none of `{key}`: add a pattern that matches it, or leave the file out with `files`", path.display())]
    NoKind {
        /// The file.
        path: PathBuf,
        /// The key with the patterns.
        key: &'static str,
    },
    /// A group has no recordings in a split.
    #[error(
        "group `{group}` has no recordings in split `{split}`: every replica needs some to hear"
    )]
    EmptyGroup {
        /// The pattern of the group.
        group: String,
        /// The split.
        split: String,
    },
    /// No file was left for a split.
    #[error("split `{split}` is empty: no file of `{}` went to it; check the patterns, the first that matches takes the file", folder.display())]
    EmptySplit {
        /// The split.
        split: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Two splits have the same name.
    #[error("split `{split}` is given twice: put its patterns into one list")]
    DuplicateSplit {
        /// The split.
        split: String,
    },
    /// The split to normalise by does not exist.
    #[error("no split `{split}` to normalise by: name one of {known}")]
    UnknownSplit {
        /// The split asked for.
        split: String,
        /// The splits there are, separated by commas.
        known: String,
    },
    /// All values of the split to normalise by are equal.
    #[error(
        "every value of split `{split}` is the same, so it has no spread to normalise by: leave out the normalisation"
    )]
    NoSpread {
        /// The split.
        split: String,
    },
}

impl DataError {
    /// A failed read, told apart from a file that is not there.
    pub(super) fn read(path: &std::path::Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::NoFile { path },
            _ => Self::Read { path, source },
        }
    }
}
