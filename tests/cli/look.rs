//! Commands that run nothing: `apical check`, `graph`, `models`, `report`.

use std::fs;

use serde_json::Value;

use crate::support::{Place, SMALL, contains_all, text};

#[test]
fn check_says_what_the_compiler_makes_of_it() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let said = place.succeed(&["check", "small.toml"]);
    contains_all(
        &said,
        &[
            "8 neurons",
            "24 synapses",
            "gates: lambda",
            "impression-basal, local, fused: 1 outer product",
        ],
    );
    let json: Value =
        serde_json::from_str(&place.succeed(&["check", "small.toml", "--json"])).unwrap();
    assert_eq!(json["neurons"], 8);
    assert_eq!(json["projections"][0]["rule"], "impression-basal");
    assert!(!place.path("runs").exists(), "check runs nothing");
}

#[test]
fn graph_draws_svg_or_dot_to_a_file_or_to_standard_output() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let svg = place.succeed(&["graph", "small.toml"]);
    assert!(
        svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
    let dot = place.succeed(&["graph", "small.toml", "--dot"]);
    assert!(
        dot.starts_with("digraph") && dot.contains("stimulus"),
        "{dot}"
    );
    for (file, drawn) in [("c.svg", &svg), ("c.dot", &dot), ("c.gv", &dot)] {
        assert_eq!(place.succeed(&["graph", "small.toml", "--out", file]), "");
        assert_eq!(
            &fs::read_to_string(place.path(file)).unwrap(),
            drawn,
            "{file}"
        );
    }
    let output = place.run(&["graph", "small.toml", "--out", "no/such/folder/c.svg"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "what cannot be written is no fault of the netlist"
    );
    contains_all(&text(&output.stderr), &["no/such/folder/c.svg"]);
}

#[test]
fn models_lists_the_library_and_shows_its_parts() {
    let place = Place::new(&[(
        "mine/own.toml",
        "[rule.own]\nsource = \"me\"\ndw = \"pre * post\"\n",
    )]);
    contains_all(
        &place.succeed(&["models"]),
        &["use = [\"impression\"]", "impression-basal", "Bredenberg"],
    );
    let shown = place.succeed(&["models", "impression-basal"]);
    assert!(
        shown.contains("[rule.impression-basal]") && !shown.contains("impression-apical"),
        "{shown}"
    );
    assert!(
        place
            .succeed(&["models", "impression"])
            .contains("[neuron.impression]")
    );
    let json: Value = serde_json::from_str(&place.succeed(&["models", "--json"])).unwrap();
    assert!(
        json.as_array()
            .unwrap()
            .iter()
            .any(|file| file["name"] == "impression")
    );
    assert!(
        place
            .succeed(&["models", "own", "--models", "mine"])
            .contains("pre * post")
    );
    contains_all(
        &place.refuse(&["models", "impresion-basal"]),
        &["impresion-basal", "did you mean"],
    );
    contains_all(
        &place.refuse(&["models", "--models", "nowhere"]),
        &["nowhere"],
    );
}

#[test]
fn report_makes_the_page_again() {
    let place = Place::new(&[("small.toml", SMALL)]);
    place.succeed(&["run", "small.toml", "--quiet", "--out", "out"]);
    let page = place.path("out/report.html");
    let first = fs::read_to_string(&page).unwrap();
    fs::remove_file(&page).unwrap();
    assert_eq!(place.succeed(&["report", "out"]).trim(), "out/report.html");
    assert_eq!(fs::read_to_string(&page).unwrap(), first);
    let said = place.refuse(&["report", "nowhere"]);
    contains_all(&said, &["error:", "nowhere"]);
}
