//! The command line as a user meets it: what is printed, what is written, how it exits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A circuit that learns, measures and records, in a few steps.
const SMALL: &str = r#"
use = ["impression"]

[circuit]
name = "small"
seed = 3
step = "1 ms"

[modulator.lambda]
schedule = { alternate = [1, 0], every = 2 }

[input.world]
process = "latent-ar1"
size = 6
latent = 2
decay = 0.9
noise = 0.3
mixing = { bumps = { width = 0.6, height = 0.5 } }

[population.stimulus]
neuron = "impression"
size = 6
basal = { input = "world", activation = "identity" }
apical.activation = "tanh"

[population.latent]
neuron = "impression"
size = 2

[projection.W]
from = "stimulus"
to = "latent.basal"
weight = { normal = { mean = 0, sd = 0.1 } }
learn = { rule = "impression-basal", eta = 1e-3 }

[projection.D]
from = "latent"
to = "stimulus.apical"
weight = { normal = { mean = 0, sd = 0.1 } }
learn = { rule = "impression-apical", eta = 1e-3 }

[[stage]]
name = "train"
steps = 200

[[stage]]
name = "test"
steps = 100
learn = false

[measure.error]
kind = "mean"
of = "mean((world - stimulus.apical)^2)"
during = "test"
expect = "falls"

[[record]]
what = "trace"
of = "latent.soma"

[[record]]
what = "weights"
of = "W"
every = 100
"#;

/// A folder with files in it, and `apical` run from there.
struct Place(TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        files
            .iter()
            .for_each(|(name, text)| place.write(name, text.as_bytes()));
        place
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apical"));
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command().args(arguments).output().unwrap();
        let told = text(&output.stderr) + &text(&output.stdout);
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
        output
    }

    /// Standard output of a command that succeeds and says nothing else.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        text(&output.stdout)
    }

    /// What a command says that refuses its input. Nothing of it may be on standard output.
    fn refuse(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        said
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

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
        place.write(name, SMALL.replace(from, to).as_bytes());
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
        (fs::read_to_string(place.path("tau.toml")).unwrap()
            + "[rule.slow]\nparameter = { tau = \"required\" }\ndw = \"avg(post, tau) * pre\"\n")
            .as_bytes(),
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
    place.write(
        "none.toml",
        SMALL.split("[[stage]]").next().unwrap().as_bytes(),
    );
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

/// SMALL with another input, of the right size.
fn with_input(input: &str, size: usize) -> String {
    let (before, rest) = SMALL.split_once("[input.world]").unwrap();
    let after = &rest[rest.find("[population").unwrap()..];
    let text = format!("{before}[input.world]\n{input}\n{after}");
    text.replacen("size = 6", &format!("size = {size}"), 1)
}

/// A `.npy` file of doubles.
fn npy(rows: usize, columns: usize, values: &[f64]) -> Vec<u8> {
    let header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let padding = 64 - (10 + header.len() + 1) % 64;
    let header = header + &" ".repeat(padding) + "\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes
}

#[test]
fn arrays_are_read_and_their_mistakes_named() {
    let place = Place::new(&[
        ("x.csv", "1,0.5\n0.25,-1\n0,1\n"),
        ("nan.csv", "1,2\n3,NaN\n"),
    ]);
    let array = |file: &str| with_input(&format!("process = \"array\"\nfile = \"{file}\""), 2);
    place.write("ok.npy", &npy(3, 2, &[1.0, 0.5, 0.25, -1.0, 0.0, 1.0]));
    place.write("nan.npy", &npy(3, 2, &[1.0, 0.5, 0.25, f64::NAN, 0.0, 1.0]));
    place.write("torn.npy", &npy(3, 2, &[1.0, 0.5])[..100]);
    let mut measures = vec![];
    for (file, out) in [("ok.npy", "a"), ("x.csv", "b")] {
        place.write("array.toml", array(file).as_bytes());
        let run = place.succeed(&["run", "array.toml", "--json", "--out", out]);
        measures.push(serde_json::from_str::<Value>(&run).unwrap()["measures"].clone());
    }
    assert_eq!(
        measures[0], measures[1],
        "the same numbers in either format"
    );
    for (file, what) in [
        ("nan.npy", "row 2, column 2: the value is NaN"),
        ("nan.csv", "column 2"),
        ("torn.npy", "not a readable .npy array"),
        ("gone.npy", "no file"),
        ("array.toml", "save the array as `.npy` or `.csv`"),
    ] {
        place.write("array.toml", array(file).as_bytes());
        contains_all(
            &place.refuse(&["run", "array.toml"]),
            &["array.toml:", file, what],
        );
    }
}

#[test]
fn arrays_are_found_in_the_data_folder() {
    let place = Place::new(&[("data/x.csv", "1,0.5\n0.25,-1\n")]);
    place.write(
        "array.toml",
        with_input("process = \"array\"\nfile = \"x.csv\"", 2).as_bytes(),
    );
    place.succeed(&["run", "array.toml", "--quiet", "--data", "data"]);
}

#[test]
fn recordings_that_are_missing_or_none_are_named() {
    let mel = "process = \"log-mel\"\nfolder = \"digits\"\nrate = \"8 kHz\"\nwindow = 256\nhop = 128\nchannels = 6";
    let place = Place::new(&[]);
    place.write("mel.toml", with_input(mel, 6).as_bytes());
    contains_all(
        &place.refuse(&["run", "mel.toml"]),
        &["error:", "digits", "--data DIR"],
    );
    contains_all(
        &place.refuse(&["run", "mel.toml", "--data", "elsewhere"]),
        &["digits", "--data DIR"],
    );
    place.write("data/digits/a.wav", b"this is not a recording");
    let said = place.refuse(&["run", "mel.toml", "--data", "data"]);
    contains_all(&said, &["error:", "a.wav", "not a readable WAV file"]);
    fs::remove_file(place.path("data/digits/a.wav")).unwrap();
    let said = place.refuse(&["run", "mel.toml", "--data", "data"]);
    contains_all(&said, &["error:", "digits", "*.wav"]);
    assert!(
        !place.path("runs").exists(),
        "nothing is written before the data are read"
    );
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
    let mut command = place.command();
    let child = command
        .args(arguments)
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
    assert!(run["steps"].as_u64().unwrap() >= 100);
    for file in ["report.html", "traces/trace-latent.soma.parquet"] {
        assert!(place.path("out").join(file).is_file(), "{file}");
    }
    assert!(place.succeed(&["report", "out"]).contains("report.html"));
}

/// Whether there is more than the initial weights: two samples of 12 numbers and the header.
fn weights_recorded(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 128 + 12 * 8)
}

fn wait_for(longest: Duration, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < longest, "waited too long");
        thread::sleep(Duration::from_millis(20));
    }
}
