//! What spiking populations have beyond those of rate circuits.

use super::super::{Circuit, CircuitKind, Compartment, Plateau, Receptor, Spiking};
use super::{Resolver, is_bare_zero};
use crate::netlist::model::{self, ModulatorDrive, RecordingKind, SpikeTrigger};
use crate::source::Problem;
use crate::units::Dimension;

impl Resolver<'_> {
    fn model(&self, population: &model::Population) -> Option<&model::NeuronModel> {
        self.netlist.neurons.get(&population.neuron.value)
    }

    /// Whether a population's neurons never spike.
    pub(super) fn is_rate(&self, population: &model::Population) -> bool {
        self.model(population).is_some_and(|m| m.spike.is_none())
    }

    /// What kind of engine the netlist needs: spiking neurons decide it.
    pub(super) fn kind(&self) -> CircuitKind {
        let mut models = self.netlist.populations.values().map(|p| self.model(p));
        match models.any(|model| model.is_some_and(|m| m.spike.is_some())) {
            true => CircuitKind::Event,
            false => CircuitKind::Rate,
        }
    }

    /// Reports rate populations beside spiking ones; whether there are both.
    pub(super) fn mixed(&mut self) -> bool {
        let populations = || self.netlist.populations.values();
        let rate = populations().find(|p| self.is_rate(p));
        let spiking = populations().find(|p| self.model(p).is_some_and(|m| m.spike.is_some()));
        let (Some(rate), Some(spiking)) = (rate, spiking) else {
            return false;
        };
        let message = format!(
            "population `{}` is of neurons that spike, `{}` of neurons that do not",
            spiking.name.value, rate.name.value
        );
        let problem = Problem::new(message, rate.neuron.span, "never spikes")
            .also(spiking.neuron.span, "spikes")
            .help("a circuit has one kind of neuron: give this population a model with a `spike` table, or take the other one out");
        self.problems.push(problem);
        true
    }

    /// The spiking part of a population, if its model has one.
    pub(super) fn spiking(
        &mut self,
        neuron: &model::NeuronModel,
        table: &model::Population,
        size: usize,
        circuit: &Circuit,
    ) -> Option<Spiking> {
        let input = self.source_input(neuron, table, size, circuit);
        let given = matches!(&neuron.spike, Some(s) if matches!(s.trigger, SpikeTrigger::Given));
        self.times_fit(neuron, table, given);
        let spike = neuron.spike.as_ref()?;
        let index = |name: &str| neuron.compartments.get_index_of(name).map(|i| i as u32);
        let variables = |set: &indexmap::IndexMap<String, model::Expression>| {
            set.iter()
                .filter_map(|(name, value)| Some((index(name)?, value.clone())))
                .collect::<Vec<_>>()
        };
        let (reset, add) = (variables(&spike.reset), variables(&spike.add));
        let hold = spike.hold.iter().filter_map(|name| index(&name.value));
        let mut held: Vec<u32> = reset.iter().map(|(i, _)| *i).chain(hold).collect();
        held.sort_unstable();
        held.dedup();
        let plateaus = neuron.plateaus.values().filter_map(|p| {
            Some(Plateau {
                compartment: index(&p.compartment.value)?,
                when: p.when.clone(),
                current: p.current.clone(),
                duration: p.duration.clone(),
            })
        });
        let receptors = neuron.receptors.values().map(|r| Receptor {
            name: r.name.value.clone(),
            on: r.on.iter().filter_map(|name| index(&name.value)).collect(),
            kind: r.current.clone(),
        });
        let times = table.times.as_ref().filter(|_| given);
        Some(Spiking {
            trigger: spike.trigger.clone(),
            reset,
            add,
            held,
            refractory: spike.refractory.clone(),
            burst: neuron.burst.clone(),
            plateaus: plateaus.collect(),
            receptors: receptors.collect(),
            times: times.and_then(|times| self.spike_times(table, times, size)),
            input,
            span: spike.span,
        })
    }

    /// Reports times that are missing, or that the neurons have no use for.
    fn times_fit(&mut self, neuron: &model::NeuronModel, table: &model::Population, given: bool) {
        let (population, model) = (&table.name.value, &neuron.name.value);
        let problem = match (&table.times, &table.repeat) {
            (None, _) if given => {
                let message =
                    format!("population `{population}` does not say when its neurons spike");
                let problem =
                    Problem::new(message, table.neuron.span, "spikes at times that are given");
                problem.help("add `times = \"spikes.csv\"` (columns neuron, time in ms), or a list of times for each neuron: times = [[1, 2.5], []]")
            }
            (Some(times), _) if !given => {
                let message = format!("neuron model `{model}` does not spike at given times");
                let problem = Problem::new(message, times.span, "not needed");
                problem.help("leave `times` out, or use a model with spike = { times = \"given\" }, such as `listed` of `use = [\"sources\"]`")
            }
            (None, Some(repeat)) => {
                let message = format!("population `{population}` has no times to repeat");
                let problem = Problem::new(message, repeat.span, "not needed");
                problem.help("leave `repeat` out")
            }
            _ => return,
        };
        self.problems.push(problem);
    }

    /// A compartment of a spiking neuron: its drive is a current, a membrane's value a voltage.
    pub(super) fn spiking_compartment(&mut self, compartment: Compartment) -> Compartment {
        let unit = match compartment.membrane {
            Some(_) => Dimension::VOLTAGE,
            None => compartment.unit,
        };
        if let Some(start) = &compartment.start
            && start.dimension != unit
            && !is_bare_zero(start)
        {
            let message = format!(
                "`{}` is a voltage, its start is {}",
                compartment.name,
                start.dimension.in_words()
            );
            let problem = Problem::new(message, start.span, "units clash");
            self.problems
                .push(problem.help("write it in mV, such as \"-70 mV\""));
        }
        if let Some(bias) = &compartment.bias
            && bias.start.dimension != Dimension::CURRENT
            && !is_bare_zero(&bias.start)
        {
            let message = format!(
                "the drive of `{}` is a current, its bias is {}",
                compartment.name,
                bias.start.dimension.in_words()
            );
            let problem = Problem::new(message, bias.start.span, "units clash");
            self.problems
                .push(problem.help("write it in pA, such as \"100 pA\""));
        }
        if let Some(learn) = compartment.bias.as_ref().and_then(|b| b.learn.as_ref()) {
            let message = format!("the bias of `{}` learns", compartment.name);
            let problem = Problem::new(message, learn.rule.span, "a spiking neuron");
            let help = "biases of spiking neurons are constant; let synapses of a regular source learn instead";
            self.problems.push(problem.help(help));
        }
        Compartment {
            unit,
            drive_unit: Dimension::CURRENT,
            ..compartment
        }
    }

    /// Populations whose spikes are released as modulators, or recorded, have to be there.
    pub(super) fn read_populations(&mut self, circuit: &Circuit) {
        for modulator in &circuit.modulators {
            if let ModulatorDrive::Released { by, .. } = &modulator.drive {
                self.end_population(&by.value, by, circuit);
            }
        }
        for recording in &self.netlist.recordings {
            if let RecordingKind::Spikes(of) = &recording.what {
                for name in of {
                    self.end_population(&name.value, name, circuit);
                }
            }
        }
    }
}
