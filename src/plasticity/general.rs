//! The path of rules that cannot be integrated lazily: all synapses of a neuron are visited whenever something
//! happens to it. Correct first.

use serde::{Deserialize, Serialize};

use super::impulse::Split;
use super::lower::Lowered;
use super::plan::{LazyRule, MOST_ELIGIBILITIES};
use super::post::{Course, Moment};
use super::program::Scalar;
use super::shared::Growth;
use super::sides::{MOST_VALUES, Sides, Values, jump, kinds};
use super::signal::Signals;

/// Smooth postsynaptic traces that one rule may have.
const MOST_SMOOTH: usize = 8;
/// What is integrated at a synapse.
const MOST_STATES: usize = MOST_SMOOTH + MOST_ELIGIBILITIES + 1;
/// Steps of the integration in units of the shortest time constant.
const STEP: f64 = 0.025;

/// A rule that visits synapses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneralRule {
    /// The traces of both sides, and what moves their references.
    traces: LazyRule,
    /// How the weight changes.
    change: Change,
    /// What the filters at the synapse follow.
    filters: Vec<Change>,
    /// Numbers of the smooth postsynaptic traces.
    smooth: Vec<u16>,
    /// Longest step (ms).
    step: f64,
}

/// What changes a weight or a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Change {
    pre: [Scalar; 3],
    post: [Scalar; 3],
    /// Per ms.
    smooth: Scalar,
}

/// Where a synapse's presynaptic side stands.
#[derive(Debug, Clone, Copy)]
pub struct Presynaptic<'p> {
    /// Its traces after the last event that arrived here.
    pub traces: &'p [f64],
    /// When that was (ms since the start; −infinity if there was none).
    pub since: f64,
}

impl Change {
    fn new(lowered: &Lowered, split: &Split) -> Result<Change, String> {
        Ok(Change {
            pre: lowered.scalars(split.pre())?,
            post: lowered.scalars(split.post())?,
            smooth: lowered.scalar(split.smooth)?,
        })
    }
}

impl GeneralRule {
    pub(super) fn new(lowered: &Lowered, sides: Sides, why: &str) -> Result<GeneralRule, String> {
        let change = Change::new(lowered, &lowered.change)?;
        let filters = lowered
            .eligibilities
            .iter()
            .map(|e| Change::new(lowered, &e.input))
            .collect::<Result<Vec<_>, _>>()?;
        let smooth: Vec<u16> = (sides.post.iter().enumerate())
            .filter(|(_, t)| t.smooth.is_some())
            .map(|(index, _)| index as u16)
            .collect();
        if smooth.len() > MOST_SMOOTH || filters.len() > MOST_ELIGIBILITIES {
            return Err("it has too many filters".to_owned());
        }
        let fastest = sides.fastest();
        let mut rule = GeneralRule {
            traces: LazyRule::of(sides),
            change,
            filters,
            smooth,
            step: (STEP / fastest).min(0.25),
        };
        rule.traces.explanation = super::explain::general(rule.needs_advance(), why);
        Ok(rule)
    }

    /// The traces of both sides: their states are started, advanced, jumped and moved to new references as those of
    /// a lazy rule, of which this has no integrals. No synapse ever needs a flush.
    pub fn traces(&self) -> &LazyRule {
        &self.traces
    }

    /// How it runs and why.
    pub fn explain(&self) -> &str {
        &self.traces.explanation
    }

    /// Numbers that a synapse keeps beside its weight: its filters.
    pub fn synapse_len(&self) -> usize {
        self.filters.len()
    }

    /// Kinds of presynaptic events that matter.
    pub fn pre_signals(&self) -> Signals {
        let own = kinds(self.changes().map(|c| &c.pre));
        own | self.traces.sides.pre_signals()
    }

    /// Kinds of postsynaptic events that matter.
    pub fn post_signals(&self) -> Signals {
        let own = kinds(self.changes().map(|c| &c.post));
        own | self.traces.sides.post_signals()
    }

    /// Whether synapses change between events, so that they have to be advanced before anything happens to their
    /// neuron or to a modulator.
    pub fn needs_advance(&self) -> bool {
        !self.filters.is_empty() || !self.change.smooth.is_zero() || !self.smooth.is_empty()
    }

    fn changes(&self) -> impl Iterator<Item = &Change> {
        std::iter::once(&self.change).chain(&self.filters)
    }

    /// Integrates a synapse from a time to `now`, in which nothing happened. `post` is the neuron as it was at `from`:
    /// it is advanced after all its synapses.
    pub fn advance_synapse(
        &self,
        (pre, post): (Presynaptic<'_>, &[f64]),
        (synapse, w): (&mut [f64], &mut f64),
        from: f64,
        now: Moment<'_>,
        course: Course<'_>,
    ) {
        let length = now.at - from;
        if length <= 0.0 || !self.needs_advance() {
            return;
        }
        let steps = (length / self.step).ceil().max(1.0);
        let h = length / steps;
        let mut state = [0.0; MOST_STATES];
        let start = Moment { at: from, ..now };
        let mut growth = Growth::NONE;
        self.traces.growth(now.shared, from, &mut growth);
        for (slot, index) in state.iter_mut().zip(&self.smooth) {
            let index = usize::from(*index);
            let class = usize::from(self.traces.sides.post[index].class);
            *slot = post[index] * growth.down[class];
        }
        let (first, count) = (self.smooth.len(), self.filters.len());
        state[first..first + count].copy_from_slice(synapse);
        state[first + count] = *w;
        let mut slope = |state: &[f64; MOST_STATES], offset: f64| {
            let at = Moment {
                at: from + offset,
                ..start
            };
            self.slope(state, (pre, post), at, offset, &mut *course)
        };
        for k in 0..steps as usize {
            let at = k as f64 * h;
            let along = |state: &[f64; MOST_STATES], slope: &[f64; MOST_STATES], by: f64| {
                let mut next = *state;
                for (x, s) in next.iter_mut().zip(slope) {
                    *x += by * s;
                }
                next
            };
            let a = slope(&state, at);
            let b = slope(&along(&state, &a, 0.5 * h), at + 0.5 * h);
            let c = slope(&along(&state, &b, 0.5 * h), at + 0.5 * h);
            let d = slope(&along(&state, &c, h), at + h);
            for i in 0..MOST_STATES {
                state[i] += h / 6.0 * (a[i] + 2.0 * (b[i] + c[i]) + d[i]);
            }
        }
        synapse.copy_from_slice(&state[first..first + count]);
        *w = self.traces.sides.bounded(state[first + count]);
    }

    fn slope(
        &self,
        state: &[f64; MOST_STATES],
        (pre, post): (Presynaptic<'_>, &[f64]),
        at: Moment<'_>,
        offset: f64,
        course: Course<'_>,
    ) -> [f64; MOST_STATES] {
        let sides = &self.traces.sides;
        let mut voltages = [0.0; MOST_VALUES];
        let reads = sides.voltages.len();
        if reads > 0 {
            course(offset, &mut voltages[..reads]);
        }
        let (first, count) = (self.smooth.len(), self.filters.len());
        let (synapse, w) = (&state[first..first + count], state[first + count]);
        let mut values = self.values((pre, post), &voltages[..reads], synapse, w, at);
        let mut slope = [0.0; MOST_STATES];
        for (k, index) in self.smooth.iter().enumerate() {
            let trace = &sides.post[usize::from(*index)];
            values[usize::from(trace.place)] = state[k];
        }
        for (k, index) in self.smooth.iter().enumerate() {
            let trace = &sides.post[usize::from(*index)];
            let input = trace.smooth.as_ref().map_or(0.0, |s| s.value(&values));
            slope[k] = input - trace.rate * state[k];
        }
        for (m, filter) in self.filters.iter().enumerate() {
            let rate = sides.eligibilities[m].rate;
            slope[first + m] = filter.smooth.value(&values) - rate * state[first + m];
        }
        slope[first + count] = self.change.smooth.value(&values);
        slope
    }

    fn values(
        &self,
        (pre, post): (Presynaptic<'_>, &[f64]),
        voltages: &[f64],
        synapse: &[f64],
        w: f64,
        now: Moment<'_>,
    ) -> Values {
        let sides = &self.traces.sides;
        let mut values = [0.0; MOST_VALUES];
        sides.put_shared(&mut values, now.channels, now.at);
        sides.put_voltages(&mut values, voltages);
        sides.put_pre(&mut values, pre.traces, now.at - pre.since);
        let mut growth = Growth::NONE;
        self.traces.growth(now.shared, now.at, &mut growth);
        for (trace, scaled) in sides.post.iter().zip(post) {
            values[usize::from(trace.place)] = scaled * growth.down[usize::from(trace.class)];
        }
        for (filter, value) in sides.eligibilities.iter().zip(synapse) {
            values[usize::from(filter.place)] = *value;
        }
        values[usize::from(sides.weight)] = w;
        values
    }

    /// A presynaptic event at a synapse that has been advanced to it, as has its neuron; `pre` is before it.
    pub fn deliver(
        &self,
        sides: (Presynaptic<'_>, &[f64]),
        (synapse, w): (&mut [f64], &mut f64),
        signals: Signals,
        voltages: &[f64],
        now: Moment<'_>,
    ) {
        let values = self.values(sides, voltages, synapse, *w, now);
        self.jump((synapse, w), |change| jump(&change.pre, signals, &values));
    }

    /// A postsynaptic event, for each synapse of the neuron, before the neuron's own traces jump.
    pub fn post_event(
        &self,
        sides: (Presynaptic<'_>, &[f64]),
        (synapse, w): (&mut [f64], &mut f64),
        signals: Signals,
        voltages: &[f64],
        now: Moment<'_>,
    ) {
        let values = self.values(sides, voltages, synapse, *w, now);
        self.jump((synapse, w), |change| jump(&change.post, signals, &values));
    }

    /// Filters and weight of a synapse jump.
    fn jump(&self, (synapse, w): (&mut [f64], &mut f64), by: impl Fn(&Change) -> f64) {
        for (change, state) in self.filters.iter().zip(synapse) {
            *state += by(change);
        }
        *w = self.traces.sides.bounded(*w + by(&self.change));
    }
}
