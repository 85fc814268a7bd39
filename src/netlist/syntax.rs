//! TOML syntax errors in the words of someone who wants to correct them.

use std::ops::Range;

use toml::de::Error;

use crate::source::{Problem, SourceId, Span};
use crate::units::Quantity;

/// How the message begins at which the parser stops.
const NO_VALUE: &str = "key with no value";

/// Whether an error leaves it unclear where the value ends that it stands in.
pub(super) fn swallows_the_rest(error: &Error) -> bool {
    let message = error.message();
    message.starts_with("unclosed") || message.starts_with("invalid multi-line")
}

/// Where an error makes the value it touches useless. A second definition leaves the first sound.
pub(super) fn broken_place(error: &Error) -> Option<Range<usize>> {
    if is_double(error) { None } else { error.span() }
}

fn is_double(error: &Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend")
}

/// The text with blanks for lines at which the parser stops; `None` if there are none.
pub(super) fn without_stops(text: &str, errors: &[Error]) -> Option<String> {
    let mut bytes = None;
    for error in errors
        .iter()
        .filter(|error| error.message().starts_with(NO_VALUE))
    {
        let start = line_start(text, error.span()?.start);
        let end = text
            .get(start..)?
            .find('\n')
            .map_or(text.len(), |length| start + length);
        let bytes = bytes.get_or_insert_with(|| text.as_bytes().to_vec());
        bytes.get_mut(start..end)?.fill(b' ');
    }
    bytes.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// One problem for each line with errors: what follows the first on a line is its consequence.
pub(super) fn explain(source: SourceId, text: &str, errors: &[Error]) -> Vec<Problem> {
    let mut places: Vec<(Range<usize>, &Error)> = errors
        .iter()
        .map(|error| (error.span().unwrap_or(0..0), error))
        .collect();
    places.sort_by_key(|(range, _)| (range.start, range.end));
    // Where a value is not closed, everything after its beginning is a consequence as well.
    if let Some(torn) = places.iter().find(|(_, error)| swallows_the_rest(error)) {
        let opening = opening(text, torn.0.start);
        let first = opening.clone().map_or(torn.0.start, |range| range.start);
        let place = opening.unwrap_or_else(|| torn.0.clone());
        let torn = (place, torn.1);
        places.retain(|(range, _)| range.start < first);
        places.push(torn);
    }
    let mut seen = usize::MAX;
    let mut problems = Vec::new();
    for (range, error) in places {
        let line = line_start(text, range.start);
        if line != seen {
            problems.push(problem(source, text, range, error));
        }
        seen = line;
    }
    problems
}

/// The bracket or quotes that are still open at `end`.
fn opening(text: &str, end: usize) -> Option<Range<usize>> {
    let mut open: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..end) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        let mut length = first.len_utf8();
        match first {
            '#' => length = rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => match string_length(rest, first) {
                Some(whole) => length = whole,
                None => return Some(at..at + 3),
            },
            '[' | '{' => open.push(at..at + 1),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
        at += length;
    }
    open.into_iter().next()
}

/// Bytes of the string that `text` begins with; `None` if a multi-line string does not end.
fn string_length(text: &str, quote: char) -> Option<usize> {
    let triple: String = [quote; 3].iter().collect();
    if let Some(rest) = text.strip_prefix(triple.as_str()) {
        return rest.find(triple.as_str()).map(|length| length + 6);
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return Some(at),
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// Byte at which the line of `at` begins.
fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}

/// What to say of the parser's messages, each known by its beginning.
const SAID: [(&str, &str, &str, &str); 6] = [
    (
        "invalid basic string",
        "this text is not closed",
        "expected a closing quote",
        "a text begins and ends with `\"` on the same line",
    ),
    (
        "invalid literal string",
        "this text is not closed",
        "expected a closing quote",
        "a text begins and ends with `'` on the same line",
    ),
    (
        NO_VALUE,
        "a key without a value",
        "expected `=`",
        "write `key = value`, or `[name]` for the beginning of a table",
    ),
    (
        "missing escaped value",
        "an unknown escape after `\\`",
        "expected one of b, e, f, n, r, t, u, x, `\"`, `\\`",
        "write `\\\\` for a backslash, or put the text in single quotes",
    ),
    (
        "invalid unquoted key",
        "this cannot stand in a key",
        "expected letters of the English alphabet, digits, `_` or `-`",
        "rename it, or delete what does not belong here",
    ),
    (
        "cannot recurse further",
        "tables and lists are nested too deep",
        "too deep here",
        "take some brackets away",
    ),
];

/// Messages about a value that is not there; also that of a text without a closing quote.
const ABSENT: [&str; 3] = [
    "string values must be quoted",
    "invalid literal string",
    "missing value",
];

/// Messages about numbers.
const NUMBERS: [&str; 5] = [
    "invalid float",
    "invalid integer",
    "invalid exponent",
    "unexpected leading zero",
    "`_` may only go between digits",
];

fn problem(source: SourceId, text: &str, range: Range<usize>, error: &Error) -> Problem {
    let span = Span::new(source, range.start, range.end);
    let found = text.get(range.clone()).unwrap_or("").trim_end();
    let message = error.message();
    let begins = |with: &[&str]| with.iter().any(|start| message.starts_with(start));
    if is_double(error) {
        double(source, text, range, message)
    } else if swallows_the_rest(error) {
        Problem::new("this is never closed", span, "opened here").help(closing(found))
    } else if found.is_empty() && begins(&ABSENT) {
        Problem::new("no value after `=`", span, "expected a value")
            .help("write a value, or delete the line")
    } else if begins(&["invalid boolean"]) {
        Problem::new("this is not a value", span, "expected a value").help(boolean_help(found))
    } else if begins(&NUMBERS) && !found.starts_with(char::is_alphabetic) {
        Problem::new("this is not a number", span, "expected a number")
            .help("write a number such as `10`, `0.5`, `1e-3` or `2_000_000`")
    } else if begins(&NUMBERS) || begins(&ABSENT[..1]) {
        unquoted(span, found)
    } else if let Some((_, what, note, help)) = SAID.iter().find(|(start, ..)| begins(&[start])) {
        Problem::new(*what, span, *note).help(*help)
    } else {
        Problem::new(message, span, "not expected here")
    }
}

/// Characters that are neither a number nor a text.
fn unquoted(span: Span, found: &str) -> Problem {
    let digit = found.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    if digit && Quantity::parse(found).is_ok() {
        return Problem::new(
            "a number with a unit must stand in quotes",
            span,
            "expected quotes",
        )
        .help(format!("write `\"{found}\"`"));
    }
    if digit {
        return Problem::new(
            "this is not a value",
            span,
            "expected a number, or a text in quotes",
        )
        .help(format!(
            "correct the number, or write `\"{found}\"` if it is a text"
        ));
    }
    Problem::new(
        "a text must stand in quotes",
        span,
        "expected a number, or a text in quotes",
    )
    .help(format!("write `\"{found}\"`"))
}

fn closing(opened: &str) -> String {
    let close = match opened.chars().next() {
        Some('{') => "}",
        Some('[') => "]",
        _ => return format!("close it with `{opened}`"),
    };
    format!("close it with `{close}`; a list's or table's elements are separated by commas")
}

fn boolean_help(found: &str) -> String {
    match found.to_ascii_lowercase().as_str() {
        flag @ ("true" | "false") if flag != found => format!("write `{flag}`, in small letters"),
        _ => format!("a text must stand in quotes: `\"{found}\"`"),
    }
}

/// A key or header written a second time, with the place of the first if it is written alike.
fn double(source: SourceId, text: &str, range: Range<usize>, message: &str) -> Problem {
    let span = Span::new(source, range.start, range.end);
    let key = text.get(range.clone()).unwrap_or("");
    let problem = if message == "duplicate key" {
        Problem::new(format!("`{key}` is written twice"), span, "the second time")
            .help("delete one of them, or give it another name")
    } else {
        Problem::new(
            format!("`{key}` has a value already, so it cannot hold further keys"),
            span,
            "",
        )
        .help("write its keys together, as one table")
    };
    match first_place(text, &range) {
        Some(first) => problem.also(Span::new(source, first.start, first.end), "the first time"),
        None => problem,
    }
}

/// The place of an earlier line that begins like the line of `range` up to its end.
fn first_place(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let start = line_start(text, range.start);
    let pattern = text.get(start..range.end)?.trim_start();
    let header = pattern.starts_with('[');
    let mut end = start;
    while end > 0 {
        let begin = line_start(text, end - 1);
        let line = &text[begin..end];
        let trimmed = line.trim_start();
        let ends_key =
            |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        if trimmed.strip_prefix(pattern).is_some_and(ends_key) {
            let indent = line.len() - trimmed.len();
            let last = begin + indent + pattern.len();
            return Some(last - range.len()..last);
        }
        if !header && trimmed.starts_with('[') {
            return None;
        }
        end = begin;
    }
    None
}
