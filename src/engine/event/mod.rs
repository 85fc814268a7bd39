//! The event engine: spiking neurons, each advanced only when something happens to it.
//!
//! # How it runs
//! Within the shortest delay of the circuit neurons cannot influence each other. So time is cut into windows no longer
//! than that, and in each window every neuron to which something happens runs by itself, from event to event, exactly.
//! Then the spikes of the window are sorted and sent on their way.
//!
//! 1. [`calendar`]: spikes in flight, in buckets of a window.
//! 2. [`inbox`]: what arrives within a window, a list for each neuron.
//! 3. [`agenda`]: which neurons have to be looked at in the next windows although nothing arrives; [`queue`]: and which later,
//!    an indexed priority queue.
//! 4. [`cells`], [`sources`] and [`driven`]: how a neuron runs through a window; [`regime`] and [`linear`]: the mathematics.
//! 5. [`partition`]: the neurons of one thread; [`simulation`]: windows, threads, samples.
//!
//! # The order of events
//! Time is a whole number of picoseconds. At one time,
//!
//! 1. inputs move on to their next rows; then modulators change: those that spikes release, then those with a schedule, then
//!    those that are sampled, which see the others' new values; each kind by number, in the order of the netlist;
//! 2. spikes arrive, by projection, presynaptic neuron and synapse. A synapse that learns is first brought up to date with what
//!    happened before this time, then learns from the arrival, then acts with the weight that it has now;
//! 3. neurons do what they do by themselves, each in the order: end of refractoriness, end of plateaus, spikes of a burst,
//!    candidates for random spikes, threshold crossings, of which a spike comes before plateaus. A spike is seen by rules before it is
//!    added to traces and before the reset; what neurons emit is ordered by neuron;
//! 4. samples are recorded.
//!
//! Nothing in a run depends on threads, on where windows end, on how a run is cut into pieces or on what is recorded.

pub mod agenda;
pub mod broadcast;
pub mod calendar;
pub mod cells;
pub mod counters;
pub mod dendrite;
pub mod driven;
mod glide;
pub mod inbox;
pub mod inputs;
pub mod linear;
mod merge;
pub mod model;
pub mod partition;
pub mod plastic;
pub mod private;
pub mod queue;
mod radix;
mod reach;
pub mod record;
mod records;
pub mod regime;
pub mod sampler;
pub mod short_term;
pub mod simulation;
pub mod sources;
pub mod synapses;
pub mod time;
pub mod turn;
