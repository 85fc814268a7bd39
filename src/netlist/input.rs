//! The `[input.*]` tables.

use indexmap::IndexMap;

use super::model::{Distribution, Input, InputProcess, Mixing, Name};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::{distribution, images, log_mel};

const PROCESS: Key = key("process", "\"latent-ar1\"");
const DRAW: Key = key("draw", "{ uniform = [0, 1] }");
const SIZE: Key = key("size", "100");
const LATENT: Key = key("latent", "20");
const DECAY: Key = key("decay", "0.9");
const NOISE: Key = key("noise", "0.1");
const MIXING: Key = key("mixing", "{ normal = { mean = 0, sd = 0.05 } }");
const BUMPS: Key = key("bumps", "{ width = 0.6, height = 1.0 }");
const WIDTH: Key = key("width", "0.6");
const HEIGHT: Key = key("height", "1.0");
const FILE: Key = key("file", "\"x.npy\"");
pub(super) const SPLIT: Key = key("split", "{ test = \"…\" }");

const CONCENTRATION: Key = key("concentration", "1.5");
const MEAN: Key = key("mean", "0.0");
const DRIFT: Key = key("drift", "0.75");
const HOLD: Key = key("hold", "1000");
const AMONG: Key = key("among", "24");

const PROCESSES: [&str; 6] = [
    "latent-ar1",
    "von-mises",
    "random",
    "array",
    "log-mel",
    "images",
];

/// Reads one input.
pub(super) fn read(context: &mut Context, name: Name, field: &Field<'_>) -> Option<Input> {
    let mut reader = TableReader::open(context, field)?;
    let process = reader.required(PROCESS)?;
    let kind = process.name(reader.context)?;
    let process = match kind.value.as_str() {
        "latent-ar1" => latent_ar1(&mut reader),
        "von-mises" => von_mises(&mut reader),
        "random" => random(&mut reader),
        "array" => array(&mut reader),
        "images" => images::read(&mut reader)
            .map(Box::new)
            .map(InputProcess::Images),
        "log-mel" => log_mel::read(&mut reader).map(InputProcess::LogMel),
        _ => {
            process.unknown_choice(reader.context, "process", &PROCESSES);
            return None;
        }
    };
    reader.finish();
    Some(Input {
        name,
        process: process?,
    })
}

fn latent_ar1(reader: &mut TableReader<'_, '_>) -> Option<InputProcess> {
    let size = reader.require(SIZE, |field, context| field.whole(context, 1));
    let latent = reader.require(LATENT, |field, context| field.whole(context, 1));
    let decay = reader.require(DECAY, |field, context| {
        field.number(context, Range::CONTRACTION)
    });
    let noise = reader.require(NOISE, |field, context| {
        field.number(context, Range::NOT_NEGATIVE)
    });
    let mixing = reader.require(MIXING, mixing);
    Some(InputProcess::LatentAr1 {
        size: size?,
        latent: latent?,
        decay: decay?,
        noise: noise?,
        mixing: mixing?,
    })
}

fn von_mises(reader: &mut TableReader<'_, '_>) -> Option<InputProcess> {
    let concentration = reader.require(CONCENTRATION, |field, context| {
        field.number(context, CONCENTRATIONS)
    });
    let mean = reader.accept(MEAN, |field, context| field.number(context, Range::ANY));
    let positive =
        |field: &Field<'_>, context: &mut Context| field.number(context, Range::POSITIVE);
    let noise = reader.accept(NOISE, positive);
    let drift = reader.accept(DRIFT, |field, context| {
        field.number(context, Range::NOT_NEGATIVE)
    });
    let hold = reader.accept(HOLD, |field, context| field.duration(context, 1));
    let among = reader.accept(AMONG, |field, context| field.whole(context, 1));
    if !reader.has(NOISE.name) && !reader.has(HOLD.name) {
        let example = "noise = 0.006, a walk, or hold = 1000, draws";
        reader.lacks(&[NOISE, HOLD], "`noise` or `hold`", example);
    }
    Some(InputProcess::VonMises {
        concentration: concentration?,
        mean: mean.map_or(0.0, |mean| mean.value),
        noise: noise.map_or(0.0, |noise| noise.value),
        drift: drift.map(|drift| drift.value),
        hold: hold.map(|hold| hold.value),
        among: among.map(|among| among.value),
    })
}

fn random(reader: &mut TableReader<'_, '_>) -> Option<InputProcess> {
    let size = reader.require(SIZE, |field, context| field.whole(context, 1));
    let draw = reader.require(DRAW, plain);
    let hold = reader.accept(HOLD, |field, context| field.duration(context, 1));
    Some(InputProcess::Random {
        size: size?,
        draw: draw?,
        hold: hold.map(|hold| hold.value),
    })
}

/// A distribution of numbers without a unit, as all inputs are.
fn plain(field: &Field<'_>, context: &mut Context) -> Option<Distribution> {
    let drawn = field.distribution(context)?;
    if !drawn.dimension.is_none() {
        let found = drawn.dimension.in_words();
        return field.refuse(context, &found, "numbers without a unit");
    }
    Some(drawn)
}

/// Concentrations that rejection from the uniform distribution can draw.
const CONCENTRATIONS: Range = Range {
    holds: |x| (0.0..=1000.0).contains(&x),
    says: "from 0 to 1000",
};

fn mixing(field: &Field<'_>, context: &mut Context) -> Option<Mixing> {
    let kinds = distribution::KINDS;
    if !field.has(BUMPS.name) && kinds.iter().any(|kind| field.has(kind)) {
        return field.distribution(context).map(Mixing::Entries);
    }
    let mut reader = TableReader::open(context, field)?;
    let bumps = reader.required(BUMPS);
    reader.finish();
    let mut reader = TableReader::open(context, &bumps?)?;
    let width = reader.require(WIDTH, |field, context| {
        field.number(context, Range::POSITIVE)
    });
    let height = reader.require(HEIGHT, |field, context| field.number(context, Range::ANY));
    reader.finish();
    Some(Mixing::Bumps {
        width: width?.value,
        height: height?.value,
    })
}

fn array(reader: &mut TableReader<'_, '_>) -> Option<InputProcess> {
    let file = reader.require(FILE, |field, context| {
        field.text(context, "a file name in quotes")
    });
    let splits = reader.accept(SPLIT, splits).unwrap_or_default();
    Some(InputProcess::Array {
        file: file?,
        splits,
    })
}

/// A file name or pattern for each split.
pub(super) fn splits(field: &Field<'_>, context: &mut Context) -> Option<IndexMap<String, Name>> {
    let reader = TableReader::open(context, field)?;
    let mut splits = IndexMap::new();
    for (key, entry) in reader.others() {
        check(reader.context, "split", NameKind::Label, key, entry.key);
        let field = Field::named(&field.path, key, "\"…\"", &entry.node);
        let text = field.text(reader.context, "a file name or pattern in quotes");
        splits.extend(text.map(|text| (key.to_owned(), text)));
    }
    Some(splits)
}
