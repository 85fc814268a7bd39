//! A value of the tree that is being read, and what there is to say about it.

use indexmap::IndexMap;

use super::model::Constant;
use super::tree::{Node, Value};
use crate::source::{Problem, SourceId, Span, nearest};
use crate::units::Dimension;

/// What readers share: the problems they find and what they need to know of the circuit.
#[derive(Default)]
pub(super) struct Context {
    /// Problems found so far.
    pub problems: Vec<Problem>,
    /// Where syntax errors are. Keys may be lost in them, so that a missing key says nothing.
    pub syntax_errors: Vec<Span>,
    /// Dimension of the circuit's step, once it is known: that of every time in the netlist.
    pub time: Option<Dimension>,
    /// Whether the populations are of spiking neurons; unknown if a model is not there, which is told later.
    pub event: Option<bool>,
    /// Whether the circuit has no steps, so that no length of time can be a number of them.
    pub stepless: bool,
    /// Constants that values may be computed from.
    pub constants: IndexMap<String, Constant>,
    /// Constants with a mistake; what reads them is not complained about as well.
    pub broken_constants: Vec<String>,
    /// The first of the texts that are overrides.
    pub first_override: Option<SourceId>,
}

impl Context {
    /// Puts a problem on the list.
    pub fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Puts a text's syntax errors on the list.
    pub fn report_syntax(&mut self, problems: Vec<Problem>) {
        let places = problems.iter().filter_map(|problem| problem.labels.first());
        self.syntax_errors.extend(places.map(|(span, _)| *span));
        self.problems.extend(problems);
    }

    /// Whether something was written in an override.
    pub fn is_override(&self, place: Span) -> bool {
        self.first_override
            .is_some_and(|first| place.source >= first)
    }
}

/// A key of a table, and an example of what to write for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub name: &'static str,
    pub example: &'static str,
}

/// Names a key and gives an example of its value, as TOML.
pub(super) const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example }
}

/// A value to be read: where it is in the netlist, and what one could write there.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    pub node: &'a Node,
    /// Keys from the top, with dots between: `population.latent.size`.
    pub path: String,
    /// What to write before the value: `size = `.
    prefix: String,
    /// Whether the value stands in a list, and the prefix before that list.
    in_list: bool,
    /// A value that one could write: `100`.
    example: String,
}

impl<'a> Field<'a> {
    /// A field of the table at `path`.
    pub fn new(path: &str, key: Key, node: &'a Node) -> Self {
        Field::named(path, key.name, key.example, node)
    }

    /// A field whose key the user chose.
    pub fn named(path: &str, name: &str, example: &str, node: &'a Node) -> Self {
        Field {
            node,
            path: join(path, name),
            prefix: format!("{name} = "),
            in_list: false,
            example: example.to_owned(),
        }
    }

    /// Where the value stands.
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// Whether the value is a table with this key.
    pub fn has(&self, key: &str) -> bool {
        self.node
            .table()
            .is_some_and(|table| table.get(key).is_some())
    }

    /// Reports a value of a wrong kind.
    pub fn wrong_kind(&self, context: &mut Context, expected: &str) {
        match &self.node.value {
            Value::Broken => {}
            Value::Text { text, .. } if expected.contains("number") && is_number(text) => {
                let problem = self.problem(self.node.value.kind(), expected);
                let prefix = if self.in_list { "" } else { &self.prefix };
                let help = format!("write it without quotes: `{prefix}{}`", text.trim());
                context.report(problem.help(help));
            }
            value => self.wrong_value(context, value.kind(), expected),
        }
    }

    /// Reports a value of the right kind that cannot be.
    pub fn wrong_value(&self, context: &mut Context, found: &str, expected: &str) {
        let problem = self.problem(found, expected);
        context.report(problem.help(self.suggestion()));
    }

    /// Reports a value that cannot be, and gives nothing.
    pub fn refuse<T>(&self, context: &mut Context, found: &str, expected: &str) -> Option<T> {
        self.wrong_value(context, found, expected);
        None
    }

    /// The bare problem with a value.
    pub fn problem(&self, found: &str, expected: &str) -> Problem {
        let message = format!("`{}` is {found}", self.path);
        Problem::new(message, self.span(), format!("expected {expected}"))
    }

    /// What one could write instead.
    pub fn suggestion(&self) -> String {
        format!("write for example `{}{}`", self.prefix, self.example)
    }

    /// Reports a word that is not one of the choices.
    pub fn unknown_choice(&self, context: &mut Context, thing: &str, choices: &[&str]) {
        let word = self.node.text().unwrap_or("");
        let listed: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let note = format!("expected one of {}", listed.join(", "));
        let problem = Problem::new(format!("unknown {thing} `{word}`"), self.span(), note);
        context.report(match nearest(word, choices.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{}\"{near}\"`?", self.prefix)),
            None => problem.help(self.suggestion()),
        });
    }

    /// The elements of a list of tables, which go by their `name` if that is how one finds them, or
    /// by their index. `section` is what all their paths begin with, `header` what is in brackets.
    pub fn tables(&self, context: &mut Context, section: Section<'_>) -> Vec<Field<'a>> {
        let Some(list) = self.node.list() else {
            if self.node.table().is_some() {
                let problem = self.problem("a single table", "a list of tables");
                let help = format!(
                    "begin each with a header of its own, `[[{}]]`",
                    section.header
                );
                context.report(problem.help(help));
            } else {
                self.wrong_kind(context, "a list of tables");
            }
            return Vec::new();
        };
        if list.is_empty() {
            self.wrong_value(context, "an empty list", "a list of tables");
        }
        let element = |(index, node): (usize, &'a Node)| {
            let given = node
                .table()
                .and_then(|table| table.get("name"))
                .and_then(Node::text);
            let name = given.filter(|_| section.by_name).map(str::to_owned);
            let name = name.unwrap_or_else(|| index.to_string());
            Field {
                path: join(section.path, &name),
                ..self.element(index, node)
            }
        };
        list.iter().enumerate().map(element).collect()
    }

    /// The elements of a list that must not be empty, as fields of their own.
    pub fn elements(&self, context: &mut Context, expected: &str) -> Option<Vec<Field<'a>>> {
        match self.node.list() {
            None => {
                self.wrong_kind(context, expected);
                None
            }
            Some([]) => self.refuse(context, "an empty list", expected),
            Some(list) => {
                let fields = list
                    .iter()
                    .enumerate()
                    .map(|(index, node)| self.element(index, node));
                Some(fields.collect())
            }
        }
    }

    /// Reads every element of a list, so that the mistakes of all are found.
    pub fn each<T>(
        &self,
        context: &mut Context,
        expected: &str,
        mut read: impl FnMut(&Field<'a>, &mut Context) -> Option<T>,
    ) -> Option<Vec<T>> {
        let fields = self.elements(context, expected)?;
        let found: Vec<Option<T>> = fields.iter().map(|field| read(field, context)).collect();
        found.into_iter().collect()
    }

    fn element(&self, index: usize, node: &'a Node) -> Field<'a> {
        let path = format!("{}[{index}]", self.path);
        Field {
            node,
            path,
            in_list: true,
            ..self.clone()
        }
    }
}

/// A list of tables, as messages name it.
#[derive(Clone, Copy)]
pub(super) struct Section<'s> {
    /// What the paths of its tables begin with.
    pub path: &'s str,
    /// What stands in double brackets.
    pub header: &'s str,
    /// Whether a table goes by its `name`, not by its index.
    pub by_name: bool,
}

/// A path with one more key.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}
