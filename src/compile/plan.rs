//! The plan of a stage's steps for given gates: which kernels run, in which order.

use std::collections::HashSet;

use super::expressions::Plastic;
use super::gates::Gates;
use super::kernel::{Kernel, ScalarId, VectorId, VectorRef, View};
use super::layout::{FilterPlace, Places, Source};
use super::learning::{self, Learning};
use super::order::{Slot, slot_of};
use super::program::{Placed, PlacedRule, Probe, Program};
use super::reading::{Expr, Reading};
use crate::circuit::{CompartmentId, ModulatorId, ProjectionId};
use crate::lang::{FilterKind, NodeId, Shape};
use crate::source::Problem;

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
    /// Measured and recorded expressions.
    pub probes: Vec<ProbeStep>,
    /// What `prev(…)` will return from the next step on.
    pub remember: Vec<FilterStep>,
    /// Differential equations.
    pub integrate: Vec<IntegrateStep>,
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
    /// Where the sum goes.
    pub into: ScalarId,
}

/// A computed modulator.
#[derive(Debug, Clone)]
pub struct ModulatorStep {
    /// The modulator.
    pub modulator: ModulatorId,
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

impl Program {
    /// The plan for a combination of gates, numbered as [`Gates::combinations`] numbers them.
    ///
    /// # Errors
    /// Expressions that are too large for the machine.
    pub fn plan(&self, combination: usize, activity: &Activity) -> Result<Plan, Problem> {
        let gates = Gates::combinations(&self.gates).swap_remove(combination);
        Planner {
            program: self,
            gates,
            wanted: HashSet::new(),
            plan: Plan::default(),
            flags: 0,
        }
        .plan(combination, activity)
    }
}

pub(super) struct Planner<'p> {
    pub(super) program: &'p Program,
    pub(super) gates: Gates,
    wanted: HashSet<Slot>,
    plan: Plan,
    flags: usize,
}

impl Planner<'_> {
    fn plan(mut self, combination: usize, activity: &Activity) -> Result<Plan, Problem> {
        self.integrations()?;
        self.equation_filters()?;
        for modulator in &self.program.modulators {
            let (filters, sums, kernel) = self.placed(modulator)?;
            self.plan.modulators.push(ModulatorStep {
                modulator: modulator.what,
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
                let (learning, remember) = learning::plan(&mut self, rule)?;
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
        self.wanted
            .extend(slot_of(&self.program.expressions, reading));
    }

    /// Notes what a node reads, so that it will have been computed.
    pub(super) fn want_all(&mut self, expr: &Expr, node: NodeId, projection: Option<ProjectionId>) {
        for symbol in expr.formula.graph.symbols(node) {
            match (expr.reading(symbol), projection) {
                (Some(Reading::Presynaptic), Some(id)) => {
                    let projection = &self.program.circuit.projections[id.0 as usize];
                    if projection.delay == 0 {
                        self.want(Reading::Value(projection.from));
                    }
                }
                (Some(reading), _) => self.want(reading),
                (None, _) => {}
            }
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

    /// The steps of an expression's filters that are not per synapse: those that smooth, those that remember.
    pub(super) fn filter_steps(
        &mut self,
        expr: &Expr,
        places: &[FilterPlace],
        projection: Option<ProjectionId>,
    ) -> Result<(Vec<FilterStep>, Vec<FilterStep>), Problem> {
        let (mut smooth, mut remember) = (Vec::new(), Vec::new());
        for (filter, place) in expr.formula.filters.iter().zip(places) {
            let index = self.flags;
            self.flags += 1;
            if filter.shape == Shape::Synapse {
                continue;
            }
            let mut expr = expr.clone();
            let input = self.gates.fix(&mut expr, filter.input);
            self.want_all(&expr, input, projection);
            let kinds = filter_kinds(&expr);
            let places = self.places(&kinds, places, &[], projection);
            let kernel = self.kernel_in(&mut expr, input, View::Neurons, &places)?;
            let step = FilterStep {
                input: kernel,
                place: *place,
                kind: filter.kind,
                index,
            };
            match filter.kind {
                FilterKind::Previous(_) => remember.push(step),
                _ => smooth.push(step),
            }
        }
        Ok((smooth, remember))
    }

    /// An expression over populations: its filters, its sums, its value.
    fn placed<T>(
        &mut self,
        placed: &Placed<T>,
    ) -> Result<(Vec<FilterStep>, Vec<SumStep>, Kernel), Problem> {
        let mut expr = placed.expr.clone();
        // A filter's input may hold sums too: all are taken out together, inner ones first.
        let mut sums = Vec::new();
        let mut take = |expr: &mut Expr,
                        node: NodeId,
                        this: &mut Self|
         -> Result<NodeId, Problem> {
            let node = this.gates.fix(expr, node);
            let (mut node, summed) = expr.formula.graph.take_sums(node);
            let offset = sums.len() as u32;
            if offset > 0 {
                node = expr
                    .formula
                    .graph
                    .rewrite(node, |graph, id| match graph.node(id) {
                        crate::lang::graph::Node::Variable(crate::lang::Symbol::Sum(k)) => Some(
                            graph.variable(crate::lang::Symbol::Sum(k + offset), Shape::Scalar),
                        ),
                        _ => None,
                    });
            }
            for vector in summed {
                let Shape::Vector(length) = expr.formula.graph.shape(vector) else {
                    continue;
                };
                this.want_all(expr, vector, None);
                let into = placed.sums.get(sums.len()).copied();
                let kernel = this.kernel(expr, vector, &placed.filters, &placed.sums)?;
                if let Some(into) = into {
                    sums.push(SumStep {
                        kernel,
                        length: length as usize,
                        into,
                    });
                }
            }
            Ok(node)
        };
        let inputs: Vec<NodeId> = expr.formula.filters.iter().map(|f| f.input).collect();
        let mut taken = Vec::new();
        for input in inputs {
            taken.push(take(&mut expr, input, self)?);
        }
        let root = expr.formula.root;
        let root = take(&mut expr, root, self)?;
        for (filter, input) in expr.formula.filters.iter_mut().zip(taken) {
            filter.input = input;
        }
        self.want_all(&expr, root, None);
        let kinds = filter_kinds(&expr);
        let mut filters = Vec::new();
        for (filter, place) in expr.formula.filters.clone().iter().zip(&placed.filters) {
            let index = self.flags;
            self.flags += 1;
            self.want_all(&expr, filter.input, None);
            let places = self.places(&kinds, &placed.filters, &placed.sums, None);
            let input = self.kernel_in(&mut expr, filter.input, View::Neurons, &places)?;
            let step = FilterStep {
                input,
                place: *place,
                kind: filter.kind,
                index,
            };
            match filter.kind {
                FilterKind::Previous(_) => self.plan.remember.push(step),
                _ => filters.push(step),
            }
        }
        let kernel = self.kernel(&mut expr, root, &placed.filters, &placed.sums)?;
        Ok((filters, sums, kernel))
    }

    fn rule(&mut self, rule: &PlacedRule, learns: bool) -> Result<(), Problem> {
        let flags = self.flags + rule.filters.len();
        if learns {
            let learning = learning::plan(self, rule)?;
            self.plan.remember.extend(learning.1);
            self.plan.learn.extend(learning.0);
        }
        self.flags = flags;
        Ok(())
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
                .filter_map(|i| layout.source_of(&Source::Input(*i)))
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

    fn kernel(
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
        places: &Places<'_>,
    ) -> Result<Kernel, Problem> {
        Kernel::new(expr, node, view, places)
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
        for learning in self.learn.iter().chain(measured) {
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
