//! Populations in figures: a table, and histograms over neurons.

use indexmap::IndexMap;

use super::super::page::{Figure, Grid};
use super::super::pictures::{extent, half};
use super::super::plot::{Canvas, Lines, Series};
use super::super::words;
use super::MOST_CURVES;
use super::gather::{Population, Spikes};
use crate::record::PopulationSpikes;

/// Bins of a histogram.
const BINS: usize = 30;
/// The most figures of one kind.
const MOST_FIGURES: usize = 4;

/// A line a population.
pub(super) fn table(populations: &IndexMap<String, PopulationSpikes>) -> Option<Grid> {
    let bursts = populations.values().any(|p| p.bursts > 0);
    let plateaus = populations.values().any(|p| p.plateaus > 0);
    let mut head = vec![
        "population",
        "neurons",
        "spikes",
        "mean rate (Hz)",
        "silent",
        "ISI CV",
    ];
    head.extend(
        bursts
            .then_some(["bursts", "burst fraction"])
            .into_iter()
            .flatten(),
    );
    head.extend(plateaus.then_some("plateaus"));
    let row = |(name, p): (&String, &PopulationSpikes)| {
        let mut row = vec![
            name.clone(),
            words::count(p.neurons),
            words::count(p.spikes),
            number(p.mean_rate_hz),
            percent(p.silent_share),
            number(p.mean_isi_cv),
        ];
        if bursts {
            row.extend([words::count(p.bursts), percent(p.burst_fraction)]);
        }
        if plateaus {
            row.push(words::count(p.plateaus));
        }
        row
    };
    (!populations.is_empty()).then(|| Grid {
        head: head.into_iter().map(str::to_owned).collect(),
        names: 1,
        rows: populations.iter().map(row).collect(),
    })
}

fn number(value: f64) -> String {
    match value.is_finite() {
        true => words::value(value),
        false => "–".to_owned(),
    }
}

fn percent(share: f64) -> String {
    match share.is_finite() {
        true => format!("{:.1} %", share * 100.0),
        false => "–".to_owned(),
    }
}

/// How rates, and the irregularity of firing, are spread over neurons.
pub(super) fn histograms(spikes: &Spikes) -> Vec<Figure> {
    let rates = |p: &Population| p.statistics.rates_hz(spikes.duration_ms).collect();
    let cvs = |p: &Population| p.statistics.isi_cvs().collect();
    let rate = Histogram {
        name: "spikes-rates",
        title: "Rates of neurons",
        x_label: "rate (Hz)",
        caption: "The share of each population's neurons by their rate over the whole run.",
    };
    let cv = Histogram {
        name: "spikes-isi-cv",
        title: "Irregularity of neurons",
        x_label: "ISI CV",
        caption: "The share of each population's neurons with at least 3 spikes by the coefficient of variation of their \
                  inter-spike intervals: 0 for a regular neuron, 1 for a Poisson process.",
    };
    let rate = rate.figures(&spikes.populations, rates);
    let cv = cv.figures(&spikes.populations, cvs);
    // Side by side, each pair of the same populations.
    let pairs = rate.into_iter().zip(cv);
    pairs.flat_map(|(rate, cv)| [rate, cv]).collect()
}

struct Histogram {
    name: &'static str,
    title: &'static str,
    x_label: &'static str,
    caption: &'static str,
}

impl Histogram {
    fn figures(
        &self,
        populations: &[Population],
        values: impl Fn(&Population) -> Vec<f64>,
    ) -> Vec<Figure> {
        let some = populations.chunks(MOST_CURVES).take(MOST_FIGURES);
        let figure = |some: &[Population]| {
            let values: Vec<(&str, Vec<f64>)> =
                some.iter().map(|p| (p.name.as_str(), values(p))).collect();
            let most = extent(values.iter().flat_map(|(_, v)| v.iter().copied()));
            let width = most.map_or(1.0, |(_, high)| if high > 0.0 { high } else { 1.0 });
            let width = width / BINS as f64;
            let series = values
                .iter()
                .map(|(name, values)| outline(name, values, width));
            let lines = Lines {
                title: self.title.to_owned(),
                x_label: self.x_label.to_owned(),
                y_label: "share of neurons".to_owned(),
                series: series.collect(),
                ..Lines::default()
            };
            half(self.name, self.caption.to_owned(), lines.svg(Canvas::HALF))
        };
        some.map(figure).collect()
    }
}

/// The share of values in each bin as a line of steps, which breaks where bins are empty.
fn outline(name: &str, values: &[f64], width: f64) -> Series {
    let mut counts = vec![0_u64; BINS];
    for value in values.iter().filter(|value| value.is_finite()) {
        // The largest value lies at the end of the last bin, and belongs to it.
        let bin = ((value / width) as usize).min(BINS - 1);
        counts[bin] += 1;
    }
    let all = counts.iter().sum::<u64>() as f64;
    let (mut x, mut y) = (Vec::new(), Vec::new());
    let mut before = 0;
    // One empty bin more takes the line down again.
    for (bin, &count) in counts.iter().chain(&[0]).enumerate() {
        let (left, right) = (bin as f64 * width, (bin + 1) as f64 * width);
        let share = count as f64 / all;
        match (before > 0, count > 0) {
            (true, true) => x.extend([left, right]),
            (false, true) => x.extend([left, left, right]),
            (true, false) => x.extend([left, left]),
            (false, false) => {}
        }
        match (before > 0, count > 0) {
            (true, true) => y.extend([share, share]),
            (false, true) => y.extend([0.0, share, share]),
            (true, false) => y.extend([0.0, f64::NAN]),
            (false, false) => {}
        }
        before = count;
    }
    Series {
        name: name.to_owned(),
        x,
        y,
        ..Series::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_histogram_add_up_to_all_neurons() {
        let values: Vec<f64> = (0..=300).map(|i| f64::from(i) / 10.0).collect();
        let series = outline("", &values, 1.0);
        let sum: f64 = series.y.iter().filter(|y| y.is_finite()).sum();
        // Each bin has two corners.
        assert!((sum - 2.0).abs() < 1e-12, "{sum}");
        assert!(outline("", &[f64::NAN], 1.0).y.is_empty());
        let apart = outline("", &[0.5, 2.5], 1.0);
        assert_eq!(apart.x, [0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 3.0]);
        assert!(apart.y[4].is_nan() && apart.y[3].abs() < 1e-15);
    }
}
