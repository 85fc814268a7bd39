//! What a netlist's tables mean, table by table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod netlist_support;

use std::fs;
use std::path::Path;

use apical::netlist::model::{
    Bias, Connect, Delay, DistributionKind, Duration, Dynamics, InputProcess, LearnSwitch, Mixing,
    ModulatorDrive, Normalise, RecordingKind, Schedule, StageLength,
};
use apical::netlist::{self, LoadOptions, ModelKind, Netlist};
use apical::units::{Dimension, Quantity};
use netlist_support::{impression, parse};

/// Reads a netlist with a circuit in milliseconds before `text`.
fn read(text: &str) -> Netlist {
    let text = format!("[circuit]\nname = \"test\"\nstep = \"1 ms\"\n{text}");
    parse(&text, &[]).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_circuit_has_defaults_for_all_but_its_name_and_step() {
    let netlist = read("");
    assert_eq!(netlist.circuit.name.value, "test");
    assert_eq!(
        netlist.circuit.step.map(|step| step.value),
        Some(Quantity::new(1.0, Dimension::TIME))
    );
    assert_eq!(netlist.circuit.seed, 1);
    assert_eq!(netlist.circuit.replicas.value, 1);
    assert_eq!(netlist.circuit.about, None);
}

#[test]
fn numbers_with_units_are_in_engine_units() {
    let netlist = read(
        "[neuron.n]\nparameter = { tau = \"0.01 s\", g = \"4 nS\", plain = 3 }\n\
         soma = { derivative = \"-soma / tau\", within = [\"-0.09 V\", inf], start = \"-70 mV\" }",
    );
    let neuron = &netlist.neurons["n"];
    assert_eq!(
        neuron.parameters["tau"].value,
        Quantity::new(10.0, Dimension::TIME)
    );
    assert_eq!(
        neuron.parameters["g"].value,
        Quantity::new(4.0, Dimension::CONDUCTANCE)
    );
    assert_eq!(neuron.parameters["plain"].value, Quantity::plain(3.0));
    let soma = &neuron.compartments["soma"];
    assert!(matches!(&soma.dynamics, Dynamics::Derivative(text) if text.value == "-soma / tau"));
    let within = soma.within.as_ref().unwrap();
    assert_eq!((within.low, within.high), (-90.0, f64::INFINITY));
    assert_eq!(within.dimension, Dimension::VOLTAGE);
    let start = soma.start.as_ref().unwrap();
    assert_eq!(start.kind, DistributionKind::Constant(-70.0));
    assert_eq!(start.dimension, Dimension::VOLTAGE);
}

#[test]
fn an_expression_has_the_place_of_its_characters() {
    let netlist = read(
        "[rule.basic]\ndw = \"eta * pre\"\n[rule.literal]\ndw = 'eta * pre'\n[rule.escaped]\ndw = \"eta \\u002A pre\"",
    );
    for rule in ["basic", "literal"] {
        let dw = &netlist.rules[rule].dw;
        assert_eq!(netlist.sources.text(dw.span), "eta * pre");
        assert_eq!(netlist.sources.text(dw.span.part(6, 9)), "pre");
    }
    // With an escape the characters are not where the text counts them: the whole value is named.
    let escaped = &netlist.rules["escaped"].dw;
    assert_eq!(escaped.value, "eta * pre");
    assert_eq!(netlist.sources.text(escaped.span), "\"eta \\u002A pre\"");
}

#[test]
fn a_rules_parameter_is_required_or_has_a_default() {
    let netlist =
        read("[rule.r]\nparameter = { eta = \"required\", tau = \"20 ms\" }\ndw = \"eta\"");
    let parameters = &netlist.rules["r"].parameters;
    assert_eq!(parameters["eta"].1, None);
    assert_eq!(
        parameters["tau"].1,
        Some(Quantity::new(20.0, Dimension::TIME))
    );
}

#[test]
fn schedules_say_what_follows_what() {
    let netlist = read(
        "[modulator]\na = { schedule = 0.5 }\nb = { schedule = { alternate = [1, 0], every = 2 } }\n\
         c = { schedule = { alternate = [1, 0], every = [2, \"30 ms\"] } }\n\
         d = { schedule = { list = [1, 2], every = \"1 s\" } }\n\
         e = { schedule = { random = [0, 1], every = 1 } }\nf = { value = \"1\", start = 2 }",
    );
    let schedule = |name: &str| match &netlist.modulators[name].drive {
        ModulatorDrive::Schedule(schedule) => schedule.value.clone(),
        _ => panic!("{name} has no schedule"),
    };
    let (two, long) = (
        Duration::Steps(2),
        Duration::Time(Quantity::new(30.0, Dimension::TIME)),
    );
    assert_eq!(schedule("a"), Schedule::Constant(0.5));
    assert_eq!(
        schedule("b"),
        Schedule::Cycle {
            random_start: false,
            values: vec![1.0, 0.0],
            lengths: vec![two, two]
        }
    );
    assert_eq!(
        schedule("c"),
        Schedule::Cycle {
            random_start: false,
            values: vec![1.0, 0.0],
            lengths: vec![two, long]
        }
    );
    let every = Duration::Time(Quantity::new(1000.0, Dimension::TIME));
    assert_eq!(
        schedule("d"),
        Schedule::List {
            values: vec![1.0, 2.0],
            every
        }
    );
    let equal = vec![0.5, 0.5];
    let every = Duration::Steps(1);
    assert_eq!(
        schedule("e"),
        Schedule::Random {
            values: vec![0.0, 1.0],
            probabilities: equal,
            every
        }
    );
    assert!(matches!(
        netlist.modulators["f"].drive,
        ModulatorDrive::Value { every: None, .. }
    ));
    assert_eq!(netlist.modulators["f"].start.to_bits(), 2_f64.to_bits());
}

#[test]
fn a_log_mel_input_has_the_documented_defaults() {
    let netlist = read("[input.digits]\nprocess = \"log-mel\"\nfolder = \"recordings\"");
    let InputProcess::LogMel(input) = &netlist.inputs["digits"].process else {
        panic!()
    };
    assert_eq!(input.files.value, "*.wav");
    assert_eq!(input.otherwise, "train");
    assert_eq!((input.rate_hz, input.floor_db), (22_050.0, -80.0));
    assert_eq!((input.window, input.hop, input.channels), (2048, 512, 128));
    assert_eq!(input.normalise, Normalise::Together);
    assert!(input.shuffle && input.splits.is_empty() && input.whole.is_none());
}

#[test]
fn a_sampling_rate_is_the_same_in_hertz_and_kilohertz() {
    for rate in ["44100 Hz", "44.1 kHz"] {
        let text = format!("[input.a]\nprocess = \"log-mel\"\nfolder = \"f\"\nrate = \"{rate}\"");
        let netlist = read(&text);
        let InputProcess::LogMel(input) = &netlist.inputs["a"].process else {
            panic!()
        };
        assert_eq!(input.rate_hz.to_bits(), 44_100_f64.to_bits(), "{rate}");
    }
}

#[test]
fn a_mixing_matrix_has_drawn_entries_or_bumps() {
    let input = "process = \"latent-ar1\"\nsize = 4\nlatent = 2\ndecay = 0.5\nnoise = 1\nmixing";
    let netlist = read(&format!(
        "[input.a]\n{input} = {{ normal = {{ mean = 0, sd = 2 }} }}\n[input.b]\n{input} = {{ bumps = {{ width = 0.6, height = 2 }} }}"
    ));
    let mixing = |name: &str| match &netlist.inputs[name].process {
        InputProcess::LatentAr1 { mixing, .. } => mixing.clone(),
        _ => panic!("{name} is no latent process"),
    };
    assert!(
        matches!(mixing("a"), Mixing::Entries(d) if d.kind == DistributionKind::Normal { mean: 0.0, sd: 2.0 })
    );
    assert!(matches!(
        mixing("b"),
        Mixing::Bumps {
            width: 0.6,
            height: 2.0
        }
    ));
}

#[test]
fn a_bias_is_a_number_or_learns() {
    let netlist = read(
        "[population.p]\nneuron = \"n\"\nsize = 2\nsoma.bias = 0.5\n\
         basal.bias = { start = 1, learn = { rule = \"r\", eta = 1e-3, tau = \"10 ms\" } }",
    );
    let bias = |name: &str| {
        netlist.populations["p"].compartments[name]
            .bias
            .clone()
            .unwrap()
    };
    assert!(
        matches!(bias("soma"), Bias { learn: None, start } if start.kind == DistributionKind::Constant(0.5))
    );
    let learn = bias("basal").learn.unwrap();
    assert_eq!(learn.rule.value, "r");
    assert_eq!(learn.parameters["eta"].value, Quantity::plain(1e-3));
    assert_eq!(
        learn.parameters["tau"].value,
        Quantity::new(10.0, Dimension::TIME)
    );
}

#[test]
fn a_projection_connects_all_to_all_without_delay_unless_it_says_otherwise() {
    let netlist = read(
        "[projection.A]\nfrom = \"p\"\nto = \"q.soma\"\nweight = 1\n\
         [projection.B]\nlike = \"A\"\nconnect = { in-degree = 3 }\ndelay = \"2 ms\"\nwithin = [-inf, 0]",
    );
    let (a, b) = (&netlist.projections["A"], &netlist.projections["B"]);
    assert_eq!(a.connect.value, Connect::AllToAll);
    assert_eq!(a.delay, None);
    assert!(a.within.is_none() && a.learn.is_none());
    assert_eq!(b.connect.value, Connect::InDegree(3));
    assert_eq!(
        b.delay.as_ref().unwrap().value,
        Delay::Same(Duration::Time(Quantity::new(2.0, Dimension::TIME)))
    );
    let within = b.within.as_ref().unwrap();
    assert_eq!((within.low, within.high), (f64::NEG_INFINITY, 0.0));
    assert_eq!(
        (b.from.value.as_str(), b.to.value.as_str()),
        ("p", "q.soma")
    );
}

#[test]
fn stages_nest_and_keep_their_order() {
    let netlist = read(
        "[[stage]]\nname = \"a\"\nsteps = 2e6\nlearn = true\n[[stage]]\nname = \"b\"\nrepeat = 3\nlearn = [\"W\", \"p.basal\"]\n\
         [[stage.part]]\nname = \"c\"\nduration = \"1 s\"\nlearn = false\n\
         [[stage.part]]\nname = \"d\"\nepochs = 2\nover = \"digits\"\nset = { lambda = 0 }\ninput = { digits = \"test\" }",
    );
    let [a, b] = netlist.stages.as_slice() else {
        panic!("{:?}", netlist.stages)
    };
    assert!(
        matches!(&a.length, StageLength::For(length) if length.value == Duration::Steps(2_000_000))
    );
    assert_eq!((a.repeat.value, &a.learn), (1, &LearnSwitch::All));
    assert!(
        matches!(&b.learn, LearnSwitch::Only(names) if names.len() == 2 && names[1].value == "p.basal")
    );
    assert_eq!(b.repeat.value, 3);
    let StageLength::Parts(parts) = &b.length else {
        panic!("{:?}", b.length)
    };
    let second = Duration::Time(Quantity::new(1000.0, Dimension::TIME));
    assert!(matches!(&parts[0].length, StageLength::For(length) if length.value == second));
    assert_eq!(parts[0].learn, LearnSwitch::None);
    assert!(
        matches!(&parts[1].length, StageLength::Epochs { count, over: Some(over) }
        if count.value == 2 && over.value == "digits")
    );
    assert_eq!(parts[1].learn, LearnSwitch::Inherit);
    assert_eq!(parts[1].set["lambda"].value, Schedule::Constant(0.0));
    assert_eq!(parts[1].inputs["digits"].split.value, "test");
}

#[test]
fn recordings_are_named_after_what_they_record() {
    let netlist = read(
        "[[record]]\nwhat = \"weights\"\nof = \"W\"\nevery = \"1 s\"\n[[record]]\nwhat = \"trace\"\nof = \"0.5 * p.soma\"\n\
         elements = [0, 2]\nduring = \"test\"\n[[record]]\nwhat = \"trace\"\nof = \"p.soma\"\nname = \"mine\"",
    );
    let names: Vec<&str> = netlist
        .recordings
        .iter()
        .map(|recording| recording.name.as_str())
        .collect();
    assert_eq!(names, ["weights-W", "trace-0.5-p.soma", "mine"]);
    assert_eq!(
        netlist.recordings[0].every.value,
        Duration::Time(Quantity::new(1000.0, Dimension::TIME))
    );
    assert_eq!(netlist.recordings[1].every.value, Duration::Steps(1));
    assert_eq!(netlist.recordings[1].during[0].value, "test");
    assert!(
        matches!(&netlist.recordings[1].what, RecordingKind::Trace { elements: Some(e), .. } if e == &[0, 2])
    );
}

#[test]
fn plain_numbers_are_times_where_the_step_has_no_unit() {
    let text = "[circuit]\nname = \"t\"\nstep = 0.01\n[[stage]]\nname = \"a\"\nduration = 10\n\
                [modulator.m]\nschedule = { list = [1], every = 2.5 }\n[modulator.n]\nschedule = { list = [1], every = 2 }";
    let netlist = parse(text, &[]).unwrap();
    assert!(matches!(&netlist.stages[0].length, StageLength::For(length)
        if length.value == Duration::Time(Quantity::plain(10.0))));
    let every = |name: &str| match &netlist.modulators[name].drive {
        ModulatorDrive::Schedule(schedule) => schedule.value.clone(),
        _ => panic!(),
    };
    let (time, steps) = (Duration::Time(Quantity::plain(2.5)), Duration::Steps(2));
    assert_eq!(
        every("m"),
        Schedule::List {
            values: vec![1.0],
            every: time
        }
    );
    assert_eq!(
        every("n"),
        Schedule::List {
            values: vec![1.0],
            every: steps
        }
    );
}

#[test]
fn like_copies_deeply_and_what_it_overrides_replaces() {
    let netlist = netlist::load(
        Path::new("tests/corpus/good/like.toml"),
        &LoadOptions {
            models: Some("tests/corpus/models".into()),
            set: Vec::new(),
        },
    );
    let netlist = netlist.unwrap_or_else(|problems| panic!("{problems}"));
    let (a, b, c) = (
        &netlist.projections["A"],
        &netlist.projections["B"],
        &netlist.projections["C"],
    );
    // One number of a distribution and one parameter of a rule change; all else is copied.
    assert_eq!(
        b.weight.kind,
        DistributionKind::Normal { mean: 0.0, sd: 2.0 }
    );
    assert_eq!(b.weight.clip, Some([-1.0, 1.0]));
    let learn = |p: &apical::netlist::model::Projection| p.learn.clone().unwrap();
    assert_eq!(learn(b).parameters["eta"].value, Quantity::plain(1e-4));
    assert_eq!(
        learn(b).parameters["tau"].value,
        learn(a).parameters["tau"].value
    );
    // Another distribution and another rule leave nothing of the old ones.
    assert_eq!(
        c.weight.kind,
        DistributionKind::Uniform {
            low: 0.0,
            high: 1.0
        }
    );
    assert_eq!(c.weight.clip, None);
    assert_eq!(learn(c).parameters.keys().collect::<Vec<_>>(), ["eta"]);
    assert_eq!(c.connect.value, Connect::InDegree(2));
    // A library's neuron with another parameter, then with another kind of equation.
    let tau = |name: &str| netlist.neurons[name].parameters["tau"].value.value;
    assert_eq!(
        (tau("leaky"), tau("sluggish"), tau("direct")),
        (10.0, 100.0, 100.0)
    );
    let dynamics = |name: &str| netlist.neurons[name].compartments["soma"].dynamics.clone();
    assert!(matches!(dynamics("sluggish"), Dynamics::Derivative(_)));
    assert!(matches!(dynamics("direct"), Dynamics::Value(_)));
    // Through two copies, whatever the order of the tables.
    let soma = &netlist.populations["third"].compartments["soma"];
    assert_eq!(
        soma.start.as_ref().unwrap().kind,
        DistributionKind::Constant(3.0)
    );
    assert_eq!(soma.inputs[0].value, "noise_source");
    assert!(soma.bias.as_ref().unwrap().learn.is_some());
    assert!(
        matches!(&netlist.modulators["later"].drive, ModulatorDrive::Schedule(s) if s.value == Schedule::Constant(1.0))
    );
}

#[test]
fn a_long_chain_of_copies_needs_no_deep_stack() {
    let mut text = "[population.p0]\nneuron = \"n\"\nsize = 3\n".to_owned();
    for index in 1..5000 {
        text += &format!("[population.p{index}]\nlike = \"p{}\"\n", index - 1);
    }
    assert_eq!(read(&text).populations["p4999"].size.value, 3);
}

#[test]
fn overrides_apply_in_order_and_point_at_themselves() {
    let netlist = parse(
        &impression(),
        &[
            "circuit.seed=1",
            "circuit.seed = 2",
            "stage.train.steps=5",
            "neuron.impression.parameter.sigma_inf=0.5",
        ],
    )
    .unwrap();
    assert_eq!(netlist.circuit.seed, 2);
    let StageLength::For(steps) = &netlist.stages[0].length else {
        panic!()
    };
    assert_eq!(steps.value, Duration::Steps(5));
    let place = netlist.sources.file(steps.span.source).unwrap();
    assert_eq!(
        (place.name.as_str(), netlist.sources.text(steps.span)),
        ("--set", "5")
    );
    assert_eq!(
        netlist.neurons["impression"].parameters["sigma_inf"].value,
        Quantity::plain(0.5)
    );
}

#[test]
fn an_override_is_toml_or_else_text() {
    let text = "[circuit]\nname = \"t\"\nstep = \"1 ms\"\n[[stage]]\nname = \"a\"\nsteps = 1\n";
    let about = |value: &str| {
        parse(text, &[&format!("circuit.about={value}")])
            .unwrap()
            .circuit
            .about
            .unwrap()
    };
    assert_eq!(about("two words = three"), "two words = three");
    assert_eq!(about("\"in quotes\""), "in quotes");
    assert_eq!(about("2024-01-01"), "2024-01-01");
    let learn = |value: &str| {
        parse(text, &[&format!("stage.a.learn={value}")])
            .unwrap()
            .stages[0]
            .learn
            .clone()
    };
    assert_eq!(learn("false"), LearnSwitch::None);
    assert!(matches!(learn("[\"W\"]"), LearnSwitch::Only(names) if names[0].value == "W"));
}

#[test]
fn a_library_lists_its_models_with_their_text() {
    let library = netlist::library(None).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(library.files.is_sorted_by_key(|file| file.name.clone()));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        "tests/corpus/models/linear.toml",
        folder.path().join("linear.toml"),
    )
    .unwrap();
    let with_own =
        netlist::library(Some(folder.path())).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(with_own.files.len() >= library.files.len());
    let file = with_own
        .files
        .iter()
        .find(|file| file.name == "linear")
        .unwrap();
    assert_eq!(
        file.about.as_deref(),
        Some("Models for the tests of `use`.")
    );
    let models: Vec<_> = file
        .models
        .iter()
        .map(|model| (model.kind, model.name.as_str(), model.line))
        .collect();
    assert_eq!(
        models,
        [
            (ModelKind::Neuron, "linear", 3),
            (ModelKind::Neuron, "leaky", 8),
            (ModelKind::Rule, "hebb", 12)
        ]
    );
    assert_eq!(file.models[2].source.as_deref(), Some("Hebb 1949"));
    assert_eq!(
        file.models[2].text,
        "# Hebb's postulate as a product.\n[rule.hebb]\nsource = \"Hebb 1949\"\ndw = \"eta * pre * post\""
    );
}

#[test]
fn a_library_with_mistakes_is_reported_whole() {
    let shown = netlist::library(Some(Path::new("tests/corpus/models")))
        .unwrap_err()
        .to_string();
    for mistake in [
        "`vlaue` in `neuron.faulty.soma`",
        "never closed",
        "`population` does not belong",
        "`rule.faulty` has no `dw`",
    ] {
        assert!(shown.contains(mistake), "{mistake}:\n{shown}");
    }
    let shown = netlist::library(Some(Path::new("tests/corpus/nowhere")))
        .unwrap_err()
        .to_string();
    assert!(
        shown.contains("the folder of models cannot be read"),
        "{shown}"
    );
}

#[test]
fn an_unknown_library_file_brings_the_list_of_all() {
    let text = "use = [\"nothing-like-it\"]\n[circuit]\nname = \"t\"\nstep = 1";
    let shown = parse(text, &[]).unwrap_err().to_string();
    assert!(
        shown.contains("there is no library file `nothing-like-it`"),
        "{shown}"
    );
    assert!(
        shown.contains("`linear`") && shown.contains("ending in .toml"),
        "{shown}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_with_its_name() {
    let shown = |path: &str| {
        netlist::load(Path::new(path), &LoadOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert!(shown("tests/corpus/nowhere.toml").contains("--> tests/corpus/nowhere.toml:1:1"));
    assert!(shown("tests/corpus").contains("this is a folder"));
    let options = LoadOptions {
        models: Some("tests/nowhere".into()),
        set: Vec::new(),
    };
    let text = "use = [\"linear\"]\n[circuit]\nname = \"t\"\nstep = 1";
    let shown = netlist::parse("t.toml", text, &options)
        .unwrap_err()
        .to_string();
    assert!(
        shown.contains("the folder of models cannot be read"),
        "{shown}"
    );
}
