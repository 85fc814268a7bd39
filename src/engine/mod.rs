//! Engines: what moves a compiled circuit through time.

pub mod change;
pub mod convolve;
pub mod dense;
pub mod elementwise;
pub mod eligibility;
pub mod event;
pub mod lanes;
pub mod matrix;
pub mod outer;
pub mod packed;
mod patience;
pub mod rate;
mod shuffle;
pub mod tile;
pub mod transposed;
pub mod windows;
