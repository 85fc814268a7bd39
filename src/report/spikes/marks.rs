//! The marks of a raster: which neurons are drawn, and their spikes.

use std::collections::{HashMap, HashSet};

use super::super::pictures::spread;
use super::gather::Population;
use crate::record::{Spike, SpikeKind};

/// About the most marks of a raster.
const MOST_MARKS: u64 = 6000;
/// The most marks, where even one neuron of each population has more.
const MARKS_AT_ALL: usize = 20_000;
/// The most rows.
const MOST_ROWS: usize = 400;

/// A neuron whose spikes are wanted: its population and its number.
pub(super) type Wanted = (String, u32);

/// Spikes within the window.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The neurons drawn of each population, in order.
    pub(super) rows: Vec<Vec<usize>>,
    /// Their rows.
    row_of: Vec<HashMap<u32, usize>>,
    /// Time (ps), population, row, kind: in order of time.
    pub(super) of_rows: Vec<(i64, u16, usize, SpikeKind)>,
    /// Whether the earliest of them were left out.
    pub(super) cut: bool,
    /// Spikes of the neurons wanted besides, in order of time.
    trains: HashMap<Wanted, Vec<(i64, SpikeKind)>>,
    /// The same, by the numbers of the populations.
    wanted: HashMap<(u16, u32), Wanted>,
}

impl Marks {
    /// None yet, of neurons chosen so that there will not be too many.
    pub(super) fn chosen(populations: &[Population], wanted: &HashSet<Wanted>) -> Self {
        let rows = rows(populations);
        let number = |(row, neuron): (usize, &usize)| Some((u32::try_from(*neuron).ok()?, row));
        let row_of = rows
            .iter()
            .map(|neurons| neurons.iter().enumerate().filter_map(number).collect());
        let index = |name: &str| populations.iter().position(|p| p.name == name);
        let place = |wanted: &Wanted| {
            let population = u16::try_from(index(&wanted.0)?).ok()?;
            Some(((population, wanted.1), wanted.clone()))
        };
        Self {
            row_of: row_of.collect(),
            rows,
            wanted: wanted.iter().filter_map(place).collect(),
            ..Self::default()
        }
    }

    /// Adds a spike of the window, if its neuron is drawn.
    pub(super) fn add(&mut self, spike: Spike) {
        let rows = self.row_of.get(usize::from(spike.population));
        if let Some(&row) = rows.and_then(|rows| rows.get(&spike.neuron)) {
            let mark = (spike.time_ps, spike.population, row, spike.kind);
            self.of_rows.push(mark);
        }
        if let Some(wanted) = self.wanted.get(&(spike.population, spike.neuron)) {
            let train = self.trains.entry(wanted.clone()).or_default();
            train.push((spike.time_ps, spike.kind));
        }
    }

    /// Sorts what was added, and leaves out the earliest where there is too much.
    pub(super) fn finish(&mut self) {
        self.of_rows.sort_by_key(|mark| (mark.0, mark.1, mark.2));
        let excess = self.of_rows.len().saturating_sub(MARKS_AT_ALL);
        self.of_rows.drain(..excess);
        self.cut = excess > 0;
        for train in self.trains.values_mut() {
            train.sort_by_key(|spike| spike.0);
        }
    }

    /// The spikes of a neuron that was wanted: times (ps) and kinds.
    pub(super) fn train(&self, population: &str, neuron: u32) -> &[(i64, SpikeKind)] {
        let train = self.trains.get(&(population.to_owned(), neuron));
        train.map_or(&[], Vec::as_slice)
    }
}

/// The neurons of each population that a raster shows: all, or even samples of the largest populations, so that there are few
/// enough marks.
fn rows(populations: &[Population]) -> Vec<Vec<usize>> {
    let mut most = populations.iter().map(|p| p.neurons).max().unwrap_or(0);
    loop {
        let rows = populations.iter().map(|p| spread(p.neurons, most));
        let rows: Vec<Vec<usize>> = rows.collect();
        let marks = |(p, rows): (&Population, &Vec<usize>)| -> u64 {
            let counts = rows.iter().filter_map(|&row| p.in_window.get(row));
            counts.map(|&count| u64::from(count)).sum()
        };
        let marks: u64 = populations.iter().zip(&rows).map(marks).sum();
        let drawn: usize = rows.iter().map(Vec::len).sum();
        if (marks <= MOST_MARKS && drawn <= MOST_ROWS) || most <= 1 {
            return rows;
        }
        most = (most * 4 / 5).max(1);
    }
}
