//! The spikes of a run as the report needs them.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::super::run::Run;
use super::super::words;
use super::marks::{Marks, Wanted};
use crate::measure::{SpikeBins, SpikeStatistics};
use crate::record::{PopulationSpikes, SpikeFile, milliseconds};

/// The time that rasters and membranes show: the last second (ps).
const WINDOW: i64 = 1_000_000_000_000;
/// About how many bins rates over time have.
const BINS: i64 = 250;
/// More neurons than this are not counted one by one.
const MOST_NEURONS: u64 = 4_000_000;

/// A span of time (ps), both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) struct Window {
    pub(super) start_ps: i64,
    pub(super) end_ps: i64,
}

/// What a run's spikes come to.
#[derive(Debug, Default)]
pub(in crate::report) struct Spikes {
    /// What rasters and membranes show; none if the run does not say how long it was.
    pub(super) window: Option<Window>,
    /// The time simulated (ms).
    pub(super) duration_ms: f64,
    /// Every population whose spikes were recorded, in the order of the file.
    pub(super) populations: Vec<Population>,
    /// Marks within the window.
    pub(super) marks: Marks,
    /// What could not be read.
    pub(super) notes: Vec<String>,
}

/// A population and what it did.
#[derive(Debug)]
pub(super) struct Population {
    pub(super) name: String,
    pub(super) neurons: usize,
    /// Over the whole run.
    pub(super) statistics: SpikeStatistics,
    /// Over the whole run.
    pub(super) bins: SpikeBins,
    /// Within the window, in finer bins, if that is shorter than the run.
    pub(super) window_bins: Option<SpikeBins>,
    /// Marks of each neuron within the window.
    pub(super) in_window: Vec<u32>,
}

impl Window {
    /// The last second before `end_ps`, or all there is.
    pub(super) fn before(end_ps: i64) -> Self {
        Window {
            start_ps: end_ps.saturating_sub(WINDOW).max(0),
            end_ps,
        }
    }

    /// Both ends (ms).
    pub(super) fn ms(self) -> (f64, f64) {
        (milliseconds(self.start_ps), milliseconds(self.end_ps))
    }

    /// It in words.
    pub(super) fn words(self) -> String {
        let length = words::duration(milliseconds(self.end_ps - self.start_ps) / 1000.0);
        match self.start_ps {
            0 => format!("the whole run, {length}"),
            _ => format!("the last {length} of the run"),
        }
    }
}

impl Spikes {
    /// Reads the spikes of `run`; besides those of a raster all marks of the neurons `wanted` within the window are kept.
    pub(in crate::report) fn of(run: &Run) -> Self {
        let Some(report) = &run.report.spikes else {
            return Self::default();
        };
        let mut spikes = Self {
            duration_ms: report.duration_ms,
            window: window(report.duration_ms),
            ..Self::default()
        };
        if let Some(file) = &report.file {
            let wanted = super::membranes::wanted(run);
            if let Err(note) = spikes.read(run, file, &report.recorded, &wanted) {
                spikes.populations.clear();
                spikes.notes.push(note);
            }
        }
        spikes
    }

    /// What each population did, in figures.
    pub(super) fn summaries(&self) -> IndexMap<String, PopulationSpikes> {
        let summary = |p: &Population| (p.name.clone(), p.statistics.summary(self.duration_ms));
        self.populations.iter().map(summary).collect()
    }

    /// Reads a file in which only populations of the names `recorded` have spikes; all if there are no names.
    fn read(
        &mut self,
        run: &Run,
        file: &str,
        recorded: &[String],
        wanted: &HashSet<Wanted>,
    ) -> Result<(), String> {
        let path = run.file(file, u64::MAX)?;
        let remark = |error| run.remark(&error);
        let file = SpikeFile::open(path).map_err(remark)?;
        let neurons = file
            .populations()
            .iter()
            .map(|p| u64::from(p.neurons))
            .sum();
        if neurons > MOST_NEURONS {
            let all = words::count(neurons);
            return Err(format!("{all} neurons are too many to be drawn here"));
        }
        if self.window.is_none() {
            // A run that does not say how long it was ends with its last spike.
            let last = file.last_ps().unwrap_or(0).max(1);
            self.duration_ms = milliseconds(last);
            self.window = Some(Window::before(last));
        }
        let Some(window) = self.window else {
            return Ok(());
        };
        // Where each population of the file stands among those that are drawn.
        let mut places = Vec::new();
        for p in file.populations() {
            let drawn = recorded.is_empty() || recorded.contains(&p.name);
            places.push(drawn.then_some(self.populations.len()));
            if drawn {
                let population = Population::new(&p.name, p.neurons as usize, window);
                self.populations.push(population);
            }
        }
        let place = |population: u16| places.get(usize::from(population)).copied().flatten();
        let within = window.start_ps..=window.end_ps;
        file.visit(|spike, _| {
            let at = place(spike.population);
            let Some(population) = at.and_then(|at| self.populations.get_mut(at)) else {
                return;
            };
            let Population {
                statistics, bins, ..
            } = population;
            statistics.add(spike.time_ps, spike.neuron, spike.kind);
            bins.add(spike.time_ps, spike.kind);
            if within.contains(&spike.time_ps) {
                if let Some(bins) = &mut population.window_bins {
                    bins.add(spike.time_ps, spike.kind);
                }
                if let Some(count) = population.in_window.get_mut(spike.neuron as usize) {
                    *count = count.saturating_add(1);
                }
            }
        })
        .map_err(remark)?;
        self.marks = Marks::chosen(&self.populations, wanted);
        file.visit_within(within, |mut spike, _| {
            if let Some(at) = place(spike.population).and_then(|at| u16::try_from(at).ok()) {
                spike.population = at;
                self.marks.add(spike);
            }
        })
        .map_err(remark)?;
        self.marks.finish();
        Ok(())
    }
}

impl Population {
    fn new(name: &str, neurons: usize, window: Window) -> Self {
        let bins = |start: i64, end: i64| {
            let width = round_width((end - start) / BINS);
            // A bin that the end cuts short would show too low a rate.
            let count = ((end - start) / width).max(1);
            SpikeBins::new(start, width, usize::try_from(count).unwrap_or(0))
        };
        Self {
            name: name.to_owned(),
            neurons,
            statistics: SpikeStatistics::new(neurons),
            bins: bins(0, window.end_ps),
            window_bins: (window.start_ps > 0).then(|| bins(window.start_ps, window.end_ps)),
            in_window: vec![0; neurons],
        }
    }
}

/// The last second of a run of that length; none if it has no length.
fn window(duration_ms: f64) -> Option<Window> {
    // Longer runs than 100 days cannot be told in picoseconds.
    let ps = duration_ms * 1e9;
    (ps >= 1.0 && ps < i64::MAX as f64).then(|| Window::before(ps.round() as i64))
}

/// The next width that is 1, 2 or 5 times a power of ten, 1 ms or more (ps).
fn round_width(least: i64) -> i64 {
    let mut power = 1_000_000_000_i64;
    loop {
        for digit in [1, 2, 5] {
            match power.checked_mul(digit) {
                Some(width) if width < least => {}
                Some(width) => return width,
                None => return least,
            }
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_round_widths_of_a_millisecond_or_more() {
        const MS: i64 = 1_000_000_000;
        let cases = [
            (0, MS),
            (MS, MS),
            (MS + 1, 2 * MS),
            (4 * MS, 5 * MS),
            (70 * MS, 100 * MS),
        ];
        for (least, width) in cases {
            assert_eq!(round_width(least), width);
        }
        assert!(round_width(i64::MAX) == i64::MAX);
    }

    #[test]
    fn window_is_the_last_second_or_all_there_is() {
        assert_eq!(window(200.0).map(Window::ms), Some((0.0, 200.0)));
        assert_eq!(window(2500.0).map(Window::ms), Some((1500.0, 2500.0)));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(window(none), None);
        }
    }
}
