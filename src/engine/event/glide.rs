//! The common case, made tight: arrivals at a neuron that does nothing by itself meanwhile.
//!
//! Most arrivals reach neurons far below their threshold. For those a few numbers are kept in registers from one arrival
//! to the next: N exponentials, N multiply–adds for the jump, N for the bound that keeps the threshold out of reach. As soon
//! as the bound does not hold the neuron goes the general way, from the same state: the results are the same to the bit.

use super::inbox::{Inbox, NONE};
use super::linear::exp::exp;
use super::regime::Regime;
use super::time::to_ms;

/// Where a neuron stands between two arrivals.
#[derive(Debug)]
pub(super) struct Glider<'g> {
    /// Modal coordinates.
    pub y: &'g mut [f64],
    /// Their time (ps).
    pub last: i64,
    /// The next delivery.
    pub next: u32,
    /// The neuron has something else to do at this time (ps).
    pub until: i64,
}

impl Glider<'_> {
    /// Takes deliveries as long as nothing else can happen.
    pub fn glide(&mut self, regime: &Regime, inbox: &Inbox, ports: &[u32]) {
        match self.y.len() {
            1 => self.glide_by::<1>(regime, inbox, ports),
            2 => self.glide_by::<2>(regime, inbox, ports),
            3 => self.glide_by::<3>(regime, inbox, ports),
            4 => self.glide_by::<4>(regime, inbox, ports),
            5 => self.glide_by::<5>(regime, inbox, ports),
            6 => self.glide_by::<6>(regime, inbox, ports),
            7 => self.glide_by::<7>(regime, inbox, ports),
            8 => self.glide_by::<8>(regime, inbox, ports),
            9 => self.glide_by::<9>(regime, inbox, ports),
            10 => self.glide_by::<10>(regime, inbox, ports),
            _ => {}
        }
    }

    #[inline(always)]
    fn glide_by<const N: usize>(&mut self, regime: &Regime, inbox: &Inbox, ports: &[u32]) {
        let (Some(y), Some(rates)) = (
            self.y.first_chunk_mut::<N>(),
            regime.modes.rates().first_chunk::<N>(),
        ) else {
            return;
        };
        let readout = regime.watches.first().map(|watch| &watch.readout);
        let row: [f64; N] = readout
            .and_then(|r| r.row.first_chunk::<N>().copied())
            .unwrap_or([0.0; N]);
        // Without a watch nothing is ever reached.
        let constant = readout.map_or(-1.0, |r| r.constant);
        let rates = *rates;
        let mut now = *y;
        while self.next != NONE {
            let (delivery, following) = inbox.read(self.next);
            if delivery.time >= self.until || !is_out_of_reach(&now, &row, constant) {
                break;
            }
            let dt = to_ms(delivery.time - self.last);
            let factors = rates.map(|rate| exp(-rate * dt));
            let weight = f64::from_bits(delivery.value);
            let Some(jump) =
                regime.jumps[ports[delivery.projection as usize] as usize].first_chunk::<N>()
            else {
                break;
            };
            for k in 0..N {
                now[k] *= factors[k];
            }
            for k in 0..N {
                now[k] += weight * jump[k];
            }
            self.last = delivery.time;
            self.next = following;
        }
        *y = now;
    }
}

/// Whether a read-out stays below 0 for all time: its partial sums do, the slowest mode first (Abel's summation).
#[inline(always)]
fn is_out_of_reach<const N: usize>(y: &[f64; N], row: &[f64; N], constant: f64) -> bool {
    let (mut g, mut most) = (constant, constant);
    for k in 0..N {
        g += row[k] * y[k];
        most = if g > most { g } else { most };
    }
    most <= 0.0 && g < 0.0
}
