//! Images as an input: which image each replica sees, or which patch of it, and its bytes as values.

mod contrast;
mod gaze;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

pub use view::View;

use gaze::Gaze;
use view::Contrasted;

use super::data::{ImageError, ImageFiles, ImageSet, image_shape, read_images};
use super::order::Order;
use super::{DataError, DataPaths, Pass};
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
    /// Steps that each image or patch stays.
    hold: u64,
    /// Steps that these have been shown before this one.
    held: u64,
    split: usize,
    order: Order,
    gaze: Gaze,
    name: String,
    /// Probability of a saccade where a stage says nothing else.
    saccade: f64,
    /// The image that each replica saw in the step before: its split and its index there.
    seen: Vec<Option<(usize, u32)>>,
    /// What each replica sees of an image, if it is worked on as a whole.
    whole: Vec<Contrasted>,
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
        let patches = input.patches.as_ref();
        let mut images = Images {
            gaze: Gaze::new(patches, view.sides(), replicas, stream),
            saccade: patches.map_or(0.0, |p| p.saccade),
            name: stream.1.to_owned(),
            order: Order::new(stream, splits.len(), input.shuffle),
            splits: Arc::new(splits),
            view: Arc::new(view),
            classes: input.classes as usize,
            hold: input.hold,
            held: 0,
            split: FIRST_SPLIT,
            seen: vec![None; replicas],
            whole: vec![Contrasted::default(); replicas],
        };
        images.rewind(&Pass::default());
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
        let visits = set.len().div_ceil(self.seen.len().max(1));
        Some((visits * self.gaze.patches()) as u64 * self.hold)
    }

    /// Goes on with saccades as probable as the netlist states.
    pub(super) fn go_on(&mut self) {
        self.gaze.set_saccade(self.saccade);
    }

    /// Begins a pass over a split.
    pub(super) fn rewind(&mut self, pass: &Pass) {
        self.held = 0;
        self.gaze.set_saccade(pass.saccade.unwrap_or(self.saccade));
        self.gaze.begin();
        let split = pass.split.as_deref();
        let index = split.and_then(|name| self.splits.get_index_of(name));
        self.split = index.unwrap_or(FIRST_SPLIT);
        if let Some((name, set)) = self.splits.get_index(self.split) {
            self.order.begin(self.split, name, set.len());
        }
    }

    /// Starts over, with streams of another seed.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.order.reseed(seed);
        self.gaze.reseed(seed, &self.name);
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
        let (own, again) = self.order.image(replica, set.len());
        let image = self.gaze.elsewhere(replica).unwrap_or(own);
        let id = (self.split, image as u32);
        let shown = Some(id);
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
                Output::Values => {
                    let corner = self.gaze.corner(replica);
                    let whole = &mut self.whole[replica];
                    self.view.write((set.image(image), id), corner, whole, out);
                }
                Output::Label => {
                    out.fill(0.0);
                    if let Some(label) = set.label(image) {
                        out[label] = 1.0;
                    }
                }
                Output::Changed => out[0] = f64::from(u8::from(self.seen[replica] != shown)),
                Output::Moved => {
                    let moved = self.held == 0 && self.gaze.moved();
                    out[0] = f64::from(u8::from(moved));
                }
                Output::Last => {
                    let last = self.held + 1 == self.hold && self.gaze.is_last() && !again;
                    out[0] = f64::from(u8::from(last));
                }
                Output::Latent => {}
            }
        }
        self.seen[replica] = shown;
    }

    /// Goes to the next step.
    fn move_on(&mut self) {
        self.held += 1;
        let Some((name, set)) = self.splits.get_index(self.split) else {
            return;
        };
        if self.held < self.hold {
            return;
        }
        self.held = 0;
        let order = &self.order;
        let own = |replica| order.image(replica, set.len()).0;
        if self.gaze.move_on(set.len(), own) {
            self.gaze.begin();
            if self.order.move_on(self.seen.len(), set.len()) {
                self.order.begin(self.split, name, set.len());
            }
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
