//! The common case, made tight: arrivals at a neuron that does nothing by itself meanwhile.
//!
//! Most arrivals reach neurons far below their threshold. For those a few numbers are kept in registers from one arrival
//! to the next: N exponentials, N multiply–adds for the jump, N for the bound that keeps the threshold out of reach. As soon
//! as the bound does not hold the neuron goes the general way, from the same state: the results are the same to the bit.

use std::hint::select_unpredictable;

use pulp::{Arch, NullaryFnOnce};

use super::inbox::{Deliveries, NONE};
use super::linear::exp::{InMemory, Table, exp_each};
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
            1 => self.glide_by::<1>(&set, plastic, InMemory),
            2 => self.glide_by::<2>(&set, plastic, InMemory),
            4 => self.glide_wide::<4>(arch, &set, plastic),
            8 => self.glide_wide::<8>(arch, &set, plastic),
            _ => self.glide_wide::<16>(arch, &set, plastic),
        }
    }

    /// With the instructions that the machine has for several numbers at once.
    #[inline(always)]
    fn glide_wide<const N: usize>(
        &mut self,
        arch: Arch,
        set: &Setting<'_>,
        plastic: &mut Plastic<'_>,
    ) -> bool {
        match arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) => simd.vectorize(Wide::<N, _>(self, set, plastic, simd)),
            _ => arch.dispatch(Wide::<N, _>(self, set, plastic, InMemory)),
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
    fn glide_by<const N: usize>(
        &mut self,
        set: &Setting<'_>,
        plastic: &mut Plastic<'_>,
        table: impl Table,
    ) -> bool {
        if self.private.is_some() {
            self.glide_in::<N, true>(set, plastic, table)
        } else {
            self.glide_in::<N, false>(set, plastic, table)
        }
    }

    /// `OWN`: with a private source.
    #[inline(always)]
    fn glide_in<const N: usize, const OWN: bool>(
        &mut self,
        set: &Setting<'_>,
        plastic: &mut Plastic<'_>,
        table: impl Table,
    ) -> bool {
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
            // Which of the two comes first nobody can guess: all is chosen, nothing is skipped.
            let drawn = if OWN { ahead[arrived % AHEAD] } else { NEVER };
            let (delivery, after) = if OWN {
                set.inbox.read_or_never(next)
            } else if next == NONE {
                break false;
            } else {
                set.inbox.read(next)
            };
            let at = set.ports[delivery.projection as usize];
            let is_own = OWN
                & ((drawn < delivery.time)
                    | ((drawn == delivery.time) & (own.projection < delivery.projection)));
            let time = select_unpredictable(is_own, drawn, delivery.time);
            let value = select_unpredictable(is_own, own.weight.to_bits(), delivery.value);
            let port = select_unpredictable(is_own, own.port, at.number);
            let following = select_unpredictable(is_own, next, after);
            let mut weight = f64::from_bits(value);
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
            let mut decays = [0.0; N];
            for k in 0..N {
                decays[k] = -rates[k] * dt;
            }
            let decays = exp_each(decays, table);
            for k in 0..N {
                now[k] *= decays[k];
            }
            if !is_own & at.learns {
                // A copy, so that the numbers themselves can stay in registers.
                let y = now;
                let state = (&set.regime.modes, &y[..self.y.len()]);
                weight = plastic.weight(delivery, state);
            }
            arrived += usize::from(is_own);
            if OWN && arrived == AHEAD {
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
        put(now, self.y);
        (self.last, self.next) = (last, next);
        if let Some((private, cell)) = &mut self.private {
            private.set_arrived(*cell, arrived);
        }
        calm
    }
}

/// Puts numbers, as many as there is room for. A loop would become a call of a function that copies bytes.
#[inline(always)]
pub(super) fn put<const N: usize>(numbers: [f64; N], into: &mut [f64]) {
    match into.len() {
        1 => put_first::<1>(&numbers, into),
        2 => put_first::<2>(&numbers, into),
        3 => put_first::<3>(&numbers, into),
        4 => put_first::<4>(&numbers, into),
        len => into.copy_from_slice(&numbers[..len]),
    }
}

#[inline(always)]
fn put_first<const M: usize>(numbers: &[f64], into: &mut [f64]) {
    if let (Some(into), Some(numbers)) = (into.first_chunk_mut::<M>(), numbers.first_chunk::<M>()) {
        *into = *numbers;
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
struct Wide<'w, 'g, 's, 'p, const N: usize, T>(
    &'w mut Glider<'g>,
    &'w Setting<'s>,
    &'w mut Plastic<'p>,
    T,
);

impl<const N: usize, T: Table> NullaryFnOnce for Wide<'_, '_, '_, '_, N, T> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        self.0.glide_by::<N>(self.1, self.2, self.3)
    }
}

/// What the same neurons have in common in a window.
struct Setting<'s> {
    regime: &'s Regime,
    lanes: &'s Lanes,
    inbox: Deliveries<'s>,
    ports: &'s [Port],
}
