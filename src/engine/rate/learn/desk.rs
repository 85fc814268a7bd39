//! The factors of an outer product, in all replicas that take part in it.

use super::super::kernels::Memory;
use crate::circuit::Projection;
use crate::circuit::connect::Connectivity;
use crate::compile::learning::{Factor, OuterTerm};
use crate::lang::vm::{Machine, padded};
use crate::vector::Vector;

/// Where factors are computed.
#[derive(Debug, Default)]
pub(in crate::engine::rate) struct Desk {
    post: Vector,
    maps: Vector,
    pre: Vector,
    active: Vec<usize>,
}

/// Both factors of a product in all replicas.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    /// The postsynaptic one, 0 in replicas that are not active unless there is another one of the maps.
    pub post: &'a [f64],
    /// That of the maps of a convolution, if there is one.
    pub maps: &'a [f64],
    pub pre: &'a [f64],
    /// Replicas in which the product may be other than 0.
    pub active: &'a [usize],
}

/// Numbers in the rows of both factors of a projection, and in those of the maps of its target.
#[derive(Clone, Copy)]
pub(super) struct Lengths {
    pub post: usize,
    pub pre: usize,
    pub maps: usize,
}

impl Lengths {
    pub fn of(projection: &Projection, [pre, post]: [usize; 2]) -> Lengths {
        let maps = match &projection.connectivity {
            Connectivity::Convolution(shape) => shape.output.channels,
            _ => 0,
        };
        let [pre, post, maps] = [pre, post, maps].map(padded);
        Lengths { post, pre, maps }
    }
}

impl Desk {
    /// The factors of a product; none if gates close it everywhere.
    pub(super) fn factors<'a>(
        &'a mut self,
        memory: Memory<'a>,
        machine: &mut Machine,
        term: &OuterTerm,
        lengths: Lengths,
    ) -> Option<Sides<'a>> {
        let Desk {
            post,
            maps,
            pre,
            active,
        } = self;
        if !open(memory, machine, term, (maps, active), lengths.maps) {
            return None;
        }
        let post: &[f64] = match (&term.maps, term.post.copied()) {
            (Some(_), Some(place)) => memory.vector(place),
            (maps, _) => {
                post.resize(lengths.post * memory.replicas, 0.0);
                if active.len() == memory.replicas {
                    memory.run(machine, &term.post, post);
                } else {
                    if maps.is_none() {
                        post.fill(0.0);
                    }
                    memory.run_some(machine, &term.post, post, active.iter().copied());
                }
                post
            }
        };
        let pre: &[f64] = match &term.pre {
            Factor::Vector(place) => memory.vector(*place),
            Factor::One => {
                pre.clear();
                pre.resize(lengths.pre * memory.replicas, 1.0);
                pre
            }
            Factor::Kernel(kernel) => {
                pre.resize(lengths.pre * memory.replicas, 0.0);
                memory.run(machine, kernel, pre);
                pre
            }
        };
        Some(Sides {
            post,
            maps: if term.maps.is_some() { maps } else { &[] },
            pre,
            active,
        })
    }
}

/// Where a product may be other than 0: replicas whose gates are open and whose maps' factors, which are computed, are not all 0.
/// `false` if nowhere.
pub(super) fn open(
    memory: Memory<'_>,
    machine: &mut Machine,
    term: &OuterTerm,
    (maps, active): (&mut Vector, &mut Vec<usize>),
    length: usize,
) -> bool {
    active.clear();
    if let Some(gate) = &term.gate
        && memory.run_scalar(machine, gate).abs() <= 0.0
    {
        return false;
    }
    let mut is_open = |replica: &usize| {
        let gate = term.own_gate.as_deref();
        gate.is_none_or(|gate| memory.run_scalar_of(machine, gate, *replica).abs() > 0.0)
    };
    active.extend((0..memory.replicas).filter(&mut is_open));
    if let Some(kernel) = &term.maps {
        maps.resize(length * memory.replicas, 0.0);
        memory.run_some(machine, kernel, maps, active.iter().copied());
        let row = |replica: usize| &maps[replica * length..][..length];
        active.retain(|replica| row(*replica).iter().any(|x| x.abs() > 0.0 || x.is_nan()));
    }
    !active.is_empty()
}

impl Sides<'_> {
    /// Neurons' factors times those of their maps, in the replicas that are active; 0 in the others.
    pub fn whole(&self, lengths: Lengths, places: usize, out: &mut Vector) {
        out.resize(self.post.len(), 0.0);
        out.fill(0.0);
        for replica in self.active {
            let rows = replica * lengths.post..(replica + 1) * lengths.post;
            let (from, to) = (&self.post[rows.clone()], &mut out[rows]);
            let maps = &self.maps[replica * lengths.maps..];
            let neurons = from.chunks_exact(places).zip(to.chunks_exact_mut(places));
            for ((from, to), factor) in neurons.zip(maps) {
                to.iter_mut().zip(from).for_each(|(to, x)| *to = factor * x);
            }
        }
    }
}
