//! Gates: modulators that are only ever 0 or 1. The program is specialised for each combination of them,
//! so that a closed branch costs nothing and a loop through it is none.

use super::reading::{Expr, Reading};
use crate::circuit::{Circuit, ModulatorId};
use crate::lang::{Graph, NodeId, Symbol};
use crate::netlist::model::{ModulatorDrive, Netlist, Schedule, Stage, StageLength};

/// More gates than this are not specialised for: their combinations would be too many.
const MOST_GATES: usize = 4;

/// Values of the gates, one combination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Gates {
    /// Each gate and whether it is open.
    pub values: Vec<(ModulatorId, bool)>,
}

/// The modulators that are gates: all schedules that they ever follow have no other value than 0 and 1.
pub fn find(netlist: &Netlist, circuit: &Circuit) -> Vec<ModulatorId> {
    let is_gate = |name: &str, drive: &ModulatorDrive| match drive {
        ModulatorDrive::Schedule(schedule) => {
            binary(&schedule.value) && netlist.stages.iter().all(|stage| stays_binary(stage, name))
        }
        ModulatorDrive::Value { .. } | ModulatorDrive::Released { .. } => false,
    };
    let gates = circuit
        .modulators
        .iter()
        .enumerate()
        .filter(|(_, m)| is_gate(&m.name, &m.drive));
    gates
        .map(|(index, _)| ModulatorId(index as u32))
        .take(MOST_GATES)
        .collect()
}

fn stays_binary(stage: &Stage, name: &str) -> bool {
    let own = stage
        .set
        .get(name)
        .is_none_or(|schedule| binary(&schedule.value));
    let parts = match &stage.length {
        StageLength::Parts(parts) => parts.iter().all(|part| stays_binary(part, name)),
        _ => true,
    };
    own && parts
}

fn binary(schedule: &Schedule) -> bool {
    let zero_or_one = |v: &f64| v.abs() <= 0.0 || (v - 1.0).abs() <= 0.0;
    match schedule {
        Schedule::Constant(value) => zero_or_one(value),
        Schedule::Cycle { values, .. }
        | Schedule::List { values, .. }
        | Schedule::Random { values, .. } => values.iter().all(zero_or_one),
    }
}

impl Gates {
    /// All combinations of some gates; combination k has gate i open if bit i of k is set.
    pub fn combinations(gates: &[ModulatorId]) -> Vec<Gates> {
        let all = 0..1usize << gates.len();
        all.map(|k| Gates {
            values: gates
                .iter()
                .enumerate()
                .map(|(i, id)| (*id, k >> i & 1 == 1))
                .collect(),
        })
        .collect()
    }

    fn value(&self, id: ModulatorId) -> Option<f64> {
        self.values
            .iter()
            .find(|(gate, _)| *gate == id)
            .map(|(_, open)| f64::from(u8::from(*open)))
    }

    /// An expression's node with the gates put in and folded.
    pub fn fix(&self, expr: &mut Expr, node: NodeId) -> NodeId {
        let readings = expr.readings.clone();
        let value = |symbol: Symbol| match symbol {
            Symbol::Outer(index) => match readings.get(index as usize) {
                Some(Reading::Modulator(id)) => self.value(*id),
                _ => None,
            },
            _ => None,
        };
        let graph: &mut Graph = &mut expr.formula.graph;
        graph.fix(node, value)
    }

    /// What an expression still reads with the gates put in, its filters' inputs not included.
    pub fn readings(&self, expr: &Expr) -> Vec<Reading> {
        self.readings_of(expr, expr.formula.root)
    }

    /// What a node of an expression still reads.
    pub fn readings_of(&self, expr: &Expr, node: NodeId) -> Vec<Reading> {
        let mut expr = expr.clone();
        let node = self.fix(&mut expr, node);
        expr.formula
            .graph
            .symbols(node)
            .into_iter()
            .filter_map(|s| expr.reading(s))
            .collect()
    }

    /// " while lambda = 1", or nothing if there are no gates.
    pub fn describe(&self, circuit: &Circuit) -> String {
        if self.values.is_empty() {
            return String::new();
        }
        let name = |id: &ModulatorId| &circuit.modulators[id.0 as usize].name;
        let each: Vec<String> = self
            .values
            .iter()
            .map(|(id, open)| format!("{} = {}", name(id), u8::from(*open)))
            .collect();
        format!(" while {}", each.join(", "))
    }
}
