//! Modulators in an event circuit: values that hold from one change to the next.

use std::collections::HashMap;

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::time::{NEVER, after, from_ms, to_ms};
use crate::circuit::Circuit;
use crate::netlist::model::{Duration, ModulatorDrive, Schedule};
use crate::plasticity;
use crate::random::stream;

/// All modulators of a circuit.
#[derive(Debug, Clone)]
pub struct Broadcast {
    channels: Vec<Channel>,
    values: Vec<f64>,
    /// Modulators whose place another schedule has taken: what they were, their value, and since when (ps).
    standing: HashMap<usize, (Channel, f64, i64)>,
}

/// A modulator.
#[derive(Debug, Clone)]
enum Channel {
    Scheduled(Course),
    /// An expression is evaluated every so often (ps), next at a time (ps).
    Sampled {
        every: i64,
        next: i64,
    },
    /// Jumps at spikes and decays: value at a time (ps), rate of the decay (1/ms).
    Released {
        value: f64,
        at: i64,
        rate: f64,
    },
}

/// A schedule while it runs.
#[derive(Debug, Clone)]
struct Course {
    values: Vec<f64>,
    /// How long each holds (ps).
    lengths: Vec<i64>,
    kind: CourseKind,
    at: usize,
    /// When the next one begins (ps).
    next: i64,
}

#[derive(Debug, Clone)]
enum CourseKind {
    Cycle,
    Once,
    /// Cumulative probabilities.
    Random(Vec<f64>, Xoshiro256PlusPlus),
}

impl Broadcast {
    /// The modulators of a circuit at time 0.
    pub fn new(circuit: &Circuit) -> Broadcast {
        let mut broadcast = Broadcast {
            channels: vec![],
            values: vec![],
            standing: HashMap::new(),
        };
        for modulator in &circuit.modulators {
            let (channel, value) = match &modulator.drive {
                ModulatorDrive::Schedule(schedule) => {
                    let course = Course::new(&schedule.value, circuit.seed, &modulator.name, 0);
                    let value = course.value();
                    (Channel::Scheduled(course), value)
                }
                ModulatorDrive::Value { every, .. } => {
                    let every = every.as_ref().map_or(1.0, |e| e.value.value);
                    (
                        Channel::Sampled {
                            every: from_ms(every).max(1),
                            next: 0,
                        },
                        modulator.start,
                    )
                }
                ModulatorDrive::Released { tau, .. } => {
                    let rate = 1.0 / tau.value.value;
                    (
                        Channel::Released {
                            value: modulator.start,
                            at: 0,
                            rate,
                        },
                        modulator.start,
                    )
                }
            };
            broadcast.channels.push(channel);
            broadcast.values.push(value);
        }
        broadcast
    }

    /// Values of all modulators at the last change; of released ones at their last release.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The value of a modulator at a time (ps).
    pub fn value_at(&self, modulator: usize, time: i64) -> f64 {
        match &self.channels[modulator] {
            Channel::Released { value, at, rate } => value * (-rate * to_ms(time - at)).exp(),
            _ => self.values[modulator],
        }
    }

    /// All modulators as rules read them: a value that decays from a time on.
    pub fn channels(&self) -> Vec<plasticity::Channel> {
        let channel = |(channel, value): (&Channel, &f64)| match channel {
            Channel::Released { value, at, rate } => plasticity::Channel {
                value: *value,
                since: to_ms(*at),
                rate: *rate,
            },
            _ => plasticity::Channel::constant(*value),
        };
        self.channels
            .iter()
            .zip(&self.values)
            .map(channel)
            .collect()
    }

    /// When one changes next by itself (ps).
    pub fn next_change(&self) -> i64 {
        let next = |channel: &Channel| match channel {
            Channel::Scheduled(course) => course.next,
            Channel::Sampled { next, .. } => *next,
            Channel::Released { .. } => NEVER,
        };
        self.channels.iter().map(next).min().unwrap_or(NEVER)
    }

    /// Follows another schedule from `time` on; its own stands still.
    pub fn set_schedule(
        &mut self,
        modulator: usize,
        schedule: &Schedule,
        (seed, name): (u64, &str),
        time: i64,
    ) {
        let course = Course::new(schedule, seed, name, time);
        let value = std::mem::replace(&mut self.values[modulator], course.value());
        let own = std::mem::replace(&mut self.channels[modulator], Channel::Scheduled(course));
        self.standing.entry(modulator).or_insert((own, value, time));
    }

    /// Goes on by itself from `time` on, as if no time had passed since another schedule took its place.
    pub fn resume(&mut self, modulator: usize, time: i64) {
        let Some((mut own, value, since)) = self.standing.remove(&modulator) else {
            return;
        };
        let pause = time - since;
        match &mut own {
            Channel::Scheduled(course) => course.next = after(course.next, pause),
            Channel::Sampled { next, .. } => *next = after(*next, pause),
            Channel::Released { at, .. } => *at += pause,
        }
        self.channels[modulator] = own;
        self.values[modulator] = value;
    }

    /// Changes what changes at `time` by schedule; gives the modulators that have to be sampled then.
    pub fn change(&mut self, time: i64) -> Vec<usize> {
        let mut sampled = Vec::new();
        for (index, channel) in self.channels.iter_mut().enumerate() {
            match channel {
                Channel::Scheduled(course) => {
                    while course.next <= time {
                        course.turn();
                    }
                    self.values[index] = course.value();
                }
                Channel::Sampled { every, next } => {
                    if *next <= time {
                        *next = after(time, *every);
                        sampled.push(index);
                    }
                }
                Channel::Released { .. } => {}
            }
        }
        sampled
    }

    /// Sets the value of a sampled modulator.
    pub fn set(&mut self, modulator: usize, value: f64) {
        self.values[modulator] = value;
    }

    /// A release: the value jumps at a time (ps).
    pub fn release(&mut self, modulator: usize, amount: f64, time: i64) {
        let before = self.value_at(modulator, time);
        if let Channel::Released { value, at, .. } = &mut self.channels[modulator] {
            (*value, *at) = (before + amount, time);
            self.values[modulator] = before + amount;
        }
    }
}

impl Course {
    fn new(schedule: &Schedule, seed: u64, name: &str, start: i64) -> Course {
        let ps = |duration: &Duration| match duration {
            Duration::Time(time) => from_ms(time.value).max(1),
            // Where there are no steps, a step is a millisecond.
            Duration::Steps(steps) => from_ms(*steps as f64).max(1),
        };
        let random = || stream(seed, &format!("schedule {name}"), start as u64);
        let (values, lengths, kind, at) = match schedule {
            Schedule::Constant(value) => (vec![*value], vec![NEVER], CourseKind::Once, 0),
            Schedule::Cycle {
                values,
                lengths,
                random_start,
            } => {
                let at = if *random_start {
                    random().random_range(0..values.len().max(1))
                } else {
                    0
                };
                (
                    values.clone(),
                    lengths.iter().map(ps).collect(),
                    CourseKind::Cycle,
                    at,
                )
            }
            Schedule::List { values, every } => (
                values.clone(),
                vec![ps(every); values.len()],
                CourseKind::Once,
                0,
            ),
            Schedule::Random {
                values,
                probabilities,
                every,
            } => {
                let mut total = 0.0;
                let cumulative: Vec<f64> = probabilities
                    .iter()
                    .map(|p| {
                        total += p;
                        total
                    })
                    .collect();
                (
                    values.clone(),
                    vec![ps(every); values.len()],
                    CourseKind::Random(cumulative, random()),
                    0,
                )
            }
        };
        let mut course = Course {
            values,
            lengths,
            kind,
            at,
            next: start,
        };
        course.draw();
        course.next = after(
            start,
            course.lengths.get(course.at).copied().unwrap_or(NEVER),
        );
        course
    }

    fn value(&self) -> f64 {
        self.values.get(self.at).copied().unwrap_or(0.0)
    }

    fn turn(&mut self) {
        let count = self.values.len().max(1);
        match &self.kind {
            CourseKind::Cycle => self.at = (self.at + 1) % count,
            CourseKind::Once if self.at + 1 >= count => {
                self.next = NEVER;
                return;
            }
            CourseKind::Once => self.at += 1,
            CourseKind::Random(..) => self.draw(),
        }
        self.next = after(
            self.next,
            self.lengths.get(self.at).copied().unwrap_or(NEVER).max(1),
        );
    }

    fn draw(&mut self) {
        if let CourseKind::Random(cumulative, stream) = &mut self.kind {
            let u: f64 = stream.random();
            self.at = cumulative
                .iter()
                .position(|c| u < *c)
                .unwrap_or(cumulative.len().saturating_sub(1));
        }
    }
}
