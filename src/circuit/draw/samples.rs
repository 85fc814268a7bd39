//! Circuits to draw in tests.
#![allow(clippy::unwrap_used)]

use crate::input::DataPaths;

use crate::circuit::Circuit;
use crate::netlist::{LoadOptions, parse};

const HEAD: &str = r#"
[circuit]
name = "drawn"
seed = 1
step = "1 ms"

[modulator.lambda]
schedule = { alternate = [1, 0], every = 2 }

[modulator.reward]
value = "mean(p0.soma)"

[neuron.pyramid]
parameter = { sigma = 0.1 }
basal = { value = "drive" }
apical = { value = "drive + sigma * noise" }
soma = { value = "lambda * basal + (1 - lambda) * apical" }

[neuron.point]
soma = { derivative = "-soma + drive" }

[neuron.branched]
basal = { value = "drive" }
oblique = { value = "drive" }
tuft = { value = "drive" }
soma = { value = "basal + oblique + tuft" }

[rule.hebb]
parameter = { eta = "required" }
dw = "eta * post * pre"

[input.world]
process = "latent-ar1"
size = 20
latent = 5
decay = 0.9
noise = 0.1
mixing = { normal = { mean = 0.0, sd = 0.1 } }

[[stage]]
name = "train"
steps = 1
"#;

const COMPARTMENTS: [(&str, &[&str]); 3] = [
    ("pyramid", &["basal", "apical"]),
    ("point", &["soma"]),
    ("branched", &["basal", "oblique", "tuft"]),
];

fn circuit(text: &str) -> Circuit {
    let netlist = parse("drawn.toml", text, &LoadOptions::default());
    let netlist = netlist.unwrap();
    let (circuit, problems) = Circuit::build(&netlist, &DataPaths::default());
    assert!(problems.is_empty(), "{problems:?}");
    circuit
}

/// Populations and projections drawn by a linear congruential generator.
pub(super) fn random(populations: usize, projections: usize, seed: u64) -> Circuit {
    let mut state = seed;
    let mut below = |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut text = String::from(HEAD);
    let kinds: Vec<usize> = (0..populations).map(|_| below(3)).collect();
    for (index, kind) in kinds.iter().enumerate() {
        let (neuron, compartments) = COMPARTMENTS[*kind];
        text += &format!("[population.p{index}]\nneuron = \"{neuron}\"\nsize = 20\n");
        if below(8) == 0 {
            text += &format!(
                "{} = {{ input = \"world\", bias = 0 }}\n",
                compartments[below(compartments.len())]
            );
        }
    }
    for index in 0..projections {
        let (from, to) = (below(populations), below(populations));
        let compartments = COMPARTMENTS[kinds[to]].1;
        let to = format!("p{to}.{}", compartments[below(compartments.len())]);
        text += &format!(
            "[projection.q{index}]\nfrom = \"p{from}\"\nto = \"{to}\"\nweight = 0.1\ndelay = {}\n",
            below(3)
        );
        if below(2) == 0 {
            text += "learn = { rule = \"hebb\", eta = 1e-3 }\n";
        }
    }
    circuit(&text)
}

/// Circuits of all sizes that a drawing is meant for.
pub(super) fn samples() -> impl Iterator<Item = Circuit> {
    let sizes = [
        (1, 0),
        (1, 4),
        (2, 6),
        (4, 9),
        (8, 12),
        (8, 24),
        (12, 0),
        (30, 45),
        (100, 160),
    ];
    sizes
        .into_iter()
        .zip(1..)
        .map(|((populations, projections), seed)| random(populations, projections, seed))
}

pub(super) fn impression() -> Circuit {
    let text = format!(
        r#"{HEAD}
[population.p0]
neuron = "pyramid"
size = 20
basal.input = "world"

[population.latent]
neuron = "pyramid"
size = 10
basal.bias = {{ start = 0, learn = {{ rule = "hebb", eta = 1e-3 }} }}

[projection.W]
from = "p0"
to = "latent.basal"
weight = 0.1
learn = {{ rule = "hebb", eta = 1e-3 }}

[projection.D]
from = "latent"
to = "p0.apical"
weight = 0.1

[projection.R]
from = "latent"
to = "latent.apical"
connect = "one-to-one"
delay = 1
weight = 0.6
"#
    );
    circuit(&text)
}
