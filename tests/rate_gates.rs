//! Gates: what the compiler specialises for, and the loops that they open and close.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::path::Path;

use apical::compile::Program;
use apical::engine::rate::State;
use rate_support::{
    Bench, compile_in, message, modulator, plain, probe, relative_difference, value,
};

/// Impression learning without a loop: what goes down is a step late.
fn late() -> String {
    r#"
    use = ["impression"]
    [circuit]
    name = "late"
    step = 1
    [modulator.lambda]
    schedule = { alternate = [1, 0], every = [2, 3] }
    [modulator.awake]
    schedule = { random = [0, 1], every = 4 }
    [input.world]
    process = "latent-ar1"
    size = 9
    latent = 3
    decay = 0.9
    noise = 0.4
    mixing = { normal = { mean = 0, sd = 0.5 } }
    [rule.awake]
    dw = "awake * if(lambda, 1e-3 * (soma - f(dend)) * pre, -1e-4 * avg(post * pre, 5.0))"
    [rule.unseen]
    dw = "1e-3 * (1 - lambda) * awake * avg(dend * pre, 5.0)"
    [population.stimulus]
    neuron = "impression"
    size = 9
    basal = { input = "world", activation = "identity" }
    apical.activation = "tanh"
    [population.latent]
    neuron = "impression"
    size = 4
    basal.bias = { start = 0, learn = { rule = "impression-basal", eta = 1e-3 } }
    [projection.W]
    from = "stimulus"
    to = "latent.basal"
    weight = { normal = { mean = 0, sd = 0.3 } }
    learn = { rule = "impression-basal", eta = 1e-3 }
    [projection.D_s]
    from = "latent"
    to = "stimulus.apical"
    delay = 1
    weight = { normal = { mean = 0, sd = 0.3 } }
    learn = { rule = "impression-apical", eta = 1e-3 }
    [projection.D_r]
    from = "latent"
    to = "latent.apical"
    connect = "one-to-one"
    delay = 1
    weight = 0.6
    learn = { rule = "impression-transition", eta = 1e-3 }
    [projection.V]
    from = "stimulus"
    to = "latent.apical"
    connect = { in-degree = 3 }
    delay = 2
    weight = { normal = { mean = 0, sd = 0.1 } }
    learn = { rule = "awake" }
    [projection.U]
    from = "stimulus"
    to = "latent.basal"
    connect = { out-degree = 2 }
    weight = { normal = { mean = 0, sd = 0.1 } }
    learn = { rule = "unseen" }
    [[record]]
    what = "trace"
    of = "latent.apical"
    [[record]]
    what = "trace"
    of = "stimulus.apical"
    "#
    .to_owned()
}

/// A stage that is never run in these tests, but in which a modulator is no gate.
const NOT_BINARY: &str =
    "\n[[stage]]\nname = \"never\"\nsteps = 1\nset = { lambda = 2, awake = 0.5 }\n";

#[test]
fn a_specialised_circuit_does_what_the_general_one_does() {
    let mut special = Bench::new(&late());
    let mut general = Bench::new(&(late() + NOT_BINARY));
    assert_eq!(special.experiment.program.gates.len(), 2);
    assert!(general.experiment.program.gates.is_empty());
    let experiment = special.experiment.clone();
    let names = [
        "stimulus.soma",
        "latent.soma",
        "latent.apical",
        "stimulus.apical",
    ];
    // What nobody needs in a step is not computed, so dendrites are read as they are recorded.
    let read = |program: &Program, state: &State| {
        let dendrites = [0, 1].map(|trace| probe(&experiment, state, trace).to_vec());
        let [latent, stimulus] = dendrites;
        [
            value(program, state, names[0]),
            value(program, state, names[1]),
            latent,
            stimulus,
        ]
    };
    let (one, other) = (special.series(500, read), general.series(500, read));
    for (t, (one, other)) in one.iter().zip(&other).enumerate() {
        for (k, name) in names.iter().enumerate() {
            // Folding a closed branch away leaves out additions of 0 and products with 1; what remains is rounding
            // in learned weights.
            let difference = relative_difference(&one[k], &other[k]);
            assert!(difference < 1e-12, "{name} in step {t}: {difference}");
        }
    }
    assert_eq!(
        special.experiment.program.orders.len(),
        4,
        "one order for each combination"
    );
    for name in ["W", "D_s", "D_r", "V", "U"] {
        let difference = relative_difference(&special.weights(name), &general.weights(name));
        assert!(difference < 1e-12, "{name}: {difference}");
        assert_ne!(
            special.weights(name),
            Bench::new(&late()).weights(name),
            "{name} has learned"
        );
    }
}

/// Two populations that need each other within a step; `a` listens while `open_a`, `b` while `open_b`.
fn mutual(open_a: &str, open_b: &str, modulators: &str) -> String {
    plain(&format!(
        r#"{modulators}
        [neuron.first]
        soma = {{ value = "0.1 + ({open_a}) * drive" }}
        [neuron.second]
        soma = {{ value = "0.2 + ({open_b}) * drive" }}
        [population.a]
        neuron = "first"
        size = 2
        [population.b]
        neuron = "second"
        size = 2
        [projection.up]
        from = "a"
        to = "b.soma"
        weight = 0.5
        [projection.down]
        from = "b"
        to = "a.soma"
        weight = 0.25"#
    ))
}

const GATE: &str = "[modulator.g]\nschedule = { alternate = [1, 0], every = 1 }";

#[test]
fn a_loop_within_a_step_is_an_error_that_prints_the_loop() {
    let shown = message(&mutual("1", "1", ""));
    let path = "a.soma.drive → a.soma → b.soma.drive → b.soma → a.soma.drive";
    assert!(shown.contains(path), "{shown}");
    assert!(shown.contains("`up` is on the loop") && shown.contains("`down` is on the loop"));
    assert!(shown.contains("delay = 1"), "{shown}");
    let graded = "[modulator.g]\nschedule = { alternate = [1, 0.5], every = 1 }";
    assert!(
        message(&mutual("g", "1 - g", graded)).contains(path),
        "a graded gate opens no loop"
    );
    // Both listen while the gate is open, and then only.
    let shown = message(&mutual("g", "g", GATE));
    assert!(
        shown.contains("while g = 1") && !shown.contains("while g = 0"),
        "{shown}"
    );
}

#[test]
fn a_gate_opens_the_loop_and_each_side_hears_the_other_in_turn() {
    let mut bench = Bench::new(&mutual("g", "1 - g", GATE));
    let read = |program: &Program, state: &State| {
        ["a.soma", "b.soma"].map(|name| value(program, state, name)[0])
    };
    let found = bench.series(4, read);
    // Open: b = 0.2, a = 0.1 + 0.25·2·b. Closed: a = 0.1, b = 0.2 + 0.5·2·a.
    for (t, [a, b]) in found.into_iter().enumerate() {
        let expected = if t % 2 == 0 { [0.2, 0.2] } else { [0.1, 0.3] };
        // Three operations.
        assert!(
            (a - expected[0]).abs() < 1e-15 && (b - expected[1]).abs() < 1e-15,
            "{t}: {a} {b}"
        );
    }
}

#[test]
fn two_gates_open_two_loops_and_the_message_names_the_combination_that_closes_one() {
    let gates = "[modulator.g]\nschedule = { alternate = [1, 0], every = 1 }\n\
                 [modulator.h]\nschedule = { random = [0, 1], every = 3 }";
    let mut bench = Bench::new(&mutual("g * h", "(1 - g) * (1 - h)", gates));
    assert_eq!(bench.experiment.program.gates.len(), 2);
    let read = |program: &Program, state: &State| {
        let now = |name: &str| modulator(program, state, name);
        let (a, b) = (
            value(program, state, "a.soma")[0],
            value(program, state, "b.soma")[0],
        );
        ((now("g"), now("h")), (a, b))
    };
    let mut seen = std::collections::BTreeSet::new();
    for ((g, h), (a, b)) in bench.series(60, read) {
        let open_a = g * h;
        let open_b = (1.0 - g) * (1.0 - h);
        let expected = (0.1 + open_a * 0.5 * b, 0.2 + open_b * a);
        // Three operations.
        assert!(
            (a - expected.0).abs() < 1e-15 && (b - expected.1).abs() < 1e-15,
            "{g} {h}: {a} {b}"
        );
        seen.insert((g > 0.5, h > 0.5));
    }
    assert_eq!(seen.len(), 4, "all combinations occur");
    let shown = message(&mutual("g", "h", gates));
    assert!(shown.contains("while g = 1, h = 1"), "{shown}");
    assert!(!shown.contains("g = 0"), "{shown}");
}

#[test]
fn a_stage_that_sets_a_gate_to_another_value_makes_it_none() {
    let stage =
        |value: &str| format!("\n[[stage]]\nname = \"s\"\nsteps = 1\nset = {{ g = {value} }}");
    let gated = mutual("g", "1 - g", GATE);
    assert!(compile_in(&(gated.clone() + &stage("1")), Path::new("."), None).is_ok());
    assert!(message(&(gated + &stage("0.5"))).contains("need each other within one step"));
}
