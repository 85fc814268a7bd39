//! Inputs in circuits of spiking neurons: sources whose rate reads one.

use super::super::{Circuit, CircuitKind, SourceInput};
use super::Resolver;
use crate::lang;
use crate::netlist::model::{self, Name, SpikeTrigger};
use crate::source::Problem;

impl Resolver<'_> {
    /// The input that the rate of a population's sources reads.
    pub(super) fn source_input(
        &mut self,
        neuron: &model::NeuronModel,
        table: &model::Population,
        size: usize,
        circuit: &Circuit,
    ) -> Option<SourceInput> {
        let rate = match neuron.spike.as_ref().map(|s| &s.trigger) {
            Some(SpikeTrigger::Rate(text)) if neuron.compartments.is_empty() => Some(text),
            _ => None,
        };
        let reading = rate.filter(|rate| self.reads_input(neuron, rate));
        let problem = match (reading, &table.input) {
            (Some(_), Some(name)) => {
                return Some(SourceInput {
                    of: self.feed(name, size, circuit),
                    span: name.span,
                });
            }
            (Some(rate), None) => self.names_no_input(table, rate),
            (None, Some(name)) => no_use(neuron, rate.is_some(), name),
            (None, None) => return None,
        };
        self.problems.push(problem);
        None
    }

    /// Whether a rate reads the input of its population, and nothing else of that name.
    fn reads_input(&self, neuron: &model::NeuronModel, rate: &model::Expression) -> bool {
        let other = neuron.parameters.contains_key("input")
            || self.netlist.modulators.contains_key("input")
            || self.netlist.constants.contains_key("input");
        let tree = lang::parse(&rate.value);
        !other && tree.is_ok_and(|tree| tree.names().iter().any(|name| name == "input"))
    }

    fn names_no_input(&self, table: &model::Population, rate: &model::Expression) -> Problem {
        let message = format!(
            "population `{}` does not say which input its neurons read",
            table.name.value
        );
        let mut known: Vec<&str> = self.netlist.inputs.keys().map(String::as_str).collect();
        if known.is_empty() {
            known.push("world");
        }
        Problem::new(message, table.neuron.span, "reads an input")
            .also(rate.span, "here")
            .help(format!(
                "write input = \"{}\"",
                known.join("\" or input = \"")
            ))
    }

    /// Inputs move on with the steps of the circuit.
    pub(super) fn inputs_have_steps(&mut self, circuit: &Circuit) {
        let Some(input) = self.netlist.inputs.values().next() else {
            return;
        };
        if circuit.kind == CircuitKind::Event && circuit.step.is_none() {
            let name = &input.name.value;
            let message =
                format!("input `{name}` gives values once a step, the circuit has no step");
            let problem = Problem::new(message, input.name.span, "this input");
            self.problems
                .push(problem.help("write `step = \"1 ms\"` in [circuit]"));
        }
    }
}

/// That a population names an input which its neurons do not read.
fn no_use(neuron: &model::NeuronModel, random: bool, name: &Name) -> Problem {
    let model = &neuron.name.value;
    let (message, help) = match (random, neuron.compartments.first()) {
        (true, _) => (
            format!("the rate of neuron model `{model}` does not read `input`"),
            "leave it out, or use a model whose rate reads it, such as `rate-coded` of `use = [\"sources\"]`"
                .to_owned(),
        ),
        (false, Some((compartment, _))) if neuron.spike.is_none() => (
            format!("neuron model `{model}` is no source of spikes"),
            format!("name the input of a compartment: {compartment}.input = \"{}\"", name.value),
        ),
        _ => (
            format!("neuron model `{model}` is no source whose rate could read an input"),
            "write for example neuron = \"rate-coded\", with `use = [\"sources\"]`".to_owned(),
        ),
    };
    Problem::new(message, name.span, "not needed").help(help)
}
