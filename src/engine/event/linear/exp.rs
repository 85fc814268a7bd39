//! e^x as a fixed sequence of IEEE operations, for the decay of modes.
//!
//! `lang::math::exp` is made of fused multiply–adds, which cost a library call each where the
//! build has no FMA instruction; events are delivered one at a time, outside any block of SIMD code.
//! This one uses plain products and sums and a table of 2^(k/16). It has no branch, so a compiler
//! may run 2, 4 or 8 modes at once, and gives the same bits on every machine and at every width.
//!
//! # Source
//! The reduction of P. T. P. Tang (1989), Table-driven implementation of the exponential function
//! in IEEE floating-point arithmetic, ACM TOMS 15, 144. <https://doi.org/10.1145/63522.214389>

/// Entries of the table.
const SIZE: usize = 16;
/// log2 of `SIZE`.
const SHIFT: u32 = SIZE.trailing_zeros();
/// 1.5·2^52: adding it rounds a small number to an integer and leaves that in the low mantissa bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has 32 trailing zero bits, so that k·LN2_HIGH is exact for |k| < 2^20.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// Bits of 2^(k/16), rounded once.
static POWERS: [u64; SIZE] = powers();

/// The product as an unevaluated sum of two numbers (Dekker; both factors are near 1).
const fn product(a: f64, b: f64) -> (f64, f64) {
    const SPLIT: f64 = 134_217_729.0;
    let p = a * b;
    let (ca, cb) = (SPLIT * a, SPLIT * b);
    let (ah, bh) = (ca - (ca - a), cb - (cb - b));
    let (al, bl) = (a - ah, b - bh);
    (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
}

/// The product of two unevaluated sums.
const fn product2(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let (p, e) = product(a.0, b.0);
    let e = e + (a.0 * b.1 + a.1 * b.0);
    let s = p + e;
    (s, e - (s - p))
}

/// 2^(k/16) as the product over the bits of k of 2^(2^−j), in twice the precision.
const fn powers() -> [u64; SIZE] {
    let mut table = [0; SIZE];
    let mut k = 0;
    while k < SIZE {
        let mut value = (1.0, 0.0);
        let mut j = 0;
        while j < ROOTS_OF_TWO.len() {
            if k >> (ROOTS_OF_TWO.len() - 1 - j) & 1 == 1 {
                value = product2(value, ROOTS_OF_TWO[j]);
            }
            j += 1;
        }
        // The exponent that k itself would add to the bits below is taken off here.
        table[k] = value.0.to_bits().wrapping_sub((k as u64) << (52 - SHIFT));
        k += 1;
    }
    table
}

/// 2^(1/2), 2^(1/4), 2^(1/8), 2^(1/16): the nearest number, and what it leaves.
const ROOTS_OF_TWO: [(f64, f64); SHIFT as usize] = [
    (
        f64::from_bits(0x3ff6_a09e_667f_3bcd),
        f64::from_bits(0xbc9b_dd34_13b2_6456),
    ),
    (
        f64::from_bits(0x3ff3_06fe_0a31_b715),
        f64::from_bits(0x3c86_f46a_d231_82e4),
    ),
    (
        f64::from_bits(0x3ff1_72b8_3c7d_517b),
        f64::from_bits(0xbc81_9041_b9d7_8a76),
    ),
    (
        f64::from_bits(0x3ff0_b558_6cf9_890f),
        f64::from_bits(0x3c98_a62e_4adc_610b),
    ),
];

/// Where the table is kept.
pub trait Table: Copy {
    /// What the table has at places, of which the lowest four bits count.
    fn powers<const N: usize>(self, places: [u64; N]) -> [u64; N];
}

/// In memory: numbers one at a time, or several by a gather.
#[derive(Debug, Clone, Copy)]
pub struct InMemory;

impl Table for InMemory {
    #[inline(always)]
    fn powers<const N: usize>(self, places: [u64; N]) -> [u64; N] {
        let mut found = [0; N];
        for (found, place) in found.iter_mut().zip(places) {
            *found = POWERS[place as usize % SIZE];
        }
        found
    }
}

/// In two registers, which one instruction permutes.
#[cfg(target_arch = "x86_64")]
impl Table for pulp::x86::V4 {
    #[inline(always)]
    fn powers<const N: usize>(self, places: [u64; N]) -> [u64; N] {
        const HALVES: [[u64; SIZE / 2]; 2] = halves();
        let [low, high] = HALVES.map(pulp::cast);
        let mut found = [0; N];
        for (found, places) in found.chunks_mut(8).zip(places.chunks(8)) {
            let mut eight = [0_u64; 8];
            eight[..places.len()].copy_from_slice(places);
            let places = pulp::cast(eight);
            let eight = self.avx512f._mm512_permutex2var_epi64(low, places, high);
            let eight: [u64; 8] = pulp::cast(eight);
            found.copy_from_slice(&eight[..found.len()]);
        }
        found
    }
}

/// Both halves of the table.
#[cfg(target_arch = "x86_64")]
const fn halves() -> [[u64; SIZE / 2]; 2] {
    let all = powers();
    let mut halves = [[0; SIZE / 2]; 2];
    let mut k = 0;
    while k < SIZE {
        halves[k / (SIZE / 2)][k % (SIZE / 2)] = all[k];
        k += 1;
    }
    halves
}

/// e^x for x ≤ 700, to 1.05 units in the last place; 0 below −708, where it would be subnormal.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let [y] = exp_each([x], InMemory);
    y
}

/// The same of several numbers: the same bits, wherever the table is.
#[inline(always)]
pub fn exp_each<const N: usize>(x: [f64; N], table: impl Table) -> [f64; N] {
    let mut shifted = [0.0; N];
    for (shifted, x) in shifted.iter_mut().zip(x) {
        *shifted = at_least(x) * (std::f64::consts::LOG2_E * SIZE as f64) + ROUND;
    }
    let mut bits = [0; N];
    for (bits, shifted) in bits.iter_mut().zip(shifted) {
        *bits = shifted.to_bits();
    }
    let powers = table.powers(bits);
    let mut y = [0.0; N];
    for k in 0..N {
        let power = powers[k].wrapping_add(bits[k] << (52 - SHIFT));
        y[k] = scaled(f64::from_bits(power), at_least(x[k]), shifted[k] - ROUND);
        y[k] = if x[k] < LEAST { 0.0 } else { y[k] };
    }
    y
}

/// Below, e^x is 0; what is reckoned until then stays within its bounds.
const LEAST: f64 = -708.0;

#[inline(always)]
fn at_least(x: f64) -> f64 {
    if x < LEAST { LEAST } else { x }
}

/// `power`·e^r with what k·ln2/[`SIZE`] leaves of z.
#[inline(always)]
fn scaled(power: f64, z: f64, k: f64) -> f64 {
    const SCALE: f64 = SIZE as f64;
    let r = (z - k * (LN2_HIGH / SCALE)) - k * (LN2_LOW / SCALE);
    // |r| ≤ ln2/32. The series up to r⁶, whose odd terms take the best part of r⁷/7!: what is left is below 1.2e-17.
    let square = r * r;
    let low = 0.5 + r * THIRD;
    let high = (1.0 / 24.0 + r * FIFTH) + square * (1.0 / 720.0);
    // Both halves at once.
    let tail = (r + square * low) + (square * square) * high;
    power + power * tail
}

/// Half the width of r.
const H: f64 = std::f64::consts::LN_2 / (2 * SIZE) as f64;
/// 1/3! and 1/5! with x⁷ ≈ 1.48871558·x⁵ − 0.514852·x³ to 0.0262 for |x| ≤ 1, at x = r/[`H`].
const THIRD: f64 = 1.0 / 6.0 - 0.514_852 * H * H * H * H / 5040.0;
const FIFTH: f64 = 1.0 / 120.0 + 1.488_715_58 * H * H / 5040.0;
