//! Writing the tree back as TOML: the netlist as it was run.

use std::fmt::Write;

use super::tree::{Node, Table, Value};

/// A netlist without its `use`, whose models are in the tree. Reading it gives the same netlist.
pub(super) fn write(root: &Table) -> String {
    let mut out = String::new();
    for (name, entry) in root.entries.iter().filter(|(name, _)| *name != "use") {
        match &entry.node.value {
            Value::List(tables) => list_of_tables(&mut out, &key(name), tables),
            Value::Table(table)
                if table
                    .entries
                    .values()
                    .all(|entry| entry.node.table().is_some()) =>
            {
                for (inner, entry) in &table.entries {
                    if let Some(table) = entry.node.table() {
                        section(&mut out, &format!("[{}.{}]", key(name), key(inner)), table);
                    }
                }
            }
            Value::Table(table) => section(&mut out, &format!("[{}]", key(name)), table),
            // Nothing else is valid at the top.
            _ => {}
        }
    }
    out
}

/// A header and the keys below it, each on a line.
fn section(out: &mut String, header: &str, table: &Table) {
    lines(
        out,
        header,
        table
            .entries
            .iter()
            .map(|(name, entry)| (name, &entry.node)),
    );
}

fn lines<'a>(
    out: &mut String,
    header: &str,
    entries: impl Iterator<Item = (&'a String, &'a Node)>,
) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(header);
    out.push('\n');
    for (name, node) in entries {
        out.push_str(&key(name));
        out.push_str(" = ");
        inline(out, &node.value);
        out.push('\n');
    }
}

/// Tables with a header each; stages hold further ones.
fn list_of_tables(out: &mut String, path: &str, tables: &[Node]) {
    const PART: &str = "part";
    for table in tables.iter().filter_map(Node::table) {
        let own = table.entries.iter().filter(|(name, _)| *name != PART);
        lines(
            out,
            &format!("[[{path}]]"),
            own.map(|(name, entry)| (name, &entry.node)),
        );
        if let Some(Value::List(parts)) = table.get(PART).map(|node| &node.value) {
            list_of_tables(out, &format!("{path}.{PART}"), parts);
        }
    }
}

/// A value on one line, but for texts of several lines.
fn inline(out: &mut String, value: &Value) {
    match value {
        Value::Text { text, .. } => out.push_str(&quoted(text)),
        Value::Whole(number) => drop(write!(out, "{number}")),
        Value::Number(number) if number.is_nan() => out.push_str("nan"),
        Value::Number(number) => drop(write!(out, "{number:?}")),
        Value::Flag(flag) => drop(write!(out, "{flag}")),
        Value::Date(date) => out.push_str(date),
        Value::Broken => out.push_str("\"\""),
        Value::List(nodes) => {
            out.push('[');
            for (index, node) in nodes.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                inline(out, &node.value);
            }
            out.push(']');
        }
        Value::Table(table) => {
            out.push_str("{ ");
            for (index, (name, entry)) in table.entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(&key(name));
                out.push_str(" = ");
                inline(out, &entry.node.value);
            }
            out.push_str(" }");
        }
    }
}

/// A key, in quotes if it needs them.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted_line(name)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A text in quotes on one line, as keys need it.
fn quoted_line(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
