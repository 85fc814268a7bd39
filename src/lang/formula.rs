//! An expression whose names are resolved: its graph and its filters.

use super::graph::{Graph, NodeId, Shape};
use crate::units::Dimension;

/// A memory of an expression's earlier values.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// What it remembers.
    pub kind: FilterKind,
    /// The expression it follows; one that is carried reads the filter itself.
    pub input: NodeId,
    /// The shape of both.
    pub shape: Shape,
    /// Its time constant, in the unit of the step (ms where time is continuous); 0 if it has none.
    pub tau: f64,
}

/// How many steps back something may be read, through a filter or a delayed projection.
pub const FARTHEST: u32 = 100_000;

/// Kinds of memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FilterKind {
    /// The value so many steps ago.
    Previous(u32),
    /// Running mean with exponential forgetting, started at the first value: what remains after a step is `decay`.
    Average(f64),
    /// First-order low-pass filter, started at 0: what remains after a step is `decay`.
    Lowpass(f64),
    /// Decaying sum, started at 0: what remains after a step is `decay`, and the value is added whole.
    Trace(f64),
    /// What its input says, which reads the state of the step before, started at 0.
    Carried,
}

/// An expression that is ready to be compiled.
#[derive(Debug, Clone)]
pub struct Formula {
    /// Its operations.
    pub graph: Graph,
    /// The operation that gives its value.
    pub root: NodeId,
    /// Its memories; a filter's input may read filters before it.
    pub filters: Vec<Filter>,
    /// Dimension of its value; `None` for a bare 0, which has any.
    pub dimension: Option<Dimension>,
}

impl Formula {
    /// Over what its value varies.
    pub fn shape(&self) -> Shape {
        self.graph.shape(self.root)
    }
}
