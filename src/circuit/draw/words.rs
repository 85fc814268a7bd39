//! What the parts of a circuit are called in a drawing.

use crate::circuit::{Circuit, Population, Projection, SpikingEnds};
use crate::netlist::model::{Bias, DistributionKind, InputProcess, Learn, Signal};

/// `2,000 synapses`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", thousands(number))
}

/// `2,000`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What the whole circuit is: `2 populations, 120 neurons · 3 projections, 4,020 synapses · …`.
pub(super) fn summary(circuit: &Circuit) -> String {
    let mut parts = vec![
        format!(
            "{}, {}",
            count(circuit.populations.len(), "population"),
            count(circuit.neurons(), "neuron")
        ),
        format!(
            "{}, {}",
            count(circuit.projections.len(), "projection"),
            count(circuit.synapses(), "synapse")
        ),
    ];
    parts.extend(circuit.step.map(|step| format!("step {step}")));
    if circuit.replicas > 1 {
        parts.push(count(circuit.replicas, "replica"));
    }
    parts.join(" · ")
}

/// Size and neuron model: `20 × impression`.
pub(super) fn neurons(population: &Population) -> String {
    format!("{} × {}", thousands(population.size), population.neuron)
}

/// All of a population in one line.
pub(super) fn title(population: &Population) -> String {
    let compartments: Vec<String> = population
        .compartments
        .iter()
        .map(|c| match &c.bias {
            Some(given) => format!("{} ({})", c.name, bias(given)),
            None => c.name.clone(),
        })
        .collect();
    let source = population
        .source
        .iter()
        .map(|source| format!(" after {source}"));
    let source: String = source.collect();
    format!(
        "{}: {}{source}; {}",
        population.name,
        neurons(population),
        compartments.join(", ")
    )
}

/// What stands under a projection's name: pattern, size, rule, delay.
pub(super) fn about(projection: &Projection) -> Vec<String> {
    let mut lines = vec![synapses(projection)];
    lines.extend(projection.learn.as_ref().map(learns));
    lines.extend(delay(projection));
    lines.extend(projection.spiking.as_ref().map(event));
    lines
}

/// What a projection between spiking neurons carries, and how long it takes: `bursts, delay 1.5 ms`.
fn event(ends: &SpikingEnds) -> String {
    let signal = match ends.signal {
        Signal::Spike => "spikes",
        Signal::Event => "events",
        Signal::Burst => "bursts",
    };
    let short_term = match ends.short_term {
        Some(_) => ", short-term plasticity",
        None => "",
    };
    match ends.delay.kind {
        DistributionKind::Constant(ms) => format!("{signal}, delay {ms} ms{short_term}"),
        _ => format!("{signal}, delays are drawn{short_term}"),
    }
}

/// Pattern and size: `all-to-all, 2,000 synapses`.
fn synapses(projection: &Projection) -> String {
    let synapses = count(projection.connectivity.count(), "synapse");
    let pattern = match projection.transpose_of {
        Some(_) => "a transpose".to_owned(),
        None => projection.pattern.to_string(),
    };
    format!("{pattern}, {synapses}")
}

/// `learns by impression-basal`.
fn learns(learn: &Learn) -> String {
    format!("learns by {}", learn.rule.value)
}

/// `delay 1 step`; nothing for none.
fn delay(projection: &Projection) -> Option<String> {
    let steps = projection.delay;
    (steps > 0).then(|| format!("delay {}", count(steps, "step")))
}

/// `bias learns by impression-basal`, or `bias`.
pub(super) fn bias(bias: &Bias) -> String {
    match &bias.learn {
        Some(learn) => format!("bias {}", learns(learn)),
        None => "bias".to_owned(),
    }
}

/// Where an input's values come from.
pub(super) fn process(process: &InputProcess) -> String {
    match process {
        InputProcess::LatentAr1 { latent, .. } => {
            format!("latent AR(1) of {}", thousands(latent.value as usize))
        }
        InputProcess::VonMises { concentration, .. } => {
            format!("von Mises angle, concentration {}", concentration.value)
        }
        InputProcess::Random { .. } => "drawn at random".to_owned(),
        InputProcess::Array { file, .. } => format!("rows of {}", file.value),
        InputProcess::Images(images) => format!("images of {}", images.first_file()),
        InputProcess::LogMel(mel) => format!("log-mel frames of {}", mel.folder.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands_and_things_counted() {
        assert_eq!(count(1, "synapse"), "1 synapse");
        assert_eq!(count(0, "step"), "0 steps");
        assert_eq!(count(1_234_567, "synapse"), "1,234,567 synapses");
        assert_eq!(thousands(999), "999");
    }
}
