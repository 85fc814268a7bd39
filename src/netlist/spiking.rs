//! The tables by which a neuron model spikes: `spike`, `burst`, `plateau` and `receptor`.

use indexmap::IndexMap;

use super::model::{
    BurstKind, BurstModel, CompartmentModel, Expression, Name, NeuronModel, PlateauModel,
    ReceptorKind, ReceptorModel, SpikeModel, SpikeTrigger,
};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use super::tree::{Node, Table, Value};
use crate::lang;
use crate::source::{Problem, Spanned, suggest};

pub(super) const SPIKE: Key = key(
    "spike",
    "{ when = \"soma > -50 mV\", reset = { soma = \"-65 mV\" }, refractory = \"2 ms\" }",
);
pub(super) const BURST: Key = key("burst", "{ within = \"16 ms\" }");
pub(super) const PLATEAU: Key = key(
    "plateau",
    "{ apical = { when = \"apical > -40 mV\", current = \"200 pA\", duration = \"30 ms\" } }",
);
pub(super) const RECEPTOR: Key = key(
    "receptor",
    "{ exc = { on = [\"soma\"], current = \"exponential\", tau = \"3 ms\" } }",
);

const WHEN: Key = key("when", "\"soma > -50 mV\"");
const RATE: Key = key("rate", "\"10 Hz\"");
const EVERY: Key = key("every", "\"100 ms\"");
const TIMES: Key = key("times", "\"given\"");
const FROM: Key = key("from", "\"0 ms\"");
const RESET: Key = key("reset", "{ soma = \"-65 mV\" }");
const ADD: Key = key("add", "{ w = \"80 pA\" }");
const HOLD: Key = key("hold", "[\"soma\"]");
const REFRACTORY: Key = key("refractory", "\"2 ms\"");
const BURST_WHEN: Key = key("when", "\"apical > -45 mV\"");
const WITHIN: Key = key("within", "\"16 ms\"");
const SPIKES: Key = key("spikes", "3");
const INTERVAL: Key = key("interval", "\"5 ms\"");
const PLATEAU_WHEN: Key = key("when", "\"apical > -40 mV\"");
const PLATEAU_CURRENT: Key = key("current", "\"200 pA\"");
const DURATION: Key = key("duration", "\"30 ms\"");
const ON: Key = key("on", "[\"soma\"]");
const CURRENT: Key = key("current", "\"exponential\"");
const TAU: Key = key("tau", "\"3 ms\"");
const RISE: Key = key("rise", "\"0.5 ms\"");
const DECAY: Key = key("decay", "\"3 ms\"");

const CURRENTS: [&str; 4] = ["delta", "exponential", "alpha", "double-exponential"];

/// Keys by which one knows what makes a neuron spike.
pub(super) const TRIGGERS: [&str; 4] = [WHEN.name, RATE.name, EVERY.name, TIMES.name];

/// Keys by which one knows what a burst is.
pub(super) const BURSTS: [&str; 2] = [BURST_WHEN.name, WITHIN.name];

/// Tables that only spiking neurons have.
pub(super) const TABLES: [Key; 4] = [SPIKE, BURST, PLATEAU, RECEPTOR];

/// What a receptor's time constants are called, of whatever kind it is.
pub(super) const TIME_CONSTANTS: [&str; 3] = [TAU.name, RISE.name, DECAY.name];

/// Whether a table has an equation, so that it is a compartment whatever its name.
pub(super) fn is_compartment(node: &Node) -> bool {
    let has = |key: &str| node.table().is_some_and(|table| table.get(key).is_some());
    ["value", "derivative", "capacitance"].into_iter().any(has)
}

/// Whether a neuron's table is that of a spiking neuron.
pub(super) fn is_spiking(neuron: &Node) -> bool {
    let spike = neuron.table().and_then(|table| table.get(SPIKE.name));
    spike.is_some_and(|spike| !is_compartment(spike))
}

/// Whether some population of the document is of spiking neurons; unknown if none is, but a model is not there.
pub(super) fn any_spiking(root: &Table) -> Option<bool> {
    let section = |name: &str| root.get(name).and_then(Node::table);
    let entries = section("population")
        .into_iter()
        .flat_map(|p| p.entries.values());
    let mut named = entries.filter_map(|entry| entry.node.table()?.get("neuron")?.text());
    let model = |name: &str| section("neuron").and_then(|neurons| neurons.get(name));
    let mut all_known = true;
    let spiking = named.any(|name| {
        all_known &= model(name).is_some();
        model(name).is_some_and(is_spiking)
    });
    (spiking || all_known).then_some(spiking)
}

impl TableReader<'_, '_> {
    /// Reports the keys of a table that mean nothing without spiking neurons.
    pub fn only_with_spikes(&mut self, keys: &[Key]) {
        for key in keys {
            if self.has(key.name) && self.context.event == Some(false) {
                let message = format!("`{}.{}` is for spiking neurons", self.path, key.name);
                let place = self.place(key.name);
                let problem = Problem::new(message, place, "no neuron of this circuit spikes");
                let help = "leave it out, or use neuron models that have a `spike` table";
                self.context.report(problem.help(help));
            }
        }
    }

    /// Reports the keys of a table that mean nothing with spiking neurons.
    pub fn only_without_spikes(&mut self, keys: &[Key]) {
        for key in keys {
            if self.has(key.name) && self.context.event == Some(true) {
                let message = format!("`{}.{}` is for rate circuits", self.path, key.name);
                let place = self.place(key.name);
                let problem = Problem::new(message, place, "the neurons of this circuit spike");
                self.context.report(problem.help("leave it out"));
            }
        }
    }
}

/// Reads what makes a neuron spike, and what that does to it.
pub(super) fn spike(field: &Field<'_>, context: &mut Context) -> Option<SpikeModel> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let found = reader.one_of(&[WHEN, RATE, EVERY, TIMES]);
    let kind = found.as_ref().map_or("", |(kind, _)| *kind);
    let refractory = match kind {
        // These say by themselves when the next spike is.
        "every" | "times" => None,
        _ => reader.accept(REFRACTORY, Field::formula),
    };
    let from = match kind {
        "every" => reader.accept(FROM, Field::formula),
        _ => None,
    };
    let reset = reader.accept(RESET, formulas).unwrap_or_default();
    let add = reader.accept(ADD, formulas).unwrap_or_default();
    let hold = reader.accept(HOLD, Field::names).unwrap_or_default();
    let trigger = found.and_then(|(kind, field)| {
        Some(match kind {
            "when" => SpikeTrigger::When(condition(&field, reader.context)?),
            "rate" => SpikeTrigger::Rate(field.formula(reader.context)?),
            "every" => SpikeTrigger::Every {
                interval: field.formula(reader.context)?,
                from,
            },
            _ => given(&field, reader.context)?,
        })
    });
    reader.finish();
    Some(SpikeModel {
        trigger: trigger?,
        reset,
        add,
        hold,
        refractory,
        span,
    })
}

fn given(field: &Field<'_>, context: &mut Context) -> Option<SpikeTrigger> {
    if field.node.text() == Some("given") {
        return Some(SpikeTrigger::Given);
    }
    let problem = field.problem("not \"given\"", "\"given\"");
    let help = "write `times = \"given\"`; each population of such neurons has `times` of its own, a CSV file or a list";
    context.report(problem.help(help));
    None
}

/// Something that is true or not: an expression.
fn condition(field: &Field<'_>, context: &mut Context) -> Option<Expression> {
    let text = field.text(context, "a condition in quotes")?;
    checked(text, context)
}

/// Expressions by the names of variables.
fn formulas(field: &Field<'_>, context: &mut Context) -> Option<IndexMap<String, Expression>> {
    let reader = TableReader::open(context, field)?;
    let mut found = IndexMap::new();
    for (key, entry) in reader.others() {
        let field = Field::named(&field.path, key, "\"-65 mV\"", &entry.node);
        let formula = field.formula(reader.context);
        found.extend(formula.map(|formula| (key.to_owned(), formula)));
    }
    Some(found)
}

/// Reads what a burst is.
pub(super) fn burst(field: &Field<'_>, context: &mut Context) -> Option<BurstModel> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let (kind, field) = reader.one_of(&[BURST_WHEN, WITHIN])?;
    let kind = if kind == WITHIN.name {
        field.formula(reader.context).map(BurstKind::Within)
    } else {
        let condition = condition(&field, reader.context);
        let spikes = reader.require(SPIKES, |field, context| field.whole(context, 2));
        let interval = reader.require(INTERVAL, Field::formula);
        match (condition, spikes, interval) {
            (Some(condition), Some(spikes), Some(interval)) => Some(BurstKind::When {
                condition,
                spikes,
                interval,
            }),
            _ => None,
        }
    };
    reader.finish();
    Some(BurstModel { kind: kind?, span })
}

/// Reads the plateau potentials, which go by their compartments.
pub(super) fn plateaus(
    field: &Field<'_>,
    context: &mut Context,
) -> Option<IndexMap<String, PlateauModel>> {
    let reader = TableReader::open(context, field)?;
    let mut found = IndexMap::new();
    for (key, entry) in reader.others() {
        let example = "{ when = \"apical > -40 mV\", current = \"200 pA\", duration = \"30 ms\" }";
        let field = Field::named(&field.path, key, example, &entry.node);
        let name = Name::new(key.to_owned(), entry.key);
        found.extend(plateau(&field, name, reader.context).map(|model| (key.to_owned(), model)));
    }
    Some(found)
}

fn plateau(field: &Field<'_>, compartment: Name, context: &mut Context) -> Option<PlateauModel> {
    let mut reader = TableReader::open(context, field)?;
    let when = reader.require(PLATEAU_WHEN, condition);
    let current = reader.require(PLATEAU_CURRENT, Field::formula);
    let duration = reader.require(DURATION, Field::formula);
    reader.finish();
    Some(PlateauModel {
        compartment,
        when: when?,
        current: current?,
        duration: duration?,
    })
}

/// Reads the receptors.
pub(super) fn receptors(
    field: &Field<'_>,
    context: &mut Context,
) -> Option<IndexMap<String, ReceptorModel>> {
    let reader = TableReader::open(context, field)?;
    let mut found = IndexMap::new();
    for (key, entry) in reader.others() {
        let example = "{ on = [\"soma\"], current = \"exponential\", tau = \"3 ms\" }";
        let field = Field::named(&field.path, key, example, &entry.node);
        let name = check(reader.context, "receptor", NameKind::Label, key, entry.key);
        found.extend(receptor(&field, name, reader.context).map(|model| (key.to_owned(), model)));
    }
    Some(found)
}

fn receptor(field: &Field<'_>, name: Name, context: &mut Context) -> Option<ReceptorModel> {
    let mut reader = TableReader::open(context, field)?;
    let on = reader.require(ON, Field::names);
    let word = reader.required(CURRENT)?;
    let text = word.name(reader.context)?;
    let current = match text.value.as_str() {
        "delta" => Some(ReceptorKind::Delta),
        "exponential" => reader
            .require(TAU, Field::formula)
            .map(|tau| ReceptorKind::Exponential { tau }),
        "alpha" => reader
            .require(TAU, Field::formula)
            .map(|tau| ReceptorKind::Alpha { tau }),
        "double-exponential" => {
            let rise = reader.require(RISE, Field::formula);
            let decay = reader.require(DECAY, Field::formula);
            rise.zip(decay)
                .map(|(rise, decay)| ReceptorKind::DoubleExponential { rise, decay })
        }
        _ => {
            word.unknown_choice(reader.context, "current of a receptor", &CURRENTS);
            return None;
        }
    };
    reader.finish();
    Some(ReceptorModel {
        name,
        on: on?,
        current: current?,
    })
}

/// Reports names that are no variables of the model.
pub(super) fn check_names(model: &NeuronModel, context: &mut Context) {
    let variables = &model.compartments;
    let spike = model.spike.iter();
    let mut told = Vec::new();
    let lists = spike.flat_map(|spike| {
        let set = spike.reset.iter().chain(&spike.add);
        let set = set.map(|(name, value)| Spanned::new(name.clone(), value.span));
        set.chain(spike.hold.iter().cloned())
    });
    let receptors = model.receptors.values().flat_map(|r| r.on.iter().cloned());
    let plateaus = model.plateaus.values().map(|p| p.compartment.clone());
    for name in lists.chain(receptors).chain(plateaus) {
        if !variables.contains_key(&name.value) && !told.contains(&name) {
            context.report(no_variable(model, variables, &name));
            told.push(name);
        }
    }
    for receptor in model.receptors.values() {
        for (index, name) in receptor.on.iter().enumerate() {
            if receptor
                .on
                .iter()
                .take(index)
                .any(|n| n.value == name.value)
            {
                let message = format!(
                    "receptor `{}` is on `{}` twice",
                    receptor.name.value, name.value
                );
                let problem = Problem::new(message, name.span, "a second time");
                context.report(problem.help("name each compartment once"));
            }
        }
    }
}

fn no_variable(
    model: &NeuronModel,
    variables: &IndexMap<String, CompartmentModel>,
    name: &Name,
) -> Problem {
    let message = format!("`{}` has no compartment `{}`", model.name.value, name.value);
    let problem = Problem::new(message, name.span, "unknown compartment");
    let example = "{ capacitance = \"200 pF\", leak = \"10 nS\", rest = \"-70 mV\" }";
    let help = suggest(&name.value, variables.keys().map(String::as_str));
    problem.help(help.unwrap_or_else(|| format!("add it: `{} = {example}`", name.value)))
}

impl Field<'_> {
    /// A value that may be computed from a model's parameters: an expression, or a number.
    pub fn formula(&self, context: &mut Context) -> Option<Expression> {
        let text = match &self.node.value {
            Value::Whole(number) => Spanned::new(number.to_string(), self.span()),
            Value::Number(number) if number.is_finite() => {
                Spanned::new(format!("{number:?}"), self.span())
            }
            _ => self.text(context, "a value with a unit, or an expression in quotes")?,
        };
        checked(text, context)
    }
}

/// The expression, if it can be parsed: others are made of it.
fn checked(text: Expression, context: &mut Context) -> Option<Expression> {
    match lang::parse(&text.value) {
        Ok(_) => Some(text),
        Err(error) => {
            let place = text.span.part(error.start, error.end);
            let problem = Problem::new(error.message, place, "in this expression");
            context.report(Problem {
                help: error.help,
                ..problem
            });
            None
        }
    }
}
