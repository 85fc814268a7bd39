//! What projections between spiking populations have beyond those of rate circuits.

use super::super::{Circuit, CompartmentId, Population, SpikingEnds};
use super::{Resolver, is_bare_zero};
use crate::netlist::model::{
    self, Delay, Distribution, DistributionKind, Duration, Name, ReceptorKind, Signal,
};
use crate::source::{Problem, Span, nearest, suggest};
use crate::units::Dimension;

impl Resolver<'_> {
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
        if let (Some(short_term), Some(learn)) = (&table.short_term, &table.learn) {
            let message = "synapses that learn have no short-term plasticity";
            let problem = Problem::new(
                message,
                short_term.utilisation.span,
                "this projection learns",
            )
            .also(learn.rule.span, "by this rule")
            .help("make two projections of it: one that learns, one with `short-term`");
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
