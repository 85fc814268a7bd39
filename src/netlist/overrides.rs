//! `--set path=value`: changes of a netlist from the command line.

use super::document::sections;
use super::parse;
use super::reader::Context;
use super::tree::{Entry, Node, Table, Value};
use crate::source::{Problem, SourceId, Span, suggest};

/// One key of a path and its place.
struct Step<'t> {
    name: &'t str,
    span: Span,
}

/// Applies one override, which is a text of its own; what is wrong with it is reported.
pub(super) fn apply(root: &mut Table, source: SourceId, text: &str, context: &mut Context) {
    if let Err(problem) = try_apply(root, source, text) {
        context.report(problem);
    }
}

fn try_apply(root: &mut Table, source: SourceId, text: &str) -> Result<(), Problem> {
    let whole = Span::new(source, 0, text.len());
    let Some((path, value)) = text.split_once('=') else {
        return Err(Problem::new(
            "an override without a value",
            whole,
            "expected `path=value`",
        )
        .help(format!("write for example `--set {}=1`", text.trim())));
    };
    let steps = split(source, path)?;
    let node = read_value(source, path.len() + 1, value)?;
    let Some((first, rest)) = steps.split_first() else {
        return Ok(());
    };
    if first.name == "use" {
        return Err(
            Problem::new("`use` cannot be overridden", whole, "not changed")
                .help("change it in the netlist, or copy the netlist"),
        );
    }
    if rest.is_empty() && sections().any(|section| section == first.name) {
        return Err(Problem::new(
            "an override of a whole section",
            whole,
            "expected a longer path",
        )
        .help("name the key, with dots between: `--set circuit.seed=2`"));
    }
    match first.name {
        "stage" => in_stage(root, first, rest, node),
        "record" => in_recording(root, first, rest, node),
        name if sections().any(|section| section == name) => set(root, &steps, node),
        _ => Err(unknown(first, "section", sections())),
    }
}

/// The keys of a path.
fn split(source: SourceId, path: &str) -> Result<Vec<Step<'_>>, Problem> {
    let mut steps = Vec::new();
    let mut at = 0;
    for part in path.split('.') {
        let name = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        let span = Span::new(source, start, start + name.len());
        if name.is_empty() {
            return Err(
                Problem::new("a path with an empty key", span, "expected a key")
                    .help("write keys with one dot between: `population.latent.size`"),
            );
        }
        steps.push(Step { name, span });
        at += part.len() + 1;
    }
    if steps.len() > parse::DEPTH_LIMIT {
        return Err(Problem::new(
            "a path with too many keys",
            Span::new(source, 0, path.len()),
            "",
        ));
    }
    Ok(steps)
}

/// The value as TOML, or as a text if it does not look like TOML.
fn read_value(source: SourceId, offset: usize, text: &str) -> Result<Node, Problem> {
    let value = text.trim();
    let offset = offset + (text.len() - text.trim_start().len());
    let span = Span::new(source, offset, offset + value.len());
    let as_text = Node {
        value: Value::Text {
            text: value.to_owned(),
            inner: span,
        },
        span,
    };
    match parse::value(source, offset, value) {
        Some(Node {
            value: Value::Date(_),
            ..
        }) => Ok(as_text),
        Some(node) => Ok(node),
        None if value.starts_with(['[', '{', '"', '\'']) => Err(Problem::new(
            "this value cannot be read",
            span,
            "expected a value as in a netlist",
        )
        .help("close every bracket and quote, and quote the whole override for the shell")),
        None => Ok(as_text),
    }
}

/// Puts a value at the end of a path, making tables on the way.
fn set(table: &mut Table, path: &[Step<'_>], node: Node) -> Result<(), Problem> {
    let Some((last, path)) = path.split_last() else {
        return Ok(());
    };
    let mut table = table;
    for step in path {
        let empty = Node {
            value: Value::Table(Table::default()),
            span: step.span,
        };
        let entry = table.entries.entry(step.name.to_owned());
        let entry = entry.or_insert(Entry {
            key: step.span,
            node: empty,
        });
        let (kind, place) = (entry.node.value.kind(), entry.node.span);
        let Some(inner) = entry.node.table_mut() else {
            let message = format!("`{}` is {kind}, so it has no keys", step.name);
            return Err(Problem::new(message, step.span, "expected a table here")
                .also(place, "this is its value")
                .help(format!(
                    "end the path at `{}`, or set a table: `{{ key = value }}`",
                    step.name
                )));
        };
        table = inner;
    }
    table.entries.insert(
        last.name.to_owned(),
        Entry {
            key: last.span,
            node,
        },
    );
    Ok(())
}

/// Sets a key of a stage, which its name finds at any depth.
fn in_stage(
    root: &mut Table,
    list: &Step<'_>,
    path: &[Step<'_>],
    node: Node,
) -> Result<(), Problem> {
    let Some((name, rest)) = path.split_first() else {
        return Ok(());
    };
    let stages = root.entries.get_mut(list.name).map(|entry| &mut entry.node);
    let mut known = Vec::new();
    let place = stages
        .as_ref()
        .and_then(|stages| find(stages, name.name, &mut known));
    let found = place.and_then(|place| descend(stages?, &place));
    let Some(stage) = found else {
        return Err(unknown(name, "stage", known.iter().map(String::as_str)));
    };
    match rest {
        [] => Err(Problem::new(
            "an override of a whole stage",
            name.span,
            "expected a key after this",
        )
        .help(format!(
            "write for example `--set stage.{}.steps=1000`",
            name.name
        ))),
        [part, inner @ ..] if part.name == "part" && !inner.is_empty() => {
            in_stage(stage, part, inner, node)
        }
        _ => set(stage, rest, node),
    }
}

/// Indices that lead to a stage, and the names of all stages on the way.
fn find(list: &Node, name: &str, known: &mut Vec<String>) -> Option<Vec<usize>> {
    for (index, node) in list.list()?.iter().enumerate() {
        let Some(stage) = node.table() else { continue };
        let own = stage.get("name").and_then(Node::text);
        if own == Some(name) {
            return Some(vec![index]);
        }
        known.extend(own.map(str::to_owned));
        if let Some(mut place) = stage.get("part").and_then(|parts| find(parts, name, known)) {
            place.insert(0, index);
            return Some(place);
        }
    }
    None
}

/// The table to which indices lead through `part`.
fn descend<'t>(list: &'t mut Node, place: &[usize]) -> Option<&'t mut Table> {
    let (first, rest) = place.split_first()?;
    let Value::List(nodes) = &mut list.value else {
        return None;
    };
    let table = nodes.get_mut(*first)?.table_mut()?;
    if rest.is_empty() {
        return Some(table);
    }
    descend(&mut table.entries.get_mut("part")?.node, rest)
}

/// Sets a key of a recording, which goes by its index.
fn in_recording(
    root: &mut Table,
    list: &Step<'_>,
    path: &[Step<'_>],
    node: Node,
) -> Result<(), Problem> {
    let Some((index, rest)) = path.split_first() else {
        return Ok(());
    };
    let list = root
        .entries
        .get_mut(list.name)
        .map(|entry| &mut entry.node.value);
    let nodes = match list {
        Some(Value::List(nodes)) => nodes.as_mut_slice(),
        _ => &mut [],
    };
    let count = nodes.len();
    let found = index
        .name
        .parse::<usize>()
        .ok()
        .and_then(|index| nodes.get_mut(index)?.table_mut());
    let Some(recording) = found else {
        let message = format!("there is no recording `{}`", index.name);
        let help = match count {
            0 => "the netlist has no `[[record]]`".to_owned(),
            1 => "the netlist has one recording, 0".to_owned(),
            _ => format!("the netlist has {count} recordings, 0 to {}", count - 1),
        };
        return Err(
            Problem::new(message, index.span, "expected the index of a recording").help(help),
        );
    };
    if rest.is_empty() {
        let problem = Problem::new(
            "an override of a whole recording",
            index.span,
            "expected a key after this",
        );
        return Err(problem.help(format!(
            "write for example `--set record.{}.every=1000`",
            index.name
        )));
    }
    set(recording, rest, node)
}

fn unknown<'a>(
    step: &Step<'_>,
    what: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let problem = Problem::new(
        format!("there is no {what} `{}`", step.name),
        step.span,
        "not known",
    );
    let help = suggest(step.name, known);
    problem.help(help.unwrap_or_else(|| format!("there are no {what}s here")))
}
