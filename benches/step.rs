//! How long is a step of the rate engine?
//!
//! Workload: `netlists/impression/artificial.toml` at its published size (100 stimulus, 20 latent neurons): input
//! process, inference, generation, noise and learning; about 8,000 multiply–adds, 260 normal deviates and 120 tanh a
//! step. Counted: steps, on one thread, after 2,000 steps of warming up.
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

fn step(criterion: &mut Criterion) {
    const STEPS: u64 = 2_000;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("netlists/impression/artificial.toml");
    let experiment =
        Experiment::load(&path, &LoadOptions::default(), None).expect("the netlist loads");
    let program = experiment.program.clone();
    let activity = Activity {
        learns: vec![true; program.rules.len()],
        measured: vec![],
        probed: vec![false; program.probes.len()],
    };
    let mut group = criterion.benchmark_group("impression-artificial");
    group.throughput(Throughput::Elements(STEPS));
    for (name, learns) in [("learning", true), ("not learning", false)] {
        let mut activity = activity.clone();
        activity.learns.fill(learns);
        let mut simulation =
            Simulation::new(program.clone(), &DataPaths::default(), 1).expect("no data are needed");
        simulation
            .enter(&Settings {
                activity,
                ..Settings::default()
            })
            .expect("the plan compiles");
        simulation
            .run(STEPS, &mut Nobody)
            .expect("values stay finite");
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

criterion_group!(benches, step);
criterion_main!(benches);
