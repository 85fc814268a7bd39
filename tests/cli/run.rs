//! `apical run`: the run directory, options, ends before the time.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Place, SMALL, contains_all, text, wait_for};

#[test]
fn a_run_leaves_a_directory_and_a_summary() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let said = place.succeed(&["run", "small.toml"]);
    contains_all(
        &said,
        &[
            "small: 300 steps",
            "seed 3",
            "error",
            "(expected: falls)",
            "report: runs/small-3",
        ],
    );
    let files = [
        "run.json",
        "netlist.toml",
        "report.html",
        "traces/trace-latent.soma.parquet",
        "weights/weights-W.npy",
        "plots/circuit.svg",
    ];
    for file in files {
        assert!(place.path("runs/small-3").join(file).is_file(), "{file}");
    }
    let run = place.json("runs/small-3/run.json");
    assert_eq!(run["stop"]["reason"], "completed");
    assert_eq!(run["steps"], 300);
    // The resolved netlist is a netlist: it gives the same run.
    let again = place.succeed(&[
        "run",
        "runs/small-3/netlist.toml",
        "--json",
        "--out",
        "again",
    ]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["measures"], run["measures"]);
}

#[test]
fn run_json_is_the_file_run_json_and_quiet_is_quiet() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let said = place.succeed(&["run", "small.toml", "--json", "--out", "out"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said, place.json("out/run.json"));
    let shown = place.succeed(&["report", "out", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), said);
    assert_eq!(
        place.succeed(&["run", "small.toml", "--quiet", "--out", "quiet"]),
        ""
    );
}

#[test]
fn seed_threads_and_overrides_are_obeyed() {
    let place = Place::new(&[("small.toml", SMALL)]);
    let run = |more: &[&str]| -> Value {
        let arguments = [
            &["run", "small.toml", "--json", "--overwrite", "--out", "out"],
            more,
        ]
        .concat();
        serde_json::from_str(&place.succeed(&arguments)).unwrap()
    };
    let first = run(&[]);
    assert_eq!(run(&["--threads", "2"])["measures"], first["measures"]);
    let other = run(&["--seed", "4"]);
    assert_eq!(other["seed"], 4);
    assert_ne!(other["measures"], first["measures"]);
    let longer = run(&["--set", "stage.train.steps=250", "--set", "circuit.seed=5"]);
    assert_eq!(
        (&longer["steps"], &longer["seed"]),
        (&Value::from(350), &Value::from(5))
    );
}

#[test]
fn an_earlier_run_is_only_replaced_when_that_is_asked_for() {
    let place = Place::new(&[("small.toml", SMALL)]);
    place.succeed(&["run", "small.toml", "--quiet", "--out", "out"]);
    let said = place.refuse(&["run", "small.toml", "--quiet", "--out", "out"]);
    contains_all(&said, &["error:", "out", "help:", "overwr"]);
    place.succeed(&[
        "run",
        "small.toml",
        "--quiet",
        "--out",
        "out",
        "--overwrite",
    ]);
}

#[test]
fn numbers_that_overflow_end_the_run_with_1_and_keep_what_was_recorded() {
    // Linear neurons and a Hebbian rule with nothing that stops it.
    let (linear, hebb) = (
        "soma = { value = \"drive\" }",
        "[rule.hebb]\ndw = \"1e6 * post * pre\"\n",
    );
    let wild = SMALL.replace(
        "neuron = \"impression\"\nsize = 2",
        "neuron = \"linear\"\nsize = 2",
    );
    let wild = wild.replace("to = \"latent.basal\"", "to = \"latent.soma\"");
    let wild = wild.replace("rule = \"impression-basal\", eta = 1e-3", "rule = \"hebb\"");
    let wild = wild.replace("from = \"latent\"", "from = \"latent\"\ndelay = 1");
    let place = Place::new(&[(
        "wild.toml",
        &format!("{wild}\n[neuron.linear]\n{linear}\n{hebb}"),
    )]);
    let output = place.run(&["run", "wild.toml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    contains_all(
        &said,
        &[
            "error:",
            "is not finite any more",
            "stage `train`",
            "help:",
            "out",
        ],
    );
    let run = place.json("out/run.json");
    assert_eq!(run["stop"]["reason"], "not-finite");
    let population = run["stop"]["population"].as_str().unwrap();
    assert!(said.contains(&format!("`{population}.")), "{said}");
    assert!(place.path("out/report.html").is_file());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_with_what_it_has() {
    let endless = SMALL.replace("steps = 200", "steps = 4_000_000_000");
    let place = Place::new(&[("endless.toml", &endless)]);
    let arguments = ["run", "endless.toml", "--out", "out", "--threads", "2"];
    let child = place
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let weights = place.path("out/weights/weights-W.npy");
    wait_for(Duration::from_secs(60), || weights_recorded(&weights));
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    contains_all(&said, &["interrupted in stage `train`", "out"]);
    let run = place.json("out/run.json");
    assert_eq!(run["stop"]["reason"], "interrupted");
    assert_eq!(run["stop"]["step"], run["steps"]);
    let steps = run["steps"].as_u64().unwrap();
    assert!(steps >= 100, "{steps}");
    for file in ["report.html", "traces/trace-latent.soma.parquet"] {
        assert!(place.path("out").join(file).is_file(), "{file}");
    }
    assert!(place.succeed(&["report", "out"]).contains("report.html"));
}

/// Whether there is more than the initial weights: the header, whose length it tells, and two samples of 12 numbers.
fn weights_recorded(path: &Path) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    let length = |low, high| 10 + usize::from(u16::from_le_bytes([low, high]));
    matches!(bytes[..], [_, _, _, _, _, _, _, _, low, high, ..] if bytes.len() >= length(low, high) + 2 * 12 * 8)
}
