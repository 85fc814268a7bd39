//! Regimes: the linear systems that a neuron passes through, with what the engine needs of each in modal coordinates.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::linear::{LinearError, Modes};
use super::model::{Affine, Instance, Trigger};
use super::queue::Mix;

/// Which linear system a neuron follows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct RegimeKey {
    /// Its parameters, among the population's kinds.
    pub kind: u32,
    /// The modulators' values, among those there have been.
    pub environment: u32,
    /// Whether what is reset at a spike is held.
    pub held: bool,
    /// Plateaus that go on, a bit each.
    pub plateaus: u8,
}

impl RegimeKey {
    /// That which differs by what is held alone.
    fn other(self) -> RegimeKey {
        RegimeKey {
            held: !self.held,
            ..self
        }
    }
}

/// A linear system, ready to run.
#[derive(Debug)]
pub struct Regime {
    /// Which one it is.
    pub key: RegimeKey,
    /// The number of that which differs by what is held alone, if there is one already: most changes lead there.
    other: Option<u32>,
    /// Its solution.
    pub modes: Modes,
    /// What a unit weight adds to the modal coordinates, for each port.
    pub jumps: Vec<Box<[f64]>>,
    /// What may reach 0.
    pub watches: Vec<Watch>,
    /// For the tight loop in which arrivals are taken, if there can be one: single exponentials, and at most one thing to
    /// watch.
    pub lanes: Option<Lanes>,
}

/// A regime of single exponentials, filled up with zeros to the width of vector registers.
#[derive(Debug)]
pub struct Lanes {
    /// Numbers in each of these.
    pub width: usize,
    /// Rates of decay (1/ms).
    pub rates: Box<[f64]>,
    /// The read-out of what is watched.
    pub row: Box<[f64]>,
    /// What is added to it; without a watch nothing is ever reached.
    pub constant: f64,
    /// What a unit weight adds, for one port after the other.
    jumps: Box<[f64]>,
    /// For each port, the most by which a weight of 1 and one of −1 raise the read-out within a window.
    pub rises: Box<[[f64; 2]]>,
}

/// Most exponentials of the tight loop.
const MOST_LANES: usize = 16;

impl Lanes {
    fn new(
        modes: &Modes,
        jumps: &[Box<[f64]>],
        watch: Option<&Watch>,
        window: f64,
    ) -> Option<Lanes> {
        let width = modes.len().next_power_of_two();
        if width > MOST_LANES {
            return None;
        }
        let fill = |numbers: &[f64]| {
            let mut filled = numbers.to_vec();
            filled.resize(width, 0.0);
            filled
        };
        Some(Lanes {
            width,
            rates: fill(modes.rates()).into(),
            row: fill(watch.map_or(&[], |watch| &watch.readout.row)).into(),
            constant: watch.map_or(-1.0, |watch| watch.readout.constant),
            jumps: jumps.iter().flat_map(|jump| fill(jump)).collect(),
            rises: jumps
                .iter()
                .map(|jump| {
                    let rise = |sign| watch.map_or(0.0, |w| rise(modes, w, jump, (sign, window)));
                    [rise(1.0), rise(-1.0)]
                })
                .collect(),
        })
    }

    /// What is watched, as [`Readout::of`] has it.
    #[inline(always)]
    pub fn read<const N: usize>(&self, y: &[f64; N]) -> f64 {
        self.row.iter().zip(y).map(|(r, y)| r * y).sum::<f64>() + self.constant
    }

    /// What a unit weight adds at a port.
    #[inline(always)]
    pub fn jump<const N: usize>(&self, port: u32) -> Option<&[f64; N]> {
        self.jumps.get(port as usize * N..)?.first_chunk()
    }
}

/// Pieces of a window over which a rise is bounded, one after the other: the bound of each is close.
const PIECES: u32 = 8;

/// The most by which `sign` times a jump raises what is watched within `window` ms.
fn rise(modes: &Modes, watch: &Watch, jump: &[f64], (sign, window): (f64, f64)) -> f64 {
    let mut y: Vec<f64> = jump.iter().map(|jump| sign * jump).collect();
    let piece = window / f64::from(PIECES);
    let mut most = 0.0_f64;
    for _ in 0..PIECES {
        most = most.max(modes.sup(&y, &watch.readout.row, 0.0, piece));
        modes.advance(&mut y, piece);
    }
    // A little more, for rounding.
    most * (1.0 + 1e-9)
}

/// Something that may reach 0 while a neuron runs freely.
#[derive(Debug)]
pub struct Watch {
    /// What it sets off.
    pub what: Crossing,
    /// Its value in modal coordinates.
    pub readout: Readout,
}

/// Σ row·y + constant, of modal coordinates y.
#[derive(Debug, Clone)]
pub struct Readout {
    /// A factor for each coordinate.
    pub row: Box<[f64]>,
    /// What is added.
    pub constant: f64,
}

impl Readout {
    /// An affine function of the variables, in the coordinates of these modes.
    pub fn new(modes: &Modes, affine: &Affine) -> Readout {
        let mut weights = vec![0.0; modes.variables()];
        for (variable, factor) in &affine.row {
            weights[*variable] += factor;
        }
        let (row, offset) = modes.readout(&weights);
        Readout {
            row: row.into_boxed_slice(),
            constant: offset + affine.constant,
        }
    }

    /// Its value.
    #[inline(always)]
    pub fn of(&self, y: &[f64]) -> f64 {
        self.row.iter().zip(y).map(|(r, y)| r * y).sum::<f64>() + self.constant
    }
}

/// What a crossing sets off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// A spike.
    Spike,
    /// A plateau.
    Plateau(u8),
}

impl Regime {
    fn new(key: RegimeKey, instance: &Instance, window: f64) -> Result<Regime, LinearError> {
        let mut system = instance.system.clone();
        let n = system.n;
        for (index, plateau) in instance.plateaus.iter().enumerate() {
            if key.plateaus >> index & 1 == 1 {
                system.b[plateau.variable] += plateau.slope;
            }
        }
        let held: &[usize] = if key.held { &instance.held } else { &[] };
        for variable in held {
            system.a[variable * n..(variable + 1) * n].fill(0.0);
            system.b[*variable] = 0.0;
        }
        let modes = Modes::new(&system)?;
        let jumps: Vec<Box<[f64]>> = instance
            .ports
            .iter()
            .map(|port| {
                let mut jump = vec![0.0; modes.len()];
                for (variable, amount) in port.iter().filter(|(v, _)| !held.contains(v)) {
                    for (total, column) in jump.iter_mut().zip(modes.column(*variable)) {
                        *total += amount * column;
                    }
                }
                jump.into_boxed_slice()
            })
            .collect();
        let mut watches = Vec::new();
        let readout = |affine: &Affine| Readout::new(&modes, affine);
        if let (Trigger::Threshold(threshold), false) = (&instance.trigger, key.held) {
            watches.push(Watch {
                what: Crossing::Spike,
                readout: readout(threshold),
            });
        }
        for (index, plateau) in instance.plateaus.iter().enumerate() {
            if key.plateaus >> index & 1 == 0 {
                let what = Crossing::Plateau(index as u8);
                watches.push(Watch {
                    what,
                    readout: readout(&plateau.when),
                });
            }
        }
        let fades = modes.rates().first().is_some_and(|rate| *rate > 0.0);
        let glides = modes.is_scalar() && (watches.is_empty() || watches.len() == 1 && fades);
        let lanes = if glides {
            Lanes::new(&modes, &jumps, watches.first(), window)
        } else {
            None
        };
        Ok(Regime {
            key,
            other: None,
            modes,
            jumps,
            watches,
            lanes,
        })
    }
}

/// The regimes that neurons of a population have been in.
#[derive(Debug, Default)]
pub struct Regimes {
    list: Vec<Regime>,
    index: HashMap<RegimeKey, u32, BuildHasherDefault<Mix>>,
    /// Length of the longest window (ms).
    window: f64,
}

impl Regimes {
    /// None yet, for windows of at most this length (ms).
    pub fn new(window: f64) -> Self {
        Regimes {
            window,
            ..Regimes::default()
        }
    }

    /// A regime by its number.
    #[inline(always)]
    pub fn get(&self, number: u32) -> &Regime {
        &self.list[number as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Keeps those with these numbers, which are sorted; the first of them is number 0 then, and so on.
    pub fn keep(&mut self, used: &[u32]) {
        let mut number = 0;
        self.list.retain(|_| {
            number += 1;
            used.binary_search(&(number - 1)).is_ok()
        });
        self.index = self
            .list
            .iter()
            .enumerate()
            .map(|(at, regime)| (regime.key, at as u32))
            .collect();
        for regime in &mut self.list {
            regime.other = self.index.get(&regime.key.other()).copied();
        }
    }

    /// A regime that there is already; `near` is the number of one that may be it, or differ by what is held alone.
    #[inline(always)]
    pub fn find(&self, key: RegimeKey, near: u32) -> Option<u32> {
        let regime = self.get(near);
        if regime.key == key {
            return Some(near);
        }
        match regime.other {
            Some(other) if regime.key.other() == key => Some(other),
            _ => self.index.get(&key).copied(),
        }
    }

    /// The number of a regime, which is made if it is new.
    ///
    /// # Errors
    /// If its system cannot be solved.
    pub fn number(
        &mut self,
        key: RegimeKey,
        instance: impl FnOnce() -> Instance,
    ) -> Result<u32, LinearError> {
        if let Some(number) = self.index.get(&key) {
            return Ok(*number);
        }
        let number = self.list.len() as u32;
        let mut regime = Regime::new(key, &instance(), self.window)?;
        if let Some(other) = self.index.get(&key.other()).copied() {
            regime.other = Some(other);
            self.list[other as usize].other = Some(number);
        }
        self.list.push(regime);
        self.index.insert(key, number);
        Ok(number)
    }
}
