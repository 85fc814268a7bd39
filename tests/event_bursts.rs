//! Plateaus in dendrites, and bursts: how they begin and end, and what projections carry of them.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use apical::engine::event::turn::Signals;
use event_support::{program, run, sampled};

const PLATEAU: &str = r#"
[neuron.n]
soma = { capacitance = "200 pF", leak = "10 nS", rest = "-70 mV" }
apical = { capacitance = "100 pF", leak = "10 nS", rest = "-70 mV" }
receptor.jump = { on = ["soma", "apical"], current = "delta" }
spike = { when = "soma > -50 mV", reset = { soma = "-70 mV" }, add = { apical = "7 mV" }, refractory = "2 ms" }
plateau.apical = { when = "apical > -45 mV", current = "CURRENT", duration = "20 ms" }
[population.cell]
neuron = "n"
size = 1
[population.top]
neuron = "listed"
size = 1
times = [[4]]
[population.bottom]
neuron = "listed"
size = 1
times = [[60]]
[projection.T]
from = "top"
to = "cell.apical"
weight = "30 mV"
delay = "1 ms"
[projection.B]
from = "bottom"
to = "cell.soma"
weight = "30 mV"
delay = "1 ms"
"#;

#[test]
fn a_plateau_is_its_current_for_its_duration_and_a_spike_kicks_the_dendrite() {
    let text = PLATEAU.replace("CURRENT", "100 pA");
    let all = sampled(&program(&text), 80.0, 0.5, &[(0, 0, 1)]);
    let plateaus = all.emitted.iter().filter(|e| e.signals == Signals::PLATEAU);
    assert_eq!(
        plateaus.map(|e| e.time).collect::<Vec<_>>(),
        [5_000_000_000]
    );
    let e = |t: f64| (-t / 10.0_f64).exp();
    for (time, values) in &all.samples {
        let t = *time as f64 * 1e-9;
        // 10 mV above rest is where the current leads to; 30 mV is the jump, 7 mV the kick of the spike at 61 ms.
        let end = 10.0 + 20.0 * e(20.0);
        let exact = match t {
            t if t < 5.0 => 0.0,
            t if t < 25.0 => 10.0 + 20.0 * e(t - 5.0),
            t if t < 61.0 => end * e(t - 25.0),
            t => end * e(t - 25.0) + 7.0 * e(t - 61.0),
        } - 70.0;
        assert!(
            (values[0] - exact).abs() < 1e-11,
            "V({t}) = {} and not {exact}",
            values[0]
        );
    }
}

#[test]
fn a_plateau_whose_condition_still_holds_at_its_end_begins_again() {
    // 400 pA lead to −30 mV, above −45 mV: the plateau holds itself up.
    let text = PLATEAU.replace("CURRENT", "400 pA");
    let emitted = run(&program(&text), 70.0);
    let times: Vec<i64> = emitted
        .iter()
        .filter(|e| e.signals == Signals::PLATEAU)
        .map(|e| e.time / 1_000_000_000)
        .collect();
    assert_eq!(times, [5, 25, 45, 65]);
}

#[test]
fn during_a_plateau_its_condition_starts_no_other() {
    let text = PLATEAU
        .replace("CURRENT", "100 pA")
        .replace("[[4]]", "[[4, 9, 14]]");
    let emitted = run(&program(&text), 40.0);
    let count = emitted
        .iter()
        .filter(|e| e.signals == Signals::PLATEAU)
        .count();
    // Two more jumps of 30 mV by 15 ms keep it above −45 mV until 25 ms, when the next one begins.
    assert_eq!(count, 2);
}

/// What each signal of a neuron's bursts sends on: it is counted by neurons that add up jumps of 1 mV.
fn received(burst: &str, times: &str) -> (Vec<(i64, Signals)>, [f64; 3]) {
    let text = format!(
        r#"
[neuron.n]
soma = {{ capacitance = "200 pF", leak = "1 nS", rest = "-70 mV" }}
apical = {{ capacitance = "100 pF", leak = "1 nS", rest = "-70 mV" }}
receptor.jump = {{ on = ["soma", "apical"], current = "delta" }}
spike = {{ when = "soma > -50 mV", reset = {{ soma = "-70 mV" }}, refractory = "2 ms" }}
plateau.apical = {{ when = "apical > -45 mV", current = "0 pA", duration = "30 ms" }}
burst = {burst}
[neuron.counter]
soma = {{ capacitance = "1 pF", leak = "0 nS", rest = "0 mV" }}
receptor.jump = {{ on = ["soma"], current = "delta" }}
spike = {{ when = "soma > 1000 mV", reset = {{ soma = "0 mV" }} }}
[population.cell]
neuron = "n"
size = 1
[population.counter]
neuron = "counter"
size = 3
[population.go]
neuron = "listed"
size = 1
times = [{times}]
[population.top]
neuron = "listed"
size = 1
times = [[39]]
[projection.G]
from = "go"
to = "cell.soma"
weight = "40 mV"
delay = "1 ms"
[projection.T]
from = "top"
to = "cell.apical"
weight = "30 mV"
delay = "1 ms"
[population.c0]
neuron = "counter"
size = 1
[population.c1]
neuron = "counter"
size = 1
[population.c2]
neuron = "counter"
size = 1
[projection.S]
from = "cell"
to = "c0.soma"
weight = "1 mV"
delay = "1 ms"
[projection.E]
from = "cell"
to = "c1.soma"
signal = "event"
weight = "1 mV"
delay = "1 ms"
[projection.B]
from = "cell"
to = "c2.soma"
signal = "burst"
weight = "1 mV"
delay = "1 ms"
"#
    );
    let what = [(4, 0, 0), (5, 0, 0), (6, 0, 0)];
    let all = sampled(&program(&text), 100.0, 100.0, &what);
    let own = all.emitted.iter().filter(|e| e.neuron == 0);
    let last = &all.samples.last().unwrap().1;
    (
        own.map(|e| (e.time / 1_000_000, e.signals)).collect(),
        [last[0], last[1], last[2]],
    )
}

const SINGLE: Signals = Signals(3);
const FIRST: Signals = Signals(7);
const FURTHER: Signals = Signals(9);
const TOLD: Signals = Signals(5);

#[test]
fn a_spike_during_a_plateau_is_the_first_of_a_burst() {
    let burst = r#"{ when = "plateau(apical)", spikes = 3, interval = "5 ms" }"#;
    let (own, received) = received(burst, "[19, 49, 89]");
    let expected = [
        (20_000, SINGLE),
        (40_000, Signals::PLATEAU),
        (50_000, FIRST),
        (55_000, FURTHER),
        (60_000, FURTHER),
        (90_000, SINGLE),
    ];
    assert_eq!(own, expected);
    assert_eq!(received, [5.0, 3.0, 1.0]);
}

#[test]
fn a_spike_at_which_a_dendrite_is_high_is_the_first_of_a_burst() {
    // The soma is held in between: what arrives during the burst at 52 ms is lost.
    let burst = r#"{ when = "apical > -43 mV", spikes = 2, interval = "5 ms" }"#;
    let (own, received) = received(burst, "[19, 39.5, 41, 89]");
    let expected = [
        (20_000, SINGLE),
        (40_000, Signals::PLATEAU),
        (40_500, FIRST),
        (45_500, FURTHER),
        (90_000, SINGLE),
    ];
    assert_eq!(own, expected);
    assert_eq!(received, [4.0, 3.0, 1.0]);
}

#[test]
fn spikes_close_together_make_a_burst_that_is_told_at_the_second() {
    let burst = r#"{ within = "10 ms" }"#;
    let (own, received) = received(burst, "[9, 18, 22, 32, 60, 65, 89]");
    let own: Vec<(i64, Signals)> = own
        .into_iter()
        .filter(|(_, s)| *s != Signals::PLATEAU)
        .collect();
    let expected = [
        (10_000, SINGLE),
        (19_000, TOLD),
        (23_000, FURTHER),
        // Exactly 10 ms later is not within 10 ms.
        (33_000, SINGLE),
        (61_000, SINGLE),
        (66_000, TOLD),
        (90_000, SINGLE),
    ];
    assert_eq!(own, expected);
    assert_eq!(received, [7.0, 4.0, 2.0]);
}
