//! `apical models`.

use std::fmt::Write as _;

use serde_json::json;

use super::Failure;
use super::args::Models;
use super::show;
use crate::netlist::{Library, LibraryModel, ModelKind, library};
use crate::source::suggest;

/// Lists the library, or shows a part of it.
pub(super) fn models(arguments: &Models) -> Result<(), Failure> {
    let library =
        library(arguments.models.as_deref()).map_err(|p| Failure::Input(show::problems(&p)))?;
    let text = match &arguments.name {
        Some(name) => one(&library, name)?,
        None if arguments.json => as_json(&library)?,
        None => list(&library),
    };
    show::out(&text);
    Ok(())
}

fn kind(model: &LibraryModel) -> &'static str {
    match model.kind {
        ModelKind::Neuron => "neuron",
        ModelKind::Rule => "rule",
    }
}

fn list(library: &Library) -> String {
    let mut text = String::new();
    for file in &library.files {
        let about = file
            .about
            .as_ref()
            .map(|a| format!(": {a}"))
            .unwrap_or_default();
        let _ = writeln!(text, "use = [\"{}\"]{about}", file.name);
        let width = file
            .models
            .iter()
            .map(|m| m.name.chars().count())
            .max()
            .unwrap_or(0);
        for model in &file.models {
            let source = model.source.as_deref().unwrap_or("");
            let _ = writeln!(
                text,
                "  {:<6}  {:<width$}  {source}",
                kind(model),
                model.name
            );
        }
    }
    text
}

fn one(library: &Library, name: &str) -> Result<String, Failure> {
    if let Some(file) = library.files.iter().find(|f| f.name == name) {
        return Ok(file.text.clone());
    }
    let models = || library.files.iter().flat_map(|f| &f.models);
    let found: Vec<&str> = models()
        .filter(|m| m.name == name)
        .map(|m| m.text.as_str())
        .collect();
    if !found.is_empty() {
        return Ok(format!("{}\n", found.join("\n").trim_end()));
    }
    let names: Vec<&str> = library
        .files
        .iter()
        .map(|f| f.name.as_str())
        .chain(models().map(|m| m.name.as_str()))
        .collect();
    let help = suggest(name, names)
        .map(|h| format!("\n  help: {h}"))
        .unwrap_or_default();
    Err(Failure::Input(format!(
        "error: the library has no `{name}`{help}"
    )))
}

fn as_json(library: &Library) -> Result<String, Failure> {
    let model = |m: &LibraryModel| json!({ "kind": kind(m), "name": m.name, "source": m.source, "line": m.line, "text": m.text });
    let files: Vec<_> = library
        .files
        .iter()
        .map(|f| json!({ "name": f.name, "path": f.path, "about": f.about, "models": f.models.iter().map(model).collect::<Vec<_>>() }))
        .collect();
    let text = serde_json::to_string_pretty(&files).map_err(|e| Failure::Run(e.to_string()))?;
    Ok(format!("{text}\n"))
}
