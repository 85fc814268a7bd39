//! The `[[stage]]` tables and their parts.

use indexmap::IndexMap;

use super::field::Section;
use super::model::{LearnSwitch, Name, Schedule, Stage, StageInput, StageLength, Trial};
use super::names::{NameKind, check};
use super::reader::{Context, Field, Key, TableReader, key};
use super::scalars::Range;
use super::tree::Value;
use crate::source::{Problem, Span, Spanned};

const NAME: Key = key("name", "\"train\"");
const STEPS: Key = key("steps", "10_000");
const DURATION: Key = key("duration", "\"10 s\"");
const EPOCHS: Key = key("epochs", "1");
const PART: Key = key("part", "[{ name = \"wake\", steps = 100 }]");
const OVER: Key = key("over", "\"digits\"");
const REPEAT: Key = key("repeat", "20");
const LEARN: Key = key("learn", "false");
const SET: Key = key("set", "{ lambda = 0 }");
const INPUT: Key = key("input", "{ digits = \"test\" }");
const SPLIT: Key = key("split", "\"test\"");
const SACCADE: Key = key("saccade", "0");
const TRIAL: Key = key("trial", "{ steps = 4 }");
const TRIAL_STEPS: Key = key("steps", "4");
const REPLAY: Key = key("replay", "true");
const KEEP: Key = key("keep", "[\"baseline\"]");
const SEED: Key = key("seed", "1111");

/// Stages within stages.
const DEPTH_LIMIT: usize = 4;

/// Names of stages, at whatever depth: recordings and measures refer to them.
type Names = IndexMap<String, Span>;

/// Reads the stages in a list of tables, and those within them.
pub(super) fn read_all(field: &Field<'_>, context: &mut Context) -> Vec<Stage> {
    read_list(field, context, &mut Names::new(), 1).unwrap_or_default()
}

fn read_list(
    field: &Field<'_>,
    context: &mut Context,
    names: &mut Names,
    depth: usize,
) -> Option<Vec<Stage>> {
    if depth > DEPTH_LIMIT {
        let expected = format!("at most {DEPTH_LIMIT} levels of stages");
        return field.refuse(context, "one level too deep", &expected);
    }
    let header = format!("stage{}", ".part".repeat(depth - 1));
    let tables = field.tables(
        context,
        Section {
            path: "stage",
            header: &header,
            by_name: true,
        },
    );
    let stages = tables
        .iter()
        .filter_map(|table| read(table, context, names, depth));
    Some(stages.collect())
}

fn read(
    field: &Field<'_>,
    context: &mut Context,
    names: &mut Names,
    depth: usize,
) -> Option<Stage> {
    let mut reader = TableReader::open(context, field)?;
    let span = reader.span;
    let name = reader.require(NAME, Field::name);
    if let Some(name) = &name {
        check(
            reader.context,
            "stage",
            NameKind::Label,
            &name.value,
            name.span,
        );
        check_new(name, names, reader.context);
    }
    let length = length(&mut reader, names, depth);
    let repeat = reader.accept(REPEAT, |field, context| field.whole(context, 1));
    let learn = reader.accept(LEARN, learn);
    let set = reader.accept(SET, set).unwrap_or_default();
    let inputs = reader.accept(INPUT, inputs).unwrap_or_default();
    let trial = reader.accept(TRIAL, trial);
    let seed = reader.accept(SEED, |field, context| field.whole(context, 0));
    let parts = matches!(length, Some(StageLength::Parts(_)));
    for (key, place) in [
        ("trial", trial.as_ref().map(|trial| trial.steps.span)),
        ("seed", seed.as_ref().map(|seed| seed.span)),
    ] {
        if let Some(place) = place.filter(|_| parts) {
            let message = format!("`{key}` belongs to a stage that runs steps, this one has parts");
            let problem = Problem::new(message, place, "given to a stage with parts");
            let help = format!("write `{key}` in each part that should have it");
            reader.context.report(problem.help(help));
        }
    }
    reader.finish();
    Some(Stage {
        trial,
        seed,
        name: name?,
        length: length?,
        repeat: repeat.unwrap_or_else(|| Spanned::new(1, span)),
        learn: learn.unwrap_or(LearnSwitch::Inherit),
        set,
        inputs,
        span,
    })
}

fn length(
    reader: &mut TableReader<'_, '_>,
    names: &mut Names,
    depth: usize,
) -> Option<StageLength> {
    let (kind, field) = reader.one_of(&[STEPS, DURATION, EPOCHS, PART])?;
    match kind {
        "steps" if reader.context.stepless => {
            let problem = field.problem("a number of steps", "`duration` instead of `steps`");
            let help = "the circuit has no steps: write `duration = \"10 s\"`, or give it `step = \"1 ms\"`";
            reader.context.report(problem.help(help));
            None
        }
        "steps" => {
            let steps = field.whole(reader.context, 1)?;
            let steps = Spanned::new(super::model::Duration::Steps(steps.value), steps.span);
            Some(StageLength::For(steps))
        }
        "duration" => {
            let time = field.time(reader.context, Range::POSITIVE)?;
            let time = Spanned::new(super::model::Duration::Time(time.value), time.span);
            Some(StageLength::For(time))
        }
        "epochs" => {
            let count = field.whole(reader.context, 1);
            let over = reader.accept(OVER, Field::name);
            Some(StageLength::Epochs {
                count: count?,
                over,
            })
        }
        _ => read_list(&field, reader.context, names, depth + 1).map(StageLength::Parts),
    }
}

/// The trials that a stage is made of.
fn trial(field: &Field<'_>, context: &mut Context) -> Option<Trial> {
    let mut reader = TableReader::open(context, field)?;
    let steps = reader.require(TRIAL_STEPS, |field, context| field.whole(context, 1));
    let replay = reader.accept(REPLAY, Field::flag);
    let keep = reader.accept(KEEP, Field::names);
    reader.finish();
    Some(Trial {
        steps: steps?,
        replay: replay.unwrap_or(false),
        keep: keep.unwrap_or_default(),
    })
}

/// All, none, or a list of projections and biases.
fn learn(field: &Field<'_>, context: &mut Context) -> Option<LearnSwitch> {
    match &field.node.value {
        Value::Flag(true) => Some(LearnSwitch::All),
        Value::Flag(false) => Some(LearnSwitch::None),
        Value::List(_) | Value::Text { .. } => field.names(context).map(LearnSwitch::Only),
        _ => {
            field.wrong_kind(context, "true, false, or a list of projections and biases");
            None
        }
    }
}

fn set(field: &Field<'_>, context: &mut Context) -> Option<IndexMap<String, Spanned<Schedule>>> {
    let reader = TableReader::open(context, field)?;
    let mut set = IndexMap::new();
    for (key, entry) in reader.others() {
        let field = Field::named(&field.path, key, "0", &entry.node);
        set.extend(
            field
                .schedule(reader.context)
                .map(|schedule| (key.to_owned(), schedule)),
        );
    }
    Some(set)
}

fn inputs(field: &Field<'_>, context: &mut Context) -> Option<IndexMap<String, StageInput>> {
    let reader = TableReader::open(context, field)?;
    let mut inputs = IndexMap::new();
    for (key, entry) in reader.others() {
        let field = Field::named(&field.path, key, "\"test\"", &entry.node);
        let input = stage_input(&field, reader.context);
        inputs.extend(input.map(|input| (key.to_owned(), input)));
    }
    Some(inputs)
}

/// The name of a split, or a table with it.
fn stage_input(field: &Field<'_>, context: &mut Context) -> Option<StageInput> {
    if field.node.table().is_none() {
        let split = field.name(context)?;
        return Some(StageInput {
            split,
            saccade: None,
        });
    }
    let mut reader = TableReader::open(context, field)?;
    let split = reader.require(SPLIT, Field::name);
    let saccade = reader.accept(SACCADE, |field, context| {
        field.number(context, Range::PROBABILITY)
    });
    reader.finish();
    Some(StageInput {
        split: split?,
        saccade,
    })
}

/// Every stage has a name of its own.
fn check_new(name: &Name, names: &mut Names, context: &mut Context) {
    let Some(first) = names.get(&name.value) else {
        names.insert(name.value.clone(), name.span);
        return;
    };
    let problem = Problem::new(
        format!("two stages have the name `{}`", name.value),
        name.span,
        "the second",
    )
    .also(*first, "the first")
    .help("give each stage a name of its own");
    context.report(problem);
}
