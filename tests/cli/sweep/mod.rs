//! `apical sweep`: tables that do not depend on threads or interruptions, refusals, rows for failures.

mod mistakes;
mod resume;
mod spiking;
mod tables;

use std::fs;
use std::path::PathBuf;

use crate::support::Place;

/// A weight that multiplies itself by 1 + eta in each step of learning, of a neuron that sees noise. Two parts of 20 steps:
/// with eta = 1e9 it leaves the finite numbers, which end at 1.8e308, in the 35th, and what it drives does in the next: step
/// 85, for 50 steps of testing lie between.
const SMALL: &str = r#"
[circuit]
name = "small"
seed = 3
step = 1

[neuron.constant]
soma = { value = "drive" }

[neuron.noisy]
dend = { value = "drive" }
soma = { value = "dend + noise" }

[rule.grow]
parameter = { eta = "required" }
dw = "eta * w"

[population.calm]
neuron = "constant"
size = 2
soma.bias = [0, 1]

[population.wild]
neuron = "noisy"
size = 2

[projection.W]
from = "calm"
to = "wild.dend"
connect = "one-to-one"
weight = 1
learn = { rule = "grow", eta = 1e-3 }

[[stage]]
name = "block"
repeat = 2

[[stage.part]]
name = "train"
steps = 20

[[stage.part]]
name = "test"
steps = 50
learn = false

[measure.activity]
kind = "mean"
of = "mean(wild.soma)"
during = "test"

[measure.last]
kind = "r-squared"
truth = "wild.soma"
prediction = "wild.dend"
during = "test"

[measure.acf]
kind = "autocorrelation"
of = "wild.soma"
lags = 3
during = "test"

[[record]]
what = "trace"
of = "wild.soma"
"#;

const ETAS: &str = "projection.W.learn.eta=1e-3,1e-2";

const TABLES: [&str; 4] = [
    "sweep.csv",
    "sweep.parquet",
    "sweep-curves.csv",
    "sweep-curves.parquet",
];

/// A folder with that circuit.
fn place() -> Place {
    Place::new(&[("small.toml", SMALL)])
}

/// What tests of sweeps do in their folder.
impl Place {
    /// A sweep of two values into `out`, three realizations each unless `more` says otherwise.
    pub fn sweep(&self, out: &str, more: &[&str]) -> String {
        let start = ["sweep", "small.toml", "--set", ETAS, "--out", out];
        self.succeed(&[&start, more].concat())
    }

    pub fn tables(&self, out: &str) -> Vec<Vec<u8>> {
        let read = |name: &&str| fs::read(self.path(out).join(name)).unwrap();
        TABLES.iter().map(read).collect()
    }

    /// The lines of a CSV table without quotes in it, cell by cell; the first is that of the names.
    pub fn csv(&self, name: &str) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let cells = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines().map(cells).collect()
    }

    pub fn points(&self, out: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(out).join("points")).unwrap();
        let mut points: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
        points.sort();
        points
    }
}
