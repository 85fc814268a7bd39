//! Mistakes in what is typed and in netlists.

use std::fs;

use crate::support::{Place, SMALL, contains_all, text};

#[test]
fn mistakes_in_what_is_typed_exit_with_2_and_help_with_0() {
    let place = Place::new(&[("small.toml", SMALL)]);
    for arguments in [
        &["walk", "small.toml"][..],
        &["run"],
        &["run", "small.toml", "--threads", "0"],
        &["run", "small.toml", "--threads", "many"],
        &["run", "small.toml", "--seed", "-1"],
        &["check", "small.toml", "--out", "x"],
        &[],
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains("Usage") || text(&output.stderr).contains("--help"),
            "{arguments:?}"
        );
    }
    assert!(!place.path("runs").exists());
    assert!(place.succeed(&["--help"]).contains("run"));
    assert!(place.succeed(&["--version"]).starts_with("apical "));
}

/// The mistakes below are told of by every command that reads a netlist.
fn refused_everywhere(place: &Place, netlist: &str, parts: &[&str]) {
    for command in ["run", "check", "graph"] {
        contains_all(&place.refuse(&[command, netlist]), parts);
    }
    assert!(
        !place.path("runs").exists(),
        "nothing is written for a netlist that cannot be run"
    );
}

#[test]
fn a_netlist_that_is_not_there_or_not_one() {
    let noise: Vec<u8> = (0..2000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let place = Place::new(&[("folder/x", "")]);
    place.write("noise.toml", &noise);
    place.write("empty.toml", b"");
    refused_everywhere(&place, "no-such.toml", &["no-such.toml", "error:", "help:"]);
    refused_everywhere(&place, "folder", &["folder", "error:", "help:"]);
    refused_everywhere(&place, "noise.toml", &["noise.toml", "error:", "help:"]);
    refused_everywhere(&place, "empty.toml", &["empty.toml", "error:", "[circuit]"]);
}

#[test]
fn mistakes_in_the_circuit_name_the_file_and_say_what_to_write() {
    let place = Place::new(&[]);
    let broken = |name: &str, from: &str, to: &str| {
        assert!(SMALL.contains(from));
        place.write(name, SMALL.replace(from, to));
    };
    broken("name.toml", "from = \"latent\"", "from = \"latnt\"");
    refused_everywhere(
        &place,
        "name.toml",
        &[
            "name.toml:",
            "there is no population `latnt`",
            "did you mean `latent`?",
        ],
    );
    broken("loop.toml", "[1, 0], every", "[1, 0.5], every");
    let path = "stimulus.soma → latent.basal.drive → latent.basal → latent.soma";
    refused_everywhere(&place, "loop.toml", &["loop.toml:", path, "delay = 1"]);
    let weight =
        "weight = { normal = { mean = 0, sd = 0.1 } }\nlearn = { rule = \"impression-apical\"";
    broken(
        "unit.toml",
        weight,
        &weight.replace("{ normal = { mean = 0, sd = 0.1 } }", "\"0.1 mV\""),
    );
    refused_everywhere(
        &place,
        "unit.toml",
        &["unit.toml:", "takes a plain number, this is in mV", "help:"],
    );
    broken(
        "tau.toml",
        "rule = \"impression-basal\", eta = 1e-3",
        "rule = \"slow\", tau = \"-10 ms\"",
    );
    place.write(
        "tau.toml",
        fs::read_to_string(place.path("tau.toml")).unwrap()
            + "[rule.slow]\nparameter = { tau = \"required\" }\ndw = \"avg(post, tau) * pre\"\n",
    );
    refused_everywhere(
        &place,
        "tau.toml",
        &[
            "tau.toml:",
            "a time constant is a constant above 0",
            "help:",
        ],
    );
    place.write("none.toml", SMALL.split("[[stage]]").next().unwrap());
    contains_all(
        &place.refuse(&["run", "none.toml"]),
        &["none.toml:", "no stage", "[[stage]]"],
    );
    let said = place.refuse(&["run", "name.toml", "--set", "stage.train.stepz=1"]);
    contains_all(
        &said,
        &["--set", "unknown key `stepz`", "did you mean `steps`?"],
    );
}
