//! What a sweep writes.

use std::fs;

use serde_json::Value;

use super::place;
use crate::support::contains_all;

#[test]
fn a_table_has_a_row_a_point_in_order() {
    let place = place();
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
    let place = place();
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
    let place = place();
    place.sweep("one", &["-r", "5", "--threads", "1"]);
    place.sweep("four", &["-r", "5", "--threads", "4"]);
    assert!(place.tables("one") == place.tables("four"));
}

#[test]
fn a_point_that_leaves_the_finite_numbers_is_a_row() {
    let place = place();
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
fn traces_are_kept_only_on_request() {
    let place = place();
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
    let place = place();
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
    let place = place();
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
