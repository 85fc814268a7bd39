//! Source texts, spans into them, and the problems found in them.
//!
//! Everything a user writes is text: netlists, library files, expressions inside strings. Each
//! value read from it keeps a [`Span`], so that a problem found much later (an unknown name in a
//! rule, a zero-delay loop) still points at the characters that caused it. Problems are collected,
//! never thrown one at a time: a file's mistakes are reported together.

use std::fmt;
use std::sync::Arc;

/// Index of a text in a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A half-open range of bytes in one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text it lies in.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `start..end` in `source`.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            source,
            start: clamp(start),
            end: clamp(end.max(start)),
        }
    }

    /// The part `start..end` counted from this span's own start, clamped to it.
    pub fn part(&self, start: usize, end: usize) -> Self {
        let at = |n: usize| {
            self.start
                .saturating_add(u32::try_from(n).unwrap_or(u32::MAX))
                .min(self.end)
        };
        Span {
            source: self.source,
            start: at(start),
            end: at(end),
        }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Spanned { value, span }
    }
}

/// One text, with the name shown in messages.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path or other name, as shown to the user.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// All texts that a netlist was read from: the file itself, library files, command-line overrides.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text and names it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
        });
        id
    }

    /// The file of an id that this map gave out.
    pub fn file(&self, id: SourceId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The characters under a span; empty if the span is not of this map.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.source)
            .and_then(|f| f.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// Line and column of a span's start, both counted from 1, columns in characters.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(file) = self.file(span.source) else {
            return (1, 1);
        };
        let mut start = (span.start as usize).min(file.text.len());
        while !file.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &file.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        (line, column)
    }
}

/// One mistake in a text: what is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// One sentence: what is wrong.
    pub message: String,
    /// Places to underline; the first is the main one. Each has a short note (may be empty).
    pub labels: Vec<(Span, String)>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at one place.
    pub fn new(message: impl Into<String>, span: Span, note: impl Into<String>) -> Self {
        Problem {
            message: message.into(),
            labels: vec![(span, note.into())],
            help: None,
        }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Underlines one more place.
    #[must_use]
    pub fn also(mut self, span: Span, note: impl Into<String>) -> Self {
        self.labels.push((span, note.into()));
        self
    }
}

/// All problems found, with the texts they point into. Its `Display` is plain text, one problem
/// after the other, with file, line, column and the line underlined.
#[derive(Debug, Clone)]
pub struct Problems {
    /// The texts.
    pub sources: SourceMap,
    /// The problems, in the order in which they stand in the texts.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Collects problems in reading order, each once.
    pub fn new(sources: SourceMap, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|p| p.labels.first().map(|(span, _)| *span));
        list.dedup();
        Problems { sources, list }
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "error: {}", problem.message)?;
            for (span, note) in &problem.labels {
                write_label(out, &self.sources, *span, note)?;
            }
            if let Some(help) = &problem.help {
                writeln!(out, "  help: {help}")?;
            }
        }
        Ok(())
    }
}

/// Writes `file:line:column`, the line, and carets under the span.
fn write_label(
    out: &mut fmt::Formatter<'_>,
    sources: &SourceMap,
    span: Span,
    note: &str,
) -> fmt::Result {
    let Some(file) = sources.file(span.source) else {
        return Ok(());
    };
    let (line, column) = sources.line_column(span);
    writeln!(out, "  --> {}:{line}:{column}", file.name)?;
    let text = file.text.lines().nth(line - 1).unwrap_or("");
    let width = sources
        .text(span)
        .lines()
        .next()
        .map_or(1, |l| l.chars().count())
        .max(1);
    writeln!(out, "   | {text}")?;
    let pad: String = text
        .chars()
        .take(column - 1)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    writeln!(out, "   | {pad}{} {note}", "^".repeat(width))
}

/// The candidate nearest to a mistyped name, if one is near enough to be meant.
///
/// Another case of the same letters is nearest of all; single letters are near nothing else.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|c| {
            let same = c.to_lowercase() == lower;
            let longest = c.chars().count().max(name.chars().count());
            let distance = if same {
                0
            } else {
                strsim::damerau_levenshtein(&lower, &c.to_lowercase())
            };
            let near = same || (longest > 1 && distance <= (longest / 3).max(1));
            near.then_some((distance, c))
        })
        .min()
        .map(|(_, c)| c)
}

/// A help sentence for an unknown name: the nearest valid one, or the whole list if it is short.
pub fn suggest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    if all.is_empty() {
        return None;
    }
    let shown: Vec<String> = all.iter().take(24).map(|c| format!("`{c}`")).collect();
    let more = if all.len() > 24 { ", …" } else { "" };
    Some(format!("known here: {}{more}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_file_line_column_and_underlines_the_text() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.toml", "x = 1\nsoma = bäsal + y\n");
        let start = sources
            .file(id)
            .map_or(0, |f| f.text.find('y').unwrap_or(0));
        let span = Span::new(id, start, start + 1);
        let problems = Problems::new(
            sources,
            vec![Problem::new("unknown name `y`", span, "not known").help("did you mean `x`?")],
        );
        let shown = problems.to_string();
        assert_eq!(
            shown,
            "error: unknown name `y`\n  --> a.toml:2:16\n   | soma = bäsal + y\n   |                ^ not known\n  help: did you mean `x`?\n"
        );
    }

    #[test]
    fn nearest_is_silent_when_nothing_is_near() {
        assert_eq!(nearest("somma", ["soma", "basal"]), Some("soma"));
        assert_eq!(nearest("xyz", ["soma", "basal"]), None);
        assert_eq!(nearest("w", ["E", "W"]), Some("W"));
        assert_eq!(nearest("w", ["E", "F"]), None);
    }
}
