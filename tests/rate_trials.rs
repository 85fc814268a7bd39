//! Trials, stage seeds, and the comparison of two stages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::path::Path;

use apical::record::{MeasureReport, read_trace};
use rate_support::{compile_in, plain, run_with};
use tempfile::TempDir;

/// Rows of the recorded trace `name`, those of one stage.
fn rows(folder: &TempDir, name: &str, stage: &str) -> Vec<Vec<f64>> {
    let path = folder.path().join(format!("run/traces/{name}.parquet"));
    let trace = read_trace(path).unwrap();
    let named = |at: &usize| trace.stage_names[trace.stages[*at] as usize] == stage;
    let row = |at: usize| trace.values.iter().map(|column| column[at]).collect();
    (0..trace.rows()).filter(named).map(row).collect()
}

/// A circuit with everything that remembers: a differential compartment, a delay, filters in an equation, in
/// modulators and at synapses, a schedule. `sigma` is its noise.
fn remembering(sigma: f64, stages: &str) -> String {
    plain(&format!(
        r#"[modulator.m]
        schedule = {{ alternate = [1, 0.5, 0], every = 2 }}
        [modulator.memory]
        value = "0.05 * avg(sum(b.soma), 5.0) + prev(m, 3) + changed(m)"
        start = 0.5
        [modulator.count]
        value = "prev(count) + 1"
        [input.world]
        process = "latent-ar1"
        size = 3
        latent = 2
        decay = 0.9
        noise = 0.5
        mixing = {{ normal = {{ mean = 0, sd = 1 }} }}
        [neuron.assigned]
        soma = {{ value = "drive + {sigma} * noise" }}
        [neuron.leaky]
        soma = {{ derivative = "(trace(soma, 3.0) - 4 * soma + drive + memory) / 5 + {sigma} * noise", start = {{ uniform = [-1, 1] }} }}
        [rule.eligible]
        dw = "0.01 * (m * trace(post * pre, 4.0) - avg(post * pre, 3.0))"
        [population.a]
        neuron = "assigned"
        size = 3
        soma.input = "world"
        [population.b]
        neuron = "leaky"
        size = 4
        [projection.W]
        from = "a"
        to = "b.soma"
        delay = 2
        weight = {{ normal = {{ mean = 0, sd = 0.5 }} }}
        learn = {{ rule = "eligible" }}
        [[record]]
        what = "trace"
        name = "all"
        of = "b.soma + memory + m"
        [[record]]
        what = "trace"
        name = "count"
        of = "count"
        [[record]]
        what = "trace"
        name = "world"
        of = "world"
        {stages}"#
    ))
}

fn stage(name: &str, rest: &str) -> String {
    format!("[[stage]]\nname = \"{name}\"\n{rest}\n")
}

#[test]
fn every_trial_begins_as_the_run_began() {
    let stages = stage("before", "steps = 11\nlearn = false")
        + &stage(
            "trials",
            "steps = 36\nlearn = false\ntrial = { steps = 9, replay = true }",
        );
    let (folder, _) = run_with(&remembering(0.0, &stages), 1);
    let found = rows(&folder, "all", "trials");
    assert!(found[0] != found[1], "something happens within a trial");
    for trial in found.chunks(9) {
        assert_eq!(trial, &found[..9]);
    }
    // And as a run begins: the same inputs, in a run that has nothing before.
    let alone = stage("trials", "steps = 9\nlearn = false\nseed = 1");
    let again = stage("before", "steps = 11\nlearn = false") + &alone;
    let (alone, _) = run_with(&remembering(0.0, &alone), 1);
    let (again, _) = run_with(&remembering(0.0, &again), 1);
    assert_eq!(rows(&alone, "all", "trials"), rows(&again, "all", "trials"));
    let plain = stage("trials", "steps = 9\nlearn = false");
    let (first, _) = run_with(&remembering(0.0, &plain), 1);
    assert_eq!(rows(&alone, "all", "trials"), rows(&first, "all", "trials"));
}

#[test]
fn inputs_go_on_unless_they_are_replayed_and_noise_always_does() {
    let trials = |replay: bool| {
        stage(
            "trials",
            &format!("steps = 400\ntrial = {{ steps = 5, replay = {replay} }}"),
        )
    };
    for (sigma, replay) in [(0.0, false), (0.3, true)] {
        let (folder, _) = run_with(&remembering(sigma, &trials(replay)), 1);
        let (all, world) = (
            rows(&folder, "all", "trials"),
            rows(&folder, "world", "trials"),
        );
        for trial in 1..80 {
            assert_eq!(world[trial * 5..][..5] == world[..5], replay);
            assert!(all[trial * 5 + 4] != all[4]);
        }
    }
    // What is replayed is what the inputs would have given, and they go on behind it.
    let after = |stages: String| {
        let (folder, _) = run_with(
            &remembering(0.0, &(stages + &stage("after", "steps = 7"))),
            1,
        );
        rows(&folder, "world", "after")
    };
    assert_eq!(after(trials(true)), after(stage("once", "steps = 5")));
}

#[test]
fn what_is_kept_goes_on_and_learning_is_kept_in_any_case() {
    let trials = |keep: &str| {
        let rest = format!("steps = 40\ntrial = {{ steps = 8{keep} }}");
        let (folder, _) = run_with(&remembering(0.1, &stage("trials", &rest)), 1);
        rows(&folder, "count", "trials").concat()
    };
    let counted = |until: usize| (0..40).map(move |t| (t % until) as f64 + 1.0);
    assert_eq!(trials(""), counted(8).collect::<Vec<_>>());
    assert_eq!(
        trials(", keep = \"count\""),
        counted(40).collect::<Vec<_>>()
    );
    // With the same inputs and no noise only the weights can make trials differ.
    let learning = stage("trials", "steps = 40\ntrial = { steps = 8, replay = true }");
    let (folder, _) = run_with(&remembering(0.0, &learning), 1);
    let found = rows(&folder, "all", "trials");
    assert!(found[39] != found[7]);
}

/// Values of a schedule over trials of four steps.
fn scheduled(schedule: &str) -> Vec<f64> {
    let text = plain(&format!(
        "[modulator.m]\nschedule = {schedule}\n[neuron.n]\nsoma = {{ value = \"0\" }}
        [population.p]\nneuron = \"n\"\nsize = 1
        [[record]]\nwhat = \"trace\"\nof = \"m\"\nname = \"m\"
        [[stage]]\nname = \"before\"\nsteps = 3
        [[stage]]\nname = \"trials\"\nsteps = 4000\ntrial = {{ steps = 4 }}"
    ));
    let (folder, _) = run_with(&text, 1);
    rows(&folder, "m", "trials").concat()
}

#[test]
fn schedules_start_anew_in_every_trial_and_draw_afresh() {
    let cycle = scheduled("{ alternate = [1, 0], every = [2, 3] }");
    assert!(cycle.chunks(4).all(|t| t == [1.0, 1.0, 0.0, 0.0]));
    let list = scheduled("{ list = [3, 2, 1], every = 1 }");
    assert!(list.chunks(4).all(|t| t == [3.0, 2.0, 1.0, 1.0]));
    let phase = scheduled("{ alternate = [1, 0], every = 2, start = \"random\" }");
    let open = phase
        .chunks(4)
        .filter(|t| *t == [1.0, 1.0, 0.0, 0.0])
        .count();
    let closed = phase
        .chunks(4)
        .filter(|t| *t == [0.0, 0.0, 1.0, 1.0])
        .count();
    assert_eq!(open + closed, 1000);
    // Five standard deviations of 1000 coins.
    assert!(open.abs_diff(500) < 80, "{open}");
    let held = scheduled("{ random = [1, 0], every = 4 }");
    assert!(held.chunks(4).all(|t| t == [t[0]; 4]));
    assert!(held.chunks(4).filter(|t| t[0] > 0.5).count().abs_diff(500) < 80);
}

#[test]
fn a_stage_with_a_seed_gives_the_same_whatever_ran_before() {
    let seeded = |seed: u64| {
        let rest = format!(
            "steps = 150\nlearn = false\nseed = {seed}\nset = {{ m = {{ random = [0, 1], every = 7 }} }}"
        );
        stage("seeded", &rest)
    };
    let find = |stages: &str, threads: usize| {
        let (folder, _) = run_with(&remembering(0.2, stages), threads);
        rows(&folder, "all", "seeded")
    };
    let alone = find(&seeded(7), 1);
    let before = stage("before", "steps = 33\nlearn = false");
    assert_eq!(find(&(before.clone() + &seeded(7)), 1), alone);
    assert_eq!(find(&(before.clone() + &seeded(7)), 3), alone);
    assert!(find(&(before + &seeded(8)), 1) != alone);
}

#[test]
fn after_a_stage_with_a_seed_the_ordinary_streams_go_on() {
    let rest = |stages: &str, threads: usize| {
        let text = remembering(0.2, stages).replace("\"b.soma + memory + m\"", "\"a.soma\"");
        let (folder, _) = run_with(&text, threads);
        rows(&folder, "all", "after")
    };
    let (before, after) = (
        stage("before", "steps = 100"),
        stage("after", "steps = 150"),
    );
    let between = stage("seeded", "steps = 170\nseed = 3");
    let trials = stage(
        "trials",
        "steps = 170\nseed = 3\ntrial = { steps = 17, replay = true }",
    );
    let whole = rest(&(before.clone() + &after), 1);
    for threads in [1, 2] {
        assert_eq!(rest(&format!("{before}{between}{after}"), threads), whole);
        assert_eq!(rest(&format!("{before}{trials}{after}"), threads), whole);
    }
}

fn correlation(first: &str, second: &str) -> f64 {
    let stages = format!(
        "[measure.r]\nkind = \"stage-correlation\"\nof = \"b.soma\"\nbetween = [\"first\", \"second\"]\n{}{}",
        stage("first", first),
        stage("second", second)
    );
    let (_, report) = run_with(&remembering(0.2, &stages), 1);
    match &report.measures["r"] {
        MeasureReport::Pair { value, .. } => *value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stages_with_the_same_seed_differ_only_by_what_differs() {
    let seeded = "steps = 300\nseed = 5\nlearn = false";
    let same = correlation(seeded, seeded);
    assert!((same - 1.0).abs() < 1e-12, "{same}");
    let gated = correlation(seeded, &format!("{seeded}\nset = {{ m = 20 }}"));
    assert!(gated.is_finite() && gated < 0.999, "{gated}");
}

fn mistakes(stages: &str) -> String {
    let text = remembering(0.1, stages);
    compile_in(&text, Path::new("."), None)
        .unwrap_err()
        .to_string()
}

#[test]
fn what_does_not_go_together_is_said() {
    let found = mistakes(&stage("s", "steps = 10\ntrial = { steps = 4 }"));
    assert!(found.contains("stage `s` has 10 steps, which is no whole number of trials of 4"));
    assert!(found.contains("write steps = 8 or steps = 12"), "{found}");
    let found = mistakes(&stage(
        "s",
        "steps = 8\ntrial = { steps = 4, keep = [\"m\"] }",
    ));
    assert!(found.contains("`m` follows a schedule"), "{found}");
    let found = mistakes(&stage(
        "s",
        "steps = 8\ntrial = { steps = 4, keep = [\"memori\"] }",
    ));
    assert!(found.contains("there is no modulator `memori`"), "{found}");
    let compare = |first: &str, second: &str| {
        mistakes(&format!(
            "[measure.r]\nkind = \"stage-correlation\"\nof = \"b.soma\"\nbetween = [\"first\", \"second\"]\n{}{}",
            stage("first", first),
            stage("second", second)
        ))
    };
    let found = compare("steps = 10\nseed = 1", "steps = 12\nseed = 1");
    assert!(found.contains("they have 10 and 12 steps"), "{found}");
    let found = compare("steps = 10\nseed = 1", "steps = 10\nseed = 2");
    assert!(
        found.contains("do not see the same noise and inputs"),
        "{found}"
    );
    let found = compare("steps = 10", "steps = 10");
    assert!(found.contains("seed = 1111"), "{found}");
}
