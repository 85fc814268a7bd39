//! Schedules of modulator values.

use super::model::{Duration, Schedule};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::Value;
use crate::source::Spanned;

const CONSTANT: Key = key("constant", "1");
const ALTERNATE: Key = key("alternate", "[1, 0]");
const LIST: Key = key("list", "[0, 0.5, 1]");
const RANDOM: Key = key("random", "[0, 1]");
const EVERY: Key = key("every", "2");
const START: Key = key("start", "\"random\"");
const PROBABILITY: Key = key("probability", "[0.5, 0.5]");

/// Keys by which a table is known to be a schedule.
pub(super) const KINDS: [&str; 4] = [CONSTANT.name, ALTERNATE.name, LIST.name, RANDOM.name];

impl Field<'_> {
    /// A number, or a table that says how values follow one another.
    pub fn schedule(&self, context: &mut Context) -> Option<Spanned<Schedule>> {
        let schedule = match self.node.value {
            Value::Whole(_) | Value::Number(_) => {
                Schedule::Constant(self.number(context, Range::ANY)?.value)
            }
            Value::Table(_) => self.schedule_table(context)?,
            _ => {
                self.wrong_kind(context, "a number or a schedule");
                return None;
            }
        };
        Some(Spanned::new(schedule, self.span()))
    }

    fn schedule_table(&self, context: &mut Context) -> Option<Schedule> {
        let mut reader = TableReader::open(context, self)?;
        let found = reader.one_of(&[ALTERNATE, CONSTANT, LIST, RANDOM]);
        let schedule = found.and_then(|(name, field)| match name {
            "constant" => {
                let number = field.number(reader.context, Range::ANY)?;
                Some(Schedule::Constant(number.value))
            }
            "alternate" => cycle(&mut reader, &field),
            "list" => {
                let (values, every) = (
                    field.numbers(reader.context, Range::ANY),
                    every(&mut reader),
                );
                Some(Schedule::List {
                    values: values?,
                    every: every?,
                })
            }
            _ => random(&mut reader, &field),
        });
        if let Some(schedule) = &schedule {
            finish(reader, schedule);
        }
        schedule
    }
}

/// Reports keys of other kinds of schedule, too.
fn finish(mut reader: TableReader<'_, '_>, schedule: &Schedule) {
    if !matches!(schedule, Schedule::Constant(_)) {
        reader.optional(EVERY);
    }
    reader.finish();
}

fn every(reader: &mut TableReader<'_, '_>) -> Option<Duration> {
    let field = reader.required(EVERY)?;
    field
        .duration(reader.context, 1)
        .map(|duration| duration.value)
}

fn cycle(reader: &mut TableReader<'_, '_>, field: &Field<'_>) -> Option<Schedule> {
    let values = field.numbers(reader.context, Range::ANY);
    let every = reader.required(EVERY);
    let start = reader.accept(START, start);
    let values = values?;
    let lengths = every?.durations(reader.context, values.len())?;
    Some(Schedule::Cycle {
        values,
        lengths,
        random_start: start.unwrap_or(false),
    })
}

/// Where a cycle begins: at its first value, or at one that is drawn.
fn start(field: &Field<'_>, context: &mut Context) -> Option<bool> {
    const CHOICES: [&str; 2] = ["first", "random"];
    match field.name(context)?.value.as_str() {
        "first" => Some(false),
        "random" => Some(true),
        _ => {
            field.unknown_choice(context, "start of a cycle", &CHOICES);
            None
        }
    }
}

fn random(reader: &mut TableReader<'_, '_>, field: &Field<'_>) -> Option<Schedule> {
    let values = field.numbers(reader.context, Range::ANY);
    let every = every(reader);
    let given = reader.optional(PROBABILITY);
    let values = values?;
    let probabilities = match given {
        None => vec![1.0 / values.len() as f64; values.len()],
        Some(field) => probabilities(reader.context, &field, values.len())?,
    };
    Some(Schedule::Random {
        values,
        probabilities,
        every: every?,
    })
}

/// Probabilities of `count` values.
fn probabilities(context: &mut Context, field: &Field<'_>, count: usize) -> Option<Vec<f64>> {
    let numbers = field.numbers(context, Range::PROBABILITY)?;
    if numbers.len() != count {
        let expected = format!("{count} probabilities, one for each value");
        return field.refuse(context, &format!("a list of {}", numbers.len()), &expected);
    }
    let sum: f64 = numbers.iter().sum();
    // Decimal fractions such as ten times 0.1 miss 1 by a few last bits only.
    if (sum - 1.0).abs() > 1e-9 {
        let found = format!("a list with the sum {sum}");
        return field.refuse(context, &found, "probabilities that sum to 1");
    }
    Some(numbers)
}
