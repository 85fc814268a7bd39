//! What is smooth, integrated along a neuron's voltages by quadrature.
//!
//! An [`Interval`] between two updates holds what does not depend on the neuron: points, decays and integrals over
//! modulators. Neurons that are brought from one time to another together, as at a spike that reaches all of them, share
//! one.
//!
//! # Error
//! With r the fastest rate of traces and voltages, a product of them changes at about 3·r. Over an interval of length d
//! the relative error of n points is (3rd)^2n·(n!)^4/((2n + 1)·(2n)!³). Two points are used below 3rd = 0.12, three below
//! 0.75 and four below 1.5, so that it stays below 1e-7.

use super::plan::{LazyRule, MOST_INTEGRALS};
use super::post::{Course, Moment};
use super::program::{LANES, Lanes};
use super::quadrature::{Gauss, MOST_POINTS};
use super::shared::Growth;
use super::sides::MOST_VALUES;

/// Parts of the longest interval below which two points are enough, and three.
const FEWER: [f64; 2] = [0.08, 0.5];
/// log2 of the number of intervals that are kept.
const KEPT: u32 = 5;

/// A number for each point of a part.
type AtPoints = [f64; LANES];

/// What neurons share over an interval in which nothing happens to them or to modulators.
#[derive(Debug, Clone, Default)]
pub struct Interval {
    /// From when to when (ms).
    span: (f64, f64),
    parts: Vec<Part>,
    /// How many parts there are; the others are kept for their memory.
    count: usize,
}

/// A part that is integrated at once.
#[derive(Debug, Clone, Default)]
struct Part {
    /// Which quadrature rule.
    gauss: usize,
    /// Its length (ms).
    length: f64,
    /// Its points, from the interval's start (ms).
    offsets: AtPoints,
    /// Modulators and corrections.
    values: Vec<(u16, AtPoints)>,
    /// Decay of each postsynaptic trace.
    down: Vec<AtPoints>,
    /// Its inverse.
    up: Vec<AtPoints>,
    /// What multiplies the postsynaptic factor in each integral over what is smooth, with the points' weights.
    scales: Vec<AtPoints>,
}

/// Intervals that were prepared lately, and room to integrate over them.
#[derive(Debug, Default)]
pub struct Intervals {
    kept: Vec<Interval>,
    lanes: Box<Lanes>,
}

impl Intervals {
    /// Forgets all: reference times, modulators or their integrals change.
    pub fn clear(&mut self) {
        for interval in &mut self.kept {
            interval.span = (0.0, 0.0);
        }
    }

    /// Integrates what is smooth from a time to `now`, as [`LazyRule::advance_post`] does. Until the next
    /// [`clear`](Intervals::clear) nothing of `now` may change but its time.
    #[inline]
    pub fn advance_post(
        &mut self,
        rule: &LazyRule,
        post: &mut [f64],
        from: f64,
        now: Moment<'_>,
        course: Course<'_>,
    ) {
        if now.at <= from || !rule.needs_advance() {
            return;
        }
        if self.kept.is_empty() {
            self.kept.resize(1 << KEPT, Interval::default());
        }
        let mixed =
            (from.to_bits() ^ now.at.to_bits().rotate_left(21)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (mixed >> (64 - KEPT)) as usize;
        let interval = &mut self.kept[slot];
        let bits = |(from, to): (f64, f64)| (from.to_bits(), to.to_bits());
        if bits(interval.span) != bits((from, now.at)) {
            rule.prepare(interval, from, now);
        }
        rule.advance_over(post, interval, &mut self.lanes, course);
    }
}

impl LazyRule {
    /// Whether the neuron has to be advanced whenever its voltages' course changes, and before its synapses learn.
    #[inline]
    pub fn needs_advance(&self) -> bool {
        !self.smooth.is_empty() || self.sides.post.iter().any(|t| t.smooth.is_some())
    }

    /// Integrates what is smooth from a time to `now`, in which nothing happened to the neuron or to the modulators.
    pub fn advance_post(&self, post: &mut [f64], from: f64, now: Moment<'_>, course: Course<'_>) {
        if now.at > from && self.needs_advance() {
            let mut interval = Interval::default();
            self.prepare(&mut interval, from, now);
            self.advance_over(post, &interval, &mut Lanes::default(), course);
        }
    }

    /// Prepares an interval of positive length.
    fn prepare(&self, interval: &mut Interval, from: f64, now: Moment<'_>) {
        let length = now.at - from;
        let parts = (length / self.longest).ceil().max(1.0);
        let part = length / parts;
        let gauss = match part / self.longest {
            x if x < FEWER[0] => 0,
            x if x < FEWER[1] => 1,
            _ => 2,
        };
        interval.span = (from, now.at);
        interval.count = parts as usize;
        if interval.parts.len() < interval.count {
            interval.parts.resize(interval.count, Part::default());
        }
        for (k, into) in interval.parts[..interval.count].iter_mut().enumerate() {
            (into.gauss, into.length) = (gauss, part);
            self.prepare_part(into, from, k as f64 * part, now);
        }
    }

    fn prepare_part(&self, part: &mut Part, from: f64, offset: f64, now: Moment<'_>) {
        let sides = &self.sides;
        let gauss = &self.gauss[part.gauss];
        let places = (sides.channels.iter().map(|(_, place)| *place))
            .chain(sides.warm.iter().map(|(_, place)| *place));
        part.values.clear();
        part.values
            .extend(places.map(|place| (place, [0.0; LANES])));
        for (list, len) in [
            (&mut part.down, sides.post.len()),
            (&mut part.up, sides.post.len()),
            (&mut part.scales, self.accumulators.len()),
        ] {
            list.clear();
            list.resize(len, [0.0; LANES]);
        }
        let mut growth = Growth::NONE;
        let mut integrals = [0.0; MOST_INTEGRALS];
        let mut values = [0.0; MOST_VALUES];
        for (j, (point, weight)) in gauss.points.iter().zip(&gauss.weights).enumerate() {
            let inside = offset + point * part.length;
            let at = from + inside;
            part.offsets[j] = inside;
            self.growth(now.shared, at, &mut growth);
            self.integrals_at(now.shared, now.channels, at, &mut integrals);
            sides.put_shared(&mut values, now.channels, at);
            for (place, lanes) in &mut part.values {
                lanes[j] = values[usize::from(*place)];
            }
            for (index, trace) in sides.post.iter().enumerate() {
                part.down[index][j] = growth.down[usize::from(trace.class)];
                part.up[index][j] = growth.up[usize::from(trace.class)];
            }
            for k in self.smooth.iter().flat_map(|s| &s.accumulators) {
                let k = usize::from(*k);
                let scale = self.scale(&self.accumulators[k], &growth, &integrals);
                part.scales[k][j] = scale * weight * part.length;
            }
        }
    }

    /// Integrates over a prepared interval.
    fn advance_over(
        &self,
        post: &mut [f64],
        interval: &Interval,
        lanes: &mut Lanes,
        course: Course<'_>,
    ) {
        for part in &interval.parts[..interval.count] {
            match part.gauss {
                0 => self.advance_part::<2>(post, part, lanes, course),
                1 => self.advance_part::<3>(post, part, lanes, course),
                _ => self.advance_part::<4>(post, part, lanes, course),
            }
        }
    }

    fn advance_part<const P: usize>(
        &self,
        post: &mut [f64],
        part: &Part,
        lanes: &mut Lanes,
        course: Course<'_>,
    ) {
        let reads = &self.sides.voltages;
        if !reads.is_empty() {
            let mut voltages = [0.0; MOST_VALUES];
            let voltages = &mut voltages[..reads.len()];
            for j in 0..P {
                course(part.offsets[j], voltages);
                for ((_, place), voltage) in reads.iter().zip(&*voltages) {
                    lanes.put_one(*place, j, *voltage);
                }
            }
        }
        for (place, values) in &part.values {
            lanes.put(*place, *values);
        }
        for ((trace, scaled), down) in self.sides.post.iter().zip(&*post).zip(&part.down) {
            lanes.put(trace.place, down.map(|down| scaled * down));
        }
        // A trace of what is smooth: its values at the points, then at the end. Later ones may read it.
        for (index, trace) in self.sides.post.iter().enumerate() {
            let Some(smooth) = &trace.smooth else {
                continue;
            };
            let (up, down) = (&part.up[index], &part.down[index]);
            let values: [f64; P] = smooth.lanes(lanes);
            let added: [f64; P] = std::array::from_fn(|j| values[j] * up[j]);
            let Gauss { weights, up_to, .. } = &self.gauss[part.gauss];
            let sum = |weights: &[f64]| -> f64 {
                let sum: f64 = weights.iter().zip(&added).map(|(w, a)| w * a).sum();
                part.length * sum
            };
            for j in 0..P {
                let scaled = post[index] + sum(&up_to[j]);
                lanes.put_one(trace.place, j, scaled * down[j]);
            }
            post[index] += sum(weights);
        }
        let traces = self.sides.post.len();
        let whole = match self.shrink {
            Some(_) => 1.0 / self.shrunk(post),
            None => 1.0,
        };
        for smooth in &self.smooth {
            let values: [f64; P] = smooth.value.lanes(lanes);
            for k in &smooth.accumulators {
                let k = usize::from(*k);
                let scales = &part.scales[k];
                let sum: f64 = (0..P).map(|j| values[j] * scales[j]).sum();
                post[traces + k] += sum * whole;
            }
        }
    }
}

const _: () = assert!(MOST_POINTS == LANES);
