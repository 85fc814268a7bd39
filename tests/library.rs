//! Every netlist in `netlists/` loads and runs, and every model in `models/` is used by one of them.
//!
//! Data sets are looked for in the folder that `APICAL_DATA` names, or in `../shared/data`; netlists whose data are
//! not there are skipped, and counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use apical::circuit::Circuit;
use apical::compile::check_neurons;
use apical::experiment::{RunOptions, Runnable, Silent};
use apical::input::DataPaths;
use apical::netlist::model::{
    Duration, InputProcess, Learn, MeasureKind, Netlist, Recording, RecordingKind, Stage,
    StageLength,
};
use apical::netlist::{self, LoadOptions, ModelKind};
use apical::record::StopReason;
use apical::source::{Problems, Spanned};

/// Models that no netlist uses: the name of each and a circuit that does.
const CASES: &[(&str, &str)] = &[
    (
        "lif-escape",
        "use = [\"lif\"]\n[circuit]\nname = \"case\"\n[population.p]\nneuron = \"lif-escape\"\nsize = 2\n",
    ),
    (
        "regular",
        "use = [\"sources\"]\n[circuit]\nname = \"case\"\n[population.p]\nneuron = \"regular\"\nsize = 2\n",
    ),
    (
        "pyramidal-2",
        "use = [\"pyramidal\"]\n[circuit]\nname = \"case\"\n[population.p]\nneuron = \"pyramidal-2\"\nsize = 2\n",
    ),
    (
        "pyramidal-5",
        "use = [\"pyramidal\"]\n[circuit]\nname = \"case\"\n[population.p]\nneuron = \"pyramidal-5\"\nsize = 2\n",
    ),
    (
        "error-return",
        r#"use = ["folded"]
[circuit]
name = "case"
step = "1 ms"
[modulator.lambda]
schedule = 0.2
[modulator.beta]
schedule = 1
[population.p]
neuron = "folded"
size = 2
[projection.back]
from = "p.missed_w"
to = "p.error_w"
delay = 1
weight = 0
learn = { rule = "error-return", eta = 0.1 }
[[stage]]
name = "run"
steps = 2
"#,
    ),
    (
        "tree",
        "use = [\"pyramidal\"]\n[circuit]\nname = \"case\"\n[population.p]\nneuron = \"tree\"\nsize = 2\n",
    ),
    (
        "clapp-no-retrodiction",
        "use = [\"clapp\"]\n[circuit]\nname = \"case\"\nstep = 1\n[modulator.gamma]\nschedule = 1\n[population.p]\n\
         neuron = \"clapp\"\nsize = 2\n[projection.W]\nfrom = \"p\"\nto = \"p.basal\"\ndelay = 1\nweight = 0.1\n\
         learn = { rule = \"clapp-no-retrodiction\", eta = 1 }\n[[stage]]\nname = \"run\"\nsteps = 2\n",
    ),
];

/// Rules between spiking neurons, whose equations `tests/plasticity` runs.
const SPIKING: [&str; 5] = [
    "stdp-pair",
    "stdp-triplet",
    "burst",
    "inhibitory-homeostatic",
    "oja",
];

/// Steps of every stage.
const STEPS: u64 = 3;

/// Most steps of a trial.
const TRIAL: u64 = 1_000;

/// Data sets that take long to read, and the few files that are enough here: folder, pattern.
const FEW_FILES: [(&str, &str); 1] = [("fsdd/recordings", "*_jackson_{[0-3],1[4-7]}.wav")];

/// All files below a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The data folder, if there is one.
fn data() -> Option<PathBuf> {
    let named = env::var_os("APICAL_DATA").map(PathBuf::from);
    let folder =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    folder.is_dir().then_some(folder)
}

/// Makes all stages short, whatever their length was.
fn shorten(stages: &mut [Stage]) {
    for stage in stages {
        stage.repeat.value = stage.repeat.value.min(2);
        match &mut stage.length {
            StageLength::Parts(parts) => shorten(parts),
            length => {
                // Two trials, if the stage is a row of them.
                let steps = stage.trial.as_mut().map_or(STEPS, |t| {
                    t.steps.value = t.steps.value.min(TRIAL);
                    2 * t.steps.value
                });
                *length = StageLength::For(Spanned::new(Duration::Steps(steps), stage.span));
            }
        }
    }
}

/// Steps that a netlist takes in all.
fn steps(stages: &[Stage]) -> u64 {
    let once = |stage: &Stage| match &stage.length {
        StageLength::Parts(parts) => steps(parts),
        StageLength::For(Spanned {
            value: Duration::Steps(steps),
            ..
        }) => *steps,
        _ => STEPS,
    };
    stages
        .iter()
        .map(|stage| stage.repeat.value * once(stage))
        .sum()
}

/// The first file or folder that a netlist needs and that is not there; big data sets are made small.
fn prepare_data(netlist: &mut Netlist, paths: &DataPaths) -> Option<String> {
    for input in netlist.inputs.values_mut() {
        let needed: Vec<String> = match &mut input.process {
            InputProcess::LatentAr1 { .. }
            | InputProcess::VonMises { .. }
            | InputProcess::Random { .. } => vec![],
            InputProcess::Array { file, splits } => {
                let splits = splits.values().map(|name| name.value.clone());
                splits.chain([file.value.clone()]).collect()
            }
            InputProcess::Images(images) => {
                let splits = images.splits.values().chain([&images.files]);
                let files = splits.flat_map(|split| split.images.iter().chain(&split.labels));
                files.map(|file| file.value.clone()).collect()
            }
            InputProcess::LogMel(mel) => {
                if let Some((_, few)) = FEW_FILES.iter().find(|(f, _)| *f == mel.folder.value) {
                    (*few).clone_into(&mut mel.files.value);
                    // They are not of all groups.
                    mel.whole.iter_mut().for_each(|whole| whole.groups.clear());
                }
                vec![mel.folder.value.clone()]
            }
        };
        if let Some(missing) = needed.into_iter().find(|name| !paths.find(name).exists()) {
            return Some(missing);
        }
    }
    None
}

/// Runs a netlist for a few steps of each stage.
fn run(name: &str, netlist: Netlist, paths: DataPaths) {
    let expected = steps(&netlist.stages);
    let experiment = Runnable::new(netlist, name, &paths);
    let experiment = experiment.unwrap_or_else(|problems| panic!("{name}:\n{problems}"));
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        paths,
        ..RunOptions::into(out.path().join("run"))
    };
    let report = experiment.run(&options, &mut Silent);
    let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(report.stop, StopReason::Completed, "{name}");
    assert_eq!(report.steps, expected, "{name}");
    let measures: Vec<&String> = experiment.netlist().measures.keys().collect();
    assert_eq!(
        report.measures.len(),
        measures.len(),
        "{name} has measures {measures:?}"
    );
    let recordings = experiment.netlist().recordings.iter();
    let sampled = |r: &&Recording| !matches!(r.what, RecordingKind::Spikes(_));
    assert_eq!(
        report.traces.len() + report.weights.len(),
        recordings.filter(sampled).count(),
        "{name}"
    );
}

/// Resolves and checks a circuit of spiking neurons.
fn check(name: &str, netlist: Netlist) {
    let (circuit, mut problems) = Circuit::build(&netlist, &DataPaths::default());
    problems.extend(check_neurons(&circuit));
    let problems = Problems::new(netlist.sources, problems);
    assert!(problems.list.is_empty(), "{name}:\n{problems}");
}

/// Names of the neurons and rules that a netlist puts to work.
fn used(netlist: &Netlist) -> BTreeSet<String> {
    let populations = netlist.populations.values();
    let neurons = populations.clone().map(|p| p.neuron.value.clone());
    let biases = populations.flat_map(|p| p.compartments.values());
    let biases = biases.filter_map(|c| c.bias.as_ref()?.learn.as_ref());
    let learns = netlist
        .projections
        .values()
        .filter_map(|p| p.learn.as_ref());
    let measured = netlist.measures.values().filter_map(|m| match &m.kind {
        MeasureKind::Update { rule, .. } => Some(rule),
        _ => None,
    });
    let rules = learns
        .chain(biases)
        .chain(measured)
        .map(|learn: &Learn| learn.rule.value.clone());
    neurons.chain(rules).collect()
}

#[test]
fn every_netlist_runs_and_every_model_is_used() {
    let (mut ran, mut skipped) = (0, 0);
    let mut in_use = BTreeSet::new();
    for path in files(Path::new("netlists")) {
        let name = path.display().to_string();
        // Spikes and edges that a netlist reads, and scripts that made them, stand beside it.
        if ["csv", "py"].contains(&path.extension().and_then(|e| e.to_str()).unwrap_or("")) {
            continue;
        }
        assert!(
            name.ends_with(".toml"),
            "{name} is not a netlist: what is it doing here?"
        );
        let netlist = netlist::load(&path, &LoadOptions::default());
        let mut netlist = netlist.unwrap_or_else(|problems| panic!("{problems}"));
        assert!(!netlist.stages.is_empty(), "{name} has nothing to run");
        in_use.extend(used(&netlist));
        shorten(&mut netlist.stages);
        let paths = DataPaths {
            netlist: path.parent().unwrap().to_owned(),
            data: data(),
        };
        match prepare_data(&mut netlist, &paths) {
            Some(missing) => {
                println!("skipped: {name} needs data {missing}");
                skipped += 1;
            }
            None => {
                run(&name, netlist, paths);
                ran += 1;
            }
        }
    }
    for (model, text) in CASES {
        let mut netlist = netlist::parse(model, text, &LoadOptions::default())
            .unwrap_or_else(|problems| panic!("{problems}"));
        assert!(
            used(&netlist).contains(*model),
            "the case of `{model}` does not use it"
        );
        assert!(
            !in_use.contains(*model),
            "`{model}` needs no case: a netlist uses it"
        );
        in_use.extend(used(&netlist));
        let neuron = netlist.neurons.get(*model);
        if neuron.is_some_and(|neuron| neuron.spike.is_some()) {
            check(model, netlist);
            continue;
        }
        shorten(&mut netlist.stages);
        run(model, netlist, DataPaths::default());
    }
    println!("{ran} netlists run, {skipped} skipped");
    assert!(
        ran >= 2,
        "the quickstart and the artificial circuit need no data"
    );
    let library = netlist::library(None).unwrap_or_else(|problems| panic!("{problems}"));
    for model in library.files.iter().flat_map(|file| &file.models) {
        let what = match model.kind {
            ModelKind::Neuron => "neuron",
            ModelKind::Rule => "rule",
        };
        let name = &model.name;
        assert!(
            in_use.contains(name) || SPIKING.contains(&name.as_str()),
            "no netlist uses the {what} `{name}`: add one, or a case in CASES"
        );
    }
}

#[test]
fn every_file_in_the_models_folder_is_in_the_library_and_says_where_it_comes_from() {
    let library = netlist::library(None).unwrap_or_else(|problems| panic!("{problems}"));
    for path in files(Path::new("models")) {
        let name = path.display().to_string();
        assert!(
            name.ends_with(".toml"),
            "{name} is not a library file: what is it doing here?"
        );
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let file = library.files.iter().find(|file| file.name == stem);
        let file = file.unwrap_or_else(|| panic!("{name} is not in the embedded library"));
        assert_eq!(
            file.text,
            fs::read_to_string(&path).unwrap(),
            "{name} is embedded as it was before"
        );
        assert!(file.about.is_some(), "{name} has no `about`");
        for model in &file.models {
            assert!(
                model.source.is_some(),
                "{name}: `{}` has no `source`",
                model.name
            );
        }
    }
}
