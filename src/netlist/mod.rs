//! The netlist: a circuit and its run as a TOML text.
//!
//! [`load`] reads a file, the library files that it names in `use`, and overrides from the command
//! line, and gives a [`Netlist`]: typed tables with their places in the text. All mistakes of a text
//! are reported together, as [`Problems`]; nothing panics, whatever the bytes.
//!
//! Reading goes through three forms. `parse` turns text into a tree of values that keep their
//! places, going on after syntax errors. `uses`, `overrides` and `like` change the tree. One file a
//! table, from `circuit` to `measure`, turns it into the types of `model`, through a reader that
//! knows which keys were asked for. Names stay unresolved and expressions stay text: the circuit and
//! the language look at those.

mod circuit;
mod constant;
mod distribution;
mod document;
mod duration;
mod field;
mod files;
mod images;
mod input;
mod learn;
mod library;
mod like;
mod log_mel;
mod matrix;
mod measure;
mod membrane;
pub mod model;
mod modulator;
mod names;
mod neuron;
mod overrides;
mod parse;
mod population;
mod projection;
mod reader;
mod recording;
mod resolved;
mod rule;
mod scalars;
mod schedule;
mod shelf;
mod spiking;
mod stage;
mod syntax;
mod tree;
mod uses;

use std::path::{Path, PathBuf};

pub use library::{Library, LibraryFile, LibraryModel, ModelKind, library};
pub use model::Netlist;

use crate::source::{Problem, Problems, SourceMap, Span};
use uses::Places;

/// What to read a netlist with.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// A folder whose library files take precedence over the embedded ones.
    pub models: Option<PathBuf>,
    /// Overrides, `path=value`, in the order in which they apply: `stage.train.steps=1000`.
    pub set: Vec<String>,
}

/// Reads a netlist from a file.
///
/// # Errors
///
/// [`Problems`] with everything that is wrong in the file, in the library files it uses and in the
/// overrides; or with a single one if the file cannot be read.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Netlist, Problems> {
    let name = path.display().to_string();
    match files::read_text(path) {
        Ok(text) => parse(&name, &text, options),
        Err(error) => {
            let mut sources = SourceMap::default();
            let place = Span::new(sources.add(name, ""), 0, 0);
            let problem = Problem::new("the netlist cannot be read", place, error.to_string());
            Err(Problems::new(sources, vec![problem.help(error.help())]))
        }
    }
}

/// Reads a netlist from a text. `name` is shown in messages; paths in `use` start from its folder.
///
/// # Errors
///
/// As [`load`].
pub fn parse(name: &str, text: &str, options: &LoadOptions) -> Result<Netlist, Problems> {
    let mut sources = SourceMap::default();
    let main = sources.add(name, text);
    let base = Path::new(name).parent().unwrap_or(Path::new(""));
    let places = Places {
        base,
        models: options.models.as_deref(),
    };
    document::build(sources, main, &places, &options.set)
}
