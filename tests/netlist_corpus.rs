//! Every netlist in `tests/corpus`: the good ones are read, and survive being written and read
//! again; each bad one gives exactly the text beside it.
//!
//! `UPDATE_CORPUS=1` writes those texts anew. Read every line of the change before keeping it.
//! Lines `# --set path=value` in a case are its overrides.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use apical::netlist::{self, LoadOptions, Netlist};
use apical::source::Problems;

const MODELS: &str = "tests/corpus/models";

/// Netlists of a folder, in the order of their names.
fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/corpus").join(folder);
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let toml = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    };
    let mut cases: Vec<PathBuf> = entries.filter(toml).collect();
    cases.sort();
    cases
}

/// Reads a case as `apical` would, with the overrides that it states.
fn read(path: &Path) -> Result<Netlist, Problems> {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let set = text
        .lines()
        .filter_map(|line| line.strip_prefix("# --set "));
    let options = LoadOptions {
        models: Some(MODELS.into()),
        set: set.map(str::to_owned).collect(),
    };
    netlist::load(path, &options)
}

/// All a netlist says, without the places where it was written.
fn meaning(netlist: &Netlist) -> String {
    let bare = Netlist {
        resolved: String::new(),
        sources: Default::default(),
        ..netlist.clone()
    };
    let mut rest = format!("{bare:#?}");
    let mut out = String::new();
    while let Some(start) = rest.find("Span {") {
        let length = rest[start..].find('}').unwrap();
        out.push_str(&rest[..start]);
        rest = rest[start + length + 1..].to_owned();
    }
    out + &rest
}

#[test]
fn every_good_netlist_is_read() {
    let cases = cases("good");
    assert!(cases.len() >= 6);
    for path in cases {
        if let Err(problems) = read(&path) {
            panic!("{}:\n{problems}", path.display());
        }
    }
}

#[test]
fn a_resolved_netlist_reads_back_to_the_same_and_needs_no_other_file() {
    for path in cases("good") {
        let first = read(&path).unwrap();
        // No models folder, no overrides, and a name without a folder.
        let second = netlist::parse("resolved", &first.resolved, &LoadOptions::default());
        let second = second.unwrap_or_else(|problems| panic!("{}\n{problems}", first.resolved));
        assert_eq!(meaning(&second), meaning(&first), "{}", path.display());
        assert_eq!(second.resolved, first.resolved, "{}", path.display());
    }
}

#[test]
fn every_bad_netlist_gives_exactly_its_text() {
    let update = std::env::var_os("UPDATE_CORPUS").is_some();
    let cases = cases("bad");
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut different = Vec::new();
    for path in cases {
        let shown = match read(&path) {
            Err(problems) => problems.to_string(),
            Ok(_) => panic!("{} is read without a problem", path.display()),
        };
        assert!(!shown.is_empty(), "{}", path.display());
        let beside = path.with_extension("txt");
        if update {
            fs::write(&beside, &shown).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if shown != expected {
            different.push(format!(
                "{}: expected\n{expected}\nfound\n{shown}",
                path.display()
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn every_text_belongs_to_a_bad_netlist() {
    for entry in fs::read_dir("tests/corpus/bad").unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("toml").exists(), "{}", path.display());
    }
}
