//! The memory that a circuit may be laid out in: what does not fit is counted instead of asked for.

use crate::record::available_memory_mib;
use crate::source::{Problem, Span};

/// Numbers of 8 bytes in a MiB.
const A_MEBIBYTE: f64 = (1 << 17) as f64;

/// Memory to lay a circuit out in, in numbers of 8 bytes.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// How many there were in the beginning.
    all: f64,
    /// How many are wanted, whether they were to be had or not.
    wanted: f64,
}

impl Default for Room {
    /// As much as this machine has left, if it tells.
    fn default() -> Room {
        Room {
            all: available_memory_mib().map_or(f64::INFINITY, |mib| mib * A_MEBIBYTE),
            wanted: 0.0,
        }
    }
}

impl Room {
    /// Whether there is room for so many numbers more, which are then taken.
    pub fn take(&mut self, numbers: usize) -> bool {
        self.wanted += numbers as f64;
        self.wanted <= self.all
    }

    /// What to say if there was not enough; `circuit` is where its name stands.
    pub fn problem(&self, circuit: Span) -> Option<Problem> {
        (self.wanted > self.all).then(|| {
            let (needed, left) = (self.wanted / A_MEBIBYTE, self.all / A_MEBIBYTE);
            let help = "fewer neurons or replicas, shorter delays and a smaller n of `prev(x, n)` need less";
            does_not_fit((needed, left), circuit).help(help)
        })
    }
}

/// What to say of a circuit that needs more memory than the machine has left (both MiB).
pub fn does_not_fit((needed, left): (f64, f64), circuit: Span) -> Problem {
    let message =
        format!("the circuit needs {needed:.0} MiB of memory, this machine has {left:.0} MiB left");
    Problem::new(message, circuit, "does not fit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    #[test]
    fn what_does_not_fit_is_counted() {
        let name = Span::new(SourceId(0), 0, 1);
        let mut room = Room {
            all: 3.0 * A_MEBIBYTE,
            wanted: 0.0,
        };
        assert!(room.take(1 << 17));
        assert!(room.problem(name).is_none());
        assert!(room.take(2 << 17));
        assert!(!room.take(1 << 17));
        let said = room.problem(name).map(|p| p.message);
        let figures = "the circuit needs 4 MiB of memory, this machine has 3 MiB left";
        assert_eq!(said.as_deref(), Some(figures));
    }
}
