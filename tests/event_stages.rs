//! Stages of event circuits: what learns in them, which schedules hold, and what measures find.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod event_support;

use apical::experiment::Runnable;
use apical::input::DataPaths;
use apical::netlist::{self, LoadOptions};
use apical::record::MeasureReport;
use event_support::report;

const CIRCUIT: &str = r#"
use = ["lif", "sources", "stdp"]
[circuit]
name = "stages"
[modulator.gate]
schedule = { alternate = [1, 0], every = ["10 ms", "30 ms"] }
[modulator.twice]
value = "2 * gate"
every = "5 ms"
[population.pre]
neuron = "regular"
size = 1
parameter = { interval = "10 ms", phase = "1 ms" }
[population.cell]
neuron = "lif"
size = 1
soma.bias = "500 pA"
[projection.w]
from = "pre"
to = "cell.soma"
receptor = "exc"
weight = "10 pA"
delay = "1 ms"
learn = { rule = "stdp-pair", A_plus = "1 pA", A_minus = "0.5 pA" }
[[stage]]
name = "fixed"
duration = "100 ms"
learn = false
[[stage]]
name = "learn"
duration = "100 ms"
set = { gate = 0.25, twice = 7 }
[[stage]]
name = "after"
duration = "80 ms"
learn = false
[[record]]
what = "weights"
of = "w"
every = "20 ms"
[measure.gate]
kind = "mean"
of = "gate"
every = "40 ms"
[measure.twice]
kind = "mean"
of = "twice"
during = "learn"
[measure.open]
kind = "mean"
of = "twice"
when = "gate"
during = "after"
"#;

#[test]
fn weights_change_only_in_stages_that_learn() {
    let (_, out) = report(CIRCUIT);
    let file = std::fs::File::open(out.path().join("run/weights/weights-w.npy")).unwrap();
    let array = npyz::NpyFile::new(std::io::BufReader::new(file)).unwrap();
    let weights: Vec<f64> = array.into_vec().unwrap();
    let at = |ms: usize| weights[ms / 20];
    for time in [0, 40, 80] {
        assert!((at(time) - 10.0).abs() < 1e-12);
    }
    assert!((at(140) - at(120)).abs() > 1e-3, "{weights:?}");
    assert_eq!(at(220).to_bits(), at(260).to_bits());
    assert!((at(220) - 10.0).abs() > 1e-3, "{weights:?}");
}

#[test]
fn schedules_of_a_stage_end_with_it_and_the_others_stand_still_meanwhile() {
    let (report, _out) = report(CIRCUIT);
    let MeasureReport::Series { value, step, .. } = &report.measures["gate"] else {
        panic!("{:?}", report.measures["gate"]);
    };
    // 10 of 40 ms; the cycle's third period began at 80 ms and goes on at 200 ms where it stopped at 100 ms.
    assert_eq!(*step, [40, 80, 100, 140, 180, 200, 240, 280]);
    let expected = [0.25, 0.25, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25];
    assert_eq!(*value, expected);
    let number = |name: &str| match &report.measures[name] {
        MeasureReport::Number { value, .. } => *value,
        other => panic!("{other:?}"),
    };
    assert!((number("twice") - 7.0).abs() < 1e-12);
    assert!((number("open") - 2.0).abs() < 1e-12);
}

#[test]
fn a_measure_of_what_changes_all_the_time_says_what_to_write() {
    let text = CIRCUIT.replace("of = \"gate\"", "of = \"mean(cell.soma)\"");
    let netlist = netlist::parse("stages", &text, &LoadOptions::default()).unwrap();
    let problems = Runnable::new(netlist, "stages", &DataPaths::default()).unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("changes all the time"), "{text}");
    assert!(text.contains("every = \"1 ms\""), "{text}");
}
