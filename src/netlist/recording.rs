//! The `[[record]]` tables.

use super::field::Section;
use super::model::{Duration, Recording, RecordingKind};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use crate::source::{Problem, Span, Spanned};

const WHAT: Key = key("what", "\"weights\"");
const OF_WEIGHTS: Key = key("of", "\"W\"");
const OF_TRACE: Key = key("of", "\"latent.soma\"");
const OF_SPIKES: Key = key("of", "[\"exc\", \"inh\"]");
const EVERY: Key = key("every", "10_000");
const EVERY_TIME: Key = key("every", "\"1 ms\"");
const NAME: Key = key("name", "\"my-recording\"");
const ELEMENTS: Key = key("elements", "[0, 1, 2]");
const DURING: Key = key("during", "[\"test\"]");

const RECORDS: Section<'_> = Section {
    path: "record",
    header: "record",
    by_name: false,
};

const KINDS: [&str; 3] = ["weights", "trace", "spikes"];

/// Reads all recordings in a list of tables.
pub(super) fn read_all(field: &Field<'_>, context: &mut Context) -> Vec<Recording> {
    let mut recordings: Vec<(Recording, Span)> = Vec::new();
    for table in field.tables(context, RECORDS) {
        let Some((recording, place)) = read(&table, context) else {
            continue;
        };
        if let Some((_, first)) = recordings
            .iter()
            .find(|(other, _)| other.name == recording.name)
        {
            let message = format!("two recordings have the name `{}`", recording.name);
            let problem = Problem::new(message, place, "the second")
                .also(*first, "the first")
                .help("give one of them another `name`, which is that of its file");
            context.report(problem);
        }
        recordings.push((recording, place));
    }
    recordings
        .into_iter()
        .map(|(recording, _)| recording)
        .collect()
}

/// A recording, and where its name comes from.
fn read(field: &Field<'_>, context: &mut Context) -> Option<(Recording, Span)> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let what = reader.required(WHAT)?;
    let word = what.name(reader.context)?;
    if word.value == "spikes" && reader.context.event == Some(false) {
        let message = "there are no spikes to record";
        let problem = Problem::new(message, word.span, "no neuron of this circuit spikes");
        let help = "record a trace: `what = \"trace\"`, `of = \"latent.soma\"`";
        reader.context.report(problem.help(help));
    }
    let kind = match word.value.as_str() {
        "weights" => reader
            .require(OF_WEIGHTS, Field::name)
            .map(RecordingKind::Weights),
        "trace" => trace(&mut reader),
        "spikes" => reader
            .require(OF_SPIKES, Field::names)
            .map(RecordingKind::Spikes),
        _ => {
            what.unknown_choice(reader.context, "kind of recording", &KINDS);
            return None;
        }
    };
    let every = match word.value.as_str() {
        // All spikes are taken.
        "spikes" => None,
        "weights" => reader.require(EVERY, |field, context| field.duration(context, 1)),
        _ if reader.context.stepless => {
            reader.require(EVERY_TIME, |field, context| field.duration(context, 1))
        }
        _ => reader.accept(EVERY, |field, context| field.duration(context, 1)),
    };
    let during = reader.accept(DURING, Field::names).unwrap_or_default();
    let name = reader.accept(NAME, Field::name);
    reader.finish();
    let kind = kind?;
    let (name, place) = match name {
        Some(name) => {
            check(
                context,
                "recording",
                NameKind::Label,
                &name.value,
                name.span,
            );
            (name.value, name.span)
        }
        None => file_stem(&kind, span),
    };
    let every = every.unwrap_or_else(|| Spanned::new(Duration::Steps(1), span));
    Some((
        Recording {
            name,
            what: kind,
            every,
            during,
            span,
        },
        place,
    ))
}

fn trace(reader: &mut TableReader<'_, '_>) -> Option<RecordingKind> {
    let of = reader.require(OF_TRACE, Field::expression);
    let elements = reader.accept(ELEMENTS, |field, context| field.wholes(context, 0));
    Some(RecordingKind::Trace { of: of?, elements })
}

/// A name made from what is recorded: `weights-W`, `trace-latent.soma`.
fn file_stem(kind: &RecordingKind, span: Span) -> (String, Span) {
    let (what, of) = match kind {
        RecordingKind::Weights(of) => ("weights", std::slice::from_ref(of)),
        RecordingKind::Trace { of, .. } => ("trace", std::slice::from_ref(of)),
        RecordingKind::Spikes(of) => ("spikes", of.as_slice()),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let words: Vec<&str> = of
        .iter()
        .flat_map(|of| of.value.split(|c| !fits(c)))
        .filter(|word| !word.is_empty())
        .collect();
    let place = of.first().map_or(span, |of| of.span);
    (format!("{what}-{}", words.join("-")), place)
}
