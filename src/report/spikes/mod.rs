//! What spiking neurons did: rasters, rates, statistics, membranes and modulators.
//!
//! [`Spikes::of`] reads `spikes.parquet` twice: once for the statistics of all spikes, once for the marks of the window that
//! is drawn. Memory grows with neurons and marks, not with spikes.

mod gather;
mod marks;
mod membranes;
mod modulators;
mod raster;
mod rates;
mod statistics;
#[cfg(test)]
mod tests;

pub(super) use gather::Spikes;
pub(super) use membranes::section as membranes_section;
pub(super) use modulators::section as modulators_section;

use super::page::Section;
use super::run::Run;

/// The most curves in one plot, which is the number of colours.
const MOST_CURVES: usize = 7;

/// Rasters, rates and statistics, if the run has spikes.
pub(super) fn section(run: &Run, spikes: &Spikes) -> Section {
    let mut section = Section {
        heading: "Spikes".to_owned(),
        notes: spikes.notes.clone(),
        ..Section::default()
    };
    let Some(report) = &run.report.spikes else {
        return section;
    };
    section.grid = match report.populations.is_empty() {
        true => statistics::table(&spikes.summaries()),
        false => statistics::table(&report.populations),
    };
    if !spikes.populations.is_empty() {
        section.figures.push(raster::figure(spikes));
        section.figures.extend(rates::figures(spikes));
        section.figures.extend(statistics::histograms(spikes));
    }
    section
}
