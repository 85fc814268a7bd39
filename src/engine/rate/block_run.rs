//! The steps of one block of noise and input: trials begin, schedules move on, the gates' plan is run.

use std::ops::Range;

use super::flat::Flat;
use super::schedule::ScheduleState;
use super::simulation::{Observer, Stopped};
use super::sources::SourceBlock;
use super::state::State;
use super::step::{Scratch, Step};
use super::team::Team;
use super::trials::Reset;
use crate::compile::Program;
use crate::compile::plan::Plan;
use crate::netlist::model::Precision;

/// The parts of a simulation that steps need, apart from the sources.
pub(super) struct BlockRun<'a, 't> {
    pub program: &'a Program,
    pub state: &'a mut State,
    pub schedules: &'a mut [(usize, ScheduleState)],
    pub overriding: &'a mut [(usize, ScheduleState)],
    pub trial: Option<&'a (u64, Reset)>,
    pub plans: &'a [(Plan, Flat)],
    pub scratch: &'a mut Scratch,
    pub team: Option<(&'a mut Team<'t>, &'a [usize])>,
    /// The plan whose noise has been computed in single precision, and up to which step of the block.
    pub made: (usize, usize),
}

impl BlockRun<'_, '_> {
    /// Takes the steps that the block has noise and input for.
    pub fn run(
        &mut self,
        block: &mut SourceBlock,
        observer: &mut dyn Observer,
    ) -> Result<(), Stopped> {
        let steps = block.steps();
        if let Some((team, _)) = &self.team {
            team.exchange(block);
        }
        let mut result = Ok(());
        let shown = observer.every_step();
        self.made = (0, 0);
        for in_block in 0..steps {
            result = self.step(block, in_block);
            if result.is_err() {
                break;
            }
            if shown {
                self.show(observer);
            }
        }
        if let Some((team, _)) = &self.team {
            team.exchange(block);
        }
        result?;
        if observer.progress(steps as u64) {
            Ok(())
        } else {
            Err(Stopped::ByObserver)
        }
    }

    fn is_single(&self) -> bool {
        self.program.circuit.precision == Precision::Single
    }

    /// Shows the state after a step.
    fn show(&mut self, observer: &mut dyn Observer) {
        match &self.team {
            Some((team, _)) if observer.reads_all() => {
                team.show(self.state, &mut |state| observer.step(state));
            }
            _ => {
                if self.is_single() {
                    self.scratch.narrow.store(self.state);
                }
                observer.step(self.state);
            }
        }
    }

    fn step(&mut self, block: &mut SourceBlock, in_block: usize) -> Result<(), Stopped> {
        self.begin_trial();
        self.advance_schedules();
        let number = self.combination();
        let Some((plan, flat)) = self.plans.get(number) else {
            return Err(Stopped::ByObserver);
        };
        let result = match self.team.take() {
            Some((team, looked_at)) => {
                let result = self.step_apart(team, (number, in_block), looked_at);
                self.team = Some((team, looked_at));
                result
            }
            None if self.is_single() => {
                let make = self.steps_to_make(number, in_block, block.steps());
                if !make.is_empty() {
                    block.make(self.scratch.machine.arch(), &flat.sources, make);
                }
                let parts = (&mut *self.state, &mut *self.scratch);
                let mut step = Step::of_all(self.program, parts, (block, in_block));
                step.run::<f32>(plan, flat)
            }
            None => {
                let parts = (&mut *self.state, &mut *self.scratch);
                let mut step = Step::of_all(self.program, parts, (block, in_block));
                step.run::<f64>(plan, flat)
            }
        };
        result.map_err(Stopped::NotFinite)
    }

    /// Steps whose noise is to be computed now: all those for which the schedules, and with them most likely the plan, stay.
    fn steps_to_make(&mut self, plan: usize, in_block: usize, steps: usize) -> Range<usize> {
        if self.made.0 == plan && in_block < self.made.1 {
            return in_block..in_block;
        }
        let own = self.schedules.iter();
        let own = own.filter(|(index, _)| !is_among(*index, self.overriding));
        let held = own.chain(&*self.overriding).map(|(_, s)| s.left()).min();
        let held = usize::try_from(held.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        self.made = (plan, (in_block + 1).saturating_add(held).min(steps));
        in_block..self.made.1
    }

    /// The first step of a trial finds everything as the first step of a run does.
    fn begin_trial(&mut self) {
        let Some((steps, reset)) = self.trial else {
            return;
        };
        if self.state.in_trial == 0 {
            if self.is_single() {
                self.scratch.narrow.store(self.state);
            }
            reset.apply(self.program, self.state);
            if self.is_single() {
                self.scratch.narrow.load(self.state);
            }
            let schedules = self.schedules.iter_mut().chain(&mut *self.overriding);
            schedules.for_each(|(_, schedule)| schedule.restart());
        }
        self.state.in_trial = (self.state.in_trial + 1) % steps;
    }

    /// Scheduled modulators take this step's values.
    fn advance_schedules(&mut self) {
        let (program, state) = (self.program, &mut *self.state);
        let first = std::mem::take(&mut state.fresh);
        for (index, schedule) in self.schedules.iter_mut() {
            if !is_among(*index, self.overriding) {
                set_scheduled(state, program, (*index, schedule.advance()), first);
            }
        }
        for (index, schedule) in self.overriding.iter_mut() {
            set_scheduled(state, program, (*index, schedule.advance()), first);
        }
    }

    /// The number of the gates' combination, as the program's plans are numbered.
    fn combination(&self) -> usize {
        let open = |id: &crate::circuit::ModulatorId| self.state.scalars[id.0 as usize].abs() > 0.0;
        self.program
            .gates
            .iter()
            .enumerate()
            .map(|(bit, id)| usize::from(open(id)) << bit)
            .sum()
    }
}

/// Whether a modulator's schedule is in a list.
fn is_among(index: usize, list: &[(usize, ScheduleState)]) -> bool {
    list.iter().any(|(i, _)| *i == index)
}

/// Sets a scheduled modulator; in a first step, which has none before it, it has not changed.
fn set_scheduled(state: &mut State, program: &Program, (at, value): (usize, f64), first: bool) {
    state.set_modulator(program, at, value);
    if first {
        state.scalars[program.circuit.modulators.len() + at] = 0.0;
    }
}
