//! How many synaptic deliveries does the event engine make in a second, on one core?
//!
//! 1,000 regular sources of 40 Hz at random phases; each spike goes to 1,000 of 10,000 neurons, chosen at random (fan-out
//! 1,000, 100 synapses a neuron). One delay of 1.5 ms for all. Inputs bring the neurons so close to threshold that they
//! fire several times a second; their own spikes go nowhere. Counted: deliveries, after 100 ms of model time. The neurons:
//!
//! - `lif, delta`: a spike moves the potential at once. No plasticity.
//! - `lif, exponential`: synaptic currents of 2 ms. No plasticity.
//! - `two compartments`: 80 % of the deliveries are excitation of the dendrite (3 ms), 20 % inhibition of the soma
//!   (8 ms); four variables, and the next crossing predicted anew at each delivery. No plasticity.
//! - `lif, stdp-pair`: as `lif, exponential`, all synapses plastic: pairs of spikes, bounds, integrated lazily.
//!
//! `cargo bench --bench events -- scaling` runs something else: a second of `lif, exponential` with 1,000 deliveries a
//! neuron (100 synapses of 10 Hz), for 1e5, 1e6, 1e7 and 1e8 deliveries in all, that is for more and more neurons.
//! `scaling 9` goes on to 1e9: a million neurons, 1e8 synapses.
#![allow(
    clippy::expect_used,
    reason = "a bench that cannot be set up has to stop"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apical::circuit::Circuit;
use apical::compile::event::EventProgram;
use apical::engine::event::simulation::{Observer, Simulation, Unobserved};
use apical::engine::event::time::from_ms;
use apical::engine::event::turn::Emitted;
use apical::input::DataPaths;
use apical::netlist::{LoadOptions, parse};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Sources that all fire once in `INTERVAL_MS`.
const SOURCES: u64 = 1_000;
const FAN_OUT: u64 = 1_000;
const INTERVAL_MS: f64 = 25.0;

const HEAD: &str = r#"
use = ["lif", "sources", "stdp"]
[circuit]
name = "events"
[neuron.two]
soma = { capacitance = "200 pF", leak = "10 nS", rest = "-70 mV" }
dendrite = { capacitance = "100 pF", leak = "5 nS", rest = "-70 mV", couples = { to = "soma", by = "20 nS" } }
receptor.exc = { on = ["dendrite"], current = "exponential", tau = "3 ms" }
receptor.inh = { on = ["soma"], current = "exponential", tau = "8 ms" }
spike = { when = "soma > -50 mV", reset = { soma = "-65 mV" }, refractory = "2 ms" }
[[stage]]
name = "run"
duration = "1 s"
"#;

/// Regular sources `name`, and their synapses onto `cells.TARGET`.
fn sources(name: &str, size: u64, target: &str, projection: &str) -> String {
    format!(
        r#"
[population.{name}]
neuron = "regular"
size = {size}
parameter = {{ interval = "{INTERVAL_MS} ms", phase = {{ uniform = ["0 ms", "{INTERVAL_MS} ms"] }} }}
[projection.{name}]
from = "{name}"
to = "cells.{target}"
connect = {{ out-degree = {FAN_OUT} }}
delay = "1.5 ms"
{projection}
"#
    )
}

fn cells(neuron: &str, size: u64) -> String {
    format!("[population.cells]\nneuron = \"{neuron}\"\nsize = {size}\n")
}

fn program(circuit: &str) -> Arc<EventProgram> {
    let text = format!("{HEAD}{circuit}");
    let netlist = parse("bench.toml", &text, &LoadOptions::default()).expect("the netlist parses");
    let paths = DataPaths {
        netlist: Path::new(".").to_owned(),
        data: None,
    };
    let (circuit, problems) = Circuit::build(&netlist, &paths);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(EventProgram::new(&netlist, circuit).expect("the circuit compiles"))
}

/// Counts spikes of all neurons, sources included.
#[derive(Default)]
struct Count(u64);

impl Observer for Count {
    fn spikes(&mut self, emitted: &[Emitted]) {
        self.0 += emitted.len() as u64;
    }
}

fn deliveries(criterion: &mut Criterion) {
    const CELLS: u64 = 10_000;
    let lif = |neuron: &str, projection: &str| {
        cells(neuron, CELLS) + &sources("drive", SOURCES, "soma", projection)
    };
    let exponential = "receptor = \"exc\"\nweight = \"40 pA\"";
    let plastic = format!(
        "{exponential}\nwithin = [\"0 pA\", \"80 pA\"]\n\
         learn = {{ rule = \"stdp-pair\", A_plus = \"0.01 pA\", A_minus = \"0.0105 pA\" }}"
    );
    let two = cells("two", CELLS)
        + &sources(
            "exc",
            SOURCES * 4 / 5,
            "dendrite",
            "receptor = \"exc\"\nweight = \"37 pA\"",
        )
        + &sources(
            "inh",
            SOURCES / 5,
            "soma",
            "receptor = \"inh\"\nweight = \"-8 pA\"",
        );
    let circuits = [
        (
            "lif, delta",
            lif("lif-delta", "receptor = \"jump\"\nweight = \"0.22 mV\""),
        ),
        ("lif, exponential", lif("lif", exponential)),
        ("two compartments", two),
        ("lif, stdp-pair", lif("lif", &plastic)),
    ];
    let mut group = criterion.benchmark_group("deliveries");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(SOURCES * FAN_OUT));
    for (name, circuit) in circuits {
        let mut simulation = Simulation::new(program(&circuit), 1).expect("the equations solve");
        let mut until = 4.0 * INTERVAL_MS;
        simulation
            .run_until(from_ms(until), &mut Unobserved)
            .expect("the circuit runs");
        let (mut count, begun) = (Count::default(), until);
        group.bench_with_input(BenchmarkId::from_parameter(name), &(), |bencher, ()| {
            bencher.iter(|| {
                until += INTERVAL_MS;
                simulation
                    .run_until(from_ms(until), &mut count)
                    .expect("the circuit runs");
            });
        });
        let drive = SOURCES as f64 * (until - begun) / INTERVAL_MS;
        let rate = (count.0 as f64 - drive) / CELLS as f64 / (until - begun) * 1e3;
        println!("{name}: neurons fire at {rate:.1} Hz");
    }
    group.finish();
}

/// A second of model time for more and more neurons.
fn scaling(most: u32) {
    println!("deliveries      neurons     build s      run s   ns a delivery   M deliveries/s");
    for exponent in 5..=most {
        let events = 10_u64.pow(exponent);
        // Each source makes 40,000 deliveries a second: 1,000 for each of 40 times as many neurons.
        let fan_out = FAN_OUT.min(events / 1_000);
        let sources_needed = events / 40 / fan_out;
        let circuit = cells("lif", events / 1_000)
            + &sources(
                "drive",
                sources_needed,
                "soma",
                "receptor = \"exc\"\nweight = \"200 pA\"",
            )
            .replace(
                &format!("out-degree = {FAN_OUT}"),
                &format!("out-degree = {fan_out}"),
            );
        let building = Instant::now();
        let mut simulation = Simulation::new(program(&circuit), 1).expect("the equations solve");
        let built = building.elapsed().as_secs_f64();
        let begun = Instant::now();
        simulation
            .run_until(from_ms(1e3), &mut Unobserved)
            .expect("the circuit runs");
        let run = begun.elapsed().as_secs_f64();
        println!(
            "{events:10}   {:10}   {built:9.2}   {run:8.3}   {:13.1}   {:14.1}",
            events / 1_000,
            run / events as f64 * 1e9,
            events as f64 / run * 1e-6
        );
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "scaling") {
        let most = words.get(at + 1).and_then(|word| word.parse().ok());
        return scaling(most.unwrap_or(8));
    }
    let mut criterion = Criterion::default().configure_from_args();
    deliveries(&mut criterion);
    criterion.final_summary();
}
