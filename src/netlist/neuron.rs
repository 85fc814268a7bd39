//! The `[neuron.*]` tables.

use indexmap::IndexMap;

use super::model::{CompartmentModel, Dynamics, Name, NeuronModel};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use super::tree::{Entry, Value};
use crate::source::{Problem, Spanned, nearest};
use crate::units::Quantity;

const SOURCE: Key = key("source", "\"Author year, equation\"");
const PARAMETER: Key = key("parameter", "{ tau = \"10 ms\" }");
const VALUE: Key = key("value", "\"f(drive)\"");
const DERIVATIVE: Key = key("derivative", "\"(drive - soma) / tau\"");
const ACTIVATION: Key = key("f", "\"tanh\"");
const WITHIN: Key = key("within", "[0, 1]");
const START: Key = key("start", "0");
const SOMA: Key = key("soma", "{ value = \"drive\" }");

/// Reads one neuron model.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<NeuronModel> {
    let mut reader = TableReader::open(context, field)?;
    let source = reader.accept(SOURCE, Field::prose);
    let parameters = reader.accept(PARAMETER, parameters).unwrap_or_default();
    let mut compartments = IndexMap::new();
    for (key, entry) in reader.others() {
        compartments
            .extend(compartment(&mut reader, key, entry).map(|model| (key.to_owned(), model)));
    }
    if !reader.has("soma") {
        reader.lacks(
            &[SOMA],
            "compartment `soma`",
            "`soma = { value = \"drive\" }`",
        );
    }
    Some(NeuronModel {
        name,
        source,
        parameters,
        compartments,
        spike: None,
        burst: None,
        plateaus: IndexMap::new(),
        receptors: IndexMap::new(),
    })
}

/// Parameters with their defaults.
fn parameters(
    field: &Field<'_>,
    context: &mut Context,
) -> Option<IndexMap<String, Spanned<Quantity>>> {
    let reader = TableReader::open(context, field)?;
    let mut parameters = IndexMap::new();
    for (key, entry) in reader.others() {
        check(
            reader.context,
            "parameter",
            NameKind::Identifier,
            key,
            entry.key,
        );
        let field = Field::named(&field.path, key, "\"10 ms\"", &entry.node);
        parameters.extend(
            field
                .parameter(reader.context)
                .map(|quantity| (key.to_owned(), quantity)),
        );
    }
    Some(parameters)
}

/// One compartment, or a key that is none.
fn compartment(
    reader: &mut TableReader<'_, '_>,
    key: &str,
    entry: &Entry,
) -> Option<CompartmentModel> {
    let field = Field::named(
        &reader.path,
        key,
        "{ value = \"f(drive)\", f = \"tanh\" }",
        &entry.node,
    );
    if entry.node.value == Value::Broken {
        return None;
    }
    if let Some(problem) = stray(reader, key, entry, &[VALUE.name, DERIVATIVE.name]) {
        reader.context.report(problem);
        return None;
    }
    let name = check(
        reader.context,
        "compartment",
        NameKind::Identifier,
        key,
        entry.key,
    );
    let mut reader = TableReader::open(reader.context, &field)?;
    let dynamics = reader
        .one_of(&[VALUE, DERIVATIVE])
        .and_then(|(kind, field)| {
            let expression = field.expression(reader.context)?;
            Some(if kind == VALUE.name {
                Dynamics::Value(expression)
            } else {
                Dynamics::Derivative(expression)
            })
        });
    let activation = reader.accept(ACTIVATION, Field::expression);
    let within = reader.accept(WITHIN, Field::interval);
    let start = reader.accept(START, Field::distribution);
    reader.finish();
    Some(CompartmentModel {
        name,
        dynamics: dynamics?,
        membrane: None,
        activation,
        within,
        start,
    })
}

/// Says so if a key is not a compartment: its value is no table, or it is a known key misspelt and
/// its table has none of a compartment's `keys`.
pub(super) fn stray(
    reader: &mut TableReader<'_, '_>,
    key: &str,
    entry: &Entry,
    keys: &[&str],
) -> Option<Problem> {
    let misspelt = nearest(key, reader.known().iter().copied()).is_some();
    let table = entry.node.table();
    if table.is_some_and(|table| !misspelt || keys.iter().any(|key| table.get(key).is_some())) {
        return None;
    }
    let problem = reader.unknown(key, entry.key);
    if misspelt {
        return Some(problem);
    }
    let keys: Vec<String> = reader
        .known()
        .iter()
        .map(|key| format!("`{key}`"))
        .collect();
    let keys = keys.join(", ");
    Some(problem.help(format!(
        "the keys here are {keys}, and compartments, which are tables"
    )))
}
