//! Rules whose changes go through Adam: the sum of some steps' changes stands in for the weights while the rule runs,
//! then moves them.

use pulp::{Arch, Simd, WithSimd};

use super::learn::numbers;
use super::step::Step;
use crate::compile::expressions::Plastic;
use crate::compile::plan::OptimisedStep;
use crate::compile::program::PlacedRule;
use crate::compile::{Program, Weights};
use crate::engine::elementwise;
use crate::netlist::model::Adam;
use crate::vector::Vector;

/// What Adam keeps for a rule. All vectors are laid out as the weights are, padding included.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// Changes since the last update.
    sum: Weights,
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
        for rule in rules {
            let Some(mut moments) = self.state.moments[rule.index].take() else {
                continue;
            };
            if let Some(learning) = &rule.learning {
                let what = (rule.plastic, rule.reads_weight);
                self.add_changes(learning, what, &mut moments.sum);
            }
            moments.steps += 1;
            if moments.steps >= rule.adam.every {
                self.update(rule, &mut moments);
            }
            self.state.moments[rule.index] = Some(moments);
        }
    }

    /// Moves the weights (Kingma and Ba 2015, Algorithm 1).
    fn update(&mut self, rule: &OptimisedStep, moments: &mut Moments) {
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
        let arch = self.scratch.machine.arch();
        match rule.plastic {
            Plastic::Bias(id) => {
                let at = self.program.layout.biases[&id];
                pass.run(arch, &mut self.state.vectors[at.0 as usize], rule.within);
            }
            Plastic::Projection(id) => match &mut self.state.weights[id.0 as usize] {
                single @ Weights::Single { .. } => {
                    let mut doubles = std::mem::take(&mut self.scratch.doubles);
                    doubles.resize(single.len(), 0.0);
                    single.write_doubles(&mut doubles);
                    pass.run(arch, &mut doubles, rule.within);
                    single.read_doubles(&doubles);
                    self.scratch.doubles = doubles;
                }
                weights => pass.run(arch, numbers(weights), rule.within),
            },
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
