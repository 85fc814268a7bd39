//! Multinomial logistic regression, by L-BFGS: the same numbers for the same samples, always.
//!
//! Features are standardised over the samples of training. What is minimised is the mean cross-entropy and
//! penalty/2 times the squared weights, not those of the constant feature.
//!
//! # Source
//! Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization (two loops); Nocedal and Wright
//! 2006, Numerical Optimization, Algorithm 3.1 (backtracking) and Eq. 7.20 (scale of the first matrix).

use std::collections::VecDeque;

use super::samples::largest;
use crate::engine::matrix::{columns, multiply, rows};

/// Pairs of steps and changes of the gradient that are remembered.
const MEMORY: usize = 10;
/// Most iterations.
const ITERATIONS: usize = 300;
/// It ends where the norm of the gradient is this part of what it was at the start.
const TOLERANCE: f64 = 1e-4;
/// Samples whose class probabilities are in memory at a time.
const BLOCK: usize = 1024;

/// Samples of features with their classes.
#[derive(Debug, Clone, Default)]
pub struct Labelled {
    /// Features in a sample.
    pub size: usize,
    /// Sample after sample, in single precision: 4 bytes each.
    pub values: Vec<f32>,
    /// The class of each sample.
    pub classes: Vec<u32>,
}

/// A linear classifier.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// For each feature: what is subtracted, and by what the rest is multiplied.
    scale: Vec<(f32, f32)>,
    /// Feature by feature, the constant last: a weight for each class.
    weights: Vec<f32>,
    classes: usize,
}

impl Classifier {
    /// Fits a classifier of so many classes.
    pub fn fit(samples: Labelled, classes: usize, penalty: f64) -> Classifier {
        let scale = scales(&samples);
        let mut features = samples.values;
        for sample in features.chunks_exact_mut(samples.size.max(1)) {
            standardise(sample, &scale);
        }
        let problem = Problem {
            size: samples.size,
            features,
            labels: samples.classes,
            classes,
            penalty,
        };
        let weights = minimise(&problem, (samples.size + 1) * classes);
        Classifier {
            scale,
            weights: weights.iter().map(|w| *w as f32).collect(),
            classes,
        }
    }

    /// The class of a sample.
    pub fn class(&self, features: impl Iterator<Item = f64>) -> Option<usize> {
        let mut sample: Vec<f32> = features.map(|x| x as f32).collect();
        standardise(&mut sample, &self.scale);
        let size = sample.len() * self.classes;
        let mut scores: Vec<f64> = self.weights[size..].iter().map(|w| f64::from(*w)).collect();
        for (x, weights) in sample.iter().zip(self.weights.chunks_exact(self.classes)) {
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += f64::from(x * weight);
            }
        }
        largest(scores.into_iter())
    }
}

/// Mean of each feature, and the inverse of its standard deviation; 0 where it does not vary.
fn scales(samples: &Labelled) -> Vec<(f32, f32)> {
    let count = samples.classes.len().max(1) as f64;
    let mut means = vec![0.0; samples.size];
    let each = || samples.values.chunks_exact(samples.size.max(1));
    for sample in each() {
        for (mean, x) in means.iter_mut().zip(sample) {
            *mean += f64::from(*x) / count;
        }
    }
    let mut variances = vec![0.0; samples.size];
    for sample in each() {
        for ((variance, mean), x) in variances.iter_mut().zip(&means).zip(sample) {
            *variance += (f64::from(*x) - mean).powi(2) / count;
        }
    }
    let scale = |(mean, variance): (&f64, &f64)| {
        // Below this a spread is a rounding error of single precision.
        let varies = variance.sqrt() > 1e-6 * mean.abs().max(1e-30);
        let factor = if varies { 1.0 / variance.sqrt() } else { 0.0 };
        (*mean as f32, factor as f32)
    };
    means.iter().zip(&variances).map(scale).collect()
}

fn standardise(sample: &mut [f32], scale: &[(f32, f32)]) {
    for (x, (mean, factor)) in sample.iter_mut().zip(scale) {
        *x = (*x - mean) * factor;
    }
}

/// What is minimised.
struct Problem {
    size: usize,
    /// Standardised, sample after sample.
    features: Vec<f32>,
    labels: Vec<u32>,
    classes: usize,
    penalty: f64,
}

impl Problem {
    /// The loss and its gradient.
    fn evaluate(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let (size, classes) = (self.size, self.classes);
        let single: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
        let count = self.labels.len().max(1) as f64;
        let mut sums = vec![0.0_f32; size * classes];
        let mut constant = vec![0.0; classes];
        let mut scores = vec![0.0_f32; BLOCK * classes];
        let mut loss = 0.0;
        let blocks = self.features.chunks(BLOCK * size.max(1));
        for (features, labels) in blocks.zip(self.labels.chunks(BLOCK)) {
            let scores = &mut scores[..labels.len() * classes];
            for row in scores.chunks_exact_mut(classes) {
                row.copy_from_slice(&single[size * classes..]);
            }
            let (of_x, of_w) = ((features, rows(size)), (&single[..], rows(classes)));
            multiply(
                [labels.len(), size, classes],
                of_x,
                of_w,
                (&mut *scores, rows(classes)),
                true,
            );
            for (row, label) in scores.chunks_exact_mut(classes).zip(labels) {
                loss += errors(row, *label as usize);
                for (sum, error) in constant.iter_mut().zip(&*row) {
                    *sum += f64::from(*error);
                }
            }
            let (of_x, of_e) = ((features, columns(size)), (&*scores, rows(classes)));
            multiply(
                [size, labels.len(), classes],
                of_x,
                of_e,
                (&mut sums, rows(classes)),
                true,
            );
        }
        let all = sums.iter().map(|sum| f64::from(*sum)).chain(constant);
        for ((g, sum), (index, weight)) in
            gradient.iter_mut().zip(all).zip(weights.iter().enumerate())
        {
            let penalty = if index < size * classes {
                self.penalty
            } else {
                0.0
            };
            *g = sum / count + penalty * weight;
        }
        let squares: f64 = weights[..size * classes].iter().map(|w| w * w).sum();
        loss / count + self.penalty / 2.0 * squares
    }
}

/// The cross-entropy of scores; they become the probabilities less the label, its gradient.
fn errors(scores: &mut [f32], label: usize) -> f64 {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let own = scores
        .get(label)
        .map_or(0.0, |score| f64::from(score - most));
    let mut total = 0.0;
    for score in scores.iter_mut() {
        let weight = libm::exp(f64::from(*score - most));
        total += weight;
        *score = weight as f32;
    }
    for (class, score) in scores.iter_mut().enumerate() {
        let probability = f64::from(*score) / total;
        *score = (probability - f64::from(u8::from(class == label))) as f32;
    }
    libm::log(total) - own
}

/// The weights with the least loss, from 0 on.
fn minimise(problem: &Problem, size: usize) -> Vec<f64> {
    let mut x = vec![0.0; size];
    let mut gradient = vec![0.0; size];
    let mut loss = problem.evaluate(&x, &mut gradient);
    let end = TOLERANCE * dot(&gradient, &gradient).sqrt();
    let mut memory: VecDeque<Pair> = VecDeque::new();
    for _ in 0..ITERATIONS {
        if dot(&gradient, &gradient).sqrt() <= end {
            break;
        }
        let mut way = direction(&gradient, &memory);
        let mut slope = dot(&gradient, &way);
        if slope >= 0.0 {
            memory.clear();
            way = gradient.iter().map(|g| -g).collect();
            slope = dot(&gradient, &way);
        }
        let Some((next, at, new)) = search(problem, &x, loss, (&way, slope)) else {
            break;
        };
        let pair = Pair::new(&x, &next, &gradient, &new);
        // Without curvature a pair says nothing.
        if pair.curvature > 1e-12 * dot(&pair.change, &pair.change) {
            memory.truncate(MEMORY - 1);
            memory.push_front(pair);
        }
        (x, loss, gradient) = (next, at, new);
    }
    x
}

/// A step and how the gradient changed with it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    curvature: f64,
}

impl Pair {
    fn new(x: &[f64], next: &[f64], gradient: &[f64], new: &[f64]) -> Pair {
        let less =
            |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let (step, change) = (less(next, x), less(new, gradient));
        Pair {
            curvature: dot(&step, &change),
            step,
            change,
        }
    }
}

/// The direction of descent: the two loops of L-BFGS; `memory` has the latest pair first.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut way: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory {
        let share = dot(&pair.step, &way) / pair.curvature;
        add(&mut way, -share, &pair.change);
        shares.push(share);
    }
    if let Some(latest) = memory.front() {
        let scale = latest.curvature / dot(&latest.change, &latest.change);
        way.iter_mut().for_each(|w| *w *= scale);
    }
    for (pair, share) in memory.iter().zip(shares).rev() {
        let back = dot(&pair.change, &way) / pair.curvature;
        add(&mut way, share - back, &pair.step);
    }
    way
}

/// The first of the lengths 1, 1/2, 1/4, … that lowers the loss enough: where it leads, the loss and gradient there.
fn search(
    problem: &Problem,
    x: &[f64],
    loss: f64,
    (way, slope): (&[f64], f64),
) -> Option<(Vec<f64>, f64, Vec<f64>)> {
    let mut gradient = vec![0.0; x.len()];
    let mut length = 1.0;
    for _ in 0..30 {
        let mut next = x.to_vec();
        add(&mut next, length, way);
        let found = problem.evaluate(&next, &mut gradient);
        if found <= loss + 1e-4 * length * slope {
            return Some((next, found, gradient));
        }
        length /= 2.0;
    }
    None
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], share: f64, what: &[f64]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += share * what;
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    /// Two features, two classes that overlap, and a feature that never varies.
    fn overlapping() -> Labelled {
        let mut random = crate::random::stream(1, "logistic", 0);
        let mut samples = Labelled {
            size: 3,
            ..Labelled::default()
        };
        for index in 0..3000_u32 {
            let class = index % 2;
            let centre = f64::from(class) * 1.0;
            let mut uniform = || random.random_range(-1.0..1.0);
            let (x, y) = (centre + uniform(), 10.0 * uniform() - 30.0);
            samples.values.extend([x as f32, y as f32, 7.0]);
            samples.classes.push(class);
        }
        samples
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let samples = overlapping();
        let scale = scales(&samples);
        let mut features = samples.values;
        features
            .chunks_exact_mut(3)
            .for_each(|s| standardise(s, &scale));
        let problem = Problem {
            size: 3,
            features,
            labels: samples.classes,
            classes: 2,
            penalty: 0.1,
        };
        let at: Vec<f64> = (0..8).map(|i| 0.3 * f64::from(i) - 1.0).collect();
        let (mut gradient, mut unused) = (vec![0.0; 8], vec![0.0; 8]);
        problem.evaluate(&at, &mut gradient);
        for index in 0..8 {
            let mut moved = [at.clone(), at.clone()];
            moved[0][index] += 1e-2;
            moved[1][index] -= 1e-2;
            let losses = moved.map(|at| problem.evaluate(&at, &mut unused));
            let slope = (losses[0] - losses[1]) / 2e-2;
            // Differences of a second order in 1e-2, in single precision.
            assert!(
                (slope - gradient[index]).abs() < 2e-4,
                "{index}: {slope} {}",
                gradient[index]
            );
        }
    }

    #[test]
    fn two_overlapping_classes_are_told_apart_as_well_as_can_be() {
        // Uniform from -1 to 1 and from 0 to 2: the best line is right in three of four cases.
        let samples = overlapping();
        let values = samples.values.clone();
        let labels = samples.classes.clone();
        let classifier = Classifier::fit(samples, 2, 1e-4);
        let right = values.chunks(3).zip(&labels).filter(|(sample, label)| {
            let class = classifier.class(sample.iter().map(|x| f64::from(*x)));
            class == Some(**label as usize)
        });
        let share = right.count() as f64 / labels.len() as f64;
        assert!((0.72..0.78).contains(&share), "{share}");
    }

    #[test]
    fn classes_that_are_apart_are_all_found_and_the_end_is_a_minimum() {
        let mut samples = Labelled {
            size: 2,
            ..Labelled::default()
        };
        for k in 0..300_u32 {
            let angle = f64::from(k % 3) * 2.1 + f64::from(k) * 1e-3;
            samples
                .values
                .extend([angle.cos() as f32, angle.sin() as f32]);
            samples.classes.push(k % 3);
        }
        let problem = Problem {
            size: 2,
            features: samples.values.clone(),
            labels: samples.classes.clone(),
            classes: 3,
            penalty: 1e-2,
        };
        let (mut first, mut last) = (vec![0.0; 9], vec![0.0; 9]);
        problem.evaluate(&[0.0; 9], &mut first);
        problem.evaluate(&minimise(&problem, 9), &mut last);
        // Single precision may end the search before the tolerance is reached.
        assert!(dot(&last, &last).sqrt() <= 1e-3 * dot(&first, &first).sqrt());
        let (values, labels) = (samples.values.clone(), samples.classes.clone());
        let classifier = Classifier::fit(samples, 3, 1e-3);
        for (sample, label) in values.chunks(2).zip(labels) {
            let class = classifier.class(sample.iter().map(|x| f64::from(*x)));
            assert_eq!(class, Some(label as usize));
        }
    }
}
