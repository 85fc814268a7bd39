//! Modulators of which each replica has a value of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use apical::compile::plan::Activity;
use apical::engine::rate::{Settings, State};
use apical::lang::vm::padded;
use rate_support::{
    Bench, experiment, message, modulator, plain, relative_difference, value, weights,
};

fn circuit(replicas: usize, rest: &str) -> String {
    plain(&format!(
        r#"replicas = {replicas}
[neuron.source]
soma = {{ value = "noise" }}
[neuron.follower]
basal = {{ value = "f(drive)", f = "tanh" }}
soma = {{ value = "basal + m + 0.5 * changed(switch)" }}
[population.p]
neuron = "source"
size = 3
[population.q]
neuron = "follower"
size = 10
[modulator.switch]
value = "step(sum(p))"
per-replica = true
[modulator.m]
value = "lowpass(sum(p), 3) + prev(switch, 2)"
per-replica = true
[modulator.all]
value = "2 * m"
{rest}"#
    ))
}

/// A compartment's values, replica by replica.
fn rows(bench: &Bench, population: &str, replicas: usize, size: usize) -> Vec<Vec<f64>> {
    let program = &bench.experiment.program;
    let id = program.circuit.population_named(population).unwrap();
    let id = program.circuit.compartment_named(id, "soma").unwrap();
    let all = &bench.state().vectors[program.layout.values[&id].0 as usize];
    let rows = all.chunks_exact(padded(size));
    assert_eq!(rows.len(), replicas);
    rows.map(|row| row[..size].to_vec()).collect()
}

#[test]
fn each_replica_reads_its_own() {
    for replicas in [1, 4] {
        let text = circuit(replicas, "[[record]]\nwhat = \"trace\"\nof = \"all\"\n");
        let mut bench = Bench::new(&text);
        let decay = (-1.0f64 / 3.0).exp();
        let mut states = vec![(0.0, 0.0, 0.0); replicas];
        let mut switches: Vec<Vec<f64>> = Vec::new();
        for step in 0..20 {
            bench.run(1);
            let p = rows(&bench, "p", replicas, 3);
            // Neurons come before modulators: they read those of the step before.
            for (row, (m, changed, _)) in rows(&bench, "q", replicas, 10).iter().zip(&states) {
                for x in row {
                    assert!((x - (m + 0.5 * changed)).abs() < 1e-14, "step {step}");
                }
            }
            let mut now = Vec::new();
            for (r, state) in states.iter_mut().enumerate() {
                let sum: f64 = p[r].iter().sum();
                let switch = f64::from(u8::from(sum > 0.0));
                let before = switches.last().map_or(0.0, |s| s[r]);
                let low = decay * (state.2 - sum) + sum;
                let two_ago = if step >= 2 {
                    switches[step - 2][r]
                } else {
                    0.0
                };
                *state = (
                    low + two_ago,
                    f64::from(u8::from(switch.to_bits() != before.to_bits())),
                    low,
                );
                now.push(switch);
            }
            switches.push(now);
            let mean = states.iter().map(|s| s.0).sum::<f64>() / replicas as f64;
            let found = modulator(&bench.experiment.program, bench.state(), "all");
            assert!((found - 2.0 * mean).abs() < 1e-14);
        }
    }
}

#[test]
fn every_path_of_a_rule_reads_each_replicas_own() {
    let projection = |dw: &str, connect: &str| {
        format!(
            r#"[rule.r]
dw = "{dw}"
[population.a]
neuron = "source"
size = 10
[projection.W]
from = "a"
to = "q.basal"
connect = {connect}
weight = {{ normal = {{ mean = 0, sd = 0.3 }} }}
learn = {{ rule = "r", modulator = {{ dopamine = "m" }} }}
"#
        )
    };
    let rules = [
        "1e-3 * dopamine * f'(dend) * pre",
        "1e-3 * prev(dopamine) * (post - dend) * pre - 1e-3 * lowpass(dopamine, 5) * w",
        "1e-3 * dopamine * trace(post * pre, 4)",
    ];
    for dw in rules {
        for connect in ["\"all-to-all\"", "{ in-degree = 4 }", "\"one-to-one\""] {
            for replicas in [1, 3, 8] {
                let obscured = format!("if(pre * post > -1e300, {dw}, 0)");
                let mut results = Vec::new();
                for dw in [dw, &obscured] {
                    let mut bench = Bench::new(&circuit(replicas, &projection(dw, connect)));
                    bench.run(200);
                    results.push(bench.weights("W"));
                }
                let difference = relative_difference(&results[0], &results[1]);
                assert!(
                    difference < 1e-12,
                    "{dw}, {connect}, {replicas}: {difference}"
                );
            }
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let text = circuit(2, "[modulator.s]\nschedule = 1\nper-replica = true\n");
    assert!(message(&text).contains("a schedule, which is the same in all replicas"));
    let rule = |modulators: &str| {
        let rest = format!(
            "[rule.r]\ndw = \"1e-3 * dopamine * pre\"\n[projection.W]\nfrom = \"p\"\nto = \"q.basal\"\nweight = 1\n\
             learn = {{ rule = \"r\", modulator = {modulators} }}\n"
        );
        message(&circuit(2, &rest))
    };
    let said = rule("{ dopamine = \"n\" }");
    assert!(said.contains("there is no modulator `n`"), "{said}");
    let said = rule("{ dopamine = \"m\", reward = \"m\" }");
    assert!(
        said.contains("rule `r` reads no modulator `reward`"),
        "{said}"
    );
}

/// Products of a rule with an optimiser wait for its update and are then one product of matrices, on any number of threads.
#[test]
fn products_that_wait_are_those_that_do_not_and_threads_change_no_bit() {
    let circuit = |precision: &str| {
        let learns = "weight = { normal = { mean = 0, sd = 0.1 } }\n\
                      learn = { rule = \"both\", optimiser = { adam = { rate = 1e-3, epsilon = 1e-3, every = 16 } } }";
        plain(&format!(
            "replicas = 9\n[neuron.source]\nsoma = {{ value = \"noise\" }}\n\
             [neuron.cell]\nsoma = {{ value = \"tanh(drive)\" }}\n\
             [rule.both]\ndw = \"post * pre - 0.5 * step(post) * prev(pre)\"\n\
             [population.a]\nneuron = \"source\"\nsize = 120\n[population.b]\nneuron = \"cell\"\nsize = 250\n\
             [population.c]\nneuron = \"cell\"\nsize = 130\n\
             [projection.W]\nfrom = \"a\"\nto = \"b.soma\"\nprecision = \"{precision}\"\n{learns}\n\
             [projection.V]\nfrom = \"b\"\nto = \"c.soma\"\nprecision = \"{precision}\"\n{learns}"
        ))
    };
    let learned = |precision: &str, threads: usize| {
        let mut bench = Bench::of(experiment(&circuit(precision)), threads);
        let before = [bench.weights("W"), bench.weights("V")].concat();
        bench.run(50);
        let after = [bench.weights("W"), bench.weights("V")].concat();
        assert!(relative_difference(&before, &after) > 1e-3);
        after
    };
    let waited = learned("single", 1);
    assert_eq!(waited, learned("single", 2));
    assert_eq!(waited, learned("single", 3));
    // In double precision they do not wait. Weights are rounded to 6e-8 of their size, changes summed in single precision.
    let difference = relative_difference(&waited, &learned("double", 1));
    assert!(difference > 0.0 && difference < 1e-5, "{difference}");
}

/// A circuit of 20 replicas: pictures of noise, a convolution and an all-to-all projection that learn with an optimiser, a bias that
/// learns, and a modulator of which each replica has a value that is 0 in about half of them.
fn shares(rule: &str, measure: &str) -> String {
    let learn = |rule: &str| {
        format!(
            "learn = {{ rule = \"{rule}\", optimiser = {{ adam = {{ rate = 1e-3, epsilon = 1e-3, every = 4 }} }} }}"
        )
    };
    plain(&format!(
        "replicas = 20\n[neuron.source]\nsoma = {{ value = \"noise\" }}\n\
         [neuron.relay]\nsoma = {{ value = \"drive\" }}\n\
         [neuron.cell]\nsoma = {{ value = \"f(drive)\", f = \"max(x, 0)\" }}\n\
         [rule.now]\ndw = \"{rule}\"\n\
         [rule.up]\ndw = \"gate * (1 - post)\"\n\
         [modulator.gate]\nvalue = \"step(sum(b) - 12) * (1 + 0.1 * sum(c))\"\nper-replica = true\n\
         [population.a]\nneuron = \"source\"\nshape = [2, 5, 6]\n\
         [population.b]\nneuron = \"cell\"\nshape = [3, 5, 6]\nsoma.bias = {{ start = 0.1, {learns} }}\n\
         [population.c]\nneuron = \"cell\"\nsize = 9\nsoma.bias = {{ start = 0.1 }}\n\
         [population.d]\nneuron = \"relay\"\nsize = 9\n\
         [projection.K]\nfrom = \"a\"\nto = \"b.soma\"\nconnect = {{ convolution = {{ kernel = 3, padding = 1 }} }}\n\
         precision = \"single\"\nweight = {{ normal = {{ mean = 0, sd = 0.2 }} }}\n{now}\n\
         [projection.W]\nfrom = \"b\"\nto = \"c.soma\"\nprecision = \"single\"\n\
         weight = {{ normal = {{ mean = 0, sd = 0.1 }} }}\n{now}\n\
         [projection.copy]\nfrom = \"c\"\nto = \"d.soma\"\nconnect = \"one-to-one\"\nweight = 1\ndelay = 3\n{measure}",
        learns = learn("up"),
        now = learn("now"),
    ))
}

/// Products of a step and of the one before.
const ONE_STEP: &str = "gate * post * pre - 0.5 * gate * prev(post) * prev(pre)";

/// Products of a step, of one a few before, and of one before the last update.
const SOME_STEPS: &str = "gate * post * pre - 0.5 * gate * prev(post, 3) * prev(pre, 3) + 0.3 * gate * prev(post, 7) * prev(pre, 7)";

#[test]
fn shares_of_the_replicas_agree_with_all_together_and_threads_change_no_bit() {
    for rule in [ONE_STEP, SOME_STEPS] {
        check_shares(rule);
    }
}

fn check_shares(rule: &str) {
    let learned = |measure: &str, threads: usize, pieces: &[u64]| {
        let mut bench = Bench::of(experiment(&shares(rule, measure)), threads);
        let before = [bench.weights("K"), bench.weights("W")].concat();
        pieces.iter().for_each(|steps| bench.run(*steps));
        // What waits for a step that another stage takes is not lost.
        let learns = |learns: bool| vec![learns; bench.experiment.program.rules.len()];
        let stages = [learns(false), learns(true)];
        for (learns, steps) in stages.into_iter().zip([3, 10]) {
            let probed = vec![true; bench.experiment.program.probes.len()];
            let activity = Activity {
                learns,
                probed,
                measured: vec![],
            };
            let settings = Settings {
                activity,
                ..Settings::default()
            };
            bench.simulation.enter(&settings).unwrap();
            bench.run(steps);
        }
        let after = [bench.weights("K"), bench.weights("W")].concat();
        assert!(relative_difference(&before, &after) > 1e-3);
        [after, bench.value("b.soma"), bench.value("d.soma")].concat()
    };
    let apart = learned("", 1, &[42]);
    for threads in [1, 2, 3] {
        assert_eq!(apart, learned("", threads, &[42]));
        assert_eq!(apart, learned("", threads, &[1, 17, 24]));
    }
    // A measure that remembers something keeps replicas together; changes are then summed in double precision.
    let remembers = "[measure.m]\nkind = \"mean\"\nof = \"avg(sum(b), 5)\"\nabout = \"x\"\n";
    let difference = relative_difference(&apart, &learned(remembers, 1, &[42]));
    assert!(difference > 0.0 && difference < 1e-5, "{difference}");
}

#[test]
fn who_looks_sees_all_replicas_of_shares_that_are_apart() {
    let mut bench = Bench::new(&shares(ONE_STEP, ""));
    let mut seen = Vec::new();
    let program = bench.experiment.program.clone();
    let at = |name: &str, state: &State| value(&program, state, name);
    bench.watch(6, |state| {
        seen.push((at("b.soma", state), weights(&program, state, "W")))
    });
    let mut blind = Bench::new(&shares(ONE_STEP, ""));
    for (found, learned) in seen {
        blind.run(1);
        assert_eq!(found, blind.value("b.soma"));
        assert_eq!(learned, blind.weights("W"));
    }
}
