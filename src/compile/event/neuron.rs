//! Spiking neurons with compartments: what the engine needs of them, with numbers put in on demand.

use std::collections::HashMap;
use std::sync::Arc;

use super::form::LinearForm;
use super::limits::Limit;
use super::reader::NeuronReader;
use crate::circuit::sample::draw_all;
use crate::circuit::{Circuit, CompartmentId, ModulatorId, PopulationId};
use crate::engine::event::linear::System;
use crate::engine::event::model::{Burst, BurstCondition, Instance, Plateau, Trigger};
use crate::engine::event::record::{Layout, Needs};
use crate::engine::event::time::from_ms;
use crate::lang::scalar::ScalarCode;
use crate::netlist::model::{BurstKind, ReceptorKind, SpikeTrigger};
use crate::source::Problem;
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

/// A receptor on a compartment.
#[derive(Debug)]
pub struct Port {
    /// Its number in the model.
    pub receptor: usize,
    /// The compartment.
    pub compartment: usize,
    kind: PortKind,
    /// Its first state variable; a delta receptor has none.
    first: usize,
}

#[derive(Debug)]
enum PortKind {
    Delta,
    Exponential(ScalarCode),
    /// Rise and decay.
    Double(ScalarCode, ScalarCode),
}

impl PortKind {
    fn variables(&self) -> usize {
        match self {
            PortKind::Delta => 0,
            PortKind::Exponential(_) => 1,
            PortKind::Double(..) => 2,
        }
    }
}

#[derive(Debug)]
enum TriggerForm {
    Threshold(LinearForm),
    /// An expression of variables, then parameters, then modulators.
    Escape(EscapeForm),
}

#[derive(Debug)]
struct EscapeForm {
    expr: crate::compile::Expr,
}

#[derive(Debug)]
struct PlateauForm {
    when: LinearForm,
    compartment: usize,
    current: ScalarCode,
    capacitance: ScalarCode,
    duration: ScalarCode,
}

#[derive(Debug)]
enum BurstForm {
    Added {
        when: ConditionForm,
        spikes: u32,
        interval: ScalarCode,
    },
    Within(ScalarCode),
}

#[derive(Debug)]
enum ConditionForm {
    Above(LinearForm),
    Plateau(usize),
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

impl Port {
    /// Adds the dynamics of its states to the matrix.
    fn fill(&self, numbers: &[f64], n: usize, a: &mut [f64]) {
        let at = |row: usize, column: usize| row * n + column;
        match &self.kind {
            PortKind::Delta => {}
            PortKind::Exponential(tau) => a[at(self.first, self.first)] = -1.0 / tau.value(numbers),
            PortKind::Double(rise, decay) => {
                // The first state is the current, which the second one feeds.
                a[at(self.first, self.first)] = -1.0 / decay.value(numbers);
                a[at(self.first, self.first + 1)] = 1.0;
                a[at(self.first + 1, self.first + 1)] = -1.0 / rise.value(numbers);
            }
        }
    }

    /// What a unit weight adds to the variables.
    fn jump(&self, numbers: &[f64]) -> Vec<(usize, f64)> {
        match &self.kind {
            PortKind::Delta => vec![(self.compartment, 1.0)],
            PortKind::Exponential(_) => vec![(self.first, 1.0)],
            PortKind::Double(rise, decay) => {
                let peak = double_peak(1.0 / rise.value(numbers), 1.0 / decay.value(numbers));
                vec![(self.first + 1, 1.0 / peak)]
            }
        }
    }
}

/// The peak of s where s′ = −b·s + r, r′ = −a·r, s(0) = 0, r(0) = 1; an alpha function where a = b.
fn double_peak(a: f64, b: f64) -> f64 {
    let gap = a - b;
    // ln(a/b)/(a − b), without a difference of equals.
    let time = if gap.abs() < 1e-4 * a {
        let u = gap / b;
        (1.0 - u / 2.0 + u * u / 3.0 - u * u * u / 4.0) / b
    } else {
        (a / b).ln() / gap
    };
    // s(t) = e^(−bt)·(1 − e^(−(a−b)t))/(a − b), and at the peak s = r/b = e^(−at)/b.
    (-a * time).exp() / b
}

fn ports(reader: &mut NeuronReader<'_>, circuit: &Circuit, id: PopulationId) -> Option<Vec<Port>> {
    let spiking = circuit.population(id).spiking.as_ref()?;
    let mut used: Vec<(usize, usize)> = circuit
        .projections
        .iter()
        .filter(|p| p.to.population == id)
        .filter_map(|p| {
            p.spiking
                .as_ref()
                .map(|ends| (ends.receptor, p.to.index as usize))
        })
        .collect();
    used.sort_unstable();
    used.dedup();
    let (kinds, _) = kinds(circuit, id);
    let mut first = circuit.population(id).compartments.len();
    let mut ports = Vec::new();
    let mut whole = true;
    for (receptor, compartment) in used {
        let mut time =
            |text, what: &str| reader.limited(text, Dimension::TIME, what, Limit::Positive);
        let kind = match &spiking.receptors.get(receptor)?.kind {
            ReceptorKind::Delta => Some(PortKind::Delta),
            ReceptorKind::Exponential { tau } => {
                time(tau, "the time constant").map(PortKind::Exponential)
            }
            ReceptorKind::Alpha { tau } => {
                time(tau, "the time constant").map(|t| PortKind::Double(t.clone(), t))
            }
            ReceptorKind::DoubleExponential { rise, decay } => {
                let decay_span = decay.span;
                let times = (time(rise, "the rise time"), time(decay, "the decay time"));
                times.0.zip(times.1).map(|(rise, decay)| {
                    reader.rises_first((&rise, &decay), decay_span, &kinds);
                    PortKind::Double(rise, decay)
                })
            }
        };
        let Some(kind) = kind else {
            whole = false;
            continue;
        };
        let states = kind.variables();
        ports.push(Port {
            receptor,
            compartment,
            kind,
            first,
        });
        first += states;
    }
    whole.then_some(ports)
}

fn trigger(reader: &mut NeuronReader<'_>, trigger: &SpikeTrigger) -> Option<TriggerForm> {
    match trigger {
        SpikeTrigger::When(text) => reader
            .condition(text, "the condition of a spike")
            .map(TriggerForm::Threshold),
        SpikeTrigger::Rate(text) => {
            let expr = reader.expr(text, false, Some(Dimension::RATE), "the rate of spikes")?;
            use crate::compile::Reading;
            let readable = |reading: &Reading| {
                matches!(
                    reading,
                    Reading::Value(_) | Reading::Parameter(..) | Reading::Modulator(_)
                )
            };
            if !expr.formula.filters.is_empty() || !expr.readings.iter().all(readable) {
                let message = "the rate of spikes reads more than the neuron's variables";
                let problem = Problem::new(message, expr.span, "in this rate");
                let help = "it may read variables, parameters and modulators; give a memory a variable with a \
                            derivative of its own";
                reader.problems.push(problem.help(help));
                return None;
            }
            // Modulators that only the rate reads are numbers of the model as well.
            for reading in &expr.readings {
                if let crate::compile::Reading::Modulator(id) = reading
                    && !reader.numbers.modulators.contains(id)
                {
                    reader.numbers.modulators.push(*id);
                }
            }
            Some(TriggerForm::Escape(EscapeForm { expr }))
        }
        SpikeTrigger::Every { .. } | SpikeTrigger::Given => None,
    }
}

fn plateaus(
    reader: &mut NeuronReader<'_>,
    circuit: &Circuit,
    id: PopulationId,
) -> Option<Vec<PlateauForm>> {
    let population = circuit.population(id);
    let spiking = population.spiking.as_ref()?;
    let form = |reader: &mut NeuronReader<'_>, plateau: &crate::circuit::Plateau| {
        let compartment = &population.compartments[plateau.compartment as usize];
        let when = reader.condition(&plateau.when, "the condition of a plateau");
        let current = reader.number(
            &plateau.current,
            Dimension::CURRENT,
            "the plateau's current",
        );
        let duration = reader.limited(
            &plateau.duration,
            Dimension::TIME,
            "the plateau's duration",
            Limit::Positive,
        );
        let Some(membrane) = &compartment.membrane else {
            let message = format!(
                "a plateau needs a membrane, `{}` has none",
                compartment.name
            );
            let problem = Problem::new(message, plateau.when.span, "this plateau");
            reader
                .problems
                .push(problem.help("give the compartment capacitance, leak and rest"));
            return None;
        };
        let capacitance = reader.number(
            &membrane.capacitance,
            Dimension::CAPACITANCE,
            "the capacitance",
        );
        Some(PlateauForm {
            when: when?,
            compartment: plateau.compartment as usize,
            current: current?,
            capacitance: capacitance?,
            duration: duration?,
        })
    };
    spiking
        .plateaus
        .iter()
        .map(|plateau| form(reader, plateau))
        .collect()
}

fn burst(
    reader: &mut NeuronReader<'_>,
    kind: &BurstKind,
    plateaus: &[crate::circuit::Plateau],
) -> Option<BurstForm> {
    match kind {
        BurstKind::Within(text) => reader
            .limited(text, Dimension::TIME, "the interval", Limit::Positive)
            .map(BurstForm::Within),
        BurstKind::When {
            condition,
            spikes,
            interval,
        } => {
            let expr = reader.expr(condition, false, None, "the condition of a burst")?;
            let when = match reader.plateau_read(&expr, plateaus) {
                Some(index) => ConditionForm::Plateau(index),
                None => {
                    ConditionForm::Above(reader.condition(condition, "the condition of a burst")?)
                }
            };
            let interval =
                reader.limited(interval, Dimension::TIME, "the interval", Limit::Positive)?;
            Some(BurstForm::Added {
                when,
                spikes: spikes.value as u32,
                interval,
            })
        }
    }
}

/// The different sets of numbers in a population, and which neuron has which.
pub(super) fn kinds(circuit: &Circuit, id: PopulationId) -> (Vec<Vec<f64>>, Vec<u32>) {
    let population = circuit.population(id);
    let parameters = population.parameters.iter().map(|(name, distribution)| {
        (
            distribution,
            format!("parameter {}.{name}", population.name),
        )
    });
    let zero = |name: &str| (None, format!("bias {}.{name}", population.name));
    let biases = population.compartments.iter().map(|c| match &c.bias {
        Some(bias) => (
            Some(&bias.start),
            format!("bias {}.{}", population.name, c.name),
        ),
        None => zero(&c.name),
    });
    let columns: Vec<(Option<&crate::netlist::model::Distribution>, String)> = parameters
        .map(|(d, name)| (Some(d), name))
        .chain(biases)
        .collect();
    let constant = |d: &crate::netlist::model::Distribution| match d.kind {
        crate::netlist::model::DistributionKind::Constant(value) => Some(value),
        _ => None,
    };
    let all: Option<Vec<f64>> = columns
        .iter()
        .map(|(d, _)| d.map_or(Some(0.0), constant))
        .collect();
    if let Some(same) = all {
        return (vec![same], vec![]);
    }
    let drawn: Vec<Vec<f64>> = columns
        .iter()
        .map(|(d, name)| match d {
            Some(d) => draw_all(d, population.size, circuit.seed, name),
            None => vec![0.0; population.size],
        })
        .collect();
    let mut known: HashMap<Vec<u64>, u32> = HashMap::new();
    let (mut kinds, mut kind_of) = (Vec::new(), Vec::new());
    for neuron in 0..population.size {
        let numbers: Vec<f64> = drawn.iter().map(|column| column[neuron]).collect();
        let bits = numbers.iter().map(|x| x.to_bits()).collect();
        let kind = *known.entry(bits).or_insert_with(|| {
            kinds.push(numbers);
            kinds.len() as u32 - 1
        });
        kind_of.push(kind);
    }
    (kinds, kind_of)
}

/// Values of the compartments at the start: what the netlist says, else the resting potential of a membrane, else 0.
fn starts(
    reader: &mut NeuronReader<'_>,
    circuit: &Circuit,
    id: PopulationId,
    kinds: &[Vec<f64>],
    kind_of: &[u32],
) -> Option<Vec<Vec<f64>>> {
    let population = circuit.population(id);
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for compartment in &population.compartments {
        let column = match (&compartment.start, &compartment.membrane) {
            (Some(start), _) => match start.kind {
                crate::netlist::model::DistributionKind::Constant(value) => vec![value],
                _ => draw_all(
                    start,
                    population.size,
                    circuit.seed,
                    &format!("start {}.{}", population.name, compartment.name),
                ),
            },
            (None, Some(membrane)) => {
                let rest =
                    reader.number(&membrane.rest, Dimension::VOLTAGE, "the resting potential")?;
                let zeros = vec![0.0; reader.numbers.modulators.len()];
                let of = |kind: &Vec<f64>| {
                    let numbers: Vec<f64> = kind.iter().chain(&zeros).copied().collect();
                    rest.value(&numbers)
                };
                let rests: Vec<f64> = kinds.iter().map(of).collect();
                if kind_of.is_empty() {
                    rests
                } else {
                    kind_of.iter().map(|k| rests[*k as usize]).collect()
                }
            }
            (None, None) => vec![0.0],
        };
        columns.push(column);
    }
    let rows = columns.iter().map(Vec::len).max().unwrap_or(1);
    let row = |neuron: usize| columns.iter().map(|c| c[neuron.min(c.len() - 1)]).collect();
    Some((0..rows).map(row).collect())
}
