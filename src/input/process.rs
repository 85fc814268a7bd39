//! Input processes: what an input gives at each step.

use std::sync::Arc;

use indexmap::IndexMap;
use pulp::Arch;

use super::data::{
    Frames, LogMel, RecordedSplit, Recordings, RecordingsSpec, SplitRule, read_array,
};
use super::draws::Draws;
use super::images::Images;
use super::latent::LatentAr1;
use super::recordings::WholeRecordings;
use super::von_mises::{Motion, VonMises};
use super::{DataError, DataPaths, Pass};
use crate::circuit::{Input, Output, sample};
use crate::lang::vm::padded;
use crate::netlist::model::{InputProcess, LogMelInput, Mixing, Name, Normalise};
use crate::random::{Normals, seed_of};
use crate::vector::{Singles, Vector};

/// An input while a circuit runs; its state is plain data but for the frames it shares.
#[derive(Debug, Clone)]
pub struct Process {
    /// Padded length of a row for one replica.
    row: usize,
    replicas: usize,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    LatentAr1(Box<LatentAr1>),
    VonMises(Box<VonMises>),
    Draws(Draws),
    Frames(FrameReader),
    Images(Box<Images>),
    Recordings(Box<WholeRecordings>),
}

/// Rows of a data set, round and round.
#[derive(Debug, Clone)]
struct FrameReader {
    splits: Arc<IndexMap<String, Frames>>,
    split: usize,
    position: usize,
}

/// The split of a data set that is used while a stage names none: the first.
const FIRST_SPLIT: usize = 0;

impl Process {
    /// Sets an input up, reading its data.
    ///
    /// # Errors
    /// If data are missing or broken.
    pub fn new(
        input: &Input,
        seed: u64,
        replicas: usize,
        paths: &DataPaths,
        threads: usize,
    ) -> Result<Process, DataError> {
        let kind = match &input.process {
            InputProcess::LatentAr1 {
                latent,
                decay,
                noise,
                mixing,
                ..
            } => {
                let latent = latent.value as usize;
                let mixing = mixing_matrix(mixing, input, latent, seed);
                let normals = Normals::new(seed, &format!("input {}", input.name), 0);
                let motion = (decay.value, noise.value);
                let process = LatentAr1::new(motion, (mixing, input.size), replicas, normals);
                Kind::LatentAr1(Box::new(process))
            }
            InputProcess::VonMises {
                concentration,
                mean,
                noise,
                drift,
                among,
                ..
            } => {
                let stream = (seed, input.name.as_str());
                let motion = Motion {
                    noise: *noise,
                    drift: drift.unwrap_or(concentration.value / 2.0),
                    hold: input.hold,
                    among: *among,
                };
                let process = VonMises::new(concentration.value, *mean, motion, replicas, stream);
                Kind::VonMises(Box::new(process))
            }
            InputProcess::Random { size, draw, .. } => {
                let (size, stream) = (size.value as usize, (seed, input.name.as_str()));
                let hold = input.hold.unwrap_or(1);
                Kind::Draws(Draws::new(draw.clone(), size, replicas, hold, stream))
            }
            InputProcess::Array { file, splits } => {
                let mut read = IndexMap::new();
                let all = std::iter::once(("train", file))
                    .chain(splits.iter().map(|(name, file)| (name.as_str(), file)));
                for (name, file) in all {
                    let path = paths.find(&file.value);
                    let frames = read_array(&path)?;
                    if frames.size() != input.size {
                        return Err(DataError::Width {
                            path,
                            found: frames.size(),
                            expected: input.size,
                        });
                    }
                    read.insert(name.to_owned(), frames);
                }
                Kind::Frames(FrameReader {
                    splits: Arc::new(read),
                    split: FIRST_SPLIT,
                    position: 0,
                })
            }
            InputProcess::Images(images) => {
                let stream = (seed, input.name.as_str());
                Kind::Images(Box::new(Images::new(images, replicas, paths, stream)?))
            }
            InputProcess::LogMel(mel) => {
                let stream = (seed, input.name.as_str());
                let splits = recordings(mel, stream, paths, threads)?;
                match &mel.whole {
                    Some(whole) => {
                        let shared = (replicas, mel.shuffle);
                        let heard = WholeRecordings::new(splits, whole, shared, stream)?;
                        Kind::Recordings(Box::new(heard))
                    }
                    None => {
                        let frames = splits.into_iter().map(|(name, split)| (name, split.frames));
                        Kind::Frames(FrameReader {
                            splits: Arc::new(frames.collect()),
                            split: FIRST_SPLIT,
                            position: 0,
                        })
                    }
                }
            }
        };
        Ok(Process {
            row: padded(input.size),
            replicas,
            kind,
        })
    }

    /// Names of the splits, if it is a data set.
    pub fn splits(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::LatentAr1(_) | Kind::VonMises(_) | Kind::Draws(_) => None,
            Kind::Frames(reader) => Some(reader.splits.keys().map(String::as_str).collect()),
            Kind::Images(images) => Some(images.splits()),
            Kind::Recordings(recordings) => Some(recordings.splits()),
        }
    }

    /// Steps in one pass over a split (the first if none is named) with the given replicas.
    pub fn epoch(&self, split: Option<&str>) -> Option<u64> {
        match &self.kind {
            Kind::LatentAr1(_) | Kind::VonMises(_) | Kind::Draws(_) => None,
            Kind::Frames(reader) => {
                let frames = match split {
                    Some(name) => reader.splits.get(name)?,
                    None => reader.splits.get_index(FIRST_SPLIT)?.1,
                };
                Some(frames.len().div_ceil(self.replicas) as u64)
            }
            Kind::Images(images) => images.epoch(split),
            Kind::Recordings(recordings) => recordings.epoch(split),
        }
    }

    /// Drops what a stage has set for itself alone.
    pub fn go_on(&mut self) {
        match &mut self.kind {
            Kind::Images(images) => images.go_on(),
            Kind::Recordings(recordings) => recordings.go_on(),
            _ => {}
        }
    }

    /// Starts a pass over a split; nothing for a process without splits.
    pub fn rewind(&mut self, pass: &Pass) {
        match &mut self.kind {
            Kind::LatentAr1(_) | Kind::VonMises(_) | Kind::Draws(_) => {}
            Kind::Frames(reader) => {
                reader.split = pass
                    .split
                    .as_deref()
                    .and_then(|name| reader.splits.get_index_of(name))
                    .unwrap_or(FIRST_SPLIT);
                reader.position = 0;
            }
            Kind::Images(images) => images.rewind(pass),
            Kind::Recordings(recordings) => recordings.rewind(pass),
        }
    }

    /// Starts over, as before the first step of a run with that seed; what the circuit drew once, such as a mixing
    /// matrix or the order of recordings, stays.
    pub fn reseed(&mut self, seed: u64, name: &str) {
        match &mut self.kind {
            Kind::LatentAr1(process) => {
                process.reseed(Normals::new(seed, &format!("input {name}"), 0));
            }
            Kind::VonMises(process) => process.reseed(seed, name),
            Kind::Draws(process) => process.reseed(seed, name),
            Kind::Frames(_) => {}
            Kind::Images(images) => images.reseed(seed),
            Kind::Recordings(recordings) => recordings.reseed(seed),
        }
        self.rewind(&Pass::default());
    }

    /// Moves on by some steps; writes those outputs that are wanted, replica by replica within a step.
    pub fn advance(&mut self, arch: Arch, steps: usize, outputs: &mut [(Output, &mut [f64])]) {
        let mut wanted = |wanted: Output| {
            let mut all = outputs.iter_mut();
            all.find(|(output, _)| *output == wanted)
                .map(|(_, out)| std::mem::take(out))
        };
        match &mut self.kind {
            Kind::LatentAr1(process) => {
                process.advance(arch, steps);
                if let Some(values) = wanted(Output::Values) {
                    process.write(arch, (values, self.row));
                }
                if let Some(latent) = wanted(Output::Latent) {
                    latent.copy_from_slice(process.path());
                }
            }
            Kind::VonMises(process) => {
                let (values, latent) = (wanted(Output::Values), wanted(Output::Latent));
                process.advance(arch, steps, values.unwrap_or_default(), latent);
            }
            Kind::Draws(process) => {
                process.advance(steps, wanted(Output::Values).unwrap_or_default());
            }
            Kind::Frames(reader) => {
                let length = self.row * self.replicas;
                let values = wanted(Output::Values).unwrap_or_default();
                for step in 0..steps {
                    let out = values.get_mut(step * length..(step + 1) * length);
                    reader.advance(self.row, self.replicas, out.unwrap_or_default());
                }
            }
            Kind::Images(images) => images.advance(steps, outputs),
            Kind::Recordings(recordings) => recordings.advance(steps, outputs),
        }
    }
}

impl Process {
    /// Whether it can compute its values in single precision.
    pub fn has_single(&self) -> bool {
        matches!(self.kind, Kind::LatentAr1(_))
    }

    /// Writes the values of the steps that were advanced last in single precision, in rows that are padded to whole cache
    /// lines, if it [can](Process::has_single).
    pub fn write_single(&mut self, arch: Arch, out: &mut Singles) {
        if let Kind::LatentAr1(process) = &mut self.kind {
            process.write_single(arch, out);
        }
    }
}

impl FrameReader {
    fn advance(&mut self, row: usize, replicas: usize, out: &mut [f64]) {
        let Some((_, frames)) = self.splits.get_index(self.split) else {
            return;
        };
        // Replicas start evenly spread over the data.
        let share = frames.len().div_ceil(replicas);
        for (replica, out) in out.chunks_exact_mut(row.max(1)).enumerate() {
            let frame = frames.frame((self.position + replica * share) % frames.len());
            out[..frame.len()].copy_from_slice(frame);
        }
        self.position = (self.position + 1) % frames.len();
    }
}

/// The matrix from latent variables to values, one padded row per latent variable.
fn mixing_matrix(mixing: &Mixing, input: &Input, latent: usize, seed: u64) -> Vector {
    let row = padded(input.size);
    let mut matrix = Vector::zeros(latent * row);
    match mixing {
        Mixing::Entries(distribution) => {
            let name = format!("mixing {}", input.name);
            let drawn = sample::draw_all(distribution, latent * input.size, seed, &name);
            for (k, entries) in drawn.chunks(input.size.max(1)).enumerate() {
                matrix[k * row..k * row + input.size].copy_from_slice(entries);
            }
        }
        Mixing::Bumps { width, height } => {
            let turn = std::f64::consts::TAU;
            for k in 0..latent {
                for i in 0..input.size {
                    let angle = turn * (i as f64 / input.size as f64 - k as f64 / latent as f64);
                    matrix[k * row + i] = height * ((angle.cos() - 1.0) / (width * width)).exp();
                }
            }
        }
    }
    matrix
}

/// The recordings of a log-mel input, split by split; the one the rest of the files go to comes first.
fn recordings(
    mel: &LogMelInput,
    (seed, name): (u64, &str),
    paths: &DataPaths,
    threads: usize,
) -> Result<IndexMap<String, RecordedSplit>, DataError> {
    let rule = |(name, pattern): (&String, &Name)| SplitRule {
        name: name.clone(),
        patterns: vec![pattern.value.clone()],
    };
    let texts = |names: &[Name]| names.iter().map(|name| name.value.clone()).collect();
    let (classes, groups) = match &mel.whole {
        Some(whole) => (texts(&whole.classes), texts(&whole.groups)),
        None => Default::default(),
    };
    // Whole recordings are shuffled as they are heard.
    let once = mel.shuffle && mel.whole.is_none();
    let spec = RecordingsSpec {
        folder: paths.find(&mel.folder.value),
        files: mel.files.value.clone(),
        splits: mel.splits.iter().map(rule).collect(),
        otherwise: Some(mel.otherwise.clone()),
        classes,
        groups,
        log_mel: LogMel {
            rate_hz: mel.rate_hz as u32,
            window: mel.window as usize,
            hop: mel.hop as usize,
            channels: mel.channels as usize,
            floor_db: mel.floor_db,
        },
        normalise_by: (mel.normalise != Normalise::No).then(|| mel.otherwise.clone()),
        by_channel: mel.normalise == Normalise::Channels,
        shuffle: once.then(|| seed_of(seed, &format!("shuffle {name}"), 0)),
        threads,
    };
    let recordings = Recordings::load(&spec)?;
    let splits = recordings.splits.into_iter();
    let mut splits: IndexMap<String, RecordedSplit> =
        splits.map(|split| (split.name.clone(), split)).collect();
    if let Some(index) = splits.get_index_of(&mel.otherwise) {
        splits.move_index(index, FIRST_SPLIT);
    }
    Ok(splits)
}
