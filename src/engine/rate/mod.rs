//! The rate engine: continuous circuits, one step after the other.
//!
//! # The order of a step
//!
//! 1. `advance_schedules`: scheduled modulators take this step's values.
//! 2. The sources deliver this step's noise and inputs.
//! 3. `compute`: drives and algebraic values, in the order in which they need each other. A differential
//!    compartment enters the step with its value.
//! 4. `smooth`: filters in compartments' equations move on.
//! 5. `modulate`: computed modulators, each with its filters.
//! 6. `measure_updates`: measured rules add to their sums. `learn`: rules change weights and biases. `optimise`: those that
//!    learn with an optimiser do. Each with its filters.
//! 7. `probe`: measured and recorded expressions, if anybody looks.
//! 8. `remember`: what `prev(…)` will return; `delay`: values enter the rings from which delayed projections
//!    read; `integrate`: differential compartments take their next values.
//!
//! Everything that changes is in [`State`] (plain data) and [`Sources`]; everything else is in the
//! [`Program`](crate::compile::Program) and never does.

mod block_run;
mod deliver;
mod eligibility;
mod filters;
mod flat;
mod integrate;
mod kernels;
mod learn;
mod narrow;
mod optimise;
mod products;
mod schedule;
mod separate;
mod shares;
mod simulation;
mod sources;
mod state;
mod step;
mod team;
mod trials;
mod updates;
mod waiting;

pub use schedule::ScheduleState;
pub use shares::is_worth_a_thread;
pub use simulation::{Observer, Settings, Simulation, Stopped};
pub use sources::{SourceBlock, Sources};
pub use state::State;
pub use step::NotFinite;
pub use trials::Trials;
pub use updates::Update;
