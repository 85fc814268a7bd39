//! The `[modulator.*]` tables.

use super::model::{Modulator, ModulatorDrive, Name};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use crate::source::{Problem, Spanned};
use crate::units::Quantity;

const SCHEDULE: Key = key("schedule", "{ alternate = [1, 0], every = 2 }");
const VALUE: Key = key("value", "\"mean(latent.soma)\"");
const RELEASED: Key = key(
    "released",
    "{ by = \"reward_cells\", amount = 1, tau = \"200 ms\" }",
);
const EVERY: Key = key("every", "\"1 ms\"");
const BY: Key = key("by", "\"reward_cells\"");
const AMOUNT: Key = key("amount", "1");
const TAU: Key = key("tau", "\"200 ms\"");
const START: Key = key("start", "0");
const PER_REPLICA: Key = key("per-replica", "true");

/// Reads one modulator.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Modulator> {
    let mut reader = TableReader::open(context, field)?;
    reader.only_with_spikes(&[RELEASED, EVERY]);
    let keys: &[Key] = match reader.context.event {
        // As a choice it would mean nothing.
        Some(false) if !reader.has(RELEASED.name) => &[SCHEDULE, VALUE],
        _ => &[SCHEDULE, VALUE, RELEASED],
    };
    let drive = reader.one_of(keys).and_then(|(kind, field)| {
        Some(match kind {
            "value" => ModulatorDrive::Value {
                of: field.expression(reader.context)?,
                every: every(&mut reader),
            },
            "released" => released(&field, reader.context)?,
            _ => ModulatorDrive::Schedule(field.schedule(reader.context)?),
        })
    });
    let start = reader.accept(START, |field, context| field.number(context, Range::ANY));
    if let (Some(start), Some(ModulatorDrive::Schedule(schedule))) = (&start, &drive) {
        let message = format!("`{}` has both a schedule and a `start`", reader.path);
        let problem = Problem::new(message, start.span, "not needed")
            .also(schedule.span, "this says what it begins with")
            .help("`start` is for modulators without a schedule; leave it out");
        reader.context.report(problem);
    }
    let per_replica = per_replica(&mut reader, drive.as_ref());
    reader.finish();
    Some(Modulator {
        name,
        drive: drive?,
        per_replica,
        start: start.map_or(0.0, |start| start.value),
    })
}

/// Whether each replica has a value of its own; only what is computed from activity can differ.
fn per_replica(reader: &mut TableReader<'_, '_>, drive: Option<&ModulatorDrive>) -> bool {
    reader.only_without_spikes(&[PER_REPLICA]);
    let each = reader.accept(PER_REPLICA, Field::flag).unwrap_or(false);
    if each && matches!(drive, Some(ModulatorDrive::Schedule(_))) {
        let message = format!(
            "`{}` has a schedule, which is the same in all replicas",
            reader.path
        );
        let place = reader.place(PER_REPLICA.name);
        let problem = Problem::new(message, place, "only for a `value`");
        reader
            .context
            .report(problem.help(
                "leave `per-replica` out, or compute the modulator from what an input gives",
            ));
    }
    each
}

/// How often a value is computed: among spiking neurons there is no step at which it could be.
fn every(reader: &mut TableReader<'_, '_>) -> Option<Spanned<Quantity>> {
    let read = |field: &Field<'_>, context: &mut Context| field.time(context, Range::POSITIVE);
    match reader.context.event {
        Some(true) => reader.require(EVERY, read),
        _ => reader.accept(EVERY, read),
    }
}

fn released(field: &Field<'_>, context: &mut Context) -> Option<ModulatorDrive> {
    let mut reader = TableReader::open(context, field)?;
    let by = reader.require(BY, Field::name);
    let amount = reader.require(AMOUNT, |field, context| field.number(context, Range::ANY));
    let tau = reader.require(TAU, |field, context| field.time(context, Range::POSITIVE));
    reader.finish();
    Some(ModulatorDrive::Released {
        by: by?,
        amount: amount?,
        tau: tau?,
    })
}
