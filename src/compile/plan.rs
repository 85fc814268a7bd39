//! The plan of a stage's steps for given gates: which kernels run, in which order.

use super::expressions::Plastic;
use super::kernel::{Kernel, ScalarId, VectorId, VectorRef};
use super::layout::FilterPlace;
use super::learning::{Learning, Repeats};
use super::program::Probe;
use crate::circuit::{CompartmentId, ModulatorId, ProjectionId};
use crate::lang::FilterKind;
use crate::netlist::model::Adam;

/// What runs in each step of a stage while the gates have given values.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Drives and algebraic values, in order.
    pub compute: Vec<Compute>,
    /// Smoothing filters in compartments' equations.
    pub smooth: Vec<FilterStep>,
    /// Computed modulators.
    pub modulators: Vec<ModulatorStep>,
    /// Rules whose updates are measured.
    pub measured: Vec<MeasuredStep>,
    /// Rules.
    pub learn: Vec<Learning>,
    /// Rules whose changes go through an optimiser.
    pub optimised: Vec<OptimisedStep>,
    /// Measured and recorded expressions.
    pub probes: Vec<ProbeStep>,
    /// What `prev(…)` will return from the next step on.
    pub remember: Vec<FilterStep>,
    /// Differential equations.
    pub integrate: Vec<IntegrateStep>,
    /// The first scalar slot after those of its kernels.
    pub slots: u32,
}

/// One value to compute.
#[derive(Debug, Clone)]
pub enum Compute {
    /// A drive: bias, inputs and projections.
    Drive {
        /// Where it goes.
        into: VectorId,
        /// The bias, one replica's length.
        bias: Option<VectorId>,
        /// Sources that are added.
        inputs: Vec<u32>,
        /// Projections that are added, and their presynaptic values.
        projections: Vec<(ProjectionId, VectorRef)>,
    },
    /// A value.
    Value {
        /// The compartment.
        compartment: CompartmentId,
        /// Where it goes.
        into: VectorId,
        /// Its equation.
        kernel: Kernel,
        /// Hard bounds.
        within: Option<[f64; 2]>,
    },
    /// A value that a drive has computed already: whether it is finite.
    Check {
        /// The compartment.
        compartment: CompartmentId,
        /// Its value.
        value: VectorId,
    },
}

/// A filter that moves on by one step.
#[derive(Debug, Clone)]
pub struct FilterStep {
    /// What it follows.
    pub input: Kernel,
    /// Where its state is.
    pub place: FilterPlace,
    /// What it does.
    pub kind: FilterKind,
    /// Number of its flag in the simulation's list of filters that have started.
    pub index: usize,
}

/// A sum over a vector, computed before the expression that uses it.
#[derive(Debug, Clone)]
pub struct SumStep {
    /// The vector.
    pub kernel: Kernel,
    /// Its length, one replica.
    pub length: usize,
    /// Where the sum goes: the mean over replicas, or the first replica's.
    pub into: ScalarId,
    /// Whether each replica has its own.
    pub per_replica: bool,
}

/// A computed modulator.
#[derive(Debug, Clone)]
pub struct ModulatorStep {
    /// The modulator.
    pub modulator: ModulatorId,
    /// The first replica's value, and whether it has changed, if each replica has its own.
    pub per_replica: Option<(ScalarId, ScalarId)>,
    /// Its smoothing filters.
    pub filters: Vec<FilterStep>,
    /// Its sums.
    pub sums: Vec<SumStep>,
    /// Its value.
    pub kernel: Kernel,
}

/// A rule whose updates are measured.
#[derive(Debug, Clone)]
pub struct MeasuredStep {
    /// Its number among those that are.
    pub update: usize,
    /// What it would change.
    pub plastic: Plastic,
    /// The rule; `None` while a gate closes it.
    pub learning: Option<Learning>,
    /// Whether it reads the weights that it would change.
    pub reads_weight: bool,
}

/// A rule whose changes go through an optimiser.
#[derive(Debug, Clone)]
pub struct OptimisedStep {
    /// Its number among all rules.
    pub index: usize,
    /// What it changes.
    pub plastic: Plastic,
    /// The rule; `None` while a gate closes it.
    pub learning: Option<Learning>,
    /// Whether it reads the weights that it changes.
    pub reads_weight: bool,
    /// What its second and last product has of the first one of the step before.
    pub repeats: Option<Repeats>,
    /// The optimiser.
    pub adam: Adam,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// A measured or recorded expression.
#[derive(Debug, Clone)]
pub struct ProbeStep {
    /// Where its value goes.
    pub into: Probe,
    /// Its smoothing filters.
    pub filters: Vec<FilterStep>,
    /// Its sums.
    pub sums: Vec<SumStep>,
    /// Its value.
    pub kernel: Kernel,
}

/// One step of a differential equation (Euler–Maruyama).
#[derive(Debug, Clone)]
pub struct IntegrateStep {
    /// The compartment.
    pub compartment: CompartmentId,
    /// Its value.
    pub value: VectorId,
    /// dx/dt without noise.
    pub drift: Kernel,
    /// The factor of the noise, and the noise.
    pub diffusion: Option<(Kernel, u32)>,
    /// Hard bounds.
    pub within: Option<[f64; 2]>,
}

/// Which rules learn and which probes are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Activity {
    /// Each rule of the program.
    pub learns: Vec<bool>,
    /// Each probe of the program.
    pub probed: Vec<bool>,
    /// Each measured rule of the program; those beyond the end are not at work.
    pub measured: Vec<bool>,
}

impl Plan {
    /// All kernels, so that the machine can make room for them.
    pub fn kernels(&self) -> Vec<&Kernel> {
        let mut all = Vec::new();
        for compute in &self.compute {
            if let Compute::Value { kernel, .. } = compute {
                all.push(kernel);
            }
        }
        let mut filters: Vec<&FilterStep> = self.smooth.iter().chain(&self.remember).collect();
        let mut sums: Vec<&SumStep> = Vec::new();
        for modulator in &self.modulators {
            filters.extend(&modulator.filters);
            sums.extend(&modulator.sums);
            all.push(&modulator.kernel);
        }
        for probe in &self.probes {
            filters.extend(&probe.filters);
            sums.extend(&probe.sums);
            all.push(&probe.kernel);
        }
        let measured = self.measured.iter().filter_map(|m| m.learning.as_ref());
        let optimised = self.optimised.iter().filter_map(|o| o.learning.as_ref());
        for learning in self.learn.iter().chain(measured).chain(optimised) {
            filters.extend(learning.filters());
            all.extend(learning.kernels());
        }
        for equation in &self.integrate {
            all.push(&equation.drift);
            all.extend(equation.diffusion.as_ref().map(|(kernel, _)| kernel));
        }
        all.extend(filters.into_iter().map(|f| &f.input));
        all.extend(sums.into_iter().map(|s| &s.kernel));
        all
    }
}
