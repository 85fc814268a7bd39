//! The command line as a user meets it: what is printed, what is written, how it exits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod inputs;
mod look;
mod mistakes;
mod run;
mod support;
mod sweep;
