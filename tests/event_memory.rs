//! What `check` says of memory, against limits and against the memory that a run takes.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use std::process::{Command, Output};

use event_support::{head, program};

/// Bytes of a synapse of the first projection.
fn bytes_of_a_synapse(rest: &str) -> f64 {
    let text = format!(
        r#"
[population.source]
neuron = "poisson"
size = 300
[population.cell]
neuron = "lif"
size = 300
[projection.P]
from = "source"
to = "cell.soma"
receptor = "exc"
{rest}"#
    );
    program(&text).explain().projections[0].bytes_each
}

#[test]
fn a_static_synapse_takes_at_most_sixteen_bytes() {
    let drawn = "weight = { normal = { mean = \"50 pA\", sd = \"5 pA\" } }\ndelay = \"1 ms\"\n";
    assert!(bytes_of_a_synapse(drawn) <= 4.0);
    let sparse = format!("connect = {{ in-degree = 100 }}\n{drawn}");
    assert!(bytes_of_a_synapse(&sparse) <= 13.0);
    let delays = drawn.replace("\"1 ms\"", "{ uniform = [\"1 ms\", \"2 ms\"] }");
    assert!(bytes_of_a_synapse(&delays) <= 8.0);
    let same = "connect = { in-degree = 100 }\nweight = \"5 pA\"\ndelay = \"1 ms\"\n";
    assert!(bytes_of_a_synapse(same) <= 9.0);
}

#[test]
fn a_plastic_synapse_with_one_trace_takes_at_most_twenty_four_bytes() {
    let learn = "weight = \"5 pA\"\ndelay = \"1 ms\"\nlearn = { rule = \"stdp-pair\", A_plus = \"1 pA\", A_minus = \"1 pA\" }\n";
    assert!(bytes_of_a_synapse(learn) <= 24.0);
    let sparse = format!("connect = {{ in-degree = 100 }}\n{learn}");
    let bytes = bytes_of_a_synapse(&sparse);
    assert!(bytes <= 24.2, "{bytes}");
}

#[test]
fn a_neuron_of_two_compartments_takes_at_most_two_hundred_and_fifty_six_bytes() {
    let input = |n: usize, to: &str| {
        format!(
            "[projection.P{n}]\nfrom = \"source\"\nto = \"cell.{to}\"\nreceptor = \"exc\"\nweight = \"1 pA\"\ndelay = \"1 ms\"\n"
        )
    };
    let text = format!(
        "[population.source]\nneuron = \"poisson\"\nsize = 1\n[population.cell]\nneuron = \"pyramidal-2\"\nsize = 1000\n{}{}",
        input(0, "soma"),
        input(1, "dend")
    );
    let explanation = program(&text).explain();
    assert!(explanation.populations[1].bytes_each <= 256);
}

fn apical(arguments: &[&str], folder: &std::path::Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_apical"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The most memory that a run of a netlist holds (bytes), and its estimate.
///
/// Linux counts a process's pages by processor and adds them up now and then, and the pages of the
/// program itself come and go: the peak is known to about a MiB, whatever the circuit's size.
fn peak(text: &str) -> (f64, f64) {
    let text = head(text) + "[[stage]]\nname = \"run\"\nduration = \"2 ms\"\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), &text).unwrap();
    let run = apical(
        &["run", "a.toml", "--json", "--threads", "1"],
        folder.path(),
    );
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let found: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let peak = found["peak_memory_mib"].as_f64().unwrap();
    (
        peak * f64::from(1 << 20),
        program(text.split_once("seed = 1\n").unwrap().1)
            .explain()
            .bytes as f64,
    )
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_circuit_takes_what_check_says() {
    let text = |cells: usize, degree: usize, more: &str| {
        format!(
            r#"
[population.source]
neuron = "poisson"
size = 1000
parameter.rate = "1 Hz"
[population.cell]
neuron = "lif"
size = {cells}
[projection.P]
from = "source"
to = "cell.soma"
receptor = "exc"
connect = {{ in-degree = {degree} }}
{more}"#
        )
    };
    let fixed = "weight = { uniform = [\"1 pA\", \"2 pA\"] }\ndelay = \"1 ms\"\n";
    let learn = "weight = \"5 pA\"\ndelay = \"1 ms\"\nlearn = { rule = \"stdp-pair\", A_plus = \"1 pA\", A_minus = \"1 pA\" }\n";
    let (small, _) = peak(&text(100, 1, fixed));
    // So many that a MiB, to which the peak is known, is half a byte of each.
    let synapses = 2e6;
    for (more, most) in [(fixed, 16.0), (learn, 24.0)] {
        let (large, estimate) = peak(&text(10_000, 200, more));
        let each = (large - small) / synapses;
        assert!(
            each <= most + 1.5,
            "{each} bytes a synapse, neurons included"
        );
        let ratio = (large - small) / estimate;
        assert!((0.6..1.3).contains(&ratio), "estimate off by {ratio}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_circuit_that_cannot_fit_is_refused_with_the_figure_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    // 8 · 10¹⁰ weights of 4 bytes: 298 GiB.
    let mut text = head("");
    for n in 0..100 {
        text += &format!(
            "[projection.P{n}]\nfrom = \"source\"\nto = \"cell.soma\"\nreceptor = \"exc\"\nweight = {{ uniform = [\"1 pA\", \"2 pA\"] }}\ndelay = \"1 ms\"\n"
        );
    }
    text += "[population.source]\nneuron = \"poisson\"\nsize = 20000\n[population.cell]\nneuron = \"lif\"\nsize = 40000\n";
    text += "[[stage]]\nname = \"run\"\nduration = \"1 ms\"\n";
    std::fs::write(folder.path().join("a.toml"), &text).unwrap();
    let check = apical(&["check", "a.toml"], folder.path());
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.status.success() && said.contains("MiB"), "{said}");
    let run = apical(&["run", "a.toml"], folder.path());
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the circuit needs 3") && said.contains("MiB of memory"),
        "{said}"
    );
    assert!(!folder.path().join("runs").exists());
    // Listed connections are refused before they are drawn.
    let sparse = text.replacen(
        "receptor = \"exc\"\n",
        "receptor = \"exc\"\nconnect = { probability = 0.5 }\n",
        1,
    );
    let sparse = sparse
        .replace("size = 20000", "size = 200000")
        .replace("size = 40000", "size = 4000000");
    std::fs::write(folder.path().join("a.toml"), &sparse).unwrap();
    let run = apical(&["run", "a.toml"], folder.path());
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("4.00e11 synapses need"), "{said}");
}
