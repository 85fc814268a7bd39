//! A folder of sound files as a data set: splits, log-mel frames, normalisation, order.

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::files::{NamedFile, Pattern, matching_files};
use super::parallel::try_map_in_order;
use super::{DataError, Frames, LogMel, LogMelPlan, Resampler, read_wav};

/// Which files go to a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRule {
    /// Name of the split, such as `test`.
    pub name: String,
    /// Patterns of its files, such as `*_[0-4].wav`.
    pub patterns: Vec<String>,
}

/// What to load and how. Patterns are matched with names relative to `folder`; `*` and `?` stop at `/`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingsSpec {
    /// Folder with the sound files.
    pub folder: PathBuf,
    /// Pattern of the files to take, such as `*.wav`; `**/*.wav` reaches into sub-folders.
    pub files: String,
    /// Splits; a file goes to the first with a pattern that matches.
    pub splits: Vec<SplitRule>,
    /// Name of the split for all other files; without it, such a file is an error.
    pub otherwise: Option<String>,
    /// The pattern of each class; a file is of the first that matches. Empty: files have no classes.
    pub classes: Vec<String>,
    /// The pattern of each group; a file is of the first that matches. Empty: files have no groups.
    pub groups: Vec<String>,
    /// How sound becomes frames.
    pub log_mel: LogMel,
    /// Split whose levels scale all splits; without it, levels stay in dB.
    pub normalise_by: Option<String>,
    /// Whether each channel is scaled on its own, to mean 0 and standard deviation 1, or all by minimum and standard deviation.
    pub by_channel: bool,
    /// Seed of the order of recordings within each split; without it, they are in order of name.
    pub shuffle: Option<u64>,
    /// Threads to work on; the result does not depend on it.
    pub threads: usize,
}

/// Recordings as frames, divided into splits.
#[derive(Clone, Debug, PartialEq)]
pub struct Recordings {
    /// The splits in the order of the spec, that for all other files last.
    pub splits: Vec<RecordedSplit>,
    /// The normalisation that was applied, if any: one for all channels, or one for each.
    pub scaling: Vec<Scaling>,
}

/// The recordings of a split, one after another.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedSplit {
    /// Name of the split.
    pub name: String,
    /// Frames of all its recordings.
    pub frames: Frames,
    /// Index of the first frame of each recording.
    pub starts: Vec<usize>,
    /// Name of each recording's file, relative to the folder.
    pub files: Vec<String>,
    /// Class of each recording; empty if there are none.
    pub classes: Vec<usize>,
    /// Group of each recording; empty if there are none.
    pub groups: Vec<usize>,
}

/// A normalisation of values: (x − zero) / sd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Smallest value of the split it was taken from, or a channel's mean there (dB).
    pub zero: f64,
    /// Standard deviation over all values of that split, or over those of the channel (dB).
    pub sd: f64,
}

impl Recordings {
    /// Reads every matching file of the folder.
    ///
    /// Files are taken in order of name, whatever order the folder lists them in. Recordings at another rate are resampled.
    ///
    /// # Errors
    /// A folder that is missing, malformed patterns, no file that matches, a file of no split, an empty split, a file
    /// that is broken or silent; the first by name of several broken files.
    pub fn load(spec: &RecordingsSpec) -> Result<Self, DataError> {
        let plan = spec.log_mel.plan()?;
        let names = split_names(spec)?;
        let normalise_by = spec
            .normalise_by
            .as_ref()
            .map(|name| position_of(&names, name))
            .transpose()?;
        let files = matching_files(&spec.folder, &spec.files)?;
        let members = assign(spec, &names, &files)?;
        let classes = kinds(&spec.classes, &files, "classes")?;
        let groups = kinds(&spec.groups, &files, "groups")?;
        let mut frames = all_frames(&files, &plan, spec)?;
        let channels = spec.log_mel.channels;
        let scaling = match normalise_by {
            Some(split) => {
                let scaled = (names[split].as_str(), &members[split][..]);
                Scaling::all(scaled, &frames, (spec.by_channel, channels))?
            }
            None => vec![],
        };
        for frames in frames.iter_mut().filter(|_| !scaling.is_empty()) {
            for (at, value) in frames.values.iter_mut().enumerate() {
                *value = scaling[at % channels % scaling.len()].apply(*value);
            }
        }
        let join = |(name, members)| {
            RecordedSplit::joined(
                name,
                &shuffled(members, spec.shuffle),
                (&files, &classes, &groups),
                &mut frames,
                channels,
            )
        };
        Ok(Self {
            splits: names.into_iter().zip(members).map(join).collect(),
            scaling,
        })
    }

    /// The split of that name.
    #[must_use]
    pub fn split(&self, name: &str) -> Option<&RecordedSplit> {
        self.splits.iter().find(|split| split.name == name)
    }
}

impl RecordedSplit {
    /// Takes the frames of its members out of `frames`, so that nothing is held twice for long.
    fn joined(
        name: String,
        members: &[usize],
        (files, classes, groups): (&[NamedFile], &[usize], &[usize]),
        frames: &mut [Frames],
        channels: usize,
    ) -> Self {
        let values = members
            .iter()
            .map(|&member| frames[member].values.len())
            .sum();
        let mut joined = Frames {
            size: channels,
            values: Vec::with_capacity(values),
        };
        let mut starts = Vec::with_capacity(members.len());
        for &member in members {
            starts.push(joined.len());
            joined.values.append(&mut frames[member].values);
        }
        let files = members
            .iter()
            .map(|&member| files[member].name.clone())
            .collect();
        let of = |kinds: &[usize]| -> Vec<usize> {
            let found = members.iter().filter_map(|&member| kinds.get(member));
            found.copied().collect()
        };
        Self {
            name,
            frames: joined,
            starts,
            files,
            classes: of(classes),
            groups: of(groups),
        }
    }
}

impl Scaling {
    /// One for all channels, or one for each of them, from the recordings of a split in order of name, so that the shuffling
    /// does not change the last bits.
    fn all(
        (split, members): (&str, &[usize]),
        frames: &[Frames],
        (by_channel, channels): (bool, usize),
    ) -> Result<Vec<Self>, DataError> {
        let values = || members.iter().flat_map(|&m| &frames[m].values).copied();
        if !by_channel {
            let (_, sd) = Self::moments(split, values)?;
            let zero = values().fold(f64::INFINITY, f64::min);
            return Ok(vec![Self { zero, sd }]);
        }
        let of = |channel| {
            let values = || values().skip(channel).step_by(channels);
            Self::moments(split, values).map(|(zero, sd)| Self { zero, sd })
        };
        (0..channels).map(of).collect()
    }

    /// Mean and standard deviation.
    fn moments<I: Iterator<Item = f64>>(
        split: &str,
        values: impl Fn() -> I,
    ) -> Result<(f64, f64), DataError> {
        let count = values().count() as f64;
        let mean = values().sum::<f64>() / count;
        let sd = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        // equal values leave a rounding error of the mean behind
        if sd > 1e-12 * mean.abs().max(1.0) {
            Ok((mean, sd))
        } else {
            Err(DataError::NoSpread {
                split: split.to_owned(),
            })
        }
    }

    /// The value in units of the standard deviation, from zero.
    #[must_use]
    pub fn apply(&self, value: f64) -> f64 {
        (value - self.zero) / self.sd
    }
}

/// Names of all splits, that for all other files last.
fn split_names(spec: &RecordingsSpec) -> Result<Vec<String>, DataError> {
    let mut names: Vec<String> = Vec::new();
    for rule in &spec.splits {
        if names.contains(&rule.name) {
            return Err(DataError::DuplicateSplit {
                split: rule.name.clone(),
            });
        }
        names.push(rule.name.clone());
    }
    if let Some(name) = spec
        .otherwise
        .as_ref()
        .filter(|&name| !names.contains(name))
    {
        names.push(name.clone());
    }
    Ok(names)
}

fn position_of(names: &[String], name: &str) -> Result<usize, DataError> {
    let unknown = || DataError::UnknownSplit {
        split: name.to_owned(),
        known: names.join(", "),
    };
    names
        .iter()
        .position(|known| known == name)
        .ok_or_else(unknown)
}

/// For each split, the indices of its files.
fn assign(
    spec: &RecordingsSpec,
    names: &[String],
    files: &[NamedFile],
) -> Result<Vec<Vec<usize>>, DataError> {
    let compile = |rule: &SplitRule| {
        rule.patterns
            .iter()
            .map(|pattern| Pattern::new(pattern))
            .collect()
    };
    let rules: Vec<Vec<Pattern>> = spec.splits.iter().map(compile).collect::<Result<_, _>>()?;
    let otherwise = spec
        .otherwise
        .as_ref()
        .map(|name| position_of(names, name))
        .transpose()?;
    let mut members = vec![Vec::new(); names.len()];
    for (index, file) in files.iter().enumerate() {
        let matched = rules
            .iter()
            .position(|patterns| patterns.iter().any(|pattern| pattern.matches(&file.name)));
        match matched.or(otherwise) {
            Some(split) => members[split].push(index),
            None => {
                return Err(DataError::NoSplit {
                    path: file.path.clone(),
                });
            }
        }
    }
    match members.iter().position(Vec::is_empty) {
        Some(empty) => Err(DataError::EmptySplit {
            split: names[empty].clone(),
            folder: spec.folder.clone(),
        }),
        None => Ok(members),
    }
}

/// The class or group of every file, in the order of the files; none if there are no patterns.
fn kinds(
    patterns: &[String],
    files: &[NamedFile],
    key: &'static str,
) -> Result<Vec<usize>, DataError> {
    if patterns.is_empty() {
        return Ok(vec![]);
    }
    let patterns = patterns.iter().map(|pattern| Pattern::new(pattern));
    let patterns: Vec<Pattern> = patterns.collect::<Result<_, _>>()?;
    let kind = |file: &NamedFile| {
        let found = patterns.iter().position(|p| p.matches(&file.name));
        found.ok_or_else(|| DataError::NoKind {
            path: file.path.clone(),
            key,
        })
    };
    files.iter().map(kind).collect()
}

/// The frames of every file, in the order of the files.
fn all_frames(
    files: &[NamedFile],
    plan: &LogMelPlan,
    spec: &RecordingsSpec,
) -> Result<Vec<Frames>, DataError> {
    let rate_hz = spec.log_mel.rate_hz;
    let reader = || {
        let mut reader = Reader {
            plan,
            rate_hz,
            resampler: None,
        };
        move |file: &NamedFile| reader.frames(&file.path)
    };
    try_map_in_order(files, spec.threads, reader)
}

/// Turns files into frames.
struct Reader<'a> {
    plan: &'a LogMelPlan,
    /// The rate that the plan expects (Hz).
    rate_hz: u32,
    /// The last resampler and the rate it takes (Hz): recordings of a folder mostly share one.
    resampler: Option<(u32, Resampler)>,
}

impl Reader<'_> {
    fn frames(&mut self, path: &Path) -> Result<Frames, DataError> {
        let sound = read_wav(path)?;
        let (rate, resampler) = match self.resampler.take() {
            Some((rate, resampler)) if rate == sound.rate_hz => (rate, resampler),
            _ => (sound.rate_hz, Resampler::new(sound.rate_hz, self.rate_hz)?),
        };
        let frames = self.plan.frames(&resampler.resample(&sound.samples));
        self.resampler = Some((rate, resampler));
        frames?.ok_or_else(|| DataError::Silent {
            path: path.to_owned(),
        })
    }
}

fn shuffled(mut members: Vec<usize>, seed: Option<u64>) -> Vec<usize> {
    // a generator for each split, seeded alike: the files of one do not change the order of another
    if let Some(seed) = seed {
        members.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
    }
    members
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
