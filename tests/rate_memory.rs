//! Circuits of rates that are larger than any machine are refused with a figure, before memory is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::process::{Command, Output};

use rate_support::plain;

/// A circuit with two populations of that size; `head` ends its head, `rest` follows its stage.
fn circuit(size: u64, head: &str, rest: &str) -> String {
    plain(&format!(
        r#"{head}
        [neuron.relay]
        soma = {{ value = "drive" }}
        [population.a]
        neuron = "relay"
        size = {size}
        [population.b]
        neuron = "relay"
        size = {size}
        [[stage]]
        name = "run"
        steps = 1
        {rest}"#
    ))
}

fn apical(command: &str, text: &str) -> (Output, bool) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_apical"))
        .args([command, "a.toml"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    (output, folder.path().join("runs").exists())
}

/// Whether it is refused as bad input because of its memory, and leaves nothing behind.
fn is_refused(command: &str, text: &str) -> bool {
    let (output, has_runs) = apical(command, text);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let for_memory = said.contains("error: the circuit needs ")
        && said.contains(" MiB of memory, this machine has ");
    for_memory && output.status.code() == Some(2) && !has_runs
}

#[cfg(target_os = "linux")]
#[test]
fn neurons_that_no_machine_can_hold_are_refused() {
    let replicas = circuit(900_000_000, "replicas = 4_000_000_000", "");
    assert!(is_refused("check", &replicas));
    let delays = "[projection.W]\nfrom = \"a\"\nto = \"b.soma\"\nconnect = \"one-to-one\"\nweight = 1\ndelay = 100_000";
    assert!(is_refused("check", &circuit(20_000_000, "", delays)));
    let filters = "[neuron.late]\nsoma = { value = \"prev(soma, 100000) + noise\" }\n[population.c]\nneuron = \"late\"\nsize = 20_000_000";
    assert!(is_refused("check", &circuit(1, "", filters)));
}

#[cfg(target_os = "linux")]
#[test]
fn weights_that_no_machine_can_hold_are_refused_when_it_is_to_run() {
    // 10⁹ weights of 8 bytes each time.
    let dense = |n| format!("[projection.W{n}]\nfrom = \"a\"\nto = \"b.soma\"\nweight = 1\n");
    let text = circuit(31_000, "", &(0..500).map(dense).collect::<String>());
    let (check, _) = apical("check", &text);
    assert!(check.status.success());
    assert!(is_refused("run", &text));
}
