//! Numbers drawn from the distributions of a netlist.

use rand::RngExt;
use rand_distr::{Distribution as _, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::netlist::model::{Distribution, DistributionKind};

/// One number; `index` selects it from a list.
pub fn draw(distribution: &Distribution, index: usize, stream: &mut Xoshiro256PlusPlus) -> f64 {
    let mut normal = || -> f64 { StandardNormal.sample(stream) };
    let value = match &distribution.kind {
        DistributionKind::Constant(value) => *value,
        DistributionKind::Normal { mean, sd } => mean + sd * normal(),
        DistributionKind::Lognormal { mean, sd } => {
            // The underlying normal's parameters from the moments of the result.
            let variance = (sd / mean).powi(2).ln_1p();
            (mean.ln() - variance / 2.0 + variance.sqrt() * normal()).exp()
        }
        DistributionKind::Uniform { low, high } => low + (high - low) * stream.random::<f64>(),
        DistributionKind::List(values) => values.get(index).copied().unwrap_or(0.0),
    };
    match distribution.clip {
        Some([low, high]) => value.clamp(low, high),
        None => value,
    }
}

/// `n` numbers from the stream of that name.
pub fn draw_all(distribution: &Distribution, n: usize, seed: u64, name: &str) -> Vec<f64> {
    let mut stream = crate::random::stream(seed, name, 0);
    (0..n).map(|i| draw(distribution, i, &mut stream)).collect()
}
