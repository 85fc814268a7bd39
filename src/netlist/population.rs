//! The `[population.*]` tables.

use indexmap::IndexMap;

use super::model::{Bias, CompartmentTable, Distribution, Name, Population, Positions, Times};
use super::names::{NameKind, check};
use super::neuron::stray;
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::{Entry, Value};
use crate::source::{Problem, Span, Spanned};
use crate::units::Dimension;

const NEURON: Key = key("neuron", "\"my-neuron\"");
const SIZE: Key = key("size", "100");
const SHAPE: Key = key("shape", "[3, 16, 16]");
const POSITIONS: Key = key("positions", "\"grid\"");
const PARAMETER: Key = key("parameter", "{ sigma = 0.02 }");
const TIMES: Key = key("times", "[[1, 2.5], [], [7]]");
const REPEAT: Key = key("repeat", "\"200 ms\"");
const INPUT: Key = key("input", "\"world\"");
const ACTIVATION: Key = key("activation", "\"tanh\"");
const BIAS: Key = key("bias", "0");
const START: Key = key("start", "0");
const LEARN: Key = key("learn", "{ rule = \"my-rule\", eta = 1e-3 }");

/// Reads one population.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Population> {
    let mut reader = TableReader::open(context, field)?;
    let neuron = reader.require(NEURON, Field::name);
    let shape = given(&mut reader, SHAPE, shape);
    let size = match (
        &shape,
        reader.has(SHAPE.name) && !reader.has_table(SHAPE.name),
    ) {
        (_, false) => reader.require(SIZE, |field, context| field.whole(context, 1)),
        (shape, true) => {
            size_beside_shape(&mut reader);
            let product =
                |lengths: &Vec<u64>| lengths.iter().fold(1, |n: u64, l| n.saturating_mul(*l));
            shape
                .as_ref()
                .map(|s| Spanned::new(product(&s.value), s.span))
        }
    };
    let parameters = reader.accept(PARAMETER, parameters).unwrap_or_default();
    let positions = given(&mut reader, POSITIONS, positions);
    let times = given(&mut reader, TIMES, times);
    let repeat = given(&mut reader, REPEAT, |field, context| {
        field.time(context, Range::POSITIVE)
    });
    let input = given(&mut reader, INPUT, Field::name);
    let mut compartments = IndexMap::new();
    for (key, entry) in reader.others() {
        compartments
            .extend(compartment(&mut reader, key, entry).map(|table| (key.to_owned(), table)));
    }
    Some(Population {
        name,
        neuron: neuron?,
        size: size?,
        shape: shape.map(|shape| shape.value),
        parameters,
        compartments,
        positions,
        times,
        repeat,
        input,
    })
}

/// Channels, then one or two lengths of a map.
fn shape(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Vec<u64>>> {
    let lengths = field.wholes(context, 1)?;
    if !(2..=3).contains(&lengths.len()) {
        let found = format!("a list of {}", lengths.len());
        return field.refuse(
            context,
            &found,
            "channels, then one or two lengths of their maps",
        );
    }
    Some(Spanned::new(lengths, field.span()))
}

/// A shape says the size.
fn size_beside_shape(reader: &mut TableReader<'_, '_>) {
    if reader.optional(SIZE).is_some() {
        let message = format!("`{}` has both a size and a shape", reader.path);
        let problem = Problem::new(message, reader.place(SIZE.name), "not needed")
            .also(reader.place(SHAPE.name), "the size is its product");
        reader.context.report(problem.help("leave `size` out"));
    }
}

/// Reads a key, unless a compartment has its name.
fn given<'a, T>(
    reader: &mut TableReader<'a, '_>,
    key: Key,
    read: impl FnOnce(&Field<'a>, &mut Context) -> Option<T>,
) -> Option<T> {
    let is_table = reader.has_table(key.name);
    if is_table {
        None
    } else {
        reader.accept(key, read)
    }
}

/// Where neurons lie: a word, a file, or x and y of each.
fn positions(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Positions>> {
    const EXPECTED: &str =
        "\"ring\", \"grid\", \"random\", a CSV or Parquet file, or a list of [x, y]";
    let positions = match field.node.text() {
        Some("ring") => Positions::Ring,
        Some("grid") => Positions::Grid,
        Some("random") => Positions::Random,
        Some(file) if file.ends_with(".csv") || file.ends_with(".parquet") => {
            Positions::File(file.to_owned())
        }
        Some(_) => return field.refuse(context, "another word", EXPECTED),
        None => Positions::Listed(field.each(context, EXPECTED, |pair, context| {
            match pair.numbers(context, Range::ANY)?.as_slice() {
                [x, y] => Some([*x, *y]),
                _ => pair.refuse(context, "something else", "two numbers, x and y"),
            }
        })?),
    };
    Some(Spanned::new(positions, field.span()))
}

/// Times of spikes: a file, or a list for each neuron.
fn times(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Times>> {
    const EXPECTED: &str = "a CSV file in quotes, or a list of times (ms) for each neuron";
    let times = match &field.node.value {
        Value::Text { text, inner } => {
            let file = Times::File(text.clone());
            return Some(Spanned::new(file, *inner));
        }
        _ => field.each(context, EXPECTED, |neuron, context| {
            match neuron.node.list() {
                // A neuron that never spikes.
                Some([]) => Some(vec![]),
                Some(_) => neuron.each(context, "a list of times", time_ms),
                None => {
                    neuron.wrong_kind(context, "a list of times (ms), one list for each neuron");
                    None
                }
            }
        })?,
    };
    Some(Spanned::new(Times::Listed(times), field.span()))
}

/// A time (ms), with or without its unit.
fn time_ms(field: &Field<'_>, context: &mut Context) -> Option<f64> {
    let time = field.in_range(context, Range::NOT_NEGATIVE)?.value;
    if time.dimension.is_none() || time.dimension == Dimension::TIME {
        return Some(time.value);
    }
    field.refuse(context, &time.to_string(), "a time (ms)")
}

type Parameters = IndexMap<String, (Span, Distribution)>;

fn parameters(field: &Field<'_>, context: &mut Context) -> Option<Parameters> {
    let mut reader = TableReader::open(context, field)?;
    Some(reader.parameters("0.02", |field, place, context| {
        Some((place, field.distribution(context)?))
    }))
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
