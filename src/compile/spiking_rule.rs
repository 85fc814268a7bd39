//! What names mean in a plasticity rule of a spiking circuit: the events of both sides, and what is at the synapse.

use super::reading::{Reading, Signal};
use super::scope::{Place, PlaceScope};
use crate::lang::{Meaning, Refusal, Shape};
use crate::units::Dimension;

/// The names that every such rule has.
pub(super) fn names() -> impl Iterator<Item = String> {
    let trains = ["pre", "post"]
        .into_iter()
        .flat_map(|side| Signal::ALL.map(|s| format!("{side}.{}", s.name())));
    trains.chain(["w", "dend"].map(str::to_owned))
}

/// What to write instead of a side's name alone, or with an unknown kind of event.
pub(super) fn hint(path: &[String]) -> Option<String> {
    let (side, rest) = path.split_first()?;
    let which = match side.as_str() {
        "pre" if rest.is_empty() => "write pre.spike (or pre.event, pre.burst)",
        "post" if rest.is_empty() => {
            "write post.spike (or post.event, post.burst), or `soma` for the somatic voltage"
        }
        _ => return None,
    };
    Some(which.to_owned())
}

impl PlaceScope<'_> {
    /// A name in a rule between spiking neurons.
    pub(super) fn in_spiking_rule(&mut self, path: &[String]) -> Option<Meaning> {
        let Place::SpikingRule {
            target,
            weight,
            parameters,
            ..
        } = &self.place
        else {
            return None;
        };
        let (target, weight, parameters) = (*target, *weight, *parameters);
        let name = match path {
            [name] => name.as_str(),
            [side, event] => return self.train(side, event),
            _ => return None,
        };
        match name {
            "w" => return Some(self.variable(Reading::Weight, Shape::Synapse, weight)),
            "dend" => return Some(self.value(target, Shape::Post)),
            _ => {}
        }
        if let Some(id) = self.circuit.compartment_named(target.population, name) {
            return Some(self.value(id, Shape::Post));
        }
        if let Some(Some(quantity)) = parameters.get(name) {
            self.used.push(name.to_owned());
            return Some(Meaning::Constant(*quantity));
        }
        self.broadcast(name)
    }

    /// `pre.spike` and the like: a sum of Dirac pulses.
    fn train(&mut self, side: &str, event: &str) -> Option<Meaning> {
        let signal = Signal::ALL.into_iter().find(|s| s.name() == event)?;
        let (reading, shape) = match side {
            "pre" => (Reading::PreTrain(signal), Shape::Pre),
            "post" => (Reading::PostTrain(signal), Shape::Post),
            _ => return None,
        };
        Some(self.variable(reading, shape, Dimension::RATE))
    }

    /// `psp(pre.spike)`: the potential in the synapse's compartment for a weight of 1.
    pub(super) fn response(&mut self, train: &[String]) -> Result<Meaning, Refusal> {
        let known = match (&self.place, train) {
            (Place::SpikingRule { .. }, [side, event]) if side == "pre" => {
                Signal::ALL.into_iter().find(|s| s.name() == event)
            }
            _ => None,
        };
        let Some(signal) = known else {
            let message = match self.place {
                Place::SpikingRule { .. } => {
                    format!(
                        "`psp` takes a presynaptic train of events, not `{}`",
                        train.join(".")
                    )
                }
                _ => "`psp` is the response of a spiking neuron to a presynaptic spike".to_owned(),
            };
            return Err(Refusal {
                message,
                note: "not here".to_owned(),
                help: Some("in rules of spiking circuits, write psp(pre.spike)".to_owned()),
            });
        };
        Ok(self.variable(Reading::Psp(signal), Shape::Pre, Dimension::VOLTAGE))
    }

    /// Why `changed` means nothing here.
    pub(super) fn no_steps(&self) -> Refusal {
        Refusal {
            message: "`changed` is about steps, and there are none here".to_owned(),
            note: "time is continuous".to_owned(),
            help: Some("read the modulator itself".to_owned()),
        }
    }
}
