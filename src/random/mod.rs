//! Random streams, each seeded by the run's seed, a name and an index, never by a thread.
//!
//! [`stream`] gives ordinary streams (initial weights, connections). [`Normals`] is the fast source of
//! unit white noise: sixteen xoshiro256++ generators side by side and a vectorised Box–Muller transform.

mod lazy;

pub use lazy::LazyNormals;

use pulp::{Arch, Simd, WithSimd};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// Mixes the seed, a name and an index into one 64-bit seed (FNV-1a over the bytes, finished by
/// the SplitMix64 scrambler).
pub fn seed_of(seed: u64, name: &str, index: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = seed
        .to_le_bytes()
        .into_iter()
        .chain(name.bytes())
        .chain([0xff])
        .chain(index.to_le_bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let mut z = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The stream of that seed, name and index.
pub fn stream(seed: u64, name: &str, index: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed_of(seed, name, index))
}

/// Generators that run side by side.
const WIDTH: usize = 16;

/// Normal deviates that one turn of all generators gives: two from each 64-bit word.
pub const NORMALS_PER_TURN: usize = 2 * WIDTH;

/// A source of independent standard normal deviates.
///
/// Each 64-bit word gives two deviates by the Box–Muller transform, computed in single precision: the
/// deviates have 24 significant bits and reach ±6.66 standard deviations, which no statistic of a
/// simulation can tell from more. The state is plain data.
///
/// # Source
/// Box and Muller 1958; generators: Blackman and Vigna 2021, xoshiro256++.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Normals {
    state: [[u64; WIDTH]; 4],
    /// Deviates of the last turn that nobody has taken yet: the last `left` ones.
    rest: [f64; NORMALS_PER_TURN],
    left: usize,
}

impl Normals {
    /// The source of that seed, name and index; its generator k is `stream(seed, name, 16·index + k)`.
    pub fn new(seed: u64, name: &str, index: u64) -> Self {
        let mut state = [[0; WIDTH]; 4];
        for lane in 0..WIDTH {
            let words = words(seed_of(
                seed,
                name,
                index.wrapping_mul(WIDTH as u64).wrapping_add(lane as u64),
            ));
            for (row, word) in state.iter_mut().zip(words) {
                row[lane] = word;
            }
        }
        Normals {
            state,
            rest: [0.0; NORMALS_PER_TURN],
            left: 0,
        }
    }

    /// Fills `out` with the next deviates of the sequence, however long it is: taking 3 and then 5 gives
    /// the same as taking 8.
    pub fn fill(&mut self, arch: Arch, out: &mut [f64]) {
        let taken = self.left.min(out.len());
        let start = NORMALS_PER_TURN - self.left;
        out[..taken].copy_from_slice(&self.rest[start..start + taken]);
        self.left -= taken;
        let (whole, last) = out[taken..].as_chunks_mut::<NORMALS_PER_TURN>();
        arch.dispatch(Fill {
            state: &mut self.state,
            out: whole.as_flattened_mut(),
        });
        if !last.is_empty() {
            arch.dispatch(Fill {
                state: &mut self.state,
                out: &mut self.rest,
            });
            last.copy_from_slice(&self.rest[..last.len()]);
            self.left = NORMALS_PER_TURN - last.len();
        }
    }
}

/// The initial state of a xoshiro256++ generator: four words of SplitMix64, as `seed_from_u64` takes them.
fn words(seed: u64) -> [u64; 4] {
    let mut x = seed;
    std::array::from_fn(|_| {
        x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = x;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

struct Fill<'a> {
    state: &'a mut [[u64; WIDTH]; 4],
    out: &'a mut [f64],
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut state = *self.state;
        for chunk in self.out.as_chunks_mut::<NORMALS_PER_TURN>().0 {
            let bits = next(&mut state);
            let (first, second) = box_muller(&bits);
            for k in 0..WIDTH {
                chunk[k] = f64::from(first[k]);
            }
            for k in 0..WIDTH {
                chunk[WIDTH + k] = f64::from(second[k]);
            }
        }
        *self.state = state;
    }
}

/// One turn of all generators (xoshiro256++).
#[inline(always)]
fn next(state: &mut [[u64; WIDTH]; 4]) -> [u64; WIDTH] {
    let mut bits = [0; WIDTH];
    let [s0, s1, s2, s3] = state;
    for k in 0..WIDTH {
        bits[k] = s0[k]
            .wrapping_add(s3[k])
            .rotate_left(23)
            .wrapping_add(s0[k]);
        let t = s1[k] << 17;
        s2[k] ^= s0[k];
        s3[k] ^= s1[k];
        s1[k] ^= s2[k];
        s0[k] ^= s3[k];
        s2[k] ^= t;
        s3[k] = s3[k].rotate_left(45);
    }
    bits
}

/// Two normal deviates from each word: its upper half gives the radius, its lower half the angle.
#[inline(always)]
fn box_muller(bits: &[u64; WIDTH]) -> ([f32; WIDTH], [f32; WIDTH]) {
    let mut upper = [0u32; WIDTH];
    let mut lower = [0u32; WIDTH];
    for k in 0..WIDTH {
        upper[k] = (bits[k] >> 32) as u32;
    }
    for k in 0..WIDTH {
        lower[k] = bits[k] as u32;
    }
    let mut radius = [0.0f32; WIDTH];
    for k in 0..WIDTH {
        let u = ((upper[k] >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0);
        radius[k] = (-2.0 * log_f32(u)).sqrt();
    }
    let mut first = [0.0f32; WIDTH];
    let mut second = [0.0f32; WIDTH];
    for k in 0..WIDTH {
        let angle = (lower[k] << 2) as i32 as f32 * (std::f32::consts::FRAC_PI_4 / 2_147_483_648.0);
        let (sin, cos) = sin_cos_quadrant(angle);
        let swap = lower[k] & 0x8000_0000 != 0;
        let (x, y) = if swap { (sin, cos) } else { (cos, sin) };
        let sign = (lower[k] & 0x4000_0000) << 1;
        first[k] = radius[k] * f32::from_bits(x.to_bits() ^ sign);
        second[k] = radius[k] * f32::from_bits(y.to_bits() ^ sign);
    }
    (first, second)
}

/// ln u for normal u in (0, 1], to 3e-7 of its value.
#[inline(always)]
fn log_f32(u: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = u.to_bits();
    let exponent = (bits.wrapping_sub(SQRT_HALF) as i32) >> 23;
    let m = f32::from_bits(bits.wrapping_sub((exponent as u32) << 23));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let mut p = 1.0f32 / 9.0;
    for c in [1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0] {
        p = p.mul_add(z, c);
    }
    (exponent as f32).mul_add(std::f32::consts::LN_2, (s + s) * p)
}

/// sin and cos for |a| ≤ π/4, by their Taylor series (next terms below 4e-9 and 3e-8).
#[inline(always)]
fn sin_cos_quadrant(a: f32) -> (f32, f32) {
    let z = a * a;
    let mut s = 1.0f32 / 362_880.0;
    for c in [-1.0 / 5_040.0, 1.0 / 120.0, -1.0 / 6.0, 1.0] {
        s = s.mul_add(z, c);
    }
    let mut c = 1.0f32 / 40_320.0;
    for k in [-1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0] {
        c = c.mul_add(z, k);
    }
    (a * s, c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::rand_core::Rng;

    #[test]
    fn each_lane_is_the_librarys_generator() {
        let mut normals = Normals::new(7, "noise", 3);
        let mut lanes: Vec<_> = (0..16).map(|k| stream(7, "noise", 48 + k)).collect();
        for _ in 0..100 {
            let bits = next(&mut normals.state);
            let expected: Vec<u64> = lanes.iter_mut().map(|lane| lane.next_u64()).collect();
            assert_eq!(bits.to_vec(), expected);
        }
    }

    #[test]
    fn streams_differ_by_seed_name_and_index() {
        let all = [
            seed_of(1, "a", 0),
            seed_of(2, "a", 0),
            seed_of(1, "b", 0),
            seed_of(1, "a", 1),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    /// Moments, tails and lag correlations of 2^22 deviates, each within five standard errors.
    #[test]
    fn deviates_are_standard_normal_and_independent() {
        let n = 1 << 22;
        let mut x = vec![0.0; n];
        Normals::new(1, "test", 0).fill(Arch::new(), &mut x);
        let count = n as f64;
        let moment = |k: i32| x.iter().map(|v| v.powi(k)).sum::<f64>() / count;
        let error = |variance: f64| 5.0 * (variance / count).sqrt();
        assert!(moment(1).abs() < error(1.0));
        assert!((moment(2) - 1.0).abs() < error(2.0));
        assert!(moment(3).abs() < error(15.0));
        assert!((moment(4) - 3.0).abs() < error(96.0));
        let share = |limit: f64| x.iter().filter(|v| v.abs() > limit).count() as f64 / count;
        for (limit, p) in [
            (1.0, 0.317_310_507_9),
            (2.0, 0.045_500_263_9),
            (4.0, 6.334_248e-5),
        ] {
            assert!(
                (share(limit) - p).abs() < error(p),
                "share beyond {limit}: {}",
                share(limit)
            );
        }
        for lag in [1, 2, 8, 15, 16, 17, 32, 64] {
            let correlation = x[lag..].iter().zip(&x).map(|(a, b)| a * b).sum::<f64>() / count;
            assert!(correlation.abs() < error(1.0), "lag {lag}: {correlation}");
            let squares = x[lag..]
                .iter()
                .zip(&x)
                .map(|(a, b)| (a * a - 1.0) * (b * b - 1.0))
                .sum::<f64>()
                / count;
            assert!(
                squares.abs() < error(4.0),
                "squares at lag {lag}: {squares}"
            );
        }
    }

    #[test]
    fn deviates_do_not_depend_on_how_many_are_taken_at_a_time() {
        let mut whole = vec![0.0; 1000];
        Normals::new(3, "x", 0).fill(Arch::new(), &mut whole);
        let mut pieces = vec![0.0; 1000];
        let mut normals = Normals::new(3, "x", 0);
        let mut at = 0;
        for size in [1, 7, 32, 31, 33, 100, 0, 64, 232, 500] {
            normals.fill(Arch::new(), &mut pieces[at..at + size]);
            at += size;
        }
        assert_eq!(at, 1000);
        assert_eq!(whole, pieces);
    }

    #[test]
    fn the_instruction_set_does_not_change_the_bits() {
        let (mut wide, mut narrow) = (vec![0.0; 4096], vec![0.0; 4096]);
        Normals::new(5, "x", 0).fill(Arch::new(), &mut wide);
        Normals::new(5, "x", 0).fill(Arch::Scalar, &mut narrow);
        assert!(
            wide.iter()
                .zip(&narrow)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }
}
