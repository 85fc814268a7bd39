//! What may be used as a name.

use super::model::Name;
use super::reader::Context;
use crate::source::{Problem, Span};

/// Where a name is used decides what it may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    /// Read in expressions: letters, digits and `_`, so that `a-b` stays a subtraction.
    Identifier,
    /// Used for references and file names: `-` as well.
    Label,
}

/// Checks the name of a `thing`, and pairs it with its place.
pub(super) fn check(
    context: &mut Context,
    thing: &str,
    kind: NameKind,
    name: &str,
    span: Span,
) -> Name {
    if !is_valid(kind, name) {
        let expected = match kind {
            NameKind::Identifier => "expected letters, digits and `_`, beginning with a letter",
            NameKind::Label => "expected letters, digits, `_` and `-`",
        };
        let message = format!("`{name}` cannot be the name of a {thing}");
        let problem = Problem::new(message, span, expected);
        let better = repaired(kind, name);
        context.report(if is_valid(kind, &better) {
            problem.help(format!("write `{better}`"))
        } else {
            problem
        });
    }
    Name::new(name.to_owned(), span)
}

fn is_valid(kind: NameKind, name: &str) -> bool {
    let letter =
        |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == '-' && kind == NameKind::Label);
    let digit_first = name.starts_with(|c: char| c.is_ascii_digit());
    !name.is_empty() && name.chars().all(letter) && !(digit_first && kind == NameKind::Identifier)
}

/// The name with what it may not contain replaced.
fn repaired(kind: NameKind, name: &str) -> String {
    let other = if kind == NameKind::Label { '-' } else { '_' };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == other;
    let text: String = name
        .trim()
        .chars()
        .map(|c| if fits(c) { c } else { other })
        .collect();
    let needs_letter =
        kind == NameKind::Identifier && text.starts_with(|c: char| c.is_ascii_digit());
    if needs_letter {
        format!("_{text}")
    } else {
        text
    }
}
