//! No text, no bytes and no override makes the reader panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod netlist_support;

use netlist_support::{impression, parse};
use proptest::prelude::*;

#[test]
fn the_deepest_nesting_that_the_parser_lets_through_is_a_problem() {
    let keys = vec!["a"; 79].join(".");
    let deep = (0..79).fold("1".to_owned(), |inner, _| format!("{{ {keys} = {inner} }}"));
    for text in [
        format!("x = {deep}"),
        format!("x = {deep}\nx = {deep}"),
        format!("[{keys}]\n{keys} = {deep}"),
    ] {
        assert!(
            parse(&text, &[])
                .unwrap_err()
                .to_string()
                .contains("nested too deep")
        );
    }
    let set = format!("population.p.parameter={deep}");
    assert!(parse("[circuit]\nname = \"t\"\nstep = 1", &[&set]).is_err());
    let path = format!("population.{keys}=1");
    assert!(parse("[circuit]\nname = \"t\"\nstep = 1", &[&path]).is_err());
}

/// Texts that are nearly netlists: pieces of TOML and of netlists in any order.
fn nearly_netlists() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[circuit]\n",
        "[[stage]]\n",
        "[[stage.part]]\n",
        "[population.a]\n",
        "[projection.W]\n",
        "[[record]]\n",
        "[neuron.n]\n",
        "[rule.r]\n",
        "[input.i]\n",
        "[measure.m]\n",
        "[modulator.m]\n",
        "name = ",
        "step = ",
        "like = ",
        "\"a\"",
        "'b'",
        "\"\"\"",
        "'''",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        ".",
        "\n",
        "#",
        "1",
        "-1",
        "0.5",
        "inf",
        "nan",
        "\"10 ms\"",
        "true",
        "1979-05-27",
        "soma",
        "size",
        "value",
        "normal",
        "uniform",
        "every",
        "steps",
        "part",
        "use = [\"linear\"]\n",
        "\\",
        "\u{b5}",
        "\u{feff}",
        "\r",
        "\0",
        "of = \"x\"\n",
        "kind = \"mean\"\n",
        "what = \"trace\"\n",
        "process = \"log-mel\"\n",
        "weight = ",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_the_reader_panic(text in nearly_netlists()) {
        if let Err(problems) = parse(&text, &[]) {
            prop_assert!(!problems.list.is_empty());
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(parse(&text, &[]).is_err());
    }

    #[test]
    fn no_change_of_a_good_netlist_makes_the_reader_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, ".{0,4}"), 1..5),
    ) {
        let mut text = impression();
        for (place, length, new) in cuts {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let start = place.index(places.len());
            let end = places.get(start + length).copied().unwrap_or(text.len());
            text.replace_range(places[start]..end, &new);
        }
        match parse(&text, &[]) {
            Ok(netlist) => {
                let again = parse(&netlist.resolved, &[]);
                prop_assert!(again.is_ok(), "{}\n{}", netlist.resolved, again.unwrap_err());
            }
            Err(problems) => prop_assert!(!problems.to_string().is_empty()),
        }
    }

    #[test]
    fn no_override_makes_the_reader_panic(path in "[a-z.0-9= \"\\[]{0,30}", value in ".{0,10}") {
        for set in [format!("{path}={value}"), format!("stage.{path}={value}"), path, value] {
            if let Err(problems) = parse(&impression(), &[&set]) {
                prop_assert!(!problems.to_string().is_empty());
            }
        }
    }

    #[test]
    fn any_text_survives_being_written_and_read_again(about in any::<String>(), name in "[\\w\\- .\"']{1,8}") {
        let text = "[circuit]\nname = \"t\"\nstep = 1\n";
        let quoted = toml::Value::String(about.clone()).to_string();
        let set = format!("circuit.about={quoted}");
        if let Ok(netlist) = parse(text, &[&set, &format!("input.i.split.{name}=x")]) {
            prop_assert_eq!(parse(&netlist.resolved, &[]).unwrap().circuit.about, netlist.circuit.about);
        }
        if let Ok(netlist) = parse(text, &[&set]) {
            prop_assert_eq!(netlist.circuit.about.as_deref(), Some(about.as_str()));
            prop_assert_eq!(parse(&netlist.resolved, &[]).unwrap().circuit.about, Some(about));
        } else {
            prop_assert!(about.trim().is_empty());
        }
    }
}
