//! The `[circuit]` table.

use super::model::{CircuitTable, LEAST_INTERVAL};
use super::names::{NameKind, check};
use super::projection::precision;
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use crate::source::Spanned;
use crate::units::{Dimension, Quantity};

const NAME: Key = key("name", "\"my-circuit\"");
const SEED: Key = key("seed", "42");
const STEP: Key = key("step", "\"1 ms\"");
const REPLICAS: Key = key("replicas", "1");
const PRECISION: Key = key("precision", "\"single\"");
const ABOUT: Key = key("about", "\"What this circuit is.\"");

/// Reads the table, and tells the context the dimension of time.
pub(super) fn read(context: &mut Context, field: &Field<'_>) -> Option<CircuitTable> {
    if field.node.list().is_some() {
        let problem = field.problem("a list", "a single table");
        context.report(problem.help("write `[circuit]` instead of `[[circuit]]`"));
        return None;
    }
    let mut reader = TableReader::open(context, field)?;
    let name = reader.require(NAME, Field::name);
    let seed = reader.accept(SEED, |field, context| field.whole(context, 0));
    // The events of spiking neurons have times, not steps.
    let event = reader.context.event;
    let step = match event != Some(false) && !reader.has(STEP.name) {
        true => {
            reader.context.time = event.map(|_| Dimension::TIME);
            reader.context.stepless = event.is_some();
            reader.optional(STEP);
            Some(None)
        }
        false => reader.require(STEP, step).map(Some),
    };
    let replicas = reader.accept(REPLICAS, replicas);
    let precision = reader.accept(PRECISION, precision);
    let about = reader.accept(ABOUT, Field::prose);
    let default = Spanned::new(1, reader.span);
    reader.finish();
    let name = name?;
    Some(CircuitTable {
        name: check(context, "circuit", NameKind::Label, &name.value, name.span),
        seed: seed.map_or(1, |seed| seed.value),
        step: step?,
        replicas: replicas.unwrap_or(default),
        precision,
        about,
    })
}

fn step(field: &Field<'_>, context: &mut Context) -> Option<Spanned<Quantity>> {
    const EXPECTED: &str = "a time such as \"1 ms\", or a plain number if time has no unit";
    let step = field.quantity(context)?;
    let dimension = step.value.dimension;
    if context.event == Some(true) && dimension.is_none() {
        context.time = Some(Dimension::TIME);
        const EXPECTED: &str = "a time with a unit, such as \"1 ms\", since the neurons spike";
        return field.refuse(context, &step.value.to_string(), EXPECTED);
    }
    if dimension != Dimension::TIME && !dimension.is_none() {
        return field.refuse(context, &step.value.to_string(), EXPECTED);
    }
    context.time = Some(dimension);
    if context.event == Some(true) && (0.0..LEAST_INTERVAL).contains(&step.value.value) {
        return field.refuse(context, &step.value.to_string(), "a time of 0.1 us or more");
    }
    field.in_range(context, Range::POSITIVE)
}

fn replicas(field: &Field<'_>, context: &mut Context) -> Option<Spanned<u32>> {
    let count = field.whole(context, 1)?;
    match u32::try_from(count.value) {
        Ok(value) => Some(Spanned::new(value, count.span)),
        Err(_) => field.refuse(context, "too large a number", "a whole number below 2^32"),
    }
}
