//! A folder with files in it, and `apical` run from there.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A circuit that learns, measures and records, in a few steps.
pub const SMALL: &str = r#"
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
pub struct Place(TempDir);

impl Place {
    pub fn new(files: &[(&str, &str)]) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        files
            .iter()
            .for_each(|(name, text)| place.write(name, text));
        place
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apical"));
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        let told = text(&output.stderr) + &text(&output.stdout);
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
        output
    }

    /// Standard output of a command that succeeds and says nothing else.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        text(&output.stdout)
    }

    /// What a command says that refuses its input. Nothing of it may be on standard output.
    pub fn refuse(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        said
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

/// Waits until something is so.
pub fn wait_for(longest: Duration, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < longest, "waited too long");
        thread::sleep(Duration::from_millis(2));
    }
}
