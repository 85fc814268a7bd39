//! Engines: what moves a compiled circuit through time.

pub mod convolve;
pub mod dense;
pub mod elementwise;
pub mod eligibility;
pub mod event;
pub mod matrix;
pub mod rate;
pub mod single;
pub mod transposed;
pub mod windows;
