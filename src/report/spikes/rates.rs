//! Rates over time.

use super::super::page::Figure;
use super::super::pictures::{half, wide};
use super::super::plot::{Canvas, Lines, Series};
use super::MOST_CURVES;
use super::gather::{Population, Spikes, Window};
use crate::measure::SpikeBins;

/// The most figures of one kind.
const MOST_FIGURES: usize = 4;

/// Rates over the whole run and within the window; where neurons burst, event rates and burst fractions, too.
pub(super) fn figures(spikes: &Spikes) -> Vec<Figure> {
    let mut figures = Vec::new();
    let all: Vec<&Population> = spikes.populations.iter().collect();
    let over_the_run = Kind {
        name: "spikes-rate",
        title: "Rate",
        y_label: "rate (Hz per neuron)",
        caption: "Spikes a neuron and second, over the whole run.",
        x_range: Some((0.0, spikes.duration_ms)),
    };
    let run = |p: &Population| (p.bins.middles_ms(), p.bins.rates_hz(p.neurons));
    figures.extend(over_the_run.figures(&all, run, true));
    let over_the_window = Kind {
        name: "spikes-rate-window",
        title: "Rate, at the end",
        caption: "Spikes a neuron and second, over the time that the raster shows.",
        x_range: spikes.window.map(Window::ms),
        ..over_the_run
    };
    if all.iter().any(|p| p.window_bins.is_some()) {
        let window = |p: &Population| {
            let of = |bins: &SpikeBins| (bins.middles_ms(), bins.rates_hz(p.neurons));
            p.window_bins.as_ref().map(of).unwrap_or_default()
        };
        figures.extend(over_the_window.figures(&all, window, true));
    }
    let bursting = all.into_iter().filter(|p| p.statistics.bursts());
    let bursting: Vec<&Population> = bursting.collect();
    let events = Kind {
        name: "spikes-events",
        title: "Event rate",
        y_label: "event rate (Hz per neuron)",
        caption: "Events a neuron and second: spikes outside bursts, and bursts.",
        ..over_the_run
    };
    let event_rates = |p: &Population| (p.bins.middles_ms(), p.bins.event_rates_hz(p.neurons));
    figures.extend(events.figures(&bursting, event_rates, false));
    let fractions = Kind {
        name: "spikes-burst-fraction",
        title: "Burst fraction",
        y_label: "bursts / events",
        caption: "The share of events that are bursts.",
        ..over_the_run
    };
    let burst_fractions = |p: &Population| (p.bins.middles_ms(), p.bins.burst_fractions());
    figures.extend(fractions.figures(&bursting, burst_fractions, false));
    figures
}

/// A kind of figure.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    title: &'static str,
    y_label: &'static str,
    caption: &'static str,
    x_range: Option<(f64, f64)>,
}

impl Kind {
    /// One plot for every few populations, of the curve that `curve` makes of each.
    fn figures(
        self,
        populations: &[&Population],
        curve: impl Fn(&Population) -> (Vec<f64>, Vec<f64>),
        is_wide: bool,
    ) -> Vec<Figure> {
        let series = |p: &&Population| {
            let (x, y) = curve(p);
            Series {
                name: p.name.clone(),
                x,
                y,
                ..Series::default()
            }
        };
        let plot = |some: &[&Population]| {
            let lines = Lines {
                title: self.title.to_owned(),
                x_label: "time (ms)".to_owned(),
                y_label: self.y_label.to_owned(),
                series: some.iter().map(series).collect(),
                x_range: self.x_range,
                ..Lines::default()
            };
            let caption = self.caption.to_owned();
            match is_wide {
                true => wide(self.name, caption, lines.svg(Canvas::WIDE)),
                false => half(self.name, caption, lines.svg(Canvas::HALF)),
            }
        };
        let some = populations.chunks(MOST_CURVES).take(MOST_FIGURES);
        some.map(plot).collect()
    }
}
