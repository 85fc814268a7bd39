//! Sweeps as a user meets them: tables that do not depend on threads or interruptions, refusals, rows for failures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A weight that multiplies itself by 1 + eta in each step of learning, of a neuron that sees noise. Two parts of 20 steps:
/// with eta = 1e9 it leaves the finite numbers, which end at 1.8e308, in the 35th, and what it drives does in the next: step
/// 85, for 50 steps of testing lie between.
const SMALL: &str = r#"
[circuit]
name = "small"
seed = 3
step = 1

[neuron.constant]
soma = { value = "drive" }

[neuron.noisy]
dend = { value = "drive" }
soma = { value = "dend + noise" }

[rule.grow]
parameter = { eta = "required" }
dw = "eta * w"

[population.calm]
neuron = "constant"
size = 2
soma.bias = [0, 1]

[population.wild]
neuron = "noisy"
size = 2

[projection.W]
from = "calm"
to = "wild.dend"
connect = "one-to-one"
weight = 1
learn = { rule = "grow", eta = 1e-3 }

[[stage]]
name = "block"
repeat = 2

[[stage.part]]
name = "train"
steps = 20

[[stage.part]]
name = "test"
steps = 50
learn = false

[measure.activity]
kind = "mean"
of = "mean(wild.soma)"
during = "test"

[measure.last]
kind = "r-squared"
truth = "wild.soma"
prediction = "wild.dend"
during = "test"

[measure.acf]
kind = "autocorrelation"
of = "wild.soma"
lags = 3
during = "test"

[[record]]
what = "trace"
of = "wild.soma"
"#;

const ETAS: &str = "projection.W.learn.eta=1e-3,1e-2";
const TABLES: [&str; 4] = [
    "sweep.csv",
    "sweep.parquet",
    "sweep-curves.csv",
    "sweep-curves.parquet",
];

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("small.toml", SMALL);
        place
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apical"));
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let said = text(&output.stderr);
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        output
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        text(&output.stdout)
    }

    fn refuse(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        said
    }

    /// A sweep of two values into `out`, three realizations each unless `more` says otherwise.
    fn sweep(&self, out: &str, more: &[&str]) -> String {
        let start = ["sweep", "small.toml", "--set", ETAS, "--out", out];
        self.succeed(&[&start, more].concat())
    }

    fn tables(&self, out: &str) -> Vec<Vec<u8>> {
        let read = |name: &&str| fs::read(self.path(out).join(name)).unwrap();
        TABLES.iter().map(read).collect()
    }

    /// The lines of a CSV table without quotes in it, cell by cell; the first is that of the names.
    fn csv(&self, name: &str) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let cells = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines().map(cells).collect()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    fn points(&self, out: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(out).join("points")).unwrap();
        let mut points: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
        points.sort();
        points
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
fn a_table_has_a_row_a_point_in_order() {
    let place = Place::new();
    let said = place.sweep("s", &["--realizations", "3"]);
    contains_all(
        &said,
        &[
            "small: 6 points",
            "activity",
            " ± ",
            "s/sweep.csv",
            "s/report.html",
        ],
    );
    let rows = place.csv("s/sweep.csv");
    let names = [
        "projection.W.learn.eta",
        "realization",
        "seed",
        "status",
        "stop_stage",
        "stop_step",
        "folder",
        "activity",
        "last",
    ];
    assert_eq!(rows[0], names);
    let starts: Vec<String> = rows[1..].iter().map(|row| row[..4].join(" ")).collect();
    assert_eq!(
        starts,
        [
            "0.001 0 3 completed",
            "0.001 1 4 completed",
            "0.001 2 5 completed",
            "0.01 0 3 completed",
            "0.01 1 4 completed",
            "0.01 2 5 completed",
        ]
    );
    for row in &rows[1..] {
        let run = place.json(&format!("s/{}/run.json", row[6]));
        assert_eq!(run["seed"].to_string(), row[2]);
        let series = run["measures"]["activity"]["value"].as_array().unwrap();
        assert_eq!(series[1].as_f64(), row[7].parse().ok());
    }
    // Two values of the series and four of the curve, for each of six points.
    let curves = place.csv("s/sweep-curves.csv");
    assert_eq!(curves[0][3..], ["measure", "index", "x", "value"]);
    assert_eq!(curves.len(), 1 + 6 * (2 + 4));
    assert_eq!(curves[2][3..6], ["activity", "1", "40.0"]);
}

#[test]
fn a_point_is_the_run_of_its_values_and_its_seed() {
    let place = Place::new();
    place.sweep("s", &["--realizations", "2", "--seed", "11"]);
    let arguments = ["--set", "projection.W.learn.eta=1e-2", "--seed", "12"];
    place.succeed(
        &[
            &["run", "small.toml", "--quiet", "--out", "run"][..],
            &arguments,
        ]
        .concat(),
    );
    let row = &place.csv("s/sweep.csv")[4];
    assert_eq!(row[..3], ["0.01", "1", "12"]);
    let point = place.json(&format!("s/{}/run.json", row[6]));
    let run = place.json("run/run.json");
    assert_eq!(point["measures"], run["measures"]);
    assert_eq!(point["seed"], 12);
    let netlist = format!("s/{}/netlist.toml", row[6]);
    let same = [netlist.as_str(), "run/netlist.toml"].map(|n| fs::read(place.path(n)).unwrap());
    assert!(same[0] == same[1]);
}

#[test]
fn tables_do_not_depend_on_threads() {
    let place = Place::new();
    place.sweep("one", &["-r", "5", "--threads", "1"]);
    place.sweep("four", &["-r", "5", "--threads", "4"]);
    assert!(place.tables("one") == place.tables("four"));
}

#[test]
fn an_interrupted_sweep_goes_on_to_the_same_tables() {
    let place = Place::new();
    place.sweep("whole", &["-r", "4"]);
    // Fewer realizations first, then points that are lost, cut short or damaged.
    place.sweep("parts", &["-r", "2"]);
    let points = place.points("parts");
    fs::remove_dir_all(&points[0]).unwrap();
    fs::rename(&points[1], points[1].with_extension("partial")).unwrap();
    fs::write(points[2].join("run.json"), "{").unwrap();
    TABLES
        .iter()
        .for_each(|t| fs::remove_file(place.path("parts").join(t)).unwrap());
    let said = place.sweep("parts", &["-r", "4"]);
    contains_all(&said, &["8 points, 1 of them finished before"]);
    assert!(place.tables("whole") == place.tables("parts"));
    assert!(
        place
            .points("parts")
            .iter()
            .all(|p| p.extension().is_none())
    );
    let names = |out: &str| -> Vec<_> {
        let points = place.points(out);
        points
            .iter()
            .map(|p| p.file_name().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("whole"), names("parts"));
}

#[test]
fn finished_points_are_not_run_again_and_more_values_can_be_added() {
    let place = Place::new();
    place.sweep("s", &["-r", "2"]);
    let started = |p: &PathBuf| {
        fs::metadata(p.join("run.json"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before: Vec<_> = place.points("s").iter().map(started).collect();
    let old = place.points("s");
    assert!(
        place
            .sweep("s", &["-r", "2"])
            .contains("4 of them finished before")
    );
    let more = "projection.W.learn.eta=1e-4,1e-2,1e-3";
    let said = place.succeed(&[
        "sweep",
        "small.toml",
        "--set",
        more,
        "-r",
        "2",
        "--out",
        "s",
    ]);
    contains_all(&said, &["6 points, 4 of them finished before"]);
    assert_eq!(old.iter().map(started).collect::<Vec<_>>(), before);
    let rows = place.csv("s/sweep.csv");
    let etas: Vec<&str> = rows[1..].iter().map(|r| r[0].as_str()).collect();
    assert_eq!(etas, ["0.0001", "0.0001", "0.01", "0.01", "0.001", "0.001"]);
    // Another first seed shares what it can.
    let said = place.succeed(&[
        "sweep",
        "small.toml",
        "--set",
        more,
        "-r",
        "2",
        "--seed",
        "4",
        "--out",
        "s",
    ]);
    contains_all(&said, &["6 points, 3 of them finished before"]);
}

#[test]
fn another_netlist_is_refused_until_overwriting_is_asked_for() {
    let place = Place::new();
    place.sweep("s", &["-r", "2"]);
    let before = place.tables("s");
    place.write("small.toml", &SMALL.replace("steps = 50", "steps = 60"));
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
    place.write("small.toml", &format!("# a comment\n{SMALL}"));
    assert!(
        place
            .sweep("s", &["-r", "2"])
            .contains("4 of them finished before")
    );
    place.write("small.toml", &SMALL.replace("steps = 50", "steps = 60"));
    fs::write(place.path("s/points/notes.txt"), "mine").unwrap();
    place.sweep("s", &["--overwrite"]);
    assert_eq!(place.csv("s/sweep.csv").len(), 3);
    assert_eq!(place.points("s").len(), 3, "two points and the notes");
}

#[test]
fn folders_of_others_are_left_alone() {
    let place = Place::new();
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
fn a_point_that_leaves_the_finite_numbers_is_a_row() {
    let place = Place::new();
    let said = place.succeed(&[
        "sweep",
        "small.toml",
        "--set",
        "projection.W.learn.eta=1e-3,1e9",
        "-r",
        "2",
        "--out",
        "s",
    ]);
    contains_all(&said, &["4 points", "2 of them left the finite numbers"]);
    let rows = place.csv("s/sweep.csv");
    assert_eq!(
        rows[3][..6],
        ["1000000000.0", "0", "3", "not-finite", "train", "85"]
    );
    assert_eq!(rows[3][7..], ["", ""]);
    assert_eq!(rows[1][3..6], ["completed", "", ""]);
    assert!(!rows[1][7].is_empty());
    let curves = fs::read_to_string(place.path("s/sweep-curves.csv")).unwrap();
    assert!(curves.contains("0.001") && !curves.contains("1000000000"));
    let page = fs::read_to_string(place.path("s/report.html")).unwrap();
    contains_all(&page, &["2 points left the finite numbers", "wild.dend"]);
    // It is finished: it is not run again.
    let again = [
        "sweep",
        "small.toml",
        "--set",
        "projection.W.learn.eta=1e-3,1e9",
        "-r",
        "2",
        "--out",
        "s",
    ];
    assert!(place.succeed(&again).contains("4 of them finished before"));
}

#[test]
fn all_mistakes_are_told_before_anything_runs() {
    let place = Place::new();
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

#[test]
fn traces_are_kept_only_on_request() {
    let place = Place::new();
    let traces = || {
        let points = place.points("s");
        points.iter().filter(|p| p.join("traces").exists()).count()
    };
    place.sweep("s", &[]);
    assert_eq!(traces(), 0);
    let before = place.tables("s");
    let said = place.sweep("s", &["--record"]);
    assert!(!said.contains("finished before"), "{said}");
    assert_eq!(traces(), 2);
    assert!(place.tables("s") == before);
    // What has more than is asked for is finished too.
    assert!(place.sweep("s", &[]).contains("2 of them finished before"));
}

#[test]
fn reports_are_made_again_and_take_reference_curves() {
    let place = Place::new();
    place.sweep("s", &["-r", "3"]);
    let page = place.path("s/report.html");
    let first = fs::read_to_string(&page).unwrap();
    let shown = [
        "small: sweep",
        "Measures against eta",
        "standard error",
        "sweep-curve-acf",
    ];
    contains_all(&first, &shown);
    fs::remove_file(&page).unwrap();
    assert_eq!(place.succeed(&["report", "s"]).trim(), "s/report.html");
    assert_eq!(fs::read_to_string(&page).unwrap(), first);
    assert!(place.path("s/plots/sweep-activity.svg").is_file());
    place.write("control.csv", "x,y,se\n0,1,0\n3,0.5,0.1\n");
    let overlay = "acf=control.csv,label=by hand";
    place.succeed(&["report", "s", "--overlay", overlay]);
    assert!(fs::read_to_string(&page).unwrap().contains(">by hand<"));
    place.succeed(&["run", "small.toml", "--quiet", "--out", "run"]);
    place.succeed(&[
        "report",
        "run",
        "--overlay",
        overlay,
        "--overlay",
        "activity=control.csv",
    ]);
    let run = fs::read_to_string(place.path("run/report.html")).unwrap();
    contains_all(&run, &[">by hand<", ">control<"]);
    let said = place.refuse(&["sweep", "small.toml", "--overlay", "activty=control.csv"]);
    contains_all(&said, &["activty", "did you mean `activity`?"]);
    let said = place.refuse(&["report", "s", "--overlay", "acf=nowhere.csv"]);
    contains_all(&said, &["nowhere.csv", "x,y"]);
}

#[test]
fn json_has_means_and_standard_errors() {
    let place = Place::new();
    let said = place.sweep("s", &["-r", "4", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["points"], 8);
    let rows = place.csv("s/sweep.csv");
    let values: Vec<f64> = rows[5..].iter().map(|r| r[7].parse().unwrap()).collect();
    let mean = values.iter().sum::<f64>() / 4.0;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 3.0;
    let found = &said["combinations"][1];
    assert_eq!(found["values"]["projection.W.learn.eta"], "1e-2");
    let found = &found["measures"]["activity"];
    assert_eq!(found["n"], 4);
    assert!((found["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((found["se"].as_f64().unwrap() - (variance / 4.0).sqrt()).abs() < 1e-12);
    let again: Value = serde_json::from_str(&place.succeed(&["report", "s", "--json"])).unwrap();
    assert_eq!(again, said);
    assert_eq!(place.sweep("s", &["-r", "4", "--quiet"]), "");
}

/// A sweep that takes a while.
#[cfg(unix)]
fn long(place: &Place, out: &str) -> Vec<String> {
    place.write("long.toml", &SMALL.replace("steps = 50", "steps = 300_000"));
    let arguments = [
        "sweep",
        "long.toml",
        "--set",
        ETAS,
        "-r",
        "4",
        "--threads",
        "2",
        "--out",
        out,
    ];
    arguments.map(str::to_owned).to_vec()
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_or_stopped_goes_on_to_the_same_tables() {
    for signal in ["KILL", "INT"] {
        let place = Place::new();
        let arguments = long(&place, "cut");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = place
            .command(&arguments)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let some = || {
            let points = place.path("cut/points");
            let whole = |p: &PathBuf| p.extension().is_none();
            points.exists() && place.points("cut").iter().any(whole)
        };
        while !some() && begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(2));
        }
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
        let status = child.wait().unwrap();
        assert!(!place.path("cut/sweep.csv").exists(), "it was not too late");
        if signal == "INT" {
            assert_eq!(status.code(), Some(1));
            let mut said = String::new();
            std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
            contains_all(
                &said,
                &["interrupted:", "of 8 points are finished", "same command"],
            );
            // The report of what is there says that it is not all.
            place.succeed(&["report", "cut"]);
            let page = fs::read_to_string(place.path("cut/report.html")).unwrap();
            contains_all(&page, &["are not finished"]);
        }
        let said = place.succeed(&arguments);
        assert!(said.contains("finished before"), "{said}");
        let whole = long(&place, "whole");
        place.succeed(&whole.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(place.tables("cut") == place.tables("whole"));
    }
}

#[cfg(unix)]
#[test]
fn two_processes_do_not_work_in_one_folder() {
    let place = Place::new();
    let arguments = long(&place, "s");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = place
        .command(&arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !place.path("s/points").exists() && begun.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(2));
    }
    let said = place.refuse(&arguments);
    contains_all(&said, &["another process", "help:"]);
    child.kill().unwrap();
    child.wait().unwrap();
}
