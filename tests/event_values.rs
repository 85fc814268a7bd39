//! Values of spiking neurons that make no sense are refused when a netlist is loaded, with help; nothing panics.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests compare exact values"
)]

mod event_support;

use apical::engine::event::simulation::{Observer, Simulation};
use apical::engine::event::time::from_ms;
use apical::engine::event::turn::Emitted;
use event_support::{head, program, refused};
use proptest::prelude::*;

/// A circuit in which one text is replaced by another.
fn changed(from: &str, to: &str) -> String {
    let text = r#"
[neuron.n]
soma = { capacitance = "200 pF", leak = "10 nS", rest = "-70 mV" }
apical = { capacitance = "100 pF", leak = "5 nS", rest = "-70 mV", couples = { to = "soma", by = "15 nS" } }
receptor.e = { on = ["soma"], current = "exponential", tau = "2 ms" }
receptor.d = { on = ["apical"], current = "double-exponential", rise = "0.5 ms", decay = "3 ms" }
spike = { when = "soma > -50 mV", reset = { soma = "-65 mV" }, refractory = "1 ms" }
plateau.apical = { when = "apical > -40 mV", current = "200 pA", duration = "30 ms" }
burst = { when = "plateau(apical)", spikes = 3, interval = "5 ms" }
[population.clock]
neuron = "regular"
size = 2
parameter = { interval = "10 ms", phase = "1 ms" }
[population.cell]
neuron = "n"
size = 3
[projection.E]
from = "clock"
to = "cell.soma"
weight = "100 pA"
delay = "1.5 ms"
[projection.D]
from = "clock"
to = "cell.apical"
weight = "100 pA"
delay = "2.5 ms"
"#;
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn the_circuit_itself_is_sound() {
    assert_eq!(refused(&changed("200 pF", "200 pF")), "");
}

/// The message and help with which a change is refused.
#[track_caller]
fn is_refused(from: &str, to: &str, message: &str, help: &str) {
    let said = refused(&changed(from, to));
    assert!(said.contains(message), "{to}: {said}");
    assert!(said.contains(help), "{to}: {said}");
}

#[test]
fn capacitances_and_conductances_have_their_signs() {
    let above = "give it a value above 0";
    is_refused(
        "\"200 pF\"",
        "\"0 pF\"",
        "the capacitance of `soma` is 0 pF",
        above,
    );
    is_refused(
        "\"100 pF\"",
        "\"-5 pF\"",
        "the capacitance of `apical` is -5 pF",
        above,
    );
    is_refused(
        "\"10 nS\"",
        "\"-10 nS\"",
        "the leak of `soma` is -10 nS",
        "give it 0 or a value above",
    );
    is_refused(
        "\"15 nS\"",
        "\"-1 nS\"",
        "the coupling of `apical` is -1 nS",
        "0 or a value above",
    );
}

#[test]
fn times_have_their_signs() {
    let above = "give it a value above 0";
    is_refused(
        "tau = \"2 ms\"",
        "tau = \"0 ms\"",
        "the time constant is 0 ms",
        above,
    );
    is_refused(
        "tau = \"2 ms\"",
        "tau = \"-2 ms\"",
        "the time constant is -2 ms",
        above,
    );
    is_refused(
        "\"1 ms\" }\nplateau",
        "\"-1 ms\" }\nplateau",
        "the refractory time is -1 ms",
        "0 or a value above",
    );
    is_refused(
        "\"30 ms\"",
        "\"0 ms\"",
        "the plateau's duration is 0 ms",
        above,
    );
    is_refused("\"5 ms\"", "\"-5 ms\"", "the interval is -5 ms", above);
    is_refused("\"10 ms\"", "\"0 ms\"", "the interval is 0 ms", above);
    is_refused(
        "phase = \"1 ms\"",
        "phase = \"-1 ms\"",
        "the time of the first spike is -1 ms",
        "0 or a value above",
    );
}

#[test]
fn currents_rise_before_they_decay() {
    is_refused(
        "\"0.5 ms\"",
        "\"3 ms\"",
        "rises with 3 ms and decays with 3 ms",
        "alpha",
    );
    is_refused(
        "\"0.5 ms\"",
        "\"5 ms\"",
        "rises with 5 ms and decays with 3 ms",
        "make `decay` longer",
    );
}

#[test]
fn drawn_parameters_are_looked_at_one_by_one() {
    let text = changed("[neuron.n]", "[neuron.n]\nparameter = { C = \"200 pF\" }").replacen(
        "\"200 pF\", leak",
        "\"C\", leak",
        1,
    );
    let text = text.replace(
        "neuron = \"n\"\n",
        "neuron = \"n\"\nparameter.C = [\"100 pF\", \"-7 pF\", \"300 pF\"]\n",
    );
    let said = refused(&text);
    assert!(
        said.contains("the capacitance of `soma` is -7 pF"),
        "{said}"
    );
    assert!(said.contains("clip = [low, high]"), "{said}");
}

#[test]
fn a_reset_above_the_threshold_needs_refractoriness() {
    is_refused(
        "reset = { soma = \"-65 mV\" }, refractory = \"1 ms\"",
        "reset = { soma = \"-45 mV\" }",
        "leaves it above its threshold",
        "`refractory` time",
    );
    // What only the run can tell, the run tells.
    let text = changed(
        "reset = { soma = \"-65 mV\" }, refractory = \"1 ms\"",
        "add = { apical = \"1 mV\" }",
    );
    let text = text.replacen("size = 3\n", "size = 3\nsoma.bias = \"1 nA\"\n", 1);
    let said = stopped(&text);
    assert!(said.contains("again and again"), "{said}");
}

/// Why a run of 50 ms ends with an error.
fn stopped(text: &str) -> String {
    let mut simulation = Simulation::new(program(text), 1).unwrap();
    let result = simulation.run_until(
        from_ms(50.0),
        &mut apical::engine::event::simulation::Unobserved,
    );
    result.unwrap_err().to_string()
}

#[test]
fn neurons_that_spike_nearly_without_end_stop_the_run() {
    // Refractory for a picosecond, and above its threshold some nanoseconds later.
    let text = changed("refractory = \"1 ms\"", "refractory = \"1e-9 ms\"");
    let text = text.replacen("size = 3\n", "size = 3\nsoma.bias = \"1e9 pA\"\n", 1);
    let said = stopped(&text);
    assert!(said.contains("again and again"), "{said}");
    // Sources of its own, one for each neuron.
    let text = r#"
[population.source]
neuron = "poisson"
size = 3
parameter.rate = "1e30 Hz"
[population.cell]
neuron = "lif"
size = 3
[projection.P]
from = "source"
to = "cell.soma"
receptor = "exc"
connect = "one-to-one"
weight = "1 pA"
delay = "1 ms"
"#;
    let said = stopped(text);
    assert!(said.contains("no bound below 10 MHz"), "{said}");
}

#[test]
fn delays_are_above_zero() {
    let said = refused(&changed("\"1.5 ms\"", "\"0 ms\""));
    assert!(
        said.contains("delay") && said.contains("help: Some"),
        "{said}"
    );
    let said = refused(&changed("\"1.5 ms\"", "{ uniform = [\"0 ms\", \"2 ms\"] }"));
    assert!(
        said.contains("delay") && said.contains("help: Some"),
        "{said}"
    );
    let said = refused(&changed(
        "\"1.5 ms\"",
        "{ normal = { mean = \"2 ms\", sd = \"1 ms\" } }",
    ));
    assert!(said.contains("clip"), "{said}");
}

#[test]
fn there_are_at_most_eight_plateaus_and_sixty_variables() {
    let many = |count: usize, plateaus: usize| {
        let mut neuron = String::new();
        for k in 0..count {
            neuron += &format!(
                "b{k} = {{ capacitance = \"100 pF\", leak = \"5 nS\", rest = \"-70 mV\", couples = {{ to = \"soma\", by = \"1 nS\" }} }}\n"
            );
        }
        for k in 0..plateaus {
            neuron += &format!(
                "plateau.b{k} = {{ when = \"b{k} > -40 mV\", current = \"1 pA\", duration = \"5 ms\" }}\n"
            );
        }
        changed("spike = { when", &format!("{neuron}spike = {{ when"))
    };
    // With that of the apical compartment these are eight and nine.
    assert_eq!(refused(&many(8, 7)), "");
    let said = refused(&many(8, 8));
    assert!(said.contains("has 9 plateaus, the most is 8"), "{said}");
    let said = refused(&many(70, 0));
    assert!(
        said.contains("variables") && said.contains("the most is 60"),
        "{said}"
    );
}

#[test]
fn what_learning_synapses_cannot_have_is_refused() {
    let learn = "delay = \"1.5 ms\"\nlearn = { rule = \"stdp-pair\", A_plus = \"1 pA\", A_minus = \"1 pA\" }\n";
    let with = |more: &str| refused(&changed("delay = \"1.5 ms\"\n", &format!("{learn}{more}")));
    assert_eq!(with(""), "");
    let said = with("short-term = { U = 0.5, recovery = \"800 ms\" }\n");
    assert!(
        said.contains("no short-term plasticity") && said.contains("two projections"),
        "{said}"
    );
    // Both parts of the delay may be stated.
    assert_eq!(with("dendritic-delay = \"1 ms\"\n"), "");
    let said = refused(&changed("delay = \"1.5 ms\"\n", learn).replacen(
        "delay = \"1.5 ms\"",
        "delay = { uniform = [\"1 ms\", \"2 ms\"] }",
        1,
    ));
    assert!(said.contains("one delay in common"), "{said}");
}

#[test]
fn a_rate_reads_variables_parameters_and_modulators_alone() {
    let spike = "when = \"soma > -50 mV\", reset";
    for rate in [
        "(1 + plateau(apical)) * (5 Hz)",
        "(5 Hz) * lowpass(soma, 5 ms) / (1 mV)",
    ] {
        let said = refused(&changed(spike, &format!("rate = \"{rate}\", reset")));
        assert!(
            said.contains("reads more than") || said.contains("memory"),
            "{rate}: {said}"
        );
    }
}

#[test]
fn biases_of_spiking_neurons_do_not_learn() {
    let rule = "[rule.b]\nsource = \"this test\"\ndw = \"(1 pA) * post.spike\"\n";
    let bias = "size = 3\nsoma.bias = { start = \"1 pA\", learn = { rule = \"b\" } }\n";
    let said = refused(&(changed("size = 3\n", bias) + rule));
    assert!(
        said.contains("bias") && said.contains("help: Some"),
        "{said}"
    );
}

#[test]
fn what_only_rate_circuits_have_is_refused_not_ignored() {
    let text = changed(
        "receptor.e",
        "w = { derivative = \"-w / (5 ms)\", start = \"1 pA\", within = [\"0 pA\", \"2 pA\"] }\nreceptor.e",
    );
    let said = refused(&text);
    assert!(said.contains("unknown key `within`"), "{said}");
    let said = refused(&format!("replicas = 2\n{}", changed("200 pF", "200 pF")));
    assert!(said.contains("replicas are for rate circuits"), "{said}");
}

#[test]
fn a_regular_source_keeps_its_interval() {
    let text = "[modulator.m]\nschedule = 1\n[neuron.r]\nspike = { every = \"m * (10 ms)\" }\n[population.r]\nneuron = \"r\"\nsize = 1\n";
    let said = refused(text);
    assert!(said.contains("reads a modulator"), "{said}");
}

#[test]
fn a_stage_of_spiking_neurons_has_no_seed_of_its_own() {
    let stage = "[[stage]]\nname = \"a\"\nduration = \"1 ms\"\nseed = 3\n";
    let said = refused(&(changed("200 pF", "200 pF") + stage));
    assert!(
        said.contains("seeds of stages are for rate circuits"),
        "{said}"
    );
}

/// Ends a run that emits too much to wait for.
struct Enough(usize);

impl Observer for Enough {
    fn spikes(&mut self, emitted: &[Emitted]) {
        self.0 += emitted.len();
    }

    fn goes_on(&mut self, _: i64) -> bool {
        self.0 < 20_000
    }
}

/// Numbers that are usually sensible, and sometimes anything but.
fn number(usual: std::ops::Range<f64>) -> impl Strategy<Value = f64> {
    prop_oneof![
        12 => usual,
        1 => Just(0.0),
        1 => -10.0..0.0,
        1 => prop_oneof![Just(1e-3), Just(1e9), Just(-1e9), Just(1e300)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_netlist_is_refused_or_runs_but_never_panics(
        [c, g, tau, rise, decay] in [number(50.0..300.0), number(1.0..30.0), number(0.5..10.0), number(0.1..1.0), number(1.0..5.0)],
        [threshold, reset, refractory] in [number(-60.0..-50.0), number(-75.0..-60.0), number(0.0..5.0)],
        [weight, delay, jump] in [number(-300.0..500.0), number(0.1..5.0), number(-5.0..15.0)],
        [plateau, duration, interval] in [number(-60.0..-30.0), number(1.0..30.0), number(1.0..10.0)],
        bias in number(0.0..500.0),
        spikes in 0_u64..5,
        rate in number(5.0..50.0),
        kind in 0..3,
        threads in 1_usize..4,
    ) {
        let spike = match kind {
            0 => format!("{{ when = \"soma > {threshold:e} mV\", reset = {{ soma = \"{reset:e} mV\" }}, refractory = \"{refractory:e} ms\" }}"),
            1 => format!("{{ rate = \"({rate:e} Hz) * exp((soma - ({threshold:e} mV)) / (5 mV))\", refractory = \"{refractory:e} ms\" }}"),
            _ => format!("{{ when = \"soma + 0.1 * apical > {threshold:e} mV\", add = {{ soma = \"{reset:e} mV\" }} }}"),
        };
        let text = format!(
            r#"
[neuron.n]
soma = {{ capacitance = "{c:e} pF", leak = "{g:e} nS", rest = "-70 mV" }}
apical = {{ capacitance = "100 pF", leak = "5 nS", rest = "-70 mV", couples = {{ to = "soma", by = "{g:e} nS" }} }}
receptor.e = {{ on = ["soma"], current = "exponential", tau = "{tau:e} ms" }}
receptor.d = {{ on = ["apical"], current = "double-exponential", rise = "{rise:e} ms", decay = "{decay:e} ms" }}
spike = {spike}
plateau.apical = {{ when = "apical > {plateau:e} mV", current = "200 pA", duration = "{duration:e} ms" }}
burst = {{ when = "plateau(apical)", spikes = {spikes}, interval = "{interval:e} ms" }}
[population.noise]
neuron = "poisson"
size = 3
parameter.rate = "{rate:e} Hz"
[population.cell]
neuron = "n"
size = 3
soma.bias = "{bias:e} pA"
[projection.E]
from = "noise"
to = "cell.soma"
weight = "{weight:e} pA"
delay = "{delay:e} ms"
learn = {{ rule = "stdp-pair", A_plus = "{jump:e} pA", A_minus = "1 pA" }}
[projection.D]
from = "cell"
to = "cell.apical"
signal = "event"
weight = {{ uniform = ["{weight:e} pA", "600 pA"] }}
delay = "{delay:e} ms"
"#
        );
        let said = refused(&text);
        if said.is_empty() {
            let netlist = apical::netlist::parse("test.toml", &head(&text), &Default::default()).unwrap();
            let (circuit, _) = apical::circuit::Circuit::build(&netlist, &Default::default());
            let program = apical::compile::event::EventProgram::new(&netlist, circuit).unwrap();
            if let Ok(mut simulation) = Simulation::new(std::sync::Arc::new(program), threads) {
                // An error is an answer; a panic is none.
                let _ = simulation.run_until(from_ms(20.0), &mut Enough(0));
            }
        } else {
            prop_assert!(said.contains("help: Some"), "{}", said);
        }
    }
}
