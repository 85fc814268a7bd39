//! Updates of a rule: their mean, variance and signal-to-noise ratio, one block after the other.

/// What a rule would have changed over one run of a stage, without padding.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateBlock {
    /// When it was measured.
    pub when: u64,
    /// Samples.
    pub samples: u64,
    /// Mean of the samples, one a synapse.
    pub mean: Vec<f64>,
    /// Their sample variance.
    pub variance: Vec<f64>,
}

impl UpdateBlock {
    /// The mean over synapses of mean²/variance; synapses whose updates do not vary are left out. NaN if none is
    /// left.
    ///
    /// # Source
    /// Bredenberg et al. 2021, Eq. 19.
    pub fn signal_to_noise(&self) -> f64 {
        let ratios = self.mean.iter().zip(&self.variance);
        let ratios = ratios.filter(|(_, v)| **v > 0.0).map(|(m, v)| m * m / v);
        let (mut sum, mut count) = (0.0, 0.0);
        for ratio in ratios {
            sum += ratio;
            count += 1.0;
        }
        sum / count
    }

    /// The cosine of the angle between two mean updates: their normalised inner product.
    pub fn cosine(&self, other: &UpdateBlock) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let (a, b) = (&self.mean, &other.mean);
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(mean: &[f64], variance: &[f64]) -> UpdateBlock {
        UpdateBlock {
            when: 0,
            samples: 2,
            mean: mean.to_vec(),
            variance: variance.to_vec(),
        }
    }

    #[test]
    fn the_ratio_is_a_mean_over_synapses_and_not_of_sums() {
        let found = block(&[1.0, 3.0, 5.0], &[2.0, 4.0, 0.0]).signal_to_noise();
        assert!((found - (0.5 + 2.25) / 2.0).abs() < 1e-15);
        assert!(block(&[1.0], &[0.0]).signal_to_noise().is_nan());
    }

    #[test]
    fn the_cosine_does_not_depend_on_lengths() {
        let (a, b) = (block(&[1.0, 0.0], &[]), block(&[-3.0, 3.0], &[]));
        assert!((a.cosine(&b) + 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((b.cosine(&b) - 1.0).abs() < 1e-15);
    }
}
