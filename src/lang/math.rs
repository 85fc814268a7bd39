//! Elementary functions as branch-free scalar code.
//!
//! The virtual machine runs these inside loops over blocks, where the optimiser turns them into
//! SIMD; the tree walker calls the very same functions one element at a time. Both therefore give
//! the same bits, and so does every vector width: each function is a fixed sequence of IEEE
//! operations (with explicit fused multiply–adds) on one number.
//!
//! Errors are below 4 units in the last place (`tests/language_math.rs` compares with arithmetic of
//! twice the precision, since system libraries err by 2 themselves).

use pulp::Simd;

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

/// tanh h is h·N(h²)/D(h²) to 5e-18 of its value (with exact coefficients) for 0 ≤ h ≤ [`TANH_LARGE`]/2: the rational function of these degrees
/// whose largest relative error is least, by Remez' algorithm in 80 digits. Highest powers first.
const TANH_N: [f64; 9] = [
    -2.134_432_380_848_770_3e-20,
    2.565_233_453_178_31e-16,
    1.361_831_294_038_959_7e-12,
    1.375_747_131_538_201_7e-09,
    5.094_882_671_977_238e-07,
    8.140_304_945_489_227e-05,
    0.005_649_420_408_988_873,
    0.149_626_221_110_146_9,
    1.0,
];
const TANH_D: [f64; 8] = [
    2.534_967_660_777_199_2e-14,
    5.006_035_537_807_572e-11,
    2.956_787_790_310_170_5e-08,
    7.130_201_716_753_775e-06,
    0.000_755_918_166_405_568_9,
    0.033_302_605_223_482_294,
    0.482_959_554_443_480_2,
    1.0,
];
/// From here on tanh x is 1 within a unit in the last place.
const TANH_LARGE: f64 = 18.75;

/// Hyperbolic tangent, as 2·t/(1 + t²) with t = tanh(x/2) from a rational function: nothing but multiply–adds and one
/// division, so that it is as fast in vectors. Doubling the argument damps the errors of t where they would be largest.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let a = x.abs();
    let square = 0.25 * a * a;
    let mut n = TANH_N[0];
    for c in &TANH_N[1..] {
        n = n.mul_add(square, *c);
    }
    let mut d = TANH_D[0];
    for c in &TANH_D[1..] {
        d = d.mul_add(square, *c);
    }
    // 2·t = n/d.
    let n = a * n;
    let t = n * d / (0.25 * n).mul_add(n, d * d);
    let t = if a > TANH_LARGE { 1.0 } else { t };
    t.copysign(x)
}

/// As [`tanh`], bit for bit, of a SIMD vector.
#[inline(always)]
pub fn tanh_in<S: Simd>(simd: S, x: S::f64s) -> S::f64s {
    let a = simd.abs_f64s(x);
    let quarter = simd.splat_f64s(0.25);
    let square = simd.mul_f64s(simd.mul_f64s(quarter, a), a);
    let mut n = simd.splat_f64s(TANH_N[0]);
    for c in &TANH_N[1..] {
        n = simd.mul_add_f64s(n, square, simd.splat_f64s(*c));
    }
    let mut d = simd.splat_f64s(TANH_D[0]);
    for c in &TANH_D[1..] {
        d = simd.mul_add_f64s(d, square, simd.splat_f64s(*c));
    }
    let n = simd.mul_f64s(a, n);
    let below = simd.mul_add_f64s(simd.mul_f64s(quarter, n), n, simd.mul_f64s(d, d));
    let t = simd.div_f64s(simd.mul_f64s(n, d), below);
    let large = simd.less_than_f64s(simd.splat_f64s(TANH_LARGE), a);
    let t = simd.select_f64s(large, simd.splat_f64s(1.0), t);
    let sign = simd.and_f64s(x, simd.splat_f64s(-0.0));
    simd.or_f64s(t, sign)
}

// As TANH_N and TANH_D, for single precision: degrees 5 and 6, to 7e-9 by the same algorithm. The powers are those of x², the
// factors ¼ in the coefficients, which they leave exact.
const TANH_SINGLE_N: [f32; 3] = [0.001_825_347_9 / 16.0, 0.119_062_31 / 4.0, 1.0];
const TANH_SINGLE_D: [f32; 4] = [
    7.844_08e-5 / 64.0,
    0.019_291_187 / 16.0,
    0.452_395_44 / 4.0,
    1.0,
];
/// From here on tanh x is 1 in single precision.
const TANH_SINGLE_LARGE: f32 = 9.02;

/// As [`tanh_in`], in single precision, to 5 units in the last place. The sign goes through the fraction.
#[inline(always)]
pub fn tanh_single<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let square = simd.mul_f32s(x, x);
    let mut n = simd.splat_f32s(TANH_SINGLE_N[0]);
    for c in &TANH_SINGLE_N[1..] {
        n = simd.mul_add_f32s(n, square, simd.splat_f32s(*c));
    }
    let mut d = simd.splat_f32s(TANH_SINGLE_D[0]);
    for c in &TANH_SINGLE_D[1..] {
        d = simd.mul_add_f32s(d, square, simd.splat_f32s(*c));
    }
    let n = simd.mul_f32s(x, n);
    let quarter = simd.mul_f32s(simd.splat_f32s(0.25), n);
    let below = simd.mul_add_f32s(quarter, n, simd.mul_f32s(d, d));
    let t = simd.div_f32s(simd.mul_f32s(n, d), below);
    let large = simd.less_than_f32s(simd.splat_f32s(TANH_SINGLE_LARGE), simd.abs_f32s(x));
    let sign = simd.and_f32s(x, simd.splat_f32s(-0.0));
    simd.select_f32s(large, simd.or_f32s(simd.splat_f32s(1.0), sign), t)
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

    struct Tanh<'a>(&'a mut [f64]);

    impl pulp::WithSimd for Tanh<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            for x in S::as_mut_simd_f64s(self.0).0 {
                *x = tanh_in(simd, *x);
            }
        }
    }

    #[test]
    fn tanh_of_vectors_has_the_same_bits() {
        let mut x: Vec<f64> = (-2000..2000).map(|i| f64::from(i) * 0.011).collect();
        x.extend([
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            0.0,
            5e-324,
            1e-9,
            -1e300,
            18.75,
        ]);
        let expected: Vec<u64> = x.iter().map(|x| tanh(*x).to_bits()).collect();
        pulp::Arch::new().dispatch(Tanh(&mut x));
        let found: Vec<u64> = x.iter().map(|x| x.to_bits()).collect();
        assert_eq!(found, expected);
        let mut undefined = [f64::NAN; 8];
        pulp::Arch::new().dispatch(Tanh(&mut undefined));
        assert!(undefined.iter().all(|x| x.is_nan()));
    }

    struct TanhSingle<'a>(&'a mut [f32]);

    impl pulp::WithSimd for TanhSingle<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            for x in S::as_mut_simd_f32s(self.0).0 {
                *x = tanh_single(simd, *x);
            }
        }
    }

    #[test]
    fn tanh_in_single_precision() {
        let all = (0..40_000).map(|i| i as f32 * 5e-4 - 10.0);
        let mut x: Vec<f32> = all.collect();
        x.extend([f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, 1e-40, 1e-9]);
        x.extend([
            1e30,
            -9.02,
            9.01,
            8.9,
            f32::NAN,
            f32::NAN,
            f32::NAN,
            1.0,
            2.0,
            3.0,
        ]);
        let (mut wide, mut narrow) = (x.clone(), x.clone());
        pulp::Arch::new().dispatch(TanhSingle(&mut wide));
        pulp::Arch::Scalar.dispatch(TanhSingle(&mut narrow));
        for ((x, wide), narrow) in x.iter().zip(wide).zip(narrow) {
            assert_eq!(wide.is_nan(), x.is_nan());
            assert!(x.is_nan() || wide.to_bits() == narrow.to_bits());
            let exact = f64::from(*x).tanh();
            let unit = f64::from((exact as f32).abs().next_up()) - f64::from((exact as f32).abs());
            assert!(
                x.is_nan() || (f64::from(wide) - exact).abs() <= 5.0 * unit,
                "{x}"
            );
        }
    }
}
