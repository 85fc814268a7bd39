//! From a lowered rule to the plan of its lazy integration, or the reason why it has none.

use super::lower::{Leaf, Lowered, class};
use super::plan::{
    Integral, JumpProduct, JumpProgram, LazyRule, MOST_ACCUMULATORS, MOST_ELIGIBILITIES,
    MOST_INTEGRALS, MOST_JUMPS,
};
use super::polynomial::{Product, polynomial};
use super::program::Scalar;
use super::sides::{Class, FILTER_REACH, MOST_CLASSES, Sides};
use crate::lang::NodeId;
use crate::lang::ops::Binary;
use crate::lang::separate::{Term, separate_all};

/// Products of one presynaptic polynomial and one destination.
pub(super) struct Group {
    pub eligibility: Option<usize>,
    /// Numbers and presynaptic places.
    pub pre: Vec<Product>,
    pub impulses: [Option<NodeId>; 3],
    pub smooth: Option<NodeId>,
}

pub(super) struct Analysis<'l> {
    pub lowered: &'l mut Lowered,
    pub sides: Sides,
    groups: Vec<Group>,
    /// Broadcast factor of each filter at the synapse.
    gains: Vec<Vec<Product>>,
    /// The weight's own decay (1/ms).
    decay: f64,
    shrink: [Option<NodeId>; 3],
    pub plan: LazyRule,
}

/// The plan of a rule's lazy integration.
///
/// # Errors
/// Why it has none, in words that go on from "because".
pub(super) fn analyse(lowered: &mut Lowered, sides: &Sides) -> Result<LazyRule, String> {
    let filters = lowered.eligibilities.len();
    if filters > MOST_ELIGIBILITIES {
        return Err(format!(
            "it has more than {MOST_ELIGIBILITIES} filters at every synapse"
        ));
    }
    let mut analysis = Analysis {
        lowered,
        sides: sides.clone(),
        groups: vec![],
        gains: vec![vec![]; filters],
        decay: 0.0,
        shrink: [None; 3],
        plan: LazyRule::of(sides.clone()),
    };
    for destination in std::iter::once(None).chain((0..filters).map(Some)) {
        analysis.collect(destination)?;
    }
    analysis.finish()
}

impl Analysis<'_> {
    /// Sorts the products of one destination.
    fn collect(&mut self, to: Option<usize>) -> Result<(), String> {
        let split = match to {
            None => self.lowered.change,
            Some(m) => self.lowered.eligibilities[m].input,
        };
        let parts = split.post().into_iter().chain([split.smooth]).enumerate();
        for (part, node) in parts {
            let Some(node) = node else { continue };
            let weight = self.lowered.weight;
            for term in separate_all(&mut self.lowered.graph, node, weight)? {
                self.term(to, part, &term)?;
            }
        }
        for (kind, factor) in split.pre().into_iter().enumerate() {
            let value = self.lowered.scalar(factor)?;
            self.jump(to, kind, value);
        }
        Ok(())
    }

    /// One product; parts 0 to 2 belong to the postsynaptic trains, part 3 is smooth.
    fn term(&mut self, to: Option<usize>, part: usize, term: &Term) -> Result<(), String> {
        let of_pre = |s| self.lowered.place_of(s, |l| matches!(l, Leaf::Pre(_)));
        let pre = polynomial(&self.lowered.graph, term.pre, &of_pre)
            .ok_or("its presynaptic side is no sum of products of traces")?;
        let graph = &mut self.lowered.graph;
        let factor = graph.binary(Binary::Mul, term.scalar, term.post);
        let number = match pre.as_slice() {
            [one] if one.places.is_empty() => Some(one.factor),
            _ => None,
        };
        match (term.weight, term.filter) {
            (true, _) => self.weight_term(to, part, factor, number),
            (_, Some(filter)) => self.filter_term(to, part, filter, factor, number),
            _ => {
                self.add(to, part, factor, pre);
                Ok(())
            }
        }
    }

    /// A product with the weight itself.
    fn weight_term(
        &mut self,
        to: Option<usize>,
        part: usize,
        factor: NodeId,
        number: Option<f64>,
    ) -> Result<(), String> {
        if to.is_some() {
            return Err("a filter at the synapse follows the weight itself".to_owned());
        }
        let Some(number) = number else {
            return Err(
                "the weight is multiplied by what depends on both of its neurons".to_owned(),
            );
        };
        let graph = &mut self.lowered.graph;
        if part < 3 {
            let number = graph.number(number);
            let more = graph.binary(Binary::Mul, number, factor);
            self.shrink[part] = Some(match self.shrink[part] {
                Some(known) => graph.binary(Binary::Add, known, more),
                None => more,
            });
            return Ok(());
        }
        match graph.constant(factor) {
            Some(constant) => self.decay -= constant * number,
            None => return Err("the weight decays at a rate that changes with time".to_owned()),
        }
        Ok(())
    }

    /// A product with a filter at the synapse.
    fn filter_term(
        &mut self,
        to: Option<usize>,
        part: usize,
        filter: u32,
        factor: NodeId,
        number: Option<f64>,
    ) -> Result<(), String> {
        if to.is_some() {
            return Err("a filter at the synapse follows another".to_owned());
        }
        let filter = crate::lang::Symbol::Filter(filter);
        let m = match self.lowered.place(filter).map(|p| self.lowered.leaves[p]) {
            Some(Leaf::Eligibility(m)) => m,
            _ => return Err("it reads an unknown filter".to_owned()),
        };
        let of_channels = |s| self.lowered.place_of(s, |l| l == Leaf::Channel);
        let products = polynomial(&self.lowered.graph, factor, &of_channels);
        let (Some(products), Some(number), 3) = (products, number, part) else {
            return Err(
                "a filter at the synapse is multiplied by what one of its neurons does".to_owned(),
            );
        };
        for mut product in products {
            product.factor *= number;
            product.places = self.channel_numbers(&product.places);
            self.gains[m].push(product);
        }
        Ok(())
    }

    /// Modulators from their places.
    pub fn channel_numbers(&self, places: &[u16]) -> Vec<u16> {
        let number = |place: &u16| {
            let channel = self.sides.channels.iter().find(|(_, p)| p == place);
            channel.map_or(0, |(number, _)| *number as u16)
        };
        places.iter().map(number).collect()
    }

    fn add(&mut self, to: Option<usize>, part: usize, factor: NodeId, pre: Vec<Product>) {
        let same = |g: &Group| g.eligibility == to && g.pre == pre;
        let index = self.groups.iter().position(same).unwrap_or_else(|| {
            self.groups.push(Group {
                eligibility: to,
                pre,
                impulses: [None; 3],
                smooth: None,
            });
            self.groups.len() - 1
        });
        let graph = &mut self.lowered.graph;
        let group = &mut self.groups[index];
        let at = match group.impulses.get_mut(part) {
            Some(impulse) => impulse,
            None => &mut group.smooth,
        };
        *at = Some(match *at {
            Some(known) => graph.binary(Binary::Add, known, factor),
            None => factor,
        });
    }

    /// What a presynaptic event of a kind adds.
    fn jump(&mut self, to: Option<usize>, kind: usize, value: Scalar) {
        let eligibility = to.map(|m| m as u16);
        let kind = kind as u8;
        match value {
            Scalar::Products(products) if self.plan.jumps.len() + products.len() <= MOST_JUMPS => {
                for product in products {
                    let jump = self.jump_product(eligibility, kind, &product);
                    self.plan.jumps.push(jump);
                }
            }
            value => self.plan.programs.push(JumpProgram {
                kind,
                eligibility,
                value,
            }),
        }
    }

    fn jump_product(&self, eligibility: Option<u16>, kind: u8, product: &Product) -> JumpProduct {
        let mut jump = JumpProduct {
            kind,
            eligibility,
            factor: product.factor,
            shared: vec![],
            traces: vec![],
            voltages: vec![],
            weight: 0,
            filters: vec![],
        };
        for place in &product.places {
            match self.lowered.leaves[usize::from(*place)] {
                Leaf::Post(i) => jump.traces.push(i as u16),
                Leaf::Voltage => {
                    let index = self.sides.voltages.iter().position(|(_, p)| p == place);
                    jump.voltages.push(index.unwrap_or(0) as u16);
                }
                Leaf::Weight => jump.weight += 1,
                Leaf::Eligibility(m) => jump.filters.push(m as u16),
                _ => jump.shared.push(*place),
            }
        }
        jump
    }

    fn finish(mut self) -> Result<LazyRule, String> {
        let shrinks = self.shrink.iter().any(Option::is_some);
        if shrinks && !self.plan.sides.eligibilities.is_empty() {
            return Err(
                "postsynaptic events scale the weight, and there is a filter at the synapse"
                    .to_owned(),
            );
        }
        if self.decay < 0.0 {
            return Err("the weight grows by itself".to_owned());
        }
        if self.decay > 0.0 {
            self.plan.decay = class(&mut self.sides, self.decay)?;
        }
        if shrinks {
            self.plan.shrink = Some(self.lowered.scalars(self.shrink)?);
            if self.sides.classes.len() == MOST_CLASSES {
                return Err("it has too many time constants".to_owned());
            }
            // No decay: the product is started anew every ten seconds.
            let (rate, interval) = (0.0, 10_000.0);
            self.sides.classes.push(Class { rate, interval });
            self.plan.shrink_class = self.sides.classes.len() as u16 - 1;
        }
        for m in 0..self.gains.len() {
            let class = usize::from(self.sides.eligibilities[m].class);
            self.shorten(
                &[class as u16],
                self.sides.classes[class].rate,
                FILTER_REACH[0],
            );
            let integral = Integral {
                products: std::mem::take(&mut self.gains[m]),
                falls: vec![self.sides.eligibilities[m].class],
                rises: self.plan.decay,
                traces: vec![],
            };
            self.plan.integrals.push(integral);
            self.plan.gains.push(m as u16);
        }
        let groups = std::mem::take(&mut self.groups);
        let (plain, filtered): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|g| g.eligibility.is_none());
        for group in &plain {
            self.group(group)?;
        }
        self.plan.plain = self.plan.accumulators.len();
        for group in &filtered {
            self.group(group)?;
        }
        if self.plan.accumulators.len() > MOST_ACCUMULATORS
            || self.plan.integrals.len() > MOST_INTEGRALS
        {
            return Err("it has too many products".to_owned());
        }
        self.plan.sides = self.sides;
        self.plan.explanation = super::explain::lazy(&self.plan);
        Ok(self.plan)
    }
}
