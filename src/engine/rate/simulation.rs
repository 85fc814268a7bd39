//! A simulation that can be stepped: build it, run it for a while, look at its state, go on.

use std::sync::{Arc, RwLock};

use super::block_run::BlockRun;
use super::flat::Flat;
use super::learn;
use super::products::Packed;
use super::schedule::ScheduleState;
use super::separate;
use super::shares::{self, Common};
use super::sources::{SourceBlock, Sources, Wanted};
use super::state::State;
use super::step::{NotFinite, Scratch};
use super::team::Team;
use super::trials::{Reset, Trials};
use crate::compile::Program;
use crate::compile::plan::{Activity, Plan};
use crate::input::{DataError, DataPaths, Pass};
use crate::netlist::model::{ModulatorDrive, Precision, Schedule};
use crate::source::Problem;

/// A running circuit.
#[derive(Debug)]
pub struct Simulation {
    program: Arc<Program>,
    state: State,
    sources: Sources,
    threads: usize,
    /// The circuit's own schedules, going on whenever a stage does not override them.
    schedules: Vec<(usize, ScheduleState)>,
    /// Schedules of the stage that is running, by modulator.
    overriding: Vec<(usize, ScheduleState)>,
    /// The circuit's own schedules while a stage has a seed of its own.
    waiting: Option<Vec<(usize, ScheduleState)>>,
    /// Steps of a trial, and what its beginning resets.
    trial: Option<(u64, Reset)>,
    plans: Vec<(Plan, Flat)>,
    /// What is measured, if shares of the replicas may take their steps apart.
    looked_at: Option<Vec<usize>>,
    scratch: Scratch,
    /// Scratch memory of shares.
    scratches: Vec<Scratch>,
    /// Noise and input of the steps that are taken next.
    block: SourceBlock,
}

/// What a stage sets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Which rules learn and which probes are read.
    pub activity: Activity,
    /// Schedules that replace the circuit's, by modulator.
    pub schedules: Vec<(usize, Schedule)>,
    /// Splits of inputs, by input; an input that is named starts a pass.
    pub splits: Vec<(usize, Pass)>,
    /// The trials that the stage is a row of.
    pub trial: Option<Trials>,
    /// Seed of all random streams in the stage, if it has one of its own.
    pub seed: Option<u64>,
    /// Steps in a sample of each measured rule.
    pub samples: Vec<u64>,
}

/// Somebody who looks at a running simulation.
pub trait Observer {
    /// Called after every step if `every_step` says so.
    fn step(&mut self, state: &State);

    /// Whether `step` is to be called.
    fn every_step(&self) -> bool;

    /// Whether `step` reads more of the state than what is measured: values of neurons, weights. If it does not, these need not be
    /// brought together from where they are.
    fn reads_all(&self) -> bool {
        true
    }

    /// Called now and then with the number of steps since the last call; `false` ends the run.
    fn progress(&mut self, steps: u64) -> bool;
}

/// Why a run ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The observer wanted it.
    ByObserver,
    /// A value is not finite any more.
    NotFinite(NotFinite),
}

impl Simulation {
    /// A simulation before its first step. With two threads or more, shares of the replicas take their steps apart, where they
    /// may. The results are the same.
    ///
    /// # Errors
    /// If input data are missing or broken.
    pub fn new(
        program: Arc<Program>,
        paths: &DataPaths,
        threads: usize,
    ) -> Result<Simulation, DataError> {
        let sources = Sources::new(&program, paths, threads)?;
        let circuit = &program.circuit;
        let schedules = own_schedules(circuit, circuit.seed);
        let state = State::new(&program);
        let mut simulation = Simulation {
            state,
            sources,
            threads,
            schedules,
            overriding: vec![],
            waiting: None,
            trial: None,
            plans: vec![],
            looked_at: None,
            scratch: Scratch::default(),
            scratches: vec![],
            block: SourceBlock::default(),
            program,
        };
        simulation.scratch.products.threads = threads;
        Ok(simulation)
    }

    /// The program that runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The state between two steps.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state between two steps, to be changed.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// The sources of noise and input.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Enters a stage.
    ///
    /// # Errors
    /// Expressions that are too large for the machine.
    pub fn enter(&mut self, settings: &Settings) -> Result<(), Problem> {
        learn::settle_pending(&self.program, &mut self.state, &mut self.scratch);
        let combinations = self.program.orders.len();
        self.plans.clear();
        let mut slot = 0;
        for k in 0..combinations {
            let plan = self.program.plan(k, &settings.activity, slot)?;
            slot = plan.slots;
            let flat = Flat::new(&self.program, &plan);
            self.plans.push((plan, flat));
        }
        let apart = shares::ranges(self.program.layout.replicas).len();
        self.scratches.resize_with(apart, Scratch::default);
        for kernel in self.plans.iter().flat_map(|(plan, _)| plan.kernels()) {
            for scratch in self.scratches.iter_mut().chain([&mut self.scratch]) {
                scratch.machine.reserve(&kernel.code);
            }
        }
        let circuit = &self.program.circuit;
        // A random schedule draws afresh every time a stage is entered.
        self.state.entered += 1;
        let (seed, entered) = match settings.seed {
            Some(seed) => (seed, 0),
            None => (circuit.seed, self.state.entered),
        };
        let start = |(index, schedule): &(usize, Schedule)| {
            let name = circuit.modulators[*index].name.as_str();
            (
                *index,
                ScheduleState::new(schedule, circuit, (seed, name, entered)),
            )
        };
        self.overriding = settings.schedules.iter().map(start).collect();
        self.sources.leave();
        if let Some(schedules) = self.waiting.take() {
            self.schedules = schedules;
        }
        if let Some(seed) = settings.seed {
            self.sources.reseed(&self.program, seed);
            let fresh = own_schedules(circuit, seed);
            self.waiting = Some(std::mem::replace(&mut self.schedules, fresh));
            Reset::new(&self.program, &[]).apply(&self.program, &mut self.state);
        }
        self.sources.go_on();
        for (input, pass) in &settings.splits {
            self.sources
                .rewind(crate::circuit::InputId(*input as u32), pass);
        }
        self.enter_trials(settings.trial.as_ref());
        self.enter_precision();
        self.looked_at = self.look_for_shares();
        if self.looked_at.is_some() {
            for (plan, flat) in &mut self.plans {
                plan.leave_out_copies(&self.program);
                *flat = Flat::new(&self.program, plan);
            }
        }
        for (update, samples) in self.state.updates.iter_mut().zip(&settings.samples) {
            update.begin(*samples);
        }
        Ok(())
    }

    /// What is measured, if shares of the replicas may take their steps apart.
    fn look_for_shares(&self) -> Option<Vec<usize>> {
        if self.trial.is_some() || shares::ranges(self.program.layout.replicas).is_empty() {
            return None;
        }
        let plans = self.plans.iter();
        let all = plans.map(|(plan, _)| separate::looked_at(&self.program, plan));
        Some(all.collect::<Option<Vec<_>>>()?.concat())
    }

    /// Prepares for operations in single precision, if the circuit is.
    fn enter_precision(&mut self) {
        if self.program.circuit.precision == Precision::Double {
            return;
        }
        let flats = self.plans.iter().map(|(_, flat)| flat);
        self.scratch.narrow.enter(flats.clone());
        // What takes the general path, or looks, reads numbers in double precision.
        let general = flats.flat_map(Flat::parts).next().is_some();
        self.sources.want(if general {
            Wanted::Both
        } else {
            Wanted::Single
        });
    }

    fn enter_trials(&mut self, trials: Option<&Trials>) {
        self.state.in_trial = 0;
        self.trial = trials.map(|trials| {
            if trials.replay {
                self.sources.replay(trials.steps as usize);
            }
            (trials.steps, Reset::new(&self.program, &trials.keep))
        });
    }

    /// Runs some steps of the stage that was entered.
    ///
    /// # Errors
    /// If the observer ends it, or a value is not finite any more; the state is that of the last whole step.
    pub fn run(&mut self, steps: u64, observer: &mut dyn Observer) -> Result<(), Stopped> {
        let plans = std::mem::take(&mut self.plans);
        let result = match self.looked_at.take() {
            Some(looked_at) => {
                let result = self.run_apart(&plans, &looked_at, steps, observer);
                self.looked_at = Some(looked_at);
                result
            }
            None if self.program.circuit.precision == Precision::Single => {
                self.scratch.narrow.load(&self.state);
                if !observer.every_step() && self.trial.is_none() {
                    let arch = self.scratch.machine.arch();
                    self.scratch.narrow.pack(arch, &mut self.state);
                }
                let result = self.run_blocks((&plans, None), steps, observer);
                self.scratch.narrow.store(&mut self.state);
                result
            }
            None => self.run_blocks((&plans, None), steps, observer),
        };
        self.plans = plans;
        result
    }

    /// Runs some steps of shares of the replicas apart.
    fn run_apart(
        &mut self,
        plans: &[(Plan, Flat)],
        looked_at: &[usize],
        steps: u64,
        observer: &mut dyn Observer,
    ) -> Result<(), Stopped> {
        let program = self.program.clone();
        let shares = shares::split(&program, &mut self.state, &mut self.scratches);
        let common = RwLock::new(self.common());
        let (result, shares) = std::thread::scope(|scope| {
            let what = (&*program, plans);
            let mut team = Team::start(scope, what, &common, shares, self.threads);
            let result = self.run_blocks((plans, Some((&mut team, looked_at))), steps, observer);
            (result, std::mem::take(&mut team.shares))
        });
        self.scratches = shares::merge(&program, &mut self.state, shares);
        if let Ok(common) = common.into_inner() {
            self.state.weights = common.weights;
        }
        result
    }

    /// Takes out the weights, for all shares to be read.
    fn common(&mut self) -> Common {
        let weights = std::mem::take(&mut self.state.weights);
        let pack = |(at, weights)| {
            let mut packed = Packed::default();
            let id = crate::circuit::ProjectionId(at as u32);
            packed.fill(&self.program.circuit, id, weights);
            packed
        };
        Common {
            packed: weights.iter().enumerate().map(pack).collect(),
            weights,
            ..Common::default()
        }
    }

    /// Runs steps block by block.
    fn run_blocks(
        &mut self,
        how: How<'_, '_>,
        steps: u64,
        observer: &mut dyn Observer,
    ) -> Result<(), Stopped> {
        let block_steps = self.sources.block_steps();
        let mut block = std::mem::take(&mut self.block);
        let mut left = steps;
        let (mut run, sources) = self.parts(how);
        let mut result = Ok(());
        while left > 0 && result.is_ok() {
            let n = left.min(block_steps);
            sources.produce(n as usize, &mut block);
            result = run.run(&mut block, observer);
            left -= n;
        }
        self.block = block;
        result
    }

    /// What steps need, and the sources that make blocks for them.
    fn parts<'s, 't>(
        &'s mut self,
        (plans, team): How<'s, 't>,
    ) -> (BlockRun<'s, 't>, &'s mut Sources) {
        let run = BlockRun {
            program: &self.program,
            state: &mut self.state,
            schedules: &mut self.schedules,
            overriding: &mut self.overriding,
            trial: self.trial.as_ref(),
            plans,
            scratch: &mut self.scratch,
            team,
            made: (0, 0),
        };
        (run, &mut self.sources)
    }
}

/// Plans, and who takes the steps of shares of the replicas, if these are apart, with what is measured of them.
type How<'a, 't> = (&'a [(Plan, Flat)], Option<(&'a mut Team<'t>, &'a [usize])>);

/// The circuit's own schedules at their start.
fn own_schedules(circuit: &crate::circuit::Circuit, seed: u64) -> Vec<(usize, ScheduleState)> {
    let schedule = |(index, modulator): (usize, &crate::circuit::Modulator)| {
        let ModulatorDrive::Schedule(schedule) = &modulator.drive else {
            return None;
        };
        let name = modulator.name.as_str();
        let state = ScheduleState::new(&schedule.value, circuit, (seed, name, 0));
        Some((index, state))
    };
    let modulators = circuit.modulators.iter().enumerate();
    modulators.filter_map(schedule).collect()
}
