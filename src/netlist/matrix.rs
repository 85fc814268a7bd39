//! Projections between lists of populations: `from` and `to` may be lists, and numbers matrices with a row for each of
//! `from` and a column for each of `to`. Each pair becomes a projection of its own.

use super::reader::Context;
use super::tree::{Entry, Node, Table, Value};
use crate::source::Problem;

const FROM: &str = "from";
const TO: &str = "to";
const CONNECT: &str = "connect";

/// Keys of a pattern in which 0 stands for no projection at all.
const NUMBERS: [&str; 4] = ["probability", "in-degree", "out-degree", "total"];

/// Keys that hold no numbers of their own: their lists mean something else.
const WHOLE: [&str; 3] = [FROM, TO, "learn"];

/// Replaces each projection between lists by one for each pair.
pub(super) fn expand(section: &mut Table, context: &mut Context) {
    let all = std::mem::take(&mut section.entries);
    for (name, entry) in all {
        let ends = entry
            .node
            .table()
            .map(|table| (end(table, FROM), end(table, TO)));
        match ends {
            Some((Some(from), Some(to))) if from.is_list || to.is_list => {
                for (name, entry) in pairs(&name, &entry, (&from, &to), context) {
                    section.entries.insert(name, entry);
                }
            }
            _ => drop(section.entries.insert(name, entry)),
        }
    }
}

/// One end of a projection: what it names, in a list or alone.
struct End<'t> {
    nodes: Vec<&'t Node>,
    is_list: bool,
}

/// An end, if it is a text or a list of some.
fn end<'t>(table: &'t Table, key: &str) -> Option<End<'t>> {
    let node = table.get(key)?;
    match node.list() {
        None => node.text().map(|_| End {
            nodes: vec![node],
            is_list: false,
        }),
        Some(list) => {
            let texts = !list.is_empty() && list.iter().all(|node| node.text().is_some());
            texts.then(|| End {
                nodes: list.iter().collect(),
                is_list: true,
            })
        }
    }
}

/// The projections of all pairs, by name.
fn pairs(
    name: &str,
    entry: &Entry,
    (from, to): (&End<'_>, &End<'_>),
    context: &mut Context,
) -> Vec<(String, Entry)> {
    let Some(table) = entry.node.table() else {
        return vec![];
    };
    let size = (from.nodes.len(), to.nodes.len());
    if !fits(name, table, size, context) {
        return vec![];
    }
    let mut found = Vec::new();
    for (row, source) in from.nodes.iter().enumerate() {
        for (column, target) in to.nodes.iter().enumerate() {
            let mut table = table.clone();
            for (key, value) in &mut table.entries {
                match key.as_str() {
                    FROM => value.node = (*source).clone(),
                    TO => value.node = (*target).clone(),
                    key if WHOLE.contains(&key) => {}
                    _ => choose(&mut value.node, (row, column)),
                }
            }
            if is_nothing(&table) {
                continue;
            }
            let part = |node: &Node| node.text().unwrap_or("").replace('.', "-");
            let pair = format!("{name}-{}-{}", part(source), part(target));
            let node = Node {
                value: Value::Table(table),
                span: entry.node.span,
            };
            let key = entry.key;
            found.push((pair, Entry { key, node }));
        }
    }
    found
}

/// The rows of a matrix: a list of lists.
fn matrix(node: &Node) -> Option<Vec<&[Node]>> {
    let rows = node.list()?.iter().map(Node::list);
    rows.collect::<Option<Vec<&[Node]>>>()
        .filter(|rows| !rows.is_empty())
}

/// Whether all matrices of a table have as many rows and columns as there are ends; what does not is reported.
fn fits(name: &str, table: &Table, size: (usize, usize), context: &mut Context) -> bool {
    let mut fit = true;
    for (key, entry) in &table.entries {
        if WHOLE.contains(&key.as_str()) {
            continue;
        }
        if let Some(inner) = entry.node.table() {
            fit &= fits(&format!("{name}.{key}"), inner, size, context);
        }
        let Some(rows) = matrix(&entry.node) else {
            continue;
        };
        let right = |found: usize, needed: usize| found == needed || found == 1;
        let wrong = rows.iter().find(|row| !right(row.len(), size.1));
        if right(rows.len(), size.0) && wrong.is_none() {
            continue;
        }
        fit = false;
        let found = format!("{} × {}", rows.len(), wrong.unwrap_or(&rows[0]).len());
        let message = format!("`{key}` of projection `{name}` is a matrix of {found} numbers");
        let note = format!("{} × {} are needed", size.0, size.1);
        let problem = Problem::new(message, entry.node.span, note);
        context.report(problem.help(
            "write a row for each of `from`, with a number for each of `to`; a single row, or a single number in each \
             row, stands for all",
        ));
    }
    fit
}

/// Puts the number of a pair in place of a matrix, at any depth of tables.
fn choose(node: &mut Node, (row, column): (usize, usize)) {
    if let Some(table) = node.table_mut() {
        for entry in table.entries.values_mut() {
            choose(&mut entry.node, (row, column));
        }
        return;
    }
    let chosen = matrix(node).and_then(|rows| {
        let row = rows.get(row.min(rows.len() - 1))?;
        row.get(column.min(row.len().max(1) - 1)).cloned()
    });
    if let Some(chosen) = chosen {
        *node = chosen;
    }
}

/// Whether a pair has no connections: the number of its pattern is 0.
fn is_nothing(table: &Table) -> bool {
    let pattern = table.get(CONNECT).and_then(Node::table);
    let zero = |node: &Node| match node.value {
        Value::Whole(n) => n == 0,
        Value::Number(x) => x.abs() <= 0.0,
        _ => false,
    };
    let numbers = NUMBERS.iter().filter_map(|key| pattern?.get(key));
    numbers.into_iter().any(zero)
}
