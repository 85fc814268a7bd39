//! Running a simulation: window after window, on one thread or several.

use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Observer, Simulation, lock};
use crate::engine::event::partition::Partition;
use crate::engine::event::time::{NEVER, after};
use crate::engine::event::turn::{Emitted, EventError};
use crate::engine::patience::receive;

/// What a thread does next.
struct Order {
    spikes: Arc<Vec<Emitted>>,
    start: i64,
    end: i64,
}

/// What a thread has done.
struct Done {
    emitted: Vec<Emitted>,
    next: i64,
}

impl Simulation {
    /// Runs until everything before `until` (ps) has happened, or the observer has had enough.
    ///
    /// # Errors
    /// If a neuron spikes without end, or its equations have no solution.
    pub fn run_until(&mut self, until: i64, observer: &mut dyn Observer) -> Result<(), EventError> {
        if self.partitions.len() == 1 {
            return self.run_alone(until, observer);
        }
        let Simulation { partitions, .. } = self;
        let partitions = std::mem::take(partitions);
        let threads = partitions.len();
        let result = std::thread::scope(|scope| {
            let mut lines = Vec::new();
            for partition in &partitions[1..] {
                let (order_sender, orders) = bounded::<Order>(1);
                let (sender, done) = bounded(1);
                scope.spawn(move || work(partition, &orders, &sender, threads));
                lines.push((order_sender, done));
            }
            self.run_windows(until, observer, &partitions, |order| {
                for (sender, _) in &lines {
                    let order = Order {
                        spikes: order.spikes.clone(),
                        ..order
                    };
                    // A thread that is gone is found out about when its answer is missing.
                    let _ = sender.send(order);
                }
                let mut all = run_order(&mut lock(&partitions[0]), &order)?;
                for (_, done) in &lines {
                    let Some(done) = receive(done, threads) else {
                        break;
                    };
                    let done: Done = done?;
                    all.emitted.extend(done.emitted);
                    all.next = all.next.min(done.next);
                }
                // Sorted lists one after the other: a stable sort merges them.
                all.emitted.sort();
                Ok(all)
            })
        });
        self.partitions = partitions;
        result
    }

    fn run_alone(&mut self, until: i64, observer: &mut dyn Observer) -> Result<(), EventError> {
        let partitions = std::mem::take(&mut self.partitions);
        let result = self.run_windows(until, observer, &partitions, |order| {
            run_order(&mut lock(&partitions[0]), &order)
        });
        self.partitions = partitions;
        result
    }

    /// Window after window.
    fn run_windows(
        &mut self,
        until: i64,
        observer: &mut dyn Observer,
        partitions: &[Mutex<Partition>],
        mut run: impl FnMut(Order) -> Result<Done, EventError>,
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
            let done = run(Order { spikes, start, end })?;
            let soonest = done
                .emitted
                .first()
                .map_or(NEVER, |e| after(e.time, self.program.min_delay));
            next = done.next.min(soonest);
            self.note(&done.emitted, lock(&partitions[0]).window());
            observer.spikes(&done.emitted);
            self.unsent = Arc::new(done.emitted);
            self.now = end;
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
