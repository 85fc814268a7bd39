//! Inputs with `process = "log-mel"`: recordings as log-mel frames.

use super::input::{SPLIT, splits};
use super::model::{LogMelInput, Name, Normalise, WholeRecordings};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::Value;
use crate::source::{Problem, Span, Spanned};
use crate::units::Dimension;

const FOLDER: Key = key("folder", "\"fsdd/recordings\"");
const FILES: Key = key("files", "\"*.wav\"");
const OTHERWISE: Key = key("otherwise", "\"train\"");
const RATE: Key = key("rate", "\"22050 Hz\"");
const WINDOW: Key = key("window", "2048");
const HOP: Key = key("hop", "512");
const CHANNELS: Key = key("channels", "128");
const FLOOR: Key = key("floor", "-80");
const NORMALISE: Key = key("normalise", "true");
const SHUFFLE: Key = key("shuffle", "true");
const WHOLE: Key = key("whole", "true");
const CLASSES: Key = key("classes", "[\"0_*\", \"1_*\"]");
const GROUPS: Key = key("groups", "[\"*_george_*\", \"*_theo_*\"]");
const SACCADE: Key = key("saccade", "0.1");

/// Reads the keys of a log-mel input.
pub(super) fn read(reader: &mut TableReader<'_, '_>) -> Option<LogMelInput> {
    let span = reader.span;
    let folder = reader.require(FOLDER, |field, context| {
        field.text(context, "a folder in quotes")
    });
    let files = reader.accept(FILES, |field, context| {
        field.text(context, "a pattern in quotes")
    });
    let splits = reader.accept(SPLIT, splits).unwrap_or_default();
    let otherwise = reader.accept(OTHERWISE, Field::name);
    let rate_hz = reader.accept(RATE, rate_hz).unwrap_or(22_050.0);
    let window = reader.accept(WINDOW, |field, context| field.whole(context, 2));
    let hop = reader.accept(HOP, |field, context| field.whole(context, 1));
    let floor_db = reader.accept(FLOOR, |field, context| {
        field.number(context, Range::NEGATIVE)
    });
    let normalise = reader.accept(NORMALISE, normalise);
    let shuffle = reader.accept(SHUFFLE, Field::flag).unwrap_or(true);
    let whole = whole(reader);
    let window = window.map_or(2048, |window| window.value);
    let channels = reader.accept(CHANNELS, |field, context| channels(field, context, window));
    Some(LogMelInput {
        folder: folder?,
        files: files.unwrap_or_else(|| default(FILES, span)),
        splits,
        otherwise: otherwise.map_or_else(|| "train".to_owned(), |name| name.value),
        rate_hz,
        window,
        hop: hop.map_or(512, |hop| hop.value),
        channels: channels.unwrap_or(128),
        floor_db: floor_db.map_or(-80.0, |floor| floor.value),
        normalise: normalise.unwrap_or(Normalise::Together),
        shuffle,
        whole: whole?,
    })
}

/// True, false, or by channels.
fn normalise(field: &Field<'_>, context: &mut Context) -> Option<Normalise> {
    match &field.node.value {
        Value::Flag(true) => Some(Normalise::Together),
        Value::Flag(false) => Some(Normalise::No),
        Value::Text { text, .. } if text == "channels" => Some(Normalise::Channels),
        _ => {
            field.wrong_kind(context, "true, false or \"channels\"");
            None
        }
    }
}

/// How whole recordings are heard, if they are: the outer option is for what cannot be read.
fn whole(reader: &mut TableReader<'_, '_>) -> Option<Option<WholeRecordings>> {
    let whole = reader.accept(WHOLE, Field::flag).unwrap_or(false);
    let (classes, groups) = (reader.optional(CLASSES), reader.optional(GROUPS));
    let saccade = reader.optional(SACCADE);
    if !whole {
        let given = [(CLASSES, classes), (GROUPS, groups), (SACCADE, saccade)];
        for (key, field) in given.into_iter().filter_map(|(k, f)| Some((k, f?))) {
            let message = format!("`{}` needs whole recordings", key.name);
            let problem = Problem::new(message, field.span(), "the input is a stream of frames");
            reader
                .context
                .report(problem.help("write `whole = true` as well"));
        }
        return Some(None);
    }
    let context = &mut *reader.context;
    let classes = classes.map(|field| patterns(&field, context, "classes"));
    let groups = groups.map(|field| patterns(&field, context, "groups"));
    let saccade = saccade.map(|field| field.number(context, Range::PROBABILITY));
    Some(Some(WholeRecordings {
        classes: classes.unwrap_or(Some(vec![]))?,
        groups: groups.unwrap_or(Some(vec![]))?,
        saccade: saccade.map_or(Some(0.0), |saccade| Some(saccade?.value))?,
    }))
}

/// A pattern for each class or group.
fn patterns(field: &Field<'_>, context: &mut Context, of: &str) -> Option<Vec<Name>> {
    const EXPECTED: &str = "a list of patterns for file names";
    let patterns = field.each(context, EXPECTED, |field, context| {
        field.text(context, "a pattern for file names in quotes")
    })?;
    if patterns.len() < 2 {
        let found = format!("a list of {}", patterns.len());
        return field.refuse(context, &found, &format!("at least two {of}"));
    }
    Some(patterns)
}

/// The default of a text key is its example.
fn default(key: Key, span: Span) -> Name {
    Spanned::new(key.example.trim_matches('"').to_owned(), span)
}

/// A sampling rate (Hz).
fn rate_hz(field: &Field<'_>, context: &mut Context) -> Option<f64> {
    let rate = field.quantity(context)?.value;
    if rate.dimension != Dimension::RATE || rate.value <= 0.0 {
        return field.refuse(
            context,
            &rate.to_string(),
            "a rate greater than 0, such as \"22050 Hz\"",
        );
    }
    // The engine's unit is 1/ms; back in Hz the last bits may differ, so round to a microhertz.
    Some((rate.value * 1e9).round() / 1e6)
}

/// Mel channels cannot be more than the frequencies that a window tells apart.
fn channels(field: &Field<'_>, context: &mut Context, window: u64) -> Option<u64> {
    let channels = field.whole(context, 1)?.value;
    if channels > window / 2 {
        let expected = format!("at most half the window, {}", window / 2);
        return field.refuse(context, &channels.to_string(), &expected);
    }
    Some(channels)
}
