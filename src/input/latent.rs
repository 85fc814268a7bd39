//! Latent variables that move as autoregressive processes, and what they drive linearly.

use pulp::{Arch, Simd, WithSimd};

use crate::engine::{dense, elementwise, lanes};
use crate::lang::vm::padded;
use crate::random::Normals;
use crate::vector::{Singles, Vector};

/// z ← decay·z + noise·η, output mixing·z; one z per replica.
#[derive(Debug, Clone)]
pub struct LatentAr1 {
    decay: f64,
    noise: f64,
    latent: usize,
    /// Row k: what latent variable k adds to each (padded) value.
    mixing: Vector,
    /// The same in single precision.
    mixing_single: Singles,
    z: Vector,
    normals: Normals,
    /// Scratch: unit noise of the steps to come, without padding.
    deviates: Vector,
    /// Scratch: z at each of these steps.
    path: Vector,
    /// Scratch: the same in single precision.
    path_single: Singles,
}

impl LatentAr1 {
    /// The process of a mixing matrix for so many values, and z at 0.
    pub fn new(
        (decay, noise): (f64, f64),
        (mixing, size): (Vector, usize),
        replicas: usize,
        normals: Normals,
    ) -> Self {
        let latent = mixing.len() / padded(size).max(1);
        LatentAr1 {
            decay,
            noise,
            latent,
            mixing_single: in_single_rows(&mixing, size, latent),
            mixing,
            z: Vector::zeros(replicas * padded(latent)),
            normals,
            deviates: Vector::default(),
            path: Vector::default(),
            path_single: Singles::default(),
        }
    }

    /// Begins again with another source of noise.
    pub fn reseed(&mut self, normals: Normals) {
        self.normals = normals;
        self.z.fill(0.0);
    }

    /// z at each of the last steps.
    pub fn path(&self) -> &[f64] {
        &self.path
    }

    /// Writes the values of the last steps, in rows of some padded length.
    pub fn write(&self, arch: Arch, (out, row): (&mut [f64], usize)) {
        let z = (&self.path[..], padded(self.latent), self.latent);
        dense::deliver_rows(arch, &self.mixing, z, (out, row));
    }

    /// Writes the values of the last steps in single precision, in rows padded to whole cache lines.
    pub fn write_single(&mut self, arch: Arch, out: &mut Singles) {
        let (stride, row) = (padded(self.latent), self.mixing_single.len() / self.latent);
        self.path_single.resize(self.path.len(), 0.0);
        elementwise::round(arch, &self.path, &mut self.path_single);
        out.resize(self.path.len() / stride * row, 0.0);
        let z = (&self.path_single[..], stride, self.latent);
        dense::deliver_rows(arch, &self.mixing_single, z, (out, row));
    }

    /// Fills the path with the next steps' z.
    pub fn advance(&mut self, arch: Arch, steps: usize) {
        let all = self.z.len();
        self.path.resize(steps * all, 0.0);
        self.deviates
            .resize(steps * all / padded(self.latent) * self.latent, 0.0);
        self.normals.fill(arch, &mut self.deviates);
        let rows = self.path.chunks_exact_mut(padded(self.latent));
        for (row, deviates) in rows.zip(self.deviates.chunks_exact(self.latent)) {
            row[..self.latent].copy_from_slice(deviates);
        }
        arch.dispatch(Decay {
            z: &mut self.z,
            path: &mut self.path,
            decay: self.decay,
            noise: self.noise,
        });
    }
}

/// Each step's z is the last one decayed and that step's noise, which is where z is to go.
struct Decay<'a> {
    z: &'a mut [f64],
    path: &'a mut [f64],
    decay: f64,
    noise: f64,
}

impl WithSimd for Decay<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (decay, noise) = (simd.splat_f64s(self.decay), simd.splat_f64s(self.noise));
        let (z, _) = S::as_mut_simd_f64s(self.z);
        let (path, _) = S::as_mut_simd_f64s(self.path);
        let width = z.len().max(1);
        for (at, z) in z.iter_mut().enumerate() {
            // A copy stays in a register from step to step.
            let mut value = *z;
            for step in path.chunks_exact_mut(width) {
                value = simd.mul_add_f64s(noise, step[at], simd.mul_f64s(decay, value));
                step[at] = value;
            }
            *z = value;
        }
    }
}

/// Rows of a matrix in single precision, padded to whole cache lines.
fn in_single_rows(matrix: &Vector, size: usize, rows: usize) -> Singles {
    let (from, row) = (padded(size), lanes::padded::<f32>(size));
    let mut single = Singles::zeros(rows * row);
    for (out, values) in single.chunks_exact_mut(row).zip(matrix.chunks_exact(from)) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = *value as f32;
        }
    }
    single
}
