//! Images as an input: which image each replica sees, and its bytes as values.

mod order;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

pub use order::Order;
pub use view::View;

use super::data::{ImageError, ImageFiles, ImageSet, image_shape, read_images};
use super::{DataError, DataPaths};
use crate::circuit::Output;
use crate::lang::vm::padded;
use crate::netlist::model::{self, ImagesInput, Name};

/// The split that `file` is.
const FIRST_SPLIT: usize = 0;

/// An input of images while a circuit runs.
#[derive(Debug, Clone)]
pub struct Images {
    splits: Arc<IndexMap<String, ImageSet>>,
    view: Arc<View>,
    classes: usize,
    /// Steps that each image stays.
    hold: u64,
    split: usize,
    order: Order,
    /// The image that each replica saw in the step before: its split and its index there.
    seen: Vec<Option<(usize, u32)>>,
}

/// The shape of an input's images as the circuit sees them: channels, rows, columns.
///
/// # Errors
/// A file that is missing, of another format or truncated.
pub fn first_shape(input: &ImagesInput, paths: &DataPaths) -> Result<[usize; 3], DataError> {
    let file = paths.find(input.first_file());
    image_shape(input.format, &file)
}

impl Images {
    /// Reads all splits; `stream` is the run's seed and the input's name.
    ///
    /// # Errors
    /// Files that are missing, broken, or do not go together.
    pub(super) fn new(
        input: &ImagesInput,
        replicas: usize,
        paths: &DataPaths,
        stream: (u64, &str),
    ) -> Result<Images, DataError> {
        let mut splits = IndexMap::new();
        let files = std::iter::once(("train", &input.files)).chain(
            input
                .splits
                .iter()
                .map(|(name, files)| (name.as_str(), files)),
        );
        for (name, files) in files {
            let files = found(files, paths);
            let set = read_images(input.format, &files, input.classes as usize)?;
            check_fits(name, &set, splits.get_index(FIRST_SPLIT), &files)?;
            splits.insert(name.to_owned(), set);
        }
        let view = View::new(input, splits.get_index(FIRST_SPLIT))?;
        let mut images = Images {
            order: Order::new(stream, splits.len(), input.shuffle),
            splits: Arc::new(splits),
            view: Arc::new(view),
            classes: input.classes as usize,
            hold: input.hold,
            split: FIRST_SPLIT,
            seen: vec![None; replicas],
        };
        images.rewind(None);
        Ok(images)
    }

    /// Names of the splits.
    pub(super) fn splits(&self) -> Vec<&str> {
        self.splits.keys().map(String::as_str).collect()
    }

    /// Steps of a pass over a split, the first if none is named.
    pub(super) fn epoch(&self, split: Option<&str>) -> Option<u64> {
        let set = match split {
            Some(name) => self.splits.get(name)?,
            None => self.splits.get_index(FIRST_SPLIT)?.1,
        };
        Some(set.len().div_ceil(self.seen.len().max(1)) as u64 * self.hold)
    }

    /// Begins a pass over a split, the first if none is named.
    pub(super) fn rewind(&mut self, split: Option<&str>) {
        let index = split.and_then(|name| self.splits.get_index_of(name));
        self.split = index.unwrap_or(FIRST_SPLIT);
        if let Some((name, set)) = self.splits.get_index(self.split) {
            self.order.begin(self.split, name, set.len());
        }
    }

    /// Starts over, with streams of another seed.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.order.reseed(seed);
        self.seen.fill(None);
    }

    /// Writes the next steps, replica by replica within a step, to the outputs that are wanted.
    pub(super) fn advance(&mut self, steps: usize, outputs: &mut [(Output, &mut [f64])]) {
        for step in 0..steps {
            for replica in 0..self.seen.len() {
                self.show(step, replica, outputs);
            }
            self.move_on();
        }
    }

    /// Writes what one replica sees in this step.
    fn show(&mut self, step: usize, replica: usize, outputs: &mut [(Output, &mut [f64])]) {
        let Some((_, set)) = self.splits.get_index(self.split) else {
            return;
        };
        let (image, again) = self.order.image(replica, set.len());
        let shown = Some((self.split, image as u32));
        for (output, out) in outputs {
            let row = padded(match output {
                Output::Values => self.view.size(),
                Output::Label => self.classes,
                _ => 1,
            });
            let at = (step * self.seen.len() + replica) * row;
            let Some(out) = out.get_mut(at..at + row) else {
                continue;
            };
            match output {
                Output::Values => self.view.write(set.image(image), out),
                Output::Label => {
                    out.fill(0.0);
                    if let Some(label) = set.label(image) {
                        out[label] = 1.0;
                    }
                }
                Output::Changed => out[0] = f64::from(u8::from(self.seen[replica] != shown)),
                Output::Last => {
                    let last = self.order.held() + 1 == self.hold && !again;
                    out[0] = f64::from(u8::from(last));
                }
                Output::Latent => {}
            }
        }
        self.seen[replica] = shown;
    }

    /// Goes to the next step.
    fn move_on(&mut self) {
        let replicas = self.seen.len();
        if let Some((name, set)) = self.splits.get_index(self.split)
            && self.order.hold_on(self.hold, replicas, set.len())
        {
            self.order.begin(self.split, name, set.len());
        }
    }
}

/// Where the files of a split are.
fn found(files: &model::ImageFiles, paths: &DataPaths) -> ImageFiles {
    let all = |names: &[Name]| -> Vec<PathBuf> {
        let paths = names.iter().map(|name| paths.find(&name.value));
        paths.collect()
    };
    ImageFiles {
        images: all(&files.images),
        labels: all(&files.labels),
    }
}

/// The images of a split have to be like those of the first.
fn check_fits(
    name: &str,
    set: &ImageSet,
    first: Option<(&String, &ImageSet)>,
    files: &ImageFiles,
) -> Result<(), ImageError> {
    let Some((_, first)) = first else {
        return Ok(());
    };
    if set.shape() != first.shape()
        && let Some(path) = files.images.first()
    {
        return Err(ImageError::Shape {
            path: path.clone(),
            found: set.shape(),
            expected: first.shape(),
        });
    }
    if first.is_labelled() && !set.is_labelled() {
        return Err(ImageError::Unlabelled {
            split: name.to_owned(),
        });
    }
    Ok(())
}
