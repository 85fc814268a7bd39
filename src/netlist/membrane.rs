//! Passive membranes of spiking neurons, and the equations that are made of them.

use indexmap::IndexMap;

use super::model::{CompartmentModel, Coupling, Dynamics, Expression, Membrane};
use super::reader::{Context, Field, Key, TableReader, key};
use crate::source::{Problem, Spanned, suggest};

pub(super) const CAPACITANCE: Key = key("capacitance", "\"200 pF\"");
const LEAK: Key = key("leak", "\"10 nS\"");
const REST: Key = key("rest", "\"-70 mV\"");
const CURRENT: Key = key("current", "\"-w\"");
const COUPLES: Key = key("couples", "{ to = \"soma\", by = \"15 nS\" }");
const TO: Key = key("to", "\"soma\"");
const BY: Key = key("by", "\"15 nS\"");

/// All keys of a membrane.
pub(super) const KEYS: [&str; 5] = [
    CAPACITANCE.name,
    LEAK.name,
    REST.name,
    CURRENT.name,
    COUPLES.name,
];

/// Reads a membrane; `capacitance` has been found.
pub(super) fn read(reader: &mut TableReader<'_, '_>, capacitance: &Field<'_>) -> Option<Membrane> {
    let capacitance = capacitance.formula(reader.context);
    let leak = reader.require(LEAK, Field::formula);
    let rest = reader.require(REST, Field::formula);
    let current = reader.accept(CURRENT, Field::formula);
    let couples = reader.accept(COUPLES, coupling);
    Some(Membrane {
        capacitance: capacitance?,
        leak: leak?,
        rest: rest?,
        current,
        couples,
    })
}

fn coupling(field: &Field<'_>, context: &mut Context) -> Option<Coupling> {
    let mut reader = TableReader::open(context, field)?;
    let to = reader.require(TO, Field::name);
    let by = reader.require(BY, Field::formula);
    reader.finish();
    Some(Coupling { to: to?, by: by? })
}

/// Writes the equations of all membranes, now that every coupling is known.
pub(super) fn write_equations(
    compartments: &mut IndexMap<String, CompartmentModel>,
    context: &mut Context,
) {
    let equations: Vec<Option<String>> = compartments
        .iter()
        .map(|(name, model)| {
            let membrane = model.membrane.as_ref()?;
            if let Some(coupling) = &membrane.couples {
                check(name, coupling, compartments, context);
            }
            Some(equation(name, membrane, compartments))
        })
        .collect();
    for (model, text) in compartments.values_mut().zip(equations) {
        if let (Dynamics::Derivative(written), Some(text)) = (&mut model.dynamics, text) {
            *written = Spanned::new(text, written.span);
        }
    }
}

/// (leak · (rest − V) + couplings + current + drive) / capacitance.
fn equation(
    name: &str,
    membrane: &Membrane,
    compartments: &IndexMap<String, CompartmentModel>,
) -> String {
    let mut text = format!(
        "(({}) * (({}) - {name})",
        membrane.leak.value, membrane.rest.value
    );
    let mut couple = |other: &str, by: &Expression| {
        text.push_str(&format!(" + ({}) * ({other} - {name})", by.value));
    };
    if let Some(coupling) = &membrane.couples {
        couple(&coupling.to.value, &coupling.by);
    }
    for (other, model) in compartments {
        let coupling = model.membrane.as_ref().and_then(|m| m.couples.as_ref());
        if let Some(coupling) = coupling.filter(|c| c.to.value == name) {
            couple(other, &coupling.by);
        }
    }
    if let Some(current) = &membrane.current {
        text.push_str(&format!(" + ({})", current.value));
    }
    format!("{text} + drive) / ({})", membrane.capacitance.value)
}

/// Reports a coupling to what is no other membrane, or that is there twice.
fn check(
    name: &str,
    coupling: &Coupling,
    compartments: &IndexMap<String, CompartmentModel>,
    context: &mut Context,
) {
    let to = &coupling.to;
    let membranes = || {
        let all = compartments.iter();
        all.filter(|(other, model)| model.membrane.is_some() && *other != name)
            .map(|(other, _)| other.as_str())
    };
    if !membranes().any(|other| other == to.value) {
        let message = match to.value == name {
            true => format!("compartment `{name}` is coupled to itself"),
            false => format!(
                "compartment `{name}` is coupled to `{}`, which is no other membrane of this neuron",
                to.value
            ),
        };
        let problem = Problem::new(message, to.span, "expected another compartment");
        let help = suggest(&to.value, membranes().collect::<Vec<_>>());
        let help = help.unwrap_or_else(|| "leave `couples` out".to_owned());
        context.report(problem.help(help));
        return;
    }
    let back = compartments
        .get(&to.value)
        .and_then(|model| model.membrane.as_ref()?.couples.as_ref())
        .filter(|back| back.to.value == name);
    let first = compartments.get_index_of(name) < compartments.get_index_of(to.value.as_str());
    if let Some(back) = back.filter(|_| first) {
        let message = format!("`{name}` and `{}` are coupled twice", to.value);
        let problem = Problem::new(message, back.to.span, "the second")
            .also(to.span, "the first")
            .help("a coupling is part of both equations: write it on one side only");
        context.report(problem);
    }
}
