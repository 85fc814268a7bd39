//! What spiking populations and their projections have beyond those of rate circuits.

use super::super::{
    Circuit, CircuitKind, Compartment, CompartmentId, Plateau, Population, Receptor, Spiking,
    SpikingEnds,
};
use super::{Resolver, is_bare_zero};
use crate::netlist::model::{
    self, Delay, Distribution, DistributionKind, Duration, ModulatorDrive, Name, ReceptorKind,
    RecordingKind, Signal, SpikeTrigger,
};
use crate::source::{Problem, Span, nearest, suggest};
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
    ) -> Option<Spiking> {
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
    pub(super) fn spiking_compartment(
        &mut self,
        compartment: Compartment,
        circuit: &Circuit,
    ) -> Compartment {
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
        if let Some(input) = compartment.inputs.first()
            && circuit.step.is_none()
        {
            let name = &circuit.inputs[input.0 as usize].name;
            let message =
                format!("input `{name}` gives values once a step, the circuit has no step");
            let place = self.netlist.inputs.get(name);
            let place = place.map_or(self.netlist.circuit.name.span, |i| i.name.span);
            let problem = Problem::new(message, place, "this input");
            self.problems
                .push(problem.help("write `step = \"1 ms\"` in [circuit]"));
        }
        Compartment {
            unit,
            drive_unit: Dimension::CURRENT,
            ..compartment
        }
    }

    /// The population whose spikes a projection carries; its compartment, if one is named, has to be there.
    pub(super) fn spiking_source(
        &mut self,
        name: &Name,
        circuit: &Circuit,
    ) -> Option<CompartmentId> {
        let (first, compartment) = match name.value.split_once('.') {
            Some((first, compartment)) => (first, Some(compartment)),
            None => (name.value.as_str(), None),
        };
        let population = self.end_population(first, name, circuit)?;
        if let Some(compartment) = compartment.filter(|c| *c != "soma") {
            let message = format!("spikes are of the whole neuron, not of its `{compartment}`");
            let place = name.span.part(first.len(), name.value.len());
            let problem = Problem::new(message, place, "not needed");
            self.problems.push(problem.help(format!("write `{first}`")));
        }
        let soma = circuit.compartment_named(population, "soma");
        Some(soma.unwrap_or(CompartmentId {
            population,
            index: 0,
        }))
    }

    /// Reports synapses on a source of spikes.
    pub(super) fn source_as_target(&mut self, name: &Name, population: &Population) {
        let message = format!("`{}` is a source of spikes", population.name);
        let note = format!(
            "neuron model `{}` has no compartment for synapses",
            population.neuron
        );
        let help = "let the projection end on a population whose model has a `soma`";
        self.problems
            .push(Problem::new(message, name.span, note).help(help));
    }

    /// What a projection has beyond one between rates.
    pub(super) fn spiking_ends(
        &mut self,
        table: &model::Projection,
        from: CompartmentId,
        to: CompartmentId,
        circuit: &Circuit,
    ) -> Option<SpikingEnds> {
        let receptor = self.receptor(table, to, circuit);
        let signal = table.signal.as_ref().map_or(Signal::Spike, |s| s.value);
        let source = circuit.population(from.population);
        let bursts = source.spiking.as_ref().is_some_and(|s| s.burst.is_some());
        if let Some(written) = table.signal.as_ref().filter(|s| s.value == Signal::Burst)
            && !bursts
        {
            let message = format!(
                "population `{}` has no bursts: neuron model `{}` does not say what they are",
                source.name, source.neuron
            );
            let problem = Problem::new(message, written.span, "needs bursts");
            self.problems.push(problem.help(
                "carry every spike, signal = \"spike\", or give the model a `burst`, such as burst = { within = \"16 ms\" }",
            ));
        }
        let delay = self.event_delay(table, circuit);
        let dendritic_delay_ms = table
            .dendritic_delay
            .as_ref()
            .map_or(0.0, |d| d.value.value);
        if let (Some(delay), Some(given)) = (&delay, &table.dendritic_delay)
            && dendritic_delay_ms > shortest(delay)
        {
            let message = format!(
                "the part of the delay behind the synapse is {dendritic_delay_ms} ms, the shortest delay {} ms",
                shortest(delay)
            );
            let problem = Problem::new(message, given.span, "longer than the whole")
                .also(delay.span, "the delay, all of it")
                .help("make `delay` longer: it is the time from the spike to its effect on the neuron");
            self.problems.push(problem);
        }
        let receptor = receptor?;
        self.weight_unit(table, to, receptor, circuit);
        Some(SpikingEnds {
            signal,
            receptor,
            delay: delay?,
            dendritic_delay_ms,
            short_term: table.short_term.clone(),
        })
    }

    /// The receptor of a projection's synapses: the one that is named, or the only one there.
    fn receptor(
        &mut self,
        table: &model::Projection,
        to: CompartmentId,
        circuit: &Circuit,
    ) -> Option<usize> {
        let spiking = circuit.population(to.population).spiking.as_ref()?;
        let here: Vec<(usize, &str)> = spiking
            .receptors
            .iter()
            .enumerate()
            .filter(|(_, r)| r.on.contains(&to.index))
            .map(|(index, r)| (index, r.name.as_str()))
            .collect();
        let name = circuit.compartment_name(to);
        let listed: Vec<String> = here.iter().map(|(_, r)| format!("`{r}`")).collect();
        let listed = listed.join(", ");
        let problem = match (&table.receptor, here.as_slice()) {
            (_, []) => {
                let model = &circuit.population(to.population).neuron;
                let message = format!("`{name}` has no receptor for synapses");
                let others: Vec<String> = spiking
                    .receptors
                    .iter()
                    .map(|r| format!("`{}`", r.name))
                    .collect();
                let example = "{ on = [\"soma\"], current = \"exponential\", tau = \"3 ms\" }";
                Problem::new(message, table.to.span, "no receptor").help(match others.is_empty() {
                    true => format!("give neuron model `{model}` one: receptor.exc = {example}"),
                    false => format!(
                        "add the compartment to the `on` of a receptor of neuron model `{model}`: {}",
                        others.join(", ")
                    ),
                })
            }
            (None, [(only, _)]) => return Some(*only),
            (None, _) => {
                let message = format!("`{name}` has several receptors");
                Problem::new(message, table.to.span, "which receptor?")
                    .help(format!("add `receptor = \"…\"` with one of {listed}"))
            }
            (Some(given), _) => match here.iter().find(|(_, r)| *r == given.value) {
                Some((index, _)) => return Some(*index),
                None => {
                    let message = format!("`{name}` has no receptor `{}`", given.value);
                    let near = nearest(&given.value, here.iter().map(|(_, r)| *r)).is_some();
                    let help = match near {
                        true => suggest(
                            &given.value,
                            here.iter().map(|(_, r)| *r).collect::<Vec<_>>(),
                        ),
                        false => Some(format!("known there: {listed}")),
                    };
                    let problem = Problem::new(message, given.span, "unknown receptor");
                    Problem { help, ..problem }
                }
            },
        };
        self.problems.push(problem);
        None
    }

    /// The delays (ms), all above 0: a spike cannot have its effect at once.
    fn event_delay(
        &mut self,
        table: &model::Projection,
        circuit: &Circuit,
    ) -> Option<Distribution> {
        const WRITE: &str = "write for example `delay = \"1 ms\"`";
        let Some(given) = &table.delay else {
            let message = format!(
                "projection `{}` has no delay: between spiking neurons it is above 0",
                table.name.value
            );
            let problem = Problem::new(message, table.name.span, "expected `delay`");
            self.problems.push(problem.help(WRITE));
            return None;
        };
        let constant = |ms: f64| Distribution {
            kind: DistributionKind::Constant(ms),
            dimension: Dimension::TIME,
            clip: None,
            span: given.span,
        };
        let delay = match &given.value {
            Delay::Same(Duration::Time(time)) => constant(time.value),
            Delay::Same(Duration::Steps(steps)) => {
                constant(*steps as f64 * circuit.step_length().value)
            }
            Delay::Drawn(drawn) => Distribution {
                span: given.span,
                ..drawn.clone()
            },
        };
        let unbounded = matches!(
            delay.kind,
            DistributionKind::Normal { .. } | DistributionKind::Lognormal { .. }
        );
        let problem = match delay.clip {
            None if unbounded => {
                let message = "delays that are drawn so can be as short as one likes";
                Problem::new(message, given.span, "expected `clip`").help(
                    "give a shortest delay, above 0: delay = { normal = { mean = \"1.5 ms\", sd = \"0.7 ms\" }, clip = [\"0.1 ms\", inf] }",
                )
            }
            _ if shortest(&delay) > 0.0 => return Some(delay),
            Some(_) => Problem::new(
                "the shortest of these delays is not above 0",
                given.span,
                "expected delays above 0",
            )
            .help("raise the lower bound of `clip`, such as clip = [\"0.1 ms\", inf]"),
            None => Problem::new(
                "a spike cannot have its effect at once",
                given.span,
                "expected delays above 0",
            )
            .help(WRITE),
        };
        self.problems.push(problem);
        None
    }

    /// The weights' unit is that of what they scale.
    fn weight_unit(
        &mut self,
        table: &model::Projection,
        to: CompartmentId,
        receptor: usize,
        circuit: &Circuit,
    ) {
        let spiking = circuit.population(to.population).spiking.as_ref();
        let Some(receptor) = spiking.and_then(|s| s.receptors.get(receptor)) else {
            return;
        };
        let (unit, effect, example) = match receptor.kind {
            ReceptorKind::Delta => (
                circuit.compartment(to).unit,
                "a jump of the compartment",
                "\"0.1 mV\"",
            ),
            _ => (Dimension::CURRENT, "a current", "\"50 pA\""),
        };
        let clash = |dimension: Dimension, span: Span| {
            let message = format!(
                "a weight at receptor `{}` is {effect}, {}; this is {}",
                receptor.name,
                unit.in_words(),
                dimension.in_words()
            );
            Problem::new(message, span, "units clash").help(format!("write for example {example}"))
        };
        let weight = &table.weight;
        if weight.dimension != unit && !is_bare_zero(weight) {
            self.problems.push(clash(weight.dimension, weight.span));
        }
        let bounds = table.within.as_ref();
        let open = |w: &&model::Interval| {
            let plain_zero = |x: f64| x.is_infinite() || x.abs() <= 0.0;
            w.dimension != unit
                && !(w.dimension.is_none() && plain_zero(w.low) && plain_zero(w.high))
        };
        if let Some(within) = bounds.filter(open) {
            self.problems.push(clash(within.dimension, within.span));
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

/// The shortest delay that a distribution can give.
fn shortest(delay: &Distribution) -> f64 {
    let drawn = match &delay.kind {
        DistributionKind::Constant(value) => *value,
        DistributionKind::Uniform { low, .. } => *low,
        DistributionKind::List(values) => values.iter().copied().fold(f64::INFINITY, f64::min),
        DistributionKind::Normal { .. } => f64::NEG_INFINITY,
        DistributionKind::Lognormal { .. } => 0.0,
    };
    match delay.clip {
        Some([low, high]) => drawn.clamp(low, high),
        None => drawn,
    }
}
