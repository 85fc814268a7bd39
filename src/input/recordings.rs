//! Whole recordings as an input: which one each replica hears, from its first frame to its last, and saccades to others.

use std::sync::Arc;

use indexmap::IndexMap;
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::data::RecordedSplit;
use super::order::Order;
use super::{DataError, Pass};
use crate::circuit::Output;
use crate::lang::vm::padded;
use crate::netlist::model;
use crate::random::stream;

/// The split that is heard while a stage names none: that for all other files.
const FIRST_SPLIT: usize = 0;

/// An input of whole recordings while a circuit runs.
#[derive(Debug, Clone)]
pub(super) struct WholeRecordings {
    splits: Arc<IndexMap<String, Split>>,
    classes: usize,
    /// Probability of a saccade where a stage says nothing else.
    saccade: f64,
    /// The one that holds now.
    probability: f64,
    split: usize,
    order: Order,
    /// The recordings of this pass, group by group.
    turns: Vec<Turn>,
    /// Steps of this pass so far.
    step: u64,
    ears: Vec<Ear>,
    name: String,
}

/// The recordings of a split.
#[derive(Debug)]
struct Split {
    recorded: RecordedSplit,
    /// Values a frame.
    size: usize,
    /// Frames of each recording.
    lengths: Vec<usize>,
    /// Recordings of each group, from the longest to the shortest; all of them if there are no groups.
    groups: Vec<Vec<u32>>,
}

/// What one replica hears.
#[derive(Debug, Clone)]
struct Ear {
    group: usize,
    /// The recording that it came to hear: its visit has as many frames.
    own: usize,
    /// Whether the pass has shown that one already.
    again: bool,
    /// The recording that it hears: another one since a saccade.
    heard: usize,
    /// The frame that it hears.
    frame: usize,
    /// Whether it has just begun, or come by a saccade.
    changed: bool,
    saccades: Xoshiro256PlusPlus,
}

/// The recordings of a group in the order of a pass, and how many have begun.
#[derive(Debug, Clone, Default)]
struct Turn {
    order: Vec<u32>,
    begun: usize,
}

impl Split {
    fn new(recorded: RecordedSplit, groups: &[model::Name]) -> Result<Split, DataError> {
        let ends = recorded.starts.iter().skip(1).copied();
        let ends = ends.chain([recorded.frames.len()]);
        let lengths: Vec<usize> = ends.zip(&recorded.starts).map(|(e, s)| e - s).collect();
        let mut longest_first: Vec<u32> = (0..lengths.len() as u32).collect();
        longest_first.sort_by_key(|k| std::cmp::Reverse(lengths[*k as usize]));
        let mut members = vec![vec![]; groups.len().max(1)];
        for k in longest_first {
            let group = recorded.groups.get(k as usize).copied().unwrap_or(0);
            members[group].push(k);
        }
        if let Some(empty) = members.iter().position(Vec::is_empty) {
            return Err(DataError::EmptyGroup {
                group: groups
                    .get(empty)
                    .map_or_else(String::new, |g| g.value.clone()),
                split: recorded.name.clone(),
            });
        }
        Ok(Split {
            size: recorded.frames.size(),
            recorded,
            lengths,
            groups: members,
        })
    }

    /// Steps in which so many replicas are sure to hear all recordings, whatever the order: when the last one of a group
    /// begins none of its replicas has been idle.
    fn pass(&self, replicas: usize) -> u64 {
        let share = (replicas / self.groups.len()).max(1);
        let steps = self.groups.iter().map(|group| {
            let lengths = group.iter().map(|k| self.lengths[*k as usize]);
            let longest = group.first().map_or(0, |k| self.lengths[*k as usize]);
            (lengths.sum::<usize>() + longest * (share - 1)).div_ceil(share)
        });
        steps.max().unwrap_or(0) as u64
    }
}

impl WholeRecordings {
    /// The splits in order, the first being that for all other files; replicas that share the recordings and whether these
    /// are shuffled; `stream` is the run's seed and the input's name.
    ///
    /// # Errors
    /// A group without recordings in a split.
    pub(super) fn new(
        splits: IndexMap<String, RecordedSplit>,
        whole: &model::WholeRecordings,
        (replicas, shuffle): (usize, bool),
        (seed, name): (u64, &str),
    ) -> Result<WholeRecordings, DataError> {
        let groups = whole.groups.len().max(1);
        let split = |(name, recorded)| Ok((name, Split::new(recorded, &whole.groups)?));
        let splits: Result<IndexMap<String, Split>, DataError> =
            splits.into_iter().map(split).collect();
        let splits = splits?;
        let ear = |replica: usize| Ear {
            group: replica % groups,
            own: 0,
            again: false,
            heard: 0,
            frame: 0,
            changed: true,
            saccades: saccades(seed, name, replica),
        };
        let mut recordings = WholeRecordings {
            order: Order::new((seed, name), splits.len(), shuffle),
            turns: vec![Turn::default(); groups],
            splits: Arc::new(splits),
            classes: whole.classes.len(),
            saccade: whole.saccade,
            probability: whole.saccade,
            split: FIRST_SPLIT,
            step: 0,
            ears: (0..replicas.max(1)).map(ear).collect(),
            name: name.to_owned(),
        };
        recordings.rewind(&Pass::default());
        Ok(recordings)
    }

    /// Names of the splits.
    pub(super) fn splits(&self) -> Vec<&str> {
        self.splits.keys().map(String::as_str).collect()
    }

    /// Steps of a pass over a split, the first if none is named.
    pub(super) fn epoch(&self, split: Option<&str>) -> Option<u64> {
        let split = match split {
            Some(name) => self.splits.get(name)?,
            None => self.splits.get_index(FIRST_SPLIT)?.1,
        };
        Some(split.pass(self.ears.len()))
    }

    /// Goes on with saccades as probable as the netlist states.
    pub(super) fn go_on(&mut self) {
        self.probability = self.saccade;
    }

    /// Begins a pass over a split.
    pub(super) fn rewind(&mut self, pass: &Pass) {
        self.probability = pass.saccade.unwrap_or(self.saccade);
        let split = pass.split.as_deref();
        let index = split.and_then(|name| self.splits.get_index_of(name));
        self.split = index.unwrap_or(FIRST_SPLIT);
        self.begin();
    }

    /// Starts over, with streams of another seed.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.order.reseed(seed);
        for (replica, ear) in self.ears.iter_mut().enumerate() {
            ear.saccades = saccades(seed, &self.name, replica);
        }
    }

    /// Every replica begins a recording of a new pass.
    fn begin(&mut self) {
        self.step = 0;
        let Some((name, split)) = self.splits.get_index(self.split) else {
            return;
        };
        let count = split.lengths.len();
        self.order.begin(self.split, name, count);
        self.turns.fill(Turn::default());
        for at in 0..count {
            let (recording, _) = self.order.image(at, count);
            let group = split.recorded.groups.get(recording).copied();
            self.turns[group.unwrap_or(0)].order.push(recording as u32);
        }
        for ear in &mut self.ears {
            ear.visit(self.turns[ear.group].take());
        }
    }

    /// Writes the next steps, replica by replica within a step, to the outputs that are wanted.
    pub(super) fn advance(&mut self, steps: usize, outputs: &mut [(Output, &mut [f64])]) {
        for step in 0..steps {
            for replica in 0..self.ears.len() {
                self.give(step, replica, outputs);
            }
            self.move_on();
        }
    }

    /// Writes what one replica hears in this step.
    fn give(&self, step: usize, replica: usize, outputs: &mut [(Output, &mut [f64])]) {
        let (Some((_, split)), Some(ear)) =
            (self.splits.get_index(self.split), self.ears.get(replica))
        else {
            return;
        };
        for (output, out) in outputs {
            let row = padded(match output {
                Output::Values => split.size,
                Output::Label => self.classes,
                _ => 1,
            });
            let at = (step * self.ears.len() + replica) * row;
            let Some(out) = out.get_mut(at..at + row) else {
                continue;
            };
            let flag = |is: bool| f64::from(u8::from(is));
            match output {
                Output::Values => {
                    let at = split.recorded.starts[ear.heard] + ear.frame;
                    out[..split.size].copy_from_slice(split.recorded.frames.frame(at));
                }
                Output::Label => {
                    out.fill(0.0);
                    if let Some(class) = split.recorded.classes.get(ear.heard) {
                        out[*class] = 1.0;
                    }
                }
                Output::Changed => out[0] = flag(ear.changed),
                Output::Last => {
                    out[0] = flag(ear.frame + 1 == split.lengths[ear.own] && !ear.again);
                }
                Output::Latent | Output::Moved => {}
            }
        }
    }

    /// Goes to the next step.
    fn move_on(&mut self) {
        let Some((_, split)) = self.splits.get_index(self.split) else {
            return;
        };
        self.step += 1;
        if self.step >= split.pass(self.ears.len()) {
            self.begin();
            return;
        }
        for ear in &mut self.ears {
            ear.frame += 1;
            ear.changed = false;
            if ear.frame >= split.lengths[ear.own] {
                ear.visit(self.turns[ear.group].take());
            } else {
                ear.stay_or_leave(split, self.probability);
            }
        }
    }
}

impl Turn {
    /// The next recording, and whether the pass has shown it already.
    fn take(&mut self) -> (usize, bool) {
        let at = self.begun;
        self.begun += 1;
        let recording = self.order[at % self.order.len()];
        (recording as usize, at >= self.order.len())
    }
}

impl Ear {
    /// Begins a recording.
    fn visit(&mut self, (recording, again): (usize, bool)) {
        (self.own, self.heard, self.again) = (recording, recording, again);
        self.frame = 0;
        self.changed = true;
    }

    /// Within a visit: perhaps a saccade, and one in any case where the recording that is heard has ended.
    fn stay_or_leave(&mut self, split: &Split, probability: f64) {
        let ended = self.frame >= split.lengths[self.heard];
        let leaves = probability > 0.0 && self.saccades.random::<f64>() < probability;
        if !ended && !leaves {
            return;
        }
        // Recordings that have this frame; the one that is heard is among them unless it has ended.
        let group = &split.groups[self.group];
        let longer = |k: &u32| split.lengths[*k as usize] > self.frame;
        let there = group.partition_point(longer);
        let others = if ended { there } else { there - 1 };
        if others == 0 {
            return;
        }
        let drawn = self.saccades.random_range(0..others);
        let others = group[..there].iter().filter(|k| **k as usize != self.heard);
        if let Some(other) = others.skip(drawn).map(|k| *k as usize).next() {
            self.heard = other;
            self.changed = true;
        }
    }
}

/// The stream that decides on a replica's saccades.
fn saccades(seed: u64, name: &str, replica: usize) -> Xoshiro256PlusPlus {
    stream(seed, &format!("saccade {name}"), replica as u64)
}
