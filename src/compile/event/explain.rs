//! What the compiler made of an event circuit, for people and programs: the `check` command.

use std::fmt::Write as _;

use serde::Serialize;

use super::program::{EventProgram, NeuronProgram};
use crate::engine::event::time::{NEVER, to_ms};
use crate::plasticity::PlasticRule;

/// What the compiler made of a circuit of spiking neurons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventExplanation {
    /// Name of the circuit.
    pub circuit: String,
    /// Engine that runs it.
    pub engine: String,
    /// Neurons.
    pub neurons: usize,
    /// Synapses.
    pub synapses: usize,
    /// Memory of neurons and synapses while it runs (bytes).
    pub bytes: usize,
    /// The shortest delay, which is also the longest window (ms); none without projections.
    pub window_ms: Option<f64>,
    /// Populations.
    pub populations: Vec<EventPopulation>,
    /// Projections.
    pub projections: Vec<EventProjectionExplanation>,
}

/// A population.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventPopulation {
    /// Its name.
    pub name: String,
    /// Neurons.
    pub size: usize,
    /// Neuron model.
    pub neuron: String,
    /// Paper and equations of the model.
    pub source: Option<String>,
    /// How it is solved.
    pub method: String,
    /// Memory of a neuron (bytes).
    pub bytes_each: usize,
}

/// A projection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventProjectionExplanation {
    /// Its name.
    pub name: String,
    /// From where to where.
    pub path: String,
    /// Synapses.
    pub synapses: usize,
    /// Memory of a synapse, tables included (bytes).
    pub bytes_each: f64,
    /// The rule by which it learns.
    pub rule: Option<String>,
    /// How the rule runs, and why.
    pub method: Option<String>,
}

impl EventProgram {
    /// What the analysis found. Nothing is set up for it.
    pub fn explain(&self) -> EventExplanation {
        let circuit = &self.circuit;
        let populations: Vec<EventPopulation> = circuit
            .populations
            .iter()
            .zip(&self.populations)
            .map(|(population, compiled)| EventPopulation {
                name: population.name.clone(),
                size: population.size,
                neuron: population.neuron.clone(),
                source: population.source.clone(),
                method: method(compiled),
                bytes_each: self.neuron_bytes(compiled),
            })
            .collect();
        let projections: Vec<EventProjectionExplanation> = (0..self.projections.len())
            .map(|index| self.explain_projection(index))
            .collect();
        let neurons = populations
            .iter()
            .map(|p| p.size * p.bytes_each)
            .sum::<usize>();
        let synapses = projections
            .iter()
            .map(|p| p.synapses as f64 * p.bytes_each)
            .sum::<f64>();
        EventExplanation {
            circuit: circuit.name.clone(),
            engine: "event".to_owned(),
            neurons: circuit.neurons(),
            synapses: circuit.synapses(),
            bytes: neurons + synapses as usize + self.learning_bytes(),
            window_ms: (self.min_delay != NEVER).then(|| to_ms(self.min_delay)),
            populations,
            projections,
        }
    }
}

/// Memory of what a neuron has if the neurons of its population do not share their parameters (bytes): its linear systems,
/// free and held, solved.
fn own_numbers(neuron: &super::DynamicNeuron) -> usize {
    let n = neuron.variables();
    match neuron.kinds() {
        0 | 1 => 0,
        _ => 2 * (8 * (4 * n * n + 12 * n) + 600) + 8 * (n * n + 4 * n) + 400,
    }
}

fn method(compiled: &NeuronProgram) -> String {
    match compiled {
        NeuronProgram::Source(source) if source.is_random() => {
            "a random source; next spike drawn".to_owned()
        }
        NeuronProgram::Source(_) => "a source; its times are known".to_owned(),
        NeuronProgram::Dynamic(neuron) => format!(
            "linear with constant coefficients: {} variables, exact between events; {}",
            neuron.variables(),
            if neuron.escapes() {
                "spikes at random, by thinning"
            } else {
                "threshold crossings found without a step"
            }
        ),
    }
}

impl EventExplanation {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}: {} neurons, {} synapses, {:.1} MiB; {} engine, time in picoseconds",
            self.circuit,
            self.neurons,
            self.synapses,
            self.bytes as f64 / (1 << 20) as f64,
            self.engine
        );
        if let Some(window) = self.window_ms {
            let _ = writeln!(
                text,
                "shortest delay {window} ms: threads meet once in that time"
            );
        }
        for p in &self.populations {
            let source = p
                .source
                .as_ref()
                .map(|s| format!(" ({s})"))
                .unwrap_or_default();
            let _ = writeln!(
                text,
                "\npopulation {}: {} × {}{source}",
                p.name, p.size, p.neuron
            );
            let _ = writeln!(text, "  {}; {} bytes each", p.method, p.bytes_each);
        }
        if !self.projections.is_empty() {
            let _ = writeln!(text, "\nsynapses");
        }
        for p in &self.projections {
            let _ = writeln!(
                text,
                "  {}: {}, {} synapses, {:.1} bytes each",
                p.name, p.path, p.synapses, p.bytes_each
            );
            if let (Some(rule), Some(method)) = (&p.rule, &p.method) {
                let _ = writeln!(text, "    learns by {rule}, local; {method}");
            }
        }
        text
    }
}

impl EventProgram {
    fn explain_projection(&self, index: usize) -> EventProjectionExplanation {
        let p = &self.circuit.projections[index];
        let synapses = p.connectivity.count();
        EventProjectionExplanation {
            name: p.name.clone(),
            path: format!(
                "{} → {}",
                self.circuit.population(p.from.population).name,
                self.circuit.compartment_name(p.to)
            ),
            synapses,
            bytes_each: self.synapse_bytes(index) as f64 / synapses.max(1) as f64,
            rule: p.learn.as_ref().map(|l| l.rule.value.clone()),
            method: self.projections[index]
                .rule
                .as_ref()
                .map(|rule| rule.explain().to_owned()),
        }
    }

    /// Memory of a neuron's record (bytes), with its place in the queue and the inbox.
    fn neuron_bytes(&self, compiled: &NeuronProgram) -> usize {
        // A place in the inbox and a list there; an entry of the queue with its places in two heaps, or one of the agenda.
        let around = 4 + 8 + 48;
        around
            + match compiled {
                NeuronProgram::Source(source) => 8 + if source.is_random() { 24 } else { 4 },
                NeuronProgram::Dynamic(neuron) => 8 * neuron.words() + own_numbers(neuron),
            }
    }

    /// Memory of what rules keep of each pre- and postsynaptic neuron (bytes).
    fn learning_bytes(&self) -> usize {
        let size = |id: crate::circuit::PopulationId| self.circuit.population(id).size;
        let of = |p: &super::EventProjection| match &p.rule {
            Some(rule) => {
                let traces = rule.traces();
                8 * (size(p.ends.0) * (traces.pre_len() + 1) + size(p.ends.1) * traces.post_len())
            }
            None => 0,
        };
        self.projections.iter().map(of).sum()
    }

    /// Memory of all synapses of a projection (bytes).
    fn synapse_bytes(&self, index: usize) -> usize {
        use crate::circuit::connect::Connectivity;
        use crate::netlist::model::DistributionKind;
        let p = &self.circuit.projections[index];
        let count = p.connectivity.count();
        let targets = match &p.connectivity {
            // The circuit keeps the list, and the engine one of its own.
            Connectivity::Sparse(sparse) => 8 * sparse.targets.len() + 12 * sparse.offsets.len(),
            _ => 0,
        };
        let given = matches!(&p.connectivity, Connectivity::Sparse(s) if s.weights.is_some());
        let weight = match &p.weight.kind {
            _ if given || p.learn.is_some() => 8,
            DistributionKind::Constant(_) => 0,
            DistributionKind::List(_) => 8,
            _ => 4,
        };
        let delay = match p.spiking.as_ref().map(|s| &s.delay.kind) {
            Some(DistributionKind::Constant(_)) | None => 0,
            _ => 4,
        };
        // Rules that visit all synapses of a neuron need lists of them.
        let lists = |rule: &PlasticRule| match rule {
            PlasticRule::Lazy(_) => 0,
            PlasticRule::General(_) => 8,
        };
        let learned = self.projections[index]
            .rule
            .as_ref()
            .map_or(0, |rule| 8 * rule.synapse_len() + lists(rule));
        targets + count * (weight + delay + learned)
    }
}
