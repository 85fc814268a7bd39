//! Running the points of a sweep, several at a time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::Receiver;

use super::error::SweepError;
use super::found::Found;
use super::plan::{Sweep, hash_of_texts, load};
use super::store::{Store, finished};
use crate::experiment::{Progress, RunError, RunOptions};
use crate::record::{RunReport, StopReason};

/// Somebody who is told how far a sweep has come, from several threads.
pub trait Watch: Sync {
    /// All points, and how many of them were finished before: told once.
    fn points(&self, all: usize, finished: usize);
    /// Steps of all points that are to be run; told again when more is known.
    fn total(&self, steps: u64);
    /// So many more steps are done.
    fn steps(&self, steps: u64);
    /// One more point is finished.
    fn point(&self);
}

/// Nobody.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn points(&self, _: usize, _: usize) {}
    fn total(&self, _: u64) {}
    fn steps(&self, _: u64) {}
    fn point(&self) {}
}

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The sweep's folder.
    pub directory: PathBuf,
    /// Points of the sweep.
    pub points: usize,
    /// Points that were finished before.
    pub earlier: usize,
    /// Points that were run now.
    pub run: usize,
}

impl Outcome {
    /// Points that are not finished, because the sweep was interrupted.
    pub fn left(&self) -> usize {
        self.points.saturating_sub(self.earlier + self.run)
    }
}

/// A point that is to be run.
#[derive(Debug)]
struct Job {
    number: usize,
    combination: usize,
    seed: u64,
    key: String,
}

impl Sweep {
    /// Runs all points that are not finished and writes the tables, unless it is interrupted.
    ///
    /// # Errors
    /// If the folder holds something else, or a point cannot be run or written. A point whose values leave the finite
    /// numbers is no error: it is a row of the table.
    pub fn run(&self, watch: &dyn Watch) -> Result<Outcome, SweepError> {
        let path = self.directory();
        let store = Store::open(&path, &self.report, &self.base, self.options.overwrite)?;
        let jobs = self.jobs();
        let points = self
            .report
            .combinations
            .iter()
            .map(|c| c.points.len())
            .sum();
        let mut outcome = Outcome {
            directory: path.clone(),
            points,
            earlier: points - jobs.len(),
            run: 0,
        };
        watch.points(points, outcome.earlier);
        let plan = jobs.iter().map(|j| self.combinations[j.combination].steps);
        let work = Work {
            sweep: self,
            store: &store,
            watch,
            planned: Mutex::new(plan.collect()),
            done: AtomicUsize::new(0),
            failure: Mutex::new(None),
        };
        work.run(jobs);
        outcome.run = work.done.load(Ordering::Relaxed);
        if let Some(error) = work
            .failure
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            return Err(error);
        }
        if outcome.left() == 0 {
            Found::open(&path)?.write_tables()?;
        }
        Ok(outcome)
    }

    /// Points that are not finished, in order.
    fn jobs(&self) -> Vec<Job> {
        let path = self.directory();
        let mut jobs = Vec::new();
        for (combination, report) in self.report.combinations.iter().enumerate() {
            let recorded = self.options.record && self.combinations[combination].records;
            for (realization, key) in report.points.iter().enumerate() {
                let seed = self.report.seed + realization as u64;
                let whole = finished(&path, key, seed).is_some_and(|r| !recorded || records(&r));
                if !whole {
                    jobs.push(Job {
                        number: jobs.len(),
                        combination,
                        seed,
                        key: key.clone(),
                    });
                }
            }
        }
        jobs
    }
}

/// Whether a run has recorded something.
fn records(report: &RunReport) -> bool {
    let spikes = report.spikes.as_ref().is_some_and(|s| s.file.is_some());
    spikes || !(report.traces.is_empty() && report.weights.is_empty())
}

/// What the threads share.
struct Work<'s> {
    sweep: &'s Sweep,
    store: &'s Store,
    watch: &'s dyn Watch,
    /// Steps of each point to be run, as far as they are known.
    planned: Mutex<Vec<Option<u64>>>,
    done: AtomicUsize,
    failure: Mutex<Option<SweepError>>,
}

impl Work<'_> {
    /// Runs all jobs; each thread takes the next one when it is free.
    fn run(&self, jobs: Vec<Job>) {
        self.tell_total();
        let threads = self.sweep.options.threads.clamp(1, jobs.len().max(1));
        let (sender, receiver) = crossbeam_channel::unbounded();
        for job in jobs {
            // The receiver is still here, so nothing is refused.
            let _ = sender.send(job);
        }
        drop(sender);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.take_jobs(&receiver));
            }
        });
    }

    fn take_jobs(&self, jobs: &Receiver<Job>) {
        let interrupt = &self.sweep.options.interrupt;
        while !interrupt.load(Ordering::Relaxed) {
            let Ok(job) = jobs.recv() else { break };
            match self.run_point(&job) {
                Ok(true) => {
                    self.done.fetch_add(1, Ordering::Relaxed);
                    self.watch.point();
                }
                Ok(false) => break,
                Err(error) => {
                    let failure = self.failure.lock();
                    failure
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_or_insert(error);
                    // The other threads have no reason to go on.
                    interrupt.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// Runs a point; false if it was interrupted.
    fn run_point(&self, job: &Job) -> Result<bool, SweepError> {
        let options = &self.sweep.options;
        let combination = &self.sweep.combinations[job.combination];
        let edited = || SweepError::Edited {
            path: options.netlist.display().to_string(),
        };
        let mut experiment =
            load(options, &combination.set, Some(job.seed)).map_err(|_| edited())?;
        if hash_of_texts(&experiment.netlist().sources) != combination.texts {
            return Err(edited());
        }
        if !options.record {
            experiment.record_nothing();
        }
        let run = RunOptions {
            out: self.store.partial(&job.key),
            overwrite: true,
            threads: 1,
            paths: options.paths.clone(),
            interrupt: options.interrupt.clone(),
            drawn: false,
        };
        let mut progress = PointProgress {
            work: self,
            number: job.number,
        };
        let report = experiment.run(&run, &mut progress);
        let report = report.map_err(|error| match error {
            RunError::Data(error) => SweepError::Data(error),
            error => error.into(),
        })?;
        if matches!(report.stop, StopReason::Interrupted { .. }) {
            self.store.discard(&job.key)?;
            return Ok(false);
        }
        self.store.publish(&job.key)?;
        self.plan_steps(job.number, report.steps);
        Ok(true)
    }

    fn plan_steps(&self, number: usize, steps: u64) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = planned.get_mut(number).filter(|p| **p != Some(steps)) else {
            return;
        };
        *place = Some(steps);
        drop(planned);
        self.tell_total();
    }

    /// Points of which nothing is known yet count as much as the others on average.
    fn tell_total(&self) {
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let known = planned.iter().flatten().count() as u128;
        let sum: u128 = planned.iter().flatten().map(|s| u128::from(*s)).sum();
        let all = sum * planned.len() as u128 / known.max(1);
        self.watch.total(u64::try_from(all).unwrap_or(u64::MAX));
    }
}

/// Passes the progress of a point on.
struct PointProgress<'w> {
    work: &'w Work<'w>,
    number: usize,
}

impl Progress for PointProgress<'_> {
    fn total(&mut self, steps: u64) {
        self.work.plan_steps(self.number, steps);
    }

    fn stage(&mut self, _: &str) {}

    fn steps(&mut self, steps: u64) {
        self.work.watch.steps(steps);
    }
}
