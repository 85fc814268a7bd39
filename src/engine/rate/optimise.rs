//! Rules whose changes go through Adam: the sum of some steps' changes stands in for the weights while the rule runs,
//! then moves them.

mod job;

use std::sync::Mutex;

use super::learn::{self, numbers};
use super::state::State;
use super::step::Step;
use super::waiting::Waiting;
use crate::circuit::connect::Connectivity;
use crate::compile::expressions::Plastic;
use crate::compile::learning::Learning;
use crate::compile::plan::OptimisedStep;
use crate::compile::program::PlacedRule;
use crate::compile::{Program, Weights};
use crate::engine::convolve;
use crate::vector::Vector;
pub(super) use job::Space;
use job::{Job, Of};

/// Changes of a rule since its last update.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Taken {
    /// Their sum …
    sum: Weights,
    /// … but for those that are still factors, …
    waiting: Waiting,
    /// … and those of a convolution in single precision, in rows of padded length …
    maps: Vec<f32>,
    /// … but for what waits for a later step, of each step until then.
    pending: Vec<Pending>,
}

/// A product whose presynaptic factor comes again some steps later, in another product: its postsynaptic factor waits until then, so
/// that both are one product.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Pending {
    /// Replicas that have something to learn; none if nothing waits.
    pub active: Vec<usize>,
    /// The factor in all replicas; that of the maps alone if `neurons` is the rest.
    pub posts: Vector,
    /// The vector by number that keeps the neurons' factor of each step.
    #[serde(default)]
    pub neurons: Option<u32>,
    /// The one that keeps the presynaptic factor.
    pub pre: u32,
}

/// What Adam keeps for a rule. All vectors are laid out as the weights are, padding included.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// Changes since the last update.
    taken: Taken,
    /// Those of each share of the replicas, if these take their steps apart.
    shares: Vec<Taken>,
    /// Steps since then.
    steps: u64,
    /// Updates so far.
    updates: u64,
    /// Mean change m.
    mean: Vector,
    /// Mean square v of the change.
    square: Vector,
}

impl Moments {
    pub(super) fn new(
        program: &Program,
        rule: &PlacedRule,
        weights: &[Weights],
    ) -> Option<Moments> {
        rule.rule.optimiser?;
        let mut sum = match rule.rule.plastic {
            Plastic::Projection(id) => weights[id.0 as usize].doubles(),
            Plastic::Bias(id) => Weights::OneToOne {
                values: program.layout.vectors[program.layout.biases[&id].0 as usize].clone(),
            },
        };
        numbers(&mut sum).fill(0.0);
        let zeros = Vector::zeros(sum.len());
        Some(Moments {
            taken: Taken {
                sum,
                ..Taken::default()
            },
            mean: zeros.clone(),
            square: zeros,
            ..Moments::default()
        })
    }

    /// Moves the changes of a share between these moments and those that it has for itself.
    pub(super) fn exchange(&mut self, share: usize, own: &mut Moments) {
        if self.shares.len() <= share {
            self.shares.resize_with(share + 1, Taken::default);
        }
        std::mem::swap(&mut self.shares[share], &mut own.taken);
    }

    /// What waits in a share for later steps, and the change that it will be added to.
    pub(super) fn pending(&mut self, share: usize) -> Option<(&mut [Pending], &mut Vec<f32>)> {
        let taken = self.shares.get_mut(share)?;
        Some((&mut taken.pending, &mut taken.maps))
    }

    /// Whether no more factors should wait.
    pub(super) fn is_full(&self) -> bool {
        let mut all = self.shares.iter().chain([&self.taken]);
        all.any(|taken| taken.waiting.is_full())
    }
}

impl Taken {
    /// Adds all up in `sum`, of a projection from so many neurons, and forgets it.
    fn settle(
        &mut self,
        sum: &mut Weights,
        (connectivity, sources): (Option<&Connectivity>, usize),
        space: &mut Vec<f32>,
    ) {
        self.waiting.settle(sum, sources, space);
        if let (Some(Connectivity::Convolution(shape)), false) =
            (connectivity, self.maps.is_empty())
        {
            convolve::add_change(shape, &self.maps, numbers(sum));
            self.maps.fill(0.0);
        }
        let own = numbers(&mut self.sum);
        for (sum, own) in numbers(sum).iter_mut().zip(own) {
            *sum += std::mem::take(own);
        }
    }
}

/// Whether updates are due after this step.
pub(super) fn is_due(state: &State, rules: &[OptimisedStep]) -> bool {
    let moments = |rule: &OptimisedStep| state.moments[rule.index].as_ref();
    let due = |rule| moments(rule).is_some_and(|m| m.steps + 1 >= rule.adam.every);
    rules.iter().any(due)
}

impl<'a> Step<'a> {
    /// Rules with an optimiser add their changes to its sum, which changes the weights when it is due.
    pub(super) fn optimise(&mut self, rules: &[OptimisedStep]) {
        self.collect(rules);
        self.update(rules);
    }

    /// Rules with an optimiser add their changes to its sum.
    pub(super) fn collect(&mut self, rules: &[OptimisedStep]) {
        for rule in rules {
            if let Some(learning) = &rule.learning
                && let Some(mut moments) = self.state.moments[rule.index].take()
            {
                self.take_changes(rule, learning, &mut moments.taken);
                self.state.moments[rule.index] = Some(moments);
            }
        }
    }

    /// A step is over: updates that are due change the weights.
    pub(super) fn update(&mut self, rules: &[OptimisedStep]) {
        let mut due = Vec::new();
        for rule in rules {
            let Some(moments) = &mut self.state.moments[rule.index] else {
                continue;
            };
            moments.steps += 1;
            let is_due = moments.steps >= rule.adam.every;
            if is_due || moments.is_full() {
                due.extend(self.job(rule, is_due));
            }
        }
        if !due.is_empty() {
            self.run_jobs(due);
        }
    }

    /// Products wait until the update; other changes are added up.
    fn take_changes(&mut self, rule: &OptimisedStep, learning: &Learning, taken: &mut Taken) {
        if let Learning::Outer(outer) = learning
            && !rule.reads_weight
            && (learn::wait(self, outer, &mut taken.waiting)
                || learn::take_maps(
                    self,
                    (outer, rule.repeats),
                    &mut taken.maps,
                    &mut taken.pending,
                ))
        {
            return;
        }
        if let (Some(common), true) = (self.common, taken.sum.is_empty()) {
            taken.sum = match rule.plastic {
                Plastic::Projection(id) => common.weights[id.0 as usize].doubles(),
                Plastic::Bias(id) => Weights::OneToOne {
                    values: self.state.vectors[self.program.layout.biases[&id].0 as usize].clone(),
                },
            };
            numbers(&mut taken.sum).fill(0.0);
        }
        let what = (rule.plastic, rule.reads_weight);
        self.add_changes(learning, what, &mut taken.sum);
    }

    /// Takes out what an update needs.
    fn job<'r>(&mut self, rule: &'r OptimisedStep, is_due: bool) -> Option<Job<'r>>
    where
        'a: 'r,
    {
        let moments = self.state.moments[rule.index].take()?;
        let (weights, of) = match rule.plastic {
            Plastic::Bias(id) => {
                let at = self.program.layout.biases[&id].0 as usize;
                let values = std::mem::take(&mut self.state.vectors[at]);
                (Weights::OneToOne { values }, None)
            }
            Plastic::Projection(id) => {
                let packed = self.scratch.packed.get_mut(id.0 as usize);
                let of = Of {
                    circuit: &self.program.circuit,
                    id,
                    packed: packed.map(std::mem::take),
                };
                let weights = std::mem::take(&mut self.state.weights[id.0 as usize]);
                (weights, Some(of))
            }
        };
        Some(Job {
            rule,
            moments,
            weights,
            of,
            is_due,
        })
    }

    /// Runs updates, those of different weights side by side, and puts back what they took.
    fn run_jobs(&mut self, mut jobs: Vec<Job<'_>>) {
        let arch = self.scratch.machine.arch();
        let spaces = &mut self.scratch.updates;
        let work: usize = jobs.iter().map(Job::cost).sum();
        let threads = self.scratch.products.threads;
        let threads = if work < WORTH_A_THREAD { 1 } else { threads };
        spaces.resize_with(spaces.len().max(threads).max(1), Space::default);
        // The longest first: whoever is free takes the next.
        let mut order: Vec<&mut Job<'_>> = jobs.iter_mut().collect();
        order.sort_by_key(|job| std::cmp::Reverse(job.cost()));
        let next = Mutex::new(order.into_iter());
        let take = || next.lock().ok().and_then(|mut left| left.next());
        let help = |space: &mut Space| {
            while let Some(job) = take() {
                job.run(arch, space);
            }
        };
        if let [mine, others @ ..] = &mut spaces[..threads.max(1)] {
            std::thread::scope(|scope| {
                for space in others {
                    scope.spawn(|| help(space));
                }
                help(mine);
            });
        }
        for job in jobs {
            match job.rule.plastic {
                Plastic::Bias(id) => {
                    let at = self.program.layout.biases[&id].0 as usize;
                    if let Weights::OneToOne { values } = job.weights {
                        self.state.vectors[at] = values;
                    }
                }
                Plastic::Projection(id) => {
                    self.state.weights[id.0 as usize] = job.weights;
                    if let Some(packed) = job.of.and_then(|of| of.packed) {
                        self.scratch.packed[id.0 as usize] = packed;
                    }
                }
            }
            self.state.moments[job.rule.index] = Some(job.moments);
        }
    }
}

/// Multiply–adds from which on a second thread is worth being started.
const WORTH_A_THREAD: usize = 1 << 22;
