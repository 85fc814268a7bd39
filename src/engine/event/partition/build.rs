//! A partition at time 0.

use std::ops::Range;
use std::sync::Arc;

use super::group::{Group, GroupKind, read};
use super::shares::Shares;
use super::{LONGEST_WINDOW, Partition};
use crate::compile::event::{EventProgram, NeuronProgram};
use crate::engine::event::agenda::Agenda;
use crate::engine::event::calendar::Calendar;
use crate::engine::event::cells::Cells;
use crate::engine::event::driven::Driven;
use crate::engine::event::inbox::Inbox;
use crate::engine::event::plastic::Learning;
use crate::engine::event::private::Private;
use crate::engine::event::queue::WakeQueue;
use crate::engine::event::short_term::Resources;
use crate::engine::event::sources::Sources;
use crate::engine::event::synapses::{Delays, Synapses};
use crate::engine::event::turn::{EventError, Port};
use crate::plasticity::Channel;

impl Partition {
    /// Partition `part` of `parts`. `modulators` gives a modulator's value.
    ///
    /// # Errors
    /// If the equations of a neuron have no solution.
    pub fn new(
        program: &Arc<EventProgram>,
        (part, parts): (usize, usize),
        modulators: &[f64],
        channels: &[Channel],
    ) -> Result<Partition, EventError> {
        let mut groups = Vec::new();
        let mut base = 0;
        let shares = Shares::new(program, parts);
        for (index, population) in program.circuit.populations.iter().enumerate() {
            let range = shares.of(population.size, part, parts);
            let group = group(program, index, range, base, modulators)?;
            base += group.range.len() as u32;
            groups.push(group);
        }
        let table = |(index, p): (usize, &crate::compile::event::EventProjection)| {
            let group = &groups[p.ends.1.0 as usize];
            program.synapses(index, group.range.clone(), group.base, p.rule.is_some())
        };
        let synapses: Vec<Synapses> = program.projections.iter().enumerate().map(table).collect();
        add_privates(program, &mut groups, &synapses);
        let window = window(program);
        let mut partition = Partition {
            program: program.clone(),
            onto: vec![],
            learnings: learnings(program, &groups, &synapses),
            groups,
            synapses,
            channels: channels.to_vec(),
            ports: program.projections.iter().map(Port::of).collect(),
            resources: resources(program),
            agenda: Agenda::new(window),
            calendar: Calendar::new(window),
            queue: WakeQueue::default(),
            inbox: Inbox::new(base as usize),
            loads: Vec::new(),
            emitted: Vec::new(),
            sent: Vec::new(),
            room: Default::default(),
        };
        for group in &mut partition.groups {
            if let GroupKind::Cells(cells) = &mut group.kind {
                group.is_busy = cells.is_busy(window);
            }
        }
        partition.look_at_all(0);
        partition.list_learning(0)?;
        Ok(partition)
    }
}

/// Length of the longest window (ps).
fn window(program: &EventProgram) -> i64 {
    program.min_delay.clamp(1, LONGEST_WINDOW)
}

/// Some neurons of a population, on a partition; the first one has the number `base` there.
fn group(
    program: &EventProgram,
    index: usize,
    range: Range<usize>,
    base: u32,
    modulators: &[f64],
) -> Result<Group, EventError> {
    let circuit = &program.circuit;
    let population = &circuit.populations[index];
    let (first, name) = (program.firsts[index], format!("neuron {}", population.name));
    let read = read(program, index, modulators);
    let seed = (circuit.seed, name.as_str());
    let kind = match &program.populations[index] {
        NeuronProgram::Dynamic(neuron) => {
            let cells = Cells::new(
                neuron.clone(),
                seed,
                first,
                range.clone(),
                (&read, window(program)),
            )?;
            GroupKind::Cells(Box::new(cells))
        }
        NeuronProgram::Source(_) if program.folded[index] => GroupKind::Folded,
        NeuronProgram::Source(source) if source.input.is_some() => {
            let driven = Driven::new(source.clone(), seed, first, range.clone(), &read);
            GroupKind::Driven(Box::new(driven))
        }
        NeuronProgram::Source(source) => {
            let sources = Sources::new(source.clone(), seed, first, range.clone(), &read);
            GroupKind::Sources(Box::new(sources))
        }
    };
    Ok(Group {
        base,
        range,
        kind,
        is_busy: false,
    })
}

/// Gives neurons the sources that are folded into them.
fn add_privates(program: &EventProgram, groups: &mut [Group], synapses: &[Synapses]) {
    let circuit = &program.circuit;
    for number in (0..program.projections.len()).filter(|n| program.is_folded(*n)) {
        let p = &program.projections[number];
        let group = &mut groups[p.ends.1.0 as usize];
        let (NeuronProgram::Source(source), GroupKind::Cells(cells), Delays::Same(delay)) = (
            &program.populations[p.ends.0.0 as usize],
            &mut group.kind,
            &synapses[number].delays,
        ) else {
            continue;
        };
        let name = format!("neuron {}", circuit.population(p.ends.0).name);
        let weights = synapses[number].weights.clone();
        let ends = (number as u32, p.port, *delay, weights);
        let range = group.range.clone();
        cells.add_private(Private::new(source, (circuit.seed, &name), ends, range));
    }
}

/// For each projection, what it keeps if it learns.
fn learnings(
    program: &EventProgram,
    groups: &[Group],
    synapses: &[Synapses],
) -> Vec<Option<Learning>> {
    let of = |(p, table): (&crate::compile::event::EventProjection, &Synapses)| {
        let group = &groups[p.ends.1.0 as usize];
        let sources = program.circuit.population(p.ends.0).size;
        let sizes = (sources, group.base, group.range.len());
        let rule = p.rule.as_ref()?;
        Some(Learning::new(rule, table, sizes, p.dendritic_delay, 0.0))
    };
    program.projections.iter().zip(synapses).map(of).collect()
}

/// For each projection with short-term plasticity, the state of each presynaptic neuron.
fn resources(program: &EventProgram) -> Vec<Vec<Resources>> {
    let of = |p: &crate::compile::event::EventProjection| match p.short_term {
        Some(_) => vec![Resources::FULL; program.circuit.population(p.ends.0).size],
        None => vec![],
    };
    program.projections.iter().map(of).collect()
}
