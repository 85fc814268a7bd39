//! Postsynaptic events at synapses that learn: at once, or when they have come up the dendrite.

use super::Learning;
use super::voltages::read_voltages;
use crate::engine::event::linear::Modes;
use crate::engine::event::synapses::Synapses;
use crate::engine::event::time::to_ms;
use crate::plasticity::{Channel, Moment, Signals};

impl Learning {
    /// A postsynaptic event at a time (ps); `y` is the neuron's state just before it.
    pub fn post_event(
        &mut self,
        neuron: u32,
        signals: Signals,
        (modes, y): (&Modes, &[f64]),
        time: i64,
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        if let Some(dendrite) = &mut self.dendrite {
            dendrite.send((neuron - self.base) as usize, signals, time);
            return;
        }
        let mut voltages = [0.0; 16];
        let reads = read_voltages(self.rule.traces(), modes, y, &mut voltages);
        let event = (signals, &voltages[..reads]);
        self.tell_post(neuron, event, to_ms(time), table, channels);
    }

    /// Before an arrival, by its number within the window, acts: its synapse is told what has reached it before.
    #[inline]
    pub fn reach_before(
        &mut self,
        neuron: u32,
        arrival: u32,
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        if self.dendrite.is_some() {
            let at = self.arrivals[arrival as usize].at;
            self.reach(neuron, at, table, channels);
        }
    }

    /// Tells the synapses of a neuron what has reached them before a time (ms).
    fn reach(&mut self, neuron: u32, at: f64, table: &mut Synapses, channels: &[Channel]) {
        let place = (neuron - self.base) as usize;
        while let Some((due, signals)) = self.dendrite.as_mut().and_then(|d| d.next(place, at)) {
            self.tell_post(neuron, (signals, &[]), due, table, channels);
        }
    }

    /// The same for all neurons here: before a window begins, modulators change or reference times are moved.
    pub fn reach_all(&mut self, at: f64, table: &mut Synapses, channels: &[Channel]) {
        let due = self.dendrite.as_mut().map(|d| d.due(at));
        for place in due.unwrap_or_default() {
            self.reach(self.base + place as u32, at, table, channels);
        }
    }

    fn tell_post(
        &mut self,
        neuron: u32,
        (signals, voltages): (Signals, &[f64]),
        at: f64,
        table: &mut Synapses,
        channels: &[Channel],
    ) {
        self.visit(
            (neuron, at),
            table,
            (channels, at),
            |rule, sides, kept, now| {
                rule.post_event(sides, kept, signals, voltages, now);
            },
        );
        let traces = self.rule.traces();
        let now = Moment {
            shared: &self.shared,
            channels,
            at,
        };
        let place = (neuron - self.base) as usize * traces.post_len();
        let post = &mut self.post[place..place + traces.post_len()];
        traces.post_event(post, signals, voltages, now);
    }
}
