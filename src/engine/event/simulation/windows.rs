//! Running a simulation: window after window, on one thread or several.
//!
//! The observer is told of spikes while other threads are still busy with a later window: nobody waits for it.

use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::untold::{Spikes, Untold};
use super::{Observer, Simulation, lock};
use crate::engine::event::partition::Partition;
use crate::engine::event::time::after;
use crate::engine::event::turn::{Emitted, EventError};
use crate::engine::patience::{receive, receive_meanwhile};

/// What a thread does next.
#[derive(Clone)]
struct Order {
    spikes: Spikes,
    start: i64,
    end: i64,
}

/// What a thread has done.
struct Done {
    emitted: Vec<Emitted>,
    next: i64,
}

/// What all threads have done.
struct AllDone {
    spikes: Spikes,
    next: i64,
}

/// The way to another thread and back.
struct Line {
    orders: Sender<Order>,
    done: Receiver<Result<Done, EventError>>,
}

impl Simulation {
    /// Runs until everything before `until` (ps) has happened, or the observer has had enough.
    ///
    /// # Errors
    /// If a neuron spikes without end, or its equations have no solution.
    pub fn run_until(&mut self, until: i64, observer: &mut dyn Observer) -> Result<(), EventError> {
        let partitions = std::mem::take(&mut self.partitions);
        let result = std::thread::scope(|scope| {
            let threads = partitions.len();
            let line = |partition| {
                let (orders, received) = bounded::<Order>(1);
                let (sender, done) = bounded(1);
                scope.spawn(move || work(partition, &received, &sender, threads));
                Line { orders, done }
            };
            let lines: Vec<Line> = partitions[1..].iter().map(line).collect();
            let mut untold = Untold::default();
            let result = self.run_windows(until, (observer, &mut untold), &partitions, &lines);
            // Whatever ends the run, nothing that was emitted before is lost.
            untold.tell_all(observer);
            result
        });
        self.partitions = partitions;
        result
    }

    /// Window after window.
    fn run_windows(
        &mut self,
        until: i64,
        (observer, untold): (&mut dyn Observer, &mut Untold),
        partitions: &[Mutex<Partition>],
        lines: &[Line],
    ) -> Result<(), EventError> {
        let mut next = self.now;
        self.tell(observer, partitions);
        loop {
            let rebase = lock(&partitions[0]).next_rebase();
            if rebase <= self.now {
                for partition in partitions {
                    lock(partition).rebase(self.now)?;
                }
                continue;
            }
            // What changes at this very time is part of what comes next: a stage that begins may set it.
            if self.now >= until {
                return Ok(());
            }
            if self.inputs.next_change() <= self.now {
                self.change_inputs(partitions);
                next = self.now;
                continue;
            }
            if self.next_change() <= self.now {
                self.change_modulators(partitions)?;
                // What neurons were going to do next may have changed with the modulators.
                next = self.now;
                untold.tell_all(observer);
                self.tell(observer, partitions);
                continue;
            }
            let sample = observer.next_sample();
            let limit = until
                .min(self.next_change())
                .min(rebase)
                .min(after(sample, 1));
            let start = next.max(self.now).min(limit);
            let end = lock(&partitions[0]).window_end(start).min(limit);
            let spikes = std::mem::take(&mut self.unsent);
            let order = Order { spikes, start, end };
            let done = run_window(order, &partitions[0], lines, &mut || {
                untold.tell_some(observer)
            })?;
            let first = done.spikes.iter().filter_map(|list| list.first()).min();
            next = first.map_or(done.next, |e| {
                done.next.min(after(e.time, self.program.min_delay))
            });
            self.note(&done.spikes, lock(&partitions[0]).window());
            if lines.is_empty() {
                // Nobody else is busy, and there is one list.
                done.spikes.iter().for_each(|list| observer.spikes(list));
            } else {
                untold.add(done.spikes.clone());
            }
            self.unsent = done.spikes;
            self.now = end;
            if untold.is_much() || sample < end {
                untold.tell_all(observer);
            }
            if sample < end {
                observer.sample(sample, &self.look(partitions, sample));
            }
            if !observer.goes_on(self.now) {
                return Ok(());
            }
        }
    }

    /// Tells the observer of the modulators' present values.
    fn tell(&self, observer: &mut dyn Observer, partitions: &[Mutex<Partition>]) {
        observer.modulators(self.now, &self.look(partitions, self.now));
    }
}

/// A window of all partitions: the first one on this thread, which does something else as long as the others are busy.
fn run_window(
    order: Order,
    first: &Mutex<Partition>,
    lines: &[Line],
    meanwhile: &mut dyn FnMut() -> bool,
) -> Result<AllDone, EventError> {
    for line in lines {
        // A thread that is gone is found out about when its answer is missing.
        let _ = line.orders.send(order.clone());
    }
    let Done { emitted, mut next } = run_order(&mut lock(first), &order)?;
    let mut lists = vec![emitted];
    for line in lines {
        let Some(done) = receive_meanwhile(&line.done, lines.len() + 1, &mut *meanwhile) else {
            break;
        };
        let done = done?;
        lists.push(done.emitted);
        next = next.min(done.next);
    }
    Ok(AllDone {
        spikes: Arc::new(lists),
        next,
    })
}

/// One of so many threads: a window after each order.
fn work(
    partition: &Mutex<Partition>,
    orders: &Receiver<Order>,
    done: &Sender<Result<Done, EventError>>,
    threads: usize,
) {
    while let Some(order) = receive(orders, threads) {
        let result = run_order(&mut lock(partition), &order);
        if done.send(result).is_err() {
            return;
        }
    }
}

fn run_order(partition: &mut Partition, order: &Order) -> Result<Done, EventError> {
    partition.send(&order.spikes);
    let emitted = partition.run_window(order.start, order.end)?.to_vec();
    Ok(Done {
        emitted,
        next: partition.next_time(),
    })
}
