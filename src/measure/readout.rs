//! A linear classifier of frozen activity: samples of one stage train it, those of another test it.

use super::logistic::{Classifier, Labelled};

/// Accuracies of classifiers that read a vector.
#[derive(Debug, Clone)]
pub struct Readout {
    classes: usize,
    penalty: f64,
    /// Samples that are taken at most for training.
    most: usize,
    samples: Labelled,
    classifier: Option<Classifier>,
    right: u64,
    tested: u64,
    /// Collects the accuracies that tests gave.
    found: Vec<(u64, f64)>,
}

impl Readout {
    /// Of a vector of that size; at most `most` samples train.
    pub fn new(size: usize, classes: usize, penalty: f64, most: usize) -> Self {
        Readout {
            classes,
            penalty,
            most,
            samples: Labelled {
                size,
                ..Labelled::default()
            },
            classifier: None,
            right: 0,
            tested: 0,
            found: vec![],
        }
    }

    /// Begins a stage of training: earlier samples are forgotten.
    pub fn begin_training(&mut self) {
        self.samples.values.clear();
        self.samples.classes.clear();
        self.classifier = None;
    }

    /// Begins a test.
    pub fn begin_test(&mut self) {
        (self.right, self.tested) = (0, 0);
    }

    /// A sample for training.
    pub fn train(&mut self, features: impl Iterator<Item = f64>, class: usize) {
        if self.samples.classes.len() < self.most {
            self.samples.values.extend(features.map(|x| x as f32));
            self.samples.classes.push(class as u32);
        }
    }

    /// Ends a stage of training: the classifier is fitted, and its samples given up.
    pub fn end_training(&mut self) {
        let size = self.samples.size;
        let none = Labelled {
            size,
            ..Labelled::default()
        };
        let samples = std::mem::replace(&mut self.samples, none);
        if !samples.classes.is_empty() {
            self.classifier = Some(Classifier::fit(samples, self.classes, self.penalty));
        }
    }

    /// A sample of a test.
    pub fn test(&mut self, features: impl Iterator<Item = f64>, class: usize) {
        if let Some(classifier) = &self.classifier {
            self.right += u64::from(classifier.class(features) == Some(class));
            self.tested += 1;
        }
    }

    /// Ends a test: the share of samples whose class was found.
    pub fn end_test(&mut self, now: u64) {
        if self.tested > 0 {
            self.found
                .push((now, self.right as f64 / self.tested as f64));
        }
    }

    /// When each test ended, and its accuracy.
    pub fn found(&self) -> &[(u64, f64)] {
        &self.found
    }
}
