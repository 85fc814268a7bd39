//! e^x as a fixed sequence of IEEE operations, for the decay of modes.
//!
//! `lang::math::exp` is made of fused multiply–adds, which cost a library call each where the
//! build has no FMA instruction; events are delivered one at a time, outside any block of SIMD code.
//! This one uses plain products and sums and a table of 2^(k/128). It has no branch, so a compiler
//! may run 2, 4 or 8 modes at once, and gives the same bits on every machine and at every width.
//!
//! # Source
//! The reduction of P. T. P. Tang (1989), Table-driven implementation of the exponential function
//! in IEEE floating-point arithmetic, ACM TOMS 15, 144. <https://doi.org/10.1145/63522.214389>

/// Entries of the table.
const SIZE: usize = 128;
/// log2 of `SIZE`.
const SHIFT: u32 = SIZE.trailing_zeros();
/// 1.5·2^52: adding it rounds a small number to an integer and leaves that in the low mantissa bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has 32 trailing zero bits, so that k·LN2_HIGH is exact for |k| < 2^20.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// Bits of 2^(k/128), rounded once.
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

/// 2^(k/128) as the product over the bits of k of 2^(2^−j), in twice the precision.
const fn powers() -> [u64; SIZE] {
    let mut table = [0; SIZE];
    let mut k = 0;
    while k < SIZE {
        let mut value = (1.0, 0.0);
        let mut j = 0;
        while j < 7 {
            if k >> (6 - j) & 1 == 1 {
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

/// 2^(1/2), 2^(1/4) … 2^(1/128): the nearest number, and what it leaves.
const ROOTS_OF_TWO: [(f64, f64); 7] = [
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
    (
        f64::from_bits(0x3ff0_59b0_d315_8574),
        f64::from_bits(0x3c8d_73e2_a475_b465),
    ),
    (
        f64::from_bits(0x3ff0_2c9a_3e77_8061),
        f64::from_bits(0xbc71_9083_535b_085d),
    ),
    (
        f64::from_bits(0x3ff0_163d_a9fb_3335),
        f64::from_bits(0x3c9b_6129_9ab8_cdb7),
    ),
];

/// e^x for x ≤ 700, to 1.05 units in the last place; 0 below −708, where it would be subnormal.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    const SCALE: f64 = SIZE as f64;
    // Below, the table is still read within its bounds; the last line gives 0.
    let z = if x < -708.0 { -708.0 } else { x };
    let shifted = z * (std::f64::consts::LOG2_E * SCALE) + ROUND;
    let k = shifted - ROUND;
    let r = (z - k * (LN2_HIGH / SCALE)) - k * (LN2_LOW / SCALE);
    let bits = shifted.to_bits();
    let power = POWERS[bits as usize % SIZE].wrapping_add(bits << (52 - SHIFT));
    let power = f64::from_bits(power);
    // |r| ≤ ln2/256: the next term of the series is below 6e-19.
    let square = r * r;
    let low = 0.5 + r * (1.0 / 6.0);
    let high = 1.0 / 24.0 + r * (1.0 / 120.0);
    let tail = r + square * (low + square * high);
    let y = power + power * tail;
    if x < -708.0 { 0.0 } else { y }
}
