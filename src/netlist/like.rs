//! `like = "other"`: a table that is another one with some keys changed.

use indexmap::{IndexMap, IndexSet};

use super::reader::Context;
use super::tree::{Entry, Node, Table, Value};
use super::{distribution, membrane, projection, schedule, spiking};
use crate::source::{Problem, suggest};

const LIKE: &str = "like";

/// Sub-tables whose keys are names, so that none excludes another.
const PLAIN: [&str; 6] = ["parameter", "split", "reset", "add", "receptor", "plateau"];

/// Keys of a bias that is more than a distribution.
const BIAS: [&str; 2] = ["start", "learn"];

/// A key and another one that it replaces.
const REPLACES: [(&str, &str); 11] = [
    ("value", "derivative"),
    ("derivative", "value"),
    ("value", "schedule"),
    ("schedule", "value"),
    ("schedule", "start"),
    ("schedule", "every"),
    ("schedule", "released"),
    ("value", "released"),
    ("released", "value"),
    ("released", "every"),
    ("released", "schedule"),
];

/// Replaces each table of a section that has `like` by what it stands for.
pub(super) fn resolve(section: &mut Table, kind: &str, context: &mut Context) {
    let mut done: IndexMap<String, Value> = IndexMap::new();
    for start in section.entries.keys() {
        let mut chain: IndexSet<String> = IndexSet::new();
        let mut next = Some(start.clone());
        let mut sound = true;
        while let Some(name) = next.take().filter(|name| !done.contains_key(name)) {
            let base = base(section, kind, &name, context);
            chain.insert(name);
            match base {
                Ok(Some(base)) if chain.contains(&base) => {
                    context.report(circle(section, &chain, &base));
                    sound = false;
                }
                Ok(base) => next = base,
                Err(()) => sound = false,
            }
        }
        fill(section, &chain, sound, &mut done);
    }
    for (name, value) in done {
        if let Some(entry) = section.entries.get_mut(&name) {
            entry.node.value = value;
        }
    }
}

/// The name of the table that a table is like; an error is reported.
fn base(
    section: &Table,
    kind: &str,
    name: &str,
    context: &mut Context,
) -> Result<Option<String>, ()> {
    let like = section
        .get(name)
        .and_then(Node::table)
        .and_then(|table| table.get(LIKE));
    let Some(like) = like else { return Ok(None) };
    match &like.value {
        Value::Text { text, .. } if section.entries.contains_key(text) => Ok(Some(text.clone())),
        Value::Text { text, inner } => {
            let problem = Problem::new(
                format!("there is no {kind} `{text}`"),
                *inner,
                "not defined",
            );
            let others = section.keys().filter(|other| *other != name);
            context.report(match suggest(text, others) {
                Some(help) => problem.help(help),
                None => problem,
            });
            Err(())
        }
        Value::Broken => Err(()),
        other => {
            let message = format!("`{kind}.{name}.like` is {}", other.kind());
            let problem =
                Problem::new(message, like.span, format!("expected the name of a {kind}"));
            context.report(problem.help(format!("write for example `like = \"my-{kind}\"`")));
            Err(())
        }
    }
}

/// Says that a chain of `like` comes back to `first`.
fn circle(section: &Table, chain: &IndexSet<String>, first: &str) -> Problem {
    let round: Vec<&String> = chain.iter().skip_while(|name| *name != first).collect();
    let names: Vec<String> = round.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "`like` goes round in a circle: {}, `{first}`",
        names.join(", ")
    );
    let places = round
        .iter()
        .filter_map(|name| section.get(name)?.table()?.get(LIKE));
    let labels = places
        .map(|node| (node.span, "like this one".to_owned()))
        .collect();
    let help = "leave `like` out of one of them, and give all its keys".to_owned();
    Problem {
        message,
        labels,
        help: Some(help),
    }
}

/// Makes the tables of a chain, the last first; of a chain with a mistake, nothing can be said.
fn fill(
    section: &Table,
    chain: &IndexSet<String>,
    sound: bool,
    done: &mut IndexMap<String, Value>,
) {
    let mut base = match chain
        .last()
        .and_then(|last| section.get(last)?.table()?.get(LIKE)?.text())
    {
        Some(already) if sound => done.get(already).cloned(),
        _ => None,
    };
    for name in chain.iter().rev() {
        let Some(node) = section.get(name) else {
            continue;
        };
        let value = match (&node.value, &base) {
            _ if !sound => Value::Broken,
            (Value::Table(over), Some(Value::Table(base))) => {
                Value::Table(merged(base, over, false))
            }
            (_, Some(Value::Broken)) => Value::Broken,
            (own, _) => own.clone(),
        };
        let value = match value {
            Value::Table(mut table) => {
                table.entries.shift_remove(LIKE);
                Value::Table(table)
            }
            other => other,
        };
        base = Some(value.clone());
        done.insert(name.clone(), value);
    }
}

/// `base` with what `over` says instead; `plain` tables hold names, not alternatives.
fn merged(base: &Table, over: &Table, plain: bool) -> Table {
    let mut table = base.clone();
    for (new, old) in REPLACES {
        if !plain && over.get(new).is_some() {
            table.entries.shift_remove(old);
        }
    }
    // Another kind of receptor has other time constants.
    let kind = |table: &Table| table.get("current").and_then(Node::text).map(str::to_owned);
    if !plain && base.get("on").is_some() && kind(over).is_some_and(|new| kind(base) != Some(new)) {
        for key in spiking::TIME_CONSTANTS {
            table.entries.shift_remove(key);
        }
    }
    for (key, entry) in &over.entries {
        let node = match (base.get(key).map(|node| &node.value), &entry.node.value) {
            (Some(Value::Table(old)), Value::Table(new)) if plain || !chooses_anew(old, new) => {
                let value = Value::Table(merged(old, new, PLAIN.contains(&key.as_str())));
                Node {
                    value,
                    span: entry.node.span,
                }
            }
            _ => entry.node.clone(),
        };
        table.entries.insert(
            key.clone(),
            Entry {
                key: entry.key,
                node,
            },
        );
    }
    table
}

/// Whether a table chooses another of several alternatives than the one that it overrides, as
/// `{ uniform = … }` over `{ normal = … }` or another rule: then nothing of the old one stays.
fn chooses_anew(old: &Table, new: &Table) -> bool {
    let drawn: Vec<&str> = distribution::KINDS
        .into_iter()
        .chain(["bumps"])
        .chain(BIAS)
        .collect();
    let groups: [&[&str]; 6] = [
        &drawn,
        &schedule::KINDS,
        &projection::KINDS,
        &spiking::TRIGGERS,
        &spiking::BURSTS,
        &["derivative", membrane::CAPACITANCE.name],
    ];
    let differs = groups.iter().any(|group| {
        let has = |table: &Table, key: &str| table.get(key).is_some();
        let any = |table: &Table| group.iter().any(|key| has(table, key));
        any(old) && any(new) && !group.iter().any(|key| has(old, key) && has(new, key))
    });
    let rule = |table: &Table| table.get("rule").and_then(Node::text).map(str::to_owned);
    differs || (rule(new).is_some() && rule(old) != rule(new))
}
