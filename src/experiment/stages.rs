//! Stages: names looked up, settings inherited.

use crate::circuit::Circuit;
use crate::compile::Program;
use crate::compile::expressions::Plastic;
use crate::engine::rate::Trials;
use crate::input::Pass;
use crate::netlist::model::{
    self, InputProcess, LearnSwitch, ModulatorDrive, Name, Netlist, Schedule, StageLength,
};
use crate::source::{Problem, suggest};

/// A stage that is ready to run.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// How long it is, or what it is made of.
    pub length: Length,
    /// How often it runs in a row.
    pub repeat: u64,
    /// Which rules of the program learn.
    pub learns: Vec<bool>,
    /// Schedules that replace the circuit's, by modulator.
    pub schedules: Vec<(usize, Schedule)>,
    /// Splits of inputs, by input.
    pub splits: Vec<(usize, Pass)>,
    /// The trials it is a row of, if it is one.
    pub trial: Option<Trials>,
    /// Seed of all random streams while it runs, if it has one of its own.
    pub seed: Option<u64>,
    /// How learning was switched in the netlist.
    switch: LearnSwitch,
}

/// How long a stage is.
#[derive(Debug, Clone)]
pub enum Length {
    /// Steps.
    Steps(u64),
    /// Passes over an input's data.
    Epochs {
        /// How many.
        count: u64,
        /// The input.
        input: usize,
    },
    /// Parts in a row.
    Parts(Vec<Stage>),
}

impl Stage {
    /// The steps of the stage and its parts, all repetitions included; `epoch` tells the steps of a pass.
    pub fn steps(&self, epoch: &dyn Fn(usize, Option<&str>) -> u64) -> u64 {
        let once = match &self.length {
            Length::Steps(steps) => *steps,
            Length::Epochs { count, input } => {
                count.saturating_mul(epoch(*input, self.split(*input)))
            }
            Length::Parts(parts) => parts
                .iter()
                .map(|p| p.steps(epoch))
                .fold(0, u64::saturating_add),
        };
        once.saturating_mul(self.repeat)
    }

    /// Whether anything learns in it or its parts.
    pub fn learns_at_all(&self) -> bool {
        match &self.length {
            Length::Parts(parts) => parts.iter().any(Stage::learns_at_all),
            _ => self.learns.iter().any(|learns| *learns),
        }
    }

    /// The split that it names for an input.
    pub fn split(&self, input: usize) -> Option<&str> {
        self.splits
            .iter()
            .find(|(i, _)| *i == input)
            .and_then(|(_, pass)| pass.split.as_deref())
    }
}

/// Resolves the stages of a netlist, but for what learns.
pub(super) fn resolve(
    netlist: &Netlist,
    circuit: &Circuit,
    problems: &mut Vec<Problem>,
) -> Vec<Stage> {
    let outer = Inherited {
        switch: LearnSwitch::All,
        schedules: vec![],
        splits: vec![],
    };
    netlist
        .stages
        .iter()
        .filter_map(|s| stage(s, netlist, circuit, &outer, problems))
        .collect()
}

/// What a stage takes over from the one it is part of.
#[derive(Clone)]
struct Inherited {
    switch: LearnSwitch,
    schedules: Vec<(usize, Schedule)>,
    splits: Vec<(usize, Pass)>,
}

fn stage(
    table: &model::Stage,
    netlist: &Netlist,
    circuit: &Circuit,
    outer: &Inherited,
    problems: &mut Vec<Problem>,
) -> Option<Stage> {
    let mut own = outer.clone();
    if table.learn != LearnSwitch::Inherit {
        own.switch = table.learn.clone();
    }
    for (name, schedule) in &table.set {
        match circuit.modulator_named(name) {
            Some(id) => replace(&mut own.schedules, id.0 as usize, schedule.value.clone()),
            None => {
                let known = netlist
                    .modulators
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>();
                let problem = Problem::new(
                    format!("there is no modulator `{name}`"),
                    schedule.span,
                    "set here",
                );
                problems.push(Problem {
                    help: suggest(name, known),
                    ..problem
                });
            }
        }
    }
    for (name, given) in &table.inputs {
        let split = &given.split;
        match circuit.input_named(name) {
            Some(id) => {
                let process = &circuit.inputs[id.0 as usize].process;
                split_exists(process, name, split, problems);
                saccades_exist(process, name, given, problems);
                let pass = Pass {
                    split: Some(split.value.clone()),
                    saccade: given.saccade.as_ref().map(|p| p.value),
                };
                replace(&mut own.splits, id.0 as usize, pass);
            }
            None => {
                let known = netlist
                    .inputs
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>();
                let problem = Problem::new(
                    format!("there is no input `{name}`"),
                    split.span,
                    "set here",
                );
                problems.push(Problem {
                    help: suggest(name, known),
                    ..problem
                });
            }
        }
    }
    let length = match &table.length {
        StageLength::For(duration) => Length::Steps(circuit.steps(duration.value, 1)),
        StageLength::Epochs { count, over } => {
            let input = epochs_over(table, over.as_ref(), circuit, problems)?;
            Length::Epochs {
                count: count.value,
                input,
            }
        }
        StageLength::Parts(parts) => Length::Parts(
            parts
                .iter()
                .filter_map(|p| stage(p, netlist, circuit, &own, problems))
                .collect(),
        ),
    };
    let trial = table.trial.as_ref();
    let trial = trial.and_then(|trial| trials(table, trial, &length, circuit, problems));
    Some(Stage {
        name: table.name.value.clone(),
        trial,
        seed: table.seed.as_ref().map(|seed| seed.value),
        length,
        repeat: table.repeat.value,
        learns: vec![],
        schedules: own.schedules,
        splits: own.splits,
        switch: own.switch,
    })
}

/// The trials of a stage, whose length must be a whole number of them.
fn trials(
    table: &model::Stage,
    trial: &model::Trial,
    length: &Length,
    circuit: &Circuit,
    problems: &mut Vec<Problem>,
) -> Option<Trials> {
    let steps = trial.steps.value;
    match length {
        Length::Steps(whole) if whole.is_multiple_of(steps) => {}
        Length::Steps(whole) => {
            let message = format!(
                "stage `{}` has {whole} steps, which is no whole number of trials of {steps}",
                table.name.value
            );
            let problem = Problem::new(message, trial.steps.span, "a trial");
            let (below, above) = (whole / steps * steps, whole.div_ceil(steps) * steps);
            let help = match below {
                0 => format!("write steps = {above}"),
                _ => format!("write steps = {below} or steps = {above}"),
            };
            problems.push(problem.help(help));
        }
        Length::Epochs { .. } => {
            let message = "trials have a number of steps, an epoch has that of its data";
            let problem = Problem::new(message, trial.steps.span, "in a stage of epochs");
            problems.push(problem.help("give the stage's length as `steps` or `duration`"));
        }
        // Reported when the stage was read.
        Length::Parts(_) => return None,
    }
    let computed = |m: &crate::circuit::Modulator| matches!(m.drive, ModulatorDrive::Value { .. });
    let mut keep = Vec::new();
    for name in &trial.keep {
        match circuit.modulator_named(&name.value) {
            Some(id) if computed(&circuit.modulators[id.0 as usize]) => keep.push(id.0 as usize),
            found => {
                let all = circuit.modulators.iter().filter(|m| computed(m));
                let known: Vec<&str> = all.map(|m| m.name.as_str()).collect();
                let (message, help) = match found {
                    Some(_) => (
                        format!(
                            "`{}` follows a schedule, which starts anew in every trial",
                            name.value
                        ),
                        Some("keep modulators that have a `value`".to_owned()),
                    ),
                    None => (
                        format!("there is no modulator `{}`", name.value),
                        suggest(&name.value, known),
                    ),
                };
                let problem = Problem::new(message, name.span, "to be kept");
                problems.push(Problem { help, ..problem });
            }
        }
    }
    Some(Trials {
        steps,
        replay: trial.replay,
        keep,
    })
}

fn replace<T>(list: &mut Vec<(usize, T)>, key: usize, value: T) {
    list.retain(|(k, _)| *k != key);
    list.push((key, value));
}

/// Names of the splits that an input will have; none for one without data.
fn split_names(process: &InputProcess) -> Vec<&str> {
    match process {
        InputProcess::LatentAr1 { .. }
        | InputProcess::VonMises { .. }
        | InputProcess::Random { .. } => vec![],
        InputProcess::Array { splits, .. } => std::iter::once("train")
            .chain(splits.keys().map(String::as_str))
            .collect(),
        InputProcess::Images(images) => std::iter::once("train")
            .chain(images.splits.keys().map(String::as_str))
            .collect(),
        InputProcess::LogMel(mel) => std::iter::once(mel.otherwise.as_str())
            .chain(mel.splits.keys().map(String::as_str))
            .collect(),
    }
}

fn split_exists(process: &InputProcess, input: &str, split: &Name, problems: &mut Vec<Problem>) {
    let known = split_names(process);
    if !known.contains(&split.value.as_str()) {
        let problem = Problem::new(
            format!("input `{input}` has no split `{}`", split.value),
            split.span,
            "unknown split",
        );
        problems.push(Problem {
            help: suggest(&split.value, known),
            ..problem
        });
    }
}

/// A probability of saccades is for images that are looked at patch by patch, and for whole recordings.
fn saccades_exist(
    process: &InputProcess,
    input: &str,
    given: &model::StageInput,
    problems: &mut Vec<Problem>,
) {
    let Some(saccade) = &given.saccade else {
        return;
    };
    let (lacking, help) = match process {
        InputProcess::Images(images) if images.patches.is_some() => return,
        InputProcess::LogMel(mel) if mel.whole.is_some() => return,
        InputProcess::LogMel(_) => (
            "is a stream of frames without saccades",
            "write `whole = true` in the input, or delete this",
        ),
        _ => (
            "has no patches between which there are saccades",
            "write `patch = [16, 16]` in the input, or delete this",
        ),
    };
    let message = format!("input `{input}` {lacking}");
    let problem = Problem::new(message, saccade.span, "not for this input");
    problems.push(problem.help(help));
}

/// The input that epochs count passes over: the one named, or the only one with data.
fn epochs_over(
    table: &model::Stage,
    over: Option<&Name>,
    circuit: &Circuit,
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let with_data = |i: &usize| !split_names(&circuit.inputs[*i].process).is_empty();
    let candidates: Vec<usize> = (0..circuit.inputs.len()).filter(with_data).collect();
    let names: Vec<&str> = candidates
        .iter()
        .map(|i| circuit.inputs[*i].name.as_str())
        .collect();
    match (over, candidates.as_slice()) {
        (Some(name), _) => {
            let found = candidates
                .iter()
                .find(|i| circuit.inputs[**i].name == name.value)
                .copied();
            if found.is_none() {
                let problem = Problem::new(
                    format!("there is no data set `{}` to count epochs of", name.value),
                    name.span,
                    "not an input with data",
                );
                problems.push(Problem {
                    help: suggest(&name.value, names),
                    ..problem
                });
            }
            found
        }
        (None, [only]) => Some(*only),
        (None, _) => {
            let message = format!(
                "stage `{}` counts epochs, but it is not clear of which input",
                table.name.value
            );
            let problem = Problem::new(message, table.span, "this stage");
            problems.push(match names.as_slice() {
                [] => problem.help("there is no input with data: give the length as `steps`"),
                _ => problem.help(format!(
                    "write over = \"{}\"",
                    names.join("\" or over = \"")
                )),
            });
            None
        }
    }
}

/// Names of all that learns in a program: projections, and biases as `population.compartment`.
pub(super) fn learning_names(program: &Program) -> Vec<String> {
    let name = |rule: &crate::compile::program::PlacedRule| match rule.rule.plastic {
        Plastic::Projection(id) => program.circuit.projections[id.0 as usize].name.clone(),
        Plastic::Bias(id) => program.circuit.compartment_name(id),
    };
    program.rules.iter().map(name).collect()
}

/// Resolves what learns in each stage, of all that has a name here.
pub(super) fn resolve_learning(
    names: &[String],
    stages: &mut [Stage],
    problems: &mut Vec<Problem>,
) {
    for stage in stages {
        stage.learns = match &stage.switch {
            LearnSwitch::All | LearnSwitch::Inherit => vec![true; names.len()],
            LearnSwitch::None => vec![false; names.len()],
            LearnSwitch::Only(only) => {
                for name in only.iter().filter(|n| !names.contains(&n.value)) {
                    let problem = Problem::new(
                        format!("nothing that learns is called `{}`", name.value),
                        name.span,
                        "does not learn",
                    );
                    problems.push(Problem {
                        help: suggest(&name.value, names.iter().map(String::as_str)),
                        ..problem
                    });
                }
                names
                    .iter()
                    .map(|n| only.iter().any(|o| o.value == *n))
                    .collect()
            }
        };
        if let Length::Parts(parts) = &mut stage.length {
            resolve_learning(names, parts, problems);
        }
    }
}
