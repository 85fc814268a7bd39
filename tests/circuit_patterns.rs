//! Connection patterns: fixed totals, distance, lists with matrices, and files of edges, spikes and positions.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use apical::circuit::Circuit;
use apical::circuit::connect::Connectivity;
use apical::input::DataPaths;
use apical::netlist::{self, LoadOptions};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const HEAD: &str = "use = [\"lif\", \"sources\"]\n[circuit]\nname = \"patterns\"\nseed = 4\n";

/// Listed times of spikes of a population's neurons (ms).
fn times(circuit: &Circuit, population: usize) -> &[Vec<f64>] {
    let spiking = circuit.populations[population].spiking.as_ref();
    &spiking.unwrap().times.as_ref().unwrap().of
}

fn built(text: &str, folder: &Path) -> Result<Circuit, String> {
    let text = format!("{HEAD}{text}");
    let netlist = netlist::parse("patterns", &text, &LoadOptions::default());
    let netlist = netlist.map_err(|problems| problems.to_string())?;
    let paths = DataPaths {
        netlist: folder.to_owned(),
        data: None,
    };
    let (circuit, problems) = Circuit::build(&netlist, &paths);
    match problems.is_empty() {
        true => Ok(circuit),
        false => Err(format!("{problems:?}")),
    }
}

/// The edges of a projection, by name: (pre, post).
fn edges(circuit: &Circuit, name: &str) -> Vec<(usize, u32)> {
    let projection = circuit.projections.iter().find(|p| p.name == name).unwrap();
    let Connectivity::Sparse(sparse) = &projection.connectivity else {
        panic!("{:?}", projection.connectivity)
    };
    let row = |j: usize| {
        let targets = &sparse.targets[sparse.offsets[j]..sparse.offsets[j + 1]];
        targets.iter().map(move |i| (j, *i))
    };
    (0..sparse.offsets.len() - 1).flat_map(row).collect()
}

fn cells(size: usize, more: &str, connect: &str) -> String {
    format!(
        r#"
[population.a]
neuron = "lif"
size = {size}
{more}
[population.b]
like = "a"
[projection.w]
from = "a"
to = "b.soma"
receptor = "exc"
weight = "1 pA"
delay = "1 ms"
connect = {connect}
"#
    )
}

#[test]
fn a_total_is_exact_and_reproducible_and_repeats_only_if_it_may() {
    let here = Path::new(".");
    let circuit = built(&cells(30, "", "{ total = 200 }"), here).unwrap();
    let drawn = edges(&circuit, "w");
    assert_eq!(drawn.len(), 200);
    assert!(
        drawn.windows(2).all(|pair| pair[0] < pair[1]),
        "no pair twice"
    );
    let again = built(&cells(30, "", "{ total = 200 }"), here).unwrap();
    assert_eq!(edges(&again, "w"), drawn);
    let repeated = built(&cells(3, "", "{ total = 200, repeats = true }"), here).unwrap();
    assert_eq!(edges(&repeated, "w").len(), 200);
    let told = built(&cells(3, "", "{ total = 10 }"), here).unwrap_err();
    assert!(
        told.contains("there are 9; write `repeats = true`"),
        "{told}"
    );
}

#[test]
fn neurons_connect_by_distance() {
    let here = Path::new(".");
    let ring = built(
        &cells(50, "positions = \"ring\"", "{ boxcar = 0.05 }"),
        here,
    )
    .unwrap();
    // Two neighbours on either side of a fifty-neuron ring, and the neuron at the same place.
    for (pre, post) in edges(&ring, "w") {
        let apart = (pre as i64 - i64::from(post)).rem_euclid(50);
        assert!(!(3..=47).contains(&apart), "{pre} and {post}");
    }
    assert_eq!(edges(&ring, "w").len(), 250);
    let gaussian = "{ gaussian = 0.1, peak = 0.8, periodic = true }";
    for positions in ["\"grid\"", "\"random\""] {
        let text = cells(100, &format!("positions = {positions}"), gaussian);
        let circuit = built(&text, here).unwrap();
        // 2π·0.1²·0.8 of 10,000 pairs are 503.
        let count = edges(&circuit, "w").len();
        assert!((400..600).contains(&count), "{positions}: {count}");
        assert_eq!(
            edges(&built(&text, here).unwrap(), "w"),
            edges(&circuit, "w")
        );
    }
    let line = "positions = [[0, 0], [1, 0], [3, 0]]";
    let circuit = built(&cells(3, line, "{ boxcar = 1.5 }"), here).unwrap();
    assert_eq!(
        edges(&circuit, "w"),
        [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]
    );
}

#[test]
fn what_has_no_distance_says_what_to_write() {
    let here = Path::new(".");
    let cases = [
        ("", "does not say where its neurons lie"),
        ("positions = \"grid\"", "do not make a square"),
        (
            "positions = [[0, 1]]",
            "there are 7 neurons, and 1 positions",
        ),
        ("positions = \"places.csv\"", "cannot be read"),
        ("positions = \"line\"", "\"ring\", \"grid\" or \"random\""),
        ("positions = [[0, 1, 2]]", "two numbers, x and y"),
    ];
    for (positions, says) in cases {
        let told = built(&cells(7, positions, "{ gaussian = 0.1 }"), here).unwrap_err();
        let told = told.replace("\\\"", "\"");
        assert!(
            told.contains(says) || positions.contains("line"),
            "{positions}: {told}"
        );
    }
}

/// Two populations, with all four connections between them in one table.
const CORTEX: &str = r#"
[population.e]
neuron = "lif"
size = 40
[population.i]
neuron = "lif"
size = 10
[projection.cortex]
from = ["e", "i"]
to = ["e.soma", "i.soma"]
receptor = [["exc", "exc"], ["inh", "inh"]]
connect = { probability = [[0.5, 1], [0, 0.25]] }
weight = [["10 pA"], [{ normal = { mean = "-40 pA", sd = "4 pA" } }]]
delay = [["1.5 ms", "2 ms"]]
"#;

#[test]
fn lists_make_a_projection_for_each_pair_with_its_numbers() {
    let circuit = built(CORTEX, Path::new(".")).unwrap();
    let names: Vec<&str> = circuit
        .projections
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    // A probability of 0 is no projection.
    assert_eq!(
        names,
        ["cortex-e-e-soma", "cortex-e-i-soma", "cortex-i-i-soma"]
    );
    assert_eq!(edges(&circuit, "cortex-e-i-soma").len(), 400);
    let delay = |name: &str| {
        let projection = circuit.projections.iter().find(|p| p.name == name).unwrap();
        format!("{:?}", projection.spiking.as_ref().unwrap().delay.kind)
    };
    assert_eq!(delay("cortex-e-e-soma"), "Constant(1.5)");
    assert_eq!(delay("cortex-i-i-soma"), "Constant(2.0)");
    let weight = format!("{:?}", circuit.projections[2].weight.kind);
    assert!(weight.contains("Normal"), "{weight}");
    // The netlist that a run writes reads back to the same.
    let text = format!("{HEAD}{CORTEX}");
    let netlist = netlist::parse("patterns", &text, &LoadOptions::default()).unwrap();
    let again = netlist::parse("again", &netlist.resolved, &LoadOptions::default()).unwrap();
    assert!(again.projections.keys().eq(netlist.projections.keys()));
}

#[test]
fn a_matrix_of_another_size_is_told() {
    let text = CORTEX.replace("[[0.5, 1], [0, 0.25]]", "[[0.5, 1, 1], [0, 0.25, 1]]");
    let told = built(&text, Path::new(".")).unwrap_err();
    assert!(
        told.contains("2 × 3 numbers") && told.contains("2 × 2 are needed"),
        "{told}"
    );
}

/// Writes columns of numbers: the first two whole.
fn write_parquet(path: &Path, names: [&str; 3], rows: &[(i64, i64, f64)]) {
    let [a, b, c] = names;
    let schema =
        format!("message m {{ required int64 {a}; required int64 {b}; required double {c}; }}");
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let properties = Arc::new(WriterProperties::default());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut index = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        let whole = |of: fn(&(i64, i64, f64)) -> i64| rows.iter().map(of).collect::<Vec<_>>();
        match index {
            0 => drop(
                column
                    .typed::<Int64Type>()
                    .write_batch(&whole(|r| r.0), None, None)
                    .unwrap(),
            ),
            1 => drop(
                column
                    .typed::<Int64Type>()
                    .write_batch(&whole(|r| r.1), None, None)
                    .unwrap(),
            ),
            _ => {
                let values: Vec<f64> = rows.iter().map(|r| r.2).collect();
                column
                    .typed::<DoubleType>()
                    .write_batch(&values, None, None)
                    .unwrap();
            }
        }
        column.close().unwrap();
        index += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn edges_and_spikes_come_from_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_parquet(
        &path("e.parquet"),
        ["pre", "post", "weight"],
        &[(2, 1, 0.5), (0, 0, 2.0)],
    );
    write_parquet(
        &path("s.parquet"),
        ["neuron", "other", "time"],
        &[(1, 9, 2.5), (0, 9, 1.0), (1, 9, 0.5)],
    );
    let text = cells(3, "", "{ edges = \"e.parquet\" }")
        + "[population.s]\nneuron = \"listed\"\nsize = 2\ntimes = \"s.parquet\"\n";
    let circuit = built(&text, folder.path()).unwrap();
    assert_eq!(edges(&circuit, "w"), [(0, 0), (2, 1)]);
    assert_eq!(times(&circuit, 2), [vec![1.0], vec![0.5, 2.5]]);
    let told = built(&text.replace("size = 3", "size = 2"), folder.path()).unwrap_err();
    assert!(
        told.contains("row 0: `2` is not a presynaptic neuron"),
        "{told}"
    );
    let whole = std::fs::read(path("s.parquet")).unwrap();
    for cut in [0, 4, 60, whole.len() - 9] {
        std::fs::write(path("s.parquet"), &whole[..cut]).unwrap();
        let told = built(&text, folder.path()).unwrap_err();
        assert!(
            told.contains("the file of spike times `s.parquet`"),
            "{told}"
        );
    }
}

#[test]
fn spikes_come_from_sonata_files() {
    let text = "[population.s]\nneuron = \"listed\"\nsize = 3\ntimes = \"sonata-spikes.h5\"\n";
    let folder = Path::new("tests/data");
    let circuit = built(text, folder).unwrap();
    assert_eq!(
        times(&circuit, 0),
        [vec![1.25, 40.0], vec![3.0], vec![0.5, 7.125]]
    );
    // Of several populations in a file the one of that name.
    let lgn = "[population.lgn]\nneuron = \"listed\"\nsize = 2\ntimes = \"sonata-two.h5\"\n";
    let circuit = built(lgn, folder).unwrap();
    assert_eq!(times(&circuit, 0), [vec![], vec![5.5]]);
    let told = built(&lgn.replace("population.lgn", "population.mt"), folder).unwrap_err();
    assert!(told.contains("none of which is `mt`"), "{told}");
}
