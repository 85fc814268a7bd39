//! Membrane potentials: a panel a neuron, a curve a compartment, spikes on top.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::super::page::{Figure, Section};
use super::super::pictures::{half, spread, wide};
use super::super::plot::{Canvas, Lines, Rug, Series};
use super::super::run::Run;
use super::super::trace_tail::TraceTail;
use super::super::words;
use super::gather::{Spikes, Window};
use super::marks::Wanted;
use crate::record::{SpikeKind, TraceOf, TraceRecord, milliseconds};

/// The most neurons of a population that are drawn.
const MOST_NEURONS: usize = 6;
/// The most populations.
const MOST_POPULATIONS: usize = 12;
/// The most samples of a trace that are read: a second at a tenth of a millisecond, twice.
const MOST_ROWS: usize = 20_000;
/// The most columns of a trace that are read.
const MOST_COLUMNS: usize = 1024;

/// Recorded compartments of a population: (compartment, trace).
type Compartments<'a> = Vec<(&'a str, &'a TraceRecord)>;

/// The compartments recorded of each population.
fn recorded(run: &Run) -> IndexMap<&str, Compartments<'_>> {
    let mut populations: IndexMap<&str, Compartments<'_>> = IndexMap::new();
    for trace in run.report.traces.iter().filter(|trace| trace.timed) {
        if let Some(TraceOf::Membrane {
            population,
            compartment,
        }) = &trace.of
        {
            let of = populations.entry(population).or_default();
            of.push((compartment, trace));
        }
    }
    populations
}

/// A compartment's samples, as far as they are drawn.
struct Read<'a> {
    compartment: &'a str,
    /// The neurons of the columns.
    neurons: Vec<u32>,
    /// (time (ps), place in `values`) in order of time.
    times: Vec<(i64, usize)>,
    /// Column by column.
    values: Vec<Vec<f64>>,
    /// Whether earlier samples were left out.
    cut: bool,
}

impl<'a> Read<'a> {
    fn of(run: &Run, compartment: &'a str, trace: &TraceRecord) -> Result<Self, String> {
        let tail = open(run, trace, |_| MOST_ROWS)?;
        let mut times = Vec::new();
        let mut values: Vec<Vec<f64>> = Vec::new();
        for (index, stage) in tail.stages.iter().enumerate() {
            let start = times.len();
            let rows = stage.steps.iter().map(|ps| ps.cast_signed());
            times.extend(rows.zip(start..));
            let more = tail.values(index, MOST_COLUMNS);
            let more = more.map_err(|error| run.remark(&error))?;
            values.resize(more.len(), Vec::new());
            for (column, more) in values.iter_mut().zip(more) {
                column.extend(more);
            }
        }
        if times.is_empty() || values.is_empty() {
            let file = &trace.file;
            return Err(format!("`{file}` has no values: nothing was recorded"));
        }
        times.sort_by_key(|time| time.0);
        let recorded: u64 = tail.stages.iter().map(|stage| stage.recorded).sum();
        Ok(Self {
            cut: recorded > times.len() as u64,
            compartment,
            neurons: neurons(&tail),
            times,
            values,
        })
    }

    /// The samples of a neuron within a window.
    fn series(&self, neuron: u32, window: Window) -> Option<Series> {
        let column = self.neurons.iter().position(|other| *other == neuron)?;
        let values = self.values.get(column)?;
        let inside = |time: &&(i64, usize)| time.0 >= window.start_ps && time.0 <= window.end_ps;
        let times = self.times.iter().filter(inside);
        let sample = |(time, at): &(i64, usize)| Some((milliseconds(*time), *values.get(*at)?));
        let (x, y) = times.filter_map(sample).unzip();
        Some(Series {
            name: self.compartment.to_owned(),
            x,
            y,
            ..Series::default()
        })
    }
}

fn open(
    run: &Run,
    trace: &TraceRecord,
    most_rows: impl Fn(usize) -> usize,
) -> Result<TraceTail, String> {
    let path = run.file(&trace.file, u64::MAX)?;
    TraceTail::open(&path, most_rows).map_err(|error| run.remark(&error))
}

/// The neurons of a trace's columns; a column that is not called by a number is counted.
fn neurons(tail: &TraceTail) -> Vec<u32> {
    let names = (0..).zip(&tail.columns).take(MOST_COLUMNS);
    names
        .map(|(place, name)| name.parse().unwrap_or(place))
        .collect()
}

/// The neurons of which panels are drawn: an even sample of those of which something was recorded.
fn drawn<'n>(all: impl Iterator<Item = &'n [u32]>) -> (Vec<u32>, usize) {
    let mut all: Vec<u32> = all.flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    let some = spread(all.len(), MOST_NEURONS).into_iter();
    (
        some.filter_map(|at| all.get(at).copied()).collect(),
        all.len(),
    )
}

/// The neurons whose spikes the panels show.
pub(super) fn wanted(run: &Run) -> HashSet<Wanted> {
    let mut wanted = HashSet::new();
    for (population, compartments) in recorded(run).into_iter().take(MOST_POPULATIONS) {
        let tails = compartments
            .iter()
            .filter_map(|(_, t)| open(run, t, |_| 1).ok());
        let all: Vec<Vec<u32>> = tails.map(|tail| neurons(&tail)).collect();
        let (some, _) = drawn(all.iter().map(Vec::as_slice));
        wanted.extend(
            some.into_iter()
                .map(|neuron| (population.to_owned(), neuron)),
        );
    }
    wanted
}

/// Panels of the neurons whose membrane potentials were recorded.
pub(in crate::report) fn section(run: &Run, spikes: &Spikes) -> Section {
    let mut section = Section {
        heading: "Membrane potentials".to_owned(),
        ..Section::default()
    };
    let recorded = recorded(run);
    for (population, compartments) in recorded.iter().take(MOST_POPULATIONS) {
        let mut read = Vec::new();
        for (compartment, trace) in compartments {
            match Read::of(run, compartment, trace) {
                Ok(compartment) => read.push(compartment),
                Err(note) => section.notes.push(format!("`{}`: {note}", trace.name)),
            }
        }
        let figures = panels(population, &read, spikes);
        section.figures.extend(figures);
    }
    if recorded.len() > MOST_POPULATIONS {
        let more = recorded.len() - MOST_POPULATIONS;
        let note = format!("Membranes of {more} further populations are not drawn");
        section.notes.push(note);
    }
    section
}

fn panels(population: &str, read: &[Read<'_>], spikes: &Spikes) -> Vec<Figure> {
    let (some, all) = drawn(read.iter().map(|read| read.neurons.as_slice()));
    let last = read.iter().filter_map(|read| read.times.last());
    let Some(last) = last.map(|time| time.0).max() else {
        return Vec::new();
    };
    let window = spikes.window.unwrap_or_else(|| Window::before(last));
    let which = match some.len() {
        some if some < all => format!("{some} of {all} recorded neurons have a panel"),
        _ => String::new(),
    };
    let begins_late = |read: &Read<'_>| {
        let first = read.times.first();
        read.cut && first.is_some_and(|time| time.0 > window.start_ps)
    };
    let cut = match read.iter().any(begins_late) {
        true => "There are so many samples that only the last ones are shown",
        false => "",
    };
    let panel = |&neuron: &u32| {
        let train = spikes.marks.train(population, neuron);
        let lines = Lines {
            title: format!("{population}, neuron {neuron}"),
            x_label: "time (ms)".to_owned(),
            y_label: "potential (mV)".to_owned(),
            series: read
                .iter()
                .filter_map(|r| r.series(neuron, window))
                .collect(),
            rugs: rugs(train),
            x_range: Some(window.ms()),
            ..Lines::default()
        };
        let what = format!(
            "`{population}`, neuron {neuron}: membrane potential of each recorded compartment, {}",
            window.words()
        );
        let strokes = match train {
            [] => "",
            _ => "Strokes on top are its spikes",
        };
        let caption = words::sentences([what.as_str(), strokes, &which, cut]);
        let name = format!("membrane-{population}-{neuron}");
        match some.len() {
            1 => wide(&name, caption, lines.svg(Canvas::WIDE)),
            _ => half(&name, caption, lines.svg(Canvas::HALF)),
        }
    };
    some.iter().map(panel).collect()
}

/// Spikes as strokes, the first ones of bursts stronger.
fn rugs(train: &[(i64, SpikeKind)]) -> Vec<Rug> {
    let rug = |name: &str, strong, is: fn(SpikeKind) -> bool| {
        let times = train.iter().filter(|(_, kind)| is(*kind));
        Rug {
            name: name.to_owned(),
            x: times.map(|(time, _)| milliseconds(*time)).collect(),
            strong,
        }
    };
    let plain = rug("spike", false, |kind| {
        kind.is_spike() && kind != SpikeKind::Burst
    });
    let first = rug("first of a burst", true, |kind| kind == SpikeKind::Burst);
    let rugs = [plain, first].into_iter();
    rugs.filter(|rug| !rug.x.is_empty()).collect()
}
