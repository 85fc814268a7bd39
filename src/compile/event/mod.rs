//! The compiler of event circuits: equations of spiking neurons are recognised as linear, and everything is given
//! numbers.

mod explain;
mod form;
mod kinds;
mod learning;
mod limits;
mod mechanisms;
mod modulators;
mod neuron;
mod ports;
mod program;
mod reader;
mod source;
mod tables;

pub use explain::EventExplanation;
pub use neuron::DynamicNeuron;
#[cfg(test)]
pub(crate) use program::delay_ps;
pub use program::{EventProgram, EventProjection, NeuronProgram, Release, ShortTerm};
pub use source::{GivenTimes, INPUT, SourceNeuron, TIME};
