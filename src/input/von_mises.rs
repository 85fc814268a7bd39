//! Angles whose distribution is von Mises: a random walk around the circle, or draws that are held.
//!
//! The walk takes Langevin steps θ ← θ − d·s²·sin(θ − μ) + s·η (rad, s the noise of a step). For small s its
//! stationary distribution is von Mises with concentration 2d, that is exp(2d cos(θ − μ))/(2π I₀(2d)). Draws, of which
//! the first angle is one, are from such a distribution with concentration κ; d is κ/2 unless it is given.

use std::f64::consts::{PI, TAU};

use pulp::Arch;
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::lang::vm::padded;
use crate::random::{Normals, stream};
use crate::vector::Vector;

/// How the angle changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Standard deviation of what is added in a step (rad); 0 if the angle does not walk.
    pub noise: f64,
    /// Strength d of the pull towards the mean.
    pub drift: f64,
    /// Drawn afresh every so many steps.
    pub hold: Option<u64>,
    /// Draws are among so many evenly spaced angles, of which −π is one.
    pub among: Option<u64>,
}

/// One angle per replica.
#[derive(Debug, Clone)]
pub struct VonMises {
    concentration: f64,
    mean: f64,
    motion: Motion,
    /// The angle of each replica, from −π to π (rad), that the next step gives.
    angles: Vec<f64>,
    /// Their sines and cosines.
    directions: Vec<(f64, f64)>,
    draws: Xoshiro256PlusPlus,
    normals: Normals,
    /// Steps that the present draw has been held.
    held: u64,
    /// Scratch: unit noise of the steps to come.
    deviates: Vector,
}

impl VonMises {
    /// A process with streams of that seed and name.
    pub fn new(
        concentration: f64,
        mean: f64,
        motion: Motion,
        replicas: usize,
        (seed, name): (u64, &str),
    ) -> Self {
        let mut process = VonMises {
            concentration,
            mean,
            motion,
            angles: vec![0.0; replicas],
            directions: vec![(0.0, 1.0); replicas],
            draws: stream(seed, &format!("angle {name}"), 0),
            normals: Normals::new(seed, &format!("input {name}"), 0),
            held: 0,
            deviates: Vector::default(),
        };
        process.draw();
        process
    }

    /// Starts over with other streams.
    pub fn reseed(&mut self, seed: u64, name: &str) {
        *self = VonMises::new(
            self.concentration,
            self.mean,
            self.motion,
            self.angles.len(),
            (seed, name),
        );
    }

    /// All angles drawn afresh, by rejection from the uniform distribution. With a mean that is not 0, `among` counts from
    /// there.
    fn draw(&mut self) {
        for (angle, direction) in self.angles.iter_mut().zip(&mut self.directions) {
            *angle = loop {
                let candidate = match self.motion.among {
                    Some(n) => PI * (2.0 * self.draws.random_range(0..n) as f64 / n as f64 - 1.0),
                    None => self.draws.random_range(-PI..PI),
                };
                let accepted: f64 = self.draws.random();
                if accepted < (self.concentration * (candidate.cos() - 1.0)).exp() {
                    break wrapped(candidate + self.mean);
                }
            };
            *direction = angle.sin_cos();
        }
    }

    /// Writes cosine and sine of the angle (padded rows) and, if asked, the angle itself, for the next steps.
    pub fn advance(
        &mut self,
        arch: Arch,
        steps: usize,
        values: &mut [f64],
        mut latent: Option<&mut [f64]>,
    ) {
        let (replicas, row) = (self.angles.len(), padded(2));
        let Motion {
            noise, drift, hold, ..
        } = self.motion;
        let walks = noise > 0.0;
        if walks {
            self.deviates.resize(steps * replicas, 0.0);
            self.normals.fill(arch, &mut self.deviates);
        }
        for step in 0..steps {
            for replica in 0..replicas {
                let at = (step * replicas + replica) * row;
                let angle = self.angles[replica];
                let (sin, cos) = self.directions[replica];
                if let Some([c, s, ..]) = values.get_mut(at..at + row) {
                    (*c, *s) = (cos, sin);
                }
                if let Some(theta) = latent.as_mut().and_then(|l| l.get_mut(at)) {
                    *theta = angle;
                }
                if walks {
                    let across = if self.mean.abs() > 0.0 {
                        (angle - self.mean).sin()
                    } else {
                        sin
                    };
                    let pull = -drift * noise * noise * across;
                    let next =
                        wrapped(angle + pull + noise * self.deviates[step * replicas + replica]);
                    self.angles[replica] = next;
                    self.directions[replica] = next.sin_cos();
                }
            }
            if let Some(every) = hold {
                self.held += 1;
                if self.held == every {
                    self.held = 0;
                    self.draw();
                }
            }
        }
    }
}

/// An angle from −π to π.
fn wrapped(angle: f64) -> f64 {
    if angle.abs() <= PI {
        angle
    } else {
        angle - TAU * (angle / TAU).round()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∫ cos(kθ) exp(κ cos θ) over ∫ exp(κ cos θ).
    fn moment(k: f64, concentration: f64) -> f64 {
        let grid: Vec<f64> = (0..10_000).map(|i| TAU * f64::from(i) / 10_000.0).collect();
        let weight = |t: &f64| (concentration * t.cos()).exp();
        let total: f64 = grid.iter().map(weight).sum();
        grid.iter().map(|t| (k * t).cos() * weight(t)).sum::<f64>() / total
    }

    fn held(steps: u64) -> Motion {
        Motion {
            noise: 0.0,
            drift: 0.0,
            hold: Some(steps),
            among: None,
        }
    }

    fn walk(noise: f64, concentration: f64) -> Motion {
        Motion {
            noise,
            drift: concentration / 2.0,
            hold: None,
            among: None,
        }
    }

    /// Angles of a process, replica by replica within a step.
    fn angles(process: &mut VonMises, steps: usize) -> Vec<f64> {
        let replicas = process.angles.len();
        let mut values = vec![0.0; steps * replicas * padded(2)];
        let mut latent = values.clone();
        process.advance(Arch::new(), steps, &mut values, Some(&mut latent));
        let rows = values.chunks(padded(2)).zip(latent.chunks(padded(2)));
        rows.map(|(v, l)| {
            assert!((v[0] - l[0].cos()).abs() < 1e-15 && (v[1] - l[0].sin()).abs() < 1e-15);
            assert!(l[0].abs() <= PI);
            l[0]
        })
        .collect()
    }

    fn check_moments(angles: &[f64], mean: f64, concentration: f64, tolerance: f64) {
        for k in [1.0, 2.0, 3.0] {
            let average = |f: &dyn Fn(f64) -> f64| {
                angles.iter().map(|t| f(k * (t - mean))).sum::<f64>() / angles.len() as f64
            };
            let (cos, sin) = (average(&f64::cos), average(&f64::sin));
            assert!(
                (cos - moment(k, concentration)).abs() < tolerance,
                "k = {k}: {cos}"
            );
            assert!(sin.abs() < tolerance, "k = {k}: {sin}");
        }
    }

    #[test]
    fn draws_and_the_stationary_walk_are_von_mises() {
        for (concentration, mean) in [(0.0, 0.0), (1.5, 0.0), (4.0, 2.5)] {
            let draw = |motion| VonMises::new(concentration, mean, motion, 64, (3, "a"));
            // 64 × 4,000 independent draws: the standard error of a mean cosine is at most 0.0014.
            check_moments(
                &angles(&mut draw(held(1)), 4_000),
                mean,
                concentration,
                0.006,
            );
            // 64 walks over 400 times the 2/s² steps in which they forget: standard error below 0.0045.
            check_moments(
                &angles(&mut draw(walk(0.1, concentration)), 80_000),
                mean,
                concentration,
                0.02,
            );
        }
    }

    #[test]
    fn held_draws_stay_for_their_steps() {
        let mut process = VonMises::new(1.0, 0.0, held(5), 1, (1, "a"));
        let all = angles(&mut process, 20);
        for part in all.chunks(5) {
            assert!(part.iter().all(|t| t.to_bits() == part[0].to_bits()));
        }
        assert!(all[0].to_bits() != all[5].to_bits() && all[5].to_bits() != all[10].to_bits());
    }

    #[test]
    fn draws_among_evenly_spaced_angles_have_their_weights() {
        let motion = Motion {
            among: Some(4),
            ..held(1)
        };
        let mut process = VonMises::new(1.0, 0.0, motion, 1, (1, "a"));
        let all = angles(&mut process, 20_000);
        let share = |angle: f64| {
            all.iter().filter(|t| (**t - angle).abs() < 1e-12).count() as f64 / all.len() as f64
        };
        // exp(cos θ) at −π, −π/2, 0 and π/2, normalized; a share has a standard error of at most 0.0035.
        let total = (-1.0_f64).exp() + 2.0 + 1.0_f64.exp();
        for (angle, weight) in [
            (-PI, (-1.0_f64).exp()),
            (-PI / 2.0, 1.0),
            (0.0, 1.0_f64.exp()),
        ] {
            assert!((share(angle) - weight / total).abs() < 0.015);
        }
    }

    #[test]
    fn a_block_of_steps_is_the_same_as_single_steps() {
        let make = || VonMises::new(1.5, 0.3, walk(0.2, 1.5), 2, (9, "a"));
        let (mut whole, mut parts) = (make(), make());
        let all = angles(&mut whole, 64);
        let first = angles(&mut parts, 32);
        // The noise comes in turns of a block, so that halves of one are what the engine may ask for.
        assert_eq!(all[..first.len()], first[..]);
    }
}
