//! Whether a read-out can reach its threshold, asked as seldom as may be.

use super::regime::Lanes;

/// What is known of how far a read-out may rise if nothing arrives: its value, a bound for all time, which its partial sums
/// are, the slowest mode first (Abel's summation), and its steepest slope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    g: f64,
    most: f64,
    steepest: f64,
    /// The size of what was summed.
    size: f64,
}

impl Reach {
    #[inline(always)]
    pub(super) fn new<const N: usize>(
        y: &[f64; N],
        row: &[f64; N],
        rates: &[f64; N],
        constant: f64,
    ) -> Reach {
        let (mut g, mut most, mut size) = (constant, constant, constant.abs());
        let (mut slope, mut steepest) = (0.0, 0.0);
        for k in 0..N {
            let part = row[k] * y[k];
            g += part;
            size += part.abs();
            most = if g > most { g } else { most };
            slope -= rates[k] * row[k] * y[k];
            steepest = if slope > steepest { slope } else { steepest };
        }
        Reach {
            g,
            most,
            steepest,
            size,
        }
    }

    /// Whether it stays below 0 for `dt` ms.
    #[inline(always)]
    pub(super) fn is_out_of_reach(&self, dt: f64) -> bool {
        // One question: which of the two it is, nobody can guess.
        (self.g < 0.0) & ((self.most <= 0.0) | (self.g + self.steepest * dt < 0.0))
    }

    /// How far below 0 it stays for `dt` ms.
    #[inline(always)]
    pub(super) fn room(&self, dt: f64) -> Room {
        let sloped = self.g + self.steepest * dt;
        let highest = if sloped < self.most {
            sloped
        } else {
            self.most
        };
        Room(-highest - MARGIN * self.size)
    }
}

/// What rounding may add to a sum, as a part of its size, with much to spare.
const MARGIN: f64 = 1e-12;

/// How far what arrives may still raise a read-out before it can reach 0 within the window: one number, from which each
/// arrival takes the most that it can do. As long as something is left, nobody has to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room(f64);

impl Room {
    pub(super) const NONE: Room = Room(0.0);

    #[inline(always)]
    pub(super) fn is_used_up(self) -> bool {
        // Also if it is not a number.
        !matches!(self.0.partial_cmp(&0.0), Some(std::cmp::Ordering::Greater))
    }

    /// Something arrives at a port.
    #[inline(always)]
    pub(super) fn arrives(&mut self, lanes: &Lanes, weight: f64, port: u32) {
        self.0 -= match lanes.rises.get(port as usize) {
            Some([up, down]) => (weight * up).max(-weight * down),
            None => f64::INFINITY,
        };
    }
}
