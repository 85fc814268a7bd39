//! Measures of circuits of spiking neurons against what the same run recorded, and filters of sampled modulators against
//! their equations.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use apical::record::{MeasureReport, RunReport, Spike, SpikeFile, SpikeKind};

mod event_support;
use event_support::{program, refused, report, sampled};

const CIRCUIT: &str = r#"
use = ["lif", "sources", "pyramidal", "stdp"]
[circuit]
name = "measures"
[modulator.wave]
value = "sin(2 * 3.141592653589793 * t / 50 ms)"
every = "1 ms"
[modulator.late]
value = "sin(2 * 3.141592653589793 * (t - 5 ms) / 50 ms)"
every = "1 ms"
[population.noise]
neuron = "poisson"
size = 40
parameter = { rate = "200 Hz" }
[population.cells]
neuron = "pyramidal-3"
size = 40
basal.bias = "300 pA"
apical.bias = "150 pA"
[projection.basal]
from = "noise"
to = "cells.basal"
receptor = "exc"
connect = "one-to-one"
weight = "300 pA"
delay = "1 ms"
[projection.apical]
like = "basal"
to = "cells.apical"
weight = "250 pA"
[projection.w]
from = "noise"
to = "cells.soma"
receptor = "exc"
connect = { in-degree = 2 }
weight = "10 pA"
delay = "1 ms"
learn = { rule = "stdp-pair", A_plus = "1 pA", A_minus = "0.5 pA" }
[[stage]]
name = "first"
duration = "300 ms"
[[stage]]
name = "second"
duration = "250 ms"
[[record]]
what = "spikes"
of = "cells"
[[record]]
what = "weights"
of = "w"
every = "100 ms"
[measure.rate]
kind = "rate"
of = "cells"
during = "second"
[measure.events]
kind = "spike-count"
of = "cells"
signal = "event"
every = "100 ms"
[measure.cv]
kind = "isi-cv"
of = "cells"
during = "second"
[measure.fraction]
kind = "burst-fraction"
of = "cells"
during = "second"
[measure.weight]
kind = "mean-weight"
of = "w"
elements = [0, 3]
[measure.lagged]
kind = "correlation"
of = "late"
with = "wave"
every = "1 ms"
lag = "5 ms"
[measure.opposed]
kind = "correlation"
of = "wave"
with = "sin(2 * 3.141592653589793 * (t - 25 ms) / 50 ms)"
every = "1 ms"
[measure.explained]
kind = "r-squared"
truth = "wave"
prediction = "0.5 * wave"
every = "1 ms"
during = "second"
"#;

fn number(report: &RunReport, name: &str) -> f64 {
    match &report.measures[name] {
        MeasureReport::Number { value, .. } => *value,
        other => panic!("{other:?}"),
    }
}

fn spikes(out: &Path) -> Vec<Spike> {
    let file = SpikeFile::open(out.join("run/spikes.parquet")).unwrap();
    let mut all = Vec::new();
    file.visit(|spike, _| all.push(spike)).unwrap();
    all
}

const MS: i64 = 1_000_000_000;

#[test]
fn counts_rates_and_fractions_are_those_of_the_recorded_spikes() {
    let (report, out) = report(CIRCUIT);
    let all = spikes(out.path());
    let second: Vec<&Spike> = all.iter().filter(|s| s.time_ps >= 300 * MS).collect();
    let count = |is: fn(SpikeKind) -> bool| second.iter().filter(|s| is(s.kind)).count() as f64;
    let (bursts, events) = (count(|k| k == SpikeKind::Burst), count(SpikeKind::is_event));
    assert!(
        bursts > 3.0 && events > bursts + 20.0,
        "{bursts} of {events}"
    );
    let rate = count(SpikeKind::is_spike) / 40.0 / 0.25;
    assert!((number(&report, "rate") - rate).abs() < 1e-9);
    assert!((number(&report, "fraction") - bursts / events).abs() < 1e-12);
    let MeasureReport::Series { step, value, .. } = &report.measures["events"] else {
        panic!("{:?}", report.measures["events"]);
    };
    assert_eq!(*step, [100, 200, 300, 400, 500, 550]);
    let ends = [0, 100, 200, 300, 400, 500, 550].map(|ms| ms * MS);
    for (window, value) in ends.windows(2).zip(value) {
        let within = |s: &&Spike| (window[0]..window[1]).contains(&s.time_ps) && s.kind.is_event();
        assert_eq!(all.iter().filter(within).count(), value.round() as usize);
    }
}

#[test]
fn isi_cv_is_averaged_over_neurons() {
    let (report, out) = report(CIRCUIT);
    let all = spikes(out.path());
    let mut cvs = Vec::new();
    for neuron in 0..40 {
        let own = |s: &&Spike| s.neuron == neuron && s.kind.is_spike() && s.time_ps >= 300 * MS;
        let times: Vec<f64> = all.iter().filter(own).map(|s| s.time_ps as f64).collect();
        if times.len() < 3 {
            continue;
        }
        let intervals: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
        let n = intervals.len() as f64;
        let mean = intervals.iter().sum::<f64>() / n;
        let variance = intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / n;
        cvs.push(variance.sqrt() / mean);
    }
    let expected = cvs.iter().sum::<f64>() / cvs.len() as f64;
    assert!((number(&report, "cv") - expected).abs() < 1e-9);
}

#[test]
fn correlations_and_r_squared_of_known_waves() {
    let (report, _out) = report(CIRCUIT);
    let MeasureReport::Series { value, .. } = &report.measures["lagged"] else {
        panic!("one for each stage: {:?}", report.measures["lagged"]);
    };
    assert_eq!(value.len(), 2);
    assert!(value.iter().all(|c| (c - 1.0).abs() < 1e-9), "{value:?}");
    let MeasureReport::Series { value, .. } = &report.measures["opposed"] else {
        panic!("{:?}", report.measures["opposed"]);
    };
    assert!(value.iter().all(|c| (c + 1.0).abs() < 1e-9), "{value:?}");
    // Whole periods: the mean is 0, and half of the wave leaves a quarter of the variance.
    assert!((number(&report, "explained") - 0.75).abs() < 1e-9);
}

#[test]
fn mean_weight_is_that_of_the_recorded_weights() {
    let (report, out) = report(CIRCUIT);
    let file = std::fs::File::open(out.path().join("run/weights/weights-w.npy")).unwrap();
    let array = npyz::NpyFile::new(std::io::BufReader::new(file)).unwrap();
    let weights: Vec<f64> = array.into_vec().unwrap();
    let MeasureReport::Series { value, .. } = &report.measures["weight"] else {
        panic!("{:?}", report.measures["weight"]);
    };
    // Samples at 0, 100, … 500 ms, and the last one at the end.
    let at = |sample: usize| f64::midpoint(weights[sample * 80], weights[sample * 80 + 3]);
    assert!((value[0] - at(3)).abs() < 1e-9, "{value:?}");
    assert!(
        (value[1] - at(weights.len() / 80 - 1)).abs() < 1e-9,
        "{value:?}"
    );
    assert!((value[1] - 10.0).abs() > 1e-6, "the weights change");
}

#[test]
fn filters_of_sampled_modulators_follow_their_equations() {
    let text = r#"
[modulator.gate]
schedule = { list = [0, 3, 1], every = "10 ms" }
[modulator.low]
value = "lowpass(gate, 7 ms)"
every = "2 ms"
[modulator.mean]
value = "avg(gate, 7 ms)"
every = "2 ms"
[modulator.sum]
value = "trace(gate, 7 ms)"
every = "2 ms"
[modulator.before]
value = "prev(gate, 3)"
every = "2 ms"
[modulator.saccade]
value = "changed(gate)"
every = "2 ms"
[population.cell]
neuron = "lif"
size = 1
"#;
    let program = program(text);
    let mut simulation = apical::engine::event::simulation::Simulation::new(program, 1).unwrap();
    let mut all = event_support::Everything {
        every: Some(2 * MS),
        modulators: vec![0, 1, 2, 3, 4, 5],
        ..event_support::Everything::default()
    };
    simulation.run_until(40 * MS + 1, &mut all).unwrap();
    let decay = (-2.0_f64 / 7.0).exp();
    let (mut low, mut mean, mut sum) = (0.0, f64::NAN, 0.0);
    let mut gates = Vec::new();
    for levels in &all.levels {
        let gate = levels[0];
        low = decay * low + (1.0 - decay) * gate;
        mean = if f64::is_nan(mean) {
            gate
        } else {
            decay * mean + (1.0 - decay) * gate
        };
        sum = decay * sum + gate;
        gates.push(gate);
        let n = gates.len();
        let before = if n > 3 { gates[n - 4] } else { 0.0 };
        let changed = f64::from(n > 1 && (gates[n - 2] - gate).abs() > 0.0);
        for (found, expected) in levels[1..].iter().zip([low, mean, sum, before, changed]) {
            assert!((found - expected).abs() < 1e-12, "{levels:?}");
        }
    }
    assert_eq!(all.levels.len(), 21);
}

#[test]
fn rates_count_what_they_name_in_a_window_of_the_given_length() {
    let text = r#"
[modulator.fast]
value = "rate(source, 5 ms) * 1 ms"
every = "1 ms"
[modulator.slow]
value = "rate(source) * 1 ms"
every = "1 ms"
[modulator.bursts]
value = "burst_rate(source, 5 ms) * 1 ms"
every = "1 ms"
[population.source]
neuron = "listed"
size = 2
times = [[2.5, 7.25], []]
"#;
    let program = program(text);
    let mut simulation =
        apical::engine::event::simulation::Simulation::new(program.clone(), 1).unwrap();
    let mut all = event_support::Everything {
        every: Some(MS),
        modulators: vec![0, 1, 2],
        ..event_support::Everything::default()
    };
    simulation.run_until(12 * MS + 1, &mut all).unwrap();
    for (ms, levels) in all.levels.iter().enumerate() {
        let rate = |tau: f64| {
            let past = [2.5, 7.25].into_iter().filter(|t| *t < ms as f64);
            past.map(|t| (-(ms as f64 - t) / tau).exp() / tau / 2.0)
                .sum::<f64>()
        };
        for (found, expected) in levels.iter().zip([rate(5.0), rate(100.0), 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{ms} ms: {levels:?}");
        }
    }
    assert!(!sampled(&program, 1.0, 1.0, &[]).samples.is_empty());
}

#[test]
fn what_cannot_be_measured_says_what_to_write() {
    let circuit = "[population.cells]\nneuron = \"lif\"\nsize = 3\n";
    let cases = [
        ("kind = \"rate\"\nof = \"cell\"", "did you mean `cells`"),
        (
            "kind = \"rate\"\nof = \"cells\"\nsignal = \"spikes\"",
            "did you mean",
        ),
        (
            "kind = \"tuning\"\nof = \"cells.soma\"\nby = \"t / 1 ms\"",
            "burst-fraction",
        ),
        (
            "kind = \"r-squared\"\ntruth = \"1\"\nprediction = \"2\"",
            "every = ",
        ),
        (
            "kind = \"correlation\"\nof = \"cells.soma\"\nwith = \"t\"\nevery = \"1 ms\"",
            "sum(…) or mean(…)",
        ),
        (
            "kind = \"correlation\"\nof = \"t\"\nwith = \"t\"\nevery = \"2 ms\"\nlag = \"3 ms\"",
            "multiple of `every`",
        ),
        ("kind = \"mean-weight\"\nof = \"w\"", "no projection `w`"),
        (
            "kind = \"correlation\"\nof = \"rate(cells, 0 ms)\"\nwith = \"t\"\nevery = \"2 ms\"",
            "such as rate(cells, 20 ms)",
        ),
    ];
    for (measure, says) in cases {
        let told = refused(&format!("{circuit}[measure.m]\n{measure}\n"));
        assert!(told.contains(says), "{measure}\n{told}");
    }
}
