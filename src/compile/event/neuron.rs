//! Spiking neurons with compartments: what the engine needs of them, with numbers put in on demand.

use std::sync::Arc;

use super::form::LinearForm;
use super::kinds::{kinds, starts};
use super::limits::Limit;
use super::mechanisms::{
    BurstForm, ConditionForm, EscapeForm, PlateauForm, TriggerForm, burst, plateaus, trigger,
};
use super::ports::{Port, ports};
use super::reader::NeuronReader;
use crate::circuit::{CompartmentId, ModulatorId};
use crate::engine::event::linear::System;
use crate::engine::event::model::{Burst, BurstCondition, Instance, Plateau, Trigger};
use crate::engine::event::record::{Layout, Needs};
use crate::engine::event::time::from_ms;
use crate::lang::scalar::ScalarCode;
use crate::units::Dimension;

/// A population of neurons with compartments, compiled.
#[derive(Debug)]
pub struct DynamicNeuron {
    /// Derivatives of the compartments.
    derivatives: Vec<LinearForm>,
    /// Receptors that synapses act on.
    pub ports: Vec<Port>,
    trigger: TriggerForm,
    held: Vec<usize>,
    refractory: Option<ScalarCode>,
    reset: Vec<(usize, LinearForm)>,
    add: Vec<(usize, LinearForm)>,
    plateaus: Vec<PlateauForm>,
    burst: Option<BurstForm>,
    /// Modulators that any of this reads.
    pub modulators: Vec<ModulatorId>,
    /// Different sets of numbers: parameters, then biases.
    kinds: Vec<Vec<f64>>,
    /// Which set each neuron has; none if all have the first.
    kind_of: Vec<u32>,
    /// Values of the compartments at the start: of each neuron, or of all.
    starts: Vec<Vec<f64>>,
    parameters: usize,
}

impl DynamicNeuron {
    /// Compiles a population.
    pub(super) fn new(reader: &mut NeuronReader<'_>) -> Option<DynamicNeuron> {
        let circuit = reader.circuit;
        let id = reader.population;
        let population = circuit.population(id);
        let spiking = population.spiking.as_ref()?;
        reader.numbers.parameters = population.parameters.len() + population.compartments.len();
        let ids = (0..population.compartments.len() as u32).map(|index| CompartmentId {
            population: id,
            index,
        });
        let derivatives: Vec<Option<LinearForm>> = ids.map(|id| reader.derivative(id)).collect();
        let ports = ports(reader, circuit, id);
        let trigger = trigger(reader, &spiking.trigger);
        let unit = |variable: u32| population.compartments[variable as usize].unit;
        let mut forms =
            |list: &[(u32, crate::netlist::model::Expression)], what: &str| -> Option<Vec<_>> {
                let read = list.iter().map(|(variable, text)| {
                    reader
                        .form(text, unit(*variable), what)
                        .map(|form| (*variable as usize, form))
                });
                read.collect::<Vec<_>>().into_iter().collect()
            };
        let reset = forms(&spiking.reset, "this reset");
        let add = forms(&spiking.add, "what is added");
        let refractory = match &spiking.refractory {
            Some(text) => {
                let what = "the refractory time";
                Some(reader.limited(text, Dimension::TIME, what, Limit::NotNegative)?)
            }
            None => None,
        };
        let plateaus = plateaus(reader, circuit, id);
        let burst = match &spiking.burst {
            Some(model) => Some(burst(reader, &model.kind, &spiking.plateaus)?),
            None => None,
        };
        let (kinds, kind_of) = kinds(circuit, id);
        reader.limit_membranes(circuit, id);
        reader.check_limits(&kinds);
        let starts = starts(reader, circuit, id, &kinds, &kind_of)?;
        let neuron = DynamicNeuron {
            derivatives: derivatives.into_iter().collect::<Option<_>>()?,
            ports: ports?,
            trigger: trigger?,
            held: spiking.held.iter().map(|v| *v as usize).collect(),
            refractory,
            reset: reset?,
            add: add?,
            plateaus: plateaus?,
            burst,
            modulators: reader.numbers.modulators.clone(),
            kinds,
            kind_of,
            starts,
            parameters: population.parameters.len(),
        };
        reader.check_size(circuit, id, neuron.variables());
        let modulators = reader.first_modulators();
        let kinds = neuron.kinds.iter();
        let instances = kinds.map(|kind| neuron.instance(kind, &modulators));
        reader.check_reset(circuit, id, instances);
        reader.problems.is_empty().then_some(neuron)
    }

    /// Variables of a neuron: compartments and states of receptors.
    pub fn variables(&self) -> usize {
        self.derivatives.len() + self.ports.iter().map(|p| p.kind.variables()).sum::<usize>()
    }

    /// The set of numbers that a neuron has.
    pub fn kind(&self, neuron: usize) -> u32 {
        self.kind_of.get(neuron).copied().unwrap_or(0)
    }

    /// Values of a neuron's variables at the start.
    pub fn start(&self, neuron: usize) -> Vec<f64> {
        let mut start = self
            .starts
            .get(neuron)
            .or(self.starts.first())
            .cloned()
            .unwrap_or_default();
        start.resize(self.variables(), 0.0);
        start
    }

    /// The number of the port of a receptor on a compartment.
    pub fn port(&self, receptor: usize, compartment: usize) -> Option<u32> {
        let same = |port: &Port| port.receptor == receptor && port.compartment == compartment;
        self.ports.iter().position(same).map(|at| at as u32)
    }

    /// What the model is with numbers, for each kind; `modulators` are the values of [`DynamicNeuron::modulators`].
    pub fn instances(&self, modulators: &[f64]) -> Vec<Arc<Instance>> {
        self.kinds
            .iter()
            .map(|kind| Arc::new(self.instance(kind, modulators)))
            .collect()
    }

    fn instance(&self, kind: &[f64], modulators: &[f64]) -> Instance {
        let numbers: Vec<f64> = kind.iter().chain(modulators).copied().collect();
        let forms = |list: &[(usize, LinearForm)]| {
            list.iter()
                .map(|(variable, form)| (*variable, form.affine(&numbers)))
                .collect()
        };
        let plateaus = self.plateaus.iter().map(|p| Plateau {
            when: p.when.affine(&numbers),
            variable: p.compartment,
            slope: p.current.value(&numbers) / p.capacitance.value(&numbers),
            duration: from_ms(p.duration.value(&numbers)).max(1),
        });
        let burst = self.burst.as_ref().map(|burst| match burst {
            BurstForm::Within(interval) => Burst::Within(from_ms(interval.value(&numbers))),
            BurstForm::Added {
                when,
                spikes,
                interval,
            } => Burst::Added {
                when: match when {
                    ConditionForm::Above(form) => BurstCondition::Above(form.affine(&numbers)),
                    ConditionForm::Plateau(index) => BurstCondition::Plateau(*index),
                },
                spikes: *spikes,
                interval: from_ms(interval.value(&numbers)).max(1),
            },
        });
        Instance {
            system: self.system(&numbers),
            held: self.held.clone(),
            trigger: match &self.trigger {
                TriggerForm::Threshold(form) => Trigger::Threshold(form.affine(&numbers)),
                TriggerForm::Escape(form) => Trigger::Escape(self.escape(form, &numbers)),
            },
            refractory: self
                .refractory
                .as_ref()
                .map_or(0, |code| from_ms(code.value(&numbers)).max(0)),
            reset: forms(&self.reset),
            add: forms(&self.add),
            plateaus: plateaus.collect(),
            burst,
            ports: self.ports.iter().map(|port| port.jump(&numbers)).collect(),
        }
    }

    /// The linear system of all variables.
    fn system(&self, numbers: &[f64]) -> System {
        let n = self.variables();
        let (mut a, mut b) = (vec![0.0; n * n], vec![0.0; n]);
        for (i, derivative) in self.derivatives.iter().enumerate() {
            let form = derivative.affine(numbers);
            for (variable, factor) in form.row {
                a[i * n + variable] += factor;
            }
            let drive = derivative
                .drive
                .as_ref()
                .map_or(0.0, |code| code.value(numbers));
            b[i] = form.constant + drive * numbers[self.parameters + i];
            for port in self
                .ports
                .iter()
                .filter(|p| p.compartment == i && p.kind.variables() > 0)
            {
                a[i * n + port.first] += drive;
            }
        }
        for port in &self.ports {
            port.fill(numbers, n, &mut a);
        }
        System { n, a, b }
    }

    /// The escape rate as an expression of the variables.
    fn escape(&self, form: &EscapeForm, numbers: &[f64]) -> ScalarCode {
        use crate::compile::Reading;
        use crate::lang::scalar::Source;
        let formula = &form.expr.formula;
        let modulators = numbers.len() - self.modulators.len();
        let source = |symbol| match form.expr.reading(symbol)? {
            Reading::Value(id) => Some(Source::Variable(id.index)),
            Reading::Parameter(_, index) => Some(Source::Number(numbers[index as usize])),
            Reading::Modulator(id) => {
                let at = self.modulators.iter().position(|m| *m == id)?;
                Some(Source::Number(numbers[modulators + at]))
            }
            _ => None,
        };
        ScalarCode::new(&formula.graph, formula.root, source)
            .unwrap_or(ScalarCode::number(f64::NAN))
    }

    /// Its variables by name, for recordings: the compartments.
    pub fn compartments(&self) -> usize {
        self.derivatives.len()
    }

    /// Whether it spikes at random.
    pub fn escapes(&self) -> bool {
        matches!(self.trigger, TriggerForm::Escape(_))
    }

    /// 8-byte words of a neuron's record, its random stream included.
    pub fn words(&self) -> usize {
        let needs = Needs {
            modes: self.variables(),
            plateaus: self.plateaus.len(),
            bursts: self.burst.is_some(),
            escapes: self.escapes(),
        };
        Layout::new(needs).stride + if self.escapes() { 2 } else { 0 }
    }

    /// Different sets of parameters.
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }
}
