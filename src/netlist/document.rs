//! Putting a netlist together: the file, the library files it uses, overrides, and every section.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::model::{Name, Netlist};
use super::names::{self, NameKind};
use super::parse;
use super::reader::{Context, Field, Key, TableReader, key};
use super::tree::{Table, Value};
use super::uses::{self, Places};
use super::{
    circuit, constant, input, like, matrix, measure, modulator, neuron, overrides, population,
    projection,
};
use super::{recording, resolved, rule, spiking, stage};
use crate::source::{Problem, Problems, SourceId, SourceMap, Span, suggest};

const CIRCUIT: Key = key("circuit", "{ name = \"my-circuit\", step = \"1 ms\" }");
const CONSTANT: Key = key("constant", "{ latents = 20 }");
const STAGE: Key = key("stage", "[{ name = \"train\", steps = 1000 }]");
const RECORD: Key = key(
    "record",
    "[{ what = \"weights\", of = \"W\", every = 1000 }]",
);
const TABLE: &str = "{ … }";

/// A section of named tables, and what their names may be.
#[derive(Clone, Copy)]
struct Section {
    key: Key,
    names: NameKind,
}

/// Names that expressions read.
const fn identifiers(name: &'static str) -> Section {
    Section {
        key: key(name, TABLE),
        names: NameKind::Identifier,
    }
}

/// Names that other tables refer to.
const fn labels(name: &'static str) -> Section {
    Section {
        key: key(name, TABLE),
        names: NameKind::Label,
    }
}

const NEURON: Section = labels("neuron");
const RULE: Section = labels("rule");
const MODULATOR: Section = identifiers("modulator");
const INPUT: Section = identifiers("input");
const POPULATION: Section = identifiers("population");
const PROJECTION: Section = labels("projection");
const MEASURE: Section = labels("measure");

const NAMED: [Section; 7] = [
    NEURON, RULE, MODULATOR, INPUT, POPULATION, PROJECTION, MEASURE,
];

/// All sections that an override may change.
pub(super) fn sections() -> impl Iterator<Item = &'static str> + Clone {
    [CIRCUIT, CONSTANT, STAGE, RECORD]
        .into_iter()
        .chain(NAMED.into_iter().map(|section| section.key))
        .map(|key| key.name)
}

/// Reads the text `main` of `sources` as a netlist.
pub(super) fn build(
    mut sources: SourceMap,
    main: SourceId,
    places: &Places<'_>,
    set: &[String],
) -> Result<Netlist, Problems> {
    let text = sources
        .file(main)
        .map(|file| file.text.clone())
        .unwrap_or_default();
    let parsed = parse::document(main, &text);
    let mut context = Context::default();
    context.report_syntax(parsed.problems);
    let mut root = parsed.table;
    let whole = !parsed.torn && uses::resolve(&mut root, &mut sources, places, &mut context);
    if !whole {
        return Err(Problems::new(sources, context.problems));
    }
    for text in set {
        let source = sources.add("--set", text.as_str());
        context.first_override.get_or_insert(source);
        overrides::apply(&mut root, source, text, &mut context);
    }
    let resolved = resolved::write(&root);
    for section in NAMED.map(|section| section.key.name) {
        if let Some(table) = root
            .entries
            .get_mut(section)
            .and_then(|entry| entry.node.table_mut())
        {
            like::resolve(table, section, &mut context);
            if section == PROJECTION.key.name {
                matrix::expand(table, &mut context);
            }
        }
    }
    let netlist = read(&root, Span::new(main, 0, 0), &mut context);
    match netlist {
        Some(netlist) if context.problems.is_empty() => Ok(Netlist {
            resolved,
            sources,
            ..netlist
        }),
        _ => Err(Problems::new(sources, once_each(context))),
    }
}

/// Reads every section; the circuit first, since it fixes the unit of time.
fn read(root: &Table, top: Span, context: &mut Context) -> Option<Netlist> {
    let mut reader = TableReader::new(context, String::new(), root, top);
    if let Some(field) = reader.optional(CONSTANT) {
        constant::read_all(reader.context, &field);
    }
    reader.context.event = spiking::any_spiking(root);
    let circuit = match reader.optional(CIRCUIT) {
        Some(field) => circuit::read(reader.context, &field),
        None => {
            no_circuit(&mut reader);
            None
        }
    };
    let neurons = read_section(&mut reader, NEURON, neuron::read);
    let rules = read_section(&mut reader, RULE, rule::read);
    let modulators = read_section(&mut reader, MODULATOR, modulator::read);
    let inputs = read_section(&mut reader, INPUT, input::read);
    let populations = read_section(&mut reader, POPULATION, population::read);
    let projections = read_section(&mut reader, PROJECTION, projection::read);
    let stages = reader
        .optional(STAGE)
        .map(|field| stage::read_all(&field, reader.context));
    let recordings = reader
        .optional(RECORD)
        .map(|field| recording::read_all(&field, reader.context));
    let measures = read_section(&mut reader, MEASURE, measure::read);
    let constants = std::mem::take(&mut reader.context.constants);
    one_meaning(
        modulators
            .values()
            .map(|m| ("modulator", &m.name))
            .chain(inputs.values().map(|i| ("input", &i.name)))
            .chain(populations.values().map(|p| ("population", &p.name)))
            .chain(constants.values().map(|c| ("constant", &c.name))),
        reader.context,
    );
    reader.optional(uses::USE);
    reader.finish();
    Some(Netlist {
        circuit: circuit?,
        constants,
        neurons,
        rules,
        modulators,
        inputs,
        populations,
        projections,
        stages: stages.unwrap_or_default(),
        recordings: recordings.unwrap_or_default(),
        measures,
        resolved: String::new(),
        sources: SourceMap::default(),
    })
}

fn no_circuit(reader: &mut TableReader<'_, '_>) {
    if reader.context.syntax_errors.is_empty() {
        let problem = Problem::new(
            "the netlist has no `[circuit]` table",
            reader.span,
            "expected in this file",
        );
        let help = "write `[circuit]`, and below it `name = \"my-circuit\"` and `step = \"1 ms\"`";
        reader.context.report(problem.help(help));
    }
}

/// Reads one of the sections of named tables.
fn read_section<T>(
    reader: &mut TableReader<'_, '_>,
    section: Section,
    read: fn(&mut Context, Name, &Field<'_>) -> Option<T>,
) -> IndexMap<String, T> {
    let mut found = IndexMap::new();
    let Some(field) = reader.optional(section.key) else {
        return found;
    };
    let thing = section.key.name;
    let Some(table) = field.node.table() else {
        if field.node.value != Value::Broken {
            let message = format!("`{thing}` is {}", field.node.value.kind());
            let problem = Problem::new(message, field.span(), "expected named tables");
            let help = format!("write `[{thing}.NAME]` for each {thing}, with a name of its own");
            reader.context.report(problem.help(help));
        }
        return found;
    };
    for (name, entry) in &table.entries {
        if !matches!(entry.node.value, Value::Table(_) | Value::Broken) {
            let message = format!("`{thing}.{name}` is {}", entry.node.value.kind());
            let problem = Problem::new(message, entry.key, format!("expected a {thing}'s table"));
            let help =
                format!("begin a {thing} with a header, `[{thing}.NAME]`, and put its keys below");
            reader.context.report(problem.help(help));
            continue;
        }
        let place = names::check(reader.context, thing, section.names, name, entry.key);
        let field = Field::named(thing, name, TABLE, &entry.node);
        let before = reader.context.problems.len();
        found.extend(read(reader.context, place, &field).map(|item| (name.clone(), item)));
        if reader.context.is_override(entry.key) {
            let help = begun_by_override(thing, name, table);
            let new = reader.context.problems.iter_mut().skip(before);
            new.filter(|problem| {
                problem
                    .labels
                    .first()
                    .is_some_and(|(span, _)| *span == entry.node.span)
            })
            .for_each(|problem| problem.help = Some(help.clone()));
        }
    }
    found
}

/// What to say of a table that an override made and left without some of its keys.
fn begun_by_override(thing: &str, name: &str, table: &Table) -> String {
    let help = suggest(name, table.keys().filter(|other| *other != name));
    let help = help.map_or_else(String::new, |help| format!("; {help}"));
    format!("the netlist has no {thing} `{name}`, so `--set` begins a new one{help}")
}

/// Modulators, inputs and populations go by their bare names in expressions, so no two may share one.
fn one_meaning<'a>(all: impl Iterator<Item = (&'static str, &'a Name)>, context: &mut Context) {
    let mut seen: IndexMap<&str, (&str, Span)> = IndexMap::new();
    for (thing, name) in all {
        let Some((other, place)) = seen.insert(&name.value, (thing, name.span)) else {
            continue;
        };
        let message = format!(
            "the {thing} `{}` has the name of {} {other}",
            name.value,
            article(other)
        );
        let problem = Problem::new(message, name.span, format!("the {thing}"))
            .also(place, format!("the {other}"))
            .help("expressions name both alike; give one of them another name");
        context.report(problem);
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}

/// Problems without repetitions: a mistake in a table that others are `like` is found once in each,
/// and what a syntax error stands in is wrong because of it.
fn once_each(context: Context) -> Vec<Problem> {
    let mut seen: HashSet<(Span, String)> = HashSet::new();
    let Context {
        mut problems,
        syntax_errors,
        ..
    } = context;
    let holds_an_error = |span: &Span| {
        let within = |error: &Span| {
            error.source == span.source && span.start <= error.start && error.end <= span.end
        };
        syntax_errors
            .iter()
            .any(|error| error != span && within(error))
    };
    problems.retain(|problem| match problem.labels.first() {
        Some((span, note)) => !holds_an_error(span) && seen.insert((*span, note.clone())),
        None => true,
    });
    problems
}
