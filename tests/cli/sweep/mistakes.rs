//! What a sweep refuses.

use std::fs;

use super::{ETAS, SMALL, place};
use crate::support::{contains_all, text};

#[test]
fn another_netlist_is_refused_until_overwriting_is_asked_for() {
    let place = place();
    place.sweep("s", &["-r", "2"]);
    let before = place.tables("s");
    place.write("small.toml", SMALL.replace("steps = 50", "steps = 60"));
    let arguments = ["sweep", "small.toml", "--set", ETAS, "--out", "s"];
    let said = place.refuse(&arguments);
    contains_all(
        &said,
        &[
            "another netlist",
            "then: steps = 50",
            "now:  steps = 60",
            "--out",
            "--overwrite",
        ],
    );
    assert!(place.tables("s") == before);
    // A comment is no change.
    place.write("small.toml", format!("# a comment\n{SMALL}"));
    assert!(
        place
            .sweep("s", &["-r", "2"])
            .contains("4 of them finished before")
    );
    place.write("small.toml", SMALL.replace("steps = 50", "steps = 60"));
    fs::write(place.path("s/points/notes.txt"), "mine").unwrap();
    place.sweep("s", &["--overwrite"]);
    assert_eq!(place.csv("s/sweep.csv").len(), 3);
    assert_eq!(place.points("s").len(), 3, "two points and the notes");
}

#[test]
fn folders_of_others_are_left_alone() {
    let place = place();
    place.succeed(&["run", "small.toml", "--quiet", "--out", "run"]);
    let said = place.refuse(&["sweep", "small.toml", "--out", "run"]);
    contains_all(&said, &["run", "already holds a run", "help:"]);
    fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/sweep.csv", "mine");
    let output = place.run(&["sweep", "small.toml", "--out", "mine"]);
    assert_ne!(output.status.code(), Some(0));
    contains_all(&text(&output.stderr), &["sweep.csv", "in the way"]);
    assert_eq!(
        fs::read_to_string(place.path("mine/sweep.csv")).unwrap(),
        "mine"
    );
}

#[test]
fn all_mistakes_are_told_before_anything_runs() {
    let place = place();
    let said = place.refuse(&[
        "sweep",
        "small.toml",
        "--set",
        "projection.W.learn.eta=1e-3,,1e-3,1e-2,1e-2",
        "--set",
        "circuit.seed=1,2",
    ]);
    contains_all(
        &said,
        &[
            "has an empty value",
            "`1e-3` twice",
            "`1e-2` twice",
            "`circuit.seed` cannot be swept",
            "--realizations 2",
        ],
    );
    let said = place.refuse(&[
        "sweep",
        "small.toml",
        "--set",
        "projection.W.learn.eta=1e-3,\"10 ms\"",
        "--set",
        "population.wild.size=2,-1,3",
    ]);
    contains_all(
        &said,
        &[
            "units clash",
            "`population.wild.size` is -1",
            "one-to-one",
            "with: --set projection.W.learn.eta=1e-3 --set population.wild.size=-1",
            "mistakes found",
        ],
    );
    // What all combinations have in common is told once, and so is what several have.
    assert_eq!(said.matches("size` is -1").count(), 1, "{said}");
    let said = place.refuse(&[
        "sweep",
        "small.toml",
        "--set",
        ETAS,
        "--set",
        "stage.train.stepz=1",
    ]);
    assert_eq!(said.matches("unknown key `stepz`").count(), 1, "{said}");
    assert!(
        said.contains("1 mistake found") && !said.contains("with:"),
        "{said}"
    );
    let said = place.refuse(&[
        "sweep",
        "small.toml",
        "--seed",
        "9223372036854775807",
        "-r",
        "2",
    ]);
    contains_all(&said, &["seed", "--seed"]);
    place.refuse(&["sweep", "small.toml", "-r", "0"]);
    place.refuse(&["sweep", "no-such.toml", "--set", "circuit.step=1,2"]);
    let stageless = SMALL.split("[[stage]]").next().unwrap();
    place.write("none.toml", stageless);
    contains_all(&place.refuse(&["sweep", "none.toml"]), &["no stage"]);
    assert!(!place.path("runs").exists());
}
