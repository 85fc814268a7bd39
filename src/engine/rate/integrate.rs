//! Differential equations of compartments: a step of Euler and Maruyama's.

use super::step::{NotFinite, Scratch, Step};
use crate::compile::plan::{IntegrateStep, Plan};
use crate::engine::elementwise::{self, Euler, Factor};
use crate::vector::Vector;

impl Step<'_> {
    /// All derivatives are taken before any value changes.
    pub(super) fn integrate(&mut self, plan: &Plan) -> Result<(), NotFinite> {
        if plan.integrate.is_empty() {
            return Ok(());
        }
        let mut next = std::mem::take(&mut self.scratch.next);
        next.resize_with(plan.integrate.len(), Vector::default);
        let mut finite = true;
        for (equation, next) in plan.integrate.iter().zip(&mut next) {
            finite &= self.euler_maruyama(equation, next);
        }
        for (equation, next) in plan.integrate.iter().zip(&mut next) {
            std::mem::swap(&mut self.state.vectors[equation.value.0 as usize], next);
        }
        self.scratch.next = next;
        if finite {
            return Ok(());
        }
        plan.integrate.iter().try_for_each(|equation| {
            let value = &self.state.vectors[equation.value.0 as usize];
            self.check_finite(equation.compartment, value)
        })
    }

    /// x + drift·dt + diffusion·√dt·η; whether all of it is finite.
    fn euler_maruyama(&mut self, equation: &IntegrateStep, next: &mut Vector) -> bool {
        let dt = self.program.circuit.step_length().value;
        let (memory, scratch) = self.parts();
        let x: &[f64] = &memory.vectors[equation.value.0 as usize];
        next.resize(x.len(), 0.0);
        let Scratch {
            machine,
            vector: computed,
            ..
        } = scratch;
        memory.run(machine, &equation.drift, next);
        let diffusion = equation.diffusion.as_ref().map(|(kernel, source)| {
            let factor = match (kernel.copied(), kernel.code.scalar_result) {
                (Some(place), _) => Factor::Each(memory.vector(place)),
                (None, Some(_)) if !kernel.differs() => {
                    Factor::Same(memory.run_scalar(machine, kernel))
                }
                (None, _) => {
                    computed.resize(x.len(), 0.0);
                    memory.run(machine, kernel, computed);
                    Factor::Each(computed)
                }
            };
            (factor, memory.block.at(*source as usize, memory.in_block))
        });
        let step = Euler {
            x,
            out: next,
            dt,
            diffusion,
            within: equation.within,
        };
        elementwise::euler(machine.arch(), step)
    }
}
