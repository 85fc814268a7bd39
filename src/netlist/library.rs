//! The list of library models, for people to read.

use std::path::Path;

use super::model::Name;
use super::names::{self, NameKind};
use super::parse;
use super::reader::{Context, Field};
use super::shelf::Shelf;
use super::tree::{Node, Table};
use super::{like, neuron, rule, uses};
use crate::source::{Problem, Problems, SourceMap, Span};

/// All models that a netlist can `use`.
#[derive(Debug, Clone)]
pub struct Library {
    /// Library files, in the order of their names.
    pub files: Vec<LibraryFile>,
}

/// One library file.
#[derive(Debug, Clone)]
pub struct LibraryFile {
    /// What to write in `use`.
    pub name: String,
    /// Where it is: a path, or `models/NAME.toml` if it is embedded.
    pub path: String,
    /// What its models are, if it says so.
    pub about: Option<String>,
    /// Its neurons and rules, in the order of the file.
    pub models: Vec<LibraryModel>,
    /// The whole text.
    pub text: String,
}

/// Kinds of library model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// `[neuron.*]`.
    Neuron,
    /// `[rule.*]`.
    Rule,
}

/// One neuron or rule.
#[derive(Debug, Clone)]
pub struct LibraryModel {
    /// What it is.
    pub kind: ModelKind,
    /// Its name.
    pub name: String,
    /// Paper and equations, if stated.
    pub source: Option<String>,
    /// Line of the file where it begins, from 1.
    pub line: usize,
    /// Its part of the file, with the comments above it.
    pub text: String,
}

/// Lists the embedded library files and those of a folder, which take precedence.
///
/// # Errors
///
/// [`Problems`] if the folder cannot be read, or a file in it has mistakes.
pub fn library(models: Option<&Path>) -> Result<Library, Problems> {
    let mut sources = SourceMap::default();
    let mut problems = Vec::new();
    let mut found = Vec::new();
    match Shelf::open(models) {
        Ok(shelf) => {
            for stem in shelf.stems() {
                let mut context = Context::default();
                found.extend(file(&shelf, stem, &mut sources, &mut context));
                problems.extend(context.problems);
            }
        }
        Err(error) => problems.push(uses::models_unreadable(&mut sources, models, &error)),
    }
    if problems.is_empty() {
        return Ok(Library { files: found });
    }
    Err(Problems::new(sources, problems))
}

fn file(
    shelf: &Shelf,
    stem: &str,
    sources: &mut SourceMap,
    context: &mut Context,
) -> Option<LibraryFile> {
    let (path, text) = shelf.text(stem)?;
    let source = sources.add(path.clone(), text.as_deref().unwrap_or(""));
    let top = Span::new(source, 0, 0);
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            let problem = Problem::new("this library file cannot be read", top, error.to_string());
            context.report(problem.help(error.help()));
            return None;
        }
    };
    let parsed = parse::document(source, &text);
    let torn = parsed.torn;
    let mut table = uses::check(parsed, top, context);
    if torn {
        return None;
    }
    let about = table.get("about").and_then(Node::text).map(str::to_owned);
    let models = models(&mut table, &text, context);
    Some(LibraryFile {
        name: stem.to_owned(),
        path,
        about,
        models,
        text,
    })
}

/// The models of a file, each checked as if it were used.
fn models(table: &mut Table, text: &str, context: &mut Context) -> Vec<LibraryModel> {
    let mut found: Vec<(usize, LibraryModel)> = Vec::new();
    for section in uses::SECTIONS {
        let kind = if section.name == "rule" {
            ModelKind::Rule
        } else {
            ModelKind::Neuron
        };
        let Some(entry) = table.entries.get_mut(section.name) else {
            continue;
        };
        let Some(models) = entry.node.table_mut() else {
            continue;
        };
        like::resolve(models, section.name, context);
        for (name, entry) in &models.entries {
            let field = Field::named(section.name, name, "{ … }", &entry.node);
            let place = names::check(context, section.name, NameKind::Label, name, entry.key);
            let source = check(kind, place, &field, context);
            let start = beginning(text, entry.key.start as usize);
            let line = text
                .get(..start)
                .map_or(1, |before| before.matches('\n').count() + 1);
            let model = LibraryModel {
                kind,
                name: name.clone(),
                source,
                line,
                text: String::new(),
            };
            found.push((start, model));
        }
    }
    found.sort_by_key(|(start, _)| *start);
    let ends: Vec<usize> = found
        .iter()
        .skip(1)
        .map(|(start, _)| *start)
        .chain([text.len()])
        .collect();
    for ((start, model), end) in found.iter_mut().zip(ends) {
        model.text = text.get(*start..end).unwrap_or("").trim_end().to_owned();
    }
    found.into_iter().map(|(_, model)| model).collect()
}

/// Reports what is wrong with a model, and returns where it is from.
fn check(kind: ModelKind, name: Name, field: &Field<'_>, context: &mut Context) -> Option<String> {
    match kind {
        ModelKind::Neuron => neuron::read(context, name, field)?.source,
        ModelKind::Rule => rule::read(context, name, field)?.source,
    }
}

/// Where the text of a model begins: at its header's line, or at the comments right above it.
fn beginning(text: &str, key: usize) -> usize {
    let line_start = |at: usize| {
        text.get(..at)
            .and_then(|t| t.rfind('\n'))
            .map_or(0, |newline| newline + 1)
    };
    let mut start = line_start(key);
    while start > 0 {
        let above = line_start(start - 1);
        if !text
            .get(above..start)
            .is_some_and(|line| line.trim_start().starts_with('#'))
        {
            break;
        }
        start = above;
    }
    start
}
