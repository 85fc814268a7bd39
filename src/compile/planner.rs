//! How the plan of a stage is made: which values are wanted, and the kernels that compute them.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};

use super::expressions::Plastic;
use super::gates::Gates;
use super::kernel::{Binding, Kernel, ScalarId, View};
use super::layout::{FilterPlace, Own, Source};
use super::method;
use super::order::{Slot, slot_of};
use super::places::Places;
use super::plan::{
    Activity, Compute, IntegrateStep, MeasuredStep, ModulatorStep, OptimisedStep, Plan, ProbeStep,
};
use super::program::{PlacedRule, Program};
use super::reading::{Expr, Reading};
use crate::circuit::{CompartmentId, ProjectionId};
use crate::lang::{FilterKind, NodeId};
use crate::source::Problem;

impl Program {
    /// The plan for a combination of gates, numbered as [`Gates::combinations`] numbers them; its kernels have the
    /// machine's scalar slots from `slot` on.
    ///
    /// # Errors
    /// Expressions that are too large for the machine.
    pub fn plan(
        &self,
        combination: usize,
        activity: &Activity,
        slot: u32,
    ) -> Result<Plan, Problem> {
        let gates = Gates::combinations(&self.gates).swap_remove(combination);
        Planner {
            program: self,
            gates,
            wanted: HashSet::new(),
            currents: BTreeSet::new(),
            plan: Plan::default(),
            flags: 0,
            slot: Cell::new(slot),
            own: Own::Dependent,
        }
        .plan(combination, activity)
    }
}

pub(super) struct Planner<'p> {
    pub(super) program: &'p Program,
    pub(super) gates: Gates,
    wanted: HashSet<Slot>,
    /// Projections whose current is looked at.
    currents: BTreeSet<ProjectionId>,
    pub(super) plan: Plan,
    /// Filters numbered so far.
    pub(super) flags: usize,
    /// The next scalar slot that is free.
    slot: Cell<u32>,
    /// Which numbers each replica has of its own in what is being planned.
    pub(super) own: Own,
}

impl Planner<'_> {
    fn plan(mut self, combination: usize, activity: &Activity) -> Result<Plan, Problem> {
        self.integrations()?;
        self.equation_filters()?;
        for modulator in &self.program.modulators {
            let (filters, sums, kernel) = self.placed(modulator)?;
            self.plan.modulators.push(ModulatorStep {
                modulator: modulator.what,
                per_replica: self
                    .program
                    .layout
                    .per_replica
                    .get(&modulator.what)
                    .copied(),
                filters,
                sums,
                kernel,
            });
        }
        for (rule, learns) in self.program.rules.iter().zip(&activity.learns) {
            self.rule(rule, *learns)?;
        }
        for (probe, probed) in self.program.probes.iter().zip(&activity.probed) {
            // Filters are numbered alike in all plans, so that their flags mean the same.
            let flags = self.flags + probe.filters.len();
            if *probed {
                let (filters, sums, kernel) = self.placed(probe)?;
                self.plan.probes.push(ProbeStep {
                    into: probe.what,
                    filters,
                    sums,
                    kernel,
                });
            }
            self.flags = flags;
        }
        for (update, rule) in self.program.measured.iter().enumerate() {
            let flags = self.flags + rule.filters.len();
            if activity.measured.get(update) == Some(&true) {
                let (learning, remember) = method::plan(&mut self, rule)?;
                self.plan.remember.extend(remember);
                self.plan.measured.push(MeasuredStep {
                    update,
                    plastic: rule.rule.plastic,
                    learning,
                    reads_weight: rule.reads_weight(),
                });
            }
            self.flags = flags;
        }
        self.always_wanted();
        self.computations(combination)?;
        // In prev(prev(x)) the outer one takes what the inner one had: it comes first.
        self.plan.remember.reverse();
        self.plan.slots = self.slot.get();
        Ok(self.plan)
    }

    /// Somas are always computed; so is what later steps will read.
    fn always_wanted(&mut self) {
        let circuit = &self.program.circuit;
        let somas = circuit
            .compartments()
            .filter(|id| circuit.compartment(*id).name == "soma");
        let delayed = self.program.layout.rings.keys().copied();
        for id in somas.chain(delayed) {
            self.want(Reading::Value(id));
        }
    }

    pub(super) fn want(&mut self, reading: Reading) {
        if let Reading::Current(id) = reading {
            self.currents.insert(id);
            return self.want_presynaptic(id);
        }
        self.wanted
            .extend(slot_of(&self.program.expressions, reading));
    }

    /// Notes what a node reads, so that it will have been computed.
    pub(super) fn want_all(&mut self, expr: &Expr, node: NodeId, projection: Option<ProjectionId>) {
        for symbol in expr.formula.graph.symbols(node) {
            match (expr.reading(symbol), projection) {
                (Some(Reading::Presynaptic), Some(id)) => self.want_presynaptic(id),
                (Some(reading), _) => self.want(reading),
                (None, _) => {}
            }
        }
    }

    /// The presynaptic values that a projection carries in this step.
    fn want_presynaptic(&mut self, id: ProjectionId) {
        let projection = &self.program.circuit.projections[id.0 as usize];
        if projection.delay == 0 {
            self.want(Reading::Value(projection.from));
        }
    }

    fn integrations(&mut self) -> Result<(), Problem> {
        for equation in &self.program.expressions.equations {
            let Some(parts) = equation.differential else {
                continue;
            };
            let id = equation.compartment;
            let (filters, _) = self.filters_of_equation(id);
            let mut expr = equation.expr.clone();
            let drift = self.gates.fix(&mut expr, parts.drift);
            self.want_all(&expr, drift, None);
            let drift = self.kernel(&mut expr, drift, &filters, &[])?;
            let mut diffusion = None;
            if let Some(node) = parts.diffusion {
                let node = self.gates.fix(&mut expr, node);
                self.want_all(&expr, node, None);
                let name = format!("noise {}", self.program.circuit.compartment_name(id));
                let source = self
                    .program
                    .layout
                    .sources
                    .iter()
                    .position(|s| matches!(s, Source::Noise { name: n, .. } if *n == name));
                let kernel = self.kernel(&mut expr, node, &filters, &[])?;
                diffusion = source.map(|at| (kernel, at as u32));
            }
            let value = self.program.layout.values[&id];
            self.plan.integrate.push(IntegrateStep {
                compartment: id,
                value,
                drift,
                diffusion,
                within: self.within(id),
            });
        }
        Ok(())
    }

    fn within(&self, id: CompartmentId) -> Option<[f64; 2]> {
        self.program
            .circuit
            .compartment(id)
            .within
            .as_ref()
            .map(|w| [w.low, w.high])
    }

    /// Places of the filters in a compartment's equation, and the number of the first one's flag.
    fn filters_of_equation(&self, id: CompartmentId) -> (Vec<FilterPlace>, usize) {
        let placed = self.program.equation_filters.iter();
        let before: usize = placed
            .clone()
            .take_while(|(c, _)| *c != id)
            .map(|(_, f)| f.len())
            .sum();
        let own = placed
            .clone()
            .find(|(c, _)| *c == id)
            .map(|(_, f)| f.clone())
            .unwrap_or_default();
        (own, before)
    }

    fn equation_filters(&mut self) -> Result<(), Problem> {
        for equation in &self.program.expressions.equations {
            let (places, _) = self.filters_of_equation(equation.compartment);
            let (smooth, remember) = self.filter_steps(&equation.expr, &places, None)?;
            self.plan.smooth.extend(smooth);
            self.plan.remember.extend(remember);
        }
        Ok(())
    }

    fn rule(&mut self, rule: &PlacedRule, learns: bool) -> Result<(), Problem> {
        let flags = self.flags + rule.filters.len();
        if learns {
            let (learning, remember) = method::plan(self, rule)?;
            let ungated = self.program.gates.is_empty();
            let outer = learning.as_ref().filter(|_| ungated);
            let repeats = outer.zip(rule.rule.optimiser).and_then(|(learning, adam)| {
                // What would wait beyond an update gains nothing.
                let repeats = learning.repeats(&remember);
                repeats.filter(|repeats| u64::from(repeats.lag) < adam.every)
            });
            self.plan.remember.extend(remember);
            match rule.rule.optimiser {
                None => self.plan.learn.extend(learning),
                Some(adam) => self.plan.optimised.push(OptimisedStep {
                    index: rule.index,
                    plastic: rule.rule.plastic,
                    learning,
                    reads_weight: rule.reads_weight(),
                    repeats,
                    adam,
                    within: self.bounds(rule.rule.plastic),
                }),
            }
        }
        self.flags = flags;
        Ok(())
    }

    /// Hard bounds of weights.
    fn bounds(&self, plastic: Plastic) -> Option<[f64; 2]> {
        let Plastic::Projection(id) = plastic else {
            return None;
        };
        let within = self.program.circuit.projections[id.0 as usize]
            .within
            .as_ref();
        within.map(|w| [w.low, w.high])
    }

    fn computations(&mut self, combination: usize) -> Result<(), Problem> {
        let order = &self.program.orders[combination];
        for slot in order.needed(self.wanted.iter().copied()) {
            let compute = match slot {
                Slot::Drive(id) => self.drive(id),
                Slot::Value(id) => self.value(id)?,
            };
            self.plan.compute.push(compute);
        }
        // Only modulators, measures and recordings read single currents, and they come after all values.
        let layout = &self.program.layout;
        for id in &self.currents {
            self.plan.compute.push(Compute::Drive {
                into: layout.currents[id],
                bias: None,
                inputs: vec![],
                projections: vec![(*id, layout.presynaptic(&self.program.circuit, *id))],
            });
        }
        Ok(())
    }

    fn drive(&self, id: CompartmentId) -> Compute {
        let (circuit, layout) = (&self.program.circuit, &self.program.layout);
        let projections = circuit
            .projections
            .iter()
            .enumerate()
            .filter(|(_, p)| p.to == id);
        Compute::Drive {
            into: layout.drives[&id],
            bias: layout.biases.get(&id).copied(),
            inputs: circuit
                .compartment(id)
                .inputs
                .iter()
                .filter_map(|(id, output)| layout.source_of(&Source::Input(*id, *output)))
                .collect(),
            projections: projections
                .map(|(index, _)| ProjectionId(index as u32))
                .map(|p| (p, layout.presynaptic(circuit, p)))
                .collect(),
        }
    }

    fn value(&self, id: CompartmentId) -> Result<Compute, Problem> {
        let equations = &self.program.expressions.equations;
        let Some(equation) = equations.iter().find(|e| e.compartment == id) else {
            let span = self.program.circuit.projections.first().map(|p| p.span);
            return Err(Problem {
                message: "a compartment has no equation".to_owned(),
                labels: span.map(|s| (s, String::new())).into_iter().collect(),
                help: None,
            });
        };
        let mut expr = equation.expr.clone();
        let root = expr.formula.root;
        let root = self.gates.fix(&mut expr, root);
        let (filters, _) = self.filters_of_equation(id);
        let kernel = self.kernel(&mut expr, root, &filters, &[])?;
        Ok(Compute::Value {
            compartment: id,
            into: self.program.layout.values[&id],
            kernel,
            within: self.within(id),
        })
    }

    pub(super) fn kernel(
        &self,
        expr: &mut Expr,
        node: NodeId,
        filters: &[FilterPlace],
        sums: &[ScalarId],
    ) -> Result<Kernel, Problem> {
        let places = self.places(&filter_kinds(expr), filters, sums, None);
        self.kernel_in(expr, node, View::Neurons, &places)
    }

    pub(super) fn kernel_in(
        &self,
        expr: &mut Expr,
        node: NodeId,
        view: View,
        places: &dyn Binding,
    ) -> Result<Kernel, Problem> {
        let mut kernel = Kernel::new(expr, node, view, places)?;
        let first = self.slot.get();
        self.slot.set(first + u32::from(kernel.code.scalars));
        kernel.code.base = Some(first);
        Ok(kernel)
    }

    pub(super) fn places<'a>(
        &'a self,
        kinds: &[FilterKind],
        filters: &'a [FilterPlace],
        sums: &'a [ScalarId],
        projection: Option<ProjectionId>,
    ) -> Places<'a> {
        Places {
            circuit: &self.program.circuit,
            layout: &self.program.layout,
            filters,
            kinds: kinds.to_vec(),
            sums,
            projection,
            bias: None,
            row: &[],
            own: self.own,
        }
    }
}

pub(super) fn filter_kinds(expr: &Expr) -> Vec<FilterKind> {
    expr.formula.filters.iter().map(|f| f.kind).collect()
}

/// The compartment or projection that a rule changes, as places need it.
pub(super) fn sides(plastic: Plastic) -> (Option<ProjectionId>, Option<CompartmentId>) {
    match plastic {
        Plastic::Projection(id) => (Some(id), None),
        Plastic::Bias(id) => (None, Some(id)),
    }
}
