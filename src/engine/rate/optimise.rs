//! Rules whose changes go through Adam: the sum of some steps' changes stands in for the weights while the rule runs,
//! then moves them.

use std::sync::Mutex;

use pulp::{Arch, Simd, WithSimd};

use super::learn::{self, numbers};
use super::step::Step;
use super::waiting::Waiting;
use crate::compile::expressions::Plastic;
use crate::compile::learning::Learning;
use crate::compile::plan::OptimisedStep;
use crate::compile::program::PlacedRule;
use crate::compile::{Program, Weights};
use crate::engine::elementwise;
use crate::netlist::model::Adam;
use crate::vector::Vector;

/// What Adam keeps for a rule. All vectors are laid out as the weights are, padding included.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// Changes since the last update …
    sum: Weights,
    /// … but for those that are still factors.
    waiting: Waiting,
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
            sum,
            waiting: Waiting::default(),
            steps: 0,
            updates: 0,
            mean: zeros.clone(),
            square: zeros,
        })
    }
}

impl Step<'_> {
    /// Rules with an optimiser add their changes to its sum, which changes the weights when it is due.
    pub(super) fn optimise(&mut self, rules: &[OptimisedStep]) {
        let mut due = Vec::new();
        for rule in rules {
            let Some(mut moments) = self.state.moments[rule.index].take() else {
                continue;
            };
            if let Some(learning) = &rule.learning {
                self.take_changes(rule, learning, &mut moments);
            }
            moments.steps += 1;
            let is_due = moments.steps >= rule.adam.every;
            if is_due || moments.waiting.is_full() {
                due.push(self.job(rule, moments, is_due));
            } else {
                self.state.moments[rule.index] = Some(moments);
            }
        }
        if !due.is_empty() {
            self.run_jobs(due);
        }
    }

    /// Products wait until the update; other changes are added up.
    fn take_changes(&mut self, rule: &OptimisedStep, learning: &Learning, moments: &mut Moments) {
        if let Learning::Outer(outer) = learning
            && !rule.reads_weight
            && learn::wait(self, outer, &mut moments.waiting)
        {
            return;
        }
        let what = (rule.plastic, rule.reads_weight);
        self.add_changes(learning, what, &mut moments.sum);
    }

    /// Takes out what an update needs.
    fn job<'r>(&mut self, rule: &'r OptimisedStep, moments: Moments, is_due: bool) -> Job<'r> {
        let (weights, sources) = match rule.plastic {
            Plastic::Bias(id) => {
                let at = self.program.layout.biases[&id].0 as usize;
                let values = std::mem::take(&mut self.state.vectors[at]);
                (Weights::OneToOne { values }, 1)
            }
            Plastic::Projection(id) => {
                let at = id.0 as usize;
                let from = self.program.circuit.projections[at].from.population;
                let weights = std::mem::take(&mut self.state.weights[at]);
                (weights, self.program.circuit.population(from).size)
            }
        };
        Job {
            rule,
            moments,
            weights,
            sources,
            is_due,
        }
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
                Plastic::Projection(id) => self.state.weights[id.0 as usize] = job.weights,
            }
            self.state.moments[job.rule.index] = Some(job.moments);
        }
    }
}

/// Multiply–adds from which on a second thread is worth being started.
const WORTH_A_THREAD: usize = 1 << 22;

/// Scratch memory of a thread that runs updates.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// Weights in double precision.
    doubles: Vector,
    /// A product of matrices.
    product: Vec<f32>,
}

/// An update that is due, or products that cannot wait any longer; all that it reads and writes.
struct Job<'r> {
    rule: &'r OptimisedStep,
    moments: Moments,
    weights: Weights,
    /// Presynaptic neurons.
    sources: usize,
    is_due: bool,
}

impl Job<'_> {
    /// Multiply–adds, roughly.
    fn cost(&self) -> usize {
        self.moments.waiting.products(self.sources) + 16 * self.moments.sum.len()
    }

    fn run(&mut self, arch: Arch, space: &mut Space) {
        let Moments { waiting, sum, .. } = &mut self.moments;
        waiting.settle(sum, self.sources, &mut space.product);
        if self.is_due {
            self.update(arch, &mut space.doubles);
        }
    }

    /// Moves the weights (Kingma and Ba 2015, Algorithm 1).
    fn update(&mut self, arch: Arch, doubles: &mut Vector) {
        let (rule, moments) = (self.rule, &mut self.moments);
        moments.updates += 1;
        let Adam {
            rate,
            beta1,
            beta2,
            epsilon,
            ..
        } = rule.adam;
        let count = i32::try_from(moments.updates).unwrap_or(i32::MAX);
        // ε is added to √(v / (1 − β₂ᵗ)), so it goes with the root of that correction here.
        let correction = (1.0 - beta2.powi(count)).sqrt();
        let pass = Pass {
            share: 1.0 / moments.steps as f64,
            beta: [beta1, beta2],
            rate: rate * correction / (1.0 - beta1.powi(count)),
            epsilon: epsilon * correction,
            sum: numbers(&mut moments.sum),
            mean: &mut moments.mean,
            square: &mut moments.square,
            weights: &mut [],
        };
        moments.steps = 0;
        match &mut self.weights {
            single @ Weights::Single { .. } => {
                doubles.resize(single.len(), 0.0);
                single.write_doubles(doubles);
                pass.run(arch, doubles, rule.within);
                single.read_doubles(doubles);
            }
            weights => pass.run(arch, numbers(weights), rule.within),
        }
    }
}

/// An update of all weights.
struct Pass<'a> {
    share: f64,
    beta: [f64; 2],
    rate: f64,
    epsilon: f64,
    sum: &'a mut [f64],
    mean: &'a mut [f64],
    square: &'a mut [f64],
    weights: &'a mut [f64],
}

impl<'a> Pass<'a> {
    fn run(self, arch: Arch, weights: &'a mut [f64], within: Option<[f64; 2]>) {
        {
            let weights = &mut *weights;
            arch.dispatch(Pass { weights, ..self });
        }
        elementwise::clip(weights, within);
    }
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [beta1, beta2] = self.beta;
        let moments = self.sum.iter_mut().zip(self.mean).zip(self.square);
        for (w, ((sum, mean), square)) in self.weights.iter_mut().zip(moments) {
            let change = *sum * self.share;
            *sum = 0.0;
            *mean = beta1.mul_add(*mean - change, change);
            *square = beta2.mul_add(*square - change * change, change * change);
            *w += self.rate * *mean / (square.sqrt() + self.epsilon);
        }
    }
}
