//! Modulators that are computed: those that nothing reads are left out, and that changes nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

use apical::compile::plan::Activity;

mod rate_support;

use rate_support::Bench;

const CIRCUIT: &str = r#"
circuit = { name = "a", step = "1 ms" }
population.p = { neuron = "n", size = 2 }
neuron.n.soma.value = "gain + noise"
stage = [{ name = "run", steps = 8 }]
measure.sum = { kind = "mean", of = "sum(p)", during = "run" }
modulator.gain = { value = "2 * prev(depth)" }        # read by the neurons
modulator.depth = { value = "1 + prev(gain)" }        # read by gain alone
modulator.idle = { value = "sum(p)" }                 # read by echo alone
modulator.echo = { value = "prev(idle) + prev(echo)" } # read by itself alone
"#;

/// Names of the modulators that a step computes.
fn computed(text: &str) -> Vec<String> {
    let bench = Bench::new(text);
    let program = bench.simulation.program();
    let activity = &Activity {
        learns: vec![true; program.rules.len()],
        probed: vec![true; program.probes.len()],
        measured: vec![],
    };
    let plan = program.plan(0, activity, 0).unwrap();
    let name = |at: u32| program.circuit.modulators[at as usize].name.clone();
    let mut names: Vec<String> = plan
        .modulators
        .iter()
        .map(|m| name(m.modulator.0))
        .collect();
    names.sort();
    names
}

#[test]
fn what_nothing_reads_is_not_computed() {
    assert_eq!(computed(CIRCUIT), ["depth", "gain"]);
    let measured =
        format!("{CIRCUIT}\nmeasure.echo = {{ kind = \"mean\", of = \"echo\", during = \"run\" }}");
    assert_eq!(computed(&measured), ["depth", "echo", "gain", "idle"]);
}

#[test]
fn what_changed_counts_as_reading() {
    let text = format!(
        "{CIRCUIT}\nmeasure.turns = {{ kind = \"mean\", of = \"changed(idle)\", during = \"run\" }}"
    );
    assert_eq!(computed(&text), ["depth", "gain", "idle"]);
}
