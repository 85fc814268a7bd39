//! What the tests of netlists share: reading one with the library of the corpus.
#![allow(clippy::unwrap_used)]

use std::fs;

use apical::netlist::{self, LoadOptions, Netlist};
use apical::source::Problems;

/// Reads a netlist with overrides.
pub fn parse(text: &str, set: &[&str]) -> Result<Netlist, Problems> {
    let set = set.iter().map(|set| (*set).to_owned()).collect();
    let options = LoadOptions {
        models: Some("tests/corpus/models".into()),
        set,
    };
    netlist::parse("test.toml", text, &options)
}

/// A netlist with most of what there is.
pub fn impression() -> String {
    fs::read_to_string("tests/corpus/good/impression.toml").unwrap()
}
