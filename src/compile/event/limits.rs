//! Limits of what a neuron's numbers may be: capacitances above 0, times that are not negative.

use super::reader::NeuronReader;
use crate::circuit::{Circuit, PopulationId};
use crate::engine::event::broadcast::Broadcast;
use crate::engine::event::linear::MOST_VARIABLES;
use crate::engine::event::model::{Instance, Trigger};
use crate::lang::scalar::ScalarCode;
use crate::netlist::model::{Expression, LEAST_INTERVAL};
use crate::source::{Problem, Span};
use crate::units::Dimension;

/// Most plateaus a neuron may have: which ones go on is a byte.
const MOST_PLATEAUS: usize = 8;

/// What a number has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// Above 0.
    Positive,
    /// Not below 0.
    NotNegative,
    /// A time between spikes that does not make them come nearly without end: [`LEAST_INTERVAL`] or more.
    Interval,
}

/// A number with its limit.
#[derive(Debug)]
pub(super) struct Limited {
    code: ScalarCode,
    limit: Limit,
    what: String,
    unit: &'static str,
    span: Span,
}

impl NeuronReader<'_> {
    /// An expression of parameters and modulators, whose value has a limit.
    pub fn limited(
        &mut self,
        text: &Expression,
        expected: Dimension,
        what: &str,
        limit: Limit,
    ) -> Option<ScalarCode> {
        let code = self.number(text, expected, what)?;
        let unit = [
            (Dimension::TIME, " ms"),
            (Dimension::CAPACITANCE, " pF"),
            (Dimension::CONDUCTANCE, " nS"),
        ];
        let unit = unit.iter().find(|(d, _)| *d == expected);
        self.limits.push(Limited {
            code: code.clone(),
            limit,
            what: what.to_owned(),
            unit: unit.map_or("", |(_, unit)| unit),
            span: text.span,
        });
        Some(code)
    }

    /// Checks all limits for all sets of numbers, with the modulators' first values.
    pub fn check_limits(&mut self, kinds: &[Vec<f64>]) {
        let modulators = self.first_modulators();
        for limited in std::mem::take(&mut self.limits) {
            let value = |kind: &Vec<f64>| {
                let numbers: Vec<f64> = kind.iter().chain(&modulators).copied().collect();
                limited.code.value(&numbers)
            };
            let within = |value: &f64| match limited.limit {
                Limit::Positive => *value > 0.0 && value.is_finite(),
                Limit::NotNegative => *value >= 0.0 && value.is_finite(),
                Limit::Interval => *value >= LEAST_INTERVAL && value.is_finite(),
            };
            let Some(value) = kinds.iter().map(value).find(|value| !within(value)) else {
                continue;
            };
            let population = &self.circuit.population(self.population).name;
            let (what, unit) = (&limited.what, limited.unit);
            let message = format!("{what} is {value}{unit} for neurons of `{population}`");
            let (note, help) = match limited.limit {
                Limit::Interval if value > 0.0 => ("too short", "give it 0.1 us or more"),
                Limit::Positive | Limit::Interval => ("not above 0", "give it a value above 0"),
                Limit::NotNegative => ("below 0", "give it 0 or a value above"),
            };
            let drawn = match kinds.len() {
                0 | 1 => "",
                _ => "; a distribution can be cut: clip = [low, high]",
            };
            let mut problem = Problem::new(message, limited.span, note);
            if let Some(table) = self.netlist.populations.get(population) {
                problem = problem.also(table.neuron.span, "these neurons");
            }
            self.problems.push(problem.help(format!("{help}{drawn}")));
        }
    }

    /// The values that the modulators of this neuron begin with.
    pub fn first_modulators(&self) -> Vec<f64> {
        let first = Broadcast::new(self.circuit);
        let modulators = self.numbers.modulators.iter();
        modulators.map(|id| first.values()[id.0 as usize]).collect()
    }

    /// That a current rises faster than it decays.
    pub fn rises_first(
        &mut self,
        (rise, decay): (&ScalarCode, &ScalarCode),
        span: Span,
        kinds: &[Vec<f64>],
    ) {
        let modulators = self.first_modulators();
        let times = kinds.iter().map(|kind| {
            let numbers: Vec<f64> = kind.iter().chain(&modulators).copied().collect();
            (rise.value(&numbers), decay.value(&numbers))
        });
        let late = times.into_iter().find(|(rise, decay)| rise >= decay);
        if let Some((rise, decay)) = late {
            let message = format!("a current rises with {rise} ms and decays with {decay} ms");
            let problem = Problem::new(message, span, "not longer than `rise`");
            let help =
                "make `decay` longer than `rise`; where they are equal, write current = \"alpha\"";
            self.problems.push(problem.help(help));
        }
    }

    /// The pieces of membranes.
    pub fn limit_membranes(&mut self, circuit: &Circuit, id: PopulationId) {
        for compartment in &circuit.population(id).compartments {
            let Some(membrane) = &compartment.membrane else {
                continue;
            };
            let name = &compartment.name;
            let what = |piece: &str| format!("the {piece} of `{name}`");
            self.limited(
                &membrane.capacitance,
                Dimension::CAPACITANCE,
                &what("capacitance"),
                Limit::Positive,
            );
            self.limited(
                &membrane.leak,
                Dimension::CONDUCTANCE,
                &what("leak"),
                Limit::NotNegative,
            );
            if let Some(coupling) = &membrane.couples {
                self.limited(
                    &coupling.by,
                    Dimension::CONDUCTANCE,
                    &what("coupling"),
                    Limit::NotNegative,
                );
            }
        }
    }

    /// That there is room for all variables and plateaus.
    pub fn check_size(&mut self, circuit: &Circuit, id: PopulationId, variables: usize) {
        let population = circuit.population(id);
        let Some(spiking) = &population.spiking else {
            return;
        };
        let model = &population.neuron;
        if let Some(beyond) = spiking.plateaus.get(MOST_PLATEAUS) {
            let count = spiking.plateaus.len();
            let message =
                format!("neuron model `{model}` has {count} plateaus, the most is {MOST_PLATEAUS}");
            let problem = Problem::new(message, beyond.when.span, "one too many");
            let help = "make a neuron of fewer branches, or let branches share a plateau";
            self.problems.push(problem.help(help));
        }
        if variables > MOST_VARIABLES {
            let message = format!(
                "neurons of `{}` have {variables} variables, compartments and the states of receptors in use \
                 together; the most is {MOST_VARIABLES}",
                population.name
            );
            let problem = Problem::new(message, spiking.span, "too large a neuron");
            let help = "an exponential current has one state on each compartment, an alpha or double-exponential \
                        one two: use fewer compartments or receptors";
            self.problems.push(problem.help(help));
        }
    }

    /// That a spike without refractoriness ends below the threshold, where that is certain beforehand.
    pub fn check_reset(
        &mut self,
        circuit: &Circuit,
        id: PopulationId,
        mut instances: impl Iterator<Item = Instance>,
    ) {
        let population = circuit.population(id);
        let Some(spiking) = &population.spiking else {
            return;
        };
        if instances.any(|instance| spikes_for_ever(&instance)) {
            let message = format!(
                "a spike of `{}` leaves it above its threshold, so that it spikes again at once, without end",
                population.name
            );
            let problem = Problem::new(message, spiking.span, "reset above the threshold");
            let help = "let `reset` bring it below the threshold, or give it a `refractory` time";
            self.problems.push(problem.help(help));
        }
    }
}

/// Whether a neuron spikes again and again at one time, whatever its state: all that its threshold reads is reset to
/// constants that are above it.
fn spikes_for_ever(instance: &Instance) -> bool {
    let Trigger::Threshold(threshold) = &instance.trigger else {
        return false;
    };
    if instance.refractory > 0 {
        return false;
    }
    let after = |variable: usize| {
        let set = instance.reset.iter().find(|(v, _)| *v == variable)?;
        let added = instance.add.iter().find(|(v, _)| *v == variable);
        let constant = set.1.row.is_empty() && added.is_none_or(|(_, add)| add.row.is_empty());
        constant.then(|| set.1.constant + added.map_or(0.0, |(_, add)| add.constant))
    };
    let terms = threshold.row.iter();
    let sum: Option<f64> = terms
        .map(|(variable, factor)| after(*variable).map(|value| factor * value))
        .sum();
    sum.is_some_and(|sum| sum + threshold.constant >= 0.0)
}
