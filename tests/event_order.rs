//! The order of simultaneous events, claim by claim, as `engine::event` states it.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use apical::engine::event::turn::Signals;
use event_support::{Everything, program, refused, run, sampled, times_of, with_weights};

/// A neuron that sits at −70 mV until a jump moves it, and sources at given times (ms).
fn circuit(sources: &[(&str, &str)], rest: &str) -> String {
    let mut text = r#"
[neuron.jumper]
soma = { capacitance = "200 pF", leak = "1 nS", rest = "-70 mV" }
receptor.jump = { on = ["soma"], current = "delta" }
spike = { when = "soma > -50 mV", reset = { soma = "-70 mV" }, refractory = "2 ms" }
[population.cell]
neuron = "jumper"
size = 1
"#
    .to_owned();
    for (name, times) in sources {
        let size = times.matches('[').count() - 1;
        text +=
            &format!("[population.{name}]\nneuron = \"listed\"\nsize = {size}\ntimes = {times}\n");
    }
    text + rest
}

fn projection(name: &str, from: &str, weight: &str, rest: &str) -> String {
    format!(
        "[projection.{name}]\nfrom = \"{from}\"\nto = \"cell.soma\"\nweight = \"{weight}\"\ndelay = \"1 ms\"\n{rest}\n"
    )
}

/// A rule of this test.
fn rule(dw: &str) -> String {
    format!("[rule.r]\nsource = \"this test\"\ndw = \"{dw}\"\n")
}

const LEARN: &str = "learn = { rule = \"r\" }";

/// The only weight of a projection at the end.
fn weight(text: &str, ms: f64, projection: usize) -> f64 {
    let (_, samples) = with_weights(&program(text), ms, ms, projection);
    samples.last().unwrap().1[0]
}

#[test]
fn a_spike_takes_exactly_its_delay() {
    let text = circuit(
        &[("a", "[[3.25]]")],
        &projection("P", "a", "1 mV", "").replace("1 ms", "1.234567891 ms"),
    );
    let at = 4.484567891;
    let all = sampled(&program(&text), 5.0, 1e-9 * 4_484_567_890.0, &[(0, 0, 0)]);
    assert_eq!(all.samples[1].1[0], -70.0, "a picosecond before {at} ms");
    let all = sampled(&program(&text), 5.0, 1e-9 * 4_484_567_891.0, &[(0, 0, 0)]);
    assert!((all.samples[1].1[0] + 69.0).abs() < 1e-12, "at {at} ms");
}

#[test]
fn modulators_change_before_spikes_arrive() {
    // The jump to −55 mV at 10 ms is above the threshold before 10 ms, or from 10 ms on.
    for (schedule, spikes) in [("[0, 1]", 0), ("[1, 0]", 1)] {
        let text = circuit(&[("a", "[[9]]")], &projection("P", "a", "15 mV", ""));
        let text = text.replace("soma > -50 mV", "soma > -60 mV + m * 10 mV");
        let modulator =
            format!("[modulator.m]\nschedule = {{ list = {schedule}, every = \"10 ms\" }}\n");
        let emitted = run(&program(&(modulator + &text)), 20.0);
        assert_eq!(times_of(&emitted, 0).len(), spikes, "{schedule}");
    }
}

#[test]
fn rules_read_a_modulator_that_changes_with_an_arrival_after_its_change() {
    let modulator = "[modulator.m]\nschedule = { list = [2, 5, 11], every = \"10 ms\" }\n";
    let rest = projection("P", "a", "0 mV", LEARN) + &rule("m * (1 mV) * pre.spike");
    let text = modulator.to_owned() + &circuit(&[("a", "[[9]]")], &rest);
    assert_eq!(weight(&text, 15.0, 0), 5.0);
}

#[test]
fn sampled_modulators_are_computed_before_spikes_arrive_and_after_schedules() {
    let modulators = r#"
[modulator.v]
value = "(mean(cell.soma) + 70 mV) / (1 mV) + 100 * m"
every = "10 ms"
[modulator.m]
schedule = { list = [0, 1], every = "10 ms" }
"#;
    let text =
        modulators.to_owned() + &circuit(&[("a", "[[9]]")], &projection("P", "a", "10 mV", ""));
    let mut simulation =
        apical::engine::event::simulation::Simulation::new(program(&text), 1).unwrap();
    let mut all = Everything {
        every: Some(5_000_000_000),
        modulators: vec![0],
        ..Everything::default()
    };
    simulation.run_until(21_000_000_000, &mut all).unwrap();
    let levels: Vec<f64> = all.levels.iter().map(|l| l[0]).collect();
    assert_eq!(levels[..4], [0.0, 0.0, 100.0, 100.0]);
    assert!(levels[4] > 109.0, "the jump is seen 10 ms later");
}

#[test]
fn spikes_arrive_in_the_order_of_projections() {
    // The rule reads the voltage at an arrival: before or after another projection's jump of 5 mV at the same time.
    let learns = projection("L", "a", "0 mV", LEARN);
    let jumps = projection("J", "b", "5 mV", "");
    let rule = rule("(soma + 70 mV) * pre.spike");
    let sources = [("a", "[[2]]"), ("b", "[[2]]")];
    let first = circuit(&sources, &(learns.clone() + &jumps + &rule));
    assert_eq!(weight(&first, 10.0, 0), 0.0);
    let second = circuit(&sources, &(jumps + &learns + &rule));
    assert!((weight(&second, 10.0, 1) - 5.0).abs() < 1e-12);
}

#[test]
fn within_a_projection_spikes_arrive_in_the_order_of_presynaptic_neurons() {
    let rest = projection("L", "a", "3 mV", LEARN) + &rule("(soma + 70 mV) * pre.spike");
    let text = circuit(&[("a", "[[2], [2], [2]]")], &rest);
    let (_, samples) = with_weights(&program(&text), 5.0, 5.0, 0);
    let weights = &samples.last().unwrap().1;
    // The first sees −70 mV, the second 3 mV more and becomes 6 mV, the third 9 mV more.
    for (weight, expected) in weights.iter().zip([3.0, 6.0, 12.0]) {
        assert!((weight - expected).abs() < 1e-12, "{weights:?}");
    }
}

#[test]
fn an_arrival_acts_with_the_weight_that_it_has_learned() {
    let rest = projection("L", "a", "1 mV", LEARN) + &rule("(4 mV) * pre.spike");
    let text = circuit(&[("a", "[[2]]")], &rest);
    let all = sampled(&program(&text), 4.0, 3.0, &[(0, 0, 0)]);
    assert!((all.samples[1].1[0] + 65.0).abs() < 1e-12);
}

/// The time (ps) at which a driven neuron first spikes by itself.
fn first_spike(text: &str) -> i64 {
    let emitted = run(&program(text), 60.0);
    emitted.iter().find(|e| e.neuron == 0).unwrap().time
}

/// Driven to a first spike at some odd picosecond.
fn driven(sources: &[(&str, &str)], rest: &str) -> String {
    circuit(sources, rest).replace("size = 1\n", "size = 1\nsoma.bias = \"150 pA\"\n")
}

#[test]
fn spikes_that_arrive_at_a_crossing_come_before_it() {
    let plain = driven(&[("a", "[[1000]]")], &projection("P", "a", "-5 mV", ""));
    let plain = plain.replacen("soma.bias = \"150 pA\"\ntimes", "times", 1);
    let own = first_spike(&plain);
    for (late, prevented) in [(0, true), (1, false), (-1, true)] {
        let time = format!("[[{:.9}]]", (own + late) as f64 * 1e-9 - 1.0);
        let text = plain.replace("[[1000]]", &time);
        assert_eq!(
            first_spike(&text) != own,
            prevented,
            "arrives {late} ps later"
        );
    }
}

#[test]
fn excitation_and_inhibition_of_one_time_cancel_before_the_threshold_is_looked_at() {
    let rest = projection("P", "a", "25 mV", "") + &projection("Q", "b", "-10 mV", "");
    let text = circuit(&[("a", "[[2]]"), ("b", "[[2]]")], &rest);
    assert_eq!(times_of(&run(&program(&text), 10.0), 0).len(), 0);
}

#[test]
fn a_presynaptic_spike_comes_before_a_postsynaptic_one_of_the_same_time() {
    let rest = projection("P", "a", "0 mV", LEARN)
        + &rule(
            "(3 mV) * trace(pre.spike, 20 ms) * post.spike - (2 mV) * trace(post.spike, 20 ms) * pre.spike",
        );
    let plain = driven(&[("a", "[[1000]]")], &rest);
    let plain = plain.replacen("soma.bias = \"150 pA\"\ntimes", "times", 1);
    let own = first_spike(&plain);
    let at = |late: i64| {
        let time = format!("[[{:.9}]]", (own + late) as f64 * 1e-9 - 1.0);
        weight(
            &plain.replace("[[1000]]", &time),
            own as f64 * 1e-9 + 1.0,
            0,
        )
    };
    // At the same time: the synapse sees no postsynaptic spike yet, and the postsynaptic spike sees all of its trace.
    assert!((at(0) - 3.0).abs() < 1e-12, "{}", at(0));
    assert!((at(-1) - 3.0).abs() < 1e-9);
    assert!((at(1) + 2.0).abs() < 1e-9, "{}", at(1));
}

#[test]
fn traces_are_read_before_the_spike_that_reads_them_adds_to_them() {
    let rest = projection("P", "a", "0 mV", LEARN)
        + &rule(
            "(1 mV) * trace(post.spike, 20 ms) * post.spike + (100 mV) * trace(pre.spike, 20 ms) * pre.spike",
        );
    let text = circuit(
        &[("a", "[[2, 12]]"), ("b", "[[5, 25]]")],
        &(rest + &projection("Q", "b", "40 mV", "")),
    );
    assert_eq!(weight(&text, 11.0, 0), 0.0, "one spike on each side");
    let two = weight(&text, 40.0, 0);
    // The second presynaptic spike learns 60 mV and makes the neuron spike, at 13 ms.
    let e = |ms: f64| (-ms / 20.0).exp();
    let exact = 100.0 * e(10.0) + e(7.0) + (e(20.0) + e(13.0));
    assert!((two - exact).abs() < 1e-9, "{two} and not {exact}");
}

#[test]
fn refractoriness_ends_before_the_threshold_is_looked_at() {
    // Its reset leaves it above the threshold: it spikes as often as refractoriness allows.
    let text = circuit(&[("a", "[[0]]")], &projection("P", "a", "40 mV", ""));
    let text = text.replace(
        "reset = { soma = \"-70 mV\" }",
        "reset = { soma = \"-40 mV\" }",
    );
    let spikes = times_of(&run(&program(&text), 10.0), 0);
    assert_eq!(spikes, [1.0, 3.0, 5.0, 7.0, 9.0]);
}

#[test]
fn a_spike_that_arrives_as_refractoriness_ends_finds_the_soma_held() {
    // Spikes arrive before neurons do what they do by themselves: a jump at 3 ms is lost, one a picosecond later is not.
    for (time, expected) in [("2", -70.0), ("2.000000001", -69.0)] {
        let rest = projection("P", "a", "40 mV", "") + &projection("Q", "b", "1 mV", "");
        let text = circuit(&[("a", "[[0]]"), ("b", &format!("[[{time}]]"))], &rest);
        let all = sampled(&program(&text), 4.0, 3.000000001, &[(0, 0, 0)]);
        let value = all.samples[1].1[0];
        assert!(
            (value - expected).abs() < 1e-9,
            "{value} and not {expected}"
        );
    }
}

const DENDRITE: &str = r#"
[neuron.dendritic]
soma = { capacitance = "200 pF", leak = "1 nS", rest = "-70 mV" }
apical = { capacitance = "200 pF", leak = "1 nS", rest = "-70 mV" }
receptor.jump = { on = ["soma", "apical"], current = "delta" }
spike = { when = "soma > -50 mV", reset = { soma = "-70 mV" }, refractory = "2 ms" }
plateau.apical = { when = "apical > -40 mV", current = "1 pA", duration = "5 ms" }
burst = { when = "plateau(apical)", spikes = 2, interval = "4 ms" }
[population.cell]
neuron = "dendritic"
size = 1
[population.up]
neuron = "listed"
size = 1
times = [[9]]
[population.down]
neuron = "listed"
size = 1
times = [[10]]
[population.go]
neuron = "listed"
size = 1
times = [[GO]]
[projection.U]
from = "up"
to = "cell.apical"
weight = "40 mV"
delay = "1 ms"
[projection.D]
from = "down"
to = "cell.apical"
weight = "-40 mV"
delay = "1 ms"
[projection.G]
from = "go"
to = "cell.soma"
weight = "40 mV"
delay = "1 ms"
"#;

fn dendritic(go: &str) -> Vec<(i64, Signals)> {
    let emitted = run(&program(&DENDRITE.replace("GO", go)), 30.0);
    let own = emitted.iter().filter(|e| e.neuron == 0);
    own.map(|e| (e.time, e.signals)).collect()
}

#[test]
fn a_plateau_ends_before_a_spike_of_the_same_time() {
    let single = Signals::SPIKE | Signals::EVENT;
    // The plateau lasts from 10 to 15 ms.
    assert_eq!(
        dendritic("14"),
        [(10_000_000_000, Signals::PLATEAU), (15_000_000_000, single)]
    );
    assert_eq!(
        dendritic("13.999999999")[1..],
        [
            (14_999_999_999, single | Signals::BURST),
            (18_999_999_999, Signals::SPIKE | Signals::IN_BURST)
        ]
    );
}

#[test]
fn a_spike_comes_before_a_plateau_that_begins_at_the_same_time() {
    let single = Signals::SPIKE | Signals::EVENT;
    assert_eq!(
        dendritic("9"),
        [(10_000_000_000, single), (10_000_000_000, Signals::PLATEAU)]
    );
}

#[test]
fn spikes_of_one_time_are_emitted_in_the_order_of_neurons() {
    let text = r#"
[population.b]
neuron = "regular"
size = 3
parameter = { interval = "5 ms", phase = "5 ms" }
[population.a]
neuron = "regular"
size = 2
parameter = { interval = "10 ms", phase = "5 ms" }
"#;
    for threads in [1, 3] {
        let emitted = event_support::run_on(&program(text), 11.0, threads);
        let numbers: Vec<u32> = emitted.iter().map(|e| e.neuron).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 0, 1, 2]);
    }
}

#[test]
fn samples_see_everything_of_their_time() {
    // At 3 ms the modulator has changed, the spike has arrived, the synapse has learned, the neuron has been reset.
    let modulator = "[modulator.m]\nschedule = { list = [2, 5], every = \"3 ms\" }\n";
    let rest = projection("P", "a", "40 mV", LEARN) + &rule("m * (1 mV) * pre.spike");
    let text = modulator.to_owned()
        + &circuit(&[("a", "[[2]]")], &rest)
            .replace("soma = \"-70 mV\" }, ref", "soma = \"-66 mV\" }, ref");
    let mut simulation =
        apical::engine::event::simulation::Simulation::new(program(&text), 1).unwrap();
    let mut all = Everything {
        every: Some(3_000_000_000),
        sampled: vec![(0, 0, 0)],
        projections: vec![0],
        modulators: vec![0],
        ..Everything::default()
    };
    simulation.run_until(3_000_000_001, &mut all).unwrap();
    assert_eq!(all.samples[1].1, [-66.0]);
    assert_eq!(all.weights[1].1, [[45.0]]);
    assert_eq!(all.levels[1], [5.0]);
    assert_eq!(times_of(&all.emitted, 0), [3.0]);
}

#[test]
fn a_release_acts_one_shortest_delay_after_its_spike() {
    let text = r#"
[modulator.dopamine]
released = { by = "b", amount = 3, tau = "10 ms" }
"#
    .to_owned()
        + &circuit(
            &[("a", "[[2]]"), ("b", "[[4]]")],
            &projection("P", "a", "1 mV", ""),
        );
    let mut simulation =
        apical::engine::event::simulation::Simulation::new(program(&text), 1).unwrap();
    let mut all = Everything {
        every: Some(4_999_999_999),
        modulators: vec![0],
        ..Everything::default()
    };
    simulation.run_until(15_000_000_000, &mut all).unwrap();
    assert_eq!(all.levels[1], [0.0]);
    let exact = 3.0 * (-(9.999999998_f64 - 5.0) / 10.0).exp();
    assert!((all.levels[2][0] - exact).abs() < 1e-12);
}

#[test]
fn a_neuron_that_a_modulator_wakes_is_followed_by_its_targets_in_time() {
    // Nothing happens before 50 ms; then the modulator drives the first neuron, whose spikes make the second one spike.
    let text = r#"
[modulator.m]
schedule = { list = [0, 1], every = "50 ms" }
[neuron.driven]
soma = { capacitance = "200 pF", leak = "10 nS", rest = "-70 mV", current = "m * (500 pA)" }
receptor.jump = { on = ["soma"], current = "delta" }
spike = { when = "soma > -50 mV", reset = { soma = "-70 mV" }, refractory = "2 ms" }
[population.first]
neuron = "driven"
size = 1
[population.second]
neuron = "lif-delta"
size = 1
[population.late]
neuron = "listed"
size = 1
times = [[80]]
[projection.P]
from = "first"
to = "second.soma"
weight = "30 mV"
delay = "1 ms"
"#;
    for threads in [1, 2] {
        let emitted = event_support::run_on(&program(text), 100.0, threads);
        assert!(emitted.is_sorted());
        let (first, second) = (times_of(&emitted, 0), times_of(&emitted, 1));
        assert!((first[0] - 50.0 - 20.0 * (5.0_f64 / 3.0).ln()).abs() < 1e-9);
        let pairs = first.iter().zip(&second);
        assert!(pairs.clone().count() > 2);
        for (first, second) in pairs {
            assert!((second - first - 1.0).abs() < 1e-9, "{first} and {second}");
        }
    }
}

#[test]
fn a_reset_that_certainly_stays_above_the_threshold_is_refused() {
    let text = circuit(&[("a", "[[2]]")], &projection("P", "a", "1 mV", ""));
    let text = text.replace(
        "reset = { soma = \"-70 mV\" }, refractory = \"2 ms\"",
        "reset = { soma = \"-45 mV\" }",
    );
    let message = refused(&text);
    assert!(message.contains("without end"), "{message}");
}
