//! From TOML text to the tree, going on after syntax errors.

use std::ops::Range;
use std::thread;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Error};

use super::syntax;
use super::tree::{Entry, Node, Table, Value};
use crate::source::{Problem, SourceId, Span};

/// Deeper than this no netlist goes; the limit keeps recursion over the tree harmless.
pub(super) const DEPTH_LIMIT: usize = 32;

/// Stack for the parser (bytes). Dotted keys in inline tables reach some 6000 levels before the
/// parser's own limits stop them, and it drops what it made recursively.
const STACK: usize = 32 << 20;

/// What could be read of a text.
pub(super) struct Parsed {
    /// The document, without what has a syntax error in it.
    pub table: Table,
    /// Its syntax errors.
    pub problems: Vec<Problem>,
    /// Whether an error swallowed what follows it, so that nothing should be said of the rest.
    pub torn: bool,
}

/// Reads a whole document.
pub(super) fn document(source: SourceId, text: &str) -> Parsed {
    with_room(|| document_here(source, text)).unwrap_or_else(|| Parsed {
        table: Table::default(),
        problems: vec![Problem::new(
            "this text cannot be read as TOML",
            Span::new(source, 0, 0),
            "",
        )],
        torn: true,
    })
}

fn document_here(source: SourceId, text: &str) -> Parsed {
    let (root, errors) = DeTable::parse_recoverable(text);
    // The parser stops at a key without a value. Without such lines it reads on.
    let Some(cleared) = syntax::without_stops(text, &errors) else {
        return convert(source, text, root.into_inner(), &errors);
    };
    let (root, more) = DeTable::parse_recoverable(&cleared);
    let errors: Vec<Error> = errors.into_iter().chain(more).collect();
    convert(source, text, root.into_inner(), &errors)
}

fn convert(source: SourceId, text: &str, root: DeTable<'_>, errors: &[Error]) -> Parsed {
    let marks = errors.iter().filter_map(syntax::broken_place).collect();
    let mut converter = Converter {
        source,
        offset: 0,
        text,
        marks,
        problems: Vec::new(),
    };
    let table = converter.table(root, 0);
    let mut problems = syntax::explain(source, text, errors);
    problems.append(&mut converter.problems);
    Parsed {
        table,
        problems,
        torn: errors.iter().any(syntax::swallows_the_rest),
    }
}

/// Reads a value that stands alone, at `offset` of its source; `None` if it is not TOML.
pub(super) fn value(source: SourceId, offset: usize, text: &str) -> Option<Node> {
    with_room(|| {
        let parsed = DeValue::parse(text).ok()?;
        let mut converter = Converter {
            source,
            offset,
            text,
            marks: Vec::new(),
            problems: Vec::new(),
        };
        let node = converter.node(parsed, 0);
        converter.problems.is_empty().then_some(node)
    })?
}

/// Runs `work` on a stack that deep nesting cannot overflow; `None` if it panics.
fn with_room<T: Send>(work: impl Fn() -> T + Sync) -> Option<T> {
    thread::scope(|scope| {
        match thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, &work)
        {
            Ok(worker) => worker.join().ok(),
            // No thread to be had: nearly every text needs no more than this one's stack.
            Err(_) => Some(work()),
        }
    })
}

struct Converter<'t> {
    source: SourceId,
    /// Where `text` begins in the source.
    offset: usize,
    text: &'t str,
    /// Places of syntax errors.
    marks: Vec<Range<usize>>,
    problems: Vec<Problem>,
}

impl Converter<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(
            self.source,
            self.offset + range.start,
            self.offset + range.end,
        )
    }

    fn table(&mut self, table: DeTable<'_>, depth: usize) -> Table {
        let mut entries = indexmap::IndexMap::with_capacity(table.len());
        for (key, value) in table {
            let span = self.span(key.span());
            let entry = Entry {
                key: span,
                node: self.node(value, depth + 1),
            };
            entries.insert(key.into_inner().into_owned(), entry);
        }
        Table { entries }
    }

    fn node(&mut self, node: Spanned<DeValue<'_>>, depth: usize) -> Node {
        let range = node.span();
        let span = self.span(range.clone());
        if depth > DEPTH_LIMIT {
            let note = format!("the limit is {DEPTH_LIMIT} levels");
            self.problems.push(Problem::new(
                "tables and lists are nested too deep",
                span,
                note,
            ));
            return Node {
                value: Value::Broken,
                span,
            };
        }
        // A table made by a header spans the header alone, so errors in its lines do not break it.
        if self
            .marks
            .iter()
            .any(|mark| range.start <= mark.start && mark.start <= range.end)
        {
            return Node {
                value: Value::Broken,
                span,
            };
        }
        Node {
            value: self.value(node.into_inner(), &range, depth),
            span,
        }
    }

    fn value(&mut self, value: DeValue<'_>, range: &Range<usize>, depth: usize) -> Value {
        match value {
            DeValue::String(text) => self.string(&text, range),
            DeValue::Integer(number) => whole(number.as_str(), number.radix()),
            DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(list) => Value::List(
                list.into_iter()
                    .map(|node| self.node(node, depth + 1))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table, depth)),
        }
    }

    /// A string, with the place of its characters if the quotes hold them as they are.
    fn string(&self, text: &DeString<'_>, range: &Range<usize>) -> Value {
        let raw = self.text.get(range.clone()).unwrap_or("");
        let plain = raw.len() == text.len() + 2 && raw.get(1..raw.len() - 1) == Some(text);
        let inner = if plain {
            range.start + 1..range.end - 1
        } else {
            range.clone()
        };
        Value::Text {
            text: text.as_ref().to_owned(),
            inner: self.span(inner),
        }
    }
}

/// A whole number; beyond 128 bits it is kept as infinite, which no key accepts.
fn whole(digits: &str, radix: u32) -> Value {
    i128::from_str_radix(digits, radix).map_or(Value::Number(f64::INFINITY), Value::Whole)
}
