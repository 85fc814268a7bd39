//! Takes a rule's filters out: what is left reads traces of either side, filters at the synapse, voltages, modulators
//! and the weight.

use super::impulse::{Split, split};
use super::polynomial::polynomial;
use super::program::Scalar;
use super::sides::{
    Class, Eligibility, MOST_CLASSES, MOST_VALUES, PostTrace, PreTrace, REACH, Sides,
};
use crate::compile::reading::{Expr, Reading};
use crate::lang::graph::Node;
use crate::lang::ops::Binary;
use crate::lang::{FilterKind, Graph, NodeId, Shape, Symbol};

/// Coefficients and decays (mV, 1/ms) of the potential after a presynaptic spike through a synapse of weight 1.
pub type Kernel<'k> = &'k [(f64, f64)];

/// What a symbol of the lowered rule is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Leaf {
    Train(usize),
    Pre(usize),
    Post(usize),
    Voltage,
    Channel,
    Warm(f64),
    Weight,
    Eligibility(usize),
}

type Factors = [Option<NodeId>; 3];

struct PreDraft {
    rate: f64,
    jumps: Factors,
    leaf: usize,
}

struct PostDraft {
    rate: f64,
    jumps: Factors,
    smooth: Option<NodeId>,
    leaf: usize,
}

/// A filter at the synapses: its decay, what it follows, where it is read.
pub(super) struct EligibilityDraft {
    pub rate: f64,
    pub input: Split,
    leaf: usize,
}

/// A rule without filters.
pub(super) struct Lowered {
    pub graph: Graph,
    pub leaves: Vec<Leaf>,
    /// The weight's change per ms.
    pub change: Split,
    pub eligibilities: Vec<EligibilityDraft>,
    pub weight: Symbol,
    pre: Vec<PreDraft>,
    post: Vec<PostDraft>,
    voltages: Vec<(u32, usize)>,
    channels: Vec<(u32, usize)>,
    outer: u32,
    filters: u32,
}

/// Lowers a rule; `kernel` is the potential that `psp` means.
///
/// # Errors
/// What cannot be done with filters and trains as they are, in words.
pub(super) fn lower(expr: &Expr, kernel: Option<Kernel<'_>>) -> Result<Lowered, String> {
    let formula = &expr.formula;
    let outer = expr.readings.len() as u32;
    let mut lowered = Lowered {
        graph: formula.graph.clone(),
        leaves: vec![],
        change: Split::default(),
        eligibilities: vec![],
        weight: Symbol::Argument,
        pre: vec![],
        post: vec![],
        voltages: vec![],
        channels: vec![],
        outer,
        filters: formula.filters.len() as u32,
    };
    let weight = lowered.leaf(Leaf::Weight, Shape::Synapse);
    lowered.weight = lowered.symbol(0);
    let mut readings = Vec::new();
    for reading in &expr.readings {
        readings.push(match reading {
            Reading::Weight => weight,
            _ => lowered.reading(*reading, kernel)?,
        });
    }
    let mut filters = Vec::new();
    for filter in &formula.filters {
        let input = lowered.put(filter.input, &readings, &filters);
        let input = lowered.split(input)?;
        let rate = 1.0 / filter.tau;
        let state = match filter.shape {
            Shape::Pre => lowered.pre_filter(rate, &input)?,
            Shape::Post => lowered.post_filter(rate, &input),
            Shape::Synapse => lowered.synapse_filter(rate, input),
            _ => {
                return Err("it filters a modulator: declare a modulator that has this time course, and read it".to_owned());
            }
        };
        let node = lowered.output(filter.kind, rate, state);
        filters.push(node);
    }
    let root = lowered.put(formula.root, &readings, &filters);
    lowered.change = lowered.split(root)?;
    if lowered.leaves.len() > MOST_VALUES {
        return Err(format!(
            "it reads {} values, at most {MOST_VALUES} are possible",
            lowered.leaves.len()
        ));
    }
    Ok(lowered)
}

impl Lowered {
    fn symbol(&self, leaf: usize) -> Symbol {
        match self.leaves[leaf] {
            Leaf::Eligibility(m) => Symbol::Filter(self.filters + m as u32),
            _ => Symbol::Outer(self.outer + leaf as u32),
        }
    }

    fn leaf(&mut self, leaf: Leaf, shape: Shape) -> NodeId {
        let index = match self.leaves.iter().position(|l| *l == leaf) {
            // Voltages and modulators are not told apart by their leaf.
            Some(index) if !matches!(leaf, Leaf::Voltage | Leaf::Channel) => index,
            _ => {
                self.leaves.push(leaf);
                self.leaves.len() - 1
            }
        };
        let symbol = self.symbol(index);
        self.graph.variable(symbol, shape)
    }

    /// The place of a symbol of the lowered rule.
    pub fn place(&self, symbol: Symbol) -> Option<usize> {
        match symbol {
            Symbol::Outer(index) => {
                let leaf = index.checked_sub(self.outer)? as usize;
                (leaf < self.leaves.len()).then_some(leaf)
            }
            Symbol::Filter(index) => {
                let m = index.checked_sub(self.filters)? as usize;
                self.eligibilities.get(m).map(|e| e.leaf)
            }
            _ => None,
        }
    }

    /// The place of a symbol, if it is of a kind that `wanted` accepts.
    pub fn place_of(&self, symbol: Symbol, wanted: impl Fn(Leaf) -> bool) -> Option<u16> {
        let place = self.place(symbol)?;
        wanted(self.leaves[place]).then_some(place as u16)
    }

    fn reading(&mut self, reading: Reading, kernel: Option<Kernel<'_>>) -> Result<NodeId, String> {
        Ok(match reading {
            Reading::PreTrain(signal) => self.leaf(Leaf::Train(signal as usize), Shape::Pre),
            Reading::PostTrain(signal) => self.leaf(Leaf::Train(3 + signal as usize), Shape::Post),
            Reading::Value(id) => {
                self.voltages.push((id.index, self.leaves.len()));
                self.leaf(Leaf::Voltage, Shape::Post)
            }
            Reading::Modulator(id) => {
                self.channels.push((id.0, self.leaves.len()));
                self.leaf(Leaf::Channel, Shape::Scalar)
            }
            Reading::Psp(signal) => {
                let kernel = kernel.ok_or(
                    "`psp` needs a target whose response to a spike is a sum of exponentials",
                )?;
                let one = self.graph.number(1.0);
                let mut jumps = [None; 3];
                jumps[signal as usize] = Some(one);
                let mut sum = self.graph.number(0.0);
                for (factor, rate) in kernel {
                    let trace = self.pre_trace(*rate, jumps);
                    let factor = self.graph.number(*factor);
                    let part = self.graph.binary(Binary::Mul, factor, trace);
                    sum = self.graph.binary(Binary::Add, sum, part);
                }
                sum
            }
            _ => return Err("it reads what is not at a synapse between spiking neurons".to_owned()),
        })
    }

    fn put(&mut self, root: NodeId, readings: &[NodeId], filters: &[NodeId]) -> NodeId {
        self.graph.rewrite(root, |graph, id| match graph.node(id) {
            Node::Variable(Symbol::Outer(i)) => readings.get(i as usize).copied(),
            Node::Variable(Symbol::Filter(i)) => filters.get(i as usize).copied(),
            _ => None,
        })
    }

    fn split(&mut self, root: NodeId) -> Result<Split, String> {
        let (outer, leaves) = (self.outer, self.leaves.clone());
        let train = move |symbol| match symbol {
            Symbol::Outer(i) => match leaves.get(i.checked_sub(outer)? as usize) {
                Some(Leaf::Train(k)) => Some(*k),
                _ => None,
            },
            _ => None,
        };
        split(&mut self.graph, root, &train)
    }

    fn pre_trace(&mut self, rate: f64, jumps: Factors) -> NodeId {
        let same = |d: &PreDraft| d.rate.to_bits() == rate.to_bits() && d.jumps == jumps;
        let index = self.pre.iter().position(same).unwrap_or_else(|| {
            let leaf = self.leaves.len();
            self.pre.push(PreDraft { rate, jumps, leaf });
            self.pre.len() - 1
        });
        self.leaf(Leaf::Pre(index), Shape::Pre)
    }

    /// A filter of what the presynaptic side has: of events directly, of other traces by partial fractions.
    fn pre_filter(&mut self, rate: f64, input: &Split) -> Result<NodeId, String> {
        let mut sum = self.graph.number(0.0);
        if input.pre().iter().any(Option::is_some) {
            let trace = self.pre_trace(rate, input.pre());
            sum = self.graph.binary(Binary::Add, sum, trace);
        }
        let Some(smooth) = input.smooth else {
            return Ok(sum);
        };
        let of_traces = |s| self.place_of(s, |l| matches!(l, Leaf::Pre(_)));
        let products = polynomial(&self.graph, smooth, &of_traces).unwrap_or_default();
        let linear = !products.is_empty() && products.iter().all(|p| p.places.len() == 1);
        if !linear {
            return Err("it filters a function of presynaptic traces: only sums of traces can be filtered again".to_owned());
        }
        for product in products {
            let place = usize::from(product.places[0]);
            let Leaf::Pre(index) = self.leaves[place] else {
                continue;
            };
            let (fast, jumps) = (self.pre[index].rate, self.pre[index].jumps);
            let apart = rate - fast;
            if apart.abs() < 1e-6 * rate.max(fast) {
                return Err("it filters a presynaptic trace with the same time constant again: make them differ by a percent".to_owned());
            }
            let (symbol, other) = (self.symbol(place), self.pre_trace(rate, jumps));
            let trace = self.graph.variable(symbol, Shape::Pre);
            let difference = self.graph.binary(Binary::Sub, trace, other);
            let factor = self.graph.number(product.factor / apart);
            let part = self.graph.binary(Binary::Mul, factor, difference);
            sum = self.graph.binary(Binary::Add, sum, part);
        }
        Ok(sum)
    }

    fn post_filter(&mut self, rate: f64, input: &Split) -> NodeId {
        let (jumps, smooth) = (input.post(), input.smooth);
        let same = |d: &PostDraft| {
            d.rate.to_bits() == rate.to_bits() && d.jumps == jumps && d.smooth == smooth
        };
        let index = self.post.iter().position(same).unwrap_or_else(|| {
            let leaf = self.leaves.len();
            self.post.push(PostDraft {
                rate,
                jumps,
                smooth,
                leaf,
            });
            self.post.len() - 1
        });
        self.leaf(Leaf::Post(index), Shape::Post)
    }

    fn synapse_filter(&mut self, rate: f64, input: Split) -> NodeId {
        let leaf = self.leaves.len();
        self.eligibilities
            .push(EligibilityDraft { rate, input, leaf });
        self.leaf(
            Leaf::Eligibility(self.eligibilities.len() - 1),
            Shape::Synapse,
        )
    }

    /// A filter's value from its decaying sum.
    fn output(&mut self, kind: FilterKind, rate: f64, sum: NodeId) -> NodeId {
        if let FilterKind::Trace(_) = kind {
            return sum;
        }
        let rate_node = self.graph.number(rate);
        let low = self.graph.binary(Binary::Mul, rate_node, sum);
        match kind {
            FilterKind::Average(_) => {
                let warm = self.leaf(Leaf::Warm(rate), Shape::Scalar);
                self.graph.binary(Binary::Mul, low, warm)
            }
            _ => low,
        }
    }

    /// A compiled expression over the values of the rule.
    pub fn scalar(&self, node: Option<NodeId>) -> Result<Scalar, String> {
        match node {
            None => Ok(Scalar::Products(vec![])),
            Some(node) => Scalar::new(&self.graph, node, &|s| self.place(s).map(|p| p as u16)),
        }
    }

    /// Compiled factors of the three trains of a side.
    pub fn scalars(&self, nodes: Factors) -> Result<[Scalar; 3], String> {
        let [a, b, c] = nodes;
        Ok([self.scalar(a)?, self.scalar(b)?, self.scalar(c)?])
    }

    /// Both sides, compiled.
    pub fn sides(&self, within: Option<[f64; 2]>) -> Result<Sides, String> {
        let mut sides = Sides {
            pre: vec![],
            post: vec![],
            voltages: self.voltages.iter().map(|(c, p)| (*c, *p as u16)).collect(),
            channels: self.channels.iter().map(|(m, p)| (*m, *p as u16)).collect(),
            warm: vec![],
            eligibilities: vec![],
            weight: 0,
            classes: vec![],
            within,
        };
        class(&mut sides, 0.0)?;
        for draft in &self.pre {
            let trace = PreTrace {
                rate: draft.rate,
                class: class(&mut sides, draft.rate)?,
                place: draft.leaf as u16,
                jumps: self.scalars(draft.jumps)?,
            };
            sides.pre.push(trace);
        }
        for draft in &self.post {
            let trace = PostTrace {
                rate: draft.rate,
                class: class(&mut sides, draft.rate)?,
                place: draft.leaf as u16,
                jumps: self.scalars(draft.jumps)?,
                smooth: draft.smooth.map(|n| self.scalar(Some(n))).transpose()?,
            };
            sides.post.push(trace);
        }
        for (place, leaf) in self.leaves.iter().enumerate() {
            if let Leaf::Warm(rate) = leaf {
                sides.warm.push((*rate, place as u16));
            }
        }
        for draft in &self.eligibilities {
            let filter = Eligibility {
                rate: draft.rate,
                class: class(&mut sides, draft.rate)?,
                place: draft.leaf as u16,
            };
            sides.eligibilities.push(filter);
        }
        Ok(sides)
    }
}

/// The number of a decay among the classes.
pub(super) fn class(sides: &mut Sides, rate: f64) -> Result<u16, String> {
    let same = |c: &Class| c.rate.to_bits() == rate.to_bits();
    if let Some(index) = sides.classes.iter().position(same) {
        return Ok(index as u16);
    }
    if sides.classes.len() == MOST_CLASSES {
        return Err(format!("it has more than {MOST_CLASSES} time constants"));
    }
    // Not infinite, which some formats cannot write.
    let interval = if rate > 0.0 { REACH / rate } else { f64::MAX };
    sides.classes.push(Class { rate, interval });
    Ok(sides.classes.len() as u16 - 1)
}
