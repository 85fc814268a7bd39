//! The compiler: expressions of a circuit are resolved, analysed and turned into a [`Program`].

mod copies;
pub mod eligibility;
pub mod event;
pub mod explain;
pub mod expressions;
pub mod gates;
pub mod kernel;
pub mod layout;
pub mod learning;
mod maps;
mod method;
mod neurons;
pub mod order;
mod placed;
mod places;
pub mod plan;
mod planner;
pub mod program;
pub mod reading;
mod refusal;
mod room;
mod rules;
pub mod scope;
mod shared;
mod spiking_rule;
mod weights;

pub use neurons::check_neurons;
pub use program::Program;
pub use reading::{Counter, Expr, Reading, Signal};
pub(crate) use room::does_not_fit;
pub use weights::Weights;
