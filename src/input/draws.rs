//! Independent numbers, drawn afresh every so many steps and held in between.

use rand_xoshiro::Xoshiro256PlusPlus;

use crate::circuit::sample;
use crate::lang::vm::padded;
use crate::netlist::model::Distribution;
use crate::random::stream;
use crate::vector::Vector;

/// One row of draws per replica.
#[derive(Debug, Clone)]
pub struct Draws {
    distribution: Distribution,
    size: usize,
    replicas: usize,
    /// Steps for which a draw stays.
    hold: u64,
    /// Steps that the present draw has been given.
    held: u64,
    /// The present draw, replica by replica in padded rows.
    present: Vector,
    stream: Xoshiro256PlusPlus,
}

impl Draws {
    /// A process with the stream of that seed and name.
    pub fn new(
        distribution: Distribution,
        size: usize,
        replicas: usize,
        hold: u64,
        (seed, name): (u64, &str),
    ) -> Self {
        let mut process = Draws {
            distribution,
            size,
            replicas,
            hold,
            held: 0,
            present: Vector::zeros(replicas * padded(size)),
            stream: stream(seed, &format!("draws {name}"), 0),
        };
        process.draw();
        process
    }

    /// Starts over with another stream.
    pub fn reseed(&mut self, seed: u64, name: &str) {
        self.stream = stream(seed, &format!("draws {name}"), 0);
        self.held = 0;
        self.draw();
    }

    fn draw(&mut self) {
        let rows = self.present.chunks_exact_mut(padded(self.size));
        for row in rows.take(self.replicas) {
            for (i, value) in row[..self.size].iter_mut().enumerate() {
                *value = sample::draw(&self.distribution, i, &mut self.stream);
            }
        }
    }

    /// Writes the next steps' values, padded rows; into nothing if nobody reads them.
    pub fn advance(&mut self, steps: usize, values: &mut [f64]) {
        let length = self.present.len();
        for step in 0..steps {
            if let Some(out) = values.get_mut(step * length..(step + 1) * length) {
                out.copy_from_slice(&self.present);
            }
            self.held += 1;
            if self.held == self.hold {
                self.held = 0;
                self.draw();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlist::model::DistributionKind;
    use crate::source::{SourceId, Span};
    use crate::units::Dimension;

    fn uniform(hold: u64, replicas: usize) -> Draws {
        let distribution = Distribution {
            kind: DistributionKind::Uniform {
                low: 2.0,
                high: 5.0,
            },
            dimension: Dimension::NONE,
            clip: None,
            span: Span::new(SourceId(0), 0, 0),
        };
        Draws::new(distribution, 3, replicas, hold, (4, "a"))
    }

    /// The three values of each row, without padding.
    fn rows(process: &mut Draws, steps: usize) -> Vec<[f64; 3]> {
        let mut values = vec![0.0; steps * process.replicas * padded(3)];
        process.advance(steps, &mut values);
        let rows = values.chunks(padded(3));
        rows.map(|row| [row[0], row[1], row[2]]).collect()
    }

    #[test]
    fn a_draw_stays_for_its_steps_and_the_next_one_is_independent() {
        let all = rows(&mut uniform(4, 1), 12_000);
        for part in all.chunks(4) {
            let bits = |row: &[f64; 3]| row.map(f64::to_bits);
            assert!(part.iter().all(|row| bits(row) == bits(&part[0])));
        }
        let flat: Vec<f64> = all.iter().step_by(4).flatten().copied().collect();
        assert!(flat.iter().all(|x| (2.0..5.0).contains(x)));
        // 9,000 independent numbers with the variance 9/12: standard errors 0.009 and, of the covariance, 0.008.
        let mean = flat.iter().sum::<f64>() / flat.len() as f64;
        assert!((mean - 3.5).abs() < 0.04, "{mean}");
        for lag in [1, 3] {
            let pairs = flat.iter().zip(&flat[lag..]);
            let products: f64 = pairs.map(|(x, y)| (x - mean) * (y - mean)).sum();
            assert!(
                (products / (flat.len() - lag) as f64).abs() < 0.035,
                "lag {lag}"
            );
        }
    }

    #[test]
    fn steps_one_by_one_unread_or_in_a_block_are_the_same() {
        let (mut whole, mut parts) = (uniform(5, 2), uniform(5, 2));
        let all = rows(&mut whole, 23);
        let mut found = rows(&mut parts, 7);
        parts.advance(9, &mut []);
        found.extend(&all[14..32]);
        found.extend(rows(&mut parts, 7));
        assert_eq!(all, found);
        whole.reseed(4, "a");
        assert_eq!(rows(&mut whole, 23), all);
        whole.reseed(5, "a");
        assert_ne!(rows(&mut whole, 23), all);
    }
}
