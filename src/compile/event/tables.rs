//! Synapse tables: the connections of a projection on some of its postsynaptic neurons, with weights and delays.
//!
//! Numbers are drawn in the order of the synapses (presynaptic, then postsynaptic neuron), whatever part of them is
//! kept, so that they do not depend on how neurons are spread over threads.

use std::ops::Range;

use super::program::{EventProgram, delay_ps};
use crate::circuit::connect::Connectivity;
use crate::circuit::sample::draw;
use crate::circuit::{Circuit, Projection};
use crate::engine::event::synapses::{Delays, Rows, Synapses, Weights};
use crate::netlist::model::{Distribution, DistributionKind};
use crate::prefetch::large_pages;

/// The shortest delay of a projection, as it is stored, and the longest as it is drawn (ps); none without synapses.
pub(super) fn delay_range(circuit: &Circuit, projection: &Projection) -> Option<(i64, i64)> {
    let ends = projection.spiking.as_ref()?;
    if let DistributionKind::Constant(ms) = ends.delay.kind {
        return Some((delay_ps(ms), delay_ps(ms)));
    }
    let name = format!("delay {}", projection.name);
    let (mut shortest, mut longest) = (i64::MAX, 0);
    let mut all = (0..projection.connectivity.count()).map(|_| true);
    each_drawn(&ends.delay, circuit.seed, &name, &mut all, |ms, _| {
        shortest = shortest.min(delay_ps(ms));
        longest = longest.max(delay_ps(ms));
    });
    // What is stored is rounded to what delays are counted in.
    let stored = Delays::new([shortest], longest).shortest()?;
    (longest > 0).then_some((stored, longest))
}

fn delays(
    circuit: &Circuit,
    projection: &Projection,
    longest: i64,
    kept: &mut dyn Iterator<Item = bool>,
    count: usize,
) -> Delays {
    let Some(ends) = &projection.spiking else {
        return Delays::Same(1);
    };
    if let DistributionKind::Constant(ms) = ends.delay.kind {
        return Delays::Same(delay_ps(ms));
    }
    let name = format!("delay {}", projection.name);
    // What delays are counted in depends on the longest one of the projection, wherever its synapse is.
    let unit = Delays::unit(longest);
    let mut counts = Vec::with_capacity(count);
    each_drawn(&ends.delay, circuit.seed, &name, kept, |ms, keep| {
        if keep {
            counts.push(Delays::count(delay_ps(ms), unit));
        }
    });
    Delays::Each { unit, counts }
}

/// The numbers of the synapses that are kept, `count` of them.
fn drawn<T>(
    distribution: &Distribution,
    (seed, name): (u64, &str),
    kept: &mut dyn Iterator<Item = bool>,
    count: usize,
    of: impl Fn(f64) -> T,
) -> Vec<T> {
    let mut numbers = large_pages(Vec::with_capacity(count));
    each_drawn(distribution, seed, name, kept, |number, keep| {
        if keep {
            numbers.push(of(number));
        }
    });
    numbers
}

/// The numbers of all synapses, and whether they are kept.
fn each_drawn(
    distribution: &Distribution,
    seed: u64,
    name: &str,
    kept: &mut dyn Iterator<Item = bool>,
    mut take: impl FnMut(f64, bool),
) {
    let mut stream = crate::random::stream(seed, name, 0);
    for (index, keep) in kept.enumerate() {
        take(draw(distribution, index, &mut stream), keep);
    }
}

impl EventProgram {
    /// The synapses of a projection on the postsynaptic neurons `targets` (indices in their population), of which the
    /// first is `first` for the partition. Weights of `plastic` projections are each their own.
    pub fn synapses(
        &self,
        projection: usize,
        targets: Range<usize>,
        first: u32,
        plastic: bool,
    ) -> Synapses {
        let p = &self.circuit.projections[projection];
        let pre = self.circuit.population(p.from.population).size;
        let rows = rows(&p.connectivity, &targets, first, pre);
        let mask = Mask {
            connectivity: &p.connectivity,
            targets: &targets,
        };
        let count = rows.count(pre);
        let longest = self.projections[projection].longest_delay;
        let delays = delays(&self.circuit, p, longest, &mut mask.iter(), count);
        let weights = self.weights(p, &mask, plastic, count);
        Synapses {
            rows,
            weights,
            delays,
        }
    }

    fn weights(&self, p: &Projection, mask: &Mask<'_>, plastic: bool, count: usize) -> Weights {
        if let Connectivity::Sparse(sparse) = &p.connectivity
            && let Some(given) = &sparse.weights
        {
            let kept = given.iter().zip(mask.iter()).filter(|(_, keep)| *keep);
            return Weights::Each(kept.map(|(weight, _)| *weight).collect());
        }
        match &p.weight.kind {
            DistributionKind::Constant(weight) if plastic => {
                Weights::Each(large_pages(vec![*weight; count]))
            }
            DistributionKind::Constant(weight) => Weights::Same(*weight),
            kind => {
                let name = format!("weight {}", p.name);
                let (stream, kept) = ((self.circuit.seed, name.as_str()), &mut mask.iter());
                if plastic || matches!(kind, DistributionKind::List(_)) {
                    Weights::Each(drawn(&p.weight, stream, kept, count, |x| x))
                } else {
                    Weights::Drawn(drawn(&p.weight, stream, kept, count, |x| x as f32))
                }
            }
        }
    }
}

fn rows(connectivity: &Connectivity, targets: &Range<usize>, first: u32, pre: usize) -> Rows {
    match connectivity {
        Connectivity::Dense { .. } => Rows::Dense {
            first,
            count: targets.len() as u32,
        },
        Connectivity::OneToOne { .. } => Rows::OneToOne {
            start: targets.start as u32,
            end: targets.end as u32,
            first,
        },
        Connectivity::Sparse(sparse) => {
            let is_kept = |target: &&u32| targets.contains(&(**target as usize));
            let count = sparse.targets.iter().filter(is_kept).count();
            let mut offsets = large_pages(Vec::with_capacity(pre + 1));
            let mut kept = large_pages(Vec::with_capacity(count));
            offsets.push(0);
            for row in sparse.offsets.windows(2) {
                let here = sparse.targets[row[0]..row[1]].iter().filter(is_kept);
                kept.extend(here.map(|t| first + (*t - targets.start as u32)));
                offsets.push(kept.len() as u32);
            }
            Rows::Listed {
                offsets,
                targets: kept,
            }
        }
        // Refused between spiking neurons.
        Connectivity::Convolution(_) | Connectivity::Tiling(_) => Rows::Listed {
            offsets: vec![0; pre + 1],
            targets: vec![],
        },
    }
}

/// Which synapses of a projection sit on some of its postsynaptic neurons.
struct Mask<'c> {
    connectivity: &'c Connectivity,
    targets: &'c Range<usize>,
}

impl<'c> Mask<'c> {
    fn iter(&self) -> Box<dyn Iterator<Item = bool> + 'c> {
        let targets = self.targets.clone();
        match self.connectivity {
            Connectivity::Dense { pre, post } => {
                let (pre, post) = (*pre, *post);
                Box::new((0..pre * post).map(move |s| targets.contains(&(s % post))))
            }
            Connectivity::OneToOne { size } => {
                Box::new((0..*size).map(move |s| targets.contains(&s)))
            }
            Connectivity::Sparse(sparse) => Box::new(
                sparse
                    .targets
                    .iter()
                    .map(move |t| targets.contains(&(*t as usize))),
            ),
            // Refused between spiking neurons.
            Connectivity::Convolution(_) | Connectivity::Tiling(_) => Box::new(std::iter::empty()),
        }
    }
}
