//! Elementary functions as branch-free scalar code.
//!
//! The virtual machine runs these inside loops over blocks, where the optimiser turns them into
//! SIMD; the tree walker calls the very same functions one element at a time. Both therefore give
//! the same bits, and so does every vector width: each function is a fixed sequence of IEEE
//! operations (with explicit fused multiply–adds) on one number.
//!
//! Errors are below 4 units in the last place (`tests/language_math.rs` compares with arithmetic of
//! twice the precision, since system libraries err by 2 themselves).

// ln 2 in two parts: the first has 32 trailing zero bits, so that n·LN2_HIGH is exact for |n| < 2^20.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// 1.5·2^52: adding it rounds a small number to an integer and leaves that in the low mantissa bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// e^r − 1 for |r| ≤ ln2/2, by Taylor's series to r^13 (the next term is below 4e-18).
///
/// Odd and even terms are two chains of multiply–adds that wait for each other only at the end.
#[inline(always)]
fn exp_minus_one_small(r: f64) -> f64 {
    // Of r^13, r^11 … r^3 and r^12, r^10 … r^2.
    const ODD: [f64; 6] = [
        1.0 / 6_227_020_800.0,
        1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        1.0 / 5_040.0,
        1.0 / 120.0,
        1.0 / 6.0,
    ];
    const EVEN: [f64; 6] = [
        1.0 / 479_001_600.0,
        1.0 / 3_628_800.0,
        1.0 / 40_320.0,
        1.0 / 720.0,
        1.0 / 24.0,
        0.5,
    ];
    let square = r * r;
    let (mut odd, mut even) = (ODD[0], EVEN[0]);
    for k in 1..ODD.len() {
        odd = odd.mul_add(square, ODD[k]);
        even = even.mul_add(square, EVEN[k]);
    }
    odd.mul_add(r, even).mul_add(square, r)
}

/// x = n·ln2 + r with |r| ≤ ln2/2: returns r, and n both as a number and as the integer in ROUND + n.
#[inline(always)]
fn reduce(x: f64) -> (f64, f64, u64) {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = (-n).mul_add(LN2_LOW, (-n).mul_add(LN2_HIGH, x));
    (r, n, shifted.to_bits())
}

/// e^x; 0 below −708, where the result would be subnormal.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let (r, _, bits) = reduce(x);
    let m = 1.0 + exp_minus_one_small(r);
    // 2·m·2^(n−1), so that n = 1024 does not overflow too early.
    let y = (m + m) * f64::from_bits(bits.wrapping_add(1022) << 52);
    let y = if x > 709.782_712_893_384 {
        f64::INFINITY
    } else {
        y
    };
    if x < -708.0 { 0.0 } else { y }
}

/// Hyperbolic tangent, from e^(2|x|) − 1 so that small arguments keep their relative precision.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let a = x.abs();
    let (r, _, bits) = reduce(a + a);
    let power = f64::from_bits(bits.wrapping_add(1023) << 52);
    let e = power.mul_add(exp_minus_one_small(r), power - 1.0);
    let t = e / (e + 2.0);
    let t = if a > 20.0 { 1.0 } else { t };
    t.copysign(x)
}

/// 1/(1 + e^−x).
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// Natural logarithm, by the series of atanh: ln m = 2(s + s³/3 + …) with s = (m − 1)/(m + 1).
#[inline(always)]
pub fn log(x: f64) -> f64 {
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    const BIAS: u64 = 1023 << 52;
    const TWO_52_BITS: u64 = 0x4330_0000_0000_0000;
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    const TWO_54: f64 = 18_014_398_509_481_984.0;
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * TWO_54 } else { x };
    let bits = scaled.to_bits();
    let biased = bits.wrapping_sub(SQRT_HALF_BITS).wrapping_add(BIAS) >> 52;
    let n = f64::from_bits(biased | TWO_52_BITS) - TWO_52 - 1023.0;
    let n = if subnormal { n - 54.0 } else { n };
    let m = f64::from_bits(bits.wrapping_sub(biased.wrapping_sub(1023) << 52));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    const C: [f64; 11] = [
        1.0 / 23.0,
        1.0 / 21.0,
        1.0 / 19.0,
        1.0 / 17.0,
        1.0 / 15.0,
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        1.0 / 5.0,
        1.0 / 3.0,
    ];
    let mut p = C[0];
    for c in &C[1..] {
        p = p.mul_add(z, *c);
    }
    let two_s = s + s;
    let tail = (two_s * z).mul_add(p, n * LN2_LOW);
    let y = n.mul_add(LN2_HIGH, two_s + tail);
    let y = if x < f64::INFINITY { y } else { x };
    let y = if x < 0.0 { f64::NAN } else { y };
    if x.abs() > 0.0 || x.is_nan() {
        y
    } else {
        f64::NEG_INFINITY
    }
}

/// ln(1 + x), precise for small x: what rounding took from u = 1 + x adds its part/u.
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    let u = 1.0 + x;
    let lost = x - (u - 1.0);
    let y = log(u);
    let y = if u > 0.0 { y + lost / u } else { y };
    if u < f64::INFINITY { y } else { u }
}

/// ln(1 + e^x), without overflow.
#[inline(always)]
pub fn softplus(x: f64) -> f64 {
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + log1p(exp(-x.abs()))
}

/// e^x − 1 for −700 < x < 700, with the relative precision of small x.
#[inline(always)]
fn exp_minus_one(x: f64) -> f64 {
    let (r, _, bits) = reduce(x);
    let power = f64::from_bits(bits.wrapping_add(1023) << 52);
    power.mul_add(exp_minus_one_small(r), power - 1.0)
}

/// x of y = softplus(x): ln(e^y − 1) = y + ln(1 − e^−y), without overflow; −∞ at 0, NaN below.
#[inline(always)]
pub fn softplus_inverse(y: f64) -> f64 {
    // Beyond 40, e^−y is less than a rounding of 1.
    let small = if y < 40.0 { y } else { 40.0 };
    y + log(-exp_minus_one(-if small > -40.0 { small } else { -40.0 }))
}

/// Inverse hyperbolic tangent: ln(1 + 2a/(1 − a))/2 of the size a, with the sign of x.
#[inline(always)]
pub fn atanh(x: f64) -> f64 {
    let a = x.abs();
    (0.5 * log1p((a + a) / (1.0 - a))).copysign(x)
}

/// 1 where x > 0, else 0.
#[inline(always)]
pub fn step(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}

/// −1, 0 or 1.
#[inline(always)]
pub fn sign(x: f64) -> f64 {
    step(x) - step(-x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_values_are_those_of_ieee() {
        let bits = |x: f64| x.to_bits();
        assert_eq!(bits(exp(f64::INFINITY)), bits(f64::INFINITY));
        assert_eq!(bits(exp(f64::NEG_INFINITY)), bits(0.0));
        assert_eq!(bits(exp(0.0)), bits(1.0));
        assert_eq!(bits(tanh(f64::INFINITY)), bits(1.0));
        assert_eq!(bits(tanh(-0.0)), bits(-0.0));
        assert_eq!(bits(log(0.0)), bits(f64::NEG_INFINITY));
        assert_eq!(bits(log(1.0)), bits(0.0));
        assert_eq!(bits(log(f64::INFINITY)), bits(f64::INFINITY));
        assert!(
            (log(5e-324) + 744.440_071_921_381).abs() < 1e-12,
            "subnormals are scaled first"
        );
        for f in [exp, tanh, log, log1p, sigmoid, softplus] {
            assert!(f(f64::NAN).is_nan(), "NaN goes through");
        }
        assert!(log(-1.0).is_nan());
        assert_eq!(bits(softplus(f64::INFINITY)), bits(f64::INFINITY));
    }
}
