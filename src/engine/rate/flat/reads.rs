//! What operations read and write.

use super::driven::DrivenOp;
use super::{Flat, Op, Part, Single};
use crate::compile::kernel::VectorRef;

impl Flat {
    /// Shows all places that operations read; not those of parts.
    fn reads(&self, mut see: impl FnMut(VectorRef)) {
        for op in &self.ops {
            match op {
                Op::Drive {
                    base, deliveries, ..
                } => {
                    base.iter().for_each(|base| see(*base));
                    deliveries.iter().for_each(|delivery| see(delivery.pre));
                }
                Op::Value { pattern, .. } | Op::Sum { pattern, .. } => pattern.places(&mut see),
                Op::Driven(op) => {
                    see(op.base);
                    see(op.noise);
                }
                Op::Smooth { input, .. } => see(*input),
                Op::Outer { terms, .. } => terms.iter().for_each(|term| {
                    term.post.places(&mut see);
                    see(term.pre);
                }),
                Op::Elementwise { change, .. } => change.places(&mut see),
                Op::Eligibility(rule) => {
                    for side in std::iter::once(&rule.input).chain(&rule.outer) {
                        see(side.post);
                        see(side.pre);
                    }
                }
                Op::Integrate {
                    drift, diffusion, ..
                } => {
                    drift.places(&mut see);
                    if let Some((_, source)) = diffusion {
                        see(VectorRef::Source(*source));
                    }
                }
                Op::Modulate { .. } | Op::Delay { .. } | Op::Part(_) => {}
            }
        }
    }

    /// Sources that operations read, each once.
    pub fn all_sources(&self) -> Vec<usize> {
        let mut found = vec![];
        self.reads(|place| {
            if let VectorRef::Source(source) = place {
                found.push(source as usize);
            }
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Rings of several slots, and how many.
    pub fn rings(&self) -> Vec<(usize, usize)> {
        let mut found = vec![];
        self.reads(|place| {
            if let VectorRef::Oldest { ring, depth } | VectorRef::Delayed { ring, depth, .. } =
                place
            {
                found.push((ring.0 as usize, depth as usize));
            }
        });
        found.extend(self.ops.iter().filter_map(|op| match op {
            Op::Delay { ring, depth, .. } => Some((*ring, *depth as usize)),
            _ => None,
        }));
        found
    }

    /// Vectors that operations write.
    pub fn written(&self) -> Vec<Written> {
        let copied = self.ops.iter().filter_map(|op| match op {
            Op::Value { copy, .. } | Op::Driven(DrivenOp { copy, .. }) => copy.map(Written::Vector),
            _ => None,
        });
        let written = |op: &Op| match op {
            Op::Drive { into, .. } | Op::Value { into, .. } => Some(Written::Vector(*into)),
            Op::Driven(op) => Some(Written::Vector(op.value)),
            Op::Smooth { state, .. } => Some(Written::Vector(*state)),
            Op::Integrate { value, .. } => Some(Written::Vector(*value)),
            Op::Delay { ring, .. } => Some(Written::Vector(*ring)),
            Op::Elementwise { target, .. } => Some(match target {
                Single::Projection(id, _) => Written::Weights(*id),
                Single::Bias(id) => Written::Vector(*id),
            }),
            _ => None,
        };
        let drives = self.ops.iter().filter_map(|op| match op {
            Op::Driven(op) => Some(Written::Vector(op.drive)),
            _ => None,
        });
        let one = self.ops.iter().filter_map(written);
        one.chain(copied).chain(drives).collect()
    }

    /// Projections whose matrices operations change, and whether by an outer product that may wait.
    fn changed(&self) -> impl Iterator<Item = (usize, bool)> {
        self.ops.iter().filter_map(|op| match op {
            Op::Outer {
                projection,
                growth,
                terms,
                within,
                ..
            } => Some((*projection, Op::may_wait(terms, growth.as_ref(), *within))),
            Op::Eligibility(rule) => Some((rule.projection, false)),
            _ => None,
        })
    }

    /// Parts that take the general path.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        self.ops.iter().filter_map(|op| match op {
            Op::Part(part) => Some(*part),
            _ => None,
        })
    }
}

/// What an operation writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine::rate) enum Written {
    /// A vector of the state.
    Vector(usize),
    /// The weights of a projection with one for each neuron.
    Weights(usize),
}

/// Projections whose matrices change by outer products that wait, and are seen by nothing but operations.
pub(in crate::engine::rate) fn waited_for<'f>(
    flats: impl Iterator<Item = &'f Flat> + Clone,
) -> Vec<usize> {
    if flats.clone().flat_map(Flat::parts).next().is_some() {
        return vec![];
    }
    let changed = || flats.clone().flat_map(Flat::changed);
    let alone = |id: usize| changed().all(|(other, waits)| other != id || waits);
    let mut found: Vec<usize> = changed()
        .map(|(id, _)| id)
        .filter(|id| alone(*id))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
