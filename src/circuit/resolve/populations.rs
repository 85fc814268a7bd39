//! Populations: their parameters and compartments.

use super::super::grid::Grid;
use super::super::{Circuit, Compartment, InputId, Output, Population};
use super::{MOST, RESERVED, Resolver, is_bare_zero};
use crate::netlist::model::{self, Name};
use crate::source::Problem;

impl Resolver<'_> {
    pub(super) fn population(
        &mut self,
        name: &str,
        table: &model::Population,
        circuit: &Circuit,
    ) -> Option<Population> {
        let Some(neuron) = self.netlist.neurons.get(&table.neuron.value) else {
            self.unknown(
                "there is no neuron model",
                &table.neuron,
                self.netlist.neurons.keys(),
                Some("name the library file that has it in `use`"),
            );
            return None;
        };
        if table.size.value > MOST {
            let problem = Problem::new(
                format!(
                    "a population of {} neurons does not fit into memory",
                    table.size.value
                ),
                table.size.span,
                "too large",
            );
            self.problems.push(problem.help(format!("at most {MOST}")));
            return None;
        }
        let size = table.size.value as usize;
        let parameters = self.parameters(neuron, table);
        for compartment in table.compartments.values() {
            if !neuron.compartments.contains_key(&compartment.name.value) {
                let what = format!("neuron model `{}` has no compartment", neuron.name.value);
                self.unknown(&what, &compartment.name, neuron.compartments.keys(), None);
            }
        }
        let compartments = neuron
            .compartments
            .iter()
            .map(|(name, model)| {
                let compartment =
                    self.compartment(model, table.compartments.get(name), size, circuit);
                match neuron.spike {
                    Some(_) => self.spiking_compartment(compartment),
                    None => compartment,
                }
            })
            .collect();
        let spiking = self.spiking(neuron, table, size, circuit);
        let (name, source) = (name.to_owned(), neuron.source.clone());
        Some(Population {
            name,
            size,
            grid: table.shape.as_ref().and_then(|shape| {
                let shape: Vec<usize> = shape.iter().map(|n| *n as usize).collect();
                Grid::new(&shape)
            }),
            neuron: neuron.name.value.clone(),
            source,
            parameters,
            compartments,
            spiking,
        })
    }

    /// The model's defaults with the population's own values put over them.
    fn parameters(
        &mut self,
        neuron: &model::NeuronModel,
        table: &model::Population,
    ) -> indexmap::IndexMap<String, model::Distribution> {
        let default = |q: &crate::source::Spanned<crate::units::Quantity>| model::Distribution {
            kind: model::DistributionKind::Constant(q.value.value),
            dimension: q.value.dimension,
            clip: None,
            span: q.span,
        };
        let mut parameters: indexmap::IndexMap<_, _> = neuron
            .parameters
            .iter()
            .map(|(name, q)| (name.clone(), default(q)))
            .collect();
        for (name, quantity) in &neuron.parameters {
            if RESERVED.contains(&name.as_str()) || neuron.compartments.contains_key(name) {
                let message = format!(
                    "a parameter cannot be called `{name}`: that name means something else in an equation"
                );
                self.problems
                    .push(Problem::new(message, quantity.span, "this parameter"));
            }
        }
        for (name, (span, value)) in &table.parameters {
            match parameters.get_mut(name) {
                Some(known) if known.dimension != value.dimension && !is_bare_zero(value) => {
                    let message = format!(
                        "parameter `{name}` is {}, this is {}",
                        known.dimension.in_words(),
                        value.dimension.in_words()
                    );
                    let problem = Problem::new(message, value.span, "units clash")
                        .also(known.span, "the model's own value")
                        .help("give it the unit of the model's own value");
                    self.problems.push(problem);
                }
                Some(known) => *known = value.clone(),
                None => {
                    let at = Name::new(name.clone(), *span);
                    let what = format!("neuron model `{}` has no parameter", neuron.name.value);
                    self.unknown(&what, &at, neuron.parameters.keys(), None);
                }
            }
            self.list_fits(value, table.size.value as usize);
        }
        parameters
    }

    fn compartment(
        &mut self,
        model: &model::CompartmentModel,
        table: Option<&model::CompartmentTable>,
        size: usize,
        circuit: &Circuit,
    ) -> Compartment {
        let start = table
            .and_then(|t| t.start.clone())
            .or_else(|| model.start.clone());
        let bias = table.and_then(|t| t.bias.clone());
        for distribution in start.iter().chain(bias.iter().map(|b| &b.start)) {
            self.list_fits(distribution, size);
        }
        let inputs = table.map_or(vec![], |t| {
            t.inputs
                .iter()
                .filter_map(|i| self.feed(i, size, circuit))
                .collect()
        });
        let bounds = model
            .within
            .as_ref()
            .map(|w| w.dimension)
            .filter(|d| !d.is_none());
        let unit = start
            .as_ref()
            .map(|s| s.dimension)
            .filter(|d| !d.is_none())
            .or(bounds)
            .unwrap_or_default();
        Compartment {
            name: model.name.value.clone(),
            dynamics: model.dynamics.clone(),
            membrane: model.membrane.clone(),
            activation: table
                .and_then(|t| t.activation.clone())
                .or_else(|| model.activation.clone()),
            within: model.within.clone(),
            start,
            inputs,
            drive_unit: bias.as_ref().map(|b| b.start.dimension).unwrap_or_default(),
            bias,
            unit,
        }
    }

    /// The output of an input that a compartment or a source of spikes names: `world`, or `digits.label`.
    pub(super) fn feed(
        &mut self,
        name: &Name,
        size: usize,
        circuit: &Circuit,
    ) -> Option<(InputId, Output)> {
        let (first, rest) = match name.value.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (name.value.as_str(), None),
        };
        let Some(id) = circuit.input_named(first) else {
            if !self.netlist.inputs.contains_key(first) {
                self.unknown("there is no input", name, self.netlist.inputs.keys(), None);
            }
            return None;
        };
        let input = &circuit.inputs[id.0 as usize];
        let output = rest.map_or(Some(Output::Values), Output::named);
        let Some((output, given)) = output.and_then(|o| Some((o, input.output(o)?))) else {
            let names: Vec<String> = input.names().collect();
            self.unknown("there is no output", name, names.iter(), None);
            return None;
        };
        if given != size {
            let message = format!(
                "input `{}` has {given} values a step, the population has {size} neurons",
                name.value
            );
            let help = format!("give the population size = {given}, or the input {size} values");
            self.problems
                .push(Problem::new(message, name.span, "sizes differ").help(help));
            return None;
        }
        Some((id, output))
    }
}
