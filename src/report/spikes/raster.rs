//! The raster: which neuron fired when.

use super::super::page::Figure;
use super::super::pictures::wide;
use super::super::plot::{Band, Mark, Raster};
use super::super::words;
use super::gather::Spikes;
use crate::record::{SpikeKind, milliseconds};

/// More populations than this are not drawn.
const MOST_BANDS: usize = 30;

/// The raster of the window.
pub(super) fn figure(spikes: &Spikes) -> Figure {
    let shown = spikes.populations.len().min(MOST_BANDS);
    let populations = spikes
        .populations
        .iter()
        .zip(&spikes.marks.rows)
        .take(shown);
    let mut bands: Vec<Band> = populations
        .map(|(population, rows)| Band {
            name: population.name.clone(),
            rows: rows.len(),
            marks: Vec::new(),
        })
        .collect();
    for &(time, population, row, kind) in &spikes.marks.of_rows {
        if let Some(band) = bands.get_mut(usize::from(population)) {
            band.marks.push((milliseconds(time), row, mark(kind)));
        }
    }
    let mut window = spikes.window.map(|window| window.ms());
    if let (true, Some(first)) = (spikes.marks.cut, spikes.marks.of_rows.first()) {
        window = window.map(|(_, end)| (milliseconds(first.0), end));
    }
    let names = [
        (Mark::Plain, "spike"),
        (Mark::Strong, "burst: first spike"),
        (Mark::Weak, "burst: further spikes"),
        (Mark::Bar, "plateau begins"),
    ];
    let raster = Raster {
        title: "Spikes".to_owned(),
        note: sample(spikes),
        x_label: "time (ms)".to_owned(),
        x_range: window,
        bands,
        names: names.map(|(mark, name)| (mark, name.to_owned())).to_vec(),
    };
    wide(
        "spikes",
        caption(spikes, shown),
        raster.svg(raster.canvas()),
    )
}

fn mark(kind: SpikeKind) -> Mark {
    match kind {
        SpikeKind::Spike => Mark::Plain,
        SpikeKind::Burst => Mark::Strong,
        SpikeKind::InBurst => Mark::Weak,
        SpikeKind::Plateau => Mark::Bar,
    }
}

/// How many of the neurons are drawn, if not all.
fn sample(spikes: &Spikes) -> String {
    let all: usize = spikes.populations.iter().map(|p| p.neurons).sum();
    let drawn: usize = spikes.marks.rows.iter().map(Vec::len).sum();
    if drawn == all {
        return String::new();
    }
    let (drawn, all) = (words::count(drawn as u64), words::count(all as u64));
    format!("{drawn} of {all} neurons")
}

fn caption(spikes: &Spikes, shown: usize) -> String {
    let window = spikes.window.map_or(String::new(), |window| window.words());
    let what = format!("A row a neuron, a mark a spike; {window}");
    let sample = match sample(spikes).as_str() {
        "" => String::new(),
        sample => format!("{sample} are shown, spread evenly over each population"),
    };
    let cut = match spikes.marks.cut {
        true => "There are so many spikes that only the end of it is shown",
        false => "",
    };
    let left_out = match spikes.populations.len() - shown {
        0 => String::new(),
        more => format!("{more} further populations are not shown"),
    };
    words::sentences([what.as_str(), &sample, cut, &left_out])
}
