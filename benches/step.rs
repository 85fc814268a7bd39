//! How long is a step of the rate engine?
//!
//! Workloads, at their published sizes:
//!
//! - `netlists/impression/artificial.toml` (100 stimulus, 20 latent neurons): input process, inference, generation,
//!   noise and learning; about 8,000 multiply–adds, 260 normal deviates and 120 tanh a step.
//! - `netlists/reward/estimation.toml` (12 inputs, 40 recurrent neurons): the walk of an angle, noise, the inverse of the
//!   response function, reward, and rules that keep an average at every synapse; about 9,000 multiply–adds.
//!
//! Counted: steps, on one thread, after 6,000 steps of warming up (the second one's rules are closed for 4,000).
#![allow(
    clippy::expect_used,
    reason = "a bench that cannot be set up has to stop"
)]

use std::hint::black_box;
use std::path::Path;

use apical::compile::plan::Activity;
use apical::engine::rate::{Observer, Settings, Simulation, State};
use apical::experiment::Experiment;
use apical::input::DataPaths;
use apical::netlist::LoadOptions;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const CIRCUITS: [(&str, &str); 2] = [
    (
        "impression-artificial",
        "netlists/impression/artificial.toml",
    ),
    ("reward-estimation", "netlists/reward/estimation.toml"),
];

/// Steps before the first one that counts.
const WARM_UP: u64 = 6_000;

struct Nobody;

impl Observer for Nobody {
    fn step(&mut self, _: &State) {}
    fn every_step(&self) -> bool {
        false
    }
    fn progress(&mut self, _: u64) -> bool {
        true
    }
}

/// The netlist's circuit after some steps, with its rules at work or not; nothing is measured.
fn begun(experiment: &Experiment, learns: bool, steps: u64) -> Simulation {
    let program = experiment.program.clone();
    let activity = Activity {
        learns: vec![learns; program.rules.len()],
        measured: vec![],
        probed: vec![false; program.probes.len()],
    };
    let mut simulation =
        Simulation::new(program, &DataPaths::default(), 1).expect("no data are needed");
    simulation
        .enter(&Settings {
            activity,
            ..Settings::default()
        })
        .expect("the plan compiles");
    simulation
        .run(steps, &mut Nobody)
        .expect("values stay finite");
    simulation
}

fn step(criterion: &mut Criterion) {
    const STEPS: u64 = 2_000;
    for (name, path) in CIRCUITS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let experiment =
            Experiment::load(&path, &LoadOptions::default(), None).expect("the netlist loads");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(STEPS));
        for (name, learns) in [("learning", true), ("not learning", false)] {
            let mut simulation = begun(&experiment, learns, WARM_UP);
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    simulation
                        .run(black_box(STEPS), &mut Nobody)
                        .expect("values stay finite")
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, step);
criterion_main!(benches);
