//! Dash patterns tell series of the same colour apart.

use crate::drawing::SERIES;

/// The dash pattern of the n-th series: a second round of the colours is told apart by dots.
pub(super) fn dash(n: usize, dashed: bool) -> Option<&'static str> {
    match (n / SERIES, dashed) {
        (0, false) => None,
        (0, true) => Some("6 4"),
        (1, false) => Some("1.5 3.5"),
        _ => Some("7 3 1.5 3"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_colour_has_another_dash() {
        assert_ne!(dash(0, false), dash(SERIES, false));
        assert_ne!(dash(0, true), dash(SERIES, true));
    }
}
