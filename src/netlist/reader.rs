//! Reading tables key by key, so that every key nobody asked for can be reported.
//!
//! A reader of a table asks for the keys it knows, each with an example of its value. What is
//! wrong is put into the [`Context`] and reading goes on: a file's mistakes are found in one go.
//! A netlist with a problem is never handed on, so a reader may leave out what it could not read.

use indexmap::IndexMap;

pub(super) use super::field::{Context, Field, Key, key};
use super::names::{NameKind, check};
use super::tree::{Entry, Table};
use crate::source::{Problem, Span, nearest, suggest};

/// Reads one table and remembers which keys were asked for.
pub(super) struct TableReader<'a, 'c> {
    /// Where problems go.
    pub context: &'c mut Context,
    /// Keys from the top; empty for the document itself.
    pub path: String,
    /// Where the table is.
    pub span: Span,
    table: &'a Table,
    known: Vec<&'static str>,
    /// Keys that should be there; reported last, since an unknown key may be one of them misspelt.
    missing: Vec<Missing>,
}

/// One of these keys should be there.
struct Missing {
    keys: Vec<&'static str>,
    problem: Problem,
}

impl<'a, 'c> TableReader<'a, 'c> {
    /// A reader of a table that is known to be one.
    pub fn new(context: &'c mut Context, path: String, table: &'a Table, span: Span) -> Self {
        TableReader {
            context,
            path,
            span,
            table,
            known: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// A reader of a field, which has to be a table.
    pub fn open(context: &'c mut Context, field: &Field<'a>) -> Option<Self> {
        let Some(table) = field.node.table() else {
            field.wrong_kind(context, "a table");
            return None;
        };
        Some(Self::new(context, field.path.clone(), table, field.span()))
    }

    /// The value of a key that may be left out.
    pub fn optional(&mut self, key: Key) -> Option<Field<'a>> {
        if !self.known.contains(&key.name) {
            self.known.push(key.name);
        }
        let path = &self.path;
        self.table
            .get(key.name)
            .map(|node| Field::new(path, key, node))
    }

    /// The value of a key that has to be there.
    pub fn required(&mut self, key: Key) -> Option<Field<'a>> {
        let field = self.optional(key);
        if field.is_none() {
            self.miss(&[key]);
        }
        field
    }

    /// Reads a key that has to be there.
    pub fn require<T>(
        &mut self,
        key: Key,
        read: impl FnOnce(&Field<'a>, &mut Context) -> Option<T>,
    ) -> Option<T> {
        self.required(key)
            .and_then(|field| read(&field, self.context))
    }

    /// Reads a key that may be left out; `None` as well if it cannot be read.
    pub fn accept<T>(
        &mut self,
        key: Key,
        read: impl FnOnce(&Field<'a>, &mut Context) -> Option<T>,
    ) -> Option<T> {
        self.optional(key)
            .and_then(|field| read(&field, self.context))
    }

    /// The one of several keys that is there; none and two are mistakes.
    pub fn one_of(&mut self, keys: &[Key]) -> Option<(&'static str, Field<'a>)> {
        let mut found = Vec::new();
        for key in keys {
            found.extend(self.optional(*key).map(|field| (key.name, field)));
        }
        match found.as_slice() {
            [] => {
                self.miss(keys);
                None
            }
            [one] => Some(one.clone()),
            [first, second, ..] => {
                let (message, place) = (self.both(first.0, second.0), |name| self.place(name));
                let problem = Problem::new(message, place(second.0), "the second")
                    .also(place(first.0), "the first")
                    .help(format!("keep one of {}", either(keys)));
                self.context.report(problem);
                None
            }
        }
    }

    fn both(&self, first: &str, second: &str) -> String {
        format!("`{}` has both `{first}` and `{second}`", self.path)
    }

    /// Where a key is written.
    pub fn place(&self, name: &str) -> Span {
        self.table
            .entries
            .get(name)
            .map_or(self.span, |entry| entry.key)
    }

    /// Whether the table has a key; it does not count as asked for.
    pub fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// Whether a key of the table is a table; it does not count as asked for.
    pub fn has_table(&self, name: &str) -> bool {
        self.table
            .get(name)
            .is_some_and(|node| node.table().is_some())
    }

    /// Keys that nobody asked for so far: those whose names the user chose.
    pub fn others(&self) -> Vec<(&'a str, &'a Entry)> {
        let table = self.table;
        let unknown = |name: &str| !self.known.contains(&name);
        let others = table.entries.iter().filter(|(name, _)| unknown(name));
        others.map(|(name, entry)| (name.as_str(), entry)).collect()
    }

    /// What is said of parameters, whose names are the keys that nobody asked for; `read` also gets the place of the name.
    pub fn parameters<T>(
        &mut self,
        example: &'static str,
        read: impl Fn(&Field<'a>, Span, &mut Context) -> Option<T>,
    ) -> IndexMap<String, T> {
        let mut parameters = IndexMap::new();
        for (name, entry) in self.others() {
            check(
                self.context,
                "parameter",
                NameKind::Identifier,
                name,
                entry.key,
            );
            let field = Field::named(&self.path, name, example, &entry.node);
            let read = read(&field, entry.key, self.context);
            parameters.extend(read.map(|read| (name.to_owned(), read)));
        }
        parameters
    }

    /// The keys asked for so far.
    pub fn known(&self) -> &[&'static str] {
        &self.known
    }

    /// Reports every key that nobody asked for.
    pub fn finish(mut self) {
        let others = self.others();
        if others.len() == self.table.entries.len() && !others.is_empty() {
            // A table of unknown keys alone: its choice is one of them, wrongly named.
            self.missing.retain(|missing| missing.keys.len() == 1);
        }
        for (name, entry) in others {
            let problem = self.unknown(name, entry.key);
            self.context.report(problem);
        }
    }

    /// Says that a key is not known here; a missing one that it resembles is no longer missing.
    pub fn unknown(&mut self, name: &str, place: Span) -> Problem {
        self.missing
            .retain(|missing| nearest(name, missing.keys.iter().copied()).is_none());
        let message = match self.path.as_str() {
            "" => format!("unknown key `{name}` at the top of the file"),
            path => format!("unknown key `{name}` in `{path}`"),
        };
        let problem = Problem::new(message, place, "not known here");
        match suggest(name, self.known.iter().copied()) {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    /// Says that one of several keys has to be added to this table.
    fn miss(&mut self, keys: &[Key]) {
        let examples = keys
            .iter()
            .map(|key| format!("`{} = {}`", key.name, key.example));
        let examples = examples.collect::<Vec<_>>().join(" or ");
        self.lacks(keys, &either(keys), &examples);
    }

    /// Says that something has to be added to this table.
    pub fn lacks(&mut self, keys: &[Key], what: &str, example: &str) {
        if self.context.syntax_errors.is_empty() {
            let message = format!("`{}` has no {what}", self.path);
            let problem =
                Problem::new(message, self.span, format!("expected {what} in this table"));
            let keys = keys.iter().map(|key| key.name).collect();
            self.missing.push(Missing {
                keys,
                problem: problem.help(format!("add {example}")),
            });
        }
    }
}

impl Drop for TableReader<'_, '_> {
    /// Reports what is missing, also where reading ended early.
    fn drop(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        self.context
            .problems
            .extend(missing.into_iter().map(|missing| missing.problem));
    }
}

/// Keys as alternatives.
fn either(keys: &[Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    names.join(" or ")
}
