//! Apical: a simulator for circuits of multi-compartment neurons that learn by local rules.
//!
//! Data flows through the modules in this order: [`netlist`] (text to tables), [`circuit`] (names resolved,
//! connections drawn), [`compile`] (expressions analysed and turned into a program, with the help of
//! [`lang`] and [`plasticity`]), [`engine`] (the program runs), [`measure`] and [`record`] (what is kept of it), [`report`]
//! (pictures, made of what is in `drawing`). An [`experiment`] ties them together, and a [`sweep`] runs one again and again with other values and seeds.

pub mod circuit;
pub mod cli;
pub mod compile;
mod drawing;
pub mod engine;
pub mod experiment;
pub mod input;
pub mod lang;
pub mod measure;
pub mod netlist;
pub mod plasticity;
mod prefetch;
pub mod random;
pub mod record;
pub mod report;
pub mod source;
pub mod sweep;
pub mod units;
pub mod vector;
