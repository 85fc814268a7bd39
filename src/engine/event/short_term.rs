//! Short-term plasticity of the spikes of each presynaptic neuron.

use super::time::to_ms;
use crate::compile::event::ShortTerm;

/// The state of a presynaptic neuron's synapses, just after its last spike.
///
/// # Source
/// Tsodyks, Pawelzik and Markram 1998, Eqs. 1 to 3, with instantaneous inactivation: u jumps by U·(1 − u) and decays
/// with the time of facilitation; R falls by u·R and recovers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Resources {
    /// Utilisation u that the last spike had.
    utilisation: f64,
    /// Resources R that it left.
    left: f64,
    /// When it was (ps).
    last: i64,
}

impl Resources {
    /// Before the first spike: everything is there.
    pub const FULL: Resources = Resources {
        utilisation: 0.0,
        left: 1.0,
        last: i64::MIN,
    };

    /// A spike: the factor u·R of the weight.
    pub fn spike(&mut self, time: i64, by: &ShortTerm) -> f64 {
        let (mut u, mut resources) = (0.0, 1.0);
        if self.last != i64::MIN {
            let elapsed = to_ms(time - self.last);
            resources = 1.0 - (1.0 - self.left) * (-elapsed / by.recovery).exp();
            if by.facilitation > 0.0 {
                u = self.utilisation * (-elapsed / by.facilitation).exp();
            }
        }
        u += by.utilisation * (1.0 - u);
        *self = Resources {
            utilisation: u,
            left: resources * (1.0 - u),
            last: time,
        };
        u * resources
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::time::from_ms;

    #[test]
    fn factors_are_those_of_a_straightforward_script() {
        let by = ShortTerm {
            utilisation: 0.3,
            recovery: 100.0,
            facilitation: 500.0,
        };
        let times = [3.0, 10.0, 12.5, 80.0, 400.0, 401.0];
        let mut state = Resources::FULL;
        // The script keeps u and R between spikes and lets both relax in a thousand small exact steps.
        let (mut u, mut r, mut t) = (0.0_f64, 1.0_f64, 0.0_f64);
        for time in times {
            let h = (time - t) / 1000.0;
            for _ in 0..1000 {
                u *= (-h / by.facilitation).exp();
                r = 1.0 + (r - 1.0) * (-h / by.recovery).exp();
            }
            t = time;
            u += by.utilisation * (1.0 - u);
            let expected = u * r;
            r -= u * r;
            assert!((state.spike(from_ms(time), &by) - expected).abs() < 1e-12);
        }
    }
}
