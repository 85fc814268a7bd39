//! Where in memory the symbols of one expression are.

use super::kernel::{Binding, ScalarId, VectorId, VectorRef};
use super::layout::{FilterPlace, Layout, Own, Source};
use super::reading::Reading;
use crate::circuit::{Circuit, CompartmentId, ProjectionId};
use crate::lang::{FilterKind, Symbol};

/// Where the symbols of one expression are.
pub struct Places<'a> {
    /// The circuit.
    pub circuit: &'a Circuit,
    /// All places.
    pub layout: &'a Layout,
    /// Its filters.
    pub filters: &'a [FilterPlace],
    /// What they do.
    pub kinds: Vec<FilterKind>,
    /// Its sums.
    pub sums: &'a [ScalarId],
    /// The projection, for a rule.
    pub projection: Option<ProjectionId>,
    /// The compartment whose bias is the weight, for a rule on a bias.
    pub bias: Option<CompartmentId>,
    /// Scalars that hold a row's presynaptic values, in a rule's general path.
    pub row: &'a [(Symbol, ScalarId)],
    /// Which numbers each replica has of its own.
    pub own: Own,
}

impl Places<'_> {
    fn smooth_or_oldest(&self, index: u32, state: VectorId, depth: u32) -> VectorRef {
        match self.kinds.get(index as usize) {
            Some(FilterKind::Previous(_)) => VectorRef::Oldest { ring: state, depth },
            _ => VectorRef::Plain(state),
        }
    }
}

impl Binding for Places<'_> {
    fn scalar(&self, symbol: Symbol, reading: Option<Reading>) -> Option<ScalarId> {
        if let Some((_, id)) = self.row.iter().find(|(s, _)| *s == symbol) {
            return Some(*id);
        }
        let modulators = &self.layout.per_replica;
        match (symbol, reading) {
            (Symbol::Sum(index), _) => self.sums.get(index as usize).copied(),
            (Symbol::Filter(index), _) => match self.filters.get(index as usize)? {
                FilterPlace::Scalar { value, .. } | FilterPlace::Replicas { value, .. } => {
                    Some(*value)
                }
                _ => None,
            },
            (_, Some(Reading::Modulator(id))) if self.is_own(symbol, reading) => {
                modulators.get(&id).map(|(value, _)| *value)
            }
            (_, Some(Reading::Changed(id))) if self.is_own(symbol, reading) => {
                modulators.get(&id).map(|(_, changed)| *changed)
            }
            (_, Some(Reading::Modulator(id))) => Some(self.layout.modulator(id)),
            (_, Some(Reading::Changed(id))) => Some(self.layout.changed(self.circuit, id)),
            _ => None,
        }
    }

    fn is_own(&self, symbol: Symbol, reading: Option<Reading>) -> bool {
        match (symbol, reading) {
            _ if self.row.iter().any(|(s, _)| *s == symbol) => false,
            (Symbol::Sum(_), _) => self.own == Own::All,
            (Symbol::Filter(index), _) => {
                let place = self.filters.get(index as usize);
                matches!(place, Some(FilterPlace::Replicas { .. }))
            }
            (_, Some(Reading::Modulator(id) | Reading::Changed(id))) => {
                self.own != Own::Means && self.layout.per_replica.contains_key(&id)
            }
            _ => false,
        }
    }

    fn vector(&self, symbol: Symbol, reading: Option<Reading>) -> Option<VectorRef> {
        if let Symbol::Filter(index) = symbol {
            return match self.filters.get(index as usize)? {
                FilterPlace::Vector { state, depth } => {
                    Some(self.smooth_or_oldest(index, *state, *depth))
                }
                FilterPlace::Synapse(at) => Some(VectorRef::SynapseState(*at)),
                FilterPlace::Scalar { .. } | FilterPlace::Replicas { .. } => None,
            };
        }
        let layout = self.layout;
        Some(match reading? {
            Reading::Value(id) => VectorRef::Plain(*layout.values.get(&id)?),
            Reading::Drive(id) => VectorRef::Plain(*layout.drives.get(&id)?),
            Reading::Current(id) => VectorRef::Plain(*layout.currents.get(&id)?),
            Reading::Noise(id) => VectorRef::Source(layout.noise(self.circuit, id)?),
            Reading::Parameter(population, k) => {
                VectorRef::Plain(*layout.parameters.get(&(population, k))?)
            }
            Reading::Input(id, output) => {
                VectorRef::Source(layout.source_of(&Source::Input(id, output))?)
            }
            Reading::Presynaptic => layout.presynaptic(self.circuit, self.projection?),
            Reading::Weight => match self.bias {
                Some(id) => VectorRef::Plain(*layout.biases.get(&id)?),
                None => VectorRef::Weights,
            },
            Reading::Modulator(_)
            | Reading::Changed(_)
            | Reading::InputChanged(_)
            | Reading::Time
            | Reading::Rate(_)
            | Reading::Plateau(_)
            | Reading::PreTrain(_)
            | Reading::PostTrain(_)
            | Reading::Psp(_) => return None,
        })
    }
}
