//! Sums of products become integrals that a neuron keeps, in closed form where that is known.

use super::analyse::{Analysis, Group};
use super::lower::Leaf;
use super::plan::{Accumulator, Entry, Integral, Smooth, Source};
use super::polynomial::{Product, polynomial};
use super::sides::{FILTER_REACH, REACH, Sides};
use crate::lang::NodeId;

impl Analysis<'_> {
    /// Plans one postsynaptic factor and the integrals over it.
    pub fn group(&mut self, group: &Group) -> Result<(), String> {
        let closed = match (group.smooth, group.eligibility) {
            (Some(smooth), None) => self.closed(smooth),
            _ => None,
        };
        let smooth = group.smooth.filter(|_| closed.is_none());
        let source = self.plan.sources.len() as u16;
        self.plan.sources.push(Source {
            impulses: self.lowered.scalars(group.impulses)?,
        });
        let before = self.plan.accumulators.len() as u16;
        let rises = match group.eligibility {
            Some(m) => self.sides.eligibilities[m].class,
            None => self.plan.decay,
        };
        for product in &group.pre {
            let traces: Vec<u16> = product.places.iter().map(|p| self.pre_number(*p)).collect();
            let falls: Vec<u16> = traces
                .iter()
                .map(|t| self.sides.pre[usize::from(*t)].class)
                .collect();
            if group.eligibility.is_some() {
                let rates = falls
                    .iter()
                    .map(|c| self.sides.classes[usize::from(*c)].rate);
                self.shorten(&falls, rates.sum(), FILTER_REACH[1]);
            }
            let accumulator = self.accumulator(source, falls, rises, closed.as_deref());
            let first = self.plan.accumulators.len() as u16;
            self.plan.accumulators.push(accumulator);
            if let Some(m) = group.eligibility {
                let mut second = self.plan.accumulators[usize::from(first)].clone();
                second.by = Some(m as u16);
                // What multiplies it starts anew with the weight's own decay.
                second.resets |= 1 << self.plan.decay;
                self.plan.accumulators.push(second);
            }
            self.plan.entries.push(Entry {
                factor: product.factor,
                traces,
                eligibility: group.eligibility.map(|m| m as u16),
                first,
                second: first + 1,
            });
        }
        if let Some(smooth) = smooth {
            self.plan.smooth.push(Smooth {
                value: self.lowered.scalar(Some(smooth))?,
                accumulators: (before..self.plan.accumulators.len() as u16).collect(),
            });
        }
        Ok(())
    }

    fn pre_number(&self, place: u16) -> u16 {
        let number = self.sides.pre.iter().position(|t| t.place == place);
        number.unwrap_or(0) as u16
    }

    /// Products of traces that decay freely, with the modulators that multiply each.
    fn closed(&self, smooth: NodeId) -> Option<Vec<(Vec<u16>, Vec<Product>)>> {
        let free = |s| {
            self.lowered.place_of(s, |leaf| match leaf {
                Leaf::Post(i) => self.sides.post[i].smooth.is_none(),
                leaf => leaf == Leaf::Channel,
            })
        };
        let mut parts: Vec<(Vec<u16>, Vec<Product>)> = Vec::new();
        for product in polynomial(&self.lowered.graph, smooth, &free)? {
            let number = |p: &u16| match self.lowered.leaves[usize::from(*p)] {
                Leaf::Post(i) => Some(i as u16),
                _ => None,
            };
            let traces: Vec<u16> = product.places.iter().filter_map(number).collect();
            let channels: Vec<u16> = product
                .places
                .iter()
                .filter(|p| number(p).is_none())
                .copied()
                .collect();
            let factor = Product {
                factor: product.factor,
                places: self.channel_numbers(&channels),
            };
            match parts.iter_mut().find(|(t, _)| *t == traces) {
                Some((_, factors)) => factors.push(factor),
                None => parts.push((traces, vec![factor])),
            }
        }
        Some(parts)
    }

    fn accumulator(
        &mut self,
        source: u16,
        falls: Vec<u16>,
        rises: u16,
        closed: Option<&[(Vec<u16>, Vec<Product>)]>,
    ) -> Accumulator {
        let rate_of = |sides: &Sides, classes: &[u16]| -> f64 {
            classes
                .iter()
                .map(|c| sides.classes[usize::from(*c)].rate)
                .sum()
        };
        let rate = rate_of(&self.sides, &falls);
        self.shorten(&falls, rate, REACH);
        let mut parts = Vec::new();
        for (traces, products) in closed.unwrap_or_default() {
            let classes: Vec<u16> = traces
                .iter()
                .map(|t| self.sides.post[usize::from(*t)].class)
                .collect();
            let both = [&falls[..], &classes[..]].concat();
            let total = rate_of(&self.sides, &both);
            self.shorten(&both, total, REACH);
            let integral = Integral {
                products: products.clone(),
                falls: falls.clone(),
                rises,
                traces: classes,
            };
            let index = self.plan.integrals.len() as u16;
            self.plan.integrals.push(integral);
            parts.push((traces.clone(), index));
        }
        let mut resets = falls.iter().fold(0, |bits, c| bits | 1_u16 << c) | 1 << rises;
        resets |= 1 << self.plan.shrink_class;
        Accumulator {
            source,
            falls,
            rate,
            rises,
            by: None,
            closed: parts,
            resets,
        }
    }

    /// References move early enough for a product of decays.
    pub fn shorten(&mut self, classes: &[u16], rate: f64, reach: f64) {
        for c in classes {
            let class = &mut self.sides.classes[usize::from(*c)];
            class.interval = class.interval.min(reach / rate);
        }
    }
}
