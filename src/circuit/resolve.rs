//! Netlist to circuit: every name is looked up, every size compared.

use std::collections::HashMap;

use petgraph::graph::DiGraph;

use super::connect::connect;
use super::{
    Circuit, Compartment, CompartmentId, Input, InputId, Modulator, Population, PopulationId,
    Projection, ProjectionId,
};
use crate::input::DataPaths;
use crate::netlist::model::{self, Name, Netlist};
use crate::source::{Problem, suggest};
use crate::units::Dimension;

impl Circuit {
    /// Resolves a netlist; `paths` is where its files are looked for. Problems come with the circuit that
    /// is left without what they broke.
    pub fn build(netlist: &Netlist, paths: &DataPaths) -> (Circuit, Vec<Problem>) {
        let mut resolver = Resolver {
            netlist,
            paths,
            problems: Vec::new(),
        };
        let circuit = resolver.circuit();
        (circuit, resolver.problems)
    }
}

struct Resolver<'n> {
    netlist: &'n Netlist,
    paths: &'n DataPaths,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn circuit(&mut self) -> Circuit {
        let table = &self.netlist.circuit;
        let mut circuit = Circuit {
            name: table.name.value.clone(),
            seed: table.seed,
            step: table.step.value,
            replicas: table.replicas.value as usize,
            constants: self
                .netlist
                .constants
                .iter()
                .map(|(name, constant)| (name.clone(), constant.value))
                .collect(),
            populations: vec![],
            projections: vec![],
            modulators: self.modulators(),
            inputs: vec![],
            graph: DiGraph::new(),
            left_out: vec![],
        };
        circuit.inputs = self
            .netlist
            .inputs
            .iter()
            .filter_map(|(name, input)| self.input(name, input))
            .collect();
        for (name, population) in &self.netlist.populations {
            if let Some(population) = self.population(name, population, &circuit) {
                circuit
                    .graph
                    .add_node(PopulationId(circuit.populations.len() as u32));
                circuit.populations.push(population);
            }
        }
        let inputs = self
            .netlist
            .inputs
            .keys()
            .filter(|n| circuit.input_named(n).is_none());
        let populations = self
            .netlist
            .populations
            .keys()
            .filter(|n| circuit.population_named(n).is_none());
        circuit.left_out = inputs.chain(populations).cloned().collect();
        let mut units = HashMap::new();
        for (name, projection) in &self.netlist.projections {
            if let Some(projection) = self.projection(name, projection, &circuit) {
                self.drive_unit(&mut circuit, &mut units, &projection);
                let id = ProjectionId(circuit.projections.len() as u32);
                let ends = [projection.from, projection.to].map(|c| c.population.0.into());
                circuit.graph.add_edge(ends[0], ends[1], id);
                circuit.projections.push(projection);
            }
        }
        circuit
    }

    fn modulators(&self) -> Vec<Modulator> {
        let make = |(name, m): (&String, &model::Modulator)| Modulator {
            name: name.clone(),
            drive: m.drive.clone(),
            start: m.start,
        };
        self.netlist.modulators.iter().map(make).collect()
    }

    fn input(&mut self, name: &str, input: &model::Input) -> Option<Input> {
        let (size, latent) = match &input.process {
            model::InputProcess::LatentAr1 { size, latent, .. } => {
                (size.value as usize, Some(latent.value as usize))
            }
            model::InputProcess::LogMel(mel) => (mel.channels as usize, None),
            model::InputProcess::Array { file, .. } => {
                match crate::input::array_width(&self.paths.find(&file.value)) {
                    Ok(size) => (size, None),
                    Err(error) => {
                        self.problems
                            .push(Problem::new(error.to_string(), file.span, "this file"));
                        return None;
                    }
                }
            }
        };
        Some(Input {
            name: name.to_owned(),
            size,
            latent,
            process: input.process.clone(),
        })
    }

    fn population(
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
                self.compartment(model, table.compartments.get(name), size, circuit)
            })
            .collect();
        let (name, source) = (name.to_owned(), neuron.source.clone());
        Some(Population {
            name,
            size,
            neuron: neuron.name.value.clone(),
            source,
            parameters,
            compartments,
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
                .filter_map(|i| self.input_id(i, size, circuit))
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

    fn input_id(&mut self, name: &Name, size: usize, circuit: &Circuit) -> Option<InputId> {
        let Some(id) = circuit.input_named(&name.value) else {
            if !self.netlist.inputs.contains_key(&name.value) {
                self.unknown("there is no input", name, self.netlist.inputs.keys(), None);
            }
            return None;
        };
        let given = circuit.inputs[id.0 as usize].size;
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
        Some(id)
    }

    fn projection(
        &mut self,
        name: &str,
        table: &model::Projection,
        circuit: &Circuit,
    ) -> Option<Projection> {
        let from = self.end(&table.from, Some("soma"), circuit);
        let to = self.end(&table.to, None, circuit);
        let (from, to) = (from?, to?);
        let sizes = (
            circuit.population(from.population).size,
            circuit.population(to.population).size,
        );
        if table.connect.value == model::Connect::AllToAll && sizes.0 as u64 * sizes.1 as u64 > MOST
        {
            let message = format!("{} × {} synapses do not fit into memory", sizes.0, sizes.1);
            let problem = Problem::new(message, table.to.span, "too many synapses");
            self.problems
                .push(problem.help("connect fewer: connect = { in-degree = 100 }, say"));
            return None;
        }
        let mut stream = crate::random::stream(circuit.seed, &format!("connect {name}"), 0);
        let connectivity = match connect(
            &table.connect.value,
            sizes,
            &mut stream,
            &self.paths.netlist,
        ) {
            Ok(connectivity) => connectivity,
            Err(error) => {
                self.problems.push(Problem::new(
                    error.to_string(),
                    table.connect.span,
                    "this pattern",
                ));
                return None;
            }
        };
        self.list_fits(&table.weight, connectivity.count());
        Some(Projection {
            name: name.to_owned(),
            from,
            to,
            delay: circuit.steps(table.delay.value, 0) as usize,
            connectivity,
            pattern: table.connect.value.clone(),
            weight: table.weight.clone(),
            within: table.within.clone(),
            learn: table.learn.clone(),
            span: table.to.span,
        })
    }

    /// The compartment that one end of a projection names.
    fn end(
        &mut self,
        name: &Name,
        default: Option<&str>,
        circuit: &Circuit,
    ) -> Option<CompartmentId> {
        let (population, compartment) = match name.value.split_once('.') {
            Some((population, compartment)) => (population, Some(compartment)),
            None => (name.value.as_str(), default),
        };
        let Some(id) = circuit.population_named(population) else {
            if !self.netlist.populations.contains_key(population) {
                let at = Name::new(population.to_owned(), name.span.part(0, population.len()));
                self.unknown(
                    "there is no population",
                    &at,
                    self.netlist.populations.keys(),
                    None,
                );
            }
            return None;
        };
        let known = || {
            circuit
                .population(id)
                .compartments
                .iter()
                .map(|c| c.name.as_str())
        };
        let Some(compartment) = compartment else {
            let options: Vec<String> = known().map(|c| format!("`{population}.{c}`")).collect();
            let problem = Problem::new(
                format!("`{population}` is a population; synapses sit on one of its compartments"),
                name.span,
                "which compartment?",
            );
            self.problems
                .push(problem.help(format!("write one of {}", options.join(", "))));
            return None;
        };
        let found = circuit.compartment_named(id, compartment);
        if found.is_none() {
            let at = Name::new(
                compartment.to_owned(),
                name.span.part(population.len() + 1, name.value.len()),
            );
            let problem = Problem::new(
                format!("population `{population}` has no compartment `{compartment}`"),
                at.span,
                "unknown compartment",
            );
            let help = suggest(compartment, known().collect::<Vec<_>>());
            self.problems.push(Problem { help, ..problem });
        }
        found
    }

    /// All that adds to one drive has one unit: that of the first projection, unless a bias has set it.
    fn drive_unit(
        &mut self,
        circuit: &mut Circuit,
        units: &mut HashMap<CompartmentId, Dimension>,
        projection: &Projection,
    ) {
        let given = projection.weight.dimension * circuit.compartment(projection.from).unit;
        if is_bare_zero(&projection.weight) {
            return;
        }
        let to = projection.to;
        let has_bias = circuit
            .compartment(to)
            .bias
            .as_ref()
            .is_some_and(|b| !is_bare_zero(&b.start));
        let known = units
            .get(&to)
            .copied()
            .or(has_bias.then_some(circuit.compartment(to).drive_unit));
        match known {
            Some(unit) if unit != given => {
                let name = circuit.compartment_name(to);
                let message = format!(
                    "the drive of `{name}` is {}, these synapses give what is {}",
                    unit.in_words(),
                    given.in_words()
                );
                let needed = (unit / circuit.compartment(projection.from).unit).in_words();
                let problem = Problem::new(message, projection.weight.span, "units clash").help(format!(
                    "give a weight that is {needed}, to go with the other synapses or the bias there"
                ));
                self.problems.push(problem);
            }
            _ => {
                units.insert(to, given);
                circuit.populations[to.population.0 as usize].compartments[to.index as usize]
                    .drive_unit = given;
            }
        }
    }

    fn list_fits(&mut self, distribution: &model::Distribution, size: usize) {
        if let model::DistributionKind::List(values) = &distribution.kind
            && values.len() != size
        {
            let message = format!(
                "{size} numbers are needed here, the list has {}",
                values.len()
            );
            self.problems
                .push(Problem::new(message, distribution.span, "wrong length"));
        }
    }

    fn unknown<'a>(
        &mut self,
        what: &str,
        name: &Name,
        known: impl Iterator<Item = &'a String>,
        also: Option<&str>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        let help = match (suggest(&name.value, known), also) {
            (Some(known), Some(also)) if known.starts_with("known") => {
                Some(format!("{known}; or {also}"))
            }
            (near, also) => near.or(also.map(str::to_owned)),
        };
        let problem = Problem::new(
            format!("{what} `{}`", name.value),
            name.span,
            "unknown name",
        );
        self.problems.push(Problem { help, ..problem });
    }
}

/// Names that every equation has.
const RESERVED: [&str; 4] = ["drive", "noise", "f", "x"];

/// Neurons in a population, and synapses in a projection: more would not fit into any memory.
const MOST: u64 = 1_000_000_000;

/// Whether a distribution is a plain 0, which goes with every unit.
fn is_bare_zero(distribution: &model::Distribution) -> bool {
    distribution.dimension.is_none()
        && matches!(distribution.kind, model::DistributionKind::Constant(v) if v.abs() <= 0.0)
}
