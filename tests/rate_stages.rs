//! Stages, measures and recordings of a whole run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::path::Path;

use apical::experiment::{RunOptions, Silent};
use apical::input::DataPaths;
use apical::record::{MeasureReport, RunReport, Trace, WeightFile, read_trace, read_weights};
use rate_support::{compile_in, options, plain, run_with};
use tempfile::TempDir;

/// Runs a netlist into a folder of its own.
fn run(text: &str) -> (TempDir, RunReport) {
    run_with(text, 1)
}

fn trace(folder: &TempDir, name: &str) -> Trace {
    read_trace(folder.path().join(format!("run/traces/{name}.parquet"))).unwrap()
}

/// The last sample of recorded weights.
fn last_weights(folder: &TempDir, name: &str) -> Vec<f64> {
    let path = folder.path().join(format!("run/weights/{name}.npy"));
    let mut file = WeightFile::open(&path).unwrap();
    let last = file.samples() - 1;
    file.sample(last).unwrap().unwrap()
}

/// Synapses that count the steps in which they learn: their weights begin at 0 and gain 1 in each. `V` gains `m`.
fn counters(stages: &str) -> String {
    plain(&format!(
        r#"[modulator.m]
        schedule = {{ alternate = [1, 2], every = 1 }}
        [neuron.still]
        soma = {{ value = "0 * drive" }}
        [rule.count]
        dw = "1"
        [rule.add]
        dw = "m"
        [population.a]
        neuron = "still"
        size = 2
        soma.bias = {{ start = 0, learn = {{ rule = "count" }} }}
        [projection.W]
        from = "a"
        to = "a.soma"
        delay = 1
        weight = 0
        learn = {{ rule = "count" }}
        [projection.V]
        from = "a"
        to = "a.soma"
        connect = "one-to-one"
        delay = 1
        weight = 0
        learn = {{ rule = "add" }}
        [[record]]
        what = "weights"
        of = "W"
        every = 1000
        [[record]]
        what = "weights"
        of = "V"
        every = 1000
        [[record]]
        what = "weights"
        of = "a.soma"
        every = 1000
        [[record]]
        what = "trace"
        of = "m"
        name = "m"
        {stages}"#
    ))
}

/// How many steps `W` and the bias learned, and what `V` gained.
fn learned(stages: &str) -> (f64, f64, f64) {
    let (folder, _) = run(&counters(stages));
    let all = ["weights-W", "weights-V", "weights-a.soma"].map(|name| last_weights(&folder, name));
    for weights in &all {
        assert!(
            weights.iter().all(|w| (w - weights[0]).abs() <= 0.0),
            "{weights:?}"
        );
    }
    (all[0][0], all[2][0], all[1][0])
}

#[test]
fn a_stage_switches_learning_off_or_on_for_some() {
    assert_eq!(
        learned("[[stage]]\nname = \"s\"\nsteps = 10"),
        (10.0, 10.0, 15.0)
    );
    let stage = |name: &str, learn: &str| {
        format!("[[stage]]\nname = \"{name}\"\nsteps = 10\nlearn = {learn}\n")
    };
    let off = stage("off", "false");
    assert_eq!(learned(&(stage("on", "true") + &off)), (10.0, 10.0, 15.0));
    assert_eq!(learned(&(stage("on", "[\"W\"]") + &off)), (10.0, 0.0, 0.0));
    assert_eq!(
        learned(&(stage("on", "[\"V\", \"a.soma\"]") + &off)),
        (0.0, 10.0, 15.0)
    );
    assert_eq!(
        learned(&(stage("on", "\"a.soma\"") + &stage("also", "\"W\""))),
        (10.0, 10.0, 0.0)
    );
}

const NESTED: &str = r#"
[[stage]]
name = "night"
repeat = 3
learn = false

[[stage.part]]
name = "wake"
steps = 2
learn = "W"
set = { m = 10 }

[[stage.part]]
name = "sleep"
repeat = 2

[[stage.part.part]]
name = "dream"
steps = 1
learn = true

[[stage.part.part]]
name = "deep"
steps = 4
set = { m = { alternate = [5, 6], every = 1 } }

[[stage]]
name = "end"
steps = 3
"#;

#[test]
fn parts_run_in_order_and_inherit_what_they_do_not_set() {
    let (folder, report) = run(&counters(NESTED));
    // wake, then dream and deep twice; three times over.
    let steps: Vec<(&str, u64)> = report
        .stages
        .iter()
        .map(|s| (s.name.as_str(), s.steps))
        .collect();
    assert_eq!(steps, [("wake", 6), ("dream", 6), ("deep", 24), ("end", 3)]);
    assert_eq!(report.steps, 39);
    let m = trace(&folder, "m");
    let names: Vec<&str> = (0..m.rows()).map(|row| m.stage(row).unwrap()).collect();
    let sleep = ["dream", "deep", "deep", "deep", "deep"];
    let night = [&["wake", "wake"][..], &sleep, &sleep].concat();
    assert_eq!(names, [&night[..], &night, &night, &["end"; 3]].concat());
    assert_eq!(m.steps, (0..39).collect::<Vec<u64>>());
    // The circuit's own schedule goes on where no stage sets another: in dreams, and at the end.
    let deep = [5.0, 6.0, 5.0, 6.0];
    let set: Vec<f64> = names
        .iter()
        .zip(&m.values[0])
        .filter(|(n, _)| **n == "wake")
        .map(|(_, v)| *v)
        .collect();
    assert_eq!(set, [10.0; 6]);
    let set: Vec<f64> = names
        .iter()
        .zip(&m.values[0])
        .filter(|(n, _)| **n == "deep")
        .map(|(_, v)| *v)
        .collect();
    assert_eq!(
        set,
        deep.repeat(6),
        "a stage's own schedule begins with the stage"
    );
    let own = |(name, _): &(&&str, &f64)| ["dream", "end"].contains(*name);
    let own: Vec<f64> = names
        .iter()
        .zip(&m.values[0])
        .filter(own)
        .map(|(_, v)| *v)
        .collect();
    assert_eq!(own, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0]);
    // W learns in 6 waking steps, 6 dreams and 3 steps at the end; V in dreams and at the end.
    assert_eq!(last_weights(&folder, "weights-W"), [15.0; 4]);
    assert_eq!(last_weights(&folder, "weights-V"), [13.0; 2]);
    assert_eq!(last_weights(&folder, "weights-a.soma"), [9.0; 2]);
}

#[test]
fn weights_are_recorded_at_the_start_every_so_many_steps_of_learning_and_at_the_end() {
    let stages = "[[stage]]\nname = \"a\"\nsteps = 130\n[[stage]]\nname = \"b\"\nsteps = 70\nlearn = false\n\
                  [[stage]]\nname = \"c\"\nsteps = 100";
    let text = counters(stages).replacen("every = 1000", "every = 50", 1);
    let (folder, _) = run(&text);
    let weights = read_weights(folder.path().join("run/weights/weights-W.npy")).unwrap();
    // Steps of learning 0, 50, 100, 150, 200, 230: in steps of the run the last three are 70 later.
    assert_eq!(weights.steps, [0, 50, 100, 220, 270, 300]);
    let counted: Vec<f64> = weights.values.chunks(4).map(|sample| sample[0]).collect();
    assert_eq!(counted, [0.0, 50.0, 100.0, 150.0, 200.0, 230.0]);
}

#[test]
fn traces_take_the_elements_and_steps_that_are_asked_for() {
    let text = plain(
        r#"[neuron.clock]
        parameter = { offset = 0 }
        tick = { derivative = "1", start = 0 }
        soma = { value = "tick + offset" }
        [population.p]
        neuron = "clock"
        size = 4
        parameter = { offset = [100, 200, 300, 400] }
        [[record]]
        what = "trace"
        of = "p.soma"
        name = "some"
        elements = [3, 1]
        every = 4
        during = "late"
        [[stage]]
        name = "early"
        steps = 70
        [[stage]]
        name = "late"
        steps = 10"#,
    );
    let (folder, report) = run(&text);
    let some = trace(&folder, "some");
    assert_eq!(some.columns, ["3", "1"]);
    assert_eq!(some.steps, [70, 74, 78]);
    assert_eq!(some.column("3").unwrap(), [470.0, 474.0, 478.0]);
    assert_eq!(some.column("1").unwrap(), [270.0, 274.0, 278.0]);
    assert_eq!(some.times_ms, None, "time has no unit here");
    assert_eq!(report.traces[0].rows, 3);
}

/// A world of eight independent AR(1) variables of variance 1, seen as they are.
fn world(rest: &str) -> String {
    plain(&format!(
        r#"[input.world]
        process = "latent-ar1"
        size = 8
        latent = 8
        decay = 0.8
        noise = 0.6
        mixing = {{ normal = {{ mean = 0, sd = 0.3 }} }}
        [neuron.relay]
        soma = {{ value = "drive" }}
        [population.p]
        neuron = "relay"
        size = 8
        soma.input = "world"
        {rest}
        [[stage]]
        name = "settle"
        steps = 50
        [[stage]]
        name = "look"
        steps = 20_000"#
    ))
}

#[test]
fn an_ar1_process_forgets_as_powers_of_its_decay() {
    let (_, report) = run(&world(
        r#"[measure.memory]
        kind = "autocorrelation"
        of = "world.latent"
        lags = 12
        during = "look"
        [measure.power]
        kind = "mean"
        of = "mean(world.latent^2)"
        during = "look""#,
    ));
    let MeasureReport::Curve { y, .. } = &report.measures["memory"] else {
        panic!("{:?}", report.measures)
    };
    assert_eq!(y.len(), 13);
    for (lag, found) in y.iter().enumerate() {
        // Bartlett: each coefficient's standard deviation is at most √((1 + φ²) / (1 − φ²) / steps) = 0.015, and the
        // mean of eight has a third of it.
        let expected = 0.8_f64.powi(lag as i32);
        assert!(
            (found - expected).abs() < 0.02,
            "lag {lag}: {found}, not {expected}"
        );
    }
    // Variance 0.6² / (1 − 0.8²) = 1; its standard deviation is √(2 · 4.6 / 160,000) = 0.0076.
    let MeasureReport::Number { value, .. } = report.measures["power"] else {
        panic!("{:?}", report.measures)
    };
    assert!((value - 1.0).abs() < 0.03, "{value}");
}

#[test]
fn r_squared_and_correlations_of_scaled_signals_are_known() {
    let (_, report) = run(&world(
        r#"[measure.half]
        kind = "r-squared"
        truth = "world"
        prediction = "0.5 * p.soma"
        during = "look"
        [measure.pooled]
        kind = "r-squared"
        truth = "world"
        prediction = "0.5 * p.soma"
        pooled = true
        during = "look"
        [measure.a]
        kind = "correlation-matrix"
        of = "world"
        during = "look"
        [measure.b]
        kind = "correlation-matrix"
        of = "3 * p.soma - 1"
        during = "look"
        [measure.agreement]
        kind = "matrix-agreement"
        of = ["a", "b"]"#,
    ));
    for (name, is_pooled) in [("half", false), ("pooled", true)] {
        let MeasureReport::Comparison {
            r_squared, pooled, ..
        } = &report.measures[name]
        else {
            panic!("{name}")
        };
        assert_eq!(*pooled, is_pooled);
        // 1 − (x/2)² / x², but for the square of the mean, which is some 0.0005 of the variance.
        assert!((r_squared - 0.75).abs() < 0.01, "{name}: {r_squared}");
    }
    let MeasureReport::Number { value, .. } = report.measures["agreement"] else {
        panic!("{:?}", report.measures)
    };
    // The same matrix but for rounding.
    assert!((value - 1.0).abs() < 1e-9, "{value}");
}

#[test]
fn means_are_of_the_steps_that_count_window_by_window() {
    let text = plain(
        r#"[modulator.m]
        schedule = { list = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], every = 1 }
        [modulator.odd]
        schedule = { alternate = [1, 0], every = 1 }
        [measure.all]
        kind = "mean"
        of = "m"
        [measure.odd_ones]
        kind = "mean"
        of = "m"
        when = "odd"
        [measure.windows]
        kind = "mean"
        of = "m"
        every = 4
        [[stage]]
        name = "s"
        steps = 10"#,
    );
    let (_, report) = run(&text);
    let number = |name: &str| match report.measures[name] {
        MeasureReport::Number { value, .. } => value,
        ref other => panic!("{name}: {other:?}"),
    };
    assert_eq!((number("all"), number("odd_ones")), (5.5, 5.0));
    let MeasureReport::Series { step, value, .. } = &report.measures["windows"] else {
        panic!("{:?}", report.measures)
    };
    // Nothing learns, so windows end at steps of the run.
    assert_eq!(
        (&step[..], &value[..]),
        (&[4, 8, 10][..], &[2.5, 6.5, 9.5][..])
    );
}

#[test]
fn epochs_are_passes_over_the_data_shared_among_replicas() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..6).map(|k| format!("{k},{}\n", 10 * k)).collect();
    std::fs::write(folder.path().join("x.csv"), rows).unwrap();
    std::fs::write(folder.path().join("y.csv"), "-1,-10\n-2,-20\n").unwrap();
    let text = plain(
        r#"[input.table]
        process = "array"
        file = "x.csv"
        split.test = "y.csv"
        [[record]]
        what = "trace"
        of = "table"
        name = "t"
        [[stage]]
        name = "train"
        epochs = 2
        [[stage]]
        name = "test"
        epochs = 1
        input = { table = "test" }
        [[stage]]
        name = "again"
        epochs = 1"#,
    );
    let run = |text: &str| {
        let paths = DataPaths {
            netlist: folder.path().to_owned(),
            data: None,
        };
        let out = tempfile::tempdir().unwrap();
        let options = RunOptions {
            paths,
            ..options(&out, 1)
        };
        let experiment = compile_in(text, folder.path(), None).unwrap();
        experiment.run(&options, &mut Silent).unwrap();
        trace(&out, "t")
    };
    let one = run(&text);
    let once: Vec<f64> = (0..6).map(f64::from).collect();
    assert_eq!(
        one.values[0],
        [&once[..], &once, &[-1.0, -2.0], &once].concat()
    );
    assert_eq!(
        one.values[1],
        one.values[0].iter().map(|x| 10.0 * x).collect::<Vec<_>>()
    );
    // Three replicas begin two rows apart, so that two steps are a pass; the first is recorded. A second pass goes on.
    let three = run(&text.replace("step = 1", "step = 1\nreplicas = 3"));
    assert_eq!(three.values[0], [0.0, 1.0, 2.0, 3.0, -1.0, 0.0, 1.0]);
    assert!(!Path::new("run").exists());
}
