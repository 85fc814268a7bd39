//! Bytes of an image as the values that a circuit sees.

use super::contrast::LocalContrast;
use crate::input::DataError;
use crate::input::data::{ImageError, ImageSet};
use crate::netlist::model::ImagesInput;

/// Luma of red, green and blue.
///
/// # Source
/// Recommendation ITU-R BT.601.
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// How an image is looked at: a part of it, grey or in colour, at a smaller size, scaled; and the patch of that which is seen
/// at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Channels, rows, columns of an image in memory.
    source: [usize; 3],
    /// Channels, rows, columns of the image as it is looked at.
    shape: [usize; 3],
    /// Rows and columns that are seen at a time.
    patch: [usize; 2],
    /// Row and column of the source at which the part that is seen begins.
    corner: [usize; 2],
    /// Rows and columns of the source that are averaged into one.
    shrink: usize,
    /// Whether colours become grey.
    grey: bool,
    /// For each channel seen: value = factor · byte + offset.
    scale: Vec<(f64, f64)>,
    /// What is taken out of the image before a patch of it is seen.
    contrast: Option<LocalContrast>,
}

/// An image without its local means and contrasts, as a replica sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct Contrasted {
    /// The split and the index there of the image.
    of: Option<(usize, u32)>,
    values: Vec<f64>,
}

impl View {
    /// The view that a netlist states; `first` is the split whose mean and standard deviation normalise all.
    pub(super) fn new(
        input: &ImagesInput,
        first: Option<(&String, &ImageSet)>,
    ) -> Result<View, DataError> {
        let source = first.map_or([1; 3], |(_, set)| set.shape());
        let shape = input.seen(source);
        let patch = input.patch([shape[1], shape[2]]);
        let shrink = input.shrink as usize;
        let mut view = View {
            source,
            shape,
            patch,
            corner: [1, 2].map(|d| (source[d] - shape[d] * shrink) / 2),
            shrink,
            grey: input.grey && source[0] == 3,
            scale: vec![(1.0 / 255.0, 0.0); shape[0]],
            contrast: input.local_contrast.map(LocalContrast::new),
        };
        if let (true, Some((name, set))) = (input.normalise, first) {
            view.scale = view.normalised(name, set)?;
        }
        Ok(view)
    }

    /// Rows and columns of the image as it is looked at.
    pub(super) fn sides(&self) -> [usize; 2] {
        [self.shape[1], self.shape[2]]
    }

    /// Values that are seen at a time.
    pub(super) fn size(&self) -> usize {
        self.shape[0] * self.patch[0] * self.patch[1]
    }

    /// Writes the values of the patch at `corner` (row, column): channel, row, column. `id` is the image's split and index;
    /// `whole` keeps from step to step what the whole image says.
    pub(super) fn write(
        &self,
        (image, id): (&[u8], (usize, u32)),
        corner: [usize; 2],
        whole: &mut Contrasted,
        out: &mut [f64],
    ) {
        let Some(contrast) = &self.contrast else {
            return self.write_part(image, (corner, self.patch), out);
        };
        if whole.of != Some(id) {
            whole.of = Some(id);
            whole.values.resize(self.shape.iter().product(), 0.0);
            self.write_part(image, ([0, 0], self.sides()), &mut whole.values);
            contrast.apply(&mut whole.values, self.shape);
        }
        let [rows, columns] = self.patch;
        let [height, width] = self.sides();
        let lines = out.chunks_exact_mut(columns).take(self.shape[0] * rows);
        for (line, out) in lines.enumerate() {
            let row = line / rows * height + corner[0] + line % rows;
            let from = row * width + corner[1];
            out.copy_from_slice(&whole.values[from..from + columns]);
        }
    }

    /// Writes the values of the part of so many rows and columns at `corner`.
    fn write_part(
        &self,
        image: &[u8],
        (corner, [rows, columns]): ([usize; 2], [usize; 2]),
        out: &mut [f64],
    ) {
        let lines = out.chunks_exact_mut(columns).take(self.shape[0] * rows);
        for (line, out) in lines.enumerate() {
            let (channel, row) = (line / rows, corner[0] + line % rows);
            let (factor, offset) = self.scale[channel];
            self.sums(image, channel, [row, corner[1]], out);
            for value in out {
                *value = factor * *value + offset;
            }
        }
    }

    /// The mean byte behind each value of a row, from a column on.
    fn sums(&self, image: &[u8], channel: usize, [row, column]: [usize; 2], out: &mut [f64]) {
        out.fill(0.0);
        let [channels, rows, columns] = self.source;
        let weights: &[f64] = if self.grey { &LUMA } else { &[1.0] };
        let share = 1.0 / (self.shrink * self.shrink) as f64;
        for (c, weight) in (channel..channels).zip(weights) {
            for line in 0..self.shrink {
                let y = self.corner[0] + row * self.shrink + line;
                let x = self.corner[1] + column * self.shrink;
                let from = (c * rows + y) * columns + x;
                let bytes = &image[from..from + out.len() * self.shrink];
                if self.shrink == 1 {
                    for (out, byte) in out.iter_mut().zip(bytes) {
                        *out += weight * share * f64::from(*byte);
                    }
                    continue;
                }
                for (out, bytes) in out.iter_mut().zip(bytes.chunks_exact(self.shrink)) {
                    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
                    *out += weight * share * f64::from(sum);
                }
            }
        }
    }

    /// The scale that gives each channel of a split mean 0 and standard deviation 1.
    fn normalised(&self, name: &str, set: &ImageSet) -> Result<Vec<(f64, f64)>, ImageError> {
        let [channels, rows, columns] = self.shape;
        let mut values = vec![0.0; columns];
        let mut scale = Vec::with_capacity(channels);
        for channel in 0..channels {
            let (mut sum, mut squares) = (0.0, 0.0);
            for image in 0..set.len() {
                for row in 0..rows {
                    self.sums(set.image(image), channel, [row, 0], &mut values);
                    sum += values.iter().sum::<f64>();
                    squares += values.iter().map(|v| v * v).sum::<f64>();
                }
            }
            let count = (set.len() * rows * columns) as f64;
            let mean = sum / count;
            let variance = squares / count - mean * mean;
            // Bytes: anything below this is a rounding error of equal ones.
            if variance < 1e-6 {
                return Err(ImageError::NoSpread {
                    split: name.to_owned(),
                    channel: channel + 1,
                });
            }
            let sd = variance.sqrt();
            scale.push((1.0 / sd, -mean / sd));
        }
        Ok(scale)
    }
}
