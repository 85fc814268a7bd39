//! Input data: arrays and recordings, and what is wrong with them.

use std::fs;

use serde_json::Value;

use crate::support::{Place, SMALL, contains_all};

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
    place.write("ok.npy", npy(3, 2, &[1.0, 0.5, 0.25, -1.0, 0.0, 1.0]));
    place.write("nan.npy", npy(3, 2, &[1.0, 0.5, 0.25, f64::NAN, 0.0, 1.0]));
    place.write("torn.npy", &npy(3, 2, &[1.0, 0.5])[..100]);
    let mut measures = vec![];
    for (file, out) in [("ok.npy", "a"), ("x.csv", "b")] {
        place.write("array.toml", array(file));
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
        place.write("array.toml", array(file));
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
        with_input("process = \"array\"\nfile = \"x.csv\"", 2),
    );
    place.succeed(&["run", "array.toml", "--quiet", "--data", "data"]);
}

#[test]
fn recordings_that_are_missing_or_none_are_named() {
    let mel = "process = \"log-mel\"\nfolder = \"digits\"\nrate = \"8 kHz\"\nwindow = 256\nhop = 128\nchannels = 6";
    let place = Place::new(&[]);
    place.write("mel.toml", with_input(mel, 6));
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
fn images_that_are_missing_or_damaged_are_named_before_anything_is_written() {
    let images = "process = \"images\"\nformat = \"idx\"\n\
                  file = { images = \"images\", labels = \"labels\" }";
    let place = Place::new(&[]);
    place.write("images.toml", with_input(images, 4));
    let told = |what: &[&str]| contains_all(&place.refuse(&["run", "images.toml"]), what);
    told(&["images.toml:", "no file", "images`", "--data DIR"]);
    let head = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2];
    place.write("images", [&head[..], &[9; 7]].concat());
    told(&[
        "images.toml:",
        "23 bytes",
        "2 images of 2 x 2, 24 bytes",
        "truncated",
    ]);
    place.write("images", [&head[..], &[9; 8]].concat());
    told(&["no file", "labels`"]);
    place.write("labels", [0, 0, 8, 1, 0, 0, 0, 2, 3, 10]);
    told(&["labels`, label 2: the class is 10, expected 0 to 9"]);
    place.write("labels", [0, 0, 8, 1, 0, 0, 0, 1, 3]);
    told(&["2 images end with", "1 labels"]);
    assert!(!place.path("runs").exists());
    place.write("labels", [0, 0, 8, 1, 0, 0, 0, 2, 3, 9]);
    place.succeed(&["run", "images.toml", "--quiet"]);
}
