//! The common case, made tight: arrivals at a neuron that does nothing by itself meanwhile.
//!
//! Most arrivals reach neurons far below their threshold. For those a few numbers are kept in registers from one arrival
//! to the next: N exponentials, N multiply–adds for the jump, N for the bound that keeps the threshold out of reach. As soon
//! as the bound does not hold the neuron goes the general way, from the same state: the results are the same to the bit.

use super::inbox::{Inbox, NONE};
use super::linear::exp::exp;
use super::private::Private;
use super::regime::Regime;
use super::time::{NEVER, to_ms};
use super::turn::{Plastic, Port};

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
    /// Its private source, and the neuron's number there.
    pub private: Option<(&'g mut Private, usize)>,
}

impl Glider<'_> {
    /// Takes deliveries as long as nothing else can happen.
    pub fn glide(
        &mut self,
        regime: &Regime,
        inbox: &Inbox,
        ports: &[Port],
        plastic: &mut Plastic<'_>,
    ) {
        match self.y.len() {
            1 => self.glide_by::<1>(regime, inbox, ports, plastic),
            2 => self.glide_by::<2>(regime, inbox, ports, plastic),
            3 => self.glide_by::<3>(regime, inbox, ports, plastic),
            4 => self.glide_by::<4>(regime, inbox, ports, plastic),
            5 => self.glide_by::<5>(regime, inbox, ports, plastic),
            6 => self.glide_by::<6>(regime, inbox, ports, plastic),
            7 => self.glide_by::<7>(regime, inbox, ports, plastic),
            8 => self.glide_by::<8>(regime, inbox, ports, plastic),
            9 => self.glide_by::<9>(regime, inbox, ports, plastic),
            10 => self.glide_by::<10>(regime, inbox, ports, plastic),
            _ => {}
        }
    }

    #[inline(always)]
    fn glide_by<const N: usize>(
        &mut self,
        regime: &Regime,
        inbox: &Inbox,
        ports: &[Port],
        plastic: &mut Plastic<'_>,
    ) {
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
        let mut own = self
            .private
            .as_ref()
            .map_or(NEVER, |(private, cell)| private.arrival(*cell));
        loop {
            let (time, mut following) = (own, self.next);
            let mut arrives = (time, None);
            if self.next != NONE {
                let (delivery, after) = inbox.read(self.next);
                let first = self.private.as_ref().is_none_or(|(private, _)| {
                    (delivery.time, delivery.projection) < (own, private.projection)
                });
                if first {
                    (arrives, following) = ((delivery.time, Some(delivery)), after);
                }
            }
            let (time, delivery) = arrives;
            if time >= self.until {
                break;
            }
            let dt = to_ms(time - self.last);
            if !is_out_of_reach(&now, &row, &rates, constant, dt) {
                break;
            }
            for k in 0..N {
                now[k] *= exp(-rates[k] * dt);
            }
            let (weight, port) = match (delivery, &mut self.private) {
                (Some(delivery), _) => {
                    let port = ports[delivery.projection as usize];
                    let weight = if port.learns {
                        plastic.weight(delivery, (&regime.modes, &now))
                    } else {
                        f64::from_bits(delivery.value)
                    };
                    (weight, port.number)
                }
                (None, Some((private, cell))) => {
                    let weight = private.take(*cell);
                    own = private.arrival(*cell);
                    (weight, private.port)
                }
                (None, None) => break,
            };
            if let Some(jump) = regime.jumps[port as usize].first_chunk::<N>() {
                for k in 0..N {
                    now[k] += weight * jump[k];
                }
            }
            self.last = time;
            self.next = following;
        }
        *y = now;
    }
}

/// Whether a read-out stays below 0 for `dt` ms: for all time because its partial sums do, the slowest mode first (Abel's
/// summation); or because its steepest slope does not take it there.
#[inline(always)]
fn is_out_of_reach<const N: usize>(
    y: &[f64; N],
    row: &[f64; N],
    rates: &[f64; N],
    constant: f64,
    dt: f64,
) -> bool {
    let (mut g, mut most) = (constant, constant);
    for k in 0..N {
        g += row[k] * y[k];
        most = if g > most { g } else { most };
    }
    if g >= 0.0 {
        return false;
    }
    if most <= 0.0 {
        return true;
    }
    let (mut slope, mut steepest) = (0.0, 0.0);
    for k in 0..N {
        slope -= rates[k] * row[k] * y[k];
        steepest = if slope > steepest { slope } else { steepest };
    }
    g + steepest * dt < 0.0
}
