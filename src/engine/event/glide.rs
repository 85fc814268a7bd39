//! The common case, made tight: arrivals at a neuron that does nothing by itself meanwhile.
//!
//! Most arrivals reach neurons far below their threshold. For those a few numbers are kept in registers from one arrival
//! to the next: N exponentials, N multiply–adds for the jump, N for the bound that keeps the threshold out of reach. As soon
//! as the bound does not hold the neuron goes the general way, from the same state: the results are the same to the bit.

use pulp::{Arch, NullaryFnOnce};

use super::inbox::{Deliveries, NONE};
use super::linear::exp::exp;
use super::private::{AHEAD, Private};
use super::reach::{Reach, Room};
use super::regime::{Lanes, Regime};
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
    /// Its private source, and its own number there.
    pub private: Option<(&'g mut Private, usize)>,
    /// Until when (ps) it has to be out of reach of its threshold to be left alone; [`NEVER`]: for all time.
    pub quiet: i64,
}

impl Glider<'_> {
    /// Takes deliveries as long as nothing else can happen; whether the threshold is out of reach then, for as long as is asked
    /// if nothing more arrives. `arch` is what the machine can do; the bits are the same.
    #[inline(always)]
    pub fn glide(
        &mut self,
        arch: Arch,
        regime: &Regime,
        inbox: Deliveries<'_>,
        ports: &[Port],
        plastic: &mut Plastic<'_>,
    ) -> bool {
        let Some(lanes) = &regime.lanes else {
            return false;
        };
        let set = Setting {
            regime,
            lanes,
            inbox,
            ports,
        };
        match lanes.width {
            1 => self.glide_by::<1>(&set, plastic),
            2 => self.glide_by::<2>(&set, plastic),
            4 => arch.dispatch(Wide::<4>(self, &set, plastic)),
            8 => arch.dispatch(Wide::<8>(self, &set, plastic)),
            _ => arch.dispatch(Wide::<16>(self, &set, plastic)),
        }
    }

    /// Whether the threshold is out of reach for as long as is asked if nothing more arrives.
    #[inline(always)]
    fn is_calm<const N: usize>(
        &self,
        lanes: &Lanes,
        now: &[f64; N],
        last: i64,
        room: Room,
    ) -> bool {
        if !room.is_used_up() && self.quiet <= self.until {
            return true;
        }
        let quiet = match self.quiet {
            NEVER => f64::INFINITY,
            quiet => to_ms(quiet - last),
        };
        let (Some(row), Some(rates)) = (lanes.row.first_chunk(), lanes.rates.first_chunk()) else {
            return false;
        };
        Reach::new(now, row, rates, lanes.constant).is_out_of_reach(quiet)
    }

    #[inline(always)]
    fn glide_by<const N: usize>(&mut self, set: &Setting<'_>, plastic: &mut Plastic<'_>) -> bool {
        let (Some(rates), Some(row)) = (
            set.lanes.rates.first_chunk::<N>().copied(),
            set.lanes.row.first_chunk::<N>().copied(),
        ) else {
            return false;
        };
        let constant = set.lanes.constant;
        let mut now: [f64; N] = std::array::from_fn(|k| self.y.get(k).copied().unwrap_or(0.0));
        let own = Own::of(self.private.as_ref());
        let (mut ahead, mut arrived) = match &self.private {
            Some((private, cell)) => private.ahead(*cell),
            None => (&[NEVER; AHEAD], 0),
        };
        let (mut next, mut last) = (self.next, self.last);
        let mut room = Room::NONE;
        let left = loop {
            let mut time = ahead[arrived % AHEAD];
            let (mut weight, mut port) = (own.weight, own.port);
            let (mut following, mut is_own, mut learns) = (next, true, false);
            if next != NONE {
                // Which of the two comes first nobody can guess: all is chosen, nothing is skipped.
                let (delivery, after) = set.inbox.read(next);
                let at = set.ports[delivery.projection as usize];
                is_own = (time, own.projection) < (delivery.time, delivery.projection);
                let value = f64::from_bits(delivery.value);
                (time, weight, port, following) = if is_own {
                    (time, weight, port, next)
                } else {
                    (delivery.time, value, at.number, after)
                };
                learns = !is_own & at.learns;
            }
            if time >= self.until {
                break false;
            }
            let dt = to_ms(time - last);
            if room.is_used_up() {
                let reach = Reach::new(&now, &row, &rates, constant);
                room = reach.room(to_ms(self.until - last));
                if room.is_used_up() && !reach.is_out_of_reach(dt) {
                    break true;
                }
            }
            for k in 0..N {
                now[k] *= exp(-rates[k] * dt);
            }
            if learns {
                // A copy, so that the numbers themselves can stay in registers.
                let y = now;
                let state = (&set.regime.modes, &y[..self.y.len()]);
                weight = plastic.weight(set.inbox.read(next).0, state);
            }
            arrived += usize::from(is_own);
            if arrived == AHEAD {
                (ahead, arrived) = match &mut self.private {
                    Some((private, cell)) => (private.renew(*cell), 0),
                    None => (&[NEVER; AHEAD], 0),
                };
            }
            if let Some(jump) = set.lanes.jump::<N>(port) {
                for k in 0..N {
                    now[k] += weight * jump[k];
                }
            }
            room.arrives(set.lanes, weight, port);
            (last, next) = (time, following);
        };
        let calm = !left && self.is_calm(set.lanes, &now, last, room);
        self.y.iter_mut().zip(now).for_each(|(y, now)| *y = now);
        (self.last, self.next) = (last, next);
        if let Some((private, cell)) = &mut self.private {
            private.set_arrived(*cell, arrived);
        }
        calm
    }
}

/// What the private source of a neuron sends.
#[derive(Default)]
struct Own {
    projection: u32,
    weight: f64,
    port: u32,
}

impl Own {
    #[inline(always)]
    fn of(private: Option<&(&mut Private, usize)>) -> Own {
        let own = private.map(|(private, cell)| Own {
            projection: private.projection,
            weight: private.weight(*cell),
            port: private.port,
        });
        own.unwrap_or_default()
    }
}

/// The loop with the instructions that the machine has for several numbers at once.
struct Wide<'w, 'g, 's, 'p, const N: usize>(
    &'w mut Glider<'g>,
    &'w Setting<'s>,
    &'w mut Plastic<'p>,
);

impl<const N: usize> NullaryFnOnce for Wide<'_, '_, '_, '_, N> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        self.0.glide_by::<N>(self.1, self.2)
    }
}

/// What the same neurons have in common in a window.
struct Setting<'s> {
    regime: &'s Regime,
    lanes: &'s Lanes,
    inbox: Deliveries<'s>,
    ports: &'s [Port],
}
