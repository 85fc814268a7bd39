//! Every netlist in `tests/corpus/circuit-bad` is well formed, but its circuit cannot be compiled: each gives exactly
//! the text beside it.
//!
//! `UPDATE_CORPUS=1` writes those texts anew. Read every line of the change before keeping it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use apical::experiment::Runnable;
use apical::input::DataPaths;
use apical::netlist::{self, LoadOptions};

const FOLDER: &str = "tests/corpus/circuit-bad";

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let toml = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml");
    let mut cases: Vec<PathBuf> = paths.filter(toml).collect();
    cases.sort();
    cases
}

/// What a case is told, from reading it to compiling it.
fn told(path: &Path) -> String {
    let paths = DataPaths {
        netlist: path.parent().unwrap().to_owned(),
        data: None,
    };
    match Runnable::load_with(path, &LoadOptions::default(), None, &paths) {
        Ok(_) => panic!("{} compiles without a problem", path.display()),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn every_circuit_that_cannot_be_gives_exactly_its_text() {
    let update = std::env::var_os("UPDATE_CORPUS").is_some();
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut different = Vec::new();
    for path in cases {
        if let Err(problems) = netlist::load(&path, &LoadOptions::default()) {
            panic!("{} belongs to the other corpus: {problems}", path.display());
        }
        let found = told(&path);
        let beside = path.with_extension("txt");
        if update {
            fs::write(&beside, &found).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            different.push(format!(
                "{}: expected\n{expected}\nfound\n{found}",
                path.display()
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn every_message_points_into_a_text_and_says_what_to_write() {
    // Words by which the message itself says it.
    let words = [
        "expected",
        "takes",
        "needs",
        "needed",
        "they are",
        "known here",
        "pass --data",
        "write",
        "element",
        "cannot be read",
    ];
    for path in cases() {
        let (name, text) = (path.display(), told(&path));
        for message in text.split("\n\n") {
            let first = message.lines().next().unwrap();
            assert!(
                first.starts_with("error: ") && first.len() > 20,
                "{name}: {message}"
            );
            assert!(message.contains("\n  --> "), "{name}: {message}");
            let says =
                message.contains("\n  help: ") || words.iter().any(|word| first.contains(word));
            assert!(
                says,
                "{name} says what is wrong, but not what to write:\n{message}"
            );
        }
        assert!(text.contains(&format!("--> {name}:")), "{name}: {text}");
    }
}

#[test]
fn every_text_belongs_to_a_case() {
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        let known = ["toml", "txt", "csv"]
            .iter()
            .any(|e| path.extension().is_some_and(|x| x == *e));
        assert!(known, "{}", path.display());
        let owner = path.with_extension("toml");
        assert!(
            owner.exists() || path.extension().is_some_and(|x| x == "csv"),
            "{}",
            path.display()
        );
    }
}
