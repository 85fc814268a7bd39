//! Inputs of images.

use indexmap::IndexMap;

use super::Name;
use crate::source::{Span, Spanned};

/// A format of files with images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageFormat {
    /// IDX, as of MNIST: files of images, files of labels.
    Idx,
    /// The binary version of CIFAR-10: labels and images in one file.
    Cifar10,
    /// The binary version of STL-10: files of images, files of labels.
    Stl10,
}

impl ImageFormat {
    /// The lowest label.
    pub fn first_label(self) -> u8 {
        match self {
            ImageFormat::Idx | ImageFormat::Cifar10 => 0,
            ImageFormat::Stl10 => 1,
        }
    }
}

/// The files of a split.
#[derive(Debug, Clone)]
pub struct ImageFiles {
    /// Files with images; at least one.
    pub images: Vec<Name>,
    /// Files with their labels.
    pub labels: Vec<Name>,
}

/// Where the gaze goes from patch to patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GazePath {
    /// From top to bottom, column after column.
    Columns,
    /// From left to right, row after row.
    Rows,
    /// From anywhere to one of the neighbours, and so on.
    Walk,
    /// From anywhere straight on, in one of eight directions, and back from the edges.
    Drift,
}

/// Patches of an image that are looked at one after another.
#[derive(Debug, Clone)]
pub struct Patches {
    /// Rows and columns of a patch.
    pub size: Spanned<[u64; 2]>,
    /// Pixels from a patch to the next, down and to the right.
    pub stride: [u64; 2],
    /// Where the gaze goes.
    pub path: GazePath,
    /// Probability that it goes to another image instead, at each move.
    pub saccade: f64,
}

impl Patches {
    /// Rows and columns of the grid of patches on an image of so many rows and columns; 0 if a patch is larger.
    pub fn grid(&self, sides: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|d| {
            let (size, stride) = (self.size.value[d] as usize, self.stride[d] as usize);
            let rest = sides[d].checked_sub(size);
            rest.map_or(0, |rest| rest / stride + 1)
        })
    }
}

/// Images, each held for some steps.
#[derive(Debug, Clone)]
pub struct ImagesInput {
    /// What the files are.
    pub format: ImageFormat,
    /// Files of the split `train`.
    pub files: ImageFiles,
    /// Files of the other splits.
    pub splits: IndexMap<String, ImageFiles>,
    /// Number of classes.
    pub classes: u64,
    /// Steps that each image, or each patch, stays.
    pub hold: u64,
    /// Another order in each pass.
    pub shuffle: bool,
    /// Mean 0 and standard deviation 1 of each channel over the split `train`, instead of values from 0 to 1.
    pub normalise: bool,
    /// Standard deviation (pixels) of the neighbourhoods whose mean and contrast are taken out; `None` if none are.
    pub local_contrast: Option<f64>,
    /// Grey instead of colours.
    pub grey: bool,
    /// Rows and columns that are seen, in the middle of the image; all if `None`.
    pub crop: Option<Spanned<[u64; 2]>>,
    /// Blocks of so many rows and columns are averaged into one pixel.
    pub shrink: u64,
    /// Where that was written.
    pub shrink_span: Span,
    /// Patches that are looked at one after another; the whole image at once if `None`.
    pub patches: Option<Patches>,
}

impl ImagesInput {
    /// The first file of the split `train`.
    pub fn first_file(&self) -> &str {
        self.files.images.first().map_or("", |file| &file.value)
    }

    /// Whether the images have labels.
    pub fn is_labelled(&self) -> bool {
        self.format == ImageFormat::Cifar10 || !self.files.labels.is_empty()
    }

    /// Rows and columns of the part that is seen, of images of such a shape.
    pub fn cropped(&self, [_, rows, columns]: [usize; 3]) -> [usize; 2] {
        let crop = self.crop.as_ref().map(|crop| crop.value);
        crop.map_or([rows, columns], |crop| crop.map(|side| side as usize))
    }

    /// Rows and columns that are seen at a time, of an image that is looked at in so many.
    pub fn patch(&self, sides: [usize; 2]) -> [usize; 2] {
        let patches = self.patches.as_ref();
        patches.map_or(sides, |p| p.size.value.map(|side| side as usize))
    }

    /// What is looked at of images of such a shape: channels, rows, columns.
    pub fn seen(&self, source: [usize; 3]) -> [usize; 3] {
        let [rows, columns] = self.cropped(source).map(|side| side / self.shrink as usize);
        [if self.grey { 1 } else { source[0] }, rows, columns]
    }
}
