//! A TOML document as a tree that remembers where everything was written.
//!
//! The tree is separate from the parser's own because a netlist is put together from several texts:
//! the file, library files, and overrides from the command line.

use indexmap::IndexMap;

use crate::source::Span;

/// A value and the characters it was written with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub span: Span,
}

/// A value of a TOML document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A string; `inner` covers the characters inside the quotes if these are the string itself.
    Text {
        text: String,
        inner: Span,
    },
    Whole(i128),
    Number(f64),
    Flag(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
    /// Something with a syntax error in it, which has been reported.
    Broken,
}

/// Keys and values, in the order of the text.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Table {
    pub entries: IndexMap<String, Entry>,
}

/// A value and the place of its key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: Span,
    pub node: Node,
}

impl Value {
    /// What a user would call this kind of value.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text { .. } => "a string",
            Value::Whole(_) => "a whole number",
            Value::Number(_) => "a number",
            Value::Flag(_) => "a truth value",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Broken => "not readable",
        }
    }
}

impl Node {
    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

impl Table {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.get(key).map(|entry| &entry.node)
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.keys().map(String::as_str)
    }
}
