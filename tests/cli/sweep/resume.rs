//! Sweeps that go on where they were stopped.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{ETAS, SMALL, TABLES, place};
use crate::support::{Place, contains_all, wait_for};

#[test]
fn an_interrupted_sweep_goes_on_to_the_same_tables() {
    let place = place();
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
    let place = place();
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

/// A sweep that takes a while.
#[cfg(unix)]
fn long(place: &Place, out: &str) -> Vec<String> {
    place.write("long.toml", SMALL.replace("steps = 50", "steps = 300_000"));
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
        let place = place();
        let arguments = long(&place, "cut");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = place
            .command(&arguments)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let some = || {
            let points = place.path("cut/points");
            let whole = |p: &PathBuf| p.extension().is_none();
            points.exists() && place.points("cut").iter().any(whole)
        };
        wait_for(Duration::from_secs(60), some);
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
    let place = place();
    let arguments = long(&place, "s");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = place
        .command(&arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(Duration::from_secs(60), || place.path("s/points").exists());
    let said = place.refuse(&arguments);
    contains_all(&said, &["another process", "help:"]);
    child.kill().unwrap();
    child.wait().unwrap();
}
