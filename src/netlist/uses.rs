//! `use = ["impression"]`: putting library files into a netlist.

use std::path::Path;

use super::files::{self, FileError};
use super::model::Name;
use super::parse::{self, Parsed};
use super::reader::{Context, Field, Key, TableReader, key};
use super::shelf::Shelf;
use super::tree::{Entry, Node, Table, Value};
use crate::source::{Problem, SourceMap, Span, suggest};

pub(super) const USE: Key = key("use", "[\"impression\"]");
const ABOUT: Key = key("about", "\"What these models are.\"");

/// Sections that a library file may have.
pub(super) const SECTIONS: [Key; 2] = [key("neuron", "…"), key("rule", "…")];

/// Where library files are looked for.
pub(super) struct Places<'a> {
    /// Folder of the netlist, for paths in `use`.
    pub base: &'a Path,
    /// Folder whose files take precedence over the embedded ones.
    pub models: Option<&'a Path>,
}

/// Adds the neurons and rules of all files that the netlist uses to its tree. Returns whether the
/// rest may be read: not after a syntax error that swallows text.
pub(super) fn resolve(
    root: &mut Table,
    sources: &mut SourceMap,
    places: &Places<'_>,
    context: &mut Context,
) -> bool {
    let Some(entry) = root.entries.shift_remove(USE.name) else {
        return true;
    };
    let field = Field::new("", USE, &entry.node);
    if field.node.list().is_some_and(<[Node]>::is_empty) {
        return true;
    }
    let names = field.each(context, "a list of library files", |field, context| {
        // A name that cannot be read is reported; the others are used all the same.
        Some(field.name(context))
    });
    let names: Vec<Name> = names.unwrap_or_default().into_iter().flatten().collect();
    let shelf = match Shelf::open(places.models) {
        Ok(shelf) => shelf,
        Err(error) => {
            context.report(models_unreadable(sources, places.models, &error));
            return true;
        }
    };
    let mut whole = true;
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names
            .iter()
            .take(index)
            .find(|other| other.value == name.value)
        {
            context.report(used_twice(name, first));
        } else if let Some((file, text)) = open(name, &shelf, places, context) {
            let source = sources.add(file, text.as_str());
            let parsed = parse::document(source, &text);
            whole &= !parsed.torn;
            add(root, parsed, Span::new(source, 0, 0), context);
        }
    }
    whole
}

fn used_twice(name: &Name, first: &Name) -> Problem {
    Problem::new(
        format!("`{}` is used twice", name.value),
        name.span,
        "again",
    )
    .also(first.span, "the first time")
    .help("name each library file once")
}

/// Name and text of a library file.
fn open(
    name: &Name,
    shelf: &Shelf,
    places: &Places<'_>,
    context: &mut Context,
) -> Option<(String, String)> {
    let found = if name.value.ends_with(".toml") {
        let path = places.base.join(&name.value);
        Some((path.display().to_string(), files::read_text(&path)))
    } else {
        shelf.text(&name.value)
    };
    match found {
        Some((file, Ok(text))) => Some((file, text)),
        Some((file, Err(error))) => {
            let message = format!("the library file `{file}` cannot be used");
            context.report(Problem::new(message, name.span, error.to_string()).help(error.help()));
            None
        }
        None => {
            let message = format!("there is no library file `{}`", name.value);
            let problem = Problem::new(message, name.span, "not known");
            let own = "a file of your own is named by its path, ending in .toml";
            context.report(problem.help(match suggest(&name.value, shelf.stems()) {
                Some(help) => format!("{help} ({own})"),
                None => own.to_owned(),
            }));
            None
        }
    }
}

/// Says that the folder of models cannot be read.
pub(super) fn models_unreadable(
    sources: &mut SourceMap,
    models: Option<&Path>,
    error: &FileError,
) -> Problem {
    let folder = models
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    let source = sources.add(folder, "");
    let message = "the folder of models cannot be read";
    Problem::new(message, Span::new(source, 0, 0), error.to_string())
        .help("name an existing folder")
}

/// Adds a library file's neurons and rules to the netlist's.
fn add(root: &mut Table, parsed: Parsed, top: Span, context: &mut Context) {
    let library = check(parsed, top, context);
    for section in SECTIONS {
        let Some(Value::Table(models)) = library.get(section.name).map(|node| &node.value) else {
            continue;
        };
        let empty = Node {
            value: Value::Table(Table::default()),
            span: top,
        };
        let entry = root.entries.entry(section.name.to_owned());
        let Some(own) = entry
            .or_insert(Entry {
                key: top,
                node: empty,
            })
            .node
            .table_mut()
        else {
            continue;
        };
        for (name, model) in &models.entries {
            if let Some(first) = own.entries.get(name) {
                let message = format!("the {} `{name}` is defined twice", section.name);
                let problem = Problem::new(message, first.key, "defined here")
                    .also(model.key, "and here")
                    .help(format!(
                        "rename one of them; `like = \"{name}\"` makes a changed copy"
                    ));
                context.report(problem);
            } else {
                own.entries.insert(name.clone(), model.clone());
            }
        }
    }
}

/// A library file's tree, once its syntax errors and what does not belong there are reported.
pub(super) fn check(parsed: Parsed, top: Span, context: &mut Context) -> Table {
    context.report_syntax(parsed.problems);
    if !parsed.torn {
        check_keys(&parsed.table, top, context);
    }
    parsed.table
}

fn check_keys(table: &Table, top: Span, context: &mut Context) {
    let mut reader = TableReader::new(context, String::new(), table, top);
    reader.accept(ABOUT, Field::prose);
    for section in SECTIONS {
        if let Some(field) = reader.optional(section) {
            TableReader::open(reader.context, &field);
        }
    }
    for (name, entry) in reader.others() {
        let message = format!("`{name}` does not belong in a library file");
        let problem = Problem::new(message, entry.key, "not known here");
        let help = "a library file holds `[neuron.…]`, `[rule.…]` and `about`";
        reader.context.report(problem.help(help));
    }
}
