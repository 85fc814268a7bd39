//! Updates that rules would make: summed over a sample, then averaged over samples. Weights stay as they are.

use pulp::{Arch, Simd, WithSimd};

use super::learn::numbers;
use super::step::Step;
use crate::compile::expressions::Plastic;
use crate::compile::learning::Learning;
use crate::compile::plan::MeasuredStep;
use crate::compile::program::PlacedRule;
use crate::compile::{Program, Weights};
use crate::vector::Vector;

/// Mean and variance of a measured rule's changes over samples. All vectors are laid out as the weights are, padding
/// included.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Update {
    /// Changes of the sample under way.
    sum: Weights,
    /// Steps of that sample.
    done: u64,
    /// Steps in a sample.
    length: u64,
    /// Samples that are complete.
    count: u64,
    mean: Vector,
    /// Sum of squared deviations from the mean.
    squares: Vector,
}

impl Update {
    pub(super) fn new(program: &Program, rule: &PlacedRule, weights: &[Weights]) -> Update {
        let mut sum = match rule.rule.plastic {
            Plastic::Projection(id) => weights[id.0 as usize].doubles(),
            Plastic::Bias(id) => Weights::OneToOne {
                values: program.layout.vectors[program.layout.biases[&id].0 as usize].clone(),
            },
        };
        let zeros = Vector::zeros(sum.len());
        numbers(&mut sum).fill(0.0);
        Update {
            sum,
            done: 0,
            length: 1,
            count: 0,
            mean: zeros.clone(),
            squares: zeros,
        }
    }

    /// Starts afresh, with samples of so many steps.
    pub(super) fn begin(&mut self, length: u64) {
        numbers(&mut self.sum).fill(0.0);
        self.mean.fill(0.0);
        self.squares.fill(0.0);
        (self.done, self.length, self.count) = (0, length.max(1), 0);
    }

    /// A step is done; the last of a sample enters mean and variance (Welford 1962).
    fn advance(&mut self, arch: Arch) {
        self.done += 1;
        if self.done == self.length {
            self.done = 0;
            self.count += 1;
            arch.dispatch(Fold {
                sum: numbers(&mut self.sum),
                mean: &mut self.mean,
                squares: &mut self.squares,
                share: 1.0 / self.count as f64,
            });
        }
    }

    /// Samples that are complete.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean of the samples.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Their sample variance (divided by the count less 1); NaN for fewer than two.
    pub fn variance(&self) -> Vec<f64> {
        let n = self.count as f64 - 1.0;
        let variance = |s: &f64| if n > 0.0 { s / n } else { f64::NAN };
        self.squares.iter().map(variance).collect()
    }
}

struct Fold<'a> {
    sum: &'a mut [f64],
    mean: &'a mut [f64],
    squares: &'a mut [f64],
    share: f64,
}

impl WithSimd for Fold<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let moments = self.mean.iter_mut().zip(self.squares);
        for (x, (mean, squares)) in self.sum.iter_mut().zip(moments) {
            let before = *x - *mean;
            *mean = before.mul_add(self.share, *mean);
            *squares = before.mul_add(*x - *mean, *squares);
            *x = 0.0;
        }
    }
}

impl Step<'_> {
    /// Measured rules add what they would change to their sums.
    pub(super) fn measure_updates(&mut self, measured: &[MeasuredStep]) {
        for step in measured {
            if let Some(learning) = &step.learning {
                let mut sum = std::mem::take(&mut self.state.updates[step.update].sum);
                self.add_changes(learning, (step.plastic, step.reads_weight), &mut sum);
                self.state.updates[step.update].sum = sum;
            }
            let arch = self.scratch.machine.arch();
            self.state.updates[step.update].advance(arch);
        }
    }

    /// Adds to `sum` what a rule would change.
    pub(super) fn add_changes(
        &mut self,
        learning: &Learning,
        (plastic, reads_weight): (Plastic, bool),
        sum: &mut Weights,
    ) {
        if reads_weight {
            return self.add_difference(learning, plastic, sum);
        }
        // The rule does not look at the weights: the sum stands in for them.
        self.swap(plastic, sum);
        self.learn(learning);
        self.swap(plastic, sum);
    }

    /// A rule that reads its weight runs on a copy of the weights; what it changes there is the difference.
    fn add_difference(&mut self, learning: &Learning, plastic: Plastic, sum: &mut Weights) {
        let mut copy = self.copy(plastic);
        let mut before = std::mem::take(&mut self.scratch.weights);
        before.resize(copy.len(), 0.0);
        before.copy_from_slice(numbers(&mut copy));
        self.swap(plastic, &mut copy);
        self.learn(learning);
        self.swap(plastic, &mut copy);
        let after = numbers(&mut copy).iter();
        for ((s, new), old) in numbers(sum).iter_mut().zip(after).zip(&*before) {
            *s += *new - *old;
        }
        self.scratch.weights = before;
    }

    /// A copy of weights or biases in double precision.
    fn copy(&self, plastic: Plastic) -> Weights {
        match plastic {
            Plastic::Projection(id) => self.state.weights[id.0 as usize].doubles(),
            Plastic::Bias(id) => Weights::OneToOne {
                values: self.state.vectors[self.program.layout.biases[&id].0 as usize].clone(),
            },
        }
    }

    /// Exchanges the weights or biases themselves with others.
    fn swap(&mut self, plastic: Plastic, other: &mut Weights) {
        match plastic {
            Plastic::Projection(id) => {
                std::mem::swap(&mut self.state.weights[id.0 as usize], other);
            }
            Plastic::Bias(id) => {
                let at = self.program.layout.biases[&id];
                if let Some(values) = other.values_mut() {
                    std::mem::swap(&mut self.state.vectors[at.0 as usize], values);
                }
            }
        }
    }
}
