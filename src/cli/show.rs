//! How things are printed.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

use super::Failure;
use super::args::Source;
use crate::circuit::Circuit;
use crate::experiment::{Runnable, load_circuit};
use crate::input::DataPaths;
use crate::netlist::LoadOptions;
use crate::source::{Problem, Problems};

/// Prints an error.
pub(super) fn error(message: &str) {
    let _ = writeln!(std::io::stderr(), "{}", message.trim_end());
}

/// Prints to standard output; a reader that has gone away is no error.
pub(super) fn out(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Loads what a command was given.
pub(super) fn load(source: &Source) -> Result<Runnable, Failure> {
    let paths = paths(source);
    Runnable::load_with(&source.netlist, &options(source), source.seed, &paths)
        .map_err(|p| Failure::Input(problems(&p)))
}

/// Loads the circuit of what a command was given.
pub(super) fn circuit(source: &Source) -> Result<Circuit, Failure> {
    let paths = paths(source);
    load_circuit(&source.netlist, &options(source), source.seed, &paths)
        .map_err(|p| Failure::Input(problems(&p)))
}

fn options(source: &Source) -> LoadOptions {
    LoadOptions {
        models: source.models.clone(),
        set: source.set.clone(),
    }
}

/// Where the files that a netlist names are looked for.
pub(super) fn paths(source: &Source) -> DataPaths {
    data_paths(&source.netlist, source.data.as_deref())
}

/// As [`paths`], of a netlist and a data folder.
pub(super) fn data_paths(netlist: &Path, data: Option<&Path>) -> DataPaths {
    let folder = netlist.parent().unwrap_or(Path::new("."));
    DataPaths {
        netlist: folder.to_owned(),
        data: data.map(Path::to_owned),
    }
}

/// An error and what to do about it.
pub(super) fn with_help(error: &str, help: Option<String>) -> String {
    match help {
        Some(help) => format!("error: {error}\n  help: {help}"),
        None => format!("error: {error}"),
    }
}

/// Problems in colour where somebody looks, plain otherwise.
pub(super) fn problems(problems: &Problems) -> String {
    let count = problems.list.len();
    let plural = if count == 1 { "" } else { "s" };
    let mut text = shown(problems);
    let _ = writeln!(text, "{count} mistake{plural} found");
    text
}

/// As [`problems`], without their number.
pub(super) fn shown(problems: &Problems) -> String {
    if std::io::stderr().is_terminal() {
        let handler =
            GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_context_lines(0);
        let mut text = String::new();
        for problem in &problems.list {
            let shown = handler.render_report(&mut text, &Shown::new(problem, problems));
            if shown.is_err() {
                return problems.to_string();
            }
        }
        text
    } else {
        problems.to_string()
    }
}

/// A problem as miette shows it: the places in its first label's file.
#[derive(Debug)]
struct Shown {
    message: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

impl Shown {
    fn new(problem: &Problem, all: &Problems) -> Self {
        let first = problem.labels.first().map(|(span, _)| span.source);
        let file = first.and_then(|id| all.sources.file(id));
        let source = file.map(|f| NamedSource::new(f.name.clone(), f.text.to_string()));
        let here = problem
            .labels
            .iter()
            .filter(|(span, _)| Some(span.source) == first);
        let label = |(span, note): &(crate::source::Span, String)| {
            let note = (!note.is_empty()).then(|| note.clone());
            LabeledSpan::new(note, span.start as usize, (span.end - span.start) as usize)
        };
        let mut help = problem.help.clone();
        for (span, note) in problem
            .labels
            .iter()
            .filter(|(span, _)| Some(span.source) != first)
        {
            if let Some(file) = all.sources.file(span.source) {
                let (line, column) = all.sources.line_column(*span);
                let also = format!("{note} ({}:{line}:{column})", file.name);
                help = Some(help.map_or(also.clone(), |h| format!("{h}\n{also}")));
            }
        }
        Shown {
            message: problem.message.clone(),
            help,
            source,
            labels: here.map(label).collect(),
        }
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|h| Box::new(h) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A number with a sensible number of digits.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "—".to_owned()
    } else if size >= 1e6 || (size > 0.0 && size < 1e-3) {
        format!("{value:.3e}")
    } else if size >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.4}")
    }
}

/// A count with its digits in groups of three.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
