//! What is measured and recorded: expressions are resolved, names looked up.

mod measures;
mod operands;
mod planned;
mod recordings;

use crate::circuit::Circuit;
use crate::compile::Expr;
use crate::netlist::model::{MeasureKind, Name, Netlist, Stage, StageLength};
use crate::source::{Problem, suggest};

pub use planned::{
    MeasurePlan, PlannedBins, PlannedKind, PlannedSamples, TracePlan, WeightPlan, Weighted,
};

/// Everything that is measured and recorded.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub exprs: Vec<Expr>,
    pub measures: Vec<MeasurePlan>,
    pub traces: Vec<TracePlan>,
    pub weights: Vec<WeightPlan>,
}

/// Plans the measures and recordings of a netlist.
pub(super) fn plan(netlist: &Netlist, circuit: &Circuit, problems: &mut Vec<Problem>) -> Planned {
    let mut planner = Planner {
        netlist,
        circuit,
        problems,
        planned: Planned::default(),
    };
    for (name, measure) in &netlist.measures {
        planner.refuse_spiking(measure);
        let Some(kind) = planner.measure(&measure.kind) else {
            continue;
        };
        let during = match &measure.kind {
            MeasureKind::StageCorrelation { between, .. } => planner.during(between),
            MeasureKind::LinearReadout { train, test, .. } => {
                planner.during(&[train.clone(), test.clone()])
            }
            _ => planner.during(&measure.during),
        };
        planner.planned.measures.push(MeasurePlan {
            name: name.clone(),
            kind,
            during,
            expect: measure.expect.clone(),
            about: measure.about.clone(),
        });
    }
    for recording in &netlist.recordings {
        planner.recording(recording);
    }
    planner.planned
}

pub(super) struct Planner<'n> {
    netlist: &'n Netlist,
    pub(super) circuit: &'n Circuit,
    pub(super) problems: &'n mut Vec<Problem>,
    planned: Planned,
}

impl Planner<'_> {
    fn during(&mut self, names: &[Name]) -> Vec<String> {
        during(self.netlist, names, self.problems)
    }
}

/// The names of stages, each of which must exist.
pub(super) fn during(
    netlist: &Netlist,
    names: &[Name],
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut known = Vec::new();
    stage_names(&netlist.stages, &mut known);
    for name in names {
        if !known.contains(&name.value.as_str()) {
            let problem = Problem::new(
                format!("there is no stage `{}`", name.value),
                name.span,
                "unknown stage",
            );
            problems.push(Problem {
                help: suggest(&name.value, known.clone()),
                ..problem
            });
        }
    }
    names.iter().map(|n| n.value.clone()).collect()
}

/// All names of stages and their parts.
fn stage_names<'s>(stages: &'s [Stage], names: &mut Vec<&'s str>) {
    for stage in stages {
        names.push(&stage.name.value);
        if let StageLength::Parts(parts) = &stage.length {
            stage_names(parts, names);
        }
    }
}
