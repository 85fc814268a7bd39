//! Scheduled modulators: which value holds, and for how many more steps.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::circuit::Circuit;
use crate::netlist::model::Schedule;
use crate::random::stream;

/// A schedule while it runs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScheduleState {
    values: Vec<f64>,
    /// Steps for which each value holds.
    lengths: Vec<u64>,
    kind: Kind,
    /// Index of the value that holds.
    at: usize,
    /// Steps for which it goes on to hold.
    left: u64,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
enum Kind {
    /// Round and round; the stream draws where it starts, if that is drawn.
    Cycle { stream: Option<Xoshiro256PlusPlus> },
    /// Once; the last value stays.
    Once,
    /// A value drawn afresh; cumulative probabilities.
    Random {
        cumulative: Vec<f64>,
        stream: Xoshiro256PlusPlus,
    },
}

impl ScheduleState {
    /// A schedule at its start; `seed`, `name` and `index` seed the stream of a random one.
    pub fn new(
        schedule: &Schedule,
        circuit: &Circuit,
        (seed, name, index): (u64, &str, u64),
    ) -> Self {
        let steps = |duration| circuit.steps(duration, 1);
        let (values, lengths, kind) = match schedule {
            Schedule::Constant(value) => (vec![*value], vec![u64::MAX], Kind::Once),
            Schedule::Cycle {
                values,
                lengths,
                random_start,
            } => (
                values.clone(),
                lengths.iter().map(|l| steps(*l)).collect(),
                Kind::Cycle {
                    stream: random_start.then(|| stream(seed, &format!("schedule {name}"), index)),
                },
            ),
            Schedule::List { values, every } => (
                values.clone(),
                vec![steps(*every); values.len()],
                Kind::Once,
            ),
            Schedule::Random {
                values,
                probabilities,
                every,
            } => {
                let mut total = 0.0;
                let add = |p: &f64| {
                    total += p;
                    total
                };
                let cumulative = probabilities.iter().map(add).collect();
                let stream = stream(seed, &format!("schedule {name}"), index);
                (
                    values.clone(),
                    vec![steps(*every); values.len()],
                    Kind::Random { cumulative, stream },
                )
            }
        };
        let mut state = ScheduleState {
            values,
            lengths,
            kind,
            at: 0,
            left: 0,
        };
        state.restart();
        state
    }

    /// Begins again; what is drawn is drawn afresh.
    pub fn restart(&mut self) {
        self.at = 0;
        if let Kind::Cycle { stream } = &mut self.kind
            && let Some(stream) = stream
        {
            self.at = stream.random_range(0..self.values.len().max(1));
        }
        self.draw();
        self.left = self.lengths.get(self.at).copied().unwrap_or(u64::MAX);
    }

    /// Further steps for which this step's value holds.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The value of this step; the next call gives that of the next.
    #[inline]
    pub fn advance(&mut self) -> f64 {
        if self.left == 0 {
            self.turn();
        }
        self.left -= 1;
        self.values.get(self.at).copied().unwrap_or(0.0)
    }

    fn turn(&mut self) {
        match &self.kind {
            Kind::Cycle { .. } => {
                self.at += 1;
                if self.at >= self.values.len() {
                    self.at = 0;
                }
            }
            Kind::Once => self.at = (self.at + 1).min(self.values.len().saturating_sub(1)),
            Kind::Random { .. } => self.draw(),
        }
        self.left = self
            .lengths
            .get(self.at)
            .copied()
            .unwrap_or(u64::MAX)
            .max(1);
    }

    fn draw(&mut self) {
        if let Kind::Random { cumulative, stream } = &mut self.kind {
            let u: f64 = stream.random();
            self.at = cumulative
                .iter()
                .position(|c| u < *c)
                .unwrap_or(cumulative.len().saturating_sub(1));
        }
    }
}
