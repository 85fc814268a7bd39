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
    ps as f64 * (1.0 / PS_PER_MS)
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
}
