//! The `[population.*]` tables.

use indexmap::IndexMap;

use super::model::{Bias, CompartmentTable, Distribution, Name, Population};
use super::names::{NameKind, check};
use super::neuron::stray;
use super::reader::{Context, Field, Key, TableReader, key};
use super::tree::{Entry, Value};
use crate::source::Span;

const NEURON: Key = key("neuron", "\"my-neuron\"");
const SIZE: Key = key("size", "100");
const PARAMETER: Key = key("parameter", "{ sigma = 0.02 }");
const INPUT: Key = key("input", "\"world\"");
const ACTIVATION: Key = key("activation", "\"tanh\"");
const BIAS: Key = key("bias", "0");
const START: Key = key("start", "0");
const LEARN: Key = key("learn", "{ rule = \"my-rule\", eta = 1e-3 }");

/// Reads one population.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Population> {
    let mut reader = TableReader::open(context, field)?;
    let neuron = reader.require(NEURON, Field::name);
    let size = reader.require(SIZE, |field, context| field.whole(context, 1));
    let parameters = reader.accept(PARAMETER, parameters).unwrap_or_default();
    let mut compartments = IndexMap::new();
    for (key, entry) in reader.others() {
        compartments
            .extend(compartment(&mut reader, key, entry).map(|table| (key.to_owned(), table)));
    }
    Some(Population {
        name,
        neuron: neuron?,
        size: size?,
        parameters,
        compartments,
        times: None,
        repeat: None,
    })
}

type Parameters = IndexMap<String, (Span, Distribution)>;

fn parameters(field: &Field<'_>, context: &mut Context) -> Option<Parameters> {
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
        let field = Field::named(&field.path, key, "0.02", &entry.node);
        let drawn = field.distribution(reader.context);
        parameters.extend(drawn.map(|drawn| (key.to_owned(), (entry.key, drawn))));
    }
    Some(parameters)
}

/// What is said of one compartment, or a key that is none.
fn compartment(
    reader: &mut TableReader<'_, '_>,
    key: &str,
    entry: &Entry,
) -> Option<CompartmentTable> {
    let keys = [INPUT.name, ACTIVATION.name, BIAS.name, START.name];
    if entry.node.value == Value::Broken {
        return None;
    }
    if let Some(problem) = stray(reader, key, entry, &keys) {
        reader.context.report(problem);
        return None;
    }
    let field = Field::named(&reader.path, key, "{ input = \"world\" }", &entry.node);
    let name = check(
        reader.context,
        "compartment",
        NameKind::Identifier,
        key,
        entry.key,
    );
    let mut reader = TableReader::open(reader.context, &field)?;
    let inputs = reader.accept(INPUT, Field::names).unwrap_or_default();
    let activation = reader.accept(ACTIVATION, Field::expression);
    let bias = reader.accept(BIAS, bias);
    let start = reader.accept(START, Field::distribution);
    reader.finish();
    Some(CompartmentTable {
        name,
        inputs,
        activation,
        bias,
        start,
    })
}

/// A distribution, or a table of one and how it learns.
fn bias(field: &Field<'_>, context: &mut Context) -> Option<Bias> {
    if !field.has(START.name) && !field.has(LEARN.name) {
        return Some(Bias {
            start: field.distribution(context)?,
            learn: None,
        });
    }
    let mut reader = TableReader::open(context, field)?;
    let start = reader.require(START, Field::distribution);
    let learn = reader.accept(LEARN, Field::learn);
    reader.finish();
    Some(Bias {
        start: start?,
        learn,
    })
}
