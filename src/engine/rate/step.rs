//! One step of the rate engine.

use std::marker::PhantomData;

use crate::circuit::CompartmentId;
use crate::compile::kernel::{Kernel, ScalarId, VectorRef};
use crate::compile::plan::{Compute, ModulatorStep, Plan, SumStep};
use crate::compile::program::Probe;
use crate::compile::{Program, Weights};
use crate::engine::elementwise;
use crate::engine::lanes::{self, Lane};
use crate::lang::vm::{Machine, padded};
use crate::vector::{Singles, Vector};

use super::deliver::Synapses;
use super::flat::{self, Flat, Part, Precision};
use super::kernels::Memory;
use super::learn;
use super::shares::Common;
use super::sources::SourceBlock;
use super::state::State;

/// A value that left the finite numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFinite {
    /// The compartment.
    pub compartment: CompartmentId,
    /// The step.
    pub step: u64,
    /// The neuron.
    pub neuron: usize,
}

/// Scratch memory that steps use and that holds nothing between them.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub machine: Machine,
    pub vector: Vector,
    pub desk: learn::Desk,
    /// Postsynaptic factors of two products, or those of neurons times those of their maps.
    pub both: Vector,
    pub next: Vec<Vector>,
    pub rows: learn::RowScratch,
    pub weights: Vector,
    /// Weights in single precision, while they are changed in double precision.
    pub doubles: Vector,
    /// Factors in single precision: presynaptic and postsynaptic ones.
    pub singles: [Singles; 2],
    /// Vectors of a circuit in single precision.
    pub narrow: super::narrow::Narrow,
    pub eligibility: super::eligibility::Factors,
    pub products: super::products::Products,
    /// Weights in the form that products want, while shares of the replicas take their steps apart.
    pub packed: Vec<super::products::Packed>,
    pub updates: Vec<super::optimise::Space>,
}

/// A step in the making: what it reads and writes.
pub(super) struct Step<'a> {
    pub program: &'a Program,
    pub state: &'a mut State,
    pub scratch: &'a mut Scratch,
    pub block: &'a SourceBlock,
    pub in_block: usize,
    /// Replicas in the state: all, or a share of them.
    pub replicas: usize,
    /// Weights that all shares of the replicas read, while the state is that of one.
    pub common: Option<&'a Common>,
    /// Whether an update of weights follows a share's step.
    pub is_due: bool,
}

impl<'a> Step<'a> {
    /// A step of all replicas together, the `in_block`-th of a block of noise and input.
    pub fn of_all(
        program: &'a Program,
        (state, scratch): (&'a mut State, &'a mut Scratch),
        (block, in_block): (&'a SourceBlock, usize),
    ) -> Self {
        Step {
            program,
            state,
            scratch,
            block,
            in_block,
            replicas: program.layout.replicas,
            common: None,
            is_due: false,
        }
    }
}

impl Step<'_> {
    /// Phases 3 to 8 of the step.
    pub fn run<T: Precision>(&mut self, plan: &Plan, flat: &Flat) -> Result<(), NotFinite> {
        let arch = self.scratch.machine.arch();
        arch.dispatch(flat::Run {
            step: &mut *self,
            plan,
            flat,
            precision: PhantomData::<T>,
        })?;
        self.state.step += 1;
        Ok(())
    }

    /// A part of a step, by the general path.
    #[inline(never)]
    pub(super) fn run_part(&mut self, plan: &Plan, part: Part) -> Result<(), NotFinite> {
        match part {
            Part::Compute(index) => return self.compute(&plan.compute[index]),
            Part::Smooth(index) => self.move_on(&plan.smooth[index]),
            Part::Modulate(index) => self.modulate(&plan.modulators[index]),
            Part::Measure => self.measure_updates(&plan.measured),
            Part::FiltersOf(index) => self.smooth(plan.learn[index].filters()),
            Part::Learn(index) => self.learn(&plan.learn[index]),
            Part::Optimise if self.common.is_some() => self.collect(&plan.optimised),
            Part::Optimise => self.optimise(&plan.optimised),
            // Of all replicas together, when all shares have taken their step.
            Part::Probe if self.common.is_some() => {}
            Part::Probe => self.probe(plan),
            Part::Remember(index) => self.move_on(&plan.remember[index]),
            Part::Integrate => return self.integrate(plan),
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> Memory<'_> {
        Memory {
            scalars: &self.state.scalars,
            vectors: &self.state.vectors,
            weights: &self.state.weights,
            block: self.block,
            in_block: self.in_block,
            step: self.state.step,
            replicas: self.replicas,
        }
    }

    /// What kernels read, and the scratch memory beside it.
    pub(super) fn parts(&mut self) -> (Memory<'_>, &mut Scratch) {
        let memory = Memory {
            scalars: &self.state.scalars,
            vectors: &self.state.vectors,
            weights: &self.state.weights,
            block: self.block,
            in_block: self.in_block,
            step: self.state.step,
            replicas: self.replicas,
        };
        (memory, self.scratch)
    }

    /// What kernels of a rule read, and beside it what it changes: weights and the filters of synapses.
    #[inline(always)]
    pub(super) fn learning(
        &mut self,
    ) -> (Memory<'_>, &mut [Weights], &mut [Vec<Vector>], &mut Scratch) {
        let State {
            scalars,
            vectors,
            weights,
            synapses,
            step,
            ..
        } = &mut *self.state;
        let memory = Memory {
            scalars,
            vectors,
            weights: &[],
            block: self.block,
            in_block: self.in_block,
            step: *step,
            replicas: self.replicas,
        };
        (memory, weights, synapses, self.scratch)
    }

    /// A drive or an algebraic value.
    fn compute(&mut self, compute: &Compute) -> Result<(), NotFinite> {
        match compute {
            Compute::Drive {
                into,
                bias,
                inputs,
                projections,
            } => {
                let mut drive = std::mem::take(&mut self.state.vectors[into.0 as usize]);
                self.deliver(&mut drive, bias.map(VectorRef::Plain), inputs, projections);
                self.state.vectors[into.0 as usize] = drive;
                Ok(())
            }
            Compute::Check { compartment, value } => {
                self.check_finite(*compartment, &self.state.vectors[value.0 as usize])
            }
            Compute::Value {
                compartment,
                into,
                kernel,
                within,
            } => {
                let mut value = std::mem::take(&mut self.state.vectors[into.0 as usize]);
                let (memory, scratch) = self.parts();
                memory.run(&mut scratch.machine, kernel, &mut value);
                elementwise::clip(&mut value, *within);
                let checked = self.check_finite(*compartment, &value);
                self.state.vectors[into.0 as usize] = value;
                checked
            }
        }
    }

    /// A drive: bias, inputs, projections.
    fn deliver(
        &mut self,
        drive: &mut [f64],
        bias: Option<VectorRef>,
        inputs: &[u32],
        projections: &[(crate::circuit::ProjectionId, VectorRef)],
    ) {
        let mut singles = std::mem::take(&mut self.scratch.singles);
        let mut products = std::mem::take(&mut self.scratch.products);
        let memory = self.memory();
        let replicas = self.replicas;
        let row = drive.len() / replicas;
        // Whether the drive holds something already; the first that comes replaces what it held.
        let mut begun = true;
        let mut inputs = inputs
            .iter()
            .map(|input| self.block.at(*input as usize, self.in_block));
        match bias {
            Some(bias) => drive
                .chunks_exact_mut(row)
                .for_each(|d| d.copy_from_slice(memory.vector(bias))),
            None => match inputs.next() {
                Some(values) => drive.copy_from_slice(values),
                None => begun = false,
            },
        }
        for values in inputs {
            elementwise::add(self.scratch.machine.arch(), drive, values);
        }
        for (id, pre) in projections {
            let pre = memory.vector(*pre);
            let projection = &self.program.circuit.projections[id.0 as usize];
            let sources = pre.len() / replicas;
            let turned = projection.transpose_of;
            let of = self.program.circuit.projection(turned.unwrap_or(*id));
            let at = turned.unwrap_or(*id).0 as usize;
            let (weights, packed) = match self.common {
                Some(common) => (&common.weights[at], Some(&common.packed[at])),
                None => (&self.state.weights[at], None),
            };
            let all = (&mut *drive, begun);
            let done = match turned {
                Some(_) => products.deliver_back((weights, packed), of, pre, all, replicas),
                None => products.deliver((weights, packed), of, pre, all, replicas),
            };
            if done {
                begun = true;
                continue;
            }
            let synapses = Synapses {
                arch: self.scratch.machine.arch(),
                weights,
                connectivity: &of.connectivity,
                transposed: turned.is_some(),
            };
            for (drive, pre) in drive.chunks_exact_mut(row).zip(pre.chunks_exact(sources)) {
                synapses.deliver(pre, drive, begun, &mut singles[0]);
            }
            begun = true;
        }
        if !begun {
            drive.fill(0.0);
        }
        self.scratch.singles = singles;
        self.scratch.products = products;
    }

    fn sums(&mut self, sums: &[SumStep]) {
        let replicas = self.replicas;
        for sum in sums {
            let row = padded(sum.length);
            let mut values = std::mem::take(&mut self.scratch.vector);
            values.resize(row * replicas, 0.0);
            let (memory, scratch) = self.parts();
            memory.run(&mut scratch.machine, &sum.kernel, &mut values);
            let machine = &self.scratch.machine;
            let totals = values.chunks_exact(row);
            let totals = totals.map(|v| machine.sum(&v[..sum.length]));
            let into = sum.into.0 as usize;
            if sum.per_replica {
                let scalars = self.state.scalars[into..].iter_mut();
                scalars
                    .zip(totals)
                    .for_each(|(scalar, total)| *scalar = total);
            } else {
                self.state.scalars[into] = totals.sum::<f64>() / replicas as f64;
            }
            self.scratch.vector = values;
        }
    }

    fn modulate(&mut self, modulator: &ModulatorStep) {
        self.sums(&modulator.sums);
        self.smooth(&modulator.filters);
        if let Some(places) = modulator.per_replica {
            self.modulate_replicas(&modulator.kernel, places);
        }
        let (memory, scratch) = self.parts();
        let value = memory.run_scalar(&mut scratch.machine, &modulator.kernel);
        self.set_modulator(modulator.modulator.0 as usize, value);
    }

    /// Sets a modulator, and whether it has changed.
    #[inline]
    pub(super) fn set_modulator(&mut self, at: usize, value: f64) {
        self.state.set_modulator(self.program, at, value);
    }

    /// Each replica's value of a modulator, and whether it has changed.
    fn modulate_replicas(&mut self, kernel: &Kernel, (values, changed): (ScalarId, ScalarId)) {
        for replica in 0..self.replicas {
            let (memory, scratch) = self.parts();
            let value = memory.run_scalar_of(&mut scratch.machine, kernel, replica);
            let at = values.0 as usize + replica;
            let differs = value.to_bits() != self.state.scalars[at].to_bits();
            self.state.scalars[changed.0 as usize + replica] = f64::from(u8::from(differs));
            self.state.scalars[at] = value;
        }
    }

    pub(super) fn learn(&mut self, learning: &crate::compile::learning::Learning) {
        use crate::compile::learning::Learning;
        match learning {
            Learning::Outer(rule) => {
                self.smooth(&rule.filters);
                learn::outer(self, rule);
            }
            Learning::Eligibility(rule) => {
                self.smooth(&rule.filters);
                super::eligibility::run(self, rule);
            }
            Learning::General(rule) => {
                self.smooth(&rule.filters);
                learn::general(self, rule);
            }
            Learning::Elementwise(rule) => {
                self.smooth(&rule.filters);
                learn::elementwise(self, rule);
            }
        }
    }

    pub(super) fn probe(&mut self, plan: &Plan) {
        for probe in &plan.probes {
            self.sums(&probe.sums);
            self.smooth(&probe.filters);
            match probe.into {
                Probe::Scalar(id) => {
                    let (memory, scratch) = self.parts();
                    let value = memory.run_scalar(&mut scratch.machine, &probe.kernel);
                    self.state.scalars[id.0 as usize] = value;
                }
                Probe::Vector(id, _) => {
                    let mut value = std::mem::take(&mut self.state.vectors[id.0 as usize]);
                    let (memory, scratch) = self.parts();
                    memory.run(&mut scratch.machine, &probe.kernel, &mut value);
                    self.state.vectors[id.0 as usize] = value;
                }
            }
        }
    }

    /// Finds the first neuron whose value is not finite; the padding does not count.
    #[inline(never)]
    pub(super) fn check_finite<T: Lane>(
        &self,
        compartment: CompartmentId,
        values: &[T],
    ) -> Result<(), NotFinite> {
        if elementwise::all_finite(self.scratch.machine.arch(), values) {
            return Ok(());
        }
        let size = self.program.circuit.population(compartment.population).size;
        let row = lanes::padded::<T>(size);
        let bad = |replica: &[T]| replica[..size].iter().position(|v| !v.to_f64().is_finite());
        match values.chunks_exact(row).find_map(bad) {
            Some(neuron) => Err(NotFinite {
                compartment,
                step: self.state.step,
                neuron,
            }),
            None => Ok(()),
        }
    }
}
