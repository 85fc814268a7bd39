//! The `[modulator.*]` tables.

use super::model::{Modulator, ModulatorDrive, Name};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use crate::source::Problem;

const SCHEDULE: Key = key("schedule", "{ alternate = [1, 0], every = 2 }");
const VALUE: Key = key("value", "\"mean(latent.soma)\"");
const START: Key = key("start", "0");

/// Reads one modulator.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Modulator> {
    let mut reader = TableReader::open(context, field)?;
    let drive = reader.one_of(&[SCHEDULE, VALUE]).and_then(|(kind, field)| {
        Some(match kind == VALUE.name {
            true => ModulatorDrive::Value {
                of: field.expression(reader.context)?,
                every: None,
            },
            false => ModulatorDrive::Schedule(field.schedule(reader.context)?),
        })
    });
    let start = reader.accept(START, |field, context| field.number(context, Range::ANY));
    if let (Some(start), Some(ModulatorDrive::Schedule(schedule))) = (&start, &drive) {
        let message = format!("`{}` has both a schedule and a `start`", reader.path);
        let problem = Problem::new(message, start.span, "not needed")
            .also(schedule.span, "this says what it begins with")
            .help("`start` is for modulators with a `value`; leave it out");
        reader.context.report(problem);
    }
    reader.finish();
    Some(Modulator {
        name,
        drive: drive?,
        start: start.map_or(0.0, |start| start.value),
    })
}
