//! The cortical microcircuit's table of connections (Potjans and Diesmann 2014, Table 5) at a tenth of its size: 7,717 neurons, three
//! million synapses.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;

use apical::circuit::connect::Connectivity;
use apical::circuit::{Circuit, Projection};
use apical::input::DataPaths;
use apical::netlist::model::Netlist;
use apical::netlist::{self, LoadOptions};

const NAMES: [&str; 8] = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"];

/// Neurons of the whole circuit.
const SIZES: [f64; 8] = [
    20_683.0, 5_834.0, 21_915.0, 5_479.0, 4_850.0, 1_065.0, 14_395.0, 2_948.0,
];

/// Connection probabilities: a row for each target, a column for each source, as the paper prints them.
const PROBABILITIES: [[f64; 8]; 8] = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [
        0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252,
    ],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
];

fn size(population: usize) -> f64 {
    (SIZES[population] / 10.0).round_ties_even()
}

fn built(netlist: &Netlist) -> Circuit {
    let (circuit, problems) = Circuit::build(netlist, &DataPaths::default());
    assert!(problems.is_empty(), "{problems:?}");
    circuit
}

/// The projection from one population to another, if there is one.
fn between(circuit: &Circuit, source: usize, target: usize) -> Option<&Projection> {
    let name = format!("cortex-{}-{}-soma", NAMES[source], NAMES[target]);
    let found = circuit.projections.iter().find(|p| p.name == name)?;
    let ends = [found.from.population, found.to.population];
    let named = ends.map(|id| circuit.population(id).name.as_str());
    assert_eq!(named, [NAMES[source], NAMES[target]]);
    Some(found)
}

/// Synapses on each target, and from each source.
fn degrees(projection: &Projection, targets: usize) -> (Vec<f64>, Vec<f64>) {
    let Connectivity::Sparse(sparse) = &projection.connectivity else {
        panic!("{:?}", projection.pattern)
    };
    let mut onto = vec![0.0; targets];
    sparse.targets.iter().for_each(|t| onto[*t as usize] += 1.0);
    let from = sparse.offsets.windows(2).map(|o| (o[1] - o[0]) as f64);
    (onto, from.collect())
}

fn mean_and_variance(counts: &[f64]) -> (f64, f64) {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    (
        mean,
        counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n,
    )
}

#[test]
fn a_table_of_probabilities_connects_as_many_as_it_says() {
    let mut text = "use = [\"lif\"]\n[circuit]\nname = \"table\"\nseed = 4\n".to_owned();
    for (index, name) in NAMES.iter().enumerate() {
        let _ = writeln!(
            text,
            "[population.{name}]\nneuron = \"lif\"\nsize = {}",
            size(index)
        );
    }
    let ends: Vec<String> = NAMES.iter().map(|name| format!("\"{name}\"")).collect();
    let targets: Vec<String> = NAMES
        .iter()
        .map(|name| format!("\"{name}.soma\""))
        .collect();
    let rows = (0..8).map(|source| format!("{:?}", PROBABILITIES.map(|row| row[source])));
    let _ = write!(
        text,
        "[projection.cortex]\nfrom = [{}]\nto = [{}]\nreceptor = \"exc\"\nweight = \"1 pA\"\ndelay = \"1 ms\"\n\
         connect = {{ probability = [{}] }}\n",
        ends.join(", "),
        targets.join(", "),
        rows.collect::<Vec<_>>().join(", ")
    );
    let netlist = netlist::parse("table", &text, &LoadOptions::default());
    let circuit = built(&netlist.unwrap_or_else(|problems| panic!("{problems}")));
    assert_eq!(
        circuit.projections.len(),
        55,
        "nine of 64 probabilities are 0"
    );
    let (mut all, mut expected, mut spread) = (0.0, 0.0, 0.0);
    for (target, row) in PROBABILITIES.iter().enumerate() {
        for (source, p) in row.iter().enumerate() {
            let Some(projection) = between(&circuit, source, target) else {
                assert!(
                    *p < f64::MIN_POSITIVE,
                    "{source} to {target} are not connected"
                );
                continue;
            };
            let pairs = size(source) * size(target);
            let (found, variance) = (
                projection.connectivity.count() as f64,
                pairs * p * (1.0 - p),
            );
            // Five standard deviations.
            assert!(
                (found - pairs * p).abs() <= 5.0 * variance.sqrt(),
                "{}: {found} synapses, expected {}",
                projection.name,
                pairs * p
            );
            (all, expected, spread) = (all + found, expected + pairs * p, spread + variance);
            if pairs * p > 50_000.0 {
                // Numbers of synapses of a neuron are binomial on both sides.
                let (onto, from) = degrees(projection, size(target) as usize);
                for (counts, others) in [(onto, size(source)), (from, size(target))] {
                    let (_, found) = mean_and_variance(&counts);
                    let (binomial, n) = (others * p * (1.0 - p), counts.len() as f64);
                    assert!(
                        (found / binomial - 1.0).abs() < 5.0 * (2.0 / n).sqrt(),
                        "{}: variance {found}, expected {binomial}",
                        projection.name
                    );
                }
            }
        }
    }
    assert!(
        (all - expected).abs() < 5.0 * spread.sqrt(),
        "{all} synapses, expected {expected}"
    );
    assert!(all > 2.7e6, "{all} synapses");
}

#[test]
fn the_netlist_has_the_numbers_of_synapses_of_the_paper() {
    let path = Path::new("netlists/cortical-microcircuit/tenth.toml");
    let netlist = netlist::load(path, &LoadOptions::default());
    let circuit = built(&netlist.unwrap_or_else(|problems| panic!("{problems}")));
    let mut all = 0;
    for (target, row) in PROBABILITIES.iter().enumerate() {
        assert!((circuit.populations[target].size as f64 - size(target)).abs() < 0.5);
        for (source, p) in row.iter().enumerate() {
            // Eq. 1 of the paper for the whole circuit, and a tenth of the synapses of a tenth of the neurons.
            let pairs = SIZES[source] * SIZES[target];
            let whole = (-p).ln_1p() / (-1.0 / pairs).ln_1p();
            let expected = (whole / SIZES[target] / 10.0 * size(target)).round();
            let found = between(&circuit, source, target).map_or(0, |p| p.connectivity.count());
            assert!(
                (found as f64 - expected).abs() <= 1.0,
                "{source} to {target}: {found}, {expected}"
            );
            all += found;
        }
    }
    assert_eq!(all, 2_988_686);
    let outward = circuit
        .projections
        .iter()
        .filter(|p| p.name.starts_with("cortex-"));
    for projection in outward {
        let source = &circuit.population(projection.from.population).name;
        let weight = format!("{:?}", projection.weight.kind);
        assert_eq!(
            weight.contains("mean: -"),
            source.ends_with('I'),
            "{}: {weight}",
            projection.name
        );
    }
}
