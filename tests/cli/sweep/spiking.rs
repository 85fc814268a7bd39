//! Sweeps of circuits of spiking neurons.

use crate::support::{Place, contains_all};

const CIRCUIT: &str = r#"
use = ["lif", "sources"]

[circuit]
name = "spiking"
seed = 3

[population.noise]
neuron = "poisson"
size = 20
parameter = { rate = "800 Hz" }

[population.cells]
neuron = "lif"
size = 20

[projection.drive]
from = "noise"
to = "cells.soma"
receptor = "exc"
connect = { in-degree = 5 }
weight = "200 pA"
delay = "1 ms"

[[stage]]
name = "run"
duration = "100 ms"

[[record]]
what = "spikes"
of = "cells"

[measure.rate]
kind = "rate"
of = "cells"

[measure.cv]
kind = "isi-cv"
of = "cells"
"#;

const WEIGHTS: &str = "projection.drive.weight=200 pA,400 pA";

#[test]
fn spiking_circuits_are_swept_and_give_the_same_tables_on_any_threads() {
    let place = Place::new(&[("spiking.toml", CIRCUIT)]);
    let sweep = |out: &str, threads: &str| {
        let arguments = [
            "sweep",
            "spiking.toml",
            "--set",
            WEIGHTS,
            "--realizations",
            "2",
        ];
        place.succeed(&[&arguments[..], &["--out", out, "--threads", threads]].concat())
    };
    let said = sweep("a", "1");
    contains_all(&said, &["spiking: 4 points", "rate", "cv", " ± "]);
    sweep("b", "2");
    assert_eq!(place.tables("a"), place.tables("b"));
    let rows = place.csv("a/sweep.csv");
    assert_eq!(rows[0][7..], ["rate", "cv"]);
    let rate = |row: usize| rows[row][7].parse::<f64>().unwrap();
    assert!(rate(1) > 0.0 && rate(3) > 1.3 * rate(1), "{rows:?}");
    // What a point finds is what a run with that seed and value finds; points record nothing.
    let set = "projection.drive.weight=400 pA";
    place.succeed(&[
        "run",
        "spiking.toml",
        "--set",
        set,
        "--seed",
        "4",
        "--out",
        "one",
        "--quiet",
    ]);
    let alone = place.json("one/run.json");
    let found = alone["measures"]["rate"]["value"].as_f64().unwrap();
    assert!((found - rate(4)).abs() < 1e-12, "{found} and {}", rate(4));
    let point = place.json(&format!("a/{}/run.json", rows[4][6]));
    assert!(alone["spikes"]["file"].is_string() && point["spikes"]["file"].is_null());
}
