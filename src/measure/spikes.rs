//! What a population of spiking neurons does: rates, irregularity, bursts. In one pass, in memory that does not grow with
//! the number of spikes.

use serde::{Deserialize, Serialize};

use crate::prefetch::{large_pages, prefetch};
use crate::record::{PopulationSpikes, Spike, SpikeBlock, SpikeKind, SpikePopulation, SpikeReport};

/// Least number of spikes of a neuron whose intervals say how regular it is.
const LEAST_SPIKES: u64 = 3;

/// Statistics of the spikes of one population.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpikeStatistics {
    neurons: Vec<Neuron>,
    spikes: u64,
    events: u64,
    bursts: u64,
    plateaus: u64,
}

/// One neuron: its spikes, and mean and squared deviations of the intervals between them (Welford 1962).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Neuron {
    spikes: u64,
    last_ps: i64,
    /// Mean interval (ps).
    mean: f64,
    /// Sum of squared deviations from it (ps²).
    squares: f64,
}

impl SpikeStatistics {
    /// Of a population of so many neurons that has not fired yet.
    pub fn new(neurons: usize) -> Self {
        let mut each = large_pages(Vec::with_capacity(neurons));
        each.resize(neurons, Neuron::default());
        Self {
            neurons: each,
            spikes: 0,
            events: 0,
            bursts: 0,
            plateaus: 0,
        }
    }

    /// Shows it a spike at a time (ps), those of each neuron in order. One of a neuron that the population does not have
    /// does not count.
    pub fn add(&mut self, time_ps: i64, neuron: u32, kind: SpikeKind) {
        let Some(neuron) = self.neurons.get_mut(neuron as usize) else {
            return;
        };
        self.plateaus += u64::from(kind == SpikeKind::Plateau);
        self.bursts += u64::from(kind == SpikeKind::Burst);
        self.events += u64::from(kind.is_event());
        if kind.is_spike() {
            self.spikes += 1;
            neuron.add(time_ps);
        }
    }

    /// Isolated spikes, and the first ones of bursts.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether any neuron burst.
    pub fn bursts(&self) -> bool {
        self.bursts > 0
    }

    /// The rate of each neuron (Hz) over a duration (ms).
    pub fn rates_hz(&self, duration_ms: f64) -> impl Iterator<Item = f64> {
        let seconds = duration_ms / 1000.0;
        self.neurons.iter().map(move |n| n.spikes as f64 / seconds)
    }

    /// The coefficient of variation of the inter-spike intervals of each neuron with at least 3 spikes: standard
    /// deviation, with divisor n, over mean. 0 for a regular neuron, near 1 for a Poisson process.
    pub fn isi_cvs(&self) -> impl Iterator<Item = f64> {
        self.neurons.iter().filter_map(Neuron::isi_cv)
    }

    /// All of it in figures, over a duration (ms).
    pub fn summary(&self, duration_ms: f64) -> PopulationSpikes {
        let neurons = self.neurons.len() as f64;
        let silent = self.neurons.iter().filter(|n| n.spikes == 0).count();
        let (sum, count) = self
            .isi_cvs()
            .fold((0.0, 0.0), |(sum, count), cv| (sum + cv, count + 1.0));
        PopulationSpikes {
            neurons: self.neurons.len() as u64,
            spikes: self.spikes,
            bursts: self.bursts,
            plateaus: self.plateaus,
            mean_rate_hz: self.spikes as f64 / neurons / (duration_ms / 1000.0),
            silent_share: silent as f64 / neurons,
            mean_isi_cv: sum / count,
            burst_fraction: self.bursts as f64 / self.events as f64,
        }
    }
}

impl Neuron {
    fn add(&mut self, time_ps: i64) {
        if self.spikes > 0 {
            let interval = time_ps.saturating_sub(self.last_ps) as f64;
            let before = interval - self.mean;
            self.mean += before / self.spikes as f64;
            self.squares += before * (interval - self.mean);
        }
        self.spikes += 1;
        self.last_ps = time_ps;
    }

    fn isi_cv(&self) -> Option<f64> {
        if self.spikes < LEAST_SPIKES {
            return None;
        }
        let variance = self.squares / (self.spikes - 1) as f64;
        Some(variance.sqrt() / self.mean).filter(|cv| cv.is_finite())
    }
}

/// Statistics of all populations whose spikes are recorded: shown the blocks before they are sent, it makes the summary of
/// `run.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpikeTally {
    names: Vec<String>,
    populations: Vec<SpikeStatistics>,
}

impl SpikeTally {
    /// Of these populations, none of which has fired yet.
    pub fn new(populations: &[SpikePopulation]) -> Self {
        let statistics = |p: &SpikePopulation| SpikeStatistics::new(p.neurons as usize);
        Self {
            names: populations.iter().map(|p| p.name.clone()).collect(),
            populations: populations.iter().map(statistics).collect(),
        }
    }

    /// Shows it a spike; those of each neuron in order.
    pub fn add(&mut self, spike: Spike) {
        if let Some(population) = self.populations.get_mut(usize::from(spike.population)) {
            population.add(spike.time_ps, spike.neuron, spike.kind);
        }
    }

    /// Tells it that a spike of a neuron comes soon, so that it has to wait less for memory then.
    #[inline]
    pub fn prefetch(&self, population: usize, neuron: usize) {
        if let Some(population) = self.populations.get(population) {
            prefetch(&population.neurons, neuron);
        }
    }

    /// Shows it the spikes of a block.
    pub fn add_block(&mut self, block: &SpikeBlock) {
        block.iter().for_each(|spike| self.add(spike));
    }

    /// The summary, over the time simulated (ms); `file` is that of the spikes, if they were recorded.
    pub fn report(&self, file: Option<String>, duration_ms: f64) -> SpikeReport {
        let summaries = self.populations.iter().map(|p| p.summary(duration_ms));
        SpikeReport {
            file,
            recorded: vec![],
            duration_ms,
            populations: self.names.iter().cloned().zip(summaries).collect(),
        }
    }
}

/// Spikes of a population in bins of time.
#[derive(Debug, Clone)]
pub struct SpikeBins {
    start_ps: i64,
    width_ps: i64,
    bins: Vec<Bin>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    spikes: u64,
    events: u64,
    bursts: u64,
}

impl SpikeBins {
    /// So many bins of a width (ps), the first from `start_ps` on. Spikes at the start of a bin belong to it.
    pub fn new(start_ps: i64, width_ps: i64, bins: usize) -> Self {
        Self {
            start_ps,
            width_ps: width_ps.max(1),
            bins: vec![Bin::default(); bins],
        }
    }

    /// Shows it a spike at a time (ps); one outside the bins does not count.
    pub fn add(&mut self, time_ps: i64, kind: SpikeKind) {
        let place = time_ps
            .saturating_sub(self.start_ps)
            .div_euclid(self.width_ps);
        let bin = usize::try_from(place).ok();
        if let Some(bin) = bin.and_then(|place| self.bins.get_mut(place)) {
            bin.spikes += u64::from(kind.is_spike());
            bin.events += u64::from(kind.is_event());
            bin.bursts += u64::from(kind == SpikeKind::Burst);
        }
    }

    /// The middle of each bin (ms).
    pub fn middles_ms(&self) -> Vec<f64> {
        let places = (0..self.bins.len()).map(|bin| bin as f64 + 0.5);
        let middle = |place| (self.start_ps as f64 + place * self.width_ps as f64) / 1e9;
        places.map(middle).collect()
    }

    /// The spikes of a bin by neuron and second (Hz), of a population of so many neurons.
    pub fn rates_hz(&self, neurons: usize) -> Vec<f64> {
        self.by_neuron(neurons, |bin| bin.spikes)
    }

    /// The events (spikes outside bursts and first spikes of bursts) of a bin by neuron and second (Hz).
    pub fn event_rates_hz(&self, neurons: usize) -> Vec<f64> {
        self.by_neuron(neurons, |bin| bin.events)
    }

    /// Bursts over events in each bin; not a number where there is no event.
    pub fn burst_fractions(&self) -> Vec<f64> {
        let fraction = |bin: &Bin| bin.bursts as f64 / bin.events as f64;
        self.bins.iter().map(fraction).collect()
    }

    fn by_neuron(&self, neurons: usize, count: impl Fn(&Bin) -> u64) -> Vec<f64> {
        let neuron_seconds = neurons as f64 * self.width_ps as f64 / 1e12;
        let rate = |bin: &Bin| count(bin) as f64 / neuron_seconds;
        self.bins.iter().map(rate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    const MS: i64 = 1_000_000_000;

    #[test]
    fn regular_neurons_have_no_variation_and_their_rate_is_their_frequency() {
        let mut statistics = SpikeStatistics::new(4);
        for neuron in 0..2 {
            for spike in 0..100 {
                statistics.add(spike * 10 * MS, neuron, SpikeKind::Spike);
            }
        }
        // Two spikes have one interval: it cannot vary, so it does not count.
        statistics.add(3 * MS, 2, SpikeKind::Spike);
        statistics.add(500 * MS, 2, SpikeKind::Spike);
        let summary = statistics.summary(1000.0);
        assert_eq!(statistics.isi_cvs().count(), 2);
        // Intervals in ps are whole numbers below 2⁵³: nothing is rounded.
        assert!(summary.mean_isi_cv.abs() < 1e-15);
        let rates: Vec<f64> = statistics.rates_hz(1000.0).collect();
        assert_eq!(rates, [100.0, 100.0, 2.0, 0.0]);
        assert!((summary.mean_rate_hz - 202.0 / 4.0).abs() < 1e-12);
        assert!((summary.silent_share - 0.25).abs() < 1e-15);
        assert_eq!((summary.spikes, summary.neurons), (202, 4));
        assert!(
            summary.burst_fraction.abs() < 1e-15,
            "events, but no bursts"
        );
    }

    #[test]
    fn poisson_neurons_vary_as_their_mean() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let mut statistics = SpikeStatistics::new(50);
        for neuron in 0..50 {
            let mut time = 0.0;
            for _ in 0..4000 {
                time += -(1.0 - random.random::<f64>()).ln() * 20.0 * MS as f64;
                statistics.add(time as i64, neuron, SpikeKind::Spike);
            }
        }
        // The CV of n exponential intervals has a standard error of about 1/√n: 0.0022 over 200 000 of them.
        let summary = statistics.summary(1000.0);
        assert!((summary.mean_isi_cv - 1.0).abs() < 0.01, "{summary:?}");
    }

    #[test]
    fn two_intervals_in_turn_have_the_variation_of_their_definition() {
        let mut statistics = SpikeStatistics::new(1);
        let mut time = 0;
        statistics.add(time, 0, SpikeKind::Spike);
        for interval in [10, 30, 10, 30] {
            time += interval * MS;
            statistics.add(time, 0, SpikeKind::Spike);
        }
        // Mean 20, standard deviation 10.
        assert!((statistics.summary(80.0).mean_isi_cv - 0.5).abs() < 1e-12);
    }

    #[test]
    fn bursts_count_once_as_events_and_plateaus_are_no_spikes() {
        use SpikeKind::{Burst, InBurst, Plateau, Spike};
        let mut statistics = SpikeStatistics::new(1);
        let mut bins = SpikeBins::new(0, 10 * MS, 2);
        let kinds = [Spike, Plateau, Burst, InBurst, InBurst, Spike, Spike];
        for (place, kind) in (0..).zip(kinds) {
            statistics.add(place * MS, 0, kind);
            bins.add(place * MS, kind);
        }
        let summary = statistics.summary(1000.0);
        assert_eq!(
            (summary.spikes, summary.bursts, summary.plateaus),
            (6, 1, 1)
        );
        assert!((summary.burst_fraction - 0.25).abs() < 1e-15);
        assert_eq!(bins.rates_hz(1), [600.0, 0.0]);
        assert_eq!(bins.event_rates_hz(2), [200.0, 0.0]);
        let fractions = bins.burst_fractions();
        assert!((fractions[0] - 0.25).abs() < 1e-15 && fractions[1].is_nan());
    }

    #[test]
    fn bins_hold_their_start_and_not_their_end() {
        let mut bins = SpikeBins::new(5 * MS, MS, 3);
        for time in [
            5 * MS - 1,
            5 * MS,
            6 * MS - 1,
            6 * MS,
            8 * MS,
            i64::MIN,
            i64::MAX,
        ] {
            bins.add(time, SpikeKind::Spike);
        }
        assert_eq!(bins.rates_hz(1), [2000.0, 1000.0, 0.0]);
        assert_eq!(bins.middles_ms(), [5.5, 6.5, 7.5]);
    }

    #[test]
    fn nothing_at_all_is_no_trouble() {
        let summary = SpikeStatistics::new(0).summary(0.0);
        assert!(summary.mean_rate_hz.is_nan() && summary.mean_isi_cv.is_nan());
        assert!(summary.silent_share.is_nan() && summary.burst_fraction.is_nan());
        SpikeBins::new(0, 0, 0).add(3, SpikeKind::Spike);
    }
}
