//! Why a name means nothing in its place, and what to write instead.

use crate::circuit::{CircuitKind, CompartmentId, Input, PopulationId};
use crate::lang::{Refusal, Scope};
use crate::netlist::model::Dynamics;
use crate::source::{nearest, suggest};

use super::reading::Reading;
use super::scope::{Place, PlaceScope};
use super::spiking_rule;

impl PlaceScope<'_> {
    /// Names that a path could have meant, each once.
    fn known(&self) -> Vec<String> {
        let compartments = |population: PopulationId| {
            self.circuit
                .population(population)
                .compartments
                .iter()
                .map(|c| c.name.clone())
                .collect::<Vec<_>>()
        };
        let modulators = self.circuit.modulators.iter().map(|m| m.name.clone());
        let mut known: Vec<String> = match &self.place {
            Place::Equation(own) => {
                let parameters = self
                    .circuit
                    .population(own.population)
                    .parameters
                    .keys()
                    .cloned();
                let fixed = ["drive", "noise"].map(str::to_owned);
                fixed
                    .into_iter()
                    .chain(compartments(own.population))
                    .chain(parameters)
                    .collect()
            }
            Place::Rule {
                target,
                parameters,
                source,
                ..
            } => {
                let fixed = if source.is_some() {
                    &["pre", "post", "dend", "w"][..]
                } else {
                    &["post", "dend", "w"]
                };
                let parameters = parameters
                    .iter()
                    .filter(|(_, v)| v.is_some())
                    .map(|(n, _)| n.clone());
                fixed
                    .iter()
                    .map(|n| (*n).to_owned())
                    .chain(compartments(target.population))
                    .chain(parameters)
                    .collect()
            }
            Place::Neuron { population, time } => {
                let parameters = self.circuit.population(*population).parameters.keys();
                let of_sources = ["t", "input"].into_iter().filter(|_| *time);
                compartments(*population)
                    .into_iter()
                    .chain(parameters.cloned())
                    .chain(of_sources.map(str::to_owned))
                    .collect()
            }
            Place::SpikingRule {
                target, parameters, ..
            } => {
                let given = parameters.iter().filter(|(_, v)| v.is_some());
                spiking_rule::names()
                    .chain(compartments(target.population))
                    .chain(given.map(|(n, _)| n.clone()))
                    .collect()
            }
            Place::Broadcast => {
                let values = self
                    .circuit
                    .compartments()
                    .map(|id| self.circuit.compartment_name(id));
                let projections = self.circuit.projections.iter();
                values
                    .chain(self.circuit.inputs.iter().flat_map(Input::names))
                    .chain(projections.map(|p| format!("{}.current", p.name)))
                    .collect()
            }
        };
        known.extend(modulators);
        known.extend(self.circuit.constants.keys().cloned());
        let mut seen = std::collections::HashSet::new();
        known.retain(|name| seen.insert(name.clone()));
        known
    }

    /// Why a path means nothing here. The message is empty if what it names is there, but broken: that has
    /// been told already.
    pub(super) fn refuse(&self, path: &[String]) -> Refusal {
        let name = path.join(".");
        let first = path.first().map_or("", String::as_str);
        let told = self.circuit.left_out.iter().any(|n| n == first);
        let known = self.known();
        let near = nearest(&name, known.iter().map(String::as_str)).is_some();
        let (message, note, help) = match &self.place {
            _ if told => (String::new(), "", None),
            Place::Rule { parameters, .. } | Place::SpikingRule { parameters, .. }
                if matches!(parameters.get(&name), Some(None)) =>
            {
                (String::new(), "", None)
            }
            Place::SpikingRule { .. } if spiking_rule::hint(path).is_some() => (
                format!("there is no `{name}` in a rule of spiking neurons"),
                "which events?",
                spiking_rule::hint(path),
            ),
            Place::Rule { target, .. } | Place::SpikingRule { target, .. } => {
                match (self.lives(path), self.hint_in_rule(&name, *target)) {
                    (Some(lives), _) => return self.not_local(&name, &lives),
                    (None, Some(hint)) if !near => (
                        format!("there is no `{name}` at a synapse"),
                        "not local",
                        Some(hint),
                    ),
                    _ => self.unknown(&name, &known),
                }
            }
            Place::Equation(own) => match self.lives(path) {
                Some(lives) => self.in_another(&name, &lives, own.population),
                None if name == "noise" => (
                    "there is no white noise in a circuit of spiking neurons".to_owned(),
                    "nothing happens between events",
                    Some(
                        "give the neurons Poisson input: a population of `use = [\"sources\"]`, neuron `poisson`"
                            .to_owned(),
                    ),
                ),
                None if ["pre", "post", "w", "dend"].contains(&name.as_str()) && !near => {
                    let help = "in an equation `drive` is what synapses and inputs add up to";
                    (
                        format!("`{name}` is for rules"),
                        "not in this neuron",
                        Some(help.to_owned()),
                    )
                }
                None => self.unknown(&name, &known),
            },
            Place::Neuron { population, time } => match self.lives(path) {
                // That the population names no input, or a wrong one.
                _ if name == "input" && *time => (String::new(), "", None),
                Some(lives) => self.in_another(&name, &lives, *population),
                None => self.unknown(&name, &known),
            },
            Place::Broadcast => self.unknown(&name, &known),
        };
        Refusal {
            message,
            note: note.to_owned(),
            help,
        }
    }

    /// What is part of another neuron than this.
    fn in_another(
        &self,
        name: &str,
        lives: &str,
        own: PopulationId,
    ) -> (String, &'static str, Option<String>) {
        let model = &self.circuit.population(own).neuron;
        let message = format!("`{name}` is {lives}, which is not part of neuron model `{model}`");
        let help = "what other neurons do arrives through projections (`drive`) or as a modulator";
        (message, "not in this neuron", Some(help.to_owned()))
    }

    /// Why one cannot ask whether something has changed, which may be an input.
    pub(super) fn no_change(&self, name: &str, is_input: bool) -> Refusal {
        let event = self.circuit.kind == CircuitKind::Event;
        if is_input {
            let help = match event {
                true => "give a modulator this value, and read the modulator here".to_owned(),
                false => format!(
                    "it takes a modulator here; an input of images tells it itself: {name}.changed"
                ),
            };
            return Refusal {
                message: format!("`changed` does not look at input `{name}` here"),
                note: "an input".to_owned(),
                help: Some(help),
            };
        }
        let modulators = self.circuit.modulators.iter().map(|m| &m.name);
        let inputs = self.circuit.inputs.iter().map(|i| &i.name);
        let looks = event && matches!(self.place, Place::Broadcast);
        let known = modulators.chain(inputs.filter(|_| looks));
        let what = if looks {
            "modulator or input"
        } else {
            "modulator"
        };
        Refusal {
            message: format!("there is no {what} `{name}`"),
            note: format!("unknown {what}"),
            help: suggest(name, known.map(String::as_str)),
        }
    }

    /// Why `rate` means nothing here.
    pub(super) fn no_rate(&self) -> Refusal {
        let (message, help) = match (&self.place, self.circuit.kind) {
            (_, CircuitKind::Rate) => (
                "`rate` is the firing rate of a population of spiking neurons",
                "this circuit has none: read the population itself, such as mean(latent.soma)",
            ),
            (Place::Rule { .. }, _) => (
                "a rule reads only what is at its synapse, and not a whole population",
                "give a modulator this value, and read the modulator here",
            ),
            _ => (
                "a neuron cannot know the rate of a population by itself",
                "give a modulator this value, and read the modulator here",
            ),
        };
        Refusal {
            message: message.to_owned(),
            note: "not here".to_owned(),
            help: Some(help.to_owned()),
        }
    }

    /// Why there is no rate of something.
    pub(super) fn no_population(&self, name: &str) -> Refusal {
        // What is broken has been told.
        let told = self.circuit.left_out.iter().any(|n| n == name);
        let known = self.circuit.populations.iter().map(|p| p.name.as_str());
        Refusal {
            message: match told {
                true => String::new(),
                false => format!("there is no population `{name}`"),
            },
            note: "unknown population".to_owned(),
            help: suggest(name, known.collect::<Vec<_>>()),
        }
    }

    /// Why `plateau` means nothing here.
    pub(super) fn no_plateau(&self) -> Refusal {
        Refusal {
            message: "`plateau` is for the conditions of a spiking neuron".to_owned(),
            note: "not here".to_owned(),
            help: Some("it can be read in `spike` and `burst` of a neuron model".to_owned()),
        }
    }

    /// Why there is no plateau in something.
    pub(super) fn no_such_plateau(&self, name: &str, own: PopulationId) -> Refusal {
        let population = self.circuit.population(own);
        let with: Vec<&str> = population
            .spiking
            .iter()
            .flat_map(|s| &s.plateaus)
            .filter_map(|p| population.compartments.get(p.compartment as usize))
            .map(|c| c.name.as_str())
            .collect();
        Refusal {
            message: format!(
                "neuron model `{}` has no plateau in `{name}`",
                population.neuron
            ),
            note: "no plateau".to_owned(),
            help: suggest(name, with).or_else(|| {
                let table = "{ when = \"… > -40 mV\", current = \"200 pA\", duration = \"30 ms\" }";
                Some(format!("give it one: plateau.{name} = {table}"))
            }),
        }
    }

    fn unknown(&self, name: &str, known: &[String]) -> (String, &'static str, Option<String>) {
        let help = suggest(name, known.iter().map(String::as_str)).map(|help| {
            let may_be_modulator = help.starts_with("known") && !name.contains('.');
            match &self.place {
                Place::Equation(_)
                | Place::Neuron { .. }
                | Place::Rule { .. }
                | Place::SpikingRule { .. }
                    if may_be_modulator =>
                {
                    format!("{help}; if it is a modulator, declare it: [modulator.{name}]")
                }
                _ => help,
            }
        });
        (format!("there is no `{name}` here"), "unknown name", help)
    }

    /// What to write in a rule instead of names that only equations have.
    fn hint_in_rule(&self, name: &str, target: CompartmentId) -> Option<String> {
        let population = self.circuit.population(target.population);
        match name {
            "drive"
                if matches!(
                    self.circuit.compartment(target).dynamics,
                    Dynamics::Value(_)
                ) =>
            {
                Some(
                    "write `dend` for the drive of the compartment that the synapse sits on"
                        .to_owned(),
                )
            }
            "noise" => Some(
                "add noise to the equation of a compartment; a rule reads the compartment"
                    .to_owned(),
            ),
            _ if population.parameters.contains_key(name) => Some(format!(
                "it is a parameter of neuron model `{}`; a rule has its own: write {name} = … beside its name in `learn`",
                population.neuron
            )),
            _ => None,
        }
    }

    /// Where in the circuit a name that is not here lives, in words.
    fn lives(&self, path: &[String]) -> Option<String> {
        let (first, rest) = path.split_first()?;
        if self.circuit.population_named(first).is_some() {
            return Some(match rest.first() {
                Some(compartment) => format!("the {compartment} of population `{first}`"),
                None => format!("population `{first}`"),
            });
        }
        if self.circuit.input_named(first).is_some() {
            return Some("an input of the circuit".to_owned());
        }
        let (source, target) = match &self.place {
            Place::Rule {
                source: Some(source),
                target,
                ..
            } => (source.population, target),
            Place::SpikingRule { source, target, .. } => (*source, target),
            _ => return None,
        };
        let name = &self.circuit.population(source).name;
        if first == "pre" && !rest.is_empty() {
            return Some(format!(
                "inside the presynaptic neuron (population `{name}`)"
            ));
        }
        let there =
            source != target.population && self.circuit.compartment_named(source, first).is_some();
        there.then(|| format!("a compartment of the presynaptic neuron (population `{name}`)"))
    }

    fn not_local(&self, name: &str, lives: &str) -> Refusal {
        let known: Vec<String> = self.known().iter().map(|k| format!("`{k}`")).collect();
        let at = match &self.place {
            Place::Rule { target, .. } | Place::SpikingRule { target, .. } => {
                self.circuit.compartment_name(*target)
            }
            _ => String::new(),
        };
        Refusal {
            message: format!(
                "a rule reads only what is at its synapse: `{name}` is {lives}, the synapse is on `{at}`"
            ),
            note: "not local".to_owned(),
            help: Some(format!(
                "at this synapse there are {}; activity from elsewhere can reach it only as a modulator, \
                 broadcast to all synapses",
                known.join(", ")
            )),
        }
    }

    /// What to do about units that clash.
    pub(super) fn help_with_units(&self, message: &str, note: &str) -> Option<String> {
        let step = self.step().dimension;
        let noisy = |own: &CompartmentId| {
            let derivative = matches!(
                self.circuit.compartment(*own).dynamics,
                Dynamics::Derivative(_)
            );
            derivative && self.readings.contains(&Reading::Noise(*own))
        };
        match &self.place {
            _ if note != "units clash" => None,
            _ if message.starts_with("a time constant") && step.is_none() => {
                Some("the circuit's `step` has no unit, so times have none".to_owned())
            }
            _ if message.starts_with("a time constant") => {
                Some(format!("write it with its unit, such as 10 {step}"))
            }
            Place::Equation(own) if noisy(own) => {
                let noise = self.noise_unit(*own);
                let factor = (self.circuit.compartment(*own).unit / step / noise).in_words();
                Some(format!(
                    "white noise is {} here: its factor should be {factor}",
                    noise.in_words()
                ))
            }
            _ => Some(
                "multiply or divide one of them by a quantity, so that both have one unit"
                    .to_owned(),
            ),
        }
    }

    /// Why there are no sums over populations in rules and equations.
    pub(super) fn no_reduction(&self) -> Refusal {
        let (message, note) = match &self.place {
            Place::Rule { .. } | Place::SpikingRule { .. } => (
                "a rule reads only what is at its synapse, and not a whole population",
                "not local",
            ),
            _ => (
                "a neuron cannot sum over a population by itself",
                "not in this neuron",
            ),
        };
        Refusal {
            message: message.to_owned(),
            note: note.to_owned(),
            help: Some("give a modulator this value, and read the modulator here".to_owned()),
        }
    }
}
