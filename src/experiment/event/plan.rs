//! What of an event circuit is recorded: names looked up.

use super::measures::{self, TimedMeasure};
use crate::circuit::{Circuit, Input, InputId, Output};
use crate::engine::event::time::from_ms;
use crate::experiment::probes::during;
use crate::netlist::model::{Duration, Name, Netlist, Recording, RecordingKind};
use crate::source::{Problem, suggest};

/// All recordings.
#[derive(Debug, Clone, Default)]
pub struct EventRecordings {
    /// Populations whose spikes are recorded, each with the stages in which they are; all stages if empty.
    pub spikes: Vec<(usize, Vec<String>)>,
    /// Traces.
    pub traces: Vec<TimedTrace>,
    /// Weights.
    pub weights: Vec<TimedWeights>,
}

impl EventRecordings {
    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.spikes.is_empty() && self.traces.is_empty() && self.weights.is_empty()
    }

    /// What of inputs is recorded.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (InputId, Output)> {
        self.traces.iter().filter_map(|trace| match trace.of {
            Traced::Input { input, output, .. } => Some((input, output)),
            _ => None,
        })
    }
}

/// A recorded trace.
#[derive(Debug, Clone)]
pub struct TimedTrace {
    /// Its name.
    pub name: String,
    /// What is recorded.
    pub of: Traced,
    /// Time between samples (ps).
    pub every: i64,
    /// In which stages; all if empty.
    pub during: Vec<String>,
}

/// What a trace is of.
#[derive(Debug, Clone)]
pub enum Traced {
    /// A compartment of some neurons.
    Compartment {
        /// The population.
        population: usize,
        /// The compartment.
        variable: usize,
        /// The neurons.
        neurons: Vec<usize>,
    },
    /// A modulator.
    Modulator(usize),
    /// Numbers that an input gives.
    Input {
        /// The input.
        input: InputId,
        /// Which of its outputs.
        output: Output,
        /// Which numbers of it.
        elements: Vec<usize>,
    },
}

/// Recorded weights.
#[derive(Debug, Clone)]
pub struct TimedWeights {
    /// The name.
    pub name: String,
    /// The projection.
    pub projection: usize,
    /// Time between samples (ps).
    pub every: i64,
    /// In which stages; all if empty.
    pub during: Vec<String>,
}

/// Looks up all recordings and measures of a netlist.
pub(super) fn recordings(
    netlist: &Netlist,
    circuit: &Circuit,
    problems: &mut Vec<Problem>,
) -> (EventRecordings, Vec<TimedMeasure>) {
    let mut planner = Planner {
        netlist,
        circuit,
        problems,
        planned: EventRecordings::default(),
    };
    for recording in &netlist.recordings {
        planner.recording(recording);
    }
    let mut found = Vec::new();
    for measure in netlist.measures.values() {
        let during = planner.during(&measure.during);
        match measures::compile(measure, during, circuit) {
            Ok(measure) => found.push(measure),
            Err(more) => planner.problems.extend(more),
        }
    }
    (planner.planned, found)
}

struct Planner<'p> {
    netlist: &'p Netlist,
    circuit: &'p Circuit,
    problems: &'p mut Vec<Problem>,
    planned: EventRecordings,
}

impl Planner<'_> {
    fn recording(&mut self, recording: &Recording) {
        let during = self.during(&recording.during);
        let every = match recording.every.value {
            Duration::Time(time) => from_ms(time.value).max(1),
            Duration::Steps(steps) => {
                from_ms(steps as f64 * self.circuit.step_length().value).max(1)
            }
        };
        let name = recording.name.clone();
        match &recording.what {
            RecordingKind::Spikes(names) => {
                for name in names {
                    let known = self.circuit.populations.iter().map(|p| p.name.as_str());
                    match self.circuit.population_named(&name.value) {
                        Some(id) => self.planned.spikes.push((id.0 as usize, during.clone())),
                        None => self.unknown("population", name, known.collect()),
                    }
                }
            }
            RecordingKind::Weights(of) => {
                let known = self.circuit.projections.iter().map(|p| p.name.as_str());
                match self
                    .circuit
                    .projections
                    .iter()
                    .position(|p| p.name == of.value)
                {
                    Some(projection) => {
                        self.planned.weights.push(TimedWeights {
                            name,
                            projection,
                            every,
                            during,
                        });
                    }
                    None => self.unknown("projection", of, known.collect()),
                }
            }
            RecordingKind::Trace { of, elements } => {
                if let Some(of) = self.traced(of, elements.as_deref(), recording) {
                    self.planned.traces.push(TimedTrace {
                        name,
                        of,
                        every,
                        during,
                    });
                }
            }
        }
    }

    /// What a trace is of: a compartment, a modulator or an input.
    fn traced(
        &mut self,
        of: &Name,
        elements: Option<&[u64]>,
        recording: &Recording,
    ) -> Option<Traced> {
        let text = of.value.trim();
        if let Some(id) = self.circuit.modulator_named(text) {
            return Some(Traced::Modulator(id.0 as usize));
        }
        if let Some((input, output, size)) = self.circuit.output_named(text) {
            return Some(Traced::Input {
                input,
                output,
                elements: self.elements(elements, size, recording),
            });
        }
        let (population, compartment) = text.split_once('.').unwrap_or((text, "soma"));
        let found = self
            .circuit
            .population_named(population)
            .and_then(|id| self.circuit.compartment_named(id, compartment));
        let Some(id) = found else {
            let circuit = self.circuit;
            let modulators = circuit.modulators.iter().map(|m| m.name.clone());
            let known: Vec<String> = circuit
                .compartments()
                .map(|id| circuit.compartment_name(id))
                .chain(modulators)
                .chain(circuit.inputs.iter().flat_map(Input::names))
                .collect();
            self.unknown(
                "compartment, modulator or input",
                of,
                known.iter().map(String::as_str).collect(),
            );
            return None;
        };
        let size = self.circuit.population(id.population).size;
        Some(Traced::Compartment {
            population: id.population.0 as usize,
            variable: id.index as usize,
            neurons: self.elements(elements, size, recording),
        })
    }

    /// Which of `size` elements are recorded: all if none are listed.
    fn elements(
        &mut self,
        listed: Option<&[u64]>,
        size: usize,
        recording: &Recording,
    ) -> Vec<usize> {
        let elements: Vec<usize> = match listed {
            Some(list) => list.iter().map(|e| *e as usize).collect(),
            None => (0..size).collect(),
        };
        if let Some(beyond) = elements.iter().find(|e| **e >= size) {
            let message = format!("there is no element {beyond}: they are 0 to {}", size - 1);
            self.problems
                .push(Problem::new(message, recording.span, "in this recording"));
        }
        elements
    }

    fn unknown(&mut self, what: &str, name: &Name, known: Vec<&str>) {
        self.problems
            .extend(unknown(self.circuit, what, name, known));
    }

    fn during(&mut self, names: &[Name]) -> Vec<String> {
        during(self.netlist, names, self.problems)
    }
}

/// That there is no such thing; nothing if what the name means is there, but broken: that has been told.
pub(super) fn unknown(
    circuit: &Circuit,
    what: &str,
    name: &Name,
    known: Vec<&str>,
) -> Option<Problem> {
    let first = name.value.split('.').next();
    if circuit.left_out.iter().any(|n| first == Some(n)) {
        return None;
    }
    let message = format!("there is no {what} `{}`", name.value);
    Some(Problem {
        help: suggest(&name.value, known),
        ..Problem::new(message, name.span, "unknown name")
    })
}
