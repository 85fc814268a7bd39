//! Sources of spikes, compiled.

use std::sync::Arc;

use super::kinds::kinds;
use super::limits::Limit;
use super::reader::NeuronReader;
use crate::circuit::{InputId, ModulatorId, Output, SpikeTimes};
use crate::compile::{Expr, Reading};
use crate::engine::event::model::Trigger;
use crate::engine::event::time::{NEVER, after, from_ms};
use crate::engine::event::turn::MOST_RATE;
use crate::lang::scalar::{ScalarCode, Source};
use crate::netlist::model::SpikeTrigger;
use crate::source::Problem;
use crate::units::Dimension;

/// The variable of a rate that is the time (ms).
pub const TIME: u32 = 0;

/// The variable of a rate that is the neuron's number of the input.
pub const INPUT: u32 = 1;

/// A population of neurons without compartments, compiled.
#[derive(Debug)]
pub struct SourceNeuron {
    trigger: SourceForm,
    /// Modulators that its rate reads.
    pub modulators: Vec<ModulatorId>,
    /// The input that its rate reads, a number for each neuron.
    pub input: Option<(InputId, Output)>,
    kinds: Vec<Vec<f64>>,
    kind_of: Vec<u32>,
    parameters: usize,
}

#[derive(Debug)]
enum SourceForm {
    /// An expression of time, parameters and modulators.
    Rate(Expr),
    Every {
        interval: ScalarCode,
        from: Option<ScalarCode>,
    },
    Given(GivenTimes),
}

/// Times of spikes that a netlist gives, for each neuron.
#[derive(Debug, Clone)]
pub struct GivenTimes {
    /// Times (ps), sorted.
    of: Arc<Vec<Vec<i64>>>,
    /// They start anew after so long (ps), or [`NEVER`].
    repeat: i64,
}

impl GivenTimes {
    fn new(times: &SpikeTimes) -> GivenTimes {
        let of = times
            .of
            .iter()
            .map(|list| list.iter().map(|ms| from_ms(*ms)).collect())
            .collect();
        GivenTimes {
            of: Arc::new(of),
            repeat: times.repeat_ms.map_or(NEVER, from_ms),
        }
    }

    /// The time (ps) of spike `number` of a neuron, or [`NEVER`].
    pub fn time(&self, neuron: usize, number: u32) -> i64 {
        let Some(list) = self.of.get(neuron).filter(|list| !list.is_empty()) else {
            return NEVER;
        };
        let (round, index) = (number as usize / list.len(), number as usize % list.len());
        if round > 0 && self.repeat == NEVER {
            return NEVER;
        }
        let start = if round == 0 {
            0
        } else {
            self.repeat.saturating_mul(round as i64)
        };
        after(start, list[index])
    }
}

impl SourceNeuron {
    /// Compiles a population.
    pub(super) fn new(reader: &mut NeuronReader<'_>) -> Option<SourceNeuron> {
        let population = reader.circuit.population(reader.population);
        let spiking = population.spiking.as_ref()?;
        reader.numbers.parameters = population.parameters.len();
        let mut input = None;
        let trigger = match &spiking.trigger {
            SpikeTrigger::Rate(text) => {
                let expr = reader.expr(text, true, Some(Dimension::RATE), "the rate of spikes")?;
                for reading in &expr.readings {
                    match reading {
                        Reading::Modulator(id) => reader.numbers.modulators.push(*id),
                        Reading::Input(id, output) => input = Some((*id, *output)),
                        _ => {}
                    }
                }
                if !expr.formula.filters.is_empty() {
                    let problem =
                        Problem::new("the rate of a source has no memory", expr.span, "a filter");
                    reader.problems.push(
                        problem.help("give a modulator the filtered value, and read the modulator"),
                    );
                    return None;
                }
                SourceForm::Rate(expr)
            }
            SpikeTrigger::Every { interval, from } => {
                let (spans, what) = (interval.span, "the interval");
                let interval = reader.limited(interval, Dimension::TIME, what, Limit::Interval);
                let from = match from {
                    Some(text) => {
                        let what = "the time of the first spike";
                        Some(reader.limited(text, Dimension::TIME, what, Limit::NotNegative)?)
                    }
                    None => None,
                };
                if !reader.numbers.modulators.is_empty() {
                    let message = "the interval of a regular source reads a modulator";
                    let problem = Problem::new(message, spans, "may change");
                    reader.problems.push(problem.help(
                        "regular sources keep their interval; a rate may read modulators: spike = { rate = \"…\" }",
                    ));
                    return None;
                }
                SourceForm::Every {
                    interval: interval?,
                    from,
                }
            }
            SpikeTrigger::Given => SourceForm::Given(GivenTimes::new(spiking.times.as_ref()?)),
            SpikeTrigger::When(_) => return None,
        };
        let (kinds, kind_of) = kinds(reader.circuit, reader.population);
        reader.check_limits(&kinds);
        let source = SourceNeuron {
            trigger,
            modulators: reader.numbers.modulators.clone(),
            input,
            kinds,
            kind_of,
            parameters: population.parameters.len(),
        };
        Some(source)
    }

    /// The set of numbers that a neuron has.
    pub fn kind(&self, neuron: usize) -> u32 {
        self.kind_of.get(neuron).copied().unwrap_or(0)
    }

    /// Whether it draws random numbers.
    pub fn is_random(&self) -> bool {
        matches!(self.trigger, SourceForm::Rate(_))
    }

    /// The times that it was given.
    pub fn times(&self) -> Option<&GivenTimes> {
        match &self.trigger {
            SourceForm::Given(times) => Some(times),
            _ => None,
        }
    }

    /// The first time (ps) of a regular source.
    pub fn first(&self, neuron: usize) -> i64 {
        let kind = &self.kinds[self.kind(neuron) as usize];
        match self.trigger(kind, &[]) {
            Trigger::Every { first, .. } => first,
            _ => NEVER,
        }
    }

    /// Whether it spikes at random at rates that stay, and that are not too high for an engine.
    pub fn is_steady(&self) -> bool {
        let bounded = |rate: &ScalarCode| rate.constant().is_some_and(|rate| rate <= MOST_RATE);
        let steady = |trigger: &Trigger| matches!(trigger, Trigger::Rate(rate) if bounded(rate));
        self.modulators.is_empty() && self.is_random() && self.triggers(&[]).iter().all(steady)
    }

    /// The rates (1/ms) of a steady source, for each kind.
    pub fn constant_rates(&self) -> Vec<f64> {
        let rate = |trigger: Trigger| match trigger {
            Trigger::Rate(rate) => rate.constant().unwrap_or(0.0),
            _ => 0.0,
        };
        self.triggers(&[]).into_iter().map(rate).collect()
    }

    /// What makes it spike, for each kind.
    pub fn triggers(&self, modulators: &[f64]) -> Vec<Trigger> {
        self.kinds
            .iter()
            .map(|kind| self.trigger(kind, modulators))
            .collect()
    }

    fn trigger(&self, kind: &[f64], modulators: &[f64]) -> Trigger {
        match &self.trigger {
            SourceForm::Given(_) => Trigger::Given,
            SourceForm::Every { interval, from } => {
                let interval = from_ms(interval.value(kind)).max(1);
                let first = from
                    .as_ref()
                    .map_or(interval, |code| from_ms(code.value(kind)).max(0));
                Trigger::Every { interval, first }
            }
            SourceForm::Rate(expr) => {
                let source = |symbol| match expr.reading(symbol)? {
                    Reading::Time => Some(Source::Variable(TIME)),
                    Reading::Input(..) => Some(Source::Variable(INPUT)),
                    Reading::Parameter(_, index) => {
                        kind.get(index as usize).map(|x| Source::Number(*x))
                    }
                    Reading::Modulator(id) => {
                        let at = self.modulators.iter().position(|m| *m == id)?;
                        modulators.get(at).map(|x| Source::Number(*x))
                    }
                    _ => None,
                };
                let code = ScalarCode::new(&expr.formula.graph, expr.formula.root, source);
                Trigger::Rate(code.unwrap_or(ScalarCode::number(0.0)))
            }
        }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_times_repeat() {
        let times = GivenTimes::new(&SpikeTimes {
            of: vec![vec![1.0, 2.5], vec![]],
            repeat_ms: Some(10.0),
        });
        let ms = |ms: f64| from_ms(ms);
        assert_eq!(
            [0, 1, 2, 5].map(|n| times.time(0, n)),
            [ms(1.0), ms(2.5), ms(11.0), ms(22.5)]
        );
        assert_eq!(times.time(1, 0), NEVER);
        let once = GivenTimes::new(&SpikeTimes {
            of: vec![vec![1.0]],
            repeat_ms: None,
        });
        assert_eq!([once.time(0, 0), once.time(0, 1)], [ms(1.0), NEVER]);
    }
}
