//! Time as the engine counts it: whole picoseconds.
//!
//! Whole numbers make the order of events total and the results independent of how a run is cut into pieces. An
//! `i64` of picoseconds lasts 106 days of model time.

/// Picoseconds in a millisecond.
pub const PS_PER_MS: f64 = 1e9;

/// A time that never comes.
pub const NEVER: i64 = i64::MAX;

/// The nearest whole picosecond of a time in ms; what is too far away is [`NEVER`].
#[inline(always)]
pub fn from_ms(ms: f64) -> i64 {
    let ps = ms * PS_PER_MS;
    // A cast saturates, and takes the fraction off.
    if ps >= 0.0 {
        (ps + 0.5) as i64
    } else {
        (ps - 0.5) as i64
    }
}

/// A time (ps) in ms. Exact to the last bit of a double.
#[inline(always)]
pub fn to_ms(ps: i64) -> f64 {
    number(ps) * (1.0 / PS_PER_MS)
}

/// `whole as f64`, to the bit. The instruction of x86 for it leaves half of the register that it writes to as it was, and so
/// waits for whatever was there: for one neuron the end of the neuron before. Here both halves are put below large powers of
/// two, which are taken off again.
#[inline(always)]
fn number(whole: i64) -> f64 {
    const HIGH: u64 = 0x4530_0000_8000_0000;
    const LOW: u64 = 0x4330_0000_0000_0000;
    // 2^84 + 2^63 + 2^52: what the two bring along.
    const BOTH: f64 = f64::from_bits(0x4530_0000_8010_0000);
    let high = f64::from_bits(HIGH ^ (whole as u64 >> 32)) - BOTH;
    high + f64::from_bits(LOW | whole as u64 & 0xffff_ffff)
}

/// A later time, or [`NEVER`].
#[inline(always)]
pub fn after(start: i64, wait: i64) -> i64 {
    start.saturating_add(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_to_picoseconds_and_back() {
        assert_eq!(from_ms(1.5), 1_500_000_000);
        assert_eq!(from_ms(4.700_036_292_457_356), 4_700_036_292);
        assert_eq!(from_ms(f64::INFINITY), NEVER);
        assert!((to_ms(from_ms(0.1)) - 0.1).abs() < 1e-15);
        assert_eq!(after(NEVER, 5), NEVER);
    }

    #[test]
    fn whole_numbers_are_converted_as_by_a_cast() {
        let mut whole = 0x9e37_79b9_7f4a_7c15_u64 as i64;
        for shift in 0..20_000 {
            let number = super::number(whole >> (shift % 64));
            assert_eq!(number.to_bits(), ((whole >> (shift % 64)) as f64).to_bits());
            whole = whole
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
        }
        for whole in [0, 1, -1, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1] {
            assert_eq!(super::number(whole).to_bits(), (whole as f64).to_bits());
        }
    }
}
