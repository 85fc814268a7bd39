//! Plasticity rules.

use super::{Expression, Name};
use crate::source::Span;
use crate::units::Quantity;
use indexmap::IndexMap;

/// A plasticity rule.
#[derive(Debug, Clone)]
pub struct RuleModel {
    /// Its name and where it was defined.
    pub name: Name,
    /// Paper and equations, if stated.
    pub source: Option<String>,
    /// Parameters; `None` where the projection has to give it (`eta`, say).
    pub parameters: IndexMap<String, (Span, Option<Quantity>)>,
    /// The change of weight in a step.
    pub dw: Expression,
}
