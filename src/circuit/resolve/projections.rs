//! Projections: their ends, units and connections.

use std::collections::HashMap;

use super::super::connect::{Connectivity, connect};
use super::super::grid::shaped;
use super::super::{Circuit, CircuitKind, CompartmentId, PopulationId, Projection};
use super::{MOST, Resolver, is_bare_zero};
use crate::lang::FARTHEST;
use crate::netlist::model::{self, Delay, Name, Precision};
use crate::source::{Problem, suggest};
use crate::units::Dimension;

/// Bytes of a connection while connections are drawn: the pair, and its place in the list that is made of it.
const BYTES_DRAWN: f64 = 12.0;

/// What to say of connections that are to be drawn and do not fit into memory.
fn too_many(pattern: &model::Connect, (pre, post): (usize, usize)) -> Option<String> {
    let synapses = match pattern {
        model::Connect::Probability(p) => p * pre as f64 * post as f64,
        model::Connect::InDegree(degree) => *degree as f64 * post as f64,
        model::Connect::OutDegree(degree) => *degree as f64 * pre as f64,
        model::Connect::Total { count, .. } => *count as f64,
        model::Connect::Distance(distance) => distance.share() * pre as f64 * post as f64,
        _ => return None,
    };
    let needed = synapses * BYTES_DRAWN / f64::from(1 << 20);
    // Offsets are 32-bit numbers.
    let countable = synapses < f64::from(u32::MAX);
    match crate::record::available_memory_mib() {
        Some(available) if needed > available => Some(format!(
            "{synapses:.2e} synapses need {needed:.0} MiB of memory, this machine has {available:.0} MiB left"
        )),
        _ if !countable => Some(format!(
            "{synapses:.2e} synapses are more than a projection may have"
        )),
        _ => None,
    }
}

impl Resolver<'_> {
    pub(super) fn projection(
        &mut self,
        name: &str,
        table: &model::Projection,
        circuit: &Circuit,
    ) -> Option<Projection> {
        let from = match circuit.kind {
            CircuitKind::Rate => self.end(&table.from, Some("soma"), circuit),
            CircuitKind::Event => self.spiking_source(&table.from, circuit),
        };
        let to = self.end(&table.to, None, circuit);
        let (from, to) = (from?, to?);
        let spiking = match circuit.kind {
            CircuitKind::Rate => None,
            CircuitKind::Event => Some(self.spiking_ends(table, from, to, circuit)?),
        };
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
        if let Some(message) = too_many(&table.connect.value, sizes) {
            let problem = Problem::new(message, table.connect.span, "too many synapses");
            let help = "make the populations smaller, or connect fewer: connect = { in-degree = 100 }, say";
            self.problems.push(problem.help(help));
            return None;
        }
        let connectivity = self.connectivity(name, table, (from, to), circuit)?;
        self.list_fits(&table.weight, connectivity.weights());
        if let Some(spiking) = &spiking {
            self.list_fits(&spiking.delay, connectivity.count());
        }
        Some(Projection {
            name: name.to_owned(),
            from,
            to,
            delay: match circuit.kind {
                CircuitKind::Rate => self.steps_of_delay(table, circuit),
                CircuitKind::Event => 0,
            },
            connectivity,
            pattern: table.connect.value.clone(),
            weight: self.weight(table).clone(),
            transpose_of: None,
            precision: self.precision(table, circuit),
            within: table.within.clone(),
            learn: table.learn.clone(),
            spiking,
            span: table.to.span,
        })
    }

    /// Only matrices are kept in single precision: elsewhere it would gain little.
    fn precision(&mut self, table: &model::Projection, circuit: &Circuit) -> Precision {
        let fits = matches!(
            table.connect.value,
            model::Connect::AllToAll | model::Connect::Convolution(_)
        );
        let Some(precision) = &table.precision else {
            return match fits {
                true => circuit.precision,
                false => Precision::Double,
            };
        };
        if precision.value == Precision::Double && circuit.precision == Precision::Single {
            let message = "the whole circuit is in single precision";
            let problem = Problem::new(message, precision.span, "not in double precision");
            let help = "leave this line out, or write `precision = \"single\"` at projections instead of at `[circuit]`";
            self.problems.push(problem.help(help));
        }
        if precision.value == Precision::Single && !fits {
            let message = "only all-to-all projections and convolutions have single precision";
            let problem = Problem::new(message, precision.span, "not with this pattern");
            let help = "leave `precision` out, or connect all to all";
            self.problems.push(problem.help(help));
        }
        precision.value
    }

    /// Which neurons a projection connects.
    fn connectivity(
        &mut self,
        name: &str,
        table: &model::Projection,
        (from, to): (CompartmentId, CompartmentId),
        circuit: &Circuit,
    ) -> Option<Connectivity> {
        let (from, to) = (
            circuit.population(from.population),
            circuit.population(to.population),
        );
        let pattern = &table.connect;
        match shaped(&pattern.value, from, to) {
            Ok(Some(_)) if circuit.kind == CircuitKind::Event => {
                let message = "only rate circuits have convolutions and windows";
                let problem = Problem::new(message, pattern.span, "between spiking neurons");
                let help = "list the connections in a file: connect = { edges = \"edges.csv\" }";
                self.problems.push(problem.help(help));
                return None;
            }
            Ok(Some(shaped)) => return Some(shaped.into()),
            Ok(None) => {}
            Err((message, help)) => {
                let problem = Problem::new(message, pattern.span, "this pattern");
                self.problems.push(problem.help(help));
                return None;
            }
        }
        if let model::Connect::Distance(distance) = &pattern.value {
            return self.near(name, table, distance, (&from.name, &to.name), circuit.seed);
        }
        let mut stream = crate::random::stream(circuit.seed, &format!("connect {name}"), 0);
        let sizes = (from.size, to.size);
        match connect(&pattern.value, sizes, &mut stream, &self.paths.netlist) {
            Ok(connectivity) => Some(connectivity),
            Err(error) => {
                let problem = Problem::new(error.to_string(), pattern.span, "this pattern");
                self.problems.push(problem);
                None
            }
        }
    }

    /// The weights that a projection starts with: its own, or those of the projection whose transpose it has.
    fn weight<'t>(&'t self, table: &'t model::Projection) -> &'t model::Distribution {
        let other = table.transpose_of.as_ref();
        let other = other.and_then(|name| self.netlist.projections.get(&name.value));
        &other.unwrap_or(table).weight
    }

    /// The delay of a rate circuit's projection, in steps.
    fn steps_of_delay(&mut self, table: &model::Projection, circuit: &Circuit) -> usize {
        match &table.delay {
            None => 0,
            Some(delay) => match &delay.value {
                Delay::Same(value) => {
                    let steps = circuit.steps(*value, 0);
                    if steps > u64::from(FARTHEST) {
                        let message = format!("a delay of {steps} steps is too long");
                        let problem = Problem::new(message, delay.span, "too long");
                        let help = format!("at most {FARTHEST} steps");
                        self.problems.push(problem.help(help));
                        return 0;
                    }
                    steps as usize
                }
                Delay::Drawn(_) => {
                    let message = "in a rate circuit all synapses of a projection have one delay";
                    let problem = Problem::new(message, delay.span, "one for each synapse");
                    self.problems
                        .push(problem.help("write for example `delay = 1`, in steps"));
                    0
                }
            },
        }
    }

    /// The population that one end of a projection, `name`, begins with.
    pub(super) fn end_population(
        &mut self,
        population: &str,
        name: &Name,
        circuit: &Circuit,
    ) -> Option<PopulationId> {
        let found = circuit.population_named(population);
        if found.is_none() && !self.netlist.populations.contains_key(population) {
            let at = Name::new(population.to_owned(), name.span.part(0, population.len()));
            self.unknown(
                "there is no population",
                &at,
                self.netlist.populations.keys(),
                None,
            );
        }
        found
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
        let id = self.end_population(population, name, circuit)?;
        let known = || {
            circuit
                .population(id)
                .compartments
                .iter()
                .map(|c| c.name.as_str())
        };
        if circuit.population(id).compartments.is_empty() {
            self.source_as_target(name, circuit.population(id));
            return None;
        }
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
    pub(super) fn drive_unit(
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
}
