//! Memory: a long run needs no more than a short one, and a step allocates nothing.
//!
//! This binary counts what the global allocator hands out, so its tests run one at a time.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rate_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use apical::compile::plan::Activity;
use apical::engine::rate::{Settings, Simulation, Trials};
use apical::experiment::{Experiment, Progress};
use apical::input::DataPaths;
use apical::netlist::LoadOptions;
use apical::record::StopReason;
use rate_support::{Bench, Blind, MENAGERIE, experiment, options};

/// The system's allocator, counted.
struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    /// Allocations of this thread: the test harness starts other tests and prints meanwhile.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as i64, Ordering::Relaxed);
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test at a time.
static ONE: Mutex<()> = Mutex::new(());

/// A circuit like the quickstart, with every kind of recording.
fn quick(steps: u64) -> String {
    format!(
        r#"use = ["impression"]
        [circuit]
        name = "quick"
        step = "1 ms"
        [modulator.lambda]
        schedule = {{ alternate = [1, 0], every = 2 }}
        [input.world]
        process = "latent-ar1"
        size = 24
        latent = 4
        decay = 0.975
        noise = 0.16
        mixing = {{ bumps = {{ width = 0.35, height = 0.35 }} }}
        [population.stimulus]
        neuron = "impression"
        size = 24
        basal = {{ input = "world", activation = "identity" }}
        apical.activation = "tanh"
        [population.latent]
        neuron = "impression"
        size = 4
        parameter = {{ sigma_gen = 0.16 }}
        basal.bias = {{ start = 0, learn = {{ rule = "impression-basal", eta = 1e-3 }} }}
        [projection.W]
        from = "stimulus"
        to = "latent.basal"
        weight = {{ normal = {{ mean = 0, sd = 0.02 }} }}
        learn = {{ rule = "impression-basal", eta = 1e-3 }}
        [projection.D_s]
        from = "latent"
        to = "stimulus.apical"
        weight = {{ normal = {{ mean = 0, sd = 0.1 }} }}
        learn = {{ rule = "impression-apical", eta = 1e-3 }}
        [projection.D_r]
        from = "latent"
        to = "latent.apical"
        connect = "one-to-one"
        delay = 1
        weight = 0.6
        learn = {{ rule = "impression-transition", eta = 1e-3 }}
        [[stage]]
        name = "train"
        steps = {steps}
        [measure.error]
        kind = "mean"
        of = "mean((world - tanh(stimulus.apical.drive))^2)"
        [measure.reconstruction]
        kind = "r-squared"
        truth = "world"
        prediction = "tanh(stimulus.apical.drive)"
        [measure.memory]
        kind = "autocorrelation"
        of = "latent.soma"
        lags = 40
        [measure.correlations]
        kind = "correlation-matrix"
        of = "stimulus.soma"
        [[record]]
        what = "trace"
        of = "stimulus.soma"
        [[record]]
        what = "trace"
        of = "latent.soma"
        every = 3
        [[record]]
        what = "weights"
        of = "W"
        every = 100"#
    )
}

/// Notes live bytes at some shares of the run.
struct Watcher {
    total: u64,
    done: u64,
    at: Vec<(f64, Option<i64>)>,
}

impl Progress for Watcher {
    fn total(&mut self, steps: u64) {
        self.total = steps;
    }

    fn stage(&mut self, _: &str) {}

    fn steps(&mut self, steps: u64) {
        self.done += steps;
        let share = self.done as f64 / self.total as f64;
        for (at, found) in &mut self.at {
            if share >= *at && found.is_none() {
                *found = Some(LIVE.load(Ordering::Relaxed));
            }
        }
    }
}

/// Bytes that a run holds at 20 % and at 90 %.
fn live_bytes(steps: u64, threads: usize) -> (i64, i64) {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder, threads);
    let mut watcher = Watcher {
        total: 0,
        done: 0,
        at: vec![(0.2, None), (0.9, None)],
    };
    let report = experiment(&quick(steps))
        .run(&options, &mut watcher)
        .unwrap();
    assert_eq!(report.stop, StopReason::Completed);
    assert_eq!(report.steps, steps);
    (watcher.at[0].1.unwrap(), watcher.at[1].1.unwrap())
}

#[test]
fn memory_stays_flat_however_long_the_run() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (early, late) = live_bytes(100_000, 2);
    // A busy machine may have up to four blocks more on their way to the recorder, of 2048 rows of at most 44 bytes.
    // One number kept for each of the 70,000 steps in between would be more.
    let growth = late - early;
    assert!(
        growth.abs() < 64 * 1024 + 4 * 2048 * 44,
        "{early} bytes grow by {growth}"
    );
}

/// Allocations in so many steps of a circuit that has run before, on one thread.
fn allocations(text: &str, steps: u64) -> u64 {
    let mut bench = Bench::new(text);
    bench.run(200);
    let before = ALLOCATIONS.get();
    assert!(before > 0, "the circuit was made on this thread");
    bench.run(steps);
    ALLOCATIONS.get() - before
}

#[test]
fn a_step_allocates_nothing() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(allocations(&quick(1), 10_000), 0);
}

#[test]
fn rules_that_run_synapse_by_synapse_allocate_nothing() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let method = Bench::new(MENAGERIE).method("S");
    assert!(method.starts_with("synapse by synapse"), "{method}");
    assert_eq!(allocations(MENAGERIE, 2_000), 0);
}

/// Trials of the circuit in which updates are compared: its rules with filters at the synapses, replayed inputs and resets.
#[test]
fn a_trial_allocates_nothing() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = std::path::Path::new("netlists/impression/update-comparison.toml");
    let experiment = Experiment::load(path, &LoadOptions::default(), None).unwrap();
    let program = experiment.program.clone();
    let mut simulation = Simulation::new(program.clone(), &DataPaths::default(), 1).unwrap();
    let keep = program.circuit.modulator_named("signal").unwrap().0 as usize;
    let settings = Settings {
        activity: Activity {
            learns: vec![false; program.rules.len()],
            probed: vec![false; program.probes.len()],
            measured: vec![true; program.measured.len()],
        },
        trial: Some(Trials {
            steps: 4,
            replay: true,
            keep: vec![keep],
        }),
        samples: vec![4; program.measured.len()],
        ..Settings::default()
    };
    simulation.enter(&settings).unwrap();
    // Scratch memory grows in the first trials.
    assert_eq!(simulation.run(400, &mut Blind), Ok(()));
    let before = ALLOCATIONS.get();
    assert_eq!(simulation.run(40_000, &mut Blind), Ok(()));
    assert_eq!(ALLOCATIONS.get() - before, 0);
    let samples = simulation.state().updates.iter().map(|u| u.count());
    assert_eq!(samples.collect::<Vec<_>>(), [10_100, 10_100]);
}
