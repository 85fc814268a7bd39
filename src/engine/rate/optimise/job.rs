//! The update of one rule's weights, with all that it reads and writes: threads take one after the other.

use pulp::{Arch, Simd, WithSimd};

use super::Moments;
use crate::circuit::connect::Connectivity;
use crate::circuit::{Circuit, ProjectionId};
use crate::compile::Weights;
use crate::compile::plan::OptimisedStep;
use crate::engine::elementwise;
use crate::engine::rate::learn::numbers;
use crate::engine::rate::products::Packed;
use crate::netlist::model::Adam;
use crate::vector::Vector;

/// Scratch memory of a thread that runs updates.
#[derive(Debug, Default)]
pub(in crate::engine::rate) struct Space {
    /// Weights in double precision.
    doubles: Vector,
    /// A product of matrices.
    product: Vec<f32>,
}

/// An update that is due, or products that cannot wait any longer; all that it reads and writes.
pub(super) struct Job<'r> {
    pub rule: &'r OptimisedStep,
    pub moments: Moments,
    pub weights: Weights,
    /// The projection whose weights they are, if they are not biases.
    pub of: Option<Of<'r>>,
    pub is_due: bool,
}

/// A projection, and its weights in another form if they are kept in one.
pub(super) struct Of<'r> {
    pub circuit: &'r Circuit,
    pub id: ProjectionId,
    pub packed: Option<Packed>,
}

impl Of<'_> {
    /// Its connections, and the number of its presynaptic neurons.
    fn synapses(&self) -> (&Connectivity, usize) {
        let projection = self.circuit.projection(self.id);
        let from = self.circuit.population(projection.from.population);
        (&projection.connectivity, from.size)
    }
}

impl Job<'_> {
    /// Multiply–adds, roughly.
    pub fn cost(&self) -> usize {
        let sources = self.of.as_ref().map_or(1, |of| of.synapses().1);
        let Moments { taken, shares, .. } = &self.moments;
        let waiting = shares.iter().chain([taken]);
        let products: usize = waiting.map(|t| t.waiting.products(sources)).sum();
        products + 16 * self.moments.mean.len()
    }

    pub fn run(&mut self, arch: Arch, space: &mut Space) {
        let Moments { taken, shares, .. } = &mut self.moments;
        let mut sum = std::mem::take(&mut taken.sum);
        let synapses = self.of.as_ref().map(Of::synapses);
        let of = (synapses.map(|s| s.0), synapses.map_or(1, |s| s.1));
        taken.settle(&mut sum, of, &mut space.product);
        for share in shares {
            share.settle(&mut sum, of, &mut space.product);
        }
        taken.sum = sum;
        if self.is_due {
            self.update(arch, &mut space.doubles);
            if let Some(Of {
                circuit,
                id,
                packed: Some(packed),
            }) = &mut self.of
            {
                packed.fill(circuit, *id, &self.weights);
            }
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
            sum: numbers(&mut moments.taken.sum),
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
