//! The program of an event circuit: everything that stays the same during a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::form::Numbers;
use super::neuron::DynamicNeuron;
use super::reader::NeuronReader;
use super::source::SourceNeuron;
use super::tables::delay_range;
use crate::circuit::connect::Connectivity;
use crate::circuit::{Circuit, InputId, ModulatorId, Output, PopulationId};
use crate::compile::{Counter, Expr};
use crate::engine::event::time::{NEVER, from_ms};
use crate::engine::event::turn::Signals;
use crate::netlist::model::{self, DistributionKind, Netlist, SpikeTrigger};
use crate::plasticity::PlasticRule;
use crate::source::Problem;

/// A compiled event circuit.
#[derive(Debug)]
pub struct EventProgram {
    /// The circuit it was made from.
    pub circuit: Circuit,
    /// Its populations.
    pub populations: Vec<NeuronProgram>,
    /// Number of the first neuron of each population, and of all neurons at the end.
    pub firsts: Vec<u32>,
    /// Its projections.
    pub projections: Vec<EventProjection>,
    /// The shortest delay (ps).
    pub min_delay: i64,
    /// Populations of sources that are drawn in the turn of the neurons they drive: see [`EventProgram::fold`].
    pub folded: Vec<bool>,
    /// Modulators that spikes release.
    pub releases: Vec<Release>,
    /// Modulators that are sampled.
    pub sampled: Vec<(ModulatorId, Expr)>,
    /// What is counted, for sampled modulators and for those who watch.
    pub counters: Vec<Counter>,
    /// What is read of inputs, by sources, sampled modulators and those who watch.
    pub inputs: BTreeSet<(InputId, Output)>,
}

/// A modulator that the spikes of a population release.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Release {
    /// The population.
    pub by: PopulationId,
    /// The modulator.
    pub modulator: ModulatorId,
    /// By how much one spike raises it.
    pub amount: f64,
}

/// A population, compiled.
#[derive(Debug, Clone)]
pub enum NeuronProgram {
    /// With compartments.
    Dynamic(Arc<DynamicNeuron>),
    /// A source of spikes.
    Source(Arc<SourceNeuron>),
}

/// A projection, compiled.
#[derive(Debug, Clone)]
pub struct EventProjection {
    /// Its populations: from, to.
    pub ends: (PopulationId, PopulationId),
    /// The signal that it carries.
    pub signal: Signals,
    /// The port of the target that its synapses act on.
    pub port: u32,
    /// Its longest delay (ps).
    pub longest_delay: i64,
    /// The part of its delay that lies behind the synapses (ps).
    pub dendritic_delay: i64,
    /// Short-term plasticity.
    pub short_term: Option<ShortTerm>,
    /// The rule by which it learns.
    pub rule: Option<Arc<PlasticRule>>,
}

/// Short-term plasticity with its numbers (times in ms).
///
/// # Source
/// Tsodyks, Pawelzik and Markram 1998; Markram, Wang and Tsodyks 1998.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortTerm {
    /// Utilisation U of a first spike.
    pub utilisation: f64,
    /// Time constant of recovery (ms).
    pub recovery: f64,
    /// Time constant of facilitation (ms); 0 for none.
    pub facilitation: f64,
}

impl EventProgram {
    /// Compiles a circuit.
    ///
    /// # Errors
    /// All mistakes in its neurons.
    pub fn new(netlist: &Netlist, circuit: Circuit) -> Result<EventProgram, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut populations = Vec::new();
        for index in 0..circuit.populations.len() {
            let id = PopulationId(index as u32);
            let mut reader = NeuronReader {
                netlist,
                circuit: &circuit,
                population: id,
                numbers: Numbers::default(),
                limits: vec![],
                problems: vec![],
            };
            let compiled = neuron(&mut reader, id);
            problems.extend(reader.problems);
            populations.extend(compiled);
        }
        if !problems.is_empty() || populations.len() < circuit.populations.len() {
            return Err(problems);
        }
        let rules = super::learning::rules(netlist, &circuit, &populations)?;
        let sampled = super::modulators::sampled(netlist, &circuit, &populations)?;
        let mut firsts = vec![0];
        for population in &circuit.populations {
            firsts.push(firsts.last().copied().unwrap_or(0) + population.size as u32);
        }
        let ranges = circuit.projections.iter().map(|p| delay_range(&circuit, p));
        let delays: Vec<Option<(i64, i64)>> = ranges.collect();
        let projections = circuit
            .projections
            .iter()
            .zip(rules)
            .zip(&delays)
            .filter_map(|((p, rule), delay)| {
                let longest = delay.map_or(0, |(_, longest)| longest);
                projection(p, &populations, rule, longest)
            })
            .collect();
        let shortest = delays.iter().flatten().map(|(shortest, _)| *shortest).min();
        Ok(EventProgram {
            folded: vec![false; populations.len()],
            firsts,
            projections,
            min_delay: shortest.unwrap_or(NEVER),
            releases: super::modulators::releases(&circuit),
            counters: sampled
                .iter()
                .flat_map(|(_, expr)| super::modulators::counters(expr))
                .collect(),
            inputs: super::modulators::inputs(&sampled, &populations),
            populations,
            sampled,
            circuit,
        })
    }

    /// Folds away the sources that nobody sees but one neuron each: steady Poisson sources with a single projection,
    /// one-to-one and of one delay. `seen` tells of each population whether its spikes are wanted.
    pub fn fold(&mut self, seen: &[bool]) {
        for (population, seen) in seen.iter().enumerate() {
            let NeuronProgram::Source(source) = &self.populations[population] else {
                continue;
            };
            let mut out = (0..self.projections.len())
                .filter(|p| self.projections[*p].ends.0.0 as usize == population);
            let (Some(only), None) = (out.next(), out.next()) else {
                continue;
            };
            let read = |r: &Release| r.by.0 as usize == population;
            let counted = |c: &Counter| c.population.0 as usize == population;
            let projection = &self.circuit.projections[only];
            let delay = projection.spiking.as_ref().map(|s| &s.delay.kind);
            self.folded[population] = source.is_steady()
                && !seen
                && matches!(projection.connectivity, Connectivity::OneToOne { .. })
                && matches!(delay, Some(DistributionKind::Constant(_)))
                && projection.learn.is_none()
                && self.projections[only].short_term.is_none()
                && !self.projections[only].signal.any(Signals::BURST)
                && !self.releases.iter().any(read)
                && !self.counters.iter().any(counted);
        }
    }

    /// Whether a projection comes from sources that are folded away.
    pub fn is_folded(&self, projection: usize) -> bool {
        self.folded[self.projections[projection].ends.0.0 as usize]
    }

    /// The population of a neuron, and its index there.
    pub fn place(&self, neuron: u32) -> (PopulationId, usize) {
        let population = self.firsts.partition_point(|first| *first <= neuron) - 1;
        (
            PopulationId(population as u32),
            (neuron - self.firsts[population]) as usize,
        )
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.firsts.last().copied().unwrap_or(0) as usize
    }
}

fn neuron(reader: &mut NeuronReader<'_>, id: PopulationId) -> Option<NeuronProgram> {
    let population = reader.circuit.population(id);
    let spiking = population.spiking.as_ref()?;
    if let Some(input) = population
        .compartments
        .iter()
        .find(|c| !c.inputs.is_empty())
    {
        let message = format!(
            "`{}.{}` has an input of values",
            population.name, input.name
        );
        let problem = Problem::new(message, spiking.span, "a spiking neuron");
        reader
            .problems
            .push(problem.help(
                "let a population of sources turn it into spikes, neuron = \"rate-coded\" of `use = [\"sources\"]`, and \
                 project from there",
            ));
        return None;
    }
    match &spiking.trigger {
        SpikeTrigger::When(_) => {
            DynamicNeuron::new(reader).map(|n| NeuronProgram::Dynamic(Arc::new(n)))
        }
        SpikeTrigger::Rate(_) if !population.compartments.is_empty() => {
            DynamicNeuron::new(reader).map(|n| NeuronProgram::Dynamic(Arc::new(n)))
        }
        _ => SourceNeuron::new(reader).map(|n| NeuronProgram::Source(Arc::new(n))),
    }
}

fn projection(
    p: &crate::circuit::Projection,
    populations: &[NeuronProgram],
    rule: Option<Arc<PlasticRule>>,
    longest_delay: i64,
) -> Option<EventProjection> {
    let ends = p.spiking.as_ref()?;
    let NeuronProgram::Dynamic(target) = &populations[p.to.population.0 as usize] else {
        return None;
    };
    Some(EventProjection {
        ends: (p.from.population, p.to.population),
        signal: match ends.signal {
            model::Signal::Spike => Signals::SPIKE,
            model::Signal::Event => Signals::EVENT,
            model::Signal::Burst => Signals::BURST,
        },
        rule,
        longest_delay,
        dendritic_delay: from_ms(ends.dendritic_delay_ms),
        port: target.port(ends.receptor, p.to.index as usize)?,
        short_term: ends.short_term.as_ref().map(|s| ShortTerm {
            utilisation: s.utilisation.value,
            recovery: s.recovery_ms.value,
            facilitation: s.facilitation_ms,
        }),
    })
}

/// A time in ms as ps, at least 1, and at most 53 days, so that times may be added and counted in units.
pub(crate) fn delay_ps(ms: f64) -> i64 {
    from_ms(ms).clamp(1, NEVER / 2)
}
