//! A run whose values leave the finite numbers ends there, says where, and keeps what it has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::process::Command;

use apical::experiment::Silent;
use apical::record::{StopReason, read_run_json, read_trace, read_weights};
use rate_support::{experiment, options, plain};

/// A neuron whose only synapse multiplies its weight by 10⁶ in each step: from 1 it leaves the finite numbers,
/// which end at 1.8·10³⁰⁸, in the 52nd.
fn explosion() -> String {
    plain(
        r#"[neuron.constant]
        soma = { value = "drive" }
        [neuron.linear]
        dend = { value = "drive" }
        soma = { value = "dend" }
        [rule.grow]
        parameter = { eta = "required" }
        dw = "eta * w"
        [population.calm]
        neuron = "constant"
        size = 2
        soma.bias = [0, 1]
        [population.wild]
        neuron = "linear"
        size = 2
        [projection.W]
        from = "calm"
        to = "wild.dend"
        connect = "one-to-one"
        weight = 1
        learn = { rule = "grow", eta = 999999 }
        [[stage]]
        name = "warm-up"
        steps = 70
        learn = false
        [[stage]]
        name = "train"
        steps = 1000
        [[record]]
        what = "trace"
        of = "wild.soma"
        name = "wild"
        [[record]]
        what = "weights"
        of = "W"
        every = 10"#,
    )
}

/// Steps until it happens: weight 10^(6·k) in the k-th step of training.
const LAST: u64 = 70 + 51;

#[test]
fn the_run_ends_where_it_happens_and_what_was_recorded_before_can_be_read() {
    for threads in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder, threads);
        let out = options.out.clone();
        let report = experiment(&explosion()).run(&options, &mut Silent).unwrap();
        let expected = StopReason::NotFinite {
            population: "wild".to_owned(),
            compartment: "dend".to_owned(),
            stage: "train".to_owned(),
            step: LAST + 1,
            neuron: 0,
        };
        // The silent neuron's weight has overflowed too: infinity times 0 is no number.
        assert_eq!(report.stop, expected);
        assert_eq!(read_run_json(&out).unwrap(), report);
        let trace = read_trace(out.join("traces/wild.parquet")).unwrap();
        assert_eq!(trace.steps, (0..=LAST).collect::<Vec<u64>>());
        for (t, value) in trace.values[1].iter().enumerate() {
            let k = t.saturating_sub(70) as i32;
            // 51 multiplications.
            assert!(
                (value / 10.0_f64.powi(6 * k) - 1.0).abs() < 1e-13,
                "step {t}: {value}"
            );
        }
        let weights = read_weights(out.join("weights/weights-W.npy")).unwrap();
        assert_eq!(weights.steps[..3], [0, 80, 90]);
    }
}

#[test]
fn a_derivative_that_explodes_is_noticed_too() {
    let text = plain(
        r#"[neuron.runaway]
        soma = { derivative = "soma^3", start = 10 }
        [population.p]
        neuron = "runaway"
        size = 3
        soma.start = [0, 10, 0]
        [[stage]]
        name = "s"
        steps = 100"#,
    );
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder, 1);
    let report = experiment(&text).run(&options, &mut Silent).unwrap();
    let StopReason::NotFinite {
        population,
        compartment,
        step,
        neuron,
        ..
    } = report.stop
    else {
        panic!("{:?}", report.stop)
    };
    // 10 → 10³ → 10⁹ → …: the exponent triples, so that it ends in the step from 10^243.
    assert_eq!(
        (population.as_str(), compartment.as_str(), step, neuron),
        ("p", "soma", 5, 1)
    );
}

#[test]
fn the_command_line_exits_with_1_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wild.toml"), explosion()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_apical"));
    let output = command
        .current_dir(folder.path())
        .args(["run", "wild.toml", "--out", "out"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "`wild.dend` is not finite",
        "stage `train`",
        "step 122",
        "neuron 0",
        "help:",
        "out",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    assert!(folder.path().join("out/report.html").is_file());
}
