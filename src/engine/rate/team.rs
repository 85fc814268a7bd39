//! Threads that take the steps of shares of the replicas.

use std::sync::RwLock;
use std::thread::Scope;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::block_run::BlockRun;
use super::flat::Flat;
use super::optimise;
use super::shares::{self, Common, Share};
use super::sources::SourceBlock;
use super::state::State;
use super::step::{NotFinite, Step};
use crate::compile::Program;
use crate::compile::plan::Plan;
use crate::engine::patience;

/// Shares of the replicas, and the threads that take their steps beside this one.
pub(super) struct Team<'t> {
    program: &'t Program,
    plans: &'t [(Plan, Flat)],
    common: &'t RwLock<Common>,
    pub shares: Vec<Share>,
    helpers: Vec<Helper>,
}

/// The way to a helper and back.
struct Helper {
    give: Sender<Order>,
    /// What it has not begun: this thread takes it if the helper has no processor.
    unbegun: Receiver<Order>,
    back: Receiver<Vec<Share>>,
}

/// Shares whose next step is to be taken, by the plan of this number; which step of the block it is.
struct Order {
    shares: Vec<Share>,
    plan: usize,
    in_block: usize,
    is_due: bool,
}

/// Takes a step of each share.
fn take_steps(
    shares: &mut [Share],
    (program, plan): (&Program, &(Plan, Flat)),
    common: &RwLock<Common>,
    (in_block, is_due): (usize, bool),
) {
    if let Ok(common) = common.read() {
        for share in shares {
            share.step(program, plan, (&common, in_block), is_due);
        }
    }
}

impl<'t> Team<'t> {
    /// Starts helpers, so that there are as many threads as asked for and of use.
    pub fn start<'s>(
        scope: &'s Scope<'s, 't>,
        (program, plans): (&'t Program, &'t [(Plan, Flat)]),
        common: &'t RwLock<Common>,
        shares: Vec<Share>,
        threads: usize,
    ) -> Team<'t> {
        let threads = threads.clamp(1, shares.len().max(1));
        let helper = |_| {
            let (give, orders) = bounded::<Order>(1);
            let (done, back) = bounded(1);
            let unbegun = orders.clone();
            scope.spawn(move || {
                while let Some(mut order) = patience::receive(&orders, threads) {
                    let plan = (program, &plans[order.plan]);
                    let when = (order.in_block, order.is_due);
                    take_steps(&mut order.shares, plan, common, when);
                    if done.send(order.shares).is_err() {
                        return;
                    }
                }
            });
            Helper {
                give,
                unbegun,
                back,
            }
        };
        Team {
            program,
            plans,
            common,
            shares,
            helpers: (1..threads).map(helper).collect(),
        }
    }

    /// A step of all shares; the error of the first that has one.
    fn step(&mut self, plan: usize, (in_block, is_due): (usize, bool)) -> Result<(), NotFinite> {
        let each = self.shares.len().div_ceil(self.helpers.len() + 1);
        let mut given = 0;
        for helper in &self.helpers {
            let shares = self
                .shares
                .split_off(self.shares.len() - each.min(self.shares.len() - 1));
            let order = Order {
                shares,
                plan,
                in_block,
                is_due,
            };
            given += usize::from(helper.give.send(order).is_ok());
        }
        let what = (self.program, &self.plans[plan]);
        take_steps(&mut self.shares, what, self.common, (in_block, is_due));
        let threads = self.helpers.len() + 1;
        // The last helper has the first of what was given away.
        for helper in self.helpers[..given].iter().rev() {
            let shares = match helper.unbegun.try_recv() {
                Ok(mut order) => {
                    take_steps(&mut order.shares, what, self.common, (in_block, is_due));
                    order.shares
                }
                Err(_) => patience::receive(&helper.back, threads).unwrap_or_default(),
            };
            self.shares.extend(shares);
        }
        self.shares.iter().try_for_each(|share| share.result)
    }

    /// Brings the state of all shares together, weights included, for somebody who looks at it.
    pub fn show(&self, state: &mut State, look: &mut dyn FnMut(&State)) {
        shares::look_at_all(self.program, state, &self.shares);
        let Ok(mut common) = self.common.write() else {
            return;
        };
        std::mem::swap(&mut common.weights, &mut state.weights);
        look(state);
        std::mem::swap(&mut common.weights, &mut state.weights);
    }

    /// Exchanges what sources give for another block.
    pub fn exchange(&self, block: &mut SourceBlock) {
        if let Ok(mut common) = self.common.write() {
            std::mem::swap(&mut common.block, block);
        }
    }
}

impl BlockRun<'_, '_> {
    /// A step of all shares, then of what brings them together: updates of weights, and what is measured.
    pub(super) fn step_apart(
        &mut self,
        team: &mut Team<'_>,
        (plan, in_block): (usize, usize),
        looked_at: &[usize],
    ) -> Result<(), NotFinite> {
        shares::tell(self.program, self.state, &mut team.shares);
        let is_due = optimise::is_due(self.state, &team.plans[plan].0.optimised);
        team.step(plan, (in_block, is_due))?;
        shares::bring_modulators(self.program, self.state, &team.shares);
        let Ok(mut common) = team.common.write() else {
            return Ok(());
        };
        let Common {
            weights,
            packed,
            block,
        } = &mut *common;
        let plan = &team.plans[plan].0;
        let parts = (&mut *self.state, &mut *self.scratch);
        let mut step = Step::of_all(self.program, parts, (block, in_block));
        if is_due || team.shares.iter().any(Share::is_full) {
            std::mem::swap(weights, &mut step.state.weights);
            std::mem::swap(packed, &mut step.scratch.packed);
            shares::exchange_changes(step.state, &mut team.shares);
            step.update(&plan.optimised);
            shares::exchange_changes(step.state, &mut team.shares);
            shares::tell_biases(step.program, step.state, &mut team.shares);
            std::mem::swap(weights, &mut step.state.weights);
            std::mem::swap(packed, &mut step.scratch.packed);
        } else {
            step.update(&plan.optimised);
        }
        if !plan.probes.is_empty() {
            let probed = looked_at.iter();
            probed.for_each(|at| shares::look(step.program, step.state, &team.shares, *at));
            step.probe(plan);
        }
        step.state.step += 1;
        Ok(())
    }
}
