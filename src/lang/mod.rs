//! The expression language: compartment equations, plasticity rules, modulators and measures.
//!
//! An expression passes through these stages, each in its own module:
//!
//! 1. [`mod@parse`]: text to a tree with places ([`ast`]);
//! 2. [`mod@build`]: names, shapes and units are resolved and checked against a [`Scope`], which is where
//!    locality is enforced; the result is a [`Formula`] over a [`graph`];
//! 3. the graph is folded, differentiated ([`derivative`]), specialised to gates and split into
//!    products ([`separate`]);
//! 4. [`code`]: bytecode over blocks, checked by [`mod@verify`] and run by the [`vm`].
//!
//! [`mod@walk`] is the slow oracle of the last step.

mod activation;
pub mod ast;
pub mod build;
pub mod code;
pub mod derivative;
pub mod formula;
mod functions;
pub mod graph;
mod inverse;
pub mod math;
mod memories;
pub mod ops;
pub mod parse;
mod rates;
pub mod scalar;
pub mod scope;
pub mod separate;
mod token;
pub mod verify;
pub mod vm;
pub mod walk;

pub use activation::activation;
pub use build::{BuildError, build};
pub use formula::{FARTHEST, Filter, FilterKind, Formula};
pub use graph::{Graph, NodeId, Shape, Symbol};
pub use parse::{ParseError, parse};
pub use scope::{Meaning, Refusal, Scope};
