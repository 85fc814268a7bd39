//! How a rule runs, in a sentence for `apical check`.

use super::plan::LazyRule;

/// How a lazy rule runs and why.
pub(super) fn lazy(rule: &LazyRule) -> String {
    let smooth = !rule.smooth.is_empty() || rule.sides.post.iter().any(|t| t.smooth.is_some());
    let count = rule.post_len();
    let numbers = if count == 1 { "number" } else { "numbers" };
    let mut text = format!(
        "lazy: a synapse works at presynaptic events only, its neuron keeps {count} {numbers}"
    );
    text.push_str(if smooth {
        ", integrated by quadrature over its voltages"
    } else {
        " that change at its own events"
    });
    let with = match (rule.gains.len(), rule.scales()) {
        (0, false) => "each product has a presynaptic and a postsynaptic side",
        (0, true) => "each product has two sides, and the weight's own factor depends on one",
        _ => "each product has two sides, and filters at the synapse are folded in",
    };
    format!("{text}, because {with}")
}

/// How any other rule runs and why.
pub(super) fn general(smooth: bool, why: &str) -> String {
    let when = if smooth {
        "at every event of their neuron and in between"
    } else {
        "at every event of their neuron"
    };
    format!("synapse by synapse (slower): all synapses are visited {when}, because {why}")
}
