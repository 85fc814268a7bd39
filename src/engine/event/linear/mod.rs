//! Exact mathematics of linear neurons with constant coefficients: x′ = A·x + b between two events.
//!
//! A neuron's regime (free, refractory with a clamped soma, plateau) is one [`System`]. It is solved
//! once into [`Modes`]: coordinates y in which the flow is made of independent blocks, almost always
//! single exponentials. From then on
//!
//! * [`Modes::advance`] moves y by any time without error of the step,
//! * [`Modes::column`] is what a jump of one x does to y, and [`Modes::row`] reads one x,
//! * [`Modes::cannot_cross`] is the question asked at each synaptic event: is a threshold out of
//!   reach for all time to come, unless something else arrives?
//! * [`Modes::first_crossing`] is the first time a linear read-out reaches a threshold,
//! * [`Modes::sup`] and [`Modes::inf`] bound a read-out over a time.
//!
//! # Units
//! Times in ms, rates in 1/ms; x in whatever units A and b are made for.
//!
//! # Same bits everywhere
//! The flow and the search use sums, products, quotients, square roots, tables and (for complex
//! eigenvalues) the sine of the `libm` crate: never the system's elementary functions and never a
//! fused multiply–add. The Schur form comes from `nalgebra`, built without SIMD. Results therefore do
//! not depend on the machine or on how many modes the compiler takes at once.
//!
//! # Source
//! * S. Rotter and M. Diesmann (1999), Exact digital simulation of time-invariant linear systems with
//!   applications to neuronal modeling, Biol. Cybern. 81, 381. <https://doi.org/10.1007/s004220050570>
//! * C. A. Bavely and G. W. Stewart (1979), An algorithm for computing reducing subspaces by block
//!   diagonalization, SIAM J. Numer. Anal. 16, 359. <https://doi.org/10.1137/0716028>
//! * M. D'Haene, B. Schrauwen, J. Van Campenhout and D. Stroobandt (2009), Accelerating event-driven
//!   simulation of spiking neurons with multiple synaptic time constants, Neural Comput. 21, 1068.
//!   <https://doi.org/10.1162/neco.2008.02-08-707>
//! * A. Hanuschkin, S. Kunkel, M. Helias, A. Morrison and M. Diesmann (2010), A general and efficient
//!   method for incorporating precise spike times in globally time-driven simulations, Front.
//!   Neuroinform. 4, 113. <https://doi.org/10.3389/fninf.2010.00113>

mod balance;
mod block;
mod bounds;
mod crossing;
mod decompose;
pub mod exp;
mod modes;
mod schur;
mod split;
mod two;

#[cfg(test)]
mod crossing_tests;
#[cfg(test)]
mod flow_tests;
#[cfg(test)]
mod reference;

pub use modes::Modes;

/// Most variables a system may have.
pub const MOST_VARIABLES: usize = 60;

/// x′ = A·x + b.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// Number of variables.
    pub n: usize,
    /// A by rows, n × n (1/ms).
    pub a: Vec<f64>,
    /// b, n long (units of x per ms).
    pub b: Vec<f64>,
}

/// Why a system has no modes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinearError {
    /// A or b has another size than n asks for.
    #[error(
        "a linear system of {n} variables needs {n}×{n} coefficients and {n} constants, not {coefficients} and {constants}"
    )]
    Shape {
        /// Variables.
        n: usize,
        /// Numbers in A.
        coefficients: usize,
        /// Numbers in b.
        constants: usize,
    },
    /// No variables, or too many.
    #[error("a linear system has 1 to {MOST_VARIABLES} variables, not {n}")]
    Size {
        /// Variables.
        n: usize,
    },
    /// A coefficient that is no number, or too large to compute with.
    #[error(
        "the coefficient of variable {column} in the derivative of variable {row} is {value}; it must be a number below 1e100 in size"
    )]
    Coefficient {
        /// Of the derivative.
        row: usize,
        /// Of the variable.
        column: usize,
        /// As given.
        value: f64,
    },
    /// A constant that is no number, or too large to compute with.
    #[error(
        "the constant in the derivative of variable {row} is {value}; it must be a number below 1e100 in size"
    )]
    Constant {
        /// Of the derivative.
        row: usize,
        /// As given.
        value: f64,
    },
    /// The eigenvalues were not found.
    #[error(
        "the eigenvalues of a linear system of {n} variables could not be found; check that its coefficients are of sensible size"
    )]
    Eigenvalues {
        /// Variables.
        n: usize,
    },
    /// The modes are so nearly parallel that nothing would be left of 16 digits.
    #[error(
        "the modes of a linear system of {n} variables cannot be told apart; check that its coefficients are of sensible size"
    )]
    Degenerate {
        /// Variables.
        n: usize,
    },
}
