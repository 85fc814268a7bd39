//! Measures against the stages in which they look: samples need a length, compared stages must match.

use super::probes::{MeasurePlan, PlannedKind};
use super::stages::{Length, Stage};
use crate::netlist::Netlist;
use crate::netlist::model::MeasureKind;
use crate::source::{Problem, Span};

/// Reports what does not go together.
pub(super) fn check(
    netlist: &Netlist,
    measures: &[MeasurePlan],
    stages: &[Stage],
    problems: &mut Vec<Problem>,
) {
    for plan in measures {
        let Some(measure) = netlist.measures.get(&plan.name) else {
            continue;
        };
        match (&plan.kind, &measure.kind) {
            (PlannedKind::Update { sample, .. }, _) => {
                samples(plan, *sample, measure.span, stages, problems);
            }
            (
                PlannedKind::StageCorrelation { .. },
                MeasureKind::StageCorrelation { between, .. },
            ) => {
                let [first, second] = between.each_ref().map(|name| leaf(stages, &name.value));
                match (first, second) {
                    (Some(first), Some(second)) => {
                        pair(first, second, between[1].span, problems);
                    }
                    _ => {
                        let message = "a stage-correlation compares two stages that run steps";
                        let problem =
                            Problem::new(message, between[0].span, "one of them has parts");
                        problems.push(problem.help("name the parts themselves"));
                    }
                }
            }
            (PlannedKind::LinearReadout { .. }, MeasureKind::LinearReadout { train, test, .. }) => {
                for name in [train, test] {
                    if leaf(stages, &name.value).is_none() {
                        let message = "a linear-readout looks in stages that run steps";
                        let problem = Problem::new(message, name.span, "not such a stage");
                        problems.push(problem.help("name a part itself"));
                    }
                }
                if train.value == test.value {
                    let message = "a linear-readout is trained in one stage and tested in another";
                    let problem = Problem::new(message, test.span, "the same stage");
                    problems.push(problem.help("give `test` a stage of its own"));
                }
            }
            _ => {}
        }
    }
}

/// Every stage in which updates are measured says what a sample is: its trials, or the measure's `sample`.
fn samples(
    plan: &MeasurePlan,
    sample: Option<u64>,
    span: Span,
    stages: &[Stage],
    problems: &mut Vec<Problem>,
) {
    let looked_at = |stage: &Stage, within: &[&str]| {
        let named = |name: &&str| plan.during.iter().any(|d| d == name);
        plan.during.is_empty() || named(&stage.name.as_str()) || within.iter().any(named)
    };
    let mut wrong: Option<(&'static str, String, &'static str)> = None;
    each_leaf(stages, &mut vec![], &mut |stage, within| {
        if !looked_at(stage, within) || wrong.is_some() {
            return;
        }
        wrong = match (&stage.trial, sample) {
            (None, None) => Some((
                "has no trials, and `sample` is not given",
                stage.name.clone(),
                "write sample = 100, or give the stage trials",
            )),
            (Some(_), Some(_)) => Some((
                "has trials, each of which is a sample",
                stage.name.clone(),
                "leave out `sample`",
            )),
            _ => None,
        };
    });
    if let Some((what, stage, help)) = wrong {
        let message = format!(
            "what is a sample of `{}`? Stage `{stage}` {what}",
            plan.name
        );
        problems.push(Problem::new(message, span, "this measure").help(help));
    }
}

fn pair(first: &Stage, second: &Stage, span: Span, problems: &mut Vec<Problem>) {
    let both = format!("stages `{}` and `{}`", first.name, second.name);
    let steps = |stage: &Stage| match stage.length {
        Length::Steps(steps) => Some(steps),
        _ => None,
    };
    match (steps(first), steps(second)) {
        (Some(a), Some(b)) if a == b => {}
        (Some(a), Some(b)) => {
            let message =
                format!("{both} cannot be compared step by step: they have {a} and {b} steps");
            let problem = Problem::new(message, span, "of another length");
            problems.push(problem.help("give both the same `steps`"));
        }
        _ => {
            let message =
                format!("{both} cannot be compared step by step: epochs have no fixed steps");
            let problem = Problem::new(message, span, "compared here");
            problems.push(problem.help("give both their length as `steps`"));
        }
    }
    if first.seed.is_none() || first.seed != second.seed {
        let message = format!("{both} do not see the same noise and inputs");
        let problem = Problem::new(message, span, "not with the same seed");
        problems.push(problem.help("give both the same seed, such as seed = 1111"));
    }
}

/// The stage of a name, if it runs steps.
fn leaf<'s>(stages: &'s [Stage], name: &str) -> Option<&'s Stage> {
    let mut found = None;
    each_leaf(stages, &mut vec![], &mut |stage, _| {
        if stage.name == name {
            found = Some(stage);
        }
    });
    found
}

/// Shows every stage that runs steps, with the names of those it is part of.
fn each_leaf<'s>(
    stages: &'s [Stage],
    within: &mut Vec<&'s str>,
    show: &mut dyn FnMut(&'s Stage, &[&'s str]),
) {
    for stage in stages {
        if let Length::Parts(parts) = &stage.length {
            within.push(&stage.name);
            each_leaf(parts, within, show);
            within.pop();
        } else {
            show(stage, within);
        }
    }
}
