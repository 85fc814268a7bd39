//! The `[constant]` table: numbers with names, and the values that are computed from them.

use indexmap::IndexMap;

use super::model::{Constant, Name};
use super::names::{NameKind, check};
use super::reader::{Context, Field, TableReader};
use super::tree::Value;
use crate::lang::ast::{Ast, AstKind};
use crate::lang::{self, Meaning, Refusal, Scope};
use crate::source::{Problem, Spanned, nearest, suggest};
use crate::units::Quantity;

const EXAMPLE: &str = "20";

/// Reads the table into the context, where every later value finds it. A constant may be computed from others,
/// in whatever order they stand.
pub(super) fn read_all(context: &mut Context, field: &Field<'_>) {
    let Some(reader) = TableReader::open(context, field) else {
        return;
    };
    let mut waiting: Vec<(Name, Field<'_>)> = Vec::new();
    for (key, entry) in reader.others() {
        let kind = NameKind::Identifier;
        let name = check(reader.context, "constant", kind, key, entry.key);
        waiting.push((name, Field::named(&field.path, key, EXAMPLE, &entry.node)));
    }
    drop(reader);
    loop {
        let names: Vec<String> = waiting.iter().map(|(name, _)| name.value.clone()).collect();
        let before = waiting.len();
        let (later, ready): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, field)| mentions(field, |name| names.iter().any(|n| n == name)));
        for (name, field) in ready {
            let key = name.value.clone();
            match field.quantity(context).map(|quantity| quantity.value) {
                Some(value) => {
                    context.constants.insert(key, Constant { name, value });
                }
                None => context.broken_constants.push(key),
            }
        }
        if later.is_empty() {
            return;
        }
        if later.len() == before {
            for (name, field) in later {
                let message = format!("`{}` is computed from itself", field.path);
                let note = "expected a number, or one computed from other constants";
                let problem = Problem::new(message, field.span(), note);
                let help = format!("give `{}` a number", name.value);
                context.report(problem.help(help));
                context.broken_constants.push(name.value);
            }
            return;
        }
        waiting = later;
    }
}

/// Whether the value is a text that reads one of these names.
fn mentions(field: &Field<'_>, wanted: impl Fn(&str) -> bool) -> bool {
    let tree = field.node.text().and_then(|text| lang::parse(text).ok());
    tree.is_some_and(|tree| tree.names().iter().any(|name| wanted(name)))
}

/// Whether a text is meant as a computed value: arithmetic of numbers, or something that reads a constant,
/// perhaps misspelt.
fn is_computed(text: &str, tree: &Ast, names: &[String], context: &Context) -> bool {
    let one = |name: &String| nearest(name, context.constants.keys().map(String::as_str)).is_some();
    let arithmetic = names.is_empty() && !matches!(tree.kind, AstKind::Number(_));
    (arithmetic || names.iter().any(one)) && Quantity::parse(text).is_err()
}

impl Field<'_> {
    /// The number that a text computes from numbers and the netlist's constants; `None` for any other value, and
    /// `Some(None)` for one with a mistake, which is then reported.
    pub fn computed(&self, context: &mut Context) -> Option<Option<Spanned<Quantity>>> {
        let Value::Text { text, inner } = &self.node.value else {
            return None;
        };
        let tree = lang::parse(text).ok()?;
        let names = tree.names();
        if names
            .iter()
            .any(|name| context.broken_constants.contains(name))
        {
            return Some(None);
        }
        if !is_computed(text, &tree, &names, context) {
            return None;
        }
        let mut scope = Constants(&context.constants);
        let problems = match lang::build(&tree, &mut scope) {
            Ok(formula) => match formula.graph.constant(formula.root) {
                Some(value) if value.is_finite() => {
                    let quantity = Quantity::new(value, formula.dimension.unwrap_or_default());
                    return Some(Some(Spanned::new(quantity, *inner)));
                }
                Some(value) => vec![self.problem(&value.to_string(), "a finite number")],
                None => vec![self.problem("not a number", "an expression in constants")],
            },
            Err(errors) => errors
                .into_iter()
                .map(|e| Problem {
                    help: e.help,
                    ..Problem::new(e.message, inner.part(e.start, e.end), e.note)
                })
                .collect(),
        };
        context.problems.extend(problems);
        Some(None)
    }
}

/// The scope of a computed value: constants, and nothing else.
struct Constants<'c>(&'c IndexMap<String, Constant>);

impl Scope for Constants<'_> {
    fn name(&mut self, path: &[String]) -> Result<Meaning, Refusal> {
        let name = path.join(".");
        match self.0.get(&name) {
            Some(constant) => Ok(Meaning::Constant(constant.value)),
            None => Err(Refusal {
                message: format!("there is no constant `{name}`"),
                note: "not a constant of this netlist".to_owned(),
                help: suggest(&name, self.0.keys().map(String::as_str)),
            }),
        }
    }

    fn changed(&mut self, _: &[String]) -> Result<Meaning, Refusal> {
        Err(changing())
    }

    fn activation(&self) -> Option<Ast> {
        None
    }

    fn reductions(&self) -> Result<(), Refusal> {
        Err(changing())
    }

    fn step(&self) -> Quantity {
        Quantity::plain(1.0)
    }
}

fn changing() -> Refusal {
    Refusal {
        message: "a number of the netlist cannot depend on what changes during a run".to_owned(),
        note: "known only while the circuit runs".to_owned(),
        help: None,
    }
}
